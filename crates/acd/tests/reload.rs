//! Another roster for a router at work: nobody loses a state, an offer, a place or a wrap-up.
mod common;
use common::observer::Observer;
use common::random::{What, roster as any_roster, scene};
use common::*;
use hotline_acd::*;
use hotline_core::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn without(mut roster: Roster, agent: &str) -> Roster {
    roster.agents.retain(|a| &*a.name != agent);
    roster
}

#[test]
fn rows_keep_their_places_and_those_who_come_back_find_theirs() {
    let first = roster();
    let mut second = without(first.clone(), "alice");
    second.agents.insert(0, agent("dave", 1, &[]));
    second.pools.remove(0);
    second.queues[0].name = "help".into();
    (second.agents[0].pool, second.agents[1].pool, second.agents[2].pool) = (PoolId(0), PoolId(1), PoolId(1));
    let now = first.renewed(&[&second]);
    let names: Vec<&str> = now.agents.iter().map(|a| &*a.name).collect();
    assert_eq!(names, ["alice", "bob", "carol", "dave"]);
    let pools: Vec<&str> = now.agents.iter().map(|a| &*now.pools[a.pool.0 as usize].name).collect();
    assert_eq!(pools, ["L1", "L3", "L3", "L2"]);
    assert_eq!(now.agents.iter().map(|a| a.capacity).collect::<Vec<_>>(), [0, 1, 1, 1]);
    let queues: Vec<&str> = now.queues.iter().map(|q| &*q.name).collect();
    assert_eq!(queues, ["support", "sales", "help"]);
    let back = now.renewed(&[&first]);
    assert_eq!(back.agents[..3], first.agents[..]);
    assert_eq!(back.agents[3].capacity, 0, "dave is gone");
}

#[test]
fn two_rosters_at_once_the_first_prevails() {
    let first = roster();
    let mut second = without(first.clone(), "bob");
    second.agents[0].capacity = 7;
    second.queues.push(queue("trial"));
    second.node_limit = Some(1);
    let both = first.renewed(&[&first, &second]);
    assert_eq!(both.agents, first.agents);
    assert_eq!(both.queues.last().map(|q| &*q.name), Some("trial"));
    assert_eq!(both.node_limit, None);
}

#[test]
fn a_call_keeps_its_agent_and_its_wrap_up() {
    let mut first = roster();
    first.queues[0].wrap_up = S * 30;
    let mut d = Desk::staffed(first.clone(), &[ALICE]);
    d.queue(1, "");
    d.answer(1);
    assert_eq!(told(&d.reload(&without(first.clone(), "bob"))), [""; 0]);
    assert_eq!(d.router.agent_state(ALICE), AgentState::Talking);
    d.end(1);
    let wraps_up = d.router.agent_state(ALICE);
    d.until(20);
    let mut shorter = first;
    shorter.queues[0].wrap_up = S;
    assert_eq!(told(&d.reload(&shorter)), [""; 0]);
    assert_eq!(d.router.agent_state(ALICE), wraps_up, "begun under the old rules");
    assert_eq!(told(&d.until(40)), ["agent-0 Ready"]);
}

#[test]
fn whoever_waits_keeps_his_place_and_is_asked_for_anew() {
    let first = roster();
    let mut d = Desk::staffed(first.clone(), &[BOB]);
    d.queue_at(1, SUPPORT, "lang.yue >= 3 or lang.cmn >= 5", Severity::P3, d.now);
    let refused = told(&d.queue(1, "lang.yue >= 3 or lang.cmn >= 5"));
    assert_eq!(refused, ["not queued call-1 NoAgents"], "only bob is here");
    d.pause(CAROL, "meal");
    for call in [2, 3] {
        d.queue(call, "lang.cmn >= 4");
    }
    assert_eq!(d.line(), [2, 3]);
    let mut second = first;
    second.agents[1].skills.insert("lang.cmn".into(), 4);
    let out = told(&d.reload(&second));
    assert_eq!(out, ["offer-1 call-2 agent-1", "agent-1 Offered"], "bob has learnt it");
    assert_eq!(d.line(), [2, 3]);
}

#[test]
fn tiers_are_those_of_the_new_roster() {
    let first = roster();
    let mut d = Desk::staffed(first.clone(), &[BOB]);
    d.pause(CAROL, "meal");
    d.queue(1, "tier >= \"L2\"");
    let mut second = first;
    second.pools[0].rank = 2;
    assert_eq!(told(&d.reload(&second)), ["offer-1 call-1 agent-1", "agent-1 Offered"]);
}

#[test]
fn an_agent_who_is_gone_ends_his_call_and_gets_no_other() {
    let first = roster();
    let mut d = Desk::staffed(first.clone(), &[ALICE, CAROL]);
    d.queue(1, "");
    d.answer(1);
    d.pause(CAROL, "meal");
    d.queue(2, "lang.yue");
    d.reload(&without(first, "alice"));
    d.put(Input::AgentOffline { agent: ALICE });
    assert_eq!(d.router.agent_state(ALICE), AgentState::Talking);
    assert_eq!(told(&d.end(1)), ["agent-0 Offline"]);
    d.ready(ALICE);
    assert_eq!(d.line(), [2], "alice has no room for it");
    assert_eq!(told(&d.ready(CAROL))[1..], ["offer-2 call-2 agent-2", "agent-2 Offered"]);
}

#[test]
fn a_queue_that_is_gone_serves_whoever_waits_in_it() {
    let first = roster();
    let mut d = Desk::staffed(first.clone(), &[ALICE]);
    d.pause(ALICE, "meal");
    d.queue(1, "");
    let mut second = first;
    second.queues.remove(0);
    d.reload(&second);
    assert_eq!(told(&d.ready(ALICE))[1..], ["offer-1 call-1 agent-0", "agent-0 Offered"]);
    assert_eq!(d.router.waiting()[0].queue, SUPPORT);
}

#[test]
fn a_lower_limit_takes_no_call_away() {
    let mut first = roster();
    first.agents[0].capacity = 3;
    let mut d = Desk::staffed(first.clone(), &[ALICE]);
    for call in 1..=3 {
        d.queue(call, "");
        d.answer(call);
    }
    let mut second = first;
    second.agents[0].capacity = 2;
    assert_eq!(told(&d.reload(&second)), [""; 0]);
    d.queue(4, "");
    assert_eq!(told(&d.end(1)), [""; 0]);
    assert_eq!(told(&d.end(2)), ["offer-4 call-4 agent-0", "agent-0 Offered"]);
}

#[test]
fn a_shorter_promise_is_missed_once() {
    let first = roster();
    let mut d = Desk::staffed(first.clone(), &[ALICE]);
    d.pause(ALICE, "meal");
    d.queue(1, "");
    d.until(100);
    let mut second = first.clone();
    second.queues[0].promise = [S * 10; 4];
    assert_eq!(told(&d.reload(&second)), ["missed call-1 P3"]);
    d.reload(&first);
    assert_eq!(told(&d.until(10_000)), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Whatever happens and whatever the files become meanwhile: the books of an onlooker agree, no limit takes one
    /// more, and in the end nobody is left.
    #[test]
    fn nobody_is_lost(scene in scene(), others in prop::collection::vec(any_roster(), 1..4), every in 1..7usize) {
        let mut d = Desk::new(scene.roster.clone());
        let mut seen = Observer::new(d.router.roster().clone());
        for (n, step) in scene.steps.iter().enumerate() {
            if n % every == every - 1 {
                let others = [&scene.roster].into_iter().chain(&others).collect::<Vec<_>>();
                reload(&mut d, &mut seen, others[n / every % others.len()]);
            }
            d.now += S * step.after as u32;
            match step.what.input(&scene, d.now, seen.offers_seen) {
                Some(input) => {
                    let out = d.put(input.clone());
                    seen.see(&d.router, Some(&input), &out);
                }
                None => {
                    let (What::Wait(s) | What::Oversleep(s)) = step.what else { unreachable!("the rest are inputs") };
                    let until = d.now + S * s as u32;
                    while let Some(due) = d.router.deadline().filter(|due| due.at <= until) {
                        d.now = d.now.max(due.at);
                        let out = d.wake();
                        seen.see(&d.router, None, &out);
                    }
                    d.now = until;
                }
            }
        }
        for call in 0..20 {
            let input = Input::CallEnded { call: CallId(call) };
            let out = d.put(input.clone());
            seen.see(&d.router, Some(&input), &out);
        }
        prop_assert!(seen.held.is_empty() && seen.line.is_empty() && d.router.waiting().is_empty());
        for q in 0..d.router.roster().queues.len() as u32 {
            let count = d.router.queue_stats(QueueId(q));
            prop_assert_eq!(count.queued, count.answered + count.abandoned);
        }
    }
}

/// Nothing but the files changes, and nothing but new offers and missed promises follows.
fn reload(d: &mut Desk, seen: &mut Observer, next: &Roster) {
    let before = (seen.held.clone(), seen.line.clone(), states(d));
    let due = d.router.deadline().is_some_and(|due| due.at <= d.now);
    let out = d.reload(next);
    for output in &out {
        match output {
            Output::Offer { .. } | Output::PromiseMissed { .. } => {}
            Output::AgentState { state: AgentState::Offered, .. } => {}
            other => panic!("a reload does not lead to {other:?}"),
        }
    }
    seen.reloaded(d.router.roster().clone());
    seen.see(&d.router, None, &out);
    assert!(before.0.iter().all(|(offer, held)| seen.held.get(offer) == Some(held)), "an offer was lost");
    assert_eq!(before.1, seen.line, "somebody lost his place in the line");
    for (agent, state) in before.2 {
        let now = d.router.agent_state(agent);
        assert!(now == state || now == AgentState::Offered, "{agent} was {state:?} and is {now:?}");
    }
    assert!(due || d.router.deadline().is_none_or(|due| due.at > d.now), "a timer that is due at once");
}

fn states(d: &Desk) -> BTreeMap<AgentId, AgentState> {
    (0..d.router.roster().agents.len() as u32).map(AgentId).map(|a| (a, d.router.agent_state(a))).collect()
}
