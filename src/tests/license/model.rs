//! Whatever happens to licenses, in whatever order and at whatever moment: what is answered is what a model of a page
//! says, step by step. A sequence that fails is cut down to what it takes to fail.

mod expected;
mod steps;
mod world;

use std::cell::RefCell;

use devforge::{
    billing::order::Order,
    contract::{
        id::{LicenseId, RefundId},
        license::{ActivateRequest, DeactivateRequest, LicenseCode, RenewRequest, ValidateRequest},
        license_key::LicenseKey,
        payment::Tier,
    },
    license::{self, Error, License, check as asking, life, machine},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use time::{Duration, OffsetDateTime};

use self::{
    expected::{Model, Went},
    steps::{Asking, Key, Moment, Origin, Sequence, Step, Terms, Who, sequences, terms},
    world::{OTHER, OWNER, World},
};
use crate::{eventually::eventually, licenses, support::client};

/// Of each kind.
const SEQUENCES: u32 = 16;

#[test]
fn licenses_that_end_stand_as_the_model_says() {
    let terms = (terms(), 1..=90_i64).prop_map(|(terms, days)| Terms {
        days: Some(days),
        fallback: false,
        floating: false,
        ..terms
    });
    agree(terms.prop_map(Origin::Given));
}

#[test]
fn licenses_that_go_on_covering_old_versions_stand_as_the_model_says() {
    let terms = (terms(), 1..=90_i64).prop_map(|(terms, days)| Terms {
        days: Some(days),
        fallback: true,
        floating: false,
        ..terms
    });
    agree(terms.prop_map(Origin::Given));
}

#[test]
fn licenses_for_any_machine_stand_as_the_model_says() {
    let terms = terms().prop_map(|terms| Terms { floating: true, ..terms });
    agree(terms.prop_map(Origin::Given));
}

#[test]
fn bought_licenses_stand_as_the_model_says() {
    agree(Just(Origin::Bought));
}

/// Lets sequences happen that begin with such a license.
fn agree(origin: impl Strategy<Value = Origin>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // What is dropped at the end, or by a panic, is dropped within it.
    let _within = runtime.enter();
    let kept = RefCell::new(None);
    let config =
        Config { cases: SEQUENCES, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    // The same sequences in every run.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, random).run(&sequences(origin), |sequence| {
        let world: Option<World> = kept.take();
        let (world, result) = runtime.block_on(async {
            let mut world = match (world.filter(|world| !world.is_used_up()), sequence.origin) {
                (Some(world), _) => world,
                (None, Origin::Given(_)) => Box::pin(World::plain()).await,
                (None, Origin::Bought) => Box::pin(World::selling()).await,
            };
            let result = Box::pin(happen(&mut world, &sequence)).await;
            (world, result)
        });
        *kept.borrow_mut() = Some(world);
        result.map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, sequence)) => {
            panic!("{why}\n\nThe shortest sequence that was found:{sequence:?}")
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// One license of a sequence, and what it is to be.
struct Subject {
    license: License,
    /// The one that is good comes last.
    keys: Vec<LicenseKey>,
    model: Model,
    order: Option<Order>,
    refund: Option<RefundId>,
}

impl Subject {
    /// The key that is typed in, and whether it is good.
    fn key(&self, key: Key) -> (&LicenseKey, bool) {
        let last = self.keys.len() - 1;
        match key {
            Key::Former if last > 0 => (&self.keys[last - 1], false),
            _ => (&self.keys[last], true),
        }
    }
}

async fn happen(world: &mut World, sequence: &Sequence) -> Result<(), String> {
    let now = world.ctx().clock.now();
    let first = match sequence.origin {
        Origin::Given(terms) => {
            let (license, key) = world.give(terms).await;
            Subject { license, keys: vec![key], model: Model::new(terms, now), order: None, refund: None }
        }
        Origin::Bought => {
            let (license, key, order) = world.take_bought();
            let model = Model::new(Terms::BOUGHT, now);
            Subject { license, keys: vec![key], model, order: Some(order), refund: None }
        }
    };
    let mut subjects = vec![first];
    let mut at = 0;
    for (number, step) in sequence.steps.iter().enumerate() {
        match step {
            Step::Nothing => continue,
            Step::Issue(terms) => {
                let model = Model::new(*terms, world.ctx().clock.now());
                let (license, key) = world.give(*terms).await;
                subjects.push(Subject { license, keys: vec![key], model, order: None, refund: None });
                at = subjects.len() - 1;
            }
            Step::Turn => at = (at + 1) % subjects.len(),
            other => {
                let done = Box::pin(take(world, &mut subjects[at], *other)).await;
                done.map_err(|why| format!("step {number}, {other:?}: {why}"))?;
            }
        }
        let looked = Box::pin(look(world, &subjects[at])).await;
        looked.map_err(|why| format!("after step {number}, {step:?}: {why}"))?;
    }
    Ok(())
}

/// Lets one thing happen to a license and to its model.
async fn take(world: &World, subject: &mut Subject, step: Step) -> Result<(), String> {
    let (ctx, admin) = (world.ctx(), world.admin());
    let now = ctx.clock.now();
    let id = subject.license.id;
    let expires_at = subject.model.expires_at;
    match step {
        Step::Nothing | Step::Issue(_) | Step::Turn => Ok(()),
        Step::Wait { seconds } => {
            ctx.clock.advance(Duration::seconds(seconds));
            Ok(())
        }
        Step::WaitUntil { moment, seconds } => {
            let moment = match moment {
                Moment::End => expires_at,
                Moment::EndOfGrace => subject.model.good_until(),
            };
            let then = moment.map(|moment| moment + Duration::seconds(seconds));
            if let Some(then) = then.filter(|then| *then > now) {
                ctx.clock.advance(then - now);
            }
            Ok(())
        }
        Step::Validate { machine, asking, key } => {
            Box::pin(validate(world, subject, machine, asking, key)).await
        }
        Step::Activate { machine, asking, key, who } => {
            Box::pin(activate(world, subject, (machine, asking, key, who))).await
        }
        Step::Deactivate { machine, key } => {
            let (key, is_good) = subject.key(key);
            let request = DeactivateRequest { license_key: key.expose(), fingerprint: fingerprint(machine) };
            let answer = machine::deactivate(ctx, &client(), &request).await;
            if is_good {
                subject.model.deactivate(machine);
            }
            same(&went(answer)?, &if is_good { Went::Well } else { Went::NotFound })
        }
        Step::Renew { months } => {
            let request = RenewRequest { months: Some(months), ..RenewRequest::default() };
            let answer = life::renew(ctx, &admin, id, &request).await;
            same(&went(answer)?, &subject.model.renew(months, now))
        }
        Step::RenewUntil { days } => {
            let until = expires_at.unwrap_or(now) + Duration::days(days);
            let request = RenewRequest { expires_at: Some(until), ..RenewRequest::default() };
            let answer = life::renew(ctx, &admin, id, &request).await;
            same(&went(answer)?, &subject.model.renew_until(until, now))
        }
        Step::Suspend => same(&went(life::suspend(ctx, &admin, id, "").await)?, &subject.model.suspend()),
        Step::Reinstate => {
            same(&went(life::reinstate(ctx, &admin, id, "").await)?, &subject.model.reinstate())
        }
        Step::Revoke => same(&went(life::revoke(ctx, &admin, id, "").await)?, &subject.model.revoke()),
        Step::Rotate => {
            let answer = life::rotate(ctx, &admin, id).await;
            if let Ok(issued) = &answer {
                subject.keys.push(issued.key.clone());
            }
            same(&went(answer)?, &subject.model.rotate(now))
        }
        Step::Refund => {
            if let (Some(order), None) = (&subject.order, subject.refund) {
                subject.refund = Some(world.refund(order).await);
                subject.model.refunded = true;
            }
            Ok(())
        }
        Step::RefundFails => {
            if let (Some(order), Some(refund)) = (&subject.order, subject.refund.take()) {
                world.fail_refund(order, refund).await;
                subject.model.refunded = false;
            }
            Ok(())
        }
    }
}

async fn validate(
    world: &World,
    subject: &mut Subject,
    machine: Option<u8>,
    asks: Asking,
    key: Key,
) -> Result<(), String> {
    let (ctx, now) = (world.ctx(), world.ctx().clock.now());
    let (key, is_good) = subject.key(key);
    let request = ValidateRequest {
        fingerprint: machine.map(fingerprint),
        version: world.version(asks, subject.model.expires_at),
        ..licenses::check(key)
    };
    let answer = asking::validate(ctx, &client(), &request).await.map_err(|error| error.to_string())?;
    let model = &mut subject.model;
    let expected = if is_good { model.validate(machine, asks, now) } else { LicenseCode::Revoked };
    same(&answer.code, &expected)?;
    same(&answer.valid, &expected.is_valid())?;
    same(&answer.tier, &if expected.is_valid() { model.terms.tier } else { Tier::Free })?;
    let is_known = is_good && machine.is_some_and(|machine| model.is_on(machine));
    same(&answer.offline_token.is_some(), &(is_known && expected.is_valid()))?;
    if is_good && model.heard_of(machine, now) {
        // That a machine was heard of is written down a moment later.
        let (id, expected) = (subject.license.id, model.seen_at(now));
        let noted = async || (seen_at(world, id, now).await == expected).then_some(());
        eventually("the machine was heard of", noted).await;
    }
    Ok(())
}

/// How many machines of a license were heard of last at this moment.
async fn seen_at(world: &World, id: LicenseId, moment: OffsetDateTime) -> usize {
    let seen: i64 = sqlx::query_scalar(
        "select count(*) from license_machine where license_id = $1 and last_seen_at = $2",
    )
    .bind(id.uuid())
    .bind(moment)
    .fetch_one(&world.ctx().db)
    .await
    .expect("counted");
    usize::try_from(seen).expect("a count")
}

async fn activate(
    world: &World,
    subject: &mut Subject,
    (machine, asks, key, who): (Option<u8>, Asking, Key, Who),
) -> Result<(), String> {
    let (ctx, now) = (world.ctx(), world.ctx().clock.now());
    let (key, is_good) = subject.key(key);
    let email = match who {
        Who::Owner => OWNER,
        Who::Other => OTHER,
    };
    let request = ActivateRequest {
        fingerprint: machine.map(fingerprint),
        version: world.version(asks, subject.model.expires_at),
        ..licenses::activate_on(key, email, "")
    };
    let answer = machine::activate(ctx, &client(), &request).await.map_err(|error| error.to_string())?;
    // No two machines come in the same moment: which of two goes first is decided by when they came.
    ctx.clock.advance(Duration::MILLISECOND);
    let model = &mut subject.model;
    let expected = if is_good { model.activate(machine, asks, who, now) } else { LicenseCode::Revoked };
    same(&answer.code, &expected)?;
    same(&answer.activated, &expected.is_valid())?;
    let on_a_machine = expected.is_valid() && machine.is_some();
    same(&(answer.machine.is_some(), answer.offline_token.is_some()), &(on_a_machine, on_a_machine))?;
    let used = answer.license.map(|license| license.machines.used as usize);
    same(&used, &expected.is_valid().then(|| model.used()))
}

/// Whether what is stored is what the model says, and what is asked without a machine is answered so.
async fn look(world: &World, subject: &Subject) -> Result<(), String> {
    let (ctx, model) = (world.ctx(), &subject.model);
    let found =
        license::find(ctx, &world.admin(), subject.license.id).await.map_err(|error| error.to_string())?;
    same(&(found.machines_used as usize), &model.used())?;
    same(&found.machine_limit(), &model.limit())?;
    same(&(found.expires_at, found.good_until), &(model.expires_at, model.good_until()))?;
    let is_taken = model.taken_away || model.refunded;
    same(&(found.suspended_by.is_empty(), found.revoked_by.is_empty()), &(!model.held_back, !is_taken))?;
    let there: i64 = sqlx::query_scalar("select count(*) from license_machine where license_id = $1")
        .bind(subject.license.id.uuid())
        .fetch_one(&ctx.db)
        .await
        .expect("counted");
    same(&usize::try_from(there).ok(), &Some(model.used()))?;
    let (key, _) = subject.key(Key::Its);
    let answer = asking::validate(ctx, &client(), &licenses::check(key)).await;
    let code = answer.map_err(|error| error.to_string())?.code;
    same(&code, &model.validate(None, Asking::Unnamed, ctx.clock.now()))
}

fn fingerprint(machine: u8) -> String {
    format!("machine {machine}")
}

fn same<T: PartialEq + std::fmt::Debug>(is: &T, should_be: &T) -> Result<(), String> {
    if is == should_be { Ok(()) } else { Err(format!("it is {is:?}, and the model says {should_be:?}")) }
}

fn went<T>(result: Result<T, Error>) -> Result<Went, String> {
    match result {
        Ok(_) => Ok(Went::Well),
        Err(Error::Conflict(_)) => Ok(Went::Conflict),
        Err(Error::Invalid(_)) => Ok(Went::Invalid),
        Err(Error::TooManyTries { .. }) => Ok(Went::TooOften),
        Err(Error::NotFound) => Ok(Went::NotFound),
        Err(other) => Err(other.to_string()),
    }
}
