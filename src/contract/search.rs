//! What searching takes and gives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What sort of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchKind {
    Docs,
    /// An article of the knowledge base.
    Article,
    Api,
    Blog,
    Changelog,
    Page,
    Legal,
}

impl SearchKind {
    /// In the order in which groups of hits are shown.
    pub const ALL: [Self; 7] =
        [Self::Docs, Self::Article, Self::Api, Self::Blog, Self::Changelog, Self::Page, Self::Legal];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docs => "docs",
            Self::Article => "article",
            Self::Api => "api",
            Self::Blog => "blog",
            Self::Changelog => "changelog",
            Self::Page => "page",
            Self::Legal => "legal",
        }
    }

    /// The word people see.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Docs => "Docs",
            Self::Article => "Help articles",
            Self::Api => "API reference",
            Self::Blog => "Blog",
            Self::Changelog => "Changelog",
            Self::Page => "Site",
            Self::Legal => "Legal",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// The heading of the section, or the title of the page.
    pub title: String,
    pub url: String,
    pub kind: SearchKind,
    /// Where it stands, from the outside in: the group, the page.
    pub trail: Vec<String>,
    /// The title as HTML, with nothing in it but text and `<mark>`.
    pub title_html: String,
    /// HTML with nothing in it but text and `<mark>`.
    pub excerpt_html: String,
}

/// How many hits there are of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchFacet {
    pub kind: SearchKind,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResults {
    pub items: Vec<SearchHit>,
    /// How many there are, of the kind that was asked for.
    pub total: u64,
    /// How many there are of each kind, whichever was asked for; kinds without any are left out.
    pub facets: Vec<SearchFacet>,
    /// What the words were taken for, where one of them stands nowhere: "licence" for "licnece".
    pub corrected: Option<String>,
}
