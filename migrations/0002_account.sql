-- People. One account each, whatever they do here.
create table account (
    id uuid not null,
    email text not null,
    name text not null,
    role text not null,
    password_hash text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint account_pkey primary key (id),
    constraint account_role check (role in ('customer', 'developer', 'support', 'admin')),
    constraint account_email_length check (length(email) between 3 and 254),
    constraint account_name_length check (length(name) between 1 and 200)
);
-- Addresses differ by more than case in theory and never in practice.
create unique index account_email on account (lower(email));
