-- Who pays, what they bought, and the money that came in.

create table billing_customer (
    id uuid not null,
    -- None for a guest whose account is not known yet. Accounts are emptied, not deleted.
    account_id uuid,
    email text not null,
    name text not null,
    tax_id text,
    address jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint billing_customer_pkey primary key (id),
    constraint billing_customer_account foreign key (account_id) references account (id) on delete restrict,
    constraint billing_customer_lengths check (length(email) <= 254 and length(name) <= 200 and length(tax_id) <= 30)
);
create index billing_customer_of_account on billing_customer (account_id, created_at desc);

create table billing_order (
    id uuid not null,
    customer_id uuid not null,
    account_id uuid,
    email text not null,
    status text not null,
    tier text not null,
    interval text not null,
    seats integer not null,
    currency text not null,
    subtotal bigint not null,
    discount bigint not null,
    tax bigint not null,
    total bigint not null,
    trial_days smallint not null,
    coupon_id uuid,
    payment_method text not null,
    -- Which try at a checkout session this is: part of the key under which the provider knows it.
    attempt smallint not null,
    session_id text,
    session_url text,
    refunded bigint not null,
    -- Compared when a form or a request comes twice.
    request_key text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    paid_at timestamptz,
    -- When the licenses feature has answered order.paid.
    fulfilled_at timestamptz,
    updated_at timestamptz not null,
    constraint billing_order_pkey primary key (id),
    -- Money is never reached by a cascade.
    constraint billing_order_customer foreign key (customer_id) references billing_customer (id) on delete restrict,
    constraint billing_order_account foreign key (account_id) references account (id) on delete restrict,
    constraint billing_order_coupon foreign key (coupon_id) references coupon (id) on delete restrict,
    constraint billing_order_status check (status in ('open', 'processing', 'paid', 'failed', 'expired',
        'partially_refunded', 'refunded', 'disputed', 'dispute_lost')),
    constraint billing_order_tier check (tier in ('free', 'pro', 'enterprise')),
    constraint billing_order_interval check (interval in ('month', 'year', 'once')),
    constraint billing_order_currency check (currency in ('usd', 'eur', 'gbp', 'jpy')),
    constraint billing_order_seats check (seats between 1 and 10000),
    constraint billing_order_sum check (total = subtotal - discount + tax),
    constraint billing_order_amounts check (subtotal >= 0 and discount between 0 and subtotal and tax >= 0),
    constraint billing_order_refunded check (refunded between 0 and total),
    constraint billing_order_method check (payment_method in ('checkout', 'element'))
);
create unique index billing_order_session on billing_order (session_id) where session_id is not null;
create unique index billing_order_request on billing_order (request_key) where request_key is not null;
create index billing_order_of_account on billing_order (account_id, created_at desc);
create index billing_order_unclaimed on billing_order (lower(email)) where account_id is null;
create index billing_order_trial on billing_order (lower(email)) where trial_days > 0;
create index billing_order_newest on billing_order (created_at desc, id desc);

create table order_line (
    id uuid not null,
    order_id uuid not null,
    position smallint not null,
    price_id uuid not null,
    tier text not null,
    description text not null,
    quantity integer not null,
    unit_amount bigint not null,
    discount bigint not null,
    net bigint not null,
    tax_rate integer not null,
    tax bigint not null,
    tax_country text not null,
    tax_reason text not null,
    constraint order_line_pkey primary key (id),
    constraint order_line_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint order_line_price foreign key (price_id) references price (id) on delete restrict,
    constraint order_line_position unique (order_id, position),
    constraint order_line_sum check (net = quantity * unit_amount - discount and net >= 0 and tax >= 0)
);

-- What is paid for again and again, as we last saw it at the provider.
create table subscription (
    id uuid not null,
    stripe_id text not null,
    order_id uuid,
    customer_id uuid not null,
    account_id uuid,
    status text not null,
    -- In force: what was paid for.
    tier text not null,
    seats integer not null,
    interval text not null,
    currency text not null,
    price_id uuid not null,
    unit_amount bigint not null,
    -- What it becomes with the next period, when less was asked for.
    next_tier text,
    next_seats integer,
    current_period_start timestamptz not null,
    current_period_end timestamptz not null,
    trial_end timestamptz,
    cancel_at_period_end boolean not null,
    -- From the first payment that failed; none while all is paid.
    past_due_since timestamptz,
    grace_until timestamptz,
    -- The last mail about a failed payment, and for which invoice.
    dunning_invoice text,
    dunning_stage smallint not null,
    created_at timestamptz not null,
    ended_at timestamptz,
    -- When the provider was asked for what stands here. An answer to an earlier question never overwrites it.
    synced_at timestamptz not null,
    constraint subscription_pkey primary key (id),
    constraint subscription_stripe unique (stripe_id),
    constraint subscription_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint subscription_customer foreign key (customer_id) references billing_customer (id) on delete restrict,
    constraint subscription_account foreign key (account_id) references account (id) on delete restrict,
    constraint subscription_price foreign key (price_id) references price (id) on delete restrict,
    constraint subscription_status check (status in ('trialing', 'active', 'past_due', 'paused', 'incomplete', 'ended')),
    constraint subscription_tier check (tier in ('pro', 'enterprise') and next_tier in ('pro', 'enterprise')),
    constraint subscription_interval check (interval in ('month', 'year')),
    constraint subscription_seats check (seats between 1 and 10000 and next_seats between 1 and 10000),
    constraint subscription_next check ((next_tier is null) = (next_seats is null)),
    constraint subscription_ended check ((status = 'ended') = (ended_at is not null)),
    constraint subscription_dunning check (dunning_stage between 0 and 9)
);
create index subscription_of_account on subscription (account_id, created_at desc);
create index subscription_due on subscription (past_due_since) where past_due_since is not null;
create index subscription_running on subscription (id) where status <> 'ended';

-- One row a charge that succeeded.
create table payment (
    id uuid not null,
    customer_id uuid not null,
    account_id uuid,
    order_id uuid,
    subscription_id uuid,
    charge_id text not null,
    payment_intent_id text,
    stripe_invoice_id text,
    amount bigint not null,
    currency text not null,
    fee bigint not null,
    fee_currency text not null,
    -- Refunds that have not failed, requested ones included: what may not be refunded again.
    refunded bigint not null,
    description text not null,
    paid_at timestamptz not null,
    recorded_at timestamptz not null,
    constraint payment_pkey primary key (id),
    constraint payment_charge unique (charge_id),
    constraint payment_customer foreign key (customer_id) references billing_customer (id) on delete restrict,
    constraint payment_account foreign key (account_id) references account (id) on delete restrict,
    constraint payment_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint payment_subscription foreign key (subscription_id) references subscription (id) on delete restrict,
    constraint payment_currency check (currency in ('usd', 'eur', 'gbp', 'jpy')),
    constraint payment_amount check (amount > 0),
    constraint payment_refunded check (refunded between 0 and amount),
    constraint payment_for check (order_id is not null or subscription_id is not null)
);
create index payment_of_account on payment (account_id, paid_at desc);
create index payment_of_order on payment (order_id);
create index payment_of_subscription on payment (subscription_id, paid_at desc);
create index payment_intent on payment (payment_intent_id);
