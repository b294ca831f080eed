//! Agents by pool and skills: what the matcher looks through instead of people.
use crate::agents::AgentRow;
use crate::bits::Bits;
use crate::requirement::{Compare, Expr};
use crate::{AgentOrder, Requirement, Roster};
use hotline_core::{AgentId, PoolId, QueueId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where an agent stands among a queue's candidates: the least is asked first; ends with his id.
type Rank = [u64; 4];

#[derive(Debug)]
pub(crate) struct Staff {
    groups: Vec<Group>,
    /// Who has a skill: group and level, level 0 left out.
    skilled: BTreeMap<Arc<str>, Vec<(usize, u8)>>,
    of_pool: Vec<Bits>,
    /// Groups with an agent who can be offered a call.
    open: Bits,
    /// Groups with an agent who is signed in.
    staffed: Bits,
    /// Groups of pools that are at their limit.
    closed: Bits,
    /// Of each open agent, what his ranks are made of.
    keys: Vec<Option<Keys>>,
    /// Who is signed in and has a slot at all.
    signed: Vec<bool>,
}

/// Agents of one pool with the same skills.
#[derive(Debug)]
struct Group {
    pool: PoolId,
    /// One of them: what holds for him holds for all, but for his name.
    example: AgentId,
    /// Number of skills and sum of levels.
    versatility: u64,
    signed_in: u32,
    /// Open agents, in the order of each rule.
    by_idle: BTreeSet<(bool, Time, AgentId)>,
    by_occupied: BTreeSet<([u64; 3], AgentId)>,
    by_id: BTreeSet<AgentId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Keys {
    busy: bool,
    idle_since: Time,
    occupied: [u64; 3],
}

/// Who may serve a class of calls.
#[derive(Clone, Debug)]
pub(crate) struct Eligible {
    /// Groups whose agents may, but for those named.
    groups: Bits,
    /// Agents whom the requirement names, ascending, and whether they may.
    named: Vec<(AgentId, bool)>,
}

impl Eligible {
    fn verdict(&self, agent: AgentId) -> Option<bool> {
        self.named.iter().find(|(named, _)| *named == agent).map(|&(_, may)| may)
    }

    /// Whether this agent, of this group, may serve the class.
    pub fn has(&self, agent: AgentId, group: usize) -> bool {
        self.verdict(agent).unwrap_or_else(|| self.groups.has(group))
    }
}

impl Staff {
    /// The groups, and each agent's group.
    pub fn new(roster: &Roster) -> (Staff, Vec<usize>) {
        let mut by_kind = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        let group_of: Vec<usize> = (0u32..)
            .zip(&roster.agents)
            .map(|(i, agent)| {
                *by_kind.entry((agent.pool, &agent.skills)).or_insert_with(|| {
                    let skills = agent.skills.values().filter(|&&level| level > 0);
                    let levels: u64 = skills.clone().map(|&level| u64::from(level)).sum();
                    groups.push(Group {
                        pool: agent.pool,
                        example: AgentId(i),
                        versatility: (skills.count() as u64) << 32 | levels,
                        signed_in: 0,
                        by_idle: BTreeSet::new(),
                        by_occupied: BTreeSet::new(),
                        by_id: BTreeSet::new(),
                    });
                    groups.len() - 1
                })
            })
            .collect();
        let mut skilled: BTreeMap<Arc<str>, Vec<(usize, u8)>> = BTreeMap::new();
        let mut of_pool = vec![Bits::none(groups.len()); roster.pools.len()];
        for (g, group) in groups.iter().enumerate() {
            for (name, &level) in
                roster.agents[group.example.0 as usize].skills.iter().filter(|(_, l)| **l > 0)
            {
                skilled.entry(name.clone()).or_default().push((g, level));
            }
            if let Some(bits) = of_pool.get_mut(group.pool.0 as usize) {
                bits.put(g, true);
            }
        }
        let none = Bits::none(groups.len());
        let staff = Staff {
            skilled,
            of_pool,
            open: none.clone(),
            staffed: none.clone(),
            closed: none,
            keys: vec![None; roster.agents.len()],
            signed: vec![false; roster.agents.len()],
            groups,
        };
        (staff, group_of)
    }

    /// Who may serve calls of this queue and requirement: costs the parts of the requirement times
    /// the groups that have its skills.
    pub fn eligible(&self, roster: &Roster, queue: QueueId, require: Option<&Requirement>) -> Eligible {
        let rules = &roster.queues[queue.0 as usize];
        let mut groups = Bits::all(self.groups.len());
        if !rules.pools.is_empty() {
            let mut pools = Bits::none(self.groups.len());
            for bits in rules.pools.iter().filter_map(|p| self.of_pool.get(p.0 as usize)) {
                pools.or(bits);
            }
            groups.and(&pools);
        }
        let mut names = BTreeSet::new();
        for requirement in rules.require.iter().chain(require) {
            groups.and(&self.meeting(&requirement.expr));
            names.extend(requirement.names());
        }
        let named = if names.is_empty() {
            Vec::new()
        } else {
            (0u32..)
                .zip(&roster.agents)
                .filter(|(_, a)| names.contains(&a.name))
                .map(|(i, a)| (AgentId(i), rules.takes(a) && require.is_none_or(|r| r.holds(a))))
                .collect()
        };
        Eligible { groups, named }
    }

    /// The groups that meet a requirement, each taken as an agent whom it does not name.
    fn meeting(&self, expr: &Expr) -> Bits {
        let len = self.groups.len();
        match expr {
            Expr::Every(parts) => parts.iter().fold(Bits::all(len), |mut bits, p| {
                bits.and(&self.meeting(p));
                bits
            }),
            Expr::Any(parts) => parts.iter().fold(Bits::none(len), |mut bits, p| {
                bits.or(&self.meeting(p));
                bits
            }),
            Expr::Not(part) => {
                let mut bits = Bits::all(len);
                bits.minus(&self.meeting(part));
                bits
            }
            Expr::Skill { name, compare, level } => self.skilled_at(name, *compare, *level),
            Expr::Tier { pools, .. } => {
                let mut bits = Bits::none(len);
                pools.iter().filter_map(|p| self.of_pool.get(p.0 as usize)).for_each(|pool| bits.or(pool));
                bits
            }
            Expr::Agent { .. } => Bits::none(len),
        }
    }

    fn skilled_at(&self, name: &str, compare: Compare, level: u8) -> Bits {
        let mut bits = if compare.holds(0, level) {
            Bits::all(self.groups.len())
        } else {
            Bits::none(self.groups.len())
        };
        for &(group, has) in self.skilled.get(name).into_iter().flatten() {
            bits.put(group, compare.holds(has, level));
        }
        bits
    }

    pub fn close_pool(&mut self, pool: PoolId, closed: bool) {
        let Some(groups) = self.of_pool.get(pool.0 as usize) else { return };
        if closed {
            self.closed.or(groups);
        } else {
            self.closed.minus(groups);
        }
    }

    /// Puts the agent where his row now belongs: call it after every change of the row.
    pub fn place(&mut self, agent: AgentId, row: &AgentRow) {
        let signed = row.signed_in() && row.capacity > 0;
        if std::mem::replace(&mut self.signed[agent.0 as usize], signed) != signed {
            let group = &mut self.groups[row.group];
            group.signed_in = if signed { group.signed_in + 1 } else { group.signed_in - 1 };
            self.staffed.put(row.group, group.signed_in > 0);
        }
        let keys = row.is_open().then(|| {
            let [exponent, mantissa] = row.occupied.key();
            let load = (u64::from(row.load()) << 32) / u64::from(row.capacity.max(1));
            Keys { busy: row.load() > 0, idle_since: row.idle_since, occupied: [load, exponent, mantissa] }
        });
        let old = std::mem::replace(&mut self.keys[agent.0 as usize], keys);
        if old == keys {
            return;
        }
        let group = &mut self.groups[row.group];
        if let Some(k) = old {
            group.by_idle.remove(&(k.busy, k.idle_since, agent));
            group.by_occupied.remove(&(k.occupied, agent));
            group.by_id.remove(&agent);
        }
        if let Some(k) = keys {
            group.by_idle.insert((k.busy, k.idle_since, agent));
            group.by_occupied.insert((k.occupied, agent));
            group.by_id.insert(agent);
        }
        self.open.put(row.group, !group.by_id.is_empty());
    }

    pub fn any_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether an agent who is signed in could ever serve this class.
    pub fn is_staffed(&self, rows: &[AgentRow], eligible: &Eligible) -> bool {
        self.signed_in(rows, eligible) > 0
    }

    /// Agents of this class who are signed in.
    pub fn signed_in(&self, rows: &[AgentRow], eligible: &Eligible) -> u32 {
        self.count(rows, eligible, &self.staffed, |g| g.signed_in, |a| self.signed[a.0 as usize])
    }

    /// Agents of this class who can be offered a call, limits aside.
    pub fn ready(&self, rows: &[AgentRow], eligible: &Eligible) -> u32 {
        let open = |a: AgentId| self.keys[a.0 as usize].is_some();
        self.count(rows, eligible, &self.open, |g| g.by_id.len() as u32, open)
    }

    /// Whether somebody who is signed in may serve both classes. Of a group some of whose agents are named, the
    /// others are taken to be there.
    pub fn compete(&self, rows: &[AgentRow], a: &Eligible, b: &Eligible) -> bool {
        let named = |agent: AgentId| {
            let group = rows[agent.0 as usize].group;
            self.signed[agent.0 as usize] && a.has(agent, group) && b.has(agent, group)
        };
        a.groups.both(&b.groups).any(|g| self.staffed.has(g))
            || a.named.iter().chain(&b.named).any(|&(agent, may)| may && named(agent))
    }

    fn count(
        &self,
        rows: &[AgentRow],
        eligible: &Eligible,
        among: &Bits,
        of_group: impl Fn(&Group) -> u32,
        of_agent: impl Fn(AgentId) -> bool,
    ) -> u32 {
        let all: u32 = eligible.groups.both(among).map(|g| of_group(&self.groups[g])).sum();
        eligible.named.iter().filter(|(agent, _)| of_agent(*agent)).fold(all, |count, &(agent, may)| {
            count - u32::from(eligible.groups.has(rows[agent.0 as usize].group)) + u32::from(may)
        })
    }

    /// Whether `choose` would find somebody.
    pub fn has_candidate(&self, rows: &[AgentRow], eligible: &Eligible) -> bool {
        if eligible.named.is_empty() {
            eligible.groups.meets_without(&self.open, &self.closed)
        } else {
            self.choose(rows, eligible, AgentOrder::RoundRobin, None).is_some()
        }
    }

    /// The open agent who comes first in this order; `last`: whom the queue rang last.
    pub fn choose(
        &self,
        rows: &[AgentRow],
        eligible: &Eligible,
        order: AgentOrder,
        last: Option<AgentId>,
    ) -> Option<AgentId> {
        let best_of_groups = eligible
            .groups
            .both(&self.open)
            .filter(|&g| !self.closed.has(g))
            .filter_map(|g| self.first(&self.groups[g], eligible, order, last))
            .map(|agent| (self.rank(rows, agent, order, last), agent));
        let named = eligible
            .named
            .iter()
            .filter(|&&(agent, may)| may && !self.closed.has(rows[agent.0 as usize].group))
            .map(|&(agent, _)| (self.rank(rows, agent, order, last), agent));
        best_of_groups
            .chain(named)
            .filter_map(|(rank, agent)| Some((rank?, agent)))
            .min()
            .map(|(_, agent)| agent)
    }

    /// The first of a group whom the requirement does not name.
    fn first(
        &self,
        group: &Group,
        eligible: &Eligible,
        order: AgentOrder,
        last: Option<AgentId>,
    ) -> Option<AgentId> {
        let unnamed = |agent: &AgentId| eligible.verdict(*agent).is_none();
        match order {
            AgentOrder::LongestIdle | AgentOrder::BestFit => {
                group.by_idle.iter().map(|&(.., agent)| agent).find(unnamed)
            }
            AgentOrder::LeastOccupied => group.by_occupied.iter().map(|&(_, agent)| agent).find(unnamed),
            AgentOrder::RoundRobin => {
                let next = AgentId(last.map_or(0, |a| a.0.saturating_add(1)));
                let from_next = group.by_id.range(next..);
                from_next.chain(group.by_id.range(..next)).copied().find(unnamed)
            }
        }
    }

    /// None: not open.
    fn rank(
        &self,
        rows: &[AgentRow],
        agent: AgentId,
        order: AgentOrder,
        last: Option<AgentId>,
    ) -> Option<Rank> {
        let keys = self.keys[agent.0 as usize]?;
        let (busy, idle, id) = (u64::from(keys.busy), keys.idle_since.as_nanos(), u64::from(agent.0));
        Some(match order {
            AgentOrder::LongestIdle => [busy, idle, 0, id],
            AgentOrder::LeastOccupied => {
                let [load, exponent, mantissa] = keys.occupied;
                [load, exponent, mantissa, id]
            }
            AgentOrder::BestFit => [busy, self.groups[rows[agent.0 as usize].group].versatility, idle, id],
            AgentOrder::RoundRobin => [u64::from(last.is_some_and(|l| agent <= l)), 0, 0, id],
        })
    }

    pub fn is_placed(&self, agent: AgentId, row: &AgentRow) -> bool {
        let group = &self.groups[row.group];
        let keys = self.keys[agent.0 as usize];
        row.is_open() == keys.is_some()
            && group.by_id.contains(&agent) == keys.is_some()
            && keys.is_none_or(|k| {
                group.by_idle.contains(&(k.busy, k.idle_since, agent))
                    && group.by_occupied.contains(&(k.occupied, agent))
                    && k.busy == (row.load() > 0)
                    && k.idle_since == row.idle_since
            })
            && self.open.has(row.group) != group.by_id.is_empty()
            && self.staffed.has(row.group) == (group.signed_in > 0)
    }
}
