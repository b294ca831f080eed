//! What flows ask of the world outside the call: other systems, operators' announcements, the line's length, callbacks,
//! marks, numbers outside. Told in virtual time, with everything that can cross.
mod lab;
use engine::*;
use hotline_core::{CallId, Cause};
use hotline_engine as engine;
use ivr::{
    Act, Announce, Callback, Consent, Demand, Expr, Flow, FlowBuilder, Http, HttpFailure, HttpMethod,
    HttpPart, HttpPiece, HttpResult, HttpText, Notify, Play, Prompt, Retry, Ring, Sound, StepId, Survey,
    SurveyPlan, SurveyQuestion, Target, Template, Treatment,
};
use lab::*;
use std::sync::Arc;
use std::time::Duration;

const NUMBER: &str = "13912345678";

/// An installation with this flow at 100; alice's phone is registered, a carrier is at the end of the trunk.
fn open(flow: Flow) -> Lab {
    open_with(flow, |_| {})
}

fn open_with(flow: Flow, change: impl FnOnce(&mut Settings)) -> Lab {
    let mut settings = settings();
    settings.numbers = [number("100", flow)].into_iter().collect();
    let service = Service {
        url: HttpText::plain("https://crm.example/events"),
        headers: vec![("X-Key".into(), HttpText(vec![HttpPart::Secret("crm".into())]))],
        timeout: 3 * S,
        retries: 1,
        answer_max: 1000,
        ca: None,
    };
    settings.services.insert("crm".into(), service);
    settings.surveys.insert("service".into(), engine::Survey { notify: Some("crm".into()) });
    settings.announcements.insert("outage".into(), Announcement { title: "Outage".into() });
    let trunk = Trunk {
        transport: sip::Transport::Udp,
        address: ([10, 1, 0, 3], 5060).into(),
        from: "4009508888".into(),
        numbers: Some(ivr::Pattern::parse("1[3-9]xxxxxxxxx").expect("a pattern")),
        limit: Some(1),
    };
    settings.trunks.insert("carrier".into(), trunk);
    change(&mut settings);
    let mut lab = Lab::new(settings);
    lab.register("alice");
    lab.phone("caller");
    lab.phone("carrier");
    lab.phone("caller2");
    lab.take();
    lab
}

fn flow(name: &str) -> FlowBuilder {
    let mut flow = Flow::builder(name);
    flow.language("en").languages(["en"]);
    flow
}

/// `first` leads on to these steps, which say one of the lab's sounds each; then `end` hangs up.
fn with_exits(mut flow: FlowBuilder, first: Act, exits: &[(&str, &str)]) -> Flow {
    let end = flow.id("end");
    flow.step("first", first).start("first");
    for (step, sound) in exits {
        flow.step(step, play(sound, end));
    }
    flow.step("end", Act::Hangup);
    flow.build().expect("whole")
}

fn play(sound: &str, next: StepId) -> Act {
    Act::Play(Play { prompt: Prompt::named(&[sound]), early: false, repeat: 1, next })
}

fn path(record: &CallRecord) -> Vec<&str> {
    record.path.iter().map(|(_, step)| &**step).collect()
}

/// Asks `crm`, for at most 2 s.
fn asks() -> Flow {
    let mut flow = flow("asks");
    let (next, on_error) = (flow.id("good"), flow.id("bad"));
    let url =
        HttpPiece::Template(Template::parse("https://crm.example/of/{caller}", &flow.types()).expect("good"));
    let http = Http {
        service: "crm".into(),
        method: HttpMethod::Get,
        url: vec![url],
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout: 2 * S,
        retries: 0,
        body_max: 1000,
        into: Vec::new(),
        status: None,
        on_status: Vec::new(),
        next,
        on_error,
    };
    with_exits(flow, Act::Http(Box::new(http)), &[("good", "welcome"), ("bad", "thanks")])
}

fn answered(status: u16) -> HttpResult {
    HttpResult::Answered { status, body: "{\"name\":\"Li Lei\"}".into() }
}

#[test]
fn another_system_is_asked_and_answers() {
    let mut lab = open(asks());
    lab.dial("caller", "100");
    let seen = lab.take();
    assert_eq!(seen[seen.len() - 3..], ["caller 200 INVITE", "http-asked service=crm", "fetch 1 GET to crm"]);
    lab.pass(Duration::from_millis(300));
    lab.input(Input::Fetched { ticket: 1, result: answered(200) });
    assert_eq!(lab.take(), ["http-answered service=crm status=200 ms=300", "play caller play-1 sound-1"]);
    // Said twice, it is said once.
    lab.input(Input::Fetched { ticket: 1, result: answered(500) });
    assert_eq!(lab.take(), [""; 0]);
    lab.played(leg(1, 0), 1);
    lab.nothing_left(1);
    assert_eq!(path(&lab.records[0]), ["first", "good", "end"]);
    for secret in ["13800138000", "crm.example", "Li Lei"] {
        assert!(!lab.printed.contains(secret), "{secret} is printed");
    }
}

#[test]
fn an_answer_that_never_comes_is_awaited_no_longer_than_said() {
    let mut lab = open(asks());
    lab.dial("caller", "100");
    lab.take();
    lab.pass(3 * S);
    assert!(lab.take().contains(&"play caller play-1 sound-3".to_owned()), "the flow's own deadline");
    lab.pass(S);
    assert_eq!(lab.take(), ["http-answered service=crm failure=timeout ms=4000"]);
    lab.input(Input::Fetched { ticket: 1, result: answered(200) });
    assert_eq!(lab.take(), [""; 0]);
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(path(&lab.records[0]), ["first", "bad"]);
}

#[test]
fn the_caller_hangs_up_before_the_answer() {
    let mut lab = open(asks());
    lab.dial("caller", "100");
    lab.hang_up("caller");
    lab.pass(S);
    assert_eq!(lab.records.len(), 1, "nobody waits for it");
    lab.take();
    lab.input(Input::Fetched { ticket: 1, result: answered(200) });
    assert_eq!(lab.take(), ["http-answered service=crm status=200 ms=1000"]);
    lab.nothing_left(1);
    assert_eq!(path(&lab.records[0]), ["first"]);
}

#[test]
fn a_drain_waits_for_what_was_told_last_and_no_longer() {
    for answers in [true, false] {
        let mut lab = open(tells("crm"));
        lab.dial("caller", "100");
        lab.played(leg(1, 0), 1);
        lab.input(Input::Drain);
        lab.pass(S);
        assert_eq!((lab.records.len(), lab.drained), (1, false));
        if answers {
            lab.input(Input::Fetched { ticket: 1, result: answered(200) });
        } else {
            lab.pass(5 * S);
        }
        assert!(lab.drained);
    }
}

/// Tells this service, and says goodbye.
fn tells(service: &str) -> Flow {
    let mut flow = flow("tells");
    let next = flow.id("told");
    let types = flow.types();
    let fields = vec![("who".into(), Template::parse("{caller}", &types).expect("a template"))];
    let notify = Act::Notify(Notify { service: service.into(), event: "called".into(), fields, next });
    with_exits(flow, notify, &[("told", "thanks")])
}

#[test]
fn a_service_is_told_and_nobody_waits() {
    for (result, event) in [
        (answered(204), "http-answered service=crm status=204 ms=100"),
        // It has heard; what it says back is its own affair.
        (HttpResult::Failed(HttpFailure::WrongType), "http-answered service=crm failure=wrong-type ms=100"),
        (answered(500), "notify-failed service=crm status=500"),
        (HttpResult::Failed(HttpFailure::CircuitOpen), "notify-failed service=crm failure=circuit-open"),
    ] {
        let mut lab = open(tells("crm"));
        lab.dial("caller", "100");
        assert!(lab.take().contains(&"play caller play-1 sound-3".to_owned()), "it goes on at once");
        let (ticket, request) = lab.fetches.pop().expect("a request");
        assert_eq!(request.url, HttpText::plain("https://crm.example/events"));
        assert_eq!(request.headers[0].1, HttpText(vec![HttpPart::Secret("crm".into())]));
        assert_eq!((request.timeout, request.retries), (3 * S, 1));
        let Some(HttpText(body)) = request.body else { panic!("no body") };
        let [HttpPart::Text(body)] = &body[..] else { panic!("{body:?}") };
        assert!(body.contains("\"event\":\"called\"") && body.contains("\"who\":\"13800138000\""), "{body}");
        assert!(body.contains("\"call\":\"call-1\""), "{body}");
        lab.pass(Duration::from_millis(100));
        lab.input(Input::Fetched { ticket, result });
        assert_eq!(lab.take(), [event]);
        lab.hang_up("caller");
        lab.nothing_left(1);
        assert!(!lab.printed.contains("13800138000"));
    }
    let mut lab = open(tells("nobody"));
    lab.dial("caller", "100");
    assert!(lab.take().contains(&"notify-failed service=nobody failure=unknown".to_owned()));
    assert!(lab.fetches.is_empty());
    lab.hang_up("caller");
    lab.nothing_left(1);
}

/// Says the outage, or straight thanks.
fn announces() -> Flow {
    let mut flow = flow("announces");
    let (next, none) = (flow.id("said"), flow.id("quiet"));
    let announce = Announce { of: vec![("outage".into(), Prompt::named(&["welcome"]))], next, none };
    with_exits(flow, Act::Announce(announce), &[("said", "menu"), ("quiet", "thanks")])
}

fn switch_on(name: &str, length: Option<Duration>) -> Command {
    let reason = Some("fibre cut".to_owned());
    Command::Announce { name: name.into(), length, reason, by: "root".into() }
}

fn announcements(lab: &mut Lab) -> AnnouncementView {
    let Reply::Announcements(mut all) = lab.operate(Command::ShowAnnouncements) else { panic!("a list") };
    all.pop().expect("one")
}

#[test]
fn an_announcement_is_on_until_somebody_or_time_ends_it() {
    let mut lab = open(announces());
    let heard = |lab: &mut Lab| {
        lab.take();
        lab.dial("caller", "100");
        let played = lab.take().into_iter().find(|l| l.starts_with("play")).expect("something is heard");
        lab.hang_up("caller");
        lab.pass(S);
        lab.take();
        played.rsplit_once('-').expect("a sound").1.to_owned()
    };
    assert_eq!(heard(&mut lab), "3", "off at first");
    assert!(matches!(lab.operate(switch_on("outage", None)), Reply::Done(_)));
    assert_eq!(lab.take(), ["announcement-on announcement=outage by=root reason=fibre cut"]);
    assert_eq!(heard(&mut lab), "1");
    let view = announcements(&mut lab);
    assert_eq!((view.on, view.by.as_deref(), view.left), (true, Some("root"), None));
    let Reply::Status(status) = lab.operate(Command::Status) else { panic!("a status") };
    assert_eq!(status.announcements, [Arc::from("outage")]);

    lab.operate(Command::Retract { name: "outage".into(), by: "ann".into() });
    assert_eq!(lab.take(), ["announcement-off announcement=outage by=ann"]);
    assert_eq!(heard(&mut lab), "3");
    assert!(matches!(
        lab.operate(Command::Retract { name: "outage".into(), by: "ann".into() }),
        Reply::Done(_)
    ));
    assert_eq!(lab.take(), [""; 0], "off already");

    // For two minutes; said anew, for one from then on.
    lab.operate(switch_on("outage", Some(120 * S)));
    lab.pass(100 * S);
    assert_eq!(announcements(&mut lab).left, Some(20 * S));
    lab.operate(switch_on("outage", Some(60 * S)));
    lab.take();
    lab.pass(59 * S);
    assert_eq!(lab.take(), [""; 0]);
    lab.pass(S);
    assert_eq!(lab.take(), ["announcement-off announcement=outage by=time"]);
    assert_eq!(heard(&mut lab), "3");

    let Reply::Error(why) = lab.operate(switch_on("outge", None)) else { panic!("there is none") };
    assert!(why.contains("`outge`") && why.contains("did you mean `outage`?"), "{why}");
    lab.nothing_left(4);
}

#[test]
fn announcements_outlast_the_engine() {
    let mut lab = open(announces());
    lab.operate(switch_on("outage", Some(600 * S)));
    let Some(Kept::AnnouncementOn(on)) = lab.kept.pop() else { panic!("kept: {:?}", lab.kept) };
    let started = |after: i64| {
        let mut settings = settings();
        settings.announcements.insert("outage".into(), Announcement::default());
        settings.epoch_unix += after;
        let gone = AnnouncementOn { name: "gone".into(), ..on.clone() };
        let mut lab = Lab::new(settings);
        lab.restore(KeptAtStart {
            announcements: vec![on.clone(), gone],
            callbacks: Vec::new(),
            ..KeptAtStart::default()
        });
        lab
    };
    let mut lab = started(400);
    assert_eq!(lab.kept, [Kept::AnnouncementOff("gone".into())], "the installation has it no more");
    assert_eq!(announcements(&mut lab).left, Some(200 * S));
    lab.pass(200 * S);
    assert!(!announcements(&mut lab).on);
    // It ended while no engine ran.
    let mut lab = started(700);
    assert!(!announcements(&mut lab).on);
    assert!(lab.kept.contains(&Kept::AnnouncementOff("outage".into())));
    assert!(lab.engine.is_idle());
}

/// A queue that says `menu` after 10 s and then every 20 s, and that key 2 leaves for `thanks`.
fn line() -> Flow {
    let mut flow = flow("line");
    let (left, end) = (flow.id("left"), flow.id("end"));
    let treatment =
        Treatment { after: 10 * S, every: Some(20 * S), when: None, sounds: vec![Sound::prompt("menu")] };
    let queue = ivr::Queue {
        queue: "support".into(),
        require: None,
        severity: Template::text("P1"),
        music: Vec::new(),
        treatments: vec![treatment],
        keys: vec![('2', left)],
        too_long: None,
        timeout: None,
        on_timeout: end,
        on_full: end,
        on_no_agents: end,
        next: end,
    };
    with_exits(flow, Act::Queue(queue), &[("left", "thanks")])
}

#[test]
fn a_caller_who_waits_is_spoken_to_until_somebody_talks_with_him() {
    let mut lab = open(line());
    lab.dial("caller", "100");
    lab.ring("alice");
    lab.take();
    lab.pass(10 * S);
    assert_eq!(lab.take(), ["play caller play-1 sound-2"]);
    lab.pass(2 * S);
    lab.played(leg(1, 0), 1);
    assert_eq!(lab.take(), ["play caller loop sound-0"], "the music goes on");
    lab.answer("alice");
    let seen = lab.take();
    let bridge = seen.iter().position(|l| l == "bridge caller leg1").expect("they talk");
    assert!(!seen[bridge..].iter().any(|l| l.ends_with(" caller") || l.starts_with("play")), "{seen:?}");
    lab.pass(100 * S);
    lab.press(leg(1, 0), "2");
    lab.info("caller", '2');
    assert!(lab.take_wire().iter().all(|l| l.starts_with("caller 200 INFO")), "it is not the flow's turn");
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn a_treatment_that_plays_ends_when_an_agent_answers() {
    let mut lab = open(line());
    lab.dial("caller", "100");
    lab.ring("alice");
    lab.pass(10 * S);
    lab.take();
    lab.answer("alice");
    let seen = lab.take();
    let at = |what: &str| seen.iter().position(|l| l == what);
    assert!(at("stop caller") < at("bridge caller leg1"), "{seen:?}");
    // Its end crosses the answer.
    lab.played(leg(1, 0), 1);
    lab.pass(60 * S);
    assert_eq!(lab.take(), [""; 0], "no music over the conversation");
    lab.hang_up("caller");
    lab.nothing_left(1);
}

#[test]
fn a_treatment_is_due_at_the_moment_an_agent_answers() {
    // Either may come first in that instant.
    for answer_first in [true, false] {
        let mut lab = open(line());
        lab.dial("caller", "100");
        lab.ring("alice");
        lab.pass(10 * S - Duration::from_millis(1));
        lab.take();
        lab.now += Duration::from_millis(1);
        if answer_first {
            lab.answer("alice");
            lab.wake();
        } else {
            lab.wake();
            lab.answer("alice");
        }
        let seen = lab.take();
        let bridge = seen.iter().position(|l| l == "bridge caller leg1").expect("they talk");
        assert!(!seen[bridge..].iter().any(|l| l.starts_with("play caller")), "{answer_first}: {seen:?}");
        assert_eq!(seen.contains(&"play caller play-1 sound-2".to_owned()), !answer_first);
        lab.pass(60 * S);
        lab.hang_up("caller");
        lab.nothing_left(1);
    }
}

#[test]
fn a_key_leaves_the_line_by_whatever_way_it_comes() {
    for by_info in [false, true] {
        let mut lab = open(line());
        lab.dial("caller", "100");
        lab.ring("alice");
        lab.take();
        if by_info {
            lab.info("caller", '2');
        } else {
            lab.press(leg(1, 0), "2");
        }
        let seen = lab.take();
        for expected in ["alice CANCEL", "queue-left outcome=left", "play caller play-1 sound-3"] {
            assert!(seen.contains(&expected.to_owned()), "{expected}: {seen:?}");
        }
        assert_eq!(lab.agent_state("alice"), "ready", "no miss");
        lab.played(leg(1, 0), 1);
        lab.nothing_left(1);
        assert_eq!(lab.records[0].digits, "2");
    }
}

#[test]
fn a_key_leaves_the_line_while_an_answer_is_on_its_way() {
    let mut lab = open(line());
    lab.dial("caller", "100");
    lab.ring("alice");
    lab.take();
    // Her CANCEL and his 200 cross.
    lab.held = true;
    lab.press(leg(1, 0), "2");
    lab.answer("alice");
    lab.held = false;
    lab.settle();
    let seen = lab.take();
    assert!(seen.contains(&"alice ACK".to_owned()) && seen.contains(&"alice BYE".to_owned()), "{seen:?}");
    assert!(!seen.iter().any(|l| l.starts_with("bridge")), "{seen:?}");
    assert!(seen.contains(&"play caller play-1 sound-3".to_owned()), "the caller has gone his way");
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].queues[0].outcome, "left");
}

/// Asks to be called back at `number`.
fn calls_back(number: &str) -> Flow {
    let mut flow = flow("back");
    let (next, on_invalid, on_full) = (flow.id("taken"), flow.id("invalid"), flow.id("full"));
    let number = Template::parse(number, &flow.types()).expect("a template");
    let require = Some(Demand::parse("lang.en >= 2", &flow.types()).expect("a requirement"));
    let severity = Template::text("P1");
    let callback = Callback { queue: "support".into(), number, require, severity, next, on_invalid, on_full };
    with_exits(
        flow,
        Act::Callback(callback),
        &[("taken", "thanks"), ("invalid", "menu"), ("full", "welcome")],
    )
}

#[test]
fn a_caller_is_called_back_once_for_each_number() {
    let mut lab = open(calls_back("{caller}"));
    for call in 1..=2 {
        lab.dial("caller", "100");
        let again = if call == 2 { " again=true" } else { "" };
        assert!(lab.take().contains(&format!("callback-asked queue=support severity=P1{again}")));
        lab.played(leg(call, 0), 1);
    }
    let Reply::Callbacks(rows) = lab.operate(Command::ShowCallbacks) else { panic!("a list") };
    assert_eq!((rows.len(), rows[0].number.expose().as_str()), (1, "13800138000"));
    let Reply::Queues(queues) = lab.operate(Command::ShowQueues) else { panic!("queues") };
    assert_eq!(queues[0].callbacks, 1);
    lab.nothing_left(2);
    let [Kept::Callback(kept)] = &lab.kept[..] else { panic!("{:?}", lab.kept) };
    assert_eq!((kept.call, kept.require.as_deref()), (CallId(1), Some("lang.en >= 2")));
    assert_eq!(kept.arrived_unix_ms, 1_790_000_001_000);
    assert!(!lab.printed.contains("13800138000"));
    assert_eq!(path(&lab.records[1]), ["first", "taken", "end"]);

    // The next engine knows of him.
    let kept = kept.clone();
    let mut lab = open(calls_back("{caller}"));
    lab.restore(KeptAtStart { announcements: Vec::new(), callbacks: vec![kept], ..KeptAtStart::default() });
    lab.dial("caller", "100");
    assert!(lab.take().contains(&"callback-asked queue=support severity=P1 again=true".to_owned()));
    assert!(lab.kept.is_empty());
}

#[test]
fn a_number_that_cannot_be_called_is_not_taken() {
    for number in ["12", "1380013800*", "0"] {
        let mut lab = open(calls_back(number));
        lab.dial("caller", "100");
        assert!(lab.take().contains(&"callback-refused queue=support why=number".to_owned()), "{number}");
        lab.hang_up("caller");
        lab.nothing_left(1);
        assert_eq!(path(&lab.records[0]), ["first", "invalid"], "{number}");
        assert!(lab.kept.is_empty());
    }
}

/// Consent, then two questions of a survey; a low score leads to `low`.
fn asks_the_caller() -> Flow {
    let mut flow = flow("asked");
    let (survey, end) = (flow.id("survey"), flow.id("end"));
    let (next, low, none) = (flow.id("next"), flow.id("low"), flow.id("none"));
    let retry = || Retry { tries: 1, prompt: Vec::new(), then: end };
    let consent = Consent {
        what: "recording".into(),
        prompt: Prompt::named(&["menu"]),
        yes: '1',
        no: '2',
        after: 5 * S,
        no_input: retry(),
        invalid: retry(),
        granted: survey,
        refused: survey,
    };
    let question =
        |name: &str| SurveyQuestion { name: name.into(), sounds: vec![Sound::prompt("menu")], weight: 50 };
    let plan = SurveyPlan {
        name: "service".into(),
        questions: vec![question("speed"), question("words")],
        lowest: 1,
        highest: 5,
        low: 250,
    };
    let act = Survey {
        plan: Arc::new(plan),
        barge_in: true,
        after: 5 * S,
        tries: 1,
        again: Vec::new(),
        into: None,
        next,
        low,
        none,
    };
    flow.step("survey", Act::Survey(act));
    with_exits(flow, Act::Consent(consent), &[("next", "thanks"), ("low", "welcome"), ("none", "menu")])
}

#[test]
fn consent_and_marks_stand_in_the_record_and_a_low_score_is_told() {
    let mut lab = open(asks_the_caller());
    lab.dial("caller", "100");
    lab.press(leg(1, 0), "1");
    assert!(lab.take().contains(&"consent-given what=recording".to_owned()));
    lab.press(leg(1, 0), "21");
    let seen = lab.take();
    for expected in [
        "survey survey=service score=1.50 answered=2/2",
        "survey-low survey=service score=1.50 answered=2/2",
        "http-asked service=crm",
    ] {
        assert!(seen.contains(&expected.to_owned()), "{expected}: {seen:?}");
    }
    let (ticket, request) = lab.fetches.pop().expect("the service is told");
    let Some(HttpText(body)) = request.body else { panic!("no body") };
    let [HttpPart::Text(body)] = &body[..] else { panic!("{body:?}") };
    assert_eq!(
        &**body,
        "{\"event\":\"survey-low\",\"call\":\"call-1\",\"at\":\"2026-09-21T14:13:21Z\",\"fields\":{\"survey\":\
         \"service\",\"score\":1.50,\"answers\":{\"speed\":2,\"words\":1}}}"
    );
    lab.input(Input::Fetched { ticket, result: answered(200) });
    lab.hang_up("caller");
    lab.nothing_left(1);
    let record = &lab.records[0];
    let [consent] = &record.consents[..] else { panic!("{:?}", record.consents) };
    assert_eq!((&*consent.what, consent.granted), ("recording", true));
    let [survey] = &record.surveys[..] else { panic!("{:?}", record.surveys) };
    assert_eq!((survey.score, survey.low), (Some(150), true));
    assert_eq!(survey.answers, [("speed".into(), Some(2)), ("words".into(), Some(1))]);
}

#[test]
fn marks_given_before_hanging_up_count() {
    let mut lab = open(asks_the_caller());
    lab.dial("caller", "100");
    lab.press(leg(1, 0), "2");
    assert!(lab.take().contains(&"consent-refused what=recording".to_owned()));
    lab.press(leg(1, 0), "5");
    lab.hang_up("caller");
    assert!(lab.take().contains(&"survey survey=service score=5.00 answered=1/2".to_owned()));
    lab.nothing_left(1);
    let record = &lab.records[0];
    assert!(!record.consents[0].granted);
    assert_eq!(record.surveys[0].answers, [("speed".into(), Some(5)), ("words".into(), None)]);
    assert!(lab.fetches.is_empty(), "the score is good");
}

/// Transfers to a number over the carrier, for 15 s.
fn transfers(number: &str, answer: bool) -> Flow {
    let mut flow = flow("transfers");
    flow.answer(if answer { ivr::AnswerMode::AtOnce } else { ivr::AnswerMode::ByStep });
    let (next, no_answer) = (flow.id("served"), flow.id("no-answer"));
    let (busy, unreachable) = (flow.id("busy"), flow.id("unreachable"));
    let ring = Ring {
        to: Target::Number { number: Template::text(number), trunk: "carrier".into() },
        answer,
        music: Vec::new(),
        timeout: 15 * S,
        next,
        on_no_answer: no_answer,
        on_busy: busy,
        on_unreachable: unreachable,
    };
    let exits =
        [("served", "thanks"), ("no-answer", "menu"), ("busy", "welcome"), ("unreachable", "agent-ready")];
    with_exits(flow, Act::Ring(ring), &exits)
}

#[test]
fn a_number_outside_is_rung_and_bridged() {
    let mut lab = open(transfers(NUMBER, true));
    lab.dial("caller", "100");
    let seen = lab.take();
    assert!(seen.contains(&"dialled-out trunk=carrier".to_owned()), "{seen:?}");
    assert!(seen.contains(&"play caller loop sound-0".to_owned()), "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("carrier INVITE"));
    let invite = lab.sent(&format!("INVITE sip:{NUMBER}@10.1.0.3:5060"));
    assert!(invite.contains("From: <sip:4009508888@hotline.test>"), "{invite}");
    assert!(invite.contains("P-Asserted-Identity: <sip:13800138000@hotline.test>"), "{invite}");
    assert!(!invite.contains("X-Hotline"), "{invite}");
    lab.ring("carrier");
    lab.pass(5 * S);
    lab.answer("carrier");
    assert_eq!(
        lab.take(),
        [
            "carrier ACK",
            "connect leg1 SendRecv",
            "connected party=trunk carrier waited_ms=5000",
            "stop caller",
            "bridge caller leg1",
        ]
    );
    let Reply::Calls(calls) = lab.operate(Command::ShowCalls) else { panic!("calls") };
    assert_eq!((calls[0].state.as_str(), calls[0].agent.as_deref()), ("talking", Some("trunk carrier")));
    lab.press(leg(1, 0), "5");
    lab.pass(20 * S);
    assert_eq!(lab.take(), [""; 0]);
    lab.hang_up("carrier");
    let seen = lab.take();
    assert!(seen.contains(&"outside-left cause=agent-hung-up talked_ms=20000".to_owned()), "{seen:?}");
    assert!(seen.contains(&"play caller play-1 sound-3".to_owned()), "{seen:?}");
    lab.hang_up("caller");
    lab.nothing_left(1);
    let legs: Vec<_> = lab.records[0].legs.iter().map(|leg| (leg.party.as_str(), leg.cause)).collect();
    assert_eq!(legs, [("caller", Cause::CallerHungUp), ("trunk carrier", Cause::AgentHungUp)]);
    assert!(!lab.printed.contains(NUMBER), "the number outside is printed");
}

#[test]
fn a_caller_without_an_answer_hears_ring_back_until_the_number_outside_answers() {
    let mut lab = open(transfers(NUMBER, false));
    lab.dial("caller", "100");
    lab.ring("carrier");
    assert!(lab.take().contains(&"caller 180 INVITE".to_owned()));
    lab.answer("carrier");
    let seen = lab.take_wire();
    let bridge = seen.iter().position(|l| l == "bridge caller leg1").expect("they talk");
    assert_eq!(seen[bridge + 1], "caller 200 INVITE", "{seen:?}");
    lab.hang_up("caller");
    assert!(lab.take().contains(&"carrier BYE".to_owned()));
    lab.nothing_left(1);
}

#[test]
fn whatever_the_carrier_says_has_its_exit() {
    for (code, exit) in [
        (486, "busy"),
        (600, "busy"),
        (603, "busy"),
        (403, "busy"),
        (480, "no-answer"),
        (404, "unreachable"),
        (408, "unreachable"),
        (503, "unreachable"),
    ] {
        let mut lab = open(transfers(NUMBER, true));
        lab.dial("caller", "100");
        lab.refuse("carrier", code);
        lab.hang_up("caller");
        lab.nothing_left(1);
        assert_eq!(path(&lab.records[0]), ["first", exit], "{code}");
        assert_eq!(lab.records[0].legs[1].cause, Cause::Refused(code));
    }
}

#[test]
fn a_number_outside_that_does_not_answer_is_cancelled() {
    let mut lab = open(transfers(NUMBER, true));
    lab.dial("caller", "100");
    lab.ring("carrier");
    lab.pass(15 * S);
    let seen = lab.take();
    for expected in ["carrier CANCEL", "dial-ended trunk=carrier why=no answer", "play caller play-1 sound-2"]
    {
        assert!(seen.contains(&expected.to_owned()), "{expected}: {seen:?}");
    }
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(lab.records[0].legs[1].cause, Cause::RangOut);
}

#[test]
fn the_caller_hangs_up_while_a_number_outside_rings() {
    for answers_meanwhile in [false, true] {
        let mut lab = open(transfers(NUMBER, true));
        lab.dial("caller", "100");
        lab.ring("carrier");
        lab.take();
        lab.held = answers_meanwhile;
        lab.hang_up("caller");
        if answers_meanwhile {
            lab.answer("carrier");
            lab.held = false;
            lab.settle();
        }
        let seen = lab.take();
        assert!(seen.contains(&"carrier CANCEL".to_owned()), "{seen:?}");
        assert_eq!(seen.contains(&"carrier BYE".to_owned()), answers_meanwhile, "{seen:?}");
        assert!(!seen.iter().any(|l| l.starts_with("bridge")), "{seen:?}");
        lab.nothing_left(1);
    }
}

#[test]
fn a_trunk_takes_what_it_may_and_no_more_than_it_can() {
    // One call is its limit; when that is over it takes the next.
    let mut lab = open(transfers(NUMBER, true));
    lab.dial("caller", "100");
    lab.ring("carrier");
    lab.dial("caller2", "100");
    assert!(lab.take().contains(&"dial-refused trunk=carrier why=the trunk is full".to_owned()));
    lab.hang_up("caller");
    lab.hang_up("caller2");
    lab.dial("caller2", "100");
    assert!(lab.take().contains(&"carrier INVITE".to_owned()));
    lab.hang_up("caller2");
    lab.nothing_left(3);
    assert_eq!(path(&lab.records[1]), ["first", "busy"]);

    for number in ["0013912345678", "110", "anonymous", ""] {
        let mut lab = open(transfers(number, true));
        lab.dial("caller", "100");
        let seen = lab.take();
        assert!(seen.iter().any(|l| l.starts_with("dial-refused trunk=carrier why=")), "{number}: {seen:?}");
        assert!(!seen.iter().any(|l| l.starts_with("carrier ")), "{number}: {seen:?}");
        lab.hang_up("caller");
        lab.nothing_left(1);
        assert_eq!(path(&lab.records[0]), ["first", "unreachable"], "{number}");
    }

    let mut lab = open_with(transfers(NUMBER, true), |settings| settings.trunks.clear());
    lab.dial("caller", "100");
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(path(&lab.records[0]), ["first", "unreachable"]);
}

#[test]
fn a_flow_that_dials_again_and_again_keeps_its_latest_legs() {
    let mut flow = flow("again");
    let (first, end) = (flow.id("first"), flow.id("end"));
    let ring = Ring {
        to: Target::Number { number: Template::text(NUMBER), trunk: "carrier".into() },
        answer: true,
        music: Vec::new(),
        timeout: 15 * S,
        next: end,
        on_no_answer: end,
        on_busy: first,
        on_unreachable: end,
    };
    let mut lab = open(with_exits(flow, Act::Ring(ring), &[]));
    lab.dial("caller", "100");
    for _ in 0..200 {
        lab.refuse("carrier", 486);
        lab.pass(S);
    }
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(path(&lab.records[0]).len(), 201);
    let legs = lab.records[0].legs.len();
    assert!((30..=66).contains(&legs), "{legs}");
}

#[test]
fn no_media_for_a_number_outside_is_an_exit_and_not_a_hanging_call() {
    let mut lab = open(transfers(NUMBER, true));
    lab.dial("caller", "100");
    lab.hang_up("caller");
    lab.pass(S);
    lab.slow_media = true;
    lab.dial("caller", "100");
    let caller = lab.opening()[0];
    let opened = lab.opened(caller);
    lab.media(opened);
    let outside = lab.opening()[0];
    lab.fails(outside);
    lab.slow_media = false;
    lab.hang_up("caller");
    lab.nothing_left(2);
    assert_eq!(path(&lab.records[1]), ["first", "unreachable"]);
    assert_eq!(lab.records[1].legs[1].cause, Cause::MediaFailed);
}

#[test]
fn flows_are_counted_by_step_and_exit() {
    let mut lab = open(transfers(NUMBER, true));
    lab.dial("caller", "100");
    lab.refuse("carrier", 486);
    lab.dial("caller2", "100");
    let Reply::Flows(flows) = lab.operate(Command::ShowFlows { flow: Some("transfers".into()) }) else {
        panic!("flows")
    };
    let [flow] = &flows[..] else { panic!("{flows:?}") };
    assert_eq!((&*flow.flow, &*flow.version, flow.calls, flow.calls_total), ("transfers", "0", 2, 2));
    let step = |name: &str| flow.steps.iter().find(|s| &*s.step == name).expect("a step");
    assert_eq!((step("first").entered, step("first").calls), (2, 1));
    let exits: Vec<_> = step("first").exits.iter().map(|(exit, times)| (&**exit, *times)).collect();
    assert_eq!(exits, [("next", 0), ("no-answer", 0), ("busy", 1), ("unreachable", 0)]);
    assert_eq!((step("busy").entered, step("busy").calls), (1, 1));
    assert_eq!(step("end").entered, 0);
    let Reply::Flows(none) = lab.operate(Command::ShowFlows { flow: Some("other".into()) }) else { panic!() };
    assert!(none.is_empty());
    lab.hang_up("caller");
    lab.hang_up("caller2");
    lab.nothing_left(2);
}

#[test]
fn a_bot_is_not_there_yet() {
    let mut flow = flow("bot");
    let (next, hand_over, on_error) = (flow.id("next"), flow.id("person"), flow.id("error"));
    let bot = ivr::Bot {
        bot: "assistant".into(),
        context: Vec::new(),
        timeout: 60 * S,
        into: Vec::new(),
        next,
        hand_over,
        on_error,
    };
    let exits = [("next", "thanks"), ("person", "menu"), ("error", "welcome")];
    let mut lab = open(with_exits(flow, Act::Bot(bot), &exits));
    lab.dial("caller", "100");
    assert!(lab.take().contains(&"bot-unavailable bot=assistant".to_owned()));
    lab.hang_up("caller");
    lab.nothing_left(1);
    assert_eq!(path(&lab.records[0]), ["first", "error"]);
}

#[test]
fn a_wait_that_is_no_guess_is_told() {
    // Ten calls of a minute each, one after the other; wrap-up is half a minute.
    let mut flow = flow("told");
    let (long, end) = (flow.id("long"), flow.id("end"));
    let types = flow.types();
    let known = Expr::parse("wait > minutes(0)", &types).expect("an expression");
    let treatment =
        Treatment { after: 10 * S, every: None, when: Some(known), sounds: vec![Sound::prompt("menu")] };
    let queue = ivr::Queue {
        queue: "support".into(),
        require: None,
        severity: Template::text("P1"),
        music: Vec::new(),
        treatments: vec![treatment],
        keys: Vec::new(),
        too_long: Some((3 * 60 * S, long)),
        timeout: None,
        on_timeout: end,
        on_full: end,
        on_no_agents: end,
        next: end,
    };
    let mut lab = open(with_exits(flow, Act::Queue(queue), &[("long", "welcome")]));
    lab.phone("caller3");
    lab.phone("caller4");
    let said = |lab: &mut Lab| lab.take().iter().filter(|l| l.ends_with(" sound-2")).count();
    // While alice talks with the first, the second waits and is told nothing: one call was handled at most.
    for call in 0..10 {
        lab.dial("caller", "100");
        lab.ring("alice");
        lab.answer("alice");
        if call == 9 {
            lab.take();
            lab.dial("caller2", "100");
            lab.pass(12 * S);
            assert_eq!(said(&mut lab), 0, "nine calls are too few to say anything");
            lab.hang_up("caller2");
            lab.pass(48 * S);
        } else {
            lab.pass(60 * S);
        }
        lab.hang_up("caller");
        lab.pass(30 * S);
    }
    lab.dial("caller", "100");
    lab.ring("alice");
    lab.answer("alice");
    lab.take();
    lab.dial("caller2", "100");
    lab.pass(12 * S);
    assert_eq!(said(&mut lab), 1, "90 s, rounded up to two minutes");
    // Two before the third: 3 x 90 s is above three minutes.
    lab.dial("caller3", "100");
    lab.dial("caller4", "100");
    assert!(lab.take().contains(&"play caller play-1 sound-1".to_owned()), "too long for the last one");
    for caller in ["caller", "caller2", "caller3", "caller4"] {
        lab.hang_up(caller);
    }
    lab.nothing_left(15);
}
