-- Guessing waits longer each time. Unlogged like the rate ledger: after a crash the counting starts anew.
create unlogged table throttle (
    bucket text not null,
    tries int not null,
    last_try_at timestamptz not null,
    -- Nobody of this bucket is let in before.
    closed_until timestamptz not null,
    constraint throttle_pkey primary key (bucket),
    constraint throttle_bucket_length check (length(bucket) <= 200)
);
create index throttle_last_try_at on throttle (last_try_at);
