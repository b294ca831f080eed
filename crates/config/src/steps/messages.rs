//! What callers leave: messages, marks, and the recording of the call.
use super::Lower;
use crate::install::unknown;
use crate::read::Table;
use ivr::{Act, Record, RecordAction, Sound, Survey, SurveyPlan, Type, Voicemail};
use std::sync::Arc;

impl<'a> Lower<'a, '_, '_> {
    pub(super) fn voicemail(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("voicemail")?;
        let known = &self.install.systems.mailboxes;
        let mailbox = value.text().and_then(|name| {
            let found = known.get_key_value(name);
            if found.is_none() {
                unknown(&value, "mailbox", name, known.keys().map(|m| &**m));
            }
            found
        });
        let sounds = match table.get("prompt") {
            Some(prompt) => self.sounds(&prompt),
            None => {
                let greeting = mailbox.and_then(|(_, m)| m.as_ref()?.greeting.clone());
                greeting.iter().map(|name| self.listed(name, value.at())).collect()
            }
        };
        let prompt = self.prompt(sounds, table);
        let (min, max) = (table.length("min"), table.length("max"));
        if let (Some(low), Some(high)) = (min, max)
            && low >= high
            && let Some(value) = table.get("min").or(table.get("max"))
        {
            value.error("bad-bounds", format!("no message of step `{}` is long and short enough", self.name));
        }
        let (silence, end) = (table.length("silence"), self.key(table, "end"));
        let next = self.next(table);
        let on_empty = self.named_exit(table, "on_empty", "name the step for when nothing was said");
        let on_full = self.named_exit(table, "on_full", "name the step for when the mailbox takes no more");
        Some(Act::Voicemail(Voicemail {
            mailbox: mailbox?.0.clone(),
            prompt,
            min: min?,
            max: max?,
            silence: silence?,
            end,
            next: next?,
            on_empty: on_empty?,
            on_full: on_full?,
        }))
    }

    /// A prompt that hotline.toml names.
    fn listed(&mut self, name: &str, at: crate::finding::At<'a>) -> Sound {
        self.site.prompts.push((ivr::Template::text(name), at));
        Sound::prompt(name)
    }

    pub(super) fn survey(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("survey")?;
        let known = &self.install.systems.surveys;
        let plan: Option<Arc<SurveyPlan>> = value.text().and_then(|name| {
            let found = known.get(name);
            if found.is_none() {
                unknown(&value, "survey", name, known.keys().map(|s| &**s));
            }
            found.cloned().flatten()
        });
        for question in plan.iter().flat_map(|p| &p.questions) {
            for sound in &question.sounds {
                match sound {
                    Sound::Prompt(name) => self.site.prompts.push((name.clone(), value.at())),
                    Sound::Say { kind, .. } => self.site.says.push((*kind, value.at())),
                    Sound::Silence(_) | Sound::Tone { .. } => {}
                }
            }
        }
        let into = table.get("into").map(|v| self.target_of(&v, Type::Number, "a score"));
        let again = table.get("again").map(|v| self.sounds(&v)).unwrap_or_default();
        let barge_in = self.prompt(vec![], table).barge_in;
        let (after, tries) = (table.length("after"), table.whole("tries"));
        let next = self.next(table);
        let low = self.named_exit(table, "low", "name the step for a low score");
        let none = self.named_exit(table, "none", "name the step for a caller who gives no answer");
        Some(Act::Survey(Survey {
            plan: plan?,
            barge_in,
            after: after?,
            tries: tries?,
            again,
            into: into.map_or(Some(None), |i| i.map(Some))?,
            next: next?,
            low: low?,
            none: none?,
        }))
    }

    pub(super) fn record(&mut self, table: &Table<'a>) -> Option<Act> {
        let value = table.get("record")?;
        let action = value.text().and_then(|text| {
            let action = match text {
                "on" => RecordAction::On,
                "off" => RecordAction::Off,
                "pause" => RecordAction::Pause,
                "resume" => RecordAction::Resume,
                _ => {
                    value.error_help(
                        "bad-record",
                        format!("`record` cannot be \"{}\"", crate::shorten(text)),
                        "write \"on\", \"off\", \"pause\" or \"resume\"".to_owned(),
                    );
                    return None;
                }
            };
            Some(action)
        });
        let next = self.next(table);
        Some(Act::Record(Record { action: action?, next: next? }))
    }
}
