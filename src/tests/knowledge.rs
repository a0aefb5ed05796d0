//! The knowledge base: who may write, what stays hidden, and what is kept.

use std::collections::BTreeSet;

use axum::http::{HeaderName, header};
use devforge::{
    account::{Caller, Denied},
    api::openapi,
    audit,
    context::Context,
    contract::{account::Role, id::ArticleId, problem::ProblemCode},
    outbox::{self, Cursor},
    search,
    support::{
        Error, feedback,
        knowledge::{self, ArticleStatus, CATEGORIES, Filter, NewArticle, Seeded},
    },
};
use serde_json::json;

use crate::{
    api::client::{call, get, post},
    eventually::eventually,
    support::TestApp,
};

fn words(title: &str) -> NewArticle {
    NewArticle {
        title: title.to_owned(),
        description: "What to do about it.".to_owned(),
        category: CATEGORIES[1].to_owned(),
        tags: vec!["zweihander".to_owned()],
        markdown: "Do this.\n\n## Then that\n\nAnd it is done.".to_owned(),
    }
}

/// An article that everybody can read.
async fn published(ctx: &Context, staff: &Caller, new: &NewArticle) -> ArticleId {
    let id = knowledge::write(ctx, staff, new).await.expect("written");
    knowledge::set_status(ctx, staff, id, 1, ArticleStatus::Published).await.expect("published");
    id
}

async fn slugs(ctx: &Context) -> Vec<String> {
    knowledge::list(ctx).await.expect("listed").into_iter().map(|article| article.slug).collect()
}

/// How often each thing was told about articles, once so many were.
async fn told(ctx: &Context, count: usize) -> Vec<String> {
    eventually("the events can be read", async || {
        let events = outbox::read_after(&ctx.db, Cursor::START, 500).await.expect("read");
        let about: Vec<String> = events
            .into_iter()
            .filter(|event| event.topic == knowledge::CHANGED)
            .map(|event| event.key)
            .collect();
        (about.len() >= count).then_some(about)
    })
    .await
}

#[tokio::test]
async fn the_starting_articles_come_once_whoever_starts() {
    let app = TestApp::start().await;
    let other = app.second().await;
    let (one, two) = tokio::join!(knowledge::seed(&app.ctx), knowledge::seed(&other));
    let (one, two) = (one.expect("seeded"), two.expect("seeded"));
    let content = app.ctx.content.now();
    let files = content.section("kb");
    assert_eq!(one.written + two.written, files.len());
    assert_eq!((one.renewed, one.retired, two.renewed, two.retired), (0, 0, 0, 0));
    assert_eq!(knowledge::seed(&app.ctx).await.expect("seeded"), Seeded::default());
    let listed = knowledge::list(&app.ctx).await.expect("listed");
    assert_eq!(listed.len(), files.len());
    for file in files {
        assert!(file.updated.is_some(), "{}: the latest day says how new the set is", file.slug);
        let article = knowledge::find(&app.ctx, &file.slug).await.expect("published");
        assert_eq!((&article.title, &article.category), (&file.title, &file.group));
        assert_eq!(article.versions.len(), 1);
    }
    assert_eq!(told(&app.ctx, listed.len()).await.len(), listed.len());
}

#[tokio::test]
async fn what_staff_took_into_their_hands_is_left_alone() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    knowledge::seed(&app.ctx).await.expect("seeded");
    let article = knowledge::find(&app.ctx, "find-an-invoice").await.expect("it comes with the program");
    let before = knowledge::staff_find(&app.ctx, &staff, article.id).await.expect("found");
    assert!(before.is_starting);
    let new = NewArticle { title: "Where is my invoice?".to_owned(), ..before.text };
    assert_eq!(knowledge::rewrite(&app.ctx, &staff, article.id, 1, &new).await.expect("saved"), 2);
    let gone = knowledge::find(&app.ctx, "reset-a-forgotten-password").await.expect("published").id;
    knowledge::set_status(&app.ctx, &staff, gone, 1, ArticleStatus::Archived).await.expect("archived");

    assert_eq!(knowledge::seed(&app.ctx).await.expect("seeded"), Seeded::default());
    let after = knowledge::staff_find(&app.ctx, &staff, article.id).await.expect("found");
    assert_eq!((after.text.title.as_str(), after.is_starting), ("Where is my invoice?", false));
    assert_eq!(after.slug, "find-an-invoice", "its address is known");
    let authors: Vec<bool> = after.versions.iter().map(|version| version.author.is_some()).collect();
    assert_eq!(authors, [true, false]);
    assert!(!slugs(&app.ctx).await.contains(&"reset-a-forgotten-password".to_owned()));
}

#[tokio::test]
async fn an_older_program_takes_nothing_back() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let change = async |sql: &'static str| {
        sqlx::query(sql).execute(&ctx.db).await.expect("changed");
    };
    let newest = async || {
        sqlx::query_scalar::<_, i64>("select newest from kb_seed").fetch_one(&ctx.db).await.expect("kept")
    };
    let title = async || knowledge::find(ctx, "find-an-invoice").await.expect("published").title;
    knowledge::seed(ctx).await.expect("seeded");
    let (ours, own) = (newest().await, title().await);
    // A newer program was here: it has another text for one article, and one article more.
    change("update kb_seed set newest = newest + 1").await;
    change("update kb_article set title = 'Newer', seeded_from = '\\x00' where slug = 'find-an-invoice'")
        .await;
    change(
        "insert into kb_article (id, slug, category, title, description, tags, markdown, status, version,
                                 seeded_from, created_at, updated_at, published_at)
         select gen_random_uuid(), 'one-more', category, title, description, tags, markdown, status, version,
                seeded_from, created_at, updated_at, published_at
         from kb_article where slug = 'find-an-invoice'",
    )
    .await;
    assert_eq!(knowledge::seed(ctx).await.expect("left alone"), Seeded::default());
    assert_eq!((title().await.as_str(), newest().await), ("Newer", ours + 1));
    assert!(slugs(ctx).await.contains(&"one-more".to_owned()));

    // What an older program has brought is brought up, and so is what one of the same day has.
    for back in [
        "update kb_seed set newest = newest - 2",
        "update kb_article set seeded_from = '\\x01' where slug = 'reset-a-forgotten-password'",
    ] {
        change(back).await;
        assert_eq!(knowledge::seed(ctx).await.expect("seeded").renewed, 1, "{back}");
        assert_eq!((title().await, newest().await), (own.clone(), ours));
        assert!(!slugs(ctx).await.contains(&"one-more".to_owned()));
    }
}

#[tokio::test]
async fn only_staff_write() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let id = knowledge::write(&app.ctx, &staff, &words("Mine")).await.expect("written");
    let mut others = vec![(Caller::Anonymous, Denied::Unauthenticated)];
    for role in [Role::Customer, Role::Developer] {
        others
            .push((app.signed_in(&format!("{}@example.com", role.as_str()), role).await, Denied::Forbidden));
    }
    for (caller, denied) in &others {
        let ctx = &app.ctx;
        let new = words("Theirs");
        let answers = [
            knowledge::write(ctx, caller, &new).await.map(drop),
            knowledge::rewrite(ctx, caller, id, 1, &new).await.map(drop),
            knowledge::set_status(ctx, caller, id, 1, ArticleStatus::Published).await,
            knowledge::staff_find(ctx, caller, id).await.map(drop),
            knowledge::staff_text(ctx, caller, id, 1).await.map(drop),
            knowledge::staff_list(ctx, caller, &Filter::default()).await.map(drop),
            knowledge::preview(ctx, caller, "x").map(drop),
            feedback::figures(ctx, caller, 30).await.map(drop),
            feedback::figures_of(ctx, caller, "/docs/activate", 30).await.map(drop),
            feedback::notes(ctx, caller, None, 30).await.map(drop),
        ];
        for (at, answer) in answers.into_iter().enumerate() {
            assert!(matches!(answer, Err(Error::Denied(why)) if why == *denied), "{at}: {answer:?}");
        }
    }
    let kept = knowledge::staff_find(&app.ctx, &staff, id).await.expect("found");
    assert_eq!((kept.version, kept.status), (1, ArticleStatus::Draft));
}

#[tokio::test]
async fn drafts_and_archived_articles_are_as_good_as_not_there() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let id = knowledge::write(&app.ctx, &staff, &words("Secret plans")).await.expect("written");
    let hidden = async |ctx: &Context| {
        for name in [id.to_string(), "secret-plans".to_owned()] {
            let answer = knowledge::find(ctx, &name).await;
            assert!(matches!(answer, Err(Error::NotFound)), "{name}: {answer:?}");
        }
        assert!(slugs(ctx).await.is_empty());
        assert!(knowledge::search_documents_after(&ctx.db, None).await.expect("read").is_none());
        assert!(knowledge::search_documents_of(ctx, id).await.expect("read").is_empty());
    };
    hidden(&app.ctx).await;
    for (version, status) in [(1, ArticleStatus::Published), (1, ArticleStatus::Archived)] {
        if status == ArticleStatus::Archived {
            assert_eq!(slugs(&app.ctx).await, ["secret-plans"]);
            assert_eq!(
                knowledge::find(&app.ctx, &id.to_string()).await.expect("published").slug,
                "secret-plans"
            );
            let documents = knowledge::search_documents_of(&app.ctx, id).await.expect("read");
            let urls: Vec<&str> = documents.iter().map(|document| document.url.as_str()).collect();
            assert_eq!(urls, ["/support/articles/secret-plans", "/support/articles/secret-plans#then-that"]);
            assert!(documents.iter().all(|document| document.thing == format!("kb/{id}")));
        }
        knowledge::set_status(&app.ctx, &staff, id, version, status).await.expect("set");
    }
    hidden(&app.ctx).await;
    let draft = knowledge::set_status(&app.ctx, &staff, id, 1, ArticleStatus::Draft).await;
    assert!(matches!(draft, Err(Error::Conflict(_))), "{draft:?}");
}

#[tokio::test]
async fn two_who_save_at_once_do_not_lose_each_other_s_words() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let id = knowledge::write(&app.ctx, &staff, &words("Shared")).await.expect("written");
    let (one, two) = (words("One says"), words("The other says"));
    let (one, two) = tokio::join!(
        knowledge::rewrite(&app.ctx, &staff, id, 1, &one),
        knowledge::rewrite(&app.ctx, &staff, id, 1, &two),
    );
    let (saved, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(saved.expect("the first is saved"), 2);
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let stale = knowledge::set_status(&app.ctx, &staff, id, 1, ArticleStatus::Published).await;
    assert!(matches!(stale, Err(Error::Conflict(_))), "nobody publishes what they have not seen");
    let first = knowledge::staff_text(&app.ctx, &staff, id, 1).await.expect("kept");
    assert_eq!(first, words("Shared"));
    let missing = knowledge::staff_text(&app.ctx, &staff, id, 9).await;
    assert!(matches!(missing, Err(Error::NotFound)), "{missing:?}");
}

#[tokio::test]
async fn an_address_is_made_of_the_title_until_somebody_has_it() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let slug = async |id| knowledge::staff_find(&app.ctx, &staff, id).await.expect("found").slug;
    let first = knowledge::write(&app.ctx, &staff, &words("Proxy settings")).await.expect("written");
    let second = knowledge::write(&app.ctx, &staff, &words("Proxy – settings!")).await.expect("written");
    assert_eq!((slug(first).await, slug(second).await), ("proxy-settings".into(), "proxy-settings-2".into()));
    knowledge::rewrite(&app.ctx, &staff, second, 1, &words("Certificates")).await.expect("saved");
    assert_eq!(slug(second).await, "certificates", "a draft has no address that anybody knows");
    knowledge::set_status(&app.ctx, &staff, second, 2, ArticleStatus::Published).await.expect("published");
    knowledge::rewrite(&app.ctx, &staff, second, 2, &words("Roots")).await.expect("saved");
    assert_eq!(slug(second).await, "certificates");
    let same =
        knowledge::rewrite(&app.ctx, &staff, second, 3, &words("Roots")).await.expect("nothing to save");
    assert_eq!(same, 3, "what changes nothing makes no version");
}

#[tokio::test]
async fn every_change_stands_in_the_audit_log_and_in_the_outbox() {
    let app = TestApp::start().await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    let id = published(&app.ctx, &admin, &words("Traced")).await;
    knowledge::rewrite(&app.ctx, &admin, id, 1, &words("Traced twice")).await.expect("saved");
    knowledge::set_status(&app.ctx, &admin, id, 2, ArticleStatus::Archived).await.expect("archived");
    let refused = knowledge::rewrite(&app.ctx, &admin, id, 1, &words("Late")).await;
    assert!(refused.is_err());
    let filter = audit::Filter { subject: Some(id.to_string()), limit: 100, ..audit::Filter::default() };
    let items = audit::list(&app.ctx, &admin, &filter).await.expect("listed").items;
    let mut actions: Vec<&str> = items.iter().map(|item| item.action.as_str()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["article.archived", "article.published", "article.rewritten", "article.written"]);
    assert!(items.iter().all(|item| item.actor == admin.user().map(|user| user.id)));
    assert_eq!(told(&app.ctx, 4).await, vec![id.to_string(); 4]);
}

#[tokio::test]
async fn what_is_shown_runs_nothing() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let markdown =
        "<script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n[go](javascript:alert(3)) **bold**";
    let new = NewArticle { markdown: markdown.to_owned(), ..words("Hostile") };
    let id = published(&app.ctx, &staff, &new).await;
    let shown = knowledge::find(&app.ctx, &id.to_string()).await.expect("published").html;
    let preview = knowledge::preview(&app.ctx, &staff, markdown).expect("rendered");
    for html in [shown, preview] {
        for bad in ["<script", "<img", "href=\"javascript"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("<strong>bold</strong>"), "{html}");
    }
}

#[tokio::test]
async fn staff_find_articles_by_words_and_state() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let shown = published(&app.ctx, &staff, &words("100% proxy")).await;
    let draft = knowledge::write(&app.ctx, &staff, &words("A draft")).await.expect("written");
    let found = async |text: &str, status| {
        let filter = Filter { status, words: text.to_owned(), page: 1 };
        let (articles, total) = knowledge::staff_list(&app.ctx, &staff, &filter).await.expect("listed");
        assert_eq!(articles.len() as u64, total);
        articles.into_iter().map(|article| article.id).collect::<BTreeSet<ArticleId>>()
    };
    assert_eq!(found("", None).await, BTreeSet::from([shown, draft]));
    assert_eq!(found("PROXY zweihander", None).await, BTreeSet::from([shown]));
    assert!(found("0% p_oxy", None).await.is_empty(), "signs of patterns are letters here");
    assert_eq!(found("zweihander", Some(ArticleStatus::Draft)).await, BTreeSet::from([draft]));
    assert_eq!(found("\0", None).await, BTreeSet::from([shown, draft]));
}

#[tokio::test]
async fn the_api_tells_what_is_published_to_everybody() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let id = published(&app.ctx, &staff, &words("Zweihander grip")).await;
    published(&app.ctx, &staff, &words("Zweihander edge")).await;
    knowledge::write(&app.ctx, &staff, &words("Zweihander draft")).await.expect("written");
    let early = get(&app.ctx, "/api/support/knowledge-base/search?q=zweihander").await;
    assert_eq!(early.outcome(), (503, Some(ProblemCode::Unavailable)));
    search::prepare(&app.ctx, openapi::document()).await.expect("the index is built");

    let found = get(&app.ctx, "/api/support/knowledge-base/search?q=zweihander&limit=1").await;
    assert_eq!(found.outcome(), (200, None));
    assert_eq!(found.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert!(found.header(header::LINK).contains("cursor=1"), "{}", found.header(header::LINK));
    let first = &found.json()[0];
    assert_eq!((found.json().as_array().map(Vec::len), first["score"].as_f64()), (Some(1), Some(1.0)));
    for field in ["id", "slug", "title", "excerpt", "url", "category", "updatedAt"] {
        assert!(first[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {first}");
    }
    let etag = found.header(header::ETAG).to_owned();
    let again = call("GET", "/api/support/knowledge-base/search?q=zweihander&limit=1");
    assert_eq!(again.header(header::IF_NONE_MATCH, etag).send(&app.ctx).await.status, 304);
    let rest =
        post(&app.ctx, "/api/support/knowledge-base/search", &json!({ "q": "zweihander", "cursor": 1 }))
            .await;
    assert_eq!((rest.status.as_u16(), rest.json().as_array().map(Vec::len)), (200, Some(1)));
    assert_ne!(rest.json()[0]["slug"], first["slug"]);
    assert_eq!(rest.header(header::LINK), "");
    for path in ["/api/support/knowledge-base/search", "/api/support/knowledge-base/search?q=x&limit=many"] {
        assert_eq!(get(&app.ctx, path).await.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{path}");
    }

    for name in [id.to_string(), "zweihander-grip".to_owned()] {
        let article = get(&app.ctx, &format!("/api/v1/support/knowledge-base/{name}")).await;
        assert_eq!(article.outcome(), (200, None), "{name}");
        let article = article.json();
        assert!(article["html"].as_str().is_some_and(|html| html.contains("<h2")), "{article}");
        assert_eq!(article["markdown"], words("").markdown);
        assert_eq!(article["related"][0]["slug"], "zweihander-edge");
        assert_eq!(article["versions"][0]["version"], 1);
    }
    for name in ["zweihander-draft", "nothing", "%00", "art_01h2xcejqtf2nbrexx3vqjhp41"] {
        let missing = get(&app.ctx, &format!("/api/support/knowledge-base/{name}")).await;
        assert_eq!(missing.outcome(), (404, Some(ProblemCode::NotFound)), "{name}");
    }
}

#[tokio::test]
async fn answers_about_an_article_come_through_the_api_and_reading_changes_nothing() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    published(&app.ctx, &staff, &words("Grip")).await;
    let base = "/api/support/knowledge-base/grip";
    let sent =
        post(&app.ctx, &format!("{base}/feedback"), &json!({ "helpful": false, "note": "Too short" })).await;
    assert_eq!((sent.outcome(), sent.json()), ((200, None), json!({ "success": true })));
    let figures =
        async || feedback::figures_of(&app.ctx, &staff, "/support/articles/grip", 7).await.expect("counted");
    assert_eq!((figures().await.yes, figures().await.no), (0, 1));
    for (path, expected) in [(base.to_owned(), 200), (format!("{base}/feedback"), 405)] {
        assert_eq!(get(&app.ctx, &path).await.status.as_u16(), expected, "{path}");
    }
    assert_eq!((figures().await.yes, figures().await.no), (0, 1));
    let missing = post(&app.ctx, &format!("{base}/feedback"), &json!({})).await;
    assert_eq!(missing.mistakes(), [("helpful".to_owned(), "invalid".to_owned())]);
    let unknown =
        post(&app.ctx, "/api/support/knowledge-base/nothing/feedback", &json!({ "helpful": true })).await;
    assert_eq!(unknown.outcome(), (404, Some(ProblemCode::NotFound)));
    let asked = call("OPTIONS", "/api/support/knowledge-base/grip/feedback").send(&app.ctx).await;
    assert_eq!(asked.header(HeaderName::from_static("access-control-allow-methods")), "POST");
}
