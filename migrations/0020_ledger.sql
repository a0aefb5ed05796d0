-- The books, in double entry: a transaction's entries add up to nothing in each currency, and nothing is ever changed
-- or taken out. What was wrong is put right by a transaction the other way round.

create table ledger_transaction (
    id uuid not null,
    kind text not null,
    -- What it records, by the provider's id: the same thing is recorded once.
    reference text not null,
    description text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    account_id uuid,
    order_id uuid,
    payment_id uuid,
    subscription_id uuid,
    constraint ledger_transaction_pkey primary key (id),
    constraint ledger_transaction_reference unique (reference),
    constraint ledger_transaction_kind check (kind in ('charge', 'fee', 'refund', 'refund_failed', 'dispute',
        'dispute_fee', 'dispute_won', 'share', 'payout', 'correction')),
    constraint ledger_transaction_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint ledger_transaction_payment foreign key (payment_id) references payment (id) on delete restrict,
    constraint ledger_transaction_subscription foreign key (subscription_id) references subscription (id) on delete restrict
);
create index ledger_transaction_time on ledger_transaction (occurred_at desc, id desc);
create index ledger_transaction_order on ledger_transaction (order_id) where order_id is not null;
create index ledger_transaction_payment on ledger_transaction (payment_id) where payment_id is not null;

create table ledger_entry (
    transaction_id uuid not null,
    position smallint not null,
    -- Positive is a debit. Assets and expenses grow with debits, income and debts with credits.
    account text not null,
    amount bigint not null,
    currency text not null,
    -- Of tax: whose it is.
    country text,
    -- Of an author's balance: whose it is.
    owner_id uuid,
    constraint ledger_entry_pkey primary key (transaction_id, position),
    constraint ledger_entry_transaction foreign key (transaction_id) references ledger_transaction (id) on delete restrict,
    constraint ledger_entry_account check (account in ('stripe_balance', 'bank', 'revenue', 'tax_payable', 'fees',
        'dispute_losses', 'author_payable')),
    constraint ledger_entry_amount check (amount <> 0),
    constraint ledger_entry_currency check (currency ~ '^[a-z]{3}$'),
    constraint ledger_entry_country check ((account = 'tax_payable') = (country is not null)),
    constraint ledger_entry_owner check ((account = 'author_payable') = (owner_id is not null))
);
create index ledger_entry_account on ledger_entry (account, currency);

-- Asked at the end of the database transaction, when all entries are there.
create function ledger_balances() returns trigger language plpgsql as $$
declare
    broken record;
    entries bigint;
    -- A transaction calls it `id`, an entry `transaction_id`.
    moved uuid := coalesce(to_jsonb(new) ->> 'transaction_id', to_jsonb(new) ->> 'id')::uuid;
begin
    select currency, sum(amount) as total into broken
    from ledger_entry where transaction_id = moved group by currency having sum(amount) <> 0 limit 1;
    if found then
        raise exception 'ledger transaction % is off by % %', moved, broken.total, broken.currency
            using errcode = 'check_violation', constraint = 'ledger_balances';
    end if;
    select count(*) into entries from ledger_entry where transaction_id = moved;
    if entries < 2 then
        raise exception 'ledger transaction % has % entries', moved, entries
            using errcode = 'check_violation', constraint = 'ledger_balances';
    end if;
    return null;
end
$$;
create constraint trigger ledger_transaction_balances after insert on ledger_transaction
    deferrable initially deferred for each row execute function ledger_balances();
create constraint trigger ledger_entry_balances after insert on ledger_entry
    deferrable initially deferred for each row execute function ledger_balances();

create trigger ledger_transaction_no_change before update or delete on ledger_transaction
    for each row execute function refuse_change();
create trigger ledger_transaction_no_truncate before truncate on ledger_transaction
    for each statement execute function refuse_change();
create trigger ledger_entry_no_change before update or delete on ledger_entry
    for each row execute function refuse_change();
create trigger ledger_entry_no_truncate before truncate on ledger_entry
    for each statement execute function refuse_change();
