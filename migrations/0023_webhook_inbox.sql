-- What came from outside, kept before it is worked on. Its body is a hint: the thing it is about is asked for again.
create table webhook_inbox (
    id uuid not null,
    source text not null,
    event_id text not null,
    topic text not null,
    -- When the sender says it happened.
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    body text not null,
    -- How it came: from outside by itself, or because it was found missing.
    origin text not null,
    attempts integer not null,
    handled_at timestamptz,
    outcome text,
    error text,
    constraint webhook_inbox_pkey primary key (id),
    constraint webhook_inbox_event unique (source, event_id),
    constraint webhook_inbox_source check (source in ('stripe')),
    constraint webhook_inbox_origin check (origin in ('delivered', 'fetched')),
    constraint webhook_inbox_outcome check (outcome in ('applied', 'nothing_to_do', 'unknown')),
    constraint webhook_inbox_handled check ((handled_at is null) = (outcome is null))
);
create index webhook_inbox_newest on webhook_inbox (received_at desc, id desc);
create index webhook_inbox_waiting on webhook_inbox (received_at) where handled_at is null;

-- What was found to differ from the provider, and each round of looking.
create table reconcile_run (
    id uuid not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    -- Up to when events have been read without a gap.
    events_until timestamptz not null,
    events_read integer not null,
    events_missed integer not null,
    subscriptions_read integer not null,
    constraint reconcile_run_pkey primary key (id)
);
create index reconcile_run_newest on reconcile_run (started_at desc);

create table reconcile_difference (
    id uuid not null,
    run_id uuid,
    found_at timestamptz not null,
    subject text not null,
    field text not null,
    ours text not null,
    theirs text not null,
    constraint reconcile_difference_pkey primary key (id),
    -- Found outside a round, it has none.
    constraint reconcile_difference_run foreign key (run_id) references reconcile_run (id) on delete restrict
);
create index reconcile_difference_newest on reconcile_difference (found_at desc);
