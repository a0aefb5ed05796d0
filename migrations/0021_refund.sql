-- Money that goes back, by our decision or by a bank's.

create table refund (
    id uuid not null,
    payment_id uuid not null,
    order_id uuid,
    amount bigint not null,
    -- The part of it that is tax, and to whom it was owed: what the credit note says.
    tax bigint not null,
    currency text not null,
    reason text not null,
    -- What becomes of the license, decided when the refund was.
    consequence text not null,
    status text not null,
    stripe_id text,
    failure text,
    -- None when it was made at the provider's own site.
    requested_by uuid,
    -- Compared when a form or a request comes twice.
    request_key text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint refund_pkey primary key (id),
    constraint refund_payment foreign key (payment_id) references payment (id) on delete restrict,
    constraint refund_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint refund_requested_by foreign key (requested_by) references account (id) on delete restrict,
    constraint refund_amount check (amount > 0 and tax between 0 and amount),
    constraint refund_reason check (length(reason) between 1 and 500),
    constraint refund_consequence check (consequence in ('keep', 'revoke')),
    constraint refund_status check (status in ('requested', 'pending', 'succeeded', 'failed', 'canceled'))
);
create unique index refund_stripe on refund (stripe_id) where stripe_id is not null;
create unique index refund_request_key on refund (request_key) where request_key is not null;
create index refund_of_payment on refund (payment_id, created_at);
create index refund_of_order on refund (order_id) where order_id is not null;

-- A customer asks; staff decides.
create table refund_request (
    id uuid not null,
    order_id uuid not null,
    account_id uuid not null,
    message text not null,
    status text not null,
    answer text,
    decided_by uuid,
    created_at timestamptz not null,
    decided_at timestamptz,
    constraint refund_request_pkey primary key (id),
    constraint refund_request_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint refund_request_account foreign key (account_id) references account (id) on delete restrict,
    constraint refund_request_decided_by foreign key (decided_by) references account (id) on delete restrict,
    constraint refund_request_message check (length(message) between 1 and 2000 and length(answer) <= 2000),
    constraint refund_request_status check (status in ('open', 'accepted', 'declined')),
    constraint refund_request_decision check ((status = 'open') = (decided_at is null))
);
create unique index refund_request_open on refund_request (order_id) where status = 'open';
create index refund_request_waiting on refund_request (created_at) where status = 'open';

create table dispute (
    id uuid not null,
    payment_id uuid not null,
    order_id uuid,
    stripe_id text not null,
    amount bigint not null,
    currency text not null,
    fee bigint not null,
    reason text not null,
    status text not null,
    evidence_due_by timestamptz,
    opened_at timestamptz not null,
    updated_at timestamptz not null,
    synced_at timestamptz not null,
    constraint dispute_pkey primary key (id),
    constraint dispute_stripe unique (stripe_id),
    constraint dispute_payment foreign key (payment_id) references payment (id) on delete restrict,
    constraint dispute_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint dispute_status check (status in ('needs_response', 'under_review', 'won', 'lost')),
    constraint dispute_amount check (amount > 0 and fee >= 0)
);
create index dispute_of_payment on dispute (payment_id);
