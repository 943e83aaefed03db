//! Log lines: one JSON object a line, or plain text for people.
//!
//! A layer of our own, since the order and flatness of the fields are a contract and it costs a
//! seventh of the stock JSON formatter. Lines go to bounded queues whose threads write them: a reader
//! of our stdout that stops reading costs lines (counted), never requests.
//!
//! Reading order: `fields` (what an event says), this file (a line), `queue`, `file` and `sink`
//! (where lines go), [`level`](self::level) (which events become lines), `export` (the same lines by
//! OTLP).

pub(crate) mod export;
mod fields;
mod file;
pub(crate) mod level;
mod queue;
mod sink;

use std::{
    cell::Cell,
    fmt::Write as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use export::LogExport;
use fields::{Fields, Form, ServiceOnly, lend, push_json};
pub use file::LogFile;
pub use sink::{FirstLine, Sink};

/// The `app` of every line.
pub const APP: &str = "minishop";
/// The `service` of the load generator's lines.
pub const LOAD_SERVICE: &str = "load";

/// The layer that turns events into lines.
#[derive(Debug)]
pub struct LogLayer {
    sink: Sink,
    form: Form,
    process: &'static str,
    export: Option<LogExport>,
}

impl LogLayer {
    /// Makes a layer; `process` is the `service` of lines that belong to no role.
    pub fn new(sink: Sink, json: bool, process: &'static str) -> Self {
        Self {
            sink,
            form: if json { Form::Json } else { Form::Human },
            process,
            export: None,
        }
    }

    /// Exports the lines as well.
    pub(crate) fn exporting(mut self, export: Option<LogExport>) -> Self {
        self.export = export;
        self
    }
}

/// The service a span belongs to, kept in its extensions.
struct SpanService(&'static str);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut found = ServiceOnly::default();
        attributes.record(&mut found);
        if let (Some(service), Some(span)) = (found.0, context.span(id)) {
            span.extensions_mut().insert(SpanService(service));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let of_span = || {
            context.event_scope(event)?.find_map(|span| {
                span.extensions()
                    .get::<SpanService>()
                    .map(|service| service.0)
            })
        };
        let export = self.export.as_ref().filter(|_| export::is_wanted(event));
        lend(self.form, export.is_some(), |fields| {
            event.record(fields);
            let service = fields.service.or_else(of_span).unwrap_or(self.process);
            let now = SystemTime::now();
            let span = opentelemetry::Context::map_current(|current| {
                let span = current.span();
                let span = span.span_context();
                span.is_valid().then(|| span.clone())
            });
            match self.form {
                Form::Json => json_line(event, service, now, span.as_ref(), fields),
                Form::Human => human_line(event, service, now, fields),
            }
            self.sink.send(&fields.line);
            if let Some(export) = export {
                export.emit(event, service, now, span.as_ref(), fields);
            }
        });
    }
}

fn json_line(
    event: &Event<'_>,
    service: &str,
    now: SystemTime,
    span: Option<&SpanContext>,
    fields: &mut Fields,
) {
    let metadata = event.metadata();
    let line = &mut fields.line;
    line.push_str("{\"timestamp\":\"");
    push_time(line, now);
    line.push_str("\",\"level\":\"");
    line.push_str(metadata.level().as_str());
    line.push_str("\",\"message\":");
    push_json(line, &fields.message);
    line.push_str(",\"target\":");
    push_json(line, metadata.target());
    for (name, text) in [("service", service), ("app", APP)] {
        line.push_str(",\"");
        line.push_str(name);
        line.push_str("\":\"");
        line.push_str(text);
        line.push('"');
    }
    if let Some(span) = span {
        line.push_str(",\"trace_id\":\"");
        push_hex(line, &span.trace_id().to_bytes());
        line.push_str("\",\"span_id\":\"");
        push_hex(line, &span.span_id().to_bytes());
        line.push('"');
    }
    line.push_str(&fields.rest);
    line.push_str("}\n");
}

fn human_line(event: &Event<'_>, service: &str, now: SystemTime, fields: &mut Fields) {
    let mut time = String::with_capacity(24);
    push_time(&mut time, now);
    let clock = time.get(11..23).unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = write!(
        fields.line,
        "{clock} {:5} {service:10} {}{}",
        event.metadata().level(),
        fields.message,
        fields.rest
    );
    fields.line.retain(|c| !c.is_control());
    fields.line.push('\n');
}

thread_local! {
    /// The second that was written last, and its text up to the seconds.
    static SECOND: Cell<(u64, [u8; 19])> = const { Cell::new((u64::MAX, [b'0'; 19])) };
}

/// Appends the time as RFC 3339 with milliseconds.
fn push_time(line: &mut String, now: SystemTime) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut second, mut text) = SECOND.get();
    if second != since.as_secs() {
        second = since.as_secs();
        let whole = UNIX_EPOCH + Duration::from_secs(second);
        let written = humantime::format_rfc3339_seconds(whole).to_string();
        if let Some(head) = written.as_bytes().first_chunk() {
            text = *head;
        }
        SECOND.set((second, text));
    }
    line.push_str(std::str::from_utf8(&text).unwrap_or_default());
    let _ = write!(line, ".{:03}Z", since.subsec_millis());
}

fn push_hex(line: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        line.push(char::from(DIGITS[usize::from(byte >> 4)]));
        line.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{push_hex, push_time};

    #[test]
    fn times_and_ids_are_written_as_the_stock_formatters_do() {
        for (ms, expected) in [
            (1_764_374_400_007, "2025-11-29T00:00:00.007Z"),
            (1_764_374_400_999, "2025-11-29T00:00:00.999Z"),
            (1_764_374_401_000, "2025-11-29T00:00:01.000Z"),
        ] {
            let mut line = String::new();
            push_time(&mut line, UNIX_EPOCH + Duration::from_millis(ms));
            assert_eq!(line, expected);
        }
        let mut line = String::new();
        push_hex(&mut line, &[0x0a, 0xf7, 0x00]);
        assert_eq!(line, "0af700");
    }
}
