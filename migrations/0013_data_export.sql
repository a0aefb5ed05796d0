-- One archive with everything we keep about a person, made by a job and kept for a week.
create table data_export (
    id uuid not null,
    account_id uuid not null,
    state text not null,
    requested_at timestamptz not null,
    ready_at timestamptz,
    expires_at timestamptz,
    -- Where it lies in the object store.
    object_key text,
    bytes bigint,
    constraint data_export_pkey primary key (id),
    constraint data_export_state check (state in ('queued', 'ready', 'expired')),
    constraint data_export_ready check ((state = 'ready') = (object_key is not null)),
    constraint data_export_bytes check (bytes >= 0),
    constraint data_export_account foreign key (account_id) references account (id) on delete cascade
);
create index data_export_account on data_export (account_id, requested_at desc);
create index data_export_expires_at on data_export (expires_at) where state = 'ready';
