use crate::clock::Clock;
use dashmap::DashMap;
use engine::{AgentView, BoardUpdate, CallView, Reply};
use hotline_core::{CallId, Time};
use std::sync::Arc;

/// What goes on right now, for readers on other threads: written by the engine thread, read in clones.
///
/// *Invariant:* no decision reads it, and no guard of it leaves this file.
#[derive(Debug)]
pub struct Board {
    clock: Clock,
    calls: DashMap<CallId, (Time, CallView)>,
    agents: DashMap<Arc<str>, (Time, AgentView)>,
}

impl Board {
    pub fn new(clock: Clock) -> Board {
        Board { clock, calls: DashMap::new(), agents: DashMap::new() }
    }

    pub fn update(&self, update: BoardUpdate) {
        let now = self.clock.now();
        match update {
            BoardUpdate::Call(view) => drop(self.calls.insert(view.call, (now, view))),
            BoardUpdate::CallGone(call) => drop(self.calls.remove(&call)),
            BoardUpdate::Agent(view) => drop(self.agents.insert(view.name.clone(), (now, view))),
            BoardUpdate::AgentGone(name) => drop(self.agents.remove(&name)),
        }
    }

    /// The agents as the engine has them at its start.
    pub fn fill(&self, reply: Reply) {
        if let Reply::Agents(agents) = reply {
            for view in agents {
                self.update(BoardUpdate::Agent(view));
            }
        }
    }

    /// Live calls, oldest first, with their ages as of now.
    pub fn calls(&self) -> Vec<CallView> {
        let now = self.clock.now();
        let mut calls: Vec<CallView> = self
            .calls
            .iter()
            .map(|row| {
                let (written, view) = row.value();
                CallView { age: view.age + now.since(*written), ..view.clone() }
            })
            .collect();
        calls.sort_by_key(|view| view.call);
        calls
    }

    /// All agents by name, with the age of their state as of now.
    pub fn agents(&self) -> Vec<AgentView> {
        let now = self.clock.now();
        let mut agents: Vec<AgentView> = self
            .agents
            .iter()
            .map(|row| {
                let (written, view) = row.value();
                AgentView { since: view.since + now.since(*written), ..view.clone() }
            })
            .collect();
        agents.sort_by(|a, b| a.name.cmp(&b.name));
        agents
    }
}
