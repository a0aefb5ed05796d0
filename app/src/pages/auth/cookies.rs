//! The cookies of signing in: the session, the device it is on, and the ticket between the two steps.
//!
//! What always holds: no script can read them, another site's requests carry none but to follow a link, and over
//! https they never travel in the clear.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use devforge::{
    account::ticket::Kind,
    context::Context,
    session::{self, Opened},
};

/// Between the password and the second proof. Sent to the pages of signing in only.
const TICKET: &str = "sign_in";
const TICKET_PATH: &str = "/sign-in";
const DEVICE_FOR: u64 = 365 * 24 * 60 * 60;

/// The answer, with the cookies of the session just opened or renewed.
pub fn with_session(ctx: &Context, mut response: Response, opened: &Opened) -> Response {
    // Without an age the cookie ends with the browser; the session itself ends by its own times in any case.
    let age = opened.remember.then_some(ctx.config.security.session_absolute.as_secs());
    set(ctx, &mut response, session::cookie_name(&ctx.config), &opened.cookie, "/", age);
    if let Some(device) = &opened.device {
        let name = session::device_cookie_name(&ctx.config);
        set(ctx, &mut response, name, device, "/", Some(DEVICE_FOR));
    }
    response
}

pub fn without_session(ctx: &Context, mut response: Response) -> Response {
    set(ctx, &mut response, session::cookie_name(&ctx.config), "", "/", Some(0));
    response
}

pub fn with_ticket(ctx: &Context, mut response: Response, ticket: &str) -> Response {
    let age = Kind::SecondStep.lasts().unsigned_abs().as_secs();
    set(ctx, &mut response, TICKET, ticket, TICKET_PATH, Some(age));
    response
}

pub fn without_ticket(ctx: &Context, mut response: Response) -> Response {
    set(ctx, &mut response, TICKET, "", TICKET_PATH, Some(0));
    response
}

/// The ticket that a right password was answered with.
pub fn ticket(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(TICKET)?.strip_prefix('='))
        .filter(|ticket| !ticket.is_empty())
}

fn set(ctx: &Context, response: &mut Response, name: &str, value: &str, path: &str, age: Option<u64>) {
    let age = age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let secure = if ctx.config.http.is_https() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path={path}{age}; HttpOnly; SameSite=Lax{secure}");
    // Names and values are made of letters that a header takes.
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticket_is_read_from_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("theme=dark; sign_in=abc; sign_in_x=no"));
        assert_eq!(ticket(&headers), Some("abc"));
        headers.insert(header::COOKIE, HeaderValue::from_static("sign_in="));
        assert_eq!(ticket(&headers), None);
    }
}
