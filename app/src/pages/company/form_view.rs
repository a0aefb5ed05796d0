//! The page to write to us on: the form, and the ways beside it.

use devforge::{
    contact::{MAX_MESSAGE_CHARS, Topic, Written},
    mail::KEEP_BODIES,
};
use leptos::prelude::*;

use super::head;
use crate::{
    components::{Field, Icon, Notice},
    pages::forms::Mistakes,
};

pub struct Shown {
    /// Whom it goes to. None: there is nobody to write to.
    pub email: Option<String>,
    pub wrong: Mistakes,
    pub written: Written,
    /// A message was passed on a moment ago.
    pub sent: bool,
}

pub fn view(shown: Shown) -> AnyView {
    let Shown { email, wrong, written, sent } = shown;
    let sent = sent.then(|| {
        view! {
            <Notice tone="ok" icon="send" title="Your message is on its way" live=true>
                <p>"It is a mail now. The answer comes to the address you gave."</p>
            </Notice>
        }
    });
    let ways = ways(email.clone());
    let form = if email.is_some() { form(&wrong, written) } else { nobody() };
    view! {
        <div class="company page">
            {head("Contact", "Write to us", "People read this. Say what you want to know, and where the answer is to go.")}
            {sent}
            <div class="company-contact">
                {form}
                {ways}
            </div>
        </div>
    }
    .into_any()
}

fn nobody() -> AnyView {
    let imprint = || view! { <a class="button secondary small" href="/legal/imprint">"Open the imprint"</a> };
    view! {
        <Notice tone="warn" title="There is no address to write to" actions=imprint>
            <p>"Whoever runs this installation has not set one, so there is no form here. The imprint says who is responsible."</p>
        </Notice>
    }
    .into_any()
}

fn form(wrong: &Mistakes, written: Written) -> AnyView {
    let Written { name, email, topic, message, trap: _ } = written;
    let limit = format!("At most {MAX_MESSAGE_CHARS} characters. No keys and no passwords, please.");
    let maxlength = u32::try_from(MAX_MESSAGE_CHARS).unwrap_or(u32::MAX);
    let kept = format!(
        "What you send becomes one mail to us. This site keeps a copy of it for {} days and deletes what it says and your address then. ",
        KEEP_BODIES.whole_days(),
    );
    view! {
        <form method="post" action="/contact" novalidate=true>
            {wrong.summary()}
            <Field name="name" label="Name" value=name error=wrong.of("name") autocomplete="name" maxlength=200/>
            <Field
                name="email"
                label="Mail address"
                kind="email"
                value=email
                error=wrong.of("email")
                hint="The answer goes here."
                inputmode="email"
                autocomplete="email"
                maxlength=254
            />
            {topics(&topic, wrong)}
            <Field
                name="message"
                label="Message"
                kind="textarea"
                value=message
                error=wrong.of("message")
                hint=limit
                maxlength=maxlength
            />
            // People do not see it; programs that fill in every field do.
            <div hidden=true>
                <label for="website">"Leave this empty"</label>
                <input type="text" id="website" name="website" tabindex="-1" autocomplete="off"/>
            </div>
            <div class="form-actions">
                <button class="button primary large" type="submit"><Icon name="send"/>"Send message"</button>
            </div>
            <p class="small quiet">
                {kept}"Nothing else is stored but that a message came, and about what. "
                <a href="/legal/privacy">"Privacy"</a>" has the rest."
            </p>
        </form>
    }
    .into_any()
}

fn topics(chosen: &str, wrong: &Mistakes) -> AnyView {
    let error = wrong.of("topic");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then_some("topic-error");
    let none = Topic::parse(chosen).is_none();
    let options = Topic::ALL
        .map(|topic| {
            let here = topic.as_str() == chosen;
            view! { <option value=topic.as_str() selected=here>{topic.label()}</option> }
        })
        .collect_view();
    // Without a choice the first of the list would be one.
    let none = none.then(|| view! { <option value="" selected=true>"Choose a topic"</option> });
    view! {
        <div class="field">
            <label for="topic">"About"</label>
            <select class="select" id="topic" name="topic" required=true aria-invalid=invalid
                aria-describedby=described_by>{none}{options}</select>
            {error.map(|error| view! {
                <p class="field-error" id="topic-error"><Icon name="bad" size=16/><span>{error}</span></p>
            })}
        </div>
    }
    .into_any()
}

fn ways(email: Option<String>) -> AnyView {
    let by_mail = email.map(|email| {
        let address = format!("mailto:{email}");
        view! {
            <div class="company-way">
                <dt>"By mail"</dt>
                <dd><a href=address>{email}</a>" goes to the same people as the form."</dd>
            </div>
        }
    });
    view! {
        <section aria-labelledby="ways">
            <h2 class="panel-title" id="ways">"Other ways"</h2>
            <dl class="rows">
                {by_mail}
                {way("Something does not work", "/support", "Help articles", " answer most of it at once.")}
                {way("An order or an invoice", "/account/billing", "Billing", " in your account has both, and asks for refunds.")}
                {way("Enterprise", "/enterprise", "What Enterprise adds", ", before you ask for a quote.")}
                {way("A security problem", "/.well-known/security.txt", "security.txt", " says how to report one.")}
                {way("By letter", "/legal/imprint", "The imprint", " has the postal address.")}
            </dl>
        </section>
    }
    .into_any()
}

fn way(what: &'static str, address: &'static str, link: &'static str, rest: &'static str) -> AnyView {
    view! {
        <div class="company-way">
            <dt>{what}</dt>
            <dd><a href=address>{link}</a>{rest}</dd>
        </div>
    }
    .into_any()
}
