//! Rendered text for where neither our style sheet nor our script is: feeds, and facts for programs.
//!
//! What always holds: it has no icons, no buttons and no links to itself beside headings, and each of its addresses is
//! whole.

use super::tags::{self, Piece};

/// The words of `html`, which is the page at `path` of the site at `base`, for readers who are elsewhere.
pub fn plain(html: &str, base: &str, path: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut until: Option<&'static str> = None;
    for piece in tags::pieces(html) {
        match (until, piece) {
            (None, Piece::Words(words)) => out.push_str(words),
            (None, Piece::Tag(tag)) => {
                until = end_of_unwanted(tag);
                if until == Some("/a") {
                    // A space keeps the link apart from its heading.
                    out.truncate(out.trim_end_matches(' ').len());
                } else if until.is_none() && tags::name(tag) != "input" {
                    out.push_str(&whole(tag, base, path));
                }
            }
            (Some(end), Piece::Tag(tag)) if tags::name(tag) == end => until = None,
            (Some(_), _) => {}
        }
    }
    out
}

/// The tag that ends what is left out, if this one begins it.
fn end_of_unwanted(tag: &str) -> Option<&'static str> {
    match tags::name(tag) {
        "svg" => Some("/svg"),
        "button" => Some("/button"),
        "label" => Some("/label"),
        "a" if tags::attribute(tag, "class") == Some("anchor") => Some("/a"),
        _ => None,
    }
}

fn whole(tag: &str, base: &str, path: &str) -> String {
    let mut whole = tag.to_owned();
    for name in ["href", "src"] {
        let Some(given) = tags::attribute(tag, name) else { continue };
        if let Some(address) = absolute(given, base, path) {
            whole = whole.replacen(&format!(" {name}=\"{given}\""), &format!(" {name}=\"{address}\""), 1);
        }
    }
    whole
}

/// Where an address leads from the page, if that is on this site.
fn absolute(address: &str, base: &str, path: &str) -> Option<String> {
    let has_scheme = || address.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'));
    if address.starts_with("//") || has_scheme() {
        None
    } else if address.starts_with('/') {
        Some(format!("{base}{address}"))
    } else if address.is_empty() || address.starts_with(['#', '?']) {
        Some(format!("{base}{path}{address}"))
    } else {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Some(format!("{base}{folder}/{address}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{render, render_foreign};

    const BASE: &str = "https://devforge.test";

    #[test]
    fn what_only_works_on_our_page_is_left_out() {
        let text = "## A `b` > c\n\n```sh\necho '<a>'\n```\n\n> [!NOTE] Here\n> it is.\n\n:::tabs\n::tab One\n1\n::tab Two\n2\n:::\n";
        for html in [render(text).html, render_foreign(text).html] {
            let plain = plain(&html, BASE, "/blog/a");
            for part in ["<svg", "<use", "<button", "Copy", "anchor", "<input", "<label", " hidden"] {
                assert!(!plain.contains(part), "{part}: {plain}");
            }
            for part in
                ["A <code>b</code> &gt; c</h2>", "echo", "&lt;a&gt;", "Here", "it is.", "One</p>", "Two</p>"]
            {
                assert!(plain.contains(part), "{part}: {plain}");
            }
            assert_eq!(plain.matches('<').count(), plain.matches('>').count(), "{plain}");
        }
    }

    #[test]
    fn addresses_are_whole() {
        let html = render(
            "[a](/docs) [b](#c) [d](https://example.com) [e](//example.com) [f](mailto:a@example.com) \
             [g](?x=1) [h](other) ![i](/assets/grain-home.svg) `href=\"/x\"`\n",
        );
        let plain = plain(&html.html, BASE, "/blog/a");
        for part in [
            "href=\"https://devforge.test/docs\"",
            "href=\"https://devforge.test/blog/a#c\"",
            "href=\"https://example.com\"",
            "href=\"//example.com\"",
            "href=\"mailto:a@example.com\"",
            "href=\"https://devforge.test/blog/a?x=1\"",
            "href=\"https://devforge.test/blog/other\"",
            "src=\"https://devforge.test/assets/grain-home",
        ] {
            assert!(plain.contains(part), "{part}: {plain}");
        }
        assert!(!plain.contains("devforge.test/x"), "words stay as they are: {plain}");
    }

    #[test]
    fn what_is_no_html_of_ours_is_kept_as_it_is() {
        for text in ["", "a", "<", "<a", "<a href=\"", ">", "a > b", "<p title=\"a > b\">x</p>", "é<b>ü</b>"]
        {
            assert_eq!(plain(text, BASE, "/a"), text);
        }
    }
}
