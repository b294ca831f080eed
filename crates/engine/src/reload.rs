//! Another installation for a running engine: new calls go by it, calls in progress keep theirs.
//!
//! *Invariant:* a call keeps the settings it began with (numbers, flows, prompts); agents and queues are the same for
//! all, in rows that keep their places ([`acd::Roster::renewed`]). What a running engine cannot change (addresses,
//! ports, realm, how many calls) is what it was at the start.

use crate::agents::AgentRow;
use crate::engine::Engine;
use crate::interface::{Output, Reply, StoryLine};
use crate::settings::{CallLimits, MediaSettings, Prompts, Settings};
use hotline_core::{AgentId, CallId, Outbox, Time};
use sip::Account;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an engine is to serve from now on.
#[derive(Clone, Debug)]
pub enum Change {
    /// Every new call; ends a trial.
    Serve(Settings),
    /// Only these new calls, the others go on as they do: a canary.
    Try(Settings, Share),
    /// Every new call takes what is on trial.
    Promote,
    /// No new call takes what is on trial any more.
    Abort,
}

/// Which callers a trial takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Share {
    /// In ten thousand; the same callers each time. Who hides his number is drawn by the call.
    Calls(u16),
    /// These numbers, as [`ivr::plain_number`] writes them without a country.
    Callers(BTreeSet<String>),
}

/// Settings that some callers get already.
#[derive(Debug)]
pub(crate) struct Canary {
    settings: Arc<Settings>,
    share: Share,
}

impl Share {
    /// Whether this caller is one of them.
    pub fn takes(&self, version: &str, caller: &str, call_id: &str) -> bool {
        match self {
            Share::Calls(share) => {
                let who = if caller.is_empty() || caller == "anonymous" { call_id } else { caller };
                draw(version, who) % 10_000 < u64::from(*share)
            }
            Share::Callers(callers) => callers.contains(&ivr::plain_number(caller, "")),
        }
    }
}

/// FNV-1a, and its high half folded in: the same on every machine and in every build.
fn draw(version: &str, who: &str) -> u64 {
    let bytes = version.bytes().chain([0]).chain(who.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    hash ^ (hash >> 32)
}

impl Engine {
    /// The settings for a new call.
    pub(crate) fn settings_for(&self, caller: &str, call_id: &str) -> Arc<Settings> {
        match &self.canary {
            Some(canary) if canary.share.takes(&canary.settings.version.hash, caller, call_id) => {
                canary.settings.clone()
            }
            _ => self.served.clone(),
        }
    }

    /// The installation as it was when the call began; as it is now for what belongs to no call.
    pub(crate) fn settings_of(&self, call: Option<CallId>) -> &Arc<Settings> {
        call.and_then(|call| self.calls.get(&call)).map_or(&self.served, |call| &call.settings)
    }

    /// The prompts as they were when the call began.
    pub(crate) fn prompts_of(&self, call: CallId) -> &Prompts {
        &self.settings_of(Some(call)).prompts
    }

    pub(crate) fn change(
        &mut self,
        now: Time,
        ticket: u64,
        change: Change,
        by: &str,
        out: &mut Outbox<Output>,
    ) {
        let reply = match self.take(change) {
            Ok((kind, said)) => {
                self.renew(now, out);
                self.log(now, None, None, kind, format!("{said} by={by}"), out);
                out.push(Output::Story {
                    call: None,
                    line: StoryLine::Note(format!("{kind}: {said}, by {by}")),
                });
                Reply::Done(said)
            }
            Err(why) => Reply::Error(why),
        };
        out.push(Output::Reply { ticket, reply });
    }

    /// What it is in the log, and in words.
    fn take(&mut self, change: Change) -> Result<(&'static str, String), String> {
        let nothing = || "nothing is on trial".to_owned();
        Ok(match change {
            Change::Serve(settings) => {
                self.canary = None;
                self.served = Arc::new(self.fixed(settings));
                ("reloaded", format!("version={}", self.served.version))
            }
            Change::Try(settings, share) => {
                let settings = Arc::new(self.fixed(settings));
                let of = match &share {
                    Share::Calls(share) => format!("share={}%", f64::from(*share) / 100.0),
                    Share::Callers(callers) => format!("callers={}", callers.len()),
                };
                let said = format!("version={} {of}", settings.version);
                self.canary = Some(Canary { settings, share });
                ("canary-started", said)
            }
            Change::Promote => {
                self.served = self.canary.take().ok_or_else(nothing)?.settings;
                ("canary-promoted", format!("version={}", self.served.version))
            }
            Change::Abort => {
                let canary = self.canary.take().ok_or_else(nothing)?;
                (
                    "canary-aborted",
                    format!("version={} back={}", canary.settings.version, self.served.version),
                )
            }
        })
    }

    /// With what a running engine cannot change as it is.
    fn fixed(&self, settings: Settings) -> Settings {
        let MediaSettings { ports, port_rest, threads, .. } = self.settings.media;
        Settings {
            sip: self.settings.sip.clone(),
            media: MediaSettings { ports, port_rest, threads, ..settings.media },
            limits: CallLimits { calls: self.settings.limits.calls, ..settings.limits },
            epoch_unix: self.settings.epoch_unix,
            ..settings
        }
    }

    /// Agents, queues and accounts as the settings that are served, and those on trial, have them.
    fn renew(&mut self, now: Time, out: &mut Outbox<Output>) {
        let mut live = vec![self.served.clone()];
        live.extend(self.canary.as_ref().map(|canary| canary.settings.clone()));
        let rosters: Vec<&acd::Roster> = live.iter().map(|s| &*s.roster).collect();
        let roster = Arc::new(self.settings.roster.renewed(&rosters));
        let of = |s: &'_ Arc<Settings>| {
            s.roster.agents.iter().map(|a| a.name.clone()).zip(s.accounts.clone()).collect::<Vec<_>>()
        };
        // The first that knows a name has the last word.
        let known: BTreeMap<Arc<str>, Account> = live.iter().rev().flat_map(of).collect();
        let accounts: Vec<Option<Account>> =
            roster.agents.iter().map(|a| known.get(&a.name).cloned()).collect();
        self.sip.set_accounts(accounts.iter().flatten().cloned().collect());
        self.known = accounts.iter().map(Option::is_some).collect();
        // A name that nobody can register keeps the row of an agent who is gone.
        let nobody = || Account { user: String::new(), ha1: Vec::new() };
        let accounts = accounts.into_iter().map(|a| a.unwrap_or_else(nobody)).collect();
        self.settings = Arc::new(Settings { roster: roster.clone(), accounts, ..(*self.served).clone() });
        self.requirements.clear();
        self.agents.resize_with(roster.agents.len(), AgentRow::default);
        self.router.reload(now, roster, &mut self.router_out);
        for i in 0..self.known.len() {
            let agent = AgentId(i as u32);
            if self.known[i] {
                let user = self.account_user(agent);
                let contacts = self.sip.contacts(now, &user).len();
                self.phones_changed(now, agent, contacts, false, out);
            } else {
                self.dismiss(now, agent, out);
            }
        }
    }

    /// His phones are no phones of ours any more; a conversation he is in goes on to its end.
    fn dismiss(&mut self, now: Time, agent: AgentId, out: &mut Outbox<Output>) {
        let row = &mut self.agents[agent.0 as usize];
        let was_here = std::mem::take(&mut row.contacts) > 0;
        row.forget_pause();
        self.router.handle(now, acd::Input::AgentOffline { agent }, &mut self.router_out);
        if was_here {
            self.log(now, None, Some(self.agent_name(agent)), "agent-removed", String::new(), out);
        }
        self.show_agent(now, agent, out);
    }

    /// Agents to show: those of the installation, and who is gone but still on the phone.
    pub(crate) fn shown_agents(&self) -> impl Iterator<Item = AgentId> {
        (0..self.known.len() as u32).map(AgentId).filter(|agent| self.is_shown(*agent))
    }

    pub(crate) fn is_shown(&self, agent: AgentId) -> bool {
        let i = agent.0 as usize;
        self.known.get(i).is_some_and(|known| *known)
            || self.agents.get(i).is_some_and(|row| row.call.is_some())
    }

    /// Queues to show: those of the installation, and those in which somebody is served yet.
    pub(crate) fn shows_queue(&self, name: &str, in_use: bool) -> bool {
        let has = |settings: &Settings| settings.roster.queues.iter().any(|q| &*q.name == name);
        in_use || has(&self.served) || self.canary.as_ref().is_some_and(|canary| has(&canary.settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_steady_and_about_right() {
        let five = Share::Calls(500);
        let taken = |version: &str| -> Vec<u32> {
            (0..20_000u32).filter(|n| five.takes(version, &format!("1380013{n:04}"), "x")).collect()
        };
        let (first, other) = (taken("aaaa"), taken("bbbb"));
        assert_eq!(first, taken("aaaa"));
        assert!((900..1100).contains(&first.len()), "{} of 20,000", first.len());
        let both = first.iter().filter(|n| other.contains(n)).count();
        assert!(both < 100, "{both} callers are in every trial");
        assert!(!Share::Calls(0).takes("v", "1", "x") && Share::Calls(10_000).takes("v", "1", "x"));
    }

    #[test]
    fn whoever_hides_his_number_is_drawn_by_the_call() {
        let half = Share::Calls(5_000);
        for caller in ["", "anonymous"] {
            let taken = (0..1000).filter(|n| half.takes("v", caller, &format!("call{n}@host"))).count();
            assert!((400..600).contains(&taken), "{taken}");
        }
    }

    #[test]
    fn a_list_takes_its_numbers_however_they_are_written() {
        let list = Share::Callers(BTreeSet::from([ivr::plain_number("138 0013 8000", "")]));
        assert!(list.takes("v", "13800138000", "x"));
        assert!(!list.takes("v", "13800138001", "x") && !list.takes("v", "", "x"));
    }
}
