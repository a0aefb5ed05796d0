//! How staff find licenses and read what happened to them, and what nobody else is told.

use devforge::{
    account::{Caller, Denied, FRESH_FOR},
    contract::{
        account::Role,
        id::{LicenseId, OrderId},
        license::{LicenseOrigin, LicenseStatus},
        license_key::LicenseKey,
        payment::Tier,
    },
    license::{
        Error, License, MAX_LIST, life,
        rules::{End, GRACE},
        staff::{self, Filter, Found},
    },
};
use time::Duration;
use uuid::Uuid;

use crate::{licenses::given, support::TestApp};

const ADA: &str = "ada@example.com";

fn denied<T>(result: Result<T, Error>) -> Option<Denied> {
    match result.err()? {
        Error::Denied(denied) => Some(denied),
        _ => None,
    }
}

async fn support(app: &TestApp) -> Caller {
    app.signed_in("support@example.com", Role::Support).await
}

/// The addresses of what a search finds, newest first.
async fn found(app: &TestApp, caller: &Caller, search: &str) -> Vec<String> {
    let filter = Filter { search: search.to_owned(), ..Filter::default() };
    let licenses = staff::list(&app.ctx, caller, &filter).await.expect("listed");
    licenses.into_iter().map(|license| license.email).collect()
}

async fn listed(app: &TestApp, caller: &Caller, filter: &Filter) -> Vec<LicenseId> {
    let licenses = staff::list(&app.ctx, caller, filter).await.expect("listed");
    licenses.into_iter().map(|license| license.id).collect()
}

/// A license of `email`, a second after the one before it.
async fn one(app: &TestApp, email: &str, end: End) -> (License, LicenseKey) {
    app.ctx.clock.advance(Duration::SECOND);
    given(app, email, Tier::Pro, 1, end).await
}

#[tokio::test]
async fn nobody_but_staff_finds_what_is_somebody_else_s() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (license, key) = one(&app, ADA, End::NEVER).await;
    let owner = license.account.expect("an account");
    let mut callers = vec![(None, Caller::Anonymous), (Some(Role::Customer), app.signed_in_again(ADA).await)];
    for role in [Role::Developer, Role::Support, Role::Admin] {
        callers.push((Some(role), app.signed_in(&format!("{}@example.com", role.as_str()), role).await));
    }
    for (role, caller) in callers {
        let refusal = if role.is_none() { Denied::Unauthenticated } else { Denied::Forbidden };
        let to_see = (!matches!(role, Some(Role::Support | Role::Admin))).then_some(refusal);
        let to_give = (role != Some(Role::Admin)).then_some(refusal);
        assert_eq!(denied(staff::list(ctx, &caller, &Filter::default()).await), to_see, "{role:?}");
        assert_eq!(denied(staff::history(ctx, &caller, license.id).await), to_see, "{role:?}");
        assert_eq!(denied(staff::of_account(ctx, &caller, owner).await), to_see, "{role:?}");
        assert_eq!(denied(staff::by_key(ctx, &caller, &key.expose()).await), to_see, "{role:?}");
        assert_eq!(
            denied(staff::of_keys(ctx, &caller, std::slice::from_ref(&key)).await),
            to_see,
            "{role:?}"
        );
        assert_eq!(denied(staff::recipient(ctx, &caller, ADA).await), to_give, "{role:?}");
    }
}

#[tokio::test]
async fn a_sign_in_of_some_time_ago_is_enough_to_look_and_not_to_give() {
    let app = TestApp::start().await;
    let (license, key) = one(&app, ADA, End::NEVER).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    app.ctx.clock.advance(FRESH_FOR);
    assert_eq!(found(&app, &admin, "").await, [ADA]);
    assert_eq!(staff::history(&app.ctx, &admin, license.id).await.expect("read").len(), 1);
    staff::by_key(&app.ctx, &admin, &key.expose()).await.expect("found");
    assert_eq!(denied(staff::recipient(&app.ctx, &admin, ADA).await), Some(Denied::NotFresh));
}

#[tokio::test]
async fn a_license_is_found_by_each_thing_it_is_known_by() {
    let app = TestApp::start().await;
    let support = support(&app).await;
    let (license, key) = one(&app, ADA, End::NEVER).await;
    one(&app, "grace@example.com", End::NEVER).await;

    let whole = key.expose();
    let masked = license.masked_key();
    for search in [
        license.id.to_string(),
        format!(" {} ", license.id),
        ADA.to_owned(),
        "Ada@Example.COM".to_owned(),
        "ada@exam".to_owned(),
        key.end(),
        key.end().to_lowercase(),
        masked,
        whole.clone(),
        whole.to_lowercase().replace('-', " "),
    ] {
        assert_eq!(found(&app, &support, &search).await, [ADA], "{search}");
    }
    assert_eq!(found(&app, &support, "example.com").await, ["grace@example.com", ADA]);
    assert_eq!(found(&app, &support, " \0\n ").await.len(), 2);
    let nothing = LicenseId::from_uuid(Uuid::from_u128(1)).to_string();
    let no_order = OrderId::from_uuid(Uuid::from_u128(1)).to_string();
    for search in ["nobody@example.com", nothing.as_str(), no_order.as_str(), &license.id.to_string()[..20]] {
        assert!(found(&app, &support, search).await.is_empty(), "{search}");
    }
}

#[tokio::test]
async fn a_license_is_found_by_the_address_that_its_owner_has_today() {
    let app = TestApp::start().await;
    let support = support(&app).await;
    let (license, _) = one(&app, ADA, End::NEVER).await;
    sqlx::query("update account set email = 'countess@example.org' where id = $1")
        .bind(license.account.expect("an account").uuid())
        .execute(&app.ctx.db)
        .await
        .expect("changed");
    for search in ["countess@example.org", "countess", ADA, "ada@"] {
        assert_eq!(found(&app, &support, search).await, [ADA], "{search}");
    }
}

#[tokio::test]
async fn a_search_takes_every_letter_for_itself() {
    let app = TestApp::start().await;
    let support = support(&app).await;
    for email in ["a_b@example.com", "axb@example.com", "ten%off@example.com"] {
        one(&app, email, End::NEVER).await;
    }
    assert_eq!(found(&app, &support, "a_b@").await, ["a_b@example.com"]);
    assert_eq!(found(&app, &support, "A_B@EXAMPLE.com").await, ["a_b@example.com"]);
    assert_eq!(found(&app, &support, "%").await, ["ten%off@example.com"]);
    assert!(found(&app, &support, "\\").await.is_empty());
    assert!(found(&app, &support, "'; drop table license; --").await.is_empty());
    assert!(found(&app, &support, &"x".repeat(10_000)).await.is_empty());
}

#[tokio::test]
async fn the_list_and_the_license_agree_on_how_it_stands() {
    let app = TestApp::start().await;
    let support = support(&app).await;
    let now = app.ctx.clock.now();
    let ends = [
        (LicenseStatus::Active, End::at(now + Duration::days(30), GRACE)),
        (LicenseStatus::Grace, End::at(now - Duration::DAY, GRACE)),
        (LicenseStatus::Expired, End::at(now - Duration::days(30), GRACE)),
        (LicenseStatus::Suspended, End::at(now - Duration::days(30), GRACE)),
        (LicenseStatus::Revoked, End::NEVER),
    ];
    for (status, end) in ends {
        let (license, _) = one(&app, &format!("{}@example.com", status.as_str()), end).await;
        let causes = match status {
            LicenseStatus::Suspended => "suspended_by = array['dispute']",
            LicenseStatus::Revoked => "suspended_by = array['staff'], revoked_by = array['refund']",
            _ => "updated_at = updated_at",
        };
        sqlx::query(sqlx::AssertSqlSafe(format!("update license set {causes} where id = $1")))
            .bind(license.id.uuid())
            .execute(&app.ctx.db)
            .await
            .expect("set");
    }
    for (status, _) in ends {
        let filter = Filter { status: Some(status), ..Filter::default() };
        let licenses = staff::list(&app.ctx, &support, &filter).await.expect("listed");
        let stand: Vec<_> = licenses.iter().map(|license| license.status(app.ctx.clock.now())).collect();
        assert_eq!(stand, [status]);
        assert_eq!(licenses[0].email, format!("{}@example.com", status.as_str()));
    }
    let given = Filter { origin: Some(LicenseOrigin::Staff), ..Filter::default() };
    assert_eq!(listed(&app, &support, &given).await.len(), ends.len());
    let bought = Filter { origin: Some(LicenseOrigin::Order), ..Filter::default() };
    assert!(listed(&app, &support, &bought).await.is_empty());
}

#[tokio::test]
async fn the_list_goes_on_where_it_stopped() {
    let app = TestApp::start().await;
    let support = support(&app).await;
    let (first, _) = one(&app, ADA, End::NEVER).await;
    // As many more as a list holds, all of one moment: their ids decide.
    sqlx::query(
        "insert into license
         select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(),
                    'key_hash', '\\x' || lpad(to_hex(n), 64, '0'), 'created_at', l.created_at + interval '1 hour'))).*
         from license l, generate_series(1, $1) n where l.id = $2",
    )
    .bind(i32::try_from(MAX_LIST).expect("a number"))
    .bind(first.id.uuid())
    .execute(&app.ctx.db)
    .await
    .expect("made");
    let page = async |before| listed(&app, &support, &Filter { before, ..Filter::default() }).await;
    let newest = page(None).await;
    assert_eq!(newest.len(), usize::try_from(MAX_LIST).expect("a number"));
    assert!(newest.windows(2).all(|pair| pair[0] > pair[1]), "in the order of their ids");
    assert_eq!(page(newest.last().copied()).await, [first.id]);
    assert!(page(Some(first.id)).await.is_empty());
    let (middle, rest) = (newest[49], &newest[50..]);
    assert_eq!(page(Some(middle)).await, [rest, &[first.id]].concat());
    assert!(
        page(Some(LicenseId::from_uuid(Uuid::from_u128(1)))).await.is_empty(),
        "behind nothing is nothing"
    );
}

#[tokio::test]
async fn a_whole_key_leads_to_its_license_and_so_does_one_that_was_replaced() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (license, old) = one(&app, ADA, End::NEVER).await;
    let support = support(&app).await;
    let by = async |key: &str| staff::by_key(ctx, &support, key).await;
    let is_now = Found { license: license.id, replaced: false };
    assert_eq!(by(&old.expose().to_lowercase()).await.expect("found"), is_now);

    let new = life::rotate(ctx, &support, license.id).await.expect("replaced").key;
    assert_eq!(by(&new.expose()).await.expect("found"), is_now);
    assert_eq!(by(&old.expose()).await.expect("found"), Found { replaced: true, ..is_now });
    assert_eq!(found(&app, &support, &old.expose()).await, [ADA]);

    let unknown = LicenseKey::from_random([9; 24]).expose();
    assert!(matches!(by(&unknown).await, Err(Error::NotFound)));
    let other = format!("XY-{}", &unknown[3..]);
    for (wrong, code) in [("", "invalid"), ("hunter2", "invalid"), (other.as_str(), "other_product")] {
        let Err(Error::Invalid(problems)) = by(wrong).await else { panic!("{wrong} is refused") };
        assert_eq!((problems[0].field.as_str(), problems[0].code.as_str()), ("key", code), "{wrong}");
        assert!(wrong.is_empty() || !problems[0].message.contains(wrong), "a key is not said back");
    }
}

#[tokio::test]
async fn keys_are_given_back_with_their_licenses_in_the_order_they_came() {
    let app = TestApp::start().await;
    let support = support(&app).await;
    let (ada, of_ada) = one(&app, ADA, End::NEVER).await;
    let (grace, of_grace) = one(&app, "grace@example.com", End::NEVER).await;
    let nobodys = LicenseKey::from_random([9; 24]);
    let keys = [of_grace.clone(), nobodys, of_ada.clone()];
    let issued = staff::of_keys(&app.ctx, &support, &keys).await.expect("found");
    let found: Vec<_> = issued.into_iter().map(|issued| (issued.license.id, issued.key)).collect();
    assert_eq!(found, [(grace.id, of_grace), (ada.id, of_ada)]);
}

#[tokio::test]
async fn the_history_says_what_was_done_by_whom_and_why_and_support_reads_it() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (license, key) = one(&app, ADA, End::NEVER).await;
    let (other, _) = one(&app, "grace@example.com", End::NEVER).await;
    let support = support(&app).await;
    ctx.clock.advance(Duration::SECOND);
    life::suspend(ctx, &support, license.id, "The key is on a forum").await.expect("held back");

    let history = staff::history(ctx, &support, license.id).await.expect("read");
    let actions: Vec<_> = history.iter().map(|item| item.action.as_str()).collect();
    assert_eq!(actions, ["license.suspended", "license.issued"]);
    assert_eq!(history[0].actor, support.user().map(|user| user.id));
    assert_eq!(history[0].actor_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(history[0].detail["reason"], "The key is on a forum");
    let written = format!("{history:?}");
    assert!(!written.contains(&key.expose()), "a key is in no entry");
    assert_eq!(staff::history(ctx, &support, other.id).await.expect("read").len(), 1);
    let nothing = LicenseId::from_uuid(Uuid::from_u128(1));
    assert!(matches!(staff::history(ctx, &support, nothing).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn the_rest_of_the_audit_log_stays_closed_to_support() {
    let app = TestApp::start().await;
    let support = support(&app).await;
    let refused = devforge::audit::list(&app.ctx, &support, &devforge::audit::Filter::default()).await;
    assert!(matches!(refused, Err(devforge::account::Error::Denied(Denied::Forbidden))));
}

#[tokio::test]
async fn a_license_is_given_to_somebody_who_has_an_account() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.person(ADA, Role::Customer).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let found = staff::recipient(ctx, &admin, " Ada@EXAMPLE.com ").await.expect("found");
    assert_eq!(found.id, ada.id);
    sqlx::query("update account set deleted_at = created_at where id = $1")
        .bind(ada.id.uuid())
        .execute(&ctx.db)
        .await
        .expect("emptied");
    for wrong in ["", "ada", "nobody@example.com", ADA] {
        let Err(Error::Invalid(problems)) = staff::recipient(ctx, &admin, wrong).await else {
            panic!("{wrong} is refused")
        };
        assert_eq!(problems[0].field, "email", "{wrong}");
    }
}

#[tokio::test]
async fn a_person_s_licenses_are_theirs_alone_newest_first() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (first, _) = one(&app, ADA, End::NEVER).await;
    let (second, _) = one(&app, ADA, End::NEVER).await;
    one(&app, "grace@example.com", End::NEVER).await;
    let support = support(&app).await;
    let owner = first.account.expect("an account");
    let licenses = staff::of_account(ctx, &support, owner).await.expect("listed");
    assert_eq!(licenses.iter().map(|license| license.id).collect::<Vec<_>>(), [second.id, first.id]);
    let stranger = app.person("new@example.com", Role::Customer).await.id;
    assert!(staff::of_account(ctx, &support, stranger).await.expect("listed").is_empty());
}
