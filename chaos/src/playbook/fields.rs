//! The kinds of value that several fields share: durations, expressions, tolerances, labels,
//! words of a closed set.

use promql::labels::Labels;
use promql::yaml::Yaml;
use promql::yaml::decode::{Item, Problems, closest};

use super::Expr;
use crate::tolerance::Tolerance;

/// Longest duration a playbook can state: 30 days.
const MAX_DURATION_MS: u128 = 30 * 24 * 3600 * 1000;

/// Reads a duration in milliseconds, such as `90s` or `1m 30s`.
pub(super) fn duration(item: &Item<'_>, problems: &mut Problems) -> Option<i64> {
    if matches!(item.node.value, Yaml::Int(_) | Yaml::Float(_)) {
        let number = item.scalar(problems)?;
        problems.at_with_help(
            item,
            "a duration carries its unit",
            format!("write `{number}s` for seconds or `{number}m` for minutes"),
        );
        return None;
    }
    let text = item.str(problems)?;
    match humantime::parse_duration(text) {
        Ok(duration) if duration.as_millis() <= MAX_DURATION_MS => {
            i64::try_from(duration.as_millis()).ok()
        }
        Ok(_) => {
            problems.at(item, "a duration is at most 30 days");
            None
        }
        Err(error) => {
            problems.at_with_help(
                item,
                format!("`{text}` is not a duration: {error}"),
                "durations look like 800ms, 90s, 1m 30s, 2h",
            );
            None
        }
    }
}

/// Reads a duration of more than nothing.
pub(super) fn positive_duration(item: &Item<'_>, problems: &mut Problems) -> Option<i64> {
    let value = duration(item, problems)?;
    if value == 0 {
        problems.at(item, "the duration must be more than zero");
        return None;
    }
    Some(value)
}

/// Reads an expression; that it is PromQL is judged later, by the source that evaluates it.
pub(super) fn expr(item: &Item<'_>, problems: &mut Problems) -> Option<Expr> {
    let text = item.scalar(problems)?;
    if text.trim().is_empty() {
        problems.at(item, "the query is empty");
        return None;
    }
    Some(Expr {
        text,
        place: item.node.place,
        path: item.path.clone(),
    })
}

/// Reads a tolerance: a text such as `> 5`, or a list of the two ends of a range.
pub(super) fn tolerance(item: &Item<'_>, problems: &mut Problems) -> Option<Tolerance> {
    if let Yaml::Seq(ends) = &item.node.value {
        if ends.len() != 2 {
            problems.at(item, "a range has two ends: [low, high]");
            return None;
        }
        let ends = item.list(problems);
        let low = ends[0].number(problems);
        let high = ends[1].number(problems);
        return match Tolerance::between(low?, high?) {
            Ok(range) => Some(range),
            Err(error) => {
                problems.at(item, error.to_string());
                None
            }
        };
    }
    if matches!(item.node.value, Yaml::Int(_) | Yaml::Float(_)) {
        let number = item.scalar(problems)?;
        problems.at_with_help(
            item,
            "a bare number does not say how to compare",
            format!("write '== {number}', or one of > >= < <= !="),
        );
        return None;
    }
    item.parse(problems, str::parse)
}

/// Reads labels: a mapping of names to single values.
pub(super) fn labels(item: &Item<'_>, problems: &mut Problems) -> Labels {
    let entries = item.entries(problems);
    let pairs: Vec<(String, String)> = entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.text.clone(), value.scalar(problems)?)))
        .collect();
    Labels::from_pairs(pairs)
}

/// Reads one word of a closed set.
pub(super) fn word<T: Copy>(
    item: &Item<'_>,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let text = item.scalar(problems)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*value);
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    problems.at_with_help(
        item,
        format!("`{text}` is not one of {}", known.join(", ")),
        match closest(&text, &known) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("write {}", known.join(" or ")),
        },
    );
    None
}

/// Reads a text that is not empty.
pub(super) fn name(item: &Item<'_>, problems: &mut Problems) -> Option<String> {
    let text = item.scalar(problems)?;
    if text.trim().is_empty() {
        problems.at(item, "the text is empty");
        return None;
    }
    Some(text)
}
