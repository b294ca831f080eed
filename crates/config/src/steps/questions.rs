//! What callers are asked.
use super::{Lower, secs};
use crate::forms;
use crate::read::{Table, Value};
use ivr::{Act, Collect, Consent, Expr, KEYS, Key, Menu, Pattern, Retry, Sound, Template, Type, VarId};
use std::sync::Arc;
use std::time::Duration;

/// Which keys `collect` takes.
#[derive(Default)]
struct Rules {
    min: Option<usize>,
    max: Option<usize>,
    end: Option<char>,
    first: Duration,
    between: Duration,
    mask: bool,
    matches: Option<Pattern>,
    check: Option<Expr>,
}

impl<'a> Lower<'a, '_, '_> {
    pub(super) fn menu(&mut self, table: &Table<'a>) -> Option<Act> {
        let menu = table.get("menu").and_then(|v| v.table());
        let into = table.get("into").and_then(|v| self.target(&v));
        let has_into = table.has("into");
        let next = if has_into {
            self.next(table)
        } else {
            if let Some(next) = table.get("next") {
                next.findings.error_help(
                    next.key_at(),
                    "unused-exit",
                    format!("menu `{}` has `next`, but its keys name the steps themselves", self.name),
                    "remove `next`, or store the key's value with `into`".to_owned(),
                );
            }
            None
        };
        let mut keys: Vec<Key> = vec![];
        let entries = menu.as_ref().map(Table::entries).unwrap_or_default();
        if let Some(menu) = &menu
            && entries.is_empty()
        {
            self.findings.error(menu.at(), "empty", format!("menu `{}` has no keys", self.name));
        }
        for entry in &entries {
            let key = telephone_key(entry.key);
            if key.is_none() {
                no_key(entry, &format!("menu `{}`", self.name));
            }
            let (value, to) = if has_into {
                let value = into.as_ref().and_then(|(_, kind)| self.stored(entry, *kind));
                (value, next)
            } else {
                let to = self
                    .exit(entry, &format!("menu `{}` sends key {} to", self.name, crate::shorten(entry.key)));
                (Some(ivr::Value::from("")), to)
            };
            if let (Some((VarId::LANGUAGE, _)), Some(value)) = (&into, &value) {
                self.site.languages.push((Template::text(&value.text()), entry.at()));
            }
            if let (Some((VarId::SEVERITY, _)), Some(value)) = (&into, &value) {
                self.severity_text(&value.text(), entry.at());
            }
            if let (Some(key), Some(value), Some(to)) = (key, value, to) {
                keys.push(Key { key, value, to });
            }
        }
        let sounds = self.question(table);
        let prompt = self.prompt(sounds, table);
        let (no_input, after) = self.retry(table, "no_input", secs(5));
        let (invalid, _) = self.retry(table, "invalid", secs(5));
        if keys.is_empty() {
            return None;
        }
        Some(Act::Menu(Menu {
            prompt,
            into: into.map(|(id, _)| id),
            keys,
            after,
            no_input: no_input?,
            invalid: invalid?,
        }))
    }

    pub(super) fn question(&mut self, table: &Table<'a>) -> Vec<Sound> {
        match table.need("prompt", "name the prompt that asks the caller") {
            Some(value) => self.sounds(&value),
            None => vec![],
        }
    }

    pub(super) fn collect(&mut self, table: &Table<'a>) -> Option<Act> {
        let rules = table.get("collect").and_then(|v| v.table());
        let rules = rules.map(|t| t.titled(format!("`collect` of step `{}`", self.name)));
        let rules = rules.map(|t| self.collect_rules(t.form(&forms::COLLECT_RULES))).unwrap_or_default();
        let into = table.need("into", "name the variable that takes the digits");
        let into = into.and_then(|value| {
            let (id, kind) = self.target(&value)?;
            if !matches!(kind, Type::Text | Type::Digits) {
                value.error_help(
                    "type",
                    format!(
                        "collected digits are a text, and `{}` is a {kind}",
                        value.as_text().unwrap_or("")
                    ),
                    "declare it in [var] as `\"\"` or `{ type = \"digits\" }`".to_owned(),
                );
            }
            if id == VarId::LANGUAGE || id == VarId::SEVERITY {
                value.error("type", "collected digits are neither a language nor a severity");
            }
            Some(id)
        });
        let sounds = self.question(table);
        let prompt = self.prompt(sounds, table);
        let (no_input, first) = self.retry(table, "no_input", rules.first);
        let (invalid, _) = self.retry(table, "invalid", first);
        let next = self.next(table);
        Some(Act::Collect(Collect {
            prompt,
            into: into?,
            min: rules.min?,
            max: rules.max?,
            end: rules.end,
            first,
            between: rules.between,
            mask: rules.mask || into.is_some_and(|id| self.masked.contains(&id)),
            matches: rules.matches,
            check: rules.check,
            no_input: no_input?,
            invalid: invalid?,
            next: next?,
        }))
    }

    fn collect_rules(&mut self, table: Table<'a>) -> Rules {
        table.need("min", "how many digits at least");
        table.need("max", "how many digits at most");
        let (min, max) = (table.whole::<usize>("min"), table.whole::<usize>("max"));
        if let (Some(low), Some(high), Some(value)) = (min, max, table.get("min"))
            && low > high
        {
            value.error_help(
                "bad-bounds",
                format!("step `{}` collects at least {low} digits and at most {high}", self.name),
                format!("swap them: min = {high}, max = {low}"),
            );
        }
        let matches = table.get("matches").and_then(|value| self.pattern(&value, min, max));
        let check = table.get("check").and_then(|value| self.entry_condition(&value));
        let rules = Rules {
            min,
            max,
            end: self.key(&table, "end"),
            first: table.length("first").unwrap_or(secs(5)),
            between: table.length("between").unwrap_or(secs(3)),
            mask: table.switch("mask"),
            matches,
            check,
        };
        table.done();
        rules
    }

    /// One key of a telephone, or the form's default.
    pub(super) fn key(&self, table: &Table<'a>, name: &'static str) -> Option<char> {
        let Some(value) = table.get(name) else { return table.default_text(name).and_then(telephone_key) };
        let text = value.text()?;
        let key = telephone_key(text);
        if key.is_none() {
            value.error_help(
                "bad-key",
                format!("no telephone has a key \"{}\"", crate::shorten(text)),
                "write one key, usually \"#\"".to_owned(),
            );
        }
        key
    }

    pub(super) fn consent(&mut self, table: &Table<'a>) -> Option<Act> {
        let what = table.get("consent").and_then(|v| v.word()).map(Arc::from);
        let sounds = self.question(table);
        let prompt = self.prompt(sounds, table);
        let (yes, no) = (self.key(table, "yes"), self.key(table, "no"));
        if yes == no
            && let Some(value) = table.get("no").or(table.get("yes"))
        {
            value.error("bad-key", format!("step `{}` takes one key for yes and for no", self.name));
        }
        let (no_input, after) = self.retry(table, "no_input", secs(5));
        let (invalid, _) = self.retry(table, "invalid", secs(5));
        let granted = self.named_exit(table, "granted", "name the step for a caller who agrees");
        let refused = self.named_exit(table, "refused", "name the step for a caller who does not");
        Some(Act::Consent(Consent {
            what: what?,
            prompt,
            yes: yes?,
            no: no?,
            after,
            no_input: no_input?,
            invalid: invalid?,
            granted: granted?,
            refused: refused?,
        }))
    }

    /// What happens without an answer, and after which time.
    pub(super) fn retry(
        &mut self,
        table: &Table<'a>,
        key: &'static str,
        after: Duration,
    ) -> (Option<Retry>, Duration) {
        let Some(value) = table.get(key) else {
            let (what, help) = match key {
                "no_input" => (
                    "a caller who presses nothing has nowhere to go",
                    "write `no_input = { after = \"5s\", tries = 2, then = \"STEP\" }`",
                ),
                _ => (
                    "a caller who presses a wrong key has nowhere to go",
                    "write `invalid = { tries = 2, then = \"STEP\" }`",
                ),
            };
            self.findings.error_help(
                self.site.at,
                if key == "no_input" { "no-input-exit" } else { "invalid-exit" },
                format!("{} has no `{key}`: {what}", table.title),
                help.to_owned(),
            );
            return (None, after);
        };
        let Some(retry) = value.table() else { return (None, after) };
        let retry = retry.titled(format!("`{key}` of step `{}`", self.name));
        let mut wait = after;
        let retry = if key == "no_input" {
            let retry = retry.form(&forms::NO_INPUT);
            wait = retry.length("after").unwrap_or(after);
            retry
        } else {
            retry.form(&forms::INVALID)
        };
        let tries = retry.whole("tries");
        let prompt = retry.get("prompt").map(|v| self.sounds(&v)).unwrap_or_default();
        let then = match retry.get("then") {
            Some(value) => {
                let when = if key == "no_input" { "without an answer" } else { "after wrong keys" };
                self.exit(&value, &format!("step `{}` {when} goes to", self.name))
            }
            None => {
                let help = "name the step that follows after the last try: `then = \"STEP\"`".to_owned();
                self.findings.error_help(
                    retry.at(),
                    "dead-end",
                    format!("{} has no `then`", retry.title),
                    help,
                );
                None
            }
        };
        retry.done();
        let retry = tries.zip(then).map(|(tries, then)| Retry { tries, prompt, then });
        (retry, wait)
    }

    /// A pattern, which some entry within the bounds must be able to meet.
    pub(super) fn pattern(
        &mut self,
        value: &Value<'a>,
        min: Option<usize>,
        max: Option<usize>,
    ) -> Option<Pattern> {
        let text = value.text()?;
        match Pattern::parse(text) {
            Ok(pattern) => {
                let (shortest, longest) = pattern.lengths();
                let too_long = max.is_some_and(|max| shortest > max);
                let too_short = min.zip(longest).is_some_and(|(min, longest)| longest < min);
                if too_long || too_short {
                    let longest = longest.map_or("any number of".into(), |l| l.to_string());
                    value.error_help(
                        "bad-bounds",
                        format!("no entry of step `{}` can match \"{}\"", self.name, crate::shorten(text)),
                        format!("the pattern takes {shortest} to {longest} keys: make `min` and `max` agree"),
                    );
                }
                Some(pattern)
            }
            Err(error) => {
                value.findings.error_help(value.inside(error.at), "bad-pattern", error.what, error.help);
                None
            }
        }
    }
}

/// `"1"`, `"#"`, `"A"`: exactly one key of a telephone.
pub(super) fn telephone_key(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let key = chars.next().filter(|c| KEYS.contains(*c))?;
    chars.next().is_none().then_some(key)
}

/// A table's key that no telephone has.
pub(super) fn no_key(entry: &Value<'_>, whose: &str) {
    entry.findings.error_help(
        entry.key_at(),
        "bad-key",
        format!("{whose}: no telephone has a key `{}`", crate::shorten(entry.key)),
        "keys are 0-9, *, # and A-D, written in quotes when they are * or #".to_owned(),
    );
}
