//! Teams: what a fire team and a sprint are, what is shared in them, and what never is.

use leptos::prelude::*;

use super::parts::{
    above, button, closing, drawn, drawn_head, editor, intro, limits, links, more, points, rail, row, sheet,
    side, split, status, table, task, turned, wide,
};
use crate::components::Icon;

const SHARED: [[&str; 4]; 5] = [
    [
        "The plan",
        "Sprints, pieces of work, who has taken which",
        "Whoever can read the repository",
        "It is what the team is for",
    ],
    [
        "Branch names",
        "The branch a piece of work lives on",
        "Whoever can read the repository",
        "It ties the plan to the code",
    ],
    [
        "Team settings",
        "What the team agreed to set alike",
        "Whoever can read the repository",
        "You see which settings are the team’s",
    ],
    [
        "Your code",
        "What you push",
        "Whoever can read the repository",
        "It goes through version control, as before",
    ],
    ["Your prompts and keys", "Nothing", "You", "A key of yours stays in your keychain"],
];

const OFFLINE: [[&str; 2]; 3] = [
    ["You read", "The plan as it was when you were last connected. The time of that stands beside it."],
    ["You work", "Branches, commits and tests need no plan and no connection."],
    ["You come back", "The editor fetches what the others changed. Nothing of your code waited for it."],
];

const LIMITS: [[&str; 2]; 4] = [
    [
        "It measures nobody",
        "There are no hours, no rankings and no lines per person. A plan says what is done, not how fast somebody types.",
    ],
    ["It shows no screens", "Nobody sees your cursor, your open files or whether you are at your desk."],
    [
        "It does not replace the place your code lives",
        "Repositories, reviews and builds stay where they are. A fire team plans beside them.",
    ],
    [
        "It is not for a thousand people",
        "A fire team is a few people. A company has many of them, and each has its own plan.",
    ],
];

pub(super) fn page() -> AnyView {
    view! {
        <div class="home features">
            {intro(
                above("Teams"),
                "Plan where the branch is.",
                "A fire team is a few people with one plan. A sprint is what they mean to finish together. Both live in the editor, beside the branches the work happens on.",
                view! {
                    {more("Fire teams", "/docs/fire-teams")}
                    {more("Sprints", "/docs/sprints")}
                }.into_any(),
            )}
            {picture()}
            {split(
                "Small on purpose",
                "A fire team is a group that fits around a table, with one shared plan. The plan is a file in the repository, so whoever can read the repository can read it, and there is no second list of people to keep.",
                more("Make a fire team", "/docs/fire-teams"),
                team(),
            )}
            {turned(
                "Work and branch on one line",
                "Each piece of work names its branch, and the status bar names both. You see what is planned where it is done, so the plan and the code do not drift apart.",
                more("Plan a sprint", "/docs/sprints"),
                branches(),
            )}
            {wide(
                "What is shared, and what never is",
                "The plan is part of the repository. This is what is shared, and who can read it.",
                view! {
                    {table(["Kind", "What is shared", "Who sees it", "Why"], &SHARED)}
                    {links(view! {
                        {more("Settings of a team", "/docs/shared-settings")}
                        {more("Privacy in the editor", "/docs/privacy")}
                    }.into_any())}
                }.into_any(),
            )}
            {split(
                "A seat for each person",
                "Seats come with Pro and Enterprise. A license of several seats has one key for all of them, or you split it into a key for each person. A seat moves when a person does.",
                view! {
                    {more("Teams and seats", "/docs/teams-and-seats")}
                    {more("Compare the plans", "/pricing")}
                }.into_any(),
                seats(),
            )}
            {wide(
                "When somebody is offline",
                "A plan is a help and not a gate. Without a connection you miss the news of the others, and nothing else.",
                points(&OFFLINE),
            )}
            {limits("What a fire team is not, and will not become.", &LIMITS)}
            {closing(more("Next: Local-first and privacy", "/features/local-first"))}
        </div>
    }
    .into_any()
}

fn picture() -> AnyView {
    editor(
        "The Dev Forge editor with a sprint open: three people of a fire team and their branches on the left, five pieces of work in the middle, one of them with its branch and its notes on the right.",
        "Sprint 14, billing-worker",
        view! {
            {rail("flame")}
            {members()}
            {sheet("flame", "Sprint 14", sprint())}
            {work()}
        }
        .into_any(),
        view! {
            {status("branch", "fix/clock-drift")}
            {status("ok", "0 problems")}
            {status("flame", "Sprint 14, day 6 of 10")}
        }
        .into_any(),
    )
}

fn members() -> AnyView {
    side(
        "Fire team",
        "3 people",
        view! {
            {task("d-row now", "ML", "You", "fix/clock-drift", "")}
            {task("d-row", "TR", "TR", "review/hold-mail", "")}
            {task("d-row", "IK", "IK", "index/renames", "")}
            <span class="ed-exts">
                <span class="ed-head"><b>"Sprints"</b></span>
                {file_like("flame", "Sprint 14", "Now")}
                {file_like("check", "Sprint 13", "Done")}
            </span>
        }
        .into_any(),
    )
}

fn file_like(icon: &'static str, name: &'static str, state: &'static str) -> AnyView {
    view! { <span class="ed-file"><Icon name=icon size=14/>{name}<i>{state}</i></span> }.into_any()
}

fn sprint() -> AnyView {
    view! {
        <span class="d-title"><span><b>"Clock drift and seats"</b>"Monday 23 November to Friday 4 December"</span></span>
        <span class="d-menu">
            {drawn_head("Under way", "2")}
            {task("d-row now", "ML", "Token survives clock drift", "fix/clock-drift", "Yours")}
            {task("d-row", "IK", "Index follows renames", "index/renames", "IK")}
            {drawn_head("Next", "1")}
            {task("d-row", "TR", "Hold reasons in the review mail", "review/hold-mail", "TR")}
            {drawn_head("Done", "2")}
            {task("d-row off", "TR", "Seat limit names the machine", "seats/limit-name", "TR")}
            {task("d-row off", "ML", "Cart survives sign-in", "cart/sign-in", "Yours")}
        </span>
    }
    .into_any()
}

fn work() -> AnyView {
    view! {
        <span class="ed-chat">
            <span class="ed-tabs"><Icon name="note" size=16/>"Token survives clock drift"</span>
            <span class="ed-talk">
                <span class="ed-chip"><Icon name="branch" size=14/>"fix/clock-drift"</span>
                <span>"Two laptops fall back to the free tier after waking up. Their clocks run a few minutes behind."</span>
                <span class="d-list">
                    {row("d-row", "ok", "A test that shows it", "", "")}
                    {row("d-row", "ok", "A tolerance of five minutes", "", "")}
                    {row("d-row now", "run", "A clock four minutes behind", "Its test runs now", "")}
                </span>
                <span class="ed-do">
                    {button("button secondary small", "Go to branch")}
                    {button("button secondary small", "Hand over")}
                </span>
            </span>
            <span class="ed-note"><Icon name="users" size=14/>"In the repository, for whoever can read it."</span>
        </span>
    }
    .into_any()
}

fn team() -> AnyView {
    drawn(
        "A fire team of three people, each with the piece of work they have taken.",
        view! {
            {drawn_head("Billing", "3 people, 1 plan")}
            {task("d-row now", "ML", "You", "Token survives clock drift", "Under way")}
            {task("d-row", "TR", "TR", "Hold reasons in the review mail", "Next")}
            {task("d-row", "IK", "IK", "Index follows renames", "Under way")}
        }
        .into_any(),
    )
}

pub(super) fn branches() -> AnyView {
    drawn(
        "Pieces of work of a sprint, each with its branch: two are done, two are under way and one comes next.",
        view! {
            {drawn_head("Sprint 14", "Day 6 of 10")}
            {row("d-row now", "branch", "Token survives clock drift", "fix/clock-drift", "Under way")}
            {row("d-row", "branch", "Index follows renames", "index/renames", "Under way")}
            {row("d-row", "branch", "Hold reasons in the review mail", "review/hold-mail", "Next")}
            {row("d-row ok", "check", "Seat limit names the machine", "seats/limit-name", "Done")}
            {row("d-row ok", "check", "Cart survives sign-in", "cart/sign-in", "Done")}
        }
        .into_any(),
    )
}

fn seats() -> AnyView {
    drawn(
        "A license of four seats: three are taken by a person each, one is free.",
        view! {
            {drawn_head("Pro, 4 seats", "3 taken")}
            {task("d-row", "ML", "Seat 1", "Laptop, desktop", "")}
            {task("d-row", "TR", "Seat 2", "Laptop", "")}
            {task("d-row", "IK", "Seat 3", "Laptop, build machine", "")}
            {row("d-row off", "plus", "Seat 4", "Free", "")}
        }
        .into_any(),
    )
}
