//! The ledger refuses what does not balance and every change, and the check finds what was changed all the same.

use devforge::{
    billing::{
        Error,
        ledger::{self, Account, Filter, Kind, Movement, rules},
    },
    context::Context,
    contract::{
        money::Currency,
        payment::{Interval, Tier},
    },
};

use crate::{shop::Shop, support::TestApp};

fn movement(ctx: &Context, reference: &str, entries: Vec<ledger::Entry>) -> Movement {
    Movement {
        kind: Kind::Correction,
        reference: reference.to_owned(),
        description: "For a test".to_owned(),
        occurred_at: ctx.clock.now(),
        account: None,
        order: None,
        payment: None,
        subscription: None,
        entries,
    }
}

async fn record(ctx: &Context, movement: &Movement) -> Result<bool, Error> {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let done = ledger::record(&mut tx, ctx, movement).await?;
    tx.commit().await?;
    Ok(done)
}

fn sale() -> Vec<ledger::Entry> {
    rules::charge(Currency::Eur.of(11_900), &[("DE".to_owned(), 1_900)])
}

#[tokio::test]
async fn the_same_thing_is_recorded_once() {
    let app = TestApp::start().await;
    assert!(record(&app.ctx, &movement(&app.ctx, "correction:1", sale())).await.expect("recorded"));
    assert!(!record(&app.ctx, &movement(&app.ctx, "correction:1", sale())).await.expect("known"));
    assert!(!record(&app.ctx, &movement(&app.ctx, "correction:2", Vec::new())).await.expect("nothing"));
    let check = ledger::check(&app.ctx).await.expect("checked");
    assert_eq!((check.transactions, check.currencies), (1, vec![("eur".to_owned(), 11_900)]));
    assert_eq!(check.differences, Vec::<String>::new());
}

#[tokio::test]
async fn of_many_at_once_one_records() {
    let app = TestApp::start().await;
    let movement = movement(&app.ctx, "correction:1", sale());
    let done = futures::future::join_all((0..8).map(|_| record(&app.ctx, &movement))).await;
    assert_eq!(done.iter().filter(|done| matches!(done, Ok(true))).count(), 1);
    assert!(done.iter().all(Result::is_ok));
}

#[tokio::test]
async fn what_does_not_balance_is_refused_before_the_database_hears_of_it() {
    let app = TestApp::start().await;
    let mut entries = sale();
    entries.pop();
    let refused = record(&app.ctx, &movement(&app.ctx, "correction:1", entries)).await;
    assert!(matches!(refused, Err(Error::Ledger(ledger::Unbalanced { off: 1_900, .. }))), "{refused:?}");
    assert_eq!(ledger::check(&app.ctx).await.expect("checked").transactions, 0);
}

#[tokio::test]
async fn the_database_refuses_at_commit_what_does_not_balance() {
    let app = TestApp::start().await;
    for entries in [
        "",
        "insert into ledger_entry select id, 0, 'bank', 5, 'usd', null, null from ledger_transaction",
        "insert into ledger_entry
         select id, n, 'bank', 5 - 9 * n, 'usd', null, null from ledger_transaction, generate_series(0, 1) n",
    ] {
        let mut tx = app.ctx.db.begin().await.expect("a transaction");
        sqlx::query(
            "insert into ledger_transaction (id, kind, reference, description, occurred_at, recorded_at)
             values (gen_random_uuid(), 'correction', 'correction:1', '', now(), now())",
        )
        .execute(&mut *tx)
        .await
        .expect("it is only asked at the end");
        if !entries.is_empty() {
            sqlx::query(entries).execute(&mut *tx).await.expect("it is only asked at the end");
        }
        let refused = tx.commit().await.expect_err(entries);
        let constraint = refused.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
        assert_eq!(constraint.as_deref(), Some("ledger_balances"), "{entries}: {refused}");
    }
}

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_what_is_written() {
    let app = TestApp::start().await;
    record(&app.ctx, &movement(&app.ctx, "correction:1", sale())).await.expect("recorded");
    for statement in [
        "update ledger_transaction set description = 'other'",
        "delete from ledger_transaction",
        "truncate ledger_transaction cascade",
        "update ledger_entry set amount = amount * 2",
        "delete from ledger_entry",
        "truncate ledger_entry",
    ] {
        let refused = sqlx::query(statement).execute(&app.ctx.db).await.expect_err(statement);
        let code = refused.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("23001"), "{statement}: {refused}");
    }
}

/// What somebody with every right in the database can do: change rows with the triggers off.
async fn tamper(ctx: &Context, statement: &'static str) {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    sqlx::query("set local session_replication_role = replica")
        .execute(&mut *tx)
        .await
        .expect("the tests' PostgreSQL user is a superuser");
    let done = sqlx::query(statement).execute(&mut *tx).await.expect("done");
    assert_eq!(done.rows_affected(), 1, "{statement}");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_purchase_is_in_the_books_and_they_agree() {
    let shop = Shop::open().await;
    let order = shop.buy("ada@example.com", Tier::Pro, Interval::Month, 3).await;
    let check = ledger::check(shop.ctx()).await.expect("checked");
    assert_eq!(check.differences, Vec::<String>::new());

    let admin = shop.admin().await;
    let about = Filter { about: Some(order.id.to_string()), ..Filter::default() };
    let found = ledger::list(shop.ctx(), &admin, &about, 1).await.expect("listed");
    let charge = found.items.iter().find(|entry| entry.kind == Kind::Charge).expect("the charge");
    let whole = ledger::find(shop.ctx(), &admin, charge.transaction).await.expect("found");
    let of = |account| {
        let amounts = whole.movement.entries.iter().filter(|entry| entry.account == account);
        amounts.map(|entry| entry.amount).sum::<i64>()
    };
    assert_eq!(of(Account::StripeBalance), order.total.amount);
    assert_eq!(of(Account::Revenue), order.tax.amount - order.total.amount);
    assert_eq!(of(Account::TaxPayable), -order.tax.amount);
}

#[tokio::test]
async fn the_check_finds_what_does_not_agree() {
    for (statement, what) in [
        ("update payment set amount = amount + 1", "A payment and its ledger transaction"),
        ("update payment set charge_id = 'ch_other'", "A ledger transaction and what it records"),
        ("update payment set refunded = 1", "What a payment says was refunded"),
        ("update payment set fee = fee + 1", "A fee and its ledger transaction"),
        ("update document set total = total - 1, subtotal = subtotal - 1", "A payment and its invoice"),
        ("delete from document", "The numbers of a series"),
        ("update document_series set next_number = next_number + 1", "The numbers of a series"),
        ("update ledger_entry set amount = amount + 1 where account = 'revenue'", "Entries of a transaction"),
    ] {
        let shop = Shop::open().await;
        shop.buy("ada@example.com", Tier::Pro, Interval::Once, 1).await;
        tamper(shop.ctx(), statement).await;
        let check = ledger::check(shop.ctx()).await.expect("checked");
        assert!(
            check.differences.iter().any(|difference| difference.starts_with(what)),
            "{statement}: {:?}",
            check.differences
        );
    }
}
