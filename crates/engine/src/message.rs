//! Messages that callers leave: taken, kept, listed, expired, and the lamps on agents' phones (RFC 3842).
//!
//! A tape outlives its call: who hangs up has left his message all the same. Every tape has a deadline here, so that a
//! shell that says nothing holds up neither a flow nor the end of the engine.

use crate::call::Call;
use crate::engine::{Engine, Timer, Work};
use crate::interface::{Kept, Message, MessageView, Output, Reply, StoryLine};
use crate::settings::{Mailbox, Settings};
use crate::tape::{Tape, TapeId, TapeKind, TapeNews};
use hotline_core::{AgentId, CallId, Outbox, Pii, Time};
use ivr::MessageEnd;
use std::sync::Arc;
use std::time::Duration;

/// How long the shell may take to finish a file.
const TAPE_PATIENCE: Duration = Duration::from_secs(5);
/// What the key that ends a message sounds like is no part of it.
const KEY_SOUNDS: Duration = Duration::from_millis(150);
/// How long messages of a mailbox are kept that the installation has no more.
const KEEP_OF_NONE: Duration = Duration::from_secs(30 * 24 * 3600);
/// The longest wait of one timer for messages that expire.
const LOOK_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// A file that the shell writes.
#[derive(Debug)]
pub(crate) struct TapeRow {
    pub call: CallId,
    /// It was told to finish.
    pub ended: bool,
    pub file: Arc<str>,
    /// None: a recording of the call.
    pub message: Option<Taking>,
}

/// A message that is being left.
#[derive(Debug)]
pub(crate) struct Taking {
    mailbox: Arc<str>,
    id: u64,
    caller: Pii<String>,
    began: Time,
}

/// What a flow asks for.
pub(crate) struct Take {
    pub mailbox: Arc<str>,
    pub min: Duration,
    pub max: Duration,
    pub silence: Duration,
}

impl Engine {
    pub(crate) fn take_message(&mut self, now: Time, id: CallId, take: Take, out: &mut Outbox<Output>) {
        let Take { mailbox, min, max, silence } = take;
        let why = match self.settings_of(Some(id)).mailboxes.get(&mailbox) {
            None => Some("unknown"),
            Some(plan) if self.messages_of(&mailbox) >= plan.messages_max as usize => Some("full"),
            Some(_) => None,
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let caller = &call.legs[0];
        let why = why.or((!caller.is_connected()).then_some("no media"));
        if let Some(why) = why {
            self.log(now, Some(id), None, "message-refused", format!("mailbox={mailbox} why={why}"), out);
            return self.work.push_back(Work::Visit(id, ivr::Input::MessageEnded(MessageEnd::Full)));
        }
        let (leg, number) = (caller.id, call.caller_number.clone());
        self.message_last += 1;
        let message = self.message_last;
        let file: Arc<str> = format!("voicemail/{mailbox}/{message}.wav").into();
        let taking = Taking { mailbox: mailbox.clone(), id: message, caller: number, began: now };
        let tape =
            self.new_tape(TapeRow { call: id, ended: false, file: file.clone(), message: Some(taking) });
        if let Some(call) = self.calls.get_mut(&id) {
            call.message = Some(tape);
        }
        self.timers.set(Timer::Tape(tape), now + max, "a message has its greatest length");
        let kind = TapeKind::Message { min, silence };
        out.push(Output::Tape(Tape::Start { tape, leg, file: file.to_string(), kind }));
        let detail = format!("mailbox={mailbox} message={message}");
        self.log(now, Some(id), None, "message-began", detail, out);
    }

    pub(crate) fn new_tape(&mut self, row: TapeRow) -> TapeId {
        self.tape_last += 1;
        let tape = TapeId(self.tape_last);
        self.tapes.insert(tape, row);
        tape
    }

    /// The caller pressed the key that ends his message.
    pub(crate) fn end_message(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        if let Some(tape) = self.calls.get(&id).and_then(|call| call.message) {
            self.end_tape(now, tape, KEY_SOUNDS, out);
        }
    }

    pub(crate) fn end_tape(&mut self, now: Time, tape: TapeId, cut: Duration, out: &mut Outbox<Output>) {
        if let Some(row) = self.tapes.get_mut(&tape).filter(|row| !row.ended) {
            row.ended = true;
            self.timers.set(Timer::Tape(tape), now + TAPE_PATIENCE, "a file of sound is finished");
            out.push(Output::Tape(Tape::End { tape, cut }));
        }
    }

    /// A message is as long as it may be, or the shell does not answer.
    pub(crate) fn tape_overdue(&mut self, now: Time, tape: TapeId, out: &mut Outbox<Output>) {
        match self.tapes.get(&tape).map(|row| row.ended) {
            Some(false) => self.end_tape(now, tape, Duration::ZERO, out),
            Some(true) => {
                let why = format!("the file was not finished within {TAPE_PATIENCE:?}");
                self.taped(now, tape, TapeNews::Failed { why }, out);
            }
            None => {}
        }
    }

    pub(crate) fn taped(&mut self, now: Time, tape: TapeId, news: TapeNews, out: &mut Outbox<Output>) {
        if news == TapeNews::Silent {
            return self.end_tape(now, tape, Duration::ZERO, out);
        }
        let Some(row) = self.tapes.remove(&tape) else {
            // Given up before it came: nobody would find that file.
            return;
        };
        self.timers.cancel(&Timer::Tape(tape));
        let TapeRow { call: id, file, message, .. } = row;
        let Some(taking) = message else { return self.recorded(now, id, tape, &file, news, out) };
        let detail = format!("mailbox={} message={}", taking.mailbox, taking.id);
        let end = match news {
            TapeNews::Kept { length, lost } => {
                let detail =
                    format!("{detail} length_ms={} lost_ms={}", length.as_millis(), lost.as_millis());
                self.log(now, Some(id), None, "message-kept", detail, out);
                self.keep_message(now, id, taking, length, file, out);
                MessageEnd::Kept
            }
            TapeNews::Empty | TapeNews::Silent => {
                self.log(now, Some(id), None, "message-empty", detail, out);
                MessageEnd::Empty
            }
            TapeNews::Failed { why } => {
                self.log(now, Some(id), None, "message-failed", format!("{detail} why={why}"), out);
                MessageEnd::Full
            }
        };
        if let Some(call) = self.calls.get_mut(&id).filter(|call| call.message == Some(tape)) {
            call.message = None;
            self.work.push_back(Work::Visit(id, ivr::Input::MessageEnded(end)));
        }
    }

    fn keep_message(
        &mut self,
        now: Time,
        call: CallId,
        taking: Taking,
        length: Duration,
        file: Arc<str>,
        out: &mut Outbox<Output>,
    ) {
        let Taking { mailbox, id, caller, began } = taking;
        let at_unix_ms = self.unix(began).saturating_mul(1000) + (began.as_millis() % 1000) as i64;
        let message =
            Message { id, mailbox: mailbox.clone(), call, caller, at_unix_ms, length, file, heard: false };
        out.push(Output::Keep(Kept::Message(message.clone())));
        self.messages.insert(id, message);
        self.time_messages(now);
        let note = format!("message {id} in `{mailbox}`, {} s", length.as_secs());
        out.push(Output::Story { call: Some(call), line: StoryLine::Note(note) });
        if let Some(service) = self.mailbox(&mailbox).and_then(|plan| plan.notify.clone()) {
            let seconds = length.as_millis().div_ceil(1000);
            let fields = format!("\"mailbox\":\"{mailbox}\",\"message\":{id},\"length_s\":{seconds}");
            self.notify_event(now, call, &service, "voicemail", &fields, out);
        }
        self.light(now, &mailbox);
    }

    fn messages_of(&self, mailbox: &str) -> usize {
        let taking = self.tapes.values().filter_map(|row| row.message.as_ref());
        self.messages.values().filter(|m| *m.mailbox == *mailbox).count()
            + taking.filter(|taking| *taking.mailbox == *mailbox).count()
    }

    fn mailbox(&self, name: &str) -> Option<&Mailbox> {
        self.served.mailboxes.get(name)
    }

    pub(crate) fn restore_messages(&mut self, now: Time, kept: Vec<Message>, last: u64) {
        self.message_last = kept.iter().map(|m| m.id).fold(last, u64::max);
        self.messages.extend(kept.into_iter().map(|m| (m.id, m)));
        self.time_messages(now);
    }

    // How long they are kept.

    fn time_messages(&mut self, now: Time) {
        let first = self.messages.values().map(|m| self.kept_until(m)).min();
        match first {
            Some(at) => {
                let at = at.max(now + Duration::from_millis(1)).min(now + LOOK_AGAIN);
                self.timers.set(Timer::Messages, at, "a message is kept no longer");
            }
            None => drop(self.timers.cancel(&Timer::Messages)),
        }
    }

    fn kept_until(&self, message: &Message) -> Time {
        let keep = self.mailbox(&message.mailbox).map_or(KEEP_OF_NONE, |plan| plan.keep);
        let since = message.at_unix_ms.saturating_sub(self.settings.epoch_unix.saturating_mul(1000));
        let until = since.saturating_add(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
        Time::ZERO + Duration::from_millis(u64::try_from(until).unwrap_or(0))
    }

    pub(crate) fn messages_expire(&mut self, now: Time, out: &mut Outbox<Output>) {
        let over: Vec<u64> =
            self.messages.values().filter(|m| self.kept_until(m) <= now).map(|m| m.id).collect();
        for id in over {
            self.forget_message(now, id, "message-expired", "", out);
        }
        self.time_messages(now);
    }

    /// File and row; the event log proves it.
    fn forget_message(&mut self, now: Time, id: u64, kind: &'static str, by: &str, out: &mut Outbox<Output>) {
        let Some(message) = self.messages.remove(&id) else { return };
        out.push(Output::Tape(Tape::Erase { file: message.file.to_string() }));
        out.push(Output::Keep(Kept::MessageGone(id)));
        let detail = format!("mailbox={} message={id}{by}", message.mailbox);
        self.log(now, Some(message.call), None, kind, detail, out);
        self.light(now, &message.mailbox);
    }

    // What operators do with them.

    pub(crate) fn message_views(&self, mailbox: Option<&str>) -> Reply {
        let known = |name: &str| {
            self.served.mailboxes.contains_key(name) || self.messages.values().any(|m| &*m.mailbox == name)
        };
        if let Some(name) = mailbox.filter(|name| !known(name)) {
            return Reply::Error(self.no_mailbox(name));
        }
        let wanted = self.messages.values().filter(|m| mailbox.is_none_or(|name| &*m.mailbox == name));
        let view = |m: &Message| MessageView {
            mailbox: m.mailbox.clone(),
            id: m.id,
            call: m.call,
            caller: m.caller.clone(),
            at_unix_ms: m.at_unix_ms,
            length: m.length,
            heard: m.heard,
            file: m.file.to_string(),
        };
        Reply::Messages(wanted.map(view).collect())
    }

    pub(crate) fn mark_message(
        &mut self,
        now: Time,
        mailbox: &str,
        id: u64,
        heard: bool,
        by: &str,
        out: &mut Outbox<Output>,
    ) -> Reply {
        let Some(message) = self.messages.get_mut(&id).filter(|m| &*m.mailbox == mailbox) else {
            return Reply::Error(self.no_message(mailbox, id));
        };
        let what = if heard { "heard" } else { "unheard" };
        if message.heard != heard {
            message.heard = heard;
            let (mailbox, call) = (message.mailbox.clone(), message.call);
            out.push(Output::Keep(Kept::MessageHeard { id, heard }));
            let kind = if heard { "message-heard" } else { "message-unheard" };
            self.log(now, Some(call), None, kind, format!("mailbox={mailbox} message={id} by={by}"), out);
            self.light(now, &mailbox);
        }
        Reply::Done(format!("message {id} in `{mailbox}` is marked as {what}"))
    }

    pub(crate) fn delete_message(
        &mut self,
        now: Time,
        mailbox: &str,
        id: u64,
        by: &str,
        out: &mut Outbox<Output>,
    ) -> Reply {
        if self.messages.get(&id).is_none_or(|m| &*m.mailbox != mailbox) {
            return Reply::Error(self.no_message(mailbox, id));
        }
        self.forget_message(now, id, "message-deleted", &format!(" by={by}"), out);
        self.time_messages(now);
        Reply::Done(format!("message {id} in `{mailbox}` is deleted"))
    }

    fn no_message(&self, mailbox: &str, id: u64) -> String {
        if !self.served.mailboxes.contains_key(mailbox) {
            return self.no_mailbox(mailbox);
        }
        format!("there is no message {id} in `{mailbox}`; `hotline voicemail list {mailbox}` lists them")
    }

    fn no_mailbox(&self, name: &str) -> String {
        let known: Vec<&str> = self.served.mailboxes.keys().map(|name| &**name).take(50).collect();
        match known.as_slice() {
            [] => format!("no mailbox is called `{name}`: [mailbox.NAME] in hotline.toml makes one"),
            known => format!("no mailbox is called `{name}`; the mailboxes are: {}", known.join(", ")),
        }
    }

    // Lamps.

    /// Tells the phones of every agent of this mailbox.
    fn light(&mut self, now: Time, mailbox: &str) {
        let names = self.mailbox(mailbox).map_or_else(Vec::new, |plan| names(&self.served, plan));
        for agent in names.iter().filter_map(|name| self.settings.agent(name)).collect::<Vec<_>>() {
            self.light_agent(now, agent);
        }
    }

    /// Tells an agent's phones what waits for him; those of nobody's mailbox are left alone.
    pub(crate) fn light_agent(&mut self, now: Time, agent: AgentId) {
        let name = self.agent_name(agent);
        let of_his = |plan: &Mailbox| names(&self.served, plan).contains(&name);
        let his: Vec<&Arc<str>> =
            self.served.mailboxes.iter().filter(|(_, plan)| of_his(plan)).map(|(name, _)| name).collect();
        if his.is_empty() {
            return;
        }
        let (mut new, mut old) = (0u32, 0u32);
        for message in self.messages.values().filter(|m| his.contains(&&m.mailbox)) {
            *(if message.heard { &mut old } else { &mut new }) += 1;
        }
        let waiting = if new > 0 { "yes" } else { "no" };
        let user = self.account_user(agent);
        let account = format!("sip:{user}@{}", self.settings.sip.realm);
        let body = format!(
            "Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n"
        );
        for contact in self.sip.contacts(now, &user) {
            let notice = sip::Notice {
                uri: &contact.uri,
                hop: contact.hop,
                address: &account,
                event: "message-summary",
                content_type: "application/simple-message-summary",
                body: body.as_bytes(),
            };
            self.sip.notify(now, &notice, &mut self.sip_out);
        }
    }
}

/// Agents of a mailbox, by the roster of the settings it stands in.
fn names(settings: &Settings, plan: &Mailbox) -> Vec<Arc<str>> {
    let name = |agent: &AgentId| settings.roster.agents.get(agent.0 as usize).map(|a| a.name.clone());
    plan.agents.iter().filter_map(name).collect()
}

impl Call {
    /// Files that are still written for this call.
    pub(crate) fn tapes(&self) -> impl Iterator<Item = TapeId> {
        self.message.into_iter().chain(self.recording.tape)
    }
}
