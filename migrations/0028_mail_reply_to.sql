-- Whom an answer to a mail goes to, where that is not the sender: who wrote to us through the site. It goes when the
-- bodies go, and with the account of whoever reads that address.
alter table mail_message add column reply_to text;
create index mail_message_reply_to on mail_message (lower(reply_to)) where reply_to is not null;
