//! Notations that older versions do not know: quoted names, numbers as durations, durations as
//! numbers, underscores in numbers. The parser crate reads the newest grammar, so they are looked
//! for in the text.

use super::super::ParseError;
use super::super::literal::extent;
use crate::engine::Profile;

/// Refuses what a version does not read.
pub(super) fn check(text: &str, profile: Profile) -> Result<(), ParseError> {
    if profile >= Profile::V3_5 {
        return Ok(());
    }
    let mut scan = Scan::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' | '\'' | '`' => extent(rest),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            _ if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !c.is_whitespace() && c != '#' {
            scan.token(token, profile)?;
        }
        rest = after;
    }
    Ok(())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

/// Where in the text the scan is.
#[derive(Default)]
struct Scan<'t> {
    brackets: usize,
    /// In braces, or in the parentheses of a list of labels.
    names_until: Option<&'static str>,
    last: &'t str,
    before_last: &'t str,
}

const LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

impl<'t> Scan<'t> {
    fn token(&mut self, token: &'t str, profile: Profile) -> Result<(), ParseError> {
        match token {
            "[" => self.brackets += 1,
            "]" => self.brackets = self.brackets.saturating_sub(1),
            "{" => self.names_until = Some("}"),
            "(" if LISTS.contains(&self.last.to_ascii_lowercase().as_str()) => {
                self.names_until = Some(")");
            }
            _ if self.names_until == Some(token) => self.names_until = None,
            _ if token.starts_with(['"', '\'', '`']) => self.string(token, profile)?,
            _ if token.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
                self.number(token, profile)?;
            }
            _ => {}
        }
        (self.before_last, self.last) = (self.last, token);
        Ok(())
    }

    /// A string in braces is a value only behind an operator; in a list of labels it never is.
    /// 2.53 read quoted names in braces already.
    fn string(&self, token: &str, profile: Profile) -> Result<(), ParseError> {
        let is_value = matches!(self.last, "=" | "~");
        let is_name = match self.names_until {
            Some("}") => !is_value && profile == Profile::V2_42,
            Some(_) => true,
            None => false,
        };
        if is_name {
            return refuse(token, "a quoted name", profile);
        }
        Ok(())
    }

    fn number(&self, token: &str, profile: Profile) -> Result<(), ParseError> {
        if token.contains('_') {
            return refuse(token, "a number with underscores", profile);
        }
        let sign = matches!(self.last, "+" | "-");
        let behind = if sign { self.before_last } else { self.last };
        let duration_goes_here = self.brackets > 0 || behind.eq_ignore_ascii_case("offset");
        let is_number = token.parse::<f64>().is_ok()
            || token.starts_with("0x")
            || token.starts_with("0X")
            || token.ends_with(['e', 'E']);
        match (duration_goes_here, is_number) {
            (true, true) => refuse(token, "a duration without unit", profile),
            (false, false) => refuse(token, "a duration as a number", profile),
            _ => Ok(()),
        }
    }
}

fn refuse(token: &str, what: &str, profile: Profile) -> Result<(), ParseError> {
    Err(ParseError(format!(
        "`{token}` is {what}, which Prometheus {} does not read",
        profile.version()
    )))
}
