//! Announcements, consent, recording, messages, callbacks, bots.

use crate::common::*;
use crate::{one_step, story, template};
use hotline_ivr::*;
use std::sync::Arc;

fn announce(barge_in: [bool; 2]) -> Arc<Flow> {
    one_step(AnswerMode::ByStep, &["told", "quiet"], |b| {
        let prompt = |name, barge_in| Prompt { barge_in, ..Prompt::named(&[name]) };
        Act::Announce(Announce {
            of: vec![
                ("outage".into(), prompt("outage-east", barge_in[0])),
                ("works".into(), prompt("works-tonight", barge_in[1])),
            ],
            next: b.id("told"),
            none: b.id("quiet"),
        })
    })
}

#[test]
fn announcements_that_are_on_are_said() {
    use Do::*;
    let asked = "announcements outage works";
    let both = "play en/outage-east, en/works-tonight";
    let table: &[(&[Do], &[&str])] = &[
        (&[Announced(&[])], &[asked, "> quiet", "hangup"]),
        (&[Announced(&["other"])], &[asked, "> quiet", "hangup"]),
        (&[Announced(&["works"]), Heard], &[asked, "play en/works-tonight", "> told", "hangup"]),
        // In the order of the step.
        (&[Announced(&["works", "outage"]), Heard], &[asked, both, "> told", "hangup"]),
        (&[Announced(&["works", "outage"]), Press("1")], &[asked, both, "stop", "> told", "hangup"]),
        // A key cannot skip what nobody knew of when it was pressed.
        (&[Press("1"), Announced(&["outage"])], &[asked, "play en/outage-east"]),
        (&[LateAnswer(""), Wait(4999)], &[asked]),
        (
            &[Wait(5000)],
            &[asked, "fault in step: nobody said which announcements are on", "> quiet", "hangup"],
        ),
    ];
    for (script, told) in table {
        assert_eq!(story(&announce([true; 2]), script)[1..], **told, "{script:?}");
    }
    let heard = story(&announce([true, false]), &[Announced(&["works", "outage"]), Press("1"), Heard]);
    assert_eq!(heard[2..], [both, "> told", "hangup"], "one of them must be heard");
}

#[test]
fn consent_is_told_whatever_the_answer() {
    use Do::*;
    let flow = one_step(AnswerMode::AtOnce, &["yes", "no", "silent", "wrong"], |b| {
        Act::Consent(Consent {
            what: "recording".into(),
            prompt: Prompt::named(&["may-we"]),
            yes: '1',
            no: '2',
            after: secs(5),
            no_input: retry(b, 2, "no-input", "silent"),
            invalid: retry(b, 1, "wrong-key", "wrong"),
            granted: b.id("yes"),
            refused: b.id("no"),
        })
    });
    let asked = "play en/may-we";
    let table: &[(&[Do], &[&str])] = &[
        (&[Press("1")], &[asked, "stop", "consent recording true", "> yes", "hangup"]),
        (&[Heard, Press("2")], &[asked, "consent recording false", "> no", "hangup"]),
        (
            &[Heard, Wait(5000), Heard, Wait(5000)],
            &[asked, "play en/no-input, en/may-we", "consent recording false", "> silent", "hangup"],
        ),
        (&[Heard, Press("5")], &[asked, "consent recording false", "> wrong", "hangup"]),
        (&[HangUp], &[asked]),
    ];
    for (script, told) in table {
        assert_eq!(story(&flow, script), **told, "{script:?}");
    }
}

#[test]
fn nobody_consents_ahead() {
    let mut b = Flow::builder("f");
    play(&mut b, "hello", &["hello"], "ask");
    let (no_input, invalid) = (retry(&mut b, 1, "x", "end"), retry(&mut b, 1, "x", "end"));
    let end = b.id("end");
    b.step(
        "ask",
        Act::Consent(Consent {
            what: "recording".into(),
            prompt: Prompt::named(&["may-we"]),
            yes: '1',
            no: '2',
            after: secs(5),
            no_input,
            invalid,
            granted: end,
            refused: end,
        }),
    );
    let told = story(&ends(b, &["end"]), &[Do::Press("1")]);
    assert_eq!(told, ["play en/hello", "stop", "> ask", "play en/may-we"]);
}

#[test]
fn recording_is_switched() {
    for action in [RecordAction::On, RecordAction::Pause, RecordAction::Resume, RecordAction::Off] {
        let flow =
            one_step(AnswerMode::ByStep, &["end"], |b| Act::Record(Record { action, next: b.id("end") }));
        assert_eq!(story(&flow, &[]), ["answer", &format!("record {action:?}"), "> end", "hangup"]);
    }
}

fn voicemail(barge_in: bool) -> Arc<Flow> {
    one_step(AnswerMode::AtOnce, &["kept", "empty", "full"], |b| {
        Act::Voicemail(Voicemail {
            mailbox: "support".into(),
            prompt: Prompt { barge_in, ..Prompt::named(&["leave"]) },
            min: secs(2),
            max: secs(180),
            silence: secs(5),
            end: Some('#'),
            next: b.id("kept"),
            on_empty: b.id("empty"),
            on_full: b.id("full"),
        })
    })
}

#[test]
fn a_message_is_taken_after_the_tone() {
    use Do::*;
    let greeting = "play en/leave, 1004+0Hz 500ms -16dBm0";
    let take = "message support 2s 180s 5s";
    let late = "trouble in step: the message did not end in time";
    let table: &[(&[Do], &[&str])] = &[
        (&[Wait(60_000)], &[greeting]),
        (&[Heard, Message(MessageEnd::Kept)], &[greeting, take, "> kept", "hangup"]),
        (&[Heard, Message(MessageEnd::Empty)], &[greeting, take, "> empty", "hangup"]),
        (&[Heard, Message(MessageEnd::Full)], &[greeting, take, "> full", "hangup"]),
        // A key skips the greeting, not the tone.
        (
            &[Press("1"), Press("2#"), Heard, Message(MessageEnd::Kept)],
            &[greeting, "stop", "play 1004+0Hz 500ms -16dBm0", take, "> kept", "hangup"],
        ),
        // Only the end key ends it, once.
        (&[Heard, Press("12##")], &[greeting, take, "end message"]),
        (&[Heard, Press("#"), Wait(4999)], &[greeting, take, "end message"]),
        (&[Heard, Press("#"), Wait(5000)], &[greeting, take, "end message", late, "> full", "hangup"]),
        (&[Heard, Wait(184_999)], &[greeting, take]),
        (&[Heard, Wait(185_000)], &[greeting, take, "end message", late, "> full", "hangup"]),
        // News from elsewhere.
        (&[Message(MessageEnd::Kept), Heard, Callback(CallbackEnd::Taken)], &[greeting, take]),
        (&[Heard, HangUp, Message(MessageEnd::Kept)], &[greeting, take]),
    ];
    for (script, told) in table {
        assert_eq!(story(&voicemail(true), script), **told, "{script:?}");
    }
    assert_eq!(story(&voicemail(false), &[Press("1#"), Heard]), [greeting, take]);
}

fn callback(number: &str, require: Option<&str>) -> Arc<Flow> {
    one_step(AnswerMode::ByStep, &["taken", "invalid", "full"], |b| {
        Act::Callback(hotline_ivr::Callback {
            queue: "q".into(),
            number: template(number, b),
            require: require.map(|r| Demand::parse(r, &b.types()).expect(r)),
            severity: template("P1", b),
            next: b.id("taken"),
            on_invalid: b.id("invalid"),
            on_full: b.id("full"),
        })
    })
}

#[test]
fn a_callback_is_asked_for() {
    use Do::*;
    let asked = "callback q P1 (anyone) 13800138000";
    let table: &[(&[Do], &[&str])] = &[
        (&[Callback(CallbackEnd::Taken)], &[asked, "> taken", "hangup"]),
        (&[Callback(CallbackEnd::Full)], &[asked, "> full", "hangup"]),
        (&[Callback(CallbackEnd::Invalid)], &[asked, "> invalid", "hangup"]),
        (&[Message(MessageEnd::Kept), Wait(4999)], &[asked]),
        (
            &[Wait(5000)],
            &[asked, "fault in step: nobody said whether the callback is taken", "> full", "hangup"],
        ),
    ];
    for (script, told) in table {
        assert_eq!(story(&callback("{caller}", None), script), **told, "{script:?}");
    }
    assert_eq!(story(&callback("anonymous", None), &[]), ["> invalid", "hangup"]);
    assert_eq!(
        story(&callback("{caller}", Some("lang[x] > 1")), &[])[0],
        "callback q P1 (lang.x > 1) 13800138000"
    );
    assert_eq!(
        story(&callback("{caller}", Some("lang[agent] > 1")), &[]),
        ["trouble in step: `agent` names no skill, so nobody has it", "> full", "hangup"]
    );
}

#[test]
fn a_bot_talks_and_tells_what_it_found() {
    use Do::*;
    let flow = one_step(AnswerMode::AtOnce, &["done", "person", "error"], |b| {
        b.var("topic", "").var("times", 0);
        Act::Bot(hotline_ivr::Bot {
            bot: "assistant".into(),
            context: vec![("who".into(), template("{caller}", b))],
            timeout: secs(600),
            into: vec![("topic".into(), b.var_id("topic")), ("times".into(), b.var_id("times"))],
            next: b.id("done"),
            hand_over: b.id("person"),
            on_error: b.id("error"),
        })
    });
    let asked = "bot assistant [(\"who\", \"13800138000\")] 600s";
    let found = |times: &str| {
        [("times", times), ("topic", "db"), ("other", "x")]
            .map(|(n, v)| (Arc::from(n), v.to_owned()))
            .to_vec()
    };
    let (set, misfit) = ("topic = db", "trouble in step: `times` is not of the type of its variable");
    let table: &[(&[Do], &[&str])] = &[
        (&[Bot(BotEnd::Finished(found("3")))], &[asked, set, "times = 3", "> done", "hangup"]),
        (&[Bot(BotEnd::HandOver(found("x")))], &[asked, set, misfit, "> person", "hangup"]),
        (&[Bot(BotEnd::Failed)], &[asked, "trouble in step: the bot failed", "> error", "hangup"]),
        (&[Press("123"), LateAnswer(""), Wait(604_999)], &[asked]),
        (
            &[Wait(605_000)],
            &[asked, "trouble in step: the bot did not end in time", "leave bot", "> error", "hangup"],
        ),
    ];
    for (script, told) in table {
        assert_eq!(story(&flow, script), **told, "{script:?}");
    }
}
