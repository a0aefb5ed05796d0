//! Signing in and out, and the account's home. The forms work without script: a mistake comes back as the same
//! page with 422 and what was typed, success is a redirect.

mod home;
mod sign_in;

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Error, Origin, rules},
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    context::Context,
    contract::{account::User, id::SessionId},
    rate_limit::network_of,
    session,
};
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use tower_sessions::Session;

use self::{
    home::{SessionRow, account_home},
    sign_in::{SignInForm, sign_in as sign_in_view},
};
use super::shell::{Page, Visit};

/// The address that the flood gate saw, put there by the server's outermost layer.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub std::net::IpAddr);

#[derive(Debug, Deserialize)]
pub struct NextQuery {
    #[serde(default)]
    next: String,
}

pub async fn sign_in_page(Query(query): Query<NextQuery>, visit: Visit) -> Response {
    let next = rules::safe_next(&query.next).to_owned();
    if visit.caller.user().is_some() {
        return Redirect::to(&next).into_response();
    }
    let form = SignInForm { email: String::new(), next, error: None, field_errors: Vec::new() };
    form_page(form, &visit, StatusCode::OK)
}

fn form_page(form: SignInForm, visit: &Visit, status: StatusCode) -> Response {
    Page::new("Sign in", "Sign in to your Dev Forge account.", move || sign_in_view(form))
        .status(status)
        .render(visit)
}

#[derive(Deserialize)]
pub struct Credentials {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub async fn sign_in(
    State(ctx): State<Context>,
    session: Session,
    address: Option<axum::Extension<ClientAddress>>,
    headers: HeaderMap,
    visit: Visit,
    Form(credentials): Form<Credentials>,
) -> Result<Response, ApiError> {
    let next = rules::safe_next(&credentials.next).to_owned();
    let refused = |error: Option<String>, field_errors: Vec<(&'static str, String)>, status: StatusCode| {
        let form = SignInForm { email: credentials.email.clone(), next: next.clone(), error, field_errors };
        Ok(form_page(form, &visit, status))
    };
    let mut missing = Vec::new();
    if credentials.email.trim().is_empty() {
        missing.push(("email", "Enter the address of your account.".to_owned()));
    }
    if credentials.password.is_empty() {
        missing.push(("password", "Enter your password.".to_owned()));
    }
    if !missing.is_empty() {
        return refused(None, missing, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let address = address.map_or_else(|| "unknown".to_owned(), |address| network_of(address.0.0).to_string());
    let origin = Origin { address: &address, request_id: visit.request_id };
    match account::authenticate(&ctx, &credentials.email, &credentials.password, origin).await {
        Ok(user) => {
            start_session(&session, &user, &headers).await?;
            Ok(Redirect::to(&next).into_response())
        }
        Err(Error::InvalidCredentials) => {
            let error = "Address or password is wrong. Check both, then try again.".to_owned();
            refused(Some(error), Vec::new(), StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(Error::TooManyTries { retry_after }) => {
            let minutes = retry_after.as_secs().div_ceil(60);
            let error = format!("Too many tries. Wait {minutes} min, then try again.");
            refused(Some(error), Vec::new(), StatusCode::TOO_MANY_REQUESTS).map(|mut response: Response| {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
                response
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// A new session id at every sign-in, so that an id planted before is worth nothing after.
async fn start_session(session: &Session, user: &User, headers: &HeaderMap) -> Result<(), ApiError> {
    let failed = |error: tower_sessions::session::Error| {
        tracing::warn!(error = %error, "a session could not be kept");
        ApiError::unavailable()
    };
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    session.clear().await;
    session.cycle_id().await.map_err(failed)?;
    session.insert(session::KEY_ACCOUNT, user.id.to_string()).await.map_err(failed)?;
    session.insert(session::KEY_DEVICE, rules::device_name(agent)).await.map_err(failed)?;
    session.save().await.map_err(failed)
}

pub async fn sign_out(
    State(ctx): State<Context>,
    session: Session,
    visit: Visit,
) -> Result<Redirect, ApiError> {
    if let account::Caller::User { user, session: id } = &visit.caller {
        session::end(&ctx, user.id, *id).await?;
    }
    // The cookie goes too, whether or not anything stood behind it.
    session.flush().await.map_err(|error| {
        tracing::warn!(error = %error, "a session could not be ended");
        ApiError::unavailable()
    })?;
    Ok(Redirect::to("/"))
}

pub async fn home_page(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let account::Caller::User { user, session } = visit.caller.clone() else {
        return Ok(Redirect::to("/sign-in?next=/account").into_response());
    };
    let sessions = session::list(&ctx, user.id, Some(session)).await?;
    let rows: Vec<SessionRow> = sessions
        .into_iter()
        .map(|session| SessionRow {
            id: session.id.to_string(),
            device: session.device,
            created: session.created_at.format(&Rfc3339).unwrap_or_default(),
            last_seen: session.last_seen_at.format(&Rfc3339).unwrap_or_default(),
            current: session.current,
        })
        .collect();
    let page = Page::new("Account", "Your account and where you are signed in.", move || {
        account_home(&user.name, &user.email, user.role.as_str(), rows)
    });
    Ok(page.render(&visit))
}

pub async fn end_session(
    State(ctx): State<Context>,
    Path(id): Path<SessionId>,
    visit: Visit,
) -> Result<Redirect, ApiError> {
    let user = visit.caller.user().ok_or_else(ApiError::unauthenticated)?;
    if !session::end(&ctx, user.id, id).await? {
        return Err(ApiError::not_found());
    }
    Ok(Redirect::to("/account"))
}
