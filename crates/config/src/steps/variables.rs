//! Variables, expressions and texts with expressions in them.
use super::Lower;
use crate::finding::{At, did_you_mean};
use crate::flow::constant;
use crate::read::{Table, Value};
use ivr::{Act, ExprError, Set, Template, Type, VarId};
use std::collections::BTreeSet;

impl<'a> Lower<'a, '_> {
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

    pub(super) fn note_reads(&mut self, reads: BTreeSet<VarId>, at: At<'a>) {
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
}
