//! Accounts as they travel.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::id::{PasskeyId, SessionId, TokenId, UserId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Customer,
    Developer,
    Support,
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Customer, Self::Developer, Self::Support, Self::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Developer => "developer",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Customer => "Customer",
            Self::Developer => "Extension author",
            Self::Support => "Support",
            Self::Admin => "Administrator",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A person as they and staff see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub email_verified: bool,
    /// A code or a passkey is asked for after the password.
    pub two_factor_enabled: bool,
    /// A picture drawn from the id.
    pub avatar_url: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub user: User,
}

/// One device on which a person is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub id: SessionId,
    pub device: String,
    /// Where it was last used: the network's address, after the country when that is known.
    pub place: String,
    pub kind: SessionKind,
    pub current: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// Signed in on a page.
    Browser,
    /// Signed in through the API, such as the editor.
    Api,
}

impl SessionKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Api => "api",
        }
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Registration {
    pub email: String,
    pub password: String,
    pub name: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Login {
    pub email: String,
    pub password: String,
    /// From the authenticator app, or a recovery code. Asked for with `two_factor_required`.
    pub code: Option<String>,
}

/// Somebody is signed in: who, and with what from now on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedInAnswer {
    pub user: User,
    #[serde(flatten)]
    pub tokens: TokenPair,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenPair {
    /// For `Authorization: Bearer`; a JWT.
    pub token: String,
    /// Good once, for the next pair.
    pub refresh_token: String,
    /// When `token` ends.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refresh {
    pub refresh_token: String,
}

/// Either `email`, to be sent a link, or the link's `token` with the new `password`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ResetPassword {
    Set { token: String, password: String },
    Start { email: String },
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct VerifyEmail {
    /// Without one, and signed in, the mail is sent again.
    pub token: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct Success {
    pub success: bool,
}

impl Success {
    pub const YES: Self = Self { success: true };
}

/// What an authenticator app needs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TwoFactorSetup {
    /// Base32, to be typed where no camera is.
    pub secret: String,
    pub otpauth_url: String,
    /// The same as a QR code, an SVG picture.
    pub qr_svg: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct TwoFactorCode {
    pub code: String,
}

/// Ten codes, each good once. Shown now and never again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// What a personal token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    #[serde(rename = "account:read")]
    AccountRead,
    #[serde(rename = "licenses:read")]
    LicensesRead,
    #[serde(rename = "extensions:publish")]
    ExtensionsPublish,
    #[serde(rename = "support:write")]
    SupportWrite,
    #[serde(rename = "releases:publish")]
    ReleasesPublish,
}

impl Scope {
    pub const ALL: [Self; 5] = [
        Self::AccountRead,
        Self::LicensesRead,
        Self::ExtensionsPublish,
        Self::SupportWrite,
        Self::ReleasesPublish,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountRead => "account:read",
            Self::LicensesRead => "licenses:read",
            Self::ExtensionsPublish => "extensions:publish",
            Self::SupportWrite => "support:write",
            Self::ReleasesPublish => "releases:publish",
        }
    }

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AccountRead => "See your name, address and role",
            Self::LicensesRead => "See your licenses, keys masked",
            Self::ExtensionsPublish => "Publish versions of your extensions",
            Self::SupportWrite => "Open tickets and answer them",
            Self::ReleasesPublish => "Upload and publish releases of the editor",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A personal token as its owner sees it afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonalToken {
    pub id: TokenId,
    pub name: String,
    /// Its last four characters.
    pub hint: String,
    pub scopes: Vec<Scope>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewPersonalToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// 1 to 366; 90 when absent.
    pub expires_in_days: Option<u32>,
}

/// The only time the token itself is told.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedPersonalToken {
    /// Starts with `dfp_`.
    pub token: String,
    #[serde(flatten)]
    pub details: PersonalToken,
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    pub id: PasskeyId,
    pub name: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}
