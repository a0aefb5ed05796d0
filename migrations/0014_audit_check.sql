-- Each time the whole audit chain was walked: how far it went, and where it broke if it did.
create table audit_check (
    id uuid not null,
    checked_at timestamptz not null,
    sealed bigint not null,
    unsealed bigint not null,
    broken_at bigint,
    broken_why text,
    constraint audit_check_pkey primary key (id),
    constraint audit_check_broken check ((broken_at is null) = (broken_why is null))
);
create index audit_check_checked_at on audit_check (checked_at desc);
-- The log as staff read it: newest first, also by kind of action.
create index audit_event_recorded_at on audit_event (recorded_at desc, id desc);
create index audit_event_action on audit_event (action, recorded_at desc);
