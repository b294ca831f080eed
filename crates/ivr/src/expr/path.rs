//! Where a value stands in a JSON answer: `data.tickets[0].id`.

use super::{ExprError, LENGTH_MAX};
use crate::{JsonPath, JsonStep};
use std::fmt;

impl JsonPath {
    /// Deepest path.
    pub const STEPS_MAX: usize = 32;

    /// Keys with dots between, places (from 0) in brackets; empty: the whole answer. Errors are at byte
    /// offsets in `text`.
    pub fn parse(text: &str) -> Result<JsonPath, ExprError> {
        let error = |at: usize, what: &str, help: Option<&str>| {
            Err(ExprError { at, what: what.into(), help: help.map(str::to_owned) })
        };
        if text.len() > LENGTH_MAX {
            return Err(ExprError::too_long(text.len()));
        }
        let (mut steps, mut at) = (Vec::new(), 0);
        while at < text.len() {
            if steps.len() == JsonPath::STEPS_MAX {
                return error(at, "the path is too deep", None);
            }
            if text[at..].starts_with('[') {
                let Some(length) = text[at..].find(']') else {
                    return error(at, "this bracket is never closed", None);
                };
                let place = &text[at + 1..at + length];
                let digits = !place.is_empty() && place.bytes().all(|b| b.is_ascii_digit());
                let Some(index) = place.parse().ok().filter(|_| digits) else {
                    return error(
                        at + 1,
                        "not a place in a list",
                        Some("places count from 0, as in `tickets[0]`"),
                    );
                };
                steps.push(JsonStep::Index(index));
                at += length + 1;
                continue;
            }
            if at > 0 {
                if !text[at..].starts_with('.') {
                    return error(at, "a dot is missing before this key", None);
                }
                at += 1;
            }
            let key = &text[at..at + text[at..].find(['.', '[', ']']).unwrap_or(text.len() - at)];
            if key.is_empty() {
                return error(at, "a key is missing here", Some("as in `data.tickets[0].id`"));
            }
            steps.push(JsonStep::Key(key.into()));
            at += key.len();
            if text[at..].starts_with(']') {
                return error(at, "a closing bracket without an opening one", None);
            }
        }
        Ok(JsonPath(steps))
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                JsonStep::Key(key) if i == 0 => f.write_str(key)?,
                JsonStep::Key(key) => write!(f, ".{key}")?,
                JsonStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
