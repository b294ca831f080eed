//! The line of a file that a finding is about, with a mark under the place.
use crate::print::{Colour, paint};
use crate::table::width_of;
use config::Finding;
use std::collections::BTreeMap;

/// Files that findings are about, read again: what `check` says is about what it saw a moment ago.
#[derive(Default, Debug)]
pub struct Excerpts {
    files: BTreeMap<String, Option<String>>,
}

#[derive(PartialEq, Eq, Debug)]
pub struct Excerpt {
    number: u32,
    line: String,
    /// What stands before the mark, as blanks.
    before: String,
    marked: usize,
}

/// Longer lines are cut around the place.
const SHOWN: usize = 120;

impl Excerpts {
    pub fn of(&mut self, finding: &Finding) -> Option<Excerpt> {
        let read = || std::fs::read_to_string(&finding.file).ok();
        let text = self.files.entry(finding.file.clone()).or_insert_with(read);
        excerpt(text.as_deref()?, finding.line, finding.column)
    }
}

fn excerpt(text: &str, number: u32, column: u32) -> Option<Excerpt> {
    let line = text.lines().nth(number.checked_sub(1)? as usize)?;
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let characters: Vec<char> = line.chars().map(printable).collect();
    let at = (column.checked_sub(1)? as usize).min(characters.len());
    let marked = span(&characters[at..]);
    // A window with the place in its first half.
    let from = if characters.len() > SHOWN { at.saturating_sub(SHOWN / 2) } else { 0 };
    let shown: String = characters[from..].iter().take(SHOWN).collect();
    let before: String = characters[from..at].iter().collect();
    let end = (at + marked).min(from + SHOWN);
    let under: String = characters[at..end.max(at)].iter().collect();
    Some(Excerpt {
        number,
        line: shown.trim_end().to_owned(),
        before: " ".repeat(width_of(&before)),
        marked: width_of(&under).max(1),
    })
}

/// How much of what stands at a place belongs together: a text in quotes, a word, or one character.
fn span(rest: &[char]) -> usize {
    let Some(first) = rest.first().copied() else { return 0 };
    if first == '"' || first == '\'' {
        let mut escaped = false;
        for (i, c) in rest.iter().enumerate().skip(1) {
            match c {
                '\\' if first == '"' && !escaped => escaped = true,
                c if *c == first && !escaped => return i + 1,
                _ => escaped = false,
            }
        }
        return rest.len();
    }
    let word = |c: &&char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    rest.iter().take_while(word).count().max(1)
}

impl Excerpt {
    pub fn show(&self, colours: bool, colour: Colour) -> String {
        let gutter = self.number.to_string();
        let bar = |text: &str| paint(colours, Colour::Blue, text);
        let mark = paint(colours, colour, &"^".repeat(self.marked));
        let blank = " ".repeat(gutter.len());
        format!(
            "  {} {} {}\n  {blank} {} {}{mark}\n",
            bar(&gutter),
            bar("|"),
            self.line,
            bar("|"),
            self.before
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, line: u32, column: u32) -> String {
        excerpt(text, line, column).map(|e| e.show(false, Colour::Red)).unwrap_or_default()
    }

    #[test]
    fn the_mark_stands_under_what_is_meant() {
        let text = "[step.x]\nnext = \"shangahi\"   # 上海\ntitle = \"上海\", next = 'y\\'\n\tset = { a = \"\\\"b\" }\nlast";
        for (line, column, wanted) in [
            (2, 8, "  2 | next = \"shangahi\"   # 上海\n    |        ^^^^^^^^^^\n"),
            (2, 9, "  2 | next = \"shangahi\"   # 上海\n    |         ^^^^^^^^\n"),
            (1, 7, "  1 | [step.x]\n    |       ^\n"),
            (1, 2, "  1 | [step.x]\n    |  ^^^^^^\n"),
            (3, 9, "  3 | title = \"上海\", next = 'y\\'\n    |         ^^^^^^\n"),
            (3, 22, "  3 | title = \"上海\", next = 'y\\'\n    |                        ^^^^\n"),
            (4, 14, "  4 |  set = { a = \"\\\"b\" }\n    |              ^^^^^\n"),
            (5, 99, "  5 | last\n    |     ^\n"),
            (6, 1, ""),
            (0, 0, ""),
        ] {
            assert_eq!(shown(text, line, column), wanted, "{line}:{column}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}here{}", "x ".repeat(500), " y".repeat(500));
        let shown = shown(&text, 1, 1001);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|l| l.len() <= SHOWN + 10));
        let at = lines[1].find('^').unwrap();
        assert!(lines[0][at..].starts_with("here") && lines[1].ends_with(" ^^^^"));
    }
}
