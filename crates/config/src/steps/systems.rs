//! Who the caller is, and what other systems are told.
use super::Lower;
use super::variables::fits;
use crate::install::unknown;
use crate::read::Table;
use ivr::{Act, Identify, Notify, Template, Type};
use std::sync::Arc;

impl<'a> Lower<'a, '_, '_> {
    pub(super) fn identify(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("identify")?;
        let known = &self.install.systems.directories;
        let directory = value.text().and_then(|name| {
            let found = known.get(name);
            if found.is_none() {
                unknown(&value, "directory", name, known.keys().map(|d| &**d));
            }
            found.cloned().flatten()
        });
        let by = match table.get("by") {
            Some(value) => self.template_of(&value, Type::Text),
            None => Template::parse("{caller}", &self.types).ok(),
        };
        let into = table.need("into", "name the variable that takes the caller's record");
        let into = into.and_then(|value| Some((value, self.target(&value)?)));
        if let (Some(directory), Some((value, (_, kind)))) = (&directory, into) {
            let wanted = Type::Record(self.records.id(&directory.name, &directory.fields));
            if !fits(kind, wanted) {
                let name = value.as_text().unwrap_or("");
                value.error_help(
                    "type",
                    format!(
                        "directory `{}` gives a record of its own, and `{name}` is another {kind}",
                        directory.name
                    ),
                    format!(
                        "declare it: [var] {name} = {{ type = \"record\", of = \"{}\" }}",
                        directory.name
                    ),
                );
            }
        }
        let found = self.named_exit(table, "found", "name the step for a caller who is in it");
        let unknown = self.named_exit(table, "unknown", "name the step for a caller who is not");
        Some(Act::Identify(Identify {
            directory: directory?,
            by: by?,
            into: into?.1.0,
            found: found?,
            unknown: unknown?,
        }))
    }

    pub(super) fn notify(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("notify")?;
        let known = &self.install.systems.services;
        let service = value.text().and_then(|name| {
            let found = known.get_key_value(name).map(|(name, _)| name.clone());
            if found.is_none() {
                unknown(&value, "service", name, known.keys().map(|s| &**s));
            }
            found
        });
        let event = table.need("event", "say what happened: `event = \"outage-reported\"`");
        let event = event.and_then(|v| v.word()).map(Arc::from);
        let fields = self.templates(table, "with");
        let next = self.next(table);
        Some(Act::Notify(Notify { service: service?, event: event?, fields, next: next? }))
    }
}
