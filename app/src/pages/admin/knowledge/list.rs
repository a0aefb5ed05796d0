//! The list of articles, with its filters in the address.

use devforge::support::knowledge::{ArticleStatus, Filter, PER_PAGE, StaffSummary};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::PATH;
use crate::{
    components::{Badge, Empty, Icon, Pagination, RelativeTime},
    pages::admin::{address::with_query, frame::choice},
};

/// What the list was asked for, and how many articles fit.
pub struct Asked {
    pub filter: Filter,
    pub total: u64,
}

impl Asked {
    fn status(&self) -> &'static str {
        self.filter.status.map_or("", ArticleStatus::as_str)
    }

    fn narrows(&self) -> bool {
        !self.filter.words.is_empty() || self.filter.status.is_some()
    }

    fn page(&self, number: u32) -> String {
        let number = if number > 1 { number.to_string() } else { String::new() };
        let words = self.filter.words.as_str();
        with_query(PATH, &[("q", words), ("status", self.status()), ("page", &number)])
    }
}

pub fn articles(articles: &[StaffSummary], asked: &Asked, now: OffsetDateTime) -> AnyView {
    let content = if articles.is_empty() { nothing(asked) } else { table(articles, asked, now) };
    view! {
        <header class="admin-head">
            <h1 class="app-title">"Knowledge base"</h1>
            <a class="button secondary small" href="/admin/knowledge/new"><Icon name="plus" size=16/>"New article"</a>
            <a class="button ghost small" href="/support">"Open the help page"</a>
        </header>
        {filter(asked)}
        {content}
    }
    .into_any()
}

pub fn status_badge(status: ArticleStatus) -> AnyView {
    let (tone, icon) = match status {
        ArticleStatus::Draft => ("info", "edit"),
        ArticleStatus::Published => ("ok", "ok"),
        ArticleStatus::Archived => ("plain", "box"),
    };
    view! { <Badge tone=tone icon=icon label=status.label()/> }.into_any()
}

fn filter(asked: &Asked) -> AnyView {
    let statuses = ArticleStatus::ALL
        .map(|status| choice(status.as_str(), status.label(), asked.status()))
        .into_iter()
        .collect_view();
    let clear = asked.narrows().then(|| view! { <a class="button ghost" href=PATH>"Show every article"</a> });
    view! {
        <form class="admin-filter" method="get" action=PATH role="search" aria-label="Find articles">
            <div class="field">
                <label for="articles-q">"Words"</label>
                <span class="input-affix">
                    <Icon name="search"/>
                    <input
                        class="input"
                        id="articles-q"
                        type="search"
                        name="q"
                        value=asked.filter.words.clone()
                        maxlength="200"
                        autocomplete="off"
                    />
                </span>
            </div>
            <div class="field">
                <label for="articles-status">"State"</label>
                <select class="select" id="articles-status" name="status">
                    <option value="">"Every state"</option>
                    {statuses}
                </select>
            </div>
            <div class="button-row">
                <button class="button secondary" type="submit">"Search"</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

fn table(articles: &[StaffSummary], asked: &Asked, now: OffsetDateTime) -> AnyView {
    let rows = articles.iter().map(|article| row(article, now)).collect_view();
    let number = asked.filter.page;
    let first = u64::from((number - 1) * PER_PAGE) + 1;
    let last = first + articles.len() as u64 - 1;
    let previous = (number > 1).then(|| asked.page(number - 1));
    let next = (last < asked.total).then(|| asked.page(number + 1));
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Articles, last changed first">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"Article"</th>
                        <th scope="col">"Category"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Version"</th>
                        <th scope="col">"Changed"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <Pagination first=first last=last total=Some(asked.total) previous=previous next=next/>
    }
    .into_any()
}

fn row(article: &StaffSummary, now: OffsetDateTime) -> AnyView {
    let at = article.updated_at;
    view! {
        <tr>
            <th scope="row">
                <span class="admin-who">
                    <a href=format!("{PATH}/{}", article.id)>{article.title.clone()}</a>
                    <code class="meta">{article.slug.clone()}</code>
                </span>
            </th>
            <td data-label="Category">{article.category.clone()}</td>
            <td data-label="State">{status_badge(article.status)}</td>
            <td data-label="Version">{article.version.to_string()}</td>
            <td data-label="Changed"><RelativeTime at=at now=now/></td>
        </tr>
    }
    .into_any()
}

fn nothing(asked: &Asked) -> AnyView {
    if asked.narrows() || asked.filter.page > 1 {
        let everything = || view! { <a class="button secondary" href=PATH>"Show every article"</a> };
        return view! {
            <Empty
                title="No article matches"
                text="All of the words have to stand in it. Fewer words find more."
                actions=everything
            />
        }
        .into_any();
    }
    view! { <Empty title="No articles yet" text="Those you write stand here, as do those that come with the program."/> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_the_filters() {
        let filter = Filter { status: Some(ArticleStatus::Draft), words: "vat id".to_owned(), page: 1 };
        let asked = Asked { filter, total: 60 };
        assert_eq!(asked.page(2), "/admin/knowledge?q=vat%20id&status=draft&page=2");
        let asked = Asked { filter: Filter::default(), total: 0 };
        assert_eq!(asked.page(1), PATH);
    }
}
