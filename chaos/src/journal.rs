//! The journal: one event a line, appended and flushed as things happen, readable after a crash.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::event::{Event, EventKind, JOURNAL_VERSION};

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refuses.
    #[error("the journal {path} cannot be {what}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// "created", "written", "read".
        what: &'static str,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A line is not an event.
    #[error("the journal {path} is damaged in line {line}: {cause}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, starting at 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// The format is of another version.
    #[error("the journal {path} has version {found}; this program reads {JOURNAL_VERSION}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it says.
        found: u32,
    },
}

/// Appends events to a file.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
}

impl Writer {
    /// Creates the file; it must not exist, so that no evidence is overwritten. Its folder is
    /// created when absent.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        let failed = |cause| JournalError::Io {
            path: path.clone(),
            what: "created",
            cause,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(failed)?;
        Ok(Self { path, file })
    }

    /// Returns where it writes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one event. When this returns, the line has left the process; after a verdict it is
    /// on the disk.
    pub fn append(&mut self, event: &Event) -> Result<(), JournalError> {
        let failed = |cause| JournalError::Io {
            path: self.path.clone(),
            what: "written",
            cause,
        };
        let mut line = serde_json::to_vec(event).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed)?;
        if matches!(event.kind, EventKind::Verdict(_)) {
            self.file.sync_data().map_err(failed)?;
        }
        Ok(())
    }
}

/// What a journal holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The events in the order they were written.
    pub events: Vec<Event>,
    /// Whether the last line was cut off, as when the runner was killed while writing it.
    pub torn: bool,
}

/// Reads a journal. A last line without its end is left out and reported.
pub fn read(path: impl AsRef<Path>) -> Result<Journal, JournalError> {
    let path = path.as_ref();
    let failed = |cause| JournalError::Io {
        path: path.to_owned(),
        what: "read",
        cause,
    };
    let file = File::open(path).map_err(failed)?;
    parse(path, BufReader::new(file))
}

fn parse(path: &Path, mut reader: impl BufRead) -> Result<Journal, JournalError> {
    let mut journal = Journal {
        events: Vec::new(),
        torn: false,
    };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader
            .read_until(b'\n', &mut line)
            .map_err(|cause| JournalError::Io {
                path: path.to_owned(),
                what: "read",
                cause,
            })?;
        if read == 0 {
            break;
        }
        if line.last() != Some(&b'\n') {
            journal.torn = true;
            break;
        }
        if number == 1 {
            check_version(path, &line)?;
        }
        let event = serde_json::from_slice(&line).map_err(|error| JournalError::Damaged {
            path: path.to_owned(),
            line: number,
            cause: error.to_string(),
        })?;
        journal.events.push(event);
    }
    Ok(journal)
}

/// Looks at the version before anything else: a later format need not decode at all.
fn check_version(path: &Path, line: &[u8]) -> Result<(), JournalError> {
    let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    match value.get("journal").and_then(serde_json::Value::as_u64) {
        Some(found) if found != u64::from(JOURNAL_VERSION) => Err(JournalError::Version {
            path: path.to_owned(),
            found: u32::try_from(found).unwrap_or(u32::MAX),
        }),
        _ => Ok(()),
    }
}
