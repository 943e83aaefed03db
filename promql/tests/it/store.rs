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
    )); // A series without a sample is none.
    assert!(store.append(&series(0), 0, 1.0).is_err());
    assert_eq!(store.series_count(), 10);
}

#[test]
fn a_full_store_makes_no_empty_series() {
    let mut store = Store::with_limits(Limits {
        max_samples: 1,
        ..Limits::default()
    });
    store.append(&series(0), 0, 1.0).unwrap();
    assert!(store.append(&series(1), 0, 1.0).is_err());
    assert_eq!((store.series_count(), store.sample_count()), (1, 1));
    assert!(store.last(&series(1)).is_none());
}

#[test]
fn a_sample_from_the_future_is_refused_once_the_time_is_known() {
    let mut store = Store::with_limits(Limits {
        retention_ms: 60_000,
        max_ahead_ms: 5_000,
        ..Limits::default()
    });
    store.append(&series(0), 1_000_000, 1.0).unwrap();
    store.set_now(1_000_000);
    store.append(&series(1), 1_005_000, 1.0).unwrap();
    assert!(!store.is_too_new(1_005_000) && store.is_too_new(1_005_001));
    let refused = AppendError::TooNew {
        t_ms: 1_005_001,
        latest_ms: 1_005_000,
    };
    assert_eq!(store.append(&series(1), 1_005_001, 1.0), Err(refused));
    assert_eq!(store.sample_count(), 2);
    // A clock that was set back counts as well.
    store.set_now(0);
    assert!(store.append(&series(0), 1_001_000, 1.0).is_err());
}

#[test]
fn a_known_place_is_looked_up_again_when_its_series_is_gone() {
    let mut store = Store::new(i64::MAX);
    let old = store.append_at(None, &series(0), 0, 1.0).unwrap();
    assert_eq!(store.append_at(Some(old), &series(0), 1, 2.0), Ok(old));
    store.drop_before(10);
    assert_eq!(store.series_count(), 0);
    // Another series takes the place.
    store.append(&series(1), 10, 3.0).unwrap();
    let new = store.append_at(Some(old), &series(0), 10, 4.0).unwrap();
    assert_ne!(new, old);
    assert_eq!(store.last(&series(0)).unwrap().value, 4.0);
    assert_eq!(store.last(&series(1)).unwrap().value, 3.0);
    assert_eq!(store.series_count(), 2);
}

#[test]
fn retention_hides_samples_inside_a_chunk() {
    let mut store = Store::new(i64::MAX);
    for t_ms in 0..1_000 {
        store.append(&series(0), t_ms, t_ms as f64).unwrap();
    }
    let bytes = store.bytes();
    store.drop_before(900);
    assert_eq!(store.sample_count(), 100);
    let query = Query::parse("count_over_time(m[1h])").unwrap();
    let evaluated = Engine::default().instant(&store, &query, 1_000).unwrap();
    let Value::Vector(points) = evaluated.value else {
        panic!("a vector");
    };
    assert_eq!(points[0].sample.value, 100.0);
    assert!(store.bytes() < bytes);
}
