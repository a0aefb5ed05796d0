//! What the domain does on a real PostgreSQL. `cargo xtask test rust` starts one and names it in `DATABASE_URL`.

mod account;
mod administration;
mod api;
mod api_auth;
mod audit;
mod audit_list;
mod billing;
mod data_export;
mod database;
mod database_support;
mod eventually;
mod jobs;
mod mail;
mod outbox;
mod passkey;
mod personal_token;
mod rate_limit;
mod search;
mod session;
mod shop;
mod sign_in;
mod signing;
mod support;
mod throttle;
mod two_factor;
