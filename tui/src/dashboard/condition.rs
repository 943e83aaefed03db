//! The comparison in an alerting expression, for the threshold lines. Not a PromQL parser: it
//! takes the first comparison with a number that stands outside of brackets and quotes.

use super::format::Unit;

/// Returns the comparison and its bound: `("> 0.1", 0.1)`.
pub(crate) fn comparison(expr: &str) -> Option<(String, f64)> {
    let bytes = expr.as_bytes();
    let mut depth = 0_i32;
    let mut quote = None;
    let mut index = 0;
    let mut inner = None;
    while index < bytes.len() {
        let byte = bytes[index];
        match (quote, byte) {
            (Some(_), b'\\') => index += 1,
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(' | b'{' | b'[') => depth += 1,
            (None, b')' | b'}' | b']') => depth -= 1,
            (None, b'>' | b'<') => {
                let found = bound(&expr[index..]);
                if depth == 0 && found.is_some() {
                    return found;
                }
                inner = inner.or(found);
            }
            _ => {}
        }
        index += 1;
    }
    inner
}

fn bound(rest: &str) -> Option<(String, f64)> {
    let operator_len = if rest[1..].starts_with('=') { 2 } else { 1 };
    let (operator, rest) = rest.split_at(operator_len);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix("bool").map_or(rest, str::trim_start);
    let rest = rest.trim_start_matches('(').trim_start();
    let (value, rest) = product(rest)?;
    // What follows must not change the bound: the end, a bracket, or a set operator.
    let ends = ["and", "or", "unless", ")", "#"];
    let is_whole = rest.is_empty() || ends.iter().any(|end| rest.starts_with(end));
    let text = format!("{operator} {}", Unit::Plain.format(value));
    is_whole.then_some((text, value))
}

/// Reads numbers joined by `*` and `/`, such as `14.4 * 0.001`; returns what follows.
fn product(text: &str) -> Option<(f64, &str)> {
    let (mut value, mut rest) = number(text)?;
    loop {
        if let Some(after) = rest.strip_prefix('*') {
            let (factor, after) = number(after.trim_start())?;
            (value, rest) = (value * factor, after);
        } else if let Some(after) = rest.strip_prefix('/') {
            let (divisor, after) = number(after.trim_start())?;
            (value, rest) = (value / divisor, after);
        } else {
            return Some((value, rest));
        }
    }
}

fn number(text: &str) -> Option<(f64, &str)> {
    let mut end = 0;
    for (index, c) in text.char_indices() {
        let signs_exponent = index == 0 || text[..index].ends_with(['e', 'E']);
        let belongs = match c {
            '0'..='9' | '.' => true,
            'e' | 'E' => index > 0,
            '+' | '-' => signs_exponent,
            _ => false,
        };
        if !belongs {
            break;
        }
        end = index + c.len_utf8();
    }
    let value = text[..end].parse().ok()?;
    Some((value, text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::comparison;

    #[test]
    fn finds_the_outer_comparison() {
        let table = [
            ("shop:error_ratio:short > 0.1", Some(("> 0.1", 0.1))),
            (
                "a{b=\"> 5\"} >= 0.5 and rate(c[1m]) > 1",
                Some((">= 0.5", 0.5)),
            ),
            ("(sum(x) / sum(y)) < 1e-3", Some(("< 0.001", 1e-3))),
            ("a > 14.4 * 0.5 and b > 3", Some(("> 7.2", 7.2))),
            ("a > (6 / 4)", Some(("> 1.5", 1.5))),
            ("a > 2 * b", None),
            ("a > 2 + 1", None),
            ("a > 2é", None),
            ("(sum(x) > 3)", Some(("> 3", 3.0))),
            ("up == 0", None),
            ("a > on(x) b", None),
            ("", None),
            (">", None),
        ];
        for (expr, expect) in table {
            let expect = expect.map(|(text, value)| (text.to_owned(), value));
            assert_eq!(comparison(expr), expect, "{expr}");
        }
    }
}
