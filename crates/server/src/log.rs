//! What the log says: per call INFO, per step and leg DEBUG, per key TRACE. Every line about a call carries
//! `call`, about a leg `leg`. No numbers of callers, no keys, no addresses of theirs at any level.
use crate::machine::Told;
use engine::{LogEvent, StoryLine};
use hotline_core::{CallId, LegId};
use tracing::field::display;
use tracing::{debug, info, trace, warn};

pub fn story(told: &Told) {
    let call = told.call.map(display);
    match &told.line {
        StoryLine::Registered { agent, contacts } => info!(%agent, contacts, "a phone registered"),
        StoryLine::Unregistered { agent, expired } => info!(%agent, expired, "a phone is gone"),
        StoryLine::Arrived { caller: _, dialled } => info!(call, dialled, "a call arrived"),
        StoryLine::Refused { code, why } => info!(call, code, why, "refused"),
        StoryLine::Answered => debug!(call, "answered"),
        StoryLine::Step { step } => debug!(call, %step, "step"),
        StoryLine::Pressed { digit: _ } => trace!(call, "a key"),
        StoryLine::Queued { queue, severity, position } => {
            debug!(call, %queue, ?severity, position, "waits in a queue");
        }
        StoryLine::Offered { agent } => debug!(call, %agent, "an agent is rung"),
        StoryLine::OfferEnded { agent, why } => debug!(call, %agent, why, "the agent did not take it"),
        StoryLine::Connected { agent, waited } => {
            info!(call, %agent, waited_ms = waited.as_millis() as u64, "connected");
        }
        StoryLine::Held { party, on } => debug!(call, %party, on, "hold"),
        StoryLine::AgentState { agent, state } => info!(call, %agent, state, "an agent's state changed"),
        StoryLine::Ended { cause, length } => {
            info!(call, %cause, length_ms = length.as_millis() as u64, "ended");
        }
        // Written for the console, which may show what a log may not.
        StoryLine::Note(_) => debug!(call, "a note on the console"),
    }
}

pub fn event(event: &LogEvent) {
    let LogEvent { at: _, call, agent, kind, detail } = event;
    debug!(call = call.map(display), agent = agent.as_deref(), kind, detail, "event");
}

pub fn media(event: &media::Event) {
    use media::Event;
    match event {
        Event::Opened { leg, .. } => debug!(call = %call_of(*leg), %leg, "media open"),
        Event::Failed { leg, why } => warn!(call = %call_of(*leg), %leg, why, "no media for a leg"),
        Event::Heard { leg, .. } => debug!(call = %call_of(*leg), %leg, "the first audio arrived"),
        Event::Silent { leg, .. } => debug!(call = %call_of(*leg), %leg, "no audio arrives any more"),
        Event::Digit { leg, .. } => trace!(call = %call_of(*leg), %leg, "a key"),
        Event::Played { leg, play, .. } => trace!(call = %call_of(*leg), %leg, %play, "played"),
        Event::Closed { leg, stats } => debug!(
            call = %call_of(*leg),
            %leg,
            packets_received = stats.packets_received,
            packets_lost = stats.packets_lost,
            packets_sent = stats.packets_sent,
            "media closed"
        ),
    }
}

/// A leg's id is that of its call and a number below 256.
fn call_of(leg: LegId) -> CallId {
    CallId(leg.0 >> 8)
}
