//! Team work: a sprint beside the branch it is about. The sprint is the one in the drawn editor's status bar.

use leptos::prelude::*;

use super::people;
use crate::components::Icon;

const DAYS: [&str; 10] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Mon", "Tue", "Wed", "Thu", "Fri"];
/// The day the line of the present stands in, counted from nothing.
const TODAY: usize = 5;

enum State {
    Done,
    Now,
    Later,
}

/// Who, what, and how far. The style sheet gives each its days, in this order.
const TASKS: [(&str, &str, State); 5] = [
    ("ML", "Token survives clock drift", State::Now),
    ("TR", "Seat limit names the machine", State::Done),
    ("IK", "Index follows renames", State::Now),
    ("TR", "Hold reasons in the review mail", State::Later),
    ("ML", "Cart survives sign-in", State::Done),
];

pub(super) fn plan() -> AnyView {
    view! {
        <section class="section page">
            <div class="hot-bar split turned">
                {sprint()}
                <div>
                    <h2 class="section-title">"Plan where the branch is"</h2>
                    <p>
                        "A team shares one sprint inside the editor. Work is planned next to the branch it lives on, so the plan and the code do not drift apart."
                    </p>
                </div>
            </div>
        </section>
    }
    .into_any()
}

fn sprint() -> AnyView {
    let days = DAYS
        .iter()
        .enumerate()
        .map(|(index, &day)| {
            if index == TODAY {
                view! { <span class="now">{day}</span> }.into_any()
            } else {
                view! { <span>{day}</span> }.into_any()
            }
        })
        .collect_view();
    let tasks = TASKS.into_iter().map(|(who, what, state)| task(who, what, &state)).collect_view();

    view! {
        <div
            class="panel sprint"
            role="img"
            aria-label="A sprint of ten days on its sixth: two pieces of work are done, two are under way and one is planned."
        >
            <div aria-hidden="true">
                <p class="sprint-head"><b>"Sprint 14"</b><span>"Clock drift and seats"</span>{people()}</p>
                <p class="days">{days}</p>
                <p class="work">{tasks}</p>
            </div>
        </div>
    }
    .into_any()
}

fn task(who: &'static str, what: &'static str, state: &State) -> AnyView {
    let class = match state {
        State::Done => "task",
        State::Now => "task now",
        State::Later => "task later",
    };
    let check = matches!(state, State::Done).then(|| view! { <Icon name="check" size=14/> });

    view! {
        <span class=class>
            <span class="task-name"><i>{who}</i><span class="truncate">{what}</span>{check}</span>
        </span>
    }
    .into_any()
}
