//! What staff see of people and do with them, and what nobody does.

use devforge::{
    account::{
        Caller, Denied, Error, FRESH_FOR,
        administration::{self, AccountState, Filter, LAST_PAGE, PER_PAGE, People},
        personal_token, sign_in,
    },
    context::Context,
    contract::{
        account::{NewPersonalToken, Role, Scope, User},
        id::UserId,
    },
    mail::{self, Message, Recipient},
    session,
};
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

use crate::support::{PASSWORD, TestApp, client};

const ADA: &str = "ada@example.com";

fn id_of(caller: &Caller) -> UserId {
    caller.user().expect("somebody").id
}

fn denied<T>(result: Result<T, Error>) -> Option<Denied> {
    match result.err()? {
        Error::Denied(denied) => Some(denied),
        _ => None,
    }
}

async fn find(ctx: &Context, caller: &Caller, filter: &Filter) -> People {
    administration::list(ctx, caller, filter).await.expect("listed")
}

/// The addresses that a search finds, in the order of the alphabet.
async fn found(ctx: &Context, caller: &Caller, q: &str) -> Vec<String> {
    let people = find(ctx, caller, &Filter { q: q.to_owned(), ..Filter::default() }).await;
    assert_eq!(people.total, people.items.len() as u64, "{q:?}");
    let mut addresses: Vec<String> = people.items.into_iter().map(|row| row.user.email).collect();
    addresses.sort();
    addresses
}

/// What the audit log says was done, oldest first, without sign-ins and beginnings.
async fn audited(ctx: &Context, subject: UserId) -> Vec<(String, Value)> {
    sqlx::query_as(
        "select action, detail from audit_event
         where subject_id = $1 and action not in ('account.created', 'account.signed_in')
         order by recorded_at, id",
    )
    .bind(subject.to_string())
    .fetch_all(&ctx.db)
    .await
    .expect("read")
}

async fn role_of(ctx: &Context, id: UserId) -> String {
    sqlx::query_scalar("select role from account where id = $1")
        .bind(id.uuid())
        .fetch_one(&ctx.db)
        .await
        .expect("read")
}

#[tokio::test]
async fn staff_see_people_and_only_administrators_change_them() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.person(ADA, Role::Customer).await.id;
    let everyone = Filter::default();
    let mut callers = vec![(None, Caller::Anonymous)];
    for role in Role::ALL {
        callers.push((Some(role), app.signed_in(&format!("{}@example.com", role.as_str()), role).await));
    }
    for (role, caller) in callers {
        let refusal = if role.is_none() { Denied::Unauthenticated } else { Denied::Forbidden };
        let to_see = (!matches!(role, Some(Role::Support | Role::Admin))).then_some(refusal);
        let to_change = (role != Some(Role::Admin)).then_some(refusal);
        assert_eq!(denied(administration::list(ctx, &caller, &everyone).await), to_see, "{role:?}");
        assert_eq!(denied(administration::person(ctx, &caller, ada).await), to_see, "{role:?}");
        let made = administration::set_role(ctx, &caller, ada, Role::Developer).await;
        assert_eq!(denied(made), to_change, "{role:?}");
        assert_eq!(denied(administration::lock(ctx, &caller, ada, "a reason").await), to_change, "{role:?}");
        assert_eq!(denied(administration::unlock(ctx, &caller, ada).await), to_change, "{role:?}");
        assert_eq!(
            denied(administration::sign_out_everywhere(ctx, &caller, ada).await),
            to_change,
            "{role:?}"
        );
    }
}

#[tokio::test]
async fn a_sign_in_of_some_time_ago_is_enough_to_look_and_not_to_change() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await.id;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    app.ctx.clock.advance(FRESH_FOR);
    administration::person(&app.ctx, &admin, ada).await.expect("seen");
    let refused = administration::lock(&app.ctx, &admin, ada, "a reason").await;
    assert_eq!(denied(refused), Some(Denied::NotFresh));
    assert!(audited(&app.ctx, ada).await.is_empty());
}

#[tokio::test]
async fn a_search_takes_every_letter_for_itself() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let support = app.signed_in("support@example.com", Role::Support).await;
    for email in ["a_b@example.com", "axb@example.com", "ten%off@example.com"] {
        app.person(email, Role::Customer).await;
    }
    sqlx::query("update account set name = 'Grace \\ Hopper' where email = 'axb@example.com'")
        .execute(&ctx.db)
        .await
        .expect("renamed");

    assert_eq!(found(ctx, &support, "a_b@").await, ["a_b@example.com"]);
    assert_eq!(found(ctx, &support, "%").await, ["ten%off@example.com"]);
    assert_eq!(found(ctx, &support, "\\").await, ["axb@example.com"]);
    assert_eq!(found(ctx, &support, " gRaCe ").await, ["axb@example.com"]);
    assert_eq!(found(ctx, &support, "A_B@EXAMPLE").await, ["a_b@example.com"]);
    assert!(found(ctx, &support, "'; drop table account; --").await.is_empty());
    assert_eq!(found(ctx, &support, " \0 ").await.len(), 4);
    assert!(found(ctx, &support, &"x".repeat(10_000)).await.is_empty());

    let id = id_of(&support).to_string();
    assert_eq!(found(ctx, &support, &format!(" {id} ")).await, ["support@example.com"]);
    assert!(found(ctx, &support, &id[..20]).await.is_empty(), "a part of an id is no id");
    let nobody = UserId::from_uuid(Uuid::from_u128(1)).to_string();
    assert!(found(ctx, &support, &nobody).await.is_empty());
}

#[tokio::test]
async fn the_list_can_be_narrowed_to_a_role() {
    let app = TestApp::start().await;
    let support = app.signed_in("support@example.com", Role::Support).await;
    app.person(ADA, Role::Customer).await;
    app.person("dev@example.com", Role::Developer).await;
    let developers = Filter { role: Some(Role::Developer), ..Filter::default() };
    let people = find(&app.ctx, &support, &developers).await;
    assert_eq!(people.total, 1);
    assert_eq!(people.items[0].user.email, "dev@example.com");
}

#[tokio::test]
async fn the_list_and_the_person_agree_on_the_state() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let support = app.signed_in("support@example.com", Role::Support).await;
    let at = ctx.clock.now();
    for (state, change) in [
        (AccountState::Active, "email_verified_at = $2"),
        (AccountState::Unverified, "email_verified_at = null, updated_at = $2"),
        (AccountState::Leaving, "email_verified_at = null, delete_after = $2"),
        (AccountState::Locked, "delete_after = $2, locked_at = $2, locked_reason = 'x'"),
        (AccountState::Deleted, "deleted_at = $2, locked_at = $2, locked_reason = 'x'"),
    ] {
        let person = app.person(&format!("{}@example.com", state.as_str()), Role::Customer).await.id;
        sqlx::query(sqlx::AssertSqlSafe(format!("update account set {change} where id = $1")))
            .bind(person.uuid())
            .bind(at)
            .execute(&ctx.db)
            .await
            .expect("set");
        let filter = Filter { state: Some(state), role: Some(Role::Customer), ..Filter::default() };
        let people = find(ctx, &support, &filter).await;
        let listed: Vec<_> = people.items.iter().map(|row| (row.user.id, row.state)).collect();
        assert_eq!(listed, [(person, state)]);
        let seen = administration::person(ctx, &support, person).await.expect("seen");
        assert_eq!(seen.state, state);
        assert_eq!(AccountState::parse(state.as_str()), Some(state));
    }
}

#[tokio::test]
async fn the_list_has_pages_newest_first_and_none_past_its_end() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let support = app.signed_in("support@example.com", Role::Support).await;
    sqlx::query(
        "insert into account (id, email, name, role, created_at, updated_at)
         select gen_random_uuid(), 'person' || n || '@example.com', 'Person', 'customer',
                $1::timestamptz + n * interval '1 second', $1
         from generate_series(1, 59) n",
    )
    .bind(ctx.clock.now())
    .execute(&ctx.db)
    .await
    .expect("made");

    let page = async |page| find(ctx, &support, &Filter { page, ..Filter::default() }).await;
    let first = page(1).await;
    assert_eq!((first.total, first.last_page(), first.items.len()), (60, 3, PER_PAGE as usize));
    assert_eq!(first.items[0].user.email, "person59@example.com");
    let last = page(3).await;
    assert_eq!(last.items.len(), 10);
    assert_eq!(last.items[9].user.email, "support@example.com");
    assert!(last.items[9].last_seen.is_some() && first.items[0].last_seen.is_none());
    for (asked, given) in [(0, 1), (4, 3), (LAST_PAGE + 1, 3), (u32::MAX, 3)] {
        assert_eq!(page(asked).await.page, given, "{asked}");
    }
}

#[tokio::test]
async fn everything_about_a_person_is_in_one_place() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let support = app.signed_in("support@example.com", Role::Support).await;
    let ada = app.signed_in(ADA, Role::Customer).await;
    let new = NewPersonalToken {
        name: "build".to_owned(),
        scopes: vec![Scope::AccountRead],
        expires_in_days: None,
    };
    personal_token::create(ctx, &ada, &new).await.expect("made");

    let seen = administration::person(ctx, &support, id_of(&ada)).await.expect("seen");
    assert_eq!((seen.user.email.as_str(), seen.state), (ADA, AccountState::Active));
    assert_eq!(seen.sessions.len(), 1);
    assert_eq!((seen.sessions[0].device.as_str(), seen.sessions[0].current), ("Firefox on Linux", false));
    assert_eq!(seen.tokens.len(), 1);
    assert_eq!((seen.tokens[0].name.as_str(), &seen.tokens[0].scopes), ("build", &vec![Scope::AccountRead]));
    assert!(seen.mails.iter().any(|mail| mail.kind == "token_created" && mail.to_address == ADA));
    assert!(seen.audit.iter().any(|item| item.action == "token.created"));
    assert_eq!((seen.passkeys, seen.recovery_codes_left, seen.two_factor_since), (0, 0, None));
    assert_eq!((seen.locked, seen.delete_after), (None, None));

    let nobody = UserId::from_uuid(Uuid::from_u128(1));
    let missing = administration::person(ctx, &support, nobody).await;
    assert!(matches!(missing, Err(Error::NotFound)), "{missing:?}");
}

#[tokio::test]
async fn the_mails_of_a_person_are_those_about_them_and_those_to_their_address() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let support = app.signed_in("support@example.com", Role::Support).await;
    let ada = app.person(ADA, Role::Customer).await.id;
    let to = |address: &str| Recipient::nameless(address);
    let message = Message::new("A story").paragraph("It was told.");
    let mut tx = ctx.db.begin().await.expect("a transaction");
    for (account, address) in [(ada, "former@example.com"), (id_of(&support), "former@example.com")] {
        let written = mail::send_to_account(&mut tx, ctx, account, &to(address), "test_mail", &message).await;
        written.expect("written");
    }
    for address in ["Ada@Example.com", "former@example.com"] {
        mail::send(&mut tx, ctx, &to(address), "test_mail", &message).await.expect("written");
    }
    tx.commit().await.expect("committed");

    let seen = administration::person(ctx, &support, ada).await.expect("seen");
    let mails = seen.mails.iter().filter(|mail| mail.kind == "test_mail");
    let mut addresses: Vec<_> = mails.map(|mail| mail.to_address.as_str()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["Ada@Example.com", "former@example.com"]);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_role_changes_with_the_next_request_and_is_written_down() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let ada = app.person(ADA, Role::Customer).await;
    let opened = app.sign_in(&ada).await;

    for role in [Role::Support, Role::Support] {
        administration::set_role(ctx, &admin, ada.id, role).await.expect("given");
    }
    let now = app.caller(&opened).await;
    assert_eq!(now.user().map(|user| user.role), Some(Role::Support), "still signed in");
    let detail = json!({ "from": "customer", "to": "support" });
    assert_eq!(audited(ctx, ada.id).await, [("account.role_changed".to_owned(), detail)], "once");
    let told: i64 =
        sqlx::query_scalar("select count(*) from outbox where topic = 'account.changed' and key = $1")
            .bind(ada.id.to_string())
            .fetch_one(&ctx.db)
            .await
            .expect("counted");
    assert_eq!(told, 1);

    let own = administration::set_role(ctx, &admin, id_of(&admin), Role::Customer).await;
    assert!(matches!(own, Err(Error::Conflict(_))), "{own:?}");
    let nobody = UserId::from_uuid(Uuid::from_u128(1));
    let missing = administration::set_role(ctx, &admin, nobody, Role::Support).await;
    assert!(matches!(missing, Err(Error::NotFound)), "{missing:?}");
}

#[tokio::test]
async fn two_administrators_who_demote_each_other_at_once_leave_one() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let one = app.signed_in("one@example.com", Role::Admin).await;
    let two = app.signed_in("two@example.com", Role::Admin).await;
    let (first, second) = tokio::join!(
        administration::set_role(ctx, &one, id_of(&two), Role::Customer),
        administration::set_role(ctx, &two, id_of(&one), Role::Customer),
    );
    assert_eq!([&first, &second].iter().filter(|result| result.is_ok()).count(), 1, "{first:?} {second:?}");
    let refused = first.and(second).expect_err("one of them");
    assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
    let roles = [role_of(ctx, id_of(&one)).await, role_of(ctx, id_of(&two)).await];
    assert_eq!(roles.iter().filter(|role| *role == "admin").count(), 1);
}

#[tokio::test]
async fn an_administrator_who_cannot_act_does_not_count_as_one_who_is_left() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let one = app.signed_in("one@example.com", Role::Admin).await;
    let two = app.signed_in("two@example.com", Role::Admin).await;
    administration::lock(ctx, &one, id_of(&two), "left the company").await.expect("locked");
    // As if the second had begun before the lock.
    for refused in [
        administration::set_role(ctx, &two, id_of(&one), Role::Customer).await,
        administration::lock(ctx, &two, id_of(&one), "revenge").await,
    ] {
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    assert_eq!(role_of(ctx, id_of(&one)).await, "admin");
    let mut conn = ctx.db.acquire().await.expect("a connection");
    let keeps = administration::keeps_an_administrator(&mut conn, id_of(&one)).await.expect("asked");
    assert!(!keeps);
}

#[tokio::test]
async fn a_lock_signs_out_and_keeps_out_until_it_is_opened() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let ada: User = app.person(ADA, Role::Customer).await;
    let (home, work) = (app.sign_in(&ada).await, app.sign_in(&ada).await);

    for reason in ["", "  \n ", &"x".repeat(501)] {
        let refused = administration::lock(ctx, &admin, ada.id, reason).await;
        let Err(Error::Invalid(problems)) = refused else { panic!("{refused:?}") };
        assert_eq!(problems[0].field, "reason");
    }
    let own = administration::lock(ctx, &admin, id_of(&admin), "a reason").await;
    assert!(matches!(own, Err(Error::Conflict(_))), "{own:?}");
    let early = administration::unlock(ctx, &admin, ada.id).await;
    assert!(matches!(early, Err(Error::Conflict(_))), "{early:?}");
    assert!(app.caller(&home).await.user().is_some());

    administration::lock(ctx, &admin, ada.id, " Chargeback ").await.expect("locked");
    for opened in [&home, &work] {
        assert!(app.caller(opened).await.user().is_none());
    }
    let refused = sign_in::with_password(ctx, ADA, PASSWORD, true, &client()).await;
    assert!(matches!(refused, Err(Error::Locked)), "{refused:?}");
    let seen = administration::person(ctx, &admin, ada.id).await.expect("seen");
    assert_eq!(seen.locked.map(|locked| locked.reason).as_deref(), Some("Chargeback"));
    let again = administration::lock(ctx, &admin, ada.id, "another reason").await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");

    app.ctx.clock.advance(Duration::minutes(1));
    administration::unlock(ctx, &admin, ada.id).await.expect("unlocked");
    app.sign_in(&ada).await;
    let log = audited(ctx, ada.id).await;
    assert!(
        log.contains(&("account.locked".to_owned(), json!({ "reason": "Chargeback", "sessions": 2 }))),
        "{log:?}"
    );
    assert!(log.contains(&("account.unlocked".to_owned(), json!({}))), "{log:?}");
}

#[tokio::test]
async fn signed_out_everywhere_is_every_session_and_no_token() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let ada = app.person(ADA, Role::Customer).await;
    let opened = app.sign_in(&ada).await;
    let caller = app.caller(&opened).await;
    let new = NewPersonalToken {
        name: "build".to_owned(),
        scopes: vec![Scope::AccountRead],
        expires_in_days: None,
    };
    let token = personal_token::create(ctx, &caller, &new).await.expect("made").token;

    assert_eq!(administration::sign_out_everywhere(ctx, &admin, ada.id).await.expect("ended"), 1);
    assert!(app.caller(&opened).await.user().is_none());
    assert!(personal_token::find(ctx, &token, "192.0.2.1").await.expect("asked").is_some());
    let log = audited(ctx, ada.id).await;
    assert!(log.contains(&("account.signed_out_everywhere".to_owned(), json!({ "sessions": 1 }))), "{log:?}");
    app.sign_in(&ada).await;
}

#[tokio::test]
async fn who_is_no_administrator_any_more_looks_as_nobody_else() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.person(ADA, Role::Customer).await;
    let one = app.signed_in("one@example.com", Role::Admin).await;
    let two = app.person("two@example.com", Role::Admin).await;
    let opened = app.sign_in(&two).await;
    session::view_as(ctx, &app.caller(&opened).await, ada.id).await.expect("looking");
    assert_eq!(id_of(&app.caller(&opened).await), ada.id);

    administration::set_role(ctx, &one, two.id, Role::Support).await.expect("given");
    let now = app.caller(&opened).await;
    assert_eq!(now.user().map(|user| (user.id, user.role)), Some((two.id, Role::Support)));
    assert_eq!(now.identity().and_then(|identity| identity.impersonator()), None);
}
