//! A target that answers scrapes exactly as it is told, down to the bytes on the wire.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use e2e::servers;

/// The Content-Type of Prometheus text.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How the target answers `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mood {
    /// As asked for, at once.
    Good,
    /// With this status and the usual body.
    Status(&'static str),
    /// After this time.
    Slow(Duration),
    /// With the head at once and the body after this time.
    Dripping(Duration),
    /// With text that ends in the middle of a sample.
    HalfText,
    /// With fewer bytes than the head has promised.
    HalfBody,
    /// With this Content-Type.
    ContentType(&'static str),
    /// With no Content-Type and no body.
    Nothing,
    /// With a pointer to another path, where the usual body is.
    Elsewhere,
}

/// What the usual body consists of.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    /// Value of the gauge `wire_value`.
    pub(crate) value: f64,
    /// When the counter `wire_total` was zero; it counts ten a second.
    pub(crate) counter_began: Instant,
    /// The series of `wire_series` by their label `id`.
    pub(crate) ids: &'static [&'static str],
    /// Values of `wire_dup`, one sample each, all with the same labels.
    pub(crate) dup: &'static [u8],
    /// Time of the one sample of `wire_stamped`, milliseconds since the epoch.
    pub(crate) stamp_ms: Option<i64>,
    /// Value of a sample that has the name and labels of the target's own `up`.
    pub(crate) up: Option<u8>,
}

impl Content {
    fn text(&self) -> String {
        let count = self.counter_began.elapsed().as_millis() / 100;
        let mut text = format!("# TYPE wire_value gauge\nwire_value {}\n", self.value);
        let _ = writeln!(text, "# TYPE wire_total counter\nwire_total {count}");
        for id in self.ids {
            let _ = writeln!(text, "wire_series{{id={id:?},zone=\"z\"}} 1");
        }
        for value in self.dup {
            let _ = writeln!(text, "wire_dup {value}");
        }
        if let Some(stamp_ms) = self.stamp_ms {
            let _ = writeln!(text, "wire_stamped 5 {stamp_ms}");
        }
        if let Some(up) = self.up {
            let _ = writeln!(text, "up {up}");
        }
        text
    }
}

#[derive(Debug)]
struct State {
    mood: Mood,
    content: Content,
    /// Whose `/metrics` is passed on instead of a body of its own.
    upstream: Option<String>,
}

/// A listening target; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

impl Target {
    /// Starts a target with a body of its own.
    pub(crate) fn start() -> Self {
        Self::serve(None)
    }

    /// Starts one that passes on the `/metrics` of `address`.
    pub(crate) fn in_front_of(address: &str) -> Self {
        Self::serve(Some(address.to_owned()))
    }

    fn serve(upstream: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let content = Content {
            value: 1.0,
            counter_began: Instant::now(),
            ids: &["a", "b", "c"],
            dup: &[1],
            stamp_ms: None,
            up: None,
        };
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Good,
            content,
            upstream,
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                // A scraper that hangs up is no trouble of the target.
                std::thread::spawn(move || answer(&stream, &state));
            }
        });
        Self {
            address,
            state,
            stop,
        }
    }

    /// Answers in this way from now on.
    pub(crate) fn be(&self, mood: Mood) {
        locked(&self.state).mood = mood;
    }

    /// Changes the usual body.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Content)) {
        change(&mut locked(&self.state).content);
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(&self.address);
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let path = requested(stream)?;
    let mood = locked(state).mood;
    if let Mood::Slow(time) = mood {
        std::thread::sleep(time);
    }
    let (text, content_type) = usual(state)?;
    let mut out = stream;
    let head = |status: &str, content_type: &str, length: usize| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        )
    };
    let whole = |status: &str, content_type: &str, text: &str| {
        head(status, content_type, text.len()) + text
    };
    let bytes = match mood {
        Mood::Status(status) => whole(status, &content_type, &text),
        Mood::Dripping(time) => {
            out.write_all(head("200 OK", &content_type, text.len()).as_bytes())
                .ok()?;
            std::thread::sleep(time);
            text
        }
        Mood::HalfText => whole("200 OK", &content_type, half(&text)),
        Mood::HalfBody => head("200 OK", &content_type, text.len()) + half(&text),
        Mood::ContentType(other) => whole("200 OK", other, &text),
        Mood::Nothing => {
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
        }
        Mood::Elsewhere if path == "/metrics" => "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
            .to_owned(),
        Mood::Good | Mood::Slow(_) | Mood::Elsewhere => whole("200 OK", &content_type, &text),
    };
    out.write_all(bytes.as_bytes()).ok()
}

/// Reads the head of a request and returns its path.
fn requested(stream: &TcpStream) -> Option<String> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    for line in lines {
        if line.ok()?.is_empty() {
            break;
        }
    }
    first.split(' ').nth(1).map(str::to_owned)
}

/// Returns the usual body and its Content-Type; `None` when the one behind does not answer.
fn usual(state: &Mutex<State>) -> Option<(String, String)> {
    let upstream = locked(state).upstream.clone();
    let Some(address) = upstream else {
        return Some((locked(state).content.text(), TEXT.to_owned()));
    };
    let answer = servers::get(&address, "/metrics")?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let content_type = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.eq_ignore_ascii_case("content-type")).then(|| value.trim().to_owned())
    })?;
    Some((body.to_owned(), content_type))
}

/// Returns the text up to the middle of its third sample.
fn half(text: &str) -> &str {
    let third = text.find("wire_series").unwrap_or(text.len() / 2);
    &text[..third + 5]
}
