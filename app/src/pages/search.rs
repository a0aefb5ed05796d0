//! The search page: the same search as the palette's, for who has no script, and for addresses that can be shared.

use axum::{extract::State, response::Response};
use devforge::{
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::search::{SearchFacet, SearchHit, SearchKind, SearchResults},
    search::{MAX_QUERY_CHARS, asked},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::shell::{Page, Visit};
use crate::{
    components::{Empty, Icon, Pagination, Tab, Tabs},
    islands::Question,
};

const PER_PAGE: usize = 20;
/// Nobody reads further, and words that are found so often say nothing.
const LAST_PAGE: usize = 25;

/// Where people go who did not find it.
const PLACES: [(&str, &str); 4] = [
    ("Open the docs", "/docs"),
    ("Help articles", "/support"),
    ("See prices", "/pricing"),
    ("Write to us", "/contact"),
];

/// What is in the address. A kind or page that does not exist is left out of account: old links stay good.
#[derive(Debug, Deserialize)]
pub struct SearchQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    page: String,
}

/// What was asked, and the page of it that is shown.
struct Asked {
    question: Question,
    page: usize,
}

pub async fn search_page(
    State(ctx): State<Context>,
    Query(query): Query<SearchQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let text: String = query.q.chars().take(MAX_QUERY_CHARS).collect();
    let question = Question { text: text.trim().to_owned(), kind: SearchKind::parse(&query.kind) };
    let page = query.page.parse::<usize>().unwrap_or(1).clamp(1, LAST_PAGE);
    let mut asked = Asked { question, page };
    let mut results = find(&ctx, &asked).await?;
    if results.items.is_empty() && results.total > 0 {
        asked.page = last_page(results.total);
        results = find(&ctx, &asked).await?;
    }
    if asked.question.text.is_empty() {
        return Ok(Page::new("Search", DESCRIPTION, move || search(&asked, results))
            .public("/search")
            .render(&visit));
    }
    if asked.page == 1 {
        asked::note(&ctx, &asked.question.text, of_all_kinds(&results.facets));
    }
    let title = format!("{} · Search", asked.question.text);
    Ok(Page::new(title, DESCRIPTION, move || search(&asked, results)).render(&visit))
}

const DESCRIPTION: &str = "Search every page of this site.";

async fn find(ctx: &Context, asked: &Asked) -> Result<SearchResults, ApiError> {
    let Question { text, kind } = &asked.question;
    let offset = (asked.page - 1) * PER_PAGE;
    Ok(ctx.search.look_for(text, *kind, PER_PAGE, offset).await?)
}

fn last_page(total: u64) -> usize {
    usize::try_from(total).unwrap_or(usize::MAX).div_ceil(PER_PAGE).clamp(1, LAST_PAGE)
}

fn of_all_kinds(facets: &[SearchFacet]) -> u64 {
    facets.iter().map(|facet| facet.count).sum()
}

fn search(asked: &Asked, results: SearchResults) -> AnyView {
    let text = asked.question.text.clone();
    let answer = if text.is_empty() {
        nothing_asked()
    } else if results.items.is_empty() {
        nothing_found(&asked.question, &results)
    } else {
        found(asked, results)
    };
    let kind = asked.question.kind.map(|kind| {
        view! { <input type="hidden" name="kind" value=kind.as_str()/> }
    });

    view! {
        <div class="search-page page">
            <h1 class="page-title">"Search"</h1>
            <form class="search-form" method="get" action="/search" role="search" aria-label="Search this site">
                <label class="visually-hidden" for="search-query">"Search this site"</label>
                <div class="input-affix">
                    <Icon name="search"/>
                    <input
                        class="input"
                        id="search-query"
                        type="search"
                        name="q"
                        value=text.clone()
                        maxlength="200"
                        autocomplete="off"
                        autofocus=text.is_empty()
                    />
                </div>
                {kind}
                <button class="button primary" type="submit">"Search"</button>
            </form>
            {answer}
        </div>
    }
    .into_any()
}

fn nothing_asked() -> AnyView {
    view! {
        <p class="lead search-start">"Type a word, a setting or an error message. It is looked up in every page of this site."</p>
        <div class="button-row">{places()}</div>
    }
    .into_any()
}

fn places() -> impl IntoView {
    PLACES
        .into_iter()
        .map(|(label, address)| view! { <a class="button secondary" href=address>{label}</a> })
        .collect_view()
}

fn found(asked: &Asked, results: SearchResults) -> AnyView {
    let Asked { question, page } = asked;
    let first = ((page - 1) * PER_PAGE) as u64 + 1;
    let last = first + results.items.len() as u64 - 1;
    let summary = summary(&question.text, results.corrected.as_deref(), results.total);
    let kinds = kinds(question, &results.facets);
    let whole = question.kind.is_none();
    let rows = results.items.into_iter().map(|hit| row(hit, whole)).collect_view();
    let at = |page: usize| format!("/search?{}&page={page}", question.query());
    let previous = (*page > 1).then(|| at(page - 1));
    let next = (*page < last_page(results.total)).then(|| at(page + 1));
    let pages = (previous.is_some() || next.is_some()).then(|| {
        view! { <Pagination first=first last=last total=Some(results.total) previous=previous next=next/> }
    });

    view! {
        {kinds}
        <h2 class="search-summary" id="results">{summary}</h2>
        <ol class="rows" aria-labelledby="results">{rows}</ol>
        {pages}
    }
    .into_any()
}

/// The kinds that have something, and the chosen one.
fn kinds(question: &Question, facets: &[SearchFacet]) -> AnyView {
    let tab = |label: &str, kind: Option<SearchKind>, count: u64| Tab {
        label: label.to_owned(),
        href: format!("/search?{}", Question { text: question.text.clone(), kind }.query()),
        current: question.kind == kind,
        count: Some(count),
    };
    let counted = |kind| facets.iter().find(|facet| facet.kind == kind).map_or(0, |facet| facet.count);
    let mut tabs = vec![tab("All", None, of_all_kinds(facets))];
    for kind in SearchKind::ALL {
        let count = counted(kind);
        if count > 0 || question.kind == Some(kind) {
            tabs.push(tab(kind.label(), Some(kind), count));
        }
    }
    view! { <Tabs label="Kinds of results" tabs=tabs/> }.into_any()
}

fn row(hit: SearchHit, names_kind: bool) -> AnyView {
    let mut place = hit.trail;
    if names_kind {
        place.insert(0, hit.kind.label().to_owned());
    }
    view! {
        <li class="row hit">
            <p class="hit-head"><a href=hit.url inner_html=hit.title_html></a><span class="meta">{place.join(" / ")}</span></p>
            <p class="hit-excerpt" inner_html=hit.excerpt_html></p>
        </li>
    }
    .into_any()
}

fn nothing_found(question: &Question, results: &SearchResults) -> AnyView {
    let title = format!("Nothing matches “{}”", question.text);
    let elsewhere = of_all_kinds(&results.facets);
    let text = match question.kind {
        Some(kind) if elsewhere > 0 => format!("Not among {}, but elsewhere on this site.", kind.label()),
        _ => "Fewer or shorter words find more. A word from an error message is often enough.".to_owned(),
    };
    let kinds = (elsewhere > 0 || question.kind.is_some()).then(|| kinds(question, &results.facets));
    view! {
        {kinds}
        <Empty title=title text=text actions=places/>
    }
    .into_any()
}

fn summary(text: &str, corrected: Option<&str>, total: u64) -> String {
    let count = if total == 1 { "One result".to_owned() } else { format!("{total} results") };
    match corrected {
        Some(corrected) => format!("{count} for “{corrected}”. “{text}” stands nowhere on this site."),
        None => format!("{count} for “{text}”"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_and_names_what_was_looked_for_instead() {
        assert_eq!(summary("token", None, 1), "One result for “token”");
        assert_eq!(summary("token", None, 41), "41 results for “token”");
        assert!(summary("licnece", Some("license"), 3).starts_with("3 results for “license”"));
    }

    #[test]
    fn there_is_always_a_last_page() {
        assert_eq!((last_page(0), last_page(20), last_page(21)), (1, 1, 2));
        assert_eq!(last_page(u64::MAX), LAST_PAGE);
    }
}
