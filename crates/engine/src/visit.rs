//! What a flow asks for, carried out.

use crate::call::{Call, DIGITS_MAX, Driver, PATH_MAX, Party, Signalling, Wait, Want};
use crate::engine::{Engine, Timer, Work};
use crate::interface::{Output, StoryLine};
use crate::message::Take;
use crate::outside::Dial;
use crate::record::{ConsentRecord, SurveyRecord};
use acd::Requirement;
use hotline_core::{AgentId, CallId, Cause, LegId, Outbox, Pii, PlayId, QueueId, Severity, Time};
use media::Command;
use std::sync::Arc;
use std::time::Duration;

/// Different requirements remembered; flows have a handful.
const REQUIREMENTS_MAX: usize = 10_000;
/// News for a flow within one instant; more is a flow that turns in a circle without letting time pass.
pub(crate) const TURNS_MAX: u32 = 1000;
/// Stays in queues kept for the record; of more, the first ones go.
const QUEUES_MAX: usize = 200;
/// Consents, and surveys, kept for the record.
const ANSWERS_MAX: usize = 32;
/// The least time a prompt takes that nobody can hear.
const UNHEARD_MIN: Duration = Duration::from_millis(200);

impl Engine {
    pub(crate) fn drive(&mut self, now: Time, id: CallId, input: ivr::Input, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        if !call.may_turn(now) {
            let detail = format!("step={} what={TURNS_MAX} turns without a wait", call.step());
            self.log(now, Some(id), None, "flow-fault", detail, out);
            return self.end(now, id, Cause::FlowEnded, out);
        }
        let Driver::Visit(visit) = &mut call.driver else { return };
        visit.handle(now, input, &mut self.visit_out);
        self.after_visit(now, id, out);
    }

    pub(crate) fn wake_visit(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        let Driver::Visit(visit) = &mut call.driver else { return };
        visit.wake(now, &mut self.visit_out);
        self.after_visit(now, id, out);
    }

    fn after_visit(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let deadline = match self.calls.get(&id).map(|c| &c.driver) {
            Some(Driver::Visit(visit)) => visit.deadline(),
            _ => None,
        };
        match deadline {
            Some(deadline) => self.timers.set(Timer::Visit(id), deadline.at, deadline.why),
            None => drop(self.timers.cancel(&Timer::Visit(id))),
        }
        for output in self.visit_out.take() {
            self.visit_output(now, id, output, out);
        }
    }

    pub(crate) fn visit_output(
        &mut self,
        now: Time,
        id: CallId,
        output: ivr::Output,
        out: &mut Outbox<Output>,
    ) {
        use ivr::Output as Visit;
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        let caller = call.legs[0].id;
        match output {
            Visit::Answer => self.want(now, id, Want::Answer, out),
            Visit::EarlyMedia => self.want(now, id, Want::EarlyMedia, out),
            Visit::Ringing => {
                if let (Signalling::Trying, Some(dialog)) = (call.legs[0].signalling, call.legs[0].dialog) {
                    self.sip.ring(now, dialog, 180, None, &mut self.sip_out);
                }
            }
            Visit::Play { play, pieces, repeat } => self.play(now, id, play, &pieces, repeat, out),
            Visit::Stop => {
                call.unheard = None;
                self.timers.cancel(&Timer::Unheard(id));
                // What he hears in a conversation is not the flow's.
                if call.talking.is_none() {
                    out.push(Output::Media(Command::Stop { leg: caller }));
                }
            }
            Visit::Echo(on) => out.push(Output::Media(Command::Echo { leg: caller, on })),
            Visit::Queue { queue, require, severity, timeout, music, .. } => {
                let plan = QueuePlan { queue, require, severity, timeout, music };
                self.enter_queue(now, id, plan, out);
            }
            Visit::LeaveQueue => self.leave_queue(now, id, "left", out),
            Visit::Ring { agent, timeout, music } => self.ring_agent(now, id, &agent, timeout, music, out),
            Visit::Reject { code, .. } => self.end(now, id, Cause::FlowRejected(code), out),
            Visit::Hangup => self.end(now, id, Cause::FlowEnded, out),
            Visit::Entered { step } => {
                call.note_step(now, &step);
                self.count_entry(id, &step);
                self.story(id, StoryLine::Step { step }, out);
                self.show_on_board(now, id, out);
            }
            Visit::Set { name, value, masked } => call.note_var(name, value, masked),
            Visit::Left { step, exit } => self.count_exit(id, &step, exit),
            Visit::Estimate { queue, require, severity } => self.estimate(id, &queue, require, severity),
            Visit::Music(music) => {
                if call.talking.is_none() {
                    let music = music.map(|pieces| self.sounds(now, id, &pieces, out));
                    self.play_while_waiting(caller, music, out);
                }
            }
            Visit::Announcements { ticket, of } => self.announced(id, ticket, of),
            Visit::Fetch { ticket, request } => self.fetch(now, id, ticket, request, out),
            Visit::Notify(request) => self.notify(now, Some(id), request, out),
            Visit::Callback { queue, number, require, severity } => {
                self.callback(now, id, queue, &number, require, severity, out);
            }
            Visit::Consent { what, granted } => self.consented(now, id, what, granted, out),
            Visit::Survey { survey, answers, score, low } => {
                self.surveyed(now, id, SurveyRecord { survey, answers, score, low }, out);
            }
            Visit::Dial { number, trunk, timeout, music } => {
                self.dial(now, id, Dial { number, trunk, timeout, music }, out);
            }
            // Where a bot's audio will be joined to the caller's leg: nothing carries it yet.
            Visit::Bot { bot, .. } => {
                self.log(now, Some(id), None, "bot-unavailable", format!("bot={bot}"), out);
                self.work.push_back(Work::Visit(id, ivr::Input::BotEnded(ivr::BotEnd::Failed)));
            }
            Visit::LeaveBot => {}
            Visit::TakeMessage { mailbox, min, max, silence } => {
                self.take_message(now, id, Take { mailbox, min, max, silence }, out);
            }
            Visit::EndMessage => self.end_message(now, id, out),
            Visit::Record(action) => self.record_call(now, id, action, out),
            Visit::Private(on) => self.keep_private(now, id, on, out),
            Visit::Trouble { step, what } => {
                self.log(now, Some(id), None, "flow-trouble", format!("step={step} what={what}"), out);
                self.story(id, StoryLine::Note(format!("step `{step}`: {what}")), out);
            }
            Visit::Fault { step, what } => {
                self.log(now, Some(id), None, "flow-fault", format!("step={step} what={what}"), out);
                self.story(id, StoryLine::Note(format!("flow fault in step `{step}`: {what}")), out);
            }
        }
    }

    /// Plays to the caller; what cannot be heard (no media, no such sound) counts as played when its time is over.
    fn play(
        &mut self,
        now: Time,
        id: CallId,
        play: PlayId,
        pieces: &[ivr::Piece],
        repeat: bool,
        out: &mut Outbox<Output>,
    ) {
        let pieces = self.sounds(now, id, pieces, out);
        // Nothing is said into a conversation; a flow that has not heard of it yet will in this instant.
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.talking.is_none()) else { return };
        let leg = &call.legs[0];
        if leg.is_connected() && !pieces.is_empty() {
            out.push(Output::Media(Command::Play { leg: leg.id, play, pieces, repeat }));
        } else if !repeat {
            let lengths = &call.settings.prompts.lengths;
            let length = |piece: &media::Piece| match piece {
                media::Piece::Sound(sound) => lengths.get(sound.0 as usize).copied().unwrap_or_default(),
                media::Piece::Silence(length) | media::Piece::Tone { length, .. } => *length,
            };
            let takes = pieces.iter().map(length).fold(UNHEARD_MIN, Duration::saturating_add);
            call.unheard = Some(play);
            self.timers.set(Timer::Unheard(id), now + takes, "a prompt that nobody can hear");
        }
    }

    /// The time of a prompt that nobody could hear is over.
    pub(crate) fn unheard(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        if let Some(play) = self.calls.get_mut(&id).and_then(|call| call.unheard.take()) {
            self.drive(now, id, ivr::Input::Played(play), out);
        }
    }

    /// Resolves prompts to sounds; missing ones are left out and counted in the log (`hotline check` finds them
    /// beforehand). Their names stay out of it: read back in a row, they are what the caller typed.
    pub(crate) fn sounds(
        &self,
        now: Time,
        id: CallId,
        pieces: &[ivr::Piece],
        out: &mut Outbox<Output>,
    ) -> Arc<[media::Piece]> {
        let mut sounds = Vec::with_capacity(pieces.len());
        let prompts = self.prompts_of(id);
        let (mut missing, mut spoken_in) = (0, "");
        for piece in pieces {
            match piece {
                ivr::Piece::Spoken(spoken) => match prompts.sound(&spoken.language, &spoken.prompt) {
                    Some(sound) => sounds.push(media::Piece::Sound(sound)),
                    None => (missing, spoken_in) = (missing + 1, &*spoken.language),
                },
                ivr::Piece::Silence(length) => sounds.push(media::Piece::Silence(*length)),
                ivr::Piece::Tone { hz, length, dbm0 } => {
                    sounds.push(media::Piece::Tone { hz: *hz, length: *length, dbm0: *dbm0 });
                }
            }
        }
        if missing > 0 {
            let step = self.calls.get(&id).map_or("", Call::step);
            let detail = format!("step={step} language={spoken_in} prompts={missing}");
            self.log(now, Some(id), None, "prompt-missing", detail, out);
        }
        sounds.into()
    }

    pub(crate) fn played(&mut self, now: Time, leg: LegId, play: PlayId, out: &mut Outbox<Output>) {
        let Some(call) = self.call(leg) else { return };
        let id = call.id;
        if call.legs[0].id != leg {
            return;
        }
        match &call.driver {
            Driver::Visit(_) => self.drive(now, id, ivr::Input::Played(play), out),
            Driver::Confirm { play: Some(awaited), .. } if *awaited == play => {
                self.end(now, id, Cause::FlowEnded, out);
            }
            Driver::Confirm { .. } => {}
        }
    }

    /// A key, from RFC 4733 packets or an INFO. Only the caller's own keys reach his flow, and only while no
    /// agent is on the line.
    pub(crate) fn pressed(&mut self, now: Time, leg: LegId, digit: char, out: &mut Outbox<Output>) {
        let Some(call) = self.call(leg).filter(|c| c.ending.is_none()) else { return };
        let id = call.id;
        if call.legs[0].party != Party::Caller || call.legs[0].id != leg || call.talking.is_some() {
            return;
        }
        let Driver::Visit(visit) = &call.driver else { return };
        let shown = if visit.masks_digits() { '*' } else { digit };
        if call.digits.expose().len() < DIGITS_MAX {
            call.digits.expose_mut().push(shown);
        }
        self.story(id, StoryLine::Pressed { digit: Pii::new(shown) }, out);
        self.drive(now, id, ivr::Input::Digit(digit), out);
    }

    fn enter_queue(&mut self, now: Time, id: CallId, plan: QueuePlan, out: &mut Outbox<Output>) {
        let queue = self.settings.roster.queues.iter().position(|q| q.name == plan.queue);
        let require = plan.require.as_deref().map(|text| self.requirement(text));
        // `hotline check` proves both for every flow; a flow that slipped through takes its exit.
        let (Some(queue), None | Some(Some(_))) = (queue, &require) else {
            let what = if queue.is_none() { "no such queue" } else { "a requirement nobody can meet" };
            let detail = format!("queue={} why={what}", plan.queue);
            self.log(now, Some(id), None, "queue-unknown", detail, out);
            let ended = ivr::Input::QueueEnded(ivr::QueueEnd::NoAgents);
            return self.work.push_back(Work::Visit(id, ended));
        };
        let queue = QueueId(queue as u32);
        let music = plan.music.map(|pieces| self.sounds(now, id, &pieces, out));
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.wait = Wait::Queue { queue };
        if call.queues.len() == QUEUES_MAX {
            call.queues.remove(0);
        }
        call.queues.push(crate::record::QueueVisit {
            queue,
            name: plan.queue.clone(),
            severity: plan.severity,
            entered: now,
            left: now,
            outcome: "waiting",
            agent: None,
            offers: 0,
        });
        let caller = call.legs[0].id;
        let (arrived, number) = (call.started, call.dialled.clone());
        if let Some(timeout) = plan.timeout {
            self.timers.set(Timer::Wait(id), now + timeout, "an agent, as long as the flow waits");
        }
        self.play_while_waiting(caller, music, out);
        let severity = plan.severity;
        let detail = format!("queue={} severity={severity}", plan.queue);
        self.log(now, Some(id), None, "call-queued", detail, out);
        let require = require.flatten();
        let queued = acd::Input::CallQueued { call: id, queue, require, severity, arrived, number };
        self.router.handle(now, queued, &mut self.router_out);
        let position = self.router.position(id).unwrap_or(0);
        self.story(id, StoryLine::Queued { queue: plan.queue, severity, position }, out);
        self.show_on_board(now, id, out);
    }

    /// Takes the call out of the line.
    pub(crate) fn leave_queue(
        &mut self,
        now: Time,
        id: CallId,
        outcome: &'static str,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !matches!(call.wait, Wait::Queue { .. }) || call.talking.is_some() {
            return;
        }
        call.wait = Wait::Nothing;
        call.left_queue(now, outcome);
        out.push(Output::Media(Command::Stop { leg: call.legs[0].id }));
        self.timers.cancel(&Timer::Wait(id));
        self.stop_ringing(now, id, "the caller left the queue", out);
        self.router.handle(now, acd::Input::CallEnded { call: id }, &mut self.router_out);
        self.log(now, Some(id), None, "queue-left", format!("outcome={outcome}"), out);
    }

    fn ring_agent(
        &mut self,
        now: Time,
        id: CallId,
        name: &str,
        timeout: Duration,
        music: Option<Vec<ivr::Piece>>,
        out: &mut Outbox<Output>,
    ) {
        let Some(agent) = self.settings.agent(name) else {
            let ended = ivr::Input::RingEnded(ivr::RingEnd::Unreachable);
            return self.work.push_back(Work::Visit(id, ended));
        };
        let music = music.map(|pieces| self.sounds(now, id, &pieces, out));
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.wait = Wait::Ring { agent };
        self.hold_the_line(now, id, music, out);
        self.timers.set(Timer::Wait(id), now + timeout, "the agent rung directly answers");
        self.router.handle(now, acd::Input::Direct { call: id, agent }, &mut self.router_out);
    }

    /// While somebody is rung for him: ring-back to a caller who has no answer yet, music to one who has.
    pub(crate) fn hold_the_line(
        &mut self,
        now: Time,
        id: CallId,
        music: Option<Arc<[media::Piece]>>,
        out: &mut Outbox<Output>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let caller = &call.legs[0];
        match caller.dialog {
            _ if caller.is_connected() => self.play_while_waiting(caller.id, music, out),
            Some(dialog) if caller.signalling == Signalling::Trying => {
                self.sip.ring(now, dialog, 180, None, &mut self.sip_out);
            }
            _ => {}
        }
    }

    /// Repeats this music, or the installation's.
    fn play_while_waiting(&self, leg: LegId, music: Option<Arc<[media::Piece]>>, out: &mut Outbox<Output>) {
        match music {
            Some(pieces) if !pieces.is_empty() => {
                let play = crate::caller::MUSIC;
                out.push(Output::Media(Command::Play { leg, play, pieces, repeat: true }));
            }
            _ => self.play_music(leg, out),
        }
    }

    /// Place and wait: of this call while it is in the line, else of one that would join it.
    fn estimate(&mut self, id: CallId, queue: &str, require: Option<String>, severity: Severity) {
        let Some(call) = self.calls.get(&id) else { return };
        let arrived = call.started;
        let known = match call.wait {
            Wait::Queue { .. } => self.router.estimate(id),
            _ => {
                let place = self.settings.roster.queues.iter().position(|q| &*q.name == queue);
                let require = require.map(|text| self.requirement(&text));
                match (place, require) {
                    (Some(_), Some(None)) | (None, _) => None,
                    (Some(i), require) => {
                        let require = require.flatten();
                        let queue = QueueId(i as u32);
                        self.router.estimate_to_join(queue, require.as_ref(), severity, arrived)
                    }
                }
            }
        };
        let (position, wait) = known.map_or((0, None), |e| (e.position, e.wait));
        self.work.push_back(Work::Visit(id, ivr::Input::Estimated { position, wait }));
    }

    fn consented(&mut self, now: Time, id: CallId, what: Arc<str>, granted: bool, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let kind = if granted { "consent-given" } else { "consent-refused" };
        let detail = format!("what={what}");
        if call.consents.len() < ANSWERS_MAX {
            call.consents.push(ConsentRecord { at: now, what, granted });
        }
        self.log(now, Some(id), None, kind, detail, out);
    }

    fn surveyed(&mut self, now: Time, id: CallId, survey: SurveyRecord, out: &mut Outbox<Output>) {
        let answered = survey.answers.iter().filter(|(_, mark)| mark.is_some()).count();
        let score = survey.score.map_or_else(|| "none".to_owned(), marks);
        let detail =
            format!("survey={} score={score} answered={answered}/{}", survey.survey, survey.answers.len());
        self.log(now, Some(id), None, "survey", detail.clone(), out);
        if survey.low {
            self.log(now, Some(id), None, "survey-low", detail, out);
            let plan = self.settings_of(Some(id)).surveys.get(&survey.survey);
            if let Some(service) = plan.and_then(|plan| plan.notify.clone()) {
                let answers: Vec<String> = survey
                    .answers
                    .iter()
                    .map(|(name, mark)| {
                        format!("\"{name}\":{}", mark.map_or_else(|| "null".to_owned(), |m| m.to_string()))
                    })
                    .collect();
                let score = survey.score.map_or_else(|| "null".to_owned(), marks);
                let fields = format!(
                    "\"survey\":\"{}\",\"score\":{score},\"answers\":{{{}}}",
                    survey.survey,
                    answers.join(",")
                );
                self.notify_event(now, id, &service, "survey-low", &fields, out);
            }
        }
        if let Some(call) = self.calls.get_mut(&id).filter(|call| call.surveys.len() < ANSWERS_MAX) {
            call.surveys.push(survey);
        }
    }

    /// A requirement as a flow wrote it, read once and remembered.
    pub(crate) fn requirement(&mut self, text: &str) -> Option<Requirement> {
        if let Some(known) = self.requirements.get(text) {
            return known.clone();
        }
        let read = Requirement::parse(text, &self.settings.roster).ok();
        if self.requirements.len() < REQUIREMENTS_MAX {
            self.requirements.insert(text.to_owned(), read.clone());
        }
        read
    }

    /// The flow waited long enough: out of the queue, or the rung agent did not come.
    pub(crate) fn wait_is_over(&mut self, now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get(&id).filter(|c| c.ending.is_none() && c.talking.is_none()) else {
            return;
        };
        match call.wait {
            Wait::Queue { .. } => {
                self.leave_queue(now, id, "timeout", out);
                self.work.push_back(Work::Visit(id, ivr::Input::QueueEnded(ivr::QueueEnd::Timeout)));
            }
            Wait::Ring { .. } => match call.offer.as_ref().map(|offer| offer.id) {
                // The router counts the miss, lets the agent rest, and has the phones stop.
                Some(offer) => {
                    self.router.handle(now, acd::Input::OfferRangOut { offer }, &mut self.router_out);
                }
                None => self.direct_ended(id, ivr::RingEnd::NoAnswer, out),
            },
            Wait::Outside { leg } => {
                self.hang_up_leg(now, leg, Cause::RangOut, "rang out", out);
                self.outside_ended(now, id, leg, ivr::RingEnd::NoAnswer, out);
            }
            Wait::Nothing => {}
        }
    }
}

/// Hundredths of a mark: `4.25`.
fn marks(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100)
}

struct QueuePlan {
    queue: Arc<str>,
    require: Option<String>,
    severity: Severity,
    timeout: Option<Duration>,
    music: Option<Vec<ivr::Piece>>,
}

impl Call {
    pub(crate) fn note_step(&mut self, now: Time, step: &Arc<str>) {
        if self.path.len() < PATH_MAX {
            self.path.push((now.since(self.started), step.clone()));
        }
    }

    pub(crate) fn note_var(&mut self, name: Arc<str>, value: String, masked: bool) {
        let value = if masked { "*".repeat(value.chars().count()) } else { value };
        match self.vars.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.vars.push((name, value)),
        }
    }

    /// Closes the open stay in a queue.
    pub(crate) fn left_queue(&mut self, now: Time, outcome: &'static str) {
        if let Some(stay) = self.queues.last_mut().filter(|stay| stay.outcome == "waiting") {
            stay.left = now;
            stay.outcome = outcome;
        }
    }

    pub(crate) fn serving_agent(&self) -> Option<AgentId> {
        self.talking.as_ref().and_then(|t| t.agent).or(self.offer.as_ref().map(|o| o.agent))
    }

    /// The number outside that is rung or talked to, as records call it.
    pub(crate) fn outside(&self) -> Option<Arc<str>> {
        let leg = match (&self.talking, self.wait) {
            (Some(talking), _) => talking.leg,
            (None, Wait::Outside { leg }) => leg,
            (None, _) => return None,
        };
        let row = self.legs.iter().rev().find(|row| row.id == leg && row.party == Party::Outside)?;
        Some(crate::outside::outside_name(row.trunk.as_deref()).into())
    }
}
