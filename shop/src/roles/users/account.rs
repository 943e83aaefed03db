//! An account as it is stored, as clients see it, and the rules for names and passwords.

use serde_json::{Value, json};

use crate::{db::Row, http::input::Fields, market::Country, secret::Secret};

pub(super) const ADMIN: &str = "admin";
pub(super) const CUSTOMER: &str = "customer";

/// Longest name of an account.
const LONGEST_USERNAME: usize = 32;
const SHORTEST_USERNAME: usize = 3;
/// Longest name of a person.
const LONGEST_NAME: usize = 80;
const SHORTEST_PASSWORD: usize = 8;
/// An admin can do more harm.
const SHORTEST_ADMIN_PASSWORD: usize = 12;
const LONGEST_PASSWORD: usize = 128;
/// Fewer different characters than this are guessed soon.
const FEWEST_DIFFERENT: usize = 4;
/// What guessers try first.
const COMMON: [&str; 16] = [
    "12345678",
    "123456789",
    "1234567890",
    "password",
    "password1",
    "password123",
    "passw0rd",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r",
    "iloveyou",
    "admin123",
    "letmein123",
    "welcome1",
    "abc12345",
    "11111111",
];

/// An account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) username: String,
    pub(super) password_hash: Secret,
    pub(super) is_admin: bool,
    pub(super) name: String,
    /// Empty when it is not known.
    pub(super) country: String,
    pub(super) is_active: bool,
    /// Wrong passwords since the last right one.
    pub(super) failures: i64,
    pub(super) locked_until_ms: i64,
    pub(super) created_ms: i64,
    /// 0 before the first login.
    pub(super) last_login_ms: i64,
}

impl Account {
    pub(super) fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.int(0)?,
            username: row.text(1)?,
            password_hash: row.text(2)?.into(),
            is_admin: row.text(3)? == ADMIN,
            name: row.text(4)?,
            country: row.text(5)?,
            is_active: row.int(6)? != 0,
            failures: row.int(7)?,
            locked_until_ms: row.int(8)?,
            created_ms: row.int(9)?,
            last_login_ms: row.int(10)?,
        })
    }

    /// Returns what its owner may see.
    pub(super) fn to_json(&self) -> Value {
        let known = |ms: i64| (ms > 0).then_some(ms);
        json!({
            "user_id": self.id,
            "username": self.username,
            "role": role(self.is_admin),
            "name": self.name,
            "country": (!self.country.is_empty()).then_some(&self.country),
            "created_ms": self.created_ms,
            "last_login_ms": known(self.last_login_ms),
        })
    }

    /// Returns what an admin may see.
    pub(super) fn to_admin_json(&self, now_ms: i64) -> Value {
        let mut shown = self.to_json();
        shown["active"] = self.is_active.into();
        shown["locked"] = (self.locked_until_ms > now_ms).into();
        shown["failures"] = self.failures.into();
        shown
    }
}

/// Returns the name of a role.
pub(super) const fn role(is_admin: bool) -> &'static str {
    if is_admin { ADMIN } else { CUSTOMER }
}

/// Returns what two spellings of one name have in common; names are plain ASCII.
pub(super) fn fold(username: &str) -> String {
    username.trim().to_ascii_lowercase()
}

/// Says what is wrong with the name of a new account.
pub(super) fn username_fault(username: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let begins = username.starts_with(|first: char| first.is_ascii_alphanumeric());
    let fits = (SHORTEST_USERNAME..=LONGEST_USERNAME).contains(&username.len());
    let fine = fits && begins && username.bytes().all(allowed);
    (!fine).then_some("must have 3 to 32 of a-z 0-9 . _ - and begin with a letter or digit")
}

/// Says what is wrong with a new password.
pub(super) fn password_fault(
    password: &Secret,
    username: &str,
    is_admin: bool,
) -> Option<&'static str> {
    let text = password.expose();
    let folded = text.to_lowercase();
    let length = text.chars().count();
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    if length > LONGEST_PASSWORD {
        Some("must have at most 128 characters")
    } else if is_admin && length < SHORTEST_ADMIN_PASSWORD {
        Some("must have at least 12 characters")
    } else if length < SHORTEST_PASSWORD {
        Some("must have at least 8 characters")
    } else if different.len() < FEWEST_DIFFERENT || COMMON.contains(&folded.as_str()) {
        Some("is too easy to guess")
    } else if !username.is_empty() && folded.contains(&fold(username)) {
        Some("must not contain the username")
    } else {
        None
    }
}

/// Reads the name of a new account.
pub(super) fn new_username(fields: &mut Fields) -> String {
    const NAME: &str = "username";
    let username = fields.text(NAME, LONGEST_USERNAME);
    if !fields.is_blamed(NAME)
        && let Some(fault) = username_fault(&username)
    {
        fields.blame(NAME, fault);
    }
    username
}

/// Holds a password to the rules.
pub(super) fn check_password(fields: &mut Fields, password: &Secret, username: &str, admin: bool) {
    const NAME: &str = "password";
    if !fields.is_blamed(NAME)
        && let Some(fault) = password_fault(password, username, admin)
    {
        fields.blame(NAME, fault);
    }
}

/// Reads the name of a person.
pub(super) fn name(fields: &mut Fields) -> Option<String> {
    fields.optional_text("name", LONGEST_NAME)
}

/// Reads where someone lives.
pub(super) fn country(fields: &mut Fields) -> Option<Country> {
    fields.optional_word("country", Country::parse, "US, UK, DE, FR, JP, BR, IN")
}

#[cfg(test)]
mod tests {
    use super::{password_fault, username_fault};
    use crate::secret::Secret;

    #[test]
    fn names_are_plain() {
        for fine in [
            "ada",
            "Ada.Lovelace-1815_x",
            &"x".repeat(32),
            "load-1-10000",
        ] {
            assert_eq!(username_fault(fine), None, "{fine}");
        }
        for bad in ["", "ab", "-ada", "a b c", "ädä", "a%b", &"x".repeat(33)] {
            assert!(username_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn passwords_are_not_what_is_tried_first() {
        let fault = |text: &str, admin| password_fault(&text.to_owned().into(), "ada", admin);
        assert_eq!(fault("pass-0011aabb", false), None);
        assert_eq!(fault("correct horse", true), None);
        for bad in [
            "short",
            "Password1",
            "abababab",
            "my-ADA-word",
            &"xyz1".repeat(40),
        ] {
            assert!(fault(bad, false).is_some(), "{bad}");
        }
        assert!(fault("eight888ch", true).is_some());
        let unnamed: Secret = "lovely weather".to_owned().into();
        assert_eq!(password_fault(&unnamed, "", false), None);
    }
}
