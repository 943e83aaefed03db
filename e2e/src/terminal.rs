//! A program on a real pseudo-terminal, and what a person would see on it.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// A program that runs on a terminal of its own.
pub struct Terminal {
    screen: Arc<Mutex<vt100::Parser>>,
    child: Box<dyn Child + Send + Sync>,
    // The terminal lives as long as its master side is open.
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    reader: Option<JoinHandle<()>>,
    began: Instant,
}

impl Terminal {
    /// Starts `program` on a terminal of `columns` by `rows`; its files go to `state`.
    pub fn start(program: &Path, args: &[&str], state: &Path, columns: u16, rows: u16) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system()
            .openpty(size)
            .expect("a pty can be opened");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("XDG_STATE_HOME", state);
        let began = Instant::now();
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program can be started");
        drop(pair.slave);
        let cells = |count| NonZeroU16::new(count).expect("a terminal has cells");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            cells(rows),
            cells(columns),
            0,
        )));
        let reader = pair.master.try_clone_reader().expect("the pty can be read");
        let keys = pair.master.take_writer().expect("the pty can be written");
        Self {
            reader: Some(read(reader, Arc::clone(&screen))),
            screen,
            child,
            _master: pair.master,
            keys,
            began,
        }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.process_id().expect("the program runs")
    }

    /// Returns how long ago the program was started.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Returns what stands on the screen.
    pub fn text(&self) -> String {
        self.lock().screen().contents()
    }

    /// Says whether the program holds the alternate screen.
    pub fn is_alternate(&self) -> bool {
        self.lock().screen().alternate_screen()
    }

    /// Says whether the cursor is hidden.
    pub fn is_cursor_hidden(&self) -> bool {
        self.lock().screen().hide_cursor()
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the pty takes keys");
        self.keys.flush().expect("the pty takes keys");
    }

    /// Waits until the screen is as `ready` wants it; panics with the screen after `limit`.
    pub fn wait_for(&self, what: &str, limit: Duration, ready: impl Fn(&str) -> bool) {
        let end = Instant::now() + limit;
        loop {
            let text = self.text();
            if ready(&text) {
                return;
            }
            assert!(
                Instant::now() < end,
                "{what} did not appear within {limit:?}; the screen:\n{text}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end of the program and of what it wrote; returns its exit code.
    pub fn wait(&mut self, limit: Duration) -> u32 {
        let end = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self
                .child
                .try_wait()
                .expect("the program can be waited for")
            {
                break status;
            }
            assert!(
                Instant::now() < end,
                "the program did not end within {limit:?}; the screen:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends with the program");
        }
        status.exit_code()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, vt100::Parser> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(mut from: Box<dyn Read + Send>, into: Arc<Mutex<vt100::Parser>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                break;
            }
            into.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .process(&buffer[..count]);
        }
    })
}
