//! The search page: the same search as the palette's, for who has no script, and for addresses that can be shared.

use leptos::prelude::*;

use crate::components::{Empty, Icon};

pub struct SearchHit {
    pub title: String,
    pub url: String,
    /// The section and kind, for people: "Docs, Licenses".
    pub kind: String,
    /// Escaped by the search, with the matches in `<mark>`.
    pub excerpt_html: String,
}

pub fn search(query: &str, hits: Vec<SearchHit>, total: usize) -> AnyView {
    let asked = query.trim().to_owned();
    let answer = if asked.is_empty() {
        view! { <p class="lead search-start">"Type a word, a setting or an error message. It is looked up in every page of this site."</p> }.into_any()
    } else if hits.is_empty() {
        nothing_found(&asked)
    } else {
        results(&asked, hits, total)
    };

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
                        value=query.to_owned()
                        maxlength="200"
                        autocomplete="off"
                        autofocus=asked_nothing(query)
                    />
                </div>
                <button class="button primary" type="submit">"Search"</button>
            </form>
            {answer}
        </div>
    }
    .into_any()
}

fn results(query: &str, hits: Vec<SearchHit>, total: usize) -> AnyView {
    let summary = summary(query, hits.len(), total);
    let rows = hits
        .into_iter()
        .map(|hit| {
            view! {
                <li class="row hit">
                    <p class="hit-head"><a href=hit.url>{hit.title}</a><span class="meta">{hit.kind}</span></p>
                    <p class="hit-excerpt" inner_html=hit.excerpt_html></p>
                </li>
            }
        })
        .collect_view();

    view! {
        <h2 class="search-summary" id="results">{summary}</h2>
        <ol class="rows" aria-labelledby="results">{rows}</ol>
    }
    .into_any()
}

fn nothing_found(query: &str) -> AnyView {
    let title = format!("Nothing matches “{query}”");
    let text = "Fewer or shorter words find more. A word from an error message is often enough.";
    view! { <Empty title=title text=text/> }.into_any()
}

fn asked_nothing(query: &str) -> bool {
    query.trim().is_empty()
}

fn summary(query: &str, shown: usize, total: usize) -> String {
    match total.max(shown) {
        1 => format!("One result for “{query}”"),
        all if all > shown => format!("The first {shown} of {all} results for “{query}”"),
        all => format!("{all} results for “{query}”"),
    }
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn the_summary_counts() {
        assert_eq!(summary("token", 1, 1), "One result for “token”");
        assert_eq!(summary("token", 3, 3), "3 results for “token”");
        assert_eq!(summary("token", 20, 41), "The first 20 of 41 results for “token”");
    }

    #[test]
    fn a_total_below_what_is_shown_is_not_believed() {
        assert_eq!(summary("token", 3, 0), "3 results for “token”");
    }
}
