//! What a seed decides: the installation and the faults.

use acd::{Agent, AgentOrder, Pool, Queue, Requirement, Roster};
use engine::{CallLimits, FeatureCodes, Listener, MediaSettings, Number, Prompts, Settings, SipSettings};
use hotline_core::{PoolId, Rng, SoundId};
use ivr::{
    Act, AnswerMode, Demand, Echo, Flow, Key, Menu, Play, Prompt, Retry, Ring, Sound, Template, Types, Value,
};
use sip::{Account, Algorithm, Ha1, Transport};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const REALM: &str = "hotline.test";
pub(crate) const ENGINE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);

/// What goes wrong while the faults are on (the first nine tenths of the day).
#[derive(Clone, Debug)]
pub struct Faults {
    /// Share of datagrams lost, each way.
    pub loss: f64,
    pub duplicate: f64,
    /// Datagrams take this long at most; different delays reorder them.
    pub delay_max: Duration,
    /// The engine's thread wakes this much late at most.
    pub late_max: Duration,
    /// Share of calls whose media thread stalls for ten seconds when it should open.
    pub media_stall: f64,
    /// Share of offers during which the agent's phone vanishes.
    pub phone_vanishes: f64,
    /// Share of callers who vanish without a word.
    pub caller_vanishes: f64,
    /// Room of the store's queue for events; what is beyond is dropped and counted.
    pub store_room: usize,
    /// The share of the day at which the disk is full, for an hour.
    pub disk_full: f64,
}

/// A day to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub length: Duration,
    pub callers: u32,
    pub faults: Faults,
    pub settings: Arc<Settings>,
    pub passwords: Vec<String>,
}

impl Plan {
    /// Draws a day. About one seed in four has no network faults, so that clean days are covered too.
    pub fn draw(seed: u64) -> Plan {
        let mut rng = Rng::from_u64(seed);
        let clean = rng.chance(0.25);
        let mut share = |most: f64| if clean { 0.0 } else { rng.unit() * most };
        let faults = Faults {
            loss: share(0.3),
            duplicate: share(0.2),
            delay_max: Duration::from_millis((share(400.0)) as u64 + 1),
            late_max: Duration::from_millis(share(300.0) as u64),
            media_stall: share(0.05),
            phone_vanishes: share(0.1),
            caller_vanishes: share(0.1),
            store_room: 64,
            disk_full: rng.unit() * 0.9,
        };
        let agents = 1 + rng.below(8) as usize;
        let passwords: Vec<String> = (0..agents).map(|_| rng.token(10)).collect();
        let settings = Arc::new(settings(&mut rng, &passwords));
        Plan {
            seed,
            length: Duration::from_secs(24 * 3600),
            callers: 120 + rng.below(120) as u32,
            faults,
            settings,
            passwords,
        }
    }
}

fn settings(rng: &mut Rng, passwords: &[String]) -> Settings {
    let roster = Arc::new(roster(rng, passwords.len()));
    let accounts = roster
        .agents
        .iter()
        .zip(passwords)
        .map(|(agent, password)| Account {
            user: agent.name.to_string(),
            ha1: [Algorithm::Md5, Algorithm::Sha256]
                .into_iter()
                .map(|algorithm| Ha1::new(algorithm, &agent.name, REALM, password))
                .collect(),
        })
        .collect();
    let flows = [Arc::new(support_flow()), Arc::new(desk_flow())];
    let number = |digits: &str, flow: usize, limit| {
        let number = Number {
            digits: digits.into(),
            title: digits.to_owned(),
            flow: flows[flow].clone(),
            limit,
            vars: Vec::new(),
        };
        (Arc::from(digits), number)
    };
    let limit = rng.chance(0.5).then(|| 1 + rng.below(6) as u32);
    Settings {
        version: Default::default(),
        sip: SipSettings {
            realm: REALM.to_owned(),
            product: "hotline".to_owned(),
            listeners: vec![Listener { transport: Transport::Udp, address: ENGINE, advertised: None }],
        },
        media: MediaSettings {
            address: None,
            ports: (10_000, 19_999),
            port_rest: Duration::from_secs(5),
            no_media_after: Some(Duration::from_secs(60)),
            threads: 1,
            codecs: vec![sdp::Codec::Pcma, sdp::Codec::Pcmu],
        },
        limits: CallLimits {
            calls: 2 + rng.below(30) as u32,
            retry_after: Duration::from_secs(10),
            call_max: Duration::from_secs(1800 + rng.below(7200)),
            drain_max: Duration::from_secs(60),
        },
        numbers: BTreeMap::from([number("100", 0, limit), number("200", 1, None)]),
        prompts: Arc::new(prompts()),
        roster,
        accounts,
        feature_codes: FeatureCodes {
            ready: "*50".into(),
            pause: "*51".into(),
            logout: "*52".into(),
            pause_reasons: BTreeMap::from([('1', "break".to_owned())]),
        },
        epoch_unix: 1_790_000_000,
        services: BTreeMap::new(),
        secrets: BTreeMap::new(),
        mailboxes: BTreeMap::new(),
        surveys: BTreeMap::new(),
        trunks: BTreeMap::new(),
        announcements: BTreeMap::new(),
    }
}

fn roster(rng: &mut Rng, agents: usize) -> Roster {
    let pool = |rng: &mut Rng, rank: u8| Pool {
        name: format!("L{rank}").into(),
        rank,
        limit: rng.chance(0.3).then(|| 1 + rng.below(4) as u32),
    };
    let pools: Vec<Pool> = (1..=1 + rng.below(4) as u8).map(|rank| pool(rng, rank)).collect();
    let agent = |rng: &mut Rng, i: usize| Agent {
        name: format!("agent{i}").into(),
        pool: PoolId(rng.below(pools.len() as u64) as u32),
        skills: ["lang.cmn", "lang.en", "product.db"]
            .into_iter()
            .map(|skill| (Arc::from(skill), rng.below(4) as u8))
            .collect(),
        capacity: 1,
        rest: Duration::from_secs(1 + rng.below(30)),
        misses_max: rng.below(4) as u32,
    };
    let people: Vec<Agent> = (0..agents).map(|i| agent(rng, i)).collect();
    let mut roster = Roster {
        pools,
        queues: Vec::new(),
        agents: people,
        node_limit: rng.chance(0.3).then(|| 1 + rng.below(5) as u32),
    };
    const ORDERS: [AgentOrder; 4] =
        [AgentOrder::LongestIdle, AgentOrder::LeastOccupied, AgentOrder::BestFit, AgentOrder::RoundRobin];
    for name in ["sales", "technical"] {
        let require = match name {
            "technical" => Requirement::parse("product.db >= 1 or tier >= \"L2\"", &roster).ok(),
            _ => None,
        };
        let queue = Queue {
            name: name.into(),
            pools: Vec::new(),
            require,
            order: ORDERS[rng.below(4) as usize],
            limit: rng.chance(0.3).then(|| 1 + rng.below(3) as u32),
            length_max: 1 + rng.below(20) as u32,
            ring: Duration::from_secs(5 + rng.below(20)),
            wrap_up: Duration::from_secs(rng.below(40)),
            promise: [300, 900, 1800, 3600].map(Duration::from_secs),
        };
        roster.queues.push(queue);
    }
    roster
}

/// Sounds of known lengths; the engine never sees more of a prompt than its id.
fn prompts() -> Prompts {
    let mut prompts = Prompts { music: Some(SoundId(0)), ..Prompts::default() };
    let mut sounds = BTreeMap::new();
    for (i, name) in
        ["music", "welcome", "menu", "again", "thanks", "agent-ready", "agent-paused"].iter().enumerate()
    {
        sounds.insert(Arc::from(*name), SoundId(i as u32));
        prompts.lengths.push(Duration::from_millis(500 + 700 * i as u64));
        prompts.files.push(format!("{name}.wav").into());
    }
    prompts.sounds.insert("en".into(), sounds);
    prompts
}

/// Welcome, a menu, a queue for each key, a question at the end: answered at once.
fn support_flow() -> Flow {
    let mut flow = Flow::builder("support");
    flow.language("en").languages(["en"]).var("score", "");
    let score = flow.var_id("score");
    let (menu, sales, technical, ask, bye) =
        (flow.id("menu"), flow.id("sales"), flow.id("technical"), flow.id("ask"), flow.id("bye"));
    let transfer = flow.id("transfer");
    let retry = |then| Retry { tries: 2, prompt: vec![Sound::prompt("again")], then };
    let key = |key, to| Key { key, value: Value::Text(key.to_string().into()), to };
    let play = |name, next| Act::Play(Play { prompt: Prompt::named(&[name]), early: false, repeat: 1, next });
    flow.step("welcome", play("welcome", menu)).start("welcome");
    flow.step(
        "menu",
        Act::Menu(Menu {
            prompt: Prompt::named(&["menu"]),
            into: None,
            keys: vec![key('1', sales), key('2', technical)],
            after: Duration::from_secs(5),
            no_input: retry(sales),
            invalid: retry(bye),
        }),
    );
    for (name, require, severity, timeout) in [
        ("sales", None, "P3", None),
        ("technical", Some("lang.en >= 1"), "P1", Some(Duration::from_secs(240))),
    ] {
        let types: Types = flow.types();
        let queue = ivr::Queue {
            queue: name.into(),
            require: require.map(|text| Demand::parse(text, &types).expect("a demand of the plan")),
            severity: Template::text(severity),
            music: Vec::new(),
            treatments: Vec::new(),
            keys: Vec::new(),
            too_long: None,
            timeout,
            on_timeout: bye,
            on_full: bye,
            on_no_agents: bye,
            next: ask,
        };
        flow.step(name, Act::Queue(queue));
    }
    flow.step(
        "ask",
        Act::Menu(Menu {
            prompt: Prompt::named(&["again"]),
            into: Some(score),
            keys: vec![key('1', bye), key('5', transfer)],
            after: Duration::from_secs(5),
            no_input: retry(bye),
            invalid: retry(bye),
        }),
    );
    // A transfer to one agent, after the answer.
    flow.step(
        "transfer",
        Act::Ring(Ring {
            to: ivr::Target::Agent(Template::text("agent1")),
            answer: true,
            music: Vec::new(),
            timeout: Duration::from_secs(12),
            next: bye,
            on_no_answer: bye,
            on_busy: bye,
            on_unreachable: bye,
        }),
    );
    let end = flow.id("end");
    flow.step("bye", play("thanks", end));
    flow.step("end", Act::Hangup);
    flow.build().expect("the plan's flow has all its steps")
}

/// Early media, an agent rung directly before the answer, and a refusal when he is not there.
fn desk_flow() -> Flow {
    let mut flow = Flow::builder("desk");
    flow.language("en").languages(["en"]).answer(AnswerMode::ByStep);
    let (ring, busy, echo, end) = (flow.id("ring"), flow.id("busy"), flow.id("echo"), flow.id("end"));
    flow.step(
        "greet",
        Act::Play(Play { prompt: Prompt::named(&["welcome"]), early: true, repeat: 1, next: ring }),
    )
    .start("greet");
    flow.step(
        "ring",
        Act::Ring(Ring {
            to: ivr::Target::Agent(Template::text("agent0")),
            answer: false,
            music: Vec::new(),
            timeout: Duration::from_secs(15),
            next: end,
            on_no_answer: busy,
            on_busy: busy,
            on_unreachable: echo,
        }),
    );
    flow.step("busy", Act::Reject { code: 486, reason: None });
    flow.step("echo", Act::Echo(Echo::For { length: Duration::from_secs(20), next: end }));
    flow.step("end", Act::Hangup);
    flow.build().expect("the plan's flow has all its steps")
}
