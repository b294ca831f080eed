//! The steps of a flow file, one function a kind, in rooms by what they are about.
mod decisions;
mod people;
mod questions;
mod sounds;
mod variables;

use crate::finding::{Findings, all_of, did_you_mean, one_of};
use crate::flow::Site;
use crate::install::{Install, LONGEST};
use crate::read::{Table, Value};
use ivr::{Act, Echo, StepId, Types};
use std::collections::BTreeMap;
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
}
