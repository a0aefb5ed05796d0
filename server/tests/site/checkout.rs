//! The checkout and the page of an order, with forms as a browser without JavaScript sends them.

use axum::http::{StatusCode, header};
use devforge::{
    account::{Caller, Identity, Via},
    billing::{
        catalogue, limits,
        order::{self, Filter, Order},
    },
    config::Secret,
    contract::{
        account::{Role, User},
        id::{RequestId, SessionId, UserId},
        money::{Currency, Money},
        payment::OrderStatus,
    },
};
use stripe_simulator::{Card, Simulator};
use uuid::Uuid;

use crate::{
    eventually::eventually,
    support::{Answer, TestSite, send},
};

/// What a guest in the United States types, who buys two seats once: $798.00, and no tax.
const COMPLETE: [(&str, &str); 10] = [
    ("tier", "pro"),
    ("interval", "once"),
    ("currency", "usd"),
    ("seats", "2"),
    ("email", "grace@example.com"),
    ("name", "Grace Hopper"),
    ("country", "US"),
    ("line1", "1 Main Street"),
    ("postalCode", "94105"),
    ("city", "San Francisco"),
];

pub fn encode(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// A complete form with some fields typed otherwise, or added.
pub fn form(changes: &[(&str, &str)]) -> String {
    let kept = COMPLETE.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let fields: Vec<String> =
        kept.chain(changes).map(|(name, value)| format!("{name}={}", encode(value))).collect();
    fields.join("&")
}

/// The value of a hidden field.
pub fn hidden<'a>(page: &'a Answer, name: &str) -> &'a str {
    let mark = format!(" name=\"{name}\" value=\"");
    page.text().split(&mark).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

pub fn has_error(page: &Answer, field: &str) -> bool {
    page.text().contains(&format!("id=\"{field}-error\""))
}

/// Every order there is, as an administrator sees them.
async fn orders(site: &TestSite) -> Vec<Order> {
    let now = site.ctx.clock.now();
    let user = User {
        id: UserId::from_uuid(Uuid::nil()),
        email: "admin@example.com".to_owned(),
        name: "Ada Lovelace".to_owned(),
        role: Role::Admin,
        email_verified: true,
        two_factor_enabled: true,
        avatar_url: String::new(),
        created_at: now,
    };
    let session = SessionId::from_uuid(Uuid::nil());
    let via = Via::Session { id: session, authenticated_at: Some(now), impersonator: None };
    let caller = Caller::User(Identity { user, via, request: RequestId::from_uuid(Uuid::nil()) });
    order::list(&site.ctx, &caller, &Filter::default()).await.expect("the orders")
}

/// A guest's order that waits to be paid, and the address of its page within the site.
async fn ordered(site: &TestSite) -> (Order, String) {
    let answer = send(site.post("/checkout", &form(&[]))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let order = orders(site).await.pop().expect("an order");
    let path = order::path(&site.ctx, order.id);
    (order, path)
}

pub fn pay(simulator: &Simulator, order: &Order, card: Card) {
    simulator.pay(order.session_id.as_deref().expect("a session"), card).expect("paid");
}

#[tokio::test]
async fn the_form_shows_what_was_chosen_and_what_it_costs() {
    let (site, _simulator) = TestSite::start_selling().await;
    let page = send(site.visit("/checkout?tier=pro&interval=once&currency=jpy&seats=3")).await;
    assert_eq!(page.status, StatusCode::OK);
    let html = page.text();
    assert!(html.contains("Pro, 3 seats") && html.contains("3 × ¥59,000"), "{html}");
    assert!(!html.contains("¥59,000.00"));
    assert!(html.contains("noindex"));
    assert_eq!(page.header("cache-control"), "private, no-store");
    assert_eq!(hidden(&page, "form").len(), 32);

    sqlx::query("update price set trial_days = 14 where interval = 'month'")
        .execute(&site.ctx.db)
        .await
        .expect("a trial is offered");
    let path = "/checkout?tier=pro&interval=month&currency=usd";
    let guest = send(site.visit(path)).await;
    assert!(guest.text().contains("Pay $19.00") && !guest.text().contains("Start the trial"));
    let customer = site.person(Role::Customer).await;
    let cookie = site.sign_in(&customer).await;
    let trial = send(site.visit(path).header(header::COOKIE, &cookie)).await;
    assert!(trial.text().contains("Start the trial"));
    assert!(trial.text().contains("Free for 14 days, then $19.00 every month."), "{}", trial.text());
    assert_ne!(hidden(&trial, "form"), hidden(&page, "form"), "each form has a token of its own");
}

#[tokio::test]
async fn a_link_with_mistakes_in_it_still_shows_a_price() {
    let (site, _simulator) = TestSite::start_selling().await;
    for (query, field) in [
        ("tier=pro&interval=once&seats=0", "seats"),
        ("tier=pro&interval=once&seats=many", "seats"),
        ("tier=pro&interval=once&coupon=NOSUCHTHING", "coupon"),
    ] {
        let page = send(site.visit(&format!("/checkout?{query}"))).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(has_error(&page, field) && page.text().contains("Pay $399.00"), "{query}");
    }
}

/// A site whose tax somebody outside computes, who does not answer.
async fn taxed_from_outside() -> TestSite {
    let nowhere = "http://127.0.0.1:9";
    let site = TestSite::start_with(|config| {
        config.payments.stripe_secret_key = Some(Secret::new("sk_test_site".to_owned()));
        nowhere.clone_into(&mut config.payments.stripe_url);
        config.payments.taxjar_key = Some(Secret::new("a key of TaxJar".to_owned()));
        nowhere.clone_into(&mut config.payments.taxjar_url);
    })
    .await;
    catalogue::seed(&site.ctx).await.expect("the catalogue is there");
    site
}

#[tokio::test]
async fn a_link_on_another_site_tries_no_coupon_and_asks_nobody() {
    let elsewhere = |site: &TestSite, path| site.visit(path).header("sec-fetch-site", "cross-site");
    let path = "/checkout?tier=pro&interval=once&currency=eur&country=SE&coupon=NOSUCHTHING";
    let (site, _simulator) = TestSite::start_selling().await;
    let page = send(elsewhere(&site, path)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!has_error(&page, "coupon") && page.text().contains("value=\"NOSUCHTHING\""));
    assert!(has_error(&send(site.visit(path)).await, "coupon"), "a page of ours does");

    let site = taxed_from_outside().await;
    let page = send(elsewhere(&site, path)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("VAT 25 %, an estimate") && page.text().contains("Go on to pay"));
    assert!(!page.text().contains("cannot be computed"), "nobody was asked");
}

#[tokio::test]
async fn where_the_tax_is_not_known_nothing_that_was_typed_is_lost() {
    let site = taxed_from_outside().await;
    let first = send(site.visit("/checkout?tier=pro&interval=once&currency=usd&country=US")).await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(!has_error(&first, "postalCode"), "nothing was typed yet");
    assert!(first.text().contains("Before tax") && first.text().contains("$399.00"), "{}", first.text());
    assert!(first.text().contains("Test mode") && first.text().contains("cards for tests"));

    for step in ["update", "pay"] {
        let seen = ("seen", "$798.00");
        let page = send(site.post("/checkout", &form(&[("step", step), seen]))).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{step}");
        assert!(has_error(&page, "postalCode"), "the state is missing: {}", page.text());
        assert!(page.text().contains("value=\"San Francisco\""), "{step}");

        let sent = form(&[("step", step), seen, ("country", "SE"), ("city", "Umeå")]);
        let page = send(site.post("/checkout", &sent)).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{step}");
        assert!(page.text().contains("The tax cannot be computed for the moment"), "{}", page.text());
        assert!(page.text().contains("value=\"Umeå\"") && page.text().contains("VAT 25 %, an estimate"));
    }
    assert!(orders(&site).await.is_empty());
}

#[tokio::test]
async fn sums_are_computed_so_often_and_the_form_stays() {
    let (site, _simulator) = TestSite::start_selling().await;
    let sent = form(&[("step", "update")]);
    for _ in 0..limits::QUOTES.times {
        assert_eq!(send(site.post("/checkout", &sent)).await.status, StatusCode::OK);
    }
    let page = send(site.post("/checkout", &sent)).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text().contains("Too many tries") && page.text().contains("value=\"San Francisco\""));
}

#[tokio::test]
async fn more_seats_than_can_be_paid_at_once_are_a_mistake_at_their_field() {
    let (site, _simulator) = TestSite::start_selling().await;
    let page = send(site.post("/checkout", &form(&[("step", "update"), ("seats", "10000")]))).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(has_error(&page, "seats") && page.text().contains("value=\"10000\""), "{}", page.text());
}

#[tokio::test]
async fn what_is_not_sold_here_leads_to_the_prices() {
    let (site, _simulator) = TestSite::start_selling().await;
    let free = send(site.visit("/checkout?tier=free")).await;
    assert_eq!((free.status, free.header("location")), (StatusCode::SEE_OTHER, "/download"));
    let nothing = send(site.visit("/checkout")).await;
    assert_eq!((nothing.status, nothing.header("location")), (StatusCode::SEE_OTHER, "/pricing"));
    let unknown: [&[(&str, &str)]; 4] = [
        &[("tier", "enterprise"), ("interval", "year")],
        &[("tier", "gold")],
        &[("tier", "pro"), ("interval", "week")],
        &[("tier", "pro"), ("currency", "chf")],
    ];
    for choice in unknown {
        let pairs: Vec<String> = choice.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let page = send(site.visit(&format!("/checkout?{}", pairs.join("&")))).await;
        let sent = send(site.post("/checkout", &form(choice))).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{choice:?}");
        assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "{choice:?}");
        for answer in [page, sent] {
            assert!(answer.text().contains("This is not sold here"), "{choice:?}");
            assert!(answer.text().contains("href=\"/pricing\""), "{choice:?}");
        }
    }
    assert!(orders(&site).await.is_empty());
}

#[tokio::test]
async fn without_a_payment_provider_the_page_says_so() {
    let site = TestSite::start().await;
    for answer in
        [send(site.visit("/checkout?tier=pro")).await, send(site.post("/checkout", &form(&[]))).await]
    {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.is_page() && answer.text().contains("Nothing was charged"));
    }
}

#[tokio::test]
async fn an_empty_form_comes_back_with_each_mistake_at_its_field() {
    let (site, _simulator) = TestSite::start_selling().await;
    let sent =
        "tier=pro&interval=once&seats=&email=&name=+&country=&line1=&line2=Back+door&postalCode=&city=";
    let page = send(site.post("/checkout", sent)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["seats", "email", "name", "country", "line1", "postalCode", "city"] {
        assert!(has_error(&page, field), "{field}");
        assert!(page.text().contains(&format!("href=\"#{field}\"")), "the list of mistakes leads to {field}");
    }
    assert!(!has_error(&page, "line2") && page.text().contains("value=\"Back door\""));
    assert!(page.text().contains("Seven things need another look"));
    assert!(orders(&site).await.is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_told_and_all_that_was_typed_is_kept() {
    let (site, _simulator) = TestSite::start_selling().await;
    for (field, value) in [
        ("seats", "0"),
        ("seats", "10001"),
        ("seats", "many"),
        ("email", "grace@"),
        ("coupon", "NOSUCHTHING"),
        ("country", "ZZ"),
        ("taxId", "DE12"),
        ("line1", "one\ntwo"),
    ] {
        // A tax number belongs to a country.
        let country = if field == "taxId" { ("country", "DE") } else { ("line2", "Back door") };
        for step in ["pay", "update"] {
            let sent = form(&[(field, value), country, ("step", step), ("name", "Łucja \"<b>\" שלום")]);
            let page = send(site.post("/checkout", &sent)).await;
            let told = step == "pay" || matches!(field, "seats" | "coupon" | "taxId");
            let status = if told { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            assert_eq!(page.status, status, "{field}={value} {step}");
            assert_eq!(has_error(&page, field), told, "{field}={value} {step}");
            assert!(!page.text().contains("<b>"), "what is typed is not believed");
            assert!(page.text().contains("שלום") && page.text().contains("value=\"San Francisco\""));
        }
    }
    assert!(orders(&site).await.is_empty());
}

#[tokio::test]
async fn the_sum_follows_what_is_entered_and_nobody_is_sent_on_for_another_one() {
    let (site, _simulator) = TestSite::start_selling().await;
    let first = send(site.post("/checkout", &form(&[("step", "update")]))).await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(first.text().contains("Pay $798.00"));

    let german = [("currency", "eur"), ("country", "DE"), ("postalCode", "10115"), ("city", "Berlin")];
    let mut sent = german.to_vec();
    sent.extend([("form", hidden(&first, "form")), ("seen", hidden(&first, "seen")), ("step", "pay")]);
    let changed = send(site.post("/checkout", &form(&sent))).await;
    assert_eq!(changed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(changed.text().contains("The sum has changed"));
    // Two seats at €379.00, and 19 % on them.
    assert!(
        changed.text().contains("Pay €902.02") && changed.text().contains("€144.02"),
        "{}",
        changed.text()
    );
    assert_eq!(hidden(&changed, "form"), hidden(&first, "form"));
    assert!(orders(&site).await.is_empty());

    let mut sent = german.to_vec();
    sent.extend([("form", hidden(&changed, "form")), ("seen", hidden(&changed, "seen")), ("step", "pay")]);
    let bought = send(site.post("/checkout", &form(&sent))).await;
    assert_eq!(bought.status, StatusCode::SEE_OTHER, "{}", bought.text());
    assert_eq!(orders(&site).await[0].total, Currency::Eur.of(90_202));
}

#[tokio::test]
async fn amounts_in_the_form_change_nothing() {
    let (site, simulator) = TestSite::start_selling().await;
    let sent = form(&[("amount", "1"), ("total", "1"), ("unitAmount", "1"), ("price", "1"), ("step", "pay")]);
    let answer = send(site.post("/checkout", &sent)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert!(answer.header("location").starts_with(simulator.url()), "{}", answer.header("location"));
    let order = orders(&site).await.pop().expect("an order");
    assert_eq!((order.total, order.seats), (Currency::Usd.of(79_800), 2));
}

#[tokio::test]
async fn a_form_sent_twice_or_from_two_tabs_is_one_order() {
    let (site, _simulator) = TestSite::start_selling().await;
    let page = send(site.visit("/checkout?tier=pro&interval=once&currency=usd&seats=2")).await;
    let token = hidden(&page, "form");
    let sent = form(&[("form", token), ("step", "pay")]);
    let (one, other) = tokio::join!(send(site.post("/checkout", &sent)), send(site.post("/checkout", &sent)));
    let later = send(site.post("/checkout", &sent)).await;
    for answer in [&one, &other, &later] {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(answer.header("location"), one.header("location"));
    }
    assert_eq!(orders(&site).await.len(), 1);
}

#[tokio::test]
async fn coming_back_for_more_seats_is_another_order() {
    let (site, _simulator) = TestSite::start_selling().await;
    let token = "0123456789abcdef0123456789abcdef";
    let two = send(site.post("/checkout", &form(&[("form", token)]))).await;
    let five = send(site.post("/checkout", &form(&[("form", token), ("seats", "5")]))).await;
    assert_eq!((two.status, five.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    assert_ne!(two.header("location"), five.header("location"));
    let mut seats: Vec<u32> = orders(&site).await.iter().map(|order| order.seats).collect();
    seats.sort_unstable();
    assert_eq!(seats, [2, 5]);
}

#[tokio::test]
async fn who_is_signed_in_buys_for_their_own_account() {
    let (site, _simulator) = TestSite::start_selling().await;
    let user = site.person(Role::Customer).await;
    let cookie = site.sign_in(&user).await;
    let page = send(site.visit("/checkout?tier=pro&interval=once").header(header::COOKIE, &cookie)).await;
    assert!(page.text().contains(&user.email) && !page.text().contains("name=\"email\""));
    assert!(page.text().contains("value=\"Ada Lovelace\""));

    let sent = form(&[("email", "somebody-else@example.com")]);
    let answer = send(site.post("/checkout", &sent).header(header::COOKIE, &cookie)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let order = orders(&site).await.pop().expect("an order");
    assert_eq!((order.account, order.email.as_str()), (Some(user.id), user.email.as_str()));

    let path = format!("/checkout/orders/{}", order.id);
    let own = send(site.visit(&path).header(header::COOKIE, &cookie)).await;
    assert_eq!(own.status, StatusCode::OK, "without the link's key, too");
    let developer = site.person(Role::Developer).await;
    let stranger = site.sign_in(&developer).await;
    let foreign = send(site.visit(&path).header(header::COOKIE, &stranger)).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let foreign = send(site.post(&format!("{path}/pay"), "").header(header::COOKIE, &stranger)).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);

    let support = site.person(Role::Support).await;
    let staff = site.sign_in(&support).await;
    let seen = send(site.visit(&path).header(header::COOKIE, &staff)).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(own.text().contains("Continue to payment") && !seen.text().contains("Continue to payment"));
    let paid = send(site.post(&format!("{path}/pay"), "").header(header::COOKIE, &staff)).await;
    assert_eq!(paid.status, StatusCode::NOT_FOUND, "who only looks does not pay");
}

#[tokio::test]
async fn the_page_of_an_order_opens_with_its_key_and_with_no_other() {
    let (site, _simulator) = TestSite::start_selling().await;
    let (order, path) = ordered(&site).await;
    let page = send(site.visit(&path)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Waiting for payment") && page.text().contains("$798.00"));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("cache-control"), "private, no-store");
    assert!(page.text().contains("noindex") && page.header("refresh").is_empty());
    let key = path.rsplit_once("key=").expect("a key").1;
    assert_eq!(page.text().matches(key).count(), 1, "the key stands in the form that pays, and nowhere else");

    let bare = format!("/checkout/orders/{}", order.id);
    for wrong in ["x", &"A".repeat(43), &"A".repeat(5000), &key.to_lowercase()] {
        let answer = send(site.visit(&format!("{bare}?key={wrong}"))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
        let answer = send(site.post(&format!("{bare}/pay"), &format!("key={wrong}"))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    let missing = send(site.visit(&bare)).await;
    assert_eq!(missing.status, StatusCode::SEE_OTHER);
    assert!(missing.header("location").starts_with("/sign-in?"), "{}", missing.header("location"));
}

#[tokio::test]
async fn who_left_before_paying_can_go_on() {
    let (site, simulator) = TestSite::start_selling().await;
    let (order, path) = ordered(&site).await;
    let page = send(site.visit(&path)).await;
    assert!(page.text().contains("Continue to payment"));
    let sent = format!("key={}", hidden(&page, "key"));
    let answer = send(site.post(&format!("/checkout/orders/{}/pay", order.id), &sent)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(Some(answer.header("location")), order.session_url.as_deref());
    assert!(answer.header("location").starts_with(simulator.url()));
}

#[tokio::test]
async fn the_page_says_that_it_is_paid_as_soon_as_stripe_does() {
    let (site, simulator) = TestSite::start_selling().await;
    let (order, path) = ordered(&site).await;
    let back = format!("{path}&paid=1");
    let waiting = send(site.visit(&back)).await;
    assert!(waiting.text().contains("Your payment is being confirmed"));
    assert!(!waiting.text().contains("Continue to payment"), "nobody is asked to pay twice");
    assert_eq!(waiting.header("refresh"), "1");

    pay(&simulator, &order, Card::Good);
    let page = eventually("the page says that the order is paid", async || {
        site.run_jobs().await;
        let page = send(site.visit(&back)).await;
        page.text().contains("Your order is paid").then_some(page)
    })
    .await;
    for words in ["$798.00 paid", "The key is in the mail to", "Invoice ", "grace@example.com"] {
        assert!(page.text().contains(words), "{words}");
    }
    assert!(!page.text().contains("Continue to payment"));
    let paid = orders(&site).await.pop().expect("the order");
    assert_eq!((paid.status, paid.refunded), (OrderStatus::Paid, Money::zero(Currency::Usd)));

    // The form that led here leads to the order now, and not to another payment.
    let sent = format!("key={}", path.rsplit_once("key=").expect("a key").1);
    let again = send(site.post(&format!("/checkout/orders/{}/pay", order.id), &sent)).await;
    assert_eq!((again.status, again.header("location")), (StatusCode::SEE_OTHER, path.as_str()));
}
