//! Tokens of people's own programs: what they may do, and when they are worth nothing.

use devforge::{
    account::{
        Caller, Denied, Error, Permission, Via,
        personal_token::{self, MOST_TOKENS},
    },
    context::Context,
    contract::{
        account::{CreatedPersonalToken, NewPersonalToken, Role, Scope},
        id::UserId,
    },
    mail,
};
use time::Duration;

use crate::support::TestApp;

const HOME: &str = "192.0.2.7";

fn new(scopes: &[Scope]) -> NewPersonalToken {
    NewPersonalToken { name: " Build server ".to_owned(), scopes: scopes.to_vec(), expires_in_days: None }
}

async fn create(ctx: &Context, caller: &Caller) -> CreatedPersonalToken {
    personal_token::create(ctx, caller, &new(&[Scope::AccountRead])).await.expect("made")
}

async fn is_good(ctx: &Context, token: &str) -> bool {
    personal_token::find(ctx, token, HOME).await.expect("asked").is_some()
}

fn id_of(caller: &Caller) -> UserId {
    caller.user().expect("signed in").id
}

/// The same person with a new proof of who they are.
async fn again(app: &TestApp, caller: &Caller) -> Caller {
    let opened = app.sign_in(caller.user().expect("signed in")).await;
    app.caller(&opened).await
}

fn fields(refused: Result<CreatedPersonalToken, Error>) -> Vec<String> {
    match refused {
        Err(Error::Invalid(problems)) => problems.into_iter().map(|problem| problem.field).collect(),
        other => panic!("it has mistakes: {other:?}"),
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_tells_whose_it_is() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let asked = new(&[Scope::SupportWrite, Scope::AccountRead, Scope::SupportWrite]);
    let made = personal_token::create(&app.ctx, &ada, &asked).await.expect("made");
    assert!(personal_token::is_well_formed(&made.token), "{}", made.token);
    assert!(made.token.ends_with(&made.details.hint));
    assert_eq!(made.details.name, "Build server");
    assert_eq!(made.details.scopes, [Scope::AccountRead, Scope::SupportWrite]);
    assert_eq!(made.details.expires_at, Some(app.ctx.clock.now() + Duration::days(90)));

    let found = personal_token::find(&app.ctx, &made.token, HOME).await.expect("asked").expect("good");
    assert_eq!((found.0.id, found.1), (id_of(&ada), made.details.id));
    assert_eq!(found.2, made.details.scopes);
    let listed = personal_token::list(&app.ctx, &ada).await.expect("listed");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].last_used_at, Some(app.ctx.clock.now()));

    let secret = made.token.trim_start_matches(personal_token::PREFIX);
    let stored: i64 = sqlx::query_scalar(
        "select count(*) from personal_token t, audit_event e
         where t::text like '%' || $1 || '%' or e::text like '%' || $1 || '%' or t.token_hash = sha256($1::bytea)",
    )
    .bind(secret)
    .fetch_one(&app.ctx.db)
    .await
    .expect("looked for");
    assert_eq!(stored, 0, "the token itself is nowhere");

    let mails = mail::recent(&app.ctx, 50).await.expect("listed");
    let told = mails.iter().find(|mail| mail.kind == "token_created").expect("its owner is told");
    assert_eq!(told.to_address, "ada@example.com");
    app.run_jobs().await;
}

#[tokio::test]
async fn what_is_not_one_of_our_tokens_finds_nobody() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let token = create(&app.ctx, &ada).await.token;
    let other_case = token.to_uppercase();
    let cut = &token[..token.len() - 1];
    // Well formed, with a checksum that is right, and unknown.
    let unknown = "dfp_000000000000000000000000000000001n8xc9d";
    assert!(personal_token::is_well_formed(unknown));
    for text in ["", "dfp_", cut, other_case.as_str(), unknown, "dfp_'; drop table personal_token; --"] {
        assert!(!is_good(&app.ctx, text).await, "{text}");
    }
    assert!(is_good(&app.ctx, &token).await);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_token_ends_to_the_second() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let asked = NewPersonalToken { expires_in_days: Some(1), ..new(&[Scope::AccountRead]) };
    let token = personal_token::create(&app.ctx, &ada, &asked).await.expect("made").token;
    app.ctx.clock.advance(Duration::days(1) - Duration::seconds(1));
    assert!(is_good(&app.ctx, &token).await);
    app.ctx.clock.advance(Duration::seconds(1));
    assert!(!is_good(&app.ctx, &token).await);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_revoked_token_is_gone_and_only_its_owner_revokes_it() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Admin).await;
    let made = create(&app.ctx, &ada).await;
    let revoke = async |caller: &Caller| {
        personal_token::revoke(&app.ctx, caller, made.details.id).await.expect("asked")
    };
    assert!(!revoke(&grace).await);
    assert!(is_good(&app.ctx, &made.token).await);
    assert!(revoke(&ada).await);
    assert!(!is_good(&app.ctx, &made.token).await);
    assert!(!revoke(&ada).await, "there is nothing left to revoke");
    assert!(personal_token::list(&app.ctx, &ada).await.expect("listed").is_empty());

    let mut noted: Vec<(String, String)> = sqlx::query_as(
        "select action, detail->>'token' from audit_event where action like 'token.%' and subject_id = $1",
    )
    .bind(id_of(&ada).to_string())
    .fetch_all(&app.ctx.db)
    .await
    .expect("read");
    let id = made.details.id.to_string();
    noted.sort();
    assert_eq!(noted, [("token.created".to_owned(), id.clone()), ("token.revoked".to_owned(), id)]);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_locked_or_deleted_owner_has_no_tokens() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let token = create(&app.ctx, &ada).await.token;
    for (end, good) in [
        ("update account set locked_at = now(), locked_reason = 'a suspicion' where id = $1", false),
        ("update account set locked_at = null, locked_reason = null where id = $1", true),
        ("update account set deleted_at = now() where id = $1", false),
    ] {
        let done = sqlx::query(end).bind(id_of(&ada).uuid()).execute(&app.ctx.db).await.expect("changed");
        assert_eq!(done.rows_affected(), 1);
        assert_eq!(is_good(&app.ctx, &token).await, good, "{end}");
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn a_scope_is_given_only_by_whoever_may_do_it() {
    let app = TestApp::start().await;
    let customer = app.signed_in("ada@example.com", Role::Customer).await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    let releases = new(&[Scope::AccountRead, Scope::ReleasesPublish]);
    let refused = personal_token::create(&app.ctx, &customer, &releases).await;
    assert_eq!(fields(refused), ["scopes"]);
    let refused = personal_token::create(&app.ctx, &customer, &new(&[])).await;
    assert_eq!(fields(refused), ["scopes"]);
    assert!(personal_token::create(&app.ctx, &admin, &releases).await.is_ok());
    app.run_jobs().await;
}

#[tokio::test]
async fn names_and_days_have_bounds() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    for (name, days, wrong) in [
        (" ".to_owned(), Some(90), vec!["name"]),
        ("two\nlines".to_owned(), Some(90), vec!["name"]),
        ("n".repeat(101), Some(367), vec!["name", "expiresInDays"]),
        ("n".repeat(100), Some(0), vec!["expiresInDays"]),
    ] {
        let asked = NewPersonalToken { name, scopes: vec![Scope::AccountRead], expires_in_days: days };
        let refused = personal_token::create(&app.ctx, &ada, &asked).await;
        assert_eq!(fields(refused), wrong, "{asked:?}");
    }
    assert!(personal_token::list(&app.ctx, &ada).await.expect("listed").is_empty());
    app.run_jobs().await;
}

#[tokio::test]
async fn making_one_takes_a_fresh_proof_and_nobody_does_it_for_others() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let asked = new(&[Scope::AccountRead]);
    let anonymous = personal_token::create(&app.ctx, &Caller::Anonymous, &asked).await;
    assert!(matches!(anonymous, Err(Error::Denied(Denied::Unauthenticated))), "{anonymous:?}");
    app.ctx.clock.advance(Duration::minutes(15));
    let stale = personal_token::create(&app.ctx, &ada, &asked).await;
    assert!(matches!(stale, Err(Error::Denied(Denied::NotFresh))), "{stale:?}");
    let ada = again(&app, &ada).await;
    assert!(personal_token::create(&app.ctx, &ada, &asked).await.is_ok());
    app.run_jobs().await;
}

#[tokio::test]
async fn a_token_makes_no_tokens() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let token = create(&app.ctx, &ada).await.token;
    let (user, id, scopes) =
        personal_token::find(&app.ctx, &token, HOME).await.expect("asked").expect("good");
    let Caller::User(mut identity) = ada else {
        panic!("signed in");
    };
    identity.user = user;
    identity.via = Via::Token { id, scopes };
    let program = Caller::User(identity);
    assert!(program.require(&app.ctx, Permission::AccountRead).is_ok());
    let refused = personal_token::create(&app.ctx, &program, &new(&[Scope::AccountRead])).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::Scope(None)))), "{refused:?}");
    app.run_jobs().await;
}

#[tokio::test]
async fn fifty_are_the_most_also_for_those_who_hurry() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    for _ in 1..MOST_TOKENS {
        create(&app.ctx, &ada).await;
    }
    let asked = new(&[Scope::AccountRead]);
    let (one, other) = tokio::join!(
        personal_token::create(&app.ctx, &ada, &asked),
        personal_token::create(&app.ctx, &ada, &asked)
    );
    let outcomes = [one, other];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(Error::Conflict(_)))), "{outcomes:?}");
    let listed = personal_token::list(&app.ctx, &ada).await.expect("listed");
    assert_eq!(listed.len(), usize::try_from(MOST_TOKENS).expect("positive"));
    app.run_jobs().await;
}

#[tokio::test]
async fn the_last_use_is_noted_every_five_minutes() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let token = create(&app.ctx, &ada).await.token;
    let used = async |address: &str| {
        personal_token::find(&app.ctx, &token, address).await.expect("asked").expect("good");
        sqlx::query_as::<_, (time::OffsetDateTime, String)>(
            "select last_used_at, last_used_address from personal_token",
        )
        .fetch_one(&app.ctx.db)
        .await
        .expect("noted")
    };
    let start = app.ctx.clock.now();
    assert_eq!(used(HOME).await, (start, HOME.to_owned()));
    app.ctx.clock.advance(Duration::minutes(5) - Duration::seconds(1));
    assert_eq!(used("192.0.2.8").await, (start, HOME.to_owned()));
    app.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(used("192.0.2.8").await, (start + Duration::minutes(5), "192.0.2.8".to_owned()));
    app.run_jobs().await;
}
