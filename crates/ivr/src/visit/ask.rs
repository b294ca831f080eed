//! Steps that ask for keys: menu and collect.
//!
//! The wait for the first key begins at the end of the prompt, the wait for the next one at the last key.
//! A key during the prompt stops it and counts (barge-in), or is dropped where that is not wanted.

use super::{DIGITS_MAX, State, Then, Visit, WAIT_MIN};
use crate::flow::{Act, Collect, Menu, Prompt, Retry, Sound};
use crate::{Output, Value};
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

/// What a menu and a collect step have in common.
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
        if !question.prompt.barge_in && !question.prompt.sounds.is_empty() {
            self.ahead.clear();
        }
        if self.ahead.is_empty() {
            self.prompt(now, &[], &question, out);
            return Then::Wait;
        }
        while let Some(key) = self.ahead.pop_front() {
            if let Then::Go(to) = self.asked_key(now, key, out) {
                return Then::Go(to);
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
            return Then::Go(question.no_input.then);
        }
        self.prompt(now, &question.no_input.prompt, &question, out);
        Then::Wait
    }

    fn choose(&mut self, now: Time, menu: &Menu, key: char, out: &mut Outbox<Output>) -> Then {
        let Some(chosen) = menu.keys.iter().find(|k| k.key == key) else {
            return self.does_not_fit(now, out);
        };
        if let Some(into) = menu.into {
            self.assign(into, chosen.value.clone(), false, out);
        }
        Then::Go(chosen.to)
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
            Some(value) if fits && entry.len() >= collect.min => {
                self.assign(collect.into, value, collect.mask, out);
                Then::Go(collect.next)
            }
            _ => self.does_not_fit(now, out),
        }
    }

    fn does_not_fit(&mut self, now: Time, out: &mut Outbox<Output>) -> Then {
        let flow = self.flow.clone();
        let (State::Asking(asking), Some(question)) = (&mut self.state, question(&flow.step(self.step).act))
        else {
            return Then::Wait;
        };
        self.ahead.clear();
        asking.invalid += 1;
        if asking.invalid >= question.invalid.tries {
            return Then::Go(question.invalid.then);
        }
        self.prompt(now, &question.invalid.prompt, &question, out);
        Then::Wait
    }

    /// Plays what is said before, and the prompt; the wait begins when it has been heard.
    fn prompt(&mut self, now: Time, before: &[Sound], question: &Question<'_>, out: &mut Outbox<Output>) {
        let playing = self.play(&[before, &question.prompt.sounds].concat(), out);
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
