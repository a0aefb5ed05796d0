//! What stands about money on the pages of staff and of whoever bought: orders, refunds, what Stripe told.

use axum::http::{StatusCode, header};
use devforge::{
    account::Caller,
    billing::{
        document, inbox,
        order::{self, Order},
        refund::{self, RefundItem},
    },
    contract::{
        account::{Role, User},
        money::Currency,
        payment::{OrderStatus, RefundStatus},
    },
};
use stripe_simulator::{Card, Simulator};

use crate::{
    checkout::{encode, form, has_error, hidden, pay},
    eventually::eventually,
    support::{Answer, TestSite, send},
};

/// Somebody who is signed in.
struct Person {
    user: User,
    cookie: String,
    caller: Caller,
}

/// A site on which a customer has bought two seats for $798.00.
struct Sold {
    site: TestSite,
    order: Order,
    customer: Person,
    /// Ends when it is dropped.
    _stripe: Simulator,
}

impl Sold {
    async fn one() -> Self {
        let (site, stripe) = TestSite::start_selling().await;
        let customer = person(&site, Role::Customer).await;
        let bought = send(site.post("/checkout", &form(&[])).header(header::COOKIE, &customer.cookie)).await;
        assert_eq!(bought.status, StatusCode::SEE_OTHER, "{}", bought.text());
        let open = order::list_own(&site.ctx, &customer.caller).await.expect("the orders").remove(0);
        pay(&stripe, &open, Card::Good);
        let order = eventually("the order is paid", async || {
            site.run_jobs().await;
            let order = order::find(&site.ctx, &customer.caller, open.id).await.expect("the order");
            (order.status == OrderStatus::Paid).then_some(order)
        })
        .await;
        Self { site, order, customer, _stripe: stripe }
    }

    async fn get(&self, who: &Person, path: &str) -> Answer {
        send(self.site.visit(path).header(header::COOKIE, &who.cookie)).await
    }

    async fn post(&self, who: &Person, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        send(self.site.post(path, &fields.join("&")).header(header::COOKIE, &who.cookie)).await
    }

    /// The order's page for staff.
    fn order_path(&self) -> String {
        format!("/admin/orders/{}", self.order.id)
    }

    /// The order's page for its buyer.
    fn own_path(&self) -> String {
        format!("/account/billing/orders/{}", self.order.id)
    }

    async fn refunds(&self) -> Vec<RefundItem> {
        refund::of_order(&self.site.ctx, &self.customer.caller, self.order.id).await.expect("the refunds")
    }

    /// The customer asks for their money back.
    async fn ask(&self, message: &str) -> Answer {
        let path = format!("{}/refund-request", self.own_path());
        self.post(&self.customer, &path, &[("message", message)]).await
    }

    /// Where a wish that waits is decided.
    async fn wish_path(&self, staff: &Person) -> String {
        let page = self.get(staff, "/admin/refunds").await;
        let mark = "action=\"/admin/refunds/rrq_";
        let id = page.text().split(mark).nth(1).and_then(|rest| rest.split('"').next());
        format!("/admin/refunds/rrq_{}", id.expect("a wish waits"))
    }
}

async fn person(site: &TestSite, role: Role) -> Person {
    let user = site.person(role).await;
    let (cookie, caller) = site.session_of(&user).await;
    Person { user, cookie, caller }
}

#[tokio::test]
async fn staff_finds_an_order_and_nobody_else_does() {
    let sold = Sold::one().await;
    let support = person(&sold.site, Role::Support).await;
    let stranger = person(&sold.site, Role::Developer).await;
    let order = sold.order_path();
    for path in ["/admin/orders", &order, "/admin/refunds", "/admin/webhooks"] {
        assert_eq!(sold.get(&support, path).await.status, StatusCode::OK, "{path}");
        for who in [&stranger, &sold.customer] {
            assert_eq!(sold.get(who, path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let nobody = send(sold.site.visit(path)).await;
        assert_eq!(nobody.status, StatusCode::SEE_OTHER, "{path}");
        assert!(nobody.header("location").starts_with("/sign-in?"), "{path}");
    }

    let id = sold.order.id.to_string();
    for (query, found) in [
        (String::new(), true),
        ("?q=customer%40EXAMPLE".to_owned(), true),
        (format!("?q={id}"), true),
        ("?status=paid".to_owned(), true),
        ("?status=refunded".to_owned(), false),
        ("?q=nobody%40".to_owned(), false),
        ("?q=%25".to_owned(), false),
        ("?q=a%00b".to_owned(), false),
        (format!("?before={id}"), false),
        ("?before=x&status=x".to_owned(), true),
    ] {
        let page = sold.get(&support, &format!("/admin/orders{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(page.text().contains(&format!("href=\"{order}\"")), found, "{query}");
        assert_eq!(page.text().contains("No order matches"), !found, "{query}");
    }
}

#[tokio::test]
async fn the_page_of_an_order_says_all_that_stands_about_it() {
    let sold = Sold::one().await;
    let support = person(&sold.site, Role::Support).await;
    let admin = person(&sold.site, Role::Admin).await;
    let page = sold.get(&support, &sold.order_path()).await;
    let account = format!("/admin/users/{}", sold.customer.user.id);
    for words in ["Pro, 2 seats", "$798.00", "Invoice ", "ch_", "Give back up to $798.00", &account] {
        assert!(page.text().contains(words), "{words}");
    }
    let ledger = format!("/admin/finance/ledger?about={}", sold.order.id);
    assert!(!page.text().contains(&ledger), "the books are not for support");
    assert!(sold.get(&admin, &sold.order_path()).await.text().contains(&ledger));
}

#[tokio::test]
async fn a_mistake_in_the_form_keeps_what_was_typed_and_gives_nothing_back() {
    let sold = Sold::one().await;
    let support = person(&sold.site, Role::Support).await;
    let page = sold.get(&support, &sold.order_path()).await;
    let (payment, token) = (hidden(&page, "payment"), hidden(&page, "form"));
    assert_eq!(token.len(), 32);
    let path = format!("{}/refund", sold.order_path());
    for (field, value) in
        [("amount", "five"), ("amount", "0"), ("amount", "798.01"), ("reason", "  "), ("license", "burn")]
    {
        let mut fields = vec![("payment", payment), ("form", token), (field, value)];
        let otherwise = [("amount", "5.25"), ("reason", "Bought <b>twice</b>"), ("license", "keep")];
        fields.extend(otherwise.into_iter().filter(|(name, _)| *name != field));
        let answer = sold.post(&support, &path, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}={value}");
        assert!(has_error(&answer, field), "{field}={value}");
        assert!(answer.text().contains(&format!("href=\"#{field}\"")), "{field}={value}");
        assert_eq!(hidden(&answer, "form"), token, "it is still the same form");
        assert!(!answer.text().contains("<b>"), "what is typed is not believed");
        if field != "amount" {
            assert!(answer.text().contains("value=\"5.25\""), "{field}={value}");
        }
        if field != "reason" {
            assert!(answer.text().contains("twice"), "{field}={value}");
        }
    }
    let foreign =
        sold.post(&support, &path, &[("payment", "pay_01h2xcejqtf2nbrexx3vqjhp41"), ("reason", "x")]).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let customer = sold.post(&sold.customer, &path, &[("payment", payment), ("reason", "x")]).await;
    assert_eq!(customer.status, StatusCode::FORBIDDEN);
    assert!(sold.refunds().await.is_empty());
}

#[tokio::test]
async fn the_same_form_sent_twice_gives_money_back_once() {
    let sold = Sold::one().await;
    let support = person(&sold.site, Role::Support).await;
    let page = sold.get(&support, &sold.order_path()).await;
    let path = format!("{}/refund", sold.order_path());
    let fields = [
        ("payment", hidden(&page, "payment")),
        ("form", hidden(&page, "form")),
        ("amount", "$98"),
        ("reason", "Bought twice"),
        ("license", "policy"),
    ];
    let (one, other) = tokio::join!(sold.post(&support, &path, &fields), sold.post(&support, &path, &fields));
    let later = sold.post(&support, &path, &fields).await;
    for answer in [&one, &other, &later] {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        assert_eq!(answer.header("location"), format!("{}?done=refunded", sold.order_path()));
    }
    let refunds = sold.refunds().await;
    assert_eq!(refunds.len(), 1);
    assert_eq!(refunds[0].amount, Currency::Usd.of(9_800));
    assert!(matches!(refunds[0].status, RefundStatus::Pending | RefundStatus::Succeeded));

    let page = sold.get(&support, one.header("location")).await;
    for words in ["The money goes back", "Bought twice", "The license stays.", "Give back up to $700.00"] {
        assert!(page.text().contains(words), "{words}");
    }
    // A new form is a new wish.
    let rest =
        [("payment", hidden(&page, "payment")), ("form", hidden(&page, "form")), ("reason", "All of it")];
    let answer = sold.post(&support, &path, &rest).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(sold.refunds().await[1].amount, Currency::Usd.of(70_000));
    let page = sold.get(&support, &sold.order_path()).await;
    assert!(page.text().contains("The license ends.") && !page.text().contains("Give back up to"));
}

#[tokio::test]
async fn who_asks_for_their_money_back_reads_the_answer() {
    let sold = Sold::one().await;
    let support = person(&sold.site, Role::Support).await;
    let own = sold.own_path();
    assert!(sold.get(&sold.customer, &own).await.text().contains("Ask for $798.00 back"));

    let empty = sold.ask(" ").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(has_error(&empty, "message"));
    let asked = sold.ask("It does not run on <b>my</b> machine.").await;
    assert_eq!(
        (asked.status, asked.header("location")),
        (StatusCode::SEE_OTHER, &*format!("{own}?done=asked"))
    );
    let waiting = sold.get(&sold.customer, asked.header("location")).await;
    assert!(waiting.text().contains("You asked for your money back on"));
    assert!(!waiting.text().contains("Ask for $798.00 back"), "nobody asks twice");
    let again = sold.ask("Please.").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.text().contains("You have asked for this order already."));

    let list = sold.get(&support, "/admin/refunds").await;
    assert!(list.text().contains("It does not run on") && !list.text().contains("<b>"));
    let wish = sold.wish_path(&support).await;
    for (fields, field) in [
        ([("answer", " "), ("amount", "5"), ("decision", "decline")], "answer"),
        ([("answer", "Gladly."), ("amount", "five"), ("decision", "accept")], "amount"),
        ([("answer", "Gladly."), ("amount", "799"), ("decision", "accept")], "amount"),
    ] {
        let answer = sold.post(&support, &wish, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(has_error(&answer, field), "{fields:?}");
        assert!(answer.text().contains(&format!("value=\"{}\"", fields[1].1)), "{fields:?}");
    }
    let undecided = sold.post(&support, &wish, &[("answer", "Gladly.")]).await;
    assert_eq!(undecided.status, StatusCode::UNPROCESSABLE_ENTITY);
    let customer = sold.post(&sold.customer, &wish, &[("answer", "Yes."), ("decision", "accept")]).await;
    assert_eq!(customer.status, StatusCode::FORBIDDEN);

    let decision = [("answer", "It runs since the last version."), ("decision", "decline")];
    let declined = sold.post(&support, &wish, &decision).await;
    let done = (declined.status, declined.header("location"));
    assert_eq!(done, (StatusCode::SEE_OTHER, "/admin/refunds?done=declined"), "{}", declined.text());
    let page = sold.get(&sold.customer, &own).await;
    assert!(page.text().contains("It runs since the last version."));
    let late = sold.post(&support, &wish, &decision).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text().contains("Nobody waits") && late.text().contains("Declined"));
    assert!(sold.refunds().await.is_empty());
}

#[tokio::test]
async fn a_wish_that_is_granted_gives_back_what_staff_decides() {
    let sold = Sold::one().await;
    let support = person(&sold.site, Role::Support).await;
    assert_eq!(sold.ask("One seat was too many.").await.status, StatusCode::SEE_OTHER);
    let order = sold.get(&support, &sold.order_path()).await;
    assert!(order.text().contains("The customer asks for their money back"));

    let wish = sold.wish_path(&support).await;
    let decision = [("answer", "One seat goes back."), ("amount", "399.00"), ("decision", "accept")];
    let given = sold.post(&support, &wish, &decision).await;
    let done = (given.status, given.header("location"));
    assert_eq!(done, (StatusCode::SEE_OTHER, "/admin/refunds?done=refunded"), "{}", given.text());
    let refunds = sold.refunds().await;
    assert_eq!((refunds.len(), refunds[0].amount), (1, Currency::Usd.of(39_900)));
    let page = sold.get(&sold.customer, &sold.own_path()).await;
    for words in ["Your money goes back", "One seat goes back.", "$399.00", "Ask for $399.00 back"] {
        assert!(page.text().contains(words), "{words}");
    }
}

#[tokio::test]
async fn an_order_of_somebody_else_is_not_there() {
    let sold = Sold::one().await;
    let own = sold.own_path();
    assert_eq!(sold.get(&sold.customer, &own).await.status, StatusCode::OK);
    for role in [Role::Developer, Role::Support, Role::Admin] {
        let stranger = person(&sold.site, role).await;
        assert_eq!(sold.get(&stranger, &own).await.status, StatusCode::NOT_FOUND, "{role:?}");
        let asked = sold.post(&stranger, &format!("{own}/refund-request"), &[("message", "Mine.")]).await;
        assert_eq!(asked.status, StatusCode::NOT_FOUND, "{role:?}");
    }
    let missing = sold.get(&sold.customer, "/account/billing/orders/ord_01h2xcejqtf2nbrexx3vqjhp41").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_books_are_taken_along_by_a_form_and_not_by_a_link() {
    let sold = Sold::one().await;
    let admin = person(&sold.site, Role::Admin).await;
    let support = person(&sold.site, Role::Support).await;
    let page = sold.get(&admin, "/admin/finance/ledger?currency=usd&kind=sales").await;
    assert!(page.text().contains("action=\"/admin/finance/ledger.csv\""), "{}", page.text());
    assert_eq!((hidden(&page, "currency"), hidden(&page, "kind")), ("usd", "sales"));
    for name in ["ledger", "tax", "revenue"] {
        let path = format!("/admin/finance/{name}.csv");
        let file = sold.post(&admin, &path, &[("currency", "usd")]).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8", "{path}");
        assert!(file.header("content-disposition").starts_with("attachment; "), "{path}");
        assert_eq!(sold.post(&support, &path, &[]).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(sold.get(&admin, &path).await.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn the_page_of_a_document_keeps_its_key_out_of_the_frame() {
    let sold = Sold::one().await;
    let id = document::of_order(&sold.site.ctx, sold.order.id).await.expect("the documents").remove(0).id;
    let link = document::link(&sold.site.ctx, id);
    let path = link.strip_prefix(&sold.site.url).expect("of this site");
    let page = send(sold.site.visit(path)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(hidden(&page, "return_to"), "/");
    let file = send(sold.site.get(&path.replace("?key=", "/pdf?key="))).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.body.starts_with(b"%PDF-"));
}

#[tokio::test]
async fn what_stripe_told_is_shown_and_worked_on_again() {
    let sold = Sold::one().await;
    let admin = person(&sold.site, Role::Admin).await;
    let support = person(&sold.site, Role::Support).await;
    let filter = inbox::Filter { topic: "checkout.session.".to_owned(), ..inbox::Filter::default() };
    let told = inbox::list(&sold.site.ctx, &admin.caller, &filter).await.expect("the messages").remove(0);
    let path = format!("/admin/webhooks/{}", told.id);
    let link = format!("href=\"{path}\"");
    for (query, found) in [
        ("", true),
        ("?topic=checkout.", true),
        ("?topic=dispute.", false),
        ("?topic=checkout.&before=x", true),
    ] {
        let page = sold.get(&support, &format!("/admin/webhooks{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(page.text().contains(&link), found, "{query}");
    }

    let page = sold.get(&support, &path).await;
    assert!(page.text().contains(&told.topic) && page.text().contains(&told.event_id));
    assert!(
        page.text().contains("\n  &quot;id&quot;") || page.text().contains("\n  \"id\""),
        "it is laid out"
    );
    assert!(!page.text().contains("Replay this message"), "support only reads");
    let replay = format!("{path}/replay");
    assert_eq!(sold.post(&support, &replay, &[]).await.status, StatusCode::FORBIDDEN);

    let replayed = sold.post(&admin, &replay, &[]).await;
    let done = (replayed.status, replayed.header("location"));
    assert_eq!(done, (StatusCode::SEE_OTHER, &*format!("{path}?done=replayed")));
    let waiting = sold.get(&admin, "/admin/webhooks?state=waiting").await;
    assert!(waiting.text().contains(&link), "it waits to be worked on");
    sold.site.run_jobs().await;
    let (after, _) = inbox::find(&sold.site.ctx, &admin.caller, told.id).await.expect("the message");
    assert!(after.handled_at.is_some());
    assert_eq!(after.attempts, told.attempts + 1);
    let missing = sold.post(&admin, "/admin/webhooks/ibx_01h2xcejqtf2nbrexx3vqjhp41/replay", &[]).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
