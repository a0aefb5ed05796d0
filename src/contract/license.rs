//! Licenses as they travel: what the editor asks and is told, and what their owners see.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    id::{LicenseId, MachineId, UserId},
    payment::Tier,
};
use crate::contract_words;

/// The most characters of a fingerprint.
pub const MAX_FINGERPRINT: usize = 256;
/// The most characters of a nonce.
pub const MAX_NONCE: usize = 200;
/// The most characters of a version.
pub const MAX_VERSION: usize = 64;
/// The most characters of a machine's name.
pub const MAX_MACHINE_NAME: usize = 100;
/// The most characters of a platform.
pub const MAX_PLATFORM: usize = 60;
/// What licenses are for. A license of one product is worthless for another.
pub const PRODUCT: &str = "editor";

/// Whether a license is good, or why not. Where several hold, the one that is named first in this order:
/// `PRODUCT_MISMATCH`, `NOT_FOUND`, `REVOKED`, `SUSPENDED`, `EXPIRED`, `VERSION_NOT_COVERED`, `EMAIL_MISMATCH`,
/// `MACHINE_REQUIRED`, `NO_MACHINE`, `TOO_MANY_MACHINES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LicenseCode {
    Valid,
    NotFound,
    Expired,
    Suspended,
    Revoked,
    /// It is good on machines only, and none was named.
    MachineRequired,
    /// It is not activated on this machine.
    NoMachine,
    TooManyMachines,
    ProductMismatch,
    /// It has expired, and goes on covering older versions than this one.
    VersionNotCovered,
    /// Activation only: a license for one person, and the address is not theirs.
    EmailMismatch,
}

impl LicenseCode {
    pub const ALL: [Self; 11] = [
        Self::Valid,
        Self::NotFound,
        Self::Expired,
        Self::Suspended,
        Self::Revoked,
        Self::MachineRequired,
        Self::NoMachine,
        Self::TooManyMachines,
        Self::ProductMismatch,
        Self::VersionNotCovered,
        Self::EmailMismatch,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::NotFound => "NOT_FOUND",
            Self::Expired => "EXPIRED",
            Self::Suspended => "SUSPENDED",
            Self::Revoked => "REVOKED",
            Self::MachineRequired => "MACHINE_REQUIRED",
            Self::NoMachine => "NO_MACHINE",
            Self::TooManyMachines => "TOO_MANY_MACHINES",
            Self::ProductMismatch => "PRODUCT_MISMATCH",
            Self::VersionNotCovered => "VERSION_NOT_COVERED",
            Self::EmailMismatch => "EMAIL_MISMATCH",
        }
    }

    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid)
    }
}

contract_words! {
    /// How a license stands, for people.
    LicenseStatus {
        Active = "active", "Active";
        /// Past its end, and still taken as good for a while.
        Grace = "grace", "Renewal due";
        Expired = "expired", "Expired";
        Suspended = "suspended", "Suspended";
        Revoked = "revoked", "Revoked";
    }
}

contract_words! {
    /// How a license came to be.
    LicenseOrigin {
        Order = "order", "Bought";
        Staff = "staff", "Given";
        Trial = "trial", "Trial";
        Split = "split", "Split off";
    }
}

/// Is this license good, here and now?
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidateRequest {
    /// However it was written down: case, spaces and hyphens do not matter.
    pub license_key: String,
    /// What the machine is known by, at most 256 characters. Kept as a keyed hash only.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// `editor`, which is also what it means without one.
    #[serde(default)]
    pub product: Option<String>,
    /// The editor's version.
    #[serde(default)]
    pub version: Option<String>,
    /// Given back in the answer and in the token, so that an old answer cannot be passed off as a new one.
    #[serde(default)]
    pub nonce: Option<String>,
}

/// How many machines a license runs on, and on how many it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MachineCount {
    pub used: u32,
    pub limit: u32,
}

/// What there is to know about a license, for the editor. When it is not good, tier and features are the free ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LicenseCheck {
    pub valid: bool,
    pub code: LicenseCode,
    pub tier: Tier,
    /// Null for one that does not end, and for one that is not known.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// Until when it is still taken as good; there once it has expired.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub grace_until: Option<OffsetDateTime>,
    /// Codes of the features that are on.
    pub features: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machines: Option<MachineCount>,
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// A JWT (EdDSA) for when there is no connection; given when a fingerprint was sent and all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_token: Option<String>,
}

/// The short form: how the license itself stands, whatever the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LicenseBrief {
    pub valid: bool,
    pub code: LicenseCode,
    pub tier: Tier,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivateRequest {
    pub license_key: String,
    /// Whose license it is; of a license with several seats, who uses it here.
    pub email: String,
    /// Without one nothing is taken up: the answer says whether the license is good for this address.
    #[serde(default)]
    pub fingerprint: Option<String>,
    #[serde(default)]
    pub machine_name: Option<String>,
    /// Such as `linux-x64`.
    #[serde(default)]
    pub platform: Option<String>,
    #[serde(default)]
    pub product: Option<String>,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub nonce: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Activation {
    pub activated: bool,
    pub code: LicenseCode,
    /// Where the editor can be had.
    pub download_url: String,
    /// Null unless activated.
    pub license: Option<License>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_token: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeactivateRequest {
    pub license_key: String,
    pub fingerprint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deactivation {
    /// The license is not active on that machine, whether or not it was.
    pub deactivated: bool,
}

/// A license, with its key masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct License {
    pub id: LicenseId,
    /// `DF-•••••-•••••-•••••-•••••-7Q2ZK`: only the last group shows.
    pub key: String,
    pub tier: Tier,
    pub status: LicenseStatus,
    pub origin: LicenseOrigin,
    pub seats: u32,
    pub machines: MachineCount,
    pub features: Vec<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// Until when it is still taken as good after its end.
    #[serde(with = "time::serde::rfc3339::option")]
    pub grace_until: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A machine that a license was activated on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    pub id: MachineId,
    pub name: String,
    pub platform: String,
    #[serde(with = "time::serde::rfc3339")]
    pub activated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevealedKey {
    pub license_key: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RenameMachine {
    pub name: String,
}

/// A license that staff gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenerateRequest {
    pub user_id: UserId,
    pub tier: Tier,
    /// Seats of each key; one without it.
    #[serde(default)]
    pub seats: Option<u32>,
    /// Without one it does not end.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// How many keys, at most 1,000; one without it.
    #[serde(default)]
    pub count: Option<u32>,
    /// Whether it goes on covering versions released before its end.
    #[serde(default)]
    pub fallback: bool,
    /// Whether it is good without being activated on a machine.
    #[serde(default)]
    pub floating: bool,
    /// How far beyond its machines it may go, in percent up to 100.
    #[serde(default)]
    pub overage: u8,
    /// Why; it stands in the license's history.
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Generated {
    /// The first of them.
    pub license_key: String,
    /// All of them.
    pub license_keys: Vec<String>,
    pub download_url: String,
    pub licenses: Vec<License>,
}

/// How long a license is to go on. Without either field, for another year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RenewRequest {
    /// Counted from its end, or from now when that is past. At most 120.
    pub months: Option<u32>,
    /// Until then, instead.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    /// The `expiresAt` that it is prolonged from. When the license ends at another time by now, nothing is done.
    #[serde(with = "time::serde::rfc3339::option")]
    pub from: Option<OffsetDateTime>,
}

/// Why something is done to a license; it stands in its history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Because {
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revocation {
    pub revoked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransferRequest {
    /// Who is to have it.
    pub email: String,
}

/// What a machine without a connection asks for: the editor writes it into a file, its owner carries it here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MachineFileRequest {
    /// `devforge.machine-request`.
    pub r#type: String,
    pub fingerprint: String,
    #[serde(default)]
    pub machine_name: Option<String>,
    #[serde(default)]
    pub platform: Option<String>,
    /// The editor's version: a license that has expired may go on covering it.
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub nonce: Option<String>,
}

impl MachineFileRequest {
    pub const TYPE: &'static str = "devforge.machine-request";
}

/// What goes back to the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MachineFile {
    /// `devforge.machine-file`.
    pub r#type: String,
    /// A JWT (EdDSA) like the offline token, good for longer.
    pub token: String,
    #[serde(with = "time::serde::rfc3339")]
    pub good_until: OffsetDateTime,
}

impl MachineFile {
    pub const TYPE: &'static str = "devforge.machine-file";
}

/// What is inside an offline token and a machine file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfflineClaims {
    pub iss: String,
    /// `devforge-editor`: tokens for other readers are not for it.
    pub aud: String,
    /// The license's id.
    pub sub: LicenseId,
    pub tier: Tier,
    pub features: Vec<String>,
    /// As it was sent.
    pub fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// There when the license has expired and goes on covering this version: it is good for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When the license ends, in seconds since 1970. The token may end before.
    #[serde(rename = "licenseExp", default, skip_serializing_if = "Option::is_none")]
    pub license_exp: Option<i64>,
    pub iat: i64,
    pub exp: i64,
}

impl OfflineClaims {
    pub const AUDIENCE: &'static str = "devforge-editor";
}
