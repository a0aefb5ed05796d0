//! Help: the articles of the knowledge base, and the ways to reach us.
//!
//! What always holds: an article is shown under its own address alone; what it says has been through the cleaning of
//! foreign words.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    content,
    context::Context,
    contract::knowledge::{Article, ArticleSummary},
    support::knowledge,
};
use leptos::prelude::*;
use serde_json::json;
use time::{OffsetDateTime, UtcOffset, macros::format_description};

use super::{
    shell::{Page, Visit},
    text::updated_line,
};
use crate::components::{Breadcrumb, Empty, Helpful, Icon};

const PATH: &str = "/support";
const DESCRIPTION: &str =
    "Answers about licenses, billing, your account and the editor, and the ways to reach us.";

pub async fn index(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let articles = knowledge::list(&ctx).await?;
    let email = ctx.config.operator.email.clone();
    let page = Page::new("Help", DESCRIPTION, move || index_view(&articles, &email));
    Ok(page.breadcrumbs(&[("Home", "/"), ("Help", PATH)]).public(PATH).render(&visit))
}

pub async fn article(
    State(ctx): State<Context>,
    Path(slug): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let article = knowledge::find(&ctx, &slug).await?;
    let path = knowledge::path_of(&article.slug);
    if article.slug != slug {
        // Programs know it by its id.
        return Ok(Redirect::permanent(&path).into_response());
    }
    let day = day(article.updated_at);
    let answer = content::plain(&article.html, &ctx.config.http.public_url, &path);
    let question = json!({
        "@context": "https://schema.org",
        "@type": "FAQPage",
        "mainEntity": [{
            "@type": "Question",
            "name": article.title,
            "acceptedAnswer": { "@type": "Answer", "text": answer },
        }],
    });
    let trail = [("Home", "/"), ("Help", PATH), (article.title.as_str(), path.as_str())];
    let page = Page::new(format!("{} · Help", article.title), article.excerpt.clone(), {
        let (article, email) = (article.clone(), ctx.config.operator.email.clone());
        move || article_view(article, &email)
    });
    Ok(page
        .breadcrumbs(&trail)
        .structured(question)
        .kind("article")
        .dates(None, Some(&day))
        .public(path)
        .render(&visit))
}

/// `2026-11-20`, in UTC.
fn day(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

fn index_view(articles: &[ArticleSummary], email: &str) -> AnyView {
    let listed = if articles.is_empty() {
        let text = "Articles stand here once they are published. Until then, the docs have the answers.";
        let docs = || view! { <a class="button secondary" href="/docs">"Open the docs"</a> };
        view! { <Empty title="No articles yet" text=text actions=docs/> }.into_any()
    } else {
        let categories =
            articles.chunk_by(|one, next| one.category == next.category).map(category).collect_view();
        view! { <div class="support-categories">{categories}</div> }.into_any()
    };
    view! {
        <div class="support page">
            <header>
                <h1 class="page-title">"Help"</h1>
                <p class="lead">"Search the answers, or look through them. If none fits, write to us."</p>
                <form class="support-search" method="get" action="/search" role="search" aria-label="Search the help articles">
                    <input type="hidden" name="kind" value="article"/>
                    <label class="visually-hidden" for="support-query">"Search the help articles"</label>
                    <div class="input-affix">
                        <Icon name="search"/>
                        <input class="input" id="support-query" type="search" name="q" maxlength="200" autocomplete="off"/>
                    </div>
                    <button class="button primary" type="submit">"Search"</button>
                </form>
            </header>
            {listed}
            {ways(email)}
        </div>
    }
    .into_any()
}

/// The articles of one category, which has at least one.
fn category(articles: &[ArticleSummary]) -> AnyView {
    let name = articles.first().map(|article| article.category.clone()).unwrap_or_default();
    let links = articles
        .iter()
        .map(|article| {
            view! { <li><a href=knowledge::path_of(&article.slug)>{article.title.clone()}</a></li> }
        })
        .collect_view();
    let id = anchor(&name);
    view! {
        <section id=id>
            <h2 class="sub-title">{name}</h2>
            <ul>{links}</ul>
        </section>
    }
    .into_any()
}

/// Where a category stands on the page.
fn anchor(category: &str) -> String {
    knowledge::rules::slug_of(category)
}

fn ways(email: &str) -> AnyView {
    let mail = match email {
        "" => way(
            "mail",
            "Write to us",
            "/contact".to_owned(),
            "The form sends it to the people who run this site.",
        ),
        address => way(
            "mail",
            address,
            format!("mailto:{address}"),
            "People read it. Say which license or order it is about, and leave the key out.",
        ),
    };
    view! {
        <section class="support-ways" aria-labelledby="reach-us">
            <h2 class="section-title" id="reach-us">"Reach us"</h2>
            <ul class="rows">
                {mail}
                {way("pulse", "Status", "/status".to_owned(), "Whether everything works right now.")}
                {way("book", "Docs", "/docs".to_owned(), "How everything works, in full.")}
            </ul>
        </section>
    }
    .into_any()
}

fn way(icon: &'static str, title: &str, address: String, text: &'static str) -> AnyView {
    let title = title.to_owned();
    view! {
        <li class="row">
            <div>
                <p class="row-title"><Icon name=icon size=16/>" "<a href=address>{title}</a></p>
                <p>{text}</p>
            </div>
        </li>
    }
    .into_any()
}

fn article_view(article: Article, email: &str) -> AnyView {
    let path = knowledge::path_of(&article.slug);
    let category = format!("{PATH}#{}", anchor(&article.category));
    let trail = vec![("Help".to_owned(), PATH.to_owned()), (article.category.clone(), category)];
    let day = day(article.updated_at);
    let write = if email.is_empty() {
        "/contact".to_owned()
    } else {
        format!("mailto:{email}?subject={}", encode(&article.title))
    };
    view! {
        <div class="text-page support page">
            <article class="text-main">
                <header class="text-head">
                    <Breadcrumb trail=trail here=article.title.clone()/>
                    <h1 class="page-title">{article.title.clone()}</h1>
                    <p class="lead">{article.excerpt}</p>
                    {updated_line(&day)}
                </header>
                <div class="prose" inner_html=article.html></div>
                <Helpful path=path/>
                <p>"This did not help? "<a href=write>"Write to us"</a>"."</p>
                {related(&article.related)}
            </article>
        </div>
    }
    .into_any()
}

fn related(articles: &[ArticleSummary]) -> Option<AnyView> {
    if articles.is_empty() {
        return None;
    }
    let items = articles
        .iter()
        .map(|article| {
            let path = knowledge::path_of(&article.slug);
            view! { <li><a class="plain-link" href=path>{article.title.clone()}<Icon name="arrow" size=16/></a></li> }
        })
        .collect_view();
    let view = view! {
        <nav class="text-others" aria-labelledby="related-articles">
            <h2 class="sub-title" id="related-articles">"Related articles"</h2>
            <ul>{items}</ul>
        </nav>
    };
    Some(view.into_any())
}

/// For the query of an address.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{anchor, day, encode};

    #[test]
    fn what_stands_in_addresses_is_plain() {
        assert_eq!(encode("Find & keep"), "Find%20%26%20keep");
        assert_eq!(anchor("Privacy and network"), "privacy-and-network");
    }

    #[test]
    fn the_day_is_the_one_in_utc() {
        assert_eq!(day(datetime!(2026-11-21 00:30 +2)), "2026-11-20");
    }
}
