//! What stands about a license wherever it is seen, and what the forms about licenses have in common.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use devforge::{
    api::error::ApiError,
    billing::catalogue::{self, Cell, FeatureRow},
    context::Context,
    contract::{
        license::{License, LicenseOrigin, LicenseStatus, MachineCount},
        license_key::LicenseKey,
        payment::Tier,
    },
    crypto,
    license::{
        Error,
        issue::{self, Issued},
    },
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{checkout::summary::in_words, moments::day};
use crate::components::{Badge, Icon};

/// Above this a row of places cannot be counted by eye.
const COUNTABLE: u32 = 30;
const TOKEN_DIGITS: usize = 32;

/// What a form carries so that, sent twice, it does once what it does.
pub fn form_token(ctx: &Context) -> String {
    crypto::to_hex(&ctx.random.bytes::<{ TOKEN_DIGITS / 2 }>())
}

/// The request that a form's token names. None for what is no token of ours.
pub fn form_request(token: &str) -> Option<String> {
    let ours = token.len() == TOKEN_DIGITS && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    ours.then(|| format!("form:{token}"))
}

/// A file that is kept nowhere on the way.
pub fn download(kind: &'static str, name: &'static str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition.as_str()),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    (headers, bytes).into_response()
}

/// Licenses with their keys, as a table to take along.
pub fn keys_file(issued: &[Issued]) -> Result<Response, Error> {
    Ok(download("text/csv; charset=utf-8", "devforge-licenses.csv", issue::csv(issued)?))
}

/// "Pro, 3 seats".
pub fn what(license: &License) -> String {
    in_words(license.tier.label(), license.seats)
}

pub const fn title(tier: Tier) -> &'static str {
    match tier {
        Tier::Free => "Free license",
        Tier::Pro => "Pro license",
        Tier::Enterprise => "Enterprise license",
    }
}

/// How a license stands, as a word with its shape.
pub fn status_badge(status: LicenseStatus) -> AnyView {
    let (tone, icon) = match status {
        LicenseStatus::Active => ("ok", "ok"),
        LicenseStatus::Grace => ("warn", "clock"),
        LicenseStatus::Expired => ("plain", "clock"),
        LicenseStatus::Suspended => ("warn", "lock"),
        LicenseStatus::Revoked => ("bad", "x"),
    };
    view! { <Badge tone=tone icon=icon label=status.label()/> }.into_any()
}

/// When it ends: what kind of end that is, and the day. Whether it is paid for up to there, its subscription says.
pub fn end_of(license: &License, now: OffsetDateTime) -> (&'static str, String) {
    let Some(at) = license.expires_at else { return ("Ends", "Never".to_owned()) };
    let kind = match license.origin {
        _ if at <= now => "Ended",
        LicenseOrigin::Trial => "Trial until",
        LicenseOrigin::Order | LicenseOrigin::Staff | LicenseOrigin::Split => "Good until",
    };
    (kind, day(at))
}

/// The same in a line of other things.
pub fn end_in_words(license: &License, now: OffsetDateTime) -> String {
    let (kind, day) = end_of(license, now);
    if license.expires_at.is_some() { format!("{kind} {day}") } else { "Does not end".to_owned() }
}

pub fn machines_in_words(machines: MachineCount) -> String {
    format!("{} of {} in use", machines.used, machines.limit)
}

/// How many places are taken, to be seen at a glance where they can be.
pub fn meter(machines: MachineCount) -> AnyView {
    let MachineCount { used, limit } = machines;
    let track = (limit <= COUNTABLE).then(|| {
        let places = (0..limit)
            .map(|place| {
                let taken = place < used;
                view! { <span class:on=taken></span> }
            })
            .collect_view();
        view! { <div class="meter-track" aria-hidden="true">{places}</div> }
    });
    view! {
        <div class="meter">
            <p><b>{used}</b>{format!(" of {limit} in use")}</p>
            {track}
        </div>
    }
    .into_any()
}

/// A key of which only the last group shows, and what can be done about that.
pub fn masked_plate(masked: &str, control: AnyView) -> AnyView {
    let end = masked.rsplit('-').next().unwrap_or_default();
    let said = format!("License key ending in {end}");
    plate(masked, said.into_any(), control)
}

/// The whole key. It may stand on a page that is stored nowhere, and answers a form.
pub fn open_plate(key: &LicenseKey) -> AnyView {
    let text = key.expose();
    let said = view! { "License key "<span id="license-key">{text.clone()}</span> };
    let copy = view! {
        <button class="button ghost small" type="button" data-copy="license-key" hidden=true>
            <Icon name="copy" size=16/>"Copy"
        </button>
    };
    plate(&text, said.into_any(), copy.into_any())
}

fn plate(key: &str, said: AnyView, control: AnyView) -> AnyView {
    let groups = key
        .split('-')
        .map(|group| {
            let masked = group.starts_with('•');
            view! { <span class:masked=masked>{group.to_owned()}</span> }
        })
        .collect_view();
    view! {
        <div class="key-plate">
            <p class="visually-hidden">{said}</p>
            <div class="key-groups" aria-hidden="true">{groups}</div>
            <div class="actions">{control}</div>
        </div>
    }
    .into_any()
}

/// Opens the editor, where it is installed, with the license in hand. It is followed by the browser and by no server,
/// and what stands behind the `#` is sent to none, should somebody paste it elsewhere.
pub fn editor_link(key: &LicenseKey, email: &str) -> String {
    format!("devforge://activate#key={}&email={}", encode(&key.expose()), encode(email))
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// What a license turns on, in the words of the price list. A feature that is not on it stands as its code.
pub async fn turned_on(ctx: &Context, license: &License) -> Result<Vec<String>, ApiError> {
    let rows: Vec<FeatureRow> =
        catalogue::comparison(ctx).await?.into_iter().flat_map(|group| group.rows).collect();
    let place = Tier::ALL.iter().position(|tier| *tier == license.tier);
    let name = |code: &String| {
        let Some(row) = rows.iter().find(|row| row.code == *code) else { return code.clone() };
        match place.and_then(|place| row.tiers.get(place)) {
            Some(Cell::Words(words)) => format!("{}: {words}", row.name),
            _ => row.name.clone(),
        }
    };
    Ok(license.features.iter().map(name).collect())
}

pub fn feature_list(features: Vec<String>) -> AnyView {
    let items = features
        .into_iter()
        .map(|name| view! { <li><Icon name="check" size=16/><span>{name}</span></li> })
        .collect_view();
    view! { <ul class="turned-on">{items}</ul> }.into_any()
}

/// Where whoever runs the site is written to. Without an address the imprint says how.
pub fn support_address(ctx: &Context) -> String {
    let email = &ctx.config.operator.email;
    if email.is_empty() { "/legal/imprint".to_owned() } else { format!("mailto:{email}") }
}

#[cfg(test)]
pub mod fixtures {
    use devforge::{
        contract::{
            id::{LicenseId, OrderId, OrderLineId, UserId},
            license::LicenseOrigin,
            payment::Tier,
        },
        license::License,
    };
    use time::macros::datetime;

    /// One that was bought once, is good and has no end.
    pub fn license() -> License {
        License {
            id: LicenseId::from_uuid(Default::default()),
            account: Some(UserId::from_uuid(Default::default())),
            email: "ada@example.com".to_owned(),
            origin: LicenseOrigin::Order,
            order: Some(OrderId::from_uuid(Default::default())),
            order_line: Some(OrderLineId::from_uuid(Default::default())),
            split_from: None,
            tier: Tier::Pro,
            key_end: "CKT1H".to_owned(),
            seats: 1,
            machines_per_seat: 3,
            overage: 0,
            node_locked: true,
            machines_used: 0,
            expires_at: None,
            good_until: None,
            fallback: false,
            suspended_by: Vec::new(),
            revoked_by: Vec::new(),
            extra_features: Vec::new(),
            reminded: 0,
            reminded_for: None,
            created_at: datetime!(2026-11-20 10:00 UTC),
            updated_at: datetime!(2026-11-20 10:00 UTC),
        }
    }
}

#[cfg(test)]
mod tests {
    use devforge::contract::license_key::RANDOM_LETTERS;

    use super::*;

    #[test]
    fn only_a_token_of_ours_names_a_request() {
        let token = "0123456789abcdef0123456789abcdef";
        assert_eq!(form_request(token), Some(format!("form:{token}")));
        for other in ["", "x", &token[1..], &token.replace('0', "g"), &format!("{token}0")] {
            assert_eq!(form_request(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_typed_cannot_add_to_the_editor_s_address() {
        let key = LicenseKey::from_random([7; RANDOM_LETTERS]);
        let address = editor_link(&key, "ada+x&y=1#z%20@exämple.com");
        let email = address.split_once("&email=").map(|(_, email)| email);
        assert_eq!(email, Some("ada%2Bx%26y%3D1%23z%2520%40ex%C3%A4mple.com"));
        assert!(address.starts_with(&format!("devforge://activate#key={}&", key.expose())));
    }
}
