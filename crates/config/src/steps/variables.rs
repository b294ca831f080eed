//! Variables, expressions and texts with expressions in them.
use super::Lower;
use crate::declare::{constant, form_of, written};
use crate::finding::{At, did_you_mean};
use crate::read::{Table, Value};
use ivr::{Act, Expr, ExprError, Set, Template, Type, VarId};
use std::collections::BTreeSet;
use std::sync::Arc;

impl<'a> Lower<'a, '_, '_> {
    /// The variable a step sets, with its type.
    pub(super) fn target(&mut self, value: &Value<'a>) -> Option<(VarId, Type)> {
        let name = value.text()?;
        self.variable(name, value.at())
    }

    pub(super) fn variable(&mut self, name: &str, at: At<'a>) -> Option<(VarId, Type)> {
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
    pub(super) fn stored(&self, value: &Value<'a>, kind: Type) -> Option<ivr::Value> {
        let stored = written(value, kind, &self.zone);
        if stored.is_none() {
            value.wrong_type(form_of(kind));
        }
        stored
    }

    pub(super) fn severity_text(&self, text: &str, at: At<'a>) {
        if hotline_core::Severity::parse(text).is_none() {
            self.findings.error_help(
                at,
                "unknown-severity",
                format!("no severity is called `{}`", crate::shorten(text)),
                "severities are P0, P1, P2 and P3".to_owned(),
            );
        }
    }

    pub(super) fn expression<T>(&self, value: &Value<'a>, read: Result<T, ExprError>) -> Option<T> {
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

    pub(super) fn template(&mut self, value: &Value<'a>) -> Option<Template> {
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

    /// A template whose value fits a type; what is written out is taken for that type.
    pub(super) fn template_of(&mut self, value: &Value<'a>, kind: Type) -> Option<Template> {
        if !value.as_text().is_some_and(|t| t.contains('{'))
            && let Some(constant) = written(value, kind, &self.zone)
        {
            return Some(Template::value(constant));
        }
        let template = if value.is_list() {
            value.wrong_type(form_of(kind));
            return None;
        } else {
            self.template(value)?
        };
        if !fits(template.kind(), kind) {
            value.error("type", format!("`{}` is a {kind}, and this is a {}", value.key, template.kind()));
            return None;
        }
        Some(template)
    }

    /// An expression that is true or false.
    pub(super) fn condition(&mut self, value: &Value<'a>) -> Option<Expr> {
        let expr = self.expression(value, Expr::condition(value.text()?, &self.types))?;
        self.note_reads(expr.reads(), value.at());
        Some(expr)
    }

    /// One that may look at the keys of a `collect`.
    pub(super) fn entry_condition(&mut self, value: &Value<'a>) -> Option<Expr> {
        let expr = self.expression(value, Expr::condition(value.text()?, &self.types))?;
        let reads = expr.reads();
        if !reads.contains(&VarId::ENTRY) {
            value.warning(
                "check-without-entry",
                format!("the check of step `{}` does not look at `entry`", self.name),
                "the keys are `entry`, as in `luhn(entry)`; for anything else use `branch`".to_owned(),
            );
        }
        self.site.reads.extend(reads.into_iter().map(|id| (id, value.at())));
        Some(expr)
    }

    /// Names with texts, as other systems are told.
    pub(super) fn templates(&mut self, table: &Table<'a>, key: &'static str) -> Vec<(Arc<str>, Template)> {
        let Some(given) = table.get(key).and_then(|v| v.table()) else { return vec![] };
        let mut templates = vec![];
        for entry in given.entries() {
            let Some(template) = self.template(&entry) else { continue };
            if matches!(template.kind(), Type::Record(_)) {
                entry.error_help(
                    "type",
                    format!("`{}` is a whole record", entry.key),
                    "tell its fields one by one".to_owned(),
                );
                continue;
            }
            templates.push((entry.key.into(), template));
        }
        templates
    }

    /// A variable of one type, by the name under a key.
    pub(super) fn target_of(&mut self, value: &Value<'a>, wanted: Type, what: &str) -> Option<VarId> {
        let (id, kind) = self.target(value)?;
        if kind != wanted {
            let name = value.as_text().unwrap_or("");
            value.error_help(
                "type",
                format!("{what} is a {wanted}, and `{name}` is a {kind}"),
                format!("declare it in [var] as {}", form_of(wanted)),
            );
            return None;
        }
        Some(id)
    }

    pub(super) fn note_reads(&mut self, reads: BTreeSet<VarId>, at: At<'a>) {
        if reads.contains(&VarId::ENTRY) {
            self.findings.error_help(
                at,
                "entry-outside-check",
                "`entry` holds keys only while the `check` of a collect step looks at them",
                "use the variable that takes them".to_owned(),
            );
        }
        self.site.reads.extend(reads.into_iter().map(|id| (id, at)));
    }

    pub(super) fn set(&mut self, table: &Table<'a>) -> Option<Act> {
        let sets = table.get("set").and_then(|v| v.table());
        let mut values = vec![];
        let entries = sets.as_ref().map(Table::entries).unwrap_or_default();
        if let Some(sets) = &sets
            && entries.is_empty()
        {
            self.findings.error(sets.at(), "empty", format!("step `{}` sets nothing", self.name));
        }
        for entry in &entries {
            let Some((id, kind)) = self.variable(entry.key, entry.key_at()) else { continue };
            let Some(template) = self.template_of(entry, kind) else { continue };
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
}

/// Whether a value of a type may stand where another is wanted: digits are texts too.
pub(super) fn fits(kind: Type, wanted: Type) -> bool {
    kind == wanted || (kind == Type::Digits && wanted == Type::Text)
}
