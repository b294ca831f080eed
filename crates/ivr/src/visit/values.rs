//! The variables of one visit.

use crate::expr::TEXT_MAX;
use crate::{Flow, Start, Types, Value, VarId};
use hotline_core::Severity;
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct Values {
    /// By `VarId`: the built-in ones, then the flow's own.
    all: Vec<Value>,
    /// What must reach no record and no log: masked entries, and what was made of them.
    masked: BTreeSet<VarId>,
    types: Types,
}

impl Values {
    pub fn new(flow: &Flow) -> Values {
        let built_in = [
            Value::from(""),
            Value::from(""),
            Value::from(&*flow.language),
            Value::from(Severity::P3.as_str()),
            Value::Time(0),
            Value::Number(0),
            Value::Duration(0),
            Value::from(""),
            Value::from(""),
            Value::Digits("".into()),
        ];
        let own = flow.vars.iter().map(|v| v.default.clone());
        Values {
            all: built_in.into_iter().chain(own).collect(),
            masked: BTreeSet::new(),
            types: flow.types(),
        }
    }

    /// Takes what is known of the call; returns what is wrong with it.
    pub fn start(&mut self, flow: &Flow, start: &Start) -> Vec<String> {
        self.all[VarId::CALLER.0 as usize] = Value::from(cut(&start.caller));
        self.all[VarId::DIALLED.0 as usize] = Value::from(cut(&start.dialled));
        let mut wrong = Vec::new();
        for (name, text) in &start.vars {
            let Some(variable) = self.types.find(name).cloned() else {
                wrong.push(format!("the number presets `{name}`, which the flow does not declare"));
                continue;
            };
            match Value::parse(text, variable.kind) {
                Some(value) => wrong.extend(self.assign(flow, variable.id, value, false).err()),
                None => wrong.push(format!("the number presets `{name}` with what is no {}", variable.kind)),
            }
        }
        wrong
    }

    pub fn all(&self) -> &[Value] {
        &self.all
    }

    pub fn at(&self, id: VarId) -> &Value {
        &self.all[id.0 as usize]
    }

    pub fn language(&self) -> &str {
        match self.at(VarId::LANGUAGE) {
            Value::Text(language) => language,
            _ => "",
        }
    }

    pub fn any_masked(&self, ids: BTreeSet<VarId>) -> bool {
        !ids.is_disjoint(&self.masked)
    }

    /// For records and logs.
    pub fn shown(&self, id: VarId) -> String {
        let text = self.at(id).text();
        if self.masked.contains(&id) { "*".repeat(text.chars().count()) } else { text.to_string() }
    }

    /// The variable's name; or why it keeps its value.
    pub fn assign(&mut self, flow: &Flow, id: VarId, value: Value, masked: bool) -> Result<Arc<str>, String> {
        let Some(variable) = self.types.variable(id) else { return Err("no such variable".into()) };
        let name = variable.name.clone();
        if variable.read_only {
            return Err(format!("`{name}` cannot be set"));
        }
        // A text takes anything, written out.
        let value = match value {
            value if variable.kind != crate::Type::Text && value.kind() == variable.kind => value,
            value if variable.kind == crate::Type::Text => Value::from(cut(&value.text())),
            value => return Err(format!("`{name}` is a {}, this is a {}", variable.kind, value.kind())),
        };
        let text = value.text();
        if id == VarId::LANGUAGE && !flow.languages.is_empty() && !flow.languages.contains(&text) {
            return Err("`language` stays as it is: this one is not spoken here".into());
        }
        if id == VarId::SEVERITY && Severity::parse(&text).is_none() {
            return Err("`severity` stays as it is: this is none of P0 to P3".into());
        }
        self.all[id.0 as usize] = value;
        if masked {
            self.masked.insert(id);
        } else {
            self.masked.remove(&id);
        }
        Ok(name)
    }
}

/// At most [`TEXT_MAX`] bytes of it.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}
