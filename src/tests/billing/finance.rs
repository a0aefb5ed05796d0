//! Every number of the books is the sum of the entries it links to.

use devforge::{
    account::Caller,
    audit,
    billing::{
        Error,
        finance::{self, Export, Figure, Period, SubscriptionList},
        ledger::{self, Account, Filter, Kinds},
        payment,
        refund::{self, Wanted},
    },
    contract::{
        account::Role,
        money::Currency,
        payment::{Interval, Tier},
    },
};
use stripe_simulator::Card;
use time::Duration;

use crate::shop::{Shop, want};

/// Yesterday to tomorrow: a test may run over midnight.
fn around_now(shop: &Shop) -> Period {
    let today = shop.ctx().clock.now().date();
    Period::new(today - Duration::DAY, today + Duration::DAY).expect("three days")
}

/// Two sales in dollars, one of them refunded in part and one disputed, and one in euros with tax.
async fn trade() -> (Shop, Caller) {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let refunded = shop.buy("ada@example.com", Tier::Pro, Interval::Once, 2).await;
    let disputed = shop.buy("grace@example.com", Tier::Pro, Interval::Year, 1).await;
    let mut german = want("konrad@example.com", Tier::Pro, Interval::Month, 5);
    german.currency = Some(Currency::Eur);
    german.address.as_mut().expect("there").country = "DE".to_owned();
    let german = shop.order(&german).await;
    shop.pay(&german, Card::Good);
    shop.deliver().await;
    for (order, amount) in [(refunded.id, 1_234), (german.id, 1_000)] {
        let paid = payment::of_order(shop.ctx(), order).await.expect("read").remove(0);
        let part =
            Wanted { amount: Some(amount), reason: "They asked", consequence: None, request_key: None };
        refund::of_payment(shop.ctx(), &admin, paid.id, &part).await.expect("refunded");
    }
    let paid = payment::of_order(shop.ctx(), disputed.id).await.expect("read").remove(0);
    shop.stripe.open_dispute(&paid.charge_id).expect("opened");
    shop.deliver().await;
    (shop, admin)
}

#[tokio::test]
async fn every_figure_is_the_sum_of_the_entries_it_links_to() {
    let (shop, admin) = trade().await;
    let period = around_now(&shop);
    for currency in ["usd", "eur"] {
        let found = finance::overview(shop.ctx(), &admin, period, Some(currency)).await.expect("asked");
        let found = found.expect("something was sold");
        assert_eq!(found.currency, currency);
        for figure in Figure::ALL {
            let filter = figure.filter(period, currency);
            let listed = ledger::list(shop.ctx(), &admin, &filter, 1).await.expect("listed");
            let sum: i64 = listed.items.iter().map(|entry| entry.amount).sum();
            let said = listed.sums.first().map_or(0, |sum| figure.read(sum));
            assert_eq!(figure.of(&found.figures), said, "{figure:?} in {currency}");
            assert_eq!(sum.abs(), said.abs(), "{figure:?} in {currency}");
        }
        let figures = found.figures;
        assert_eq!(figures.gross - figures.refunds - figures.tax + figures.other, figures.net);
        assert_eq!(found.days.iter().sum::<i64>(), figures.net);
        assert_eq!(found.ledger_net, figures.net);
        assert!(figures.gross > 0 && figures.refunds > 0 && figures.net > 0);
        assert_eq!(figures.tax > 0, currency == "eur");
        assert_eq!(figures.disputes > 0, currency == "usd");
    }
}

#[tokio::test]
async fn tax_by_country_is_the_sum_of_the_entries_it_links_to() {
    let (shop, admin) = trade().await;
    let period = around_now(&shop);
    let rows = finance::tax(shop.ctx(), &admin, period, None).await.expect("asked");
    let places: Vec<_> = rows.iter().map(|row| (row.currency.as_str(), row.country.as_str())).collect();
    assert_eq!(places, [("eur", "DE"), ("usd", "US")]);
    for row in &rows {
        for (account, taxed, said) in [
            (Account::Revenue, Some(true), row.taxed),
            (Account::Revenue, Some(false), row.untaxed),
            (Account::TaxPayable, None, row.tax),
        ] {
            let filter = Filter {
                account: Some(account),
                kinds: Kinds::Sales,
                currency: Some(row.currency.clone()),
                country: Some(row.country.clone()),
                taxed,
                from: Some(period.start()),
                to: Some(period.end()),
                about: None,
            };
            let sums = ledger::sums(shop.ctx(), &admin, &filter).await.expect("summed");
            let sum = sums.first().map_or(0, |sum| sum.growth(account));
            assert_eq!(sum, said, "{account:?} {taxed:?} of {row:?}");
        }
    }
    // An invoice and a credit note; two invoices and a credit note.
    assert_eq!((rows[0].documents, rows[1].documents), (2, 3));
    assert!(rows[0].tax > 0 && rows[0].untaxed == 0);
    assert!(rows[1].tax == 0 && rows[1].taxed == 0 && rows[1].untaxed > 0);
}

#[tokio::test]
async fn numbers_of_subscriptions_count_the_ones_they_link_to() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    for (email, interval, seats) in
        [("ada@example.com", Interval::Month, 2), ("grace@example.com", Interval::Year, 3)]
    {
        let order = shop.order(&want(email, Tier::Pro, interval, seats)).await;
        shop.pay(&order, Card::Good);
    }
    shop.deliver().await;
    let period = around_now(&shop);
    let mut amounts = Vec::new();
    for list in SubscriptionList::ALL {
        let found = finance::subscriptions(shop.ctx(), &admin, list, period, Some("usd"), 1).await;
        let found = found.expect("asked").expect("something was sold");
        let count = i64::try_from(found.items.len()).expect("few");
        assert_eq!(count, list.count(&found.sums), "{list:?}");
        if list == SubscriptionList::Running {
            let each = |interval| {
                let of = found.items.iter().filter(move |item| item.interval == interval);
                of.map(|item| item.amount).sum::<i64>()
            };
            assert_eq!(found.sums.monthly, each(Interval::Month) + each(Interval::Year) / 12);
        }
        amounts.push(found.items.len());
    }
    assert_eq!(amounts.iter().max(), Some(&2));
}

#[tokio::test]
async fn before_anything_is_sold_there_is_nothing_to_show() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let period = around_now(&shop);
    assert!(finance::overview(shop.ctx(), &admin, period, Some("usd")).await.expect("asked").is_none());
    assert!(finance::tax(shop.ctx(), &admin, period, None).await.expect("asked").is_empty());
    let check = finance::check(shop.ctx(), &admin).await.expect("checked");
    assert_eq!((check.transactions, check.differences), (0, Vec::new()));
}

#[tokio::test]
async fn a_file_has_every_entry_and_stands_in_the_audit_log() {
    let (shop, admin) = trade().await;
    let period = around_now(&shop);
    let all = ledger::list(shop.ctx(), &admin, &Filter::default(), 1).await.expect("listed");
    let exports = [
        Export::Ledger(Filter::default()),
        Export::Tax { period, currency: None },
        Export::Revenue { period, currency: Some("usd".to_owned()) },
    ];
    let mut names = Vec::new();
    for what in &exports {
        let file = finance::export(shop.ctx(), &admin, what).await.expect("made");
        assert_eq!(file.text.lines().count(), file.rows + 1, "{}", file.name);
        assert!(file.rows > 0, "{}", file.name);
        if matches!(what, Export::Ledger(_)) {
            assert_eq!(u64::try_from(file.rows).expect("few"), all.total);
        }
        names.push(file.name);
    }
    let asked =
        audit::Filter { action: Some("finance.exported".to_owned()), limit: 10, ..audit::Filter::default() };
    let noted = audit::list(shop.ctx(), &admin, &asked).await.expect("listed");
    let mut noted: Vec<_> = noted.items.into_iter().map(|item| item.subject_id).collect();
    noted.sort_unstable();
    names.sort_unstable();
    assert_eq!(noted, names);
}

#[tokio::test]
async fn only_administrators_see_the_books() {
    let shop = Shop::open().await;
    let support = shop.app.signed_in("support@example.com", Role::Support).await;
    let period = around_now(&shop);
    let ctx = shop.ctx();
    for caller in [&support, &Caller::Anonymous] {
        let what = Export::Tax { period, currency: None };
        assert!(matches!(finance::overview(ctx, caller, period, None).await, Err(Error::Denied(_))));
        assert!(matches!(finance::tax(ctx, caller, period, None).await, Err(Error::Denied(_))));
        assert!(matches!(finance::check(ctx, caller).await, Err(Error::Denied(_))));
        assert!(matches!(finance::export(ctx, caller, &what).await, Err(Error::Denied(_))));
        let listed = ledger::list(ctx, caller, &Filter::default(), 1).await;
        assert!(matches!(listed, Err(Error::Denied(_))));
    }
}
