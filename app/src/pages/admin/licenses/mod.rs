//! Licenses for staff: finding one, all that stands about it and what can be done about it, giving new ones, and the
//! versions of the editor that old ones cover.
//!
//! What always holds: a key is typed into a form that is posted and is in no address; the keys of new licenses are in the
//! answer to the form that made them and nowhere else; who takes something away says why.

mod actions;
mod detail;
mod generate;
mod generate_view;
mod history;
mod list;
mod parts;
mod versions;

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::Permission,
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    context::Context,
    contract::{
        id::{LicenseId, MachineId},
        license::{LicenseOrigin, LicenseStatus},
    },
    license::{
        self, Error, life, machine,
        staff::{self, Filter, MAX_SEARCH_CHARS, may_be_key},
    },
};
use serde::Deserialize;

pub(super) use self::parts::license_rows;
use self::{
    actions::{Typed, Verb},
    detail::{Found, detail},
    list::{Asked, licenses},
};
pub use self::{
    generate::{give_licenses, new_license_page, new_licenses_csv},
    versions::{announce_version, versions_page},
};
use super::{
    DoneQuery,
    frame::{Here, Section, Viewer, frame},
};
use crate::pages::{
    forms::{Mistakes, license_mistakes},
    shell::{Page, Visit},
};

const PATH: &str = "/admin/licenses";

/// All as text: what is no state, origin or id narrows nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LicensesQuery {
    q: String,
    status: String,
    origin: String,
    before: String,
}

pub async fn licenses_page(
    State(ctx): State<Context>,
    Query(query): Query<LicensesQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    // PostgreSQL takes no NUL, and no address holds a control character.
    let search: String = query.q.chars().filter(|c| !c.is_control()).take(MAX_SEARCH_CHARS).collect();
    // A key that was typed into the wrong field is not searched for, and does not stand on the page.
    let was_key = may_be_key(&search);
    let filter = Filter {
        search: if was_key { String::new() } else { search.trim().to_owned() },
        status: LicenseStatus::parse(&query.status),
        origin: LicenseOrigin::parse(&query.origin),
        before: query.before.parse().ok(),
    };
    let asked = Asked {
        q: filter.search.clone(),
        status: filter.status,
        origin: filter.origin,
        further_down: filter.before.is_some(),
    };
    if was_key {
        let wrong = at_key("A key is looked up here, so that it is in no address.");
        return show_list(&ctx, visit, &filter, asked, wrong).await;
    }
    show_list(&ctx, visit, &filter, asked, Mistakes::default()).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct KeyForm {
    key: String,
}

/// To the license that a key is of.
pub async fn find_license(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<KeyForm>,
) -> Result<Response, ApiError> {
    let wrong = match staff::by_key(&ctx, &visit.caller, &form.key).await {
        Ok(found) => {
            let done = if found.replaced { "?done=replaced" } else { "" };
            return Ok(Redirect::to(&format!("{PATH}/{}{done}", found.license)).into_response());
        }
        Err(Error::NotFound) => at_key("No license has this key, and none had it."),
        Err(error) => license_mistakes(error)?.1,
    };
    show_list(&ctx, visit, &Filter::default(), Asked::default(), wrong).await
}

fn at_key(message: &str) -> Mistakes {
    let mut wrong = Mistakes::default();
    wrong.add("key", message);
    wrong
}

async fn show_list(
    ctx: &Context,
    mut visit: Visit,
    filter: &Filter,
    asked: Asked,
    wrong: Mistakes,
) -> Result<Response, ApiError> {
    let found = staff::list(ctx, &visit.caller, filter).await?;
    let viewer = Viewer::of(ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let status = if wrong.is_empty() {
        StatusCode::OK
    } else {
        // What was typed must not be in what the frame comes back to, and a form's address cannot be.
        PATH.clone_into(&mut visit.path);
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = Page::new("All licenses", "Who has a license, and how it stands.", move || {
        frame(Here::Page(Section::Licenses), viewer, licenses(&found, &asked, &wrong, viewer, now))
    });
    Ok(page.status(status).render(&visit))
}

pub async fn license_page(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    show(&ctx, visit, id, StatusCode::OK, answer).await
}

/// What was done: a tone, what it is, and what follows from it.
type Done = (&'static str, &'static str, &'static str);

/// What a redirect says was done. The word itself is never shown.
fn done(word: &str) -> Option<Done> {
    Some(match word {
        "replaced" => {
            ("warn", "The key you typed was replaced", "This is its license. The editor refuses the old key.")
        }
        "suspend" => (
            "ok",
            "The license is held back",
            "The editor hears of it when it next asks. Its owner gets a mail.",
        ),
        "reinstate" => (
            "ok",
            "What we did is lifted",
            "A refund, a dispute or a paused subscription still counts; how it stands is said below.",
        ),
        "renew" => ("ok", "The license is prolonged", "The editor hears of it when it next asks."),
        "rotate" => ("ok", "The key is replaced", "Its owner has the new one by mail. The machines stay."),
        "transfer" => (
            "ok",
            "The license has a new owner",
            "They have a new key by mail, the old one is refused, and every machine was taken off.",
        ),
        "revoke" => ("ok", "The license is taken away", "The editor hears of it when it next asks."),
        "machine" => ("ok", "The machine is taken off", "There is room for another one."),
        _ => return None,
    })
}

pub async fn suspend_license(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    act(&ctx, visit, id, Verb::Suspend, typed).await
}

pub async fn reinstate_license(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    act(&ctx, visit, id, Verb::Reinstate, typed).await
}

pub async fn renew_license(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    act(&ctx, visit, id, Verb::Renew, typed).await
}

pub async fn rotate_license(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    act(&ctx, visit, id, Verb::Rotate, typed).await
}

pub async fn transfer_license(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    act(&ctx, visit, id, Verb::Transfer, typed).await
}

pub async fn revoke_license(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    act(&ctx, visit, id, Verb::Revoke, typed).await
}

pub async fn remove_machine(
    State(ctx): State<Context>,
    Path((id, machine)): Path<(LicenseId, MachineId)>,
    visit: Visit,
) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::LicensesManage)?;
    match Box::pin(machine::remove(&ctx, &visit.caller, id, machine)).await {
        Ok(()) => Ok(Redirect::to(&format!("{PATH}/{id}?done=machine")).into_response()),
        Err(error) => {
            let (status, wrong) = license_mistakes(error)?;
            show(&ctx, visit, id, status, Answer { wrong, ..Answer::default() }).await
        }
    }
}

/// Does it and goes back to the license, or shows the license again with what went wrong.
async fn act(
    ctx: &Context,
    visit: Visit,
    id: LicenseId,
    verb: Verb,
    typed: Typed,
) -> Result<Response, ApiError> {
    visit.caller.require(ctx, verb.permission())?;
    // A license that is not there has no mistakes in its form.
    license::find(ctx, &visit.caller, id).await?;
    let (status, wrong) = match typed.read(verb) {
        Ok(request) => {
            let (caller, reason) = (&visit.caller, typed.reason.trim());
            let outcome = match verb {
                Verb::Suspend => Box::pin(life::suspend(ctx, caller, id, reason)).await.map(drop),
                Verb::Reinstate => Box::pin(life::reinstate(ctx, caller, id, reason)).await.map(drop),
                Verb::Renew => Box::pin(life::renew(ctx, caller, id, &request)).await.map(drop),
                // The new key is its owner's to see.
                Verb::Rotate => Box::pin(life::rotate(ctx, caller, id)).await.map(drop),
                Verb::Transfer => Box::pin(life::transfer(ctx, caller, id, &typed.email)).await.map(drop),
                Verb::Revoke => Box::pin(life::revoke(ctx, caller, id, reason)).await.map(drop),
            };
            match outcome {
                Ok(()) => {
                    let word = verb.word();
                    return Ok(Redirect::to(&format!("{PATH}/{id}?done={word}")).into_response());
                }
                Err(error) => license_mistakes(error)?,
            }
        }
        Err(wrong) => (StatusCode::UNPROCESSABLE_ENTITY, wrong),
    };
    let answer = Answer { done: None, wrong, tried: Some((verb, typed)) };
    show(ctx, visit, id, status, answer).await
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    done: Option<Done>,
    wrong: Mistakes,
    tried: Option<(Verb, Typed)>,
}

async fn show(
    ctx: &Context,
    mut visit: Visit,
    id: LicenseId,
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    // Whose license it is may see it elsewhere; here is what staff sees.
    visit.caller.require(ctx, Permission::LicensesFind)?;
    let caller = &visit.caller;
    let license = license::find(ctx, caller, id).await?;
    let now = ctx.clock.now();
    let tiers = ctx.licenses.tiers(ctx).await;
    let found = Found {
        machines: machine::list(ctx, caller, id).await?,
        history: staff::history(ctx, caller, id).await?,
        features: tiers.of(license.tier, &license.extra_features, now),
        license,
        now,
    };
    let viewer = Viewer::of(ctx, caller)?;
    let Answer { done, wrong, tried } = answer;
    let title = format!("License of {}", parts::whose(&found.license));
    let page = Page::new(title, "One license, and all that stands about it.", move || {
        let content = detail(&found, viewer, done, &wrong, tried.as_ref());
        frame(Here::Below(Section::Licenses), viewer, content)
    });
    // The address of a form cannot be come back to.
    visit.path = format!("{PATH}/{id}");
    Ok(page.status(status).render(&visit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_our_own_are_answered() {
        for verb in Verb::ALL {
            assert!(done(verb.word()).is_some(), "{verb:?}");
        }
        assert_eq!(done("<script>"), None);
        assert_eq!(done(""), None);
    }
}
