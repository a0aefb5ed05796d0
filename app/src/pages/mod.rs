//! The site's pages: ordinary axum handlers that load through the domain's verbs and then render a view.

pub mod account;
pub mod activate;
pub mod admin;
pub mod api_reference;
pub mod auth;
pub mod avatar;
pub mod blog;
pub mod changelog;
pub mod checkout;
pub mod chrome;
pub mod company;
pub mod dev;
pub mod docs;
pub mod download;
pub mod enterprise;
pub mod error;
pub mod features;
pub mod feedback;
pub mod feeds;
pub mod forms;
pub mod home;
pub mod invoice;
pub mod license_parts;
pub mod moments;
pub mod og;
pub mod pricing;
pub mod search;
pub mod shell;
pub mod status;
pub mod support;
pub mod text;

mod routes;
mod site_files;

pub use routes::{DEV_ROUTES, ROUTES, error_page, page_above, router};
