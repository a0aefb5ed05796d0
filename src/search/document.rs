//! What can be found: one document for each section of each written page. A kind of thing that is to be found
//! is added to [`collect`], and nowhere else.

use crate::{content::Catalogue, contract::search::SearchKind};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDocument {
    pub url: String,
    pub kind: SearchKind,
    pub title: String,
    pub body: String,
}

/// Everything there is, in a fixed order.
pub fn collect(catalogue: &Catalogue, api: &serde_json::Value) -> Vec<SearchDocument> {
    let mut documents = Vec::new();
    for page in catalogue.all() {
        let kind = match page.section.as_str() {
            "legal" => SearchKind::Legal,
            "docs" => SearchKind::Docs,
            _ => SearchKind::Page,
        };
        let intro = page.sections.iter().find(|section| section.heading.is_none());
        let intro = intro.map_or("", |section| section.text.trim());
        documents.push(SearchDocument {
            url: page.path(),
            kind,
            title: page.title.clone(),
            body: format!("{} {intro}", page.description).trim().to_owned(),
        });
        for section in &page.sections {
            let (url, title) = match &section.heading {
                Some(heading) => {
                    (format!("{}#{}", page.path(), heading.id), format!("{}: {}", page.title, heading.text))
                }
                None => continue,
            };
            documents.push(SearchDocument { url, kind, title, body: section.text.trim().to_owned() });
        }
    }
    documents.extend(operations(api));
    documents
}

fn operations(api: &serde_json::Value) -> Vec<SearchDocument> {
    let mut documents = Vec::new();
    let Some(paths) = api["paths"].as_object() else {
        return documents;
    };
    for (path, methods) in paths {
        let Some(methods) = methods.as_object() else {
            continue;
        };
        for (method, operation) in methods {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            let summary = operation["summary"].as_str().unwrap_or_default();
            let description = operation["description"].as_str().unwrap_or_default();
            documents.push(SearchDocument {
                url: format!("/docs/api#{id}"),
                kind: SearchKind::Api,
                title: format!("{} {path}", method.to_uppercase()),
                body: format!("{summary} {description}").trim().to_owned(),
            });
        }
    }
    documents
}
