//! The variables of one visit.

use crate::expr::{LIST_MAX, TEXT_MAX};
use crate::facts::Facts;
use crate::{Flow, Start, Type, Value, VarId};
use hotline_core::Severity;
use std::sync::Arc;

pub struct Values {
    /// By `VarId`: the built-in ones, then the flow's own.
    all: Vec<Value>,
    /// What must reach no record and no log: masked variables and entries, and what was made of them.
    masked: Vec<bool>,
}

impl Values {
    pub fn new(flow: &Flow) -> Values {
        let facts = Facts::of(flow);
        Values { all: facts.start.to_vec(), masked: facts.masked.to_vec() }
    }

    /// Takes what is known of the call; returns what is wrong with it.
    pub fn start(&mut self, flow: &Flow, start: &Start) -> Vec<String> {
        self.know(VarId::CALLER, Value::from(cut(&start.caller)));
        self.know(VarId::DIALLED, Value::from(cut(&start.dialled)));
        self.know(VarId::CALL, Value::from(cut(&start.call)));
        let mut wrong = Vec::new();
        for (name, text) in &start.vars {
            let Some(variable) = Facts::of(flow).types.find(name) else {
                wrong.push(format!("the number presets `{name}`, which the flow does not declare"));
                continue;
            };
            match Value::parse_in(text, variable.kind, Some(&flow.zone)) {
                Some(value) => wrong.extend(self.assign(flow, variable.id, value, false).err()),
                None => wrong.push(format!("the number presets `{name}` with what is no {}", variable.kind)),
            }
        }
        wrong
    }

    /// A built-in variable, which flows only read.
    pub fn know(&mut self, id: VarId, value: Value) {
        self.all[id.0 as usize] = value;
    }

    pub fn all(&self) -> &[Value] {
        &self.all
    }

    pub fn at(&self, id: VarId) -> &Value {
        &self.all[id.0 as usize]
    }

    pub fn is_masked(&self, id: VarId) -> bool {
        self.masked.get(id.0 as usize).is_some_and(|m| *m)
    }

    pub fn any_masked<'i>(&self, ids: impl IntoIterator<Item = &'i VarId>) -> bool {
        ids.into_iter().any(|id| self.is_masked(*id))
    }

    /// For records and logs.
    pub fn shown(&self, id: VarId) -> String {
        let text = self.at(id).text();
        if self.is_masked(id) { "*".repeat(text.chars().count()) } else { text.to_string() }
    }

    /// The variable's name; or why it keeps its value.
    pub fn assign(&mut self, flow: &Flow, id: VarId, value: Value, masked: bool) -> Result<Arc<str>, String> {
        let Some(variable) = Facts::of(flow).types.variable(id) else {
            return Err("no such variable".into());
        };
        let name = &variable.name;
        if variable.read_only {
            return Err(format!("`{name}` cannot be set"));
        }
        let value = match fit(value, variable.kind) {
            Ok(value) => value,
            Err(kind) => return Err(format!("`{name}` is a {}, this is a {kind}", variable.kind)),
        };
        if let (VarId::LANGUAGE, Value::Text(language)) = (id, &value)
            && !flow.languages.is_empty()
            && !flow.languages.contains(language)
        {
            return Err("`language` stays as it is: this one is not spoken here".into());
        }
        if let (VarId::SEVERITY, Value::Text(severity)) = (id, &value)
            && Severity::parse(severity).is_none()
        {
            return Err("`severity` stays as it is: this is none of P0 to P3".into());
        }
        self.all[id.0 as usize] = value;
        self.masked[id.0 as usize] = masked || flow.var(id).is_some_and(|v| v.mask);
        Ok(name.clone())
    }
}

/// The value as one of a type, within its limits; or the type that it is.
fn fit(value: Value, kind: Type) -> Result<Value, Type> {
    match (value, kind) {
        // A text takes anything, written out.
        (Value::Text(text), Type::Text) if text.len() <= TEXT_MAX => Ok(Value::Text(text)),
        (value, Type::Text) => Ok(Value::from(cut(&value.text()))),
        (Value::Text(keys), Type::Digits) if keys.chars().all(|c| crate::KEYS.contains(c)) => {
            Ok(Value::Digits(cut(&keys).into()))
        }
        (Value::Digits(keys), Type::Digits) if keys.len() <= TEXT_MAX => Ok(Value::Digits(keys)),
        (Value::Digits(keys), Type::Digits) => Ok(Value::Digits(cut(&keys).into())),
        (Value::List(items), _) if items.len() > LIST_MAX => Err(Value::List(items).kind()),
        (value, kind) => {
            let found = value.kind();
            value.into_kind(kind).ok_or(found)
        }
    }
}

/// At most [`TEXT_MAX`] bytes of it.
pub fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}
