//! The pages about the company: the form that writes to us, and how the site is at this moment.

use std::time::Duration;

use axum::http::{StatusCode, header};
use devforge::{
    contract::account::Role,
    mail::{self, MailSummary},
};

use crate::{
    gate::Gate,
    support::{Answer, TestSite, send},
};

const GOOD: &str =
    "name=Ada+Lovelace&email=ada%40example.com&topic=press&message=What+is+the+mark%3F&website=";

async fn site_with_operator() -> TestSite {
    TestSite::start_with(|config| config.operator.email = "post@forge.example".to_owned()).await
}

async fn mails(site: &TestSite) -> Vec<MailSummary> {
    let all = mail::recent(&site.ctx, 100).await.expect("asked");
    all.into_iter().filter(|mail| mail.kind == "contact").collect()
}

/// The number of places that stand in this state.
fn count(page: &Answer, label: &str) -> usize {
    page.text().matches(&format!(">{label}<")).count()
}

#[tokio::test]
async fn a_message_is_sent_without_script_and_the_page_says_so() {
    let site = site_with_operator().await;
    let form = send(site.visit("/contact?topic=press")).await;
    assert_eq!(form.status, StatusCode::OK);
    assert!(form.text().contains("value=\"press\" selected"), "the topic of the address is chosen");
    assert!(form.text().contains("post@forge.example"));
    assert!(form.text().contains("90 days"), "how long it is kept");

    let sent = send(site.post("/contact", GOOD)).await;
    assert_eq!((sent.status, sent.header("location")), (StatusCode::SEE_OTHER, "/contact?sent=1"));
    let told = send(site.visit("/contact?sent=1")).await;
    assert!(told.text().contains("Your message is on its way") && told.text().contains("role=\"status\""));
    assert!(told.text().contains("noindex"), "it is for one person");
    let mails = mails(&site).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].to_address.as_str(), mails[0].subject.as_str()),
        ("post@forge.example", "Press: Ada Lovelace")
    );
    site.run_jobs().await;
}

#[tokio::test]
async fn mistakes_are_told_at_their_fields_and_what_was_typed_is_kept() {
    let site = site_with_operator().await;
    let typed = "name=%3Cb%3EAda&email=ada&topic=&message=%3C%2Ftextarea%3E%3Cscript%3E1%3C%2Fscript%3E";
    let page = send(site.post("/contact", typed)).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let html = page.text();
    for id in ["email-error", "topic-error"] {
        assert!(
            html.contains(&format!("id=\"{id}\"")) && html.contains(&format!("aria-describedby=\"{id}")),
            "{id}"
        );
    }
    assert!(html.contains("href=\"#email\""), "the summary leads to the field");
    assert!(html.contains("&lt;/textarea>&lt;script>1&lt;/script>"), "the message is kept, as words");
    assert!(!html.contains("<script>1") && !html.contains("<b>Ada"));

    let injected = "name=Ada%0D%0ABcc%3A+all%40example.com&email=ada%40example.com%0ABcc%3A+b%40example.com&topic=other&message=x";
    let refused = send(site.post("/contact", injected)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for id in ["name-error", "email-error"] {
        assert!(refused.text().contains(&format!("id=\"{id}\"")), "{id}");
    }
    let long = format!("name=Ada&email=ada%40example.com&topic=other&message={}", "x".repeat(4_001));
    let refused = send(site.post("/contact", &long)).await;
    assert!(refused.text().contains("This one has 4001."), "{}", refused.text());
    let trapped = send(site.post("/contact", &format!("{GOOD}spam"))).await;
    assert_eq!(trapped.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        trapped.text().contains("What is the mark?"),
        "somebody whose browser filled it in loses nothing"
    );
    assert!(mails(&site).await.is_empty());
}

#[tokio::test]
async fn the_eleventh_message_of_a_day_waits() {
    let site = site_with_operator().await;
    for _ in 0..10 {
        assert_eq!(send(site.post("/contact", GOOD)).await.status, StatusCode::SEE_OTHER);
    }
    let refused = send(site.post("/contact", GOOD)).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.text().contains("What is the mark?"), "what was typed is kept");
    assert_eq!(mails(&site).await.len(), 10);
    site.run_jobs().await;
}

#[tokio::test]
async fn who_is_signed_in_has_less_to_type() {
    let site = site_with_operator().await;
    let user = site.person(Role::Customer).await;
    let cookie = site.sign_in(&user).await;
    let page = send(site.visit("/contact").header(header::COOKIE, &cookie)).await;
    assert!(
        page.text().contains("value=\"customer@example.com\"")
            && page.text().contains("value=\"Ada Lovelace\"")
    );
    let other = send(site.visit("/contact")).await;
    assert!(!other.text().contains("customer@example.com"), "nobody else sees that page");
    site.run_jobs().await;
}

#[tokio::test]
async fn without_an_address_there_is_no_form() {
    let site = TestSite::start_with(|config| config.operator.email = String::new()).await;
    let page = send(site.visit("/contact")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("There is no address to write to"));
    assert!(!page.text().contains("action=\"/contact\"") && !page.text().contains("mailto:"));
    assert_eq!(send(site.post("/contact", GOOD)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_other_pages_are_there_and_what_they_offer_is_served() {
    let site = TestSite::start().await;
    for (path, said) in [
        ("/compare", "As of November 2026"),
        ("/press", "In one sentence"),
        ("/roadmap", "How things get onto it"),
    ] {
        let page = send(site.visit(path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains(said), "{path}");
        assert!(page.text().contains("BreadcrumbList"), "{path}");
    }
    let press = send(site.visit("/press")).await;
    let offered: Vec<&str> = press
        .text()
        .split('<')
        .filter(|tag| tag.contains(" download=\""))
        .filter_map(|tag| tag.split(" href=\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(offered.len(), 4, "{offered:?}");
    for address in offered {
        let file = send(site.get(address)).await;
        assert_eq!(file.status, StatusCode::OK, "{address}");
        assert!(file.header("content-type").starts_with("image/"), "{address}");
    }
}

#[tokio::test]
async fn a_site_that_is_well_says_so_of_every_part() {
    let site = TestSite::start().await;
    let page = send(site.visit("/status")).await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "private, no-store"));
    assert!(page.text().contains("All parts in use are working"), "{}", page.text());
    assert_eq!((count(&page, "Working"), count(&page, "Not answering")), (5, 0), "{}", page.text());
    assert_eq!(count(&page, "Not set up"), 1, "this site sends no mail");
    assert!(page.text().contains("<time datetime=\"20"), "when it was looked at");
    assert!(!page.text().contains("noindex"));
}

#[tokio::test]
async fn the_page_comes_while_the_database_is_away() {
    let mut gate = Gate::start().await;
    let site = TestSite::start_with(|config| gate.lead(&mut config.database)).await;
    let user = site.person(Role::Customer).await;
    let cookie = site.sign_in(&user).await;
    site.run_jobs().await;

    gate.close().await;
    let asked = std::time::Instant::now();
    let page = send(site.visit("/status").header(header::COOKIE, &cookie)).await;
    assert_eq!(page.status, StatusCode::OK);
    // A connection waits ten seconds for its database here; the page does not.
    assert!(asked.elapsed() < Duration::from_secs(8));
    assert!(page.text().contains("Some parts do not answer"), "{}", page.text());
    assert_eq!((count(&page, "Not answering"), count(&page, "Working")), (3, 2), "{}", page.text());
    // A moment later nobody asks again.
    let again = send(site.visit("/status")).await;
    let looked = |page: &Answer| {
        page.text().split("datetime=\"").nth(1).and_then(|rest| rest.split('"').next().map(str::to_owned))
    };
    assert_eq!(looked(&page), looked(&again));
    gate.open().await;
}
