//! Coming in and going out: signing in with a password, a code or a passkey, making an account, the links in our
//! mails, and proving again who one is.
//!
//! What always holds: every form works without script, and a mistake brings the same page back with what was typed,
//! but never a password; where one goes afterwards is a path of this site; the token in an address is written
//! nowhere but into the action of its own form.

mod confirm;
mod cookies;
mod email;
mod forgot;
mod parts;
mod register;
mod reset;
mod second_step;
mod sign_in;
mod tried;
mod verify;

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{passkey::Challenge, rules},
    api::error::ApiError,
    context::Context,
    session::{self, Opened},
};
use serde::Deserialize;

use super::shell::Visit;

pub use self::{
    confirm::{confirm, confirm_options, confirm_page},
    cookies::with_session,
    email::{email_confirm, email_page},
    forgot::{forgot, forgot_page},
    register::{register, register_page},
    reset::{reset, reset_page},
    second_step::{second_step, second_step_options, second_step_page},
    sign_in::{passkey_options, passkey_sign_in, sign_in, sign_in_page, sign_out},
    verify::{verify, verify_page},
};

#[derive(Debug, Deserialize)]
pub struct Landing {
    /// Where to go afterwards.
    #[serde(default)]
    next: String,
    /// What was done before coming here, as a word that the page knows.
    #[serde(default)]
    done: String,
}

/// Where one goes when nothing else was asked for.
const HOME: &str = "/account";

/// `path`, which is one of ours, and after it `next`.
fn with_next(path: &str, next: &str) -> String {
    let next = rules::safe_next(next);
    if next == HOME {
        return path.to_owned();
    }
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut address = format!("{path}{joint}next=");
    for byte in next.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address
}

/// Somebody is signed in from now on. Whoever was signed in here before is not any more.
async fn enter(ctx: &Context, visit: &Visit, opened: &Opened, next: &str) -> Result<Response, ApiError> {
    session::sign_out(ctx, &visit.caller).await?;
    let to = Redirect::to(rules::safe_next(next)).into_response();
    Ok(cookies::without_ticket(ctx, with_session(ctx, to, opened)))
}

/// What the browser's passkey dialog is asked with. Good once, so nobody keeps it.
fn challenge(challenge: Challenge) -> Response {
    let Challenge { ticket, options } = challenge;
    let body = serde_json::json!({ "ticket": ticket, "options": options });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// The visit to a page whose address is a secret: the forms of the frame do not come back to it.
fn without_address(mut visit: Visit) -> Visit {
    "/".clone_into(&mut visit.path);
    visit
}

/// An address that is a secret is told to no other site. Our own still learn it: without an origin the form on
/// the page would be refused.
fn kept_to_ourselves(mut response: Response) -> Response {
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::with_next;

    #[test]
    fn the_next_page_travels_encoded_and_only_when_it_is_one_of_ours() {
        assert_eq!(with_next("/register", "/account"), "/register");
        assert_eq!(with_next("/register", "/legal/terms"), "/register?next=/legal/terms");
        assert_eq!(
            with_next("/sign-in", "/admin/users?q=a&page=2"),
            "/sign-in?next=/admin/users%3Fq%3Da%26page%3D2"
        );
        assert_eq!(with_next("/sign-in?done=expired", "/admin"), "/sign-in?done=expired&next=/admin");
        assert_eq!(with_next("/sign-in", "//evil.example"), "/sign-in");
    }
}
