//! The overview: each of the four pages in a paragraph and a picture, and what the editor is besides.

use leptos::prelude::*;

use super::{
    ai_models, extensions, local_first,
    parts::{closing, intro, links, more, points, split, turned, wide},
    teams,
};

const EDITOR: [[&str; 2]; 5] = [
    [
        "Editor, terminal, version control",
        "The things a day is made of are in every tier, with or without a license.",
    ],
    [
        "One program for all tiers",
        "A license turns features on. It never locks a file, and going back to Free keeps everything you wrote.",
    ],
    [
        "Updates when you like",
        "Channels, a check you can turn off, and the version you have for as long as you want it.",
    ],
    ["Keyboard first", "Every command has a name you can search and a key you can change."],
    ["Open formats", "VSIX packages, JSON Web Tokens, and an API that is described in full."],
];

pub(super) fn page() -> AnyView {
    view! {
        <div class="home features">
            {intro(
                ().into_any(),
                "An editor that leaves the choice to you.",
                "Which model answers, what an extension may reach, who sees the plan, and what leaves your machine. Four decisions are yours in Dev Forge, and each has its place in the editor.",
                view! {
                    {more("First steps", "/docs/first-steps")}
                    {more("Every call there is", "/docs/network-calls")}
                }.into_any(),
            )}
            {split(
                "Code with any model, or with none",
                "Connect the provider you already pay, run a model on your own machine, or switch AI off. The menu names what is in use, and each project keeps its own choice.",
                more("AI models", "/features/ai-models"),
                ai_models::choice(),
            )}
            {turned(
                "Extensions that say what they need",
                "Ordinary VSIX packages that declare what they want to reach. You read it before you install, after a review that tells the author why.",
                more("Extensions", "/features/extensions"),
                extensions::request(),
            )}
            {split(
                "Plan where the branch is",
                "A fire team is a few people with one plan. A sprint is what they mean to finish, each piece of work on the line of its branch. The plan is a file in the repository, for whoever can read that.",
                more("Teams", "/features/teams"),
                teams::branches(),
            )}
            {wide(
                "It works without us",
                "Every call is optional, events wait for your yes, and a license is signed so that your machine can check it by itself. This is what happens when we do not answer.",
                view! {
                    {local_first::timeline()}
                    {links(more("Local-first and privacy", "/features/local-first"))}
                }.into_any(),
            )}
            {wide(
                "And an editor, first of all",
                "The four decisions stand on something that has to be good by itself.",
                view! {
                    {points(&EDITOR)}
                    {links(view! {
                        {more("Editor basics", "/docs/editor-basics")}
                        {more("Keyboard shortcuts", "/docs/keyboard-shortcuts")}
                        {more("Updates", "/docs/updates")}
                    }.into_any())}
                }.into_any(),
            )}
            {closing(more("For companies", "/enterprise"))}
        </div>
    }
    .into_any()
}
