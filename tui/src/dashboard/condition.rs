//! The comparison in an alerting expression, for the threshold lines. Not a PromQL parser: it
//! takes the first comparison with a number that stands outside of brackets and quotes.

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
    let len = rest
        .find(|c: char| !(c.is_ascii_digit() || ".-+eE_".contains(c)))
        .unwrap_or(rest.len());
    let number = &rest[..len];
    let value: f64 = number.parse().ok()?;
    Some((format!("{operator} {number}"), value))
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
            ("(sum(x) / sum(y)) < 1e-3", Some(("< 1e-3", 1e-3))),
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
