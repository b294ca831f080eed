//! Steps that ask the engine, or let others speak: announce, callback, bot.

use super::{ANSWER_MAX, Asked, Exit, NEXT, State, Then, Visit};
use crate::flow::{Act, Announce, Bot, Callback};
use crate::{BotEnd, CallbackEnd, Output, Ticket};
use hotline_core::{Outbox, Time};
use std::sync::Arc;

impl Visit {
    pub(super) fn announce(&mut self, now: Time, announce: &Announce, out: &mut Outbox<Output>) -> Then {
        if announce.of.is_empty() {
            return Then::Leave(Exit::Named("none"));
        }
        let ticket = self.ticket();
        let of = announce.of.iter().map(|(name, _)| name.clone()).collect();
        out.push(Output::Announcements { ticket, of });
        self.await_answer(now, Asked::Announcements(ticket), ANSWER_MAX)
    }

    /// Says those that are on, in the order of the step. A key skips them only where it may skip each.
    pub(super) fn announced(
        &mut self,
        now: Time,
        ticket: Ticket,
        active: &[Arc<str>],
        out: &mut Outbox<Output>,
    ) {
        let flow = self.flow.clone();
        let Act::Announce(announce) = &flow.step(self.step).act else { return };
        if !matches!(self.state, State::Answering { asked: Asked::Announcements(t), .. } if t == ticket) {
            return;
        }
        let on = || announce.of.iter().filter(|(name, _)| active.contains(name)).map(|(_, prompt)| prompt);
        let barge_in = on().all(|prompt| prompt.barge_in);
        let then = if on().next().is_none() {
            Then::Leave(Exit::Named("none"))
        } else {
            // Nobody skips by a key typed ahead what he cannot know of.
            self.ahead.clear();
            match self.play(on().flat_map(|prompt| &prompt.sounds), out) {
                Some(play) => {
                    self.state = State::Playing { play, left: 0, barge_in };
                    Then::Wait
                }
                None => NEXT,
            }
        };
        self.follow(now, then, out);
    }

    pub(super) fn callback(&mut self, now: Time, callback: &Callback, out: &mut Outbox<Output>) -> Then {
        let number = callback.number.fill(self.values.all());
        if !number.bytes().any(|b| b.is_ascii_digit()) {
            return Then::Leave(Exit::Named("invalid"));
        }
        let Some((require, severity)) = self.demands(callback.require.as_ref(), &callback.severity, out)
        else {
            return Then::Leave(Exit::Named("full"));
        };
        let (queue, number) = (callback.queue.clone(), number.to_string());
        out.push(Output::Callback { queue, number, require, severity });
        self.await_answer(now, Asked::Callback, ANSWER_MAX)
    }

    pub(super) fn callback_ended(&mut self, now: Time, end: CallbackEnd, out: &mut Outbox<Output>) {
        if !matches!(self.state, State::Answering { asked: Asked::Callback, .. }) {
            return;
        }
        let then = match end {
            CallbackEnd::Taken => NEXT,
            CallbackEnd::Full => Then::Leave(Exit::Named("full")),
            CallbackEnd::Invalid => Then::Leave(Exit::Named("invalid")),
        };
        self.follow(now, then, out);
    }

    pub(super) fn bot(&mut self, now: Time, bot: &Bot, out: &mut Outbox<Output>) -> Then {
        self.ahead.clear();
        let filled = |(name, value): &(Arc<str>, crate::Template)| {
            (name.clone(), value.fill(self.values.all()).to_string())
        };
        let context = bot.context.iter().map(filled).collect();
        out.push(Output::Bot { bot: bot.bot.clone(), context, timeout: bot.timeout });
        self.await_answer(now, Asked::Bot, bot.timeout + ANSWER_MAX)
    }

    pub(super) fn bot_ended(&mut self, now: Time, end: BotEnd, out: &mut Outbox<Output>) {
        let flow = self.flow.clone();
        let (State::Answering { asked: Asked::Bot, .. }, Act::Bot(bot)) =
            (&self.state, &flow.step(self.step).act)
        else {
            return;
        };
        let then = match end {
            BotEnd::Finished(found) => {
                self.take_named(&found, &bot.into, out);
                NEXT
            }
            BotEnd::HandOver(found) => {
                self.take_named(&found, &bot.into, out);
                Then::Leave(Exit::Named("hand-over"))
            }
            BotEnd::Failed => {
                self.trouble(out, "the bot failed");
                Then::Leave(Exit::Named("error"))
            }
        };
        self.follow(now, then, out);
    }

    pub(super) fn await_answer(&mut self, now: Time, asked: Asked, longest: std::time::Duration) -> Then {
        self.state = State::Answering { asked, until: now + longest };
        Then::Wait
    }
}
