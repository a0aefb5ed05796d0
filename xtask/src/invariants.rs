//! Rules of the architecture that a compiler does not check. Each violation is one line with file and line number.
//!
//! The words looked for are written in two pieces where this file would otherwise find itself.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::process::root;

const LONGEST_FILE: usize = 600;
const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
/// Made by the build, so not in `public/`.
const MADE: [&str; 5] = ["site.css", "staff.css", "app.js", "app.wasm", "islands.js"];
const SQL: [&str; 10] = [
    "sqlx::query",
    "sqlx::raw_sql",
    "query!(",
    "query_as!(",
    "query_scalar!(",
    "query_as(",
    "query_as::<",
    "query_scalar(",
    "query_scalar::<",
    "QueryBuilder::new(",
];
const EVENTS: [&str; 22] = [
    "onabort",
    "onanimation",
    "onbefore",
    "onblur",
    "oncancel",
    "onchange",
    "onclick",
    "onclose",
    "oncontextmenu",
    "oncopy",
    "ondblclick",
    "ondrag",
    "ondrop",
    "onerror",
    "onfocus",
    "oninput",
    "oninvalid",
    "onkey",
    "onload",
    "onmouse",
    "onpointer",
    "onsubmit",
];

struct Source {
    path: String,
    text: String,
}

pub fn check() -> Result<()> {
    let directories = [
        "src",
        "app",
        "server",
        "private-postgres",
        "xtask",
        "style",
        "public",
        "migrations",
        "end2end",
        "sdk",
    ];
    let mut sources = Vec::new();
    for directory in directories {
        collect(&root().join(directory), &mut sources)?;
    }
    let icons = icons();
    let mut found = Vec::new();
    for source in &sources {
        for (index, line) in source.text.lines().enumerate() {
            let mut problems = Vec::new();
            look(&source.path, line, &icons, &mut problems);
            found.extend(
                problems.into_iter().map(|problem| format!("{}:{}: {problem}", source.path, index + 1)),
            );
        }
        let length = source.text.lines().count();
        if length > LONGEST_FILE && !source.path.ends_with(".json") {
            eprintln!("warning: {}: {length} lines; split it where it says two things", source.path);
        }
    }
    locks(&mut found)?;
    for problem in &found {
        eprintln!("{problem}");
    }
    if !found.is_empty() {
        bail!("{} violations of the invariants in ARCHITECTURE.md: correct the lines above", found.len());
    }
    Ok(())
}

fn look(path: &str, line: &str, icons: &BTreeSet<String>, problems: &mut Vec<String>) {
    for word in
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")]
    {
        if has_word(line, word) {
            problems.push(format!("`{word}` has no place in finished work"));
        }
    }
    let domain = ["src/", "app/", "server/"].iter().any(|directory| path.starts_with(directory));
    let code = line.trim_start();
    if path.ends_with(".rs") && domain && !code.starts_with("//") {
        if let Some(sql) = SQL.iter().find(|sql| code.contains(*sql)).filter(|_| !may_hold_sql(path)) {
            problems.push(format!("SQL (`{sql}`) belongs in a store.rs"));
        }
        let gate = code.contains("cfg") && code.contains("feature =");
        if gate && path != "src/lib.rs" && path != "app/src/lib.rs" {
            problems.push("features are looked at in src/lib.rs and app/src/lib.rs alone".to_owned());
        }
        for name in
            quoted_after(code, "assets::url(\"").chain(asset_names(code).filter(|name| has_extension(name)))
        {
            if !asset_exists(name) {
                problems.push(format!("there is no asset public/{name}"));
            }
        }
    }
    if path.starts_with("app/src/") && !code.starts_with("//") {
        if has_inline_style(line) {
            problems.push("inline styles are refused by the content security policy: use a class".to_owned());
        }
        if let Some(event) = EVENTS.iter().find(|event| is_handler(line, event)) {
            problems.push(format!(
                "inline handlers (`{event}`) are refused by the content security policy: use `on:`"
            ));
        }
        for name in quoted_after(code, "<Icon name=\"") {
            if !icons.is_empty() && !icons.contains(name) {
                problems.push(format!("there is no icon `{name}` in public/icons.svg"));
            }
        }
    }
    if path.starts_with("style/") || path.starts_with("public/") {
        for name in asset_names(line) {
            if !asset_exists(name) {
                problems.push(format!("there is no asset public/{name}"));
            }
        }
    }
}

/// Every statement lives in a store. The pool, the session store and tests speak SQL by their nature.
fn may_hold_sql(path: &str) -> bool {
    path.ends_with("/store.rs")
        || path == "src/db.rs"
        || ["/store/", "src/session/", "/tests/"].iter().any(|place| path.contains(place))
}

/// `line` holds `word` with no letter or digit around it.
fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let after = &line[at + word.len()..];
        !letter(line[..at].chars().next_back()) && (word.ends_with('(') || !letter(after.chars().next()))
    })
}

/// `style="…"`, `style={…}`, and Leptos' `style:color=…`, which becomes the same attribute.
fn has_inline_style(line: &str) -> bool {
    let directive =
        line.split(" style:").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
    directive || line.contains(" style=\"") || line.contains(" style={")
}

/// An attribute like `onclick=`, not the directive `on:click=` and not part of a longer name.
fn is_handler(line: &str, event: &str) -> bool {
    line.match_indices(event).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let rest = line[at + event.len()..].trim_start_matches(|c: char| c.is_ascii_lowercase());
        before.is_some_and(char::is_whitespace) && rest.starts_with('=') && !rest.starts_with("==")
    })
}

fn quoted_after<'a>(line: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    line.split(start).skip(1).filter_map(|rest| rest.split('"').next()).filter(|name| !name.is_empty())
}

/// The names behind `/assets/` in a line.
fn asset_names(line: &str) -> impl Iterator<Item = &str> {
    line.split("/assets/").skip(1).filter_map(|rest| {
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._/-".contains(c))).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|name| !name.is_empty() && !name.ends_with('/'))
    })
}

fn has_extension(name: &str) -> bool {
    Path::new(name).extension().is_some()
}

fn asset_exists(name: &str) -> bool {
    MADE.contains(&name) || root().join("public").join(name).is_file()
}

fn icons() -> BTreeSet<String> {
    let sprite = fs::read_to_string(root().join("public/icons.svg")).unwrap_or_default();
    let symbols = sprite.split("<symbol").skip(1);
    symbols.filter_map(|symbol| quoted_after(symbol, " id=\"").next().map(str::to_owned)).collect()
}

/// The lock files name what is used, not the mirror it was fetched from.
fn locks(found: &mut Vec<String>) -> Result<()> {
    let npm = fs::read_to_string(root().join("end2end/package-lock.json"))
        .context("reading end2end/package-lock.json")?;
    for (index, line) in npm.lines().enumerate().filter(|(_, line)| line.contains("\"resolved\":")) {
        found.push(format!(
            "end2end/package-lock.json:{}: an address of a registry ({}): make the lock anew with end2end/.npmrc in place",
            index + 1,
            line.trim()
        ));
    }
    let cargo = fs::read_to_string(root().join("Cargo.lock")).context("reading Cargo.lock")?;
    for (index, line) in
        cargo.lines().enumerate().filter(|(_, line)| line.starts_with("source = ") && *line != CRATES_IO)
    {
        found.push(format!("Cargo.lock:{}: not from crates.io ({line})", index + 1));
    }
    Ok(())
}

fn collect(path: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let mut entries: Vec<PathBuf> = match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        // A directory that has nothing in it is not in a checkout.
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(refusal) => return Err(refusal).with_context(|| format!("reading {}", path.display())),
    };
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let skipped = [
            "node_modules",
            "target",
            "test-results",
            "playwright-report",
            "package-lock.json",
            "dist",
            "build",
        ];
        if name.starts_with('.') || skipped.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, sources)?;
        } else if ["rs", "css", "js", "mjs", "ts", "sql", "webmanifest", "toml"]
            .iter()
            .any(|kind| name.ends_with(&format!(".{kind}")))
        {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().into_owned();
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, line: &str) -> usize {
        let mut problems = Vec::new();
        look(path, line, &BTreeSet::from(["download".to_owned()]), &mut problems);
        problems.len()
    }

    #[test]
    fn sql_stays_in_stores() {
        let line = "let row = sqlx::query!(\"select 1\");";
        assert_eq!(problems("src/account/mod.rs", line), 1);
        assert_eq!(problems("src/account/store.rs", line), 0);
        assert_eq!(problems("src/session/mod.rs", line), 0);
        assert_eq!(problems("src/tests/account.rs", line), 0);
        assert_eq!(problems("src/account/mod.rs", "// as with query!(…)"), 0);
        assert_eq!(problems("src/account/mod.rs", "let words = url.query();"), 0);
    }

    #[test]
    fn features_stay_in_the_roots() {
        assert_eq!(problems("src/lib.rs", "#[cfg(feature = \"server\")]"), 0);
        assert_eq!(problems("src/mail/mod.rs", "#[cfg(feature = \"server\")]"), 1);
        assert_eq!(problems("src/mail/mod.rs", "#[cfg(test)]"), 0);
    }

    #[test]
    fn nothing_inline_in_pages() {
        assert_eq!(problems("app/src/pages/home.rs", "<p style=\"color: red\">"), 1);
        assert_eq!(problems("app/src/pages/home.rs", "<p onclick=\"go()\">"), 1);
        assert_eq!(problems("app/src/pages/home.rs", "<p on:click=move |_| go()>"), 0);
        assert_eq!(problems("app/src/pages/home.rs", "<p style:color=move || colour()>"), 1);
        assert_eq!(problems("app/src/pages/home.rs", "let style = Look { style: 1 };"), 0);
        assert_eq!(problems("app/src/pages/home.rs", "<Clock once=true/>"), 0);
        assert_eq!(problems("app/src/pages/home.rs", "<Icon name=\"download\"/><Icon name=\"nothing\"/>"), 1);
    }

    #[test]
    fn marks_of_unfinished_work() {
        assert_eq!(problems("style/a.css", concat!("/* TO", "DO */")), 1);
        assert_eq!(problems("style/a.css", "/* autotodos */"), 0);
        assert_eq!(problems("src/a.rs", concat!("todo", "!()")), 1);
    }

    #[test]
    fn asset_names_are_found() {
        let names: Vec<&str> = asset_names("url(/assets/fonts/a.woff2) '/assets/' /assets/b.svg#x").collect();
        assert_eq!(names, ["fonts/a.woff2", "b.svg"]);
        assert_eq!(problems("style/a.css", "src: url(\"/assets/none.woff2\")"), 1);
        assert_eq!(problems("server/src/assets.rs", ".route(\"/assets/{*path}\", get(asset))"), 0);
    }
}
