//! Sessions: begun by a sign-in, seen by their owner, ended by time, by their owner, or by a token used twice.

use devforge::{
    account::{Client, Denied, Error, sign_in},
    context::Context,
    contract::account::{Login, Role, SessionKind, TokenPair, User},
    jobs::Job,
    session::{self, PurgeSessions},
};
use time::Duration;

use crate::support::{PASSWORD, TestApp, client};

const ADA: &str = "ada@example.com";

async fn count(ctx: &Context) -> i64 {
    sqlx::query_scalar("select count(*) from session").fetch_one(&ctx.db).await.expect("counted")
}

async fn mails(ctx: &Context, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from mail_message where kind = $1")
        .bind(kind)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

async fn login(app: &TestApp, user: &User) -> TokenPair {
    let login = Login { email: user.email.clone(), password: PASSWORD.to_owned(), code: None };
    sign_in::login(&app.ctx, &login, &editor()).await.expect("signed in").1
}

fn editor() -> Client {
    Client { device: "Dev Forge on Linux".to_owned(), ..client() }
}

#[tokio::test]
async fn neither_the_cookie_nor_a_token_is_in_the_database() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let opened = app.sign_in(&ada).await;
    let tokens = login(&app, &ada).await;
    let device = opened.device.clone().expect("a device");
    for (table, value) in [
        ("session", &opened.cookie),
        ("known_device", &device),
        ("refresh_token", &tokens.refresh_token),
        ("session", &tokens.token),
    ] {
        let sql = format!("select count(*) from {table} t where t::text like '%' || $1 || '%'");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(value)
            .fetch_one(&app.ctx.db)
            .await
            .expect("searched");
        assert_eq!(found, 0, "{table}");
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_at_the_latest_after_its_absolute_time() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let idle = app.sign_in(&ada).await;
    app.ctx.clock.advance(Duration::days(14) - Duration::SECOND);
    assert!(app.caller(&idle).await.user().is_some());
    app.ctx.clock.advance(Duration::SECOND);
    assert!(app.caller(&idle).await.user().is_none(), "idle for fourteen days");

    let used = app.sign_in(&ada).await;
    let absolute = app.ctx.config.security.session_absolute;
    let hash = session::token_hash(&app.ctx, &used.cookie);
    let mut days = 0;
    while let Some(found) = app.ctx.sessions.signed_in(hash, absolute).await.expect("asked") {
        assert!(found.is_due(app.ctx.clock.now()) == (days > 0));
        session::touch(&app.ctx, &found, &client()).await.expect("noted");
        app.ctx.clock.advance(Duration::days(1));
        days += 1;
        assert!(days <= 90, "a session has an end");
    }
    assert_eq!(days, 90);
    PurgeSessions {}.run(app.ctx.clone()).await.expect("purged");
    assert_eq!(count(&app.ctx).await, 0);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_session_that_is_not_to_be_remembered_is_short() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let step = sign_in::with_password(&app.ctx, ADA, PASSWORD, false, &client()).await;
    let Ok(sign_in::Step::Done(opened)) = step else { panic!("signed in: {step:?}") };
    assert!(!opened.remember);
    app.ctx.clock.advance(Duration::hours(12) - Duration::SECOND);
    assert!(app.caller(&opened).await.user().is_some());
    app.ctx.clock.advance(Duration::SECOND);
    assert!(app.caller(&opened).await.user().is_none());
    app.run_jobs().await;
}

#[tokio::test]
async fn a_person_sees_and_ends_their_own_sessions_and_no_others() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let here = app.sign_in(&ada).await;
    app.ctx.clock.advance(Duration::SECOND);
    let tokens = login(&app, &ada).await;
    let caller = app.caller(&here).await;
    let list = session::list(&app.ctx, &caller).await.expect("listed");
    let shown: Vec<_> = list.iter().map(|one| (one.kind, one.device.as_str(), one.current)).collect();
    assert_eq!(
        shown,
        [(SessionKind::Api, "Dev Forge on Linux", false), (SessionKind::Browser, "Firefox on Linux", true)]
    );
    assert_eq!(list[0].place, "192.0.2.10");

    let eve = app.signed_in("eve@example.com", Role::Customer).await;
    assert!(!session::end(&app.ctx, &eve, list[0].id).await.expect("asked"), "not hers");
    assert!(session::end(&app.ctx, &caller, list[0].id).await.expect("ended"));
    assert!(!session::end(&app.ctx, &caller, list[0].id).await.expect("asked"), "ended before");
    let found = session::access_session(&app.ctx, &tokens.token).await.expect("verified").expect("named");
    let absolute = app.ctx.config.security.session_absolute;
    let holder = app.ctx.sessions.signed_in(found, absolute).await.expect("asked");
    assert!(holder.is_none(), "its access token ended with it");
    let refused = session::refresh(&app.ctx, &tokens.refresh_token, &editor()).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::Unauthenticated))), "{refused:?}");

    app.sign_in(&ada).await;
    app.sign_in(&ada).await;
    assert_eq!(session::end_others(&app.ctx, &caller).await.expect("ended"), 2);
    assert!(app.caller(&here).await.user().is_some());
    session::sign_out(&app.ctx, &caller).await.expect("signed out");
    assert!(app.caller(&here).await.user().is_none());
    app.run_jobs().await;
}

#[tokio::test]
async fn every_sign_in_is_a_new_session_and_a_new_proof_a_new_cookie() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let first = app.sign_in(&ada).await;
    let second = app.sign_in(&ada).await;
    assert_ne!(first.cookie, second.cookie);
    assert_ne!(first.session, second.session);

    let caller = app.caller(&first).await;
    app.ctx.clock.advance(Duration::minutes(16));
    let wrong = sign_in::Proof::Password("not the password at all");
    let refused = sign_in::confirm(&app.ctx, &caller, wrong, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    let right = sign_in::Proof::Password(PASSWORD);
    let renewed = sign_in::confirm(&app.ctx, &caller, right, &client()).await.expect("confirmed");
    assert_eq!(renewed.session, first.session);
    assert!(app.caller(&first).await.user().is_none(), "the old cookie is worth nothing");
    let now = app.ctx.clock.now();
    assert!(app.caller(&renewed).await.identity().is_some_and(|identity| identity.is_fresh(now)));
    app.run_jobs().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_successor_next() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let first = login(&app, &ada).await;
    let second = session::refresh(&app.ctx, &first.refresh_token, &editor()).await.expect("refreshed");
    assert_ne!(first.refresh_token, second.refresh_token);
    let third = session::refresh(&app.ctx, &second.refresh_token, &editor()).await.expect("refreshed");
    assert_eq!(
        third.expires_at,
        app.ctx.clock.now().replace_nanosecond(0).expect("valid") + session::ACCESS_FOR
    );
    for bad in ["", "dfr_", "dfr_nothing", &third.token, &"x".repeat(5000)] {
        let refused = session::refresh(&app.ctx, bad, &editor()).await;
        assert!(matches!(refused, Err(Error::Denied(Denied::Unauthenticated))), "{bad:?}: {refused:?}");
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn two_refreshes_at_the_same_moment_are_given_the_same_successor() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let first = login(&app, &ada).await;
    let editor_there = editor();
    let refreshed = futures::future::join_all(
        (0..8).map(|_| session::refresh(&app.ctx, &first.refresh_token, &editor_there)),
    )
    .await;
    let successors: Vec<String> =
        refreshed.into_iter().map(|pair| pair.expect("an honest client").refresh_token).collect();
    assert!(successors.windows(2).all(|pair| pair[0] == pair[1]), "{successors:?}");

    app.ctx.clock.advance(Duration::seconds(29));
    let retried =
        session::refresh(&app.ctx, &first.refresh_token, &editor()).await.expect("its answer got lost");
    assert_eq!(retried.refresh_token, successors[0]);
    session::refresh(&app.ctx, &retried.refresh_token, &editor()).await.expect("still signed in");
    app.run_jobs().await;
}

#[tokio::test]
async fn a_token_used_long_before_ends_its_family_and_its_owner_is_told() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let elsewhere = app.sign_in(&ada).await;
    let first = login(&app, &ada).await;
    let second = session::refresh(&app.ctx, &first.refresh_token, &editor()).await.expect("refreshed");
    app.ctx.clock.advance(Duration::seconds(30));
    let refused = session::refresh(&app.ctx, &first.refresh_token, &editor()).await;
    assert!(matches!(refused, Err(Error::RefreshReused)), "{refused:?}");
    let refused = session::refresh(&app.ctx, &second.refresh_token, &editor()).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::Unauthenticated))), "the whole family: {refused:?}");
    assert!(app.caller(&elsewhere).await.user().is_some(), "and no other");
    assert_eq!(mails(&app.ctx, "refresh_reused").await, 1);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_sign_in_from_a_new_device_is_told_and_from_a_known_one_is_not() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let first = app.sign_in(&ada).await;
    assert_eq!(mails(&app.ctx, "new_device").await, 0, "the first of all is no news");
    let same = Client { known_device: first.device.clone(), ..client() };
    app.sign_in_from(&ada, &same).await;
    assert_eq!(mails(&app.ctx, "new_device").await, 0);
    app.sign_in(&ada).await;
    assert_eq!(mails(&app.ctx, "new_device").await, 1);
    app.run_jobs().await;
}

#[tokio::test]
async fn an_administrator_looks_through_somebodys_eyes_and_changes_nothing() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let root = app.person("root@example.com", Role::Admin).await;
    let opened = app.sign_in(&root).await;
    let admin = app.caller(&opened).await;
    for staff in [root.id, app.person("sam@example.com", Role::Support).await.id] {
        let refused = session::view_as(&app.ctx, &admin, staff).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    let eve = app.signed_in("eve@example.com", Role::Support).await;
    let refused = session::view_as(&app.ctx, &eve, ada.id).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");

    session::view_as(&app.ctx, &admin, ada.id).await.expect("looking");
    let looking = app.caller(&opened).await;
    assert_eq!(looking.user().map(|user| user.id), Some(ada.id));
    assert_eq!(looking.identity().and_then(|identity| identity.impersonator()), Some(root.id));
    let refused = session::end_others(&app.ctx, &looking).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::ReadOnly))), "{refused:?}");
    let refused = sign_in::confirm(&app.ctx, &looking, sign_in::Proof::Password(PASSWORD), &client()).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::ReadOnly))), "{refused:?}");

    session::stop_viewing(&app.ctx, &looking).await.expect("stopped");
    assert_eq!(app.caller(&opened).await.user().map(|user| user.id), Some(root.id));
    session::view_as(&app.ctx, &admin, ada.id).await.expect("looking");
    app.ctx.clock.advance(session::VIEWING_FOR);
    assert_eq!(app.caller(&opened).await.user().map(|user| user.id), Some(root.id), "it ends by itself");
    app.run_jobs().await;
}
