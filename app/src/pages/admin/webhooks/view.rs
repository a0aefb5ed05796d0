//! Messages of the payment provider as they are shown.

use devforge::{
    billing::inbox::{self, InboxFigures, InboxItem},
    contract::id::InboxId,
};
use leptos::prelude::*;
use serde_json::Value;
use time::OffsetDateTime;

use super::{MAX_TOPIC_CHARS, PATH};
use crate::{
    components::{Badge, Breadcrumb, CodeBlock, Empty, Field, Notice, RelativeTime},
    pages::{
        admin::{
            DoneQuery,
            address::with_query,
            frame::{Viewer, choice},
            proof::proof_first,
        },
        moments::moment,
    },
};

/// How an address names the messages that were not worked off.
pub const WAITING: &str = "waiting";
/// As many as `inbox::list` gives at most: a list this long may go on.
const PER_PAGE: usize = inbox::MAX_LIST as usize;

/// What the list was asked for, as the form shows it again.
#[derive(Debug, Clone)]
pub struct Asked {
    pub topic: String,
    pub only_waiting: bool,
    pub further_down: bool,
}

impl Asked {
    const fn state(&self) -> &'static str {
        if self.only_waiting { WAITING } else { "" }
    }

    fn narrows(&self) -> bool {
        !self.topic.is_empty() || self.only_waiting
    }

    fn page(&self, before: &str) -> String {
        with_query(PATH, &[("topic", self.topic.as_str()), ("state", self.state()), ("before", before)])
    }
}

pub fn messages(items: &[InboxItem], figures: InboxFigures, asked: &Asked, now: OffsetDateTime) -> AnyView {
    let content = if items.is_empty() { nothing(asked) } else { table(items, asked, now) };
    view! {
        <h1 class="app-title">"Webhooks"</h1>
        <dl class="facts">
            <div><dt>"Kept"</dt><dd>{figures.total.to_string()}</dd></div>
            <div><dt>"Not worked off"</dt><dd>{figures.waiting.to_string()}</dd></div>
            <div><dt>"Of these, failing"</dt><dd>{figures.failing.to_string()}</dd></div>
        </dl>
        {filter(asked)}
        {content}
    }
    .into_any()
}

fn filter(asked: &Asked) -> AnyView {
    let clear = asked.narrows().then(|| view! { <a class="button ghost" href=PATH>"Show everything"</a> });
    view! {
        <form class="admin-filter" method="get" action=PATH role="search" aria-label="Narrow the messages">
            <Field name="topic" label="Topic begins with, or the id of an event" value=asked.topic.clone()
                maxlength=MAX_TOPIC_CHARS as u32 autocomplete="off" optional=true/>
            <div class="field">
                <label for="webhooks-state">"State"</label>
                <select class="select" id="webhooks-state" name="state">
                    <option value="">"Every state"</option>
                    {choice(WAITING, "Not worked off", asked.state())}
                </select>
            </div>
            <div class="button-row">
                <button class="button secondary" type="submit">"Show"</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

fn table(items: &[InboxItem], asked: &Asked, now: OffsetDateTime) -> AnyView {
    let rows = items.iter().map(|item| row(item, now)).collect_view();
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Messages, newest first">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"Topic"</th>
                        <th scope="col">"Came"</th>
                        <th scope="col">"What became of it"</th>
                        <th scope="col" class="num">"Tries"</th>
                        <th scope="col">"Error"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pages(items, asked)}
    }
    .into_any()
}

fn row(item: &InboxItem, now: OffsetDateTime) -> AnyView {
    let at = item.received_at;
    let error = item.error.clone().unwrap_or_default();
    view! {
        <tr>
            <th scope="row">
                <span class="admin-who">
                    <a href=format!("{PATH}/{}", item.id)>{item.topic.clone()}</a>
                    <code class="meta">{item.event_id.clone()}</code>
                </span>
            </th>
            <td data-label="Came"><RelativeTime at=at now=now/></td>
            <td data-label="What became of it">{outcome_badge(item)}</td>
            <td data-label="Tries" class="num">{item.attempts.to_string()}</td>
            <td data-label="Error"><span class="order-error">{error}</span></td>
        </tr>
    }
    .into_any()
}

fn outcome_badge(item: &InboxItem) -> AnyView {
    let (tone, icon, label) = match (item.handled_at, item.outcome.as_deref()) {
        (Some(_), Some("applied")) => ("ok", "ok", "Applied"),
        (Some(_), Some("unknown")) => ("plain", "minus", "Not about us"),
        (Some(_), _) => ("plain", "check", "Nothing to do"),
        (None, _) if item.error.is_some() => ("bad", "bad", "Failing"),
        (None, _) => ("info", "clock", "Waiting"),
    };
    view! { <Badge tone=tone icon=icon label=label/> }.into_any()
}

/// The ways to newer and to older messages.
fn pages(items: &[InboxItem], asked: &Asked) -> Option<AnyView> {
    let newest = asked.further_down.then(|| {
        let address = asked.page("");
        view! { <a class="button secondary small" href=address>"Newest"</a> }
    });
    let older = items.last().filter(|_| items.len() >= PER_PAGE).map(|last| {
        let address = asked.page(&last.id.to_string());
        view! { <a class="button secondary small" href=address rel="next">"Older"</a> }
    });
    (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pagination" aria-label="Pages"><div class="button-row">{newest}{older}</div></nav> }
            .into_any()
    })
}

fn nothing(asked: &Asked) -> AnyView {
    if !asked.narrows() && !asked.further_down {
        return view! {
            <Empty title="Nothing has come yet" text="What the payment provider tells us stands here, with what became of it."/>
        }
        .into_any();
    }
    let everything = || view! { <a class="button secondary" href=PATH>"Show everything"</a> };
    view! {
        <Empty
            title="No message fits"
            text="A topic is found by how it begins, such as charge. An id has to be whole."
            actions=everything
        />
    }
    .into_any()
}

pub fn message(item: &InboxItem, body: &str, again: Option<AnyView>, query: &DoneQuery) -> AnyView {
    let trail = vec![("Webhooks".to_owned(), PATH.to_owned())];
    let replayed = (query.done == "replayed").then(|| {
        view! {
            <Notice tone="info" title="It is worked on again" live=true>
                <p>"Load this page again in a moment to see what became of it."</p>
            </Notice>
        }
    });
    let error = item.error.clone().map(|error| {
        view! { <Notice tone="bad" title="The last try failed"><p class="admin-reason">{error}</p></Notice> }
    });
    view! {
        <header class="admin-head">
            <Breadcrumb trail=trail here=item.topic.clone()/>
            <h1 class="app-title">{item.topic.clone()}</h1>
            {outcome_badge(item)}
        </header>
        {replayed}
        {error}
        {facts(item)}
        <CodeBlock title="What is kept of it" code=pretty(body)/>
        {again}
    }
    .into_any()
}

fn facts(item: &InboxItem) -> AnyView {
    let came = match item.origin.as_str() {
        "fetched" => "Found missing and fetched",
        _ => "Delivered by Stripe",
    };
    let handled = item.handled_at.map_or_else(|| "Not yet".to_owned(), moment);
    view! {
        <dl class="facts">
            <div><dt>"Happened"</dt><dd>{moment(item.occurred_at)}</dd></div>
            <div><dt>"Came"</dt><dd>{moment(item.received_at)}</dd></div>
            <div><dt>"How"</dt><dd>{came}</dd></div>
            <div><dt>"Worked off"</dt><dd>{handled}</dd></div>
            <div><dt>"Tries"</dt><dd>{item.attempts.to_string()}</dd></div>
            <div><dt>"Event at Stripe"</dt><dd><code>{item.event_id.clone()}</code></dd></div>
        </dl>
    }
    .into_any()
}

/// With its lines and indents. What is no JSON stands as it came.
fn pretty(body: &str) -> String {
    let read = serde_json::from_str::<Value>(body).and_then(|value| serde_json::to_string_pretty(&value));
    read.unwrap_or_else(|_| body.to_owned())
}

/// The button that has a message worked on once more.
pub fn again(id: InboxId, viewer: Viewer) -> AnyView {
    let page = format!("{PATH}/{id}");
    let proof = proof_first(viewer, &page);
    let action = format!("{page}/replay");
    view! {
        <section class="admin-panel" aria-labelledby="again">
            <h2 class="panel-title" id="again">"Work on it again"</h2>
            <p class="quiet small">
                "What it is about is read anew at Stripe. Doing this twice changes nothing that is right already."
            </p>
            {proof}
            <form method="post" action=action>
                <button class="button secondary" type="submit">"Replay this message"</button>
            </form>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_the_filters() {
        let asked = Asked { topic: "charge.".to_owned(), only_waiting: true, further_down: false };
        assert_eq!(asked.page("ibx_1"), "/admin/webhooks?topic=charge.&state=waiting&before=ibx_1");
    }

    #[test]
    fn what_is_no_json_stands_as_it_came() {
        assert_eq!(pretty("{\"a\":[1]}"), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(pretty("<not json"), "<not json");
    }
}
