//! Lines of ROUTING.md as properties, each over random installations and events.
mod common;
use common::model::Model;
use common::observer::Observer;
use common::random::{Scene, Step, What, scene};
use common::*;
use hotline_acd::*;
use hotline_core::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Runs a scene under the eyes of an observer; `see` gets each input (None: a wake), and what came of it.
fn play(scene: &Scene, mut see: impl FnMut(&Desk, Option<&Input>, &[Output])) -> Desk {
    let mut d = Desk::new(scene.roster.clone());
    let mut observer = Observer::new(d.router.roster().clone());
    for step in &scene.steps {
        d.now += S * step.after as u32;
        let mut tell = |d: &Desk, input: Option<&Input>, out: &[Output]| {
            observer.see(&d.router, input, out);
            see(d, input, out);
        };
        match step.what {
            What::Wait(s) => {
                let end = d.now + S * s as u32;
                while let Some(deadline) = d.router.deadline().filter(|x| x.at <= end) {
                    d.now = d.now.max(deadline.at);
                    let out = d.wake();
                    tell(&d, None, &out);
                }
                d.now = end;
            }
            What::Oversleep(s) => {
                d.now += S * s as u32;
                let out = d.wake();
                tell(&d, None, &out);
            }
            _ => {
                let input = step.what.input(scene, d.now, observer.offers_seen).expect("an input");
                let out = d.put(input.clone());
                observer.see(&d.router, Some(&input), &out);
                see(&d, Some(&input), &out);
            }
        }
    }
    d
}

/// News of agents aside; when woken, whatever several timers did at once in any order, then the offers.
fn essence(out: &[Output], woken: bool) -> Vec<String> {
    let all = out.iter().filter(|o| !matches!(o, Output::AgentState { .. }));
    let (offers, mut rest): (Vec<_>, Vec<_>) = all
        .map(|o| (matches!(o, Output::Offer { .. }), format!("{o:?}")))
        .partition(|(is_offer, _)| *is_offer);
    if woken {
        rest.sort();
    }
    rest.into_iter().chain(offers).map(|(_, text)| text).collect()
}

fn same_as_the_model(scene: &Scene) -> Result<(), TestCaseError> {
    let mut model = Model::new(scene.roster.clone());
    let mut failed = Ok(());
    play(scene, |d, input, out| {
        let expected = match input {
            Some(input) => model.handle(d.now, input.clone()),
            None => model.wake(d.now),
        };
        let compare = || {
            prop_assert_eq!(
                essence(out, input.is_none()),
                essence(&expected, input.is_none()),
                "after {:?}",
                input
            );
            for a in (0..scene.roster.agents.len() as u32).map(AgentId) {
                let (real, expected) = (d.router.agent_state(a), model.state(a));
                let both_paused =
                    matches!((&real, &expected), (AgentState::Paused { .. }, AgentState::Paused { .. }));
                prop_assert!(both_paused || real == expected, "{} {:?} {:?}", a, real, expected);
            }
            let line: Vec<_> = d.router.waiting().into_iter().map(|w| (w.call, w.offered_to)).collect();
            prop_assert_eq!(line, model.waiting(d.now));
            Ok(())
        };
        if failed.is_ok() {
            failed = compare();
        }
    });
    failed
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() }
}

/// The steps, with everything said twice.
fn doubled(scene: &Scene) -> Scene {
    let again = |step: &Step| [step.clone(), Step { after: 0, what: step.what.clone() }];
    Scene { steps: scene.steps.iter().flat_map(again).collect(), ..scene.clone() }
}

proptest! {
    #![proptest_config(config())]

    /// After every event exactly those are offered who would be if everybody were asked; and whoever
    /// can be served is, without waiting for a poll: waking early does nothing.
    #[test]
    fn line_01_one_event_driven_matcher(scene in scene()) {
        same_as_the_model(&scene)?;
        let mut d = play(&scene, |_, _, _| {});
        let mut idle = d.wake();
        idle.extend(d.wake());
        let due = d.router.deadline().is_some_and(|x| x.at <= d.now);
        prop_assert!(!due, "due again after waking");
        prop_assert_eq!(d.wake(), vec![]);
    }

    /// A requirement reads back as it prints, holds for whom its text says, and is obeyed.
    #[test]
    fn line_02_requirements_are_typed_and_obeyed(scene in scene()) {
        for requirement in scene.requirements.iter().flatten() {
            let printed = requirement.to_string();
            let again = common::random::parse(&printed, &scene.roster);
            prop_assert_eq!(again.to_string(), printed);
            for agent in &scene.roster.agents {
                prop_assert_eq!(requirement.holds(agent), again.holds(agent));
            }
        }
        let mut required = BTreeMap::new();
        play(&scene, |d, input, out| {
            if let Some(Input::CallQueued { call, require, .. }) = input {
                required.insert(*call, require.clone());
            }
            for output in out {
                if let Output::Offer { call, agent, queue: Some(queue), .. } = output {
                    let agent = &d.router.roster().agents[agent.0 as usize];
                    let queue = &d.router.roster().queues[queue.0 as usize];
                    assert!(required[call].as_ref().is_none_or(|r| r.holds(agent)));
                    assert!(queue.require.as_ref().is_none_or(|r| r.holds(agent)));
                    assert!(queue.pools.is_empty() || queue.pools.contains(&agent.pool));
                }
            }
        });
    }

    /// By slack, then severity, then arrival. First come, first served among equals: when a call is
    /// offered, no call of its class that arrived earlier is left waiting.
    #[test]
    fn line_05_order_of_calls(scene in scene()) {
        type Class = (QueueId, Option<Requirement>, Severity);
        let mut class: BTreeMap<CallId, (Class, Time)> = BTreeMap::new();
        play(&scene, |d, input, out| {
            if let Some(Input::CallQueued { call, queue, require, severity, arrived, .. }) = input {
                class.insert(*call, ((*queue, require.clone(), *severity), *arrived));
            }
            let line = d.router.waiting();
            for output in out {
                let Output::Offer { call, queue: Some(_), .. } = output else { continue };
                let (kind, arrived) = &class[call];
                for other in line.iter().filter(|w| w.offered_to.is_none()) {
                    let (other_kind, other_arrived) = &class[&other.call];
                    assert!(kind != other_kind || arrived <= other_arrived, "{call} overtook {}", other.call);
                }
            }
            let slack = |w: &WaitingView| {
                let q = &d.router.roster().queues[w.queue.0 as usize];
                let due = w.arrived.as_nanos() as i128 + q.promise[w.severity as usize].as_nanos() as i128;
                (due - q.ring.as_nanos() as i128 - d.now.as_nanos() as i128, w.severity, w.arrived, w.call)
            };
            assert!(line.is_sorted_by_key(slack), "{line:?}");
            for w in &line {
                assert_eq!(d.router.position(w.call), Some(w.position));
            }
        });
    }

    /// Calls that only an absent agent could serve, put in anywhere, change nothing for anybody else.
    #[test]
    fn line_06_no_head_of_line_blocking(scene in scene(), blocked in prop::collection::vec((0..80usize, 0..4usize), 1..20)) {
        let mut scene = scene;
        let hermit = AgentId(scene.roster.agents.len() as u32);
        scene.roster.agents.push(agent("hermit", 0, &[("hermit", 1)]));
        scene.roster.queues.push(queue("of the hermit"));
        let elsewhere = scene.roster.queues.len() as u32 - 1;
        // The hermit's queue serves nobody else, and he himself is nobody's candidate: on pause.
        scene.requirements.push(Some(common::random::parse("hermit", &scene.roster)));
        let wait_for_hermit = scene.requirements.len() - 1;
        let mut plain = scene.clone();
        let away = [What::Ready(hermit.0), What::Pause(hermit.0)].map(|what| Step { after: 0, what });
        for step in &mut plain.steps {
            match &mut step.what {
                What::Ready(a) | What::Pause(a) | What::Offline(a) | What::Direct(_, a) => *a %= hermit.0,
                What::Queue { queue, require, .. } => {
                    *queue %= elsewhere;
                    *require %= wait_for_hermit;
                }
                _ => {}
            }
        }
        plain.steps.splice(0..0, away);
        let mut crowded = plain.clone();
        for (i, (place, severity)) in blocked.iter().enumerate() {
            let what = What::Queue { call: 1000 + i as u64, queue: elsewhere, require: wait_for_hermit, severity: *severity, earlier: 5000 };
            crowded.steps.insert(2 + place % (crowded.steps.len() - 1), Step { after: 0, what });
        }
        let offers = |scene: &Scene| {
            let mut all = Vec::new();
            play(scene, |d, _, out| {
                all.extend(out.iter().filter(|o| !matches!(o, Output::PromiseMissed { .. })).map(|o| (d.now, o.clone())));
            });
            all
        };
        prop_assert_eq!(offers(&crowded), offers(&plain));
    }

    /// Each rule of order, against asking everybody.
    #[test]
    fn line_07_order_of_agents(scene in scene(), rule in 0..4usize) {
        let mut scene = scene;
        let rules = [AgentOrder::LongestIdle, AgentOrder::LeastOccupied, AgentOrder::BestFit, AgentOrder::RoundRobin];
        for queue in &mut scene.roster.queues {
            (queue.order, queue.limit, queue.require) = (rules[rule], None, None);
            queue.pools.clear();
        }
        scene.roster.node_limit = None;
        scene.roster.pools.iter_mut().for_each(|p| p.limit = None);
        same_as_the_model(&scene)?;
    }

    /// One offer, one agent, one call until it ends (the observer sees to it); said twice is said
    /// once; an answer after the end is told that it is late.
    #[test]
    fn line_08_an_offer_is_the_reservation(scene in scene()) {
        let mut books = Observer::new(scene.roster.clone().into());
        let mut last = None;
        play(&doubled(&scene), |d, input, out| {
            if let Some(Input::OfferAnswered { offer }) = input {
                let connected = out.iter().any(|o| matches!(o, Output::Connect { .. }));
                let late = out.contains(&Output::TooLate { offer: *offer });
                let expected = match books.held.get(offer) {
                    Some(held) => (held.ringing, false),
                    None => (false, (1..=books.offers_seen).contains(&offer.0)),
                };
                assert_eq!((connected, late), expected, "{offer}");
            }
            let repeated = last.is_some() && last.as_ref() == input;
            let of_agent = matches!(
                input,
                Some(Input::AgentReady { .. } | Input::AgentPaused { .. } | Input::AgentOffline { .. })
            );
            if repeated && !of_agent {
                let answer = |o: &Output| {
                    matches!(o, Output::TooLate { .. } | Output::NotQueued { .. } | Output::Direct { .. })
                };
                assert!(out.iter().all(answer), "said twice: {input:?} {out:?}");
            }
            books.see(&d.router, input, out);
            last = input.cloned();
        });
    }

    /// Agents, pools, queues and node: never one over (the observer counts), and never one under when
    /// somebody waits for it (the model).
    #[test]
    fn line_09_limits_are_exact(scene in scene(), limits in prop::collection::vec(1..4u32, 8)) {
        let mut scene = scene;
        let mut limits = limits.into_iter().map(Some).cycle();
        scene.roster.node_limit = limits.next().flatten();
        scene.roster.queues.iter_mut().for_each(|q| q.limit = limits.next().flatten());
        scene.roster.pools.iter_mut().for_each(|p| p.limit = limits.next().flatten());
        same_as_the_model(&scene)?;
    }

    /// Not answered, refused, not reached: the call stands where it stood, the agent rests or is
    /// paused, and it is said why.
    #[test]
    fn line_17_a_missed_call_keeps_its_place(scene in scene()) {
        let mut before: Vec<WaitingView> = Vec::new();
        play(&scene, |d, input, out| {
            let now = d.router.waiting();
            let missed: Option<(CallId, AgentId)> = match input {
                Some(Input::OfferRefused { .. } | Input::OfferUnreachable { .. }) => {
                    let moved = |b: &&WaitingView| b.offered_to.is_some() && now.iter().any(|n| n.call == b.call && n.offered_to != b.offered_to);
                    before.iter().find(moved).and_then(|b| Some((b.call, b.offered_to?)))
                }
                _ => out.iter().find_map(|o| match o {
                    Output::Withdraw { call, agent, why: Withdrawn::RangOut, .. } => Some((*call, *agent)),
                    _ => None,
                }),
            };
            if let Some((call, agent)) = missed {
                let order = |line: &[WaitingView]| line.iter().map(|w| (w.call, w.arrived)).collect::<Vec<_>>();
                assert_eq!(order(&before), order(&now), "{call} lost its place");
                let told = out.iter().any(|o| matches!(o,
                    Output::AgentState { agent: a, state: AgentState::Resting { .. } | AgentState::Paused { .. }, why: Some(_) } if *a == agent));
                let busy_otherwise = d.router.roster().agents[agent.0 as usize].capacity > 1;
                assert!(told || busy_otherwise, "{agent} neither rests nor is paused: {out:?}");
                let offered_again = out.iter().any(|o| matches!(o, Output::Offer { agent: a, .. } if *a == agent));
                assert!(!offered_again, "{agent} is rung again at once");
            }
            before = now;
        });
    }
}

/// One caller, two agents, wrap-up: every order of five events, against the model.
#[test]
fn every_order_of_five_events() {
    let queue = What::Queue { call: 1, queue: 0, require: 0, severity: 0, earlier: 0 };
    let events = [
        What::Ready(0),
        What::Pause(0),
        What::Offline(0),
        queue,
        What::End(1),
        What::Answer(1),
        What::Refuse(1),
        What::Direct(1, 1),
        What::Wait(25),
    ];
    let mut roster = roster();
    roster.agents.truncate(2);
    roster.queues[0].wrap_up = S * 30;
    let mut scene = Scene { roster, requirements: vec![None], steps: vec![] };
    let count = events.len();
    for order in 0..count.pow(5) {
        let picks = (0..5).map(|place| order / count.pow(place) % count);
        let steps = picks.map(|pick| Step { after: 1, what: events[pick].clone() });
        let at_work = [0, 1].map(|a| Step { after: 1, what: What::Ready(a) });
        scene.steps = at_work.into_iter().chain(steps).collect();
        same_as_the_model(&scene).unwrap_or_else(|e| panic!("{:?}: {e}", scene.steps));
    }
}
