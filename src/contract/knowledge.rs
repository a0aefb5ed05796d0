//! Articles of the knowledge base as they travel.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::id::ArticleId;

/// An article in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArticleSummary {
    #[schema(value_type = String)]
    pub id: ArticleId,
    pub slug: String,
    pub title: String,
    /// A sentence of what it says; in search results the place that fits, as plain text.
    pub excerpt: String,
    pub url: String,
    pub category: String,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// How well it fits, between 0 and 1 within one answer; 1 in lists that are not searches.
    pub score: f32,
}

/// A whole article.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Article {
    #[schema(value_type = String)]
    pub id: ArticleId,
    pub slug: String,
    pub title: String,
    pub excerpt: String,
    pub url: String,
    pub category: String,
    pub tags: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Safe to show: nothing in it runs or loads from elsewhere.
    pub html: String,
    pub markdown: String,
    pub related: Vec<ArticleSummary>,
    /// Its texts so far, newest first.
    pub versions: Vec<ArticleVersion>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArticleVersion {
    pub version: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// Whether a page helped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackRequest {
    pub helpful: bool,
    /// What was missing, in up to 1,000 characters. Nobody can answer it.
    #[serde(default)]
    pub note: Option<String>,
}
