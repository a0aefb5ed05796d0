-- What is sold. Seeded from content/catalogue.toml when empty; from then on administrators change it here.

create table tier (
    code text not null,
    name text not null,
    description text not null,
    position smallint not null,
    -- Sold by talking to us, whatever prices it has.
    by_quote boolean not null,
    constraint tier_pkey primary key (code),
    constraint tier_code check (code in ('free', 'pro', 'enterprise')),
    constraint tier_lengths check (length(name) between 1 and 60 and length(description) between 1 and 300)
);

create table feature (
    code text not null,
    group_name text not null,
    name text not null,
    position smallint not null,
    constraint feature_pkey primary key (code),
    constraint feature_code check (code ~ '^[a-z][a-z0-9_]{1,59}$'),
    constraint feature_lengths check (length(name) between 1 and 120 and length(group_name) between 1 and 60)
);

-- A tier has a feature when there is a row. `words` says how much of it, where yes is not enough.
create table tier_feature (
    tier text not null,
    feature text not null,
    words text,
    constraint tier_feature_pkey primary key (tier, feature),
    constraint tier_feature_tier foreign key (tier) references tier (code) on delete restrict,
    -- A feature that is struck off the list is struck off every tier.
    constraint tier_feature_feature foreign key (feature) references feature (code) on delete cascade,
    constraint tier_feature_words check (length(words) between 1 and 60)
);

-- Never changed but to be withdrawn: orders and subscriptions point at the price they were made with.
create table price (
    id uuid not null,
    tier text not null,
    interval text not null,
    currency text not null,
    unit_amount bigint not null,
    per_seat boolean not null,
    trial_days smallint not null,
    created_at timestamptz not null,
    withdrawn_at timestamptz,
    constraint price_pkey primary key (id),
    constraint price_tier foreign key (tier) references tier (code) on delete restrict,
    constraint price_interval check (interval in ('month', 'year', 'once')),
    constraint price_currency check (currency in ('usd', 'eur', 'gbp', 'jpy')),
    constraint price_amount check (unit_amount between 1 and 99999999),
    constraint price_trial check (trial_days between 0 and 365 and (trial_days = 0 or interval <> 'once'))
);
create unique index price_offered on price (tier, interval, currency) where withdrawn_at is null;

create table coupon (
    id uuid not null,
    code text not null,
    -- One of the two: a share in millionths, or an amount of one currency.
    rate integer,
    amount bigint,
    currency text,
    duration text not null,
    months smallint,
    tiers text[] not null,
    max_redemptions integer,
    redeemed integer not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    withdrawn_at timestamptz,
    constraint coupon_pkey primary key (id),
    constraint coupon_code_form check (code ~ '^[A-Z0-9][A-Z0-9-]{2,39}$'),
    constraint coupon_kind check ((rate is null) = (amount is not null) and (amount is null) = (currency is null)),
    constraint coupon_rate check (rate between 1 and 1000000),
    constraint coupon_amount check (amount between 1 and 99999999),
    constraint coupon_currency check (currency in ('usd', 'eur', 'gbp', 'jpy')),
    constraint coupon_duration check (duration in ('once', 'repeating', 'forever')),
    constraint coupon_months check ((duration = 'repeating') = (months is not null) and months between 1 and 36),
    constraint coupon_redeemed check (redeemed >= 0)
);
create unique index coupon_code on coupon (code);

-- What our things are called at the payment provider, for each of its accounts: a test key knows other prices than
-- a live one. `fingerprint` is what was last told about the thing, so that telling it again is left out.
create table stripe_object (
    environment text not null,
    kind text not null,
    our_key text not null,
    stripe_id text not null,
    fingerprint text not null,
    synced_at timestamptz not null,
    constraint stripe_object_pkey primary key (environment, kind, our_key),
    constraint stripe_object_kind check (kind in ('product', 'price', 'coupon', 'tax_rate', 'customer'))
);
create index stripe_object_theirs on stripe_object (environment, stripe_id);
