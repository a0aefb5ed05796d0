//! What mails about accounts say.
//!
//! What always holds: a mail with a link that opens something is sensitive, and says how long the link is good
//! and what to do if one did not ask for it; an address that nobody has proven gets only what proves it; an account
//! cannot be made to write as often as somebody likes.

mod store;

use sqlx::PgConnection;
use time::{
    Duration, OffsetDateTime, UtcOffset, format_description::StaticFormatDescription,
    macros::format_description,
};

use super::Error;
use crate::{
    context::Context,
    contract::account::User,
    mail::{self, Message, Recipient},
};

const DAY: StaticFormatDescription = format_description!("[day padding:none] [month repr:long] [year]");
const MOMENT: StaticFormatDescription =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
const NOT_YOU: &str = "If this was not you, set a new password at once and look at where you are signed in.";

/// All that an address gets while nobody has proven that they read it: it may be a stranger's.
const TO_UNPROVEN: [&str; 2] = ["verify_email", "reset_password"];
/// What is sent however many mails there were: its reader has to act, or may be losing the account. All others are
/// notices, and so are kinds to come.
const IN_ANY_CASE: [&str; 8] = [
    "verify_email",
    "reset_password",
    "password_changed",
    "email_change_old",
    "email_change_new",
    "email_changed",
    "email_is_taken",
    "deletion_requested",
];
/// Nobody does one thing more often in a day and wants to read about each. Counted for every kind by itself, so that
/// whoever makes many of one cannot keep another from being told.
const NOTICES_OF_A_KIND_A_DAY: i64 = 10;

/// Queues a mail to the owner of an account, in the caller's transaction. A notice that is one too many, or that
/// would go to an unproven address, is not written: what it tells stands in the account as well.
pub(crate) async fn send_to(
    conn: &mut PgConnection,
    ctx: &Context,
    user: &User,
    kind: &'static str,
    message: &Message,
) -> Result<(), Error> {
    if !user.email_verified && !TO_UNPROVEN.contains(&kind) {
        return Ok(());
    }
    if !IN_ANY_CASE.contains(&kind) {
        let since = ctx.clock.now() - Duration::DAY;
        // Counted where they stand, on the connection there is: who holds a transaction must not wait for another.
        if store::count(&mut *conn, user.id, kind, since).await? >= NOTICES_OF_A_KIND_A_DAY {
            return Ok(());
        }
    }
    // Whoever registers an address that is not theirs would otherwise write into a stranger's mail, by the name.
    let (to, message) = if user.email_verified {
        let greeting = format!("Hello {},", user.name);
        (Recipient::new(&user.email, &user.name), message.clone().greeting(greeting))
    } else {
        (Recipient::nameless(&user.email), message.clone().greeting("Hello,"))
    };
    mail::send_to_account(conn, ctx, user.id, &to, kind, &message).await?;
    Ok(())
}

pub(crate) fn verify(url: &str) -> Message {
    Message::new("Confirm your mail address")
        .paragraph("there is a new Dev Forge account with this address. Please confirm that it is yours.")
        .action("Confirm the address", url)
        .note("The link works once, for 24 hours. If you did not make this account, do nothing.")
        .sensitive()
}

pub(crate) fn reset(url: &str) -> Message {
    Message::new("Set a new password")
        .paragraph("somebody asked for a new password for your Dev Forge account. If it was you, set it here.")
        .action("Set a new password", url)
        .note("The link works once, for 30 minutes. If you did not ask for it, do nothing: your password stays.")
        .sensitive()
}

/// To somebody who has paid as a guest, and for whom an account was made.
pub(crate) fn welcome_buyer(forgot: &str, order: &str) -> Message {
    Message::new("Your Dev Forge account")
        .greeting("Hello,")
        .paragraph(
            "thank you for your order. An account with this address was made for it: there you find your license, \
             your invoices and your machines.",
        )
        .facts(vec![("Your order", order)])
        .paragraph("To sign in for the first time, have a link mailed to this address and choose a password.")
        .action("Choose a password", forgot)
        .note("If you did not buy anything from us, write to our support: somebody has used your address.")
        .sensitive()
}

pub(crate) fn password_changed(when: OffsetDateTime) -> Message {
    Message::new("Your password was changed")
        .paragraph("your Dev Forge account has a new password. Everywhere else you have been signed out.")
        .facts(vec![("When", moment(when))])
        .note(
            "If this was not you, ask for a new password on the page where you sign in, and write to our support.",
        )
}

/// With a link from a mail, at an address that was proven before.
pub(crate) fn password_reset(ctx: &Context, when: OffsetDateTime, place: &str) -> Message {
    Message::new("Your password was changed")
        .paragraph("your Dev Forge account has a new password. You have been signed out everywhere.")
        .facts(vec![("When", moment(when)), ("Where", place.to_owned())])
        .paragraph(
            "Passkeys and personal tokens stay, and open the account as before. Look whether all of them are yours.",
        )
        .action("See what opens your account", security(ctx))
        .note(
            "If this was not you, ask for a new password on the page where you sign in, and write to our support.",
        )
}

/// With a link from a mail, at an address that nobody had proven.
pub(crate) fn first_proven_by_reset(when: OffsetDateTime, place: &str) -> Message {
    Message::new("Your password was changed")
        .paragraph("your Dev Forge account has a new password, and your mail address is confirmed.")
        .facts(vec![("When", moment(when)), ("Where", place.to_owned())])
        .paragraph(
            "Until now nobody had shown that the account is theirs. So passkeys, personal tokens and two-factor \
             sign-in from before are removed, and everybody is signed out. For now your name is what your address \
             begins with.",
        )
        .note(
            "If this was not you, ask for a new password on the page where you sign in, and write to our support.",
        )
}

pub(crate) fn email_change_old(new_email: &str, url: &str) -> Message {
    Message::new("Your mail address is to change")
        .paragraph("somebody who is signed in to your Dev Forge account wants to change its mail address.")
        .facts(vec![("New address", new_email)])
        .action("Agree to the change", url)
        .note(
            "The link works once, for 24 hours. If you do nothing, the address stays. If this was not you, \
             set a new password as well: somebody is signed in as you.",
        )
        .sensitive()
}

pub(crate) fn email_change_new(url: &str) -> Message {
    Message::new("Confirm your new mail address")
        .greeting("Hello,")
        .paragraph(
            "a Dev Forge account is to have this address from now on. Please confirm that it is yours.",
        )
        .action("Confirm the address", url)
        .note("The link works once, for 24 hours. If you know nothing of this, do nothing.")
        .sensitive()
}

/// To the address there was before.
pub(crate) fn email_changed(new_email: &str) -> Message {
    Message::new("Your mail address was changed")
        .paragraph("your Dev Forge account has another mail address. This is the last mail to this one.")
        .facts(vec![("New address", new_email)])
        .note("If this was not you, write to our support at once.")
}

/// To an address that somebody wants for their account while another account has it.
pub(crate) fn email_is_taken() -> Message {
    Message::new("Your mail address has an account")
        .greeting("Hello,")
        .paragraph(
            "somebody wants to use this address for another Dev Forge account. It has one already, yours.",
        )
        .note("There is nothing to do. If it was you, sign in with this address, or change it there first.")
}

pub(crate) fn new_device(device: &str, place: &str, when: OffsetDateTime, security_url: &str) -> Message {
    Message::new("A new sign-in to your account")
        .paragraph("your Dev Forge account was signed in to on a device we have not seen before.")
        .facts(vec![("Device", device.to_owned()), ("Where", place.to_owned()), ("When", moment(when))])
        .action("See where you are signed in", security_url)
        .note(format!("If it was you, there is nothing to do. {NOT_YOU}"))
}

pub(crate) fn two_factor_on(ctx: &Context) -> Message {
    Message::new("Two-factor sign-in is on")
        .paragraph("from now on, signing in to your Dev Forge account asks for a code from your app as well.")
        .paragraph("Keep your recovery codes where you find them without your phone.")
        .action("See how you sign in", security(ctx))
        .note(NOT_YOU)
}

pub(crate) fn two_factor_off(ctx: &Context) -> Message {
    Message::new("Two-factor sign-in is off")
        .paragraph("from now on, your password alone opens your Dev Forge account.")
        .action("See how you sign in", security(ctx))
        .note(NOT_YOU)
}

pub(crate) fn recovery_codes_made(ctx: &Context) -> Message {
    Message::new("New recovery codes were made")
        .paragraph("your Dev Forge account has new recovery codes. Those from before do not work any more.")
        .action("See how you sign in", security(ctx))
        .note(NOT_YOU)
}

pub(crate) fn recovery_code_used(ctx: &Context, left: u32) -> Message {
    let rest = match left {
        0 => "It was the last one. Make new ones before you need one again.".to_owned(),
        1 => "One is left. Make new ones before you need it.".to_owned(),
        left => format!("{left} are left."),
    };
    Message::new("A recovery code was used")
        .paragraph(format!("your Dev Forge account was signed in to with a recovery code. {rest}"))
        .action("Make new recovery codes", security(ctx))
        .note(NOT_YOU)
}

pub(crate) fn passkey_added(ctx: &Context, name: &str) -> Message {
    Message::new("A passkey was added")
        .paragraph("your Dev Forge account can be signed in to with a new passkey.")
        .facts(vec![("Passkey", name)])
        .action("See your passkeys", security(ctx))
        .note(format!("If this was not you, remove it. {NOT_YOU}"))
}

pub(crate) fn passkey_removed(ctx: &Context, name: &str) -> Message {
    Message::new("A passkey was removed")
        .paragraph("a passkey does not open your Dev Forge account any more.")
        .facts(vec![("Passkey", name)])
        .action("See your passkeys", security(ctx))
        .note(NOT_YOU)
}

pub(crate) fn token_created(name: &str) -> Message {
    Message::new("A personal token was made")
        .paragraph("a program can use your Dev Forge account with a new personal token.")
        .facts(vec![("Token", name)])
        .note(format!("If this was not you, revoke it in your account. {NOT_YOU}"))
}

pub(crate) fn refresh_reused(device: &str, security_url: &str) -> Message {
    Message::new("A program was signed out of your account")
        .paragraph(
            "a key with which a program stays signed in was used twice. One of the two may have been a copy, so we \
             ended that sign-in.",
        )
        .facts(vec![("Program", device)])
        .action("See where you are signed in", security_url)
        .note(format!("To go on, sign in again in that program. {NOT_YOU}"))
}

pub(crate) fn deletion_requested(when: OffsetDateTime, url: &str) -> Message {
    Message::new("Your account will be deleted")
        .paragraph(format!(
            "you asked us to delete your Dev Forge account. It is kept until {}, and then it is gone for good.",
            day(when)
        ))
        .action("Keep the account", url)
        .note(format!("To keep it, sign in and say so before that day. {NOT_YOU}"))
}

pub(crate) fn export_ready(url: &str) -> Message {
    Message::new("Your data is ready")
        .paragraph(
            "the archive with everything we keep about you is ready. You can load it down for seven days.",
        )
        .action("Go to the archive", url)
        .note("It opens only where you are signed in. If you did not ask for it, set a new password.")
}

fn security(ctx: &Context) -> String {
    format!("{}/account/security", ctx.config.http.public_url)
}

// Both descriptions hold nothing that a date could lack.

fn moment(when: OffsetDateTime) -> String {
    when.to_offset(UtcOffset::UTC).format(MOMENT).unwrap_or_default()
}

fn day(when: OffsetDateTime) -> String {
    when.to_offset(UtcOffset::UTC).format(DAY).unwrap_or_default()
}
