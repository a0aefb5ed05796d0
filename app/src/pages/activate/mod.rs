//! Where a license meets the editor: somebody types a key, or picks one of their licenses, and goes on to the editor
//! with it.
//!
//! What always holds: a key is in the body of a form and in the page that answers it, which is stored nowhere; it is in
//! no address of ours and in no redirect. Nothing is taken up here: a machine comes when its editor activates.

mod ready;
mod view;
mod words;

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{Client, Denied, Permission},
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::{
        id::LicenseId,
        license::{ActivateRequest, License, LicenseCode},
        license_key::LicenseKey,
    },
    license::{
        self,
        rules::{self, Machine, Version},
    },
};

use self::{
    ready::{Ready, ready},
    view::{Shown, form},
};
use super::{
    forms::{Mistakes, license_mistakes},
    license_parts::{support_address, turned_on},
    shell::{Page, Visit},
};

const PATH: &str = "/activate";
/// What the editor adds when it sends somebody here.
const EDITOR: (&str, &str) = ("app", "electron");
/// The most licenses that are looked at for those to pick from.
const LOOKED_AT: i64 = 50;
/// As many characters of what was typed come back as any way to write a key has.
const MAX_TYPED: usize = 200;

/// What was typed or picked, to be shown again when something in it is wrong.
#[derive(Default)]
struct Typed {
    key: String,
    email: String,
    /// The id of a license that was picked in the place of a key.
    license: String,
    from_editor: bool,
}

impl Typed {
    fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (field, value) in pairs {
            match field.as_str() {
                "licenseKey" => typed.key = value,
                "email" => typed.email = value,
                "license" => typed.license = value,
                _ => typed.from_editor |= (field.as_str(), value.as_str()) == EDITOR,
            }
        }
        typed
    }

    /// This page, as whoever is here came to it.
    fn address(&self) -> &'static str {
        address(self.from_editor)
    }
}

const fn address(from_editor: bool) -> &'static str {
    if from_editor { "/activate?app=electron" } else { PATH }
}

pub async fn activate_page(
    State(ctx): State<Context>,
    Query(query): Query<Vec<(String, String)>>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let is_editors = |(name, value): &(String, String)| (name.as_str(), value.as_str()) == EDITOR;
    let from_editor = query.iter().any(is_editors);
    // Whatever else stands in the address may be a key, so it is taken out of it.
    if query.len() > usize::from(from_editor) {
        return Ok(Redirect::to(address(from_editor)).into_response());
    }
    let email = visit.caller.user().map(|user| user.email.clone()).unwrap_or_default();
    show(&ctx, visit, Answer { typed: Typed { email, from_editor, ..Typed::default() }, ..Answer::default() })
        .await
}

pub async fn activate(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let typed = Typed::from_pairs(pairs);
    if typed.license.is_empty() {
        by_key(&ctx, &client, visit, typed).await
    } else {
        picked(&ctx, visit, typed).await
    }
}

async fn by_key(ctx: &Context, client: &Client, visit: Visit, typed: Typed) -> Result<Response, ApiError> {
    let mut wrong = Mistakes::default();
    if typed.key.trim().is_empty() {
        wrong.add("licenseKey", "Enter the key. It is in the mail that came with the license.");
    }
    if typed.email.trim().is_empty() {
        wrong.add("email", "Enter the mail address that the license is for.");
    }
    if !wrong.is_empty() {
        let answer = Answer { status: StatusCode::UNPROCESSABLE_ENTITY, wrong, typed, refused: None };
        return show(ctx, visit, answer).await;
    }
    let request = ActivateRequest {
        license_key: typed.key.clone(),
        email: typed.email.clone(),
        fingerprint: None,
        machine_name: None,
        platform: None,
        product: None,
        version: None,
        nonce: None,
    };
    let activation = match Box::pin(license::machine::activate(ctx, client, &request)).await {
        Ok(activation) => activation,
        Err(error) => {
            let (status, wrong) = license_mistakes(error)?;
            return show(ctx, visit, Answer { status, wrong, typed, refused: None }).await;
        }
    };
    match (LicenseKey::parse(&typed.key), activation.license) {
        (Ok(key), Some(license)) => {
            let email = typed.email.trim().to_owned();
            let owner = is_own(ctx, &visit, license.id).await?;
            show_ready(ctx, visit, license, Found { key: Some(key), email, owner, typed }).await
        }
        _ => refuse(ctx, visit, typed, activation.code).await,
    }
}

async fn picked(ctx: &Context, visit: Visit, typed: Typed) -> Result<Response, ApiError> {
    let Ok(id) = typed.license.parse::<LicenseId>() else {
        let mut wrong = Mistakes::default();
        wrong.add("license", "Pick one of your licenses.");
        let answer = Answer { status: StatusCode::UNPROCESSABLE_ENTITY, wrong, typed, refused: None };
        return show(ctx, visit, answer).await;
    };
    let found = license::find(ctx, &visit.caller, id).await?;
    // Staff may see anybody's licenses, and opens none of them here.
    if found.account.is_none() || found.account != visit.caller.user().map(|user| user.id) {
        return Err(ApiError::not_found());
    }
    let code = rules::gate(&found.standing(), Machine::Any, Version::Unnamed, ctx.clock.now());
    if !code.is_valid() {
        return refuse(ctx, visit, typed, code).await;
    }
    let key = match license::life::reveal(ctx, &visit.caller, id).await {
        Ok(key) => Some(key),
        // The page says so, and leads to the proof: what was picked is not lost on the way.
        Err(license::Error::Denied(Denied::NotFresh)) => None,
        Err(error) => return Err(error.into()),
    };
    let tiers = ctx.licenses.tiers(ctx).await;
    let shown = found.shown(ctx, &tiers);
    show_ready(ctx, visit, shown, Found { key, email: found.email, owner: true, typed }).await
}

/// Whether whoever is here may see this license in their account.
async fn is_own(ctx: &Context, visit: &Visit, id: LicenseId) -> Result<bool, ApiError> {
    let owner = visit.caller.user().map(|user| user.id);
    match license::find(ctx, &visit.caller, id).await {
        Ok(found) => Ok(found.account.is_some() && found.account == owner),
        Err(license::Error::NotFound | license::Error::Denied(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn refuse(ctx: &Context, visit: Visit, typed: Typed, code: LicenseCode) -> Result<Response, ApiError> {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut wrong = Mistakes::default();
    let refused = match words::at_field(code) {
        Some((field, message)) => {
            wrong.add(field, message);
            None
        }
        None => Some(code),
    };
    show(ctx, visit, Answer { status, wrong, typed, refused }).await
}

/// What a request adds to the form.
#[derive(Default)]
struct Answer {
    status: StatusCode,
    wrong: Mistakes,
    typed: Typed,
    refused: Option<LicenseCode>,
}

async fn show(ctx: &Context, mut visit: Visit, answer: Answer) -> Result<Response, ApiError> {
    let Answer { status, wrong, mut typed, refused } = answer;
    let now = ctx.clock.now();
    let signed_in = visit.caller.user().is_some();
    let (mut own, mut others) = (Vec::new(), false);
    // A personal token may be for other things than licenses. With the key there is no need for it.
    if visit.caller.require(ctx, Permission::LicensesRead).is_ok() {
        let tiers = ctx.licenses.tiers(ctx).await;
        let licenses = license::list_own(ctx, &visit.caller, None, LOOKED_AT).await?;
        others = license::count_own(ctx, &visit.caller).await? > LOOKED_AT;
        let good = |found: &&license::License| {
            rules::gate(&found.standing(), Machine::Any, Version::Unnamed, now).is_valid()
        };
        own = licenses.iter().filter(good).map(|found| found.shown(ctx, &tiers)).collect();
    }
    typed.key = typed.key.chars().take(MAX_TYPED).collect();
    typed.email = typed.email.chars().take(MAX_TYPED).collect();
    // The forms of the frame come back to this page, and not to whatever stood in its address.
    typed.address().clone_into(&mut visit.path);
    let refused = refused.map(|code| words::refusal(code, signed_in, support_address(ctx)));
    let shown = Shown { wrong, typed, refused, own, others, signed_in, now };
    let page = Page::new(
        "Activate",
        "Hand your license to Dev Forge on this computer, with its key or from your account.",
        move || form(shown),
    );
    Ok(page.with_script("activate.js").status(status).render(&visit))
}

/// A license that is good, and what the page may show of it.
struct Found {
    /// Without one a proof of who is there comes first.
    key: Option<LicenseKey>,
    email: String,
    owner: bool,
    typed: Typed,
}

async fn show_ready(
    ctx: &Context,
    mut visit: Visit,
    license: License,
    found: Found,
) -> Result<Response, ApiError> {
    let Found { key, email, owner, typed } = found;
    let features = turned_on(ctx, &license).await?;
    let again = typed.address();
    let shown = Ready { license, features, key, email, owner, again, now: ctx.clock.now() };
    again.clone_into(&mut visit.path);
    let page =
        Page::new("License ready", "What your license turns on, and the way to the editor.", move || {
            ready(shown)
        });
    // Never cached: a page that is not public says `no-store`.
    Ok(page.render(&visit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_editor_s_own_word_is_taken_for_it() {
        let typed = |pairs: &[(&str, &str)]| {
            Typed::from_pairs(
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            )
        };
        assert_eq!(typed(&[("app", "electron"), ("licenseKey", "DF-1")]).address(), "/activate?app=electron");
        assert_eq!(typed(&[("app", "electron&key=DF-1")]).address(), PATH);
        assert_eq!(typed(&[]).address(), PATH);
    }
}
