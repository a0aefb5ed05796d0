//! Two-factor sign-in: set up, asked for, used once, and turned off.

use devforge::{
    account::{
        Caller, Denied, Error, Via,
        two_factor::{self, Factor},
    },
    context::Context,
    contract::{
        account::{Role, TwoFactorSetup},
        id::UserId,
    },
};
use time::{Duration, OffsetDateTime};

use crate::support::TestApp;

const ADA: &str = "ada@example.com";

/// What an authenticator app shows at that time.
fn code_at(setup: &TwoFactorSetup, at: OffsetDateTime) -> String {
    let secret = totp_rs::Secret::try_from_base32(&setup.secret).expect("base32");
    let app = totp_rs::Builder::new().with_secret(secret).build().expect("a long enough secret");
    app.generate(u64::try_from(at.unix_timestamp()).expect("after 1970")).to_string()
}

fn wrong_code(setup: &TwoFactorSetup, at: OffsetDateTime) -> &'static str {
    let near = [-30, 0, 30].map(|seconds| code_at(setup, at + Duration::seconds(seconds)));
    ["000000", "000001", "000002", "000003"]
        .into_iter()
        .find(|code| near.iter().all(|right| right != code))
        .expect("three codes leave one of four")
}

fn id(caller: &Caller) -> UserId {
    caller.user().expect("somebody").id
}

/// The same person, who has just proved again who they are.
fn fresh(ctx: &Context, caller: &Caller) -> Caller {
    let mut caller = caller.clone();
    if let Caller::User(identity) = &mut caller
        && let Via::Session { authenticated_at, .. } = &mut identity.via
    {
        *authenticated_at = Some(ctx.clock.now());
    }
    caller
}

/// Somebody who has turned it on, with their recovery codes. The code of the present step is used up.
async fn turned_on(app: &TestApp, email: &str) -> (Caller, TwoFactorSetup, Vec<String>) {
    let caller = app.signed_in(email, Role::Customer).await;
    let setup = two_factor::begin(&app.ctx, &caller).await.expect("begun");
    let code = code_at(&setup, app.ctx.clock.now());
    let codes = two_factor::enable(&app.ctx, &caller, &code).await.expect("turned on");
    (caller, setup, codes.recovery_codes)
}

async fn check(ctx: &Context, account: UserId, code: &str) -> Option<Factor> {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let factor = two_factor::check(&mut tx, ctx, account, code).await.expect("checked");
    tx.commit().await.expect("committed");
    factor
}

async fn mails(ctx: &Context, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from mail_message where kind = $1")
        .bind(kind)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

async fn audited(ctx: &Context, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_event where action = $1")
        .bind(action)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

#[tokio::test]
async fn a_secret_waits_an_hour_and_asks_for_nothing_until_it_is_confirmed() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in(ADA, Role::Customer).await;
    let first = two_factor::begin(ctx, &ada).await.expect("begun");
    assert_eq!(first.secret.len(), 32, "160 bits in base32");
    assert!(first.otpauth_url.contains("/Dev%20Forge:ada%40example.com?secret="), "{}", first.otpauth_url);
    assert!(first.qr_svg.starts_with("<svg "), "{}", first.qr_svg);

    ctx.clock.advance(Duration::minutes(59));
    let again = two_factor::begin(ctx, &fresh(ctx, &ada)).await.expect("shown again");
    assert_eq!(again.secret, first.secret);
    assert_eq!(check(ctx, id(&ada), &code_at(&first, ctx.clock.now())).await, None);
    assert_eq!(two_factor::status(ctx, &ada).await.expect("asked").since, None);

    ctx.clock.advance(Duration::minutes(1));
    let late = code_at(&first, ctx.clock.now());
    let refused = two_factor::enable(ctx, &fresh(ctx, &ada), &late).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let other = two_factor::begin(ctx, &fresh(ctx, &ada)).await.expect("begun anew");
    assert_ne!(other.secret, first.secret);
}

#[tokio::test]
async fn a_secret_that_one_session_began_is_as_good_as_none_in_another() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let user = app.person(ADA, Role::Customer).await;
    let theirs = app.caller(&app.sign_in(&user).await).await;
    let hers = app.caller(&app.sign_in(&user).await).await;

    // Somebody else in the account begins, and knows the secret.
    let known = two_factor::begin(ctx, &theirs).await.expect("begun");
    assert!(two_factor::pending(ctx, &hers).await.expect("asked").is_none());
    let refused = two_factor::enable(ctx, &hers, &code_at(&known, ctx.clock.now())).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");

    let own = two_factor::begin(ctx, &hers).await.expect("begun anew");
    assert_ne!(own.secret, known.secret);
    assert!(two_factor::pending(ctx, &theirs).await.expect("asked").is_none());
    let shown = two_factor::pending(ctx, &hers).await.expect("asked").expect("it waits");
    assert_eq!(shown.secret, own.secret);
    for setup in [&known, &own] {
        let refused = two_factor::enable(ctx, &theirs, &code_at(setup, ctx.clock.now())).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }

    // Confirmed, it is the account's, whichever session there is.
    two_factor::enable(ctx, &hers, &code_at(&own, ctx.clock.now())).await.expect("turned on");
    ctx.clock.advance(Duration::seconds(30));
    assert_eq!(check(ctx, user.id, &code_at(&known, ctx.clock.now())).await, None);
    assert_eq!(check(ctx, user.id, &code_at(&own, ctx.clock.now())).await, Some(Factor::Totp));
}

#[tokio::test]
async fn a_right_code_turns_it_on_and_gives_ten_recovery_codes() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in(ADA, Role::Customer).await;
    let refused = two_factor::enable(ctx, &ada, "123456").await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "nothing was begun: {refused:?}");

    let setup = two_factor::begin(ctx, &ada).await.expect("begun");
    for wrong in [wrong_code(&setup, ctx.clock.now()), "", "12345", "01234-56789"] {
        let refused = two_factor::enable(ctx, &ada, wrong).await;
        assert!(matches!(refused, Err(Error::InvalidCode)), "{wrong:?}: {refused:?}");
    }
    assert_eq!(audited(ctx, "account.two_factor_code_wrong").await, 4);
    let code = code_at(&setup, ctx.clock.now());
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let codes = two_factor::enable(ctx, &ada, &spaced).await.expect("turned on").recovery_codes;

    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| code.len() == 11 && code.as_bytes()[5] == b'-'), "{codes:?}");
    let status = two_factor::status(ctx, &ada).await.expect("asked");
    assert_eq!((status.since, status.codes_left), (Some(ctx.clock.now()), 10));
    assert_eq!(mails(ctx, "two_factor_on").await, 1);
    assert_eq!(audited(ctx, "account.two_factor_on").await, 1);
    assert_eq!(audited(ctx, "account.two_factor_code_wrong").await, 4, "the right one is none of them");
    for refused in [
        two_factor::begin(ctx, &ada).await.map(|_| ()),
        two_factor::enable(ctx, &ada, &code_at(&setup, ctx.clock.now() + Duration::seconds(30)))
            .await
            .map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::Conflict(_))), "it is on already: {refused:?}");
    }
}

#[tokio::test]
async fn a_code_of_the_app_is_good_once_and_none_before_it_is_good_any_more() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, setup, _) = turned_on(&app, ADA).await;
    let start = ctx.clock.now();
    let code = |seconds: i64| code_at(&setup, start + Duration::seconds(seconds));

    assert_eq!(check(ctx, id(&ada), &code(0)).await, None, "it turned this on");
    assert_eq!(check(ctx, id(&ada), &code(60)).await, None, "too early");
    assert_eq!(check(ctx, id(&ada), &code(30)).await, Some(Factor::Totp), "a clock may be a little fast");
    assert_eq!(check(ctx, id(&ada), &code(30)).await, None);
    ctx.clock.advance(Duration::seconds(30));
    assert_eq!(check(ctx, id(&ada), &code(30)).await, None);
    ctx.clock.advance(Duration::seconds(60));
    assert_eq!(check(ctx, id(&ada), &code(60)).await, Some(Factor::Totp), "or a little slow");
    ctx.clock.advance(Duration::hours(1));
    assert_eq!(check(ctx, id(&ada), wrong_code(&setup, ctx.clock.now())).await, None);
}

#[tokio::test]
async fn of_two_who_show_the_same_code_at_once_one_is_let_in() {
    let app = TestApp::start().await;
    let (ada, setup, codes) = turned_on(&app, ADA).await;
    let second = app.second().await;
    app.ctx.clock.advance(Duration::seconds(30));
    for code in [&code_at(&setup, app.ctx.clock.now()), &codes[0]] {
        let (one, other) = tokio::join!(check(&app.ctx, id(&ada), code), check(&second, id(&ada), code));
        assert_eq!(usize::from(one.is_some()) + usize::from(other.is_some()), 1, "{one:?} {other:?}");
    }
}

#[tokio::test]
async fn a_recovery_code_lets_its_owner_in_once_however_it_is_typed() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, _, codes) = turned_on(&app, ADA).await;
    let (grace, _, hers) = turned_on(&app, "grace@example.com").await;
    let typed = format!(" {} ", codes[0].replace('-', "").to_uppercase());

    let mut tx = ctx.db.begin().await.expect("a transaction");
    let undone = two_factor::check(&mut tx, ctx, id(&ada), &typed).await.expect("checked");
    assert_eq!(undone, Some(Factor::RecoveryCode { left: 9 }));
    tx.rollback().await.expect("rolled back");
    assert_eq!(mails(ctx, "recovery_code_used").await, 0);

    assert_eq!(check(ctx, id(&grace), &typed).await, None, "it is another's");
    assert_eq!(check(ctx, id(&ada), &hers[0]).await, None, "it is another's");
    assert_eq!(check(ctx, id(&ada), &typed).await, Some(Factor::RecoveryCode { left: 9 }));
    assert_eq!(check(ctx, id(&ada), &codes[0]).await, None, "it was used");
    assert_eq!(check(ctx, id(&ada), &codes[9]).await, Some(Factor::RecoveryCode { left: 8 }));
    assert_eq!(two_factor::status(ctx, &ada).await.expect("asked").codes_left, 8);
    assert_eq!(mails(ctx, "recovery_code_used").await, 2);
    assert_eq!(audited(ctx, "account.recovery_code_used").await, 2);
}

#[tokio::test]
async fn new_recovery_codes_make_the_old_ones_worthless() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let off = app.signed_in("grace@example.com", Role::Customer).await;
    let refused = two_factor::new_recovery_codes(ctx, &off).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");

    let (ada, _, old) = turned_on(&app, ADA).await;
    assert!(check(ctx, id(&ada), &old[0]).await.is_some());
    let new = two_factor::new_recovery_codes(ctx, &ada).await.expect("made").recovery_codes;
    assert_eq!(two_factor::status(ctx, &ada).await.expect("asked").codes_left, 10);
    assert_eq!(check(ctx, id(&ada), &old[1]).await, None);
    assert_eq!(check(ctx, id(&ada), &new[1]).await, Some(Factor::RecoveryCode { left: 9 }));
    assert_eq!(audited(ctx, "account.recovery_codes_made").await, 1);
    assert_eq!(mails(ctx, "recovery_codes_made").await, 1);
}

#[tokio::test]
async fn turned_off_it_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, setup, codes) = turned_on(&app, ADA).await;
    for _ in 0..2 {
        two_factor::disable(ctx, &ada).await.expect("turned off");
    }
    ctx.clock.advance(Duration::seconds(30));
    assert_eq!(check(ctx, id(&ada), &code_at(&setup, ctx.clock.now())).await, None);
    assert_eq!(check(ctx, id(&ada), &codes[0]).await, None);
    let status = two_factor::status(ctx, &ada).await.expect("asked");
    assert_eq!((status.since, status.codes_left), (None, 0));
    assert_eq!(mails(ctx, "two_factor_off").await, 1);
    assert_eq!(audited(ctx, "account.two_factor_off").await, 1);
    let left: i64 =
        sqlx::query_scalar("select (select count(*) from totp) + (select count(*) from recovery_code)")
            .fetch_one(&ctx.db)
            .await
            .expect("counted");
    assert_eq!(left, 0);
    let anew = two_factor::begin(ctx, &ada).await.expect("begun anew");
    assert_ne!(anew.secret, setup.secret);
}

#[tokio::test]
async fn who_guesses_while_turning_it_on_waits() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in(ADA, Role::Customer).await;
    let setup = two_factor::begin(ctx, &ada).await.expect("begun");
    for _ in 0..10 {
        let refused = two_factor::enable(ctx, &ada, wrong_code(&setup, ctx.clock.now())).await;
        assert!(matches!(refused, Err(Error::InvalidCode)), "{refused:?}");
    }
    let refused = two_factor::enable(ctx, &ada, &code_at(&setup, ctx.clock.now())).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    ctx.clock.advance(Duration::minutes(15));
    let code = code_at(&setup, ctx.clock.now());
    two_factor::enable(ctx, &fresh(ctx, &ada), &code).await.expect("turned on after the wait");
}

#[tokio::test]
async fn what_is_stored_tells_nothing_and_fits_no_other_account() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, setup, codes) = turned_on(&app, ADA).await;
    let (grace, ..) = turned_on(&app, "grace@example.com").await;
    let secret = totp_rs::Secret::try_from_base32(&setup.secret).expect("base32").as_bytes().to_vec();
    let found: i64 = sqlx::query_scalar(
        "select (select count(*) from totp where position($1 in secret_sealed) > 0)
              + (select count(*) from recovery_code where position($2 in code_hash) > 0)",
    )
    .bind(&secret)
    .bind(codes[0].replace('-', "").into_bytes())
    .fetch_one(&ctx.db)
    .await
    .expect("looked for");
    assert_eq!(found, 0);

    // Whoever can write the table cannot make one person's app good for another.
    sqlx::query(
        "update totp set last_step = null, secret_sealed = (select secret_sealed from totp where account_id = $1)
         where account_id = $2",
    )
    .bind(id(&ada).uuid())
    .bind(id(&grace).uuid())
    .execute(&ctx.db)
    .await
    .expect("put there");
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let code = code_at(&setup, ctx.clock.now());
    let refused = two_factor::check(&mut tx, ctx, id(&grace), &code).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
}

#[tokio::test]
async fn only_who_has_just_proved_who_they_are_may_change_it() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, ..) = turned_on(&app, ADA).await;
    ctx.clock.advance(Duration::minutes(15));
    for (caller, denied) in [(&ada, Denied::NotFresh), (&Caller::Anonymous, Denied::Unauthenticated)] {
        for refused in [
            two_factor::begin(ctx, caller).await.map(|_| ()),
            two_factor::pending(ctx, caller).await.map(|_| ()),
            two_factor::enable(ctx, caller, "123456").await.map(|_| ()),
            two_factor::disable(ctx, caller).await,
            two_factor::new_recovery_codes(ctx, caller).await.map(|_| ()),
        ] {
            assert!(matches!(&refused, Err(Error::Denied(why)) if *why == denied), "{refused:?}");
        }
    }
    assert!(two_factor::status(ctx, &ada).await.expect("looking is free").since.is_some());
}
