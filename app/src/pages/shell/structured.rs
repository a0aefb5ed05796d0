//! What a page says of itself to programs: JSON-LD data blocks (schema.org).
//!
//! What always holds: a data block is no script, so no policy has to allow it; nothing in it can end it, because what
//! could is written as an escape; and addresses of this site are written whole, whoever made the block.

use serde_json::{Value, json};

/// Texts for people: one that begins with a slash is still no address.
const TEXTS: [&str; 6] = ["name", "headline", "description", "text", "keywords", "articleSection"];

/// The way from the front page to a page, as (name, path).
pub fn breadcrumbs(trail: &[(&str, &str)]) -> Value {
    let items: Vec<Value> = trail
        .iter()
        .enumerate()
        .map(|(index, (name, path))| {
            json!({ "@type": "ListItem", "position": index + 1, "name": name, "item": path })
        })
        .collect();
    json!({ "@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items })
}

/// Who makes it, what it is, and how this site is searched: said once, on the front page.
pub(super) fn home(description: &str) -> Value {
    json!({
        "@context": "https://schema.org",
        "@graph": [
            {
                "@type": "Organization",
                "@id": "/#organization",
                "name": "Dev Forge",
                "url": "/",
                "logo": "/icon-512.png",
            },
            {
                "@type": "WebSite",
                "@id": "/#website",
                "name": "Dev Forge",
                "url": "/",
                "publisher": { "@id": "/#organization" },
                "potentialAction": {
                    "@type": "SearchAction",
                    "target": { "@type": "EntryPoint", "urlTemplate": "/search?q={search_term_string}" },
                    "query-input": "required name=search_term_string",
                },
            },
            {
                "@type": "SoftwareApplication",
                "name": "Dev Forge",
                "description": description,
                "url": "/",
                "applicationCategory": "DeveloperApplication",
                "operatingSystem": "Linux, macOS, Windows",
                "downloadUrl": "/download",
                "softwareHelp": { "@type": "CreativeWork", "url": "/docs" },
                "publisher": { "@id": "/#organization" },
            },
        ],
    })
}

/// The text of a data block, ready to stand in a page.
pub(super) fn data_block(mut facts: Value, public_url: &str) -> String {
    make_whole(&mut facts, public_url, "");
    let text = facts.to_string();
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // In JSON these stand only inside strings, where an escape means the same.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => escaped.push_str(&format!("\\u{:04x}", c as u32)),
            other => escaped.push(other),
        }
    }
    escaped
}

fn make_whole(value: &mut Value, public_url: &str, key: &str) {
    match value {
        Value::String(text) if text.starts_with('/') && !TEXTS.contains(&key) => {
            text.insert_str(0, public_url);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| make_whole(item, public_url, key)),
        Value::Object(entries) => {
            entries.iter_mut().for_each(|(key, item)| make_whole(item, public_url, key));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_data_block_ends_it_and_it_says_the_same() {
        let hostile = "</script><!-- & \u{2028}\u{2029} \"";
        let block = data_block(json!({ "name": hostile }), "https://devforge.test");
        assert!(!block.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{block}");
        let read: Value = serde_json::from_str(&block).expect("it is JSON");
        assert_eq!(read["name"], hostile);
    }

    #[test]
    fn addresses_are_whole_and_texts_stay() {
        let trail = breadcrumbs(&[("/etc", "/"), ("Docs", "/docs")]);
        let block = data_block(trail, "https://devforge.test");
        let read: Value = serde_json::from_str(&block).expect("it is JSON");
        assert_eq!(read["itemListElement"][0]["name"], "/etc");
        assert_eq!(read["itemListElement"][1]["item"], "https://devforge.test/docs");
        assert_eq!(read["itemListElement"][1]["position"], 2);
        assert_eq!(read["@context"], "https://schema.org");
    }
}
