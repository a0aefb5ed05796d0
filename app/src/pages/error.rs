//! What people see when a request cannot be answered as asked: not found, failed, unavailable, refused.
//!
//! These pages load nothing and cannot fail themselves: everything they show comes in as arguments. They say what
//! happened, what is not affected and what to do next, and never show internal text. The request number stands on
//! every page but the 404, so that a person can send it to us.

use leptos::prelude::*;

use crate::components::Icon;
use crate::components::grain::NOT_FOUND_HOT_LINE;

/// Longer addresses are cut in the middle of the page's first sentence; the address bar still has all of it.
const SHOWN_PATH_CHARS: usize = 96;
const QUERY_WORDS: usize = 8;
const QUERY_CHARS: usize = 80;

/// The 404. `matches` are (title, address, kind) of pages whose words come close; the list is left out when empty.
pub fn not_found(path: &str, matches: Vec<(String, String, String)>) -> AnyView {
    let query = search_words(path);
    let shown = shorten(&decode(path), SHOWN_PATH_CHARS);
    let close = (!matches.is_empty()).then(|| close_matches(matches));

    view! {
        <div class="error-page not-found">
            {broken_grain()}
            <div class="page">
                <div class="error-body">
                    <h1 class="hero-title">"There is nothing at this address"</h1>
                    <p class="lead"><code>{shown}</code>" does not exist, or no longer does."</p>
                    <form class="error-search" method="get" action="/search" role="search" aria-label="Search for this page">
                        <label class="visually-hidden" for="not-found-query">"Search this site"</label>
                        <div class="input-affix">
                            <Icon name="search"/>
                            <input class="input" id="not-found-query" type="search" name="q" value=query autocomplete="off"/>
                        </div>
                        <button class="button primary" type="submit">"Search"</button>
                    </form>
                    {close}
                    <p class="error-aside">
                        "Go to the " <a href="/">"home page"</a> ", or read "
                        <a href="/about">"what Dev Forge is"</a> "."
                    </p>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// A fault of ours (500). Nothing about the cause is shown: it is in the log under the same number.
pub fn failed(status: u16, request_id: &str) -> AnyView {
    plain_page(
        status,
        "Something failed on our side",
        "This page could not be made. The fault is ours, and it is recorded under the number below. \
         Your account and your license are not affected, and the editor keeps working.",
        request_id,
    )
}

/// The database or another part cannot be reached for the moment (503).
pub fn unavailable(request_id: &str) -> AnyView {
    plain_page(
        503,
        "We cannot answer for the moment",
        "A part of the site is not reachable. It comes back by itself, and this page then works again. \
         Licenses that are active stay active, and the editor keeps working without us.",
        request_id,
    )
}

/// An administrator who looks through somebody's eyes came to where something would be changed.
pub fn only_looking(detail: &str, request_id: &str) -> AnyView {
    let detail = detail.to_owned();

    view! {
        <div class="error-page">
            <div class="page">
                <div class="error-body">
                    <p class="error-status mono">"403"</p>
                    <h1 class="page-title">"You are only looking"</h1>
                    <p class="lead">{detail}</p>
                    <form class="error-actions" method="post" action="/admin/view/stop">
                        <button class="button primary" type="submit">"Stop looking"</button>
                        <a class="button secondary" href="/account">"Go on looking"</a>
                    </form>
                    {request_number(request_id)}
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// Any other status (403, 405, 413, 429 …): the caller gives the title and what to do.
pub fn problem(status: u16, title: &str, detail: &str, request_id: &str) -> AnyView {
    plain_page(status, title, detail, request_id)
}

fn plain_page(status: u16, title: &str, detail: &str, request_id: &str) -> AnyView {
    let title = title.to_owned();
    let detail = detail.to_owned();
    // Asking again helps when we failed or when the caller was too fast; elsewhere the same request gets the same answer.
    let retry = (status >= 500 || status == 429).then(|| {
        view! { <a class="button primary" href="">"Try again"</a> }
    });

    view! {
        <div class="error-page">
            <div class="page">
                <div class="error-body">
                    <p class="error-status mono">{status.to_string()}</p>
                    <h1 class="page-title">{title}</h1>
                    <p class="lead">{detail}</p>
                    <p class="error-actions">
                        {retry}
                        <a class="button secondary" href="/">"Go to the home page"</a>
                    </p>
                    {request_number(request_id)}
                </div>
            </div>
        </div>
    }
    .into_any()
}

fn request_number(request_id: &str) -> Option<AnyView> {
    if request_id.is_empty() {
        return None;
    }
    let number = request_id.to_owned();
    Some(
        view! {
            <dl class="error-number">
                <dt>"Request number"</dt>
                <dd>
                    <code id="request-number">{number}</code>
                    <button class="button ghost small" type="button" data-copy="request-number" hidden=true>
                        <Icon name="copy" size=14/>"Copy"
                    </button>
                </dd>
            </dl>
            <p class="error-aside">
                "If it keeps happening, " <a href="/legal/imprint">"write to us"</a>
                " with this number. It leads us to what went wrong."
            </p>
        }
        .into_any(),
    )
}

fn close_matches(matches: Vec<(String, String, String)>) -> AnyView {
    let rows = matches
        .into_iter()
        .map(|(title, url, kind)| {
            view! {
                <li class="match">
                    <a href=url>{title}</a>
                    <span class="meta">{kind}</span>
                </li>
            }
        })
        .collect_view();

    view! {
        <h2 class="matches-title">"Close matches"</h2>
        <ul class="matches">{rows}</ul>
    }
    .into_any()
}

/// Folded steel whose hot line breaks and goes on cold. The field is a mask over the line colour, so that one file
/// serves both themes; the line itself is drawn here because it carries the ember.
fn broken_grain() -> AnyView {
    let (hot, cold) = NOT_FOUND_HOT_LINE;
    view! {
        <div class="error-grain" aria-hidden="true">
            <div class="grain-field"></div>
            <svg viewBox="0 0 1600 620" preserveAspectRatio="xMidYMid slice" fill="none">
                <defs>
                    <linearGradient id="heat" x1="0" y1="0" x2="1" y2="0">
                        <stop class="cold" offset="0"></stop>
                        <stop class="warm" offset="0.55"></stop>
                        <stop class="hot" offset="1"></stop>
                    </linearGradient>
                </defs>
                <path d=hot stroke="url(#heat)" stroke-width="1.5"></path>
                <path class="cold-line" d=cold stroke-width="1.25"></path>
            </svg>
        </div>
    }
    .into_any()
}

/// The words of a path, as a person would type them into the search field. The first of several segments names a
/// section of the site ("docs", "forum") and finds everything in it, so it is left out.
fn search_words(path: &str) -> String {
    let decoded = decode(path);
    let path = decoded.split(['?', '#']).next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let telling = if segments.len() > 1 { &segments[1..] } else { &segments[..] };

    let mut words = Vec::new();
    for (index, segment) in telling.iter().enumerate() {
        let last = index + 1 == telling.len();
        let name = match segment.rsplit_once('.') {
            Some((name, extension)) if last && !name.is_empty() && is_file_extension(extension) => name,
            _ => segment,
        };
        words.extend(name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()));
    }
    words.truncate(QUERY_WORDS);
    words.join(" ").chars().take(QUERY_CHARS).collect()
}

fn is_file_extension(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphabetic())
}

/// Percent-decoding for display. What is not valid UTF-8 stays as it was written.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        match pair.and_then(hex_byte) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    let decoded = String::from_utf8(out).unwrap_or_else(|_| text.to_owned());
    // Control and direction characters could make the sentence around the address read as something else.
    decoded
        .chars()
        .filter(|c| !c.is_control() && !matches!(*c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let high = char::from(pair[0]).to_digit(16)?;
    let low = char::from(pair[1]).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_the_words_after_the_section() {
        assert_eq!(search_words("/docs/licence/offline-tokens"), "licence offline tokens");
        assert_eq!(search_words("/pricing"), "pricing");
        assert_eq!(search_words("/blog/2026/hello_world.html?x=1"), "2026 hello world");
        assert_eq!(search_words("/"), "");
    }

    #[test]
    fn a_version_number_is_not_a_file_extension() {
        assert_eq!(search_words("/releases/1.8"), "1 8");
    }

    #[test]
    fn the_query_is_bounded() {
        let long = format!("/docs/{}", "word-".repeat(400));
        assert_eq!(search_words(&long).split(' ').count(), QUERY_WORDS);
        assert!(search_words(&format!("/{}", "é".repeat(4000))).chars().count() <= QUERY_CHARS);
    }

    #[test]
    fn paths_are_shown_decoded_unless_that_is_not_text() {
        assert_eq!(decode("/caf%C3%A9"), "/café");
        assert_eq!(decode("/a%FFb"), "/a%FFb");
        assert_eq!(decode("/100%"), "/100%");
        assert_eq!(decode("/%2"), "/%2");
        assert_eq!(decode("/a%0Ab%E2%80%AEc"), "/abc");
    }

    #[test]
    fn long_paths_are_cut_by_characters() {
        assert_eq!(shorten("äöü", 3), "äöü");
        assert_eq!(shorten("äöüß", 3), "äö…");
    }
}
