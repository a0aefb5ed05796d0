//! Invoices, credit notes and reversals: their numbers, what they say, who may see them, and their printed form.

use axum::http::header;
use devforge::{
    account::{Caller, Denied},
    billing::{
        Error,
        document::{self, NewInvoice},
        history,
    },
    context::Context,
    contract::{
        account::Role,
        id::{CustomerId, InvoiceId, OrderId, PaymentId, RefundId, UserId},
        money::{Currency, Rate},
        payment::{DocumentKind, HistoryKind, InvoiceStatus, Line, LineTax},
    },
    mail,
};
use uuid::Uuid;

use crate::{
    api::client::{call, log_in},
    support::TestApp,
};

/// Something sold, with the rows that a document belongs to.
#[derive(Debug, Clone, Copy)]
struct Sale {
    customer: CustomerId,
    account: Option<UserId>,
    order: OrderId,
    payment: PaymentId,
    currency: Currency,
}

fn uuid(ctx: &Context) -> Uuid {
    ctx.random.uuid_v7(ctx.clock.now())
}

async fn sale(ctx: &Context, account: Option<UserId>, email: &str, name: &str, currency: Currency) -> Sale {
    let sale = Sale {
        customer: CustomerId::from_uuid(uuid(ctx)),
        account,
        order: OrderId::from_uuid(uuid(ctx)),
        payment: PaymentId::from_uuid(uuid(ctx)),
        currency,
    };
    let now = ctx.clock.now();
    let address =
        serde_json::json!({ "line1": "Tor 1", "postalCode": "10115", "city": "Berlin", "country": "DE" });
    sqlx::query(
        "insert into billing_customer (id, account_id, email, name, tax_id, address, created_at, updated_at)
         values ($1, $2, $3, $4, 'DE136695976', $5, $6, $6)",
    )
    .bind(sale.customer.uuid())
    .bind(account.map(UserId::uuid))
    .bind(email)
    .bind(name)
    .bind(address)
    .bind(now)
    .execute(&ctx.db)
    .await
    .expect("a customer");
    sqlx::query(
        "insert into billing_order (id, customer_id, account_id, email, status, tier, interval, seats, currency, subtotal,
             discount, tax, total, trial_days, payment_method, attempt, refunded, created_at, expires_at, updated_at)
         values ($1, $2, $3, $4, 'paid', 'pro', 'once', 1, $5, 2000, 0, 380, 2380, 0, 'checkout', 1, 0, $6, $6, $6)",
    )
    .bind(sale.order.uuid())
    .bind(sale.customer.uuid())
    .bind(account.map(UserId::uuid))
    .bind(email)
    .bind(currency.as_str())
    .bind(now)
    .execute(&ctx.db)
    .await
    .expect("an order");
    sqlx::query(
        "insert into payment (id, customer_id, account_id, order_id, charge_id, amount, currency, fee, fee_currency,
             refunded, description, paid_at, recorded_at)
         values ($1, $2, $3, $4, $5, 2380, $6, 0, $6, 0, 'Pro', $7, $7)",
    )
    .bind(sale.payment.uuid())
    .bind(sale.customer.uuid())
    .bind(account.map(UserId::uuid))
    .bind(sale.order.uuid())
    .bind(format!("ch_{}", sale.payment))
    .bind(currency.as_str())
    .bind(now)
    .execute(&ctx.db)
    .await
    .expect("a payment");
    sale
}

async fn guest_sale(ctx: &Context) -> Sale {
    sale(ctx, None, "grace@example.com", "Grace Hopper", Currency::Eur).await
}

fn line(net: i64, tax: i64, reason: &str) -> Line {
    Line {
        description: "Dev Forge Pro".to_owned(),
        quantity: 2,
        unit_amount: net / 2,
        discount: 0,
        net,
        tax: LineTax {
            rate: if tax == 0 { Rate::ZERO } else { Rate::percent(19) },
            amount: tax,
            country: if tax == 0 { String::new() } else { "DE".to_owned() },
            reason: reason.to_owned(),
        },
    }
}

fn of<'a>(ctx: &Context, sale: &Sale, lines: Vec<Line>) -> NewInvoice<'a> {
    NewInvoice {
        customer: sale.customer,
        account: sale.account,
        order: Some(sale.order),
        subscription: None,
        payment: Some(sale.payment),
        currency: sale.currency,
        lines,
        paid_at: ctx.clock.now(),
        note: None,
    }
}

async fn invoice_with(ctx: &Context, sale: &Sale, lines: Vec<Line>) -> InvoiceId {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let id = document::issue_invoice(&mut tx, ctx, &of(ctx, sale, lines)).await.expect("issued");
    tx.commit().await.expect("committed");
    id
}

/// €20.00 and €3.80 of tax.
async fn invoice(ctx: &Context, sale: &Sale) -> InvoiceId {
    invoice_with(ctx, sale, vec![line(2000, 380, "VAT 19 % (Germany)")]).await
}

async fn refund(ctx: &Context, sale: &Sale, amount: i64) -> RefundId {
    let id = RefundId::from_uuid(uuid(ctx));
    sqlx::query(
        "insert into refund (id, payment_id, order_id, amount, tax, currency, reason, consequence, status, created_at,
             updated_at)
         values ($1, $2, $3, $4, 0, $5, 'It did not fit.', 'keep', 'succeeded', $6, $6)",
    )
    .bind(id.uuid())
    .bind(sale.payment.uuid())
    .bind(sale.order.uuid())
    .bind(amount)
    .bind(sale.currency.as_str())
    .bind(ctx.clock.now())
    .execute(&ctx.db)
    .await
    .expect("a refund");
    id
}

async fn credit(ctx: &Context, sale: &Sale, amount: i64) -> Result<(RefundId, InvoiceId), Error> {
    let refund = refund(ctx, sale, amount).await;
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let id = document::issue_credit_note(&mut tx, ctx, refund, sale.payment, amount).await?;
    tx.commit().await.expect("committed");
    Ok((refund, id))
}

async fn reverse(ctx: &Context, refund: RefundId) -> Option<InvoiceId> {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let id = document::issue_reversal(&mut tx, ctx, refund).await.expect("asked");
    tx.commit().await.expect("committed");
    id
}

/// With its own link.
async fn seen(ctx: &Context, id: InvoiceId) -> document::Document {
    let link = document::link(ctx, id);
    let (_, key) = link.split_once("?key=").expect("a key");
    document::by_link(ctx, id, key).await.expect("its key opens it")
}

#[tokio::test]
async fn numbers_have_no_gap_and_no_twin_whatever_is_rolled_back() {
    let app = TestApp::start().await;
    let mut tasks = Vec::new();
    for index in 0..20 {
        let ctx = app.ctx.clone();
        let sale = guest_sale(&ctx).await;
        tasks.push(tokio::spawn(async move {
            let mut tx = ctx.db.begin().await.expect("a transaction");
            let new = of(&ctx, &sale, vec![line(2000, 380, "VAT")]);
            document::issue_invoice(&mut tx, &ctx, &new).await.expect("issued");
            if index % 3 == 0 {
                tx.rollback().await.expect("rolled back");
            } else {
                tx.commit().await.expect("committed");
            }
        }));
    }
    for task in tasks {
        task.await.expect("it ran to its end");
    }
    let numbers: Vec<String> = sqlx::query_scalar("select number from document order by number")
        .fetch_all(&app.ctx.db)
        .await
        .expect("read");
    let expected: Vec<String> = (1..=13).map(|number| format!("DF-2026-{number:06}")).collect();
    assert_eq!(numbers, expected);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_payment_has_one_invoice_and_each_kind_its_own_series() {
    let app = TestApp::start().await;
    let sale = guest_sale(&app.ctx).await;
    let first = invoice(&app.ctx, &sale).await;
    assert_eq!(invoice(&app.ctx, &sale).await, first, "done again, it is the same");
    let (refund, note) = credit(&app.ctx, &sale, 2380).await.expect("credited");
    let reversal = reverse(&app.ctx, refund).await.expect("there is a credit note");
    assert_eq!(reverse(&app.ctx, refund).await, Some(reversal));
    for (id, number) in [(first, "DF-2026-000001"), (note, "CN-2026-000001"), (reversal, "RV-2026-000001")] {
        assert_eq!(seen(&app.ctx, id).await.content.number, number);
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn an_invoice_says_who_sold_what_to_whom() {
    let app = TestApp::start().await;
    let sale = guest_sale(&app.ctx).await;
    let id = invoice(&app.ctx, &sale).await;
    let document = seen(&app.ctx, id).await;
    let content = &document.content;
    assert_eq!(content.seller.name, app.ctx.config.operator.name);
    assert_eq!(content.buyer.name, "Grace Hopper");
    assert_eq!(content.buyer.address, ["Tor 1", "10115 Berlin", "Germany"]);
    assert_eq!(content.buyer.tax_id.as_deref(), Some("DE136695976"));
    assert_eq!((content.subtotal, content.tax, content.total), (2000, 380, 2380));
    assert_eq!(content.taxes.len(), 1);
    assert_eq!(content.note, None);
    assert_eq!(document.status(), InvoiceStatus::Paid);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_document_is_never_changed_but_given_to_its_account() {
    let app = TestApp::start().await;
    let id = invoice(&app.ctx, &guest_sale(&app.ctx).await).await;
    for change in [
        "update document set total = total + 1, subtotal = subtotal + 1 where id = $1",
        "update document set content = '{}' where id = $1",
        "delete from document where id = $1",
    ] {
        let refused = sqlx::query(change).bind(id.uuid()).execute(&app.ctx.db).await;
        assert!(refused.is_err(), "{change}");
    }
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    let user = grace.user().expect("signed in").id;
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    document::claim(&mut tx, user, "Grace@Example.com").await.expect("claimed");
    tx.commit().await.expect("committed");
    assert_eq!(document::open(&app.ctx, &grace, id).await.expect("it is hers").account, Some(user));
    let other = app.person("ada@example.com", Role::Customer).await;
    let refused = sqlx::query("update document set account_id = $2 where id = $1")
        .bind(id.uuid())
        .bind(other.id.uuid())
        .execute(&app.ctx.db)
        .await;
    assert!(refused.is_err(), "what is somebody's stays theirs");
    app.run_jobs().await;
}

#[tokio::test]
async fn partial_refunds_give_back_each_line_and_its_tax_exactly() {
    let app = TestApp::start().await;
    let sale = guest_sale(&app.ctx).await;
    let lines = vec![line(1333, 253, "VAT"), line(667, 127, "VAT"), line(0, 0, "None")];
    let id = invoice_with(&app.ctx, &sale, lines.clone()).await;
    let mut given = vec![(0, 0); lines.len()];
    for (amount, status) in [
        (1, InvoiceStatus::PartiallyRefunded),
        (777, InvoiceStatus::PartiallyRefunded),
        (1602, InvoiceStatus::Refunded),
    ] {
        let mut conn = app.ctx.db.acquire().await.expect("a connection");
        let taxes = document::taxes_of_refund(&mut conn, sale.payment, amount).await.expect("computed");
        drop(conn);
        let (_, note) = credit(&app.ctx, &sale, amount).await.expect("credited");
        let note = seen(&app.ctx, note).await;
        assert_eq!((note.content.kind, note.content.total), (DocumentKind::CreditNote, amount));
        assert_eq!(taxes.iter().map(|(_, tax)| tax).sum::<i64>(), note.content.tax);
        let mut conn = app.ctx.db.acquire().await.expect("a connection");
        assert_eq!(document::taxes_of(&mut conn, note.id).await.expect("asked"), taxes);
        drop(conn);
        for (sum, line) in given.iter_mut().zip(&note.content.lines) {
            *sum = (sum.0 + line.net, sum.1 + line.tax.amount);
        }
        assert_eq!(seen(&app.ctx, id).await.status(), status, "{amount}");
    }
    let sold: Vec<(i64, i64)> = lines.iter().map(|line| (line.net, line.tax.amount)).collect();
    assert_eq!(given, sold);
    let more = credit(&app.ctx, &sale, 1).await;
    assert!(matches!(more, Err(Error::RefundExceedsPayment { left }) if left.is_zero()), "{more:?}");
    app.run_jobs().await;
}

#[tokio::test]
async fn a_refund_that_failed_leaves_the_invoice_as_it_was() {
    let app = TestApp::start().await;
    let sale = guest_sale(&app.ctx).await;
    let id = invoice(&app.ctx, &sale).await;
    let (refund, note) = credit(&app.ctx, &sale, 500).await.expect("credited");
    let reversal = reverse(&app.ctx, refund).await.expect("there is a credit note");
    let (note, reversal) = (seen(&app.ctx, note).await, seen(&app.ctx, reversal).await);
    assert!(note.reversed);
    assert_eq!(reversal.content.lines, note.content.lines);
    assert_eq!(reversal.content.corrects.map(|of| of.number), Some(note.content.number));
    assert_eq!(seen(&app.ctx, id).await.status(), InvoiceStatus::Paid);
    credit(&app.ctx, &sale, 2380).await.expect("all of it can be refunded again");
    assert_eq!(seen(&app.ctx, id).await.status(), InvoiceStatus::Refunded);
    let without = self::refund(&app.ctx, &sale, 1).await;
    assert_eq!(
        reverse(&app.ctx, without).await,
        None,
        "a refund without a credit note has nothing to take back"
    );
    app.run_jobs().await;
}

#[tokio::test]
async fn a_document_is_its_buyer_s_and_staff_s() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let account = ada.user().expect("signed in").id;
    let own = invoice(ctx, &sale(ctx, Some(account), "ada@example.com", "Ada", Currency::Eur).await).await;
    let guests = invoice(ctx, &guest_sale(ctx).await).await;

    assert_eq!(document::open(ctx, &ada, own).await.expect("hers").id, own);
    let foreign = document::open(ctx, &ada, guests).await;
    assert!(matches!(foreign, Err(Error::NotFound)), "{foreign:?}");
    let nobody = document::open(ctx, &Caller::Anonymous, own).await;
    assert!(matches!(nobody, Err(Error::Denied(Denied::Unauthenticated))), "{nobody:?}");
    let other = app.signed_in("mallory@example.com", Role::Developer).await;
    assert!(matches!(document::open(ctx, &other, own).await, Err(Error::NotFound)));
    let staff = app.signed_in("sam@example.com", Role::Support).await;
    assert!(document::open(ctx, &staff, guests).await.is_ok());

    let key_of = |id| document::link(ctx, id).split_once("?key=").expect("a key").1.to_owned();
    for key in ["", "x", &key_of(own), &key_of(guests).to_lowercase(), &format!("{}A", key_of(guests))] {
        let refused = document::by_link(ctx, guests, key).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{key}");
    }
    assert_eq!(document::by_link(ctx, guests, &key_of(guests)).await.expect("its key").id, guests);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_list_goes_on_where_its_page_ended() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let mut issued = Vec::new();
    for _ in 0..3 {
        let sale = sale(&app.ctx, Some(ada.id), "ada@example.com", "Ada", Currency::Eur).await;
        issued.push(invoice(&app.ctx, &sale).await.to_string());
        app.ctx.clock.advance(time::Duration::SECOND);
    }
    issued.reverse();
    invoice(&app.ctx, &guest_sale(&app.ctx).await).await;
    let tokens = log_in(&app.ctx, &ada).await;

    let first = call("GET", "/api/payments/invoices?limit=2").bearer(&tokens.access).send(&app.ctx).await;
    assert_eq!(first.outcome(), (200, None));
    let next = first.header(header::LINK).to_owned();
    let address =
        next.strip_prefix('<').and_then(|next| next.strip_suffix(">; rel=\"next\"")).expect("a link");
    let path = address.strip_prefix(&app.ctx.config.http.public_url).expect("on this site");
    let second = call("GET", path).bearer(&tokens.access).send(&app.ctx).await;
    assert_eq!(second.header(header::LINK), "");
    let mut ids = Vec::new();
    for answer in [first, second] {
        for item in answer.json().as_array().expect("a list") {
            ids.push(item["id"].as_str().expect("an id").to_owned());
            assert!(item["pdfUrl"].as_str().is_some_and(|url| url.contains("/pdf?key=")), "{item}");
        }
    }
    assert_eq!(ids, issued);

    let rubbish = call("GET", "/api/payments/invoices?cursor=x").bearer(&tokens.access).send(&app.ctx).await;
    assert_eq!(rubbish.status, 422);
    assert_eq!(call("GET", "/api/payments/history").send(&app.ctx).await.status, 401);
    app.run_jobs().await;
}

#[tokio::test]
async fn the_history_holds_what_was_paid_given_back_and_questioned() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let account = ada.user().expect("signed in").id;
    let own = sale(&app.ctx, Some(account), "ada@example.com", "Ada", Currency::Eur).await;
    let paid_by = invoice(&app.ctx, &own).await;
    guest_sale(&app.ctx).await;
    app.ctx.clock.advance(time::Duration::HOUR);
    let (_, note) = credit(&app.ctx, &own, 500).await.expect("credited");
    app.ctx.clock.advance(time::Duration::HOUR);
    sqlx::query(
        "insert into dispute (id, payment_id, order_id, stripe_id, amount, currency, fee, reason, status, opened_at,
             updated_at, synced_at)
         values ($1, $2, $3, 'dp_1', 1880, 'eur', 1500, 'fraudulent', 'needs_response', $4, $4, $4)",
    )
    .bind(uuid(&app.ctx))
    .bind(own.payment.uuid())
    .bind(own.order.uuid())
    .bind(app.ctx.clock.now())
    .execute(&app.ctx.db)
    .await
    .expect("a dispute");

    let first = history::list(&app.ctx, &ada, None, 2).await.expect("listed");
    let rest = history::list(&app.ctx, &ada, first.next_cursor.as_deref(), 2).await.expect("listed");
    let items: Vec<_> = first.items.into_iter().chain(rest.items).collect();
    let kinds: Vec<_> = items.iter().map(|item| (item.kind, item.amount.amount, item.invoice_id)).collect();
    assert_eq!(
        kinds,
        [
            (HistoryKind::Dispute, 1880, Some(paid_by)),
            (HistoryKind::Refund, 500, Some(note)),
            (HistoryKind::Payment, 2380, Some(paid_by)),
        ]
    );
    assert!(items.iter().all(|item| item.order_id == Some(own.order)));
    assert_eq!(rest.next_cursor, None);
    app.run_jobs().await;
}

#[tokio::test]
async fn mails_bring_the_document_to_guests_and_accounts() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let own = sale(ctx, Some(ada.id), "ada@example.com", "Ada", Currency::Eur).await;
    let guests = guest_sale(ctx).await;
    for (sale, address, greeting) in
        [(own, "ada@example.com", "Hello Ada,"), (guests, "grace@example.com", "Hello,")]
    {
        app.ctx.clock.advance(time::Duration::SECOND);
        let id = invoice(ctx, &sale).await;
        let mut tx = ctx.db.begin().await.expect("a transaction");
        document::mail_document(&mut tx, ctx, id).await.expect("written");
        tx.commit().await.expect("committed");
        let newest = mail::recent(ctx, 1).await.expect("listed").remove(0);
        assert_eq!((newest.kind.as_str(), newest.to_address.as_str()), ("billing_invoice", address));
        let stored = mail::find(ctx, newest.id).await.expect("asked").expect("it is there");
        let text = stored.text.expect("not sent yet");
        assert!(text.contains(&document::link(ctx, id)) && text.contains(greeting), "{text}");
        assert!(stored.subject.contains("DF-2026-") && text.contains("€23.80"), "{text}");
    }
    app.run_jobs().await;
}

/// How many pages a PDF has, by its own objects.
fn pages(file: &[u8]) -> usize {
    let text: String =
        file.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| char::from(*byte)).collect();
    let kinds = text.match_indices("/Type/Page").map(|(at, found)| text[at + found.len()..].chars().next());
    kinds.filter(|next| next.is_some_and(|next| !next.is_ascii_alphabetic())).count()
}

fn holds(file: &[u8], text: &str) -> bool {
    file.windows(text.len()).any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn the_printed_form_is_a_pdf_and_always_the_same() {
    let app = TestApp::start().await;
    let id = invoice(&app.ctx, &guest_sale(&app.ctx).await).await;
    let document = seen(&app.ctx, id).await;
    let file = document::pdf(&document).expect("printed");
    assert!(file.starts_with(b"%PDF-"));
    assert_eq!(pages(&file), 1);
    assert!(holds(&file, "Invoice DF-2026-000001"), "its title");
    assert_eq!(document::pdf(&document).expect("printed"), file);
    assert_eq!(document.file_name(), "DF-2026-000001.pdf");

    let many = guest_sale(&app.ctx).await;
    let lines = (0..90).map(|number| line(number * 2, 0, "None")).collect();
    let many = seen(&app.ctx, invoice_with(&app.ctx, &many, lines).await).await;
    let pages = pages(&document::pdf(&many).expect("printed"));
    assert!((3..=6).contains(&pages), "{pages}");
    app.run_jobs().await;
}

#[tokio::test]
async fn amounts_without_minor_units_and_taxes_that_the_buyer_owes_are_printed() {
    let app = TestApp::start().await;
    let japanese = sale(&app.ctx, None, "yuki@example.jp", "株式会社フォージ", Currency::Jpy).await;
    let id = invoice_with(&app.ctx, &japanese, vec![line(3800, 0, "No tax: outside the EU")]).await;
    let document = seen(&app.ctx, id).await;
    assert_eq!(document.content.money(document.content.total).to_string(), "¥3,800");
    assert!(document::pdf(&document).is_ok());

    let company = sale(&app.ctx, None, "office@example.fr", "Forge SARL", Currency::Eur).await;
    let id = invoice_with(&app.ctx, &company, vec![line(2000, 0, "Reverse charge")]).await;
    let document = seen(&app.ctx, id).await;
    assert!(document.content.note.as_deref().is_some_and(|note| note.starts_with("Reverse charge")));
    assert!(document::pdf(&document).is_ok());
    app.run_jobs().await;
}

#[tokio::test]
async fn any_name_can_be_printed() {
    let app = TestApp::start().await;
    let long = "Forge".repeat(40);
    let spaced = "Amalgamated Forge ".repeat(11);
    for name in [
        long.as_str(),
        spaced.trim(),
        "شركة الحدادة المحدودة 42",
        "חברת הנפחייה",
        "株式会社鍛冶屋 대장간",
        "Công ty Lò Rèn, Ковалівська Ω",
        "\u{202e}name\u{7}\r\n😀\u{10ffff} नमस्ते",
        "",
    ] {
        let sale = sale(&app.ctx, None, "any@example.com", name, Currency::Gbp).await;
        let document = seen(&app.ctx, invoice(&app.ctx, &sale).await).await;
        let file = document::pdf(&document).expect("printed");
        assert_eq!(pages(&file), 1, "{name}");
    }
    app.run_jobs().await;
}
