//! The people and systems around a flow, as a test (or chance) plays them.

use acd::{Requirement, Roster};
use hotline_core::{AgentId, QueueId, Rng, Severity, Time};
use ivr::{
    BotEnd, CallbackEnd, HttpFailure, HttpMethod, HttpPart, HttpRequest, HttpResult, HttpText, MessageEnd,
    QueueEnd, RingEnd,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A call that joins a line.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub queue: &'a str,
    pub require: Option<&'a str>,
    pub severity: Severity,
}

/// What becomes of a caller who waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinePlan {
    /// An agent answers after a time and hangs up after another.
    Served { after: Duration, agent: Arc<str>, talk: Duration },
    /// It ends otherwise: `queue` for a line, `ring` for somebody who is rung.
    Ended { after: Duration, queue: QueueEnd, ring: RingEnd },
    /// Nothing happens until the flow's own timeout.
    Never,
}

/// Who answers what a visit asks.
pub trait Others {
    fn queue(&mut self, asked: Asked<'_>) -> LinePlan;
    fn estimate(&mut self, asked: Asked<'_>, now: Time) -> (u32, Option<Duration>);
    fn ring(&mut self, who: &str) -> LinePlan;
    /// None: nobody answers, and the flow's own timeout decides.
    fn http(&mut self, request: &HttpRequest) -> Option<(Duration, HttpResult)>;
    fn announcements(&mut self, of: &[Arc<str>]) -> Vec<Arc<str>>;
    fn message(&mut self, mailbox: &str, max: Duration) -> (Duration, MessageEnd);
    fn callback(&mut self, queue: &str, number: &str) -> CallbackEnd;
    fn bot(&mut self, bot: &str, timeout: Duration) -> (Duration, BotEnd);
}

/// One answer of another system.
#[derive(Clone, Debug)]
pub struct HttpMock {
    pub service: Option<Arc<str>>,
    pub method: Option<HttpMethod>,
    /// What the URL must be, or end with; `*` stands for anything.
    pub url: Option<Arc<str>>,
    pub after: Duration,
    pub result: HttpResult,
}

/// As a test says; what it does not mention happens as on a good day.
#[derive(Clone, Debug)]
pub struct Scripted {
    pub roster: Arc<Roster>,
    /// Agents signed in; None: all of them.
    pub signed_in: Option<BTreeSet<Arc<str>>>,
    pub queues: BTreeMap<Arc<str>, LinePlan>,
    /// Place in the line and estimated wait, by queue.
    pub estimates: BTreeMap<Arc<str>, (u32, Option<Duration>)>,
    pub rings: BTreeMap<Arc<str>, LinePlan>,
    pub http: Vec<HttpMock>,
    pub announcements: BTreeSet<Arc<str>>,
    pub message: MessageEnd,
    pub callback: CallbackEnd,
    pub bots: BTreeMap<Arc<str>, (Duration, BotEnd)>,
    /// Requests that no mock answered.
    pub unanswered: Vec<String>,
}

/// On a good day an agent answers after this, and talks so long.
const GOOD_WAIT: Duration = Duration::from_secs(10);
const GOOD_TALK: Duration = Duration::from_secs(60);

impl Scripted {
    pub fn new(roster: Arc<Roster>) -> Scripted {
        Scripted {
            roster,
            signed_in: None,
            queues: BTreeMap::new(),
            estimates: BTreeMap::new(),
            rings: BTreeMap::new(),
            http: Vec::new(),
            announcements: BTreeSet::new(),
            message: MessageEnd::Kept,
            callback: CallbackEnd::Taken,
            bots: BTreeMap::new(),
            unanswered: Vec::new(),
        }
    }

    /// The first agent signed in who may serve it, by the real requirement of queue and call.
    fn agent_for(&self, asked: Asked<'_>) -> Option<Arc<str>> {
        let queue = self.roster.queues.iter().position(|q| &*q.name == asked.queue)?;
        let require = asked.require.map(|text| Requirement::parse(text, &self.roster)).transpose().ok()?;
        let candidates = self.roster.candidates(QueueId(queue as u32), require.as_ref());
        let name = |id: AgentId| self.roster.agents[id.0 as usize].name.clone();
        let here = |name: &Arc<str>| self.signed_in.as_ref().is_none_or(|here| here.contains(name));
        candidates.into_iter().map(name).find(here)
    }
}

impl Others for Scripted {
    fn queue(&mut self, asked: Asked<'_>) -> LinePlan {
        let agent = self.agent_for(asked);
        match (self.queues.get(asked.queue), agent) {
            (Some(LinePlan::Served { after, agent, talk }), found) => {
                let agent =
                    if agent.is_empty() { found.unwrap_or_else(|| "agent".into()) } else { agent.clone() };
                LinePlan::Served { after: *after, agent, talk: *talk }
            }
            (Some(plan), _) => plan.clone(),
            (None, Some(agent)) => LinePlan::Served { after: GOOD_WAIT, agent, talk: GOOD_TALK },
            (None, None) => LinePlan::Ended {
                after: Duration::ZERO,
                queue: QueueEnd::NoAgents,
                ring: RingEnd::Unreachable,
            },
        }
    }

    fn estimate(&mut self, asked: Asked<'_>, _: Time) -> (u32, Option<Duration>) {
        self.estimates.get(asked.queue).copied().unwrap_or((1, None))
    }

    fn ring(&mut self, who: &str) -> LinePlan {
        let known = self.roster.agents.iter().any(|a| &*a.name == who)
            && self.signed_in.as_ref().is_none_or(|here| here.contains(who));
        let number = who.chars().all(|c| c.is_ascii_digit() || c == '+');
        match self.rings.get(who) {
            Some(plan) => plan.clone(),
            None if known || number => {
                LinePlan::Served { after: GOOD_WAIT, agent: who.into(), talk: GOOD_TALK }
            }
            None => LinePlan::Ended {
                after: Duration::ZERO,
                queue: QueueEnd::NoAgents,
                ring: RingEnd::Unreachable,
            },
        }
    }

    fn http(&mut self, request: &HttpRequest) -> Option<(Duration, HttpResult)> {
        let url = text(&request.url);
        let found = self.http.iter().find(|mock| {
            mock.service.as_ref().is_none_or(|s| *s == request.service)
                && mock.method.is_none_or(|m| m == request.method)
                && mock.url.as_ref().is_none_or(|u| fits(u, &url) || fits(&format!("*{u}"), &url))
        });
        match found {
            Some(mock) => Some((mock.after, mock.result.clone())),
            None => {
                self.unanswered.push(shown(request));
                Some((Duration::ZERO, HttpResult::Failed(HttpFailure::Refused)))
            }
        }
    }

    fn announcements(&mut self, of: &[Arc<str>]) -> Vec<Arc<str>> {
        of.iter().filter(|name| self.announcements.contains(*name)).cloned().collect()
    }

    fn message(&mut self, _: &str, max: Duration) -> (Duration, MessageEnd) {
        let after = match self.message {
            MessageEnd::Kept | MessageEnd::Empty => Duration::from_secs(20).min(max),
            MessageEnd::Full => Duration::ZERO,
        };
        (after, self.message)
    }

    fn callback(&mut self, _: &str, number: &str) -> CallbackEnd {
        if number.is_empty() { CallbackEnd::Invalid } else { self.callback }
    }

    fn bot(&mut self, bot: &str, _: Duration) -> (Duration, BotEnd) {
        let planned = self.bots.get(bot).cloned();
        planned.unwrap_or((Duration::from_secs(30), BotEnd::Finished(Vec::new())))
    }
}

/// Whatever may happen, happens, by chance.
#[derive(Clone, Debug)]
pub struct Chance {
    pub rng: Rng,
}

impl Chance {
    fn short(&mut self) -> Duration {
        Duration::from_millis(self.rng.below(60_000))
    }

    fn line(&mut self) -> LinePlan {
        let after = self.short();
        let ended = |queue, ring| LinePlan::Ended { after, queue, ring };
        match self.rng.below(8) {
            0..=2 => LinePlan::Served { after, agent: "agent".into(), talk: Duration::from_secs(30) },
            3 => ended(QueueEnd::Full, RingEnd::Busy),
            4 => ended(QueueEnd::NoAgents, RingEnd::Unreachable),
            5 => ended(QueueEnd::Timeout, RingEnd::NoAnswer),
            6 => ended(QueueEnd::Served, RingEnd::Refused),
            _ => LinePlan::Never,
        }
    }

    fn json(&mut self, depth: u32) -> String {
        match self.rng.below(if depth == 0 { 5 } else { 7 }) {
            0 => format!("{}", self.rng.next_u32() as i32),
            1 => "true".into(),
            2 => "null".into(),
            3 => format!("\"{}\"", self.rng.token(6)),
            4 => "\"\"".into(),
            5 => format!("[{}]", self.json(depth - 1)),
            _ => {
                let keys = ["name", "class", "id", "status", "data", "open", "number", "level"];
                let key = keys[self.rng.below(keys.len() as u64) as usize];
                format!("{{\"{key}\":{}}}", self.json(depth - 1))
            }
        }
    }
}

impl Others for Chance {
    fn queue(&mut self, _: Asked<'_>) -> LinePlan {
        self.line()
    }
    fn estimate(&mut self, _: Asked<'_>, _: Time) -> (u32, Option<Duration>) {
        let wait = if self.rng.chance(0.3) { None } else { Some(Duration::from_secs(self.rng.below(7200))) };
        (self.rng.below(50) as u32 + 1, wait)
    }
    fn ring(&mut self, _: &str) -> LinePlan {
        self.line()
    }
    fn http(&mut self, _: &HttpRequest) -> Option<(Duration, HttpResult)> {
        let after = Duration::from_millis(self.rng.below(3000));
        let failures =
            [HttpFailure::Timeout, HttpFailure::Refused, HttpFailure::CircuitOpen, HttpFailure::WrongType];
        Some(match self.rng.below(10) {
            0 => return None,
            1..=2 => (after, HttpResult::Failed(failures[self.rng.below(4) as usize])),
            3 => (after, HttpResult::Answered { status: 404, body: "".into() }),
            4 => (after, HttpResult::Answered { status: 503, body: self.json(2).into() }),
            _ => (after, HttpResult::Answered { status: 200, body: self.json(3).into() }),
        })
    }
    fn announcements(&mut self, of: &[Arc<str>]) -> Vec<Arc<str>> {
        of.iter().filter(|_| self.rng.chance(0.3)).cloned().collect()
    }
    fn message(&mut self, _: &str, max: Duration) -> (Duration, MessageEnd) {
        let ends = [MessageEnd::Kept, MessageEnd::Empty, MessageEnd::Full];
        (self.short().min(max), ends[self.rng.below(3) as usize])
    }
    fn callback(&mut self, _: &str, _: &str) -> CallbackEnd {
        [CallbackEnd::Taken, CallbackEnd::Full, CallbackEnd::Invalid][self.rng.below(3) as usize]
    }
    fn bot(&mut self, _: &str, _: Duration) -> (Duration, BotEnd) {
        let learnt = vec![(Arc::from("topic"), self.rng.token(5))];
        let end = match self.rng.below(3) {
            0 => BotEnd::Finished(learnt),
            1 => BotEnd::HandOver(learnt),
            _ => BotEnd::Failed,
        };
        (self.short(), end)
    }
}

/// `GET https://crm/customers/1`; secrets by their names.
pub fn shown(request: &HttpRequest) -> String {
    format!("{} {}", request.method.as_str(), text(&request.url))
}

fn text(filled: &HttpText) -> String {
    let part = |part: &HttpPart| match part {
        HttpPart::Text(text) => text.to_string(),
        HttpPart::Secret(name) => format!("{{secret.{name}}}"),
    };
    filled.0.iter().map(part).collect()
}

/// Whether a text is as a pattern with `*` for anything says.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*/customers/*", "https://crm/customers/1", true),
            ("*/customers/*/x", "https://crm/customers/1", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
