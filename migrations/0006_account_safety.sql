-- What an account needs beyond a name and a password: a proven address, a lock, an end, and choices.
alter table account
    add column email_verified_at timestamptz,
    -- Ends what was begun under the password before: half-done sign-ins, reset links.
    add column password_changed_at timestamptz,
    -- While a code is asked for at sign-in. Kept here, so that who asks for an account needs one row.
    add column two_factor_since timestamptz,
    -- Locked by staff. The reason is for staff; its owner is told to write to support.
    add column locked_at timestamptz,
    add column locked_reason text,
    -- Its owner asked for its end, which comes at `delete_after` unless they sign in and keep it.
    add column delete_after timestamptz,
    -- Anonymized: the row stays, because invoices name it, and says nothing about a person any more.
    add column deleted_at timestamptz,
    -- Nothing is measured and no news are sent before somebody says yes.
    add column analytics_consent_at timestamptz,
    add column product_mail_since timestamptz,
    add constraint account_lock check ((locked_at is null) = (locked_reason is null)),
    add constraint account_locked_reason_length check (length(locked_reason) between 1 and 500);

-- An anonymized account has no password.
alter table account alter column password_hash drop not null;

-- The list of people, newest first.
create index account_created_at on account (created_at desc, id desc);
-- The daily round looks for accounts whose time has come.
create index account_delete_after on account (delete_after) where delete_after is not null and deleted_at is null;
