-- The first answer to a request with an Idempotency-Key, for a day.
create table idempotency_key (
    -- Whose key it is, and for which route: a keyed hash.
    scope bytea not null,
    key text not null,
    request_hash bytea not null,
    -- Tells the request from the same one, with the same key, of another day. Whoever takes over from one that died
    -- keeps it, and so finds what that one had begun.
    nonce uuid not null,
    started_at timestamptz not null,
    -- Nothing until there is an answer. A request that died leaves it so; after a minute another may take over.
    status smallint,
    body bytea,
    constraint idempotency_key_pkey primary key (scope, key),
    constraint idempotency_key_lengths check (length(scope) = 32 and length(request_hash) = 32 and length(key) between 1 and 255),
    constraint idempotency_key_answer check ((status is null) = (body is null))
);
create index idempotency_key_age on idempotency_key (started_at);
