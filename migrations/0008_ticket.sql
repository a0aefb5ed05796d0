-- Something that may be done once, soon, by whoever holds the token: confirm an address, set a new password,
-- finish a sign-in, answer a passkey's challenge. Only the token's hash is here; taking a ticket deletes it.
create table ticket (
    id uuid not null,
    kind text not null,
    token_hash bytea not null,
    account_id uuid,
    data jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint ticket_pkey primary key (id),
    constraint ticket_kind check (kind ~ '^[a-z_]{1,40}$'),
    constraint ticket_token_hash unique (token_hash),
    constraint ticket_token_hash_length check (length(token_hash) = 32),
    constraint ticket_account foreign key (account_id) references account (id) on delete cascade
);
create index ticket_account on ticket (account_id, kind) where account_id is not null;
create index ticket_expires_at on ticket (expires_at);

-- A change of address waits here until both ends have said yes.
create table email_change (
    account_id uuid not null,
    new_email text not null,
    old_confirmed_at timestamptz,
    new_confirmed_at timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint email_change_pkey primary key (account_id),
    constraint email_change_length check (length(new_email) between 3 and 254),
    constraint email_change_account foreign key (account_id) references account (id) on delete cascade
);
