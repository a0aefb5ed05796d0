//! The answer to "Was this page helpful?". The page that asked is kept for everybody, so the thanks are a page of their
//! own, with the way back.

use axum::{Form, extract::State, http::StatusCode, response::Response};
use devforge::{
    account::Client,
    api::error::ApiError,
    context::Context,
    contract::{knowledge::FeedbackRequest, problem::ProblemCode},
    support::{
        Error,
        feedback::{self, AskingPage, MAX_NOTE},
    },
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    forms::Mistakes,
    shell::{Page, Visit},
};
use crate::components::{Field, Icon};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FeedbackForm {
    path: String,
    /// `yes` or `no`: the button that was used.
    helpful: String,
    note: String,
}

pub async fn answer(
    State(ctx): State<Context>,
    client: Client,
    mut visit: Visit,
    Form(form): Form<FeedbackForm>,
) -> Result<Response, ApiError> {
    let helpful = match form.helpful.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(ApiError::new(ProblemCode::InvalidRequest, "Go back, then answer with Yes or No.")),
    };
    let asking = feedback::page(&ctx, &form.path).await?;
    let request = FeedbackRequest { helpful, note: Some(form.note.clone()) };
    let (status, wrong) = match feedback::answer(&ctx, &client, &asking.path, &request).await {
        Ok(_) => (StatusCode::OK, Mistakes::default()),
        Err(Error::Invalid(problems)) => {
            let fields = problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
            (StatusCode::UNPROCESSABLE_ENTITY, Mistakes { general: None, fields })
        }
        Err(other) => return Err(other.into()),
    };
    // The forms of the frame lead back to the page that asked.
    visit.path.clone_from(&asking.path);
    let asks = !wrong.is_empty() || (!helpful && form.note.trim().is_empty());
    let page = Page::new("Thank you", "Your answer is counted.", move || {
        view(&asking, asks.then_some(&form), &wrong)
    });
    Ok(page.status(status).render(&visit))
}

/// `asked` is the form whose note is asked for; none when everything is said.
fn view(page: &AskingPage, asked: Option<&FeedbackForm>, wrong: &Mistakes) -> AnyView {
    let (title, text) = if wrong.is_empty() {
        ("Thank you", "Your answer is counted. Nobody can tell that it was yours.")
    } else {
        ("Your note is not sent yet", "Your answer is counted once the note below fits.")
    };
    let note = asked.map(|form| note_form(page, form, wrong));
    view! {
        <div class="support page">
            <h1 class="page-title">{title}</h1>
            {wrong.summary()}
            <p class="lead">{text}</p>
            {note}
            <p>
                <a class="button secondary" href=page.path.clone()>
                    <Icon name="back" size=16/>
                    {format!("Back to “{}”", page.title)}
                </a>
            </p>
        </div>
    }
    .into_any()
}

fn note_form(page: &AskingPage, form: &FeedbackForm, wrong: &Mistakes) -> AnyView {
    let path = page.path.clone();
    view! {
        <form class="measure" method="post" action="/feedback" novalidate=true>
            <input type="hidden" name="path" value=path/>
            <Field name="note" label="What was missing?" kind="textarea" value=form.note.clone() maxlength=MAX_NOTE as u32
                optional=true error=wrong.of("note")
                hint="Leave out names, addresses and license keys. Nobody can answer this: write to us if you need an answer."/>
            <div class="form-actions">
                <button class="button primary" type="submit" name="helpful" value=form.helpful.clone()>"Send note"</button>
            </div>
        </form>
    }
    .into_any()
}
