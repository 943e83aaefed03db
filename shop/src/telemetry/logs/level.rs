//! What is logged, and changing that while the process runs.

use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::error::ShopError;

/// Targets of the machinery that exports our telemetry: their lines would tell of themselves.
const QUIET: [&str; 6] = [
    "h2=off",
    "hyper=off",
    "tonic=off",
    "tower=off",
    "reqwest=off",
    "sqlx=warn",
];

/// The filter of this process. There is one subscriber a process, so there is one of these.
static LEVEL: OnceLock<Level> = OnceLock::new();

/// The filter, with the text it was made of.
#[derive(Debug)]
pub(crate) struct Level {
    handle: reload::Handle<EnvFilter, Registry>,
    text: Mutex<String>,
}

/// Makes the filter of the subscriber; [`Level::of_process`] changes it when `ours` is told of it.
pub(crate) fn filter(
    given: &str,
) -> Result<(reload::Layer<EnvFilter, Registry>, Level), ShopError> {
    let (layer, handle) = reload::Layer::new(parse(given)?);
    let level = Level {
        handle,
        text: Mutex::new(given.to_owned()),
    };
    Ok((layer, level))
}

impl Level {
    /// Makes this the filter of the process.
    pub(crate) fn install(self) {
        // The first subscriber stays, and with it the first filter.
        let _ = LEVEL.set(self);
    }

    /// Returns the filter of the process; none when an embedder logs in its own way.
    pub(crate) fn of_process() -> Option<&'static Self> {
        LEVEL.get()
    }

    /// Returns the filter's text.
    pub(crate) fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }

    /// Replaces the filter.
    pub(crate) fn set(&self, given: &str) -> Result<(), ShopError> {
        let filter = parse(given)?;
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        self.handle
            .reload(filter)
            .map_err(|error| refused(given, &error))?;
        given.clone_into(&mut text);
        Ok(())
    }
}

fn parse(given: &str) -> Result<EnvFilter, ShopError> {
    EnvFilter::try_new(with_quiet(given)).map_err(|error| refused(given, &error))
}

fn refused(filter: &str, error: &impl ToString) -> ShopError {
    ShopError::LogFilter {
        filter: filter.to_owned(),
        reason: error.to_string(),
    }
}

/// Quietens the machinery unless the operator names it.
fn with_quiet(given: &str) -> String {
    let quiet = QUIET.iter().filter(|directive| {
        let target = directive.split('=').next().unwrap_or_default();
        !given.contains(target)
    });
    quiet.fold(given.to_owned(), |text, directive| {
        format!("{text},{directive}")
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, with_quiet};

    #[test]
    fn the_machinery_is_quiet_unless_it_is_named() {
        assert!(with_quiet("info").contains("hyper=off"));
        assert!(!with_quiet("info,hyper=debug").contains("hyper=off"));
        let error = parse("shop=loud").unwrap_err().to_string();
        assert!(error.contains("shop=loud"), "{error}");
    }
}
