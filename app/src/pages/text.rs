//! Pages that are one text: the legal pages and "About".
//!
//! The text arrives rendered from `content/` and is trusted. A page with a date is a legal text: its date says which
//! version somebody agreed to, and the other legal texts are linked at its end.

use leptos::prelude::*;
use time::Date;
use time::macros::format_description;

use crate::components::{Breadcrumb, Icon};

/// The legal texts in their order, as (title, address). The titles are those of the files in `content/legal/`.
pub const LEGAL_PAGES: [(&str, &str); 5] = [
    ("Terms of use", "/legal/terms"),
    ("Privacy", "/legal/privacy"),
    ("Refunds", "/legal/refunds"),
    ("Data processing agreement", "/legal/dpa"),
    ("Imprint", "/legal/imprint"),
];

pub struct TextPage<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// The day of the last change, as `2026-11-20`.
    pub updated: Option<&'a str>,
    /// Rendered from our own Markdown; it goes into the page as it is.
    pub html: String,
    /// The headings to list beside the text, as (id, text).
    pub contents: Vec<(String, String)>,
}

pub fn text_page(page: TextPage) -> AnyView {
    let title = page.title.to_owned();
    let here = page.title.to_owned();
    let description = page.description.to_owned();
    let legal = page.updated.is_some();
    let updated = page.updated.map(updated_line);
    let contents = (page.contents.len() > 1).then(|| contents_list(page.contents));
    let others = legal.then(|| other_legal_pages(page.title));

    view! {
        <div class="text-page page">
            <article class="text-main">
                <header class="text-head">
                    <Breadcrumb trail=vec![("Home".to_owned(), "/".to_owned())] here=here/>
                    <h1 class="page-title">{title}</h1>
                    <p class="lead">{description}</p>
                    {updated}
                </header>
                <div class="prose" inner_html=page.html></div>
                {others}
            </article>
            {contents}
        </div>
    }
    .into_any()
}

pub(super) fn updated_line(day: &str) -> AnyView {
    let machine = day.to_owned();
    let people = long_date(day);
    view! { <p class="meta">"Updated " <time datetime=machine>{people}</time></p> }.into_any()
}

pub(super) fn contents_list(contents: Vec<(String, String)>) -> AnyView {
    let items = contents
        .into_iter()
        .map(|(id, text)| view! { <li><a href=format!("#{id}")>{text}</a></li> })
        .collect_view();

    view! {
        <nav class="on-this-page" aria-labelledby="on-this-page">
            <h2 class="sub-title" id="on-this-page">"On this page"</h2>
            <ul>{items}</ul>
        </nav>
    }
    .into_any()
}

fn other_legal_pages(current: &str) -> AnyView {
    let items = LEGAL_PAGES
        .into_iter()
        .filter(|(title, _)| *title != current)
        .map(|(title, url)| view! { <li><a class="plain-link" href=url>{title}<Icon name="arrow" size=16/></a></li> })
        .collect_view();

    view! {
        <nav class="text-others" aria-labelledby="other-legal-pages">
            <h2 class="sub-title" id="other-legal-pages">"Other legal texts"</h2>
            <ul>{items}</ul>
        </nav>
    }
    .into_any()
}

/// `2026-11-20` as "20 November 2026". What is not a date is shown as it is.
pub(super) fn long_date(day: &str) -> String {
    let parsed = Date::parse(day, format_description!("[year]-[month]-[day]")).ok();
    parsed
        .and_then(|date| date.format(format_description!("[day padding:none] [month repr:long] [year]")).ok())
        .unwrap_or_else(|| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::long_date;

    #[test]
    fn dates_are_written_out() {
        assert_eq!(long_date("2026-11-20"), "20 November 2026");
        assert_eq!(long_date("2026-01-05"), "5 January 2026");
    }

    #[test]
    fn what_is_no_date_stays() {
        assert_eq!(long_date("soon"), "soon");
    }
}
