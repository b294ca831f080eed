//! Every order of up to five inputs, and random flows, keys and times. What must hold after each
//! input is in `common::Caller`.

mod common;

use common::*;
use hotline_ivr::*;
use proptest::prelude::*;
use std::sync::Arc;

/// Every order of up to `depth` of these, each from the beginning; then a caller who only listens, until the end.
fn every_order(flow: &Arc<Flow>, inputs: &[Do], depth: u32) {
    let base = inputs.len();
    for length in 0..=depth {
        for number in 0..base.pow(length) {
            let script: Vec<Do> = (0..length).map(|i| inputs[number / base.pow(i) % base].clone()).collect();
            let mut caller = Caller::call(flow);
            caller.does(&script);
            for _ in 0..8 {
                caller.does(&[Do::Heard, Do::Wait(5000)]);
            }
            assert!(caller.visit.is_over(), "still {} after {script:?}", caller.visit.state());
            let ends = caller.told().iter().filter(|o| *o == "hangup" || o.starts_with("reject")).count();
            let hung_up = script.iter().any(|d| matches!(d, Do::HangUp));
            assert!(ends == 1 || ends == 0 && hung_up, "{ends} ends after {script:?}");
        }
    }
}

#[test]
fn menu_in_every_order() {
    use Do::*;
    for barge_in in [true, false] {
        let mut b = Flow::builder("f");
        b.id("ask");
        let menu = menu(&mut b, barge_in);
        b.step("ask", Act::Menu(menu));
        // `one` asks again, so that what was typed ahead or comes late meets a second question.
        let second = common::menu(&mut b, true);
        let second = Menu { keys: second.keys.into_iter().filter(|k| k.key == '2').collect(), ..second };
        b.step("one", Act::Menu(second));
        let flow = ends(b, &["two", "silent", "wrong"]);
        every_order(&flow, &[Press("1"), Press("2"), Press("9"), Heard, Wait(5000), LateNews, HangUp], 5);
    }
}

#[test]
fn collect_in_every_order() {
    use Do::*;
    for barge_in in [true, false] {
        let mut b = Flow::builder("f");
        play(&mut b, "hello", &["hello"], "ask");
        let collect = collect(&mut b, barge_in);
        b.step("ask", Act::Collect(collect));
        let menu = menu(&mut b, true);
        b.step("done", Act::Menu(menu));
        let flow = ends(b, &["one", "two", "silent", "wrong"]);
        every_order(&flow, &[Press("1"), Press("23"), Press("#"), Heard, Wait(3000), Wait(5000), HangUp], 5);
    }
}

/// What a random step is made of; exits are taken modulo the number of steps.
#[derive(Clone, Debug)]
struct Plan {
    kind: u8,
    exits: [usize; 4],
    flag: bool,
    small: u8,
}

fn plan() -> impl Strategy<Value = Plan> {
    (0..14_u8, any::<[u8; 4]>(), any::<bool>(), 0..4_u8).prop_map(|(kind, exits, flag, small)| Plan {
        kind,
        exits: exits.map(usize::from),
        flag,
        small,
    })
}

fn flow(plans: &[Plan], by_step: bool, type_ahead: bool) -> Arc<Flow> {
    let mut b = Flow::builder("random");
    b.answer(if by_step { AnswerMode::ByStep } else { AnswerMode::AtOnce }).type_ahead(type_ahead);
    b.var("text", "").var("number", 0).languages(["en", "cmn"]);
    let ids: Vec<StepId> = (0..plans.len()).map(|i| b.id(&format!("s{i}"))).collect();
    let t = |text: &str| Template::parse(text, &Types::new(&vars())).expect(text);
    for (i, plan) in plans.iter().enumerate() {
        let [a, b1, c, d] = plan.exits.map(|e| ids[e % ids.len()]);
        let prompt = match plan.small {
            0 => Prompt { sounds: Vec::new(), barge_in: plan.flag },
            1 => Prompt {
                sounds: vec![Sound::Say { kind: SayKind::Digits, value: t("{text}") }],
                barge_in: plan.flag,
            },
            _ => Prompt { barge_in: plan.flag, ..Prompt::named(&["p"]) },
        };
        let tries = plan.small.into();
        let retry = |then| Retry { tries, prompt: Vec::new(), then };
        let length = secs(tries.into());
        let key = |key: char, value: Value, to| Key { key, value, to };
        let act = match plan.kind {
            0 | 1 => Act::Play(Play { prompt, early: plan.small == 3, repeat: tries, next: a }),
            2 => Act::Menu(Menu {
                prompt,
                into: None,
                keys: vec![key('1', "".into(), a), key('#', "".into(), b1)],
                after: length,
                no_input: retry(c),
                invalid: retry(d),
            }),
            3 => Act::Menu(Menu {
                prompt,
                into: Some(VarId::LANGUAGE),
                keys: vec![key('1', "cmn".into(), a), key('2', "xx".into(), a)],
                after: length,
                no_input: retry(c),
                invalid: retry(d),
            }),
            4 | 5 => Act::Collect(Collect {
                prompt,
                into: if plan.flag { VarId(10) } else { VarId(11) },
                min: tries as usize,
                max: plan.exits[3] % 70,
                end: plan.flag.then_some('#'),
                first: length,
                between: length,
                mask: plan.small == 1,
                matches: None,
                check: None,
                no_input: retry(c),
                invalid: retry(d),
                next: a,
            }),
            6 => Act::Set(Set {
                role: SetRole::Set,
                values: vec![
                    (VarId(11), t("{number * 7 - 1}")),
                    (VarId(10), t("{text}{number}")),
                    (VarId::SEVERITY, t("P{number}")),
                ],
                next: a,
            }),
            7 => Act::Branch(Branch {
                arms: vec![
                    (Expr::condition("number < -100", &Types::new(&vars())).expect("a condition"), a),
                    (
                        Expr::condition("len(text) > 20 or language == 'en'", &Types::new(&vars()))
                            .expect("a condition"),
                        b1,
                    ),
                ],
                otherwise: c,
            }),
            8 => Act::Queue(Queue {
                queue: "q".into(),
                require: Some(Demand::parse("lang[text] >= 1", &Types::new(&vars())).expect("a demand")),
                severity: t("{severity}"),
                music: Vec::new(),
                treatments: Vec::new(),
                keys: Vec::new(),
                too_long: None,
                timeout: None,
                on_timeout: b1,
                on_full: c,
                on_no_agents: d,
                next: a,
            }),
            9 => Act::Ring(Ring {
                to: Target::Agent(t("{text}")),
                answer: plan.flag,
                music: Vec::new(),
                timeout: length,
                next: a,
                on_no_answer: b1,
                on_busy: c,
                on_unreachable: d,
            }),
            10 => Act::Ringing { length, next: a },
            11 if plan.flag => Act::Echo(Echo::For { length, next: a }),
            11 => Act::Answer { next: a },
            12 => Act::Reject { code: 486, reason: None },
            _ => Act::Hangup,
        };
        b.step(&format!("s{i}"), act);
    }
    Arc::new(b.build().expect("every step is made"))
}

fn vars() -> Vec<VarDecl> {
    vec![VarDecl::new("text", "".into()), VarDecl::new("number", 0.into())]
}

fn step_of_life() -> impl Strategy<Value = Do> {
    let key = prop::sample::select(KEYS.chars().collect::<Vec<_>>());
    prop_oneof![
        6 => key.prop_map(Do::Dial),
        4 => prop::sample::select(vec!['1', '2', '#']).prop_map(Do::Dial),
        5 => Just(Do::Heard),
        4 => (0..4000_u64).prop_map(Do::Wait),
        1 => Just(Do::LateNews),
        2 => prop::sample::select(vec![QueueEnd::Timeout, QueueEnd::Full, QueueEnd::NoAgents, QueueEnd::Served])
            .prop_map(Do::Queue),
        2 => prop::sample::select(vec![RingEnd::Served, RingEnd::NoAnswer, RingEnd::Busy, RingEnd::Unreachable])
            .prop_map(Do::Ring),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A visit never panics, always waits for something or is over, and does the same every time.
    #[test]
    fn any_caller_in_any_flow(
        plans in prop::collection::vec(plan(), 1..10),
        by_step: bool,
        type_ahead: bool,
        script in prop::collection::vec(step_of_life(), 0..60),
    ) {
        let flow = flow(&plans, by_step, type_ahead);
        let mut caller = Caller::call(&flow);
        caller.does(&script);
        let mut again = Caller::call(&flow);
        again.does(&script);
        prop_assert_eq!(caller.told(), again.told());
        caller.does(&[Do::HangUp, Do::Wait(100_000)]);
        prop_assert!(caller.visit.is_over());
        prop_assert!(caller.told().is_empty());
    }
}
