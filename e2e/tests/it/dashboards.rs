//! The Grafana dashboards: every query parses and reads what exists, every data source is provisioned.

use std::collections::BTreeSet;
use std::fs;

use e2e::repository;
use serde_json::Value;

use crate::metric_names;

fn dashboards() -> Vec<(String, Value)> {
    let folder = repository().join("compose/grafana/dashboards");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect()
}

/// Calls `visit` with every object in a document.
fn each_object(value: &Value, visit: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            for inner in object.values() {
                each_object(inner, visit);
            }
        }
        Value::Array(items) => {
            for inner in items {
                each_object(inner, visit);
            }
        }
        _ => {}
    }
}

#[test]
fn every_query_parses_and_reads_what_exists() {
    for (name, dashboard) in dashboards() {
        let mut seen = 0;
        each_object(&dashboard, &mut |object| {
            let source = object
                .get("datasource")
                .and_then(|source| source["type"].as_str());
            if let (Some(query), Some("prometheus")) =
                (object.get("expr").and_then(Value::as_str), source)
            {
                metric_names::check(&name, query);
                seen += 1;
            }
        });
        assert!(seen > 0, "{name} asks nothing");
    }
}

#[test]
fn every_data_source_is_provisioned() {
    let path = repository().join("compose/grafana/provisioning/datasources/stack.yaml");
    let file: Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let sources = file["datasources"].as_array().unwrap();
    let provisioned: BTreeSet<_> = sources
        .iter()
        .map(|source| {
            (
                source["type"].as_str().unwrap(),
                source["uid"].as_str().unwrap(),
            )
        })
        .collect();
    for (name, dashboard) in dashboards() {
        each_object(&dashboard, &mut |object| {
            if let (Some(kind), Some(uid)) = (
                object.get("type").and_then(Value::as_str),
                object.get("uid").and_then(Value::as_str),
            ) {
                assert!(provisioned.contains(&(kind, uid)), "{name}: {kind} {uid}");
            }
        });
    }
}

/// The three signals of the product and what the shop adds; the error rate has its red line at 10%.
#[test]
fn the_shop_dashboard_has_its_panels() {
    let dashboards = dashboards();
    let (_, shop) = dashboards
        .iter()
        .find(|(name, _)| name == "shop.json")
        .unwrap();
    let panels = shop["panels"].as_array().unwrap();
    let titles: Vec<_> = panels
        .iter()
        .map(|panel| panel["title"].as_str().unwrap())
        .collect();
    for title in [
        "QPS",
        "P95 latency",
        "Error rate",
        "Payment failures",
        "Database queries in flight",
        "Alerts",
    ] {
        assert!(titles.contains(&title), "{title} is not among {titles:?}");
    }
    let errors = panels
        .iter()
        .find(|panel| panel["title"] == "Error rate")
        .unwrap();
    let steps = &errors["fieldConfig"]["defaults"]["thresholds"]["steps"];
    assert_eq!(steps[1]["color"], "red");
    assert_eq!(steps[1]["value"], 0.1);
}
