//! The signals that concern a program on a terminal.

use rustix::process::{Signal as Unix, getpid, kill_process};
use std::io;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// End; the number of the signal.
    End(i32),
    /// Stop until continued.
    Stop,
    /// Go on; the screen is unknown.
    Continue,
}

/// Listens to the signals.
#[derive(Debug)]
pub(crate) struct Signals {
    term: Stream,
    hangup: Stream,
    interrupt: Stream,
    stop: Stream,
    resume: Stream,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(Unix::TSTP.as_raw()))?,
            resume: signal(SignalKind::from_raw(Unix::CONT.as_raw()))?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::End(Unix::TERM.as_raw()),
            _ = self.hangup.recv() => Signal::End(Unix::HUP.as_raw()),
            _ = self.interrupt.recv() => Signal::End(Unix::INT.as_raw()),
            _ = self.stop.recv() => Signal::Stop,
            _ = self.resume.recv() => Signal::Continue,
        }
    }

    /// Stops this process; returns when it is continued.
    pub(crate) async fn stop_this_process(&mut self) {
        // SIGTSTP has our handler, so its default is out of reach; SIGSTOP does the same to a
        // shell. It may reach another thread first, so this one runs on for a moment: only
        // SIGCONT says that it is over.
        if kill_process(getpid(), Unix::STOP).is_ok() {
            self.resume.recv().await;
        }
    }
}
