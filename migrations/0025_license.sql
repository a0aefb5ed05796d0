-- Licenses, the machines they run on, and what the editor is told about both.

create table license (
    id uuid not null,
    -- None while it belongs to an address that nobody has proven, and after its owner's account was emptied.
    account_id uuid,
    email text not null,
    -- How it came to be: bought, given by staff, tried, or split off another.
    origin text not null,
    order_id uuid,
    order_line_id uuid,
    split_from uuid,
    tier text not null,
    -- Of the key only a keyed hash, the last group, and a sealed copy for its owner.
    key_hash bytea not null,
    key_end text not null,
    key_sealed bytea not null,
    seats integer not null,
    machines_per_seat smallint not null,
    -- How far beyond its machines it may go, in percent.
    overage smallint not null,
    -- Whether it is good only on machines that were activated.
    node_locked boolean not null,
    -- Kept with each machine that comes or goes, under the lock of this row.
    machines_used integer not null,
    -- The one truth of when it ends. Both none: it does not.
    expires_at timestamptz,
    -- It is still taken as good up to here.
    good_until timestamptz,
    -- Whether it goes on covering versions released before it expired.
    fallback boolean not null,
    -- Why it is held back or taken away: each cause is lifted by itself.
    suspended_by text[] not null,
    revoked_by text[] not null,
    -- Beyond those of its tier: [{"feature", "source", "until"?}].
    extra_features jsonb not null,
    -- Which reminder of its end went out last, and for which end.
    reminded smallint not null,
    reminded_for timestamptz,
    -- Compared when a form or a request comes twice: all that it made carry it. A hash over who sent it and what it says.
    request_key text,
    -- Whose trial it was, as a keyed hash that stays when the account is emptied: whoever comes again has had theirs.
    trial_address_hash bytea,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint license_pkey primary key (id),
    constraint license_key unique (key_hash),
    -- One license for each paid line, whatever is repeated.
    constraint license_order_line unique (order_line_id),
    constraint license_account foreign key (account_id) references account (id) on delete restrict,
    constraint license_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint license_line foreign key (order_line_id) references order_line (id) on delete restrict,
    constraint license_split foreign key (split_from) references license (id) on delete restrict,
    constraint license_origin check (origin in ('order', 'staff', 'trial', 'split')),
    constraint license_bought check ((origin = 'order') = (order_line_id is not null)),
    constraint license_tier check (tier in ('pro', 'enterprise')),
    constraint license_key_hash check (length(key_hash) = 32 and length(key_end) = 5),
    constraint license_seats check (seats between 1 and 10000 and machines_per_seat between 1 and 100),
    constraint license_overage check (overage between 0 and 100),
    constraint license_machines_used check (machines_used >= 0),
    constraint license_end check ((expires_at is null) = (good_until is null) and good_until >= expires_at),
    constraint license_causes check (suspended_by <@ array['staff', 'dispute', 'subscription']
        and revoked_by <@ array['staff', 'refund', 'dispute']),
    constraint license_email check (length(email) <= 254),
    constraint license_trial_hash check (length(trial_address_hash) = 32)
);
create index license_of_account on license (account_id, created_at desc, id desc);
create index license_unclaimed on license (lower(email)) where account_id is null;
create index license_of_address on license (lower(email));
create index license_of_order on license (order_id) where order_id is not null;
create index license_ending on license (expires_at) where expires_at is not null;
create index license_by_key_end on license (key_end);
create index license_of_request on license (request_key) where request_key is not null;
create index license_newest on license (created_at desc, id desc);
-- One trial for each account and each address.
create unique index license_trial_account on license (account_id) where origin = 'trial';
create unique index license_trial_address on license (lower(email)) where origin = 'trial';
create unique index license_trial_address_hash on license (trial_address_hash) where origin = 'trial';

-- Keys that were replaced, so that an old one is known for what it is.
create table license_former_key (
    key_hash bytea not null,
    license_id uuid not null,
    key_end text not null,
    replaced_at timestamptz not null,
    constraint license_former_key_pkey primary key (key_hash),
    -- A license is not deleted; should one be by hand, its keys and machines mean nothing without it.
    constraint license_former_key_license foreign key (license_id) references license (id) on delete cascade,
    constraint license_former_key_hash check (length(key_hash) = 32 and length(key_end) = 5)
);
create index license_former_key_of on license_former_key (license_id, replaced_at desc);

create table license_machine (
    id uuid not null,
    license_id uuid not null,
    -- Of the fingerprint only a keyed hash.
    fingerprint_hash bytea not null,
    name text not null,
    -- Whether its owner gave it that name: then it is not what the editor says.
    named boolean not null default false,
    platform text not null,
    -- Who activated it, as they typed it.
    email text not null,
    activated_at timestamptz not null,
    last_seen_at timestamptz not null,
    -- Until when a file that its owner took to it is good: it is not released before.
    file_until timestamptz,
    constraint license_machine_pkey primary key (id),
    constraint license_machine_license foreign key (license_id) references license (id) on delete cascade,
    constraint license_machine_once unique (license_id, fingerprint_hash),
    constraint license_machine_fingerprint check (length(fingerprint_hash) = 32),
    constraint license_machine_lengths check (length(name) <= 100 and length(platform) <= 60 and length(email) <= 254)
);
create index license_machine_unseen on license_machine (last_seen_at);
create index license_machine_came on license_machine (license_id, activated_at, id);

-- Each machine that came, though it be gone by now: what it was given for when it is offline is still good. Counted under
-- the lock of the license's row, and removed once that is over.
create table license_arrival (
    machine_id uuid not null,
    license_id uuid not null,
    arrived_at timestamptz not null,
    constraint license_arrival_pkey primary key (machine_id),
    -- It counts for its license only.
    constraint license_arrival_license foreign key (license_id) references license (id) on delete cascade
);
create index license_arrival_of on license_arrival (license_id, arrived_at desc);
create index license_arrival_old on license_arrival (arrived_at);

-- When each version of the editor came out: what a license that has expired goes on covering.
create table license_version (
    version text not null,
    released_at timestamptz not null,
    constraint license_version_pkey primary key (version),
    constraint license_version_length check (length(version) between 1 and 64)
);

-- Every node that keeps licenses in memory hears of a change when it is committed, whoever made it.
create function license_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('license', encode(old.key_hash, 'hex'));
    return null;
end $$;
create trigger license_changed after update or delete on license for each row execute function license_changed();

create function license_version_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('license', 'versions');
    return null;
end $$;
create trigger license_version_changed after insert or update or delete on license_version
    for each statement execute function license_version_changed();

-- Two more purposes of keys: what the editor keeps for when it is offline, and files for machines that always are.
alter table signing_key drop constraint signing_key_purpose;
alter table signing_key add constraint signing_key_purpose check (purpose in ('access', 'offline', 'machine_file'));
