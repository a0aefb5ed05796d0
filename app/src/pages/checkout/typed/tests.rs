use super::*;

fn complete() -> Typed {
    let text = |text: &str| text.to_owned();
    Typed {
        tier: text("pro"),
        seats: text("3"),
        email: text("ada@example.com"),
        name: text("Ada Lovelace"),
        country: text("DE"),
        line1: text("Hauptstraße 1"),
        postal_code: text("10115"),
        city: text("Berlin"),
        ..Typed::default()
    }
}

fn fields(wrong: &Mistakes) -> Vec<&str> {
    wrong.fields.iter().map(|(field, _)| field.as_str()).collect()
}

#[test]
fn a_month_in_dollars_is_what_is_meant_without_a_word() {
    let expected = Chosen { tier: Tier::Pro, interval: Interval::Month, currency: Currency::Usd };
    assert_eq!(complete().chosen(), Some(expected));
    for (tier, interval, currency) in
        [("", "", ""), ("gold", "", ""), ("pro", "week", ""), ("pro", "", "chf")]
    {
        let typed = Typed {
            tier: tier.to_owned(),
            interval: interval.to_owned(),
            currency: currency.to_owned(),
            ..Typed::default()
        };
        assert_eq!(typed.chosen(), None, "{tier} {interval} {currency}");
    }
}

#[test]
fn seats_are_a_whole_number_within_the_limits() {
    let count = |seats: &str| Typed { seats: seats.to_owned(), ..Typed::default() }.seat_count();
    assert_eq!((count("1"), count(" 10000 ")), (Some(1), Some(10_000)));
    for text in ["", "0", "10001", "-1", "1.5", "many", "99999999999"] {
        assert_eq!(count(text), None, "{text}");
    }
}

#[test]
fn an_empty_form_says_what_is_missing_from_top_to_bottom() {
    let wrong = in_order(Typed::default().check(&Buyer::Guest));
    let missing = ["seats", "email", "name", "country", "line1", "postalCode", "city"];
    assert_eq!(fields(&wrong), missing);
    assert!(complete().check(&Buyer::Guest).is_empty());
}

#[test]
fn who_is_signed_in_needs_no_address_for_mail_and_cannot_give_another() {
    let id = "usr_01h2xcejqtf2nbrexx3vqjhp41".parse().expect("an id");
    let buyer = Buyer::SignedIn { id, email: "ada@example.com".to_owned(), name: "Ada".to_owned() };
    let typed = Typed { email: String::new(), ..complete() };
    assert!(typed.check(&buyer).is_empty());
    let chosen = complete().chosen().expect("known words");
    assert_eq!(complete().request(chosen, &buyer).email, None);
    assert_eq!(complete().request(chosen, &Buyer::Guest).email.as_deref(), Some("ada@example.com"));
}

#[test]
fn a_postal_code_is_asked_for_where_there_are_some() {
    let typed =
        |country: &str| Typed { country: country.to_owned(), postal_code: String::new(), ..complete() };
    assert_eq!(fields(&typed("DE").check(&Buyer::Guest)), ["postalCode"]);
    assert!(typed("HK").check(&Buyer::Guest).is_empty());
}

#[test]
fn a_line_that_is_far_too_long_or_two_lines_is_sent_back() {
    let typed = Typed { line2: "ä".repeat(201), region: "a\nb".to_owned(), ..complete() };
    assert_eq!(fields(&typed.check(&Buyer::Guest)), ["line2", "region"]);
}

#[test]
fn only_a_token_of_ours_is_taken() {
    let mut typed = complete();
    assert!(!typed.has_token());
    typed.renew_token(&Random::seeded(1));
    assert!(typed.has_token());
    let first = typed.form.clone();
    typed.form.replace_range(..1, "G");
    assert!(!typed.has_token());
    typed.renew_token(&Random::seeded(2));
    assert_ne!(typed.form, first);
}

#[test]
fn the_same_form_sent_twice_is_one_wish_and_with_more_seats_another() {
    let mut typed = complete();
    typed.renew_token(&Random::seeded(1));
    let mut again = Typed { step: "pay".to_owned(), seen: "$0.01".to_owned(), ..typed.clone() };
    assert_eq!(again.request_key(), typed.request_key());
    again.seats = "4".to_owned();
    assert_ne!(again.request_key(), typed.request_key());
}

#[test]
fn mistakes_of_the_domain_stand_at_the_fields_of_the_form_once() {
    let mut wrong = Mistakes::default();
    wrong.add("address.city", "one");
    wrong.add("email", "two");
    wrong.add("city", "three");
    assert_eq!(fields(&in_order(wrong)), ["email", "city"]);
}
