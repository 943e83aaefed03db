//! Reading the query of a request: parameters that are not known are ignored, bad ones are named.

use std::{convert::Infallible, ops::RangeInclusive};

use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};

use super::problem::Problem;

/// Most rows of one page.
const MOST_ROWS: i64 = 100;
const USUAL_ROWS: i64 = 50;
/// Largest number of rows to skip.
const MOST_SKIPPED: i64 = 1_000_000_000;

/// The parameters of a query; of one that is given twice, the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let pairs = Query::try_from_uri(&parts.uri);
        Ok(Self(pairs.map(|Query(pairs)| pairs).unwrap_or_default()))
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Params {
    /// Reads `limit`, 1 to 100, and `offset`.
    pub(crate) fn page(&self) -> Result<Page, Problem> {
        let limit = self.whole("limit", 1..=MOST_ROWS)?;
        let offset = self.whole("offset", 0..=MOST_SKIPPED)?;
        Ok(Page {
            limit: limit.unwrap_or(USUAL_ROWS),
            offset: offset.unwrap_or(0),
        })
    }

    /// Reads a whole number.
    pub(crate) fn whole(
        &self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            let message = format!("must be a whole number between {least} and {most}");
            return Err(bad(name, message));
        }
        Ok(number)
    }

    /// Reads a text of at most `longest` characters, without blanks around it; an empty one is none.
    pub(crate) fn text(&self, name: &str, longest: usize) -> Result<Option<&str>, Problem> {
        let text = self
            .get(name)
            .map(str::trim)
            .filter(|text| !text.is_empty());
        match text {
            Some(text) if text.chars().count() > longest || text.contains('\0') => {
                let message = format!("must have at most {longest} printable characters");
                Err(bad(name, message))
            }
            text => Ok(text),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn bad(name: &str, message: String) -> Problem {
    Problem::field(StatusCode::BAD_REQUEST, name, message)
}

#[cfg(test)]
mod tests {
    use super::{Page, Params};

    fn params(pairs: &[(&str, &str)]) -> Params {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Params(pairs.iter().map(own).collect())
    }

    #[test]
    fn a_page_has_bounds_and_a_usual_size() {
        let usual = Page {
            limit: 50,
            offset: 0,
        };
        assert_eq!(params(&[("other", "x")]).page(), Ok(usual));
        let asked = params(&[("limit", "100"), ("offset", "7"), ("limit", "2")]).page();
        let expected = Page {
            limit: 100,
            offset: 7,
        };
        assert_eq!(asked, Ok(expected));
        for bad in [
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "x"),
            ("limit", ""),
            ("offset", "-1"),
            ("offset", "9999999999"),
        ] {
            assert!(params(&[bad]).page().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_text_is_bounded_and_may_be_empty() {
        let given = params(&[("search", "  mug "), ("empty", " "), ("zero", "\0")]);
        assert_eq!(given.text("search", 3), Ok(Some("mug")));
        assert_eq!(given.text("empty", 3), Ok(None));
        assert_eq!(given.text("missing", 3), Ok(None));
        assert!(given.text("search", 2).is_err() && given.text("zero", 3).is_err());
    }
}
