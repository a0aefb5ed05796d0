-- Browser sessions. The cookie's value is not here: only its hash, so that a copy of this table signs nobody in.
create table session (
    id uuid not null,
    token_hash bytea not null,
    account_id uuid,
    device text not null,
    data jsonb not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    constraint session_pkey primary key (id),
    constraint session_token_hash unique (token_hash),
    constraint session_token_hash_length check (length(token_hash) = 32),
    -- Sessions say nothing once their person is gone.
    constraint session_account foreign key (account_id) references account (id) on delete cascade
);
create index session_account on session (account_id, last_seen_at desc) where account_id is not null;
create index session_expires_at on session (expires_at);
