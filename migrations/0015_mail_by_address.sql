-- What was sent to somebody: for their own archive, and for who helps them.
create index mail_message_to_address on mail_message (lower(to_address), created_at desc);
