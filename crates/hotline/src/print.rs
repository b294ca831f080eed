//! How things are written for people: ages, numbers that are not everybody's business, colours.
use std::io::IsTerminal;
use std::time::Duration;

/// `850ms`, `12s`, `1m20s`, `3h05m`, `2d04h`.
pub fn age(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0 if d.is_zero() => "0s".into(),
        0 => format!("{}ms", d.as_millis().max(1)),
        1..60 => format!("{s}s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h{:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d{:02}h", s / 86_400, s / 3600 % 24),
    }
}

pub fn age_ms(ms: u64) -> String {
    age(Duration::from_millis(ms))
}

/// A caller's number with all but its last digits hidden: four of a long one, two of a short one.
pub fn masked(number: &str) -> String {
    let length = number.chars().count();
    let shown = match length {
        0..=3 => 0,
        4..=7 => 2,
        _ => 4,
    };
    let end: String = number.chars().skip(length - shown).collect();
    format!("{}{end}", "*".repeat((length - shown).min(8)))
}

/// Whether standard output takes colours.
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    Plain,
    Dim,
    Green,
    Yellow,
    Red,
    Blue,
    Bold,
}

pub fn paint(colours: bool, colour: Colour, text: &str) -> String {
    let code = match colour {
        Colour::Plain => return text.to_owned(),
        Colour::Dim => 2,
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Red => 31,
        Colour::Blue => 36,
        Colour::Bold => 1,
    };
    if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short_and_never_lie_about_their_size() {
        for (ms, text) in [
            (0, "0s"),
            (3, "3ms"),
            (999, "999ms"),
            (1000, "1s"),
            (80_000, "1m20s"),
            (3_599_999, "59m59s"),
            (11_100_000, "3h05m"),
            (187_200_000, "2d04h"),
        ] {
            assert_eq!(age_ms(ms), text);
        }
    }

    #[test]
    fn a_masked_number_shows_at_most_its_last_four_digits() {
        for (number, text) in [
            ("13800138000", "*******8000"),
            ("8001", "**01"),
            ("110", "***"),
            ("", ""),
            ("+8613800138000", "********8000"),
        ] {
            assert_eq!(masked(number), text);
        }
    }
}
