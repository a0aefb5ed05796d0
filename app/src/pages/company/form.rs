//! Writing to whoever runs the site.
//!
//! What always holds: the page works without script; whatever is wrong, what was typed comes back with the form; where
//! there is nobody to write to, the page says so and has no form.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::Client,
    api::{error::ApiError, extract::Query},
    contact::{self as desk, Error, Topic, Written},
    context::Context,
    contract::problem::ProblemCode,
};

use super::form_view::{Shown, view};
use crate::pages::{
    forms::Mistakes,
    shell::{Page, Visit},
};

const PATH: &str = "/contact";
const SENT: &str = "/contact?sent=1";
/// As many characters of what was typed into one line come back as anybody's name or address has.
const MAX_LINE: usize = 300;

type Pairs = Vec<(String, String)>;

pub async fn contact_page(State(ctx): State<Context>, Query(query): Query<Pairs>, visit: Visit) -> Response {
    let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let topic = asked("topic").and_then(Topic::parse).map_or("", Topic::as_str).to_owned();
    let (name, email) =
        visit.caller.user().map(|user| (user.name.clone(), user.email.clone())).unwrap_or_default();
    let written = Written { name, email, topic, ..Written::default() };
    let answer = Answer { sent: asked("sent") == Some("1"), written, ..Answer::default() };
    show(&ctx, &visit, answer)
}

pub async fn contact(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(pairs): Form<Pairs>,
) -> Result<Response, ApiError> {
    let written = from_pairs(pairs);
    match desk::write(&ctx, &visit.caller, &client, &written).await {
        Ok(_) => Ok(Redirect::to(SENT).into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            Ok(show(&ctx, &visit, Answer { status, wrong, written, sent: false }))
        }
    }
}

fn from_pairs(pairs: Pairs) -> Written {
    let mut written = Written::default();
    for (field, value) in pairs {
        match field.as_str() {
            "name" => written.name = value,
            "email" => written.email = value,
            "topic" => written.topic = value,
            "message" => written.message = value,
            "website" => written.trap = value,
            _ => {}
        }
    }
    written
}

/// What of an error the form can show, and the status of the page that shows it.
fn mistakes(error: Error) -> Result<(StatusCode, Mistakes), ApiError> {
    let general = |status, words: &str| Ok((status, Mistakes::general(words)));
    let failed: ApiError = match error {
        Error::Invalid(problems) => {
            let fields = problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, Mistakes { general: None, fields }));
        }
        Error::Trapped => {
            return general(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Something filled in a field of this form that people do not see. Look at what is here, then send it again.",
            );
        }
        Error::TooManyTries { retry_after } => {
            let hours = retry_after.as_secs().div_ceil(60 * 60);
            let wait = if hours == 1 { "an hour".to_owned() } else { format!("{hours} hours") };
            let words =
                format!("Many messages came in today. Wait {wait}, or write to the address on this page.");
            return general(StatusCode::TOO_MANY_REQUESTS, &words);
        }
        Error::NoAddress => ApiError::not_found(),
        Error::Denied(denied) => denied.into(),
        Error::Database(error) => error.into(),
        Error::Audit(error) => error.into(),
        Error::Mail(error) => error.into(),
    };
    // Nobody is to write their message twice because the database was away.
    if failed.code() == ProblemCode::Unavailable {
        let words = "The message cannot be passed on for the moment. Send it again in a minute, or write to the address on this page.";
        return general(StatusCode::SERVICE_UNAVAILABLE, words);
    }
    Err(failed)
}

/// What a request adds to the form.
#[derive(Default)]
struct Answer {
    status: StatusCode,
    wrong: Mistakes,
    written: Written,
    sent: bool,
}

fn show(ctx: &Context, visit: &Visit, answer: Answer) -> Response {
    let Answer { status, wrong, mut written, sent } = answer;
    for line in [&mut written.name, &mut written.email, &mut written.topic] {
        *line = line.chars().take(MAX_LINE).collect();
    }
    let email = desk::address(ctx).map(str::to_owned);
    let shown = Shown { email, wrong, written, sent };
    let page = Page::new(
        "Contact",
        "Write to us about a license for your company, a problem, the press, or the security of Dev Forge.",
        move || view(shown),
    );
    // What came of a form is for one person.
    let page = if status == StatusCode::OK && !sent {
        page.public(PATH).breadcrumbs(&[("Home", "/"), ("Contact", PATH)])
    } else {
        page.status(status)
    };
    page.render(visit)
}
