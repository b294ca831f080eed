//! Steps that know at once: set, language, identify.

use super::{Exit, NEXT, Then, Visit};
use crate::flow::{Identify, Language, Set};
use crate::{Output, Value, VarId, plain_number};
use hotline_core::Outbox;
use std::sync::Arc;

impl Visit {
    pub(super) fn set(&mut self, set: &Set, out: &mut Outbox<Output>) -> Then {
        for (i, (id, value)) in set.values.iter().enumerate() {
            let masked = self.facts().reads.get(i).is_some_and(|reads| self.values.any_masked(reads));
            let value = value.eval(self.values.all());
            self.assign(*id, value, masked, out);
        }
        NEXT
    }

    pub(super) fn speak(&mut self, step: &Language, out: &mut Outbox<Output>) -> Then {
        let language = step.language.fill(self.values.all());
        if !self.flow.languages.is_empty() && !self.flow.languages.contains(&language) {
            return Then::Leave(Exit::Named("unknown"));
        }
        let masked = self.values.any_masked(&step.language.reads());
        self.assign(VarId::LANGUAGE, Value::Text(language), masked, out);
        NEXT
    }

    pub(super) fn identify(&mut self, step: &Identify, out: &mut Outbox<Output>) -> Then {
        let key = step.by.fill(self.values.all());
        let directory = &step.directory;
        let row = directory.rows.get(&*key).or_else(|| {
            let number = plain_number(&key, &directory.country);
            directory.rows.get(&*number).filter(|_| !number.is_empty())
        });
        let Some(crate::Type::Record(record)) = self.flow.kind_of(step.into) else {
            self.fault(out, "what the directory knows goes into a record");
            return Then::Leave(Exit::Named("unknown"));
        };
        let Some(row) = row.filter(|_| !key.is_empty()) else { return Then::Leave(Exit::Named("unknown")) };
        let masked = self.values.any_masked(&step.by.reads());
        self.assign(step.into, Value::Record(record, row.clone()), masked, out);
        Then::Leave(Exit::Named("found"))
    }

    /// Sets a variable and tells it.
    pub(super) fn assign(&mut self, id: VarId, value: Value, masked: bool, out: &mut Outbox<Output>) {
        match self.values.assign(&self.flow, id, value, masked) {
            Ok(name) => {
                let masked = self.values.is_masked(id);
                out.push(Output::Set { name, value: self.values.shown(id), masked });
            }
            Err(what) => self.trouble(out, what),
        }
    }

    /// Values that are given by name, as a bot gives them: those that fit.
    pub(super) fn take_named(
        &mut self,
        found: &[(Arc<str>, String)],
        into: &[(Arc<str>, VarId)],
        out: &mut Outbox<Output>,
    ) {
        for (name, id) in into {
            let Some((_, text)) = found.iter().find(|(n, _)| n == name) else { continue };
            let text = super::values::cut(text);
            let zone = Some(&self.flow.zone);
            match self.flow.kind_of(*id).and_then(|kind| Value::parse_in(text, kind, zone)) {
                Some(value) => self.assign(*id, value, false, out),
                None => self.trouble(out, format!("`{name}` is not of the type of its variable")),
            }
        }
    }
}
