//! Log lines: one JSON object a line, or plain text for people.
//!
//! A layer of our own, since the order and flatness of the fields are a contract and it costs a
//! seventh of the stock JSON formatter. Lines go through a bounded queue to a thread that writes
//! them: a reader of our stdout that stops reading costs lines (counted), never requests.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    time::{Duration, SystemTime},
};

use opentelemetry::trace::TraceContextExt;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::config::Role;

const QUEUE_LINES: usize = 8_192;
/// The `app` of every line.
pub const APP: &str = "minishop";
/// The `service` of the load generator's lines.
pub const LOAD_SERVICE: &str = "load";

/// Where lines go: a queue in front of stdout.
#[derive(Debug, Clone)]
pub struct Sink {
    lines: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Line {
    Text(String),
    Flush(Sender<()>),
}

/// Lets the lines of a [`Sink`] go, after an optional line that must be the first of all.
#[derive(Debug)]
pub struct FirstLine(SyncSender<Option<String>>);

impl FirstLine {
    /// Writes `line` before all others; dropping the handle lets the others go without it.
    pub fn write(self, line: String) {
        // The writer only ends with the process, so there is nothing to do about a failure.
        let _ = self.0.send(Some(line));
    }
}

impl Sink {
    /// Starts the thread that writes to stdout; lines wait until the [`FirstLine`] is used or dropped.
    pub fn stdout() -> io::Result<(Self, FirstLine)> {
        let (lines, queue) = sync_channel(QUEUE_LINES);
        let (first, wait) = sync_channel(1);
        let writer = std::thread::Builder::new().name("log-writer".to_owned());
        writer.spawn(move || write_lines(&wait, &queue))?;
        Ok((
            Self {
                lines,
                dropped: Arc::default(),
            },
            FirstLine(first),
        ))
    }

    /// Returns how many lines found the queue full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until what was logged so far is written, at most `limit`.
    pub fn flush(&self, limit: Duration) {
        let (done, wait) = channel();
        if self.lines.try_send(Line::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(limit);
        }
    }

    fn send(&self, line: String) {
        if self.lines.try_send(Line::Text(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_lines(first: &Receiver<Option<String>>, queue: &Receiver<Line>) {
    let mut out = io::stdout();
    if let Ok(Some(line)) = first.recv() {
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
    for line in queue {
        // A closed stdout must not end the process: a parent may be gone and stdin will tell.
        match line {
            Line::Text(text) => drop(out.write_all(text.as_bytes())),
            Line::Flush(done) => {
                let _ = out.flush();
                let _ = done.send(());
            }
        }
    }
}

/// The layer that turns events into lines.
#[derive(Debug)]
pub struct LogLayer {
    sink: Sink,
    json: bool,
    process: &'static str,
}

impl LogLayer {
    /// Makes a layer; `process` is the `service` of lines that belong to no role.
    pub fn new(sink: Sink, json: bool, process: &'static str) -> Self {
        Self {
            sink,
            json,
            process,
        }
    }
}

/// The service a span belongs to, kept in its extensions.
struct SpanService(&'static str);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let (Some(service), Some(span)) = (fields.service, context.span(id)) {
            span.extensions_mut().insert(SpanService(service));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let of_span = || {
            context.event_scope(event)?.find_map(|span| {
                span.extensions()
                    .get::<SpanService>()
                    .map(|service| service.0)
            })
        };
        let service = fields.service.or_else(of_span).unwrap_or(self.process);
        let line = if self.json {
            json_line(event, service, &fields)
        } else {
            human_line(event, service, &fields)
        };
        self.sink.send(line);
    }
}

fn json_line(event: &Event<'_>, service: &str, fields: &Fields) -> String {
    let mut line = String::with_capacity(256);
    let now = humantime::format_rfc3339_millis(SystemTime::now());
    let metadata = event.metadata();
    // Writing to a String cannot fail.
    let _ = write!(
        line,
        "{{\"timestamp\":\"{now}\",\"level\":\"{}\",\"message\":",
        metadata.level()
    );
    push_json(&mut line, &fields.message);
    let _ = write!(line, ",\"target\":\"{}\"", metadata.target());
    let _ = write!(line, ",\"service\":\"{service}\",\"app\":\"{APP}\"");
    opentelemetry::Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        if span.is_valid() {
            let _ = write!(
                line,
                ",\"trace_id\":\"{}\",\"span_id\":\"{}\"",
                span.trace_id(),
                span.span_id()
            );
        }
    });
    for (name, value) in &fields.rest {
        line.push(',');
        push_json(&mut line, name);
        line.push(':');
        match value {
            Value::Text(text) => push_json(&mut line, text),
            Value::Plain(plain) => line.push_str(plain),
        }
    }
    line.push_str("}\n");
    line
}

fn human_line(event: &Event<'_>, service: &str, fields: &Fields) -> String {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let clock = now.get(11..23).unwrap_or_default();
    let mut line = format!(
        "{clock} {:5} {service:10} {}",
        event.metadata().level(),
        fields.message
    );
    for (name, value) in &fields.rest {
        let (Value::Text(value) | Value::Plain(value)) = value;
        let _ = write!(line, " {name}={value}");
    }
    line.retain(|c| !c.is_control());
    line.push('\n');
    line
}

/// Appends `text` as a JSON string.
fn push_json(line: &mut String, text: &str) {
    match serde_json::to_string(text) {
        Ok(quoted) => line.push_str(&quoted),
        Err(_) => line.push_str("\"\""),
    }
}

enum Value {
    Text(String),
    /// A number or a bool, as JSON has it.
    Plain(String),
}

#[derive(Default)]
struct Fields {
    message: String,
    service: Option<&'static str>,
    rest: Vec<(&'static str, Value)>,
}

impl Fields {
    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = text,
            "service" => self.service = known_service(&text),
            name => self.rest.push((name, Value::Text(text))),
        }
    }

    fn plain(&mut self, field: &Field, text: String) {
        self.rest.push((field.name(), Value::Plain(text)));
    }
}

fn known_service(name: &str) -> Option<&'static str> {
    let roles = Role::ALL.into_iter().map(Role::name);
    roles.chain([LOAD_SERVICE]).find(|known| *known == name)
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        if value.is_finite() {
            self.plain(field, value.to_string());
        } else {
            self.text(field, value.to_string());
        }
    }
}
