//! Keys, prompts, variables, and the steps that came first.

use crate::common::*;
use crate::one_step;
use hotline_core::Time;
use hotline_ivr::*;
use std::sync::Arc;
use std::time::Duration;

const MENU_ENDS: [&str; 4] = ["one", "two", "silent", "wrong"];
const COLLECT_ENDS: [&str; 3] = ["done", "silent", "wrong"];

fn menu_flow(change: impl FnOnce(&mut FlowBuilder, &mut Menu)) -> Arc<Flow> {
    let mut b = Flow::builder("f");
    b.id("ask");
    let mut menu = menu(&mut b, true);
    change(&mut b, &mut menu);
    b.step("ask", Act::Menu(menu));
    ends(b, &MENU_ENDS)
}

fn collect_flow(change: impl FnOnce(&mut FlowBuilder, &mut Collect)) -> Arc<Flow> {
    let mut b = Flow::builder("f");
    b.id("ask");
    let mut collect = collect(&mut b, true);
    change(&mut b, &mut collect);
    b.step("ask", Act::Collect(collect));
    ends(b, &COLLECT_ENDS)
}

#[test]
fn menu_takes_each_exit() {
    use Do::*;
    let prompt = ["answer", "> ask", "play en/choose"];
    let flow = menu_flow(|_, _| {});
    let table: &[(&[Do], &[&str])] = &[
        // A key during the prompt stops it and counts.
        (&[Press("1")], &["stop", "> one", "hangup"]),
        (&[Heard, Press("2")], &["> two", "hangup"]),
        (&[Heard, Wait(4999), Press("1")], &["> one", "hangup"]),
        (&[Heard, Wait(4999), LateNews], &[]),
        (&[Heard, Wait(5000)], &["play en/no-input, en/choose"]),
        (&[Heard, Wait(5000), Press("1")], &["play en/no-input, en/choose", "stop", "> one", "hangup"]),
        (&[Heard, Wait(5000), Heard, Wait(5000)], &["play en/no-input, en/choose", "> silent", "hangup"]),
        (&[Press("7")], &["stop", "play en/wrong-key, en/choose"]),
        (&[Press("7"), Heard, Press("8")], &["stop", "play en/wrong-key, en/choose", "> wrong", "hangup"]),
        // Silence and wrong keys are counted apart.
        (
            &[Press("7"), Heard, Wait(5000), Heard, Press("2")],
            &["stop", "play en/wrong-key, en/choose", "play en/no-input, en/choose", "> two", "hangup"],
        ),
        (
            &[Heard, Wait(5000), Heard, Press("7"), Heard, Press("2")],
            &["play en/no-input, en/choose", "play en/wrong-key, en/choose", "> two", "hangup"],
        ),
        // Keys behind a wrong one are forgotten; while the prompt plays again they count.
        (&[Press("71")], &["stop", "play en/wrong-key, en/choose", "stop", "> one", "hangup"]),
        // The wait for a key begins at the end of the prompt.
        (&[Wait(60_000), Heard, Wait(4999), Press("1")], &["> one", "hangup"]),
        (&[Press("x!é"), HangUp, Press("1"), Heard, Wait(10_000)], &[]),
    ];
    for (script, told) in table {
        let mut caller = Caller::call(&flow);
        assert_eq!(caller.told(), prompt);
        assert_eq!(caller.does(script).told(), *told, "{script:?}");
    }
}

#[test]
fn menu_without_barge_in_lets_the_prompt_end() {
    use Do::*;
    let flow = menu_flow(|_, menu| menu.prompt.barge_in = false);
    let mut caller = Caller::call(&flow);
    caller.told();
    assert_eq!(
        caller.does(&[Press("1234#"), Heard, Wait(4000)]).told(),
        [""; 0],
        "keys during the prompt are dropped"
    );
    assert_eq!(caller.does(&[Press("2")]).told(), ["> two", "hangup"]);
}

#[test]
fn menu_stores_the_value_and_the_language_is_spoken() {
    use Do::*;
    let mut b = Flow::builder("f");
    b.language("cmn").languages(["cmn", "en"]).id("ask");
    let next = b.id("hello");
    let mut menu = menu(&mut b, true);
    menu.into = Some(VarId::LANGUAGE);
    menu.keys = [('1', "cmn"), ('9', "en"), ('8', "fr")]
        .map(|(key, v)| Key { key, value: v.into(), to: next })
        .into();
    b.step("ask", Act::Menu(menu));
    play(&mut b, "hello", &["hello-{language}"], "silent");
    // The builder takes names as they are; a template is parsed.
    let name = Template::parse("hello-{language}", &b.types()).expect("a template");
    let prompt = Prompt { sounds: vec![Sound::Prompt(name)], barge_in: true };
    let next = b.id("silent");
    b.step("hello", Act::Play(Play { prompt, early: false, repeat: 1, next }));
    let flow = ends(b, &["silent", "wrong", "one", "two"]);

    let mut caller = Caller::call(&flow);
    assert_eq!(caller.told(), ["answer", "> ask", "play cmn/choose"]);
    assert_eq!(caller.does(&[Press("9")]).told(), ["stop", "language = en", "> hello", "play en/hello-en"]);
    assert_eq!(caller.visit.language(), "en");

    let mut caller = Caller::call(&flow);
    caller.told();
    let told = caller.does(&[Press("8")]).told();
    assert_eq!(told[1], "trouble in ask: `language` stays as it is: this one is not spoken here");
    assert_eq!(told[3], "play cmn/hello-cmn");
}

#[test]
fn collect_takes_each_exit() {
    use Do::*;
    let flow = collect_flow(|_, _| {});
    let table: &[(&[Do], &[&str])] = &[
        (&[Press("123#")], &["stop", "typed = 123", "> done", "hangup"]),
        (&[Press("12345")], &["stop", "typed = 12345", "> done", "hangup"]),
        (&[Heard, Press("12"), Wait(2999), Press("3"), Wait(2999)], &[]),
        (&[Heard, Press("12"), Wait(2999), Press("3"), Wait(3000)], &["typed = 123", "> done", "hangup"]),
        // Too short: by silence, by the end key, or by nothing but the end key.
        (&[Heard, Press("12"), Wait(3000)], &["play en/wrong-entry, en/enter"]),
        (&[Heard, Press("12#")], &["play en/wrong-entry, en/enter"]),
        (&[Heard, Press("#")], &["play en/wrong-entry, en/enter"]),
        // Nothing but digits is an entry.
        (&[Heard, Press("12*#")], &["play en/wrong-entry, en/enter"]),
        (
            &[Heard, Press("#"), Heard, Press("1234#")],
            &["play en/wrong-entry, en/enter", "typed = 1234", "> done", "hangup"],
        ),
        (&[Heard, Press("#"), Heard, Press("1#")], &["play en/wrong-entry, en/enter", "> wrong", "hangup"]),
        (&[Heard, Wait(4999)], &[]),
        (&[Heard, Wait(5000), Heard, Wait(5000)], &["play en/no-input, en/enter", "> silent", "hangup"]),
        // Keys during the prompt begin the entry; the wait between keys counts from the last one.
        (
            &[Press("1"), Wait(2900), Press("2"), Wait(2900), Press("3#")],
            &["stop", "typed = 123", "> done", "hangup"],
        ),
        (&[Press("12"), LateNews, HangUp, Wait(10_000), Press("3#")], &["stop"]),
    ];
    for (script, told) in table {
        let mut caller = Caller::call(&flow);
        assert_eq!(caller.told(), ["answer", "> ask", "play en/enter"]);
        assert_eq!(caller.does(script).told(), *told, "{script:?}");
    }
}

#[test]
fn collect_says_what_it_waits_for() {
    let flow = collect_flow(|_, _| {});
    let mut caller = Caller::call(&flow);
    assert_eq!(caller.visit.deadline(), None, "the prompt plays");
    caller.does(&[Do::Wait(1000), Do::Heard]);
    let due = caller.visit.deadline().expect("a wait");
    assert_eq!((due.at, due.why), (Time::from_secs(106), "first digit"));
    caller.does(&[Do::Wait(2000), Do::Press("1")]);
    let due = caller.visit.deadline().expect("a wait");
    assert_eq!((due.at, due.why), (Time::from_secs(106), "next digit"));
}

#[test]
fn collect_without_an_end_key_ends_by_silence_or_when_full() {
    use Do::*;
    let flow = collect_flow(|_, c| (c.end, c.min) = (None, 0));
    for (script, told) in [
        (&[Heard, Press("1"), Wait(3000)][..], &["typed = 1", "> done", "hangup"][..]),
        (&[Heard, Press("12#"), Wait(3000)], &["play en/wrong-entry, en/enter"]),
        (&[Heard, Press("54321")], &["typed = 54321", "> done", "hangup"]),
    ] {
        let mut caller = Caller::call(&flow);
        caller.told();
        assert_eq!(caller.does(script).told(), told);
    }
}

#[test]
fn collect_may_be_empty_where_the_minimum_is_zero() {
    let flow = collect_flow(|_, c| c.min = 0);
    let mut caller = Caller::call(&flow);
    caller.told();
    assert_eq!(caller.does(&[Do::Press("#")]).told(), ["stop", "typed = ", "> done", "hangup"]);
}

#[test]
fn collect_checks_the_pattern() {
    let flow = collect_flow(|_, c| c.matches = Some(Pattern::parse("1[3-5]x|**.").expect("a pattern")));
    for (keys, fits) in
        [("130#", true), ("159#", true), ("160#", false), ("1300#", false), ("**1#", true), ("*12#", false)]
    {
        let mut caller = Caller::call(&flow);
        keys.chars().for_each(|k| caller.do_one(&Do::Dial(k)));
        assert_eq!(caller.visit.step() == "done", fits, "{keys}");
    }
}

#[test]
fn collect_into_a_number_counts_with_it() {
    let flow = collect_flow(|b, c| {
        b.var("count", 0);
        c.into = b.var_id("count");
    });
    let mut caller = Caller::call(&flow);
    caller.does(&[Do::Press("0042#")]);
    assert_eq!(caller.visit.value("count"), Some(&Value::Number(42)));
}

#[test]
fn masked_entries_and_what_is_made_of_them_stay_hidden() {
    let mut b = Flow::builder("f");
    b.var("copy", "").var("plain", "").id("ask");
    let collect = Collect { mask: true, ..collect(&mut b, true) };
    b.step("ask", Act::Collect(collect));
    let template = |text: &str, b: &FlowBuilder| Template::parse(text, &b.types()).expect(text);
    let values = vec![
        (b.var_id("copy"), template("<{typed}>", &b)),
        (b.var_id("plain"), template("{if(len(copy) > 5, copy, 'short')}", &b)),
        (b.var_id("copy"), template("open", &b)),
    ];
    let next = b.id("silent");
    b.step("done", Act::Set(Set { role: SetRole::Set, values, next }));
    let flow = ends(b, &["silent", "wrong"]);
    let mut caller = Caller::call(&flow);
    caller.told();
    let told = caller.does(&[Do::Press("1234#")]).told();
    assert_eq!(
        told,
        [
            "stop",
            "typed = ****",
            "private false",
            "> done",
            "copy = ******",
            "plain = ******",
            "copy = open",
            "> silent",
            "hangup"
        ]
    );
    assert_eq!(caller.visit.value("typed"), Some(&Value::from("1234")), "the flow itself can use it");
    assert!(caller.visit.values().contains(&("typed".into(), "****".into())));
    assert!(!format!("{:?}", caller.visit).contains("1234"));
}

#[test]
fn keys_that_may_belong_to_a_masked_entry_are_not_shown() {
    let flow = |mask| {
        let mut b = Flow::builder("f");
        play(&mut b, "hello", &["hello"], "which");
        let menu = menu(&mut b, true);
        b.step("which", Act::Menu(menu));
        let collect = Collect { mask, ..collect(&mut b, true) };
        b.step("one", Act::Collect(collect));
        play(&mut b, "done", &["bye"], "two");
        ends(b, &["two", "silent", "wrong"])
    };
    let shown = |mask| {
        let mut caller = Caller::call(&flow(mask));
        let script = [Do::Wait(0), Do::Heard, Do::Press("1"), Do::Press("123#"), Do::Heard];
        script.map(|one| {
            caller.do_one(&one);
            !caller.visit.masks_digits()
        })
    };
    // During hello (it could be typed ahead), the menu, the entry, and the farewell.
    assert_eq!(shown(true), [false, true, false, false, false]);
    assert_eq!(shown(false), [true; 5]);
}

/// welcome (play), then a menu, then a collect step.
fn chain(type_ahead: bool, menu_barge_in: bool) -> Arc<Flow> {
    let mut b = Flow::builder("f");
    b.type_ahead(type_ahead).id("welcome");
    play(&mut b, "welcome", &["welcome"], "terms");
    play(&mut b, "terms", &["terms"], "menu");
    let mut menu = menu(&mut b, menu_barge_in);
    menu.keys[0].to = b.id("ask");
    b.step("menu", Act::Menu(menu));
    let collect = collect(&mut b, true);
    b.step("ask", Act::Collect(collect));
    play(&mut b, "done", &["bye"], "two");
    ends(b, &["one", "two", "silent", "wrong"])
}

#[test]
fn keys_typed_ahead_answer_the_questions_that_follow() {
    use Do::*;
    let mut caller = Caller::call(&chain(true, true));
    assert_eq!(caller.told(), ["answer", "> welcome", "play en/welcome"]);
    let told = caller.does(&[Press("1")]).told();
    assert_eq!(told, ["stop", "> terms", "> menu", "> ask", "play en/enter"], "one key passes both prompts");
    // Keys during the last prompt are nobody's: no step asks behind it.
    let told = caller.does(&[Press("123#"), Press("99"), Wait(60_000)]).told();
    assert_eq!(told, ["stop", "typed = 123", "> done", "play en/bye", "stop", "> two", "hangup"]);
}

#[test]
fn without_type_ahead_a_key_only_skips_the_prompt() {
    let mut caller = Caller::call(&chain(false, true));
    caller.told();
    assert_eq!(caller.does(&[Do::Press("1")]).told(), ["stop", "> terms", "play en/terms"]);
    assert_eq!(caller.does(&[Do::Press("1")]).told(), ["stop", "> menu", "play en/choose"]);
}

#[test]
fn a_prompt_without_barge_in_forgets_what_was_typed_ahead() {
    let mut caller = Caller::call(&chain(true, false));
    caller.told();
    assert_eq!(caller.does(&[Do::Press("1")]).told(), ["stop", "> terms", "> menu", "play en/choose"]);
    assert_eq!(caller.does(&[Do::Heard, Do::Press("1")]).told(), ["> ask", "play en/enter"]);
}

#[test]
fn a_key_skips_no_announcement_that_must_be_heard() {
    let mut b = Flow::builder("f");
    play(&mut b, "hello", &["hello"], "legal");
    let next = b.id("ask");
    let prompt = Prompt::named(&["recorded"]).without_barge_in();
    b.step("legal", Act::Play(Play { prompt, early: false, repeat: 1, next }));
    let menu = menu(&mut b, true);
    b.step("ask", Act::Menu(menu));
    let mut caller = Caller::call(&ends(b, &MENU_ENDS));
    caller.told();
    let told = caller.does(&[Do::Press("1"), Do::Press("1"), Do::Heard]).told();
    assert_eq!(told, ["stop", "> legal", "play en/recorded", "> ask", "play en/choose"]);
}

#[test]
fn keys_before_the_media_open_are_typed_ahead_too() {
    let path = |keys: &str| {
        let mut b = Flow::builder("f");
        let collect = collect(&mut b, true);
        b.step("ask", Act::Collect(collect));
        let menu = menu(&mut b, true);
        b.step("done", Act::Menu(menu));
        let mut visit = Visit::new(ends(b, &MENU_ENDS));
        let mut out = hotline_core::Outbox::new();
        let start = nobody();
        visit.handle(Time::ZERO, Input::Started(Box::new(start)), &mut out);
        keys.chars().for_each(|key| visit.handle(Time::ZERO, Input::Digit(key), &mut out));
        visit.handle(Time::ZERO, Input::Ready, &mut out);
        visit.path().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(path("12345#1"), "ask done one", "the end key of a full entry is skipped");
    assert_eq!(path("123451"), "ask done one");
    assert_eq!(path("#1234#1"), "ask", "keys behind a wrong entry are forgotten");
}

#[test]
fn typed_ahead_keys_are_bounded() {
    let mut b = Flow::builder("f");
    b.answer(AnswerMode::ByStep).id("early");
    let next = b.id("ask");
    b.step("early", Act::Play(Play { prompt: Prompt::named(&["x"]), early: true, repeat: 1, next }));
    let mut collect = collect(&mut b, true);
    (collect.max, collect.end) = (DIGITS_MAX, None);
    b.step("ask", Act::Collect(collect));
    let flow = ends(b, &COLLECT_ENDS);
    let mut visit = Visit::new(flow);
    let mut out = hotline_core::Outbox::new();
    let start = nobody();
    visit.handle(Time::ZERO, Input::Started(Box::new(start)), &mut out);
    for _ in 0..100 {
        visit.handle(Time::ZERO, Input::Digit('7'), &mut out);
    }
    // 183, then 200.
    visit.handle(Time::ZERO, Input::Ready, &mut out);
    visit.handle(Time::ZERO, Input::Ready, &mut out);
    visit.wake(Time::from_secs(3), &mut out);
    assert_eq!(visit.value("typed"), Some(&Value::from(&*"7".repeat(TYPE_AHEAD_MAX))));
}

#[test]
fn the_end_key_of_a_full_entry_answers_no_other_question() {
    use Do::*;
    let mut b = Flow::builder("f");
    b.id("ask");
    let collect = collect(&mut b, true);
    b.step("ask", Act::Collect(collect));
    let menu = menu(&mut b, true);
    b.step("done", Act::Menu(menu));
    let flow = ends(b, &MENU_ENDS);
    let story = |script: &[Do]| {
        let mut caller = Caller::call(&flow);
        caller.told();
        caller.does(script).told().split_off(3)
    };
    assert_eq!(
        story(&[Press("12345#"), Wait(100), Press("1")]),
        ["play en/choose", "stop", "> one", "hangup"]
    );
    assert_eq!(
        story(&[Press("12345"), Wait(3001), Press("#")]),
        ["play en/choose", "stop", "play en/wrong-key, en/choose"]
    );
    assert_eq!(story(&[Press("12345##")]), ["play en/choose", "stop", "play en/wrong-key, en/choose"]);
    assert_eq!(story(&[Press("123451#")]), ["play en/choose", "stop", "> one", "hangup"]);
    assert_eq!(
        story(&[Press("1234#"), Press("#")]),
        ["play en/choose", "stop", "play en/wrong-key, en/choose"]
    );
}

#[test]
fn play_repeats_and_says() {
    let flow = one_step(AnswerMode::AtOnce, &["end"], |b| {
        b.var("n", -2002).var("bad", "12a").language("cmn");
        let t = |text: &str, b: &FlowBuilder| Template::parse(text, &b.types()).expect(text);
        let sounds = vec![
            Sound::prompt("a"),
            Sound::Silence(secs(1)),
            Sound::Say { kind: SayKind::Number, value: t("{n}", b) },
            Sound::Say { kind: SayKind::Digits, value: t("{bad}", b) },
            Sound::Tone { hz: [1004, 0], length: secs(2), dbm0: -16 },
        ];
        Act::Play(Play {
            prompt: Prompt { sounds, barge_in: false },
            early: false,
            repeat: 2,
            next: b.id("end"),
        })
    });
    let mut caller = Caller::call(&flow);
    let heard = "play cmn/a, 1s, cmn/number-minus, cmn/number-2000, cmn/number-0, cmn/number-2, cmn/digit-1, \
                 cmn/digit-2, 1004+0Hz 2s -16dBm0";
    assert_eq!(caller.told(), ["answer", "> step", heard]);
    assert_eq!(caller.does(&[Do::Press("1"), Do::LateNews]).told(), [""; 0], "no barge-in");
    assert_eq!(caller.does(&[Do::Heard]).told(), [heard]);
    assert_eq!(caller.does(&[Do::Heard]).told(), ["> end", "hangup"]);
}

#[test]
fn a_key_ends_all_repeats() {
    let flow = one_step(AnswerMode::AtOnce, &["end"], |b| {
        Act::Play(Play { prompt: Prompt::named(&["a"]), early: false, repeat: 9, next: b.id("end") })
    });
    let mut caller = Caller::call(&flow);
    caller.does(&[Do::Heard]).told();
    assert_eq!(caller.does(&[Do::Press("5")]).told(), ["stop", "> end", "hangup"]);
}

#[test]
fn a_playing_circle_goes_on_when_keys_are_pressed() {
    let mut b = Flow::builder("f");
    play(&mut b, "a", &["a"], "b");
    play(&mut b, "b", &["b"], "a");
    let mut caller = Caller::call(&ends(b, &[]));
    caller.told();
    let told = caller.does(&[Do::Press("1")]).told();
    assert!(told.last().is_some_and(|last| last.starts_with("play ")), "{told:?}");
    assert!(told.len() < 10 && !caller.visit.is_over(), "{told:?}");
}

#[test]
fn set_branch_and_presets() {
    let mut b = Flow::builder("f");
    b.var("class", "standard").var("tries", 0).var("vip", false).id("bump");
    let t = |text: &str, b: &FlowBuilder| Template::parse(text, &b.types()).expect(text);
    let values = vec![
        (b.var_id("tries"), t("{tries + 1}", &b)),
        (VarId::SEVERITY, t("P{tries}", &b)),
        (b.var_id("class"), t("{class}-{tries}", &b)),
    ];
    let next = b.id("which");
    b.step("bump", Act::Set(Set { role: SetRole::Set, values, next }));
    let condition = |text: &str, b: &FlowBuilder| Expr::condition(text, &b.types()).expect(text);
    let arms = vec![
        (condition("vip", &b), b.id("vip")),
        (condition("tries > 2 and starts_with(class, 'standard')", &b), b.id("often")),
    ];
    let otherwise = b.id("bump");
    b.step("which", Act::Branch(Branch { arms, otherwise }));
    let flow = ends(b, &["vip", "often"]);

    let mut caller = Caller::call(&flow);
    let told = caller.told();
    assert_eq!(told[1..6], ["> bump", "tries = 1", "severity = P1", "class = standard-1", "> which"]);
    assert_eq!(told[told.len() - 2..], ["> often", "hangup"]);
    assert_eq!(caller.visit.value("severity"), Some(&Value::from("P3")));
    assert_eq!(
        caller.visit.path().collect::<Vec<_>>(),
        ["bump", "which", "bump", "which", "bump", "which", "often"]
    );

    let mut caller =
        Caller::call_with(&flow, &[("vip", "true"), ("tries", "4"), ("severity", "P0"), ("class", "x")]);
    let told = caller.told();
    assert_eq!(
        told[2..],
        [
            "tries = 5",
            "trouble in bump: `severity` stays as it is: this is none of P0 to P3",
            "class = x-5",
            "> which",
            "> vip",
            "hangup"
        ]
    );
    assert_eq!(caller.visit.value("severity"), Some(&Value::from("P0")));

    let mut caller =
        Caller::call_with(&flow, &[("tries", "many"), ("clas", "x"), ("caller", "me"), ("vip", "true")]);
    let told = caller.told();
    assert_eq!(
        told[..3],
        [
            "fault in bump: the number presets `tries` with what is no number",
            "fault in bump: the number presets `clas`, which the flow does not declare",
            "fault in bump: `caller` cannot be set",
        ]
    );
    assert_eq!(caller.visit.value("caller"), Some(&Value::from("13800138000")));
}

#[test]
fn a_text_grows_to_its_limit_only() {
    let mut b = Flow::builder("f");
    b.var("x", "语ab").var("n", 0).id("grow");
    let t = |text: &str, b: &FlowBuilder| Template::parse(text, &b.types()).expect(text);
    let values = vec![(b.var_id("x"), t("{x}{x}", &b)), (b.var_id("n"), t("{n + 1}", &b))];
    let next = b.id("which");
    b.step("grow", Act::Set(Set { role: SetRole::Set, values, next }));
    let arms = vec![(Expr::condition("n < 100", &b.types()).expect("a condition"), b.id("grow"))];
    let otherwise = b.id("end");
    b.step("which", Act::Branch(Branch { arms, otherwise }));
    let caller = Caller::call(&ends(b, &["end"]));
    let length = caller.visit.value("x").expect("declared").text().len();
    assert!((expr::TEXT_MAX - 3..=expr::TEXT_MAX).contains(&length), "{length}");
}

#[test]
fn an_endless_loop_ends_the_visit() {
    let mut b = Flow::builder("f");
    let (a, next) = (b.id("a"), b.id("b"));
    b.step("a", Act::Answer { next });
    b.step("b", Act::Set(Set { role: SetRole::Set, values: Vec::new(), next: a }));
    let mut caller = Caller::call(&ends(b, &[]));
    let told = caller.told();
    assert_eq!(told.len(), 1 + STEPS_MAX + 2);
    assert_eq!(told[told.len() - 2..], ["fault in b: 1000 steps without a wait: an endless loop", "hangup"]);
    assert_eq!(caller.visit.path().count(), PATH_MAX);
}

#[test]
fn hours_go_by_local_time() {
    let mut schedule = Schedule::new(
        hours::zone("Asia/Shanghai").expect("a zone"),
        vec![Range::parse("mon 09:00-18:00").expect("hours")],
    );
    let flow = |schedule: &Schedule| {
        let mut b = Flow::builder("f");
        b.id("wait");
        let next = b.id("office");
        b.step("wait", Act::Ringing { length: secs(3600), next });
        let (open, closed) = (b.id("open"), b.id("closed"));
        b.step("office", Act::Hours(Hours { schedule: Arc::new(schedule.clone()), open, closed }));
        ends(b, &["open", "closed"])
    };
    // Called at 08:01:40; an hour later it is 09:01:40.
    assert_eq!(Caller::call(&flow(&schedule)).does(&[Do::Wait(3_600_000)]).visit.step(), "open");
    schedule.holidays.insert(hours::date("2026-11-23").expect("a date"));
    assert_eq!(Caller::call(&flow(&schedule)).does(&[Do::Wait(3_600_000)]).visit.step(), "closed");
}

fn queue_flow(require: &str, severity: &str) -> Arc<Flow> {
    one_step(AnswerMode::ByStep, &["served", "late", "full", "nobody"], |b| {
        b.language("yue");
        Act::Queue(Queue {
            queue: "technical".into(),
            require: Some(Demand::parse(require, &b.types()).expect(require)),
            severity: Template::parse(severity, &b.types()).expect(severity),
            music: Vec::new(),
            treatments: Vec::new(),
            keys: Vec::new(),
            too_long: None,
            timeout: Some(secs(600)),
            on_timeout: b.id("late"),
            on_full: b.id("full"),
            on_no_agents: b.id("nobody"),
            next: b.id("served"),
        })
    })
}

#[test]
fn queue_takes_each_exit() {
    for (end, to) in [
        (QueueEnd::Served, "> served"),
        (QueueEnd::Timeout, "> late"),
        (QueueEnd::Full, "> full"),
        (QueueEnd::NoAgents, "> nobody"),
    ] {
        let mut caller = Caller::call(&queue_flow("lang[language] >= 2 and product.x >= 1", "{severity}"));
        let told = caller.told();
        assert_eq!(
            told,
            ["> step", "answer", "queue technical P3 (lang.yue >= 2 and product.x >= 1) Some(600s) music"]
        );
        // Keys are dropped; the engine keeps the time.
        assert_eq!(caller.does(&[Do::Press("123#"), Do::Wait(3_600_000), Do::LateNews]).told(), [""; 0]);
        assert_eq!(caller.does(&[Do::Queue(end)]).told(), [to, "hangup"]);
    }
}

#[test]
fn a_value_that_names_no_skill_asks_nobody() {
    let flow = queue_flow("team[x] and lang[language] >= 1", "{x}");
    let mut caller = Caller::call_with(&flow, &[("x", "night-1")]);
    let told = caller.told();
    assert_eq!(told[2], "trouble in step: the severity is none of P0 to P3: P3 taken");
    assert_eq!(told[3], "queue technical P3 (team.night-1 and lang.yue >= 1) Some(600s) music");
    for bad in ["a or true", "", "a.b", "x]", "é"] {
        let mut caller = Caller::call_with(&flow, &[("x", bad)]);
        let told = caller.told();
        assert_eq!(
            told[2..],
            ["trouble in step: `x` names no skill, so nobody has it", "> nobody", "hangup"],
            "{bad}"
        );
    }
}

fn ring_flow(answer: bool) -> Arc<Flow> {
    one_step(AnswerMode::ByStep, &["served", "no-answer", "busy", "unreachable"], |b| {
        Act::Ring(Ring {
            to: Target::Agent(Template::parse("alice-{x}", &b.types()).expect("a template")),
            answer,
            music: vec![Sound::prompt("moment")],
            timeout: secs(25),
            next: b.id("served"),
            on_no_answer: b.id("no-answer"),
            on_busy: b.id("busy"),
            on_unreachable: b.id("unreachable"),
        })
    })
}

#[test]
fn ring_takes_each_exit() {
    for (end, to) in [
        (RingEnd::Served, "> served"),
        (RingEnd::NoAnswer, "> no-answer"),
        (RingEnd::Busy, "> busy"),
        (RingEnd::Refused, "> busy"),
        (RingEnd::Unreachable, "> unreachable"),
    ] {
        let mut caller = Caller::call(&ring_flow(true));
        assert_eq!(caller.told(), ["> step", "answer", "ring alice-x 25s en/moment"]);
        assert_eq!(caller.does(&[Do::Press("1"), Do::Ring(end.clone())]).told(), [to, "hangup"]);
        let mut caller = Caller::call(&ring_flow(false));
        assert_eq!(caller.told(), ["> step", "ring alice-x 25s en/moment"]);
        assert_eq!(caller.does(&[Do::Ring(end)]).told(), [to, "hangup"]);
    }
}

#[test]
fn a_call_that_an_agent_answered_is_not_answered_again() {
    let mut b = Flow::builder("f");
    b.answer(AnswerMode::ByStep).id("ring");
    let (next, other) = (b.id("bye"), b.id("end"));
    b.step(
        "ring",
        Act::Ring(Ring {
            to: Target::Agent(Template::text("alice")),
            answer: false,
            music: Vec::new(),
            timeout: secs(20),
            next,
            on_no_answer: next,
            on_busy: other,
            on_unreachable: other,
        }),
    );
    play(&mut b, "bye", &["bye"], "end");
    let flow = ends(b, &["end"]);
    let mut caller = Caller::call(&flow);
    caller.told();
    assert_eq!(caller.does(&[Do::Ring(RingEnd::Served)]).told(), ["> bye", "play en/bye"]);
    let mut caller = Caller::call(&flow);
    caller.told();
    assert_eq!(caller.does(&[Do::Ring(RingEnd::NoAnswer)]).told(), ["> bye", "answer", "play en/bye"]);
}

#[test]
fn steps_answer_when_they_must() {
    use AnswerMode::*;
    let early = |b: &mut FlowBuilder, early| {
        Act::Play(Play { prompt: Prompt::named(&["a"]), early, repeat: 1, next: b.id("end") })
    };
    let told = |mode, act: &dyn Fn(&mut FlowBuilder) -> Act| {
        Caller::call(&one_step(mode, &["end"], |b| act(b))).told()
    };
    assert_eq!(told(ByStep, &|b| early(b, true)), ["> step", "early media", "play en/a"]);
    assert_eq!(told(ByStep, &|b| early(b, false)), ["> step", "answer", "play en/a"]);
    assert_eq!(told(AtOnce, &|b| early(b, true)), ["answer", "> step", "play en/a"]);
    assert_eq!(told(ByStep, &|b| Act::Answer { next: b.id("end") }), ["> step", "answer", "> end", "hangup"]);
    assert_eq!(told(AtOnce, &|b| Act::Answer { next: b.id("end") }), ["answer", "> step", "> end", "hangup"]);
    assert_eq!(told(ByStep, &|_| Act::Hangup), ["> step", "hangup"]);
    let reject = |b: &mut FlowBuilder| {
        b.id("end");
        Act::Reject { code: 486, reason: Some("Busy Here".into()) }
    };
    assert_eq!(told(ByStep, &reject), ["> step", "reject 486 Busy Here"]);
    assert_eq!(
        told(AtOnce, &reject),
        ["answer", "> step", "fault in step: an answered call cannot be rejected", "hangup"]
    );
}

#[test]
fn early_media_then_answer() {
    let mut b = Flow::builder("f");
    b.answer(AnswerMode::ByStep).id("early");
    let next = b.id("again");
    b.step("early", Act::Play(Play { prompt: Prompt::named(&["a"]), early: true, repeat: 1, next }));
    let next = b.id("late");
    b.step("again", Act::Play(Play { prompt: Prompt::named(&["b"]), early: true, repeat: 1, next }));
    play(&mut b, "late", &["c"], "end");
    let mut caller = Caller::call(&ends(b, &["end"]));
    let told = caller.does(&[Do::Heard, Do::Heard, Do::Heard]).told();
    assert_eq!(
        told,
        [
            "> early",
            "early media",
            "play en/a",
            "> again",
            "play en/b",
            "> late",
            "answer",
            "play en/c",
            "> end",
            "hangup"
        ]
    );
}

#[test]
fn ringing_and_echo_last_as_long_as_they_say() {
    let flow =
        one_step(AnswerMode::ByStep, &["end"], |b| Act::Ringing { length: secs(30), next: b.id("end") });
    let mut caller = Caller::call(&flow);
    assert_eq!(caller.told(), ["> step", "ringing"]);
    assert_eq!(caller.does(&[Do::Press("1"), Do::Wait(29_999)]).told(), [""; 0]);
    assert_eq!(caller.does(&[Do::Wait(1)]).told(), ["> end", "hangup"]);

    let flow = one_step(AnswerMode::ByStep, &["end"], |b| {
        Act::Echo(Echo::For { length: secs(60), next: b.id("end") })
    });
    let mut caller = Caller::call(&flow);
    assert_eq!(caller.told(), ["> step", "answer", "echo true"]);
    assert_eq!(caller.does(&[Do::Press("1"), Do::Wait(59_999)]).told(), [""; 0]);
    assert_eq!(caller.does(&[Do::Wait(1)]).told(), ["echo false", "> end", "hangup"]);

    let mut b = Flow::builder("f");
    b.step("echo", Act::Echo(Echo::UntilHangup));
    let mut caller = Caller::call(&ends(b, &[]));
    caller.told();
    assert_eq!(caller.does(&[Do::Wait(3_600_000), Do::HangUp]).told(), [""; 0]);
}

#[test]
fn media_that_never_open_end_the_visit() {
    let mut visit = Visit::new(menu_flow(|_, _| {}));
    let mut out = hotline_core::Outbox::new();
    let start = nobody();
    visit.handle(Time::ZERO, Input::Started(Box::new(start)), &mut out);
    let due = visit.deadline().expect("media must open");
    assert_eq!(due.at.since(Time::ZERO), Duration::from_secs(45));
    visit.wake(due.at, &mut out);
    assert_eq!(out.as_slice().last(), Some(&Output::Hangup));
    assert!(visit.is_over());
}

#[test]
fn nothing_follows_a_hangup_wherever_it_comes() {
    use Do::*;
    let scripts: [&[Do]; 6] = [
        &[],
        &[Heard],
        &[Press("1")],
        &[Press("1"), Press("12")],
        &[Press("1"), Press("123#")],
        &[Heard, Heard],
    ];
    for script in scripts {
        let mut caller = Caller::call(&chain(true, true));
        caller.does(script).told();
        let rest = [HangUp, Press("1"), Heard, Wait(60_000), LateNews, Queue(QueueEnd::Served), HangUp];
        assert_eq!(caller.does(&rest).told(), [""; 0], "{script:?}");
    }
}
