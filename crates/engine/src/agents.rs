//! Agents: who is signed in, what state they are in, and the feature codes they dial.

use crate::call::{Driver, Want};
use crate::engine::Engine;
use crate::interface::{AgentView, BoardUpdate, Output, StoryLine};
use acd::AgentState;
use hotline_core::{AgentId, CallId, Cause, Outbox, PlayId, Time};
use media::Command;
use sip::{DialogId, Invitation};
use std::sync::Arc;
use std::time::Duration;

/// The one sound of a feature code's confirmation.
const CONFIRMATION: PlayId = PlayId(1);

/// What the engine knows of an agent beside the router.
#[derive(Clone, Default, Debug)]
pub(crate) struct AgentRow {
    pub contacts: usize,
    /// A pause asked for by a person survives a phone that restarts.
    paused: Option<String>,
    pub since: Time,
    pub call: Option<CallId>,
    /// Why the router put the agent in the state it is in.
    pub why: Option<String>,
}

impl AgentRow {
    pub fn forget_pause(&mut self) {
        self.paused = None;
    }
}

/// What an agent, or somebody for him, asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    Ready,
    Pause(String),
    Logout,
}

impl Engine {
    pub(crate) fn agent_of_account(&self, user: &str) -> Option<AgentId> {
        self.settings.accounts.iter().position(|a| a.user == user).map(|i| AgentId(i as u32))
    }

    pub(crate) fn account_user(&self, agent: AgentId) -> String {
        self.settings.accounts.get(agent.0 as usize).map_or_else(String::new, |a| a.user.clone())
    }

    pub(crate) fn agent_talks(&mut self, agent: AgentId, call: Option<CallId>) {
        if let Some(row) = self.agents.get_mut(agent.0 as usize) {
            row.call = call;
        }
    }

    /// The phones of a user changed: the first one signs the agent in, the last one out.
    pub(crate) fn registered(
        &mut self,
        now: Time,
        user: &str,
        contacts: usize,
        expired: bool,
        out: &mut Outbox<Output>,
    ) {
        if let Some(agent) = self.agent_of_account(user) {
            self.phones_changed(now, agent, contacts, expired, out);
        }
    }

    pub(crate) fn phones_changed(
        &mut self,
        now: Time,
        agent: AgentId,
        contacts: usize,
        expired: bool,
        out: &mut Outbox<Output>,
    ) {
        let name = self.agent_name(agent);
        let row = &mut self.agents[agent.0 as usize];
        let before = std::mem::replace(&mut row.contacts, contacts);
        let (kind, line) = match contacts {
            0 => ("unregistered", StoryLine::Unregistered { agent: name.clone(), expired }),
            _ => ("registered", StoryLine::Registered { agent: name.clone(), contacts }),
        };
        if before != contacts {
            out.push(Output::Story { call: None, line });
            self.log(now, None, Some(name), kind, format!("phones={contacts} expired={expired}"), out);
        }
        let row = &mut self.agents[agent.0 as usize];
        if before == 0 && contacts > 0 {
            let input = match row.paused.clone() {
                Some(reason) => acd::Input::AgentPaused { agent, reason },
                None => acd::Input::AgentReady { agent },
            };
            self.router.handle(now, input, &mut self.router_out);
        } else if before > 0 && contacts == 0 {
            self.router.handle(now, acd::Input::AgentOffline { agent }, &mut self.router_out);
        }
        self.show_agent(now, agent, out);
        self.light_agent(now, agent);
    }

    /// Sets an agent's state for him or for whoever may. The error says what to do instead.
    pub(crate) fn wish(
        &mut self,
        now: Time,
        agent: AgentId,
        wish: Wish,
        by: &str,
        out: &mut Outbox<Output>,
    ) -> Result<(), String> {
        let name = self.agent_name(agent);
        let row = &mut self.agents[agent.0 as usize];
        if row.contacts == 0 {
            return Err(format!("agent `{name}` has no phone registered; register it first"));
        }
        let (kind, input, detail) = match wish {
            Wish::Ready => {
                row.paused = None;
                ("agent-ready", acd::Input::AgentReady { agent }, String::new())
            }
            Wish::Pause(reason) => {
                row.paused = Some(reason.clone());
                let detail = format!(" reason={reason}");
                ("agent-pause", acd::Input::AgentPaused { agent, reason }, detail)
            }
            Wish::Logout => {
                row.paused = None;
                ("agent-logout", acd::Input::AgentOffline { agent }, String::new())
            }
        };
        self.log(now, None, Some(name), kind, format!("by={by}{detail}"), out);
        self.router.handle(now, input, &mut self.router_out);
        Ok(())
    }

    pub(crate) fn agent_state(
        &mut self,
        now: Time,
        agent: AgentId,
        state: AgentState,
        why: Option<String>,
        out: &mut Outbox<Output>,
    ) {
        let name = self.agent_name(agent);
        if let Some(row) = self.agents.get_mut(agent.0 as usize) {
            row.since = now;
            row.why = why.clone();
        }
        let text = state_text(now, &state);
        let detail = match &why {
            Some(why) => format!("state={text} why={why}"),
            None => format!("state={text}"),
        };
        self.log(now, None, Some(name.clone()), "agent-state", detail, out);
        out.push(Output::Story { call: None, line: StoryLine::AgentState { agent: name, state: text } });
        self.show_agent(now, agent, out);
    }

    pub(crate) fn show_agent(&self, now: Time, agent: AgentId, out: &mut Outbox<Output>) {
        out.push(Output::Board(match self.is_shown(agent) {
            true => BoardUpdate::Agent(self.agent_view(now, agent)),
            false => BoardUpdate::AgentGone(self.agent_name(agent)),
        }));
    }

    pub(crate) fn agent_view(&self, now: Time, agent: AgentId) -> AgentView {
        let spec = &self.settings.roster.agents[agent.0 as usize];
        let row = &self.agents[agent.0 as usize];
        AgentView {
            name: spec.name.clone(),
            pool: self.settings.roster.pools[spec.pool.0 as usize].name.clone(),
            state: state_text(now, &self.router.agent_state(agent)),
            why: row.why.clone(),
            since: now.since(row.since),
            call: row.call,
            contacts: row.contacts,
            skills: spec.skills.iter().map(|(name, level)| (name.clone(), *level)).collect(),
        }
    }

    /// An agent dials *50 and the like: proved by digest, carried out, confirmed in a word.
    pub(crate) fn feature_code(
        &mut self,
        now: Time,
        dialog: DialogId,
        invitation: Invitation,
        out: &mut Outbox<Output>,
    ) {
        let Some(agent) = self.authenticate(now, dialog, &invitation) else { return };
        let codes = &self.settings.feature_codes;
        let dialled = invitation.dialled.as_str();
        let (wish, prompt) = if dialled == &*codes.ready {
            (Wish::Ready, "agent-ready")
        } else if dialled == &*codes.logout {
            (Wish::Logout, "agent-logged-out")
        } else {
            let reason = match codes.pause_key(dialled) {
                Some(None) | None => "unspecified".to_owned(),
                Some(Some(key)) => match codes.pause_reasons.get(&key) {
                    Some(reason) => reason.clone(),
                    None => {
                        return self.turn_away(
                            now,
                            dialog,
                            Cause::NumberUnknown,
                            "no such pause reason",
                            out,
                        );
                    }
                },
            };
            (Wish::Pause(reason), "agent-paused")
        };
        if self.active >= self.settings.limits.calls {
            return self.turn_away(now, dialog, Cause::Full, "the node is full", out);
        }
        if self.agents[agent.0 as usize].contacts == 0 {
            return self.turn_away(now, dialog, Cause::NotAllowed, "the agent has no phone registered", out);
        }
        let driver = Driver::Confirm { prompt, play: None };
        let settings = self.served.clone();
        let Some(call) = self.admit(now, dialog, invitation, settings, driver, out) else { return };
        match self.wish(now, agent, wish, "feature code", out) {
            Ok(()) => self.want(now, call, Want::Answer, out),
            Err(_) => self.end(now, call, Cause::NotAllowed, out),
        }
    }

    /// Says the confirmation, in the first language that has it, or as a tone.
    pub(crate) fn confirm(&mut self, _now: Time, id: CallId, out: &mut Outbox<Output>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let leg = call.legs[0].id;
        let Driver::Confirm { prompt, play } = &mut call.driver else { return };
        let sound = self.settings.prompts.sounds.values().find_map(|sounds| sounds.get(*prompt).copied());
        let piece = match sound {
            Some(sound) => media::Piece::Sound(sound),
            None => media::Piece::Tone { hz: [880, 0], length: Duration::from_millis(400), dbm0: -16 },
        };
        *play = Some(CONFIRMATION);
        let pieces = Arc::from([media::Piece::Silence(Duration::from_millis(200)), piece]);
        out.push(Output::Media(Command::Play { leg, play: CONFIRMATION, pieces, repeat: false }));
    }
}

pub(crate) fn state_text(now: Time, state: &AgentState) -> String {
    let left = |until: Time| now.until(until).as_secs_f32().ceil();
    match state {
        AgentState::Offline => "offline".to_owned(),
        AgentState::Ready => "ready".to_owned(),
        AgentState::Offered => "offered".to_owned(),
        AgentState::Talking => "talking".to_owned(),
        AgentState::WrapUp { until } => format!("wrap-up ({}s left)", left(*until)),
        AgentState::Resting { until } => format!("resting ({}s left)", left(*until)),
        AgentState::Paused { reason } => format!("paused ({reason})"),
    }
}
