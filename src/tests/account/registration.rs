//! How an account begins, and how its address is proven.

use devforge::{
    account::{self, Choices, Error, NewAccount},
    contract::account::{Registration, Role},
};
use time::Duration;

use super::{
    ADA, GOOD, at, audited, audited_text, mails, newest_mail, problems, published, registered, second, token,
};
use crate::support::{PASSWORD, TestApp, client};

pub fn of(email: &str, name: &str, password: &str) -> Registration {
    Registration { email: email.to_owned(), name: name.to_owned(), password: password.to_owned() }
}

#[tokio::test]
async fn who_registers_is_a_customer_and_proves_the_address_by_a_link_that_works_once() {
    let app = TestApp::start().await;
    let registration = of(" Ada@Example.COM ", "  Ada   Lovelace ", GOOD);
    let ada = account::register(&app.ctx, &registration, &client()).await.expect("registered");
    assert_eq!((ada.email.as_str(), ada.name.as_str()), ("Ada@example.com", "Ada Lovelace"));
    assert_eq!((ada.role, ada.email_verified, ada.two_factor_enabled), (Role::Customer, false, false));
    assert_eq!(ada.avatar_url, format!("/avatars/{}.svg", ada.id));
    assert_eq!(published(&app.ctx, "account.created").await, 1);

    let link = token(&app.ctx, "verify_email").await;
    let proven = account::verify_email(&app.ctx, &link, &client()).await.expect("proven");
    assert!(proven.email_verified);
    let again = account::verify_email(&app.ctx, &link, &client()).await;
    assert!(matches!(again, Err(Error::InvalidToken)), "{again:?}");
    assert_eq!(audited(&app.ctx, "account.email_verified").await, 1);
    assert_eq!(audited_text(&app.ctx, "example.com").await, 0);
}

#[tokio::test]
async fn a_mail_to_an_unproven_address_says_nothing_that_was_typed() {
    let app = TestApp::start().await;
    let registration = of(ADA, "Cheap pills at evil.example", GOOD);
    account::register(&app.ctx, &registration, &client()).await.expect("registered");
    let (to, text) = newest_mail(&app.ctx, "verify_email").await.expect("sent");
    assert_eq!(to, ADA);
    assert!(!text.contains("pills"), "{text}");
    let name: Option<String> =
        sqlx::query_scalar("select to_name from mail_message").fetch_one(&app.ctx.db).await.expect("read");
    assert_eq!(name, None);
}

#[tokio::test]
async fn all_mistakes_are_told_at_once_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let refused = account::register(&app.ctx, &of("ada", "\u{200b}", "short"), &client()).await;
    let expected = [("email", "invalid_email"), ("name", "required"), ("password", "weak_password")]
        .map(|(field, code)| (field.to_owned(), code.to_owned()));
    assert_eq!(problems(refused), expected);
    assert_eq!(account::count(&app.ctx).await.expect("counted"), 0);
    assert_eq!((audited(&app.ctx, "account.created").await, mails(&app.ctx, "verify_email").await), (0, 0));
}

#[tokio::test]
async fn names_and_addresses_of_every_script_come_back_as_they_are() {
    let app = TestApp::start().await;
    let longest = "ß".repeat(200);
    for (number, (email, name)) in [
        ("ada+forge@example.com", "Ada Lovelace"),
        ("li@bücher.example", "李小龍"),
        ("andré@example.com", "محمد بن موسى"),
        ("crab@example.com", "🦀"),
        ("long@example.com", longest.as_str()),
        ("markup@example.com", "<b>Ada</b> & 'Co'"),
    ]
    .into_iter()
    .enumerate()
    {
        let registration = of(email, name, GOOD);
        let made = account::register(&app.ctx, &registration, &client()).await;
        let made = made.unwrap_or_else(|error| panic!("{email}: {error:?}"));
        assert_eq!(made.name, name);
        let stored: (String, String) = sqlx::query_as("select email, name from account where id = $1")
            .bind(made.id.uuid())
            .fetch_one(&app.ctx.db)
            .await
            .expect("read");
        assert_eq!(stored, (made.email, made.name));
        assert_eq!(mails(&app.ctx, "verify_email").await, number as i64 + 1);
    }
    let too_long = account::register(&app.ctx, &of("x@example.com", &"ß".repeat(201), GOOD), &client()).await;
    assert_eq!(problems(too_long), [("name".to_owned(), "invalid_name".to_owned())]);
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_spelling() {
    let app = TestApp::start().await;
    let first = of("Ada+forge@bücher.example", "Ada", GOOD);
    account::register(&app.ctx, &first, &client()).await.expect("registered");
    for other in
        ["ADA+FORGE@BÜCHER.example", "ada+forge@xn--bcher-kva.example", " ada+forge@bu\u{308}cher.example"]
    {
        let refused = account::register(&app.ctx, &of(other, "Ada", GOOD), &client()).await;
        assert!(matches!(refused, Err(Error::EmailTaken)), "{other}: {refused:?}");
    }
    let another = of("ada@bücher.example", "Ada", GOOD);
    account::register(&app.ctx, &another, &client()).await.expect("what stands behind the plus counts");
}

#[tokio::test]
async fn of_those_who_register_one_address_at_once_one_gets_it() {
    let app = TestApp::start().await;
    let other = app.second().await;
    let client = client();
    let registrations: Vec<Registration> =
        (0..8).map(|number| of(if number % 2 == 0 { ADA } else { "ADA@example.com" }, "Ada", GOOD)).collect();
    let tries = registrations.iter().enumerate().map(|(number, registration)| {
        account::register(if number % 3 == 0 { &app.ctx } else { &other }, registration, &client)
    });
    let answers = futures::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let taken = answers.iter().filter(|answer| matches!(answer, Err(Error::EmailTaken))).count();
    assert_eq!(taken, 7, "{answers:?}");
    assert_eq!(account::count(&app.ctx).await.expect("counted"), 1);
    assert_eq!(mails(&app.ctx, "verify_email").await, 1);
}

#[tokio::test]
async fn passwords_that_are_easy_to_guess_are_refused() {
    let app = TestApp::start().await;
    let endless = "walrus teapot ".repeat(200);
    // A megabyte, and eighteen times as many characters in the form that is hashed.
    let enormous = "\u{fdfa}".repeat(350_000);
    for (password, code) in [
        ("", "weak_password"),
        ("oj7&vQ2m!xk", "weak_password"),
        ("qwerty123456", "weak_password"),
        ("ada@example.com", "weak_password"),
        ("Lovelace2026", "weak_password"),
        ("            ", "weak_password"),
        (endless.as_str(), "too_long"),
        (enormous.as_str(), "too_long"),
    ] {
        let refused = account::register(&app.ctx, &of(ADA, "Ada Lovelace", password), &client()).await;
        assert_eq!(problems(refused), [("password".to_owned(), code.to_owned())], "{password:?}");
    }
}

#[tokio::test]
async fn how_hard_a_password_is_to_guess_is_estimated_once_the_rest_is_good() {
    let app = TestApp::start().await;
    let guessable = "Lovelace2026";
    for (email, name, expected) in [
        ("ada", "Ada Lovelace", ("email", "invalid_email")),
        (ADA, "Ada\0Lovelace", ("name", "invalid_name")),
        (ADA, "Ada Lovelace", ("password", "weak_password")),
    ] {
        let refused = account::register(&app.ctx, &of(email, name, guessable), &client()).await;
        assert_eq!(problems(refused), [(expected.0.to_owned(), expected.1.to_owned())]);
    }
}

#[tokio::test]
async fn sixty_forms_an_hour_are_enough_for_one_network_whatever_is_wrong_with_them() {
    let app = TestApp::start().await;
    for _ in 0..60 {
        let refused = account::register(&app.ctx, &of("ada", "Ada", "short"), &client()).await;
        assert_eq!(problems(refused).len(), 2);
    }
    let refused = account::register(&app.ctx, &of("ada", "Ada", "short"), &client()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    account::register(&app.ctx, &of(ADA, "Ada", GOOD), &at("198.51.100.7"))
        .await
        .expect("from another network");
}

#[tokio::test]
async fn twenty_accounts_an_hour_are_enough_for_one_network() {
    let app = TestApp::start().await;
    for number in 0..20 {
        let registration = of(&format!("person-{number}@example.com"), "Ada", GOOD);
        account::register(&app.ctx, &registration, &client()).await.expect("registered");
    }
    let one_more = of("one-more@example.com", "Ada", GOOD);
    let refused = account::register(&app.ctx, &one_more, &client()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    account::register(&app.ctx, &one_more, &at("198.51.100.7")).await.expect("from another network");
}

#[tokio::test]
async fn only_the_newest_link_proves_and_only_for_a_day() {
    let app = TestApp::start().await;
    let (_, caller) = registered(&app, ADA).await;
    let first = token(&app.ctx, "verify_email").await;
    second(&app);
    account::send_verification(&app.ctx, &caller).await.expect("sent again");
    let newest = token(&app.ctx, "verify_email").await;
    let refused = account::verify_email(&app.ctx, &first, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");

    app.ctx.clock.advance(Duration::hours(24));
    let refused = account::verify_email(&app.ctx, &newest, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    for guess in ["", "x", &"x".repeat(100_000)] {
        let refused = account::verify_email(&app.ctx, guess, &client()).await;
        assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    }
}

#[tokio::test]
async fn the_link_is_sent_again_five_times_an_hour_and_not_to_a_proven_address() {
    let app = TestApp::start().await;
    let (_, caller) = registered(&app, ADA).await;
    for _ in 0..5 {
        second(&app);
        account::send_verification(&app.ctx, &caller).await.expect("sent again");
    }
    let refused = account::send_verification(&app.ctx, &caller).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    assert_eq!(mails(&app.ctx, "verify_email").await, 6);

    let link = token(&app.ctx, "verify_email").await;
    account::verify_email(&app.ctx, &link, &client()).await.expect("proven");
    app.ctx.clock.advance(Duration::hours(1));
    let refused = account::send_verification(&app.ctx, &caller).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

#[tokio::test]
async fn an_account_that_the_program_makes_is_proven_and_made_once() {
    let app = TestApp::start().await;
    let made = app.person(" Ada@Example.COM ", Role::Developer).await;
    assert_eq!((made.email.as_str(), made.role), ("Ada@example.com", Role::Developer));
    assert!(made.email_verified);
    assert_eq!(made.created_at, app.ctx.clock.now());
    for email in ["Ada@example.com", "aDA@EXAMPLE.com"] {
        let new = NewAccount { email, name: "Another", role: Role::Admin, password: PASSWORD };
        let refused = account::create(&app.ctx, new).await;
        assert!(matches!(refused, Err(Error::EmailTaken)), "{email}");
    }
    let common =
        NewAccount { email: "b@example.com", name: "B", role: Role::Admin, password: "qwerty123456" };
    assert_eq!(problems(account::create(&app.ctx, common).await).len(), 1);
    assert_eq!(account::count(&app.ctx).await.expect("counted"), 1);
    assert_eq!((mails(&app.ctx, "verify_email").await, audited(&app.ctx, "account.created").await), (0, 1));
}

#[tokio::test]
async fn the_password_is_stored_as_a_hash_only_and_tokens_of_links_as_well() {
    let app = TestApp::start().await;
    registered(&app, ADA).await;
    let link = token(&app.ctx, "verify_email").await;
    let row: String =
        sqlx::query_scalar("select a::text from account a").fetch_one(&app.ctx.db).await.expect("read");
    assert!(row.contains("$argon2id$") && !row.contains(GOOD), "{row}");
    let found: i64 = sqlx::query_scalar(
        "select count(*) from ticket t where t::text like '%' || $1 || '%' or t.token_hash = $2",
    )
    .bind(&link)
    .bind(link.as_bytes())
    .fetch_one(&app.ctx.db)
    .await
    .expect("looked for");
    assert_eq!(found, 0);
}

#[tokio::test]
async fn names_and_choices_are_changed_by_their_owner_and_keep_their_dates() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    account::rename(&app.ctx, &caller, "  Ada   King ").await.expect("renamed");
    account::rename(&app.ctx, &caller, "Ada King").await.expect("nothing to do");
    assert_eq!(problems(account::rename(&app.ctx, &caller, "\u{202e}adA").await).len(), 1);
    assert_eq!(audited(&app.ctx, "account.renamed").await, 1);

    let before = account::profile(&app.ctx, &caller).await.expect("shown");
    assert_eq!(before.user.name, "Ada King");
    assert_eq!((before.analytics_consent_at, before.product_mail_since), (None, None), "nobody said yes yet");
    let yes = app.ctx.clock.now();
    let analytics = Choices { analytics: true, product_mail: false };
    account::set_choices(&app.ctx, &caller, analytics).await.expect("set");
    second(&app);
    let both = Choices { analytics: true, product_mail: true };
    account::set_choices(&app.ctx, &caller, both).await.expect("set");
    let after = account::profile(&app.ctx, &caller).await.expect("shown");
    assert_eq!(after.analytics_consent_at, Some(yes));
    assert_eq!(after.product_mail_since, Some(app.ctx.clock.now()));
    let neither = Choices { analytics: false, product_mail: false };
    account::set_choices(&app.ctx, &caller, neither).await.expect("set");
    account::set_choices(&app.ctx, &caller, neither).await.expect("nothing to do");
    let after = account::profile(&app.ctx, &caller).await.expect("shown");
    assert_eq!((after.analytics_consent_at, after.product_mail_since), (None, None));
    assert_eq!(audited(&app.ctx, "account.choices_set").await, 3);
}
