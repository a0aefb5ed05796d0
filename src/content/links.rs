//! Where pages point to: every link inside the site has to lead to a page that is there, and to a heading of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, Document, markdown::picture};

/// What was found: mistakes, and the addresses that are not written pages.
#[derive(Debug, Default)]
pub struct LinkCheck {
    /// `content/docs/a.md: /docs/b#c (there is no such heading)`.
    pub broken: Vec<String>,
    /// Links that the program answers, as `/docs/api#search`, each with a file that has it.
    pub elsewhere: BTreeMap<String, String>,
}

impl Catalogue {
    pub fn check_links(&self) -> LinkCheck {
        let pages: BTreeMap<String, &Document> = self.everything().map(|page| (page.path(), page)).collect();
        let aliases: BTreeSet<String> = self
            .everything()
            .flat_map(|page| page.aliases.iter().map(|alias| format!("/{}/{alias}", page.section)))
            .collect();
        let mut check = LinkCheck::default();
        for page in self.everything() {
            for link in &page.links {
                let mut fail = |what: &str| {
                    check.broken.push(format!("content/{}: {link} ({what})", page.file()));
                };
                match target(link) {
                    Target::Outside => {}
                    Target::Unclear => fail("begin with / or with https://"),
                    Target::Picture(name) if picture::is_there(name) => {}
                    Target::Picture(_) => fail("public/ has no such file"),
                    Target::Inside { path, anchor } => {
                        let found = if path.is_empty() { Some(page) } else { pages.get(path).copied() };
                        match found {
                            Some(found) if anchor.is_some_and(|anchor| !has(found, anchor)) => {
                                fail("there is no such heading");
                            }
                            Some(_) => {}
                            None if aliases.contains(path) => fail("use the page itself"),
                            None if path.ends_with(".md") && pages.contains_key(&path[..path.len() - 3]) => {}
                            None if written(path) => fail("there is no such page"),
                            None => {
                                check.elsewhere.entry(link.clone()).or_insert_with(|| page.file());
                            }
                        }
                    }
                }
            }
        }
        check
    }
}

enum Target<'a> {
    Outside,
    Unclear,
    Picture(&'a str),
    Inside { path: &'a str, anchor: Option<&'a str> },
}

fn target(link: &str) -> Target<'_> {
    let outside = ["https://", "http://", "mailto:", "devforge:"];
    if outside.iter().any(|scheme| link.starts_with(scheme)) {
        return Target::Outside;
    }
    if let Some(name) = link.strip_prefix("/assets/") {
        return Target::Picture(name);
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let path = path.split('?').next().unwrap_or_default();
    if path.starts_with("//") || !(path.starts_with('/') || (path.is_empty() && anchor.is_some())) {
        return Target::Unclear;
    }
    Target::Inside { path, anchor }
}

fn has(page: &Document, anchor: &str) -> bool {
    page.headings.iter().any(|heading| heading.id == anchor)
}

/// Whether every address of this shape is a written page. The reference of the API is made by the program, and so
/// are feeds and tags.
fn written(path: &str) -> bool {
    let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| !rest.contains('/'));
    let made = ["/docs/api", "/changelog/feed.xml", "/changelog/feed.json"];
    !made.contains(&path)
        && ["/docs/", "/blog/", "/changelog/", "/legal/", "/support/articles/"].into_iter().any(below)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::content::operator;

    fn check(text: &str) -> LinkCheck {
        let page = |text: &str| {
            format!("---\ntitle: A\ndescription: B\ngroup: Licenses\naliases: old\n---\n{text}\n")
        };
        let other = "---\ntitle: A\ndescription: B\n---\n## There is [one](#there-is-one)\n".to_owned();
        let files = BTreeMap::from([("docs/a.md".to_owned(), page(text)), ("legal/b.md".to_owned(), other)]);
        Catalogue::from_files(&files, &operator()).expect("sound").check_links()
    }

    #[test]
    fn links_that_lead_somewhere() {
        let found = check(
            "## Here\n[a](#here) [b](/legal/b) [c](/legal/b#there-is-one) [d](https://example.com) \
             [e](/docs/api#x) [f](/pricing?x=1) [g](mailto:a@example.com) [h](/docs/a.md) <b@example.com>\n\n\
             ![i](/assets/mark.svg)",
        );
        assert!(found.broken.is_empty(), "{:?}", found.broken);
        assert_eq!(found.elsewhere.keys().collect::<Vec<_>>(), ["/docs/api#x", "/pricing?x=1"]);
    }

    #[test]
    fn links_that_do_not() {
        for (link, what) in [
            ("[x](#nowhere)", "#nowhere (there is no such heading)"),
            ("[x](/legal/b#nowhere)", "no such heading"),
            ("[x](/docs/none)", "no such page"),
            ("[x](/docs/old)", "use the page itself"),
            ("[x](b.md)", "begin with /"),
            ("[x](//example.com)", "begin with /"),
            ("![x](/assets/none)", "no such file"),
            ("[x](/support/articles/none)", "no such page"),
        ] {
            let found = check(link).broken;
            assert_eq!(found.len(), 1, "{link}: {found:?}");
            assert!(found[0].starts_with("content/docs/a.md: ") && found[0].contains(what), "{found:?}");
        }
    }

    #[test]
    fn every_written_page_points_somewhere() {
        let broken = Catalogue::load(&operator()).expect("content is sound").check_links().broken;
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
