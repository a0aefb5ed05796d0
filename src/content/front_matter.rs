//! The lines between `---` and `---` at the top of a page, and what must be right about them.

use time::{Date, macros::format_description};

use super::{DOC_GROUPS, Document, KB_CATEGORIES, fill, markdown};

/// The folders that become pages, and the one that fills the knowledge base.
const SECTIONS: [&str; 6] = ["docs", "blog", "changelog", "legal", "site", "kb"];

pub(super) fn read(path: &str, text: &str) -> Result<Document, String> {
    let (section, file) = path.split_once('/').ok_or("must lie in a folder")?;
    if !SECTIONS.contains(&section) {
        return Err(format!("lies in “{section}”, and pages lie in {}", SECTIONS.join(", ")));
    }
    let slug = file.strip_suffix(".md").ok_or("must end in .md")?;
    check_name(slug)?;
    let rest = text.strip_prefix("---\n").ok_or("must begin with front matter (a line of ---)")?;
    let (front, body) = rest.split_once("\n---\n").ok_or("its front matter has no end (a line of ---)")?;
    let mut document =
        Document { section: section.to_owned(), slug: slug.to_owned(), order: 100, ..Document::default() };
    let mut seen = Vec::new();
    for line in front.lines().filter(|line| !line.trim().is_empty()) {
        let (key, value) = line.split_once(':').ok_or_else(|| format!("“{line}” is not `key: value`"))?;
        let key = key.trim();
        if seen.contains(&key) {
            return Err(format!("front matter has the key “{key}” twice"));
        }
        seen.push(key);
        set(&mut document, key, unquoted(value.trim()))?;
    }
    check(&document)?;
    if let Some(word) = fill::unfilled(body) {
        return Err(format!("has a {{{{{word}…}}}} that nothing fills in"));
    }
    body.trim().clone_into(&mut document.markdown);
    if document.section == "changelog"
        && let Some(part) = markdown::named_parts(&document.markdown)
    {
        return Err(format!(
            "has {part}: all entries stand on one page, so none has headings, tabs, footnotes or ids of its own"
        ));
    }
    let outline = markdown::outline(&document.markdown)?;
    document.headings = outline.headings;
    document.sections = outline.sections;
    document.links = outline.links;
    Ok(document)
}

fn set(document: &mut Document, key: &str, value: &str) -> Result<(), String> {
    let owned = || value.to_owned();
    match key {
        "title" => document.title = owned(),
        "description" => document.description = owned(),
        "group" => document.group = owned(),
        "order" => {
            document.order = value.parse().map_err(|_| format!("order “{value}” is not a number"))?;
        }
        "updated" => document.updated = Some(day("updated", value)?),
        "date" => document.date = Some(day("date", value)?),
        "aliases" => {
            document.aliases = list(value);
            document.aliases.iter().try_for_each(|alias| check_name(alias))?;
        }
        "tags" => document.tags = list(value),
        "audience" => document.audience = Some(owned()),
        "author" => document.author = Some(owned()),
        other => return Err(format!("front matter has no key “{other}”")),
    }
    Ok(())
}

fn check(document: &Document) -> Result<(), String> {
    if document.title.is_empty() || document.description.is_empty() {
        return Err("needs a title and a description".to_owned());
    }
    let groups: &[&str] = match document.section.as_str() {
        "docs" => &DOC_GROUPS,
        "kb" => &KB_CATEGORIES,
        "blog" | "changelog" if document.date.is_none() => {
            return Err("needs a date, as 2026-11-20".to_owned());
        }
        _ => &[""],
    };
    if groups.contains(&document.group.as_str()) {
        Ok(())
    } else {
        Err(format!("there is no group “{}” in {}", document.group, document.section))
    }
}

fn day(key: &str, value: &str) -> Result<String, String> {
    match Date::parse(value, format_description!("[year]-[month]-[day]")) {
        Ok(_) => Ok(value.to_owned()),
        Err(_) => Err(format!("{key} “{value}” is not a day, as 2026-11-20")),
    }
}

/// A name of a page stands in addresses.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
    if !name.is_empty() && name.chars().all(plain) && !name.ends_with(".md") {
        Ok(())
    } else {
        Err(format!("“{name}” is no name for an address: lower case, digits and hyphens"))
    }
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

fn list(value: &str) -> Vec<String> {
    let parts = value.split(',').map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "---\ntitle: \"Ports: which are used\"\ndescription: D\norder: 7\nupdated: 2026-11-20\n\
                    group: Licenses\naliases: a, b,\ntags: one, two words\naudience: Administrators\n\
                    author: The Dev Forge team\ndate: 2026-02-28\n---\n\nHello.\n\n## More\n";
        let page = read("docs/ports.md", text).expect("sound");
        assert_eq!(page.title, "Ports: which are used");
        assert_eq!((page.order, page.group.as_str()), (7, "Licenses"));
        assert_eq!(page.aliases, ["a", "b"]);
        assert_eq!(page.tags, ["one", "two words"]);
        assert_eq!(page.audience.as_deref(), Some("Administrators"));
        assert_eq!(page.author.as_deref(), Some("The Dev Forge team"));
        assert_eq!((page.updated.as_deref(), page.date.as_deref()), (Some("2026-11-20"), Some("2026-02-28")));
        assert_eq!(page.markdown, "Hello.\n\n## More");
        assert_eq!(page.headings.len(), 1);
    }

    #[test]
    fn mistakes_are_named() {
        let front = |lines: &str| format!("---\ntitle: x\ndescription: y\n{lines}\n---\n");
        for (path, text, what) in [
            ("legal/x.md", "hello".to_owned(), "front matter"),
            ("legal/x.md", "---\ntitle: x\n".to_owned(), "no end"),
            ("legal/x.md", "---\ntitel: x\n---\n".to_owned(), "no key “titel”"),
            ("legal/x.md", "---\ntitle: x\n---\n".to_owned(), "description"),
            ("legal/x.md", front("order: z"), "not a number"),
            ("legal/x.md", front("order: 1\norder: 2"), "twice"),
            ("legal/x.md", front("updated: 2026-02-30"), "updated “2026-02-30” is not a day"),
            ("legal/x.md", front("date: soon"), "date “soon” is not a day"),
            ("legal/x.md", front("group: Licenses"), "no group “Licenses” in legal"),
            ("legal/x.md", format!("{}{{{{operator.fax}}}}", front("")), "nothing fills in"),
            ("legal/x.md", format!("{}# One\n", front("")), "level 1"),
            ("docs/x.md", front("group: Lizenzen"), "no group “Lizenzen” in docs"),
            ("docs/x.md", front(""), "no group “” in docs"),
            ("docs/x.md", front("group: Licenses\naliases: A b"), "“A b” is no name"),
            ("kb/x.md", front("group: Developers"), "no group “Developers” in kb"),
            ("blog/x.md", front(""), "needs a date"),
            ("changelog/1.0.md", front(""), "needs a date"),
            ("changelog/x.md", format!("{}## New\n", front("date: 2026-11-20")), "has a heading: all"),
            (
                "changelog/x.md",
                format!("{}a[^1]\n\n[^1]: b\n", front("date: 2026-11-20")),
                "has a footnote: ",
            ),
            ("changelog/x.md", format!("{}<b id=\"x\">y</b>\n", front("date: 2026-11-20")), "has an id: "),
            (
                "changelog/x.md",
                format!("{}:::tabs\n::tab A\n1\n::tab B\n2\n:::\n", front("date: 2026-11-20")),
                "has tabs: ",
            ),
            ("notes/x.md", front(""), "lies in “notes”"),
            ("docs/sub/x.md", front("group: Licenses"), "no name"),
            ("x.md", front(""), "folder"),
        ] {
            let error = read(path, &text).expect_err(what);
            assert!(error.contains(what), "{path}: {error}");
        }
    }
}
