-- Invoices, credit notes and their reversals: numbered without gaps in each series, and never changed.

-- Whoever issues a document holds this row until their transaction ends: a number is taken if, and only if, its
-- document is there.
create table document_series (
    code text not null,
    next_number bigint not null,
    constraint document_series_pkey primary key (code),
    constraint document_series_code check (code ~ '^[A-Z]{2}-[0-9]{4}$'),
    constraint document_series_next check (next_number > 0)
);

create table document (
    id uuid not null,
    kind text not null,
    series text not null,
    number_in_series bigint not null,
    number text not null,
    customer_id uuid not null,
    account_id uuid,
    order_id uuid,
    subscription_id uuid,
    payment_id uuid,
    refund_id uuid,
    -- Of a credit note its invoice, of a reversal its credit note.
    corrects_id uuid,
    currency text not null,
    subtotal bigint not null,
    tax bigint not null,
    total bigint not null,
    issued_at timestamptz not null,
    -- All that is printed: seller, buyer, lines, taxes, in the layout's version.
    content jsonb not null,
    constraint document_pkey primary key (id),
    constraint document_number unique (number),
    constraint document_in_series unique (series, number_in_series),
    constraint document_series foreign key (series) references document_series (code) on delete restrict,
    constraint document_customer foreign key (customer_id) references billing_customer (id) on delete restrict,
    constraint document_order foreign key (order_id) references billing_order (id) on delete restrict,
    constraint document_subscription foreign key (subscription_id) references subscription (id) on delete restrict,
    constraint document_payment foreign key (payment_id) references payment (id) on delete restrict,
    constraint document_refund foreign key (refund_id) references refund (id) on delete restrict,
    constraint document_corrects foreign key (corrects_id) references document (id) on delete restrict,
    constraint document_kind check (kind in ('invoice', 'credit_note', 'credit_note_reversal')),
    constraint document_correction check ((kind = 'invoice') = (corrects_id is null and refund_id is null)),
    constraint document_sum check (total = subtotal + tax)
);
-- One invoice a payment, one for an order that cost nothing, and one of each kind a refund.
create unique index document_of_payment on document (payment_id) where kind = 'invoice' and payment_id is not null;
create unique index document_of_free_order on document (order_id) where kind = 'invoice' and payment_id is null;
create unique index document_of_refund on document (refund_id, kind) where refund_id is not null;
create index document_of_account on document (account_id, issued_at desc, id desc);
create index document_of_order on document (order_id);
create index document_corrected on document (corrects_id) where corrects_id is not null;

-- An order of a guest is given to its account later: that one column may go from nothing to somebody.
create function document_only_claimed() returns trigger language plpgsql as $$
begin
    if to_jsonb(old) - 'account_id' = to_jsonb(new) - 'account_id' and old.account_id is null then
        return new;
    end if;
    raise exception 'documents are never changed' using errcode = 'integrity_constraint_violation';
end
$$;
create trigger document_no_update before update on document for each row execute function document_only_claimed();
create trigger document_no_delete before delete on document for each row execute function refuse_change();
create trigger document_no_truncate before truncate on document for each statement execute function refuse_change();
