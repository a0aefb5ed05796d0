//! Tokens that somebody makes for their own programs.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::personal_token::{self, DEFAULT_DAYS},
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    context::Context,
    contract::{
        account::{CreatedPersonalToken, NewPersonalToken, Scope},
        id::TokenId,
    },
};

use super::{
    layout::{Done, DoneQuery, ProofFirst, Section, back_at, section_page},
    tokens_view::{Shown, tokens_view},
};
use crate::pages::{
    forms::{Mistakes, mistakes},
    shell::{Page, Visit},
};

/// What was chosen in the form, to be shown again when something in it is wrong.
pub struct Typed {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub days: u32,
}

impl Default for Typed {
    fn default() -> Self {
        Self { name: String::new(), scopes: Vec::new(), days: DEFAULT_DAYS }
    }
}

impl Typed {
    /// The same name comes once for each scope that is checked, which no struct can take.
    fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (field, value) in pairs {
            match field.as_str() {
                "name" => typed.name = value,
                "scopes" => typed.scopes.extend(Scope::parse(&value)),
                // No number is no number of days that anything allows.
                "expiresInDays" => typed.days = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        typed
    }
}

fn done(word: &str) -> Option<Done> {
    (word == "revoked").then_some(("The token is revoked", "Programs that use it are refused from now on."))
}

pub async fn tokens_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    show(&ctx, &visit, answer, StatusCode::OK).await
}

pub async fn create_token(
    State(ctx): State<Context>,
    visit: Visit,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let typed = Typed::from_pairs(pairs);
    let new = NewPersonalToken {
        name: typed.name.clone(),
        scopes: typed.scopes.clone(),
        expires_in_days: Some(typed.days),
    };
    match personal_token::create(&ctx, &visit.caller, &new).await {
        Ok(created) => {
            let answer = Answer { created: Some(created), ..Answer::default() };
            show(&ctx, &visit, answer, StatusCode::OK).await
        }
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show(&ctx, &visit, Answer { wrong, typed, ..Answer::default() }, status).await
        }
    }
}

pub async fn revoke_token(
    State(ctx): State<Context>,
    Path(id): Path<TokenId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    if !personal_token::revoke(&ctx, &visit.caller, id).await? {
        return Err(ApiError::not_found());
    }
    Ok(Redirect::to("/account/security/tokens?done=revoked").into_response())
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    done: Option<Done>,
    wrong: Mistakes,
    typed: Typed,
    created: Option<CreatedPersonalToken>,
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    answer: Answer,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let tokens = personal_token::list(ctx, &visit.caller).await?;
    let role = visit.caller.user().map(|user| user.role).ok_or_else(ApiError::unauthenticated)?;
    let Answer { done, wrong, typed, created } = answer;
    let shown = Shown {
        done,
        wrong,
        typed,
        created,
        tokens,
        scopes: personal_token::scopes_for(role),
        proof: ProofFirst::asked(ctx, visit, "/account/security/tokens"),
        now: ctx.clock.now(),
    };
    let page = Page::new("Personal tokens", "Tokens for your own programs.", move || {
        section_page(Section::Tokens, None, tokens_view(shown))
    });
    Ok(page.status(status).render(&back_at(visit, Section::Tokens.path())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        Typed::from_pairs(
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn every_checked_scope_is_read_and_none_that_does_not_exist() {
        let form = typed(&[
            ("name", "build"),
            ("scopes", "account:read"),
            ("scopes", "support:write"),
            ("scopes", "everything"),
            ("expiresInDays", "30"),
        ]);
        assert_eq!(form.name, "build");
        assert_eq!(form.scopes, [Scope::AccountRead, Scope::SupportWrite]);
        assert_eq!(form.days, 30);
    }

    #[test]
    fn an_end_that_is_no_number_is_not_taken_for_the_usual_one() {
        assert_eq!(typed(&[("expiresInDays", "never")]).days, 0);
        assert_eq!(typed(&[]).days, DEFAULT_DAYS);
    }
}
