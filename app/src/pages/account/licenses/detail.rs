//! One license: what is loaded for its page, whatever brought somebody there.

use axum::{extract::State, http::StatusCode, response::Response};
use devforge::{
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    context::Context,
    contract::{
        id::{LicenseId, MachineId},
        license_key::LicenseKey,
    },
    license::{issue::Issued, machine, paid_by},
};

use super::{
    own, path,
    view::{Shown, license_view},
};
use crate::pages::{
    account::layout::{Done, DoneQuery, ProofFirst, back_at},
    forms::Mistakes,
    license_parts::{form_token, support_address, title, turned_on},
    shell::{Page, Visit},
};

/// What a redirect says was done. The word itself is never shown.
fn done(word: &str) -> Option<Done> {
    Some(match word {
        "trial" => (
            "Your trial has begun",
            "Pro is on for 14 days, on up to three machines. The key is in your mail.",
        ),
        "renamed" => ("The machine has its new name", "It is called that wherever your licenses are shown."),
        "removed" => (
            "The machine was removed",
            "Its place is free. It switches to the free tier the next time it checks.",
        ),
        _ => return None,
    })
}

/// A form of the page that was sent and comes back open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    Rename(MachineId),
    Transfer,
    Split,
    File,
}

/// What a request adds to the page.
#[derive(Default)]
pub struct Answer {
    pub done: Option<Done>,
    pub wrong: Mistakes,
    /// Shown on this page and on none after it.
    pub key: Option<LicenseKey>,
    pub split: Vec<Issued>,
    pub tried: Option<Tried>,
    pub typed: String,
}

pub async fn license_page(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    show(&ctx, &visit, id, StatusCode::OK, answer).await
}

pub async fn show(
    ctx: &Context,
    visit: &Visit,
    id: LicenseId,
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    let license = own(ctx, visit, id).await?;
    let machines = machine::list(ctx, &visit.caller, id).await?;
    let tiers = ctx.licenses.tiers(ctx).await;
    let wire = license.shown(ctx, &tiers);
    let shown = Shown {
        features: turned_on(ctx, &wire).await?,
        paid_by: paid_by(ctx, &visit.caller, &license).await?,
        token: form_token(ctx),
        wire,
        license,
        machines,
        proof: ProofFirst::asked(ctx, visit, path(id)),
        support: support_address(ctx),
        answer,
        now: ctx.clock.now(),
    };
    let page = Page::new(
        title(shown.license.tier),
        "A license: its machines, its key, and when it ends.",
        move || license_view(shown),
    );
    Ok(page.status(status).render(&back_at(visit, &path(id))))
}
