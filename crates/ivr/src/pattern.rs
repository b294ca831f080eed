//! What an entry of digits must look like: `1[3-9]xxxxxxxxx|0.`

use crate::expr::ExprError;
use std::fmt;
use std::sync::Arc;

/// Longest pattern, in bytes.
pub const LENGTH_MAX: usize = 200;

/// Alternatives separated by `|`; in each, a key stands for itself, `x` for 0-9, `z` for 1-9, `n` for 2-9,
/// `[13-5]` for one of several, and a final `.` for one or more keys of any kind, as in dial plans.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    source: Arc<str>,
    alternatives: Vec<Alternative>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Alternative {
    keys: Vec<String>,
    /// Ends with `.`
    more: bool,
}

impl Pattern {
    /// Errors are at byte offsets in `text`.
    pub fn parse(text: &str) -> Result<Pattern, ExprError> {
        let error = |at: usize, what: &str, help: Option<&str>| {
            Err(ExprError { at, what: what.into(), help: help.map(str::to_owned) })
        };
        if text.len() > LENGTH_MAX {
            return error(0, "the pattern is too long", None);
        }
        let (mut alternatives, mut start) = (Vec::new(), 0);
        for part in text.split('|') {
            let mut one = Alternative { keys: Vec::new(), more: false };
            let mut chars = part.char_indices();
            while let Some((i, c)) = chars.next() {
                let at = start + i;
                if one.more {
                    return error(at, "nothing comes behind the `.`", None);
                }
                match c {
                    'x' | 'X' => one.keys.push("0123456789".into()),
                    'z' | 'Z' => one.keys.push("123456789".into()),
                    'n' | 'N' => one.keys.push("23456789".into()),
                    '.' => one.more = true,
                    '[' => {
                        let Some(length) = part[i..].find(']') else {
                            return error(at, "this bracket is never closed", None);
                        };
                        let Some(set) = set(&part[i + 1..i + length]) else {
                            return error(at, "not a set of keys", Some("as in `[13-5]`"));
                        };
                        one.keys.push(set);
                        chars = part.char_indices();
                        chars.nth(part[..i + length].chars().count());
                    }
                    c if crate::KEYS.contains(c) => one.keys.push(c.into()),
                    c => {
                        let help = "keys, x for 0-9, z for 1-9, n for 2-9, [13-5], a final `.` for more, | between alternatives";
                        return error(at, &format!("`{c}` is not a key"), Some(help));
                    }
                }
            }
            if one.keys.is_empty() && !one.more {
                return error(start, "an empty pattern", None);
            }
            start += part.len() + 1;
            alternatives.push(one);
        }
        Ok(Pattern { source: text.into(), alternatives })
    }

    pub fn matches(&self, entry: &str) -> bool {
        self.alternatives.iter().any(|a| a.matches(entry))
    }

    /// Shortest and longest entry that can match; None: no end.
    pub fn lengths(&self) -> (usize, Option<usize>) {
        let shortest = self.alternatives.iter().map(|a| a.keys.len() + usize::from(a.more)).min();
        let longest = self.alternatives.iter().map(|a| (!a.more).then_some(a.keys.len()));
        (shortest.unwrap_or(0), longest.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max()))
    }
}

impl Alternative {
    fn matches(&self, entry: &str) -> bool {
        let length = entry.chars().count();
        let fits = if self.more { length > self.keys.len() } else { length == self.keys.len() };
        fits && entry.chars().zip(&self.keys).all(|(c, set)| set.contains(c))
    }
}

/// `13-5` is 1345; None: not keys, or a range that is none.
fn set(text: &str) -> Option<String> {
    let mut keys = String::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        if !crate::KEYS.contains(first) {
            return None;
        }
        if chars.next_if_eq(&'-').is_none() {
            keys.push(first);
            continue;
        }
        let last = chars.next()?;
        if !first.is_ascii_digit() || !last.is_ascii_digit() || last < first {
            return None;
        }
        keys.extend(first..=last);
    }
    (!keys.is_empty()).then_some(keys)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
