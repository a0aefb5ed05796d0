//! Machines that never have a connection: the editor writes a request into a file, its owner carries that here, and a
//! signed file goes back.
//!
//! What always holds: such a machine takes a place like any other, by the same gate, and keeps it for as long as its
//! file is good, because a file cannot be called back. While the money may still go back, it is not good for long.

use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{
    Coming, FieldProblem, KeyPurpose, LicenseCode, MAX_MACHINE_NAME, MAX_PLATFORM, check, gate, join,
    licenses, line, problem, store,
};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::{
        id::LicenseId,
        license::{MAX_FINGERPRINT, MAX_NONCE, MAX_VERSION, MachineFile, MachineFileRequest},
    },
    license::{
        Error, note,
        rules::{self, FILE_FOR, Machine as Asking},
    },
};

/// The largest request that is looked at.
const MAX_BYTES: usize = 16 * 1024;
/// So long after it was bought a license may be given back for its money,
const MAY_BE_REFUNDED: Duration = Duration::days(30);
/// and a file that is made before then is good for so long.
const FIRST_FILES_FOR: Duration = Duration::days(30);
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads the file that an editor wrote. Whatever is wrong with it is said of `file`.
pub fn read_request(bytes: &[u8]) -> Result<MachineFileRequest, Error> {
    let wrong = |code, message: &str| Err(Error::Invalid(vec![problem("file", code, message)]));
    if bytes.is_empty() {
        return wrong("required", "Choose the file that the editor wrote.");
    }
    if bytes.len() > MAX_BYTES {
        return wrong("too_large", "This file is too large to be a machine's request.");
    }
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let Ok(request) = serde_json::from_slice::<MachineFileRequest>(text) else {
        return wrong(
            "invalid_file",
            "This is not a machine's request. Choose the file that the editor wrote.",
        );
    };
    match described(&request) {
        Ok(_) => Ok(request),
        Err(Error::Invalid(problems)) => Err(Error::Invalid(
            problems.into_iter().map(|wrong| problem("file", &wrong.code, wrong.message)).collect(),
        )),
        Err(other) => Err(other),
    }
}

/// Makes a license active on a machine without a connection, and signs the file that goes there.
pub async fn machine_file(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    request: &MachineFileRequest,
) -> Result<MachineFile, Error> {
    let identity = caller.require(ctx, Permission::LicensesSecure)?;
    let Described { fingerprint, nonce, version: named, name, platform } = described(request)?;
    // All that is read is read before: whoever holds the row waits for no second connection.
    let tiers = ctx.licenses.tiers(ctx).await;
    let version = ctx.licenses.version_named(ctx, named).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let mut license = licenses::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if license.account != Some(identity.user.id) {
        return Err(Error::NotFound);
    }
    let code = gate(&license.standing(), Asking::Any, version, now);
    if !code.is_valid() {
        return Err(refused(code));
    }
    let coming = Coming { fingerprint, name: &name, platform: &platform, email: &identity.user.email };
    let joined = join(&mut tx, ctx, identity.into(), &mut license, &coming, version).await?;
    let machine = joined.map_err(refused)?;
    let lifetime = file_lifetime(license.created_at, now);
    let until = rules::token_end(&license.standing(), lifetime, now);
    store::set_file_until(&mut tx, machine.id, until).await?;
    let detail = json!({ "machine": machine.id, "until": until.unix_timestamp() });
    note(&mut tx, ctx, identity.into(), "license.machine_file", id, detail).await?;
    tx.commit().await?;
    // Should the signing fail, the same file asked for again is the same machine.
    let features = tiers.of(license.tier, &license.extra_features, now);
    let what = check::Signed {
        license: id,
        tier: license.tier,
        features: &features,
        fingerprint,
        nonce,
        version: named,
        standing: &license.standing(),
    };
    let (token, good_until) = check::sign(ctx, KeyPurpose::MachineFile, lifetime, &what, now).await?;
    Ok(MachineFile { r#type: MachineFile::TYPE.to_owned(), token, good_until })
}

/// How long a file is good, when its license is: a license that was just bought may be given back for its money, and a
/// file outlives that.
fn file_lifetime(created_at: OffsetDateTime, now: OffsetDateTime) -> Duration {
    if now - created_at < MAY_BE_REFUNDED { FIRST_FILES_FOR } else { FILE_FOR }
}

/// What a request says, checked.
#[derive(Debug)]
struct Described<'a> {
    fingerprint: &'a str,
    nonce: Option<&'a str>,
    version: Option<&'a str>,
    name: String,
    platform: String,
}

fn described(request: &MachineFileRequest) -> Result<Described<'_>, Error> {
    let mut wrong: Vec<FieldProblem> = Vec::new();
    if request.r#type != MachineFileRequest::TYPE {
        let message = "This is not a machine's request. Choose the file that the editor wrote.";
        wrong.push(problem("type", "invalid_file", message));
    }
    let fingerprint = request.fingerprint.as_str();
    if fingerprint.is_empty() {
        wrong.push(problem("fingerprint", "required", "The request names no machine."));
    }
    let too_long = |text: &str, most: usize| {
        text.len() > most && text.chars().count() > most || text.chars().any(char::is_control)
    };
    let nonce = request.nonce.as_deref().filter(|nonce| !nonce.is_empty());
    let version = request.version.as_deref().filter(|version| !version.is_empty());
    for (field, text, most) in [
        ("fingerprint", fingerprint, MAX_FINGERPRINT),
        ("nonce", nonce.unwrap_or_default(), MAX_NONCE),
        ("version", version.unwrap_or_default(), MAX_VERSION),
    ] {
        if too_long(text, most) {
            let message = format!("The {field} has more than {most} characters, or control characters.");
            wrong.push(problem(field, "too_long", message));
        }
    }
    let name = line(&request.machine_name, "machineName", MAX_MACHINE_NAME, &mut wrong);
    let platform = line(&request.platform, "platform", MAX_PLATFORM, &mut wrong);
    if wrong.is_empty() {
        Ok(Described { fingerprint, nonce, version, name, platform })
    } else {
        Err(Error::Invalid(wrong))
    }
}

/// Why a machine gets no file, for people.
fn refused(code: LicenseCode) -> Error {
    Error::Conflict(match code {
        LicenseCode::TooManyMachines => "This license has no place for another machine. Remove one first.",
        LicenseCode::Revoked => "This license was taken away.",
        LicenseCode::Suspended => "This license is held back for now.",
        LicenseCode::Expired | LicenseCode::VersionNotCovered => "This license has expired. Renew it first.",
        _ => "This license cannot be taken to a machine now.",
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn code(bytes: &[u8]) -> String {
        match read_request(bytes) {
            Ok(_) => "good".to_owned(),
            Err(Error::Invalid(problems)) => {
                assert!(problems.iter().all(|problem| problem.field == "file"), "{problems:?}");
                problems[0].code.clone()
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn request(fingerprint: &str) -> Vec<u8> {
        json!({ "type": MachineFileRequest::TYPE, "fingerprint": fingerprint, "later": [1] })
            .to_string()
            .into_bytes()
    }

    #[test]
    fn only_a_request_is_read() {
        assert_eq!(code(&request("sha256:7f")), "good");
        let marked = [BYTE_ORDER_MARK, &request("sha256:7f")].concat();
        assert_eq!(code(&marked), "good", "as editors on Windows write files");
        assert_eq!(code(b""), "required");
        assert_eq!(code(&vec![b' '; MAX_BYTES + 1]), "too_large");
        for wrong in
            [&b"PK\x03\x04"[..], b"null", b"[]", b"{}", b"\"devforge.machine-request\"", b"{\"type\":3}"]
        {
            assert_eq!(code(wrong), "invalid_file", "{}", String::from_utf8_lossy(wrong));
        }
        let other = br#"{"type":"devforge.machine-file","fingerprint":"sha256:7f"}"#;
        assert_eq!(code(other), "invalid_file");
    }

    #[test]
    fn a_file_is_good_for_long_once_the_money_stays() {
        let bought = datetime!(2026-11-20 10:00 UTC);
        let after = |age: Duration| file_lifetime(bought, bought + age);
        assert_eq!(after(Duration::ZERO), Duration::days(30));
        assert_eq!(after(Duration::days(30) - Duration::SECOND), Duration::days(30));
        assert_eq!(after(Duration::days(30)), FILE_FOR);
        assert_eq!(after(Duration::days(900)), FILE_FOR);
        // Of two nodes, one may be a moment behind.
        assert_eq!(after(-Duration::SECOND), Duration::days(30));
    }

    #[test]
    fn a_request_names_one_machine_in_bounds() {
        assert_eq!(code(&request("")), "required");
        assert_eq!(code(&request(&"f".repeat(10_000))), "too_long");
        assert_eq!(code(&request("one\nother")), "too_long");
        let with = |field: &str, value: &str| {
            let mut wish = json!({ "type": MachineFileRequest::TYPE, "fingerprint": "sha256:7f" });
            wish[field] = json!(value);
            code(wish.to_string().as_bytes())
        };
        assert_eq!(with("version", "2.4.1"), "good");
        assert_eq!(with("version", &"1".repeat(MAX_VERSION + 1)), "too_long");
        assert_eq!(with("machineName", "\u{202e}exe.bunker"), "invalid_name");
        assert_eq!(with("machineName", "\u{200b}"), "invalid_name");
        assert_eq!(with("platform", "linux\u{2066}-x64"), "invalid_name");
        let deep = format!("{}{}", "[".repeat(4_000), "]".repeat(4_000));
        assert_eq!(code(deep.as_bytes()), "invalid_file");
    }
}
