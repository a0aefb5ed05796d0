-- A shared secret for codes that change every thirty seconds. Sealed: it must be read to check a code.
create table totp (
    account_id uuid not null,
    secret_sealed bytea not null,
    created_at timestamptz not null,
    -- Until its owner has shown a right code, it is only being set up and asks for nothing.
    confirmed_at timestamptz,
    -- The last time step that was accepted: a code seen over a shoulder is worthless.
    last_step bigint,
    constraint totp_pkey primary key (account_id),
    constraint totp_account foreign key (account_id) references account (id) on delete cascade
);

-- Ten codes for the day the phone is lost, each good once.
create table recovery_code (
    account_id uuid not null,
    code_hash bytea not null,
    created_at timestamptz not null,
    used_at timestamptz,
    constraint recovery_code_pkey primary key (account_id, code_hash),
    constraint recovery_code_hash_length check (length(code_hash) = 32),
    constraint recovery_code_account foreign key (account_id) references account (id) on delete cascade
);

create table passkey (
    id uuid not null,
    account_id uuid not null,
    credential_id bytea not null,
    name text not null,
    -- The public key and its counter, as the library that checks them writes it. Nothing in it is secret.
    credential jsonb not null,
    created_at timestamptz not null,
    last_used_at timestamptz,
    constraint passkey_pkey primary key (id),
    constraint passkey_credential_id unique (credential_id),
    constraint passkey_name_length check (length(name) between 1 and 100),
    constraint passkey_account foreign key (account_id) references account (id) on delete cascade
);
create index passkey_account on passkey (account_id, created_at);
