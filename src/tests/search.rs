//! What can be found in what this site really says, and how soon.

mod asked;
mod judged;

use std::{
    collections::HashSet,
    fs::File,
    path::{Path, PathBuf},
};

use devforge::{
    account::Caller,
    api::{error::ApiError, openapi},
    context::Context,
    contract::{
        account::Role,
        id::ArticleId,
        problem::ProblemCode,
        search::{SearchKind, SearchResults},
    },
    outbox::{self, Cursor},
    random::Random,
    search::{self, Ask},
    support::knowledge::{self, ArticleStatus, NewArticle},
};
use tokio::task::JoinHandle;

use crate::{eventually::eventually, support::TestApp};

/// No page of ours has it.
const RARE: &str = "xylophonequartz";

fn find(ctx: &Context, text: &str) -> SearchResults {
    ctx.search.find(&Ask { text, kind: None, limit: 10, offset: 0 }).expect("looked for")
}

async fn prepare(ctx: &Context) {
    search::prepare(ctx, openapi::document()).await.expect("opened or built");
}

/// What a serving process does for its index, until the test is over.
struct Following(JoinHandle<()>);

impl Following {
    fn begin(ctx: &Context) -> Self {
        Self(tokio::spawn(search::follow(ctx.clone(), openapi::document())))
    }

    async fn end(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A node on another machine: the same database, and a folder of its own.
async fn other_node(app: &TestApp) -> Context {
    let mut config = app.ctx.config.clone();
    config.search.directory = config.search.directory.with_file_name("index-of-the-other-node");
    Context::open(config, app.ctx.clock.clone(), Random::seeded(3)).await.expect("a context")
}

fn indexes(ctx: &Context) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&ctx.config.search.directory).expect("listed").flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    folders
}

/// Whether a process has the index in this folder open.
fn is_used(folder: &Path) -> bool {
    let lock = File::options().write(true).open(folder.join("used.lock"));
    lock.is_ok_and(|lock| lock.try_lock().is_err())
}

async fn staff(app: &TestApp) -> Caller {
    app.signed_in("grace@example.com", Role::Support).await
}

/// An article about `word` that everybody can read.
async fn publish(app: &TestApp, caller: &Caller, word: &str) -> ArticleId {
    let new = NewArticle {
        title: format!("About the {word}"),
        description: "What it is for.".to_owned(),
        category: knowledge::CATEGORIES[0].to_owned(),
        tags: Vec::new(),
        markdown: format!("It is an instrument.\n\n## Tune a {word}\n\nTurn the key."),
    };
    let id = knowledge::write(&app.ctx, caller, &new).await.expect("written");
    set_status(app, caller, id, ArticleStatus::Published).await;
    id
}

async fn set_status(app: &TestApp, caller: &Caller, id: ArticleId, status: ArticleStatus) {
    let version = knowledge::staff_find(&app.ctx, caller, id).await.expect("found").version;
    knowledge::set_status(&app.ctx, caller, id, version, status).await.expect("set");
}

async fn is_found(ctx: &Context, text: &str) {
    let found = async || (find(ctx, text).total > 0).then_some(());
    eventually(&format!("{text} is found"), found).await;
}

async fn is_gone(ctx: &Context, text: &str) {
    let gone = async || (find(ctx, text).total == 0).then_some(());
    eventually(&format!("{text} is no longer found"), gone).await;
}

async fn is_ready(ctx: &Context) {
    eventually("the index is there", async || ctx.search.is_ready().then_some(())).await;
}

/// Until the last event can be read: transactions of other tests keep it back.
async fn can_be_read(ctx: &Context, id: ArticleId, times: usize) {
    let key = id.to_string();
    let readable = async || {
        let events = outbox::read_after(&ctx.db, Cursor::START, outbox::MAX_READ).await.expect("read");
        (events.iter().filter(|event| event.key == key).count() >= times).then_some(())
    };
    eventually("what happened can be read", readable).await;
}

#[tokio::test]
async fn until_the_index_is_there_search_says_so() {
    let app = TestApp::start().await;
    assert!(!app.ctx.search.is_ready());
    let ask = Ask { text: "privacy", kind: None, limit: 10, offset: 0 };
    let refused = app.ctx.search.find(&ask).expect_err("no index yet");
    assert_eq!(ApiError::from(refused).code(), ProblemCode::Unavailable);
}

#[tokio::test]
async fn written_pages_and_api_operations_are_found() {
    let app = TestApp::start().await;
    prepare(&app.ctx).await;
    let documents = search::documents(&app.ctx, openapi::document()).await.expect("collected");
    assert!(app.ctx.search.is_ready());
    assert_eq!(app.ctx.search.document_count().expect("ready"), documents.len() as u64);

    let privacy = find(&app.ctx, "privacy policy");
    assert!(privacy.items.iter().any(|hit| hit.url.starts_with("/legal/privacy")), "{:?}", privacy.items);
    let found = find(&app.ctx, "GET /api/auth/sessions").items;
    let operation = found.iter().find(|hit| hit.kind == SearchKind::Api).expect("the call is found");
    assert!(operation.url.starts_with("/docs/api#"), "{found:?}");
    let nothing = find(&app.ctx, RARE);
    assert_eq!((nothing.items.len(), nothing.total), (0, 0));
}

#[tokio::test]
async fn bare_words_lead_to_pages_and_not_to_calls() {
    let app = TestApp::start().await;
    prepare(&app.ctx).await;
    for (text, expected) in [
        ("pricing", "/pricing"),
        ("download", "/download"),
        ("status", "/status"),
        ("uptime", "/status"),
        ("press kit", "/press"),
        ("release notes", "/changelog"),
        ("okta", "/enterprise"),
    ] {
        let found = find(&app.ctx, text).items;
        assert!(found.iter().take(3).any(|hit| hit.url == expected), "{text}: {found:#?}");
    }
    for text in ["license", "licence", "invoice", "refund", "pricing", "download", "status"] {
        let first = find(&app.ctx, text).items.into_iter().next().expect("something is found");
        assert_ne!(first.kind, SearchKind::Api, "{text}: {}", first.url);
    }
}

#[tokio::test]
async fn every_document_has_an_address_of_its_own() {
    let app = TestApp::start().await;
    publish(&app, &staff(&app).await, RARE).await;
    let documents = search::documents(&app.ctx, openapi::document()).await.expect("collected");
    let distinct: HashSet<&str> = documents.iter().map(|document| document.url.as_str()).collect();
    assert_eq!(distinct.len(), documents.len());
    let of_kind = |kind: SearchKind| documents.iter().filter(|document| document.kind == kind).count();
    assert_eq!(of_kind(SearchKind::Api), devforge::api::operations().len());
    assert_eq!(of_kind(SearchKind::Article), 2);
    assert!(documents.iter().all(|document| !document.title.is_empty() && document.url.starts_with('/')));
}

#[tokio::test]
async fn a_second_process_opens_the_index_that_the_first_has_built() {
    let app = TestApp::start().await;
    prepare(&app.ctx).await;
    let built = indexes(&app.ctx);
    assert_eq!(built.len(), 1);

    let second = app.second().await;
    prepare(&second).await;
    assert_eq!(find(&second, "privacy"), find(&app.ctx, "privacy"));
    assert_eq!(indexes(&second), built);
}

#[tokio::test]
async fn an_article_is_found_on_every_node_and_no_longer_once_it_is_withdrawn() {
    let app = TestApp::start().await;
    let (other, caller) = (other_node(&app).await, staff(&app).await);
    let _following = [Following::begin(&app.ctx), Following::begin(&other)];
    is_ready(&app.ctx).await;
    is_ready(&other).await;
    assert_eq!(find(&other, RARE).total, 0);

    let id = publish(&app, &caller, RARE).await;
    can_be_read(&app.ctx, id, 2).await;
    for node in [&app.ctx, &other] {
        is_found(node, RARE).await;
        let hits = find(node, RARE);
        assert_eq!(hits.total, 2, "the article and its section: {:?}", hits.items);
        assert!(hits.items.iter().all(|hit| hit.kind == SearchKind::Article));
    }

    let version = knowledge::staff_find(&app.ctx, &caller, id).await.expect("found").version;
    let new = NewArticle {
        title: "About the glockenspielopal".to_owned(),
        description: "What it is for.".to_owned(),
        category: knowledge::CATEGORIES[0].to_owned(),
        tags: Vec::new(),
        markdown: "It is an instrument.".to_owned(),
    };
    knowledge::rewrite(&app.ctx, &caller, id, version, &new).await.expect("written anew");
    for node in [&app.ctx, &other] {
        is_found(node, "glockenspielopal").await;
        assert_eq!(find(node, RARE).total, 0, "what was written before is gone");
    }

    set_status(&app, &caller, id, ArticleStatus::Archived).await;
    for node in [&app.ctx, &other] {
        is_gone(node, "glockenspielopal").await;
        assert!(find(node, "privacy").total > 0);
    }
}

#[tokio::test]
async fn of_two_processes_of_one_folder_either_takes_over_from_the_other() {
    let app = TestApp::start().await;
    let (second, caller) = (app.second().await, staff(&app).await);
    let first_following = Following::begin(&app.ctx);
    is_ready(&app.ctx).await;
    let _second_following = Following::begin(&second);
    is_ready(&second).await;
    publish(&app, &caller, "glockenspielopal").await;
    is_found(&app.ctx, "glockenspielopal").await;
    is_found(&second, "glockenspielopal").await;

    first_following.end().await;
    publish(&app, &caller, RARE).await;
    is_found(&second, RARE).await;
    assert_eq!(indexes(&second).len(), 1, "nothing was built anew");
}

#[tokio::test]
async fn a_restart_goes_on_where_the_index_was() {
    let app = TestApp::start().await;
    let caller = staff(&app).await;
    let following = Following::begin(&app.ctx);
    is_ready(&app.ctx).await;
    publish(&app, &caller, "glockenspielopal").await;
    is_found(&app.ctx, "glockenspielopal").await;
    following.end().await;
    let before = indexes(&app.ctx);

    publish(&app, &caller, RARE).await;
    let restarted = app.second().await;
    prepare(&restarted).await;
    assert!(find(&restarted, "glockenspielopal").total > 0, "it was opened as it was");
    let _following = Following::begin(&restarted);
    is_found(&restarted, RARE).await;
    assert_eq!(indexes(&restarted), before, "nothing was built anew");
}

#[tokio::test]
async fn an_index_that_slept_too_long_is_built_anew() {
    let app = TestApp::start().await;
    prepare(&app.ctx).await;
    let before = indexes(&app.ctx);
    app.ctx.clock.advance(time::Duration::days(11));
    let later = app.second().await;
    prepare(&later).await;
    assert_ne!(indexes(&later).last(), before.last());
}

#[tokio::test]
async fn an_index_that_knows_another_database_is_built_anew_while_the_site_runs() {
    let app = TestApp::start().await;
    let _following = Following::begin(&app.ctx);
    is_ready(&app.ctx).await;
    let [index]: [PathBuf; 1] = indexes(&app.ctx).try_into().expect("one index");
    // As when the database is put back to what it was before: the place of the index is still to come.
    let mut meta: serde_json::Value =
        serde_json::from_slice(&std::fs::read(index.join("meta.json")).expect("read")).expect("JSON");
    let said = meta["payload"].as_str().expect("it has a place").to_owned();
    let mut parts: Vec<&str> = said.splitn(3, ' ').collect();
    parts[1] = "4000000000000000000.1";
    meta["payload"] = parts.join(" ").into();
    std::fs::write(index.join("meta.json.new"), meta.to_string()).expect("written");
    std::fs::rename(index.join("meta.json.new"), index.join("meta.json")).expect("renamed");
    let another = async || {
        app.ctx.clock.advance(time::Duration::minutes(4));
        indexes(&app.ctx).into_iter().find(|folder| *folder != index && folder.join("meta.json").exists())
    };
    eventually("another index is there", another).await;
    publish(&app, &staff(&app).await, RARE).await;
    is_found(&app.ctx, RARE).await;
}

#[tokio::test]
async fn an_index_that_is_deleted_while_it_is_open_is_built_anew_and_searched_all_the_time() {
    let app = TestApp::start().await;
    let _following = Following::begin(&app.ctx);
    is_ready(&app.ctx).await;
    let [index]: [PathBuf; 1] = indexes(&app.ctx).try_into().expect("one index");
    std::fs::remove_dir_all(&index).expect("removed");
    let another = async || {
        assert!(find(&app.ctx, "privacy").total > 0);
        indexes(&app.ctx).into_iter().find(|folder| *folder != index && folder.join("meta.json").exists())
    };
    eventually("another index is there", another).await;
    publish(&app, &staff(&app).await, RARE).await;
    is_found(&app.ctx, RARE).await;
}

#[tokio::test]
async fn building_anew_keeps_nobody_from_searching() {
    let app = TestApp::start().await;
    let _following = Following::begin(&app.ctx);
    is_ready(&app.ctx).await;
    let command = app.second().await;
    let expected = find(&app.ctx, "privacy").total;
    let searching = app.ctx.clone();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let searches = tokio::task::spawn_blocking(move || {
        let mut searches = 0_u32;
        while !*stopped.borrow() {
            assert_eq!(find(&searching, "privacy").total, expected);
            searches += 1;
        }
        searches
    });
    for _ in 0..2 {
        let before = indexes(&app.ctx).pop().expect("an index");
        search::rebuild(&command, openapi::document()).await.expect("built");
        eventually("the new index is taken up", async || (!is_used(&before)).then_some(())).await;
    }
    stop.send(true).expect("still searching");
    assert!(searches.await.expect("every search was answered") > 0);
}
