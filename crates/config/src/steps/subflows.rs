//! Into sub-flows and out of them.
use super::Lower;
use super::variables::fits;
use crate::declare::Declaring;
use crate::finding::{At, all_of, did_you_mean};
use crate::install::unknown;
use crate::read::{Table, Value};
use ivr::{Act, Set, SetRole, StepId, Template, Type, VarDecl, VarId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A step that leads into a sub-flow.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub step: StepId,
    pub at: At<'a>,
    pub flow: &'a str,
    /// By the sub-flow's names.
    pub with: BTreeMap<Arc<str>, Template>,
    /// The caller's variable, the sub-flow's result.
    pub into: Vec<(VarId, &'a str)>,
    pub on: BTreeMap<&'a str, StepId>,
}

/// Where `return` leads.
#[derive(Debug)]
pub(crate) enum Return<'a> {
    /// This is no sub-flow.
    Nowhere,
    /// The sub-flow is read by itself.
    Outside,
    /// By name; and which of its variables go into which of the caller's.
    To { on: BTreeMap<&'a str, StepId>, into: Vec<(VarId, &'a str)> },
}

/// How a sub-flow is entered and left.
struct Signature<'a> {
    name: &'a str,
    params: Vec<VarDecl>,
    /// With the type of its variable.
    results: BTreeMap<&'a str, Type>,
    returns: BTreeSet<&'a str>,
}

impl<'a> Lower<'a, '_, '_> {
    fn signature(&self, value: &Value<'a>) -> Option<Signature<'a>> {
        let wanted = value.text()?;
        let Some((name, file)) = self.files.subflow(wanted) else {
            if self.files.documents.contains_key(wanted) {
                value.error_help(
                    "not-a-subflow",
                    format!("flow `{wanted}` is no sub-flow"),
                    format!("write `sub = true` in [flow] of {wanted}.toml"),
                );
            } else {
                let names = self.files.subflows();
                unknown(value, "sub-flow", wanted, names.into_iter());
            }
            return None;
        };
        let declaring = Declaring { install: self.install, records: self.records, zone: &self.zone };
        let declared = |kind| {
            let entries = file.table(kind).map(|t| t.entries()).unwrap_or_default();
            entries.iter().filter_map(|e| declaring.variable(e)).collect::<Vec<_>>()
        };
        let (params, vars) = (declared("param"), declared("var"));
        let results = file.table("result").map(|t| t.entries()).unwrap_or_default();
        let results = results.iter().filter_map(|entry| {
            let variable = entry.as_text()?;
            let decl = params.iter().chain(&vars).find(|d| &*d.name == variable)?;
            Some((entry.key, decl.kind))
        });
        let results = results.collect();
        let steps = file.table("step").map(|t| t.entries()).unwrap_or_default();
        let returns = steps.iter().filter_map(|s| s.is_table().then(|| s.table())??.get("return")?.as_text());
        Some(Signature { name, params, results, returns: returns.collect() })
    }

    pub(super) fn subflow(&mut self, table: &Table<'a>, step: StepId) -> Option<Act> {
        let value = table.get("subflow")?;
        let signature = self.signature(&value);
        let known = signature.as_ref();
        let mut with = BTreeMap::new();
        for entry in table.get("with").and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default() {
            let Some(Signature { name, params, .. }) = known else { continue };
            match params.iter().find(|p| &*p.name == entry.key) {
                Some(param) => {
                    let given = self.template_of(&entry, param.kind);
                    with.extend(given.map(|g| (param.name.clone(), g)));
                }
                None => no_such(
                    (&entry, entry.key),
                    "unknown-param",
                    name,
                    "parameter",
                    params.iter().map(|p| &*p.name),
                ),
            }
        }
        let mut into = vec![];
        for entry in table.get("into").and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default() {
            let target = self.variable(entry.key, entry.key_at());
            let (Some(result), Some(Signature { name, results, .. })) = (entry.text(), known) else {
                continue;
            };
            let Some((result, kind)) = results.get_key_value(result) else {
                no_such((&entry, result), "unknown-result", name, "result", results.keys().copied());
                continue;
            };
            let Some((id, own)) = target else { continue };
            if !fits(*kind, own) {
                let what = format!("`{}` is a {own}, and the result `{result}` a {kind}", entry.key);
                entry.error("type", what);
                continue;
            }
            into.push((id, *result));
        }
        let mut on = BTreeMap::new();
        for entry in table.get("on").and_then(|v| v.table()).map(|t| t.entries()).unwrap_or_default() {
            let lead = format!("step `{}`: `{}` leads to", self.name, crate::shorten(entry.key));
            let to = self.exit(&entry, &lead);
            if let Some(Signature { name, returns, .. }) = known
                && !returns.contains(entry.key)
            {
                no_such((&entry, entry.key), "unknown-return", name, "return", returns.iter().copied());
            }
            on.extend(to.map(|to| (entry.key, to)));
        }
        let signature = signature?;
        let lacking: Vec<&str> = signature.returns.iter().copied().filter(|r| !on.contains_key(r)).collect();
        if !lacking.is_empty() && !lacking.iter().all(|l| table.get("on").is_some_and(|v| has(&v, l))) {
            self.findings.error_help(
                self.site.at,
                "dead-end",
                format!(
                    "sub-flow `{}` returns {}, and {} does not say where that leads",
                    signature.name,
                    all_of(lacking.iter().copied()),
                    table.title
                ),
                format!("write `on = {{ {} = \"STEP\" }}`", lacking[0]),
            );
        }
        // Exits are those of its `return` steps, which are taken in later.
        self.site.exits.clear();
        self.calls.push(Call { step, at: value.at(), flow: signature.name, with, into, on });
        None
    }

    pub(super) fn returned(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("return")?;
        let name = value.word()?;
        let (next, taken) = match &self.returns {
            Return::Nowhere => {
                value.findings.error_help(
                    value.key_at(),
                    "not-a-subflow",
                    format!("step `{}` returns, and nothing leads into this flow", self.name),
                    "write `sub = true` in [flow], or `hangup = true` here".to_owned(),
                );
                return None;
            }
            Return::Outside => return Some(Act::Hangup),
            Return::To { on, into } => (*on.get(name)?, into.clone()),
        };
        let mut values = vec![];
        for (id, variable) in taken {
            values.push((id, Template::parse(&format!("{{{variable}}}"), &self.types).ok()?));
        }
        self.site.exits.push(next);
        Some(Act::Set(Set { role: SetRole::Return, values, next }))
    }

    /// `[result]`: names for some of the sub-flow's variables.
    pub fn results(&mut self, table: &Table<'a>) -> BTreeSet<VarId> {
        let mut handed = BTreeSet::new();
        for entry in table.entries() {
            let Some(name) = entry.text() else { continue };
            match self.types.find(name) {
                Some(variable) if !ivr::BUILT_IN.iter().any(|(built_in, ..)| *built_in == name) => {
                    handed.insert(variable.id);
                }
                _ => {
                    let own = self.types.iter().skip(ivr::BUILT_IN.len()).map(|v| &*v.name);
                    let help = did_you_mean(name, own)
                        .unwrap_or_else(|| "a result is a variable or a parameter of the sub-flow".into());
                    let what = format!("no variable is called `{}`", crate::shorten(name));
                    entry.error_help("unknown-variable", what, help);
                }
            }
        }
        handed
    }
}

fn has(table: &Value<'_>, key: &str) -> bool {
    table.is_table() && table.table().is_some_and(|t| t.has(key))
}

fn no_such<'n>(
    (entry, name): (&Value<'_>, &str),
    rule: &'static str,
    flow: &str,
    what: &str,
    known: impl Iterator<Item = &'n str>,
) {
    let known: Vec<&str> = known.collect();
    let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match known.len() {
        0 => format!("it has no {what} at all"),
        _ => format!("known: {}", all_of(known.iter().copied())),
    });
    let at = if rule == "unknown-result" { entry.at() } else { entry.key_at() };
    let what = format!("sub-flow `{flow}` has no {what} `{}`", crate::shorten(name));
    entry.findings.error_help(at, rule, what, help);
}
