//! The child's side: the token, and the news that the parent is gone.

use std::io::{BufRead, Read};

use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::Token;
use crate::token::TokenError;

/// What a child learns from its parent.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// The token of the control API.
    pub token: Token,
    /// Cancelled when the parent closed stdin or died: exit then.
    pub parent_gone: CancellationToken,
}

/// Why there was no handshake.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// Stdin ended or failed before the line came.
    #[error("no handshake on stdin: {0}; `--child` is for programs that start this one")]
    NoLine(String),
    /// The line is another one.
    #[error("the first line of stdin is not {{\"token\": \"…\"}}")]
    BadLine,
    /// The token is not fit.
    #[error(transparent)]
    Token(#[from] TokenError),
}

#[derive(Deserialize)]
struct Line {
    token: String,
}

impl Handshake {
    /// Reads the handshake from stdin and watches it from then on. Blocks until the line is there.
    pub fn from_stdin() -> Result<Self, HandshakeError> {
        Self::read(std::io::BufReader::new(std::io::stdin()))
    }

    /// Reads the handshake from anything, and watches it on a thread of its own.
    ///
    /// A thread, since reading stdin cannot be cancelled and would keep a runtime from ending.
    pub fn read(mut input: impl BufRead + Send + 'static) -> Result<Self, HandshakeError> {
        let mut line = String::new();
        let no_line = |error: std::io::Error| HandshakeError::NoLine(error.to_string());
        input
            .by_ref()
            .take(4096)
            .read_line(&mut line)
            .map_err(no_line)?;
        if line.is_empty() {
            return Err(HandshakeError::NoLine("it is closed".to_owned()));
        }
        // The parser's own message could quote the token.
        let line: Line = serde_json::from_str(&line).map_err(|_| HandshakeError::BadLine)?;
        let token = Token::new(&line.token)?;
        let parent_gone = CancellationToken::new();
        let gone = parent_gone.clone();
        std::thread::Builder::new()
            .name("parent-watch".to_owned())
            .spawn(move || {
                let _ = std::io::copy(&mut input, &mut std::io::sink());
                gone.cancel();
            })
            .map_err(no_line)?;
        Ok(Self { token, parent_gone })
    }
}
