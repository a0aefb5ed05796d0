//! Migrations, and how a database that is away is told from a statement that is wrong.

use std::time::Duration;

use devforge::{
    account, api::error::ApiError, config::Secret, context::Context, contract::problem::ProblemCode, db, jobs,
};
use tokio::net::TcpListener;

use crate::{eventually::eventually, support::TestApp};

async fn empty(ctx: &Context) {
    sqlx::raw_sql("drop schema graphile_worker cascade; drop schema public cascade; create schema public")
        .execute(&ctx.db)
        .await
        .expect("emptied");
}

/// What a client is told when a statement fails like this.
fn told(error: sqlx::Error) -> ProblemCode {
    ApiError::from(error).code()
}

#[tokio::test]
async fn processes_that_start_at_once_bring_an_empty_database_up_to_date_together() {
    let app = TestApp::start().await;
    let second = app.second().await;
    empty(&app.ctx).await;
    let all = db::MIGRATOR.iter().count();
    assert_eq!(db::pending_migrations(&app.ctx.db).await.expect("asked"), all);

    let (one, other) = tokio::join!(Box::pin(db::migrate(&app.ctx.db)), Box::pin(db::migrate(&second.db)));
    one.expect("migrated");
    other.expect("migrated");
    assert_eq!(db::pending_migrations(&app.ctx.db).await.expect("asked"), 0);

    let (one, other) =
        tokio::join!(Box::pin(jobs::prepare_schema(&app.ctx.db)), Box::pin(jobs::prepare_schema(&second.db)));
    one.expect("prepared");
    other.expect("prepared");
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted"), jobs::QueueFigures::default());
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let app = TestApp::start().await;
    app.person("ada@example.com", devforge::contract::account::Role::Customer).await;
    db::migrate(&app.ctx.db).await.expect("nothing to do");
    jobs::prepare_schema(&app.ctx.db).await.expect("nothing to do");
    assert_eq!(account::count(&app.ctx).await.expect("counted"), 1);
    assert_eq!(db::pending_migrations(&app.ctx.db).await.expect("asked"), 0);
}

#[tokio::test]
async fn a_migration_that_is_missing_is_counted() {
    let app = TestApp::start().await;
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&app.ctx.db)
        .await
        .expect("forgotten");
    assert_eq!(db::pending_migrations(&app.ctx.db).await.expect("asked"), 1);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    let app = TestApp::start().await;
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let mut config = app.ctx.config.clone();
    config.database.url = Some(Secret::new(format!("postgres://nobody@{address}/nothing")));
    config.database.acquire_timeout = Duration::from_millis(200);
    let away = Context::open(config, app.ctx.clock.clone(), app.ctx.random.clone())
        .await
        .expect("opens all the same");

    let error = sqlx::query("select 1").execute(&away.db).await.expect_err("nobody answers");
    assert!(db::is_unavailable(&error), "{error}");
    let error = account::count(&away).await.expect_err("nobody answers");
    assert_eq!(ApiError::from(error).code(), ProblemCode::Unavailable);
    let absolute = away.config.security.session_absolute;
    let error = away.sessions.signed_in([0; 32], absolute).await.expect_err("nobody answers");
    assert_eq!(ApiError::from(error).code(), ProblemCode::Unavailable);
}

#[tokio::test]
async fn a_wrong_statement_is_our_fault_and_not_the_databases() {
    let app = TestApp::start().await;
    let error = sqlx::query("select nothing from nowhere").execute(&app.ctx.db).await.expect_err("wrong");
    assert!(!db::is_unavailable(&error));
    assert_eq!(told(error), ProblemCode::Internal);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_and_may_be_tried_again() {
    let app =
        TestApp::start_with(|config| config.database.statement_timeout = Duration::from_millis(100)).await;
    let error = sqlx::query("select pg_sleep(60)").execute(&app.ctx.db).await.expect_err("ended");
    assert!(db::is_unavailable(&error), "{error}");
    assert_eq!(told(error), ProblemCode::Unavailable);
}

#[tokio::test]
async fn a_pool_that_is_used_up_is_unavailable_until_a_connection_comes_back() {
    let app = TestApp::start_with(|config| {
        config.database.max_connections = 1;
        config.database.acquire_timeout = Duration::from_millis(200);
    })
    .await;
    let held = app.ctx.db.acquire().await.expect("the only connection");
    let error = sqlx::query("select 1").execute(&app.ctx.db).await.expect_err("none is left");
    assert_eq!(told(error), ProblemCode::Unavailable);
    drop(held);
    eventually("the connection is given out again", async || account::count(&app.ctx).await.ok()).await;
}

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced() {
    let app = TestApp::start_with(|config| config.database.max_connections = 1).await;
    let error = sqlx::query("select pg_terminate_backend(pg_backend_pid())")
        .execute(&app.ctx.db)
        .await
        .expect_err("the connection is gone");
    assert!(db::is_unavailable(&error), "{error}");
    eventually("another connection is made", async || account::count(&app.ctx).await.ok()).await;
}
