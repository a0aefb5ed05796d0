//! The machines a license is active on.
//!
//! What always holds: a machine comes or goes with its license's row locked, and the row counts them, so that a limit
//! holds under any concurrency; the same fingerprint is the same machine; of a fingerprint there is a keyed hash only.

mod address;
mod file;
mod jobs;
mod owner;
mod places;
pub(super) mod store;

use time::OffsetDateTime;

pub use self::{
    file::{machine_file, read_request},
    jobs::ReleaseMachines,
    owner::{list, page, remove, rename},
};
pub(super) use places::release_all;
use places::{Coming, join, leave};

use super::{
    By, Error, check, download_url, key, problem,
    rules::{Machine as Asking, OFFLINE_FOR, gate},
    store as licenses,
};
use crate::{
    account::{Client, rules as accounts},
    audit::Actor,
    context::Context,
    contract::{
        id::{LicenseId, MachineId},
        license::{
            ActivateRequest, Activation, DeactivateRequest, Deactivation, LicenseCode, MAX_MACHINE_NAME,
            MAX_PLATFORM, Machine as Shown,
        },
        problem::FieldProblem,
    },
    signing::KeyPurpose,
};

/// A machine as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    pub id: MachineId,
    pub license: LicenseId,
    pub name: String,
    /// Whether its owner gave it that name.
    pub named: bool,
    pub platform: String,
    pub email: String,
    pub activated_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
    pub file_until: Option<OffsetDateTime>,
}

impl Machine {
    pub fn shown(&self) -> Shown {
        Shown {
            id: self.id,
            name: self.name.clone(),
            platform: self.platform.clone(),
            activated_at: self.activated_at,
            last_seen_at: self.last_seen_at,
        }
    }
}

/// Makes a license active on a machine. Without a machine, only says whether it is good for this address.
pub async fn activate(
    ctx: &Context,
    client: &Client,
    request: &ActivateRequest,
) -> Result<Activation, Error> {
    let asked = check::Asked::read(&request.fingerprint, &request.nonce, &request.version)?;
    let mut wrong = Vec::new();
    let name = line(&request.machine_name, "machineName", MAX_MACHINE_NAME, &mut wrong);
    let platform = line(&request.platform, "platform", MAX_PLATFORM, &mut wrong);
    let email = accounts::normalize_email(&request.email);
    if email.is_none() {
        wrong.push(problem("email", "invalid", "Type a mail address, such as ada@example.com."));
    }
    let (Some(email), true) = (email, wrong.is_empty()) else { return Err(Error::Invalid(wrong)) };
    let refused = |code| Activation {
        activated: false,
        code,
        download_url: download_url(ctx),
        license: None,
        machine: None,
        nonce: asked.nonce.map(str::to_owned),
        offline_token: None,
    };
    let key = match check::read_key(&request.license_key, request.product.as_deref()) {
        Ok(key) => key,
        Err(code) => return Ok(refused(code)),
    };
    let hash = key::hash(ctx, &key);
    let Some((id, owner)) = store::owner_of_key(&ctx.db, &hash).await? else {
        return Ok(refused(check::unknown(ctx, client, &hash).await?));
    };
    address::waits(ctx, id)?;
    // All that is read is read before: whoever holds the row waits for no second connection.
    let tiers = ctx.licenses.tiers(ctx).await;
    let version = ctx.licenses.version_named(ctx, asked.version).await?;
    let mut tx = ctx.db.begin().await?;
    // The key may have been replaced in this moment: the lock is by key, not by id.
    let Some(mut license) = licenses::lock_by_key(&mut tx, &hash).await? else {
        return Ok(refused(LicenseCode::Revoked));
    };
    let now = ctx.clock.now();
    let code = gate(&license.standing(), Asking::Any, version, now);
    if !code.is_valid() {
        return Ok(refused(code));
    }
    if !address::is_good_for(&license, owner.as_ref(), &email) {
        // What is counted stays counted, and takes no second connection while this one is held.
        tx.rollback().await?;
        address::count_refused(ctx, By::visitor(client), id).await?;
        return Ok(refused(LicenseCode::EmailMismatch));
    }
    let mut machine = None;
    if let Some(fingerprint) = asked.fingerprint {
        let coming = Coming { fingerprint, name: &name, platform: &platform, email: &email };
        match join(&mut tx, ctx, By::visitor(client), &mut license, &coming, version).await? {
            Ok(joined) => machine = Some(joined),
            Err(code) => return Ok(refused(code)),
        }
    }
    tx.commit().await?;
    metrics::counter!("devforge_license_activations_total").increment(1);
    let features = tiers.of(license.tier, &license.extra_features, now);
    let offline_token = match asked.fingerprint {
        Some(fingerprint) => {
            let what = check::Signed {
                license: id,
                tier: license.tier,
                features: &features,
                fingerprint,
                nonce: asked.nonce,
                version: asked.version,
                standing: &license.standing(),
            };
            Some(check::sign(ctx, KeyPurpose::Offline, OFFLINE_FOR, &what, now).await?.0)
        }
        None => None,
    };
    Ok(Activation {
        activated: true,
        license: Some(license.shown(ctx, &tiers)),
        machine: machine.map(|machine| machine.shown()),
        offline_token,
        ..refused(LicenseCode::Valid)
    })
}

/// Makes room on a license for another machine. Where it was not active the answer is the same, so that nobody learns
/// which machines there are, but for one: a machine whose file is still good keeps its place, and is told so.
pub async fn deactivate(
    ctx: &Context,
    client: &Client,
    request: &DeactivateRequest,
) -> Result<Deactivation, Error> {
    let print = Some(request.fingerprint.clone());
    let asked = check::Asked::read(&print, &None, &None)?;
    let Some(fingerprint) = asked.fingerprint else {
        let message = "Send the fingerprint of the machine.";
        return Err(Error::Invalid(vec![problem("fingerprint", "required", message)]));
    };
    let Ok(key) = check::read_key(&request.license_key, None) else { return Err(Error::NotFound) };
    let hash = key::hash(ctx, &key);
    let mut tx = ctx.db.begin().await?;
    let Some(mut license) = licenses::lock_by_key(&mut tx, &hash).await? else {
        drop(tx);
        check::unknown(ctx, client, &hash).await?;
        return Err(Error::NotFound);
    };
    let print = key::fingerprint_hash(ctx, fingerprint);
    if let Some((machine, _)) = store::by_fingerprint(&mut tx, &license, &print).await? {
        // Its file would go on being good there, whoever takes the place.
        if machine.file_until.is_some_and(|until| until > ctx.clock.now()) {
            return Err(Error::Conflict(
                "This machine has a license file that is still good. It keeps its place until then.",
            ));
        }
        leave(&mut tx, ctx, By::visitor(client), &mut license, &machine, "deactivated").await?;
        tx.commit().await?;
    }
    Ok(Deactivation { deactivated: true })
}

impl By {
    /// Whoever has the key.
    fn visitor(client: &Client) -> Self {
        Self { actor: Actor::Anonymous, request: Some(client.request) }
    }
}

/// One line of at most so many characters.
pub(super) fn line(
    text: &Option<String>,
    field: &'static str,
    most: usize,
    wrong: &mut Vec<FieldProblem>,
) -> String {
    let text = text.as_deref().unwrap_or_default();
    if text.len() > most * 4 || text.chars().count() > most {
        wrong.push(problem(field, "too_long", format!("Send at most {most} characters.")));
        return String::new();
    }
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().is_empty() {
        return String::new();
    }
    // As names of people: nothing that turns the text around it, and something that can be seen.
    match accounts::normalize_name(&text).filter(|text| text.chars().count() <= most) {
        Some(text) => text,
        None => {
            let message = "Send letters that can be seen, and none that turn the direction of the others.";
            wrong.push(problem(field, "invalid_name", message));
            String::new()
        }
    }
}
