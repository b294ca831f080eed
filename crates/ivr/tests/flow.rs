//! What a flow tells about itself, for checks and graphs.

mod common;

use common::*;
use hotline_ivr::*;
use std::sync::Arc;

/// One step of each kind.
fn all_kinds() -> Flow {
    let mut b = Flow::builder("all");
    play(&mut b, "hello", &["welcome", "terms"], "which");
    let menu = menu(&mut b, true);
    b.step("which", Act::Menu(menu));
    let collect = collect(&mut b, true);
    b.step_at("one", 42, Act::Collect(collect));
    let (next, a, c, d) = (b.id("set"), b.id("branch"), b.id("hours"), b.id("queue"));
    b.step("done", Act::Answer { next });
    b.step("set", Act::Set(Set { role: SetRole::Set, values: Vec::new(), next: a }));
    let when = Expr::condition("typed=='1'or len( typed )>2", &b.types()).expect("a condition");
    b.step("branch", Act::Branch(Branch { arms: vec![(when, c)], otherwise: d }));
    let zone = hours::zone("Asia/Shanghai").expect("a zone");
    let schedule = Arc::new(Schedule::new(zone, Vec::new()));
    b.step("hours", Act::Hours(Hours { schedule, open: d, closed: a }));
    let queue = Queue {
        queue: "technical".into(),
        require: None,
        severity: Template::text("P1"),
        music: vec![Sound::prompt("music")],
        treatments: Vec::new(),
        keys: Vec::new(),
        too_long: None,
        timeout: None,
        on_timeout: a,
        on_full: c,
        on_no_agents: d,
        next: b.id("ring"),
    };
    b.step("queue", Act::Queue(queue));
    let ring = Ring {
        to: Target::Agent(Template::text("alice")),
        answer: true,
        music: Vec::new(),
        timeout: secs(20),
        next: b.id("echo"),
        on_no_answer: a,
        on_busy: c,
        on_unreachable: d,
    };
    b.step("ring", Act::Ring(ring));
    let next = b.id("wait");
    b.step("echo", Act::Echo(Echo::For { length: secs(1), next }));
    let next = b.id("mirror");
    b.step("wait", Act::Ringing { length: secs(1), next });
    b.step("mirror", Act::Echo(Echo::UntilHangup));
    b.step("wrong", Act::Reject { code: 486, reason: None });
    for end in ["two", "silent"] {
        b.step(end, Act::Hangup);
    }
    b.build().expect("every step is made")
}

#[test]
fn steps_name_their_exits() {
    let flow = all_kinds();
    let told: Vec<String> = flow
        .steps
        .iter()
        .map(|step| {
            let exits: Vec<String> =
                step.exits().iter().map(|(label, to)| format!("{label}: {}", flow.step(*to).name)).collect();
            format!("{} ({}) {}", step.name, step.kind(), exits.join(", ")).trim_end().to_owned()
        })
        .collect();
    assert_eq!(
        told,
        [
            "which (menu) 1: one, 2: two, no-input: silent, invalid: wrong",
            "hello (play) next: which",
            "one (collect) next: done, no-input: silent, invalid: wrong",
            "two (hangup)",
            "silent (hangup)",
            "wrong (reject)",
            "done (answer) next: set",
            "set (set) next: branch",
            "branch (branch) typed == '1' or len(typed) > 2: hours, otherwise: queue",
            "hours (hours) open: queue, closed: branch",
            "queue (queue) next: ring, timeout: branch, full: hours, no-agents: queue",
            "ring (ring) next: echo, no-answer: branch, busy: hours, unreachable: queue",
            "echo (echo) next: wait",
            "wait (ringing) next: mirror",
            "mirror (echo)",
        ]
    );
    assert!(flow.is_whole());
    let waits: Vec<&str> = flow.steps.iter().filter(|s| !s.waits()).map(|s| &*s.name).collect();
    assert_eq!(waits, ["done", "set", "branch", "hours"]);
    assert_eq!(flow.find("one").map(|id| flow.step(id).line), Some(42));
}

#[test]
fn steps_name_their_prompts() {
    let flow = all_kinds();
    let heard = |name: &str| {
        let names = |heard: Vec<Heard<'_>>| {
            let one = |heard: Heard<'_>| match heard {
                Heard::Prompt(name) => name.to_string(),
                Heard::Say(kind) => format!("say {kind}"),
                Heard::Timed(length) => format!("{length:?}"),
            };
            heard.into_iter().map(one).collect::<Vec<_>>().join(" ")
        };
        let (straight, aside) = flow.step(flow.find(name).expect(name)).heard();
        [names(straight), names(aside)]
    };
    assert_eq!(heard("hello"), ["welcome terms", ""]);
    assert_eq!(heard("which"), ["choose", "no-input wrong-key"]);
    assert_eq!(heard("one"), ["enter", "no-input wrong-entry"]);
    assert_eq!(heard("queue"), ["", "music"]);
    assert_eq!(heard("ring"), ["", ""]);

    let sounds = vec![
        Sound::Say { kind: SayKind::Telephone, value: Template::text("1") },
        Sound::Silence(secs(1)),
        Sound::Tone { hz: [440, 0], length: secs(2), dbm0: 0 },
    ];
    let prompt = Prompt { sounds, barge_in: true };
    let act = Act::Play(Play { prompt, early: false, repeat: 2, next: StepId(0) });
    let step = Step { name: "x".into(), line: 0, origin: None, act };
    assert_eq!(step.prompts().len(), 6, "a repeated prompt is heard again");
}

#[test]
fn a_step_that_is_named_must_be_made() {
    let mut b = Flow::builder("f");
    play(&mut b, "a", &["a"], "b");
    assert_eq!(b.build().expect_err("b is missing"), StepMissing("b".into()));
    assert!(Flow::builder("f").build().is_err());
    let mut b = Flow::builder("f");
    b.step("a", Act::Hangup).start("a");
    let mut flow = b.build().expect("a whole flow");
    flow.start = StepId(1);
    assert!(!flow.is_whole());
}
