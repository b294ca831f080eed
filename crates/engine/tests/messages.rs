//! Messages, recordings and lamps: every end and every crossing, in virtual time.
mod lab;
use engine::*;
use hotline_core::{AgentId, CallId, Time};
use hotline_engine as engine;
use ivr::{Act, Collect, Flow, Prompt, RecordAction, Retry, Sound};
use lab::*;
use media::Event as MediaEvent;
use std::sync::Arc;
use std::time::Duration;

const MAX: u64 = 60;

/// Tone, message, and what became of it as the step that follows: kept, empty, full.
fn voicemail() -> Flow {
    let mut flow = Flow::builder("voicemail");
    flow.language("en").languages(["en"]);
    let [kept, empty, full, end] = ["kept", "empty", "full", "end"].map(|name| flow.id(name));
    let act = ivr::Voicemail {
        mailbox: "support".into(),
        prompt: Prompt::named(&["welcome"]),
        min: 2 * S,
        max: MAX as u32 * S,
        silence: 5 * S,
        end: Some('#'),
        next: kept,
        on_empty: empty,
        on_full: full,
    };
    flow.step("leave", Act::Voicemail(act)).start("leave");
    for name in ["kept", "empty", "full"] {
        let prompt = Prompt::named(&["thanks"]);
        flow.step(name, Act::Play(ivr::Play { prompt, early: false, repeat: 1, next: end }));
    }
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}

fn mailbox(messages_max: u32) -> Mailbox {
    Mailbox {
        title: "Support".into(),
        messages_max,
        keep: 3600 * 24 * S,
        agents: vec![AgentId(0)],
        notify: None,
    }
}

fn open(flow: Flow, change: impl FnOnce(&mut Settings)) -> Lab {
    let mut settings = settings();
    settings.numbers = [number("100", flow)].into_iter().collect();
    settings.mailboxes.insert("support".into(), mailbox(10));
    change(&mut settings);
    let mut lab = Lab::new(settings);
    lab.register("alice");
    lab.phone("caller");
    lab
}

/// A caller who has heard the tone and speaks.
fn speaking(change: impl FnOnce(&mut Settings)) -> Lab {
    let mut lab = open(voicemail(), change);
    lab.dial("caller", "100");
    lab.take();
    lab.played(leg(1, 0), 1);
    lab
}

fn steps(lab: &Lab) -> Vec<String> {
    let step = |line: &StoryLine| match line {
        StoryLine::Step { step } => Some(step.to_string()),
        _ => None,
    };
    lab.stories.iter().filter_map(step).collect()
}

fn events<'a>(trace: &'a [String], kind: &str) -> Vec<&'a str> {
    trace.iter().filter(|line| line.split(' ').next() == Some(kind)).map(String::as_str).collect()
}

fn messages(lab: &mut Lab) -> Vec<MessageView> {
    match lab.operate(Command::ShowMessages { mailbox: Some("support".into()) }) {
        Reply::Messages(messages) => messages,
        other => panic!("{other:?}"),
    }
}

fn taped(lab: &mut Lab, tape: u64, news: TapeNews) {
    lab.input(Input::Taped { tape: TapeId(tape), news });
}

#[test]
fn a_message_ends_by_its_key_and_lights_the_lamp() {
    let mut lab = speaking(|_| {});
    let start = Tape::Start {
        tape: TapeId(1),
        leg: leg(1, 0),
        file: "voicemail/support/1.wav".into(),
        kind: TapeKind::Message { min: 2 * S, silence: 5 * S },
    };
    assert_eq!(lab.tapes, [start]);
    lab.pass(4 * S);
    lab.press(leg(1, 0), "#");
    let end = Tape::End { tape: TapeId(1), cut: Duration::from_millis(150) };
    assert_eq!(lab.tapes.last(), Some(&end));
    assert_eq!(steps(&lab), ["leave", "kept"]);
    let trace = lab.take();
    assert_eq!(
        events(&trace, "message-kept"),
        ["message-kept mailbox=support message=1 length_ms=4000 lost_ms=0"]
    );
    let lamp = lab.sent("NOTIFY ");
    assert!(lamp.starts_with("NOTIFY sip:alice@10.1.0.1:5060 SIP/2.0\r\n"), "{lamp}");
    for line in [
        "Event: message-summary\r\n",
        "Subscription-State: active\r\n",
        "Content-Type: application/simple-message-summary\r\n",
        "\r\n\r\nMessages-Waiting: yes\r\nMessage-Account: sip:alice@hotline.test\r\nVoice-Message: 1/0 (0/0)\r\n",
    ] {
        assert!(lamp.contains(line), "{line} in {lamp}");
    }
    let listed = messages(&mut lab);
    assert_eq!((listed.len(), listed[0].call, listed[0].heard), (1, CallId(1), false));
    assert_eq!(listed[0].at_unix_ms, 1_790_000_001_000);
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert!(!lab.printed.contains("13800138000"), "his number is nobody's business");
}

/// Every way a message ends, and the step that follows.
#[test]
fn every_end_has_its_exit() {
    let kept = |s: u32| TapeNews::Kept { length: s * S, lost: Duration::ZERO };
    let failed = || TapeNews::Failed { why: "no storage space".into() };
    for (how, news, step, count) in [
        ("silence", kept(4), "kept", 1),
        ("silence", TapeNews::Empty, "empty", 0),
        ("max", kept(60), "kept", 1),
        ("key", TapeNews::Empty, "empty", 0),
        ("key", failed(), "full", 0),
        ("broken", failed(), "full", 0),
    ] {
        let mut lab = speaking(|_| {});
        lab.tape_news = Some(news.clone()).filter(|_| how != "broken");
        match how {
            "silence" => taped(&mut lab, 1, TapeNews::Silent),
            "max" => lab.until(1 + MAX),
            "key" => lab.press(leg(1, 0), "1#"),
            _ => taped(&mut lab, 1, news.clone()),
        }
        assert_eq!(steps(&lab), ["leave", step], "{how} {news:?}");
        assert_eq!(messages(&mut lab).len(), count, "{how} {news:?}");
        lab.hang_up("caller");
        lab.nothing_left(1);
    }
}

#[test]
fn who_hangs_up_has_left_his_message() {
    let mut lab = speaking(|_| {});
    lab.tape_news = None;
    lab.hang_up("caller");
    assert_eq!(lab.tapes.last(), Some(&Tape::End { tape: TapeId(1), cut: Duration::ZERO }));
    assert_eq!(lab.records.len(), 1, "the record waits for no file");
    taped(&mut lab, 1, TapeNews::Kept { length: 3 * S, lost: Duration::ZERO });
    assert_eq!(messages(&mut lab).len(), 1);
    lab.nothing_left(1);
}

/// Key, silence and hang-up in one instant, in every order: one end, one message.
#[test]
fn ends_that_cross_are_one() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut lab = speaking(|_| {});
        lab.tape_news = None;
        for what in order {
            match what {
                0 => lab.press(leg(1, 0), "#"),
                1 => taped(&mut lab, 1, TapeNews::Silent),
                _ => lab.hang_up("caller"),
            }
        }
        let ends = lab.tapes.iter().filter(|tape| matches!(tape, Tape::End { .. })).count();
        assert_eq!(ends, 1, "{order:?}");
        for _ in 0..2 {
            taped(&mut lab, 1, TapeNews::Kept { length: 3 * S, lost: Duration::ZERO });
        }
        assert_eq!(messages(&mut lab).len(), 1, "{order:?}");
        lab.nothing_left(1);
    }
}

#[test]
fn a_writer_that_says_nothing_holds_up_nobody() {
    let mut lab = speaking(|_| {});
    lab.tape_news = None;
    lab.press(leg(1, 0), "#");
    lab.until(5);
    assert_eq!(steps(&lab), ["leave"]);
    lab.until(7);
    assert_eq!(steps(&lab), ["leave", "full"]);
    taped(&mut lab, 1, TapeNews::Kept { length: 3 * S, lost: Duration::ZERO });
    assert!(messages(&mut lab).is_empty(), "it came too late");
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn a_full_mailbox_takes_no_more_and_counts_those_that_are_being_left() {
    let mut lab = speaking(|s| drop(s.mailboxes.insert("support".into(), mailbox(1))));
    lab.phone("caller2");
    lab.dial("caller2", "100");
    lab.played(leg(2, 0), 1);
    assert_eq!(events(&lab.take(), "message-refused"), ["message-refused mailbox=support why=full"]);
    assert_eq!(lab.tapes.len(), 1);
    lab.hang_up("caller2");
    lab.press(leg(1, 0), "#");
    assert!(matches!(
        lab.operate(Command::DeleteMessage { mailbox: "support".into(), id: 1, by: "li".into() }),
        Reply::Done(_)
    ));
    assert_eq!(lab.tapes.last(), Some(&Tape::Erase { file: "voicemail/support/1.wav".into() }));
    assert_eq!(lab.kept.last(), Some(&Kept::MessageGone(1)));
    assert!(lab.sent("NOTIFY ").contains("Messages-Waiting: no\r\n"));
    lab.dial("caller2", "100");
    lab.played(leg(3, 0), 1);
    assert_eq!(lab.tapes.len(), 4, "there is room again");
    lab.hang_up("caller2");
    lab.hang_up("caller");
    lab.nothing_left(3);
}

#[test]
fn a_mailbox_that_is_not_there_is_full() {
    let mut lab = speaking(|s| s.mailboxes.clear());
    assert_eq!(events(&lab.take(), "message-refused"), ["message-refused mailbox=support why=unknown"]);
    assert_eq!(steps(&lab), ["leave", "full"]);
    assert!(lab.tapes.is_empty());
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn messages_are_heard_and_not_found_in_other_mailboxes() {
    let mut lab = speaking(|s| drop(s.mailboxes.insert("sales".into(), mailbox(1))));
    lab.press(leg(1, 0), "#");
    let mut mark = |mailbox: &str, id, heard| {
        let (mailbox, by) = (mailbox.to_owned(), "li".to_owned());
        lab.operate(Command::MarkMessage { mailbox, id, heard, by })
    };
    assert!(matches!(mark("sales", 1, true), Reply::Error(_)));
    assert!(matches!(mark("support", 2, true), Reply::Error(_)));
    assert!(matches!(mark("nowhere", 1, true), Reply::Error(why) if why.contains("sales, support")));
    assert!(matches!(mark("support", 1, true), Reply::Done(_)));
    assert_eq!(lab.kept.last(), Some(&Kept::MessageHeard { id: 1, heard: true }));
    assert!(lab.sent("NOTIFY ").contains("Messages-Waiting: no\r\n"));
    assert!(lab.sent("NOTIFY ").contains("Voice-Message: 0/1 (0/0)\r\n"));
    // Once more changes nothing and tells nobody.
    let before = lab.kept.len();
    let (mailbox, by) = ("support".to_owned(), "li".to_owned());
    lab.operate(Command::MarkMessage { mailbox, id: 1, heard: true, by });
    assert_eq!(lab.kept.len(), before);
}

#[test]
fn messages_outlast_the_engine_and_expire_with_proof() {
    let mut lab = speaking(|_| {});
    lab.press(leg(1, 0), "#");
    let Some(Kept::Message(message)) = lab.kept.last().cloned() else { panic!("{:?}", lab.kept) };
    let mut lab = open(voicemail(), |_| {});
    let mut out = hotline_core::Outbox::new();
    let kept = KeptAtStart { messages: vec![message], message_last: 7, ..KeptAtStart::default() };
    lab.engine.restore(Time::ZERO, kept, &mut out);
    assert_eq!(messages(&mut lab).len(), 1);
    // A phone that comes hears of it; one that comes again, too.
    lab.datagrams.clear();
    lab.phone("bob");
    lab.register("alice2");
    assert!(lab.sent("NOTIFY ").contains("Voice-Message: 1/0 (0/0)\r\n"));
    lab.until(24 * 3600);
    assert_eq!(messages(&mut lab).len(), 1);
    lab.until(24 * 3600 + 1);
    let trace = lab.take();
    assert_eq!(events(&trace, "message-expired"), ["message-expired mailbox=support message=1"]);
    assert!(messages(&mut lab).is_empty());
    assert_eq!(lab.kept, [Kept::MessageGone(1)]);
    assert_eq!(lab.tapes, [Tape::Erase { file: "voicemail/support/1.wav".into() }]);
    // Its number is not used again.
    lab.dial("caller", "100");
    lab.played(leg(1, 0), 1);
    assert!(matches!(lab.tapes.last(), Some(Tape::Start { file, .. }) if file == "voicemail/support/8.wav"));
}

#[test]
fn a_service_hears_of_a_message_and_not_of_who_called() {
    let mut lab = speaking(|s| {
        let service = Service {
            url: "https://crm.test/events".into(),
            headers: Vec::new(),
            timeout: 2 * S,
            retries: 0,
            answer_max: 1000,
            ca: None,
        };
        s.services.insert("crm".into(), service);
        s.mailboxes.insert("support".into(), Mailbox { notify: Some("crm".into()), ..mailbox(5) });
    });
    lab.press(leg(1, 0), "#");
    let (_, request) = lab.fetches.pop().expect("a request");
    let Some(ivr::HttpPart::Text(body)) = request.body.and_then(|body| body.0.first().cloned()) else {
        panic!("a body")
    };
    assert_eq!(
        &*body,
        r#"{"event":"voicemail","call":"call-1","at":"2026-09-21T14:13:21Z","fields":{"mailbox":"support","message":1,"length_s":4}}"#
    );
}

#[test]
fn a_drain_waits_for_the_last_word() {
    let mut lab = speaking(|_| {});
    lab.tape_news = None;
    lab.input(Input::Stop);
    assert!(!lab.drained);
    taped(&mut lab, 1, TapeNews::Kept { length: 3 * S, lost: Duration::ZERO });
    assert!(lab.drained && matches!(lab.kept.last(), Some(Kept::Message(_))));
}

// Recordings.

/// Recorded from the start: a secret, the queue, off, thanks.
fn recorded() -> Flow {
    let mut flow = Flow::builder("recorded");
    flow.language("en").languages(["en"]).var("pin", "");
    let pin = flow.var_id("pin");
    let [ask, queue, off, thanks, end] = ["ask", "queue", "off", "thanks", "end"].map(|name| flow.id(name));
    let record = |action, next| Act::Record(ivr::Record { action, next });
    let retry = || Retry { tries: 1, prompt: Vec::new(), then: end };
    flow.step("on", record(RecordAction::On, ask)).start("on");
    let prompt = Prompt { sounds: vec![Sound::prompt("menu")], ..Prompt::named(&[]) };
    let collect = Collect {
        prompt,
        into: pin,
        min: 4,
        max: 4,
        end: None,
        first: 5 * S,
        between: 3 * S,
        mask: true,
        matches: None,
        check: None,
        no_input: retry(),
        invalid: retry(),
        next: queue,
    };
    flow.step("ask", Act::Collect(collect));
    flow.step("queue", lab::queue_act(None, off, end));
    flow.step("off", record(RecordAction::Off, thanks));
    let prompt = Prompt::named(&["thanks"]);
    flow.step("thanks", Act::Play(ivr::Play { prompt, early: false, repeat: 1, next: end }));
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}

fn tapes(lab: &mut Lab) -> Vec<Tape> {
    std::mem::take(&mut lab.tapes)
}

#[test]
fn a_call_is_recorded_on_both_sides_and_not_where_it_is_private() {
    let mut lab = open(recorded(), |_| {});
    lab.dial("caller", "100");
    let tape = TapeId(1);
    let file = "recordings/1.wav".to_owned();
    assert_eq!(
        tapes(&mut lab),
        [Tape::Start { tape, leg: leg(1, 0), file, kind: TapeKind::Call }, Tape::Mute { tape, on: true }]
    );
    lab.pass(3 * S);
    lab.press(leg(1, 0), "1234");
    assert_eq!(tapes(&mut lab), [Tape::Mute { tape, on: false }]);
    lab.pass(10 * S);
    lab.answer("alice");
    assert_eq!(tapes(&mut lab), [Tape::Right { tape, leg: Some(leg(1, 1)) }]);
    lab.pass(20 * S);
    lab.hang_up("alice");
    assert_eq!(tapes(&mut lab), [Tape::Right { tape, leg: None }, Tape::End { tape, cut: Duration::ZERO }]);
    lab.hang_up("caller");
    lab.nothing_left(1);
    let [recording] = lab.records[0].recordings.as_slice() else { panic!("{:?}", lab.records) };
    assert_eq!((recording.length, recording.muted), (33 * S, 3 * S));
    assert_eq!(&*recording.file, "recordings/1.wav");
}

#[test]
fn a_caller_who_leaves_while_it_is_private_ends_the_recording() {
    let mut lab = open(recorded(), |_| {});
    lab.dial("caller", "100");
    lab.pass(2 * S);
    lab.hang_up("caller");
    assert!(matches!(lab.tapes.last(), Some(Tape::End { .. })));
    lab.nothing_left(1);
    assert_eq!((lab.records[0].recordings[0].length, lab.records[0].recordings[0].muted), (2 * S, 2 * S));
}

#[test]
fn a_recording_that_breaks_costs_the_recording_alone() {
    let mut lab = open(recorded(), |_| {});
    lab.dial("caller", "100");
    taped(&mut lab, 1, TapeNews::Failed { why: "no storage space".into() });
    lab.press(leg(1, 0), "1234");
    lab.answer("alice");
    let trace = lab.take();
    assert!(trace.contains(&"bridge caller leg1".to_owned()), "{trace:?}");
    assert_eq!(
        events(&trace, "recording-failed"),
        ["recording-failed file=recordings/1.wav why=no storage space"]
    );
    lab.hang_up("caller");
    lab.media(MediaEvent::Heard { leg: leg(1, 0) });
    lab.nothing_left(1);
    assert!(lab.records[0].recordings.is_empty());
}

#[test]
fn numbers_of_settings_are_shared() {
    // The agents of a mailbox are places in its own settings' roster.
    let mut lab = open(voicemail(), |s| s.mailboxes.clear());
    let mut out = hotline_core::Outbox::new();
    let mut other = settings();
    other.numbers = [number("100", voicemail())].into_iter().collect();
    other.mailboxes.insert("support".into(), mailbox(3));
    let roster = Arc::make_mut(&mut other.roster);
    roster.agents.reverse();
    other.accounts.reverse();
    other.mailboxes.insert("support".into(), Mailbox { agents: vec![AgentId(1)], ..mailbox(3) });
    lab.datagrams.clear();
    let change = Box::new(Change::Serve(other));
    lab.engine.handle(lab.now, Input::Configure { ticket: 1, change, by: "li".into() }, &mut out);
    let notified = out
        .drain()
        .filter(|o| matches!(o, Output::Send { bytes, .. } if bytes.starts_with(b"NOTIFY sip:alice")));
    assert_eq!(notified.count(), 1);
}
