//! Typed values read aloud.

use crate::common::*;
use crate::{one_step, story, template};
use hotline_ivr::*;

#[test]
fn typed_values_are_read_in_the_form_of_their_kind() {
    // It is 2026-11-23 00:01:40 UTC: 08:01 in Shanghai.
    let table = [
        (SayKind::Date, "{now}", "2026-11-23"),
        (SayKind::Time, "{now}", "08:01"),
        (SayKind::Time, "{now - hours(9)}", "23:01"),
        (SayKind::Date, "{now - hours(9)}", "2026-11-22"),
        (SayKind::Date, "2026-02-03", "2026-02-03"),
        (SayKind::Duration, "{seconds(90)}", "90"),
        (SayKind::Duration, "{pause}", "2"),
        (SayKind::Wait, "{minutes(4)}", "240"),
        (SayKind::Wait, "240-480", "240-480"),
        (SayKind::Position, "{tries + 1}", "3"),
        (SayKind::Number, "{tries}", "2"),
        (SayKind::Money(Currency::Cny), "{tries}", "2"),
        (SayKind::Money(Currency::Cny), "2.50", "2.50"),
        (SayKind::Digits, "{caller}", "13800138000"),
    ];
    for (kind, value, canonical) in table {
        let flow = one_step(AnswerMode::AtOnce, &["end"], |b| {
            b.language("cmn").zone(hours::zone("Asia/Shanghai").expect("a zone")).var("tries", 2);
            b.declare(VarDecl::new("pause", Value::Duration(1001)));
            let sounds = vec![Sound::Say { kind, value: template(value, b) }];
            let prompt = Prompt { sounds, barge_in: true };
            Act::Play(Play { prompt, early: false, repeat: 1, next: b.id("end") })
        });
        let names = say::reading(kind, canonical, "cmn").expect(canonical);
        let heard: Vec<String> = names.iter().map(|n| format!("cmn/{n}")).collect();
        assert_eq!(story(&flow, &[]), [format!("play {}", heard.join(", "))], "{kind} {value}");
    }
}

#[test]
fn what_has_no_words_is_left_out_and_what_is_too_far_is_brought_near() {
    let flow = one_step(AnswerMode::AtOnce, &["end"], |b| {
        b.declare(VarDecl::new("far", Value::Time(i64::MAX)));
        let say = |kind, text: &str| Sound::Say { kind, value: template(text, b) };
        let sounds = vec![say(SayKind::Date, "{far}"), say(SayKind::Position, "{position}")];
        let prompt = Prompt { sounds, barge_in: true };
        Act::Play(Play { prompt, early: false, repeat: 1, next: b.id("end") })
    });
    assert_eq!(
        story(&flow, &[]),
        [
            "play en/date-the, en/ordinal-30, en/date-month-12, en/number-90, en/number-9, en/number-90, en/number-9"
        ]
    );
}

#[test]
fn the_clock_goes_on_between_inputs() {
    let flow = one_step(AnswerMode::ByStep, &["end"], |b| {
        b.declare(VarDecl::new("since", Value::Time(0)));
        let next = b.id("then");
        let values = vec![(b.var_id("since"), template("{now}", b))];
        let end = b.id("end");
        b.step("then", Act::Set(Set { role: SetRole::Set, values, next: end }));
        Act::Ringing { length: secs(30), next }
    });
    let mut caller = Caller::call(&flow);
    caller.does(&[Do::Wait(30_000)]);
    assert_eq!(caller.visit.value("since"), Some(&Value::Time(1_795_392_000 + 130)));
    assert_eq!(caller.visit.value("call"), Some(&Value::from("call-7")));
}
