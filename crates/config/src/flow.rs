//! A flow file, lowered into `ivr::Flow` with the places of everything that other files must agree with.
use crate::finding::{At, Findings, all_of, did_you_mean};
use crate::install::{Install, check_name};
use crate::read::{Table, Value};
use crate::steps::Lower;
use ivr::{Act, AnswerMode, Demand, Flow, SayKind, Step, StepId, Template, Types, VarDecl, VarId};
use std::sync::Arc;

/// A flow and where its parts stand in the file.
#[derive(Debug)]
pub(crate) struct FlowDraft<'a> {
    pub flow: Flow,
    pub at: At<'a>,
    /// By `StepId`.
    pub sites: Vec<Site<'a>>,
    /// The flow's own variables, in order.
    pub vars_at: Vec<At<'a>>,
    /// Nothing was wrong so far: what is missing is really missing.
    pub whole: bool,
}

/// Where a step stands, and what it names in other files.
#[derive(Debug)]
pub(crate) struct Site<'a> {
    pub at: At<'a>,
    /// Exits that lead to steps that exist, for the graph.
    pub exits: Vec<StepId>,
    pub prompts: Vec<(Template, At<'a>)>,
    pub says: Vec<(SayKind, At<'a>)>,
    pub require: Option<(Demand, Value<'a>)>,
    pub queue: Option<(Arc<str>, Value<'a>)>,
    pub agent: Option<(Template, Value<'a>)>,
    pub severity: Option<(Template, At<'a>)>,
    /// Variables read, where.
    pub reads: Vec<(VarId, At<'a>)>,
    /// Early media, ringing or a refusal: only before an answer.
    pub before_answer: Option<(&'static str, At<'a>)>,
    /// Languages written into `language`.
    pub languages: Vec<(Template, At<'a>)>,
}

/// More steps than this are no flow that anybody can read.
const STEPS_MAX: usize = 1000;

/// Reads a flow file; `stem` is its name without `.toml`. None: it has no steps at all.
pub(crate) fn read<'a>(file: Table<'a>, stem: &str, install: &Install<'_>) -> Option<FlowDraft<'a>> {
    let findings = file.findings;
    let errors_before = findings.errors();
    let head = file.table("flow");
    if head.is_none() {
        file.missing("flow", "begin with [flow], `name` and `start`");
    }
    let mut flow = Flow {
        name: stem.into(),
        version: "0".into(),
        start: StepId(0),
        language: install.languages.keys().next().cloned().unwrap_or_else(|| "en".into()),
        languages: install.languages.keys().cloned().collect(),
        answer: AnswerMode::AtOnce,
        type_ahead: true,
        zone: jiff::tz::TimeZone::UTC,
        anytime: vec![],
        vars: vec![],
        records: Arc::new([]),
        tables: Default::default(),
        hours: Default::default(),
        steps: vec![],
        facts: Default::default(),
    };
    let mut barge_in = true;
    let mut start = None;
    let at = head.as_ref().map_or(file.at(), Table::at);
    if let Some(head) = head {
        let head = head.titled("[flow]");
        if let Some(name) = head.need("name", &format!("write `name = \"{stem}\"`"))
            && let Some(text) = name.text()
            && text != stem
        {
            name.error_help(
                "flow-name",
                format!("the flow in {stem}.toml must be called `{stem}`, not `{}`", crate::shorten(text)),
                "rename the flow or the file".to_owned(),
            );
        }
        start = head.need("start", "name the first step");
        if let Some(value) = head.get("language")
            && let Some(language) = value.text()
        {
            match install.languages.get_key_value(language) {
                Some((known, _)) => flow.language = known.clone(),
                None => unknown_language(findings, value.at(), language, install),
            }
        }
        if let Some(value) = head.get("answer") {
            match value.text() {
                Some("at-once") | None => {}
                Some("by-step") => flow.answer = AnswerMode::ByStep,
                Some(other) => value.error_help(
                    "bad-answer",
                    format!("`answer` cannot be \"{}\"", crate::shorten(other)),
                    "write \"at-once\" or \"by-step\"".to_owned(),
                ),
            }
        }
        barge_in = head.get("barge_in").and_then(|v| v.flag()).unwrap_or(true);
        flow.type_ahead = head.get("type_ahead").and_then(|v| v.flag()).unwrap_or(true);
        head.get("title").map(|v| v.text());
        head.done();
    }
    let mut vars_at = vec![];
    if let Some(vars) = file.table("var") {
        for entry in vars.entries() {
            if let Some(default) = variable(&entry) {
                flow.vars.push(VarDecl::new(entry.key, default));
                vars_at.push(entry.key_at());
            }
        }
    }
    let steps = file.table("step");
    if steps.is_none() {
        file.missing("step", "add [step.NAME] with what it does");
    }
    let mut entries = steps.as_ref().map(Table::entries).unwrap_or_default();
    if entries.len() > STEPS_MAX {
        findings.error(
            at,
            "too-many",
            format!("a flow has at most {STEPS_MAX} steps, and this one {}", entries.len()),
        );
        entries.truncate(STEPS_MAX);
    }
    file.done();
    let ids = entries.iter().enumerate().map(|(i, e)| (e.key, StepId(u32::try_from(i).unwrap_or(u32::MAX))));
    let mut lower = Lower {
        install,
        findings,
        types: Types::new(&flow.vars),
        ids: ids.collect(),
        by_step: flow.answer == AnswerMode::ByStep,
        barge_in,
        name: "",
        site: Site::new(at),
    };
    if let Some(start) = start {
        flow.start = lower.exit(&start, "the flow starts with").unwrap_or(StepId(0));
    }
    let mut sites = vec![];
    for entry in &entries {
        check_name(findings, entry.key_at(), "step", entry.key);
        lower.name = entry.key;
        lower.site = Site::new(entry.key_at());
        let act =
            entry.table().and_then(|t| lower.step(t.titled(format!("step `{}`", crate::shorten(entry.key)))));
        let line = entry.key_at().line();
        // A step that cannot be read still has its name, so that others may lead to it.
        flow.steps.push(Step { name: entry.key.into(), line, origin: None, act: act.unwrap_or(Act::Hangup) });
        sites.push(std::mem::replace(&mut lower.site, Site::new(at)));
    }
    (!sites.is_empty()).then_some(FlowDraft {
        flow,
        at,
        sites,
        vars_at,
        whole: findings.errors() == errors_before,
    })
}

/// A declared variable's start value. Built-in names are taken.
fn variable(entry: &Value<'_>) -> Option<ivr::Value> {
    if ivr::BUILT_IN.iter().any(|(name, ..)| *name == entry.key) {
        entry.findings.error_help(
            entry.key_at(),
            "built-in-variable",
            format!("`{}` is built in", entry.key),
            "remove this line; [flow] language sets the first language".to_owned(),
        );
        return None;
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !entry.key.chars().all(word) || !entry.key.starts_with(|c: char| c.is_ascii_alphabetic()) {
        entry.findings.error_help(
            entry.key_at(),
            "bad-name",
            format!("a variable cannot be called `{}`", crate::shorten(entry.key)),
            "begin with a letter, go on with letters, digits and `_`".to_owned(),
        );
        return None;
    }
    let value = constant(entry);
    if value.is_none() {
        entry.wrong_type("a text, a whole number, true or false");
    }
    value
}

pub(crate) fn constant(value: &Value<'_>) -> Option<ivr::Value> {
    let text = value.as_text().map(ivr::Value::from);
    text.or_else(|| value.as_integer().map(ivr::Value::from))
        .or_else(|| value.as_flag().map(ivr::Value::from))
}

pub(crate) fn unknown_language(findings: &Findings, at: At<'_>, language: &str, install: &Install<'_>) {
    if install.languages.is_empty() {
        // That is the finding.
        return;
    }
    let names = || install.languages.keys().map(|l| &**l);
    let help = did_you_mean(language, names()).unwrap_or_else(|| format!("enabled: {}", all_of(names())));
    let what = format!("no language is called `{}`", crate::shorten(language));
    findings.error_help(at, "unknown-language", what, help);
}

impl<'a> Site<'a> {
    pub fn new(at: At<'a>) -> Site<'a> {
        Site {
            at,
            exits: vec![],
            prompts: vec![],
            says: vec![],
            require: None,
            queue: None,
            agent: None,
            severity: None,
            reads: vec![],
            before_answer: None,
            languages: vec![],
        }
    }
}
