//! Somebody's licenses: the list of them, and for each the machines it is on, its key, and what can be done with it.
//!
//! What always holds: the pages show only what is one's own, also to staff; a key stands only in the page that answers
//! the form which asked for it, and in no address.

mod actions;
mod detail;
mod list;
mod machines;
mod notices;
mod offers;
mod view;

use devforge::{
    api::error::ApiError,
    context::Context,
    contract::{id::LicenseId, payment::SubscriptionStatus},
    license::{self, License},
};

pub use self::{
    actions::{machine_file, remove_machine, rename_machine, reveal, rotate, split, transfer},
    detail::license_page,
    list::{begin_trial, licenses_page},
};
use crate::pages::shell::Visit;

pub const PATH: &str = "/account/licenses";

pub fn path(id: LicenseId) -> String {
    format!("{PATH}/{id}")
}

/// A license of who is here. Staff sees those of others in the administration.
async fn own(ctx: &Context, visit: &Visit, id: LicenseId) -> Result<License, ApiError> {
    let license = license::find(ctx, &visit.caller, id).await?;
    if license.account.is_some() && license.account == visit.caller.user().map(|user| user.id) {
        Ok(license)
    } else {
        Err(ApiError::not_found())
    }
}

/// Whether it goes where its subscription goes.
fn runs(paid_by: Option<SubscriptionStatus>) -> bool {
    paid_by.is_some_and(|status| status != SubscriptionStatus::Ended)
}
