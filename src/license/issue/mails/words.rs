//! What mails about licenses say.
//!
//! What always holds: a mail says which license it is about, or how many, what holds now and what to do; a key stands in
//! a mail as a code of its own, and in no address and no subject; only what a subscription moves on is said to follow one.

use time::{
    OffsetDateTime, UtcOffset, format_description::StaticFormatDescription, macros::format_description,
};

use crate::{
    contract::{license::LicenseOrigin, license_key::LicenseKey},
    license::{License, rules::Cause},
    mail::Message,
};

const DAY: StaticFormatDescription = format_description!("[day padding:none] [month repr:long] [year]");
/// What becomes of machines whose license does not work.
const FREE_TIER: &str =
    "The editor goes to the free tier at its next check. Your files and settings stay as they are.";
const NOT_YOU: &str = "If you know nothing of this, set a new password and write to us.";

/// What moves the end of a license on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paying {
    /// A subscription that runs.
    Subscription,
    Nothing,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub site: &'a str,
    /// The only one, or the first of them.
    pub license: &'a License,
    pub count: usize,
    pub paying: Paying,
}

impl About<'_> {
    /// What fits one license, or several.
    const fn fits<'a>(&self, one: &'a str, several: &'a str) -> &'a str {
        if self.count == 1 { one } else { several }
    }

    /// “your Dev Forge Pro license”, “your 3 Dev Forge licenses”.
    fn what(&self) -> String {
        match self.count {
            1 => what(self.license),
            count => format!("your {count} Dev Forge licenses"),
        }
    }

    /// Where to see it, or all of them.
    fn page(&self) -> (&'static str, String) {
        match self.count {
            1 => ("See the license", own_page(self.site, self.license)),
            _ => ("See the licenses", list_page(self.site)),
        }
    }

    fn see(&self, message: Message) -> Message {
        let (label, page) = self.page();
        message.action(label, page)
    }

    /// Which it is, or how many.
    fn which(&self) -> (&'static str, String) {
        match self.count {
            1 => license_fact(self.license),
            count => ("Licenses", count.to_string()),
        }
    }

    /// Which it is, and how it stands.
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self.count {
            1 => vec![self.which(), ("Seats", self.license.seats.to_string()), self.until()],
            // Each has its own seats.
            _ => vec![self.which(), self.until()],
        }
    }

    fn until(&self) -> (&'static str, String) {
        let label = match (self.license.origin, self.paying) {
            (LicenseOrigin::Trial, _) => "Trial until",
            // A renewal moves it on.
            (_, Paying::Subscription) => "Paid until",
            _ => "Good until",
        };
        match self.license.expires_at {
            Some(end) => (label, day(Some(end))),
            None => ("Good until", "no end".to_owned()),
        }
    }
}

pub fn issued(about: &About<'_>, key: &LicenseKey) -> Message {
    let About { site, license, .. } = *about;
    let (subject, text) = if license.origin == LicenseOrigin::Trial {
        (format!("Your trial of {}", product(license)), "your trial begins now. This is its key:")
    } else {
        (format!("Your {} license", product(license)), "your license is ready. This is its key:")
    };
    let message = with_key(Message::new(subject).paragraph(text), about, key);
    let message = match license.order {
        Some(order) => message.paragraph(format!("It belongs to your order {order}.")),
        None => message,
    };
    message
        .note(format!(
            "Whoever has this key can use the license. If others have got hold of it, rotate it at {}.",
            own_page(site, license)
        ))
        .note(account_note(site, license))
}

pub fn several_issued(about: &About<'_>) -> Message {
    let About { site, license, count, .. } = *about;
    Message::new(format!("You have {count} new licenses for {}", product(license)))
        .paragraph("your licenses are ready. Each has a key of its own; you see them in your account.")
        .facts(vec![about.which(), ("Seats of each", license.seats.to_string()), about.until()])
        .action("See the licenses", list_page(site))
        .note(format!("The editor is at {site}/download."))
}

/// `about` is the one that was there before, which has one seat by now.
pub fn split_up(about: &About<'_>, count: u32) -> Message {
    let About { site, license, .. } = *about;
    Message::new(format!("Your {} license is now {count} licenses", product(license)))
        .paragraph(format!(
            "your license was split into {count} licenses of one seat. Each has a key of its own; the first keeps the \
             key that it had."
        ))
        .facts(vec![license_fact(license), about.until()])
        .action("See the licenses", list_page(site))
        .note(NOT_YOU)
}

pub fn reminder(about: &About<'_>, days: i64) -> Message {
    let About { site, license, .. } = *about;
    let (what, end) = (about.what(), day(license.expires_at));
    let ends = about.fits("ends", "end");
    let message = Message::new(format!("{} {ends} on {end}", capital(&what)))
        .paragraph(format!("{what} {ends} on {end}."))
        .facts(about.facts());
    let message =
        match (license.origin, about.paying) {
            (LicenseOrigin::Trial, _) => message
                .paragraph("Nothing is charged: a trial ends by itself.")
                .paragraph("To go on without a gap, buy a license before that day.")
                .action("See the prices", format!("{site}/pricing")),
            (_, Paying::Subscription) => message
                .paragraph(format!(
                    "{} your subscription, which does not go on as things are. You can change that there.",
                    about.fits("It follows", "They follow")
                ))
                .action("See your subscription", subscription_page(site)),
            _ => about.see(message.paragraph(format!(
                "To go on after that day, buy a license at {site}/pricing, or write to us."
            ))),
        };
    let message = with_fallback(message, license);
    if days > 1 { message } else { message.note("This is the last reminder before the end.") }
}

pub fn expired(about: &About<'_>, now: OffsetDateTime) -> Message {
    let About { site, license, .. } = *about;
    let what = about.what();
    let message = Message::new(format!("{} {}", capital(&what), about.fits("has ended", "have ended")));
    let ended = day(license.expires_at);
    let message = match license.good_until.filter(|until| *until > now) {
        Some(until) => message.paragraph(format!(
            "{what} ended on {ended}. The editor takes {} as good until {}, so that nothing stops in the middle of your \
             work.",
            about.fits("it", "them"),
            day(Some(until))
        )),
        None => message.paragraph(format!("{what} ended on {ended}.")).paragraph(FREE_TIER),
    };
    let message = with_fallback(message.facts(vec![about.which()]), license);
    match about.paying {
        Paying::Subscription => message.action("See your subscription", subscription_page(site)),
        Paying::Nothing => message.action("See the prices", format!("{site}/pricing")),
    }
}

pub fn rotated(about: &About<'_>, key: &LicenseKey) -> Message {
    let message = Message::new(format!("A new key for your {} license", product(about.license)))
        .paragraph("your license has a new key. The old one does not work any more. This is the new one:");
    with_key(message, about, key)
        .paragraph("Enter it on each machine. The machines keep their places, so none has to be removed first.")
        .note(
            "You or our support asked for this, most often because others had got hold of the old key. If you know \
             nothing of it, set a new password and write to us.",
        )
}

pub fn transferred_to(about: &About<'_>, key: &LicenseKey) -> Message {
    let message = Message::new(format!("A {} license is yours now", product(about.license)))
        .paragraph("a license was given to you. No machine is active on it yet. This is its key:");
    with_key(message, about, key).note(account_note(about.site, about.license))
}

/// Without the end of the key, which is not theirs any more.
pub fn transferred_from(license: &License) -> Message {
    Message::new(format!("Your {} license has a new owner", product(license)))
        .paragraph(
            "your license was given away. The key that you had does not work any more, and no machine is active on it.",
        )
        .facts(vec![
            ("License", license.tier.label().to_owned()),
            ("Seats", license.seats.to_string()),
            ("New owner", license.email.clone()),
        ])
        .paragraph(FREE_TIER)
        .note(NOT_YOU)
}

pub fn revoked(about: &About<'_>, why: Cause) -> Message {
    let so = about.fits("so it does not work any more", "so they do not work any more");
    let reason = match why {
        Cause::Refund => format!("The money for {} went back to you, {so}.", about.fits("it", "them")),
        Cause::Dispute => format!("The bank took back the money for {}, {so}.", about.fits("it", "them")),
        Cause::Staff | Cause::Subscription => format!(
            "We have taken {} away, {so}. If you do not know why, write to us.",
            about.fits("it", "them")
        ),
    };
    let became = match why {
        Cause::Refund => about.fits("has ended with the refund", "have ended with the refund"),
        _ => about.fits("was taken away", "were taken away"),
    };
    let message = Message::new(format!("{} {became}", capital(&about.what())))
        .paragraph(format!("this is about {}. {reason}", about.what()))
        .facts(vec![about.which()])
        .paragraph(FREE_TIER);
    match why {
        Cause::Refund | Cause::Dispute => message.action("See the prices", format!("{}/pricing", about.site)),
        Cause::Staff | Cause::Subscription => about.see(message),
    }
}

pub fn suspended(about: &About<'_>, why: Cause) -> Message {
    let held = about.fits("it is held back", "they are held back");
    let reason = match why {
        Cause::Dispute => format!(
            "The bank questions the payment, so {held} until that is settled. If you did not mean to question it, tell \
             your bank."
        ),
        Cause::Subscription => {
            format!("The subscription is paused, so {held} until the subscription goes on.")
        }
        Cause::Staff | Cause::Refund => format!(
            "For now, {held} by us. Nothing of {} is lost. If you do not know why, write to us.",
            about.fits("it", "them")
        ),
    };
    let is = about.fits("is", "are");
    let message = Message::new(format!("{} {is} held back", capital(&about.what())))
        .paragraph(format!("this is about {}. {reason}", about.what()))
        .facts(vec![about.which()])
        .paragraph(FREE_TIER);
    match why {
        Cause::Subscription => message.action("See your subscription", subscription_page(about.site)),
        _ => about.see(message),
    }
}

pub fn reinstated(about: &About<'_>) -> Message {
    let (works, machines) =
        (about.fits("works again", "work again"), about.fits("Its machines find", "Their machines find"));
    let message = Message::new(format!("{} {works}", capital(&about.what())))
        .paragraph(format!("{} {works}. {machines} out at their next check.", about.what()))
        .facts(about.facts());
    about.see(message)
}

/// The key, what to do with it, and what it is for.
fn with_key(message: Message, about: &About<'_>, key: &LicenseKey) -> Message {
    let About { site, license, .. } = *about;
    let known = vec![
        ("License", license.tier.label().to_owned()),
        ("Seats", license.seats.to_string()),
        ("Machines", format!("up to {}", license.machine_limit())),
        about.until(),
    ];
    message
        .code(key.expose())
        // The page asks for the key: it is in no address, where it would be kept by whatever stands between.
        .action("Activate license", format!("{site}/activate?app=electron"))
        .facts(known)
        .paragraph(format!("The editor is at {site}/download."))
}

fn with_fallback(message: Message, license: &License) -> Message {
    if !license.fallback {
        return message;
    }
    message.paragraph(format!("Versions that came out until {} stay covered.", day(license.expires_at)))
}

fn license_fact(license: &License) -> (&'static str, String) {
    ("License", format!("{}, {}", license.tier.label(), license.masked_key()))
}

fn account_note(site: &str, license: &License) -> String {
    if license.account.is_some() {
        format!("Its machines and all there is to it: {}", own_page(site, license))
    } else {
        format!(
            "To see its machines and its key again, make an account with this address at {site}/register and prove the \
             address."
        )
    }
}

/// “Dev Forge Pro”.
fn product(license: &License) -> String {
    format!("Dev Forge {}", license.tier.label())
}

/// “your Dev Forge Pro license”.
fn what(license: &License) -> String {
    match license.origin {
        LicenseOrigin::Trial => format!("your trial of {}", product(license)),
        _ => format!("your {} license", product(license)),
    }
}

/// As a sentence begins.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn list_page(site: &str) -> String {
    format!("{site}/account/licenses")
}

fn own_page(site: &str, license: &License) -> String {
    format!("{site}/account/licenses/{}", license.id)
}

fn subscription_page(site: &str) -> String {
    format!("{site}/account/billing/subscription")
}

/// The description holds nothing that a date could lack.
fn day(when: Option<OffsetDateTime>) -> String {
    when.and_then(|when| when.to_offset(UtcOffset::UTC).format(DAY).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
