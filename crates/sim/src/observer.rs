//! An observer who believes only what he sees come out of the engine, and keeps his own books.

use crate::day::Violation;
use acd::Roster;
use engine::{CallRecord, LogEvent};
use hotline_core::{CallId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Observer {
    /// Calls that arrived and have no record yet.
    open: BTreeSet<CallId>,
    /// Calls that have not ended, by number dialled.
    living: BTreeMap<CallId, String>,
    recorded: BTreeSet<CallId>,
    /// Which call an agent is rung for or talks with.
    engaged: BTreeMap<Arc<str>, BTreeSet<CallId>>,
    /// Who serves or is offered a call.
    served_by: BTreeMap<CallId, Arc<str>>,
    /// The queue of an offer, and since when they talk.
    offers: BTreeMap<CallId, (Option<String>, Option<Time>)>,
    /// Until when an agent must not be rung.
    wrap_up: BTreeMap<Arc<str>, Time>,
    /// Talks of a call that were long enough for both to have been joined.
    talks: BTreeMap<CallId, u32>,
    pub arrived: u64,
    pub refused: u64,
    pub keys: u64,
    pub connected: u64,
    pub promises_missed: u64,
}

impl Observer {
    pub fn log(&mut self, event: &LogEvent, roster: &Roster, limits: &Limits) -> Result<(), Violation> {
        let call = event.call;
        let agent = event.agent.clone();
        match (event.kind, call, agent) {
            ("call-arrived", Some(call), _) => {
                self.arrived += 1;
                if !self.open.insert(call) || self.recorded.contains(&call) {
                    return Err(Violation::new(format!("{call} arrived twice")));
                }
                let number = event.detail.strip_prefix("number=").unwrap_or_default().to_owned();
                self.living.insert(call, number.clone());
                let here = self.living.values().filter(|n| **n == number).count();
                if self.living.len() > limits.calls as usize {
                    return Err(Violation::new(format!(
                        "{} calls above the node's limit",
                        self.living.len()
                    )));
                }
                if limits.by_number.get(&number).copied().flatten().is_some_and(|limit| here > limit as usize)
                {
                    return Err(Violation::new(format!("{here} calls above the limit of {number}")));
                }
            }
            ("call-refused", _, _) => self.refused += 1,
            ("agent-ready", _, Some(agent)) => drop(self.wrap_up.remove(&agent)),
            ("agent-state", _, Some(agent)) if event.detail.starts_with("state=offline") => {
                self.wrap_up.remove(&agent);
            }
            ("offer-made", Some(call), Some(agent)) => {
                if let Some(until) = self.wrap_up.remove(&agent).filter(|until| *until > event.at) {
                    return Err(Violation::new(format!("{agent} is rung in his wrap-up, until {until}")));
                }
                let queue = event.detail.split_once("queue=").map(|(_, queue)| queue.to_owned());
                self.offers.insert(call, (queue, None));
                if let Some(other) = self.served_by.insert(call, agent.clone()) {
                    return Err(Violation::new(format!("{call} is offered to {agent} while with {other}")));
                }
                let calls = self.engaged.entry(agent.clone()).or_default();
                calls.insert(call);
                let capacity =
                    roster.agents.iter().find(|a| a.name == agent).map_or(0, |a| a.capacity as usize);
                if calls.len() > capacity {
                    return Err(Violation::new(format!("{agent} has {calls:?}, above capacity {capacity}")));
                }
                self.check_limits(roster)?;
            }
            ("offer-ended" | "agent-left", Some(call), Some(agent)) => {
                self.release(event.at, call, &agent, roster)
            }
            ("connected", Some(call), Some(agent)) => {
                self.connected += 1;
                if let Some((_, since)) = self.offers.get_mut(&call) {
                    *since = Some(event.at);
                }
                if self.served_by.get(&call) != Some(&agent) {
                    return Err(Violation::new(format!("{agent} has {call} without an offer")));
                }
            }
            ("call-ended", Some(call), _) => {
                self.living.remove(&call);
                if let Some(agent) = self.served_by.get(&call).cloned() {
                    self.release(event.at, call, &agent, roster);
                }
            }
            ("promise-missed", ..) => self.promises_missed += 1,
            _ => {}
        }
        Ok(())
    }

    fn release(&mut self, now: Time, call: CallId, agent: &Arc<str>, roster: &Roster) {
        if let Some((queue, Some(since))) = self.offers.remove(&call) {
            // Opening media and an answer that comes with the ACK take their time.
            if now.since(since) > Duration::from_secs(40) {
                *self.talks.entry(call).or_default() += 1;
            }
            if let Some(queue) = roster.queues.iter().find(|q| Some(&*q.name) == queue.as_deref()) {
                self.wrap_up.insert(agent.clone(), now + queue.wrap_up);
            }
        }
        self.served_by.remove(&call);
        if let Some(calls) = self.engaged.get_mut(agent) {
            calls.remove(&call);
        }
    }

    fn check_limits(&self, roster: &Roster) -> Result<(), Violation> {
        let with_agents = self.engaged.values().map(BTreeSet::len).sum::<usize>();
        if roster.node_limit.is_some_and(|limit| with_agents > limit as usize) {
            return Err(Violation::new(format!("{with_agents} calls with agents above the node's limit")));
        }
        for (i, pool) in roster.pools.iter().enumerate() {
            let of_pool =
                |name: &Arc<str>| roster.agents.iter().any(|a| a.name == *name && a.pool.0 as usize == i);
            let here: usize =
                self.engaged.iter().filter(|(name, _)| of_pool(name)).map(|(_, c)| c.len()).sum();
            if pool.limit.is_some_and(|limit| here > limit as usize) {
                return Err(Violation::new(format!("{here} calls above the limit of pool {}", pool.name)));
            }
        }
        Ok(())
    }

    /// `bridges`: how often the caller was joined with an agent.
    pub fn record(&mut self, record: &CallRecord, bridges: u32) -> Result<(), Violation> {
        let talks = self.talks.remove(&record.call).unwrap_or(0);
        if talks > bridges {
            return Err(Violation::new(format!("{} talked {talks} times, heard {bridges}", record.call)));
        }
        self.keys += record.digits.len() as u64;
        if !self.recorded.insert(record.call) || !self.open.remove(&record.call) {
            return Err(Violation::new(format!("{} has two records, or none was due", record.call)));
        }
        if self.living.contains_key(&record.call) {
            return Err(Violation::new(format!("{} has its record before its end", record.call)));
        }
        let ordered = record.started <= record.ended && record.answered.is_none_or(|a| a >= record.started);
        let talked =
            record.legs.iter().filter(|leg| leg.party != "caller").all(|leg| leg.ended >= leg.started);
        if !ordered || !talked {
            return Err(Violation::new(format!("{} ends before it begins", record.call)));
        }
        Ok(())
    }

    /// At the end of the day.
    pub fn nothing_left(&self) -> Result<(), Violation> {
        if let Some(call) = self.open.first() {
            return Err(Violation::new(format!("{call} has no record")));
        }
        if let Some((agent, calls)) = self.engaged.iter().find(|(_, calls)| !calls.is_empty()) {
            return Err(Violation::new(format!("{agent} is still held by {calls:?}")));
        }
        Ok(())
    }

    pub fn records(&self) -> u64 {
        self.recorded.len() as u64
    }
}

#[derive(Debug)]
pub(crate) struct Limits {
    pub calls: u32,
    pub by_number: BTreeMap<String, Option<u32>>,
}
