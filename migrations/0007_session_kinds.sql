-- One row for every place somebody is signed in: a browser with its cookie, or a program with its tokens. Ending
-- the row ends both at once.
alter table session
    add column kind text not null default 'browser',
    -- Where it was last used from: the network's address, and the country when a proxy of ours tells it.
    add column address text not null default '',
    add column country text,
    -- Kept beyond the browser's window: `remember me`. Others end sooner.
    add column remembered boolean not null default true,
    -- When its person last proved who they are; some steps ask for a recent proof.
    add column authenticated_at timestamptz,
    -- How they did: `password`, `password+code`, `password+passkey`, `passkey`.
    add column method text not null default 'password',
    -- An administrator looks at the site as this person does, without changing anything, until then.
    add column viewing_as uuid,
    add column viewing_until timestamptz,
    add constraint session_kind check (kind in ('browser', 'api')),
    add constraint session_address_length check (length(address) <= 64),
    add constraint session_country check (country ~ '^[A-Z]{2}$'),
    add constraint session_viewing check ((viewing_as is null) = (viewing_until is null)),
    -- Nothing is left to look at once that person is gone.
    add constraint session_viewing_account foreign key (viewing_as) references account (id) on delete cascade,
    -- What the generic store kept here has columns of its own now.
    alter column data set default '{}';

-- Each refresh token works once. A used one is kept until its session ends: seen again, it was copied.
create table refresh_token (
    token_hash bytea not null,
    session_id uuid not null,
    created_at timestamptz not null,
    used_at timestamptz,
    constraint refresh_token_pkey primary key (token_hash),
    constraint refresh_token_hash_length check (length(token_hash) = 32),
    -- The family is the session.
    constraint refresh_token_session foreign key (session_id) references session (id) on delete cascade
);
create index refresh_token_session on refresh_token (session_id);

-- Browsers and programs an account was signed in from before: a sign-in from another one is told to its owner,
-- and guesses from elsewhere do not make these wait.
create table known_device (
    -- Of the account and the device's secret, so that a copy of this table recognizes nobody.
    device_hash bytea not null,
    account_id uuid not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    constraint known_device_pkey primary key (device_hash),
    constraint known_device_hash_length check (length(device_hash) = 32),
    constraint known_device_account foreign key (account_id) references account (id) on delete cascade
);
create index known_device_account on known_device (account_id);
create index known_device_last_used_at on known_device (last_used_at);
