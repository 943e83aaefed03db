//! Why a call failed, and what to do about it.

use reqwest::StatusCode;

use crate::control::Problem;

/// Why a call to a control API failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers.
    #[error("`{name}` cannot be reached: {detail}; is it running, and is the address right?")]
    Unreachable {
        /// The endpoint.
        name: String,
        /// Why.
        detail: String,
    },
    /// No answer in time. The call may have had its effect.
    #[error("`{name}` did not answer in time")]
    TimedOut {
        /// The endpoint.
        name: String,
    },
    /// The token is not that of the process.
    #[error(
        "`{name}` refuses the token; give that of the running process (it changes with a restart)"
    )]
    Token {
        /// The endpoint.
        name: String,
    },
    /// The API refuses the request and says why.
    #[error("`{name}`: {}; {}", problem.detail, problem.remedy)]
    Refused {
        /// The endpoint.
        name: String,
        /// What it says. Its texts hold no control characters.
        problem: Box<Problem>,
    },
    /// Something else answers there.
    #[error("`{name}` does not answer like a control API: {detail}")]
    NotControl {
        /// The endpoint.
        name: String,
        /// What is odd.
        detail: String,
    },
}

impl ClientError {
    /// Returns the API's word for the refusal, such as `owned_by_another`.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => Some(&problem.code),
            _ => None,
        }
    }

    /// Says whether the fault is not there (any more).
    pub fn is_gone(&self) -> bool {
        matches!(self.code(), Some("unknown_fault" | "fault_over"))
    }

    /// Says whether trying the same again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Refused { problem, .. } => problem.status >= 500,
            Self::Token { .. } | Self::NotControl { .. } => false,
        }
    }

    pub(super) fn transport(name: String, error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut { name };
        }
        // The innermost cause says it best ("connection refused").
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self::Unreachable {
            name,
            detail: cause.to_string(),
        }
    }

    pub(super) fn answer(name: String, status: StatusCode, bytes: &[u8]) -> Self {
        if status == StatusCode::UNAUTHORIZED {
            return Self::Token { name };
        }
        match serde_json::from_slice::<Problem>(bytes) {
            Ok(problem) => Self::Refused {
                name,
                problem: Box::new(clean(problem)),
            },
            Err(_) if status.is_redirection() => Self::NotControl {
                name,
                detail: format!("it redirects ({status}), which is not followed"),
            },
            Err(_) => Self::NotControl {
                name,
                detail: format!("it says {status}"),
            },
        }
    }
}

fn clean(mut problem: Problem) -> Problem {
    let texts = [&mut problem.code, &mut problem.detail, &mut problem.remedy];
    let fields = problem.fields.iter_mut().flat_map(|field| {
        [
            Some(&mut field.field),
            Some(&mut field.message),
            field.help.as_mut(),
        ]
        .into_iter()
        .flatten()
    });
    for text in texts.into_iter().chain(fields) {
        text.retain(|c| !c.is_control());
    }
    problem
}
