//! The store: order, duplicates, retention, limits.

use promql::store::{AppendError, Limits};
use promql::value::{Value, is_stale, stale_nan};
use promql::{Engine, Labels, Query, Store};

fn series(number: usize) -> Labels {
    let number = number.to_string();
    Labels::from_pairs([("__name__", "m"), ("i", number.as_str())])
}

#[test]
fn duplicates_and_disorder_are_refused() {
    let mut store = Store::new(1_000_000);
    let labels = series(0);
    store.append(&labels, 10, 1.0).unwrap();
    store.append(&labels, 10, 1.0).unwrap();
    assert_eq!(store.sample_count(), 1);
    assert!(matches!(
        store.append(&labels, 10, 2.0),
        Err(AppendError::Duplicate { .. })
    ));
    assert!(matches!(
        store.append(&labels, 9, 1.0),
        Err(AppendError::OutOfOrder { last_ms: 10, .. })
    ));
    store.append(&labels, 11, stale_nan()).unwrap();
    assert!(matches!(
        store.append(&labels, 11, f64::NAN),
        Err(AppendError::Duplicate { .. })
    ));
    assert!(is_stale(store.last(&labels).unwrap().value));
}

#[test]
fn retention_drops_samples_and_dead_series() {
    let mut store = Store::new(60_000);
    store.append(&series(0), 0, 1.0).unwrap();
    for second in 0..600 {
        store.append(&series(1), second * 1000, 1.0).unwrap();
    }
    assert_eq!(store.series_count(), 1);
    assert!(store.sample_count() <= 66, "{}", store.sample_count());
    assert_eq!(store.label_values("i"), ["1"]);
    assert!(matches!(
        store.append(&series(2), 0, 1.0),
        Err(AppendError::TooOld { .. })
    ));
    // The place of the dead series is used again.
    store.append(&series(3), 600_000, 5.0).unwrap();
    let query = Query::parse("m").unwrap();
    let evaluated = Engine::default().instant(&store, &query, 600_000).unwrap();
    let Value::Vector(points) = evaluated.value else {
        panic!("a vector");
    };
    assert_eq!(points.len(), 2);
}

#[test]
fn the_store_is_bounded() {
    let mut store = Store::with_limits(Limits {
        max_series: 10,
        max_samples: 15,
        ..Limits::default()
    });
    for number in 0..10 {
        store.append(&series(number), 0, 1.0).unwrap();
    }
    assert!(matches!(
        store.append(&series(10), 0, 1.0),
        Err(AppendError::Full { what: "series", .. })
    ));
    for t_ms in 1..6 {
        store.append(&series(0), t_ms, 1.0).unwrap();
    }
    assert!(matches!(
        store.append(&series(0), 6, 1.0),
        Err(AppendError::Full {
            what: "samples",
            ..
        })
    ));
}
