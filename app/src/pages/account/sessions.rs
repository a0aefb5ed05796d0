//! Where somebody is signed in, and how that ends.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    context::Context,
    contract::{
        account::{Session, SessionKind},
        id::SessionId,
    },
    session,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::layout::{Confirm, part};
use crate::components::{Badge, RelativeTime};
use crate::pages::shell::Visit;

pub async fn end_session(
    State(ctx): State<Context>,
    Path(id): Path<SessionId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let own = visit.caller.identity().and_then(|identity| identity.session());
    if !session::end(&ctx, &visit.caller, id).await? {
        return Err(ApiError::not_found());
    }
    let next = if own == Some(id) { "/" } else { "/account/security?done=session-ended" };
    Ok(Redirect::to(next).into_response())
}

pub async fn end_other_sessions(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    session::end_others(&ctx, &visit.caller).await?;
    Ok(Redirect::to("/account/security?done=sessions-ended").into_response())
}

/// The part of the security page that lists all of them.
pub fn sessions_part(sessions: &[Session], now: OffsetDateTime) -> AnyView {
    let rows = sessions.iter().map(|session| row_with_end(session, now)).collect_view();
    let end_others = (sessions.iter().any(|session| !session.current)).then(|| {
        let confirm = Confirm {
            open: "End all others",
            about: "sessions".to_owned(),
            consequence: "Every browser and program but this one is signed out at its next request.",
            action: "/account/sessions/end-others".to_owned(),
            verb: "End all other sessions",
            one_of_several: false,
        };
        view! { <div class="part-foot">{confirm.view()}</div> }
    });
    let content = view! { <ul class="rows">{rows}</ul>{end_others} };
    part(
        "sessions",
        "Where you are signed in",
        Some("End a session you do not recognise, then change your password."),
        content.into_any(),
    )
}

fn row_with_end(session: &Session, now: OffsetDateTime) -> AnyView {
    let action = format!("/account/sessions/{}/end", session.id);
    let button = format!("end-{}", session.id);
    let labels = format!("{button} {}", heading_id(session));
    let label = if session.current { "Sign out here" } else { "End session" };
    view! {
        <li class="row">
            {what(session, now)}
            <form method="post" action=action>
                <button class="button secondary small" type="submit" id=button aria-labelledby=labels>{label}</button>
            </form>
        </li>
    }
    .into_any()
}

/// A row that only shows.
pub fn row(session: &Session, now: OffsetDateTime) -> AnyView {
    view! { <li class="row">{what(session, now)}</li> }.into_any()
}

fn what(session: &Session, now: OffsetDateTime) -> AnyView {
    let current = session.current.then(|| view! { <Badge tone="ok" label="This session"/> });
    let program = (session.kind == SessionKind::Api)
        .then(|| view! { <Badge tone="plain" icon="terminal" label="Through the API"/> });
    let place = format!(", from {}, signed in ", session.place);
    view! {
        <div>
            <p class="row-title with-badge">
                <span id=heading_id(session)>{session.device.clone()}</span>{current}{program}
            </p>
            <p class="meta">
                "Last used " <RelativeTime at=session.last_seen_at now=now/>
                {place}
                <RelativeTime at=session.created_at now=now/>
            </p>
        </div>
    }
    .into_any()
}

fn heading_id(session: &Session) -> String {
    format!("session-{}", session.id)
}
