use std::io::{self, Write};

/// Columns for people: aligned, two blanks between, numbers to the right.
#[derive(Debug)]
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A head that ends in `>` is a column of numbers.
    pub fn new(heads: &[&'static str]) -> Table {
        Table { heads: heads.to_vec(), rows: vec![] }
    }

    /// As many cells as there are heads; an empty one shows as `-`.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.heads.len());
        self.rows
            .push(cells.into_iter().map(|c| if c.is_empty() { "-".into() } else { printable(&c) }).collect());
    }

    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let width = |i: usize| {
            let cells = self.rows.iter().map(|row| width_of(&row[i]));
            cells.max().unwrap_or(0).max(self.heads[i].trim_end_matches('>').len())
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let heads: Vec<&str> = self.heads.iter().map(|head| head.trim_end_matches('>')).collect();
        self.line(out, &widths, &heads)?;
        for row in &self.rows {
            self.line(out, &widths, &row.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn line(&self, out: &mut impl Write, widths: &[usize], cells: &[&str]) -> io::Result<()> {
        let mut line = String::new();
        for ((cell, width), head) in cells.iter().zip(widths).zip(&self.heads) {
            let blanks = " ".repeat(width - width_of(cell));
            if !line.is_empty() {
                line.push_str("  ");
            }
            if head.ends_with('>') {
                line.push_str(&blanks);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&blanks);
            }
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// What came from a phone (names, addresses) must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Places on a terminal: two for an ideograph and other wide characters.
pub fn width_of(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_control_characters_harmless() {
        let mut table = Table::new(&["AGENT", "CALLS>", "STATE"]);
        table.row(["alice".into(), "1".into(), String::new()]);
        table.row(["陈伟".into(), "12".into(), "ready\x1b[2J".into()]);
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "AGENT  CALLS  STATE\nalice      1  -\n陈伟      12  ready?[2J\n"
        );
    }
}
