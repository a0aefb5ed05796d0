//! What readers say of pages: one answer for a network, a page and a day, and nothing that names them.

use devforge::{
    account::Client,
    contract::{account::Role, knowledge::FeedbackRequest, license_key::LicenseKey},
    jobs::Job,
    support::{
        Error,
        feedback::{self, PageFigures, PurgeFeedback},
        knowledge::{self, CATEGORIES, NewArticle},
    },
};
use time::Duration;

use crate::support::{TestApp, client};

fn no(note: &str) -> FeedbackRequest {
    FeedbackRequest { helpful: false, note: Some(note.to_owned()) }
}

fn from(network: &str) -> Client {
    Client { network: network.to_owned(), ..client() }
}

#[tokio::test]
async fn a_network_answers_once_a_day_and_the_last_answer_counts() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let path = "/docs/activate";
    let yes = FeedbackRequest { helpful: true, note: None };
    feedback::answer(&app.ctx, &client(), path, &yes).await.expect("kept");
    feedback::answer(&app.ctx, &client(), path, &no(" The picture is missing. ")).await.expect("kept");
    feedback::answer(&app.ctx, &client(), path, &no("")).await.expect("kept");
    feedback::answer(&app.ctx, &from("198.51.100.7"), path, &yes).await.expect("kept");
    let expected = [PageFigures { path: path.to_owned(), yes: 1, no: 1 }];
    assert_eq!(feedback::figures(&app.ctx, &staff, 7).await.expect("counted"), expected);
    let notes = feedback::notes(&app.ctx, &staff, Some(path), 7).await.expect("read");
    let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts, ["The picture is missing."]);

    app.ctx.clock.advance(Duration::days(1));
    feedback::answer(&app.ctx, &client(), path, &yes).await.expect("another day");
    let figures = feedback::figures_of(&app.ctx, &staff, path, 7).await.expect("counted");
    assert_eq!((figures.yes, figures.no), (2, 1));
    let today = feedback::figures_of(&app.ctx, &staff, path, 1).await.expect("counted");
    assert_eq!((today.yes, today.no), (1, 0));

    app.ctx.clock.advance(Duration::days(399));
    PurgeFeedback {}.run(app.ctx.clone()).await.expect("purged");
    let left = feedback::figures_of(&app.ctx, &staff, path, 400).await.expect("counted");
    assert_eq!((left.yes, left.no), (1, 0), "the day before is too old now");
}

#[tokio::test]
async fn only_pages_that_ask_take_answers_and_not_without_end() {
    let app = TestApp::start().await;
    let staff = app.signed_in("grace@example.com", Role::Support).await;
    let hidden = NewArticle {
        title: "Hidden".to_owned(),
        description: "Nobody sees it.".to_owned(),
        category: CATEGORIES[0].to_owned(),
        tags: Vec::new(),
        markdown: "Nothing.".to_owned(),
    };
    knowledge::write(&app.ctx, &staff, &hidden).await.expect("written");
    for path in [
        "",
        "/",
        "/pricing",
        "/docs",
        "/docs/api",
        "/docs/nothing",
        "/support/articles/hidden",
        "/docs/activate/",
    ] {
        let answer = feedback::answer(&app.ctx, &client(), path, &no("")).await;
        assert!(matches!(answer, Err(Error::NotFound)), "{path}: {answer:?}");
    }
    let key = format!("My key is {}", LicenseKey::from_random([7; 24]).expose());
    for note in ["x".repeat(1_001), key] {
        let answer = feedback::answer(&app.ctx, &client(), "/docs/activate", &no(&note)).await;
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
    }
    let mut refused = None;
    for _ in 0..100 {
        match feedback::answer(&app.ctx, &client(), "/docs/activate", &no("")).await {
            Ok(_) => {}
            Err(Error::TooManyTries { retry_after }) => {
                refused = Some(retry_after);
                break;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused.is_some_and(|wait| !wait.is_zero()));
    feedback::answer(&app.ctx, &from("198.51.100.7"), "/docs/activate", &no("")).await.expect("others go on");
}
