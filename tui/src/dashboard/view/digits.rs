//! Big digits, three rows high.

/// Rows of a big text.
pub(super) const HEIGHT: usize = 3;

/// Five rows of dots per character, three dots wide unless said; drawn two rows to a cell.
fn dots(c: char) -> Option<[&'static str; 5]> {
    Some(match c {
        '0' => ["###", "# #", "# #", "# #", "###"],
        '1' => [" # ", "## ", " # ", " # ", "###"],
        '2' => ["###", "  #", "###", "#  ", "###"],
        '3' => ["###", "  #", "###", "  #", "###"],
        '4' => ["# #", "# #", "###", "  #", "  #"],
        '5' => ["###", "#  ", "###", "  #", "###"],
        '6' => ["###", "#  ", "###", "# #", "###"],
        '7' => ["###", "  #", "  #", "  #", "  #"],
        '8' => ["###", "# #", "###", "# #", "###"],
        '9' => ["###", "# #", "###", "  #", "###"],
        '.' => [" ", " ", " ", " ", "#"],
        '-' | '—' => ["   ", "   ", "###", "   ", "   "],
        _ => return None,
    })
}

/// Returns a number in big digits with its unit, small, at the foot of it.
pub(super) fn big(text: &str) -> [String; HEIGHT] {
    let split = text.find(|c| dots(c).is_none()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let mut rows = [const { String::new() }; HEIGHT];
    for c in number.chars() {
        let Some(lines) = dots(c) else { continue };
        let wide = lines[0].len();
        for (y, row) in rows.iter_mut().enumerate() {
            for x in 0..wide {
                let lit = |line: usize| {
                    lines
                        .get(line)
                        .is_some_and(|line| line.as_bytes().get(x) == Some(&b'#'))
                };
                row.push(match (lit(2 * y), lit(2 * y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            row.push(' ');
        }
    }
    rows[HEIGHT - 1].push_str(unit);
    rows
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_stand_on_one_line() {
        let rows = super::big("8.3%");
        assert_eq!(rows, ["█▀█   ▀▀█ ", "█▀█   ▀▀█ ", "▀▀▀ ▀ ▀▀▀ %"]);
    }
}
