use crate::Requirement;
use hotline_core::{AgentId, PoolId, QueueId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A tier of agents: L1 to L4.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pool {
    pub name: Arc<str>,
    /// L1 = 1 ... for `tier >= "L2"`.
    pub rank: u8,
    /// Most calls its agents may have at once, ringing ones included; None: no limit.
    pub limit: Option<u32>,
}

/// In which order a queue's candidates are asked. Agents who have no call at all come before those
/// who could take another one; ties go to the lower `AgentId`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AgentOrder {
    /// Whose last handled call ended first. The clock starts at that end (or at signing in) and
    /// goes on through pauses and rests.
    LongestIdle,
    /// Least of his slots taken, then least time on calls and in wrap-up, where an hour ago counts half.
    LeastOccupied,
    /// Fewest skills, then lowest levels, so that rare skills stay free; then longest idle.
    BestFit,
    /// The next `AgentId` after the last one this queue rang.
    RoundRobin,
}

/// A line of waiting calls and the rules by which they are served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    pub name: Arc<str>,
    /// Pools whose agents serve it; empty: all.
    pub pools: Vec<PoolId>,
    pub require: Option<Requirement>,
    pub order: AgentOrder,
    /// Calls with agents at once, ringing ones included.
    pub limit: Option<u32>,
    /// Calls waiting at once that ring nowhere. A call that an agent can take now is never refused for it.
    pub length_max: u32,
    /// How long an agent's phone rings; at least a second.
    pub ring: Duration,
    pub wrap_up: Duration,
    /// Time to answer by severity P0..P3, from the caller's arrival.
    pub promise: [Duration; 4],
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agent {
    pub name: Arc<str>,
    pub pool: PoolId,
    /// Skill to level; level 0 is the same as not having it.
    pub skills: BTreeMap<Arc<str>, u8>,
    /// Calls at once, wrap-ups included; 1 for voice.
    pub capacity: u32,
    /// Rest after a missed or refused offer (at least a second); paused after this many misses in a
    /// row (0: never).
    pub rest: Duration,
    pub misses_max: u32,
}

/// Who and what there is. Ids are indices into these lists.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Roster {
    pub pools: Vec<Pool>,
    pub queues: Vec<Queue>,
    pub agents: Vec<Agent>,
    /// Calls with agents at once on this node, ringing ones included.
    pub node_limit: Option<u32>,
}

impl Roster {
    /// The agents who may serve a call with this requirement in this queue, in order of id: who can
    /// serve what, for `check`. Empty when the queue does not exist.
    pub fn candidates(&self, queue: QueueId, require: Option<&Requirement>) -> Vec<AgentId> {
        let Some(queue) = self.queues.get(queue.0 as usize) else { return Vec::new() };
        (0u32..)
            .zip(&self.agents)
            .filter(|(_, agent)| queue.takes(agent) && require.is_none_or(|r| r.holds(agent)))
            .map(|(i, _)| AgentId(i))
            .collect()
    }
}

impl Queue {
    /// Whether this agent is of the queue's pools and meets its own requirement.
    pub(crate) fn takes(&self, agent: &Agent) -> bool {
        (self.pools.is_empty() || self.pools.contains(&agent.pool))
            && self.require.as_ref().is_none_or(|r| r.holds(agent))
    }
}
