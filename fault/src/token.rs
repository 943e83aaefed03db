//! The secret of a control API: made, written, read, and never shown.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use subtle::ConstantTimeEq as _;

/// The least a token must be worth, in bits.
pub const MIN_BITS: u32 = 128;

/// A secret of at least 128 bits. It prints as `[token]`.
#[derive(Clone)]
pub struct Token(String);

/// Why a token cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Too short, too simple, or not fit for a header.
    #[error("the token {0}; generate one with `openssl rand -hex 32`")]
    Weak(&'static str),
    /// Others can read the file.
    #[error("{path} can be read by others (mode {mode:o}); run `chmod 600 {path}`")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file cannot be read.
    #[error("cannot read the token file {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be made.
    #[error("cannot write the token file {path}: {source}; remove it if nothing uses it")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Token {
    /// Takes a token given by an operator: 32 hexadecimal digits or more, or 22 or more characters
    /// of a larger alphabet.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Weak(
                "holds characters that do not fit a header",
            ));
        }
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits_each = if hex { 4 } else { 6 };
        if (text.len() as u32).saturating_mul(bits_each) < MIN_BITS {
            return Err(TokenError::Weak("is worth less than 128 bits"));
        }
        let mut seen: Vec<u8> = text.bytes().collect();
        seen.sort_unstable();
        seen.dedup();
        // Random text of this length has many more; `aaaa…` and `12121212…` do not.
        if seen.len() < 6 {
            return Err(TokenError::Weak("repeats a few characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the secret, to be sent to where it belongs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not depend on where the texts differ.
    pub fn is(&self, candidate: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(candidate).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// Returns a new token of 256 random bits.
pub fn generate() -> Token {
    let digits = random_bytes::<32>()
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf]);
    Token(
        digits
            .filter_map(|digit| char::from_digit(u32::from(digit), 16))
            .collect(),
    )
}

/// Reads a token from a file that nobody else can read.
pub fn from_file(path: &Path) -> Result<Token, TokenError> {
    let read = |source| TokenError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(read)?;
    // Of the open file, not of the path: nobody can swap it in between.
    let mode = file.metadata().map_err(read)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(TokenError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).map_err(read)?;
    Token::new(&text)
}

/// Writes a token into a new file that only its owner can read, in a folder likewise.
///
/// The file must not exist: an existing one may be somebody's trap, or another instance's.
pub fn write_private(path: &Path, token: &Token) -> Result<(), TokenError> {
    let write = |source| TokenError::Write {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(write)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(write)?;
    file.write_all(format!("{}\n", token.expose()).as_bytes())
        .map_err(write)
}

/// Returns random bytes of the operating system.
#[expect(
    clippy::disallowed_methods,
    reason = "secrets and boot ids are the rim that needs them"
)]
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
