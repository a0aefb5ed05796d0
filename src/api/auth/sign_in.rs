//! Who is signed in: how that begins, who it is, and how it ends.

use axum::{
    Json as JsonAnswer,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::api::problems::{BodyProblems, CallerProblems, GuessingProblems};
use crate::{
    account::{self, Caller, Client, Denied, Permission, Via, sign_in},
    api::{error::ApiError, extract::Json},
    context::Context,
    contract::{
        account::{Login, Me, Registration, SignedInAnswer, Success},
        problem::Problem,
    },
    session,
};

/// Make an account.
///
/// Whoever made it is signed in at once. A mail with a link goes to the address, to prove that somebody reads it.
#[utoipa::path(
    post, path = "/auth/register", tag = "Account", operation_id = "register",
    request_body = Registration,
    responses(
        BodyProblems,
        GuessingProblems,
        (status = 201, description = "The account, and what its owner is signed in with", body = SignedInAnswer),
        (status = 409, description = "`email_taken`: there is an account with this address", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`weak_password`: only the password is at fault; `invalid_request`: a field has a mistake; `errors` says which and why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn register(
    State(ctx): State<Context>,
    client: Client,
    Json(registration): Json<Registration>,
) -> Result<(StatusCode, JsonAnswer<SignedInAnswer>), ApiError> {
    let user = Box::pin(account::register(&ctx, &registration, &client)).await?;
    let tokens = sign_in::tokens_after_registration(&ctx, &user, &client).await?;
    Ok((StatusCode::CREATED, JsonAnswer(SignedInAnswer { user, tokens })))
}

/// Sign in.
///
/// The first call sends address and password. Where the account asks for a code as well, the answer is
/// `two_factor_required`: send all three then. Each sign-in is a session of its own.
#[utoipa::path(
    post, path = "/auth/login", tag = "Account", operation_id = "login",
    request_body = Login,
    responses(
        BodyProblems,
        GuessingProblems,
        (status = 200, description = "Who it is, and what they are signed in with", body = SignedInAnswer),
        (status = 401, description = "`invalid_credentials`: address or password is wrong; `two_factor_required`: both are right and a code is missing; `invalid_code`: the code is wrong or was used before", body = Problem, content_type = "application/problem+json"),
        (status = 423, description = "`locked`: staff have locked the account", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn login(
    State(ctx): State<Context>,
    client: Client,
    Json(login): Json<Login>,
) -> Result<JsonAnswer<SignedInAnswer>, ApiError> {
    let (user, tokens) = Box::pin(sign_in::login(&ctx, &login, &client)).await?;
    Ok(JsonAnswer(SignedInAnswer { user, tokens }))
}

/// Sign out.
///
/// Ends the session that calls: its access token and its refresh tokens are worth nothing from then on. In a browser
/// the cookie goes as well. Personal tokens have no session; revoke them instead.
#[utoipa::path(
    post, path = "/auth/logout", tag = "Account", operation_id = "logout",
    security(("accessToken" = []), ("sessionCookie" = [])),
    responses(
        CallerProblems,
        (status = 200, description = "The session has ended", body = Success),
    )
)]
pub(super) async fn logout(
    State(ctx): State<Context>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let identity = caller.identity().ok_or(Denied::Unauthenticated)?;
    if matches!(identity.via, Via::Token { .. }) {
        return Err(Denied::Scope(None).into());
    }
    session::sign_out(&ctx, &caller).await?;
    let mut answer = JsonAnswer(Success::YES).into_response();
    let came_by_cookie = !headers.contains_key(header::AUTHORIZATION);
    if let Some(cookie) = came_by_cookie.then(|| no_cookie(&ctx)).flatten() {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Takes the session's cookie out of the browser.
fn no_cookie(ctx: &Context) -> Option<HeaderValue> {
    let name = session::cookie_name(&ctx.config);
    let secure = if ctx.config.http.is_https() { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")).ok()
}

/// Who is signed in.
///
/// A personal token needs `account:read`.
#[utoipa::path(
    get, path = "/auth/me", tag = "Account", operation_id = "me",
    security(("accessToken" = []), ("personalToken" = ["account:read"]), ("sessionCookie" = [])),
    responses(
        CallerProblems,
        (status = 200, description = "The account of the caller", body = Me),
    )
)]
pub(super) async fn me(State(ctx): State<Context>, caller: Caller) -> Result<JsonAnswer<Me>, ApiError> {
    let identity = caller.require(&ctx, Permission::AccountRead)?;
    Ok(JsonAnswer(Me { user: identity.user.clone() }))
}
