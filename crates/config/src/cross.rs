//! What must agree between the files: numbers with flows, flows with queues, skills, agents and prompts.
use crate::finding::{At, Findings, all_of, did_you_mean, one_of};
use crate::flow::{FlowDraft, Site};
use crate::install::{self, Install, NumberDraft};
use crate::prompts::PromptSet;
use crate::reach;
use crate::read::{Value, show};
use crate::values::{self, Known};
use acd::{Agent, Queue, Requirement, Roster};
use hotline_core::{PoolId, Severity};
use ivr::{Act, BUILT_IN, Template, VarId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The roster, and one like it in which an agent who is nobody has every declared skill: so that a skill
/// which nobody has is told from one that nobody declared.
#[derive(Debug)]
pub(crate) struct Rosters {
    pub roster: Roster,
    declared: Roster,
}

pub(crate) fn roster(install: &Install<'_>, agents: Vec<Agent>, findings: &Findings) -> Rosters {
    let roster =
        Roster { pools: install.pools.clone(), queues: vec![], agents, node_limit: install.agent_calls_max };
    let mut declared = roster.clone();
    declared.agents.push(Agent {
        name: "".into(),
        pool: PoolId(0),
        skills: install.skills.iter().map(|s| (Arc::from(s.as_str()), 1)).collect(),
        capacity: 1,
        rest: Duration::ZERO,
        misses_max: 1,
    });
    let mut rosters = Rosters { roster, declared };
    for draft in &install.queues {
        let require = draft.require.and_then(|value| {
            let text = value.text()?;
            match Requirement::parse(text, &rosters.declared) {
                Ok(require) => Some(require),
                Err(error) => {
                    requirement_error(&value, Some(error.at), error.what, error.help);
                    None
                }
            }
        });
        let queue = Queue {
            name: draft.name.clone(),
            pools: draft.pools.iter().map(|p| PoolId(u32::try_from(*p).unwrap_or(0))).collect(),
            require,
            order: draft.order,
            limit: draft.limit,
            length_max: draft.length_max,
            ring: draft.ring,
            wrap_up: draft.wrap_up,
            promise: draft.promise,
        };
        if !rosters.roster.agents.iter().any(|agent| serves(&queue, agent)) {
            let why = match (&queue.require, queue.pools.is_empty()) {
                (Some(_), _) => "no agent of its pools meets its requirement",
                (None, false) => "its pools have no agents",
                (None, true) => "there are no agents",
            };
            let what = format!("nobody can serve queue `{}`: {why}", queue.name);
            findings.warning(draft.at, "unsatisfiable", what, None);
        }
        rosters.roster.queues.push(queue);
    }
    rosters
}

fn serves(queue: &Queue, agent: &Agent) -> bool {
    (queue.pools.is_empty() || queue.pools.contains(&agent.pool))
        && queue.require.as_ref().is_none_or(|require| require.holds(agent))
}

fn requirement_error(value: &Value<'_>, at: Option<usize>, what: String, help: Option<String>) {
    let rule = match &what {
        w if w.starts_with("no ") && w.contains(" skill") => "unknown-skill",
        w if w.starts_with("no ") && w.contains("pool") => "unknown-pool",
        w if w.starts_with("no ") && w.contains("agent") => "unknown-agent",
        _ => "bad-requirement",
    };
    let at = at.map_or(value.at(), |byte| value.inside(byte));
    value.findings.error_help(at, rule, what, help);
}

/// The installation's music, which plays in whatever language the caller chose.
pub(crate) fn music(install: &Install<'_>, set: &mut PromptSet) {
    let Some(value) = install.music.filter(|_| !install.languages.is_empty()) else { return };
    let Some(name) = value.word() else { return };
    let found = install.languages.keys().find_map(|language| set.prompts.sound(language, name));
    if found.is_none() {
        missing_prompt(
            &value.at(),
            value.findings,
            name,
            &install.languages.keys().map(|l| &**l).collect(),
            install,
            set,
        );
    }
    set.prompts.music = found;
}

/// A number whose flow exists.
#[derive(Clone, Debug)]
pub(crate) struct NumberSettings<'d> {
    pub digits: Arc<str>,
    pub title: String,
    pub flow: &'d str,
    pub limit: Option<u32>,
    pub vars: Vec<(Arc<str>, String)>,
}

/// Numbers with their flows; flows without a number are noted.
pub(crate) fn numbers<'d>(
    install: &Install<'_>,
    drafts: Vec<NumberDraft<'_>>,
    flows: &BTreeMap<&'d str, Option<FlowDraft<'_>>>,
    findings: &Findings,
) -> Vec<NumberSettings<'d>> {
    let mut numbers = vec![];
    for draft in drafts {
        let Some((value, wanted)) = draft.flow.and_then(|v| Some((v, v.text()?))) else { continue };
        let Some((flow, read)) = flows.get_key_value(wanted) else {
            install::unknown(&value, "flow", wanted, flows.keys().copied());
            continue;
        };
        if read.as_ref().is_some_and(|r| r.sub) {
            value.error_help(
                "subflow-of-a-number",
                format!("flow `{wanted}` is a sub-flow: it cannot answer a number"),
                "name a flow that leads into it with `subflow`".to_owned(),
            );
            continue;
        }
        let mut vars = vec![];
        if let Some(read) = read {
            let types = read.flow.types();
            for entry in &draft.vars {
                vars.extend(preset(entry, &types, flow, install));
            }
        }
        let NumberDraft { digits, title, limit, .. } = draft;
        numbers.push(NumberSettings { digits, title, flow, limit, vars });
    }
    let served: BTreeSet<&str> = numbers.iter().map(|n| n.flow).collect();
    let subflows: BTreeSet<&str> =
        flows.values().flatten().flat_map(|f| f.subflows.iter().copied()).collect();
    for (name, draft) in flows {
        let Some(draft) = draft else { continue };
        if draft.sub {
            if !subflows.contains(name) {
                let what = format!("nothing leads into sub-flow `{name}`");
                let help = format!("lead into it with a step `subflow = \"{name}\"`, or remove the file");
                findings.warning(draft.at, "unused-subflow", what, help);
            }
        } else if !served.contains(name) {
            let what = format!("no number leads to flow `{name}`");
            let help =
                format!("add [number.DIGITS] with `flow = \"{name}\"` to hotline.toml, or remove the file");
            findings.warning(draft.at, "flow-without-number", what, help);
        }
    }
    numbers
}

/// A variable that a number sets before the flow begins.
fn preset(
    entry: &Value<'_>,
    types: &ivr::Types,
    flow: &str,
    install: &Install<'_>,
) -> Option<(Arc<str>, String)> {
    let Some(variable) = types.find(entry.key).filter(|v| !v.read_only) else {
        let settable = types.iter().filter(|v| !v.read_only).map(|v| &*v.name);
        entry.findings.error_help(
            entry.key_at(),
            "unknown-variable",
            format!("flow `{flow}` has no variable `{}`", crate::shorten(entry.key)),
            did_you_mean(entry.key, settable).unwrap_or_else(|| "declare it in the flow's [var]".into()),
        );
        return None;
    };
    let text = entry
        .as_text()
        .map(str::to_owned)
        .or_else(|| entry.as_integer().map(|n| n.to_string()))
        .or_else(|| entry.as_flag().map(|b| b.to_string()));
    let fits = text.as_deref().and_then(|t| ivr::Value::parse(t, variable.kind)).is_some();
    let Some(text) = text.filter(|_| fits) else {
        entry.error_help(
            "type",
            format!("variable `{}` of flow `{flow}` is a {}, and this is none", entry.key, variable.kind),
            None,
        );
        return None;
    };
    match variable.id {
        VarId::LANGUAGE if !install.languages.contains_key(text.as_str()) => {
            crate::flow::unknown_language(entry.findings, entry.at(), &text, install);
        }
        VarId::SEVERITY if Severity::parse(&text).is_none() => {
            entry.error_help(
                "unknown-severity",
                format!("no severity is called `{}`", crate::shorten(&text)),
                "severities are P0, P1, P2 and P3".to_owned(),
            );
        }
        _ => {}
    }
    Some((variable.name.clone(), text))
}

/// A flow against everything else. `used`: a sub-flow, which is looked at wherever it is taken in.
pub(crate) fn flow(
    draft: &FlowDraft<'_>,
    numbers: &[&NumberSettings<'_>],
    used: bool,
    install: &Install<'_>,
    rosters: &Rosters,
    prompts: &PromptSet,
    findings: &Findings,
) {
    if draft.whole {
        variables(draft, numbers, findings);
    }
    if used {
        return;
    }
    let states = values::at_steps(&draft.flow, start(draft, numbers));
    for (site, known) in draft.sites.iter().zip(&states) {
        let Some(known) = known else { continue };
        for (template, at) in &site.prompts {
            prompt(template, *at, known, install, prompts, findings);
        }
        for (kind, at) in &site.says {
            fragments(*kind, *at, known, install, prompts, findings);
        }
        for (template, at) in &site.languages {
            for language in texts(template, known).unwrap_or_default() {
                if !install.languages.contains_key(&*language) {
                    crate::flow::unknown_language(findings, *at, &language, install);
                }
            }
        }
        if let Some((template, at)) = &site.severity {
            for text in texts(template, known).unwrap_or_default() {
                if Severity::parse(&text).is_none() {
                    let what = format!("no severity is called `{}`", crate::shorten(&text));
                    findings.error_help(
                        *at,
                        "unknown-severity",
                        what,
                        "severities are P0, P1, P2 and P3".to_owned(),
                    );
                }
            }
        }
        if let Some((template, value)) = &site.agent {
            for name in texts(template, known).unwrap_or_default() {
                if !rosters.roster.agents.iter().any(|a| *a.name == *name) {
                    install::unknown(value, "agent", &name, rosters.roster.agents.iter().map(|a| &*a.name));
                }
            }
        }
        requirement(site, known, install, rosters);
    }
    budget(draft, &states, install, prompts, findings);
}

/// What the variables are when a call begins.
fn start(draft: &FlowDraft<'_>, numbers: &[&NumberSettings<'_>]) -> Known {
    let types = draft.flow.types();
    let mut known = vec![];
    for variable in types.iter() {
        let default = match variable.id {
            VarId::CALLER => None,
            VarId::DIALLED => {
                let dialled: Vec<_> = numbers.iter().map(|n| ivr::Value::from(&*n.digits)).collect();
                known.push((!dialled.is_empty()).then_some(dialled));
                continue;
            }
            VarId::LANGUAGE => Some(ivr::Value::from(&*draft.flow.language)),
            VarId::SEVERITY => Some(ivr::Value::from("P3")),
            // Whatever a caller of it gives.
            id if draft.params.contains(&id) => None,
            id => {
                let own = (id.0 as usize).checked_sub(BUILT_IN.len());
                own.and_then(|i| draft.flow.vars.get(i)).map(|v| v.default.clone())
            }
        };
        let preset = |n: &&NumberSettings<'_>| {
            let text = n.vars.iter().find(|(name, _)| *name == variable.name).map(|(_, text)| text);
            text.and_then(|t| ivr::Value::parse(t, variable.kind)).or_else(|| default.clone())
        };
        let values: Option<Vec<_>> = match numbers {
            [] => default.clone().map(|d| vec![d]),
            numbers => numbers.iter().map(preset).collect(),
        };
        known.push(values.map(|mut values| {
            let mut distinct = vec![];
            values.retain(|v| {
                !distinct.contains(v) && {
                    distinct.push(v.clone());
                    true
                }
            });
            distinct
        }));
    }
    Known(known)
}

/// Declared variables that nothing sets, or nothing uses.
fn variables(draft: &FlowDraft<'_>, numbers: &[&NumberSettings<'_>], findings: &Findings) {
    let written: BTreeSet<VarId> = draft.flow.steps.iter().flat_map(|s| writes(&s.act)).collect();
    let read = draft.sites.iter().flat_map(|s| s.reads.iter().map(|(id, _)| *id));
    let read: BTreeSet<VarId> = read.chain(draft.results.iter().copied()).collect();
    let types = draft.flow.types();
    for (variable, at) in types.iter().skip(BUILT_IN.len()).zip(&draft.vars_at) {
        let preset = numbers.iter().any(|n| n.vars.iter().any(|(name, _)| *name == variable.name));
        let param = draft.params.contains(&variable.id) && read.contains(&variable.id);
        let set = written.contains(&variable.id) || preset || param;
        let name = &variable.name;
        match (set, read.contains(&variable.id)) {
            (false, true) => findings.warning(
                *at,
                "never-set",
                format!(
                    "variable `{name}` is read, but no step and no number sets it: it keeps its start value"
                ),
                format!("set it with a step, or with `vars = {{ {name} = ... }}` of a number"),
            ),
            (false, false) => {
                findings.warning(
                    *at,
                    "unused-variable",
                    format!("nothing uses variable `{name}`"),
                    "remove it".to_owned(),
                );
            }
            (true, _) => {}
        }
    }
}

/// The variables that a step can change.
pub(crate) fn writes(act: &Act) -> Vec<VarId> {
    match act {
        Act::Menu(menu) => menu.into.into_iter().collect(),
        Act::Collect(collect) => vec![collect.into],
        Act::Set(set) => set.values.iter().map(|(id, _)| *id).collect(),
        Act::Language(_) => vec![VarId::LANGUAGE],
        Act::Identify(identify) => vec![identify.into],
        Act::Http(http) => http.into.iter().map(|t| t.into).chain(http.status).collect(),
        Act::Survey(survey) => survey.into.into_iter().collect(),
        Act::Bot(bot) => bot.into.iter().map(|(_, id)| *id).collect(),
        _ => vec![],
    }
}

/// What a template can become; None: anything.
fn texts(template: &Template, known: &Known) -> Option<BTreeSet<Arc<str>>> {
    Some(known.combinations(&template.reads())?.iter().map(|row| template.fill(row)).collect())
}

fn languages<'i>(known: &Known, install: &'i Install<'_>) -> BTreeSet<&'i str> {
    let all = || install.languages.keys().map(|l| &**l);
    match known.0.get(VarId::LANGUAGE.0 as usize) {
        Some(Some(values)) => all().filter(|l| values.iter().any(|v| *v.text() == **l)).collect(),
        _ => all().collect(),
    }
}

// Prompts.

fn prompt(
    template: &Template,
    at: At<'_>,
    known: &Known,
    install: &Install<'_>,
    prompts: &PromptSet,
    findings: &Findings,
) {
    let mut reads = template.reads();
    reads.insert(VarId::LANGUAGE);
    // name -> languages in which it would be missed
    let mut missing: BTreeMap<Arc<str>, BTreeSet<&str>> = BTreeMap::new();
    if let Some(rows) = known.combinations(&reads) {
        for row in rows {
            let language = row[VarId::LANGUAGE.0 as usize].text();
            let Some((language, _)) = install.languages.get_key_value(&*language) else { continue };
            let name = template.fill(&row);
            if prompts.prompts.sound(language, &name).is_none() {
                missing.entry(name).or_default().insert(language);
            }
        }
    } else {
        let some = |language: &str| {
            let sounds = prompts.prompts.sounds.get(language);
            sounds.is_some_and(|s| s.keys().any(|name| template.could_be(name)))
        };
        let without: BTreeSet<&str> = languages(known, install).into_iter().filter(|l| !some(l)).collect();
        if !without.is_empty() {
            let what = format!("no prompt in {} fits `{template}`", list(&without));
            findings.error(at, "missing-prompt", what);
        }
    }
    for (name, languages) in missing {
        missing_prompt(&at, findings, &name, &languages, install, prompts);
    }
}

pub(crate) fn missing_prompt(
    at: &At<'_>,
    findings: &Findings,
    name: &str,
    languages: &BTreeSet<&str>,
    install: &Install<'_>,
    prompts: &PromptSet,
) {
    let names = prompts.names();
    let shown = crate::shorten(name);
    if !names.contains(name) {
        let first = languages.first().copied().unwrap_or("en");
        let help = did_you_mean(name, names.iter().copied())
            .unwrap_or_else(|| format!("record {}", prompts.path(install, first, &shown).display()));
        findings.error_help(*at, "missing-prompt", format!("no prompt is called `{shown}`"), help);
        return;
    }
    let languages = &without_fallbacks(languages, install);
    let files: Vec<String> =
        languages.iter().map(|l| prompts.path(install, l, &shown).display().to_string()).collect();
    findings.error_help(
        *at,
        "missing-prompt",
        format!("prompt `{shown}` has no recording in {}", list(languages)),
        format!("record {}, or give the language a fallback that has it", files.join(" and ")),
    );
}

/// A language whose fallback lacks the same is served by recording the fallback's.
fn without_fallbacks<'l>(lacking: &BTreeSet<&'l str>, install: &Install<'_>) -> BTreeSet<&'l str> {
    let falls_back = |language: &str| {
        install.languages.get(language).is_some_and(|chain| chain.iter().any(|f| lacking.contains(&**f)))
    };
    lacking.iter().copied().filter(|l| !falls_back(l)).collect()
}

fn list(names: &BTreeSet<&str>) -> String {
    all_of(names.iter().copied())
}

fn fragments(
    kind: ivr::SayKind,
    at: At<'_>,
    known: &Known,
    install: &Install<'_>,
    prompts: &PromptSet,
    findings: &Findings,
) {
    let lacks = |language: &str, name: &str| prompts.prompts.sound(language, name).is_none();
    let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for language in languages(known, install) {
        let wanted = ivr::say::fragments_of(kind, language);
        if wanted.is_empty() {
            findings.error_help(
                at,
                "missing-fragment",
                format!("nothing is known of how `{language}` says {kind}"),
                format!("languages with a grammar: {}", one_of(ivr::say::LANGUAGES)),
            );
            continue;
        }
        let names: Vec<&str> =
            wanted.into_iter().map(|(name, _)| name).filter(|n| lacks(language, n)).collect();
        if !names.is_empty() {
            lacking.insert(language, names);
        }
    }
    for language in without_fallbacks(&lacking.keys().copied().collect(), install) {
        let lacking = &lacking[language];
        let Some(first) = lacking.first() else { continue };
        let many = if lacking.len() > 1 { format!(" and {} more", lacking.len() - 1) } else { String::new() };
        findings.error_help(
            at,
            "missing-fragment",
            format!("`{language}` cannot say this: its prompt `{first}`{many} has no recording"),
            format!("record {}", prompts.path(install, language, first).display()),
        );
    }
}

// People.

/// Whether somebody could meet what a queue step asks for, whatever the caller chose.
fn requirement(site: &Site<'_>, known: &Known, install: &Install<'_>, rosters: &Rosters) {
    let (Some((demand, value)), Some((queue, _))) = (&site.require, &site.queue) else { return };
    let Some(queue) = rosters.roster.queues.iter().find(|q| q.name == *queue) else { return };
    let reads = demand.reads();
    let Some(rows) = known.combinations(&reads) else { return };
    let speaks = |row: &&Vec<ivr::Value>| {
        let language = row[VarId::LANGUAGE.0 as usize].text();
        !reads.contains(&VarId::LANGUAGE) || install.languages.contains_key(&*language)
    };
    let (mut nobody, mut errors) = (BTreeSet::new(), BTreeMap::new());
    for row in rows.iter().filter(speaks) {
        let text = match demand.fill(row) {
            Ok(text) => text,
            Err(none) => {
                let what = format!("`{}` can be empty here, or no skill's name", none.variable);
                errors.insert((what, Some("set it on every way to this step".to_owned())), None);
                continue;
            }
        };
        match Requirement::parse(&text, &rosters.declared) {
            // Places are exact where nothing was filled in.
            Err(error) if reads.is_empty() => {
                requirement_error(value, Some(error.at), error.what, error.help)
            }
            Err(error) => {
                errors.entry((error.what, error.help)).or_insert(Some(text));
            }
            Ok(require) => {
                if !rosters.roster.agents.iter().any(|a| serves(queue, a) && require.holds(a)) {
                    nobody.insert(text);
                }
            }
        }
    }
    for ((what, help), text) in errors {
        let example = text.map(|t| format!(", as in `{t}`")).unwrap_or_default();
        requirement_error(value, None, what + &example, help);
    }
    if !rosters.roster.agents.iter().any(|a| serves(queue, a)) {
        // Said of the queue.
        return;
    }
    let Some(first) = nobody.first() else { return };
    let many =
        if nobody.len() > 1 { format!(" (and {} more cases)", nobody.len() - 1) } else { String::new() };
    value.warning(
        "unsatisfiable",
        format!("no agent of queue `{}` could ever meet `{first}`{many}", queue.name),
        "such callers leave by `on_no_agents`: give an agent the skills, or ask for less".to_owned(),
    );
}

/// The least a caller must listen to before a person can be reached.
fn budget(
    draft: &FlowDraft<'_>,
    states: &[Option<Known>],
    install: &Install<'_>,
    prompts: &PromptSet,
    findings: &Findings,
) {
    if !draft.whole {
        return;
    }
    for (id, heard) in reach::before_persons(&draft.flow, states, &prompts.prompts) {
        if heard > install.audio_max {
            findings.warning(
                draft.sites[id.0 as usize].at,
                "long-wait-for-a-person",
                format!(
                    "a caller hears and waits {} s at least before step `{}`: more than {}",
                    heard.as_secs(),
                    draft.flow.step(id).name,
                    show(install.audio_max)
                ),
                "shorten the prompts, or raise [check] audio_before_person; `hotline check --ways` shows the way".to_owned(),
            );
        }
    }
}
