//! The rim: owns the terminal, feeds the core and draws when something has changed.
//!
//! It is the only place of the dashboard with a clock, a tty and signals. Effects that need a
//! network are handed to whoever runs the dashboard.

mod guard;
mod signals;

use super::model::Model;
use super::msg::{Effect, Msg};
use super::{draw, update};
use base64::Engine;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use guard::Guard;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use signals::{Signal, Signals};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Data waits this long for more of it: the answers of one refresh come in one frame.
const GATHER: Duration = Duration::from_millis(20);
/// The least time between frames.
const FRAME: Duration = Duration::from_millis(33);
/// A key waits at most this long.
const KEY_FRAME: Duration = Duration::from_millis(4);
/// The most messages taken in before a frame is considered.
const BATCH: usize = 1_024;
/// The largest screen drawn to; a terminal that claims more is lying.
const LARGEST: (u16, u16) = (1_000, 500);

/// How the terminal is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether frames are wrapped in synchronized output (`?2026`), so that none is seen half.
    pub synchronized: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { synchronized: true }
    }
}

/// Why the dashboard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A person quit.
    Quit,
    /// The process was told to end, by this signal.
    Signal(i32),
    /// The terminal went away.
    Hangup,
}

/// Why the dashboard could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// There is no terminal.
    #[error(
        "the dashboard needs a terminal, and stdout is not one: use `obs-tui run` or \
         `obs-tui query` without a terminal"
    )]
    NotATerminal,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Io(#[from] io::Error),
}

type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Shows the dashboard until it is quit; returns why it ended and the last state.
///
/// Messages come in by `inbox`; when all its senders are gone the dashboard stays. Effects go out
/// by `execute`, which must not block. The terminal is restored when this returns, and also on a
/// panic; SIGTERM, SIGINT and SIGHUP end it, SIGTSTP suspends it.
pub async fn run(
    mut model: Model,
    inbox: mpsc::Receiver<Msg>,
    execute: impl FnMut(Effect),
    options: Options,
) -> Result<(Ending, Model), TerminalError> {
    if !io::stdout().is_terminal() {
        return Err(TerminalError::NotATerminal);
    }
    let signals = Signals::listen()?;
    let _guard = Guard::enter()?;
    let (columns, rows) = crossterm::terminal::size()?;
    model.size = (columns, rows);
    let mut rim = Rim {
        screen: open_screen(columns, rows)?,
        signals,
        options,
        execute,
        drawn: Instant::now(),
        dirty_since: None,
        key_waits: false,
        suspend: false,
    };
    let ending = rim.run(&mut model, inbox).await?;
    Ok((ending, model))
}

fn open_screen(columns: u16, rows: u16) -> io::Result<Screen> {
    let backend = CrosstermBackend::new(BufWriter::with_capacity(64 * 1024, io::stdout()));
    let viewport = Viewport::Fixed(area(columns, rows));
    Terminal::with_options(backend, TerminalOptions { viewport })
}

fn area(columns: u16, rows: u16) -> Rect {
    Rect::new(0, 0, columns.min(LARGEST.0), rows.min(LARGEST.1))
}

fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as i64)
}

struct Rim<F> {
    screen: Screen,
    signals: Signals,
    options: Options,
    execute: F,
    drawn: Instant,
    /// When the first change came that the screen does not show.
    dirty_since: Option<Instant>,
    key_waits: bool,
    /// Whether we are to stop once the message at hand is done with.
    suspend: bool,
}

enum Wake {
    Input(Option<io::Result<Event>>),
    Message(Option<Msg>),
    Signal(Signal),
    Time,
}

impl<F: FnMut(Effect)> Rim<F> {
    async fn run(
        &mut self,
        model: &mut Model,
        mut inbox: mpsc::Receiver<Msg>,
    ) -> io::Result<Ending> {
        let mut keys = EventStream::new();
        let mut inbox_open = true;
        self.draw(model)?;
        loop {
            let pause = self.pause(model);
            let wake = tokio::select! {
                event = keys.next() => Wake::Input(event),
                signal = self.signals.next() => Wake::Signal(signal),
                msg = inbox.recv(), if inbox_open => Wake::Message(msg),
                () = tokio::time::sleep(pause) => Wake::Time,
            };
            if let Some(ending) = self.feed(model, Msg::Tick { now_ms: now_ms() })? {
                return Ok(ending);
            }
            let ending = match wake {
                Wake::Time => None,
                Wake::Signal(Signal::End(number)) => Some(Ending::Signal(number)),
                Wake::Signal(Signal::Stop) => {
                    self.suspend = true;
                    None
                }
                Wake::Signal(Signal::Continue) => self.resume(model)?,
                Wake::Input(None | Some(Err(_))) => Some(Ending::Hangup),
                Wake::Input(Some(Ok(event))) => self.input(model, &event)?,
                Wake::Message(None) => {
                    inbox_open = false;
                    None
                }
                Wake::Message(Some(msg)) => self.messages(model, msg, &mut inbox)?,
            };
            let ending = match ending {
                None if std::mem::take(&mut self.suspend) => self.suspend(model).await?,
                ending => ending,
            };
            if let Some(ending) = ending {
                return Ok(ending);
            }
            self.draw_if_due(model)?;
        }
    }

    /// Returns how long nothing has to be done.
    fn pause(&self, model: &Model) -> Duration {
        // Never zero: the clock of the wall is not that of the timer.
        let until_wake = (model.wake_ms() - now_ms()).clamp(1, 60_000);
        let pause = Duration::from_millis(until_wake as u64);
        if model.dirty {
            pause.min(self.until_frame())
        } else {
            pause
        }
    }

    /// Returns how long the next frame has to wait.
    fn until_frame(&self) -> Duration {
        let since_drawn = self.drawn.elapsed();
        if self.key_waits {
            return KEY_FRAME.saturating_sub(since_drawn);
        }
        let gathered = self.dirty_since.map_or(Duration::ZERO, |at| at.elapsed());
        FRAME
            .saturating_sub(since_drawn)
            .max(GATHER.saturating_sub(gathered))
    }

    fn messages(
        &mut self,
        model: &mut Model,
        first: Msg,
        inbox: &mut mpsc::Receiver<Msg>,
    ) -> io::Result<Option<Ending>> {
        let mut next = Some(first);
        for _ in 0..BATCH {
            let Some(msg) = next.or_else(|| inbox.try_recv().ok()) else {
                break;
            };
            next = None;
            if let Some(ending) = self.feed(model, msg)? {
                return Ok(Some(ending));
            }
        }
        Ok(None)
    }

    fn input(&mut self, model: &mut Model, event: &Event) -> io::Result<Option<Ending>> {
        match *event {
            Event::Key(key) => {
                self.key_waits = true;
                self.feed(model, Msg::Key(key))
            }
            Event::Resize(columns, rows) => {
                self.reopen(columns, rows)?;
                self.feed(model, Msg::Resize { columns, rows })
            }
            _ => Ok(None),
        }
    }

    fn feed(&mut self, model: &mut Model, msg: Msg) -> io::Result<Option<Ending>> {
        for effect in update(model, msg) {
            match effect {
                Effect::Quit => return Ok(Some(Ending::Quit)),
                Effect::CopyToClipboard(text) => self.copy(&text)?,
                Effect::Suspend => self.suspend = true,
                other => (self.execute)(other),
            }
        }
        Ok(None)
    }

    // OSC 52: the terminal puts it on the clipboard, also through ssh.
    fn copy(&mut self, text: &str) -> io::Result<()> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        let out = self.screen.backend_mut();
        write!(out, "\x1b]52;c;{encoded}\x07")?;
        Write::flush(out)
    }

    async fn suspend(&mut self, model: &mut Model) -> io::Result<Option<Ending>> {
        Guard::leave();
        self.signals.stop_this_process().await;
        self.resume(model)
    }

    fn resume(&mut self, model: &mut Model) -> io::Result<Option<Ending>> {
        Guard::reenter()?;
        let (columns, rows) = crossterm::terminal::size()?;
        self.reopen(columns, rows)?;
        self.feed(model, Msg::Resize { columns, rows })
    }

    // Not ratatui's own resize and clear: they ask the terminal where the cursor is, and the answer
    // would have to be fished out of the keyboard's input.
    fn reopen(&mut self, columns: u16, rows: u16) -> io::Result<()> {
        self.screen = open_screen(columns, rows)?;
        let everything = crossterm::terminal::Clear(crossterm::terminal::ClearType::All);
        crossterm::queue!(self.screen.backend_mut(), everything)
    }

    fn draw_if_due(&mut self, model: &mut Model) -> io::Result<()> {
        if !model.dirty {
            return Ok(());
        }
        self.dirty_since.get_or_insert_with(Instant::now);
        if self.until_frame().is_zero() {
            self.draw(model)?;
        }
        Ok(())
    }

    fn draw(&mut self, model: &mut Model) -> io::Result<()> {
        model.take_dirty();
        self.key_waits = false;
        self.dirty_since = None;
        if self.options.synchronized {
            crossterm::queue!(
                self.screen.backend_mut(),
                crossterm::terminal::BeginSynchronizedUpdate
            )?;
        }
        self.screen.draw(|frame| draw(model, frame))?;
        if self.options.synchronized {
            crossterm::queue!(
                self.screen.backend_mut(),
                crossterm::terminal::EndSynchronizedUpdate
            )?;
        }
        Write::flush(self.screen.backend_mut())?;
        self.drawn = Instant::now();
        Ok(())
    }
}
