//! Keys that work wherever the caller is, and the way back.

use crate::common::*;
use crate::story;
use hotline_ivr::*;
use std::sync::Arc;

/// hello (play), then a menu whose 1 leads to an entry; `*` chooses a language anywhere, a menu's own `0` wins.
fn flow(barge_in: bool) -> Arc<Flow> {
    let mut b = Flow::builder("f");
    b.languages(["en", "cmn"]);
    b.id("hello");
    let next = b.id("ask");
    let prompt = Prompt { barge_in, ..Prompt::named(&["hello"]) };
    b.step("hello", Act::Play(Play { prompt, early: false, repeat: 1, next }));
    let mut first = menu(&mut b, true);
    first.keys.push(Key { key: '0', value: "".into(), to: b.id("two") });
    b.step("ask", Act::Menu(first));
    let entry = collect(&mut b, true);
    b.step("one", Act::Collect(entry));
    b.anytime('*', "language").anytime('0', "help");
    let (cmn, confirmed) = (b.id("chosen"), b.id("help"));
    let keys = vec![
        Key { key: '1', value: "cmn".into(), to: cmn },
        Key { key: '2', value: "en".into(), to: confirmed },
    ];
    let language = Menu { into: Some(VarId::LANGUAGE), keys, ..menu(&mut b, true) };
    b.step("language", Act::Menu(Menu { prompt: Prompt::named(&["which"]), ..language }));
    let otherwise = b.id("silent");
    b.step("chosen", Act::Back { otherwise });
    play(&mut b, "help", &["help"], "chosen");
    ends(b, &["two", "done", "silent", "wrong"])
}

#[test]
fn a_key_leads_away_and_back_again() {
    use Do::*;
    let hello = "play en/hello";
    let which = ["stop", "> language", "play en/which"];
    let back = ["stop", "language = cmn", "> chosen"];
    let table: &[(&[Do], Vec<&str>)] = &[
        // The interrupted step is heard again, in the language chosen.
        (&[Press("*1")], [&[hello][..], &which, &back, &["> hello", "play cmn/hello"]].concat()),
        (
            &[Heard, Press("*1")],
            [&[hello, "> ask", "play en/choose"][..], &which, &back, &["> ask", "play cmn/choose"]].concat(),
        ),
        (&[Heard, Heard, Press("*")], vec![hello, "> ask", "play en/choose", "> language", "play en/which"]),
        // The menu's own key wins; in the language menu the key is no key of its own.
        (&[Heard, Press("0")], vec![hello, "> ask", "play en/choose", "stop", "> two", "hangup"]),
        // Twice is once.
        (&[Press("**1")], [&[hello][..], &which, &which, &back, &["> hello", "play cmn/hello"]].concat()),
        // From within: back to the help, then to where it began.
        (
            &[Press("*"), Heard, Press("2"), Press("*1"), Heard],
            [
                &[hello][..],
                &which,
                &["language = en", "> help", "play en/help"],
                &which,
                &back,
                &["> help", "play cmn/help", "> chosen", "> hello", "play cmn/hello"],
            ]
            .concat(),
        ),
        // An entry keeps its keys.
        (
            &[Heard, Press("1"), Press("*")],
            vec![hello, "> ask", "play en/choose", "stop", "> one", "play en/enter", "stop"],
        ),
    ];
    for (script, told) in table {
        assert_eq!(story(&flow(true), script), *told, "{script:?}");
    }
    assert_eq!(story(&flow(false), &[Press("*")]), [hello], "a prompt that must be heard is heard");
    let mut caller = Caller::call(&flow(true));
    caller.does(&[Press("*1")]);
    assert_eq!(caller.exits, ["hello:*", "language:1", "chosen:back"]);
}

#[test]
fn without_an_interruption_it_goes_elsewhere() {
    let mut b = Flow::builder("f");
    b.id("step");
    let otherwise = b.id("end");
    b.step("step", Act::Back { otherwise });
    let mut caller = Caller::call(&ends(b, &["end"]));
    assert_eq!(caller.told(), ["answer", "> step", "> end", "hangup"]);
    assert_eq!(caller.exits, ["step:otherwise"]);
}

#[test]
fn a_key_typed_ahead_leads_away_too() {
    // Pressed while the media open.
    let mut visit = Visit::new(flow(true));
    let mut out = hotline_core::Outbox::new();
    let now = hotline_core::Time::ZERO;
    for input in [Input::Started(Box::new(nobody())), Input::Digit('*'), Input::Digit('1'), Input::Ready] {
        visit.handle(now, input, &mut out);
    }
    assert_eq!(visit.path().collect::<Vec<_>>(), ["hello", "language", "chosen", "hello"]);
    assert_eq!(visit.language(), "cmn");
}

#[test]
fn interruptions_are_bounded() {
    let mut caller = Caller::call(&flow(true));
    for _ in 0..100 {
        caller.does(&[Do::Press("*"), Do::Press("2"), Do::Press("*"), Do::Press("2")]);
    }
    assert!(!caller.visit.is_over());
}
