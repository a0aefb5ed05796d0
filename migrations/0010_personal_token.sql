-- Tokens people make for their own programs. Shown once; the hash is enough to know them again.
create table personal_token (
    id uuid not null,
    account_id uuid not null,
    name text not null,
    token_hash bytea not null,
    -- The last characters, by which its owner tells it from the others.
    hint text not null,
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    last_used_address text,
    constraint personal_token_pkey primary key (id),
    constraint personal_token_hash unique (token_hash),
    constraint personal_token_hash_length check (length(token_hash) = 32),
    constraint personal_token_name_length check (length(name) between 1 and 100),
    constraint personal_token_hint_length check (length(hint) = 4),
    constraint personal_token_scopes check (cardinality(scopes) between 1 and 20),
    constraint personal_token_account foreign key (account_id) references account (id) on delete cascade
);
create index personal_token_account on personal_token (account_id, created_at desc);
