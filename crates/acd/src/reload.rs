//! Another roster for a router at work.
//!
//! Ids are indices, and calls, offers and timers hold them: a row keeps its place for ever. What is gone by name
//! keeps its row and takes nothing new; what is new comes after it; who comes back finds his old row.
use crate::agents::AgentRow;
use crate::line::Line;
use crate::line::Place;
use crate::requirement::Expr;
use crate::router::{Call, QueueRow, Ticket, Timer};
use crate::serve::Changed;
use crate::staff::Staff;
use crate::{Agent, Output, Queue, Requirement, Roster, Router};
use hotline_core::{CallId, Outbox, PoolId, QueueId, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Roster {
    /// This roster's rows at their places, as the first of `live` that knows a name has it, then the rows that are
    /// new in `live`.
    ///
    /// An agent whom none of them knows has room for no call any more. A queue that none of them knows stays as it
    /// was: whoever waits in it, or whose flow still names it, is served.
    pub fn renewed(&self, live: &[&Roster]) -> Roster {
        let mut next = Roster {
            node_limit: live.first().map_or(self.node_limit, |r| r.node_limit),
            ..Roster::default()
        };
        next.pools = self.pools.clone();
        merge(&mut next.pools, live.iter().rev().flat_map(|r| r.pools.iter().cloned()), |p| &p.name);
        let places: BTreeMap<&Arc<str>, PoolId> =
            next.pools.iter().zip((0..).map(PoolId)).map(|(p, id)| (&p.name, id)).collect();
        let place = |roster: &Roster, id: PoolId| {
            let name = roster.pools.get(id.0 as usize).map(|p| &p.name);
            name.and_then(|name| places.get(name)).copied().unwrap_or(PoolId(u32::MAX))
        };
        let mut agents: Vec<Agent> =
            self.agents.iter().map(|gone| Agent { capacity: 0, ..gone.clone() }).collect();
        let known = live.iter().rev().flat_map(|r| r.agents.iter().map(move |a| (r, a)));
        let known = known.map(|(r, a)| Agent { pool: place(r, a.pool), ..a.clone() });
        merge(&mut agents, known, |a| &a.name);
        let mut queues: Vec<Queue> = self.queues.clone();
        let known = live.iter().rev().flat_map(|r| r.queues.iter().map(move |q| (r, q)));
        let known = known.map(|(r, q)| {
            let pools = q.pools.iter().map(|&pool| place(r, pool)).collect();
            Queue { pools, ..q.clone() }
        });
        merge(&mut queues, known, |q| &q.name);
        for queue in &mut queues {
            queue.require = queue.require.take().map(|r| r.among(&next));
        }
        Roster { agents, queues, ..next }
    }
}

/// Rows at the places of their names; those with new names after them.
fn merge<T>(rows: &mut Vec<T>, known: impl Iterator<Item = T>, name: impl Fn(&T) -> &Arc<str>) {
    let mut places: BTreeMap<Arc<str>, usize> =
        rows.iter().enumerate().map(|(i, row)| (name(row).clone(), i)).collect();
    for row in known {
        match places.get(name(&row)) {
            Some(&place) => rows[place] = row,
            None => {
                places.insert(name(&row).clone(), rows.len());
                rows.push(row);
            }
        }
    }
}

impl Requirement {
    /// The same words over the pools of another roster.
    fn among(&self, roster: &Roster) -> Requirement {
        Requirement { expr: Arc::new(self.expr.among(roster)) }
    }
}

impl Expr {
    fn among(&self, roster: &Roster) -> Expr {
        let all = |parts: &[Expr]| parts.iter().map(|p| p.among(roster)).collect();
        match self {
            Expr::Every(parts) => Expr::Every(all(parts)),
            Expr::Any(parts) => Expr::Any(all(parts)),
            Expr::Not(part) => Expr::Not(Box::new(part.among(roster))),
            Expr::Tier { name, compare, .. } => {
                Expr::Tier { name: name.clone(), compare: *compare, pools: compare.pools(name, roster) }
            }
            Expr::Skill { .. } | Expr::Agent { .. } => self.clone(),
        }
    }
}

impl Router {
    /// Goes on with another roster, made by [`Roster::renewed`] of the one it has: every row it has is there, at its
    /// place.
    ///
    /// Agents keep their states, calls, rests and wrap-ups; offers go on ringing; whoever waits keeps his place by
    /// the new rules and is asked for anew. A limit that is lower now takes nobody's call away: nothing is added
    /// until there is room again.
    ///
    /// # Panics
    /// When rows are missing: the roster is of another router.
    pub fn reload(&mut self, now: Time, roster: Arc<Roster>, out: &mut Outbox<Output>) {
        assert!(
            roster.agents.len() >= self.agents.len()
                && roster.queues.len() >= self.queues.len()
                && roster.pools.len() >= self.pool_calls.len(),
            "a roster that was renewed has every row"
        );
        let in_line = self.take_line();
        let (staff, groups) = Staff::new(&roster);
        self.staff = staff;
        self.roster = roster;
        let mut agents = std::mem::take(&mut self.agents);
        for (i, (group, agent)) in groups.into_iter().zip(&self.roster.agents).enumerate() {
            match agents.get_mut(i) {
                Some(row) => (row.group, row.capacity, row.at_reload) = (group, agent.capacity, row.load()),
                None => agents.push(AgentRow::new(group, agent.capacity)),
            }
        }
        self.agents = agents;
        self.count_pools();
        for i in 0..self.roster.queues.len() {
            let eligible = self.staff.eligible(&self.roster, QueueId(i as u32), None);
            match self.queues.get_mut(i) {
                Some(row) => (row.eligible, row.at_reload) = (eligible, row.calls),
                None => self.queues.push(QueueRow::new(eligible)),
            }
        }
        self.node_at_reload = self.node_calls;
        for (i, row) in (0u32..).map(hotline_core::AgentId).zip(&self.agents) {
            self.staff.place(i, row);
        }
        for (call, row) in in_line {
            self.line_up(now, call, row, out);
        }
        self.changed = Changed::Capacity;
        self.serve(now, out);
    }

    /// Everybody who stands in line, ringing or not, by the order of the line.
    fn take_line(&mut self) -> Vec<(CallId, Call)> {
        let ringing = self.offers.values().filter(|o| o.answered.is_none()).map(|o| o.call);
        let mut calls: Vec<CallId> =
            self.line.waiting().map(|(_, place)| place.call).chain(ringing).collect();
        calls.sort_unstable();
        self.line = Line::default();
        let waits = |call: &CallId| self.calls.get(call).is_some_and(|row| row.ticket.is_some());
        calls.retain(waits);
        calls.into_iter().filter_map(|call| Some((call, self.calls.remove(&call)?))).collect()
    }

    /// Puts a call back into the line, by the rules as they are now.
    fn line_up(&mut self, now: Time, call: CallId, row: Call, out: &mut Outbox<Output>) {
        let Call { ticket: Some(old), offer, promise_settled } = row else { return };
        let rules = &self.roster.queues[old.queue.0 as usize];
        let place = Place::new(rules, old.severity, old.arrived, call);
        let promise = old.arrived + rules.promise[old.severity as usize];
        let require = old.require.map(|r| r.among(&self.roster));
        let (staff, roster) = (&self.staff, &self.roster);
        let class = self.line.classify(old.queue, require.clone(), |r| staff.eligible(roster, old.queue, r));
        self.line.enter(class, place);
        if offer.is_some() {
            self.line.ring(class, place);
        }
        let ticket = Ticket { require, class, place, promise, ..old };
        self.calls.insert(call, Call { ticket: Some(ticket), offer, promise_settled });
        if !promise_settled {
            if promise > now {
                self.timers.set(Timer::Promise(call), promise, "promise");
            } else {
                self.timers.cancel(&Timer::Promise(call));
                self.promise_passed(call, out);
            }
        }
    }

    fn count_pools(&mut self) {
        self.pool_calls = vec![0; self.roster.pools.len()];
        for offer in self.offers.values() {
            let pool = self.roster.agents[offer.agent.0 as usize].pool;
            if let Some(calls) = self.pool_calls.get_mut(pool.0 as usize) {
                *calls += 1;
            }
        }
        self.pools_at_reload = self.pool_calls.clone();
        for i in 0..self.roster.pools.len() as u32 {
            self.staff.close_pool(PoolId(i), !self.pool_has_room(PoolId(i)));
        }
    }
}
