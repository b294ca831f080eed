//! Waiting in a queue: treatments, keys, the wait told beforehand; phones that ring.

use crate::common::*;
use crate::{condition, one_step, story, template};
use hotline_ivr::*;
use std::sync::Arc;

const ENDS: [&str; 6] = ["served", "late", "full", "nobody", "other", "long"];

/// Music `m`; 1 leads to `other`.
fn line(change: impl FnOnce(&mut FlowBuilder, &mut Queue)) -> Arc<Flow> {
    one_step(AnswerMode::AtOnce, &ENDS, |b| {
        let mut queue = Queue {
            queue: "q".into(),
            require: None,
            severity: template("{severity}", b),
            music: vec![Sound::prompt("m")],
            treatments: Vec::new(),
            keys: vec![('1', b.id("other"))],
            too_long: None,
            timeout: None,
            on_timeout: b.id("late"),
            on_full: b.id("full"),
            on_no_agents: b.id("nobody"),
            next: b.id("served"),
        };
        change(b, &mut queue);
        Act::Queue(queue)
    })
}

fn treatment(after: u64, every: Option<u64>, prompt: &str) -> Treatment {
    Treatment { after: secs(after), every: every.map(secs), when: None, sounds: vec![Sound::prompt(prompt)] }
}

#[test]
fn treatments_are_said_with_a_fresh_place_and_wait() {
    use Do::*;
    let flow = line(|b, q| {
        let say = |kind, text: &str| Sound::Say { kind, value: template(text, b) };
        let sounds = vec![say(SayKind::Position, "{position}"), say(SayKind::Wait, "{wait}")];
        q.treatments = vec![Treatment { sounds, ..treatment(10, Some(30), "") }];
    });
    let mut caller = Caller::call(&flow);
    caller.told();
    assert_eq!(caller.visit.deadline().map(|d| (d.at.as_secs(), d.why)), Some((110, "treatment is due")));
    assert_eq!(caller.does(&[Wait(9999)]).told(), [""; 0]);
    assert_eq!(caller.does(&[Wait(1)]).told(), ["estimate q P3 (anyone)"]);
    let read = |kind, value| say::reading(kind, value, "en").expect(value);
    let heard = [read(SayKind::Position, "3"), read(SayKind::Wait, "61")].concat();
    let heard: Vec<String> = heard.iter().map(|n| format!("en/{n}")).collect();
    assert_eq!(caller.does(&[Estimate(3, Some(61))]).told(), [format!("play {}", heard.join(", "))]);
    assert_eq!(caller.visit.value("wait"), Some(&Value::Duration(61_000)));
    assert_eq!(caller.does(&[Wait(2000), Heard]).told(), ["music en/m"]);
    // 30 s after it was due, not after it ended; and the news are fresh.
    assert_eq!(caller.does(&[Wait(27_999)]).told(), [""; 0]);
    assert_eq!(caller.does(&[Wait(1)]).told(), ["estimate q P3 (anyone)"]);
    caller.does(&[Estimate(2, None)]);
    assert_eq!(caller.visit.value("position"), Some(&Value::Number(2)));
    assert_eq!(caller.visit.value("wait"), Some(&Value::Duration(0)), "no estimate");
    caller.does(&[Heard, Queue(QueueEnd::Served)]);
    assert_eq!(caller.visit.value("position"), Some(&Value::Number(0)), "no longer in the line");
}

#[test]
fn treatments_take_turns() {
    use Do::*;
    let two = line(|_, q| q.treatments = vec![treatment(10, None, "b"), treatment(10, Some(20), "a")]);
    let table: &[(&[Do], &[&str])] = &[
        // Due at once: in the order of the file, the music when both are over.
        (&[Wait(10_000), Estimate(1, None)], &["estimate q P3 (anyone)", "play en/b"]),
        (
            &[Wait(10_000), Estimate(1, None), Heard, Estimate(1, None), Heard],
            &["estimate q P3 (anyone)", "play en/b", "estimate q P3 (anyone)", "play en/a", "music en/m"],
        ),
        // One that takes longer than its own time does not follow itself.
        (
            &[Wait(10_000), Estimate(1, None), Heard, Estimate(1, None), Wait(45_000), Heard, Wait(4999)],
            &["estimate q P3 (anyone)", "play en/b", "estimate q P3 (anyone)", "play en/a", "music en/m"],
        ),
        (
            &[
                Wait(10_000),
                Estimate(1, None),
                Heard,
                Estimate(1, None),
                Wait(45_000),
                Heard,
                Wait(15_000),
                Estimate(1, None),
            ],
            &[
                "estimate q P3 (anyone)",
                "play en/b",
                "estimate q P3 (anyone)",
                "play en/a",
                "music en/m",
                "estimate q P3 (anyone)",
                "play en/a",
            ],
        ),
        // An estimate that nobody asked for changes nothing.
        (&[Estimate(9, Some(9)), Wait(9999), LateNews], &[]),
    ];
    for (script, told) in table {
        assert_eq!(story(&two, script)[1..], **told, "{script:?}");
    }
}

#[test]
fn treatments_may_depend_on_the_estimate() {
    use Do::*;
    let flow = line(|b, q| {
        let when = Some(condition("wait > minutes(0)", b));
        q.treatments =
            vec![Treatment { when, ..treatment(5, Some(5), "wait") }, treatment(20, None, "thanks")];
    });
    let mut caller = Caller::call(&flow);
    caller.told();
    let told = caller.does(&[Wait(5000), Estimate(1, None), Wait(5000), Estimate(1, Some(60)), Heard]).told();
    assert_eq!(
        told,
        ["estimate q P3 (anyone)", "estimate q P3 (anyone)", "play en/wait", "music en/m"],
        "without an estimate the music is not even interrupted"
    );
    // One skipped behind one that was said: the music comes back.
    let told = caller.does(&[Wait(10_000), Estimate(1, Some(60)), Heard, Estimate(1, None), Heard]).told();
    assert_eq!(told.last().map(String::as_str), Some("music en/m"), "{told:?}");
}

#[test]
fn an_estimate_that_never_comes_holds_nobody_up() {
    use Do::*;
    let flow = line(|_, q| q.treatments = vec![treatment(10, Some(10), "a"), treatment(12, None, "b")]);
    let told = story(&flow, &[Wait(10_000), Wait(4999), Wait(1), Wait(5000)]);
    let fault = "fault in step: nobody said how long the wait is";
    let estimate = "estimate q P3 (anyone)";
    assert_eq!(told[1..], [estimate, fault, estimate, fault, estimate]);
}

#[test]
fn keys_leave_the_line_until_somebody_talks() {
    use Do::*;
    let flow = line(|_, q| q.treatments = vec![treatment(10, None, "a")]);
    let table: &[(&[Do], &[&str])] = &[
        (&[Press("1")], &["leave", "> other", "hangup"]),
        (&[Press("234#*")], &[]),
        (&[Wait(10_000), Press("1")], &["estimate q P3 (anyone)", "leave", "> other", "hangup"]),
        (
            &[Wait(10_000), Estimate(1, None), Press("1")],
            &["estimate q P3 (anyone)", "play en/a", "stop", "leave", "> other", "hangup"],
        ),
        (&[Connect, Press("1"), Wait(60_000)], &[]),
        (
            &[Wait(10_000), Estimate(1, None), Connect, Press("1")],
            &["estimate q P3 (anyone)", "play en/a", "stop"],
        ),
        (&[Wait(10_000), Connect, Estimate(1, None), Wait(9000)], &["estimate q P3 (anyone)"]),
        (
            &[Wait(10_000), Estimate(1, None), Queue(QueueEnd::Timeout)],
            &["estimate q P3 (anyone)", "play en/a", "stop", "> late", "hangup"],
        ),
    ];
    for (script, told) in table {
        assert_eq!(story(&flow, script)[1..], **told, "{script:?}");
    }
    let mut caller = Caller::call(&flow);
    caller.does(&[Press("1")]);
    assert_eq!(caller.exits, ["step:1"]);
    let mut caller = Caller::call(&flow);
    caller.does(&[Connect]);
    assert_eq!(caller.visit.value("agent"), Some(&Value::from("alice")));
    assert_eq!(caller.visit.state(), "connected");
}

#[test]
fn a_wait_that_is_too_long_is_told_before_the_line() {
    use Do::*;
    let flow = line(|b, q| {
        q.too_long = Some((secs(900), b.id("long")));
        q.require = Some(Demand::parse("lang[language] >= 1", &b.types()).expect("a demand"));
    });
    let asked = "estimate q P3 (lang.en >= 1)";
    let queue = "queue q P3 (lang.en >= 1) None en/m";
    let fault = "fault in step: nobody said how long the wait is";
    let table: &[(&[Do], &[&str])] = &[
        (&[], &[asked]),
        (&[Estimate(5, Some(901))], &[asked, "> long", "hangup"]),
        (&[Estimate(5, Some(900))], &[asked, queue]),
        (&[Estimate(5, None)], &[asked, queue]),
        (&[Wait(4999), LateNews], &[asked]),
        (&[Wait(5000)], &[asked, fault, queue]),
        (&[Wait(5000), Estimate(5, Some(901))], &[asked, fault, queue]),
        (&[Press("1"), Estimate(5, None), Press("1")], &[asked, queue, "leave", "> other", "hangup"]),
        (&[Estimate(5, None), Queue(QueueEnd::Full)], &[asked, queue, "> full", "hangup"]),
    ];
    for (script, told) in table {
        assert_eq!(story(&flow, script), **told, "{script:?}");
    }
    let mut caller = Caller::call(&flow);
    caller.does(&[Estimate(5, Some(901))]);
    assert_eq!(caller.exits, ["step:too-long"]);
    assert_eq!(caller.visit.value("wait"), Some(&Value::Duration(901_000)), "the next step can say it");
}

#[test]
fn a_number_outside_is_dialled() {
    use Do::*;
    let flow = one_step(AnswerMode::AtOnce, &["served", "no-answer", "busy", "unreachable"], |b| {
        Act::Ring(hotline_ivr::Ring {
            to: Target::Number { number: template("0{caller}", b), trunk: "carrier".into() },
            answer: true,
            music: Vec::new(),
            timeout: secs(30),
            next: b.id("served"),
            on_no_answer: b.id("no-answer"),
            on_busy: b.id("busy"),
            on_unreachable: b.id("unreachable"),
        })
    });
    for (end, exit) in [
        (RingEnd::Served, "next"),
        (RingEnd::NoAnswer, "no-answer"),
        (RingEnd::Busy, "busy"),
        (RingEnd::Refused, "busy"),
        (RingEnd::Unreachable, "unreachable"),
    ] {
        let mut caller = Caller::call(&flow);
        caller.does(&[Connect, Press("1"), Wait(60_000), Ring(end)]);
        assert_eq!(caller.told()[2], "dial 013800138000 over carrier 30s music");
        assert_eq!(caller.exits, [format!("step:{exit}")]);
    }
}
