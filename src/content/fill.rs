//! What stands for something else: `{{operator.…}}` for what only the one who runs the site knows, and
//! `{{include name.md}}`, alone on its line, for a text of `content/_includes/`.

use std::collections::BTreeMap;

use crate::config::OperatorConfig;

/// Where the included texts lie, below `content/`.
pub(super) const FOLDER: &str = "_includes/";

/// An include may include, but not without end.
const DEEPEST: usize = 3;

pub(super) fn operator(text: &str, operator: &OperatorConfig) -> String {
    let or_unset = |value: &str| {
        if value.is_empty() { "not set on this installation".to_owned() } else { value.to_owned() }
    };
    text.replace("{{operator.name}}", &or_unset(&operator.name))
        .replace("{{operator.address}}", &or_unset(&operator.address))
        .replace("{{operator.email}}", &or_unset(&operator.email))
        .replace("{{operator.country}}", &or_unset(&operator.country))
}

pub(super) fn includes(text: &str, files: &BTreeMap<String, String>) -> Result<String, String> {
    expand(text, files, &mut Vec::new())
}

fn expand<'a>(
    text: &'a str,
    files: &'a BTreeMap<String, String>,
    within: &mut Vec<&'a str>,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let Some(name) = included(line) else {
            out.push_str(line);
            continue;
        };
        if within.contains(&name) {
            return Err(format!("the include “{name}” includes itself"));
        }
        if within.len() >= DEEPEST {
            return Err(format!("the include “{name}” lies deeper than {DEEPEST}"));
        }
        let part = files
            .get(&format!("{FOLDER}{name}"))
            .ok_or_else(|| format!("there is no include “{name}” in content/{FOLDER}"))?;
        within.push(name);
        out.push_str(expand(part, files, within)?.trim_end());
        out.push('\n');
        within.pop();
    }
    Ok(out)
}

fn included(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("{{include ")?.strip_suffix("}}")?.trim())
}

/// The first `{{word` that nothing stands for. With a space after the braces it is somebody else's notation.
pub(super) fn unfilled(text: &str) -> Option<&str> {
    text.match_indices("{{").find_map(|(at, _)| {
        let rest = &text[at + 2..];
        let word = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').next().unwrap_or_default();
        rest.starts_with(|c: char| c.is_ascii_lowercase()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(parts: &[(&str, &str)]) -> BTreeMap<String, String> {
        parts.iter().map(|(name, text)| (format!("{FOLDER}{name}"), (*text).to_owned())).collect()
    }

    #[test]
    fn an_include_stands_for_its_text() {
        let files = files(&[("a.md", "A\n\n{{include b.md}}\n"), ("b.md", "B\n\n\n")]);
        let text = includes("before\n{{include a.md}}\nafter", &files).expect("sound");
        assert_eq!(text, "before\nA\n\nB\nafter");
        // The same one twice, beside itself, goes round in no circle.
        let twice = includes("{{include b.md}}\n{{include b.md}}\n", &files);
        assert_eq!(twice.as_deref(), Ok("B\nB\n"));
        // In a line of text it is words.
        assert_eq!(includes("say {{include b.md}}", &files).as_deref(), Ok("say {{include b.md}}"));
    }

    #[test]
    fn circles_depth_and_missing_files_are_named() {
        let round = files(&[("a.md", "{{include b.md}}"), ("b.md", "{{include a.md}}")]);
        assert_eq!(
            includes("{{include a.md}}", &round),
            Err("the include “a.md” includes itself".to_owned())
        );
        let deep = files(&[
            ("a.md", "{{include b.md}}"),
            ("b.md", "{{include c.md}}"),
            ("c.md", "{{include d.md}}"),
            ("d.md", "D"),
        ]);
        assert_eq!(includes("{{include b.md}}", &deep).as_deref(), Ok("D\n"));
        assert!(includes("{{include a.md}}", &deep).is_err());
        let error = includes("{{include none.md}}", &BTreeMap::new()).expect_err("not there");
        assert!(error.contains("none.md"), "{error}");
    }

    #[test]
    fn what_nothing_fills_in_is_found() {
        assert_eq!(unfilled("a {{operator.fax}} b"), Some("operator.fax"));
        assert_eq!(unfilled("${{ secrets.TOKEN }} and {{}}"), None);
    }
}
