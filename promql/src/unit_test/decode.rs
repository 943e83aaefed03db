//! From the YAML tree to tests; `fields` reads what stands in a single field.

mod fields;

use std::collections::BTreeMap;

use super::{AlertAssertion, ExpectedAlert, ExpectedSample, ExprAssertion, InputSeries};
use super::{Test, TestFile};
use crate::duration::format_ms;
use crate::labels::Labels;
use crate::query::{Dialect, Query};
use crate::script::series::{Run, parse_runs};
use crate::yaml::decode::{Fields, Item, Problem, Problems};
use crate::yaml::{self, Yaml};
use fields::{
    eval_time, labels, list, pairs, plain, positive, start_timestamp, subset, text, value,
};

/// Interval where a file names none.
const DEFAULT_INTERVAL_MS: i64 = 60 * 1000;
/// Most samples of all series of a test.
const MAX_TEST_SAMPLES: usize = 20_000_000;
/// Most evaluations of every group in a test.
const MAX_EVALUATIONS: i64 = 5_000_000;
const NATIVE: &str = "native histograms are not built";
const ALERT_NAME: &str = "alertname";

pub(super) fn file(text: &str, dialect: Dialect) -> Result<TestFile, Vec<Problem>> {
    let mut problems = Problems::new();
    let node = yaml::parse(text).map_err(|error| {
        vec![Problem {
            place: error.place,
            path: String::new(),
            message: error.message,
            help: None,
        }]
    })?;
    let file = document(&Item::root(&node), dialect, &mut problems);
    match file {
        Some(file) if problems.is_empty() => Ok(file),
        _ => Err(problems.into_sorted()),
    }
}

fn document(root: &Item<'_>, dialect: Dialect, problems: &mut Problems) -> Option<TestFile> {
    if matches!(root.node.value, Yaml::Null) {
        problems.at_with_help(root, "the file is empty", "a test file has a list `tests`");
        return None;
    }
    let mut fields = root.fields(problems)?;
    let rule_files = list(&mut fields, "rule_files", problems)
        .iter()
        .filter_map(|item| Some((item.node.place, item.scalar(problems)?)))
        .collect();
    let evaluation_interval_ms =
        positive(&mut fields, "evaluation_interval", problems).unwrap_or(DEFAULT_INTERVAL_MS);
    let group_eval_order = group_order(&mut fields, problems);
    let fuzzy_compare = fields
        .take("fuzzy_compare")
        .and_then(|item| item.bool(problems))
        .unwrap_or(false);
    let tests = list(&mut fields, "tests", problems)
        .iter()
        .filter_map(|item| test(item, evaluation_interval_ms, dialect, problems))
        .collect();
    fields.finish(problems);
    Some(TestFile {
        rule_files,
        evaluation_interval_ms,
        group_eval_order,
        fuzzy_compare,
        tests,
    })
}

fn group_order(fields: &mut Fields<'_>, problems: &mut Problems) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in list(fields, "group_eval_order", problems) {
        let Some(name) = item.scalar(problems) else {
            continue;
        };
        if names.contains(&name) {
            problems.at(&item, format!("the group `{name}` is named twice"));
        }
        names.push(name);
    }
    names
}

fn test(
    item: &Item<'_>,
    evaluation_interval_ms: i64,
    dialect: Dialect,
    problems: &mut Problems,
) -> Option<Test> {
    let mut fields = item.fields(problems)?;
    let name = text(&mut fields, "name", problems);
    let interval_ms = positive(&mut fields, "interval", problems).unwrap_or(evaluation_interval_ms);
    let start_ms = fields
        .take("start_timestamp")
        .and_then(|item| item.parse(problems, start_timestamp))
        .unwrap_or(0);
    let series = input_series(&mut fields, problems);
    let external_labels = fields
        .take("external_labels")
        .map(|item| Labels::from_pairs(pairs(&item, problems)))
        .unwrap_or_default();
    let external_url = text(&mut fields, "external_url", problems);
    let alerts = list(&mut fields, "alert_rule_test", problems)
        .iter()
        .filter_map(|item| alert_assertion(item, problems))
        .collect();
    let exprs = list(&mut fields, "promql_expr_test", problems)
        .iter()
        .filter_map(|item| expr_assertion(item, dialect, problems))
        .collect();
    fields.finish(problems);
    let test = Test {
        place: item.node.place,
        name,
        interval_ms,
        start_ms,
        series,
        external_labels,
        external_url,
        alerts,
        exprs,
    };
    let evaluations = test.end_ms() / evaluation_interval_ms;
    if evaluations > MAX_EVALUATIONS {
        problems.at_with_help(
            item,
            format!(
                "the last `eval_time` is {}: {evaluations} evaluations every {}",
                format_ms(test.end_ms()),
                format_ms(evaluation_interval_ms)
            ),
            format!("at most {MAX_EVALUATIONS} are run; take a longer `evaluation_interval`"),
        );
    }
    Some(test)
}

fn input_series(fields: &mut Fields<'_>, problems: &mut Problems) -> Vec<InputSeries> {
    let mut all = Vec::new();
    let mut samples = 0;
    let items = list(fields, "input_series", problems);
    let last = items.len().saturating_sub(1);
    for (index, item) in items.iter().enumerate() {
        let Some(series) = one_series(item, index == last, problems) else {
            continue;
        };
        samples += series.steps();
        if samples > MAX_TEST_SAMPLES {
            problems.at_with_help(
                item,
                format!("the series of a test have at most {MAX_TEST_SAMPLES} samples"),
                "shorten the series, or take a longer `interval`",
            );
            break;
        }
        all.push(series);
    }
    all
}

fn one_series(item: &Item<'_>, is_last: bool, problems: &mut Problems) -> Option<InputSeries> {
    let mut fields = item.fields(problems)?;
    let labels = fields
        .require("series", problems)
        .and_then(|item| Some((labels(&item, problems)?, item)));
    let runs = match fields.take("values") {
        Some(item) => item.parse(problems, |text| values(text, is_last)),
        None => Some(Vec::new()),
    };
    fields.finish(problems);
    let (labels, labels_item) = labels?;
    if labels.is_empty() {
        problems.at_with_help(
            &labels_item,
            "a series without labels cannot be stored",
            "name it, such as `up{job=\"shop\"}`",
        );
        return None;
    }
    Some(InputSeries {
        place: item.node.place,
        labels,
        runs: runs?,
    })
}

/// Promtool writes the series into a script, where a line is a series and an empty line ends all of
/// them.
fn values(text: &str, is_last: bool) -> Result<Vec<Run>, String> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    if line.contains('\n') || (line.len() < text.len() && !is_last) {
        return Err(
            "promtool reads only up to the end of the line; write `>-` for values on several lines"
                .to_owned(),
        );
    }
    parse_runs(line, MAX_TEST_SAMPLES).map_err(plain)
}

fn alert_assertion(item: &Item<'_>, problems: &mut Problems) -> Option<AlertAssertion> {
    let mut fields = item.fields(problems)?;
    let eval_time_ms = eval_time(&mut fields, problems);
    let alertname = fields.require("alertname", problems);
    let alertname = alertname
        .and_then(|item| {
            let name = item.scalar(problems)?;
            if name.is_empty() {
                let help = "name the alert whose state is compared";
                problems.at_with_help(&item, "the name of an alert is not empty", help);
            }
            Some(name)
        })
        .unwrap_or_default();
    let mut alerts = |name, problems: &mut Problems| {
        let item = fields.take(name)?;
        let items = item.list(problems);
        let alerts = items.iter();
        Some(
            alerts
                .filter_map(|item| expected_alert(item, &alertname, problems))
                .collect::<Vec<_>>(),
        )
    };
    let firing = alerts("exp_alerts", problems).unwrap_or_default();
    let pending = alerts("exp_pending", problems);
    let subset = subset(&mut fields, problems);
    fields.finish(problems);
    Some(AlertAssertion {
        place: item.node.place,
        eval_time_ms,
        alertname,
        firing,
        pending,
        subset,
    })
}

fn expected_alert(
    item: &Item<'_>,
    alertname: &str,
    problems: &mut Problems,
) -> Option<ExpectedAlert> {
    let place = item.node.place;
    // promtool reads an empty item as an alert without labels of its own.
    if matches!(item.node.value, Yaml::Null) {
        return Some(ExpectedAlert {
            place,
            labels: BTreeMap::from([(ALERT_NAME.to_owned(), alertname.to_owned())]),
            annotations: BTreeMap::new(),
        });
    }
    let mut fields = item.fields(problems)?;
    let mut map = |name, problems: &mut Problems| -> BTreeMap<String, String> {
        let item = fields.take(name);
        item.map(|item| pairs(&item, problems))
            .unwrap_or_default()
            .into_iter()
            .collect()
    };
    let mut labels = map("exp_labels", problems);
    let annotations = map("exp_annotations", problems);
    labels.insert(ALERT_NAME.to_owned(), alertname.to_owned());
    fields.finish(problems);
    Some(ExpectedAlert {
        place,
        labels,
        annotations,
    })
}

fn expr_assertion(
    item: &Item<'_>,
    dialect: Dialect,
    problems: &mut Problems,
) -> Option<ExprAssertion> {
    let mut fields = item.fields(problems)?;
    let expr = fields
        .require("expr", problems)
        .and_then(|item| item.parse(problems, |text| Query::parse_as(text, dialect)));
    let eval_time_ms = eval_time(&mut fields, problems);
    let samples = list(&mut fields, "exp_samples", problems)
        .iter()
        .filter_map(|item| expected_sample(item, problems))
        .collect();
    let subset = subset(&mut fields, problems);
    fields.finish(problems);
    Some(ExprAssertion {
        place: item.node.place,
        expr: expr?,
        eval_time_ms,
        samples,
        subset,
    })
}

fn expected_sample(item: &Item<'_>, problems: &mut Problems) -> Option<ExpectedSample> {
    let mut fields = item.fields(problems)?;
    let labels = match fields.take("labels") {
        Some(item) => labels(&item, problems),
        None => Some(Labels::default()),
    };
    let value = match fields.take("value") {
        Some(item) => value(&item, problems),
        None => Some(0.0),
    };
    if let Some(histogram) = fields.take("histogram")
        && histogram.scalar(problems).as_deref() != Some("")
    {
        problems.at(&histogram, NATIVE);
    }
    fields.finish(problems);
    Some(ExpectedSample {
        place: item.node.place,
        labels: labels?,
        value: value?,
    })
}
