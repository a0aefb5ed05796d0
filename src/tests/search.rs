//! What can be found in what this site really says.

use std::collections::HashSet;

use devforge::{
    api::{error::ApiError, openapi},
    contract::{problem::ProblemCode, search::SearchKind},
    search::{self, SearchDocument},
};

use crate::support::TestApp;

fn documents(app: &TestApp) -> Vec<SearchDocument> {
    search::collect(&app.ctx.content, openapi::document())
}

#[tokio::test]
async fn until_the_index_is_there_search_says_so() {
    let app = TestApp::start().await;
    assert!(!app.ctx.search.is_ready());
    let refused = app.ctx.search.find("privacy", 10).expect_err("no index yet");
    assert_eq!(ApiError::from(refused).code(), ProblemCode::Unavailable);
}

#[tokio::test]
async fn written_pages_and_api_operations_are_found() {
    let app = TestApp::start().await;
    let documents = documents(&app);
    app.ctx.search.prepare(&documents, &app.ctx.random).expect("built");
    assert!(app.ctx.search.is_ready());
    assert_eq!(app.ctx.search.document_count().expect("ready"), documents.len() as u64);

    let privacy = app.ctx.search.find("privacy", 10).expect("found");
    assert!(privacy.items[0].url.starts_with("/legal/privacy"), "{:?}", privacy.items);
    assert_eq!(privacy.items[0].kind, SearchKind::Legal);
    let operations = app.ctx.search.find("auth sessions", 10).expect("found");
    assert_eq!(operations.items[0].kind, SearchKind::Api, "{:?}", operations.items);
    assert!(operations.items[0].url.starts_with("/docs/api#"));
    let nothing = app.ctx.search.find("xylophonequartz", 10).expect("looked for");
    assert_eq!((nothing.items.len(), nothing.total), (0, 0));
}

#[tokio::test]
async fn every_document_has_an_address_of_its_own() {
    let app = TestApp::start().await;
    let documents = documents(&app);
    let distinct: HashSet<&str> = documents.iter().map(|document| document.url.as_str()).collect();
    assert_eq!(distinct.len(), documents.len());
    let operations = documents.iter().filter(|document| document.kind == SearchKind::Api).count();
    assert_eq!(operations, devforge::api::operations().len());
}

#[tokio::test]
async fn a_second_process_opens_the_index_that_the_first_has_built() {
    let app = TestApp::start().await;
    let documents = documents(&app);
    app.ctx.search.prepare(&documents, &app.ctx.random).expect("built");
    let folder = &app.ctx.config.search.directory;
    let indexes = || std::fs::read_dir(folder).expect("listed").count();
    assert_eq!(indexes(), 1);

    let second = app.second().await;
    second.search.prepare(&documents, &second.random).expect("opened");
    let found = second.search.find("privacy", 1).expect("found");
    assert_eq!(found, app.ctx.search.find("privacy", 1).expect("found"));
    assert_eq!(indexes(), 1);
}
