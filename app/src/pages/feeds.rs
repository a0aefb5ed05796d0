//! The blog and the changelog for feed readers: Atom (RFC 4287) and JSON Feed 1.1.
//!
//! What always holds: the newest entry comes first, every address in a feed is whole, and a reader that has seen the
//! feed as it is gets 304.

use std::cmp::Reverse;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use devforge::{
    content::{self, Catalogue, Document},
    context::Context,
    crypto,
};
use serde_json::{Value, json};

use super::og;

const MAX_ENTRIES: usize = 50;
/// What a feed without entries says of its last change, because Atom wants it said.
const NEVER: &str = "1970-01-01";

/// What a feed is called and where it is.
struct Feed {
    title: &'static str,
    description: &'static str,
    /// The page that shows the same.
    home: &'static str,
    /// Without its ending.
    path: &'static str,
    changelog_only: bool,
}

const EVERYTHING: Feed = Feed {
    title: "Dev Forge: blog and changelog",
    description: "How Dev Forge is made, and what changed.",
    home: "/blog",
    path: "/feed",
    changelog_only: false,
};
const CHANGELOG: Feed = Feed {
    title: "Dev Forge: changelog",
    description: "What changed on this platform, and when.",
    home: "/changelog",
    path: "/changelog/feed",
    changelog_only: true,
};

pub async fn everything_atom(State(ctx): State<Context>, asked: HeaderMap) -> Response {
    let body = atom(&EVERYTHING, &ctx.content.now(), &ctx.config.http.public_url);
    answer("application/atom+xml; charset=utf-8", body, &asked)
}

pub async fn everything_json(State(ctx): State<Context>, asked: HeaderMap) -> Response {
    let body = json_feed(&EVERYTHING, &ctx.content.now(), &ctx.config.http.public_url).to_string();
    answer("application/feed+json; charset=utf-8", body, &asked)
}

pub async fn changelog_atom(State(ctx): State<Context>, asked: HeaderMap) -> Response {
    let body = atom(&CHANGELOG, &ctx.content.now(), &ctx.config.http.public_url);
    answer("application/atom+xml; charset=utf-8", body, &asked)
}

pub async fn changelog_json(State(ctx): State<Context>, asked: HeaderMap) -> Response {
    let body = json_feed(&CHANGELOG, &ctx.content.now(), &ctx.config.http.public_url).to_string();
    answer("application/feed+json; charset=utf-8", body, &asked)
}

fn answer(content_type: &'static str, body: String, asked: &HeaderMap) -> Response {
    // Weak, because the compressed forms are the same feed in other bytes.
    let etag = format!("W/\"{}\"", &crypto::to_hex(&crypto::sha256(body.as_bytes()))[..16]);
    let headers = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=600"),
        // Readers that are pages themselves ask from their own site.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    if is_known(asked, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// Whether the asker has what this tag names (RFC 9110: `*` stands for whatever is there).
pub(super) fn is_known(asked: &HeaderMap, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = bare(etag);
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || bare(tag) == wanted)
}

/// The newest entries of a feed.
fn entries<'a>(feed: &Feed, content: &'a Catalogue) -> Vec<&'a Document> {
    let mut entries = content.releases();
    if !feed.changelog_only {
        entries.extend(content.posts());
    }
    // Both lists are in their order already; this sort leaves equal days as they are.
    entries.sort_by_key(|entry| Reverse(entry.date.clone()));
    entries.truncate(MAX_ENTRIES);
    entries
}

/// When an entry last changed, which is never before it was there.
fn changed(entry: &Document) -> &str {
    let published = entry.date.as_deref().unwrap_or(NEVER);
    entry.updated.as_deref().filter(|updated| *updated > published).unwrap_or(published)
}

fn atom(feed: &Feed, content: &Catalogue, base: &str) -> String {
    let entries = entries(feed, content);
    let updated = entries.iter().map(|entry| changed(entry)).max().unwrap_or(NEVER);
    let (title, description, home, path) = (feed.title, feed.description, feed.home, feed.path);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n\
         <id>{base}{path}.xml</id>\n<title>{title}</title>\n<subtitle>{description}</subtitle>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{base}{path}.xml\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{base}{home}\"/>\n\
         <updated>{updated}T00:00:00Z</updated>\n\
         <author><name>Dev Forge</name><uri>{base}/</uri></author>\n\
         <icon>{base}/favicon.ico</icon>\n"
    );
    for entry in entries {
        xml.push_str(&atom_entry(entry, base));
    }
    xml.push_str("</feed>\n");
    xml
}

fn atom_entry(entry: &Document, base: &str) -> String {
    let path = entry.path();
    let published = entry.date.as_deref().unwrap_or(NEVER);
    let updated = changed(entry);
    let author = escape(entry.author.as_deref().unwrap_or("Dev Forge"));
    let (title, summary) = (escape(&entry.title), escape(&entry.description));
    let tags: String =
        entry.tags.iter().map(|tag| format!("<category term=\"{}\"/>\n", escape(tag))).collect();
    let html = escape(&content::plain(entry.html(), base, &path));
    format!(
        "<entry>\n<id>{base}{path}</id>\n<title>{title}</title>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{base}{path}\"/>\n\
         <published>{published}T00:00:00Z</published>\n<updated>{updated}T00:00:00Z</updated>\n\
         <author><name>{author}</name></author>\n{tags}<summary>{summary}</summary>\n\
         <content type=\"html\">{html}</content>\n</entry>\n"
    )
}

fn json_feed(feed: &Feed, content: &Catalogue, base: &str) -> Value {
    let items: Vec<Value> = entries(feed, content).into_iter().map(|entry| json_item(entry, base)).collect();
    json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.description,
        "home_page_url": format!("{base}{}", feed.home),
        "feed_url": format!("{base}{}.json", feed.path),
        "icon": format!("{base}/icon-512.png"),
        "language": "en",
        "authors": [{ "name": "Dev Forge", "url": format!("{base}/") }],
        "items": items,
    })
}

fn json_item(entry: &Document, base: &str) -> Value {
    let path = entry.path();
    let published = entry.date.as_deref().unwrap_or(NEVER);
    let mut item = json!({
        "id": format!("{base}{path}"),
        "url": format!("{base}{path}"),
        "title": entry.title,
        "summary": entry.description,
        "content_html": content::plain(entry.html(), base, &path),
        "date_published": format!("{published}T00:00:00Z"),
        "date_modified": format!("{}T00:00:00Z", changed(entry)),
        "authors": [{ "name": entry.author.as_deref().unwrap_or("Dev Forge") }],
        "tags": entry.tags,
    });
    if let Some(picture) = og::for_path(&path) {
        item["image"] = Value::String(format!("{base}{picture}"));
    }
    item
}

/// Text for XML, without the characters that XML has no way to write.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use devforge::{config::OperatorConfig, content::Content};
    use resvg::usvg::roxmltree::{Document as Xml, Node};

    use super::*;

    const BASE: &str = "https://devforge.test";

    fn catalogue() -> std::sync::Arc<Catalogue> {
        let operator = OperatorConfig {
            name: "Example & Co".to_owned(),
            address: String::new(),
            email: "post@example.com".to_owned(),
            country: "Sweden".to_owned(),
        };
        Content::load(&operator).expect("content is sound").now()
    }

    fn text<'a>(node: &Node<'a, '_>, name: &str) -> &'a str {
        node.children()
            .find(|child| child.has_tag_name(name))
            .and_then(|child| child.text())
            .unwrap_or_default()
    }

    #[test]
    fn an_atom_feed_is_well_formed_and_says_what_the_standard_wants() {
        let content = catalogue();
        for feed in [&EVERYTHING, &CHANGELOG] {
            let xml = atom(feed, &content, BASE);
            let document = Xml::parse(&xml).expect("it is XML");
            let root = document.root_element();
            assert_eq!(root.tag_name().namespace(), Some("http://www.w3.org/2005/Atom"));
            assert_eq!(text(&root, "id"), format!("{BASE}{}.xml", feed.path));
            let entries: Vec<Node> = root.children().filter(|node| node.has_tag_name("entry")).collect();
            assert!(entries.len() >= 3, "{}", entries.len());
            let mut ids: Vec<&str> = entries.iter().map(|entry| text(entry, "id")).collect();
            for entry in &entries {
                assert!(!text(entry, "title").is_empty() && text(entry, "updated").ends_with("T00:00:00Z"));
                assert!(text(entry, "updated") >= text(entry, "published"), "{}", text(entry, "id"));
                let html = text(entry, "content");
                assert!(html.contains("<p>") || html.contains("<ul>"), "{html}");
                let ours_alone =
                    ["<svg", "<button", "class=\"anchor\"", " href=\"/", " href=\"#", " src=\"/"];
                assert_eq!(ours_alone.into_iter().find(|part| html.contains(part)), None, "{html}");
            }
            let days: Vec<&str> = entries.iter().map(|entry| text(entry, "published")).collect();
            assert!(days.is_sorted_by(|one, next| one >= next), "{days:?}");
            let newest = entries.iter().map(|entry| text(entry, "updated")).max();
            assert_eq!(Some(text(&root, "updated")), newest);
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), entries.len(), "each entry has an id of its own");
        }
    }

    #[test]
    fn both_forms_of_a_feed_have_the_same_entries() {
        let content = catalogue();
        let xml = atom(&EVERYTHING, &content, BASE);
        let feed = json_feed(&EVERYTHING, &content, BASE);
        assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
        let items = feed["items"].as_array().expect("a list");
        assert_eq!(items.len(), content.posts().len() + content.releases().len());
        for item in items {
            let id = item["id"].as_str().expect("an id");
            assert!(id.starts_with(BASE) && xml.contains(&format!("<id>{id}</id>")), "{id}");
            assert!(item["content_html"].as_str().is_some_and(|html| !html.is_empty()), "{id}");
        }
    }

    #[test]
    fn text_cannot_leave_its_place_in_xml() {
        assert_eq!(escape("a & <b> \"c\"\u{0}\u{1b}\u{ffff}"), "a &amp; &lt;b&gt; &quot;c&quot;");
    }

    #[test]
    fn a_tag_is_known_in_each_way_it_is_asked_for() {
        for (asked, known) in [
            ("W/\"a\"", true),
            ("\"a\"", true),
            ("\"x\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(asked));
            assert_eq!(is_known(&headers, "W/\"a\""), known, "{asked}");
        }
        assert!(!is_known(&HeaderMap::new(), "W/\"a\""));
    }
}
