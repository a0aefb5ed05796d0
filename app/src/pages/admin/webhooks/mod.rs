//! What the payment provider told: message by message, what became of each, and working on one again.

mod view;

use axum::{
    extract::State,
    response::{Redirect, Response},
};
use devforge::{
    account::Permission,
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    billing::inbox::{self, Filter},
    context::Context,
    contract::id::InboxId,
};
use serde::Deserialize;

use self::view::{Asked, message, messages};
use super::{
    DoneQuery,
    frame::{Here, Section, Viewer, frame},
};
use crate::pages::shell::{Page, Visit};

const PATH: &str = "/admin/webhooks";
const MAX_TOPIC_CHARS: usize = 100;

/// All as text: what is no state or id narrows nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WebhooksQuery {
    topic: String,
    state: String,
    before: String,
}

pub async fn webhooks_page(
    State(ctx): State<Context>,
    Query(query): Query<WebhooksQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    // PostgreSQL takes no NUL, and no topic holds a control character.
    let topic: String = query.topic.chars().filter(|c| !c.is_control()).take(MAX_TOPIC_CHARS).collect();
    let filter = Filter {
        topic: topic.trim().to_owned(),
        waiting: (query.state == view::WAITING).then_some(inbox::Waiting),
        before: query.before.parse().ok(),
    };
    let found = inbox::list(&ctx, &visit.caller, &filter).await?;
    let figures = inbox::figures(&ctx, &visit.caller).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let asked = Asked {
        topic: filter.topic,
        only_waiting: filter.waiting.is_some(),
        further_down: filter.before.is_some(),
    };
    let page = Page::new("Webhooks", "What the payment provider told, and what became of it.", move || {
        frame(Here::Page(Section::Webhooks), viewer, messages(&found, figures, &asked, now))
    });
    Ok(page.render(&visit))
}

pub async fn webhook_page(
    State(ctx): State<Context>,
    Path(id): Path<InboxId>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let (item, body) = inbox::find(&ctx, &visit.caller, id).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let manages = viewer.may(Permission::PaymentsManage);
    let title = item.topic.clone();
    let page = Page::new(title, "One message of the payment provider.", move || {
        let again = manages.then(|| view::again(id, viewer));
        frame(Here::Below(Section::Webhooks), viewer, message(&item, &body, again, &query))
    });
    Ok(page.render(&visit))
}

/// The work is done by a job, as when the message came.
pub async fn replay_webhook(
    State(ctx): State<Context>,
    Path(id): Path<InboxId>,
    visit: Visit,
) -> Result<Redirect, ApiError> {
    inbox::replay(&ctx, &visit.caller, id).await?;
    Ok(Redirect::to(&format!("{PATH}/{id}?done=replayed")))
}
