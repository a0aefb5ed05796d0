//! Whose a license is: of the account that has proven its address, and of nobody once that has ended.

use devforge::{
    account::{self, AnonymizeAccounts},
    contract::account::Registration,
    license::{issue, rules::End},
};

use super::*;
use crate::{licenses::given, support::TestApp};

/// The account ends, two weeks after its owner asked for that.
async fn ends(app: &TestApp, caller: &Caller) {
    let email = &caller.user().expect("signed in").email;
    account::request_deletion(&app.ctx, caller, email).await.expect("asked for");
    app.ctx.clock.advance(account::THINK_AGAIN_FOR);
    AnonymizeAccounts {}.run(app.ctx.clone()).await.expect("done");
}

#[tokio::test]
async fn an_account_that_nobody_proved_gets_the_license_when_it_is() {
    let shop = Shop::open().await;
    let registration = Registration {
        email: "grace@example.com".to_owned(),
        password: "a very long squatting password".to_owned(),
        name: "Somebody".to_owned(),
    };
    let grace = account::register(shop.ctx(), &registration, &client()).await.expect("registered");
    let order = shop.buy("grace@example.com", Tier::Pro, Interval::Once, 1).await;
    caught_up(&shop).await;
    let unclaimed = only(&shop, order.id).await;
    assert_eq!((unclaimed.account, unclaimed.email.as_str()), (None, "grace@example.com"));

    let text: String = sqlx::query_scalar("select text from mail_message where kind = 'verify_email'")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("mailed");
    let (_, rest) = text.split_once("/verify/").expect("a link");
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    account::verify_email(shop.ctx(), &token, &client()).await.expect("proven");
    assert_eq!(only(&shop, order.id).await.account, Some(grace.id));
}

#[tokio::test]
async fn an_account_that_ends_leaves_its_license_to_the_machines_it_is_active_on() {
    let (shop, ada, order) = bought(Interval::Once, 1, Card::Good).await;
    let license = only(&shop, order).await;
    let key = life::reveal(shop.ctx(), &ada, license.id).await.expect("shown");
    let joined = license::machine::activate(shop.ctx(), &client(), &activate_on(&key, ADA, "m1")).await;
    assert!(joined.expect("answered").activated);
    ends(&shop.app, &ada).await;

    let left = only(&shop, order).await;
    assert_eq!((left.account, left.email.as_str()), (None, ""));
    assert_eq!(code(&shop.app, &check_on(&key, "m1")).await, LicenseCode::Valid);
    for table in ["license", "license_machine"] {
        // The name comes from the list above.
        let found = format!("select count(*) from {table} t where t::text ilike '%ada@%'");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(found))
            .fetch_one(&shop.ctx().db)
            .await
            .expect("looked for");
        assert_eq!(found, 0, "{table}");
    }
    follow::order(shop.ctx(), order).await.expect("followed");
    assert_eq!(only(&shop, order).await, left, "nobody gets it again");
}

#[tokio::test]
async fn what_an_ended_account_has_paid_for_stays_its_time() {
    let (shop, ada, order) = bought(Interval::Year, 1, Card::Good).await;
    let paid_until = only(&shop, order).await.expires_at;
    ends(&shop.app, &ada).await;
    caught_up(&shop).await;
    assert_eq!(details(&shop).await.state.status, SubscriptionStatus::Ended);
    assert_eq!(status(&shop, order).await, LicenseStatus::Active);
    assert_eq!(only(&shop, order).await.expires_at, paid_until);
}

#[tokio::test]
async fn trials_end_with_their_accounts_however_many_those_are() {
    let app = TestApp::start().await;
    let mut trials = Vec::new();
    for email in ["bea@example.com", "cleo@example.com"] {
        let caller = app.signed_in(email, Role::Customer).await;
        trials.push((caller.clone(), issue::begin_trial(&app.ctx, &caller).await.expect("begun")));
    }
    let longer = "update license set expires_at = expires_at + interval '90 days',
                      good_until = good_until + interval '90 days'";
    sqlx::query(longer).execute(&app.ctx.db).await.expect("longer");
    let (other, _) = given(&app, "dora@example.com", Tier::Pro, 1, End::NEVER).await;
    for (caller, _) in &trials {
        account::request_deletion(&app.ctx, caller, &caller.user().expect("signed in").email)
            .await
            .expect("asked for");
    }
    app.ctx.clock.advance(account::THINK_AGAIN_FOR);
    AnonymizeAccounts {}.run(app.ctx.clone()).await.expect("done");

    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    for (_, trial) in &trials {
        let left = license::find(&app.ctx, &admin, trial.id).await.expect("there");
        assert_eq!((left.account, left.status(app.ctx.clock.now())), (None, LicenseStatus::Expired));
        assert!(!left.email.contains("example.com"), "{}", left.email);
    }
    let theirs = license::find(&app.ctx, &admin, other.id).await.expect("there");
    assert_eq!((theirs.account, theirs.email), (other.account, other.email));

    // Whoever comes again with the same address has had theirs.
    let again = app.signed_in("Bea@example.com", Role::Customer).await;
    assert!(!issue::can_begin_trial(&app.ctx, &again).await.expect("asked"));
    let refused = issue::begin_trial(&app.ctx, &again).await;
    assert!(matches!(refused, Err(license::Error::Conflict(_))), "{refused:?}");
}
