//! A log file that starts anew when it is full, with the last few kept beside it.
//!
//! When it cannot be written (disk full, folder gone), that is told once, the lines are counted as
//! lost, and it is tried again every second.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::queue::Output;

const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Where log lines go beside stdout, and how much of them is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The file; older ones are `PATH.1`, `PATH.2`, …
    pub path: PathBuf,
    /// Size at which it starts anew.
    pub max_bytes: u64,
    /// How many older files are kept.
    pub keep: u32,
}

/// The file at work.
#[derive(Debug)]
pub(super) struct Rotating {
    to: LogFile,
    open: Option<(File, u64)>,
    /// When it failed last, while it fails.
    failed: Option<Instant>,
    lost: u64,
}

impl Rotating {
    pub(super) fn new(to: LogFile) -> Self {
        Self {
            to,
            open: None,
            failed: None,
            lost: 0,
        }
    }

    /// Opens the file, so that a path of no use is told at the start.
    pub(super) fn open(&mut self) -> io::Result<()> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.to.path)?;
        let bytes = file.metadata()?.len();
        self.open = Some((file, bytes));
        Ok(())
    }

    fn try_write(&mut self, text: &[u8]) -> io::Result<()> {
        let full = |bytes: u64| bytes > 0 && bytes + text.len() as u64 > self.to.max_bytes;
        // A file that somebody moved or removed would take lines that nobody finds.
        if self.open.is_some() && !self.to.path.exists() {
            self.open = None;
        }
        if self.open.as_ref().is_some_and(|(_, bytes)| full(*bytes)) {
            self.open = None;
            rotate(&self.to.path, self.to.keep)?;
        }
        if self.open.is_none() {
            self.open()?;
        }
        if let Some((file, bytes)) = &mut self.open {
            file.write_all(text)?;
            *bytes += text.len() as u64;
        }
        Ok(())
    }

    fn fail(&mut self, error: &io::Error, lines: u64) {
        self.open = None;
        self.lost += lines;
        if self.failed.replace(Instant::now()).is_none() {
            let path = self.to.path.display();
            tracing::error!(%path, reason = %error, "the log file cannot be written");
        }
    }

    fn heal(&mut self) {
        if self.failed.take().is_some() {
            let lost_lines = self.lost;
            self.lost = 0;
            let path = self.to.path.display();
            tracing::info!(%path, lost_lines, "the log file is written again");
        }
    }
}

impl Output for Rotating {
    fn write(&mut self, text: &[u8], lines: u64) -> u64 {
        if self.failed.is_some_and(|at| at.elapsed() < TRY_AGAIN) {
            self.lost += lines;
            return lines;
        }
        match self.try_write(text) {
            Ok(()) => {
                self.heal();
                0
            }
            Err(error) => {
                self.fail(&error, lines);
                lines
            }
        }
    }
}

/// Moves every file one number up; the oldest goes.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    if keep == 0 {
        return fs::remove_file(path);
    }
    let numbered = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    };
    for n in (1..keep).rev() {
        match fs::rename(numbered(n), numbered(n + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests {
    use super::{LogFile, Output as _, Rotating};

    #[test]
    fn a_full_file_starts_anew_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.log");
        let mut file = Rotating::new(LogFile {
            path: path.clone(),
            max_bytes: 10,
            keep: 2,
        });
        for line in ["one....\n", "two....\n", "three..\n", "four...\n"] {
            assert_eq!(file.write(line.as_bytes(), 1), 0);
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("shop.log"), "four...\n");
        assert_eq!(read("shop.log.1"), "three..\n");
        assert_eq!(read("shop.log.2"), "two....\n");
        assert!(!folder.path().join("shop.log.3").exists());
    }

    #[test]
    fn a_folder_that_goes_costs_lines_and_its_return_heals() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("logs");
        std::fs::create_dir(&place).unwrap();
        let path = place.join("shop.log");
        let mut file = Rotating::new(LogFile {
            path: path.clone(),
            max_bytes: 1_000,
            keep: 1,
        });
        assert_eq!(file.write(b"one\n", 1), 0);
        std::fs::remove_dir_all(&place).unwrap();
        assert_eq!(file.write(b"two\nthree\n", 2), 2);
        std::fs::create_dir(&place).unwrap();
        // It is not tried again at once; the failure is made old instead of waiting.
        assert_eq!(file.write(b"four\n", 1), 1);
        file.failed = file.failed.and_then(|at| at.checked_sub(super::TRY_AGAIN));
        assert_eq!(file.write(b"five\n", 1), 0);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "five\n");
        assert!(file.failed.is_none());
    }
}
