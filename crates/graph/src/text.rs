//! How wide text is, and how it is broken and escaped.

use std::fmt::Write;

/// Advance widths of ` ` to `~` in a wide sans-serif (DejaVu Sans), in hundredths of the font's size. Viewers
/// choose their own font; the usual ones are narrower.
const WIDTHS: [u8; 95] = [
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63,
    61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97,
    63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
];

/// Width of a text at a font size, at most.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let hundredths: u32 = text.chars().map(hundredths).sum();
    f64::from(hundredths) * size / 100.0
}

/// Bold letters are a fifth wider, at most.
pub(crate) fn bold_width(text: &str, size: f64) -> f64 {
    width(text, size) * 1.2
}

fn hundredths(c: char) -> u32 {
    match c {
        ' '..='~' => u32::from(WIDTHS[c as usize - 0x20]),
        '\u{a0}'..='\u{24f}' => 80,
        _ => 105,
    }
}

/// Breaks a text into at most `lines_max` lines no wider than `max`: between words where there are any, within
/// them where there are not. The last line ends in an ellipsis when something is left out.
pub(crate) fn wrap(text: &str, size: f64, max: f64, lines_max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        let gap = if line.is_empty() { "" } else { " " };
        if width(line, size) + width(gap, size) + width(word, size) <= max {
            line.push_str(gap);
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for c in word.chars() {
            let line = lines.last_mut().expect("there is always a line");
            if line.is_empty() || width(line, size) + width(c.encode_utf8(&mut [0; 4]), size) <= max {
                line.push(c);
            } else {
                lines.push(c.to_string());
            }
        }
    }
    if lines.len() > lines_max.max(1) {
        lines.truncate(lines_max.max(1));
        let last = lines.last_mut().expect("at least one is kept");
        while !last.is_empty() && width(last, size) + width("…", size) > max {
            last.pop();
        }
        last.push('…');
    }
    lines
}

/// `text` as XML character data, good within an attribute's double quotes too. What XML cannot carry at all
/// (control characters) becomes a replacement character.
pub(crate) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A length to a tenth of a pixel, without what says nothing: `12`, `12.5`.
pub(crate) fn px(value: f64) -> String {
    let tenths = (value * 10.0).round() as i64;
    let mut out = String::new();
    let sign = if tenths < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{}", tenths.abs() / 10);
    if tenths % 10 != 0 {
        let _ = write!(out, ".{}", tenths.abs() % 10);
    }
    out
}

/// A count with thin gaps between thousands: `12 345`.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_to_fit() {
        let cases: &[(&str, f64, usize, &[&str])] = &[
            ("", 100.0, 3, &[""]),
            ("play welcome", 200.0, 3, &["play welcome"]),
            ("play welcome", 60.0, 3, &["play", "welcome"]),
            ("a-word-without-an-end", 60.0, 9, &["a-word-wi", "thout-an-", "end"]),
            ("one two three four", 40.0, 2, &["one", "two…"]),
            ("技术支持热线", 30.0, 9, &["技术", "支持", "热线"]),
        ];
        for (text, max, lines, want) in cases {
            let got = wrap(text, 12.0, *max, *lines);
            assert_eq!(&got, want, "{text}");
            assert!(got.iter().all(|l| width(l, 12.0) <= *max), "{got:?}");
        }
    }

    #[test]
    fn lengths_and_counts_are_short() {
        assert_eq!([px(12.0), px(12.54), px(-0.04), px(-3.2)], ["12", "12.5", "0", "-3.2"]);
        assert_eq!([thousands(0), thousands(999), thousands(1234567)], ["0", "999", "1\u{a0}234\u{a0}567"]);
    }

    #[test]
    fn nothing_escapes_xml() {
        assert_eq!(xml("a<b> & \"c\" 'd'\u{1b}\n"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\u{fffd} ");
    }
}
