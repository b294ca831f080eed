//! The steps of a flow file, one function a kind.
use crate::finding::{At, Findings, all_of, did_you_mean, one_of};
use crate::flow::{Site, constant};
use crate::install::{Install, LONGEST};
use crate::read::{Table, Value};
use ivr::{
    Act, Branch, Collect, Demand, Echo, Expr, ExprError, Hours, KEYS, Key, Menu, Pattern, Play, Prompt,
    Queue, Retry, Ring, SayKind, Set, Sound, StepId, Template, Type, Types, VarId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

const KINDS: [&str; 15] = [
    "play", "say", "menu", "collect", "set", "branch", "hours", "queue", "ring", "transfer", "answer",
    "echo", "wait", "reject", "hangup",
];

/// What reading a step needs to know, and what it leaves in the step's `Site`.
pub(crate) struct Lower<'a, 'i> {
    pub install: &'i Install<'i>,
    pub findings: &'a Findings,
    pub types: Types,
    pub ids: BTreeMap<&'a str, StepId>,
    pub by_step: bool,
    pub barge_in: bool,
    pub name: &'a str,
    pub site: Site<'a>,
}

impl<'a> Lower<'a, '_> {
    pub fn step(&mut self, table: Table<'a>) -> Option<Act> {
        let given: Vec<&str> = KINDS.into_iter().filter(|k| table.has(k)).collect();
        let rings = given.contains(&"ring") || given.contains(&"transfer");
        // `answer` is also an option of `ring`.
        let kinds: Vec<&str> = given.into_iter().filter(|k| !(rings && *k == "answer")).collect();
        let act = match kinds[..] {
            [kind] => {
                let act = self.act(kind, &table);
                table.done();
                return act;
            }
            [] => {
                let near = table.entries().iter().find_map(|e| did_you_mean(e.key, KINDS));
                let help = near.unwrap_or_else(|| format!("give it one of {}", one_of(KINDS)));
                self.findings.error_help(
                    self.site.at,
                    "step-without-kind",
                    format!("step `{}` does not say what it does", self.name),
                    help,
                );
                None
            }
            _ => {
                self.findings.error_help(
                    self.site.at,
                    "step-of-two-kinds",
                    format!(
                        "step `{}` does {} things: {}",
                        self.name,
                        kinds.len(),
                        all_of(kinds.iter().copied())
                    ),
                    "make a step of each".to_owned(),
                );
                None
            }
        };
        for key in ["next", "then", "open", "closed", "otherwise", "on_timeout", "on_full", "on_no_agents"] {
            if let Some(value) = table.get(key) {
                self.exit(&value, &format!("step `{}` goes to", self.name));
            }
        }
        act
    }

    fn act(&mut self, kind: &str, table: &Table<'a>) -> Option<Act> {
        match kind {
            "play" | "say" => self.play(kind, table),
            "menu" => self.menu(table),
            "collect" => self.collect(table),
            "set" => self.set(table),
            "branch" => self.branch(table),
            "hours" => self.hours(table),
            "queue" => self.queue(table),
            "ring" => self.ring(table, "ring"),
            "transfer" => self.ring(table, "transfer"),
            "answer" => {
                self.must_be_true(table.get("answer"));
                let next = self.next(table);
                Some(Act::Answer { next: next? })
            }
            "wait" => {
                let value = table.get("wait")?;
                self.before_answer("ringing", &value);
                let wait = value.table().map(|t| t.titled(format!("`wait` of step `{}`", self.name)));
                let length = wait.and_then(|wait| {
                    let length = wait.need("ringing", "write `wait = { ringing = \"30s\" }`");
                    let length = length.and_then(|v| v.duration(secs(1)..=secs(600)));
                    wait.done();
                    length
                });
                let next = self.next(table);
                Some(Act::Ringing { length: length?, next: next? })
            }
            "echo" => {
                let value = table.get("echo")?;
                if value.as_flag() == Some(true) {
                    return Some(match table.get("next") {
                        Some(_) => Act::Echo(Echo::For { length: LONGEST, next: self.next(table)? }),
                        None => Act::Echo(Echo::UntilHangup),
                    });
                }
                let length = value.duration(secs(1)..=LONGEST);
                let next = self.next(table);
                Some(Act::Echo(Echo::For { length: length?, next: next? }))
            }
            "reject" => {
                let value = table.get("reject")?;
                self.before_answer("a refusal", &value);
                let reason = table.get("reason").and_then(|v| v.word()).map(str::to_owned);
                let code = value.number(300..=699)?;
                Some(Act::Reject { code: u16::try_from(code).ok()?, reason })
            }
            _ => {
                self.must_be_true(table.get("hangup"));
                Some(Act::Hangup)
            }
        }
    }

    fn must_be_true(&self, value: Option<Value<'a>>) {
        if let Some(value) = value
            && value.as_flag() != Some(true)
        {
            value.wrong_type("true");
        }
    }

    fn before_answer(&mut self, what: &'static str, value: &Value<'a>) {
        self.site.before_answer = Some((what, value.at()));
        if !self.by_step {
            value.error_help(
                "already-answered",
                format!("step `{}` wants {what}, but the flow answers every call at once", self.name),
                "write `answer = \"by-step\"` in [flow]".to_owned(),
            );
        }
    }

    // Exits.

    pub fn exit(&mut self, value: &Value<'a>, lead: &str) -> Option<StepId> {
        let name = value.text()?;
        let Some(id) = self.ids.get(name).copied() else {
            let help = did_you_mean(name, self.ids.keys().copied());
            let what = format!("{lead} `{}`, which no step is called", crate::shorten(name));
            value.error_help("dangling-step", what, help);
            return None;
        };
        self.site.exits.push(id);
        Some(id)
    }

    fn named_exit(&mut self, table: &Table<'a>, key: &'static str, help: &str) -> Option<StepId> {
        let Some(value) = table.get(key) else {
            self.findings.error_help(
                self.site.at,
                "dead-end",
                format!("{} has no `{key}`", table.title),
                help.to_owned(),
            );
            return None;
        };
        self.exit(&value, &format!("{}: `{key}` leads to", table.title))
    }

    fn next(&mut self, table: &Table<'a>) -> Option<StepId> {
        self.named_exit(table, "next", "name the step that follows; a step { hangup = true } ends the call")
    }

    // Sounds.

    fn play(&mut self, kind: &str, table: &Table<'a>) -> Option<Act> {
        let sounds = if kind == "say" {
            let sound = self.say(table);
            sound.into_iter().collect()
        } else {
            self.sounds(&table.get("play")?)
        };
        let prompt = self.prompt(sounds, table);
        let early = table.get("early");
        if let Some(value) = early.filter(|v| v.flag() == Some(true)) {
            self.before_answer("early media", &value);
        }
        let repeat = table.get("repeat").and_then(|v| v.count(1..=100)).unwrap_or(1);
        let next = self.next(table);
        Some(Act::Play(Play {
            prompt,
            early: early.and_then(|v| v.as_flag()).unwrap_or(false),
            repeat,
            next: next?,
        }))
    }

    fn prompt(&mut self, sounds: Vec<Sound>, table: &Table<'a>) -> Prompt {
        Prompt { sounds, barge_in: table.get("barge_in").and_then(|v| v.flag()).unwrap_or(self.barge_in) }
    }

    fn sounds(&mut self, value: &Value<'a>) -> Vec<Sound> {
        let list = value.one_or_list();
        if list.is_empty() {
            value.error(
                "empty",
                format!("`{}` of step `{}` is empty: nothing would be heard", value.key, self.name),
            );
        }
        list.iter().filter_map(|item| self.sound(item)).collect()
    }

    fn sound(&mut self, item: &Value<'a>) -> Option<Sound> {
        if item.is_text() {
            let prompt = self.template(item)?;
            if prompt.literal().is_some_and(str::is_empty) {
                item.error("empty", "a prompt without a name");
                return None;
            }
            self.site.prompts.push((prompt.clone(), item.at()));
            return Some(Sound::Prompt(prompt));
        }
        if !item.is_table() {
            item.wrong_type("a prompt's name, { silence = ... }, { say = ... } or { tone = ... }");
            return None;
        }
        let table = item.table()?.titled("a sound");
        let sound = if let Some(silence) = table.get("silence") {
            silence.duration(Duration::from_millis(1)..=secs(3600)).map(Sound::Silence)
        } else if table.has("say") {
            self.say(&table)
        } else if let Some(tone) = table.get("tone") {
            tone_of(&tone, &table)
        } else {
            item.error_help(
                "bad-sound",
                "this is no sound",
                "write a prompt's name, { silence = \"300ms\" }, { say = \"digits\", value = \"{x}\" } or { tone = [1004], for = \"10s\" }".to_owned(),
            );
            return None;
        };
        table.done();
        sound
    }

    fn say(&mut self, table: &Table<'a>) -> Option<Sound> {
        let value = table.get("say")?;
        let kind = match value.text() {
            Some("digits") => Some(SayKind::Digits),
            Some("number") => Some(SayKind::Number),
            Some("telephone") => Some(SayKind::Telephone),
            Some(other) => {
                value.error_help(
                    "unknown-say",
                    format!("`say` cannot speak \"{}\"", crate::shorten(other)),
                    "write \"digits\", \"number\" or \"telephone\"".to_owned(),
                );
                None
            }
            None => None,
        };
        let what = table.need("value", "write what is said: `value = \"{customer}\"`");
        let spoken = what.and_then(|what| Some((what, self.template(&what)?)));
        let (kind, (what, spoken)) = (kind?, spoken?);
        if kind == SayKind::Number && spoken.literal().is_some_and(|t| t.parse::<i64>().is_err()) {
            what.error(
                "type",
                format!("\"{}\" is no number", crate::shorten(spoken.literal().unwrap_or(""))),
            );
        }
        self.site.says.push((kind, value.at()));
        Some(Sound::Say { kind, value: spoken })
    }

    // Questions.

    fn menu(&mut self, table: &Table<'a>) -> Option<Act> {
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
                self.findings.error_help(
                    entry.key_at(),
                    "bad-key",
                    format!("menu `{}`: no telephone has a key `{}`", self.name, crate::shorten(entry.key)),
                    "keys are 0-9, *, # and A-D, written in quotes when they are * or #".to_owned(),
                );
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

    fn question(&mut self, table: &Table<'a>) -> Vec<Sound> {
        match table.need("prompt", "name the prompt that asks the caller") {
            Some(value) => self.sounds(&value),
            None => vec![],
        }
    }

    fn collect(&mut self, table: &Table<'a>) -> Option<Act> {
        let rules = table.get("collect").and_then(|v| v.table());
        let rules = rules.map(|t| t.titled(format!("`collect` of step `{}`", self.name)));
        let most = i64::try_from(ivr::DIGITS_MAX).unwrap_or(i64::MAX);
        let (mut min, mut max, mut end, mut mask, mut matches) = (None, None, None, false, None);
        let (mut first, mut between) = (secs(5), secs(3));
        if let Some(rules) = &rules {
            min = rules.need("min", "how many digits at least").and_then(|v| v.count::<usize>(1..=most));
            max = rules.need("max", "how many digits at most").and_then(|v| v.count::<usize>(1..=most));
            if let (Some(low), Some(high), Some(value)) = (min, max, rules.get("min"))
                && low > high
            {
                value.error_help(
                    "bad-bounds",
                    format!("step `{}` collects at least {low} digits and at most {high}", self.name),
                    format!("swap them: min = {high}, max = {low}"),
                );
            }
            end = rules.get("end").and_then(|value| {
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
            });
            crate::install::set(&mut first, rules.get("first").and_then(|v| v.duration(secs(1)..=secs(600))));
            crate::install::set(
                &mut between,
                rules.get("between").and_then(|v| v.duration(secs(1)..=secs(600))),
            );
            mask = rules.get("mask").and_then(|v| v.flag()).unwrap_or(false);
            if let Some(value) = rules.get("matches") {
                matches = self.pattern(&value, min, max);
            }
        }
        if let Some(rules) = rules {
            rules.done();
        }
        let into = table.need("into", "name the variable that takes the digits");
        let into = into.and_then(|value| {
            let (id, kind) = self.target(&value)?;
            if kind != Type::Text {
                value.error_help(
                    "type",
                    format!(
                        "collected digits are a text, and `{}` is a {kind}",
                        value.as_text().unwrap_or("")
                    ),
                    "declare it as text in [var]: `\"\"`".to_owned(),
                );
            }
            if id == VarId::LANGUAGE || id == VarId::SEVERITY {
                value.error("type", "collected digits are neither a language nor a severity");
            }
            Some(id)
        });
        let sounds = self.question(table);
        let prompt = self.prompt(sounds, table);
        let (no_input, first) = self.retry(table, "no_input", first);
        let (invalid, _) = self.retry(table, "invalid", first);
        let next = self.next(table);
        Some(Act::Collect(Collect {
            prompt,
            into: into?,
            min: min?,
            max: max?,
            end,
            first,
            between,
            mask,
            matches,
            check: None,
            no_input: no_input?,
            invalid: invalid?,
            next: next?,
        }))
    }

    /// What happens without an answer, and after which time.
    fn retry(&mut self, table: &Table<'a>, key: &'static str, after: Duration) -> (Option<Retry>, Duration) {
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
        if key == "no_input" {
            crate::install::set(&mut wait, retry.get("after").and_then(|v| v.duration(secs(1)..=secs(600))));
        }
        let tries = retry.get("tries").map_or(Some(2), |v| v.count(1..=20));
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
    fn pattern(&mut self, value: &Value<'a>, min: Option<usize>, max: Option<usize>) -> Option<Pattern> {
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

    // Variables.

    /// The variable a step sets, with its type.
    fn target(&mut self, value: &Value<'a>) -> Option<(VarId, Type)> {
        let name = value.text()?;
        self.variable(name, value.at())
    }

    fn variable(&mut self, name: &str, at: At<'a>) -> Option<(VarId, Type)> {
        let Some(variable) = self.types.find(name) else {
            let names: Vec<&str> = self.types.iter().map(|v| &*v.name).collect();
            let help = did_you_mean(name, names).unwrap_or_else(|| {
                format!("declare it with its start value: [var] {} = \"\"", crate::shorten(name))
            });
            let what = format!("no variable is called `{}`", crate::shorten(name));
            self.findings.error_help(at, "unknown-variable", what, help);
            return None;
        };
        if variable.read_only {
            self.findings.error(at, "read-only", format!("`{name}` comes with the call and cannot be set"));
            return None;
        }
        Some((variable.id, variable.kind))
    }

    /// A value to be stored in a variable of a type.
    fn stored(&self, value: &Value<'a>, kind: Type) -> Option<ivr::Value> {
        let stored = constant(value).filter(|v| v.kind() == kind);
        if stored.is_none() {
            value.wrong_type(match kind {
                Type::Text => "a text",
                Type::Number => "a whole number",
                Type::Bool => "true or false",
                Type::Digits => "telephone keys in quotes",
                Type::Time | Type::Duration | Type::List(_) | Type::Record(_) => "a text, a number or true",
            });
        }
        stored
    }

    fn severity_text(&self, text: &str, at: At<'a>) {
        if hotline_core::Severity::parse(text).is_none() {
            self.findings.error_help(
                at,
                "unknown-severity",
                format!("no severity is called `{}`", crate::shorten(text)),
                "severities are P0, P1, P2 and P3".to_owned(),
            );
        }
    }

    fn expression<T>(&self, value: &Value<'a>, read: Result<T, ExprError>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                let unknown = error.what.contains("variable");
                let rule = if unknown { "unknown-variable" } else { "bad-expression" };
                self.findings.error_help(value.inside(error.at), rule, error.what, error.help);
                None
            }
        }
    }

    fn template(&mut self, value: &Value<'a>) -> Option<Template> {
        let template = match value.as_text() {
            Some(text) => self.expression(value, Template::parse(text, &self.types))?,
            None => match constant(value) {
                Some(constant) => Template::value(constant),
                None => {
                    value.wrong_type("a text, a whole number, true or false");
                    return None;
                }
            },
        };
        self.note_reads(template.reads(), value.at());
        Some(template)
    }

    fn note_reads(&mut self, reads: BTreeSet<VarId>, at: At<'a>) {
        self.site.reads.extend(reads.into_iter().map(|id| (id, at)));
    }

    fn set(&mut self, table: &Table<'a>) -> Option<Act> {
        let sets = table.get("set").and_then(|v| v.table());
        let mut values = vec![];
        let entries = sets.as_ref().map(Table::entries).unwrap_or_default();
        if let Some(sets) = &sets
            && entries.is_empty()
        {
            self.findings.error(sets.at(), "empty", format!("step `{}` sets nothing", self.name));
        }
        for entry in &entries {
            let target = self.variable(entry.key, entry.key_at());
            let template = self.template(entry);
            let (Some((id, kind)), Some(template)) = (target, template) else { continue };
            if template.kind() != kind {
                entry
                    .error("type", format!("`{}` is a {kind}, and this is a {}", entry.key, template.kind()));
                continue;
            }
            match id {
                VarId::LANGUAGE => self.site.languages.push((template.clone(), entry.at())),
                VarId::SEVERITY => {
                    if let Some(text) = template.literal() {
                        self.severity_text(text, entry.at());
                    }
                }
                _ => {}
            }
            values.push((id, template));
        }
        let next = self.next(table);
        Some(Act::Set(Set { role: ivr::SetRole::Set, values, next: next? }))
    }

    // Decisions.

    fn branch(&mut self, table: &Table<'a>) -> Option<Act> {
        let list = table.get("branch").and_then(|v| v.list()).unwrap_or_default();
        let mut arms = vec![];
        for item in &list {
            let Some(arm) = item.table() else { continue };
            let arm = arm.titled(format!("an arm of step `{}`", self.name));
            let when = arm.need("when", "write the condition: `when = \"tries > 2\"`");
            let when = when.and_then(|value| {
                let expr = self.expression(&value, Expr::condition(value.text()?, &self.types))?;
                self.note_reads(expr.reads(), value.at());
                Some(expr)
            });
            let to = arm.need("to", "name the step that follows");
            let to = to.and_then(|value| self.exit(&value, &format!("branch `{}` leads to", self.name)));
            arm.done();
            arms.extend(when.zip(to));
        }
        if let Some(value) = table.get("branch").filter(|_| list.is_empty())
            && value.is_list()
        {
            value.error("empty", format!("branch `{}` has no arms", self.name));
        }
        let otherwise = self.named_exit(table, "otherwise", "name the step for when no arm holds");
        Some(Act::Branch(Branch { arms, otherwise: otherwise? }))
    }

    fn hours(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("hours")?;
        let schedule = value.text().and_then(|name| {
            let found = self.install.hours.get(name).cloned();
            if found.is_none() {
                crate::install::unknown(&value, "hours", name, self.install.hours.keys().map(|h| &**h));
            }
            found.flatten()
        });
        let open = self.named_exit(table, "open", "name the step for when it is open");
        let closed = self.named_exit(table, "closed", "name the step for when it is closed");
        Some(Act::Hours(Hours { schedule: schedule?, open: open?, closed: closed? }))
    }

    // People.

    fn queue(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("queue")?;
        let queue: Option<Arc<str>> = value.text().and_then(|name| {
            let found = self.install.queues.iter().find(|q| &*q.name == name).map(|q| q.name.clone());
            if found.is_none() {
                crate::install::unknown(&value, "queue", name, self.install.queues.iter().map(|q| &*q.name));
            }
            found
        });
        self.site.queue = queue.clone().map(|q| (q, value));
        let require = table.get("require").and_then(|value| {
            let demand = self.expression(&value, Demand::parse(value.text()?, &self.types))?;
            self.note_reads(demand.reads(), value.at());
            self.site.require = Some((demand.clone(), value));
            Some(demand)
        });
        let severity = match table.get("severity") {
            Some(value) => {
                let template = self.template(&value)?;
                if let Some(text) = template.literal() {
                    self.severity_text(text, value.at());
                }
                self.site.severity = Some((template.clone(), value.at()));
                Some(template)
            }
            None => Template::parse("{severity}", &self.types).ok(),
        };
        let music = table.get("music").map(|v| self.sounds(&v)).unwrap_or_default();
        let timeout = table.get("timeout").and_then(|v| v.duration(secs(1)..=LONGEST));
        const OUT: &str = "name the step for a caller whom nobody serves";
        let on_timeout = self.named_exit(table, "on_timeout", OUT);
        let on_full = self.named_exit(table, "on_full", OUT);
        let on_no_agents = self.named_exit(table, "on_no_agents", OUT);
        let next = self.next(table);
        if timeout.is_none() && !table.has("timeout") {
            self.findings.warning(
                self.site.at,
                "queue-without-timeout",
                format!("step `{}` waits without a `timeout`: `on_timeout` is never taken", self.name),
                "write `timeout = \"10m\"`".to_owned(),
            );
        }
        Some(Act::Queue(Queue {
            queue: queue?,
            require,
            severity: severity?,
            music,
            treatments: Vec::new(),
            keys: Vec::new(),
            too_long: None,
            timeout,
            on_timeout: on_timeout?,
            on_full: on_full?,
            on_no_agents: on_no_agents?,
            next: next?,
        }))
    }

    fn ring(&mut self, table: &Table<'a>, key: &'static str) -> Option<Act> {
        let value = table.get(key)?;
        let agent = value.word().and_then(|_| self.template(&value));
        self.site.agent = agent.clone().map(|a| (a, value));
        let mut answer = true;
        if key == "ring"
            && let Some(value) = table.get("answer")
        {
            answer = value.flag().unwrap_or(true);
        }
        let music = table.get("music").map(|v| self.sounds(&v)).unwrap_or_default();
        let timeout = table.get("timeout").map_or(Some(secs(25)), |v| v.duration(secs(1)..=secs(600)));
        const OUT: &str = "name the step for a caller whom the agent does not serve";
        let on_no_answer = self.named_exit(table, "on_no_answer", OUT);
        let on_busy = self.named_exit(table, "on_busy", OUT);
        let on_unreachable = self.named_exit(table, "on_unreachable", OUT);
        let next = self.next(table);
        Some(Act::Ring(Ring {
            to: ivr::Target::Agent(agent?),
            answer,
            music,
            timeout: timeout?,
            next: next?,
            on_no_answer: on_no_answer?,
            on_busy: on_busy?,
            on_unreachable: on_unreachable?,
        }))
    }
}

/// `{ tone = [1004], for = "10s", level = -16 }`; two frequencies sound together.
fn tone_of(tone: &Value<'_>, table: &Table<'_>) -> Option<Sound> {
    let list = tone.one_or_list();
    if !(1..=2).contains(&list.len()) {
        tone.error("bad-sound", "a tone has one frequency or two");
        return None;
    }
    let mut hz = [0u16; 2];
    let mut fine = true;
    for (slot, value) in hz.iter_mut().zip(&list) {
        let frequency = value.count(20..=3900);
        fine &= frequency.is_some();
        *slot = frequency.unwrap_or(0);
    }
    let length = table.need("for", "how long it sounds: `for = \"10s\"`");
    let length = length.and_then(|v| v.duration(Duration::from_millis(1)..=secs(3600)));
    let level = table.get("level").map_or(Some(-16), |v| v.count(-60..=0));
    Some(Sound::Tone { hz, length: length?, dbm0: level? }).filter(|_| fine)
}

/// `"1"`, `"#"`, `"A"`: exactly one key of a telephone.
fn telephone_key(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let key = chars.next().filter(|c| KEYS.contains(*c))?;
    chars.next().is_none().then_some(key)
}
