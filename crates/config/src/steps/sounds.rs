//! What callers hear.
use super::Lower;
use crate::finding::{all_of, did_you_mean, one_of};
use crate::forms;
use crate::read::{Table, Value};
use ivr::say::Currency;
use ivr::{Act, Play, Prompt, SayKind, Sound, Type};

impl<'a> Lower<'a, '_, '_> {
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
        let repeat = table.whole("repeat").unwrap_or(1);
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
        let (table, sound) = if table.has("silence") {
            let table = table.form(&forms::SOUND_SILENCE);
            let sound = table.length("silence").map(Sound::Silence);
            (table, sound)
        } else if table.has("say") {
            let table = table.form(&forms::SOUND_SAY);
            let sound = self.say(&table);
            (table, sound)
        } else if table.has("tone") {
            let table = table.form(&forms::SOUND_TONE);
            let sound = tone_of(&table);
            (table, sound)
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
        let currency = table.get("currency").map(|v| (v, self.currency(&v)));
        let kind = value.text().and_then(|name| {
            let needs_currency = name == "money" && currency.is_none();
            let known = currency.and_then(|(_, c)| c).or(Some(Currency::Cny));
            let kind = SayKind::parse(name, known);
            if needs_currency {
                value.error_help(
                    "missing-key",
                    format!("{} says money and has no `currency`", table.title),
                    format!("write `currency = \"CNY\"`, or one of {}", one_of(CURRENCIES)),
                );
            } else if kind.is_none() {
                value.error_help(
                    "unknown-say",
                    format!("`say` cannot speak \"{}\"", crate::shorten(name)),
                    did_you_mean(name, SayKind::NAMES)
                        .unwrap_or_else(|| format!("it speaks {}", all_of(SayKind::NAMES))),
                );
            }
            kind
        });
        if let (Some((given, _)), Some(kind)) = (currency, kind)
            && !matches!(kind, SayKind::Money(_))
        {
            given.findings.error_help(
                given.key_at(),
                "unused-key",
                format!("only money has a `currency`, and this says {kind}"),
                "remove it".to_owned(),
            );
        }
        let what = table.need("value", "write what is said: `value = \"{customer}\"`");
        let spoken = what.and_then(|what| Some((what, self.template(&what)?)));
        if matches!(currency, Some((_, None))) {
            // What it would take to say another currency is noise.
            return None;
        }
        let (kind, (what, spoken)) = (kind?, spoken?);
        if !can_say(kind, spoken.kind()) {
            what.error_help(
                "type",
                format!("a {} cannot be said as {kind}", spoken.kind()),
                wanted_by(kind).to_owned(),
            );
        } else if let Some(literal) = spoken.literal()
            && ivr::say::reading(kind, literal, "en").is_none()
        {
            what.error_help(
                "type",
                format!("\"{}\" cannot be said as {kind}", crate::shorten(literal)),
                wanted_by(kind).to_owned(),
            );
        }
        self.site.says.push((kind, value.at()));
        Some(Sound::Say { kind, value: spoken })
    }

    fn currency(&self, value: &Value<'a>) -> Option<Currency> {
        let name = value.text()?;
        let found = name.parse().ok();
        if found.is_none() {
            value.error_help(
                "unknown-currency",
                format!("no currency is called \"{}\"", crate::shorten(name)),
                format!("known: {}", all_of(CURRENCIES)),
            );
        }
        found
    }
}

const CURRENCIES: [&str; 5] = ["CNY", "HKD", "USD", "EUR", "GBP"];

fn can_say(kind: SayKind, value: Type) -> bool {
    match (kind, value) {
        (_, Type::Text | Type::Digits) => true,
        (SayKind::Date | SayKind::Time, Type::Time) => true,
        (SayKind::Duration | SayKind::Wait, Type::Duration) => true,
        (SayKind::Date | SayKind::Time, _) => false,
        (_, Type::Number) => true,
        (_, Type::Bool | Type::Time | Type::Duration | Type::List(_) | Type::Record(_)) => false,
    }
}

fn wanted_by(kind: SayKind) -> &'static str {
    match kind {
        SayKind::Digits | SayKind::Telephone => "it takes telephone keys, as \"105\"",
        SayKind::Number | SayKind::Position => "it takes a whole number",
        SayKind::Money(_) => "it takes an amount, as 250 or \"2.50\"",
        SayKind::Date => "it takes a time, as {now}, or a date as \"2026-11-23\"",
        SayKind::Time => "it takes a time, as {now}, or a time of day as \"14:05\"",
        SayKind::Duration | SayKind::Wait => "it takes a duration, as {wait}, or seconds",
    }
}

/// `{ tone = [1004], for = "10s", level = -16 }`; two frequencies sound together.
fn tone_of(table: &Table<'_>) -> Option<Sound> {
    let tone = table.get("tone")?;
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
    table.need("for", "how long it sounds: `for = \"10s\"`");
    let length = table.length("for");
    let dbm0 = table.whole("level");
    Some(Sound::Tone { hz, length: length?, dbm0: dbm0? }).filter(|_| fine)
}
