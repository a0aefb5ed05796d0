//! Types that travel between database, server and browser: ids, enums, requests, answers, problem codes.
//!
//! What always holds: this module compiles for `wasm32-unknown-unknown` without features. It does no I/O,
//! knows no clock, and depends on nothing else of ours.

pub mod account;
pub mod country;
pub mod id;
pub mod knowledge;
pub mod license;
pub mod license_key;
pub mod list;
pub mod money;
pub mod payment;
pub mod problem;
pub mod search;
