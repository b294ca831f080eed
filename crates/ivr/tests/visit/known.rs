//! Language, identification, checks of entries, values of every type.

use crate::common::*;
use crate::{condition, one_step, story, template};
use hotline_ivr::*;
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn a_language_is_spoken_if_it_is_known() {
    for (text, end, spoken) in
        [("cmn", "known", "cmn"), ("{x}", "other", "en"), ("", "other", "en"), ("en", "known", "en")]
    {
        let flow = one_step(AnswerMode::ByStep, &["known", "other"], |b| {
            b.languages(["en", "cmn"]);
            Act::Language(Language {
                language: template(text, b),
                next: b.id("known"),
                unknown: b.id("other"),
            })
        });
        let caller = Caller::call(&flow);
        assert_eq!((caller.visit.step(), caller.visit.language()), (end, spoken), "{text}");
    }
}

/// Two customers, Anna by two keys.
fn identify(by: &str, country: &str) -> Arc<Flow> {
    one_step(AnswerMode::ByStep, &["known", "stranger"], |b| {
        let field = |name: &str, default: Value| Field { name: name.into(), kind: default.kind(), default };
        let fields = vec![field("name", "".into()), field("open", 0.into())];
        let record = b.record(RecordType { name: "customers".into(), fields: fields.clone() });
        let start = Value::Record(record, Arc::new(["".into(), 0.into()]));
        b.declare(VarDecl::new("customer", start));
        let anna: Arc<[Value]> = Arc::new(["Anna".into(), 2.into()]);
        let rows: BTreeMap<Arc<str>, Arc<[Value]>> = [
            ("13800138000".into(), anna.clone()),
            ("0042".into(), anna),
            ("7".into(), Arc::from(["Ben".into(), 0.into()])),
        ]
        .into();
        let directory = Directory { name: "customers".into(), country: country.into(), fields, rows };
        Act::Identify(Identify {
            directory: Arc::new(directory),
            by: template(by, b),
            into: b.var_id("customer"),
            found: b.id("known"),
            unknown: b.id("stranger"),
        })
    })
}

#[test]
fn a_directory_knows_who_calls() {
    for (by, country, end) in [
        ("{caller}", "", "known"),
        ("0042", "", "known"),
        ("+86 138-0013-8000", "86", "known"),
        ("008613800138000", "86", "known"),
        ("+8613800138000", "", "stranger"),
        ("138", "86", "stranger"),
        ("", "86", "stranger"),
        ("anonymous", "86", "stranger"),
    ] {
        let caller = Caller::call(&identify(by, country));
        assert_eq!(caller.visit.step(), end, "{by}");
        let customer = caller.visit.value("customer").expect("declared").text();
        assert_eq!(&*customer, if end == "known" { "Anna, 2" } else { ", 0" }, "{by}");
    }
    assert_eq!(story(&identify("0042", ""), &[]), ["customer = Anna, 2", "> known", "hangup"]);
}

#[test]
fn entries_are_checked() {
    use Do::*;
    let mut b = Flow::builder("f");
    b.id("ask");
    let mut asks = collect(&mut b, true);
    asks.check = Some(condition("luhn(entry) and starts_with(entry, '7')", &b));
    b.step("ask", Act::Collect(asks));
    let flow = ends(b, &["done", "silent", "wrong"]);
    let again = ["stop", "play en/wrong-entry, en/enter"];
    // By the Luhn sum 75, 182, 7997 and 79996 are right; 3 digits are wanted at least, and a 7 first.
    for (keys, fits) in [("7997#", true), ("7992#", false), ("75#", false), ("182#", false), ("79996", true)]
    {
        let told = story(&flow, &[Press(keys)]);
        assert_eq!(told.last().is_some_and(|l| l == "hangup"), fits, "{keys}: {told:?}");
        assert!(fits || told[1..] == again, "{keys}: {told:?}");
    }
    let mut caller = Caller::call(&flow);
    caller.does(&[Press("7992#")]);
    assert_eq!(caller.visit.value("entry"), Some(&Value::Digits("".into())), "afterwards nobody sees it");
}

#[test]
fn values_of_every_type_are_set() {
    let flow = one_step(AnswerMode::ByStep, &["end"], |b| {
        b.declare(VarDecl::new("at", Value::Time(0)));
        b.declare(VarDecl::new("long", Value::Duration(0)));
        b.declare(VarDecl::new("keys", Value::Digits("".into())));
        b.declare(VarDecl::new("names", Value::List(Arc::new([]))));
        b.declare(VarDecl {
            kind: Type::List(Scalar::Number),
            ..VarDecl::new("counts", Value::List(Arc::new([])))
        });
        let set = |name: &str, text: &str, b: &FlowBuilder| (b.var_id(name), template(text, b));
        let values = vec![
            set("at", "{now + hours(1)}", b),
            set("long", "{minutes(2)}", b),
            set("keys", "{digits('a1b2')}", b),
            set("names", "{['a', 'b']}", b),
            set("counts", "{[1, 2]}", b),
            set("x", "{names} {keys}", b),
        ];
        Act::Set(Set { role: SetRole::Set, values, next: b.id("end") })
    });
    let caller = Caller::call(&flow);
    let value = |name: &str| caller.visit.value(name).cloned().expect(name);
    assert_eq!(value("at"), Value::Time(1_795_392_000 + 100 + 3600));
    assert_eq!(value("long"), Value::Duration(120_000));
    assert_eq!(value("keys"), Value::Digits("12".into()));
    assert_eq!(value("names"), Value::List(Arc::new(["a".into(), "b".into()])));
    assert_eq!(value("counts"), Value::List(Arc::new([1.into(), 2.into()])));
    assert_eq!(value("x"), Value::from("a, b 12"));
}
