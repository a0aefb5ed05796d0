//! The development reader: mail that was kept instead of sent.

use devforge::mail::{MailState, MailSummary, StoredMail};
use leptos::prelude::*;
use time::OffsetDateTime;

use crate::components::{Badge, Breadcrumb, Empty, RelativeTime};

pub fn list(mails: Vec<MailSummary>, now: OffsetDateTime) -> AnyView {
    let content = if mails.is_empty() {
        view! { <Empty title="No mail yet" text="What this installation sends appears here and goes nowhere else."/> }
            .into_any()
    } else {
        let rows = mails
            .into_iter()
            .map(|mail| {
                let at = mail.created_at;
                view! {
                    <li class="row mail-row">
                        <a href=format!("/dev/mail/{}", mail.id)>{mail.subject}</a>
                        <span>{mail.to_address}</span>
                        {state_badge(mail.state)}
                        <span class="meta"><RelativeTime at=at now=now/></span>
                    </li>
                }
            })
            .collect_view();
        view! { <ul class="rows">{rows}</ul> }.into_any()
    };
    view! {
        <div class="page dev-mail">
            <h1 class="page-title">"Mail"</h1>
            <p class="lead">"Without an SMTP server, mail is kept here instead of being sent."</p>
            {content}
        </div>
    }
    .into_any()
}

pub fn message(mail: StoredMail, now: OffsetDateTime) -> AnyView {
    let at = mail.created_at;
    let trail = vec![("Mail".to_owned(), "/dev/mail".to_owned())];
    let frame = mail.html.is_some().then(|| {
        view! {
            <iframe
                class="mail-frame"
                title="The mail as HTML"
                src=format!("/dev/mail/{}/html", mail.id)
                sandbox="allow-popups"
            ></iframe>
        }
    });
    let text = mail.text.map(|text| {
        view! {
            <h2 class="panel-title">"As text"</h2>
            <pre class="mail-text" tabindex="0">{text}</pre>
        }
    });
    view! {
        <div class="page dev-mail">
            <Breadcrumb trail=trail here=mail.subject.clone()/>
            <h1 class="page-title">{mail.subject}</h1>
            <dl class="mail-head">
                <dt>"To"</dt><dd>{mail.to_address}</dd>
                <dt>"Kind"</dt><dd>{mail.kind}</dd>
                <dt>"State"</dt><dd>{state_badge(mail.state)}</dd>
                <dt>"Made"</dt><dd><RelativeTime at=at now=now/></dd>
            </dl>
            {frame}
            {text}
        </div>
    }
    .into_any()
}

fn state_badge(state: MailState) -> AnyView {
    let (tone, icon) = match state {
        MailState::Sent => ("ok", "ok"),
        MailState::Queued => ("plain", "clock"),
        MailState::Suppressed => ("warn", "warn"),
        MailState::Failed => ("bad", "bad"),
    };
    view! { <Badge tone=tone icon=icon label=state.as_str()/> }.into_any()
}
