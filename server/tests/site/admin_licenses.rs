//! The pages on which staff find licenses, give them and change how they stand, with forms as a browser without
//! JavaScript sends them.

use axum::http::{StatusCode, header};
use devforge::{
    account::{self, Caller},
    contract::{
        account::{Role, User},
        id::{LicenseId, RequestId},
        license::ActivateRequest,
        license_key::LicenseKey,
    },
    license::{License, machine, staff},
};
use time::Duration;
use uuid::Uuid;

use crate::{
    checkout::{encode, has_error, hidden},
    support::{Answer, TestSite, send},
};

const LIST: &str = "/admin/licenses";
const NEW: &str = "/admin/licenses/new";
const FIND: &str = "/admin/licenses/find";
const FILE: &str = "/admin/licenses/keys.csv";
const VERSIONS: &str = "/admin/licenses/versions";
/// What an administrator types to give a customer one license.
const GIVEN: [(&str, &str); 5] = [
    ("email", "customer@example.com"),
    ("tier", "pro"),
    ("seats", "1"),
    ("count", "1"),
    ("reason", "A speaker <b>of ours</b>"),
];

/// Somebody who is signed in.
struct Person {
    user: User,
    cookie: String,
    caller: Caller,
}

/// A site with a customer, somebody of the support and an administrator.
struct Office {
    site: TestSite,
    customer: Person,
    support: Person,
    admin: Person,
}

impl Office {
    async fn open() -> Self {
        Self::at(TestSite::start_with_fixed_clock().await).await
    }

    async fn at(site: TestSite) -> Self {
        let customer = person(&site, Role::Customer).await;
        let support = person(&site, Role::Support).await;
        let admin = person(&site, Role::Admin).await;
        Self { site, customer, support, admin }
    }

    async fn get(&self, who: &Person, path: &str) -> Answer {
        send(self.site.visit(path).header(header::COOKIE, &who.cookie)).await
    }

    async fn post(&self, who: &Person, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        send(self.site.post(path, &fields.join("&")).header(header::COOKIE, &who.cookie)).await
    }

    /// A license of the customer, and its key as the page told it.
    async fn give(&self) -> (License, String) {
        let answer = self.post(&self.admin, NEW, &GIVEN).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let key = hidden(&answer, "keys").to_owned();
        (self.licenses().await.remove(0), key)
    }

    /// The customer's licenses, newest first.
    async fn licenses(&self) -> Vec<License> {
        staff::of_account(&self.site.ctx, &self.admin.caller, self.customer.user.id).await.expect("listed")
    }
}

async fn person(site: &TestSite, role: Role) -> Person {
    let user = site.person(role).await;
    let (cookie, caller) = site.session_of(&user).await;
    Person { user, cookie, caller }
}

fn path_of(license: &License) -> String {
    format!("{LIST}/{}", license.id)
}

/// The form with some fields typed otherwise, or added.
fn form<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = GIVEN.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes).copied().collect()
}

#[tokio::test]
async fn staff_sees_licenses_and_nobody_else_does() {
    let office = Office::open().await;
    let (license, _) = office.give().await;
    let detail = path_of(&license);
    let stranger = person(&office.site, Role::Developer).await;
    for path in [LIST, VERSIONS, &detail] {
        for who in [&office.support, &office.admin] {
            assert_eq!(office.get(who, path).await.status, StatusCode::OK, "{path}");
        }
        // Whose license it is sees it in their account, not here.
        for who in [&stranger, &office.customer] {
            assert_eq!(office.get(who, path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        let nobody = send(office.site.visit(path)).await;
        assert_eq!(nobody.status, StatusCode::SEE_OTHER, "{path}");
        assert!(nobody.header("location").starts_with("/sign-in?"), "{path}");
    }
    let nothing = LicenseId::from_uuid(Uuid::from_u128(1));
    assert_eq!(office.get(&office.support, &format!("{LIST}/{nothing}")).await.status, StatusCode::NOT_FOUND);

    assert_eq!(office.get(&office.admin, NEW).await.status, StatusCode::OK);
    assert_eq!(office.get(&office.support, NEW).await.status, StatusCode::FORBIDDEN);
    assert_eq!(office.post(&office.support, NEW, &GIVEN).await.status, StatusCode::FORBIDDEN);
    assert_eq!(office.licenses().await.len(), 1, "support gives nothing");
    assert!(!office.get(&office.support, LIST).await.text().contains(NEW), "nor is it offered to");
}

#[tokio::test]
async fn the_list_is_narrowed_by_what_stands_in_its_address() {
    let office = Office::open().await;
    let (license, _) = office.give().await;
    let link = format!("href=\"{}\"", path_of(&license));
    let id = license.id.to_string();
    for (query, found) in [
        (String::new(), true),
        ("?q=customer%40EXAMPLE".to_owned(), true),
        (format!("?q={id}"), true),
        (format!("?q={}", license.key_end.to_lowercase()), true),
        (format!("?q={}", encode(&license.masked_key())), true),
        ("?status=active&origin=staff".to_owned(), true),
        ("?status=revoked".to_owned(), false),
        ("?origin=trial".to_owned(), false),
        ("?q=nobody%40".to_owned(), false),
        ("?q=%25".to_owned(), false),
        ("?q=a%00b".to_owned(), false),
        (format!("?before={id}"), false),
        ("?before=x&status=x&origin=x".to_owned(), true),
    ] {
        let page = office.get(&office.support, &format!("{LIST}{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(page.text().contains(&link), found, "{query}");
        assert_eq!(page.text().contains("No license matches"), !found, "{query}");
    }
}

#[tokio::test]
async fn an_administrator_gives_licenses_and_sees_their_keys_once() {
    let office = Office::open().await;
    let fields = form(&[("count", "3"), ("seats", "5"), ("expiresAt", "2027-12-31"), ("fallback", "yes")]);
    let answer = office.post(&office.admin, NEW, &fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_eq!(answer.header("location"), "");
    let keys: Vec<String> = hidden(&answer, "keys").split(' ').map(str::to_owned).collect();
    assert_eq!(keys.len(), 3);
    let licenses = office.licenses().await;
    assert_eq!(licenses.len(), 3);
    for license in &licenses {
        assert_eq!((license.seats, license.machine_limit(), license.fallback), (5, 15, true));
        assert!(keys.iter().any(|key| key.ends_with(&license.key_end)));
        let page = office.get(&office.admin, &path_of(license)).await;
        assert!(
            page.text().contains("A speaker &lt;b>of ours")
                || page.text().contains("A speaker &lt;b&gt;of ours")
        );
        for key in &keys {
            assert!(!page.text().contains(key), "it is shown once");
        }
    }

    let file = office.post(&office.admin, FILE, &[("keys", &keys.join(" "))]).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("cache-control"), "private, no-store");
    assert!(file.header("content-disposition").starts_with("attachment"));
    let lines: Vec<&str> = file.text().lines().collect();
    assert_eq!(lines.len(), 4);
    for (key, line) in keys.iter().zip(&lines[1..]) {
        assert!(line.starts_with(key.as_str()) && line.contains(",pro,5,2028-01-01T00:00:00Z"), "{line}");
    }
    let nobodys = LicenseKey::from_random([9; 24]).expose();
    for unknown in ["", "hunter2", &nobodys] {
        let refused = office.post(&office.admin, FILE, &[("keys", unknown)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(unknown.is_empty() || !refused.text().contains(unknown), "it is not said back");
    }
    let customer = office.post(&office.customer, FILE, &[("keys", &keys[0])]).await;
    assert_eq!(customer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_mistake_in_the_form_keeps_what_was_typed_and_gives_nothing() {
    let office = Office::open().await;
    for (field, value) in [
        ("email", "ada"),
        ("email", "nobody@example.com"),
        ("tier", "free"),
        ("tier", "gold"),
        ("seats", "0"),
        ("seats", "many"),
        ("count", "1001"),
        ("expiresAt", "soon"),
        ("expiresAt", "2026-11-19"),
        ("overage", "101"),
        ("reason", " "),
    ] {
        let answer = office.post(&office.admin, NEW, &form(&[(field, value)])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}={value}");
        assert!(has_error(&answer, field), "{field}={value}");
        assert!(answer.text().contains(&format!("href=\"#{field}\"")), "{field}={value}");
        assert!(!answer.text().contains("<b>"), "what is typed is not believed");
        if field != "email" {
            assert!(answer.text().contains("value=\"customer@example.com\""), "{field}={value}");
        }
        if field != "reason" {
            assert!(answer.text().contains("A speaker"), "{field}={value}");
        }
    }
    assert!(office.licenses().await.is_empty());
}

#[tokio::test]
async fn a_key_finds_its_license_and_is_in_no_address_and_on_no_page() {
    let office = Office::open().await;
    let (license, key) = office.give().await;
    let typed = key.to_lowercase();
    let found = office.post(&office.support, FIND, &[("key", &typed)]).await;
    assert_eq!((found.status, found.header("location")), (StatusCode::SEE_OTHER, path_of(&license).as_str()));

    let rotated = office.post(&office.support, &format!("{}/rotate", path_of(&license)), &[]).await;
    assert_eq!(rotated.status, StatusCode::SEE_OTHER, "{}", rotated.text());
    let replaced = office.post(&office.support, FIND, &[("key", &typed)]).await;
    let there = format!("{}?done=replaced", path_of(&license));
    assert_eq!((replaced.status, replaced.header("location")), (StatusCode::SEE_OTHER, there.as_str()));
    let page = office.get(&office.support, &there).await;
    assert!(page.text().contains("The key you typed was replaced"));
    assert!(!page.text().contains(&key) && !page.text().contains(&typed));

    let nobodys = LicenseKey::from_random([9; 24]).expose();
    for wrong in [nobodys.as_str(), &nobodys[..nobodys.len() - 1], &nobodys.replace("DF-", "XY-")] {
        let refused = office.post(&office.support, FIND, &[("key", wrong)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(has_error(&refused, "key"));
        assert!(!refused.text().contains(wrong), "it is not said back");
    }
    // Typed into the search all the same.
    for query in [typed.clone(), key.replace('-', " "), key[..key.len() - 1].to_owned()] {
        let page = office.get(&office.support, &format!("{LIST}?q={}", encode(&query))).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(has_error(&page, "key"));
        assert!(!page.text().contains(&query) && !page.text().contains(&encode(&query)), "{query}");
    }
    let customer = office.post(&office.customer, FIND, &[("key", &typed)]).await;
    assert_eq!(customer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn whoever_takes_something_away_says_why_and_the_history_keeps_it() {
    let office = Office::open().await;
    let (license, _) = office.give().await;
    let path = path_of(&license);
    let (admin, support) = (&office.admin, &office.support);
    for (who, verb, status, badge) in [
        (support, "suspend", "Held back", "Suspended"),
        (support, "reinstate", "Reinstated", "Active"),
        (admin, "revoke", "Taken away", "Revoked"),
    ] {
        let form = format!("{path}/{verb}");
        let silent = office.post(who, &form, &[("reason", " \n ")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "{verb}");
        assert!(has_error(&silent, "reason"), "{verb}");
        let too_long = office.post(who, &form, &[("reason", &"é".repeat(501))]).await;
        assert_eq!(too_long.status, StatusCode::UNPROCESSABLE_ENTITY, "{verb}");

        office.site.ctx.clock.advance(Duration::SECOND);
        let reason = format!("Because of {verb} & <b>more</b>");
        let done = office.post(who, &form, &[("reason", &reason)]).await;
        let there = format!("{path}?done={verb}");
        assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, there.as_str()), "{verb}");
        let page = office.get(support, &there).await;
        for words in [status, badge, &format!("Because of {verb} &amp; ")] {
            assert!(page.text().contains(words), "{verb}: {words}");
        }
        assert!(!page.text().contains("<b>more"), "what is typed is not believed");
        let name = format!("href=\"/admin/users/{}\"", who.user.id);
        assert!(page.text().contains(&name), "{verb} says by whom");
    }
    for verb in ["revoke", "renew"] {
        let refused =
            office.post(support, &format!("{path}/{verb}"), &[("reason", "x"), ("months", "1")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{verb}");
    }
    for verb in ["suspend", "reinstate", "renew", "rotate", "transfer", "revoke"] {
        let refused = office.post(&office.customer, &format!("{path}/{verb}"), &[("reason", "x")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{verb}");
    }
}

#[tokio::test]
async fn a_license_is_prolonged_and_given_away() {
    let office = Office::open().await;
    let fields = form(&[("expiresAt", "2026-12-31")]);
    assert_eq!(office.post(&office.admin, NEW, &fields).await.status, StatusCode::OK);
    let license = office.licenses().await.remove(0);
    let path = path_of(&license);
    for (name, value, field) in
        [("months", "", "months"), ("months", "0", "months"), ("expiresAt", "2026-12-01", "expiresAt")]
    {
        let refused = office.post(&office.admin, &format!("{path}/renew"), &[(name, value)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}={value}");
        assert!(has_error(&refused, field), "{name}={value}");
    }
    let page = office.get(&office.admin, &path).await;
    let fields = [("months", "12"), ("from", hidden(&page, "from"))];
    assert!(fields[1].1.starts_with("2027-01-01T"), "{}", fields[1].1);
    let renewed = office.post(&office.admin, &format!("{path}/renew"), &fields).await;
    assert_eq!(renewed.header("location"), format!("{path}?done=renew"), "{}", renewed.text());
    // Pressed twice, or filled in by somebody else meanwhile.
    let again = office.post(&office.admin, &format!("{path}/renew"), &fields).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
    assert!(hidden(&again, "from").starts_with("2028-01-01T"), "the page shows the end as it is now");
    let nonsense = [("months", "12"), ("from", "soon")];
    let refused = office.post(&office.admin, &format!("{path}/renew"), &nonsense).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = office.get(&office.support, &path).await;
    assert!(page.text().contains("31 December 2027") && page.text().contains("Prolonged"), "{}", page.text());

    let wrong = office.post(&office.support, &format!("{path}/transfer"), &[("email", "<b>grace")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(has_error(&wrong, "email") && !wrong.text().contains("<b>"));
    let moved =
        office.post(&office.support, &format!("{path}/transfer"), &[("email", "grace@example.com")]).await;
    assert_eq!(moved.header("location"), format!("{path}?done=transfer"), "{}", moved.text());
    let page = office.get(&office.support, &path).await;
    assert!(page.text().contains("grace@example.com"));
    assert!(page.text().contains("nobody has proven this address yet"));
    assert!(office.licenses().await.is_empty());
}

#[tokio::test]
async fn a_license_of_a_closed_account_says_so() {
    let office = Office::open().await;
    let (license, _) = office.give().await;
    sqlx::query("update license set account_id = null, email = ''")
        .execute(&office.site.ctx.db)
        .await
        .expect("as closing the account leaves it");
    let page = office.get(&office.support, &path_of(&license)).await;
    for words in ["License of a closed account", "the account it was in is closed"] {
        assert!(page.text().contains(words), "{words}");
    }
    assert!(!page.text().contains("nobody has proven this address yet"));
    let list = office.get(&office.support, LIST).await;
    assert!(list.text().contains(&format!("href=\"{}\">a closed account<", path_of(&license))));
}

#[tokio::test]
async fn staff_takes_a_machine_off() {
    let office = Office::open().await;
    let (license, key) = office.give().await;
    let client = account::Client {
        address: "192.0.2.10".to_owned(),
        network: "192.0.2.10".to_owned(),
        country: None,
        device: "The editor".to_owned(),
        known_device: None,
        request: RequestId::from_uuid(Uuid::nil()),
    };
    let request = ActivateRequest {
        license_key: key,
        email: license.email.clone(),
        fingerprint: Some("f".repeat(64)),
        machine_name: Some("Ada's <b>laptop</b>".to_owned()),
        platform: Some("linux-x64".to_owned()),
        product: None,
        version: None,
        nonce: None,
    };
    let activated = Box::pin(machine::activate(&office.site.ctx, &client, &request)).await.expect("answered");
    let machine = activated.machine.expect("it is active there");
    let path = path_of(&license);
    let page = office.get(&office.support, &path).await;
    assert!(page.text().contains("linux-x64") && page.text().contains("1 of 3"));
    assert!(!page.text().contains("<b>laptop"), "a machine's name is not believed");

    let remove = format!("{path}/machines/{}/remove", machine.id);
    assert_eq!(office.post(&office.customer, &remove, &[]).await.status, StatusCode::FORBIDDEN);
    let done = office.post(&office.support, &remove, &[]).await;
    assert_eq!(done.header("location"), format!("{path}?done=machine"));
    assert!(office.get(&office.support, &path).await.text().contains("It is not active on any machine"));
    assert_eq!(office.post(&office.support, &remove, &[]).await.status, StatusCode::NOT_FOUND, "it is gone");
}

#[tokio::test]
async fn what_changes_a_license_asks_again_who_is_there() {
    let office = Office::open().await;
    let (license, _) = office.give().await;
    let path = path_of(&license);
    assert!(!office.get(&office.admin, &path).await.text().contains("/account/confirm?next="));
    office.site.ctx.clock.advance(Duration::minutes(15));
    // Looking goes on, and says what changing asks for.
    for page in [path.as_str(), NEW, VERSIONS] {
        let answer = office.get(&office.admin, page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        assert!(answer.text().contains(&format!("/account/confirm?next={page}")), "{page}");
    }
    let machine = format!("{path}/machines/mch_01h2xcejqtf2nbrexx3vqjhp41/remove");
    let verbs = ["suspend", "reinstate", "renew", "rotate", "transfer", "revoke"];
    let forms = verbs.map(|verb| format!("{path}/{verb}"));
    for form in forms.iter().map(String::as_str).chain([machine.as_str(), NEW, VERSIONS]) {
        let stopped = office
            .site
            .post(form, "reason=x&months=1&email=grace%40example.com")
            .header(header::COOKIE, &office.admin.cookie)
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, format!("{}{path}", office.site.url));
        let stopped = send(stopped).await;
        assert_eq!(stopped.status, StatusCode::SEE_OTHER, "{form}");
        let way = format!("/account/confirm?next={}", path.replace('/', "%2F"));
        assert_eq!(stopped.header("location"), way, "{form}");
    }
    let licenses = office.licenses().await;
    assert_eq!(licenses, [license], "nothing was changed");
}

#[tokio::test]
async fn versions_of_the_editor_are_listed_and_added() {
    let office = Office::open().await;
    assert!(office.get(&office.support, VERSIONS).await.text().contains("No versions yet"));
    for (version, day, field) in [("new", "2026-11-01", "version"), ("2.4.1", "yesterday", "releasedAt")] {
        let fields = [("version", version), ("releasedAt", day)];
        let refused = office.post(&office.admin, VERSIONS, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(
            has_error(&refused, field) && refused.text().contains(&format!("value=\"{version}\"")),
            "{field}"
        );
    }
    let fields = [("version", "2.4.1"), ("releasedAt", "2026-11-01")];
    assert_eq!(office.post(&office.support, VERSIONS, &fields).await.status, StatusCode::FORBIDDEN);
    let added = office.post(&office.admin, VERSIONS, &fields).await;
    let there = format!("{VERSIONS}?done=announced");
    assert_eq!((added.status, added.header("location")), (StatusCode::SEE_OTHER, there.as_str()));
    let page = office.get(&office.support, VERSIONS).await;
    assert!(page.text().contains("2.4.1") && page.text().contains("1 November 2026"));
    assert!(!page.text().contains("Add version"), "support only looks");
}

#[tokio::test]
async fn the_page_of_a_person_lists_their_licenses() {
    let office = Office::open().await;
    let path = format!("/admin/users/{}", office.customer.user.id);
    assert!(!office.get(&office.support, &path).await.text().contains("/admin/licenses/lic_"));
    let (license, _) = office.give().await;
    let page = office.get(&office.support, &path).await;
    assert!(page.text().contains(&format!("href=\"{}\"", path_of(&license))));
    assert!(page.text().contains(&license.masked_key()));
}
