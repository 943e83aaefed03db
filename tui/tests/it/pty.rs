//! A real terminal: what its bytes do, and how it is given back.
//!
//! The child is this test binary, told by the environment to show the dashboard.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::LocalModes;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tui::dashboard::{Effect, Model, Msg, Theme, keys, sample, terminal};

const CHILD: &str = "OBS_TUI_TEST_PTY";
const SIZE: PtySize = PtySize {
    rows: 24,
    cols: 80,
    pixel_width: 0,
    pixel_height: 0,
};

/// Not a test by itself: the program at the other end of the terminal.
#[test]
fn child_of_a_terminal() {
    let Ok(what) = std::env::var(CHILD) else {
        return;
    };
    if what == "keys" {
        return print_actions();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut config = sample::config(&Theme::default());
    config.alertmanager = None;
    let model = Model::new(config, 0, (80, 24));
    let (sender, inbox) = tokio::sync::mpsc::channel(16);
    let execute = move |effect| {
        let panics = what == "panic" && matches!(effect, Effect::FetchRules);
        assert!(!panics, "on purpose");
        if let Effect::FetchFaults = effect {
            let target = "shop".to_owned();
            let _ = sender.try_send(Msg::Faults {
                target,
                result: Ok(Vec::new()),
            });
        }
    };
    let options = terminal::Options::default();
    let result = runtime.block_on(terminal::run(model, inbox, execute, options));
    let (ending, _) = result.unwrap();
    println!("ENDED {ending:?}");
}

fn print_actions() {
    crossterm::terminal::enable_raw_mode().unwrap();
    print!("READY\r\n");
    std::io::stdout().flush().unwrap();
    while let Ok(crossterm::event::Event::Key(event)) = crossterm::event::read() {
        let actions: Vec<_> = [keys::Mode::Main, keys::Mode::Confirm, keys::Mode::Popup]
            .into_iter()
            .map(|mode| keys::action(mode, &event))
            .collect();
        print!("GOT {actions:?}\r\n");
        std::io::stdout().flush().unwrap();
    }
}

struct Session {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Session {
    fn start(what: &str) -> Self {
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", "pty::child_of_a_terminal", "--nocapture"]);
        command.env(CHILD, what);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            master: pair.master,
            child,
            keyboard,
            output,
            seen: Vec::new(),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Reads until `done` holds for everything that was seen.
    fn until(&mut self, what: &str, done: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !done(&self.text()) {
            let rest = Duration::from_secs(20).saturating_sub(start.elapsed());
            assert!(!rest.is_zero(), "{what} did not come: {:?}", self.text());
            match self
                .output
                .recv_timeout(rest.min(Duration::from_millis(200)))
            {
                Ok(bytes) => self.seen.extend(bytes),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(error) => assert!(done(&self.text()), "{what}: {error} {:?}", self.text()),
            }
        }
    }

    fn screen(&self) -> String {
        let size = |cells| std::num::NonZero::new(cells).unwrap();
        let mut parser = vt100::Parser::new(size(SIZE.rows), size(SIZE.cols), 0);
        parser.process(&self.seen);
        parser.screen().contents()
    }

    fn until_drawn(&mut self) {
        self.until("the first frame", |text| text.contains("Error rate"));
        assert!(self.screen().contains("QPS"), "{}", self.screen());
        assert!(!self.is_cooked());
    }

    fn send(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).unwrap();
        self.keyboard.flush().unwrap();
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.process_id().unwrap() as i32).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Says whether the terminal is as a shell wants it: echo and lines.
    fn is_cooked(&self) -> bool {
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOCTTY.bits() as i32)
            .open(self.master.tty_name().unwrap())
            .unwrap();
        let modes = rustix::termios::tcgetattr(&file).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}

/// Says whether the last thing said about the alternate screen was to leave it, with the cursor
/// shown again.
fn is_given_back(text: &str) -> bool {
    let last = |what: &str| text.rfind(what);
    last("\x1b[?1049l") > last("\x1b[?1049h") && last("\x1b[?25h") > last("\x1b[?25l")
}

#[test]
fn every_key_of_the_table_arrives_from_a_legacy_terminal() {
    let mut session = Session::start("keys");
    session.until("READY", |text| text.contains("READY"));
    let mut count = 0;
    for binding in keys::TABLE {
        for chord in binding.chords {
            count += 1;
            session.send(&chord.legacy_bytes());
            session.until(&format!("{chord:?}"), |text| {
                text.matches("GOT [").count() == count && text.ends_with("\r\n")
            });
            let text = session.text();
            let got = text.lines().rfind(|line| line.starts_with("GOT")).unwrap();
            let places = [keys::Mode::Main, keys::Mode::Confirm, keys::Mode::Popup];
            let wanted: Vec<bool> = places
                .iter()
                .map(|mode| binding.modes.contains(mode))
                .collect();
            let parts: Vec<&str> = got["GOT [".len()..]
                .trim_end_matches(']')
                .split(", ")
                .collect();
            for (is_wanted, part) in wanted.into_iter().zip(parts) {
                if is_wanted {
                    assert_eq!(part, format!("Some({:?})", binding.action), "{chord:?}");
                }
            }
        }
    }
    session.child.kill().unwrap();
}

#[test]
fn q_gives_the_terminal_back() {
    let mut session = Session::start("dashboard");
    session.until_drawn();
    assert!(
        session.text().contains("\x1b[?2026h"),
        "synchronized output"
    );
    session.send(b"q");
    session.until("the end", |text| text.contains("ENDED Quit"));
    assert!(is_given_back(&session.text()));
    assert!(session.is_cooked());
}

#[test]
fn signals_give_the_terminal_back() {
    use rustix::process::Signal;
    for (signal, number) in [(Signal::TERM, 15), (Signal::HUP, 1), (Signal::INT, 2)] {
        let mut session = Session::start("dashboard");
        session.until_drawn();
        session.signal(signal);
        session.until("the end", |text| {
            text.contains(&format!("ENDED Signal({number})"))
        });
        assert!(is_given_back(&session.text()), "{signal:?}");
        assert!(session.is_cooked(), "{signal:?}");
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let mut session = Session::start("panic");
    session.until("the panic", |text| text.contains("on purpose"));
    let text = session.text();
    let told = text.find("on purpose").unwrap();
    assert!(is_given_back(&text[..told]), "{text:?}");
    assert!(session.child.wait().is_ok());
    assert!(session.is_cooked());
}

#[test]
fn suspending_gives_the_terminal_back_and_fg_takes_it_again() {
    use rustix::process::Signal;
    for by_key in [true, false] {
        let mut session = Session::start("dashboard");
        session.until_drawn();
        if by_key {
            session.send(b"\x1a");
        } else {
            session.signal(Signal::TSTP);
        }
        session.until("the terminal back", is_given_back);
        let pid = session.child.process_id().unwrap();
        session.until("stopped", |_| is_stopped(pid));
        assert!(session.is_cooked());
        session.seen.clear();
        session.signal(Signal::CONT);
        session.until("the frame again", |text| {
            text.contains("\x1b[?1049h") && text.contains("Error rate")
        });
        assert!(!session.is_cooked());
        session.send(b"q");
        session.until("the end", |text| text.contains("ENDED Quit"));
        assert!(session.is_cooked());
    }
}

fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.trim_start().chars().next());
    state == Some('T')
}

#[test]
fn resizing_to_anything_is_survived() {
    let mut session = Session::start("dashboard");
    session.until_drawn();
    for (cols, rows) in [
        (0, 0),
        (1, 1),
        (30, 8),
        (u16::MAX, 8),
        (8, u16::MAX),
        (240, 60),
        (80, 24),
    ] {
        session
            .master
            .resize(PtySize { rows, cols, ..SIZE })
            .unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }
    session.seen.clear();
    session.send(b"?");
    session.until("the help", |text| text.contains("Keys"));
    session.send(b"\x03");
    session.until("the end", |text| text.contains("ENDED Quit"));
}

#[test]
fn without_a_terminal_there_is_an_error() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "pty::child_of_a_terminal", "--nocapture"])
        .env(CHILD, "dashboard");
    let output = child.output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("NotATerminal"), "{text}");
}
