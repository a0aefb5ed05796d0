//! A form of staff that is sent twice.

use devforge::{
    contract::account::Role,
    license::{
        Error,
        issue::{self, GenerateOrder, Issued},
        life,
    },
};
use time::Duration;

use super::{count, gift, given, people};
use crate::support::TestApp;

fn keys(all: &[Issued]) -> Vec<String> {
    let mut keys: Vec<_> = all.iter().map(|issued| issued.key.expose()).collect();
    keys.sort_unstable();
    keys
}

fn sent(order: GenerateOrder) -> GenerateOrder {
    GenerateOrder { count: 2, request: Some("form:1".to_owned()), ..order }
}

#[tokio::test]
async fn only_the_same_words_of_the_same_person_show_the_same_keys() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let first = given(&app, &admin, &sent(gift(&ada))).await;
    assert_eq!(keys(&given(&app, &admin, &sent(gift(&ada))).await), keys(&first));
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 2);

    let second_admin = app.signed_in("second@example.com", Role::Admin).await;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    let others = [
        given(&app, &second_admin, &sent(gift(&ada))).await,
        given(&app, &admin, &sent(gift(&grace))).await,
        given(&app, &admin, &sent(GenerateOrder { seats: 2, ..gift(&ada) })).await,
    ];
    for other in &others {
        assert!(keys(other).iter().all(|key| !keys(&first).contains(key)), "new ones");
    }
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 8);
}

#[tokio::test]
async fn the_keys_are_shown_again_for_a_day_and_nothing_is_made_after_it() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    given(&app, &admin, &sent(gift(&ada))).await;
    app.ctx.clock.advance(Duration::hours(24) - Duration::SECOND);
    let admin = app.signed_in_again(&admin.user().expect("somebody").email).await;
    given(&app, &admin, &sent(gift(&ada))).await;
    app.ctx.clock.advance(Duration::SECOND);
    let late = issue::generate(&app.ctx, &admin, &sent(gift(&ada))).await;
    assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 2);
}

#[tokio::test]
async fn a_key_that_took_the_place_of_another_is_not_shown() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let first = given(&app, &admin, &sent(gift(&ada))).await;
    life::rotate(&app.ctx, &ada, first[0].license.id).await.expect("a new key");
    let again = issue::generate(&app.ctx, &admin, &sent(gift(&ada))).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
}

#[tokio::test]
async fn the_key_of_a_license_that_is_somebody_else_s_by_now_is_not_shown() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    given(&app, &admin, &sent(gift(&ada))).await;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    sqlx::query("update license set account_id = $1")
        .bind(grace.user().expect("Grace").id.uuid())
        .execute(&app.ctx.db)
        .await
        .expect("hers now");
    let again = issue::generate(&app.ctx, &admin, &sent(gift(&ada))).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 2);
}
