//! What the domain does on a real PostgreSQL. `cargo xtask test rust` starts one and names it in `DATABASE_URL`.

mod account;
mod api;
mod audit;
mod database;
mod database_support;
mod eventually;
mod jobs;
mod mail;
mod outbox;
mod rate_limit;
mod search;
mod session;
mod support;
