//! Accounts, logins, sessions, and what admins see of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Registration {
    /// Unique whatever the case.
    #[schema(
        pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$",
        example = "ada.lovelace"
    )]
    pub username: String,
    /// Not a common one, and not the username.
    #[schema(min_length = 8, max_length = 128, example = "engine-no-1")]
    pub password: String,
    /// Name of the person.
    #[schema(min_length = 1, max_length = 80, example = "Ada")]
    pub name: Option<String>,
    /// US, UK, DE, FR, JP, BR or IN.
    #[schema(pattern = "^(US|UK|DE|FR|JP|BR|IN)$", example = "UK")]
    pub country: Option<String>,
}

/// An account that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// Its id.
    pub user_id: i64,
    /// Its name.
    pub username: String,
    /// `customer`.
    pub role: String,
}

/// Name and password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Credentials {
    /// Who.
    #[schema(min_length = 1, max_length = 80, example = "ada.lovelace")]
    pub username: String,
    /// The password.
    #[schema(min_length = 1, max_length = 128, example = "engine-no-1")]
    pub password: String,
}

/// A login; the token goes into `Authorization: Bearer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Good until it expires or is logged out.
    pub token: String,
    /// Whose it is.
    pub user_id: i64,
    /// The account's name.
    pub username: String,
    /// `customer` or `admin`.
    pub role: String,
    /// When the login ends at the latest.
    pub expires_ms: i64,
}

/// That something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// What is done.
    pub status: String,
}

/// An account, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id.
    pub user_id: i64,
    /// Its name.
    pub username: String,
    /// `customer` or `admin`.
    pub role: String,
    /// Name of the person; may be empty.
    pub name: String,
    /// Where the person lives, if known.
    pub country: Option<String>,
    /// When it was made.
    pub created_ms: i64,
    /// When someone last logged in with it, if ever.
    pub last_login_ms: Option<i64>,
}

/// What is to change about the own account; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProfileChange {
    /// Name of the person.
    #[schema(min_length = 1, max_length = 80, example = "Ada")]
    pub name: Option<String>,
    /// US, UK, DE, FR, JP, BR or IN.
    #[schema(pattern = "^(US|UK|DE|FR|JP|BR|IN)$", example = "UK")]
    pub country: Option<String>,
    /// A new password; it ends the other sessions.
    #[schema(min_length = 8, max_length = 128)]
    pub password: Option<String>,
    /// The password until now; needed for a new one.
    #[schema(min_length = 1, max_length = 128)]
    pub current_password: Option<String>,
}

/// The sessions of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Those that live.
    pub sessions: Vec<Session>,
}

/// A session of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its id.
    pub id: i64,
    /// When it began.
    pub created_ms: i64,
    /// When it was last used.
    pub seen_ms: i64,
    /// When it ends at the latest.
    pub expires_ms: i64,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// An account, as an admin sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its id.
    pub user_id: i64,
    /// Its name.
    pub username: String,
    /// `customer` or `admin`.
    pub role: String,
    /// Name of the person; may be empty.
    pub name: String,
    /// Where the person lives, if known.
    pub country: Option<String>,
    /// When it was made.
    pub created_ms: i64,
    /// When someone last logged in with it, if ever.
    pub last_login_ms: Option<i64>,
    /// Whether anyone can log in with it.
    pub active: bool,
    /// Whether it is locked for a while, after wrong passwords.
    pub locked: bool,
    /// Wrong passwords since the last right one.
    pub failures: i64,
}

/// Some of the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPage {
    /// The accounts, by id.
    pub users: Vec<User>,
    /// How many there are in all.
    pub total: i64,
    /// Most that were asked for.
    pub limit: i64,
    /// How many were skipped.
    pub offset: i64,
}

/// What is to change about an account; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserChange {
    /// `customer` or `admin`.
    #[schema(pattern = "^(customer|admin)$", example = "customer")]
    pub role: Option<String>,
    /// Whether anyone can log in with it.
    pub active: Option<bool>,
}

/// What accounts did, day by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// The days, the last one first.
    pub days: Vec<ActivityDay>,
    /// Accounts with a live session.
    pub active_now: i64,
}

/// What accounts did on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityDay {
    /// `2026-11-28`, in UTC.
    pub day: String,
    /// Accounts made.
    pub registrations: i64,
    /// Logins that succeeded.
    pub logins: i64,
    /// Logins that did not.
    pub failures: i64,
    /// Accounts that logged in.
    pub active_users: i64,
}
