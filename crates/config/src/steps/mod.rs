//! The steps of a flow file, one function a kind, in rooms by what they are about.
mod decisions;
mod http;
mod json;
mod messages;
mod people;
mod questions;
mod sounds;
mod subflows;
mod systems;
mod variables;

pub(crate) use subflows::{Call, Return};

use crate::declare::Records;
use crate::finding::{Findings, all_of, did_you_mean, one_of};
use crate::flow::{Files, Site};
use crate::forms::{self, STEPS};
use crate::install::{Install, LONGEST};
use crate::read::{Table, Value};
use ivr::{Act, Echo, StepId, Types, VarId};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// What reading a step needs to know, and what it leaves in the step's `Site`.
pub(crate) struct Lower<'a, 's, 'i> {
    pub install: &'s Install<'i>,
    pub findings: &'a Findings,
    pub files: &'s Files<'a>,
    pub records: &'s Records,
    pub types: Types,
    pub zone: TimeZone,
    /// Variables that are masked.
    pub masked: BTreeSet<VarId>,
    pub ids: BTreeMap<&'a str, StepId>,
    pub by_step: bool,
    pub barge_in: bool,
    pub name: &'a str,
    pub site: Site<'a>,
    /// Steps that lead into sub-flows, to be taken in when all steps are read.
    pub calls: Vec<Call<'a>>,
    pub returns: Return<'a>,
}

impl<'a> Lower<'a, '_, '_> {
    pub fn step(&mut self, table: Table<'a>, id: StepId) -> Option<Act> {
        let given: Vec<&str> = STEPS.iter().map(|f| f.name).filter(|k| table.has(k)).collect();
        let rings = given.contains(&"ring") || given.contains(&"transfer");
        // `answer` is also an option of `ring`.
        let kinds: Vec<&str> = given.into_iter().filter(|k| !(rings && *k == "answer")).collect();
        let act = match kinds[..] {
            [kind] => {
                let form = STEPS.iter().find(|f| f.name == kind)?;
                let table = table.form(form);
                let act = self.act(kind, &table, id);
                table.done();
                return act;
            }
            [] => {
                let keywords = || STEPS.iter().map(|f| f.name);
                let near = table.entries().iter().find_map(|e| did_you_mean(e.key, keywords()));
                let help = near.unwrap_or_else(|| format!("give it one of {}", one_of(keywords())));
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

    fn act(&mut self, kind: &str, table: &Table<'a>, id: StepId) -> Option<Act> {
        match kind {
            "play" | "say" => self.play(kind, table),
            "menu" => self.menu(table),
            "collect" => self.collect(table),
            "consent" => self.consent(table),
            "set" => self.set(table),
            "branch" => self.branch(table),
            "hours" => self.hours(table),
            "announce" => self.announce(table),
            "language" => self.language(table),
            "identify" => self.identify(table),
            "http" => self.http(table),
            "notify" => self.notify(table),
            "queue" => self.queue(table),
            "callback" => self.callback(table),
            "ring" => self.ring(table, "ring"),
            "transfer" => self.ring(table, "transfer"),
            "voicemail" => self.voicemail(table),
            "survey" => self.survey(table),
            "bot" => self.bot(table),
            "record" => self.record(table),
            "subflow" => self.subflow(table, id),
            "return" => self.returned(table),
            "back" => {
                self.must_be_true(table.get("back"));
                let otherwise =
                    self.named_exit(table, "otherwise", "name the step for when no key interrupted anything");
                Some(Act::Back { otherwise: otherwise? })
            }
            "answer" => {
                self.must_be_true(table.get("answer"));
                let next = self.next(table);
                Some(Act::Answer { next: next? })
            }
            "wait" => self.wait(table),
            "echo" => self.echo(table),
            "reject" => {
                let value = table.get("reject")?;
                self.before_answer("a refusal", &value);
                let reason = table.get("reason").and_then(|v| v.word()).map(str::to_owned);
                Some(Act::Reject { code: table.whole("reject")?, reason })
            }
            _ => {
                self.must_be_true(table.get("hangup"));
                Some(Act::Hangup)
            }
        }
    }

    fn wait(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("wait")?;
        self.before_answer("ringing", &value);
        let wait = value.table().map(|t| t.titled(format!("`wait` of step `{}`", self.name)));
        let length = wait.and_then(|wait| {
            let wait = wait.form(&forms::RINGING);
            wait.need("ringing", "write `wait = { ringing = \"30s\" }`");
            let length = wait.length("ringing");
            wait.done();
            length
        });
        let next = self.next(table);
        Some(Act::Ringing { length: length?, next: next? })
    }

    fn echo(&mut self, table: &Table<'a>) -> Option<Act> {
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

    /// Keys of a telephone with the steps they lead to.
    fn keys(&mut self, table: &Table<'a>, whose: &str) -> Vec<(char, StepId)> {
        let mut keys = vec![];
        for entry in table.entries() {
            let key = questions::telephone_key(entry.key);
            if key.is_none() {
                questions::no_key(&entry, whose);
            }
            let to = self.exit(&entry, &format!("{whose}: key {} leads to", crate::shorten(entry.key)));
            keys.extend(key.zip(to));
        }
        keys
    }

    /// `[flow] anytime`.
    pub fn anytime(&mut self, table: &Table<'a>) -> Vec<(char, StepId)> {
        self.keys(table, "`anytime`")
    }
}
