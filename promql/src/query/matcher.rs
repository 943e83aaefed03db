//! One condition on a label.

use regex::Regex;

use super::ParseError;
use super::regex_syntax;
use crate::engine::Profile;

#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    pub(crate) name: String,
    pub(crate) value: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Equal,
    NotEqual,
    Regex(Regex),
    NotRegex(Regex),
}

impl Matcher {
    pub(crate) fn equal(name: &str, value: &str) -> Self {
        Self::new(name, value, Test::Equal)
    }

    pub(crate) fn not_equal(name: &str, value: &str) -> Self {
        Self::new(name, value, Test::NotEqual)
    }

    pub(crate) fn regex(name: &str, pattern: &str, profile: Profile) -> Result<Self, ParseError> {
        Ok(Self::new(
            name,
            pattern,
            Test::Regex(regex_syntax::anchored(pattern, profile)?),
        ))
    }

    pub(crate) fn not_regex(
        name: &str,
        pattern: &str,
        profile: Profile,
    ) -> Result<Self, ParseError> {
        Ok(Self::new(
            name,
            pattern,
            Test::NotRegex(regex_syntax::anchored(pattern, profile)?),
        ))
    }

    fn new(name: &str, value: &str, test: Test) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            test,
        }
    }

    /// Tests a label value; an absent label is the empty value.
    pub(crate) fn matches(&self, value: &str) -> bool {
        match &self.test {
            Test::Equal => self.value == value,
            Test::NotEqual => self.value != value,
            Test::Regex(regex) => regex.is_match(value),
            Test::NotRegex(regex) => !regex.is_match(value),
        }
    }

    pub(crate) fn is_equal(&self) -> bool {
        matches!(self.test, Test::Equal)
    }

    pub(crate) fn operator(&self) -> &'static str {
        match self.test {
            Test::Equal => "=",
            Test::NotEqual => "!=",
            Test::Regex(_) => "=~",
            Test::NotRegex(_) => "!~",
        }
    }
}
