//! One spelling of placeholders: statements are written with `?`, and PostgreSQL counts them.

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// Numbers the placeholders of a statement as PostgreSQL wants them: `$1`, `$2`, … What stands in
/// quotes is left as it is.
pub(super) fn numbered(sql: &'static str) -> SqlStr {
    if !sql.contains('?') {
        return SqlStr::from_static(sql);
    }
    let mut out = String::with_capacity(sql.len() + 8);
    let (mut quote, mut count) = (None, 0_usize);
    for character in sql.chars() {
        match (quote, character) {
            (None, '?') => {
                count += 1;
                out.push('$');
                out.push_str(&count.to_string());
                continue;
            }
            (None, '\'' | '"') => quote = Some(character),
            // A quote that is doubled inside quotes closes and opens them again.
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        out.push(character);
    }
    // The statement is a literal of ours, and only placeholders were changed.
    let shared: std::sync::Arc<str> = out.into();
    AssertSqlSafe(shared).into_sql_str()
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn placeholders_are_counted_outside_of_quotes() {
        for (given, wanted) in [
            ("SELECT 1", "SELECT 1"),
            ("a = ? AND b = ?", "a = $1 AND b = $2"),
            ("a = '?' AND b = ?", "a = '?' AND b = $1"),
            ("a = 'it''s ?' AND b = ?", "a = 'it''s ?' AND b = $1"),
            (r#""odd?" = ?"#, r#""odd?" = $1"#),
            (r#"a = '"' AND b = ?"#, r#"a = '"' AND b = $1"#),
        ] {
            assert_eq!(numbered(given).as_str(), wanted);
        }
        let many = numbered("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        assert!(many.as_str().ends_with("$9, $10)"));
    }
}
