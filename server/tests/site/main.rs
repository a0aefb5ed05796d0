//! The whole site over real HTTP on a real PostgreSQL, as a browser without JavaScript or a program sees it.
//! `cargo xtask test rust` builds the site's files, starts a database and names it in `DATABASE_URL`.

mod admin_licenses;
mod caching;
mod checkout;
mod company;
mod docs;
mod errors;
mod features;
mod gate;
mod head;
mod licenses;
mod licenses_http;
mod limits;
mod money;
mod operations;
mod origins;
mod outage;
mod pages;
mod programmed;
mod publishing;
mod roles;
mod search;
mod sign_in;
mod support;
mod support_pages;
mod theme;

#[path = "../../../src/tests/database_support.rs"]
mod database_support;
#[path = "../../../src/tests/eventually.rs"]
mod eventually;
