//! Random installations and random things that happen in them.
use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub struct Scene {
    pub roster: Roster,
    /// What calls may require; None: nothing.
    pub requirements: Vec<Option<Requirement>>,
    pub steps: Vec<Step>,
}

/// Something that happens, this many seconds after the last.
#[derive(Clone, Debug)]
pub struct Step {
    pub after: u64,
    pub what: What,
}

/// Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub enum What {
    Ready(u32),
    Pause(u32),
    Offline(u32),
    Queue {
        call: u64,
        queue: u32,
        require: usize,
        severity: usize,
        earlier: u64,
    },
    End(u64),
    /// 0: the latest offer, 1: the one before ...
    Answer(u64),
    Refuse(u64),
    Unreachable(u64),
    RangOut(u64),
    Direct(u64, u32),
    /// Time passes, and the router is woken at each of its deadlines.
    Wait(u64),
    /// Time passes, and the router is woken once, late.
    Oversleep(u64),
}

impl What {
    /// The input it stands for; None for `Wait` and `Oversleep`.
    pub fn input(&self, scene: &Scene, now: Time, offers_made: u64) -> Option<Input> {
        let agent = |a: u32| AgentId(a % scene.roster.agents.len() as u32);
        let offer = |back: u64| OfferId((offers_made + 1).saturating_sub(back));
        Some(match *self {
            What::Ready(a) => Input::AgentReady { agent: agent(a) },
            What::Pause(a) => Input::AgentPaused { agent: agent(a), reason: "lunch".into() },
            What::Offline(a) => Input::AgentOffline { agent: agent(a) },
            What::Queue { call, queue, require, severity, earlier } => Input::CallQueued {
                call: CallId(call),
                queue: QueueId(queue % scene.roster.queues.len() as u32),
                require: scene.requirements[require % scene.requirements.len()].clone(),
                severity: Severity::ALL[severity],
                arrived: now - S * earlier as u32,
                number: "100".into(),
            },
            What::End(call) => Input::CallEnded { call: CallId(call) },
            What::Answer(back) => Input::OfferAnswered { offer: offer(back) },
            What::Refuse(back) => Input::OfferRefused { offer: offer(back) },
            What::Unreachable(back) => Input::OfferUnreachable { offer: offer(back) },
            What::RangOut(back) => Input::OfferRangOut { offer: offer(back) },
            What::Direct(call, a) => Input::Direct { call: CallId(call), agent: agent(a) },
            What::Wait(_) | What::Oversleep(_) => return None,
        })
    }
}

const SKILLS: [&str; 3] = ["lang.yue", "product.db", "team.trial"];
/// Few calls with the same ids again and again, so that much happens to each.
const CALLS: u64 = 12;

fn limit() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![3 => Just(None), 2 => (0..5u32).prop_map(Some)]
}

fn order() -> impl Strategy<Value = AgentOrder> {
    prop_oneof![
        Just(AgentOrder::LongestIdle),
        Just(AgentOrder::LeastOccupied),
        Just(AgentOrder::BestFit),
        Just(AgentOrder::RoundRobin)
    ]
}

pub fn roster() -> impl Strategy<Value = Roster> {
    let pools = prop::collection::vec(limit(), 3);
    let agent = (0..3u32, prop::collection::vec(0..3u8, SKILLS.len()), 0..4u32, 0..3u32, 0..30u64);
    let queue = (
        prop::collection::vec(0..3u32, 0..3),
        order(),
        limit(),
        0..8u32,
        5..30u64,
        prop_oneof![Just(0), 1..40u64],
        prop::collection::vec(0..900u64, 4),
        prop::option::of(requirement(4)),
    );
    (pools, prop::collection::vec(agent, 1..7), prop::collection::vec(queue, 1..4), limit()).prop_map(
        |(limits, agents, queues, node_limit)| {
            let mut roster = Roster { node_limit, ..Roster::default() };
            for (i, limit) in (1u8..).zip(limits) {
                roster.pools.push(Pool { limit, ..pool(&format!("L{i}"), i) });
            }
            for (i, (pool, levels, capacity, misses_max, rest)) in agents.into_iter().enumerate() {
                let skills: Vec<_> = SKILLS.into_iter().zip(levels).collect();
                let agent = agent_named(i, pool, &skills);
                let capacity = if capacity == 3 { 1 } else { capacity };
                roster.agents.push(Agent { capacity, misses_max, rest: S * rest as u32, ..agent });
            }
            for (i, (pools, order, limit, length_max, ring, wrap_up, promise, require)) in
                queues.into_iter().enumerate()
            {
                let require = require.map(|text| parse(&text, &roster));
                roster.queues.push(Queue {
                    pools: pools.into_iter().map(PoolId).collect(),
                    require,
                    order,
                    limit,
                    length_max,
                    ring: S * ring as u32,
                    wrap_up: S * wrap_up as u32,
                    promise: [0, 1, 2, 3].map(|i| S * promise[i] as u32),
                    ..queue_named(i)
                });
            }
            roster
        },
    )
}

fn agent_named(i: usize, pool: u32, skills: &[(&str, u8)]) -> Agent {
    super::agent(&format!("a{i}"), pool, skills)
}

fn queue_named(i: usize) -> Queue {
    super::queue(&format!("q{i}"))
}

pub fn parse(text: &str, roster: &Roster) -> Requirement {
    Requirement::parse(text, roster).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// The text of a requirement that any `roster()` knows; agents a0 only.
fn requirement(depth: u32) -> impl Strategy<Value = String> {
    let compare = prop::sample::select(vec!["<", "<=", "==", "!=", ">=", ">"]);
    let skill = (prop::sample::select(SKILLS.to_vec()), compare.clone(), 0..3u8);
    let atom = prop_oneof![
        4 => skill.prop_map(|(s, c, l)| format!("{s} {c} {l}")),
        1 => prop::sample::select(SKILLS.to_vec()).prop_map(str::to_owned),
        2 => (compare, 1..4u8).prop_map(|(c, l)| format!("tier {c} \"L{l}\"")),
        1 => prop::sample::select(vec!["==", "!="]).prop_map(|c| format!("agent {c} \"a0\"")),
        1 => Just("anyone".to_owned()),
    ];
    atom.prop_recursive(depth, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|p| format!("({})", p.join(" and "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|p| format!("({})", p.join(" or "))),
            inner.prop_map(|p| format!("not {p}")),
        ]
    })
}

fn what() -> impl Strategy<Value = What> {
    let queue = (0..CALLS, 0..4u32, 0..4usize, 0..4usize, prop_oneof![Just(0), 0..600u64]).prop_map(
        |(call, queue, require, severity, earlier)| What::Queue { call, queue, require, severity, earlier },
    );
    prop_oneof![
        5 => (0..8u32).prop_map(What::Ready),
        1 => (0..8u32).prop_map(What::Pause),
        1 => (0..8u32).prop_map(What::Offline),
        9 => queue,
        4 => (0..CALLS).prop_map(What::End),
        5 => (0..5u64).prop_map(What::Answer),
        2 => (0..5u64).prop_map(What::Refuse),
        1 => (0..5u64).prop_map(What::Unreachable),
        1 => (0..5u64).prop_map(What::RangOut),
        2 => (0..CALLS, 0..8u32).prop_map(|(c, a)| What::Direct(c, a)),
        2 => (0..90u64).prop_map(What::Wait),
        1 => (0..2000u64).prop_map(What::Oversleep),
    ]
}

pub fn scene() -> impl Strategy<Value = Scene> {
    let step =
        (prop_oneof![2 => Just(0), 1 => 0..20u64], what()).prop_map(|(after, what)| Step { after, what });
    (roster(), prop::collection::vec(requirement(3), 3), prop::collection::vec(step, 1..80)).prop_map(
        |(roster, texts, steps)| {
            let mut requirements = vec![None];
            requirements.extend(texts.iter().map(|t| Some(parse(t, &roster))));
            // Everybody is at work when it begins.
            let ready = (0..roster.agents.len() as u32).map(|a| Step { after: 1, what: What::Ready(a) });
            let steps = ready.chain(steps).collect();
            Scene { roster, requirements, steps }
        },
    )
}
