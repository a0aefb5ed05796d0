-- Licenses are looked after by order: what goes on from one is found by it.
create index subscription_of_order on subscription (order_id) where order_id is not null;
