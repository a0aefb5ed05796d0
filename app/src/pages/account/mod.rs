//! The pages of somebody's own account. Each file holds one page or one part of a page: its handlers and its view.
//!
//! What always holds: every form works without script; a mistake comes back as the same page with 422 and what was
//! typed, never a password; success is a redirect, except where something is shown that is shown only once.

mod billing;
mod delete;
mod home;
mod layout;
mod licenses;
mod passkeys;
mod privacy;
mod profile;
mod security;
mod sessions;
mod tokens;
mod tokens_view;
mod two_factor;

pub use self::{
    billing::{
        ask_for_refund, billing_page, cancel_subscription, change_subscription, open_portal, order_page,
        resume_subscription, state_of, subscription_page,
    },
    delete::{delete, delete_page, keep},
    home::{home_page, verify_again},
    licenses::{
        begin_trial, license_page, licenses_page, machine_file, remove_machine, rename_machine, reveal,
        rotate, split, transfer,
    },
    passkeys::{add_passkey, passkey_options, remove_passkey},
    privacy::{choices, export, export_download, privacy_page},
    profile::{cancel_email, change_email, profile, profile_page},
    security::{change_password, security_page},
    sessions::{end_other_sessions, end_session},
    tokens::{create_token, revoke_token, tokens_page},
    two_factor::{begin_two_factor, disable_two_factor, enable_two_factor, recovery_codes, two_factor_page},
};
