//! Who is answered how: every route, asked by nobody and by each role, against the committed table.
//!
//! The table is `server/tests/role_matrix.txt`. With `UPDATE_MATRIX=1` in the environment it is written anew; the
//! difference is then to be read line by line.

use std::{collections::BTreeMap, fs, path::PathBuf};

use app::pages::{DEV_ROUTES, ROUTES};
use devforge::{
    contract::account::{Role, User},
    jobs, mail,
};
use server::http::OPERATION_ROUTES;

use crate::support::{FORM, TestSite, send};

const HEAD: &str = "\
# The status of each route for nobody and for each role. `{id}` is a session that nobody has, or a mail that is there.
# The test `roles` compares; UPDATE_MATRIX=1 makes it write this file.
";
const COLUMNS: [&str; 5] = ["anonymous", "customer", "developer", "support", "admin"];

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

/// What is put in the place of braces, and what goes into the body.
struct Values {
    mail: String,
    session: String,
}

impl Values {
    async fn make(site: &TestSite) -> Self {
        let ctx = &site.ctx;
        let mut tx = ctx.db.begin().await.expect("a transaction");
        let to = mail::Recipient::nameless("ada@example.com");
        let message = mail::Message::new("Hello").paragraph("The forge is hot.");
        let mail = mail::send(&mut tx, ctx, &to, "test_mail", &message).await.expect("written");
        tx.commit().await.expect("committed");
        Box::pin(jobs::run_all_queued(ctx)).await.expect("sent");
        let nobodys = devforge::contract::id::SessionId::from_uuid(ctx.random.uuid_v7(ctx.clock.now()));
        Self { mail: mail.to_string(), session: nobodys.to_string() }
    }

    fn path(&self, route: &str) -> String {
        let id = if route.starts_with("/dev/mail/") { &self.mail } else { &self.session };
        let path = route.replace("{id}", id).replace("{slug}", "privacy");
        assert!(!path.contains('{'), "{route} has a part that this test has no value for");
        // Its one parameter is required.
        if route == "/api/search" { format!("{path}?q=privacy") } else { path }
    }

    fn body(route: &str) -> &'static str {
        if route == "/theme" { "theme=dark" } else { "" }
    }
}

async fn status(
    site: &TestSite,
    values: &Values,
    method: &str,
    route: &str,
    user: Option<&User>,
    cookie: &str,
) -> u16 {
    // Signing out ends the session, which the other routes still need.
    let own = match user {
        Some(user) if route == "/sign-out" => site.sign_in(user).await,
        _ => cookie.to_owned(),
    };
    let mut request = site.request(method, &values.path(route)).header("cookie", own);
    if method != "GET" {
        request = request
            .header("sec-fetch-site", "same-origin")
            .header("content-type", FORM)
            .body(Values::body(route));
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
    let values = Values::make(&site).await;
    let mut callers = vec![(None, String::new())];
    for role in Role::ALL {
        let user = site.person(role).await;
        let cookie = site.sign_in(&user).await;
        callers.push((Some(user), cookie));
    }
    let columns =
        callers.iter().map(|(user, _)| user.as_ref().map_or("anonymous", |user| user.role.as_str()));
    assert_eq!(columns.collect::<Vec<_>>(), COLUMNS);

    let routes = routes();
    let mut found = Matrix::new();
    for (method, route) in &routes {
        let mut row = Vec::new();
        for (user, cookie) in &callers {
            row.push(status(&site, &values, method, route, user.as_ref(), cookie).await);
        }
        found.insert((method.clone(), route.clone()), row);
    }
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
