//! What is done with a license from its page.

use axum::{
    Form,
    extract::{Multipart, State, multipart::MultipartRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    context::Context,
    contract::id::{LicenseId, MachineId},
    license::{Error, issue, life, machine},
};
use serde::Deserialize;

use super::{
    PATH,
    detail::{Answer, Tried, show},
    own, path,
};
use crate::pages::{
    forms::{Mistakes, license_mistakes},
    license_parts::{download, form_request, keys_file},
    shell::Visit,
};

const WHICH_FILE: &str = "Choose the request file that the editor wrote on the machine.";

pub async fn reveal(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    match life::reveal(&ctx, &visit.caller, id).await {
        Ok(key) => {
            let answer = Answer { key: Some(key), ..Answer::default() };
            show(&ctx, &visit, id, StatusCode::OK, answer).await
        }
        Err(error) => refused(&ctx, &visit, id, error, Answer::default()).await,
    }
}

pub async fn rotate(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    // Staff replaces the keys of others in the administration.
    own(&ctx, &visit, id).await?;
    match Box::pin(life::rotate(&ctx, &visit.caller, id)).await {
        Ok(issued) => {
            let done = (
                "The key is replaced",
                "The old one is worth nothing any more. The new one is also in your mail.",
            );
            let answer = Answer { done: Some(done), key: Some(issued.key), ..Answer::default() };
            show(&ctx, &visit, id, StatusCode::OK, answer).await
        }
        Err(error) => refused(&ctx, &visit, id, error, Answer::default()).await,
    }
}

#[derive(Deserialize)]
pub struct TransferForm {
    #[serde(default)]
    email: String,
}

pub async fn transfer(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(form): Form<TransferForm>,
) -> Result<Response, ApiError> {
    own(&ctx, &visit, id).await?;
    match Box::pin(life::transfer(&ctx, &visit.caller, id, &form.email)).await {
        Ok(_) => Ok(Redirect::to(&format!("{PATH}?done=transferred")).into_response()),
        Err(error) => {
            let answer = Answer { tried: Some(Tried::Transfer), typed: form.email, ..Answer::default() };
            refused(&ctx, &visit, id, error, answer).await
        }
    }
}

#[derive(Deserialize)]
pub struct SplitForm {
    /// `csv`, or the page.
    #[serde(default)]
    r#as: String,
    /// The token the form came with: sent again, it answers with the same keys.
    #[serde(default)]
    form: String,
}

/// Answers with all keys: as a page, or as a file.
pub async fn split(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    Form(form): Form<SplitForm>,
) -> Result<Response, ApiError> {
    let request = form_request(&form.form);
    match Box::pin(issue::split(&ctx, &visit.caller, id, request.as_deref())).await {
        Ok(issued) if form.r#as == "csv" => Ok(keys_file(&issued)?),
        Ok(issued) => {
            let done =
                ("The license is split", "Each seat is a license of its own now, and all of them are yours.");
            let answer = Answer { done: Some(done), split: issued, ..Answer::default() };
            show(&ctx, &visit, id, StatusCode::OK, answer).await
        }
        Err(error) => {
            let answer = Answer { tried: Some(Tried::Split), ..Answer::default() };
            refused(&ctx, &visit, id, error, answer).await
        }
    }
}

/// Takes the request file of a machine without a connection, and answers with the file that goes back to it.
pub async fn machine_file(
    State(ctx): State<Context>,
    Path(id): Path<LicenseId>,
    visit: Visit,
    upload: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiError> {
    own(&ctx, &visit, id).await?;
    let answer = Answer { tried: Some(Tried::File), ..Answer::default() };
    let Some(bytes) = uploaded(upload).await else {
        let mut wrong = Mistakes::default();
        wrong.add("file", WHICH_FILE);
        return show(&ctx, &visit, id, StatusCode::UNPROCESSABLE_ENTITY, Answer { wrong, ..answer }).await;
    };
    let made = match machine::read_request(&bytes) {
        Ok(request) => Box::pin(machine::machine_file(&ctx, &visit.caller, id, &request)).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(file) => {
            let text = serde_json::to_vec_pretty(&file).map_err(Error::from)?;
            Ok(download("application/json", "devforge-machine-file.json", text))
        }
        Err(error) => refused(&ctx, &visit, id, error, answer).await,
    }
}

/// The file of the form, where one came whole.
async fn uploaded(upload: Result<Multipart, MultipartRejection>) -> Option<Vec<u8>> {
    let mut parts = upload.ok()?;
    while let Ok(Some(part)) = parts.next_field().await {
        if part.name() == Some("file") {
            let bytes = part.bytes().await.ok()?;
            return (!bytes.is_empty()).then(|| bytes.to_vec());
        }
    }
    None
}

#[derive(Deserialize)]
pub struct RenameForm {
    #[serde(default)]
    name: String,
}

pub async fn rename_machine(
    State(ctx): State<Context>,
    Path((id, machine)): Path<(LicenseId, MachineId)>,
    visit: Visit,
    Form(form): Form<RenameForm>,
) -> Result<Response, ApiError> {
    own(&ctx, &visit, id).await?;
    match machine::rename(&ctx, &visit.caller, id, machine, &form.name).await {
        Ok(()) => Ok(Redirect::to(&format!("{}?done=renamed", path(id))).into_response()),
        Err(error) => {
            let answer =
                Answer { tried: Some(Tried::Rename(machine)), typed: form.name, ..Answer::default() };
            refused(&ctx, &visit, id, error, answer).await
        }
    }
}

pub async fn remove_machine(
    State(ctx): State<Context>,
    Path((id, machine)): Path<(LicenseId, MachineId)>,
    visit: Visit,
) -> Result<Response, ApiError> {
    own(&ctx, &visit, id).await?;
    match machine::remove(&ctx, &visit.caller, id, machine).await {
        Ok(()) => Ok(Redirect::to(&format!("{}?done=removed", path(id))).into_response()),
        Err(error) => refused(&ctx, &visit, id, error, Answer::default()).await,
    }
}

async fn refused(
    ctx: &Context,
    visit: &Visit,
    id: LicenseId,
    error: Error,
    answer: Answer,
) -> Result<Response, ApiError> {
    let (status, wrong) = license_mistakes(error)?;
    show(ctx, visit, id, status, Answer { wrong, ..answer }).await
}
