//! Demo data for development: an administrator, a customer, and a mail each, so that there is something to
//! look at. Only into an empty database, never in production.

use serde_json::json;

use crate::{
    account::{self, NewAccount},
    audit,
    config::Config,
    context::Context,
    contract::account::Role,
    crypto, mail,
};

/// The demo people: address, name, role.
pub const PEOPLE: [(&str, &str, Role); 4] = [
    ("admin@devforge.test", "Robin Admin", Role::Admin),
    ("support@devforge.test", "Sam Support", Role::Support),
    ("author@devforge.test", "Kim Author", Role::Developer),
    ("ada@devforge.test", "Ada Customer", Role::Customer),
];

/// Where the demo people's password is kept, to be told again at each start.
const PASSWORD_FILE: &str = "demo-password";

/// `password` is the demo people's; without one a random one is made.
/// False when the database had people already.
pub async fn demo(ctx: &Context, password: Option<&str>) -> anyhow::Result<bool> {
    let kept = demo_password(&ctx.config);
    let present = account::count(ctx).await?;
    // An interrupted start left the password and some of the people: it is taken up where it stopped.
    let interrupted = kept.is_some() && present < PEOPLE.len() as i64;
    if present > 0 && !interrupted {
        return Ok(false);
    }
    let password = kept.as_deref().filter(|_| present > 0).or(password);
    let password = password.map_or_else(|| crypto::to_hex(&ctx.random.bytes::<8>()), str::to_owned);
    std::fs::create_dir_all(&ctx.config.data_dir)?;
    std::fs::write(ctx.config.data_dir.join(PASSWORD_FILE), &password)?;
    for (email, name, role) in PEOPLE {
        let user = match account::create(ctx, NewAccount { email, name, role, password: &password }).await {
            Ok(user) => user,
            Err(account::Error::EmailTaken) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut tx = ctx.db.begin().await?;
        let message = mail::Message::new("Your Dev Forge account")
            .greeting(format!("Hello {name},"))
            .paragraph("an account was made for you on a development installation of Dev Forge.")
            .action("Sign in", format!("{}/sign-in", ctx.config.http.public_url))
            .facts(vec![("Address", email.to_owned()), ("Role", role.as_str().to_owned())])
            .note(
                "Mail stays on this machine in development: it is shown at /dev/mail and goes nowhere else.",
            );
        let to = mail::Recipient { address: email.to_owned(), name: Some(name.to_owned()) };
        mail::send(&mut tx, ctx, &to, "account_created", &message).await?;
        let id = user.id.to_string();
        let entry = audit::Entry {
            actor: audit::Actor::System,
            action: "demo.seeded",
            subject_kind: "account",
            subject_id: &id,
            detail: json!({}),
            request_id: None,
        };
        audit::record(&mut tx, ctx, entry).await?;
        tx.commit().await?;
    }
    Ok(true)
}

/// The demo people's password, where this installation has them.
pub fn demo_password(config: &Config) -> Option<String> {
    std::fs::read_to_string(config.data_dir.join(PASSWORD_FILE)).ok()
}
