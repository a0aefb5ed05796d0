-- Mail we send: what was said to whom, how it went, and whom we no longer write to.

-- A row is written in the transaction of what it tells about, together with the job that sends it. The reader
-- at /dev/mail shows these rows; support sees from them whether a mail went out.
create table mail_message (
    id uuid not null,
    kind text not null,
    to_address text not null,
    to_name text,
    subject text not null,
    -- Both bodies, or neither once they are deleted: who got which mail is kept longer than what it said.
    html text,
    text text,
    -- Carries a code or a link that opens something, so the bodies go as soon as the mail is out.
    sensitive boolean not null,
    state text not null,
    attempts integer not null default 0,
    last_error text,
    -- Made once and sent with every attempt: a mail that was accepted just before a crash and is sent again is
    -- then the same mail to whoever receives it.
    message_id_header text not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    constraint mail_message_pkey primary key (id),
    constraint mail_message_kind check (kind ~ '^[a-z_]{1,60}$'),
    constraint mail_message_state check (state in ('queued', 'sent', 'suppressed', 'failed')),
    constraint mail_message_sent check ((state = 'sent') = (sent_at is not null)),
    constraint mail_message_bodies check ((html is null) = (text is null)),
    constraint mail_message_attempts check (attempts >= 0)
);

-- The reader lists the newest first.
create index mail_message_created_at on mail_message (created_at desc, id desc);
-- The purge looks only at rows that still have something to delete.
create index mail_message_bodies_by_age on mail_message (created_at) where html is not null;

-- Addresses that refused our mail or whose owner does not want it. Writing to them again costs the reputation
-- that lets everyone else's mail arrive.
create table mail_suppression (
    address text not null,
    reason text not null,
    detail text not null,
    created_at timestamptz not null,
    constraint mail_suppression_pkey primary key (address),
    constraint mail_suppression_lower_case check (address = lower(address)),
    constraint mail_suppression_reason check (reason in ('bounced', 'complained', 'unsubscribed'))
);
