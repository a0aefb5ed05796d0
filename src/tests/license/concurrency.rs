//! Machines that come, come again, go and are shut out in the same moment, in one process and in two.
//!
//! What always holds: whoever comes when, a license has as many machines as it counts, and never more than it has room
//! for; nobody comes in once it was taken away.

use devforge::{
    account::Caller,
    context::Context,
    contract::{
        account::{Role, User},
        id::LicenseId,
        license::{Activation, DeactivateRequest, LicenseCode},
        license_key::LicenseKey,
        payment::Tier,
    },
    license::{
        issue::{self, GenerateOrder, Issued},
        life, machine,
    },
};
use futures::future::join_all;
use tokio::sync::Notify;

use crate::{
    licenses::{activate_on, check_on, code},
    support::{TestApp, client},
};

const ADA: &str = "ada@example.com";
const ROUNDS: u32 = 100;
const CROWD: usize = 64;

/// A process that lets half of a crowd be at the database at once, Ada, and somebody who gives her licenses.
async fn open() -> (TestApp, User, Caller) {
    let app = TestApp::start_with(|config| config.database.max_connections = 32).await;
    let ada = app.person(ADA, Role::Customer).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    (app, ada, admin)
}

/// Licenses that do not end.
async fn given(
    app: &TestApp,
    (admin, ada): (&Caller, &User),
    tier: Tier,
    seats: u32,
    count: u32,
) -> Vec<Issued> {
    let order = GenerateOrder {
        account: ada.id,
        tier,
        seats,
        count,
        expires_at: None,
        fallback: false,
        floating: false,
        overage: 0,
        reason: "for a test".to_owned(),
        mail: false,
        request: None,
    };
    issue::generate(&app.ctx, admin, &order).await.expect("given")
}

async fn activate(ctx: &Context, key: &LicenseKey, fingerprint: &str) -> Activation {
    let request = activate_on(key, ADA, fingerprint);
    Box::pin(machine::activate(ctx, &client(), &request)).await.expect("answered")
}

async fn deactivate(ctx: &Context, key: &LicenseKey, fingerprint: &str) {
    let request = DeactivateRequest { license_key: key.expose(), fingerprint: fingerprint.to_owned() };
    let answer = Box::pin(machine::deactivate(ctx, &client(), &request)).await.expect("answered");
    assert!(answer.deactivated);
}

/// How many machines a license has, and how many it counts, at one moment.
async fn machines(ctx: &Context, id: LicenseId) -> (i64, i32) {
    let both = sqlx::query_as(
        "select (select count(*) from license_machine m where m.license_id = l.id), l.machines_used
         from license l where l.id = $1",
    );
    both.bind(id.uuid()).fetch_one(&ctx.db).await.expect("counted")
}

fn how_many(answers: &[Activation], code: LicenseCode) -> usize {
    answers.iter().filter(|answer| answer.code == code).count()
}

#[tokio::test]
async fn of_many_that_come_at_once_as_many_get_in_as_there_is_room_for() {
    let (app, ada, admin) = open().await;
    let second = app.second().await;
    let licenses = given(&app, (&admin, &ada), Tier::Pro, 1, ROUNDS).await;
    for (round, Issued { license, key }) in licenses.iter().enumerate() {
        let other = if round % 2 == 0 { &app.ctx } else { &second };
        let fingerprints: Vec<_> = (0..CROWD).map(|number| format!("machine {number}")).collect();
        let coming = fingerprints.iter().enumerate().map(|(number, fingerprint)| {
            activate(if number % 2 == 0 { &app.ctx } else { other }, key, fingerprint)
        });
        let answers = join_all(coming).await;
        assert_eq!(how_many(&answers, LicenseCode::Valid), 3, "round {round}");
        assert_eq!(how_many(&answers, LicenseCode::TooManyMachines), CROWD - 3, "round {round}");
        assert_eq!(machines(&app.ctx, license.id).await, (3, 3), "round {round}");
        // Who was told that they are in is in.
        for (answer, fingerprint) in answers.iter().zip(&fingerprints) {
            assert_eq!(answer.activated, answer.code.is_valid());
            assert_eq!(answer.machine.is_some(), answer.activated);
            if round < 5 {
                let expected = if answer.activated { LicenseCode::Valid } else { LicenseCode::NoMachine };
                assert_eq!(code(&app, &check_on(key, fingerprint)).await, expected, "round {round}");
            }
        }
    }
}

#[tokio::test]
async fn one_machine_that_comes_many_times_at_once_is_one() {
    let (app, ada, admin) = open().await;
    let second = app.second().await;
    for Issued { license, key } in given(&app, (&admin, &ada), Tier::Pro, 1, 10).await {
        let coming = (0..CROWD)
            .map(|number| activate(if number % 2 == 0 { &app.ctx } else { &second }, &key, "the only one"));
        let answers = join_all(coming).await;
        assert_eq!(how_many(&answers, LicenseCode::Valid), CROWD);
        let ids: Vec<_> =
            answers.iter().filter_map(|answer| answer.machine.as_ref()).map(|one| one.id).collect();
        assert_eq!((ids.len(), ids.iter().all(|id| *id == ids[0])), (CROWD, true));
        assert_eq!(machines(&app.ctx, license.id).await, (1, 1));
    }
}

#[tokio::test]
async fn whoever_comes_and_goes_at_once_what_is_counted_is_what_is_there() {
    let (app, ada, admin) = open().await;
    let second = app.second().await;
    for (round, Issued { license, key }) in
        given(&app, (&admin, &ada), Tier::Pro, 1, 20).await.into_iter().enumerate()
    {
        let (license, key) = (license.id, &key);
        let acting = (0..CROWD).map(|number| {
            let ctx = if number % 2 == 0 { &app.ctx } else { &second };
            // Every one of five machines comes and goes, each in another order than the next.
            let fingerprint = format!("machine {}", (number * 7 + round) % 5);
            async move {
                // So many come in all that it is not too many for a fortnight: 3 for each place, and 10.
                match (number / 5 + number) % 5 {
                    0 => deactivate(ctx, key, &fingerprint).await,
                    1 => {
                        let (there, counted) = machines(ctx, license).await;
                        assert_eq!(there, i64::from(counted));
                        assert!(there <= 3, "{there} machines");
                    }
                    _ => {
                        let answer = activate(ctx, key, &fingerprint).await.code;
                        assert!(
                            matches!(answer, LicenseCode::Valid | LicenseCode::TooManyMachines),
                            "{answer:?}"
                        );
                    }
                }
            }
        });
        join_all(acting).await;
        let (there, counted) = machines(&app.ctx, license).await;
        assert_eq!(there, i64::from(counted), "round {round}");
        // And when all have gone nothing is left of them.
        join_all((0..5).map(|number| {
            let (ctx, fingerprint) = (&app.ctx, format!("machine {number}"));
            async move { deactivate(ctx, key, &fingerprint).await }
        }))
        .await;
        assert_eq!(machines(&app.ctx, license).await, (0, 0), "round {round}");
    }
}

/// The events of a license in the order in which they came to be: each was written under the lock of its row.
async fn told(ctx: &Context, id: LicenseId) -> Vec<String> {
    let told = sqlx::query_scalar(
        "select topic from outbox where key = $1 and topic <> 'license.issued' order by id",
    );
    told.bind(id.to_string()).fetch_all(&ctx.db).await.expect("read")
}

#[tokio::test]
async fn once_a_license_was_taken_away_nobody_comes_in() {
    let (app, ada, admin) = open().await;
    let second = app.second().await;
    // A hundred places: whoever is refused is refused because it was taken away.
    for (round, Issued { license, key }) in
        given(&app, (&admin, &ada), Tier::Enterprise, 20, 10).await.into_iter().enumerate()
    {
        let (license, key) = (license.id, &key);
        let somebody_is_in = &Notify::new();
        let coming = join_all((0..CROWD).map(|number| {
            let ctx = if number % 2 == 0 { &app.ctx } else { &second };
            async move {
                let answer = activate(ctx, key, &format!("machine {number}")).await;
                somebody_is_in.notify_one();
                answer
            }
        }));
        let revoking = async {
            somebody_is_in.notified().await;
            Box::pin(life::revoke(&second, &admin, license, "for a test")).await.expect("revoked");
            machines(&app.ctx, license).await
        };
        let (answers, at_once) = tokio::join!(coming, revoking);
        let (let_in, refused) =
            (how_many(&answers, LicenseCode::Valid), how_many(&answers, LicenseCode::Revoked));
        assert!(let_in > 0, "round {round}");
        assert_eq!(let_in + refused, CROWD, "round {round}");
        // Those who are in came before, and all of them had by the time that the revocation was answered.
        assert_eq!(at_once, (let_in as i64, let_in as i32), "round {round}");
        assert_eq!(machines(&app.ctx, license).await, at_once, "round {round}");
        let mut expected = vec!["license.activated"; let_in];
        expected.push("license.changed");
        assert_eq!(told(&app.ctx, license).await, expected, "round {round}");
        // Not those who were there before either.
        for fingerprint in ["machine 0", "machine 63", "another"] {
            assert_eq!(activate(&app.ctx, key, fingerprint).await.code, LicenseCode::Revoked);
            assert_eq!(code(&app, &check_on(key, fingerprint)).await, LicenseCode::Revoked);
        }
    }
}
