//! What a caller does in a test, in words: `press 2`, `wait 5s`, `hear choose-topic`, `reach confirm`, `hang up`.

use std::fmt;
use std::time::Duration;

/// The longest wait of a script: a day.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Keys, one right after the other.
    Press(String),
    Wait(Duration),
    /// Listens until this prompt begins.
    Hear(String),
    /// Does nothing until this step is entered.
    Reach(String),
    HangUp,
}

/// A line that is none of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadAction {
    pub what: String,
}

impl fmt::Display for BadAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for BadAction {}

const VERBS: [&str; 5] = ["press", "wait", "hear", "reach", "hang"];

impl Action {
    pub fn parse(text: &str) -> Result<Action, BadAction> {
        let text = text.trim();
        let (verb, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let bad = |what: String| Err(BadAction { what });
        match verb {
            "press" => match rest.chars().find(|c| !ivr::KEYS.contains(*c)) {
                _ if rest.is_empty() => bad("`press` needs keys: `press 12#`".into()),
                Some(wrong) => bad(format!("no telephone has a key `{wrong}`")),
                None => Ok(Action::Press(rest.to_owned())),
            },
            "wait" => match duration(rest).filter(|d| *d <= WAIT_MAX) {
                Some(length) => Ok(Action::Wait(length)),
                None => bad(format!("`{rest}` is no time to wait: write 500ms, 5s, 2m or 1h")),
            },
            "hear" | "reach" if rest.is_empty() => bad(format!("`{verb}` needs a name")),
            "hear" => Ok(Action::Hear(rest.to_owned())),
            "reach" => Ok(Action::Reach(rest.to_owned())),
            "hang" if rest == "up" => Ok(Action::HangUp),
            _ => {
                let near = ivr::suggest(verb, VERBS).map(|v| if v == "hang" { "hang up" } else { v });
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "callers press, wait, hear, reach and hang up".to_owned(),
                };
                bad(format!("a caller cannot `{text}`; {help}"))
            }
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Press(keys) => write!(f, "press {keys}"),
            Action::Wait(length) => write!(f, "wait {length:?}"),
            Action::Hear(prompt) => write!(f, "hear {prompt}"),
            Action::Reach(step) => write!(f, "reach {step}"),
            Action::HangUp => f.write_str("hang up"),
        }
    }
}

/// `300ms`, `5s`, `10m`, `2h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..unit].parse().ok()?;
    let ms = match &text[unit..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(ms)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_explained() {
        for (text, action) in [
            ("press 12#", Action::Press("12#".into())),
            ("  wait  2m ", Action::Wait(Duration::from_secs(120))),
            ("hear choose-topic", Action::Hear("choose-topic".into())),
            ("reach confirm", Action::Reach("confirm".into())),
            ("hang up", Action::HangUp),
        ] {
            assert_eq!(Action::parse(text), Ok(action));
        }
        for (text, says) in [
            ("press", "`press` needs keys"),
            ("press 1x", "no telephone has a key `x`"),
            ("wait 5", "no time to wait"),
            ("wait 99999999999999999999h", "no time to wait"),
            ("pres 1", "did you mean `press`?"),
            ("hang", "did you mean `hang up`?"),
            ("juggle", "callers press, wait, hear, reach and hang up"),
            ("", "callers press"),
        ] {
            let error = Action::parse(text).unwrap_err().what;
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
