//! The administration: staff find people and see what stands about them, administrators change it and read the
//! audit log. Every list has its filters in its address; every form works without script.

mod actions;
mod address;
mod audit_log;
mod banner;
mod catalogue;
mod entries;
pub mod finance;
mod frame;
mod knowledge;
mod licenses;
mod orders;
mod people;
mod person;
mod proof;
mod reconcile;
mod refunds;
mod search;
mod webhooks;

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{
        Error,
        administration::{self, AccountState, Filter},
    },
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    context::Context,
    contract::{account::Role, id::UserId, problem::FieldProblem},
    license::staff,
    session,
};
use serde::Deserialize;

use self::{
    actions::Tried,
    frame::{Here, Section, Viewer, frame},
    people::Asked,
    person::Answer,
};
pub use self::{
    audit_log::{audit, check_audit},
    banner::viewing_banner,
    catalogue::{
        catalogue_page, coupons_page, describe_tier, make_coupon, price_page, set_price, withdraw_coupon,
        withdraw_price,
    },
    knowledge::{
        article_page, articles_page, new_article_page, rewrite_article, set_article_status, write_article,
    },
    licenses::{
        announce_version, find_license, give_licenses, license_page, licenses_page, new_license_page,
        new_licenses_csv, reinstate_license, remove_machine, renew_license, revoke_license, rotate_license,
        suspend_license, transfer_license, versions_page,
    },
    orders::{order_page, orders_page, refund_order},
    reconcile::{reconcile, reconcile_now},
    refunds::{decide_refund, refunds_page},
    search::search_asked_page,
    webhooks::{replay_webhook, webhook_page, webhooks_page},
};
use super::{
    forms::mistakes,
    shell::{Page, Visit},
};

pub async fn index() -> Redirect {
    Redirect::to("/admin/users")
}

/// All as text: what is no role, state or number narrows nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PeopleQuery {
    q: String,
    role: String,
    state: String,
    page: String,
}

pub async fn users(
    State(ctx): State<Context>,
    Query(query): Query<PeopleQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let filter = Filter {
        role: Role::parse(&query.role),
        state: AccountState::parse(&query.state),
        page: query.page.parse().unwrap_or(1),
        q: query.q,
    };
    let people = administration::list(&ctx, &visit.caller, &filter).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let asked = Asked { q: filter.q, role: filter.role, state: filter.state };
    let page = Page::new("People", "Everyone who has an account.", move || {
        frame(Here::Page(Section::People), viewer, people::people(people, &asked, now))
    });
    Ok(page.render(&visit))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DoneQuery {
    done: String,
}

pub async fn user(
    State(ctx): State<Context>,
    Path(id): Path<UserId>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    person_page(&ctx, &visit, id, StatusCode::OK, answer).await
}

/// What a redirect says was done, and what follows from it. The word itself is never shown.
fn done(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "role" => ("The role was changed", "It counts from their next request."),
        "locked" => ("The account is locked", "Every session of theirs was ended."),
        "unlocked" => ("The account is open again", "They can sign in as before."),
        "signed-out" => ("They are signed out everywhere", "Their personal tokens keep working."),
        _ => return None,
    })
}

async fn person_page(
    ctx: &Context,
    visit: &Visit,
    id: UserId,
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    let found = administration::person(ctx, &visit.caller, id).await?;
    let licenses = staff::of_account(ctx, &visit.caller, id).await?;
    let viewer = Viewer::of(ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let title = found.user.name.clone();
    let page = Page::new(title, "One person's account, as staff see it.", move || {
        frame(Here::Below(Section::People), viewer, person::person(found, &licenses, viewer, &answer, now))
    });
    Ok(page.status(status).render(visit))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RoleForm {
    role: String,
}

pub async fn set_role(
    State(ctx): State<Context>,
    Path(id): Path<UserId>,
    visit: Visit,
    Form(form): Form<RoleForm>,
) -> Result<Response, ApiError> {
    let outcome = match Role::parse(&form.role) {
        Some(role) => administration::set_role(&ctx, &visit.caller, id, role).await,
        None => Err(Error::Invalid(vec![FieldProblem {
            field: "role".to_owned(),
            code: "invalid".to_owned(),
            message: "Choose one of the roles.".to_owned(),
        }])),
    };
    answer(&ctx, &visit, id, outcome, "role", Tried::Role(form.role)).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LockForm {
    reason: String,
}

pub async fn lock(
    State(ctx): State<Context>,
    Path(id): Path<UserId>,
    visit: Visit,
    Form(form): Form<LockForm>,
) -> Result<Response, ApiError> {
    let outcome = administration::lock(&ctx, &visit.caller, id, &form.reason).await;
    answer(&ctx, &visit, id, outcome, "locked", Tried::Lock { reason: form.reason }).await
}

pub async fn unlock(
    State(ctx): State<Context>,
    Path(id): Path<UserId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let outcome = administration::unlock(&ctx, &visit.caller, id).await;
    answer(&ctx, &visit, id, outcome, "unlocked", Tried::Unlock).await
}

pub async fn sign_out(
    State(ctx): State<Context>,
    Path(id): Path<UserId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let outcome = administration::sign_out_everywhere(&ctx, &visit.caller, id).await.map(|_| ());
    answer(&ctx, &visit, id, outcome, "signed-out", Tried::SignOut).await
}

/// Back to the person with what was done, or the page again with what went wrong.
async fn answer(
    ctx: &Context,
    visit: &Visit,
    id: UserId,
    outcome: Result<(), Error>,
    done: &'static str,
    tried: Tried,
) -> Result<Response, ApiError> {
    match outcome {
        Ok(()) => Ok(Redirect::to(&format!("/admin/users/{id}?done={done}")).into_response()),
        Err(error) => {
            let (status, mistakes) = mistakes(error)?;
            let answer = Answer { done: None, mistakes, tried: Some(tried) };
            person_page(ctx, visit, id, status, answer).await
        }
    }
}

/// From here on the administrator sees what the person sees, beginning with their account.
pub async fn view(
    State(ctx): State<Context>,
    Path(id): Path<UserId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    match session::view_as(&ctx, &visit.caller, id).await {
        Ok(()) => Ok(Redirect::to("/account").into_response()),
        failed => answer(&ctx, &visit, id, failed, "", Tried::View).await,
    }
}

/// Back to the page of whom the administrator looked through.
pub async fn stop_viewing(State(ctx): State<Context>, visit: Visit) -> Result<Redirect, ApiError> {
    let viewed = visit.caller.identity().filter(|identity| identity.impersonator().is_some());
    let Some(viewed) = viewed.map(|identity| identity.user.id) else {
        // The time was over, or another tab stopped it.
        return Ok(Redirect::to("/admin/users"));
    };
    session::stop_viewing(&ctx, &visit.caller).await?;
    Ok(Redirect::to(&format!("/admin/users/{viewed}")))
}

#[cfg(test)]
mod tests {
    use super::done;

    #[test]
    fn only_words_of_our_own_are_answered() {
        assert!(done("locked").is_some());
        assert_eq!(done("<script>"), None);
        assert_eq!(done(""), None);
    }
}
