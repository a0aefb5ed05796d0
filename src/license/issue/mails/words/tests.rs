use time::{Duration, macros::datetime};
use uuid::Uuid;

use super::*;
use crate::contract::{
    id::{LicenseId, OrderId, UserId},
    license_key::RANDOM_LETTERS,
    payment::Tier,
};

const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);
const SITE: &str = "https://devforge.example";

fn key() -> LicenseKey {
    LicenseKey::from_random([7; RANDOM_LETTERS])
}

fn license() -> License {
    License {
        id: LicenseId::from_uuid(Uuid::from_u128(1)),
        account: Some(UserId::from_uuid(Uuid::from_u128(2))),
        email: "ada@example.com".to_owned(),
        origin: LicenseOrigin::Order,
        order: Some(OrderId::from_uuid(Uuid::from_u128(3))),
        order_line: None,
        split_from: None,
        tier: Tier::Pro,
        key_end: key().end(),
        seats: 3,
        machines_per_seat: 3,
        overage: 0,
        node_locked: true,
        machines_used: 0,
        expires_at: Some(NOW),
        good_until: Some(NOW + Duration::days(3)),
        fallback: false,
        suspended_by: Vec::new(),
        revoked_by: Vec::new(),
        extra_features: Vec::new(),
        reminded: 0,
        reminded_for: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn of(origin: LicenseOrigin) -> License {
    License { origin, ..license() }
}

fn several(license: &License, count: usize) -> About<'_> {
    About { count, ..about(license) }
}

/// As it is while a subscription pays for what was bought.
fn about(license: &License) -> About<'_> {
    let paying = if license.origin == LicenseOrigin::Order { Paying::Subscription } else { Paying::Nothing };
    About { site: SITE, license, count: 1, paying }
}

/// All words of the plain part with single blanks between them, however it is wrapped.
fn said(message: &Message) -> String {
    let text = message.render("ada@example.com").text;
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn subject(message: &Message) -> String {
    message.render("ada@example.com").subject
}

/// Every mail there is, about a license of this origin.
fn all(origin: LicenseOrigin) -> Vec<Message> {
    let license = of(origin);
    let one = &about(&license);
    let mut all = vec![
        issued(one, &key()),
        several_issued(&several(&license, 25)),
        split_up(one, 3),
        rotated(one, &key()),
        transferred_to(one, &key()),
        transferred_from(&license),
    ];
    for paying in [Paying::Subscription, Paying::Nothing] {
        for count in [1, 3] {
            let these = &About { count, paying, ..*one };
            all.extend([
                reminder(these, 30),
                reminder(these, 1),
                expired(these, NOW),
                expired(these, NOW + Duration::days(3)),
                reinstated(these),
            ]);
            for why in Cause::ALL {
                all.extend([revoked(these, why), suspended(these, why)]);
            }
        }
    }
    all
}

#[test]
fn a_new_license_brings_its_key_and_where_to_go_with_it() {
    let text = said(&issued(&about(&license()), &key()));
    for part in [
        key().expose().as_str(),
        "https://devforge.example/activate?app=electron",
        "https://devforge.example/download",
        "License: Pro",
        "Seats: 3",
        "Machines: up to 9",
        "Paid until: 20 November 2026",
        &format!("your order {}", OrderId::from_uuid(Uuid::from_u128(3))),
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let forever = License { expires_at: None, good_until: None, ..license() };
    assert!(said(&issued(&about(&forever), &key())).contains("Good until: no end"));
}

#[test]
fn whoever_has_no_account_is_told_how_to_get_one() {
    let guest = License { account: None, ..license() };
    assert!(said(&issued(&about(&guest), &key())).contains("https://devforge.example/register"));
    assert!(!said(&issued(&about(&license()), &key())).contains("/register"));
}

#[test]
fn a_key_is_in_those_mails_that_bring_one_and_in_no_address_or_subject() {
    let letters = key().expose();
    for origin in LicenseOrigin::ALL {
        let bring = all(*origin).iter().filter(|message| said(message).contains(&letters)).count();
        assert_eq!(bring, 3, "issued, rotated, given");
        for message in all(*origin) {
            assert!(!subject(&message).contains(&key().end()), "{}", subject(&message));
            let text = said(&message);
            for address in text.split(' ').filter(|word| word.starts_with("http")) {
                assert!(!address.contains("DF-") && !address.contains(&key().end()), "{address}");
            }
        }
    }
    // The end of the new key is the new owner's, and the order is not.
    assert!(!said(&transferred_to(&about(&license()), &key())).contains("ord_"));
    assert!(!said(&transferred_from(&license())).contains(&key().end()));
}

#[test]
fn mails_speak_as_everything_here_does() {
    for origin in LicenseOrigin::ALL {
        for message in all(*origin) {
            let (subject, text) = (subject(&message), said(&message));
            assert!(subject.starts_with(char::is_uppercase), "{subject}");
            assert!(!subject.ends_with('.'), "{subject}");
            for word in ["!", "licence", "simply", "Oops", "  "] {
                assert!(!text.contains(word) && !subject.contains(word), "{word}: {subject}: {text}");
            }
        }
    }
}

#[test]
fn a_reminder_says_the_day_and_what_can_be_done_about_it() {
    for (origin, what, path) in [
        (LicenseOrigin::Trial, "Your trial of Dev Forge Pro", "/pricing"),
        (LicenseOrigin::Order, "Your Dev Forge Pro license", "/account/billing/subscription"),
        (LicenseOrigin::Staff, "Your Dev Forge Pro license", "/account/licenses/lic_"),
    ] {
        let license = of(origin);
        let message = reminder(&about(&license), 7);
        assert_eq!(subject(&message), format!("{what} ends on 20 November 2026"));
        assert!(said(&message).contains(path), "{}", said(&message));
        assert!(!said(&message).contains("last reminder"));
        assert!(said(&reminder(&about(&license), 1)).contains("last reminder"));
    }
}

#[test]
fn what_has_ended_says_whether_it_still_works() {
    let during = said(&expired(&about(&license()), NOW + Duration::days(3) - Duration::SECOND));
    assert!(during.contains("good until 23 November 2026"), "{during}");
    assert!(!during.contains("free tier"), "{during}");
    let over = said(&expired(&about(&license()), NOW + Duration::days(3)));
    assert!(over.contains("free tier") && !over.contains("23 November"), "{over}");
    let keeps = License { fallback: true, ..license() };
    assert!(said(&expired(&about(&keeps), NOW)).contains("until 20 November 2026 stay covered"));
}

#[test]
fn who_loses_a_license_is_told_why() {
    let why = |cause| said(&revoked(&about(&license()), cause));
    assert!(why(Cause::Refund).contains("money for it went back to you"));
    assert!(why(Cause::Dispute).contains("bank took back"));
    assert!(why(Cause::Staff).contains("write to us"));
    let held = |cause| said(&suspended(&about(&license()), cause));
    assert!(held(Cause::Dispute).contains("bank questions the payment"));
    assert!(held(Cause::Subscription).contains("/account/billing/subscription"));
    assert!(held(Cause::Staff).contains("For now"));
}

#[test]
fn only_what_a_subscription_pays_for_is_said_to_follow_one() {
    let bought = license();
    let runs = about(&bought);
    let ended = About { paying: Paying::Nothing, ..runs };
    assert!(said(&reminder(&runs, 7)).contains("follows your subscription"));
    assert!(said(&expired(&runs, NOW)).contains("/account/billing/subscription"));
    for text in [said(&reminder(&ended, 7)), said(&expired(&ended, NOW)), said(&rotated(&ended, &key()))] {
        assert!(!text.contains("subscription") && !text.contains("Paid until"), "{text}");
    }
    assert!(said(&reminder(&ended, 7)).contains("/pricing"));
}

#[test]
fn what_happens_to_several_is_said_of_all_of_them() {
    let license = license();
    let three = several(&license, 3);
    for (message, title) in [
        (revoked(&three, Cause::Refund), "Your 3 Dev Forge licenses have ended with the refund"),
        (suspended(&three, Cause::Dispute), "Your 3 Dev Forge licenses are held back"),
        (reinstated(&three), "Your 3 Dev Forge licenses work again"),
        (reminder(&three, 7), "Your 3 Dev Forge licenses end on 20 November 2026"),
        (expired(&three, NOW), "Your 3 Dev Forge licenses have ended"),
    ] {
        assert_eq!(subject(&message), title);
        let text = said(&message);
        assert!(text.contains("Licenses: 3"), "{text}");
        // The end of one key of three names none of them.
        assert!(!text.contains(&key().end()), "{text}");
    }
}
