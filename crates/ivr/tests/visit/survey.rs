//! Surveys: marks, weights, silence, and callers who hang up in the middle.

use crate::common::*;
use crate::{one_step, story};
use hotline_ivr::*;
use std::sync::Arc;

/// Speed 30, manner 70, marks 1 to 5, low below 2.5; 5 s, two tries each.
fn survey(barge_in: bool) -> Arc<Flow> {
    one_step(AnswerMode::AtOnce, &["good", "bad", "nothing"], |b| {
        b.var("score", 0);
        let question = |name: &str, weight| SurveyQuestion {
            name: name.into(),
            sounds: vec![Sound::prompt(name)],
            weight,
        };
        let plan = SurveyPlan {
            name: "service".into(),
            questions: vec![question("speed", 30), question("manner", 70)],
            lowest: 1,
            highest: 5,
            low: 250,
        };
        Act::Survey(Survey {
            plan: Arc::new(plan),
            barge_in,
            after: secs(5),
            tries: 2,
            again: vec![Sound::prompt("again")],
            into: Some(b.var_id("score")),
            next: b.id("good"),
            low: b.id("bad"),
            none: b.id("nothing"),
        })
    })
}

#[test]
fn marks_make_a_weighted_score() {
    use Do::*;
    let (one, two, again) = ("play en/speed", "play en/manner", "play en/again, en/speed");
    let table: &[(&[Do], &[&str])] = &[
        (
            &[Heard, Press("4"), Heard, Press("5")],
            &[
                one,
                two,
                "survey service speed=4 manner=5 score Some(470) low false",
                "score = 470",
                "> good",
                "hangup",
            ],
        ),
        // Keys during a question count, and stop it.
        (
            &[Press("12")],
            &[
                one,
                "stop",
                two,
                "stop",
                "survey service speed=1 manner=2 score Some(170) low true",
                "score = 170",
                "> bad",
                "hangup",
            ],
        ),
        // What is no mark is asked again, then left out; the weights of the rest are rescaled.
        (
            &[Heard, Press("0"), Heard, Press("6"), Heard, Press("3")],
            &[
                one,
                again,
                two,
                "survey service speed=- manner=3 score Some(300) low false",
                "score = 300",
                "> good",
                "hangup",
            ],
        ),
        // So is silence.
        (
            &[Heard, Wait(4999), Wait(1), Heard, Wait(5000), Heard, Press("*"), Heard, Wait(5000)],
            &[
                one,
                again,
                two,
                "play en/again, en/manner",
                "survey service speed=- manner=- score None low false",
                "> nothing",
                "hangup",
            ],
        ),
        (
            &[Heard, Press("2"), HangUp, Press("3")],
            &[one, two, "survey service speed=2 manner=- score Some(200) low true"],
        ),
        (&[HangUp], &[one, "survey service speed=- manner=- score None low false"]),
        (&[LateNews, Wait(60_000)], &[one]),
    ];
    for (script, told) in table {
        assert_eq!(story(&survey(true), script), **told, "{script:?}");
    }
    // 30 * 1 + 70 * 3 is 2.4 marks, 30 * 5 + 70 * 1 is 2.2, 30 * 2 + 70 * 3 is 2.7: low is below 2.5.
    for (keys, exit) in [("13", "low"), ("51", "low"), ("23", "next")] {
        let mut caller = Caller::call(&survey(true));
        caller.does(&[Press(keys)]);
        assert_eq!(caller.exits, [format!("step:{exit}")], "{keys}");
    }
}

#[test]
fn a_question_that_must_be_heard_takes_keys_afterwards() {
    use Do::*;
    let told = story(&survey(false), &[Press("1"), Heard, Press("5"), Press("5"), Heard, Press("5")]);
    assert_eq!(
        told[..3],
        ["play en/speed", "play en/manner", "survey service speed=5 manner=5 score Some(500) low false"]
    );
}

#[test]
fn marks_are_not_typed_ahead() {
    use Do::*;
    let mut b = Flow::builder("f");
    play(&mut b, "hello", &["hello"], "step");
    let flow = survey(true);
    let Act::Survey(asked) = &flow.step(StepId(0)).act else { panic!("a survey") };
    let end = b.id("end");
    b.step("step", Act::Survey(Survey { into: None, next: end, low: end, none: end, ..asked.clone() }));
    let told = story(&ends(b, &["end"]), &[Press("5")]);
    assert_eq!(told, ["play en/hello", "stop", "> step", "play en/speed"]);
}
