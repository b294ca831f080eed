//! Flow files, lowered into `ivr::Flow` with the places of everything that other files must agree with.
//!
//! A flow takes in the sub-flows that it leads into: their steps stand in it as `SITE/STEP`, their variables
//! as `SITE.NAME`. A sub-flow is read once for what is wrong in it, and once more, silently, for each place
//! that leads into it, where its names mean that place's copies.
use crate::declare::{Declaring, NAMES_MAX, Records};
use crate::finding::{At, Findings, all_of, did_you_mean};
use crate::forms;
use crate::install::{Install, check_name};
use crate::read::{Document, Table, Value};
use crate::steps::{Call, Lower, Return};
use ivr::{
    Act, AnswerMode, BUILT_IN, Demand, Flow, Origin, SayKind, Set, SetRole, Step, StepId, Template, Types,
    VarDecl, VarId,
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A flow and where its parts stand in the files.
#[derive(Debug)]
pub(crate) struct FlowDraft<'a> {
    pub flow: Flow,
    pub at: At<'a>,
    /// By `StepId`.
    pub sites: Vec<Site<'a>>,
    /// The flow's own variables, in order, without those of its sub-flows.
    pub vars_at: Vec<At<'a>>,
    /// Parameters among them, which come from outside.
    pub params: BTreeSet<VarId>,
    /// Those that a sub-flow hands back.
    pub results: BTreeSet<VarId>,
    /// A sub-flow, read by itself.
    pub sub: bool,
    /// The sub-flows that it takes in, directly or not.
    pub subflows: BTreeSet<&'a str>,
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

/// The flow files of an installation, by name.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    pub documents: BTreeMap<&'a str, &'a Document<'a>>,
    /// Hears what was said before.
    pub silent: &'a Findings,
}

impl<'a> Files<'a> {
    /// A sub-flow's file, to be read silently.
    pub fn subflow(&self, name: &str) -> Option<(&'a str, Table<'a>)> {
        let (name, document) = self.documents.get_key_value(name)?;
        let table = document.table(self.silent, self.silent);
        is_subflow(&table).then_some((name, table))
    }

    pub fn subflows(&self) -> Vec<&'a str> {
        let subflow = |(name, document): (&&'a str, &&'a Document<'a>)| {
            is_subflow(&document.table(self.silent, self.silent)).then_some(*name)
        };
        self.documents.iter().filter_map(subflow).collect()
    }
}

fn is_subflow(file: &Table<'_>) -> bool {
    file.has("flow")
        && file.table("flow").is_some_and(|f| f.get("sub").and_then(|v| v.as_flag()) == Some(true))
}

/// More steps than this are no flow that anybody can read.
const STEPS_MAX: usize = 1000;
/// Nor are more than this with those of its sub-flows.
const ALL_STEPS_MAX: usize = 2000;

/// Reads a flow file by its name without `.toml`. None: it has no steps at all.
pub(crate) fn read<'a>(
    files: &Files<'a>,
    stem: &'a str,
    install: &Install<'_>,
    findings: &'a Findings,
) -> Option<FlowDraft<'a>> {
    let document = files.documents.get(stem)?;
    let said = || findings.errors() + files.silent.errors();
    let errors_before = said();
    let file = document.table(findings, files.silent);
    let sub = is_subflow(&file);
    let mut taking = Taking {
        findings,
        install,
        files,
        flow: Flow {
            name: stem.into(),
            version: "0".into(),
            start: StepId(0),
            language: install.languages.keys().next().cloned().unwrap_or_else(|| "en".into()),
            languages: install.languages.keys().cloned().collect(),
            answer: if sub { AnswerMode::ByStep } else { AnswerMode::AtOnce },
            type_ahead: true,
            zone: install.systems.zone.clone().unwrap_or(TimeZone::UTC),
            anytime: vec![],
            vars: vec![],
            records: Arc::new([]),
            tables: tables(install),
            hours: install.hours.iter().filter_map(|(n, h)| Some((n.clone(), h.clone()?))).collect(),
            steps: vec![],
            facts: Default::default(),
        },
        sites: vec![],
        records: Records::default(),
        within: vec![stem],
        subflows: BTreeSet::new(),
        vars_at: vec![],
        params: BTreeSet::new(),
        results: BTreeSet::new(),
    };
    let at = file.table("flow").map_or(file.at(), |head| head.at());
    let scope = Scope { name: stem, site: String::new(), findings, caller: None };
    let (start, _) = taking.file(file, &scope);
    let mut flow = taking.flow;
    flow.start = start.unwrap_or(StepId(0));
    flow.records = taking.records.all();
    (!flow.steps.is_empty()).then_some(FlowDraft {
        flow,
        at,
        sites: taking.sites,
        vars_at: taking.vars_at,
        params: taking.params,
        results: taking.results,
        sub,
        subflows: taking.subflows,
        whole: said() == errors_before,
    })
}

fn tables(install: &Install<'_>) -> BTreeMap<Arc<str>, Arc<ivr::Table>> {
    install.systems.tables.iter().filter_map(|(n, t)| Some((n.clone(), t.clone()?))).collect()
}

/// A flow that takes in files.
struct Taking<'a, 'f, 'i> {
    /// Hears of what no file shows alone.
    findings: &'a Findings,
    install: &'f Install<'i>,
    files: &'f Files<'a>,
    flow: Flow,
    sites: Vec<Site<'a>>,
    records: Records,
    /// The flows that are being read, outermost first.
    within: Vec<&'a str>,
    subflows: BTreeSet<&'a str>,
    vars_at: Vec<At<'a>>,
    params: BTreeSet<VarId>,
    results: BTreeSet<VarId>,
}

/// A variable under its name in the file.
type Declared<'a> = (VarId, VarDecl, At<'a>);

/// One file, as one place sees it.
struct Scope<'a, 's> {
    name: &'a str,
    /// The step that leads into a sub-flow.
    site: String,
    findings: &'a Findings,
    caller: Option<&'s Call<'a>>,
}

/// What a flow file says of itself.
struct Head<'a> {
    barge_in: bool,
    start: Option<Value<'a>>,
    anytime: Option<Table<'a>>,
}

impl<'a> Taking<'a, '_, '_> {
    /// Reads a file into the flow: its first step, its variables.
    fn file(&mut self, file: Table<'a>, scope: &Scope<'a, '_>) -> (Option<StepId>, Vec<Declared<'a>>) {
        let findings = scope.findings;
        let head = file.table("flow");
        if head.is_none() {
            file.missing("flow", "begin with [flow], `name` and `start`");
        }
        let sub = is_subflow(&file);
        let at = head.as_ref().map_or(file.at(), Table::at);
        let head = match head {
            Some(head) => self.head(head, scope, sub),
            None => Head { barge_in: true, start: None, anytime: None },
        };
        let vars = self.variables(&file, scope, sub);
        let mut types = Types::scope(vars.iter().map(|(id, decl, _)| (*id, decl)));
        types.records = self.records.all();
        types.tables = tables(self.install);
        if let Some(own) = file.table("table") {
            let own = own_tables(&own);
            types.tables.extend(own.clone());
            for (name, table) in own {
                match scope.caller {
                    None => self.flow.tables.insert(name, table),
                    Some(_) => Some(self.flow.tables.entry(name).or_insert(table).clone()),
                };
            }
        }
        types.hours = self.flow.hours.clone();
        types.zone = Some(self.flow.zone.clone());

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
        let first = self.flow.steps.len();
        let id = |i: usize| StepId(u32::try_from(first + i).unwrap_or(u32::MAX));
        for entry in &entries {
            check_name(findings, entry.key_at(), "step", entry.key);
            let origin = scope.caller.map(|_| Origin { flow: scope.name.into(), step: entry.key.into() });
            self.flow.steps.push(Step {
                name: match scope.caller {
                    Some(_) => format!("{}/{}", scope.site, entry.key).into(),
                    None => entry.key.into(),
                },
                line: entry.key_at().line(),
                origin,
                // A step that cannot be read still has its name, so that others may lead to it.
                act: Act::Hangup,
            });
            self.sites.push(Site::new(entry.key_at()));
        }
        let results = file.table("result");
        let mut lower = Lower {
            install: self.install,
            findings,
            files: self.files,
            records: &self.records,
            types,
            zone: self.flow.zone.clone(),
            masked: vars.iter().filter(|(_, decl, _)| decl.mask).map(|(id, ..)| *id).collect(),
            ids: entries.iter().enumerate().map(|(i, e)| (e.key, id(i))).collect(),
            // Of a sub-flow's steps the flow as a whole is asked, when it is there.
            by_step: self.flow.answer == AnswerMode::ByStep || scope.caller.is_some(),
            barge_in: head.barge_in,
            name: "",
            site: Site::new(at),
            calls: vec![],
            returns: match (sub, scope.caller) {
                (false, _) => Return::Nowhere,
                (true, None) => Return::Outside,
                (true, Some(call)) => {
                    Return::To { on: call.on.clone(), into: returned(call, results.as_ref()) }
                }
            },
        };
        if let Some(results) = results {
            if !sub {
                findings.error_help(
                    results.at(),
                    "not-a-subflow",
                    "only a sub-flow has a [result]",
                    "write `sub = true` in [flow], or remove it".to_owned(),
                );
            }
            let results = lower.results(&results);
            if scope.caller.is_none() {
                self.results = results;
            }
        }
        file.done();
        let start = head.start.and_then(|v| lower.exit(&v, "the flow starts with"));
        if let Some(anytime) = head.anytime {
            self.flow.anytime = lower.anytime(&anytime);
        }
        for (i, entry) in entries.iter().enumerate() {
            lower.name = entry.key;
            lower.site = Site::new(entry.key_at());
            let table = entry.table();
            let act = table
                .and_then(|t| lower.step(t.titled(format!("step `{}`", crate::shorten(entry.key))), id(i)));
            self.flow.steps[first + i].act = act.unwrap_or(Act::Hangup);
            self.sites[first + i] = std::mem::replace(&mut lower.site, Site::new(at));
        }
        for call in std::mem::take(&mut lower.calls) {
            self.enter(&call);
        }
        (start, vars)
    }

    fn head(&mut self, head: Table<'a>, scope: &Scope<'a, '_>, sub: bool) -> Head<'a> {
        let stem = scope.name;
        let head = head.titled("[flow]").form(if sub { &forms::SUBFLOW_HEAD } else { &forms::FLOW });
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
        let start = head.need("start", "name the first step");
        head.get("title").map(|v| v.text());
        head.get("sub").map(|v| v.flag());
        let barge_in = head.switch("barge_in");
        let mut anytime = None;
        if !sub {
            if let Some(value) = head.get("language")
                && let Some(language) = value.text()
            {
                match self.install.languages.get_key_value(language) {
                    Some((known, _)) => self.flow.language = known.clone(),
                    None => unknown_language(scope.findings, value.at(), language, self.install),
                }
            }
            if let Some(value) = head.get("answer") {
                match value.text() {
                    Some("at-once") | None => {}
                    Some("by-step") => self.flow.answer = AnswerMode::ByStep,
                    Some(other) => value.error_help(
                        "bad-answer",
                        format!("`answer` cannot be \"{}\"", crate::shorten(other)),
                        "write \"at-once\" or \"by-step\"".to_owned(),
                    ),
                }
            }
            self.flow.type_ahead = head.switch("type_ahead");
            if let Some(value) = head.get("zone")
                && let Some(name) = value.word()
            {
                match ivr::hours::zone(name) {
                    Ok(zone) => self.flow.zone = zone,
                    Err(error) => value.error_help("unknown-zone", error.what, error.help),
                }
            }
            anytime = head.get("anytime").and_then(|v| v.table());
        }
        head.done();
        Head { barge_in, start, anytime }
    }

    /// Parameters and variables, under the names that they have in the file.
    fn variables(&mut self, file: &Table<'a>, scope: &Scope<'a, '_>, sub: bool) -> Vec<Declared<'a>> {
        let zone = self.flow.zone.clone();
        let declaring = Declaring { install: self.install, records: &self.records, zone: &zone };
        let mut declared: Vec<Declared<'a>> = vec![];
        for (kind, table) in [("param", file.table("param")), ("var", file.table("var"))] {
            let Some(table) = table else { continue };
            if kind == "param" && !sub {
                scope.findings.error_help(
                    table.at(),
                    "not-a-subflow",
                    "only a sub-flow has [param]",
                    "write `sub = true` in [flow], or declare variables in [var]".to_owned(),
                );
            }
            for entry in table.entries() {
                if declared.len() == NAMES_MAX {
                    scope.findings.error(
                        entry.key_at(),
                        "too-many",
                        format!("a flow has at most {NAMES_MAX} variables"),
                    );
                    break;
                }
                let Some(decl) = declaring.variable(&entry) else { continue };
                let id = VarId(u32::try_from(BUILT_IN.len() + self.flow.vars.len()).unwrap_or(u32::MAX));
                if declared.iter().any(|(_, d, _)| d.name == decl.name) {
                    scope.findings.error_help(
                        entry.key_at(),
                        "duplicate",
                        format!("`{}` is a parameter already", entry.key),
                        "rename one of the two".to_owned(),
                    );
                    continue;
                }
                let name = match scope.caller {
                    Some(_) => format!("{}.{}", scope.site, decl.name).into(),
                    None => decl.name.clone(),
                };
                self.flow.vars.push(VarDecl { name, ..decl.clone() });
                if scope.caller.is_none() {
                    self.vars_at.push(entry.key_at());
                    if kind == "param" {
                        self.params.insert(id);
                    }
                }
                declared.push((id, decl, entry.key_at()));
            }
        }
        declared
    }

    /// Takes in the sub-flow of a step: parameters and fresh variables, then its first step.
    fn enter(&mut self, call: &Call<'a>) {
        let findings = self.findings;
        if self.within.contains(&call.flow) {
            findings.error_help(
                call.at,
                "endless-subflow",
                format!("sub-flow `{}` leads into itself", call.flow),
                "a circle of steps within it does the same: lead back to its first step".to_owned(),
            );
            return;
        }
        let Some((name, file)) = self.files.subflow(call.flow) else { return };
        let count = file.table("step").map_or(0, |s| s.entries().len());
        if self.flow.steps.len() + count > ALL_STEPS_MAX {
            findings.error(
                call.at,
                "too-many",
                format!("with its sub-flows a flow has at most {ALL_STEPS_MAX} steps, and here are more"),
            );
            return;
        }
        self.subflows.insert(name);
        let place = call.step.0 as usize;
        let site = self.flow.steps[place].name.to_string();
        let scope = Scope { name, site, findings: self.files.silent, caller: Some(call) };
        self.within.push(name);
        let (start, vars) = self.file(file, &scope);
        self.within.pop();
        let value = |(id, decl, _): Declared<'a>| {
            let given = call.with.get(&*decl.name).cloned();
            (id, given.unwrap_or_else(|| Template::value(decl.default)))
        };
        let values = vars.into_iter().map(value).collect();
        if let Some(start) = start {
            self.flow.steps[place].act = Act::Set(Set { role: SetRole::Enter, values, next: start });
            self.sites[place].exits.push(start);
        }
    }
}

/// The file's own tables, which win over the installation's.
fn own_tables(tables: &Table<'_>) -> BTreeMap<Arc<str>, Arc<ivr::Table>> {
    let read = |entry: Value<'_>| {
        check_name(entry.findings, entry.key_at(), "table", entry.key);
        Some((Arc::from(entry.key), Arc::new(crate::tables::read(&entry)?)))
    };
    tables.entries().into_iter().filter_map(read).collect()
}

/// What a place takes of a sub-flow's results: its own variable, the sub-flow's.
fn returned<'a>(call: &Call<'a>, results: Option<&Table<'a>>) -> Vec<(VarId, &'a str)> {
    let entries = results.map(Table::entries).unwrap_or_default();
    let variable = |result: &str| entries.iter().find(|e| e.key == result)?.as_text();
    call.into.iter().filter_map(|(id, result)| Some((*id, variable(result)?))).collect()
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
