//! Accounts: how they begin, change and end.

mod closing;
mod email_change;
mod notices;
mod password;
mod registration;
mod unproven;

use devforge::{
    account::{
        self, Caller, Client, Error,
        sign_in::{self, Step},
    },
    context::Context,
    contract::account::User,
};
use time::Duration;

use crate::support::{TestApp, client};

const ADA: &str = "ada@example.com";
/// Nothing that the policy has anything against.
const GOOD: &str = "lantern-violet-gravel";
const BETTER: &str = "river-otter-mosaic-92";

/// To whom the newest mail of this kind went, and what it says.
async fn newest_mail(ctx: &Context, kind: &str) -> Option<(String, String)> {
    sqlx::query_as(
        "select to_address, text from mail_message where kind = $1 order by created_at desc limit 1",
    )
    .bind(kind)
    .fetch_optional(&ctx.db)
    .await
    .expect("read")
}

async fn mails(ctx: &Context, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from mail_message where kind = $1")
        .bind(kind)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

/// The token of the link in the newest mail of this kind.
async fn token(ctx: &Context, kind: &str) -> String {
    let path = match kind {
        "verify_email" => "/verify/",
        "reset_password" => "/reset/",
        _ => "/email/",
    };
    let (_, text) = newest_mail(ctx, kind).await.unwrap_or_else(|| panic!("a mail {kind} was sent"));
    let (_, rest) = text.split_once(path).expect("the link is in the mail");
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    assert!(token.len() >= 43, "256 bits: {token}");
    token
}

/// The token of a link that was asked for and mailed.
async fn reset_link(app: &TestApp, email: &str) -> String {
    second(app);
    account::start_reset(&app.ctx, email, &client()).await.expect("asked for");
    app.run_jobs().await;
    token(&app.ctx, "reset_password").await
}

async fn audited(ctx: &Context, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_event where action = $1")
        .bind(action)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

/// How often anything of this text stands in the audit log.
async fn audited_text(ctx: &Context, text: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_event e where e::text ilike '%' || $1 || '%'")
        .bind(text)
        .fetch_one(&ctx.db)
        .await
        .expect("looked for")
}

async fn published(ctx: &Context, topic: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where topic = $1")
        .bind(topic)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

async fn is_let_in(ctx: &Context, email: &str, password: &str) -> bool {
    match sign_in::with_password(ctx, email, password, true, &client()).await {
        Ok(Step::Done(_)) => true,
        Err(Error::InvalidCredentials) => false,
        other => panic!("let in or not: {other:?}"),
    }
}

/// Somebody who has just registered, signed in.
async fn registered(app: &TestApp, email: &str) -> (User, Caller) {
    let registration = registration::of(email, "Ada Lovelace", GOOD);
    let user = account::register(&app.ctx, &registration, &client()).await.expect("registered");
    let opened = sign_in::after_registration(&app.ctx, &user, &client()).await.expect("signed in");
    (user, app.caller(&opened).await)
}

/// A browser somewhere else.
fn at(network: &str) -> Client {
    Client { address: network.to_owned(), network: network.to_owned(), ..client() }
}

fn second(app: &TestApp) {
    app.ctx.clock.advance(Duration::seconds(1));
}

fn problems(result: Result<impl std::fmt::Debug, Error>) -> Vec<(String, String)> {
    match result {
        Err(Error::Invalid(problems)) => {
            problems.into_iter().map(|problem| (problem.field, problem.code)).collect()
        }
        other => panic!("it has mistakes: {other:?}"),
    }
}
