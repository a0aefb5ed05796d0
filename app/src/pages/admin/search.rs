//! What people look for and do not find, and whether pages help: what to write next.

use axum::{extract::State, response::Response};
use devforge::{
    api::{error::ApiError, extract::Query},
    context::Context,
    search::asked::{self, Asked, Report},
    support::feedback::{self, Note, PageFigures},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    address::with_query,
    frame::{Here, Section, Viewer, choice, frame},
};
use crate::{
    components::Empty,
    pages::shell::{Page, Visit},
};

const PATH: &str = "/admin/search";
const MAX_NOTES: usize = 50;
/// The days that can be chosen; the first where an address names none of them.
const PERIODS: [(u16, &str, &str); 3] = [(30, "30", "30 days"), (7, "7", "7 days"), (90, "90", "90 days")];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PeriodQuery {
    days: String,
}

/// What was read for the page.
struct Insights {
    searches: Report,
    pages: Vec<PageFigures>,
    notes: Vec<Note>,
}

pub async fn search_asked_page(
    State(ctx): State<Context>,
    Query(query): Query<PeriodQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let (days, chosen, _) = period(&query.days);
    let insights = Insights {
        searches: asked::list(&ctx, &visit.caller, days).await?,
        pages: feedback::figures(&ctx, &visit.caller, days).await?,
        notes: feedback::notes(&ctx, &visit.caller, None, days).await?,
    };
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let page = Page::new("Search", "What people look for, and what helps them.", move || {
        frame(Here::Page(Section::Search), viewer, view(&insights, chosen))
    });
    Ok(page.render(&visit))
}

fn period(asked: &str) -> (u16, &'static str, &'static str) {
    PERIODS.into_iter().find(|(_, value, _)| *value == asked).unwrap_or(PERIODS[0])
}

fn view(insights: &Insights, chosen: &'static str) -> AnyView {
    let Insights { searches, pages, notes } = insights;
    view! {
        <h1 class="app-title">"Search"</h1>
        {period_form(chosen)}
        {looked_for(searches)}
        {helped(pages)}
        {(!notes.is_empty()).then(|| written(notes))}
    }
    .into_any()
}

fn period_form(chosen: &'static str) -> AnyView {
    let mut periods = PERIODS;
    periods.sort_unstable();
    let periods = periods.map(|(_, value, label)| choice(value, label, chosen)).collect_view();
    view! {
        <form class="admin-filter" method="get" action=PATH aria-label="Choose the days">
            <div class="field">
                <label for="search-days">"The last"</label>
                <select class="select" id="search-days" name="days">{periods}</select>
            </div>
            <div class="button-row">
                <button class="button secondary" type="submit">"Show"</button>
            </div>
        </form>
    }
    .into_any()
}

fn looked_for(searches: &Report) -> AnyView {
    let Report { totals, most, missed } = searches;
    if most.is_empty() {
        let text = "Searches are counted by day and words, never by person. Words that could be somebody's are not kept.";
        return view! { <Empty framed=true title="Nobody searched in these days" text=text/> }.into_any();
    }
    let summary = format!(
        "{} searches for {} different words; {} found nothing. Words that could be somebody's are not kept.",
        totals.asked, totals.different, totals.found_nothing
    );
    let not_found = if missed.is_empty() {
        view! { <Empty framed=true title="Everything was found" text="No search of these days was without an answer."/> }
            .into_any()
    } else {
        words("missed", "Not found", missed)
    };
    view! {
        <p>{summary}</p>
        {not_found}
        {words("most", "Looked for most", most)}
    }
    .into_any()
}

/// A table of words. Each leads to what the search finds now.
fn words(id: &'static str, title: &'static str, asked: &[Asked]) -> AnyView {
    let rows = asked
        .iter()
        .map(|asked| {
            let address = with_query("/search", &[("q", asked.words.as_str())]);
            view! {
                <tr>
                    <th scope="row"><a href=address>{asked.words.clone()}</a></th>
                    <td class="num">{asked.times.to_string()}</td>
                    <td class="num">{asked.found_nothing.to_string()}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby=id>
            <h2 class="panel-title" id=id>{title}</h2>
            <div class="table-wrap" tabindex="0" role="region" aria-label=title>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Words"</th>
                            <th class="num" scope="col">"Times"</th>
                            <th class="num" scope="col">"Found nothing"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn helped(pages: &[PageFigures]) -> AnyView {
    if pages.is_empty() {
        let text = "Docs and help articles ask “Was this helpful?” at their end.";
        return view! { <Empty framed=true title="Nobody said whether a page helped" text=text/> }.into_any();
    }
    let rows = pages
        .iter()
        .map(|page| {
            view! {
                <tr>
                    <th scope="row"><a href=page.path.clone()>{page.path.clone()}</a></th>
                    <td class="num">{page.yes.to_string()}</td>
                    <td class="num">{page.no.to_string()}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="helped">
            <h2 class="panel-title" id="helped">"Whether pages help"</h2>
            <div class="table-wrap" tabindex="0" role="region" aria-label="Whether pages help">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Page"</th>
                            <th class="num" scope="col">"Helped"</th>
                            <th class="num" scope="col">"Did not help"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

/// What readers wrote, newest first.
fn written(notes: &[Note]) -> AnyView {
    let rows = notes
        .iter()
        .take(MAX_NOTES)
        .map(|note| {
            view! {
                <tr>
                    <td>{note.day.to_string()}</td>
                    <th scope="row"><a href=note.path.clone()>{note.path.clone()}</a></th>
                    <td>{if note.helpful { "Yes" } else { "No" }}</td>
                    <td>{note.text.clone()}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="written">
            <h2 class="panel-title" id="written">"What readers wrote"</h2>
            <div class="table-wrap" tabindex="0" role="region" aria-label="What readers wrote">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Day"</th>
                            <th scope="col">"Page"</th>
                            <th scope="col">"Helped"</th>
                            <th scope="col">"What they wrote"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::period;

    #[test]
    fn what_is_no_period_is_a_month() {
        assert_eq!(period("7").0, 7);
        assert_eq!(period("90").0, 90);
        for text in ["", "30", "31", "-7", "9000"] {
            assert_eq!(period(text).0, 30, "{text}");
        }
    }
}
