-- Limits that must hold across nodes, such as sign-in attempts. Unlogged: after a crash the counting starts
-- anew, which is the right trade for a row written on every attempt.
create unlogged table rate_ledger (
    bucket text not null,
    window_start timestamptz not null,
    used int not null,
    constraint rate_ledger_pkey primary key (bucket, window_start),
    constraint rate_ledger_bucket_length check (length(bucket) <= 200)
);
create index rate_ledger_window_start on rate_ledger (window_start);
