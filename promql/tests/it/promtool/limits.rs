//! `limitk` and `limit_ratio` beside the real promtool.

use promql::{Dialect, Engine, Profile};

use super::ask::{Case, Promtool};
use super::compare::agree;
use super::generate::SeriesLine;
use super::{load, ours};

/// Labels of all lengths, so that every part of the hash is used.
fn series() -> Vec<SeriesLine> {
    (0..60)
        .map(|number| SeriesLine {
            name: format!(
                "m_total{{a=\"{}\",i=\"{number}\",z=\"{}\"}}",
                ["x", "y", "zz"][number % 3],
                "q".repeat(number * number % 300)
            ),
            values: format!("{number}+{number}x20"),
        })
        .collect()
}

#[test]
fn limits_take_what_promtool_takes() {
    let Some(promtool) = Promtool::find("limits_take_what_promtool_takes") else {
        return;
    };
    let dialect = Dialect {
        profile: Profile::V3_5,
        experimental: true,
    };
    let lines = series();
    let store = load(&lines);
    let ratios = [
        "0", "0.1", "0.5", "0.93", "1", "1.5", "-0.2", "-0.5", "-1", "-2",
    ];
    let mut exprs: Vec<String> = ratios
        .iter()
        .flat_map(|ratio| {
            [
                format!("limit_ratio({ratio}, m_total)"),
                format!("limit_ratio by (a) ({ratio}, rate(m_total[1m]))"),
            ]
        })
        .collect();
    // Which elements limitk takes is random in promtool, how many is not.
    for grouping in ["", "by (a)", "without (i, z)"] {
        for count in ["0", "1", "7", "100", "-3"] {
            exprs.push(format!("count(limitk {grouping} ({count}, m_total))"));
        }
    }
    let cases: Vec<Case> = exprs
        .into_iter()
        .map(|expr| Case {
            expr,
            // promtool loads samples up to the last whole minute.
            t_ms: 120_000,
        })
        .collect();
    let answers = promtool.ask(&["promql-experimental-functions"], &lines, &cases);
    for (case, theirs) in cases.iter().zip(&answers) {
        let ours = ours(&Engine::default(), dialect, &store, case);
        assert!(
            agree(&case.expr, &ours, theirs),
            "{}\n  ours:   {ours:?}\n  theirs: {theirs:?}",
            case.expr
        );
    }
    assert_eq!(answers.len(), cases.len());
}
