//! Steps that ask for keys: menu, collect and consent.
//!
//! The wait for the first key begins at the end of the prompt, the wait for the next one at the last key.
//! A key during the prompt stops it and counts (barge-in), or is dropped where that is not wanted.

use super::{DIGITS_MAX, Exit, NEXT, State, Then, Visit, WAIT_MIN};
use crate::flow::{Act, Collect, Consent, Menu, Prompt, Retry, Sound};
use crate::{Output, Value, VarId};
use hotline_core::{Outbox, PlayId, Time};
use std::fmt;
use std::time::Duration;

/// A question put to the caller.
pub struct Asking {
    /// The prompt, while it plays.
    pub playing: Option<PlayId>,
    /// When silence is an answer too; None while the prompt plays.
    pub until: Option<Time>,
    /// Keys of a collect step so far.
    entry: String,
    /// How often nothing came, and how often what came did not fit.
    silent: u32,
    invalid: u32,
}

/// What these steps have in common.
struct Question<'a> {
    prompt: &'a Prompt,
    first: Duration,
    no_input: &'a Retry,
    invalid: &'a Retry,
}

impl Asking {
    pub fn waits_for(&self) -> &'static str {
        if self.entry.is_empty() { "first digit" } else { "next digit" }
    }
}

impl Visit {
    /// Begins to ask: with the keys typed ahead, or with the prompt.
    pub(super) fn ask(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let Some(question) = question(&flow.step(self.step).act) else { return Then::Wait };
        self.state =
            State::Asking(Asking { playing: None, until: None, entry: String::new(), silent: 0, invalid: 0 });
        let consent = matches!(&flow.step(self.step).act, Act::Consent(_));
        // Nobody agrees to what he has not been asked.
        if consent || !question.prompt.barge_in && !question.prompt.sounds.is_empty() {
            self.ahead.clear();
        }
        if self.ahead.is_empty() {
            self.prompt(now, &[], &question, out);
            return Then::Wait;
        }
        while let Some(key) = self.ahead.pop_front() {
            match self.asked_key(now, key, out) {
                Then::Wait => {}
                then => return then,
            }
        }
        Then::Wait
    }

    /// The prompt has been heard.
    pub(super) fn prompted(&mut self, now: Time) {
        let flow = self.flow.clone();
        let (State::Asking(asking), Some(question)) = (&mut self.state, question(&flow.step(self.step).act))
        else {
            return;
        };
        asking.playing = None;
        asking.until = Some(now + question.first.max(WAIT_MIN));
    }

    pub(super) fn asked_key(&mut self, now: Time, key: char, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let act = &flow.step(self.step).act;
        let (State::Asking(asking), Some(question)) = (&mut self.state, question(act)) else {
            return Then::Wait;
        };
        if asking.playing.is_some() {
            if !question.prompt.barge_in {
                return Then::Wait;
            }
            asking.playing = None;
            out.push(Output::Stop);
        }
        match act {
            Act::Menu(menu) => self.choose(now, menu, key, out),
            Act::Collect(collect) => self.collect(now, collect, key, out),
            Act::Consent(consent) => self.consent(now, consent, key, out),
            _ => Then::Wait,
        }
    }

    /// No key came in time: that ends an entry, or is no input at all.
    pub(super) fn silence(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let act = &flow.step(self.step).act;
        let (State::Asking(asking), Some(question)) = (&mut self.state, question(act)) else {
            return Then::Wait;
        };
        if let (false, Act::Collect(collect)) = (asking.entry.is_empty(), act) {
            return self.finish(now, collect, out);
        }
        asking.silent += 1;
        if asking.silent >= question.no_input.tries {
            self.no_consent(act, out);
            return Then::Leave(Exit::Named("no-input"));
        }
        self.prompt(now, &question.no_input.prompt, &question, out);
        Then::Wait
    }

    fn choose(&mut self, now: Time, menu: &Menu, key: char, out: &mut Outbox<Output>) -> Then {
        let Some((place, chosen)) = menu.keys.iter().enumerate().find(|(_, k)| k.key == key) else {
            return self.anytime(key).unwrap_or_else(|| self.does_not_fit(now, out));
        };
        if let Some(into) = menu.into {
            self.assign(into, chosen.value.clone(), false, out);
        }
        Then::Leave(Exit::At(place))
    }

    fn consent(&mut self, now: Time, consent: &Consent, key: char, out: &mut Outbox<Output>) -> Then {
        let granted = key == consent.yes;
        if !granted && key != consent.no {
            return self.anytime(key).unwrap_or_else(|| self.does_not_fit(now, out));
        }
        out.push(Output::Consent { what: consent.what.clone(), granted });
        Then::Leave(Exit::Named(if granted { "granted" } else { "refused" }))
    }

    /// No answer is no consent, and that is evidence too.
    fn no_consent(&self, act: &Act, out: &mut Outbox<Output>) {
        if let Act::Consent(consent) = act {
            out.push(Output::Consent { what: consent.what.clone(), granted: false });
        }
    }

    fn collect(&mut self, now: Time, collect: &Collect, key: char, out: &mut Outbox<Output>) -> Then {
        let State::Asking(asking) = &mut self.state else { return Then::Wait };
        if collect.end == Some(key) {
            return self.finish(now, collect, out);
        }
        asking.entry.push(key);
        if asking.entry.len() < collect.max.clamp(1, DIGITS_MAX) {
            asking.until = Some(now + collect.between.max(WAIT_MIN));
            return Then::Wait;
        }
        if let Some(end) = collect.end {
            self.expect_late_end(end, now + collect.between);
        }
        self.finish(now, collect, out)
    }

    /// A caller who does not know that the entry is full presses the end key as told. It must not answer
    /// the next question.
    fn expect_late_end(&mut self, end: char, until: Time) {
        match self.ahead.front() {
            Some(key) if *key == end => {
                self.ahead.pop_front();
            }
            Some(_) => {}
            None => self.late_end = Some((end, until)),
        }
    }

    fn finish(&mut self, now: Time, collect: &Collect, out: &mut Outbox<Output>) -> Then {
        let State::Asking(asking) = &mut self.state else { return Then::Wait };
        let entry = std::mem::take(&mut asking.entry);
        let fits = match &collect.matches {
            Some(pattern) => pattern.matches(&entry),
            None => entry.bytes().all(|b| b.is_ascii_digit()),
        };
        let kind = self.values.at(collect.into).kind();
        match Value::parse(&entry, kind) {
            Some(value) if fits && entry.len() >= collect.min && self.passes(collect, &entry) => {
                self.assign(collect.into, value, collect.mask, out);
                NEXT
            }
            _ => self.does_not_fit(now, out),
        }
    }

    /// What the step's `check` says of an entry.
    fn passes(&mut self, collect: &Collect, entry: &str) -> bool {
        let Some(check) = &collect.check else { return true };
        self.values.know(VarId::ENTRY, Value::Digits(entry.into()));
        let passes = check.holds(self.values.all());
        self.values.know(VarId::ENTRY, Value::Digits("".into()));
        passes
    }

    fn does_not_fit(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let act = &flow.step(self.step).act;
        let (State::Asking(asking), Some(question)) = (&mut self.state, question(act)) else {
            return Then::Wait;
        };
        self.ahead.clear();
        asking.invalid += 1;
        if asking.invalid >= question.invalid.tries {
            self.no_consent(act, out);
            return Then::Leave(Exit::Named("invalid"));
        }
        self.prompt(now, &question.invalid.prompt, &question, out);
        Then::Wait
    }

    /// Plays what is said before, and the prompt; the wait begins when it has been heard.
    fn prompt(&mut self, now: Time, before: &[Sound], question: &Question<'_>, out: &mut Outbox<Output>) {
        let playing = self.play(before.iter().chain(&question.prompt.sounds), out);
        let State::Asking(asking) = &mut self.state else { return };
        asking.playing = playing;
        asking.until = if playing.is_some() { None } else { Some(now + question.first.max(WAIT_MIN)) };
    }
}

fn question(act: &Act) -> Option<Question<'_>> {
    match act {
        Act::Menu(Menu { prompt, after, no_input, invalid, .. }) => {
            Some(Question { prompt, first: *after, no_input, invalid })
        }
        Act::Collect(Collect { prompt, first, no_input, invalid, .. }) => {
            Some(Question { prompt, first: *first, no_input, invalid })
        }
        Act::Consent(Consent { prompt, after, no_input, invalid, .. }) => {
            Some(Question { prompt, first: *after, no_input, invalid })
        }
        _ => None,
    }
}

impl fmt::Debug for Asking {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("playing", &self.playing)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
