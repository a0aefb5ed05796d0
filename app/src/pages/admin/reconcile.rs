//! Whether we and Stripe know the same: the last rounds of looking, and what they found.

use axum::{
    extract::State,
    response::{Redirect, Response},
};
use devforge::{
    account::Permission,
    api::{error::ApiError, extract::Query},
    billing::reconcile::{self as rounds, Difference, Report, Run, RunState, SHOWN_FOR},
    context::Context,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    DoneQuery,
    frame::{Here, Section, Viewer, frame},
};
use crate::{
    components::{Badge, Empty, Notice, RelativeTime},
    pages::shell::{Page, Visit},
};

pub async fn reconcile(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let report = rounds::latest(&ctx, &visit.caller).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let page = Page::new("Reconciling", "Where we and the payment provider differ.", move || {
        frame(Here::Page(Section::Reconcile), viewer, view(report, viewer, &query, now))
    });
    Ok(page.render(&visit))
}

/// The round runs as a job: many subscriptions take longer than a page may.
pub async fn reconcile_now(State(ctx): State<Context>, visit: Visit) -> Result<Redirect, ApiError> {
    rounds::request(&ctx, &visit.caller).await?;
    Ok(Redirect::to("/admin/reconcile?done=begun"))
}

fn view(report: Report, viewer: Viewer, query: &DoneQuery, now: OffsetDateTime) -> AnyView {
    let begun = (query.done == "begun").then(|| {
        view! {
            <Notice tone="info" title="A round has begun" live=true>
                <p>"Load this page again in a moment to see what it found."</p>
            </Notice>
        }
    });
    view! {
        <h1 class="app-title">"Reconciling"</h1>
        {begun}
        {last_round(report.runs.first(), viewer, now)}
        {differences(report.differences, now)}
        {(!report.runs.is_empty()).then(|| runs(&report.runs, now))}
    }
    .into_any()
}

/// How the last round went, and the button for another.
fn last_round(last: Option<&Run>, viewer: Viewer, now: OffsetDateTime) -> AnyView {
    let again = move || may_begin(viewer);
    let Some(last) = last else {
        return view! {
            <Notice tone="info" title="Nothing was compared yet" actions=again>
                <p>"Every hour, messages, subscriptions and open orders are compared with Stripe's."</p>
            </Notice>
        }
        .into_any();
    };
    let at = last.started_at;
    let (tone, title, text) = match last.state(now) {
        RunState::UnderWay => ("info", "A round is under way".to_owned(), "It began "),
        RunState::CutOff => (
            "bad",
            "The last round was cut off".to_owned(),
            "The next begins where the last good one ended. It began ",
        ),
        RunState::Done if last.differences == 0 && last.events_missed == 0 => {
            ("ok", "The last round found no difference".to_owned(), "It began ")
        }
        RunState::Done => {
            let title = format!(
                "The last round found {} and {}",
                counted(last.differences, "difference"),
                counted(last.events_missed.into(), "missed message")
            );
            ("warn", title, "All were read anew. It began ")
        }
    };
    view! {
        <Notice tone=tone title=title actions=again>
            <p>{text}<RelativeTime at=at now=now/>"."</p>
        </Notice>
    }
    .into_any()
}

fn may_begin(viewer: Viewer) -> Option<AnyView> {
    if !viewer.may(Permission::PaymentsManage) {
        return None;
    }
    Some(if viewer.is_fresh {
        view! {
            <form method="post" action="/admin/reconcile">
                <button class="button secondary small" type="submit">"Compare now"</button>
            </form>
        }
        .into_any()
    } else {
        view! { <a class="button secondary small" href="/account/confirm?next=/admin/reconcile">"Confirm to compare now"</a> }
            .into_any()
    })
}

fn differences(found: Vec<Difference>, now: OffsetDateTime) -> AnyView {
    if found.is_empty() {
        let text =
            format!("In the last {} days, what stands here was what Stripe has.", SHOWN_FOR.whole_days());
        return view! { <Empty framed=true title="Nothing differs" text=text/> }.into_any();
    }
    let rows = found
        .into_iter()
        .map(|difference| {
            let Difference { found_at, subject, field, ours, theirs } = difference;
            view! {
                <tr>
                    <td><RelativeTime at=found_at now=now/></td>
                    <th scope="row"><code>{subject}</code></th>
                    <td>{field.replace('_', " ")}</td>
                    <td>{ours}</td>
                    <td>{theirs}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section>
            <h2 class="panel-title">"Differences"</h2>
            <div class="table-wrap" tabindex="0" role="region" aria-label="Differences">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Found"</th>
                            <th scope="col">"What"</th>
                            <th scope="col">"Field"</th>
                            <th scope="col">"Here"</th>
                            <th scope="col">"At Stripe"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn runs(runs: &[Run], now: OffsetDateTime) -> AnyView {
    let rows = runs.iter().map(|run| row(run, now)).collect_view();
    view! {
        <section>
            <h2 class="panel-title">"Rounds"</h2>
            <div class="table-wrap" tabindex="0" role="region" aria-label="Rounds">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Begun"</th>
                            <th scope="col">"State"</th>
                            <th class="num" scope="col">"Messages read"</th>
                            <th class="num" scope="col">"Missed"</th>
                            <th class="num" scope="col">"Subscriptions read"</th>
                            <th class="num" scope="col">"Differences"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn row(run: &Run, now: OffsetDateTime) -> AnyView {
    let (tone, label) = match run.state(now) {
        RunState::UnderWay => ("info", "Under way"),
        RunState::Done => ("ok", "Done"),
        RunState::CutOff => ("bad", "Cut off"),
    };
    view! {
        <tr>
            <th scope="row"><RelativeTime at=run.started_at now=now/></th>
            <td><Badge tone=tone label=label/></td>
            <td class="num">{run.events_read.to_string()}</td>
            <td class="num">{run.events_missed.to_string()}</td>
            <td class="num">{run.subscriptions_read.to_string()}</td>
            <td class="num">{run.differences.to_string()}</td>
        </tr>
    }
    .into_any()
}

/// “1 difference”, “no missed messages”.
fn counted(count: i64, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(0, "missed message"), "no missed messages");
        assert_eq!(counted(1, "difference"), "1 difference");
        assert_eq!(counted(7, "difference"), "7 differences");
    }
}
