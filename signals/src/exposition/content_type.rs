//! The header that says in which format a text is, taken as strictly as Prometheus 3.x takes it: a
//! parameter that is not well formed makes the whole header worthless.

/// Returns the media type, such as `text/plain`, if it and all parameters are well formed.
pub(super) fn media_type(header: &str) -> Option<&str> {
    let (media, mut rest) = header.split_at(header.find(';').unwrap_or(header.len()));
    let mut known: Vec<(String, &str)> = Vec::new();
    loop {
        rest = rest.trim_start();
        // A semicolon at the end is forgiven.
        if rest.is_empty() || rest.trim_end() == ";" {
            return Some(media.trim());
        }
        let (name, value, after) = parameter(rest)?;
        let is_other = |(one, other): &(String, &str)| *one == name && *other != value;
        if known.iter().any(is_other) {
            return None;
        }
        known.push((name, value));
        rest = after;
    }
}

/// Splits `;name=value` off; the value keeps its quotes.
fn parameter(text: &str) -> Option<(String, &str, &str)> {
    let text = text.strip_prefix(';')?.trim_start();
    let (name, text) = token(text)?;
    let text = text.trim_start().strip_prefix('=')?.trim_start();
    let (value, rest) = if text.starts_with('"') {
        quoted(text)?
    } else {
        token(text)?
    };
    Some((name.to_ascii_lowercase(), value, rest))
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_end = |c: char| !c.is_ascii_graphic() || r#"()<>@,;:\"/[]?="#.contains(c);
    let end = text.find(is_end).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(text.split_at(at + 1)),
            '\r' | '\n' => return None,
            _ => {}
        }
    }
    None
}
