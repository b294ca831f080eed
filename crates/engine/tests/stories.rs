//! What happens on a call, told in virtual time: every datagram, media command and event in its order.
mod lab;
use engine::*;
use hotline_core::{AgentId, Cause, Time};
use hotline_engine as engine;
use lab::*;
use media::Event as MediaEvent;
use std::sync::Arc;

/// An installation with these numbers, and alice's phone registered.
fn open(numbers: Vec<(Arc<str>, Number)>) -> Lab {
    open_with(numbers, |_| {})
}

fn open_with(numbers: Vec<(Arc<str>, Number)>, change: impl FnOnce(&mut Settings)) -> Lab {
    let mut settings = settings();
    settings.numbers = numbers.into_iter().collect();
    change(&mut settings);
    let mut lab = Lab::new(settings);
    lab.register("alice");
    lab.phone("caller");
    lab.take();
    lab
}

/// A caller in the queue, and alice's phone ringing.
fn ringing() -> Lab {
    let mut lab = open(vec![number("100", queue_only(None))]);
    lab.dial("caller", "100");
    lab.ring("alice");
    lab.take();
    lab
}

/// A caller who talks with alice.
fn talking() -> Lab {
    let mut lab = ringing();
    lab.answer("alice");
    assert!(lab.take().contains(&"bridge caller leg1".to_owned()));
    lab
}

fn outcomes(record: &CallRecord) -> Vec<&str> {
    record.queues.iter().map(|stay| stay.outcome).collect()
}

fn causes(record: &CallRecord) -> Vec<(&str, Cause)> {
    record.legs.iter().map(|leg| (leg.party.as_str(), leg.cause)).collect()
}

#[test]
fn one_call_through_the_rooms() {
    let mut lab = open(vec![number("100", support())]);
    lab.dial("caller", "100");
    assert_eq!(
        lab.take(),
        [
            "caller 100 INVITE",
            "call-arrived number=100",
            "open caller",
            "connect caller SendRecv",
            "call-answered",
            "caller 200 INVITE",
            "play caller play-1 sound-1",
        ]
    );
    lab.pass(2 * S);
    lab.played(leg(1, 0), 1);
    assert_eq!(lab.take(), ["play caller play-2 sound-2"]);
    lab.press(leg(1, 0), "1");
    assert_eq!(
        lab.take(),
        [
            "stop caller",
            "play caller loop sound-0",
            "call-queued queue=support severity=P1",
            "offer-made alice phones=1 queue=support",
            "open leg1",
            "agent-state alice state=offered",
            "alice INVITE",
        ]
    );
    let invite = lab.sent("INVITE sip:alice@");
    assert!(
        invite.contains("From: \"P1 support en 13800138000\" <sip:13800138000@hotline.test>"),
        "{invite}"
    );
    lab.ring("alice");
    lab.pass(3 * S);
    lab.answer("alice");
    assert_eq!(
        lab.take(),
        [
            "alice ACK",
            "connect leg1 SendRecv",
            "connected alice waited_ms=3000",
            "stop caller",
            "bridge caller leg1",
            "agent-state alice state=talking",
        ]
    );
    lab.press(leg(1, 0), "7");
    lab.pass(60 * S);
    assert_eq!(lab.take(), [""; 0], "keys pressed while they talk are no news for the flow");
    lab.hang_up("alice");
    assert_eq!(
        lab.take(),
        [
            "alice 200 BYE",
            "unbridge caller leg1",
            "stop caller",
            "agent-left alice cause=agent-hung-up talked_ms=60000",
            "close leg1",
            "play caller play-3 sound-3",
            "agent-state alice state=wrap-up (30s left)",
        ]
    );
    lab.played(leg(1, 0), 3);
    let end = ["close caller", "call-ended cause=flow-ended fault=Flow", "caller BYE", "record flow-ended"];
    assert_eq!(lab.take(), end);
    lab.nothing_left(1);
    assert_eq!(lab.take(), ["agent-state alice state=ready"], "after the wrap-up");

    let record = &lab.records[0];
    let at = Time::from_secs;
    assert_eq!((record.started, record.answered, record.ended), (at(1), Some(at(1)), at(66)));
    let path: Vec<_> = record.path.iter().map(|(after, step)| (after.as_secs(), &**step)).collect();
    assert_eq!(path, [(0, "welcome"), (2, "menu"), (2, "queue"), (65, "bye"), (65, "end")]);
    assert_eq!((record.digits.as_str(), record.language.as_str()), ("1", "en"));
    let stay = &record.queues[0];
    assert_eq!((stay.entered, stay.left, stay.outcome, stay.offers), (at(3), at(6), "connected", 1));
    assert_eq!(stay.agent, Some(AgentId(0)));
    assert_eq!(causes(record), [("caller", Cause::FlowEnded), ("alice", Cause::AgentHungUp)]);
    assert_eq!(record.legs[1].answered, Some(at(6)));
    assert!(record.legs.iter().all(|leg| leg.codec == Some("PCMA") && leg.media.is_some()));
}

#[test]
fn the_caller_hangs_up_while_they_talk() {
    let mut lab = talking();
    lab.hang_up("caller");
    assert_eq!(
        lab.take(),
        [
            "caller 200 BYE",
            "close caller",
            "close leg1",
            "call-ended cause=caller-hung-up fault=Caller",
            "alice BYE",
            "agent-state alice state=wrap-up (30s left)",
            "record caller-hung-up",
        ]
    );
    assert!(lab.sent("BYE sip:alice").contains("Reason: SIP;cause=200;text=\"caller-hung-up\""));
    lab.nothing_left(1);
    let both = [("caller", Cause::CallerHungUp), ("alice", Cause::CallerHungUp)];
    assert_eq!(causes(&lab.records[0]), both);
}

#[test]
fn the_caller_hangs_up_while_an_agent_is_rung() {
    let mut lab = ringing();
    lab.hang_up("caller");
    let wire = lab.take();
    assert!(wire.contains(&"alice CANCEL".to_owned()), "{wire:?}");
    assert!(wire.contains(&"agent-state alice state=ready".to_owned()), "no miss, no rest: {wire:?}");
    lab.nothing_left(1);
    assert_eq!(outcomes(&lab.records[0]), ["abandoned"]);
}

#[test]
fn an_agent_who_does_not_answer_rests_and_is_rung_again() {
    let mut lab = ringing();
    lab.pass(20 * S);
    let seen = lab.take();
    assert!(seen.contains(&"alice CANCEL".to_owned()), "{seen:?}");
    assert!(seen.iter().any(|l| l == "offer-ended alice why=rang out"), "{seen:?}");
    assert_eq!(lab.agent_state("alice"), "resting (10s left)");
    lab.pass(10 * S);
    assert!(lab.take().contains(&"offer-made alice phones=1 queue=support".to_owned()));
    lab.answer("alice");
    lab.hang_up("caller");
    lab.nothing_left(1);
    let record = &lab.records[0];
    assert_eq!((outcomes(record), record.queues[0].offers), (vec!["connected"], 2));
    let legs = [Cause::CallerHungUp, Cause::RangOut, Cause::CallerHungUp];
    assert_eq!(record.legs.iter().map(|leg| leg.cause).collect::<Vec<_>>(), legs);
}

#[test]
fn refusals_and_unreachable_phones_are_misses() {
    for (code, why) in [(486, "refused"), (603, "refused"), (408, "unreachable"), (503, "unreachable")] {
        let mut lab = ringing();
        lab.refuse("alice", code);
        let ended = format!("offer-ended alice why={why}");
        assert!(lab.take().contains(&ended), "{code}");
        assert_eq!(lab.agent_state("alice"), "resting (10s left)", "{code}");
        lab.hang_up("caller");
        lab.nothing_left(1);
        assert_eq!(lab.records[0].legs[1].cause, Cause::Refused(code));
    }
}

#[test]
fn a_silent_phone_is_given_up_after_the_ring_time() {
    let mut lab = open(vec![number("100", queue_only(None))]);
    lab.held = true;
    lab.dial("caller", "100");
    lab.held = false;
    // The phone is gone: nobody at its address.
    lab.phone("alice").address = ([10, 9, 9, 9], 5060).into();
    lab.settle();
    lab.take();
    lab.pass(20 * S);
    assert!(lab.take().contains(&"offer-ended alice why=rang out".to_owned()));
    lab.pass(5 * S);
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn the_first_of_several_phones_has_the_call() {
    let mut lab = open(vec![number("100", queue_only(None))]);
    lab.register("alice2");
    lab.register("alice3");
    lab.take();
    lab.dial("caller", "100");
    assert_eq!(lab.take().iter().filter(|l| l.ends_with(" INVITE") && l.starts_with("alice")).count(), 3);
    for phone in ["alice", "alice2", "alice3"] {
        lab.ring(phone);
    }
    lab.refuse("alice", 486);
    assert_eq!(lab.take_wire(), ["alice ACK", "close leg1"], "the others go on ringing");
    lab.held = true;
    lab.answer("alice3");
    // This one has not seen its CANCEL yet.
    lab.answer("alice2");
    let seen = lab.take();
    assert_eq!(seen.iter().filter(|l| l.starts_with("bridge")).count(), 1, "{seen:?}");
    assert!(lab.sent("CANCEL").contains("Reason: SIP;cause=200;text=\"answered elsewhere\""));
    lab.held = false;
    lab.settle();
    let late = lab.take();
    assert!(late.iter().any(|l| l == "alice2 BYE") || seen.iter().any(|l| l == "alice2 BYE"), "{late:?}");
    assert_eq!(lab.agent_state("alice"), "talking");
    lab.hang_up("caller");
    lab.nothing_left(1);
    let cause = [Cause::CallerHungUp, Cause::Refused(486), Cause::CallerHungUp];
    let mut ends: Vec<Cause> = lab.records[0].legs.iter().map(|leg| leg.cause).collect();
    let elsewhere = ends.iter().position(|c| *c == Cause::AnsweredElsewhere).expect("the second phone");
    ends.remove(elsewhere);
    assert_eq!(ends, cause);
}

#[test]
fn a_decline_on_one_phone_speaks_for_all() {
    let mut lab = open(vec![number("100", queue_only(None))]);
    lab.register("alice2");
    lab.dial("caller", "100");
    lab.ring("alice");
    lab.ring("alice2");
    lab.take();
    lab.refuse("alice", 603);
    let seen = lab.take();
    assert!(seen.contains(&"alice2 CANCEL".to_owned()), "{seen:?}");
    assert!(seen.contains(&"offer-ended alice why=refused".to_owned()), "{seen:?}");
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn an_agent_leaves_or_pauses_while_rung() {
    let mut lab = ringing();
    lab.unregister("alice");
    let seen = lab.take();
    assert!(seen.contains(&"alice CANCEL".to_owned()), "{seen:?}");
    assert_eq!(lab.agent_state("alice"), "offline");
    lab.register("alice");
    lab.ring("alice");
    let pause = Command::AgentPause { agent: "alice".into(), reason: "lunch".into(), by: "test".into() };
    lab.take();
    assert!(matches!(lab.operate(pause), Reply::Done(_)));
    assert!(lab.take().contains(&"alice CANCEL".to_owned()));
    // The break outlasts the phone's restart.
    lab.unregister("alice");
    assert_eq!(lab.agent_state("alice"), "offline");
    lab.register("alice");
    assert_eq!(lab.agent_state("alice"), "paused (lunch)");
    let ready = Command::AgentReady { agent: "alice".into(), by: "test".into() };
    assert!(matches!(lab.operate(ready), Reply::Done(_)));
    assert_eq!(lab.agent_state("alice"), "offered", "the caller still waits");
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].queues[0].offers, 3);
}

#[test]
fn an_agent_rung_directly_before_the_answer() {
    let desk = || vec![number("200", desk(false, false))];
    // She answers: only then is the caller answered, and both are joined.
    let mut lab = open(desk());
    lab.dial("caller", "200");
    lab.ring("alice");
    let seen = lab.take_wire();
    assert_eq!(seen, ["caller 100 INVITE", "caller 180 INVITE", "open leg1", "alice INVITE"]);
    lab.answer("alice");
    let seen = lab.take_wire();
    assert_eq!(
        seen,
        [
            "alice ACK",
            "connect leg1 SendRecv",
            "open caller",
            "connect caller SendRecv",
            "stop caller",
            "bridge caller leg1",
            "caller 200 INVITE",
        ]
    );
    lab.hang_up("caller");
    lab.nothing_left(1);

    // She does not come: a miss like any other, and the flow's own answer.
    let mut lab = open(desk());
    lab.dial("caller", "200");
    lab.ring("alice");
    lab.take();
    lab.pass(15 * S);
    let seen = lab.take();
    assert!(seen.contains(&"alice CANCEL".to_owned()), "{seen:?}");
    assert!(seen.contains(&"offer-ended alice why=rang out".to_owned()), "{seen:?}");
    assert!(seen.contains(&"agent-state alice state=resting (10s left) why=did not answer".to_owned()));
    assert_eq!(lab.last_code("caller"), Some(480));
    lab.nothing_left(1);

    // The caller gives up: no miss.
    let mut lab = open(desk());
    lab.dial("caller", "200");
    lab.ring("alice");
    lab.hang_up("caller");
    assert_eq!(lab.agent_state("alice"), "ready");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].cause, Cause::CallerCancelled);

    // She refuses; she is paused; her phone is off.
    let mut lab = open(desk());
    lab.dial("caller", "200");
    lab.refuse("alice", 486);
    assert_eq!(lab.last_code("caller"), Some(486));
    let pause = Command::AgentPause { agent: "alice".into(), reason: "lunch".into(), by: "test".into() };
    lab.operate(pause);
    lab.dial("caller", "200");
    assert_eq!(lab.last_code("caller"), Some(486));
    lab.unregister("alice");
    lab.dial("caller", "200");
    assert_eq!(lab.last_code("caller"), Some(404));
    lab.nothing_left(3);
}

#[test]
fn an_agent_rung_directly_after_the_answer() {
    let mut lab = open(vec![number("200", desk(true, false))]);
    lab.dial("caller", "200");
    lab.ring("alice");
    lab.answer("alice");
    lab.take();
    lab.hang_up("alice");
    let seen = lab.take_wire();
    let expected =
        ["alice 200 BYE", "unbridge caller leg1", "stop caller", "close leg1", "play caller play-1 sound-3"];
    assert_eq!(seen, expected);
    assert_eq!(lab.agent_state("alice"), "ready", "no wrap-up outside the queues");
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn early_media_then_an_answer_then_the_bridge() {
    let mut lab = open(vec![number("200", desk(false, true))]);
    lab.dial("caller", "200");
    let seen = lab.take_wire();
    let expected = [
        "caller 100 INVITE",
        "open caller",
        "connect caller SendRecv",
        "caller 183 INVITE",
        "play caller play-1 sound-1",
    ];
    assert_eq!(seen, expected);
    let early = lab.sent("SIP/2.0 183");
    lab.played(leg(1, 0), 1);
    lab.ring("alice");
    lab.answer("alice");
    let seen = lab.take_wire();
    assert!(!seen.contains(&"connect caller SendRecv".to_owned()), "nothing changed: {seen:?}");
    assert_eq!(seen[seen.len() - 2..], ["bridge caller leg1", "caller 200 INVITE"]);
    let body = |message: &str| message.split("\r\n\r\n").nth(1).map(str::to_owned);
    assert_eq!(body(&early), body(&lab.sent("m=audio")), "said again, word for word");
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn an_invite_without_an_offer_gets_ours() {
    let mut lab = open(vec![number("100", support())]);
    lab.dial_with("caller", "100", None);
    let seen = lab.take_wire();
    let expected = [
        "caller 100 INVITE",
        "open caller",
        "caller 200 INVITE",
        "connect caller SendRecv",
        "play caller play-1 sound-1",
    ];
    assert_eq!(seen, expected, "heard when the ACK has brought the answer");
    lab.hang_up("caller");
    lab.nothing_left(1);

    // The ACK never comes: the record tells so, and not that the flow ended.
    lab.held = true;
    lab.dial_with("caller", "100", None);
    lab.pass(40 * S);
    lab.nothing_left(2);
    assert_eq!(lab.records[1].cause, Cause::NoAck);
}

#[test]
fn what_cannot_be_heard_takes_its_time_and_ends_with_the_caller() {
    let mut lab = open(vec![number("300", early_for_ever())]);
    lab.dial_with("caller", "300", None);
    lab.pass(11 * S);
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].path.len(), 6, "2.2 s a prompt: {:?}", lab.records[0].path);
    assert_eq!(lab.records[0].cause, Cause::CallerCancelled);
}

#[test]
fn a_flow_that_turns_in_a_circle_ends() {
    let mut lab = open(vec![number("300", queue_for_ever())]);
    lab.unregister("alice");
    lab.dial("caller", "300");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].cause, Cause::FlowEnded);
    assert!(lab.trace.iter().any(|l| l.starts_with("flow-fault step=queue")));
    assert_eq!(lab.records[0].queues.len(), 200);
}

#[test]
fn hold_and_resume_on_both_sides() {
    use sdp::Direction::{SendOnly, SendRecv};
    let mut lab = talking();
    let steps: [(&str, _, &[&str]); 4] = [
        ("caller", SendOnly, &["connect caller RecvOnly", "play leg1 loop sound-0", "held by=caller"]),
        ("alice", SendOnly, &["connect leg1 RecvOnly", "play caller loop sound-0", "held by=alice"]),
        ("caller", SendRecv, &["connect caller SendRecv", "stop leg1", "resumed by=caller"]),
        ("alice", SendRecv, &["connect leg1 SendRecv", "stop caller", "resumed by=alice"]),
    ];
    for (who, direction, expected) in steps {
        lab.reoffer(who, direction);
        let seen: Vec<String> = lab.take().into_iter().filter(|l| !l.ends_with("INVITE")).collect();
        assert_eq!(seen, expected, "{who} {direction:?}");
    }
    // Silence while held is no fault; afterwards it is.
    lab.reoffer("caller", SendOnly);
    lab.media(MediaEvent::Silent { leg: leg(1, 0), since: 60 * S });
    assert!(lab.take_wire().iter().all(|l| !l.contains("BYE")));
    lab.reoffer("caller", SendRecv);
    lab.media(MediaEvent::Silent { leg: leg(1, 0), since: 60 * S });
    lab.nothing_left(1);
    assert_eq!(lab.records[0].cause, Cause::NoMedia);
}

#[test]
fn an_unchanged_offer_keeps_the_version_of_our_description() {
    use sdp::Direction::{SendOnly, SendRecv};
    let mut lab = talking();
    let origin = |lab: &Lab| {
        let answers = lab.datagrams.iter().rev().map(|b| String::from_utf8_lossy(b).into_owned());
        let last = answers.into_iter().find(|m| m.starts_with("SIP/2.0 200") && m.contains("m=audio"));
        let last = last.expect("an answer");
        last.lines().find(|l| l.starts_with("o=")).map(str::to_owned).expect("an origin")
    };
    let version = |line: &str| line.split(' ').nth(2).and_then(|v| v.parse::<u64>().ok()).expect("a version");
    let first = origin(&lab);
    lab.reoffer("caller", SendRecv);
    assert_eq!(origin(&lab), first);
    lab.reoffer("caller", SendOnly);
    assert_eq!(version(&origin(&lab)), version(&first) + 1);
    lab.reoffer("caller", SendOnly);
    assert_eq!(version(&origin(&lab)), version(&first) + 1);
    lab.reoffer("caller", SendRecv);
    assert_eq!(version(&origin(&lab)), version(&first) + 2);
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn keys_by_info_are_keys() {
    let mut lab = open(vec![number("100", support())]);
    lab.dial("caller", "100");
    lab.played(leg(1, 0), 1);
    lab.take();
    lab.info("caller", '1');
    let seen = lab.take();
    assert_eq!(seen[..2], ["caller 200 INFO", "stop caller"]);
    assert!(seen.contains(&"offer-made alice phones=1 queue=support".to_owned()), "{seen:?}");
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].digits, "1");
}

#[test]
fn limits_of_node_and_number() {
    let (digits, mut limited) = number("100", queue_only(None));
    limited.limit = Some(1);
    let numbers = vec![(digits, limited), number("101", queue_only(None))];
    let mut lab = open_with(numbers, |s| s.limits.calls = 2);
    lab.dial("caller1", "100");
    lab.dial("caller2", "100");
    assert_eq!(lab.last_code("caller2"), Some(486), "other numbers have room: no 503");
    assert!(lab.sent("SIP/2.0 486").contains("Retry-After: 7"));
    lab.dial("caller2", "101");
    lab.dial("caller3", "101");
    assert_eq!(lab.last_code("caller3"), Some(503));
    assert!(lab.sent("SIP/2.0 503").contains("Retry-After: 7"));
    lab.hang_up("caller1");
    lab.dial("caller3", "100");
    assert_eq!(lab.last_code("caller3"), Some(200));
    lab.dial("caller4", "999");
    assert_eq!(lab.last_code("caller4"), Some(404));
    lab.hang_up("caller2");
    lab.hang_up("caller3");
    lab.nothing_left(3);
}

#[test]
fn what_cannot_be_negotiated_is_refused_with_a_warning() {
    let mut lab = open(vec![number("100", support())]);
    let opus = b"v=0\r\no=- 1 1 IN IP4 10.1.0.9\r\ns=-\r\nc=IN IP4 10.1.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n";
    lab.dial_with("caller", "100", Some(opus.to_vec()));
    assert_eq!(lab.last_code("caller"), Some(488));
    assert!(lab.sent("SIP/2.0 488").contains("Warning: 399 hotline.test \"no codec in common"));
    lab.dial_with("caller", "100", Some(b"v=nonsense".to_vec()));
    assert_eq!(lab.last_code("caller"), Some(400));
    lab.nothing_left(0);
    let refused: Vec<String> = lab.take().into_iter().filter(|l| l.starts_with("call-refused")).collect();
    assert_eq!(refused.len(), 2, "{refused:?}");
}

#[test]
fn media_that_do_not_open() {
    let mut lab = open(vec![number("100", queue_only(None))]);
    // The caller's own.
    lab.slow_media = true;
    lab.dial("caller", "100");
    lab.fails(leg(1, 0));
    assert_eq!(lab.last_code("caller"), Some(500));
    // A thread that stalls counts as failed, and what it opens late is closed again.
    lab.dial("caller", "100");
    lab.pass(5 * S);
    assert_eq!(lab.last_code("caller"), Some(500));
    let late = lab.opened(leg(2, 0));
    lab.media(late);
    assert_eq!(lab.records.len(), 2);
    // An agent's: the phone does not even ring, and the caller goes on waiting.
    lab.slow_media = false;
    lab.dial("caller", "100");
    lab.hang_up("caller");
    lab.dial("caller", "100");
    lab.pass(S);
    lab.hang_up("caller");
    lab.nothing_left(4);
    assert!(lab.records[..2].iter().all(|r| r.cause == Cause::MediaFailed));
}

#[test]
fn the_media_of_an_agents_phone_do_not_open() {
    let mut lab = open(vec![number("200", desk(false, false))]);
    lab.slow_media = true;
    lab.dial("caller", "200");
    lab.take();
    lab.fails(leg(1, 1));
    let seen = lab.take();
    assert!(seen.iter().all(|l| l != "alice INVITE"), "{seen:?}");
    assert_eq!(lab.last_code("caller"), Some(404));
    lab.nothing_left(1);
}

#[test]
fn no_call_lasts_for_ever() {
    let mut lab = open_with(vec![number("100", queue_only(None)), number("300", early_for_ever())], |s| {
        s.limits.call_max = 600 * S;
    });
    lab.unregister("alice");
    lab.register("bob");
    lab.dial("caller", "100");
    lab.dial("caller2", "300");
    lab.pass(600 * S);
    assert_eq!(lab.last_code("caller2"), Some(480), "never answered: refused");
    lab.nothing_left(2);
    assert!(lab.records.iter().all(|r| r.cause == Cause::TooLong));
}

#[test]
fn a_requirement_that_nobody_can_meet_takes_its_exit() {
    let mut flow = ivr::Flow::builder("queue");
    flow.language("en").languages(["en"]);
    let (gone, types) = (flow.id("gone"), flow.types());
    let require = ivr::Demand::parse("skill.unheard-of >= 1", &types)
        .or_else(|_| ivr::Demand::parse("unheard_of >= 1", &types))
        .expect("a demand by its grammar");
    let queue = ivr::Queue {
        queue: "support".into(),
        require: Some(require),
        severity: ivr::Template::text("P1"),
        music: Vec::new(),
        treatments: Vec::new(),
        keys: Vec::new(),
        too_long: None,
        timeout: None,
        on_timeout: gone,
        on_full: gone,
        on_no_agents: gone,
        next: gone,
    };
    flow.step("queue", ivr::Act::Queue(queue)).start("queue");
    flow.step("gone", ivr::Act::Hangup);
    let mut lab = open(vec![number("100", flow.build().expect("whole"))]);
    lab.dial("caller", "100");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].cause, Cause::FlowEnded);
    let steps: Vec<&str> = lab.records[0].path.iter().map(|(_, s)| &**s).collect();
    assert_eq!(steps, ["queue", "gone"]);
}

#[test]
fn the_queue_has_its_own_timeout() {
    let mut lab = open(vec![number("100", support_asking(Some(8 * S)))]);
    lab.dial("caller", "100");
    lab.played(leg(1, 0), 1);
    lab.press(leg(1, 0), "1");
    lab.ring("alice");
    lab.take();
    lab.pass(8 * S);
    let seen = lab.take();
    assert!(seen.contains(&"alice CANCEL".to_owned()), "{seen:?}");
    assert_eq!(lab.agent_state("alice"), "ready", "nobody's miss");
    lab.nothing_left(1);
    assert_eq!(outcomes(&lab.records[0]), ["timeout"]);
}

#[test]
fn a_drain_lets_calls_finish_and_then_ends_them() {
    let mut lab = talking();
    lab.input(Input::Drain);
    lab.dial("caller2", "100");
    assert_eq!(lab.last_code("caller2"), Some(503));
    lab.pass(59 * S);
    assert!(!lab.drained);
    assert_eq!(lab.agent_state("alice"), "talking");
    lab.pass(2 * S);
    assert!(lab.drained, "at the limit it ends them");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].cause, Cause::Draining);

    let mut lab = talking();
    lab.input(Input::Drain);
    lab.hang_up("caller");
    assert!(lab.drained, "as soon as the last call is over");
    lab.nothing_left(1);
}

#[test]
fn feature_codes_are_proved_carried_out_and_confirmed() {
    let mut lab = open(vec![number("100", queue_only(None))]);
    lab.dial("alice", "*511");
    let seen = lab.take_wire();
    assert_eq!(seen[..4], ["alice 100 INVITE", "alice 401 INVITE", "alice 100 INVITE", "open caller"]);
    assert!(seen.contains(&"play caller play-1 silence+sound-5".to_owned()), "{seen:?}");
    assert_eq!(lab.agent_state("alice"), "paused (break)");
    lab.played(leg(1, 0), 1);
    lab.dial("alice", "*519");
    assert_eq!(lab.last_code("alice"), Some(404), "no such reason");
    lab.dial("alice", "*52");
    assert_eq!(lab.agent_state("alice"), "offline");
    lab.hang_up("alice");
    lab.dial("caller", "*50");
    assert_eq!(lab.last_code("caller"), Some(401), "a stranger proves nothing");
    lab.dial("alice", "*50");
    assert_eq!(lab.agent_state("alice"), "ready");
    lab.hang_up("alice");
    // An agent with no phone registered has no state to set.
    lab.dial("bob", "*50");
    assert_eq!(lab.last_code("bob"), Some(403));
    lab.nothing_left(3);
}

#[test]
fn operators_hang_up_and_hear_what_is_wrong() {
    let mut lab = talking();
    let hang_up = |call| Command::HangUp { call: hotline_core::CallId(call), by: "test".into() };
    assert!(matches!(lab.operate(hang_up(9)), Reply::Error(why) if why.contains("call-9")));
    assert!(matches!(lab.operate(hang_up(1)), Reply::Done(_)));
    lab.nothing_left(1);
    assert_eq!(lab.records[0].cause, Cause::OperatorEnded);
    let ready = Command::AgentReady { agent: "nobody".into(), by: "test".into() };
    assert!(matches!(lab.operate(ready), Reply::Error(why) if why.contains("alice, bob")));
}

#[test]
fn garbage_is_dropped_or_answered_and_changes_nothing() {
    let mut lab = talking();
    let hop = sip::Hop {
        transport: sip::Transport::Udp,
        local: engine_address(),
        remote: ([192, 0, 2, 9], 9).into(),
    };
    let texts: [&[u8]; 6] = [
        b"",
        b"\r\n\r\n",
        b"\xff\xfe\x00garbage",
        b"BYE sip:x SIP/2.0\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"INVITE sip:100@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:100@h>;tag=forged\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    ];
    for text in texts {
        lab.input(Input::Received { hop, bytes: text.into() });
    }
    let events = [
        MediaEvent::Digit { leg: leg(77, 0), digit: '1' },
        MediaEvent::Played { leg: leg(1, 200), play: hotline_core::PlayId(1) },
        MediaEvent::Failed { leg: leg(1, 0), why: String::new() },
        MediaEvent::Closed { leg: leg(1, 0), stats: Box::default() },
        MediaEvent::Opened { leg: leg(1, 1), address: engine_address() },
    ];
    for event in events {
        lab.media(event);
    }
    assert!(lab.take().iter().all(|l| !l.contains("bridge") && !l.contains("call-ended")));
    assert_eq!(lab.agent_state("alice"), "talking");
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn masked_keys_and_callers_numbers_stay_out_of_every_log() {
    let mut lab = open(vec![number("100", secret())]);
    lab.dial("caller", "100");
    lab.press(leg(1, 0), "83");
    lab.press(leg(1, 0), "91#");
    lab.pass(3 * S);
    lab.ring("alice");
    lab.answer("alice");
    lab.hang_up("alice");
    lab.nothing_left(1);
    let record = &lab.records[0];
    assert_eq!(record.digits, "*****");
    assert_eq!(record.vars, [("pin".into(), "****".to_owned())]);
    assert!(lab.printed.contains("prompt-missing"), "what was read back had no prompts");
    assert!(lab.printed.contains("connected"));
    for secret in ["13800138000", "8391", "digit"] {
        let line = lab.printed.lines().find(|l| l.to_lowercase().contains(secret) && !l.contains("Pressed"));
        assert_eq!(line, None, "{secret}");
    }
    for key in ['8', '3', '9'] {
        assert!(!lab.printed.contains(&format!("'{key}'")), "{key}");
        assert!(!lab.printed.contains(&format!("-{key}")), "{key}");
    }
}

#[test]
fn a_promise_that_passes_is_told_once() {
    let mut lab = open(vec![number("100", queue_only(None))]);
    let pause = Command::AgentPause { agent: "alice".into(), reason: "lunch".into(), by: "test".into() };
    lab.operate(pause);
    lab.dial("caller", "100");
    lab.pass(899 * S);
    assert!(lab.take().iter().all(|line| !line.starts_with("promise-missed")));
    lab.pass(900 * S);
    let told: Vec<String> = lab.take().into_iter().filter(|l| l.starts_with("promise-missed")).collect();
    assert_eq!(told, ["promise-missed queue=support severity=P1"]);
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn an_agent_who_hangs_up_before_the_caller_is_answered_did_not_come() {
    let mut lab = open(vec![number("200", desk(false, false))]);
    lab.slow_media = true;
    lab.dial("caller", "200");
    let opened = lab.opened(leg(1, 1));
    lab.media(opened);
    lab.answer("alice");
    assert_eq!(lab.opening(), [leg(1, 0)], "the caller's media open for the answer");
    lab.hang_up("alice");
    assert_eq!(lab.last_code("caller"), Some(480));
    lab.nothing_left(1);
    assert_eq!(lab.records[0].answered, None);
}
