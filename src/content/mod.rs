//! Pages that are written rather than programmed: Markdown with front matter under `content/`.
//!
//! What always holds: the catalogue is whole or not there. A page without a title, with an unknown key, or
//! with a link to nowhere fails the start (and the tests), never a reader.

mod markdown;

use std::collections::{BTreeMap, BTreeSet};

use rust_embed::RustEmbed;

use crate::config::OperatorConfig;

pub use markdown::Heading;

const DOCS: &str = "docs";

/// From disk in a debug build, inside the binary in a release build.
#[derive(RustEmbed)]
#[folder = "content/"]
#[include = "*.md"]
struct Files;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("content/{path}: {what}")]
    Page { path: String, what: String },
}

/// The groups of the docs, in the order in which they are read.
pub const DOC_GROUPS: [&str; 5] = ["Licenses", "Account", "Buying", "Developers", "Running Dev Forge"];

/// One written page.
#[derive(Debug, Clone)]
pub struct Document {
    /// The folder it lies in: `docs`, `legal`, `site`.
    pub section: String,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub order: u32,
    /// `2026-11-20`.
    pub updated: Option<String>,
    /// Which of [`DOC_GROUPS`] it belongs to, when it is one of the docs.
    pub group: String,
    /// Other topics that lead here.
    pub aliases: Vec<String>,
    /// What it was made of, without the front matter.
    pub markdown: String,
    pub html: String,
    pub headings: Vec<Heading>,
    /// The words under each heading, for the search index; the first part stands before any heading.
    pub sections: Vec<Section>,
}

#[derive(Debug, Clone, Default)]
pub struct Section {
    pub heading: Option<Heading>,
    pub text: String,
}

impl Document {
    /// Where the page is on the site.
    pub fn path(&self) -> String {
        if self.section == "site" {
            format!("/{}", self.slug)
        } else {
            format!("/{}/{}", self.section, self.slug)
        }
    }
}

/// Everything under `content/`, rendered once.
#[derive(Debug, Clone)]
pub struct Catalogue {
    documents: BTreeMap<(String, String), Document>,
}

impl Catalogue {
    pub fn load(operator: &OperatorConfig) -> Result<Self, Error> {
        let mut documents = BTreeMap::new();
        for path in Files::iter() {
            let fail = |what: String| Error::Page { path: path.to_string(), what };
            let file = Files::get(&path).ok_or_else(|| fail("cannot be read".to_owned()))?;
            let text = std::str::from_utf8(&file.data).map_err(|_| fail("is not UTF-8".to_owned()))?;
            let document = parse(&path, &fill_in(text, operator)).map_err(fail)?;
            documents.insert((document.section.clone(), document.slug.clone()), document);
        }
        let catalogue = Self { documents };
        catalogue.check_aliases()?;
        Ok(catalogue)
    }

    /// A topic leads to one page.
    fn check_aliases(&self) -> Result<(), Error> {
        let mut taken = BTreeSet::new();
        for page in self.docs() {
            for topic in std::iter::once(&page.slug).chain(&page.aliases) {
                if !taken.insert(topic) {
                    let what = format!("another page has the topic “{topic}” already");
                    return Err(Error::Page { path: format!("{}/{}.md", page.section, page.slug), what });
                }
            }
        }
        Ok(())
    }

    pub fn find(&self, section: &str, slug: &str) -> Option<&Document> {
        self.documents.get(&(section.to_owned(), slug.to_owned()))
    }

    /// The pages of a section in their order.
    pub fn section(&self, section: &str) -> Vec<&Document> {
        let mut pages: Vec<&Document> =
            self.documents.values().filter(|page| page.section == section).collect();
        pages.sort_by_key(|page| (page.order, &page.slug));
        pages
    }

    /// The docs in the order in which they are read.
    pub fn docs(&self) -> Vec<&Document> {
        let place = |page: &Document| DOC_GROUPS.iter().position(|group| *group == page.group);
        let mut pages = self.section(DOCS);
        pages.sort_by_key(|page| (place(page), page.order));
        pages
    }

    /// The page of the docs about a topic: by its own name, or by another one of its names.
    pub fn topic(&self, topic: &str) -> Option<&Document> {
        self.find(DOCS, topic).or_else(|| {
            self.documents
                .values()
                .find(|page| page.section == DOCS && page.aliases.iter().any(|alias| alias == topic))
        })
    }

    pub fn all(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }
}

/// `{{operator.…}}` stands for what only the one who runs the site knows.
fn fill_in(text: &str, operator: &OperatorConfig) -> String {
    let or_unset = |value: &str| {
        if value.is_empty() { "not set on this installation".to_owned() } else { value.to_owned() }
    };
    text.replace("{{operator.name}}", &or_unset(&operator.name))
        .replace("{{operator.address}}", &or_unset(&operator.address))
        .replace("{{operator.email}}", &or_unset(&operator.email))
        .replace("{{operator.country}}", &or_unset(&operator.country))
}

fn parse(path: &str, text: &str) -> Result<Document, String> {
    let (section, file) = path.rsplit_once('/').ok_or("must lie in a folder")?;
    let slug = file.strip_suffix(".md").ok_or("must end in .md")?;
    let rest = text.strip_prefix("---\n").ok_or("must begin with front matter (a line of ---)")?;
    let (front, body) = rest.split_once("\n---\n").ok_or("its front matter has no end (a line of ---)")?;
    let mut document = Document {
        section: section.to_owned(),
        slug: slug.to_owned(),
        title: String::new(),
        description: String::new(),
        order: 100,
        updated: None,
        group: String::new(),
        aliases: Vec::new(),
        markdown: String::new(),
        html: String::new(),
        headings: Vec::new(),
        sections: Vec::new(),
    };
    for line in front.lines().filter(|line| !line.trim().is_empty()) {
        let (key, value) = line.split_once(':').ok_or_else(|| format!("“{line}” is not `key: value`"))?;
        let value = value.trim().trim_matches('"').to_owned();
        match key.trim() {
            "title" => document.title = value,
            "description" => document.description = value,
            "order" => {
                document.order = value.parse().map_err(|_| format!("order “{value}” is not a number"))?;
            }
            "updated" => document.updated = Some(value),
            "group" => document.group = value,
            "aliases" => {
                let aliases = value.split(',').map(|alias| alias.trim().to_owned());
                document.aliases = aliases.filter(|alias| !alias.is_empty()).collect();
            }
            other => return Err(format!("front matter has no key “{other}”")),
        }
    }
    if document.title.is_empty() || document.description.is_empty() {
        return Err("needs a title and a description".to_owned());
    }
    if document.section == DOCS && !DOC_GROUPS.contains(&document.group.as_str()) {
        return Err(format!("has no group “{}”", document.group));
    }
    if body.contains("{{") {
        return Err("has a {{…}} that nothing fills in".to_owned());
    }
    let rendered = markdown::render(body);
    body.trim().clone_into(&mut document.markdown);
    document.html = rendered.html;
    document.headings = rendered.headings;
    document.sections = rendered.sections;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_loads_and_is_filled_in() {
        let operator = OperatorConfig {
            name: "Example AB".to_owned(),
            address: String::new(),
            email: "post@example.com".to_owned(),
            country: "Sweden".to_owned(),
        };
        let catalogue = Catalogue::load(&operator).expect("content is sound");
        assert!(catalogue.find("site", "about").is_some());
        let imprint = catalogue.find("legal", "imprint").expect("the imprint is there");
        assert!(imprint.html.contains("Example AB"));
        assert!(catalogue.section("legal").len() >= 4);
    }

    #[test]
    fn links_between_pages_lead_somewhere() {
        let operator = OperatorConfig {
            name: String::new(),
            address: String::new(),
            email: String::new(),
            country: String::new(),
        };
        let catalogue = Catalogue::load(&operator).expect("content is sound");
        let mut broken = Vec::new();
        for page in catalogue.all() {
            for link in page.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let (path, anchor) =
                    link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
                let target = match path.strip_prefix("/docs/") {
                    _ if path.is_empty() => Some(page),
                    Some("api") | None => continue,
                    Some(topic) => catalogue.find(DOCS, topic),
                };
                let has = |anchor: &str| {
                    let ids = target.into_iter().flat_map(|target| &target.headings);
                    ids.into_iter().any(|heading| heading.id == anchor) || anchor.starts_with("fn")
                };
                if target.is_none() || anchor.is_some_and(|anchor| !has(anchor)) {
                    broken.push(format!("{}: {link}", page.path()));
                }
            }
        }
        assert!(broken.is_empty(), "{broken:#?}");
    }

    #[test]
    fn a_topic_has_several_names_and_one_page() {
        let operator = OperatorConfig {
            name: String::new(),
            address: String::new(),
            email: String::new(),
            country: String::new(),
        };
        let catalogue = Catalogue::load(&operator).expect("content is sound");
        for page in catalogue.docs() {
            for topic in std::iter::once(&page.slug).chain(&page.aliases) {
                assert_eq!(catalogue.topic(topic).map(|found| &found.slug), Some(&page.slug), "{topic}");
            }
        }
        assert!(catalogue.topic("no-such-topic").is_none());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, what) in [
            ("hello", "front matter"),
            ("---\ntitle: x\n", "no end"),
            ("---\ntitel: x\n---\n", "no key “titel”"),
            ("---\ntitle: x\n---\n", "description"),
            ("---\ntitle: x\ndescription: y\norder: z\n---\n", "not a number"),
            ("---\ntitle: x\ndescription: y\n---\n{{operator.fax}}", "nothing fills in"),
        ] {
            let error = parse("legal/x.md", text).expect_err(what);
            assert!(error.contains(what), "{error}");
        }
    }
}
