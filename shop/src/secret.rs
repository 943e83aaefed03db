//! Texts that must not be shown: passwords as they come in, tokens as they go out.
//!
//! Neither is ever stored: of a password a slow hash is kept, of a token its digest, since a token
//! is too long to be guessed.

use std::fmt::{self, Write as _};

use argon2::password_hash::try_generate_salt;
use sha2::{Digest as _, Sha256};

/// A password or a token. It prints as `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Secret {
    /// Makes a token of 256 bits from the system's randomness, as 64 hexadecimal digits.
    pub(crate) fn token() -> Result<Self, NoRandomness> {
        // The salts of the password hash come from the system's generator, 128 bits each.
        let halves = [(); 2].map(|()| try_generate_salt().map_err(|_| NoRandomness));
        let [first, second] = halves;
        Ok(Self(hex(first?.into_iter().chain(second?))))
    }

    /// Returns the text itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns what a token is known by: the hexadecimal SHA-256 of its text.
    pub(crate) fn digest(&self) -> String {
        digest_of(self.0.as_bytes())
    }
}

/// Returns the SHA-256 of bytes as 64 hexadecimal digits.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes
        .into_iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The system has no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system has no randomness to give")]
pub(crate) struct NoRandomness;

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn tokens_differ_are_long_and_stay_hidden() {
        let (one, other) = (Secret::token().unwrap(), Secret::token().unwrap());
        assert!(one != other && one.expose().len() == 64);
        assert_ne!(one.expose()[..32], one.expose()[32..]);
        assert_eq!(format!("{one:?}"), "[secret]");
    }

    #[test]
    fn a_digest_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Secret::from("abc".to_owned()).digest(), known);
    }
}
