-- What every later table leans on: partitions by month, the audit log, and the outbox.

-- Tables that grow without end are partitioned by month. Called here and daily by a job, always well ahead,
-- so that no insert ever waits for a partition; the default partition catches what a wrong clock sends.
create function ensure_month_partitions(parent regclass, months_ahead int) returns void
language plpgsql as $$
declare
    month date := date_trunc('month', now() at time zone 'UTC');
    partition_name text;
begin
    for i in 0..months_ahead loop
        partition_name := format('%s_%s', parent::text, to_char(month, 'YYYY_MM'));
        if to_regclass(partition_name) is null then
            execute format(
                'create table %I partition of %s for values from (%L) to (%L)',
                partition_name, parent, month::timestamp at time zone 'UTC',
                (month + interval '1 month') at time zone 'UTC'
            );
            -- Triggers for each row come with the parent; one that refuses to empty a table does not.
            if exists (select from pg_trigger where tgrelid = parent and tgname = parent::text || '_no_truncate') then
                execute format(
                    'create trigger %I before truncate on %I for each statement execute function refuse_change()',
                    parent::text || '_no_truncate', partition_name
                );
            end if;
        end if;
        month := month + interval '1 month';
    end loop;
end
$$;

-- Who did what to which thing. Rows are written in the transaction of the change they describe.
create table audit_event (
    id uuid not null,
    recorded_at timestamptz not null,
    actor_kind text not null,
    actor_id uuid,
    action text not null,
    subject_kind text not null,
    subject_id text not null,
    detail jsonb not null,
    request_id uuid,
    constraint audit_event_pkey primary key (recorded_at, id),
    constraint audit_event_actor_kind check (actor_kind in ('anonymous', 'user', 'system')),
    constraint audit_event_actor check ((actor_kind = 'user') = (actor_id is not null))
) partition by range (recorded_at);

create index audit_event_subject on audit_event (subject_kind, subject_id, recorded_at desc);
create index audit_event_actor on audit_event (actor_id, recorded_at desc) where actor_id is not null;

-- The chain over the log, in a table of its own: if each writer extended the chain itself, every audited
-- transaction would wait for the one before it. A sealer follows a moment behind and chains what is committed.
create table audit_seal (
    sequence bigint not null,
    event_id uuid not null,
    event_recorded_at timestamptz not null,
    previous_hash bytea not null,
    hash bytea not null,
    constraint audit_seal_pkey primary key (sequence),
    constraint audit_seal_event unique (event_id),
    constraint audit_seal_sequence check (sequence > 0),
    constraint audit_seal_lengths check (length(previous_hash) = 32 and length(hash) = 32)
);

-- What the sealer has yet to do.
create table audit_unsealed (
    event_id uuid not null,
    event_recorded_at timestamptz not null,
    constraint audit_unsealed_pkey primary key (event_recorded_at, event_id)
);

create function audit_event_queue_seal() returns trigger language plpgsql as $$
begin
    insert into audit_unsealed (event_id, event_recorded_at) values (new.id, new.recorded_at);
    return null;
end
$$;
create trigger audit_event_queue_seal after insert on audit_event
    for each row execute function audit_event_queue_seal();

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger audit_event_append_only before update or delete on audit_event
    for each row execute function refuse_change();
create trigger audit_seal_append_only before update or delete on audit_seal
    for each row execute function refuse_change();
create trigger audit_event_no_truncate before truncate on audit_event
    for each statement execute function refuse_change();
create trigger audit_seal_no_truncate before truncate on audit_seal
    for each statement execute function refuse_change();

create table audit_event_default partition of audit_event default;
create trigger audit_event_no_truncate before truncate on audit_event_default
    for each statement execute function refuse_change();
select ensure_month_partitions('audit_event', 12);

-- What happened, for whoever follows: the search index, caches, outgoing webhooks. Readers go by (xid, id)
-- and only up to the oldest transaction still running: by id alone, a reader would pass over an event whose
-- transaction took its number early and committed late.
create table outbox (
    id bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    recorded_at timestamptz not null,
    topic text not null,
    key text not null,
    payload jsonb not null,
    constraint outbox_pkey primary key (xid, id),
    constraint outbox_topic check (topic ~ '^[a-z_]+(\.[a-z_]+)*$')
);
create index outbox_recorded_at on outbox (recorded_at);

create function outbox_notify() returns trigger language plpgsql as $$
begin
    perform pg_notify('outbox', '');
    return null;
end
$$;
create trigger outbox_notify after insert on outbox
    for each statement execute function outbox_notify();

-- How far each durable reader has come. Readers that can start over (caches) keep no row here.
create table outbox_cursor (
    reader text not null,
    xid xid8 not null,
    id bigint not null,
    updated_at timestamptz not null,
    constraint outbox_cursor_pkey primary key (reader)
);
