//! What the values of an expression measure, as far as names tell. A wrong unit is worse than none.

use promql::Query;

use crate::dashboard::Unit;

/// Functions and words that leave the unit of their argument as it is.
const KEEP: [&str; 27] = [
    "abs",
    "avg",
    "avg_over_time",
    "bottomk",
    "by",
    "clamp",
    "clamp_max",
    "clamp_min",
    "ceil",
    "delta",
    "floor",
    "increase",
    "label_replace",
    "last_over_time",
    "max",
    "max_over_time",
    "min",
    "min_over_time",
    "quantile",
    "quantile_over_time",
    "round",
    "sort",
    "sort_desc",
    "sum",
    "sum_over_time",
    "topk",
    "without",
];
/// Functions that make a rate of a counter.
const RATES: [&str; 2] = ["irate", "rate"];

/// Returns the unit that the names in a query stand for, [`Unit::Plain`] if they do not agree.
pub fn guess(query: &str) -> Unit {
    let Ok(parsed) = Query::parse(query) else {
        return Unit::Plain;
    };
    let bare = without_details(query);
    if bare.contains(['/', '*', '%', '^']) {
        return Unit::Plain;
    }
    let calls = calls(&bare);
    let all_among = |list: &[&str]| calls.iter().all(|call| list.contains(&call.as_str()));
    let names = parsed.metric_names();
    let is_rate = calls.iter().any(|call| RATES.contains(&call.as_str()));
    let is_quantile = calls.iter().any(|call| call == "histogram_quantile");
    if is_quantile {
        return shared(&names, |name| of_name(name.strip_suffix("_bucket")?));
    }
    if is_rate {
        let allowed: Vec<&str> = KEEP.iter().chain(&RATES).copied().collect();
        let counts = |name: &str| {
            let seconds = name.ends_with("_seconds_total") || name.ends_with("_seconds_sum");
            (!seconds).then_some(Unit::PerSecond)
        };
        return if all_among(&allowed) {
            shared(&names, counts)
        } else {
            Unit::Plain
        };
    }
    if all_among(&KEEP) {
        shared(&names, of_name)
    } else {
        Unit::Plain
    }
}

fn of_name(name: &str) -> Option<Unit> {
    let is_part = |part: &str| name.split([':', '_']).any(|one| one == part);
    if name.ends_with("_time_seconds") || name.ends_with("_timestamp_seconds") {
        // A moment, not a span.
        None
    } else if name.ends_with("_seconds") {
        Some(Unit::Seconds)
    } else if name.ends_with("_bytes") {
        Some(Unit::Bytes)
    } else if is_part("ratio") {
        Some(Unit::Ratio)
    } else {
        None
    }
}

/// Returns the unit that all names agree on.
fn shared(names: &[String], unit: impl Fn(&str) -> Option<Unit>) -> Unit {
    let mut units = names.iter().map(|name| unit(name).unwrap_or(Unit::Plain));
    let first = units.next().unwrap_or(Unit::Plain);
    if units.all(|other| other == first) {
        first
    } else {
        Unit::Plain
    }
}

/// Returns the query without texts, matchers and ranges.
fn without_details(query: &str) -> String {
    let mut bare = String::with_capacity(query.len());
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for c in query.chars() {
        if let Some(open) = quote {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' if open != '`' => is_escaped = true,
                c if c == open => quote = None,
                _ => {}
            }
            continue;
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare
}

/// Returns the words before an opening parenthesis.
fn calls(bare: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    bare.match_indices('(')
        .filter_map(|(at, _)| {
            let before = bare[..at].trim_end();
            let start = before
                .char_indices()
                .rev()
                .take_while(|(_, c)| is_word(*c))
                .last()?
                .0;
            Some(before[start..].to_lowercase())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_units() {
        let table = [
            ("process_resident_memory_bytes", Unit::Bytes),
            ("sum by (job) (x_bytes{a=\"/\"})", Unit::Bytes),
            ("x_bytes / y_bytes", Unit::Plain),
            ("scrape_duration_seconds", Unit::Seconds),
            ("process_start_time_seconds", Unit::Plain),
            ("max_over_time(scrape_duration_seconds[5m])", Unit::Seconds),
            ("count(scrape_duration_seconds)", Unit::Plain),
            ("sum(rate(http_requests_total[1m]))", Unit::PerSecond),
            ("rate(process_cpu_seconds_total[1m])", Unit::Plain),
            ("count(rate(http_requests_total[1m]))", Unit::Plain),
            (
                "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
                Unit::Seconds,
            ),
            ("shop:error_ratio:short", Unit::Ratio),
            ("x_bytes or y_seconds", Unit::Plain),
            ("up", Unit::Plain),
            ("1 + 1", Unit::Plain),
            ("sum(", Unit::Plain),
        ];
        for (query, expect) in table {
            assert_eq!(guess(query), expect, "{query}");
        }
    }
}
