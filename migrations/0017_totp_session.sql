-- While a secret is being set up, it is shown and confirmed only in the session that began it: whoever else is in the
-- account neither learns it nor has it confirmed by its owner.
--
-- No foreign key: the secret outlives the session once it is confirmed, and the id of an ended one never comes back.
alter table totp add column session_id uuid;
