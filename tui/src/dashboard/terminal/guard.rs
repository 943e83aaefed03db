//! Takes the terminal and gives it back, whatever happens.

use crossterm::cursor::{Hide, Show};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours at this moment; the panic hook has to know.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Holds the terminal in raw mode on the alternate screen until dropped.
#[derive(Debug)]
pub(crate) struct Guard(());

impl Guard {
    pub(crate) fn enter() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        // The theme decides about colour. Left to itself, crossterm under NO_COLOR writes a reset
        // in place of every colour and so takes reverse and bold away as well.
        crossterm::style::force_color_output(true);
        take()?;
        Ok(Self(()))
    }

    pub(crate) fn leave() {
        give_back();
    }

    pub(crate) fn reenter() -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) {
            // Someone else may have had the terminal while we were stopped.
            give_back();
        }
        take()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    crossterm::execute!(io::stdout(), EnterAlternateScreen, Hide).inspect_err(|_| give_back())
}

// Errors are of no use here: the terminal may be gone.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = crossterm::execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}
