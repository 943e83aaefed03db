//! What a running shop and its traffic export, held against the catalogue, both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use e2e::lab::Lab;
use e2e::process::wait_until;
use e2e::servers;
use regex::Regex;
use shop::telemetry::catalogue::ALL;

use crate::metric_names::exported;

/// Long enough for a debug build on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

/// Series that exist only while a fault is armed.
const WITH_A_FAULT: [&str; 3] = [
    "chaos_fault_active",
    "chaos_fault_evaluated_total",
    "chaos_fault_injected_total",
];

/// Returns name → labels of the series in an exposition; a name that nothing but its TYPE line has is left out.
fn series(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let line = Regex::new(r"(?m)^([A-Za-z_:][\w:]*)(?:\{(.*?)\})? [-+0-9.eEINna]+").unwrap();
    let label = Regex::new(r#"(\w+)="(?:[^"\\]|\\.)*""#).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in line.captures_iter(text) {
        let labels = found.entry(sample[1].to_owned()).or_default();
        if let Some(set) = sample.get(2) {
            let names = label.captures_iter(set.as_str());
            labels.extend(names.map(|name| name[1].to_owned()));
        }
    }
    found
}

fn scrape(lab: &Lab) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for (_, address) in &lab.metrics {
        all.append(&mut series(&servers::get(address, "/metrics").unwrap()));
    }
    all
}

#[test]
fn a_running_shop_exports_its_catalogue_and_nothing_else() {
    let lab = Lab::start();
    wait_until("somebody has paid", LIMIT, || {
        let text = servers::get(&lab.metrics[0].1, "/metrics").unwrap_or_default();
        text.lines()
            .any(|line| line.starts_with("payments_processed_total{") && !line.ends_with(" 0"))
    });
    let exported_names = exported();
    let live = scrape(&lab);
    let mut wrong = Vec::new();
    for (name, labels) in &live {
        match exported_names.get(name) {
            None => wrong.push(format!("{name} is not in the catalogue")),
            Some(wanted) if wanted != labels => {
                wrong.push(format!(
                    "{name} has {labels:?}; the catalogue says {wanted:?}"
                ));
            }
            Some(_) => {}
        }
    }
    for metric in ALL {
        let name = metric.name();
        let is_live = live.contains_key(&name) || live.contains_key(&format!("{name}_bucket"));
        if !is_live && !WITH_A_FAULT.contains(&name.as_str()) {
            wrong.push(format!("nothing exports {name}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
