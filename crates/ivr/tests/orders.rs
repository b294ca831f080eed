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
                let ended = [Do::Queue(QueueEnd::Timeout), Do::Heard, Do::Wait(5000)];
                caller.does(&ended);
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

/// The waiting states, each with every input that means something there and some that do not.
#[test]
fn waiting_in_every_order() {
    use Do::*;
    let none: &'static [&'static str] = &[];
    let cases: [(&str, Vec<Do>); 6] = [
        (
            "queue",
            vec![Press("1"), Wait(5000), Estimate(2, None), Heard, Connect, Queue(QueueEnd::Served), HangUp],
        ),
        (
            "announce",
            vec![Press("1"), Wait(5000), Announced(none), Announced(&["outage"]), Heard, LateAnswer("")],
        ),
        (
            "http",
            vec![Press("1"), Wait(3000), Fetched(200, "{}"), Fetched(404, ""), LateAnswer("{}"), HangUp],
        ),
        (
            "voicemail",
            vec![Press("1"), Press("#"), Wait(5000), Heard, Message(MessageEnd::Kept), LateNews, HangUp],
        ),
        ("survey", vec![Press("1"), Press("9"), Wait(5000), Heard, LateNews, HangUp]),
        ("bot", vec![Press("1"), Wait(6000), Bot(BotEnd::Failed), Callback(CallbackEnd::Taken), HangUp]),
    ];
    for (name, inputs) in cases {
        every_order(&waiting(name), &inputs, 5);
    }
}

/// A step of a kind that waits, twice (the second time on whatever exit the first was left by), then the end.
fn waiting(kind: &str) -> Arc<Flow> {
    let mut b = Flow::builder("f");
    for (name, next) in [("first", "second"), ("second", "end")] {
        b.id(name);
        let to = b.id(next);
        let act = waiting_step(kind, to);
        b.step(name, act);
    }
    ends(b, &["end"])
}

fn waiting_step(kind: &str, to: StepId) -> Act {
    let prompt = Prompt::named(&["p"]);
    match kind {
        "queue" => Act::Queue(Queue {
            queue: "q".into(),
            require: None,
            severity: Template::text("P1"),
            music: Vec::new(),
            treatments: vec![treatment(2, Some(2)), treatment(5, None)],
            keys: vec![('1', to)],
            too_long: Some((secs(60), to)),
            timeout: None,
            on_timeout: to,
            on_full: to,
            on_no_agents: to,
            next: to,
        }),
        "announce" => Act::Announce(Announce { of: vec![("outage".into(), prompt)], next: to, none: to }),
        "http" => Act::Http(Box::new(request(to, to, to))),
        "voicemail" => Act::Voicemail(Voicemail {
            mailbox: "m".into(),
            prompt,
            min: secs(1),
            max: secs(5),
            silence: secs(2),
            end: Some('#'),
            next: to,
            on_empty: to,
            on_full: to,
        }),
        "survey" => Act::Survey(marks(None, true, [to; 3])),
        _ => Act::Bot(Bot {
            bot: "b".into(),
            context: Vec::new(),
            timeout: secs(1),
            into: Vec::new(),
            next: to,
            hand_over: to,
            on_error: to,
        }),
    }
}

fn treatment(after: u64, every: Option<u64>) -> Treatment {
    Treatment { after: secs(after), every: every.map(secs), when: None, sounds: vec![Sound::prompt("t")] }
}

fn request(next: StepId, not_found: StepId, on_error: StepId) -> Http {
    Http {
        service: "s".into(),
        method: HttpMethod::Get,
        url: vec![HttpPiece::Template(Template::text("https://s"))],
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout: secs(2),
        retries: 0,
        body_max: 1000,
        into: Vec::new(),
        status: None,
        on_status: vec![(404, 404, "404".into(), not_found)],
        next,
        on_error,
    }
}

fn marks(into: Option<VarId>, barge_in: bool, [next, low, none]: [StepId; 3]) -> Survey {
    let question =
        |name: &str, weight| SurveyQuestion { name: name.into(), sounds: vec![Sound::prompt("q")], weight };
    let plan = SurveyPlan {
        name: "s".into(),
        questions: vec![question("a", 60), question("b", 40)],
        lowest: 1,
        highest: 5,
        low: 200,
    };
    Survey {
        plan: Arc::new(plan),
        barge_in,
        after: secs(2),
        tries: 2,
        again: Vec::new(),
        into,
        next,
        low,
        none,
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
    (0..26_u8, any::<[u8; 4]>(), any::<bool>(), 0..4_u8).prop_map(|(kind, exits, flag, small)| Plan {
        kind,
        exits: exits.map(usize::from),
        flag,
        small,
    })
}

/// `secretive`: every entry is masked.
fn flow(plans: &[Plan], by_step: bool, type_ahead: bool, secretive: bool) -> Arc<Flow> {
    let mut b = Flow::builder("random");
    b.answer(if by_step { AnswerMode::ByStep } else { AnswerMode::AtOnce }).type_ahead(type_ahead);
    b.record(RecordType { name: "customer".into(), fields: vec![name_field()] });
    vars().into_iter().for_each(|var| {
        b.declare(var);
    });
    b.languages(["en", "cmn"]);
    let ids: Vec<StepId> = (0..plans.len()).map(|i| b.id(&format!("s{i}"))).collect();
    let types = b.types();
    let t = |text: &str| Template::parse(text, &types).expect(text);
    if plans[0].flag {
        b.anytime('*', "s0");
    }
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
                into: match plan.small {
                    2 => PIN,
                    _ if plan.flag => TEXT,
                    _ => NUMBER,
                },
                min: tries as usize,
                max: plan.exits[3] % 70,
                end: plan.flag.then_some('#'),
                first: length,
                between: length,
                mask: secretive || plan.small == 1,
                matches: None,
                check: None,
                no_input: retry(c),
                invalid: retry(d),
                next: a,
            }),
            6 => Act::Set(Set {
                role: SetRole::Set,
                values: vec![
                    (NUMBER, t("{-number - 1}")),
                    (TEXT, t(if plan.flag { "{text}{number}" } else { "{text}{pin}{customer}" })),
                    (PIN, t("{right(pin, 3)}")),
                    (VarId::SEVERITY, t("P{number}")),
                ],
                next: a,
            }),
            7 => Act::Branch(Branch {
                arms: vec![
                    (Expr::condition("number < -100", &types).expect("a condition"), a),
                    (Expr::condition("len(text) > 20 or language == 'en'", &types).expect("a condition"), b1),
                ],
                otherwise: c,
            }),
            8 => Act::Queue(Queue {
                queue: "q".into(),
                require: plan.flag.then(|| Demand::parse("lang[text] >= 1", &types).expect("a demand")),
                severity: t("{severity}"),
                music: Vec::new(),
                treatments: vec![
                    treatment(tries.into(), plan.flag.then_some(tries.into())),
                    treatment(3, None),
                ],
                keys: vec![('1', b1), ('#', c)],
                too_long: (plan.small > 1).then_some((secs(100), d)),
                timeout: None,
                on_timeout: b1,
                on_full: c,
                on_no_agents: d,
                next: a,
            }),
            9 => Act::Ring(Ring {
                to: match plan.small {
                    0 => Target::Number { number: t("{text}"), trunk: "carrier".into() },
                    _ => Target::Agent(t("{text}")),
                },
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
            14 => Act::Announce(Announce {
                of: vec![("outage".into(), prompt.clone()), ("works".into(), prompt)],
                next: a,
                none: b1,
            }),
            15 => Act::Language(Language {
                language: t(if plan.flag { "cmn" } else { "{text}" }),
                next: a,
                unknown: b1,
            }),
            16 => Act::Identify(Identify {
                directory: Arc::new(Directory {
                    name: "d".into(),
                    country: "86".into(),
                    fields: vec![name_field()],
                    rows: [("13800138000".into(), Arc::from([Value::from("Anna")]))].into(),
                }),
                by: t(["{caller}", "{pin}", "{text}"][plan.small as usize % 3]),
                into: CUSTOMER,
                found: a,
                unknown: b1,
            }),
            17 | 18 => Act::Http(Box::new(Http {
                url: vec![HttpPiece::Template(t("https://s/{pin}/{text}"))],
                body: plan.flag.then(|| JsonTemplate::Value(t("{customer}"))),
                into: vec![Taken {
                    into: CUSTOMER,
                    field: Some(0),
                    path: JsonPath(vec![JsonStep::Key("name".into())]),
                    kind: Type::Text,
                    default: plan.flag.then(|| "nobody".into()),
                }],
                status: Some(NUMBER),
                ..request(a, b1, c)
            })),
            19 => Act::Notify(Notify {
                service: "s".into(),
                event: "e".into(),
                fields: vec![("pin".into(), t("{pin}{text}"))],
                next: a,
            }),
            20 => Act::Consent(Consent {
                what: "recording".into(),
                prompt,
                yes: '1',
                no: '2',
                after: length,
                no_input: retry(c),
                invalid: retry(d),
                granted: a,
                refused: b1,
            }),
            21 => Act::Voicemail(Voicemail {
                mailbox: "m".into(),
                prompt,
                min: secs(1),
                max: length,
                silence: secs(2),
                end: plan.flag.then_some('#'),
                next: a,
                on_empty: b1,
                on_full: c,
            }),
            22 => Act::Callback(Callback {
                queue: "q".into(),
                number: t("{text}"),
                require: None,
                severity: t("P{number}"),
                next: a,
                on_invalid: b1,
                on_full: c,
            }),
            23 => Act::Survey(marks(Some(NUMBER), plan.flag, [a, b1, c])),
            24 => Act::Bot(Bot {
                bot: "b".into(),
                context: vec![("pin".into(), t("{pin}"))],
                timeout: length,
                into: vec![("text".into(), TEXT), ("number".into(), NUMBER)],
                next: a,
                hand_over: b1,
                on_error: c,
            }),
            25 if plan.flag => Act::Record(Record { action: RecordAction::Pause, next: a }),
            25 => Act::Back { otherwise: a },
            12 => Act::Reject { code: 486, reason: None },
            _ => Act::Hangup,
        };
        b.step(&format!("s{i}"), act);
    }
    Arc::new(b.build().expect("every step is made"))
}

fn name_field() -> Field {
    Field { name: "name".into(), kind: Type::Text, default: "".into() }
}

const TEXT: VarId = VarId(10);
const NUMBER: VarId = VarId(11);
const PIN: VarId = VarId(12);
const CUSTOMER: VarId = VarId(13);

fn vars() -> Vec<VarDecl> {
    vec![
        VarDecl::new("text", "".into()),
        VarDecl::new("number", 0.into()),
        VarDecl { mask: true, ..VarDecl::new("pin", Value::Digits("".into())) },
        VarDecl::new("customer", Value::Record(RecordId(0), Arc::new(["".into()]))),
    ]
}

fn step_of_life() -> impl Strategy<Value = Do> {
    let key = prop::sample::select(KEYS.chars().collect::<Vec<_>>());
    prop_oneof![
        6 => key.prop_map(Do::Dial),
        4 => prop::sample::select(vec!['1', '2', '#']).prop_map(Do::Dial),
        5 => Just(Do::Heard),
        4 => (0..4000_u64).prop_map(Do::Wait),
        1 => Just(Do::LateNews),
        1 => Just(Do::LateAnswer("{}")),
        3 => Just(Do::Press("7391826")),
        2 => Just(Do::Connect),
        3 => prop::sample::select(vec![
            Do::Estimate(3, Some(200)),
            Do::Estimate(1, None),
            Do::Announced(&["works"]),
            Do::Announced(&[]),
        ]),
        4 => prop::sample::select(vec![
            Do::Fetched(200, r#"{"name":"Ben"}"#),
            Do::Fetched(200, "[[]]"),
            Do::Fetched(404, ""),
            Do::Fetched(500, ""),
            Do::Failed(HttpFailure::Overloaded),
        ]),
        3 => prop::sample::select(vec![
            Do::Message(MessageEnd::Kept),
            Do::Message(MessageEnd::Empty),
            Do::Callback(CallbackEnd::Taken),
            Do::Callback(CallbackEnd::Invalid),
            Do::Bot(BotEnd::Failed),
            Do::Bot(BotEnd::HandOver(vec![("text".into(), "db".into()), ("number".into(), "x".into())])),
        ]),
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
        secretive: bool,
        script in prop::collection::vec(step_of_life(), 0..60),
    ) {
        let flow = flow(&plans, by_step, type_ahead, secretive);
        let mut caller = Caller::call(&flow);
        caller.secret = secretive.then_some("739");
        caller.does(&script);
        let mut again = Caller::call(&flow);
        again.does(&script);
        prop_assert_eq!(caller.told(), again.told());
        caller.does(&[Do::HangUp, Do::Wait(100_000)]);
        prop_assert!(caller.visit.is_over());
        // A survey in its middle is handed in; nothing else.
        prop_assert!(caller.told().iter().all(|line| line.starts_with("survey")));
    }
}
