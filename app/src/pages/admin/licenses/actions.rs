//! What staff can do about a license. Each is a plain form in a fold, so that all of it works without script, and its
//! consequence is read before its button is reached.

use devforge::{
    account::Permission,
    contract::license::RenewRequest,
    license::{License, rules::Cause},
};
use leptos::prelude::*;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    PATH,
    parts::{end_of_day, number, panel},
};
use crate::{
    components::{Field, Icon},
    pages::{
        admin::{frame::Viewer, proof::proof_first},
        forms::Mistakes,
    },
};

pub const MAX_REASON_CHARS: u32 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Suspend,
    Reinstate,
    Renew,
    Rotate,
    Transfer,
    Revoke,
}

impl Verb {
    pub const ALL: [Self; 6] =
        [Self::Suspend, Self::Reinstate, Self::Renew, Self::Rotate, Self::Transfer, Self::Revoke];

    /// The last part of the address that its form goes to.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
            Self::Renew => "renew",
            Self::Rotate => "rotate",
            Self::Transfer => "transfer",
            Self::Revoke => "revoke",
        }
    }

    pub const fn permission(self) -> Permission {
        match self {
            Self::Suspend | Self::Reinstate | Self::Rotate | Self::Transfer => Permission::LicensesManage,
            Self::Renew | Self::Revoke => Permission::LicensesIssue,
        }
    }

    const fn needs_reason(self) -> bool {
        matches!(self, Self::Suspend | Self::Reinstate | Self::Revoke)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Suspend => "Hold it back",
            Self::Reinstate => "Reinstate it",
            Self::Renew => "Prolong it",
            Self::Rotate => "Replace the key",
            Self::Transfer => "Give it to somebody else",
            Self::Revoke => "Take it away",
        }
    }

    const fn consequence(self) -> &'static str {
        match self {
            Self::Suspend => {
                "The editor goes on with its free features until the license is reinstated. Its owner is told by mail \
                 that it is held back, not why."
            }
            Self::Reinstate => {
                "What we did to it is lifted. What a refund, a dispute or its subscription did is not, and is lifted \
                 where that is settled."
            }
            Self::Renew => {
                "It goes on from its end, or from now when that is past. One that follows a subscription that runs \
                 cannot be prolonged here."
            }
            Self::Rotate => {
                "The old key is refused at once. Its owner gets the new one by mail, and nobody else sees it. The \
                 machines stay."
            }
            Self::Transfer => {
                "It gets a new key, every machine is taken off, and both people get a mail. When nobody with an \
                 account has proven the address, it waits for whoever does."
            }
            Self::Revoke => {
                "The editor goes back to its free features, without grace. Its owner gets a mail. Only reinstating \
                 brings it back."
            }
        }
    }

    const fn button(self) -> &'static str {
        match self {
            Self::Suspend => "Hold license back",
            Self::Reinstate => "Reinstate license",
            Self::Renew => "Prolong license",
            Self::Rotate => "Replace key",
            Self::Transfer => "Give license away",
            Self::Revoke => "Take license away",
        }
    }

    const fn button_class(self) -> &'static str {
        match self {
            Self::Reinstate | Self::Renew => "button secondary",
            Self::Suspend | Self::Rotate | Self::Transfer | Self::Revoke => "button bad-solid",
        }
    }

    /// Whether there is anything for it to do.
    fn fits(self, license: &License) -> bool {
        let suspended = license.suspended_by.contains(&Cause::Staff);
        let revoked = license.revoked_by.contains(&Cause::Staff);
        match self {
            Self::Suspend => !suspended && license.revoked_by.is_empty(),
            Self::Reinstate => suspended || revoked,
            Self::Renew => license.expires_at.is_some(),
            Self::Rotate | Self::Transfer => true,
            Self::Revoke => !revoked,
        }
    }
}

/// What was typed into one of the forms, to be shown again when something in it is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Typed {
    pub reason: String,
    pub email: String,
    pub months: String,
    pub expires_at: String,
    /// The end that was seen when the form was shown. Empty where none was.
    pub from: String,
}

impl Typed {
    /// How long the license is to go on, where that is asked for; and what else of the form needs another look.
    pub fn read(&self, verb: Verb) -> Result<RenewRequest, Mistakes> {
        let mut wrong = Mistakes::default();
        if verb.needs_reason() && self.reason.trim().is_empty() {
            wrong.add("reason", "Say why. It stands in the license's history.");
        }
        let mut request = RenewRequest::default();
        if verb == Verb::Renew {
            request.from = OffsetDateTime::parse(&self.from, &Rfc3339).ok();
            if request.from.is_none() && !self.from.is_empty() {
                wrong.general = Some("Load this page again, then prolong the license.".to_owned());
            }
            match (self.expires_at.trim(), self.months.trim()) {
                ("", "") => wrong.add("months", "Write for how many months, or choose its last day."),
                ("", months) => {
                    request.months = number(months);
                    if request.months.is_none() {
                        wrong.add("months", "Write for how many months, 1 to 120.");
                    }
                }
                (last_day, _) => {
                    request.expires_at = end_of_day(last_day);
                    if request.expires_at.is_none() {
                        wrong.add("expiresAt", "A day is written like 2026-11-20.");
                    }
                }
            }
        }
        if wrong.is_empty() { Ok(request) } else { Err(wrong) }
    }
}

pub fn actions(
    license: &License,
    viewer: Viewer,
    wrong: &Mistakes,
    tried: Option<&(Verb, Typed)>,
) -> Option<AnyView> {
    let offered: Vec<Verb> = Verb::ALL
        .into_iter()
        .filter(|verb| viewer.may(verb.permission()))
        .filter(|verb| verb.fits(license) || tried.is_some_and(|(tried, _)| tried == verb))
        .collect();
    if offered.is_empty() {
        return None;
    }
    let address = format!("{PATH}/{}", license.id);
    let proof = proof_first(viewer, &address);
    let folds = offered
        .into_iter()
        .map(|verb| {
            let typed = tried.filter(|(tried, _)| *tried == verb).map(|(_, typed)| typed);
            fold(verb, license, wrong, typed)
        })
        .collect_view();
    let content = view! { {proof}<div class="admin-actions">{folds}</div> };
    Some(panel("actions", "What you can do", content.into_any()))
}

fn fold(verb: Verb, license: &License, wrong: &Mistakes, typed: Option<&Typed>) -> AnyView {
    let action = format!("{PATH}/{}/{}", license.id, verb.word());
    view! {
        <details open=typed.is_some()>
            <summary><Icon name="right" size=16/>{verb.title()}</summary>
            <form method="post" action=action novalidate=true>
                <p>{verb.consequence()}</p>
                {fields(verb, license, wrong, typed)}
                <div class="button-row">
                    <button class=verb.button_class() type="submit">{verb.button()}</button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

fn fields(verb: Verb, license: &License, wrong: &Mistakes, typed: Option<&Typed>) -> AnyView {
    // The list of mistakes leads to the fields of the form that was sent.
    let id = |name: &str| if typed.is_some() { name.to_owned() } else { format!("{name}-{}", verb.word()) };
    let error = |name: &str| typed.and_then(|_| wrong.of(name));
    let Typed { reason, email, months, expires_at, .. } = typed.cloned().unwrap_or_default();
    match verb {
        Verb::Suspend | Verb::Reinstate | Verb::Revoke => view! {
            <Field name="reason" id=id("reason") label="Reason" kind="textarea" value=reason error=error("reason")
                hint="For staff. It stays in the history for good, so leave out what is private."
                maxlength=MAX_REASON_CHARS/>
        }
        .into_any(),
        Verb::Renew => view! {
            <input type="hidden" name="from" value=seen_end(license) autocomplete="off"/>
            <Field name="months" id=id("months") label="Months" value=months error=error("months")
                inputmode="numeric" maxlength=3 autocomplete="off" optional=true/>
            <Field name="expiresAt" id=id("expiresAt") label="Or its last day" kind="date" value=expires_at
                error=error("expiresAt") hint="To its end in UTC." optional=true/>
        }
        .into_any(),
        Verb::Transfer => view! {
            <Field name="email" id=id("email") label="Mail address of the new owner" kind="email" value=email
                error=error("email") maxlength=254 autocomplete="off"/>
        }
        .into_any(),
        Verb::Rotate => ().into_any(),
    }
}

/// The end that stands on the page, so that of two forms that were filled in on it only one prolongs.
fn seen_end(license: &License) -> String {
    license.expires_at.and_then(|end| end.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::pages::license_parts::fixtures;

    #[test]
    fn whoever_takes_something_away_says_why() {
        for verb in Verb::ALL {
            let silent = Typed { reason: " \n ".to_owned(), months: "12".to_owned(), ..Typed::default() };
            assert_eq!(silent.read(verb).is_err(), verb.needs_reason(), "{verb:?}");
            let told = Typed { reason: "Bought twice".to_owned(), ..silent };
            assert!(told.read(verb).is_ok(), "{verb:?}");
        }
    }

    #[test]
    fn it_is_prolonged_by_months_or_to_a_day() {
        let typed = |months: &str, expires_at: &str| Typed {
            months: months.to_owned(),
            expires_at: expires_at.to_owned(),
            ..Typed::default()
        };
        let months = typed("12", "").read(Verb::Renew).expect("months");
        assert_eq!((months.months, months.expires_at), (Some(12), None));
        let day = typed("12", "2027-12-31").read(Verb::Renew).expect("a day");
        assert_eq!((day.months, day.expires_at), (None, Some(datetime!(2028-01-01 00:00 UTC))));
        for (months, day, field) in [("", "", "months"), ("a year", "", "months"), ("", "soon", "expiresAt")]
        {
            let wrong = typed(months, day).read(Verb::Renew).expect_err("a mistake");
            assert!(wrong.of(field).is_some(), "{months:?} {day:?}");
        }
    }

    #[test]
    fn it_is_prolonged_from_the_end_that_was_seen() {
        let end = datetime!(2026-12-31 08:00:00.123456 UTC);
        let license = License { expires_at: Some(end), ..fixtures::license() };
        let typed = |from: String| Typed { months: "12".to_owned(), from, ..Typed::default() };
        let from = |from: String| typed(from).read(Verb::Renew).map(|request| request.from);
        assert_eq!(from(seen_end(&license)).ok(), Some(Some(end)));
        assert_eq!(from(seen_end(&fixtures::license())).ok(), Some(None));
        assert!(from("soon".to_owned()).expect_err("it is no moment").general.is_some());
    }
}
