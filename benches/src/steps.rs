//! What the flow language costs: a step interpreted, a test of a flow run.

use crate::meter::Meter;
use config::SystemSecrets;
use hotline_core::{Outbox, Time};
use ivr::{Act, Flow, Input, Key, Menu, Output, Play, Prompt, Retry, Set, SetRole, Start, Template, Visit};
use rehearsal::{Case, CaseFile, Counter, House};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Callers in one look at the clock.
const BATCH: u64 = 50;
/// How often each caller goes round before he hangs up.
const ROUNDS: u64 = 20;
/// Steps of one round: menu, set, branch, play.
const ROUND: u64 = 4;

/// A caller goes round a menu, a set, a branch and a prompt; per step.
pub fn interpreted(meter: &mut Meter, times: u64) {
    let flow = Arc::new(round());
    let mut out: Outbox<Output> = Outbox::new();
    for _ in 0..times.div_ceil(BATCH * ROUNDS * ROUND) {
        meter.measured(|| {
            for _ in 0..BATCH {
                caller(&flow, &mut out);
            }
        });
        meter.done(BATCH * ROUNDS * ROUND);
    }
}

fn caller(flow: &Arc<Flow>, out: &mut Outbox<Output>) {
    let mut visit = Visit::new(flow.clone());
    let start = Start {
        caller: "13800138000".into(),
        dialled: "4009508888".into(),
        epoch_unix: 1_795_399_200,
        vars: Vec::new(),
        call: "1".into(),
    };
    let mut now = Time::ZERO;
    visit.handle(now, Input::Started(Box::new(start)), out);
    visit.handle(now, Input::Ready, out);
    for _ in 0..ROUNDS {
        now += Duration::from_secs(1);
        visit.handle(now, Input::Digit('1'), out);
        let play = out
            .drain()
            .filter_map(|o| if let Output::Play { play, .. } = o { Some(play) } else { None })
            .next_back();
        now += Duration::from_secs(1);
        if let Some(play) = play {
            visit.handle(now, Input::Played(play), out);
        }
        out.drain();
    }
    visit.handle(now, Input::HungUp, out);
    out.drain();
}

fn round() -> Flow {
    let mut flow = Flow::builder("round");
    flow.language("en").languages(["en"]).var("tries", 0).var("topic", "sales");
    let (types, tries, topic) = (flow.types(), flow.var_id("tries"), flow.var_id("topic"));
    let template = |text: &str| Template::parse(text, &types).expect("a good template");
    let [menu, set, branch, play, end] = ["menu", "set", "branch", "play", "end"].map(|name| flow.id(name));
    let retry = || Retry { tries: 2, prompt: Vec::new(), then: end };
    let keys = vec![
        Key { key: '1', value: "help".into(), to: set },
        Key { key: '2', value: "sales".into(), to: end },
    ];
    flow.step(
        "menu",
        Act::Menu(Menu {
            prompt: Prompt::named(&["choose"]),
            into: Some(topic),
            keys,
            after: Duration::from_secs(5),
            no_input: retry(),
            invalid: retry(),
        }),
    );
    let values = vec![(tries, template("{tries + 1}"))];
    flow.step("set", Act::Set(Set { role: SetRole::Set, values, next: branch }));
    let when =
        ivr::Expr::condition("tries > 1000000 or topic == 'nothing'", &types).expect("a good condition");
    flow.step("branch", Act::Branch(ivr::Branch { arms: vec![(when, end)], otherwise: play }));
    let prompt = Prompt::named(&["thanks"]);
    flow.step("play", Act::Play(Play { prompt, early: false, repeat: 1, next: menu }));
    flow.step("end", Act::Hangup);
    flow.start("menu");
    flow.build().expect("every step is there")
}

/// The tests beside the sample's main flow, one after the other; per test.
pub fn tested(meter: &mut Meter, times: u64) {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/hotline.toml");
    let loaded = config::load(&main, &SystemSecrets, 1_795_399_200);
    let settings = loaded.settings.expect("the sample is good");
    let flow = loaded.flows.get("support").expect("the sample has it");
    let cases = match loaded.tests.get("support") {
        Some(path) => {
            let source = std::fs::read_to_string(path).expect("it was listed");
            rehearsal::read(&source).expect("the sample's tests can be read")
        }
        None => CaseFile { minimum: Default::default(), fuzz: 0, cases: vec![Case::empty()] },
    };
    let house = House::new(Arc::new(settings));
    let mut counter = Counter::new(flow);
    let mut next = cases.cases.iter().cycle();
    for _ in 0..times {
        let case = next.next().expect("a circle has no end");
        meter.measured(|| rehearsal::run(&house, flow, case, None, &mut counter));
        meter.done(1);
    }
}
