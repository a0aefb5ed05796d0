//! Everything under `content/`, read once and looked up from memory.

use std::collections::{BTreeMap, BTreeSet};

use rust_embed::RustEmbed;

use super::{DOC_GROUPS, Document, Error, fill, front_matter};
use crate::config::OperatorConfig;

const DOCS: &str = "docs";
const KB: &str = "kb";

/// From disk in a debug build, inside the binary in a release build.
#[derive(RustEmbed)]
#[folder = "content/"]
#[include = "*.md"]
struct Files;

#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    documents: BTreeMap<(String, String), Document>,
}

impl Catalogue {
    pub fn load(operator: &OperatorConfig) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        for path in Files::iter() {
            let fail = |what: &str| Error::Page { path: path.to_string(), what: what.to_owned() };
            let file = Files::get(&path).ok_or_else(|| fail("cannot be read"))?;
            let text = std::str::from_utf8(&file.data).map_err(|_| fail("is not UTF-8"))?;
            files.insert(path.to_string(), text.replace("\r\n", "\n"));
        }
        Self::from_files(&files, operator)
    }

    /// `files` by their paths below `content/`.
    pub(super) fn from_files(
        files: &BTreeMap<String, String>,
        operator: &OperatorConfig,
    ) -> Result<Self, Error> {
        let mut documents = BTreeMap::new();
        for (path, text) in files.iter().filter(|(path, _)| !path.starts_with(fill::FOLDER)) {
            let document = fill::includes(text, files)
                .map(|text| fill::operator(&text, operator))
                .and_then(|text| front_matter::read(path, &text))
                .map_err(|what| Error::Page { path: path.clone(), what })?;
            documents.insert((document.section.clone(), document.slug.clone()), document);
        }
        let catalogue = Self { documents };
        catalogue.check_aliases()?;
        Ok(catalogue)
    }

    /// A topic leads to one page.
    fn check_aliases(&self) -> Result<(), Error> {
        let mut taken: BTreeSet<(&str, &str)> =
            self.documents.keys().map(|(section, slug)| (section.as_str(), slug.as_str())).collect();
        for page in self.documents.values() {
            for alias in &page.aliases {
                if !taken.insert((page.section.as_str(), alias.as_str())) {
                    let what = format!("the alias “{alias}” is taken already");
                    return Err(Error::Page { path: page.file(), what });
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

    /// Every page of the site. The starting set of the knowledge base is none: its articles lie in the database.
    pub fn all(&self) -> impl Iterator<Item = &Document> {
        self.documents.values().filter(|page| page.section != KB)
    }

    /// The blog, the newest post first.
    pub fn posts(&self) -> Vec<&Document> {
        self.newest_first("blog")
    }

    /// The changelog, the newest release first.
    pub fn releases(&self) -> Vec<&Document> {
        self.newest_first("changelog")
    }

    fn newest_first(&self, section: &str) -> Vec<&Document> {
        let mut pages = self.section(section);
        pages.sort_by(|a, b| (&b.date, &b.slug).cmp(&(&a.date, &a.slug)));
        pages
    }

    /// Pages and articles alike, for the checks.
    pub(super) fn everything(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::operator;

    fn page(front: &str) -> String {
        format!("---\ntitle: A page\ndescription: What it says.\n{front}\n---\n\nText.\n")
    }

    fn of(files: &[(&str, String)]) -> Result<Catalogue, Error> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        Catalogue::from_files(&files, &operator())
    }

    #[test]
    fn every_page_loads_and_is_filled_in() {
        let catalogue = Catalogue::load(&operator()).expect("content is sound");
        assert!(catalogue.find("site", "about").is_some());
        let imprint = catalogue.find("legal", "imprint").expect("the imprint is there");
        assert!(imprint.html().contains("Example AB"));
        assert!(catalogue.section("legal").len() >= 4);
        assert!(catalogue.all().all(|page| page.section != KB));
    }

    #[test]
    fn a_topic_has_several_names_and_one_page() {
        let catalogue = Catalogue::load(&operator()).expect("content is sound");
        for page in catalogue.docs() {
            for topic in std::iter::once(&page.slug).chain(&page.aliases) {
                assert_eq!(catalogue.topic(topic).map(|found| &found.slug), Some(&page.slug), "{topic}");
            }
        }
        assert!(catalogue.topic("no-such-topic").is_none());
    }

    #[test]
    fn an_alias_is_taken_once() {
        let twice = [
            ("docs/a.md", page("group: Licenses\naliases: c")),
            ("docs/b.md", page("group: Licenses\naliases: c")),
        ];
        let error = of(&twice).expect_err("two pages want it").to_string();
        assert_eq!(error, "content/docs/b.md: the alias “c” is taken already");
        let own = [("docs/a.md", page("group: Licenses\naliases: a"))];
        assert!(of(&own).expect_err("it is its own name").to_string().contains("docs/a.md"));
        // The same word in two sections is two addresses.
        let apart = [("docs/a.md", page("group: Licenses\naliases: c")), ("legal/c.md", page(""))];
        assert!(of(&apart).is_ok());
    }

    #[test]
    fn the_newest_comes_first() {
        let posts = [
            ("blog/a.md", page("date: 2026-03-01")),
            ("blog/b.md", page("date: 2026-11-01")),
            ("blog/c.md", page("date: 2025-12-31")),
        ];
        let catalogue = of(&posts).expect("sound");
        let slugs: Vec<&str> = catalogue.posts().iter().map(|post| post.slug.as_str()).collect();
        assert_eq!(slugs, ["b", "a", "c"]);
    }

    #[test]
    fn an_entry_of_the_changelog_has_no_names_that_another_could_have() {
        let entry = |text: &str| format!("{}{text}\n", page("date: 2026-03-01"));
        let error = of(&[("changelog/a.md", entry("## New"))]).expect_err("it has a heading").to_string();
        assert!(error.starts_with("content/changelog/a.md: has a heading"), "{error}");
        assert!(of(&[("changelog/a.md", entry("```md\n## New\n```"))]).is_ok(), "code is none");
        assert!(of(&[("blog/a.md", entry("## New"))]).is_ok(), "a post stands alone");
    }

    #[test]
    fn a_mistake_names_its_file() {
        let error = of(&[("legal/x.md", "hello".to_owned())]).expect_err("no front matter").to_string();
        assert!(error.starts_with("content/legal/x.md: "), "{error}");
    }
}
