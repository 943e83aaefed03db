//! What a scrape gets: OpenMetrics 1.0 when asked for, the Prometheus text format 0.0.4 otherwise.
//!
//! One registry writes OpenMetrics; the older format is made from it line by line, since it differs
//! only in the names of counter families and in having neither exemplars, units nor an end mark.

use std::fmt::{self, Write as _};

use prometheus_client::{
    encoding::{prometheus_protobuf, text},
    registry::Registry,
};

use super::{translate, vocabulary::Vocabulary};

/// The content type of OpenMetrics text.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The content type of the Prometheus text format.
pub const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

const END: &str = "# EOF\n";

/// Writes the registry in the format that an `Accept` header asks for, followed by the other names of
/// the vocabularies; returns the content type and the text.
pub fn expose(
    registry: &Registry,
    accept: Option<&str>,
    vocabularies: &[Vocabulary],
) -> Result<(&'static str, String), fmt::Error> {
    let mut openmetrics = String::with_capacity(64 * 1024);
    text::encode(&mut openmetrics, registry)?;
    if !vocabularies.is_empty() {
        let families = prometheus_protobuf::encode(registry)?;
        openmetrics.truncate(openmetrics.len() - END.len());
        translate::write(&mut openmetrics, &families, vocabularies)?;
        openmetrics.push_str(END);
    }
    if accept.is_some_and(wants_openmetrics) {
        Ok((OPENMETRICS, openmetrics))
    } else {
        Ok((PROMETHEUS_TEXT, to_prometheus_text(&openmetrics)))
    }
}

/// Tells whether an `Accept` header prefers OpenMetrics to plain text, by its `q` values.
fn wants_openmetrics(accept: &str) -> bool {
    let quality = |wanted: &str| {
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next()?;
            let q = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(1.0, |q| q.parse().unwrap_or(0.0));
            media.eq_ignore_ascii_case(wanted).then_some(q)
        });
        ranges.fold(0.0_f64, f64::max)
    };
    let openmetrics = quality("application/openmetrics-text");
    openmetrics > 0.0 && openmetrics >= quality("text/plain")
}

fn to_prometheus_text(openmetrics: &str) -> String {
    let mut out = String::with_capacity(openmetrics.len());
    let mut pending_help: Option<(&str, &str)> = None;
    for line in openmetrics.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        if let Some((name, help)) = line
            .strip_prefix("# HELP ")
            .and_then(|rest| rest.split_once(' '))
        {
            pending_help = Some((name, help));
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        {
            // Writing to a String cannot fail. The older format names a counter's family with its suffix.
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, help)) = pending_help.take().filter(|(of, _)| *of == name) {
                let _ = writeln!(out, "# HELP {name}{suffix} {help}");
            }
            let _ = writeln!(out, "# TYPE {name}{suffix} {kind}");
        } else {
            out.push_str(without_exemplar(line));
            out.push('\n');
        }
    }
    out
}

/// Cuts the exemplar off a sample; a `#` inside a quoted label value is not one.
fn without_exemplar(line: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'#' if !quoted => return line[..at].trim_end(),
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{to_prometheus_text, wants_openmetrics};

    #[test]
    fn the_older_format_has_suffixed_counters_and_no_exemplars() {
        let openmetrics = "# HELP a_b Help text.\n# TYPE a_b counter\n# UNIT a_b b\n\
            a_b_total{x=\"# {\\\"\"} 1 # {trace_id=\"0af7\"} 1.0\n\
            # HELP g G.\n# TYPE g gauge\ng 2\n# EOF\n";
        let expected = "# HELP a_b_total Help text.\n# TYPE a_b_total counter\n\
            a_b_total{x=\"# {\\\"\"} 1\n\
            # HELP g G.\n# TYPE g gauge\ng 2\n";
        assert_eq!(to_prometheus_text(openmetrics), expected);
    }

    #[test]
    fn the_format_follows_the_accept_header() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
        assert!(wants_openmetrics(prometheus));
        for plain in [
            "*/*",
            "text/plain",
            "text/plain;q=0.6,application/openmetrics-text;q=0.5",
            "",
        ] {
            assert!(!wants_openmetrics(plain), "{plain}");
        }
    }
}
