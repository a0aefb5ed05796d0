//! What Dev Forge knows and does: the domain and its JSON API.
//!
//! `contract` is always compiled and safe for the browser. Everything else needs the feature `server`,
//! and this file is the only place in the crate that says so.

pub mod contract;

#[cfg(feature = "server")]
pub mod account;
#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
pub mod audit;
#[cfg(feature = "server")]
pub mod billing;
#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod contact;
#[cfg(feature = "server")]
pub mod content;
#[cfg(feature = "server")]
pub mod context;
#[cfg(feature = "server")]
pub mod crypto;
#[cfg(feature = "server")]
pub mod db;
#[cfg(feature = "server")]
pub mod idempotency;
#[cfg(feature = "server")]
pub mod integration;
#[cfg(feature = "server")]
pub mod jobs;
#[cfg(feature = "server")]
pub mod license;
#[cfg(feature = "server")]
pub mod mail;
#[cfg(feature = "server")]
pub mod outbox;
#[cfg(feature = "server")]
pub mod random;
#[cfg(feature = "server")]
pub mod rate_limit;
#[cfg(feature = "server")]
pub mod search;
#[cfg(feature = "server")]
pub mod seed;
#[cfg(feature = "server")]
pub mod session;
#[cfg(feature = "server")]
pub mod signing;
#[cfg(feature = "server")]
pub mod storage;
#[cfg(feature = "server")]
pub mod support;
