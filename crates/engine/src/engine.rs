//! The machine itself: its tables, the order in which things are carried out, and its timers.

use crate::agents::AgentRow;
use crate::asking::Asked;
use crate::call::{Call, call_of};
use crate::flows::Counted;
use crate::interface::{
    AnnouncementOn, BoardUpdate, CallbackRequest, Input, KeptAtStart, LogEvent, Message, Output, StoryLine,
};
use crate::message::TapeRow;
use crate::reload::Canary;
use crate::settings::Settings;
use crate::tape::TapeId;
use acd::{Requirement, Router};
use hotline_core::{
    AgentId, CallId, Cause, Deadline, LegId, Machine, Outbox, Rng, Time, TimerQueue, earliest,
};
use rustc_hash::FxHashMap;
use sip::{DialogId, Endpoint, EndpointConfig, Limits, RegistrarConfig};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long a media thread may take to open or close a leg before the call goes on without it.
const MEDIA_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Engine {
    /// What is served, with the agents, queues and accounts of all that is live, at their places.
    pub(crate) settings: Arc<Settings>,
    /// The settings for new calls, as they were given.
    pub(crate) served: Arc<Settings>,
    pub(crate) canary: Option<Canary>,
    /// Of each agent's row, whether he is one of the installation now.
    pub(crate) known: Vec<bool>,
    pub(crate) sip: Endpoint,
    pub(crate) router: Router,
    pub(crate) rng: Rng,
    pub(crate) calls: BTreeMap<CallId, Call>,
    pub(crate) dialogs: FxHashMap<DialogId, LegId>,
    pub(crate) timers: TimerQueue<Timer>,
    pub(crate) agents: Vec<AgentRow>,
    /// Requirements as flows ask for them, read once.
    pub(crate) requirements: FxHashMap<String, Option<Requirement>>,
    /// Other systems that are asked, by our ticket.
    pub(crate) asked: BTreeMap<u64, Asked>,
    pub(crate) asked_total: u64,
    /// Those that are on.
    pub(crate) announcements: BTreeMap<Arc<str>, AnnouncementOn>,
    /// By queue and number.
    pub(crate) callbacks: BTreeMap<(Arc<str>, String), CallbackRequest>,
    pub(crate) flows: Vec<Counted>,
    /// Files of sound that are being written.
    pub(crate) tapes: BTreeMap<TapeId, TapeRow>,
    pub(crate) tape_last: u64,
    pub(crate) messages: BTreeMap<u64, Message>,
    pub(crate) message_last: u64,
    next_call: u64,
    /// Calls that have not begun to end: what the limits count.
    pub(crate) active: u32,
    pub(crate) active_by_number: BTreeMap<Arc<str>, u32>,
    pub(crate) calls_total: u64,
    pub(crate) refused_total: u64,
    pub(crate) draining: bool,
    drained: bool,
    /// No peer's answer is waited for any more.
    stopping: bool,
    pub(crate) work: VecDeque<Work>,
    pub(crate) sip_out: Outbox<sip::Output>,
    pub(crate) router_out: Outbox<acd::Output>,
    pub(crate) visit_out: Outbox<ivr::Output>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    /// The visit's own wait: digits, a timeout in the queue.
    Visit(CallId),
    /// The longest a call may last.
    CallMax(CallId),
    /// How long the flow waits for an agent, in the queue or rung directly.
    Wait(CallId),
    /// A prompt that cannot be heard takes its time all the same.
    Unheard(CallId),
    MediaOpens(LegId),
    MediaCloses(LegId),
    /// Another system's answer, by our ticket.
    Asked(u64),
    /// The longest a message may be; then the shell's answer.
    Tape(TapeId),
    /// The next message expires.
    Messages,
    /// The next announcement ends.
    Announcements,
    DrainEnds,
}

/// News from one part for another, carried out in the order they came up.
#[derive(Debug)]
pub(crate) enum Work {
    Sip(sip::Event),
    Router(acd::Output),
    Visit(CallId, ivr::Input),
}

impl Machine for Engine {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        Engine::handle(self, now, input, out);
    }
    fn deadline(&self) -> Option<Deadline> {
        Engine::deadline(self)
    }
    fn wake(&mut self, now: Time, out: &mut Outbox<Output>) {
        Engine::wake(self, now, out);
    }
}

impl Engine {
    /// `first_call` is the first id to hand out; the store knows the last one used.
    pub fn new(settings: Arc<Settings>, mut rng: Rng, first_call: CallId) -> Engine {
        let mut sip = Endpoint::new(endpoint_config(&settings), rng.fork());
        sip.set_accounts(settings.accounts.clone());
        let agents: Vec<AgentRow> = settings.roster.agents.iter().map(|_| AgentRow::default()).collect();
        Engine {
            router: Router::new(settings.roster.clone()),
            served: settings.clone(),
            canary: None,
            known: vec![true; agents.len()],
            settings,
            sip,
            rng,
            calls: BTreeMap::new(),
            dialogs: FxHashMap::default(),
            timers: TimerQueue::new(),
            agents,
            requirements: FxHashMap::default(),
            asked: BTreeMap::new(),
            asked_total: 0,
            announcements: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            flows: Vec::new(),
            tapes: BTreeMap::new(),
            tape_last: 0,
            messages: BTreeMap::new(),
            message_last: 0,
            next_call: first_call.0.max(1),
            active: 0,
            active_by_number: BTreeMap::new(),
            calls_total: 0,
            refused_total: 0,
            draining: false,
            drained: false,
            stopping: false,
            work: VecDeque::new(),
            sip_out: Outbox::new(),
            router_out: Outbox::new(),
            visit_out: Outbox::new(),
        }
    }

    /// What an engine before this one kept. To be called before anything else.
    pub fn restore(&mut self, now: Time, kept: KeptAtStart, out: &mut Outbox<Output>) {
        self.restore_announcements(now, kept.announcements, out);
        self.restore_callbacks(kept.callbacks);
        self.restore_messages(now, kept.messages, kept.message_last);
    }

    pub fn handle(&mut self, now: Time, input: Input, out: &mut Outbox<Output>) {
        match input {
            Input::Received { hop, bytes } => self.sip.receive(now, hop, &bytes, &mut self.sip_out),
            Input::TransportFailed { hop } => self.sip.transport_failed(now, hop, &mut self.sip_out),
            Input::Media(event) => self.media_event(now, event, out),
            Input::Taped { tape, news } => self.taped(now, tape, news, out),
            Input::Fetched { ticket, result } => self.fetched(now, ticket, result, out),
            Input::Operator { ticket, command } => self.operate(now, ticket, command, out),
            Input::Configure { ticket, change, by } => self.change(now, ticket, *change, &by, out),
            Input::Drain => self.drain(now, out),
            Input::Stop => self.stop(now, out),
        }
        self.carry_out(now, out);
    }

    pub fn deadline(&self) -> Option<Deadline> {
        earliest(self.sip.deadline(), earliest(self.router.deadline(), self.timers.deadline()))
    }

    pub fn wake(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.sip.deadline().is_some_and(|d| d.at <= now) {
            self.sip.wake(now, &mut self.sip_out);
        }
        if self.router.deadline().is_some_and(|d| d.at <= now) {
            self.router.wake(now, &mut self.router_out);
        }
        self.carry_out(now, out);
        while let Some(timer) = self.timers.pop_due(now) {
            self.timer(now, timer, out);
            self.carry_out(now, out);
        }
    }

    fn timer(&mut self, now: Time, timer: Timer, out: &mut Outbox<Output>) {
        match timer {
            Timer::Visit(call) => self.wake_visit(now, call, out),
            Timer::CallMax(call) => self.end(now, call, Cause::TooLong, out),
            Timer::Wait(call) => self.wait_is_over(now, call, out),
            Timer::Unheard(call) => self.unheard(now, call, out),
            Timer::MediaOpens(leg) => {
                let why = format!("the media thread did not open {leg} within {MEDIA_PATIENCE:?}");
                self.media_failed(now, leg, &why, out);
            }
            Timer::MediaCloses(leg) => self.media_closed(now, leg, None, out),
            Timer::Asked(ticket) => {
                self.fetched(now, ticket, ivr::HttpResult::Failed(ivr::HttpFailure::Timeout), out);
            }
            Timer::Tape(tape) => self.tape_overdue(now, tape, out),
            Timer::Messages => self.messages_expire(now, out),
            Timer::Announcements => self.announcements_end(now, out),
            Timer::DrainEnds => {
                self.forget_asked();
                let left: Vec<CallId> = self.calls.keys().copied().collect();
                for call in left {
                    self.end(now, call, Cause::Draining, out);
                }
            }
        }
    }

    /// Carries news between the parts until there is none left.
    fn carry_out(&mut self, now: Time, out: &mut Outbox<Output>) {
        loop {
            for output in self.sip_out.drain() {
                match output {
                    sip::Output::Send { hop, bytes } => out.push(Output::Send { hop, bytes }),
                    sip::Output::Event(event) => self.work.push_back(Work::Sip(event)),
                }
            }
            for output in self.router_out.drain() {
                self.work.push_back(Work::Router(output));
            }
            match self.work.pop_front() {
                Some(Work::Sip(event)) => self.sip_event(now, event, out),
                Some(Work::Router(output)) => self.router_output(now, output, out),
                Some(Work::Visit(call, input)) => self.drive(now, call, input, out),
                None => break,
            }
        }
        if self.stopping {
            self.record_the_rest(now, out);
        }
        // What was told to another system last is still on its way.
        let told = self.asked.is_empty() || self.stopping;
        // And what callers have said last is being written; that takes moments.
        let told = told && self.tapes.is_empty();
        if self.draining && !self.drained && self.calls.is_empty() && told {
            self.drained = true;
            self.timers.cancel(&Timer::DrainEnds);
            out.push(Output::Drained);
        }
    }

    fn sip_event(&mut self, now: Time, event: sip::Event, out: &mut Outbox<Output>) {
        use sip::Event;
        match event {
            Event::Invite { dialog, invitation } => self.invited(now, dialog, *invitation, out),
            Event::Registered { user, contacts, expired } => {
                self.registered(now, &user, contacts.len(), expired, out);
            }
            Event::RegisteredAgain { user } => {
                if let Some(agent) = self.agent_of_account(&user) {
                    self.light_agent(now, agent);
                }
            }
            Event::AuthFailed { user, hop } => {
                // Whatever else was tried may be a caller's number.
                let known = self.agent_of_account(&user).is_some();
                let user = if known { &*user } else { "unknown" };
                let detail = format!("user={user} from={}", hop.remote.ip());
                self.log(now, None, None, "auth-failed", detail, out);
            }
            Event::Cancelled { dialog } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.far_end_left(now, leg, Cause::CallerCancelled, out);
                }
            }
            Event::Bye { dialog, .. } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.far_end_left(now, leg, Cause::CallerHungUp, out);
                }
            }
            Event::NoAck { dialog } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.far_end_left(now, leg, Cause::NoAck, out);
                }
            }
            Event::Acked { dialog, sdp } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.acked(now, leg, sdp, out);
                }
            }
            Event::Progress { .. } => {}
            Event::Answered { dialog, sdp, .. } => match self.leg_of(dialog) {
                Some(leg) if self.is_outside(leg) => {
                    self.outside_answered(now, call_of(leg), leg, sdp, out);
                }
                Some(leg) => self.agent_answered(now, leg, sdp, out),
                None => self.sip.hang_up(now, dialog, 481, "no such call", &mut self.sip_out),
            },
            Event::Refused { dialog, code, .. } => {
                if let Some(leg) = self.leg_of(dialog) {
                    self.agent_refused(now, leg, code, out);
                }
            }
            Event::Offer { dialog, sdp } => match self.leg_of(dialog) {
                Some(leg) => self.reoffered(now, leg, sdp, out),
                None => self.sip.refuse_offer(now, dialog, 481, &mut self.sip_out),
            },
            Event::Info { dialog, content_type, body } => {
                if let Some(leg) = self.leg_of(dialog)
                    && let Some(digit) = info_digit(&content_type, &body)
                {
                    self.pressed(now, leg, digit, out);
                }
            }
            Event::Ended { dialog } => {
                if let Some(leg) = self.dialogs.remove(&dialog) {
                    self.signalling_ended(now, leg, dialog, out);
                }
            }
            // Re-offers of our own and registrations as a client are not made by the engine yet.
            Event::OfferAnswered { .. } | Event::OfferRefused { .. } | Event::Registration { .. } => {}
        }
    }

    fn media_event(&mut self, now: Time, event: media::Event, out: &mut Outbox<Output>) {
        use media::Event;
        match event {
            Event::Opened { leg, address } => self.media_opened(now, leg, address, out),
            Event::Failed { leg, why } => self.media_failed(now, leg, &why, out),
            Event::Digit { leg, digit } => self.pressed(now, leg, digit, out),
            Event::Played { leg, play } => self.played(now, leg, play, out),
            Event::Heard { .. } => {}
            Event::Silent { leg, .. } => self.silent(now, leg, out),
            Event::Closed { leg, stats } => self.media_closed(now, leg, Some(stats), out),
        }
    }

    fn drain(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.draining {
            return;
        }
        self.draining = true;
        self.sip.drain();
        let limit = self.settings.limits.drain_max;
        self.timers.set(Timer::DrainEnds, now + limit, "calls end before the engine stops");
        self.log(now, None, None, "draining", format!("calls={}", self.calls.len()), out);
    }

    fn stop(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.drain(now, out);
        let left: Vec<CallId> = self.calls.keys().copied().collect();
        for call in left {
            self.end(now, call, Cause::Stopped, out);
        }
        self.stopping = true;
    }

    pub(crate) fn leg_of(&self, dialog: DialogId) -> Option<LegId> {
        self.dialogs.get(&dialog).copied()
    }

    pub(crate) fn call(&mut self, leg: LegId) -> Option<&mut Call> {
        self.calls.get_mut(&call_of(leg))
    }

    pub(crate) fn new_call_id(&mut self) -> CallId {
        let id = CallId(self.next_call);
        self.next_call += 1;
        id
    }

    pub(crate) fn agent_name(&self, agent: AgentId) -> Arc<str> {
        self.settings.roster.agents.get(agent.0 as usize).map_or_else(|| "".into(), |a| a.name.clone())
    }

    /// Opens media for a leg; `Opened` or `Failed` comes back, or the timer.
    pub(crate) fn open_media(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        let ssrc = self.rng.next_u32();
        let settings = self.settings.clone();
        let Some(leg) = self.calls.get_mut(&call_of(leg)).and_then(|c| c.leg(leg)) else { return };
        leg.media = crate::call::MediaState::Opening;
        self.timers.set(Timer::MediaOpens(leg.id), now + MEDIA_PATIENCE, "a media port opens");
        let no_media_after = settings.media.no_media_after;
        let ip = settings.media_address(leg.hop.local.ip());
        out.push(Output::Media(media::Command::Open { leg: leg.id, ip, ssrc, no_media_after }));
    }

    /// Closes a leg's media if it is open or opens; `Closed` comes back, or the timer.
    pub(crate) fn close_media(&mut self, now: Time, leg: LegId, out: &mut Outbox<Output>) {
        use crate::call::MediaState;
        let Some(leg) = self.calls.get_mut(&call_of(leg)).and_then(|c| c.leg(leg)) else { return };
        if matches!(leg.media, MediaState::Opening | MediaState::Open(_)) {
            leg.media = MediaState::Closing;
            self.timers.cancel(&Timer::MediaOpens(leg.id));
            self.timers.set(Timer::MediaCloses(leg.id), now + MEDIA_PATIENCE, "a media port closes");
            out.push(Output::Media(media::Command::Close { leg: leg.id }));
        }
    }

    pub(crate) fn log(
        &self,
        at: Time,
        call: Option<CallId>,
        agent: Option<Arc<str>>,
        kind: &'static str,
        detail: String,
        out: &mut Outbox<Output>,
    ) {
        out.push(Output::Log(LogEvent { at, call, agent, kind, detail }));
    }

    pub(crate) fn story(&self, call: CallId, line: StoryLine, out: &mut Outbox<Output>) {
        out.push(Output::Story { call: Some(call), line });
    }

    pub(crate) fn show_on_board(&self, now: Time, call: CallId, out: &mut Outbox<Output>) {
        if let Some(call) = self.calls.get(&call).filter(|c| c.ending.is_none()) {
            out.push(Output::Board(BoardUpdate::Call(self.call_view(now, call))));
        }
    }

    /// Nothing left: no call, dialog, transaction or timer of a call.
    pub fn is_idle(&self) -> bool {
        let counts = self.sip.counts();
        self.calls.is_empty()
            && self.dialogs.is_empty()
            && self.tapes.is_empty()
            && self.timers.iter().all(|(_, timer, _)| {
                matches!(timer, Timer::DrainEnds | Timer::Announcements | Timer::Messages)
            })
            && counts.transactions == 0
            && counts.dialogs == 0
    }

    /// What is left, for whoever finds the engine not idle.
    pub fn left(&self) -> String {
        let timers: Vec<_> =
            self.timers.iter().map(|(at, timer, why)| format!("{timer:?} at {at} ({why})")).collect();
        format!(
            "calls {:?}, dialogs {:?}, timers {timers:?}, sip {:?}",
            self.calls.values().collect::<Vec<_>>(),
            self.dialogs.len(),
            self.sip.counts()
        )
    }

    /// Every rule that holds between two inputs; for debug builds, the simulator and fuzzing.
    ///
    /// # Panics
    /// When one is broken: that is a bug of ours.
    pub fn check(&self) {
        self.router.check();
        let mut active = 0;
        for (id, call) in &self.calls {
            assert_eq!(*id, call.id);
            if call.ending.is_none() {
                active += 1;
                assert!(!call.legs[0].is_over(), "{id} goes on without its caller");
                assert!(self.timers.at(&Timer::CallMax(*id)).is_some(), "{id} has no end in time");
            } else {
                assert!(call.offer.is_none() && call.talking.is_none(), "{id} ends and still holds an agent");
            }
            for leg in &call.legs {
                if leg.media == crate::call::MediaState::Opening {
                    assert!(
                        self.timers.at(&Timer::MediaOpens(leg.id)).is_some(),
                        "{} opens for ever",
                        leg.id
                    );
                }
                if leg.media == crate::call::MediaState::Closing {
                    assert!(
                        self.timers.at(&Timer::MediaCloses(leg.id)).is_some(),
                        "{} closes for ever",
                        leg.id
                    );
                }
                if let Some(dialog) = leg.dialog {
                    assert!(self.dialogs.contains_key(&dialog), "{} has a dialog nobody knows", leg.id);
                }
            }
        }
        for (tape, row) in &self.tapes {
            let timed = self.timers.at(&Timer::Tape(*tape)).is_some();
            let held = self
                .calls
                .get(&row.call)
                .is_some_and(|c| c.ending.is_none() && c.tapes().any(|t| t == *tape));
            assert!(timed || held, "{tape} is written for ever");
        }
        for ticket in self.asked.keys() {
            assert!(self.timers.at(&Timer::Asked(*ticket)).is_some(), "an answer is awaited for ever");
        }
        assert_eq!(active, self.active, "calls counted against the limit");
        assert_eq!(active, self.active_by_number.values().sum::<u32>(), "calls counted by number");
        assert!(self.active <= self.settings.limits.calls);
        for (_, timer, _) in self.timers.iter() {
            let owned = match *timer {
                Timer::Visit(call) | Timer::CallMax(call) => {
                    self.calls.get(&call).is_some_and(|c| c.ending.is_none())
                }
                Timer::Wait(call) => {
                    let waits = |c: &Call| c.wait != crate::call::Wait::Nothing && c.talking.is_none();
                    self.calls.get(&call).is_some_and(waits)
                }
                Timer::Unheard(call) => self.calls.get(&call).is_some_and(|c| c.unheard.is_some()),
                Timer::MediaOpens(leg) | Timer::MediaCloses(leg) => self.calls.contains_key(&call_of(leg)),
                Timer::Asked(ticket) => self.asked.contains_key(&ticket),
                Timer::Tape(tape) => self.tapes.contains_key(&tape),
                Timer::Messages => !self.messages.is_empty(),
                Timer::Announcements => self.announcements.values().any(|on| on.until_unix.is_some()),
                Timer::DrainEnds => self.draining,
            };
            assert!(owned, "{timer:?} has no owner");
        }
    }
}

/// A digit in the body of an INFO: `application/dtmf-relay` ("Signal=5") or `application/dtmf` ("5").
fn info_digit(content_type: &str, body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    let kind = content_type.split(';').next()?.trim();
    let signal = if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })?
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        text.trim()
    } else {
        return None;
    };
    let mut chars = signal.chars();
    match (chars.next()?.to_ascii_uppercase(), chars.next()) {
        (digit @ ('0'..='9' | 'A'..='D' | '*' | '#'), None) => Some(digit),
        // Some phones name the keys by their event numbers (RFC 4733 section 3.2).
        ('1', Some('0')) if signal == "10" => Some('*'),
        ('1', Some('1')) if signal == "11" => Some('#'),
        _ => None,
    }
}

fn endpoint_config(settings: &Settings) -> EndpointConfig {
    let calls = settings.limits.calls as usize;
    EndpointConfig {
        realm: settings.sip.realm.clone(),
        product: settings.sip.product.clone(),
        advertised: settings
            .sip
            .listeners
            .iter()
            .filter_map(|l| Some((l.address, l.advertised.clone()?)))
            .collect(),
        limits: Limits {
            message_bytes: 65_535,
            headers: 256,
            transactions: calls * 8 + 4096,
            dialogs: calls * 4 + 1024,
            contacts_per_user: 5,
        },
        t1: Duration::from_millis(500),
        t2: Duration::from_secs(4),
        t4: Duration::from_secs(5),
        registrar: RegistrarConfig {
            expires_min: Duration::from_secs(30),
            expires_default: Duration::from_secs(300),
            expires_max: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(300),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_info() {
        let relay = "application/dtmf-relay";
        assert_eq!(info_digit(relay, b"Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(info_digit(relay, b"signal = *\nduration=100"), Some('*'));
        assert_eq!(info_digit(relay, b"Signal=11\r\n"), Some('#'));
        assert_eq!(info_digit(relay, b"Signal=55\r\n"), None);
        assert_eq!(info_digit("application/dtmf; x=1", b"d"), Some('D'));
        assert_eq!(info_digit("application/media_control+xml", b"<x/>"), None);
        assert_eq!(info_digit(relay, &[0xff, 0xfe]), None);
    }
}
