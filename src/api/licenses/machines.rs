//! The machines of a license, for its owner.

use axum::{Json as JsonAnswer, extract::State, http::StatusCode};
use serde::Deserialize;

use super::{Named, NamedMachine};
use crate::{
    account::{Caller, Permission},
    api::{
        auth::SignedIn,
        error::ApiError,
        extract::{Json, Query},
        problems::{BodyProblems, CallerProblems, ChangeProblems, SecureProblems},
    },
    context::Context,
    contract::{
        id::MachineId,
        license::{Machine, MachineFile, MachineFileRequest, RenameMachine},
        list::{DEFAULT_LIMIT, MAX_LIMIT, Page},
        problem::Problem,
    },
    license::machine,
};

/// What part of the list is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PartOfMachines {
    /// Where to go on, as the page before said.
    cursor: Option<MachineId>,
    /// How many at the most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// The machines that a license is active on.
///
/// In the order in which they came. A personal token needs `licenses:read`.
#[utoipa::path(
    get, path = "/licenses/{license}/machines", tag = "Licenses", operation_id = "listMachines",
    security(("accessToken" = []), ("personalToken" = ["licenses:read"]), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's id, or its key"), PartOfMachines),
    responses(
        CallerProblems,
        (status = 200, description = "The machines", body = Page<Machine>),
        (status = 404, description = "`not_found`: no such license of the caller's", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: the cursor is none of ours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(ctx): State<Context>,
    caller: Caller,
    named: Named,
    Query(part): Query<PartOfMachines>,
) -> Result<JsonAnswer<Page<Machine>>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesRead).await?;
    let limit = part.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    let (machines, next) = machine::page(&ctx, &caller, id, part.cursor, limit).await?;
    let items = machines.iter().map(machine::Machine::shown).collect();
    Ok(JsonAnswer(Page { items, next_cursor: next.map(|next| next.to_string()), total: None }))
}

/// Remove a machine.
///
/// Such as one that was lost or sold. The place is free for another at once; what the machine was given for when it is
/// offline is good until its time is up.
#[utoipa::path(
    delete, path = "/licenses/{license}/machines/{machine}", tag = "Licenses", operation_id = "removeMachine",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(
        ("license" = String, Path, description = "The license's id, or its key"),
        ("machine" = MachineId, Path, description = "The machine to remove"),
    ),
    responses(
        ChangeProblems,
        (status = 204, description = "It is removed"),
        (status = 404, description = "`not_found`: no such machine or license of the caller's", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: the machine has a file that is still good, so it keeps its place; only staff removes it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn remove(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
    NamedMachine(machine): NamedMachine,
) -> Result<StatusCode, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesWrite).await?;
    machine::remove(&ctx, &caller, id, machine).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a machine another name.
///
/// By which its owner knows it again. It keeps that name, whatever the editor calls it later.
#[utoipa::path(
    patch, path = "/licenses/{license}/machines/{machine}", tag = "Licenses", operation_id = "renameMachine",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(
        ("license" = String, Path, description = "The license's id, or its key"),
        ("machine" = MachineId, Path, description = "The machine to rename"),
    ),
    request_body = RenameMachine,
    responses(
        BodyProblems,
        ChangeProblems,
        (status = 204, description = "It has the new name"),
        (status = 404, description = "`not_found`: no such machine or license of the caller's", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: `name` is missing, empty, or longer than 100 characters", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn rename(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
    NamedMachine(machine): NamedMachine,
    Json(request): Json<RenameMachine>,
) -> Result<StatusCode, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesWrite).await?;
    machine::rename(&ctx, &caller, id, machine, &request.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a license active on a machine without a connection.
///
/// The editor there writes a request file, which is the body; the answer is the file to carry back. It takes up a place
/// like any other machine, and is good for a year at the most; while the license is not yet 30 days old, for 30 days.
#[utoipa::path(
    post, path = "/licenses/{license}/machine-file", tag = "Licenses", operation_id = "createMachineFile",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's id, or its key")),
    request_body = MachineFileRequest,
    responses(
        BodyProblems,
        SecureProblems,
        (status = 200, description = "The file", body = MachineFile),
        (status = 404, description = "`not_found`: no such license of the caller's", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: the license is not good, or is active on as many machines as it may; `detail` says what to do", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: it is no request file, or has a field that is longer than it may be", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: machines come and go all the time; `Retry-After` says when to try again", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn machine_file(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
    Json(request): Json<MachineFileRequest>,
) -> Result<JsonAnswer<MachineFile>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesSecure).await?;
    Ok(JsonAnswer(machine::machine_file(&ctx, &caller, id, &request).await?))
}
