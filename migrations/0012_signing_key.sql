-- The keys that sign what others verify. Several at a time: a new one is published before it signs, and an old one
-- stays published until nothing that it signed is still good.
create table signing_key (
    id text not null,
    purpose text not null,
    public_key bytea not null,
    private_key_sealed bytea not null,
    created_at timestamptz not null,
    signs_from timestamptz not null,
    published_until timestamptz,
    constraint signing_key_pkey primary key (id),
    constraint signing_key_id check (id ~ '^[a-zA-Z0-9_-]{8,64}$'),
    constraint signing_key_purpose check (purpose in ('access')),
    constraint signing_key_public_length check (length(public_key) = 32)
);
create index signing_key_purpose on signing_key (purpose, signs_from desc);
