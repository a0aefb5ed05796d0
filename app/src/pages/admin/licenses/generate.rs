//! Giving licenses: a form, and once the page with their keys.
//!
//! What always holds: the keys are in the answer to the form and nowhere else; the file is made of keys that whoever
//! asks for it sends back.

use axum::{Form, extract::State, http::StatusCode, response::Response};
use devforge::{
    account::{Denied, Permission},
    api::error::ApiError,
    context::Context,
    contract::{account::User, license_key::LicenseKey, payment::Tier, problem::FieldProblem},
    license::{
        issue::{self, GenerateOrder, Issued},
        staff::{self, MAX_KEYS},
    },
};
use serde::Deserialize;

use super::{
    PATH,
    generate_view::{form_view, keys_view},
    parts::{end_of_day, number},
};
use crate::pages::{
    admin::frame::{Here, Section, Viewer, frame},
    forms::{Mistakes, license_mistakes},
    license_parts::{form_request, form_token, keys_file},
    shell::{Page, Visit},
};

pub const NEW: &str = "/admin/licenses/new";

/// What was typed, to be shown again when something in it is wrong. A box that is not checked is not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Typed {
    pub email: String,
    pub tier: String,
    pub seats: String,
    pub count: String,
    pub expires_at: String,
    pub overage: String,
    pub reason: String,
    pub fallback: String,
    pub floating: String,
    pub mail: String,
    /// The token the form came with: the same form sent twice gives once.
    pub form: String,
}

impl Typed {
    fn with_token(self, ctx: &Context) -> Self {
        Self { form: form_token(ctx), ..self }
    }

    /// As the form is when nobody has typed anything.
    fn fresh() -> Self {
        let text = |text: &str| text.to_owned();
        Self { tier: text("pro"), seats: text("1"), count: text("1"), mail: text("yes"), ..Self::default() }
    }

    /// What is to be given to whom, or what needs another look. The person may be known or not yet.
    fn read(&self, person: Option<&User>, wrong: &mut Mistakes) -> Option<GenerateOrder> {
        let tier = Tier::parse(&self.tier);
        if tier.is_none() {
            wrong.add("tier", "Choose one of the tiers.");
        }
        let mut count = |field: &str, typed: &str, otherwise: u32, message: &str| {
            let read = if typed.trim().is_empty() { Some(otherwise) } else { number(typed) };
            if read.is_none() {
                wrong.add(field, message);
            }
            read
        };
        let seats = count("seats", &self.seats, 1, "Write how many seats each has, 1 to 10,000.");
        let keys = count("count", &self.count, 1, "Write how many licenses, 1 to 1,000.");
        let overage = count("overage", &self.overage, 0, "Write how many percent, 0 to 100.");
        let expires_at = match self.expires_at.trim() {
            "" => Some(None),
            last_day => end_of_day(last_day).map(Some),
        };
        if expires_at.is_none() {
            wrong.add("expiresAt", "A day is written like 2026-11-20.");
        }
        if self.reason.trim().is_empty() {
            wrong.add("reason", "Say why. It stands in the license's history.");
        }
        let (Some(tier), Some(seats), Some(count)) = (tier, seats, keys) else { return None };
        if !wrong.is_empty() {
            return None;
        }
        Some(GenerateOrder {
            account: person?.id,
            tier,
            seats,
            count,
            expires_at: expires_at?,
            fallback: !self.fallback.is_empty(),
            floating: !self.floating.is_empty(),
            // Too large a number is as far beyond the limit as the number that was meant.
            overage: u16::try_from(overage?).unwrap_or(u16::MAX),
            reason: self.reason.clone(),
            mail: !self.mail.is_empty(),
            request: form_request(&self.form),
        })
    }
}

pub async fn new_license_page(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    show_form(&ctx, visit, Typed::fresh().with_token(&ctx), Mistakes::default(), StatusCode::OK)
}

pub async fn give_licenses(
    State(ctx): State<Context>,
    visit: Visit,
    Form(typed): Form<Typed>,
) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::LicensesIssue)?;
    let mut wrong = Mistakes::default();
    let person = match staff::recipient(&ctx, &visit.caller, &typed.email).await {
        Ok(person) => Some(person),
        Err(error) => {
            wrong = license_mistakes(error)?.1;
            None
        }
    };
    let Some(order) = typed.read(person.as_ref(), &mut wrong) else {
        return show_form(&ctx, visit, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY);
    };
    match Box::pin(issue::generate(&ctx, &visit.caller, &order)).await {
        Ok(issued) => show_keys(&ctx, visit, person, issued),
        Err(error) => {
            let (status, wrong) = license_mistakes(error)?;
            show_form(&ctx, visit, typed, wrong, status)
        }
    }
}

/// The keys that somebody just got, as they send them back: split by blanks.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct KeysForm {
    keys: String,
}

pub async fn new_licenses_csv(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<KeysForm>,
) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::LicensesFind)?;
    let keys: Vec<LicenseKey> =
        form.keys.split_whitespace().take(MAX_KEYS).filter_map(|key| LicenseKey::parse(key).ok()).collect();
    let issued = staff::of_keys(&ctx, &visit.caller, &keys).await?;
    if issued.is_empty() {
        return Err(ApiError::invalid(vec![FieldProblem {
            field: "keys".to_owned(),
            code: "unknown".to_owned(),
            message: "Send the keys that the file is to hold.".to_owned(),
        }]));
    }
    Ok(keys_file(&issued)?)
}

fn show_form(
    ctx: &Context,
    mut visit: Visit,
    typed: Typed,
    wrong: Mistakes,
    status: StatusCode,
) -> Result<Response, ApiError> {
    // To look at the form nobody has to prove again who they are; it says that sending it asks for that.
    visit.caller.require(ctx, Permission::LicensesFind)?;
    let viewer = Viewer::of(ctx, &visit.caller)?;
    if !viewer.may(Permission::LicensesIssue) {
        return Err(Denied::Forbidden.into());
    }
    NEW.clone_into(&mut visit.path);
    let page = Page::new("Give licenses", "Licenses that nobody buys.", move || {
        frame(Here::Below(Section::Licenses), viewer, form_view(&typed, &wrong, viewer))
    });
    Ok(page.status(status).render(&visit))
}

fn show_keys(
    ctx: &Context,
    mut visit: Visit,
    person: Option<User>,
    issued: Vec<Issued>,
) -> Result<Response, ApiError> {
    let viewer = Viewer::of(ctx, &visit.caller)?;
    let now = ctx.clock.now();
    PATH.clone_into(&mut visit.path);
    let page = Page::new("Licenses given", "New licenses with their keys.", move || {
        frame(Here::Below(Section::Licenses), viewer, keys_view(&issued, person.as_ref(), now))
    });
    Ok(page.render(&visit))
}

#[cfg(test)]
mod tests {
    use devforge::contract::{account::Role, id::UserId};
    use time::macros::datetime;

    use super::*;

    fn person() -> User {
        User {
            id: UserId::from_uuid(Default::default()),
            email: "ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            role: Role::Customer,
            email_verified: true,
            two_factor_enabled: false,
            avatar_url: String::new(),
            created_at: datetime!(2026-11-20 10:00 UTC),
        }
    }

    fn typed() -> Typed {
        Typed { reason: "A speaker".to_owned(), ..Typed::fresh() }
    }

    #[test]
    fn what_is_left_out_is_the_least_there_can_be() {
        let typed = Typed { seats: String::new(), count: " ".to_owned(), mail: String::new(), ..typed() };
        let order = typed.read(Some(&person()), &mut Mistakes::default()).expect("it fits");
        assert_eq!((order.tier, order.seats, order.count, order.overage), (Tier::Pro, 1, 1, 0));
        assert_eq!(
            (order.expires_at, order.fallback, order.floating, order.mail),
            (None, false, false, false)
        );
    }

    #[test]
    fn all_of_the_form_is_read() {
        let typed = Typed {
            tier: "enterprise".to_owned(),
            seats: "1,000".to_owned(),
            count: "3".to_owned(),
            expires_at: "2027-12-31".to_owned(),
            overage: "20".to_owned(),
            fallback: "yes".to_owned(),
            floating: "yes".to_owned(),
            ..typed()
        };
        let order = typed.read(Some(&person()), &mut Mistakes::default()).expect("it fits");
        assert_eq!((order.tier, order.seats, order.count, order.overage), (Tier::Enterprise, 1_000, 3, 20));
        assert_eq!(order.expires_at, Some(datetime!(2028-01-01 00:00 UTC)));
        assert!(order.fallback && order.floating && order.mail);
    }

    #[test]
    fn every_mistake_stands_at_its_field() {
        let typed = Typed {
            tier: "gold".to_owned(),
            seats: "many".to_owned(),
            count: "-1".to_owned(),
            overage: "x".to_owned(),
            expires_at: "soon".to_owned(),
            ..Typed::default()
        };
        let mut wrong = Mistakes::default();
        assert!(typed.read(Some(&person()), &mut wrong).is_none());
        let fields: Vec<&str> = wrong.fields.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["tier", "seats", "count", "overage", "expiresAt", "reason"]);
    }
}
