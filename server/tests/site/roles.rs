//! Who is answered how: every route, asked by nobody and by each role, against the committed table.
//!
//! The table is `server/tests/role_matrix.txt`. With `UPDATE_MATRIX=1` in the environment it is written anew; the
//! difference is then to be read line by line.

use std::{collections::BTreeMap, fs, path::PathBuf};

use app::pages::{DEV_ROUTES, ROUTES};
use devforge::{
    account::personal_token,
    contract::account::{NewPersonalToken, Role, Scope, User},
    jobs, mail, session,
};
use reqwest::RequestBuilder;
use server::http::OPERATION_ROUTES;

use crate::support::{FORM, TestSite, address_of, send};

const HEAD: &str = "\
# The status of each route for nobody, for each role, for an administrator who looks through a customer's eyes, and for
# a personal token of an administrator with every scope there is. Each call has a fresh sign-in. `{id}` is a mail that
# is there, or something that nobody has; `{token}` is nothing; forms and bodies are empty.
# The test `roles` compares; UPDATE_MATRIX=1 makes it write this file.
";
const COLUMNS: [&str; 7] = ["anonymous", "customer", "developer", "support", "admin", "viewing", "token"];

type Matrix = BTreeMap<(String, String), Vec<u16>>;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/role_matrix.txt")
}

/// Every route there is, in the order in which they are listed.
fn routes() -> Vec<(String, String)> {
    let owned = |routes: &[(&str, &str)]| -> Vec<(String, String)> {
        routes.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect()
    };
    let api = devforge::api::operations().into_iter().map(|(method, path)| (method, format!("/api{path}")));
    [owned(ROUTES), owned(DEV_ROUTES), api.collect(), owned(OPERATION_ROUTES)].concat()
}

/// Who calls. All of them sign in anew for every call: some routes end the session that asks.
enum Caller {
    Nobody,
    User(User),
    /// An administrator who looks through somebody's eyes.
    Viewing {
        admin: User,
        person: User,
    },
    Token(String),
}

impl Caller {
    async fn all(site: &TestSite) -> Vec<Self> {
        let mut callers = vec![Self::Nobody];
        for role in Role::ALL {
            callers.push(Self::User(site.person(role).await));
        }
        let (Some(Self::User(person)), Some(Self::User(admin))) = (callers.get(1), callers.last()) else {
            panic!("customers come first and administrators last");
        };
        let viewing = Self::Viewing { admin: admin.clone(), person: person.clone() };
        let (_, owner) = site.session_of(admin).await;
        let new = NewPersonalToken {
            name: "Every scope".to_owned(),
            scopes: Scope::ALL.to_vec(),
            expires_in_days: None,
        };
        let token = personal_token::create(&site.ctx, &owner, &new).await.expect("a token").token;
        callers.push(viewing);
        callers.push(Self::Token(token));
        callers
    }

    fn column(&self) -> &'static str {
        match self {
            Self::Nobody => "anonymous",
            Self::User(user) => user.role.as_str(),
            Self::Viewing { .. } => "viewing",
            Self::Token(_) => "token",
        }
    }

    async fn sign(&self, site: &TestSite, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Nobody => request,
            Self::User(user) => request.header("cookie", site.session_of(user).await.0),
            Self::Viewing { admin, person } => {
                let (cookie, caller) = site.session_of(admin).await;
                session::view_as(&site.ctx, &caller, person.id).await.expect("viewing");
                request.header("cookie", cookie)
            }
            Self::Token(token) => request.bearer_auth(token),
        }
    }
}

/// A mail that is there, for the pages that show one.
async fn some_mail(site: &TestSite) -> String {
    let ctx = &site.ctx;
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let to = mail::Recipient::nameless("ada@example.com");
    let message = mail::Message::new("Hello").paragraph("The forge is hot.");
    let mail = mail::send(&mut tx, ctx, &to, "test_mail", &message).await.expect("written");
    tx.commit().await.expect("committed");
    Box::pin(jobs::run_all_queued(ctx)).await.expect("sent");
    mail.to_string()
}

async fn status(site: &TestSite, mail: &str, method: &str, route: &str, caller: &Caller) -> u16 {
    let path = match route {
        // Its one parameter is required.
        "/api/search" => format!("{route}?q=privacy"),
        route if route.starts_with("/dev/mail/") => route.replace("{id}", mail),
        route => address_of(route),
    };
    let mut request = caller.sign(site, site.request(method, &path)).await;
    if method != "GET" {
        let (kind, body) = match route {
            "/theme" => (FORM, "theme=dark"),
            route if route.starts_with("/api/") => ("application/json", "{}"),
            _ => (FORM, ""),
        };
        request = request.header("content-type", kind).header("sec-fetch-site", "same-origin").body(body);
    }
    send(request).await.status.as_u16()
}

fn parse(text: &str) -> Matrix {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let route = words.next().zip(words.next()).unwrap_or_else(|| panic!("no route: {line}"));
            let statuses: Vec<u16> =
                words.map(|word| word.parse().unwrap_or_else(|_| panic!("no status: {line}"))).collect();
            assert_eq!(statuses.len(), COLUMNS.len(), "{line}");
            (route, statuses)
        })
        .collect()
}

fn write(routes: &[(String, String)], matrix: &Matrix) -> String {
    let width = routes.iter().map(|(_, path)| path.len()).max().unwrap_or_default();
    let mut text = HEAD.to_owned();
    let mut line = |method: &str, path: &str, cells: Vec<String>| {
        let cells: Vec<String> = cells.into_iter().map(|cell| format!("{cell:<9}")).collect();
        text.push_str(format!("{method:<6} {path:<width$} {}", cells.join(" ")).trim_end());
        text.push('\n');
    };
    line("#", "", COLUMNS.map(str::to_owned).to_vec());
    for route in routes {
        line(&route.0, &route.1, matrix[route].iter().map(u16::to_string).collect());
    }
    text
}

#[tokio::test]
async fn every_route_answers_each_role_as_the_committed_table_says() {
    let site = TestSite::start().await;
    let mail = some_mail(&site).await;
    let callers = Caller::all(&site).await;
    assert_eq!(callers.iter().map(Caller::column).collect::<Vec<_>>(), COLUMNS);

    let routes = routes();
    let mut found = Matrix::new();
    for (method, route) in &routes {
        let mut row = Vec::new();
        for caller in &callers {
            row.push(Box::pin(status(&site, &mail, method, route, caller)).await);
        }
        found.insert((method.clone(), route.clone()), row);
    }
    // Archives and checks that were asked for are made.
    Box::pin(jobs::run_all_queued(&site.ctx)).await.expect("the queue can be worked on");
    if std::env::var_os("UPDATE_MATRIX").is_some() {
        fs::write(file(), write(&routes, &found)).expect("the table can be written");
    }
    let committed = parse(&fs::read_to_string(file()).expect("server/tests/role_matrix.txt is there"));
    let mut wrong = Vec::new();
    for (route, row) in &found {
        match committed.get(route) {
            None => wrong.push(format!("{} {} is not in the table; it answers {row:?}", route.0, route.1)),
            Some(told) if told != row => {
                wrong.push(format!("{} {} answers {row:?}, the table says {told:?}", route.0, route.1));
            }
            Some(_) => {}
        }
    }
    wrong.extend(
        committed
            .keys()
            .filter(|route| !found.contains_key(*route))
            .map(|(method, path)| format!("{method} {path} is in the table and nowhere else")),
    );
    assert!(wrong.is_empty(), "for {COLUMNS:?}:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_listed_route_is_served_with_the_method_it_is_listed_with() {
    let site = TestSite::start().await;
    for (method, route) in routes() {
        // No route takes this method: one that is there says which it does take.
        let request = site.request("TRACE", &address_of(&route));
        let refused = send(request.header("sec-fetch-site", "same-origin")).await;
        assert_eq!(refused.status.as_u16(), 405, "{method} {route}");
        let allowed: Vec<&str> = refused.header("allow").split(',').map(str::trim).collect();
        assert!(allowed.contains(&method.as_str()), "{method} {route} is among {allowed:?}");
    }
}
