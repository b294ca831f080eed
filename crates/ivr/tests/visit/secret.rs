//! What is masked is shown nowhere, whatever becomes of it.

use crate::common::*;
use crate::{condition, template};
use hotline_ivr::*;
use std::sync::Arc;

/// Asks for a PIN (masked by its variable), repeats it aloud, looks somebody up with it, asks another system, and says
/// a word in public.
fn bank() -> Arc<Flow> {
    let mut b = Flow::builder("f");
    b.declare(VarDecl { mask: true, ..VarDecl::new("pin", Value::Digits("".into())) });
    b.var("copy", "").var("long", false).var("public", "");
    b.id("ask");
    let mut asks = collect(&mut b, true);
    (asks.into, asks.next) = (b.var_id("pin"), b.id("aloud"));
    b.step("ask", Act::Collect(asks));
    let sounds = vec![Sound::Say { kind: SayKind::Digits, value: template("{pin}", &b) }];
    let next = b.id("make");
    let prompt = Prompt { sounds, barge_in: true };
    b.step("aloud", Act::Play(Play { prompt, early: false, repeat: 1, next }));
    let set = |name: &str, text: &str, b: &FlowBuilder| (b.var_id(name), template(text, b));
    let values = vec![
        set("copy", "<{pin}>", &b),
        set("long", "{len(copy) > 5}", &b),
        set("public", "{if(long, 'a', 'b')}", &b),
        set("pin", "0000", &b),
        set("public", "open", &b),
    ];
    let next = b.id("which");
    b.step("make", Act::Set(Set { role: SetRole::Set, values, next }));
    let arms = vec![(condition("contains(copy, '12') and contains(copy, '34')", &b), b.id("tell"))];
    let otherwise = b.id("silent");
    b.step("which", Act::Branch(Branch { arms, otherwise }));
    let fields = vec![("pin".into(), template("{copy}", &b))];
    let next = b.id("bye");
    b.step("tell", Act::Notify(Notify { service: "crm".into(), event: "pin".into(), fields, next }));
    play(&mut b, "bye", &["bye"], "done");
    ends(b, &["done", "silent", "wrong"])
}

#[test]
fn a_masked_value_is_shown_nowhere() {
    let mut caller = Caller::call(&bank());
    caller.secret = Some("1234");
    assert_eq!(caller.told(), ["answer", "private true", "> ask", "play en/enter"]);
    assert!(caller.visit.masks_digits());
    let told = caller.does(&[Do::Press("1234#"), Do::Heard]).told();
    let aloud = "play en/digit-1, en/digit-2, en/digit-3, en/digit-4";
    assert_eq!(
        told[..told.len() - 3],
        [
            "stop",
            "pin = ****",
            "> aloud",
            aloud,
            "private false",
            "> make",
            "copy = ******",
            "long = ****",
            "public = *",
            "pin = ****",
            "public = open",
            "> which",
            "> tell",
        ]
    );
    assert_eq!(told[told.len() - 2..], ["> bye", "play en/bye"]);
    let sent = asked(caller.request.as_ref().expect("a request"));
    assert!(sent.contains("<1234>"), "the other system gets it: {sent}");
    assert!(!format!("{:?} {:?}", caller.visit, caller.request).contains("1234"));
    let shown = caller.visit.values();
    assert!(
        shown.contains(&("pin".into(), "****".into())) && shown.contains(&("public".into(), "open".into()))
    );
}

#[test]
fn privacy_ends_where_the_question_ends() {
    use Do::*;
    for (script, told) in [
        (&[Heard, Wait(5000), Heard, Wait(5000)][..], ["private false", "> silent", "hangup"]),
        (&[Press("1#"), Press("2#")], ["private false", "> wrong", "hangup"]),
    ] {
        let mut caller = Caller::call(&bank());
        caller.does(script);
        let all = caller.told();
        assert_eq!(all[all.len() - 3..], told, "{script:?}");
    }
}

#[test]
fn a_menu_that_names_something_masked_is_private() {
    let mut b = Flow::builder("f");
    b.declare(VarDecl { mask: true, ..VarDecl::new("pin", Value::from("1234")) });
    b.id("ask");
    let mut asks = menu(&mut b, true);
    asks.invalid.prompt = vec![Sound::Say { kind: SayKind::Digits, value: template("{pin}", &b) }];
    b.step("ask", Act::Menu(asks));
    let mut caller = Caller::call(&ends(b, &["one", "two", "silent", "wrong"]));
    assert_eq!(caller.told(), ["answer", "private true", "> ask", "play en/choose"]);
    assert_eq!(caller.does(&[Do::Press("1")]).told(), ["stop", "private false", "> one", "hangup"]);
}
