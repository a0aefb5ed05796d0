-- Which starting articles the knowledge base has: the latest `updated` day among those that a program brought, as a
-- number such as 20261122. While nodes are replaced one after another, an older one that starts must not take them back.
create table kb_seed (
    only_row boolean not null default true
        constraint kb_seed_pkey primary key
        constraint kb_seed_only_row_check check (only_row),
    newest bigint not null constraint kb_seed_newest_check check (newest >= 0)
);
