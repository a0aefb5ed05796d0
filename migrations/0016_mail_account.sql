-- Whose account a mail is about. Addresses change, and a mail may go to one that never becomes theirs: by this, their
-- archive and the end of their account still reach it. Null for what is about no account, and for older mail.
--
-- No foreign key: the rows of accounts stay for good, and no mail has to wait for whoever holds one.
alter table mail_message add column account_id uuid;
create index mail_message_account on mail_message (account_id, created_at desc) where account_id is not null;
