//! Tokens that people make for their own programs: each with a name, a few scopes and an end.
//!
//! What always holds: a token is shown once and stored as a keyed hash; it can do no more than its scopes and its
//! owner's role allow, when it is made and whenever it is used; it is worth nothing once it has ended or its owner
//! is locked out.

mod form;
mod store;

use serde_json::json;
use time::Duration;

use super::{
    Error,
    permission::{Caller, Permission},
};
use crate::{
    context::Context,
    contract::{
        account::{CreatedPersonalToken, NewPersonalToken, PersonalToken, Role, Scope, User},
        id::TokenId,
        problem::FieldProblem,
    },
    crypto::Purpose,
};

pub use form::{PREFIX, is_well_formed};

pub const MOST_TOKENS: i64 = 50;
pub const DEFAULT_DAYS: u32 = 90;
pub const MOST_DAYS: u32 = 366;
const MAX_NAME_CHARS: usize = 100;
const MAX_ADDRESS_CHARS: usize = 64;

/// How stale the note of the last use may be: a write per request would cost more than the request.
const NOTED_EVERY: Duration = Duration::minutes(5);

/// The scopes that somebody of this role can give a token: those that some permission of the role asks for.
pub fn scopes_for(role: Role) -> Vec<Scope> {
    let given = |scope: Scope| {
        Permission::ALL
            .into_iter()
            .any(|permission| permission.rule().scope == Some(scope) && permission.of_role(role))
    };
    Scope::ALL.into_iter().filter(|scope| given(*scope)).collect()
}

/// Makes a token and tells its owner by mail. The answer is the only place where the token itself stands.
pub async fn create(
    ctx: &Context,
    caller: &Caller,
    new: &NewPersonalToken,
) -> Result<CreatedPersonalToken, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let owner = &identity.user;
    let scopes = distinct(&new.scopes);
    let problems = check(new, &scopes, owner.role);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let token = form::make(ctx.random.bytes());
    let days = new.expires_in_days.unwrap_or(DEFAULT_DAYS);
    let now = ctx.clock.now();
    let details = PersonalToken {
        id: TokenId::from_uuid(ctx.random.uuid_v7(now)),
        name: new.name.trim().to_owned(),
        hint: form::hint(&token).to_owned(),
        scopes,
        created_at: now,
        expires_at: Some(now + Duration::days(days.into())),
        last_used_at: None,
    };
    let hash = ctx.hashers.keyed(Purpose::PersonalToken, token.as_bytes());

    let mut tx = ctx.db.begin().await?;
    // The account's lock makes two requests of one moment count one after the other.
    super::store::lock(&mut tx, owner.id).await?.ok_or(Error::NotFound)?;
    if store::count(&mut tx, owner.id).await? >= MOST_TOKENS {
        return Err(Error::Conflict(
            "You have 50 tokens. Revoke one that you no longer need, then make this one.",
        ));
    }
    store::insert(&mut tx, owner.id, &details, &hash).await?;
    let detail = json!({ "token": details.id, "scopes": details.scopes, "days": days });
    super::note(&mut tx, ctx, identity.actor(), "token.created", owner.id, detail, Some(identity.request))
        .await?;
    let message = super::mails::token_created(&details.name);
    super::mails::send_to(&mut tx, ctx, owner, "token_created", &message).await?;
    tx.commit().await?;
    Ok(CreatedPersonalToken { token, details })
}

/// The caller's tokens, newest first, with those that have ended.
pub async fn list(ctx: &Context, caller: &Caller) -> Result<Vec<PersonalToken>, Error> {
    let identity = caller.require(ctx, Permission::AccountRead)?;
    store::list(&ctx.db, identity.user.id, MOST_TOKENS).await.map_err(Error::from)
}

/// Ends a token of the caller. False when it is not theirs or not there: the two look the same.
pub async fn revoke(ctx: &Context, caller: &Caller, id: TokenId) -> Result<bool, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let owner = identity.user.id;
    let mut tx = ctx.db.begin().await?;
    let Some(scopes) = store::delete(&mut tx, owner, id).await? else {
        return Ok(false);
    };
    let detail = json!({ "token": id, "scopes": scopes });
    super::note(&mut tx, ctx, identity.actor(), "token.revoked", owner, detail, Some(identity.request))
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// Whose token this is and what it may do, if it is still good. Notes the use. What does not have the form of a
/// token is refused without asking the database.
pub async fn find(
    ctx: &Context,
    token: &str,
    address: &str,
) -> Result<Option<(User, TokenId, Vec<Scope>)>, Error> {
    if !is_well_formed(token) {
        return Ok(None);
    }
    let now = ctx.clock.now();
    let hash = ctx.hashers.keyed(Purpose::PersonalToken, token.as_bytes());
    let Some(found) = store::by_hash(&ctx.db, &hash, now).await? else {
        return Ok(None);
    };
    let owner = super::store::by_id(&ctx.db, found.owner).await?;
    let Some(owner) = owner.filter(|owner| owner.locked_at.is_none() && owner.deleted_at.is_none()) else {
        return Ok(None);
    };
    let noted_before = now - NOTED_EVERY;
    if found.last_used_at.is_none_or(|at| at <= noted_before) {
        let address: String = address.chars().take(MAX_ADDRESS_CHARS).collect();
        store::note_use(&ctx.db, found.id, &address, now, noted_before).await?;
    }
    Ok(Some((owner.user, found.id, found.scopes)))
}

fn distinct(scopes: &[Scope]) -> Vec<Scope> {
    Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).collect()
}

/// What is wrong with a new token, field by field.
fn check(new: &NewPersonalToken, scopes: &[Scope], role: Role) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let name = new.name.trim();
    if name.is_empty() {
        problems.push(super::problem(
            "name",
            "required",
            "Enter a name that tells you what the token is for.",
        ));
    } else if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        problems.push(super::problem("name", "invalid_name", "A name has at most 100 letters, on one line."));
    }
    let allowed = scopes_for(role);
    if scopes.is_empty() {
        problems.push(super::problem("scopes", "required", "Choose what the token may do."));
    } else if scopes.iter().any(|scope| !allowed.contains(scope)) {
        problems.push(super::problem(
            "scopes",
            "not_allowed",
            "A token can do no more than you can. Choose from what your role allows.",
        ));
    }
    if new.expires_in_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
        problems.push(super::problem("expiresInDays", "out_of_range", "A token lasts from 1 to 366 days."));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_given_by_a_permission_of_the_role() {
        for role in Role::ALL {
            let scopes = scopes_for(role);
            assert!(scopes.contains(&Scope::AccountRead), "{role:?}");
            assert_eq!(scopes.contains(&Scope::ReleasesPublish), role == Role::Admin, "{role:?}");
        }
    }

    #[test]
    fn mistakes_are_told_field_by_field() {
        let new = NewPersonalToken {
            name: " \n".to_owned(),
            scopes: vec![Scope::ReleasesPublish],
            expires_in_days: Some(0),
        };
        let fields: Vec<String> =
            check(&new, &new.scopes, Role::Customer).into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["name", "scopes", "expiresInDays"]);

        let new = NewPersonalToken {
            name: "é".repeat(MAX_NAME_CHARS),
            scopes: Scope::ALL.to_vec(),
            expires_in_days: Some(MOST_DAYS),
        };
        assert!(check(&new, &new.scopes, Role::Admin).is_empty());
    }

    #[test]
    fn a_scope_named_twice_counts_once() {
        let twice = [Scope::SupportWrite, Scope::AccountRead, Scope::SupportWrite];
        assert_eq!(distinct(&twice), [Scope::AccountRead, Scope::SupportWrite]);
    }
}
