//! Help without script: the articles, whether they helped, and staff who write them.

use axum::http::StatusCode;
use devforge::{
    account::Caller,
    contract::{account::Role, id::ArticleId},
    support::{
        feedback,
        knowledge::{self, ArticleStatus, CATEGORIES, NewArticle},
    },
};

use crate::support::{TestSite, send};

async fn site() -> TestSite {
    let site = TestSite::start_with(|config| "help@example.com".clone_into(&mut config.operator.email)).await;
    knowledge::seed(&site.ctx).await.expect("the starting articles are there");
    site
}

fn grip(markdown: &str) -> NewArticle {
    NewArticle {
        title: "Hold the hammer".to_owned(),
        description: "Where the hand goes.".to_owned(),
        category: CATEGORIES[4].to_owned(),
        tags: vec!["grip".to_owned()],
        markdown: markdown.to_owned(),
    }
}

async fn draft(site: &TestSite, staff: &Caller, markdown: &str) -> ArticleId {
    knowledge::write(&site.ctx, staff, &grip(markdown)).await.expect("written")
}

#[tokio::test]
async fn the_help_page_leads_to_every_article_and_to_us() {
    let site = site().await;
    let page = send(site.visit("/support")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.header("etag").is_empty(), "it is kept for everybody");
    let html = page.text();
    for article in knowledge::list(&site.ctx).await.expect("listed") {
        assert!(html.contains(&format!("href=\"/support/articles/{}\"", article.slug)), "{}", article.slug);
        assert!(html.contains(&article.category), "{}", article.category);
    }
    for part in [
        "action=\"/search\"",
        "name=\"kind\" value=\"article\"",
        "href=\"mailto:help@example.com\"",
        "href=\"/status\"",
        "href=\"/docs\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
}

#[tokio::test]
async fn an_article_stands_under_its_own_address_alone() {
    let site = site().await;
    let page = send(site.visit("/support/articles/find-an-invoice")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.header("etag").is_empty());
    let html = page.text();
    for part in [
        "<h1 class=\"page-title\">Find an invoice",
        "aria-label=\"Breadcrumb\"",
        "FAQPage",
        "BreadcrumbList",
        "action=\"/feedback\"",
        "mailto:help@example.com?subject=Find%20an%20invoice",
        "Related articles",
        "<h2",
    ] {
        assert!(html.contains(part), "{part}");
    }
    let question =
        html.split("application/ld+json").find(|part| part.contains("FAQPage")).unwrap_or_default();
    let question = question.split("</script>").next().unwrap_or_default();
    assert!(question.contains("acceptedAnswer"), "{question}");
    for part in ["svg", "button", "anchor"] {
        assert!(!question.contains(part), "{part} is for the page alone: {question}");
    }
    let article = knowledge::find(&site.ctx, "find-an-invoice").await.expect("published");
    let by_id = send(site.visit(&format!("/support/articles/{}", article.id))).await;
    let led = (by_id.status, by_id.header("location"));
    assert_eq!(led, (StatusCode::PERMANENT_REDIRECT, "/support/articles/find-an-invoice"));

    let (_, staff) = site.session_of(&site.person(Role::Support).await).await;
    draft(&site, &staff, "Not yet.").await;
    for path in
        ["/support/articles/find-the-invoice", "/support/articles/hold-the-hammer", "/support/articles/%00"]
    {
        let missing = send(site.visit(path)).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
        assert!(missing.text().contains("action=\"/search\""), "{path}");
    }
}

#[tokio::test]
async fn what_staff_write_runs_nothing_on_the_page() {
    let site = site().await;
    let (_, staff) = site.session_of(&site.person(Role::Support).await).await;
    let id = draft(&site, &staff, "<script>stolen()</script>\n\n<b onclick=\"stolen()\">x</b>").await;
    knowledge::set_status(&site.ctx, &staff, id, 1, ArticleStatus::Published).await.expect("published");
    let page = send(site.visit("/support/articles/hold-the-hammer")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text().contains("<script>stolen"), "it is text");
    assert!(!page.text().contains("<b onclick"), "it is text");
}

#[tokio::test]
async fn readers_say_whether_a_page_helped() {
    let site = site().await;
    let (_, staff) = site.session_of(&site.person(Role::Support).await).await;
    let path = "/support/articles/find-an-invoice";
    let form = |helpful: &str, note: &str| format!("path={path}&helpful={helpful}&note={note}");
    let no = send(site.post("/feedback", &form("no", ""))).await;
    assert_eq!(no.status, StatusCode::OK);
    assert!(no.text().contains("Thank you") && no.text().contains("name=\"note\""));
    assert!(no.text().contains(&format!("href=\"{path}\"")), "the way back");
    let long = send(site.post("/feedback", &form("no", &"x".repeat(1_001)))).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(long.text().contains("xxxxxxxxxx") && long.text().contains("at most 1000 characters"));
    let noted = send(site.post("/feedback", &form("no", "No+picture"))).await;
    assert!(noted.status == StatusCode::OK && !noted.text().contains("name=\"note\""));
    let notes = feedback::notes(&site.ctx, &staff, Some(path), 7).await.expect("read");
    assert_eq!(notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["No picture"]);
    let yes = send(site.post("/feedback", &form("yes", ""))).await;
    assert!(yes.status == StatusCode::OK && !yes.text().contains("name=\"note\""));
    let figures = feedback::figures_of(&site.ctx, &staff, path, 7).await.expect("counted");
    assert_eq!((figures.yes, figures.no), (1, 0), "the last answer of the day counts");

    for (form, status) in [
        ("path=/pricing&helpful=yes", StatusCode::NOT_FOUND),
        ("path=https://evil.example/&helpful=yes", StatusCode::NOT_FOUND),
        ("path=/docs/activate&helpful=perhaps", StatusCode::UNPROCESSABLE_ENTITY),
        ("path=/docs/activate&helpful=yes", StatusCode::OK),
    ] {
        assert_eq!(send(site.post("/feedback", form)).await.status, status, "{form}");
    }
    assert_eq!(send(site.visit("/feedback?path=/docs/activate&helpful=yes")).await.status, 405);
}

#[tokio::test]
async fn staff_write_preview_publish_and_archive() {
    let site = site().await;
    let (cookie, staff) = site.session_of(&site.person(Role::Support).await).await;
    let post = |path: &str, form: &str| site.post(path, form).header("cookie", cookie.as_str());
    let visit = |path: &str| site.visit(path).header("cookie", cookie.as_str());
    let list = send(visit("/admin/knowledge?q=invoice&status=published")).await;
    assert!(list.status == StatusCode::OK && list.text().contains("find-an-invoice"));
    assert_eq!(send(visit("/admin/knowledge?page=99")).await.status, StatusCode::OK);

    let filled =
        "title=Hold+the+hammer&description=Where+the+hand+goes.&category=The+editor&tags=grip%2C+hand";
    let incomplete = format!("{filled}&markdown=&step=save");
    let wrong = send(post("/admin/knowledge/new", &incomplete)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.text().contains("value=\"Hold the hammer\"") && wrong.text().contains("Write the article.")
    );
    let words = format!("{filled}&markdown=At+**the**+end");
    let preview = send(post("/admin/knowledge/new", &format!("{words}&step=preview"))).await;
    assert!(preview.status == StatusCode::OK && preview.text().contains("<strong>the</strong>"));
    assert!(preview.text().contains("At **the** end"), "what was typed stays");
    let saved = send(post("/admin/knowledge/new", &format!("{words}&step=save"))).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    let address = saved.header("location").split('?').next().unwrap_or_default().to_owned();
    assert!(send(visit(&address)).await.text().contains("Publish"));

    let publish = "version=1&status=published";
    assert_eq!(send(post(&format!("{address}/status"), publish)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(send(site.visit("/support/articles/hold-the-hammer")).await.status, StatusCode::OK);
    let second = format!("{filled}&markdown=In+the+middle&step=save&version=1");
    assert_eq!(send(post(&address, &second)).await.status, StatusCode::SEE_OTHER);
    let late = format!("{filled}&markdown=My+own+words&step=save&version=1");
    let conflict = send(post(&address, &late)).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert!(conflict.text().contains("My own words") && conflict.text().contains("Somebody has saved"));
    let earlier = send(visit(&format!("{address}?version=1"))).await;
    assert!(earlier.text().contains("At **the** end") && earlier.text().contains("This is version 1"));
    let unseen = send(post(&format!("{address}/status"), "version=1&status=archived")).await;
    assert_eq!(unseen.status, StatusCode::CONFLICT);
    let archived = send(post(&format!("{address}/status"), "version=2&status=archived")).await;
    assert_eq!(archived.status, StatusCode::SEE_OTHER);
    let id: ArticleId = address.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an article");
    let article = knowledge::staff_find(&site.ctx, &staff, id).await.expect("found");
    assert_eq!((article.version, article.status), (2, ArticleStatus::Archived));
}

#[tokio::test]
async fn the_pages_of_staff_are_for_staff_and_reading_them_changes_nothing() {
    let site = site().await;
    let (_, staff) = site.session_of(&site.person(Role::Support).await).await;
    let id = draft(&site, &staff, "Not yet.").await;
    let (cookie, _) = site.session_of(&site.person(Role::Customer).await).await;
    let paths = ["/admin/knowledge", "/admin/knowledge/new"].map(str::to_owned);
    let paths = paths.into_iter().chain([format!("/admin/knowledge/{id}")]);
    for path in paths {
        let refused = send(site.visit(&path).header("cookie", &cookie)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    let sent = site.post(&format!("/admin/knowledge/{id}/status"), "version=1&status=published");
    assert_eq!(send(sent.header("cookie", &cookie)).await.status, StatusCode::FORBIDDEN);
    let read = site.get(&format!("/admin/knowledge/{id}/status?version=1&status=published"));
    assert_eq!(send(read).await.status, 405);
    let article = knowledge::staff_find(&site.ctx, &staff, id).await.expect("found");
    assert_eq!((article.version, article.status), (1, ArticleStatus::Draft));
}
