//! What searching gives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What sort of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchKind {
    Page,
    Docs,
    Legal,
    Api,
}

impl SearchKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Docs => "docs",
            Self::Legal => "legal",
            Self::Api => "api",
        }
    }

    /// The word people see.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Page => "Site",
            Self::Docs => "Docs",
            Self::Legal => "Legal",
            Self::Api => "API reference",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Page, Self::Docs, Self::Legal, Self::Api].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    pub title: String,
    pub url: String,
    pub kind: SearchKind,
    /// HTML with nothing in it but text and `<mark>`.
    pub excerpt_html: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResults {
    pub items: Vec<SearchHit>,
    pub total: u64,
}
