//! The page: all parts in one line, then each with what it means for people.

use leptos::prelude::*;
use time::format_description::well_known::Rfc3339;

use super::look::{Seen, State};
use crate::{
    components::{Badge, Breadcrumb, Notice},
    pages::moments::moment,
};

impl State {
    const fn label(self) -> &'static str {
        match self {
            Self::Working => "Working",
            Self::Delayed => "Delayed",
            Self::Silent => "Not answering",
            Self::Unused => "Not set up",
        }
    }

    const fn tone(self) -> &'static str {
        match self {
            Self::Working => "ok",
            Self::Delayed => "warn",
            Self::Silent => "bad",
            Self::Unused => "plain",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::Unused => "minus",
            Self::Delayed => "clock",
            Self::Working | Self::Silent => self.tone(),
        }
    }
}

pub fn status(seen: &Seen) -> AnyView {
    let looked = moment(seen.at);
    let machine = seen.at.format(&Rfc3339).unwrap_or_default();
    view! {
        <div class="company page">
            <header>
                <Breadcrumb trail=vec![("Home".to_owned(), "/".to_owned())] here="Status"/>
                <h1 class="page-title">"Status"</h1>
                <p class="lead">"The parts of this site, as the machine that answers you sees them now."</p>
            </header>
            {summary(seen)}
            <section aria-labelledby="parts">
                <h2 class="section-title" id="parts">"The parts"</h2>
                <ul class="rows">
                    {part("Database", seen.database, "Accounts, orders and licenses are in it. While it is away, nobody can sign in, buy or change anything. The docs can still be read.")}
                    {part("License answers", seen.licenses, "The editor asks about once a day whether a license is good. Without an answer it goes by the last one.")}
                    {part("Background work", seen.work, "Keys after a payment, renewals and reminders are made here. Delayed means later, and nothing is lost.")}
                    {part("Mail", seen.mail, mail_words(seen.mail))}
                    {part("Search", seen.search, "Finds pages and articles. Without it each page can still be read.")}
                    {part("Files", seen.files, "Uploads, and the archives of your data, lie here.")}
                </ul>
                <p class="meta">
                    "Looked at "<time datetime=machine>{looked}</time>
                    ". Load the page again for how it is now. A look is at most 10 seconds old."
                </p>
            </section>
            <section aria-labelledby="editor">
                <h2 class="section-title" id="editor">"The editor goes on"</h2>
                <p class="measure">
                    "Nothing on this page stops the editor. A good answer about a license counts for 24 hours while it runs,
                    and its signed token for up to two weeks without a connection. After that it is the Free tier until it
                    reaches us again, and it locks no file. "
                    <a href="/docs/offline">"Work offline"</a>" has the details."
                </p>
            </section>
            <section aria-labelledby="shown">
                <h2 class="section-title" id="shown">"What this page shows"</h2>
                <p class="measure">
                    "One machine’s view of this moment. It keeps no history yet, so it says nothing of yesterday. Programs find
                    the parts that a machine needs to be ready at "<a href="/readyz">"/readyz"</a>". Something is wrong and
                    it is not here? "<a href="/contact?topic=support">"Tell us"</a>"."
                </p>
            </section>
        </div>
    }
    .into_any()
}

const fn mail_words(state: State) -> &'static str {
    match state {
        State::Unused => "Mail is kept on this installation and is not sent.",
        _ => "Keys, invoices and links to sign in are sent by it. Delayed mail is tried again for some days.",
    }
}

fn summary(seen: &Seen) -> AnyView {
    let states = seen.states();
    let (tone, title, text) = if states.contains(&State::Silent) {
        ("bad", "Some parts do not answer", "Below is which, and what still works.")
    } else if states.contains(&State::Delayed) {
        ("warn", "Some parts are slower than they should be", "What was begun is finished later.")
    } else {
        ("ok", "All parts in use are working", "Nothing that this page looks at is in the way.")
    };
    view! { <Notice tone=tone title=title><p>{text}</p></Notice> }.into_any()
}

fn part(name: &'static str, state: State, means: &'static str) -> AnyView {
    view! {
        <li class="row">
            <div>
                <h3>{name}</h3>
                <p>{means}</p>
            </div>
            <Badge tone=state.tone() icon=state.icon() label=state.label()/>
        </li>
    }
    .into_any()
}
