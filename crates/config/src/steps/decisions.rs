//! Where the way divides.
use super::Lower;
use crate::forms;
use crate::install::unknown;
use crate::read::Table;
use ivr::{Act, Announce, Branch, Hours, Language, Prompt, Sound, Template};
use std::sync::Arc;

impl<'a> Lower<'a, '_, '_> {
    pub(super) fn branch(&mut self, table: &Table<'a>) -> Option<Act> {
        let list = table.get("branch").and_then(|v| v.list()).unwrap_or_default();
        let mut arms = vec![];
        for item in &list {
            let Some(arm) = item.table() else { continue };
            let arm = arm.titled(format!("an arm of step `{}`", self.name)).form(&forms::ARM);
            let when = arm.need("when", "write the condition: `when = \"tries > 2\"`");
            let when = when.and_then(|value| self.condition(&value));
            let to = arm.need("to", "name the step that follows");
            let to = to.and_then(|value| self.exit(&value, &format!("branch `{}` leads to", self.name)));
            arm.done();
            arms.extend(when.zip(to));
        }
        if let Some(value) = table.get("branch").filter(|_| list.is_empty())
            && value.is_list()
        {
            value.error("empty", format!("branch `{}` has no arms", self.name));
        }
        let otherwise = self.named_exit(table, "otherwise", "name the step for when no arm holds");
        Some(Act::Branch(Branch { arms, otherwise: otherwise? }))
    }

    pub(super) fn hours(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("hours")?;
        let schedule = value.text().and_then(|name| {
            let found = self.install.hours.get(name).cloned();
            if found.is_none() {
                crate::install::unknown(&value, "hours", name, self.install.hours.keys().map(|h| &**h));
            }
            found.flatten()
        });
        let open = self.named_exit(table, "open", "name the step for when it is open");
        let closed = self.named_exit(table, "closed", "name the step for when it is closed");
        Some(Act::Hours(Hours { schedule: schedule?, open: open?, closed: closed? }))
    }

    /// The installation's announcements, with their prompts.
    pub(super) fn announce(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("announce")?;
        let known = &self.install.systems.announcements;
        let barge_in = self.prompt(vec![], table).barge_in;
        let mut of: Vec<(Arc<str>, Prompt)> = vec![];
        let mut add = |name: &Arc<str>, prompt: &Arc<str>, at| {
            self.site.prompts.push((Template::text(prompt), at));
            of.push((name.clone(), Prompt { sounds: vec![Sound::prompt(prompt)], barge_in }));
        };
        if value.as_text() == Some("all") {
            for (name, announcement) in known {
                if let Some(announcement) = announcement {
                    add(name, &announcement.prompt, value.at());
                }
            }
            if known.is_empty() {
                value.warning(
                    "no-announcements",
                    format!("step `{}` says all announcements, and there are none", self.name),
                    "add [announcement.NAME] with its `prompt` to hotline.toml".to_owned(),
                );
            }
        } else {
            let list = value.one_or_list();
            if list.is_empty() {
                value.error("empty", format!("step `{}` announces nothing", self.name));
            }
            for item in &list {
                let Some(name) = item.text() else { continue };
                match known.get_key_value(name) {
                    Some((name, Some(announcement))) => add(name, &announcement.prompt, item.at()),
                    Some((_, None)) => {}
                    None => unknown(item, "announcement", name, known.keys().map(|a| &**a)),
                }
            }
        }
        let next = self.named_exit(table, "next", "name the step after those that are on");
        let none = self.named_exit(table, "none", "name the step for when none is on");
        Some(Act::Announce(Announce { of, next: next?, none: none? }))
    }

    pub(super) fn language(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("language")?;
        let language = value.word().and_then(|_| self.template(&value));
        let literal = language.as_ref().is_some_and(|l| l.literal().is_some());
        if literal && let Some(language) = &language {
            self.site.languages.push((language.clone(), value.at()));
        }
        let next = self.next(table);
        let unknown = if literal && !table.has("unknown") {
            next
        } else {
            self.named_exit(table, "unknown", "name the step for a language that nobody speaks here")
        };
        Some(Act::Language(Language { language: language?, next: next?, unknown: unknown? }))
    }
}
