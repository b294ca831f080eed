//! What callers hear.
use super::{Lower, secs};
use crate::read::{Table, Value};
use ivr::{Act, Play, Prompt, SayKind, Sound};
use std::time::Duration;

impl<'a> Lower<'a, '_> {
    pub(super) fn play(&mut self, kind: &str, table: &Table<'a>) -> Option<Act> {
        let sounds = if kind == "say" {
            let sound = self.say(table);
            sound.into_iter().collect()
        } else {
            self.sounds(&table.get("play")?)
        };
        let prompt = self.prompt(sounds, table);
        let early = table.get("early");
        if let Some(value) = early.filter(|v| v.flag() == Some(true)) {
            self.before_answer("early media", &value);
        }
        let repeat = table.get("repeat").and_then(|v| v.count(1..=100)).unwrap_or(1);
        let next = self.next(table);
        Some(Act::Play(Play {
            prompt,
            early: early.and_then(|v| v.as_flag()).unwrap_or(false),
            repeat,
            next: next?,
        }))
    }

    pub(super) fn prompt(&mut self, sounds: Vec<Sound>, table: &Table<'a>) -> Prompt {
        Prompt { sounds, barge_in: table.get("barge_in").and_then(|v| v.flag()).unwrap_or(self.barge_in) }
    }

    pub(super) fn sounds(&mut self, value: &Value<'a>) -> Vec<Sound> {
        let list = value.one_or_list();
        if list.is_empty() {
            value.error(
                "empty",
                format!("`{}` of step `{}` is empty: nothing would be heard", value.key, self.name),
            );
        }
        list.iter().filter_map(|item| self.sound(item)).collect()
    }

    pub(super) fn sound(&mut self, item: &Value<'a>) -> Option<Sound> {
        if item.is_text() {
            let prompt = self.template(item)?;
            if prompt.literal().is_some_and(str::is_empty) {
                item.error("empty", "a prompt without a name");
                return None;
            }
            self.site.prompts.push((prompt.clone(), item.at()));
            return Some(Sound::Prompt(prompt));
        }
        if !item.is_table() {
            item.wrong_type("a prompt's name, { silence = ... }, { say = ... } or { tone = ... }");
            return None;
        }
        let table = item.table()?.titled("a sound");
        let sound = if let Some(silence) = table.get("silence") {
            silence.duration(Duration::from_millis(1)..=secs(3600)).map(Sound::Silence)
        } else if table.has("say") {
            self.say(&table)
        } else if let Some(tone) = table.get("tone") {
            tone_of(&tone, &table)
        } else {
            item.error_help(
                "bad-sound",
                "this is no sound",
                "write a prompt's name, { silence = \"300ms\" }, { say = \"digits\", value = \"{x}\" } or { tone = [1004], for = \"10s\" }".to_owned(),
            );
            return None;
        };
        table.done();
        sound
    }

    pub(super) fn say(&mut self, table: &Table<'a>) -> Option<Sound> {
        let value = table.get("say")?;
        let kind = match value.text() {
            Some("digits") => Some(SayKind::Digits),
            Some("number") => Some(SayKind::Number),
            Some("telephone") => Some(SayKind::Telephone),
            Some(other) => {
                value.error_help(
                    "unknown-say",
                    format!("`say` cannot speak \"{}\"", crate::shorten(other)),
                    "write \"digits\", \"number\" or \"telephone\"".to_owned(),
                );
                None
            }
            None => None,
        };
        let what = table.need("value", "write what is said: `value = \"{customer}\"`");
        let spoken = what.and_then(|what| Some((what, self.template(&what)?)));
        let (kind, (what, spoken)) = (kind?, spoken?);
        if kind == SayKind::Number && spoken.literal().is_some_and(|t| t.parse::<i64>().is_err()) {
            what.error(
                "type",
                format!("\"{}\" is no number", crate::shorten(spoken.literal().unwrap_or(""))),
            );
        }
        self.site.says.push((kind, value.at()));
        Some(Sound::Say { kind, value: spoken })
    }
}

/// `{ tone = [1004], for = "10s", level = -16 }`; two frequencies sound together.
fn tone_of(tone: &Value<'_>, table: &Table<'_>) -> Option<Sound> {
    let list = tone.one_or_list();
    if !(1..=2).contains(&list.len()) {
        tone.error("bad-sound", "a tone has one frequency or two");
        return None;
    }
    let mut hz = [0u16; 2];
    let mut fine = true;
    for (slot, value) in hz.iter_mut().zip(&list) {
        let frequency = value.count(20..=3900);
        fine &= frequency.is_some();
        *slot = frequency.unwrap_or(0);
    }
    let length = table.need("for", "how long it sounds: `for = \"10s\"`");
    let length = length.and_then(|v| v.duration(Duration::from_millis(1)..=secs(3600)));
    let level = table.get("level").map_or(Some(-16), |v| v.count(-60..=0));
    Some(Sound::Tone { hz, length: length?, dbm0: level? }).filter(|_| fine)
}
