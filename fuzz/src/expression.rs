//! An expression: its canonical form is stable, and instant and range queries agree.

use promql::Query;
use promql::engine::Profile;

use super::fixture;

/// Reads, prints, reads again, evaluates.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = Query::parse(text);
    let Ok(query) = Query::parse_experimental(text) else {
        return;
    };
    let printed = query.to_string();
    let again = Query::parse_experimental(&printed)
        .unwrap_or_else(|error| panic!("{text:?} prints as {printed:?}: {error}"));
    assert_eq!(again.to_string(), printed, "printing {text:?}");
    assert_eq!(again.metric_names(), query.metric_names());
    let store = fixture::store();
    let profile = match text.len() % 4 {
        0 => Profile::V2_42,
        1 => Profile::V2_53,
        _ => Profile::V3_5,
    };
    let engine = fixture::engine(profile, text.len() % 3 == 0);
    fixture::evaluate(&engine, &store, &query);
    assert_eq!(
        format!("{:?}", engine.instant(&store, &query, fixture::END_MS)),
        format!("{:?}", engine.instant(&store, &again, fixture::END_MS)),
        "{text:?} and {printed:?}"
    );
}
