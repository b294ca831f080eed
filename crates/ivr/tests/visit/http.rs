//! Questions to other systems: what is sent, what is taken, and every way it can go wrong.

use crate::common::*;
use crate::{one_step, story, template};
use hotline_ivr::*;
use std::sync::Arc;

fn pieces(text: &str, b: &FlowBuilder) -> Vec<HttpPiece> {
    expr::http_pieces(text, &b.types()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// GET of `https://crm/c/{x}` within 2 s; 404 and 5xx have exits of their own.
fn http(change: impl FnOnce(&mut FlowBuilder, &mut Http)) -> Arc<Flow> {
    one_step(AnswerMode::ByStep, &["next", "unknown", "later", "error"], |b| {
        b.var("n", 0).var("ok", false).var("name", "").var("code", 0);
        let mut http = Http {
            service: "crm".into(),
            method: HttpMethod::Get,
            url: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout: secs(2),
            retries: 1,
            body_max: 1000,
            into: Vec::new(),
            status: Some(b.var_id("code")),
            on_status: vec![
                (404, 404, "404".into(), b.id("unknown")),
                (500, 599, "5xx".into(), b.id("later")),
                (503, 503, "503".into(), b.id("unknown")),
            ],
            next: b.id("next"),
            on_error: b.id("error"),
        };
        change(b, &mut http);
        if http.url.is_empty() {
            http.url = pieces("https://crm/c/{x}", b);
        }
        Act::Http(Box::new(http))
    })
}

fn take(into: VarId, path: &str, kind: Type, default: Option<Value>) -> Taken {
    Taken { into, field: None, path: JsonPath::parse(path).expect(path), kind, default }
}

#[test]
fn what_is_filled_in_is_escaped() {
    let nasty = "a/b?c&d=é \"\\\n{}";
    let sent = |x: &str, change: &dyn Fn(&mut FlowBuilder, &mut Http)| {
        let caller = Caller::call_with(&http(change), &[("x", x)]);
        caller.request.as_deref().map(asked)
    };
    let plain = sent("42", &|_, _| {});
    assert_eq!(plain.as_deref(), Some("GET https://crm/c/42"));
    let encoded = "a%2Fb%3Fc%26d%3D%C3%A9%20%22%5C%0A%7B%7D";
    assert_eq!(sent(nasty, &|_, _| {}), Some(format!("GET https://crm/c/{encoded}")));
    let query = sent(nasty, &|b, h| {
        h.url = pieces("https://crm/c?v=1", b);
        h.query = vec![("a b".into(), pieces("{x} {n}", b)), ("key".into(), pieces("{secret.crm}", b))];
    });
    assert_eq!(query, Some(format!("GET https://crm/c?v=1&a%20b={encoded}%200&key=<crm>")));
    let headers = sent("a\r\nEvil: 1", &|b, h| {
        h.headers = vec![("Authorization".into(), pieces("Bearer {secret.crm} {x}", b))];
        h.url = pieces("https://crm/c", b);
    });
    assert_eq!(headers.as_deref(), Some("GET https://crm/c Authorization: Bearer <crm> aEvil: 1;"));
    let body = sent(nasty, &|b, h| {
        h.method = HttpMethod::Post;
        h.url = pieces("https://crm/c", b);
        let value = |text: &str| JsonTemplate::Value(template(text, b));
        h.body = Some(JsonTemplate::Object(vec![
            ("x".into(), value("{x}")),
            ("n".into(), value("{n + 1}")),
            ("ok".into(), value("{ok}")),
            ("mixed".into(), value("n={n}")),
            (
                "list".into(),
                JsonTemplate::List(vec![value("{now}"), value("{minutes(1)}"), value("{['a']}")]),
            ),
        ]));
    });
    let json = r#"{"x":"a/b?c&d=é \"\\\u000a{}","n":1,"ok":false,"mixed":"n=0","list":["2026-11-23T00:01:40Z",60,["a"]]}"#;
    assert_eq!(body, Some(format!("POST https://crm/c {json}")));
}

#[test]
fn no_value_climbs_out_of_its_path() {
    for x in ["..", "."] {
        let mut caller = Caller::call_with(&http(|_, _| {}), &[("x", x)]);
        assert_eq!(
            caller.told(),
            ["> step", "trouble in step: what is filled in makes no URL of crm", "> error", "hangup"]
        );
    }
    for x in ["...", "..a", "../a"] {
        assert!(Caller::call_with(&http(|_, _| {}), &[("x", x)]).request.is_some(), "{x}");
    }
}

#[test]
fn statuses_and_failures_choose_the_exit() {
    use Do::*;
    let flow = http(|b, h| h.into = vec![take(b.var_id("n"), "n", Type::Number, None)]);
    let table: &[(&[Do], &str)] = &[
        (&[Fetched(200, r#"{"n":5}"#)], "next"),
        (&[Fetched(204, r#"{"n":5}"#)], "next"),
        (&[Fetched(200, r#"{"n":5.0}"#)], "next"),
        (&[Fetched(200, r#"{"n":5.5}"#)], "error"),
        (&[Fetched(200, r#"{"n":"5"}"#)], "error"),
        (&[Fetched(200, r#"{"m":5}"#)], "error"),
        (&[Fetched(200, r#"{"n":null}"#)], "error"),
        (&[Fetched(200, "")], "error"),
        (&[Fetched(200, r#"{"n":5"#)], "error"),
        (&[Fetched(404, "")], "404"),
        // The first that fits.
        (&[Fetched(503, r#"{"n":5}"#)], "5xx"),
        (&[Fetched(301, r#"{"n":5}"#)], "error"),
        (&[Fetched(400, "")], "error"),
        (&[Failed(HttpFailure::Timeout)], "error"),
        (&[Failed(HttpFailure::CircuitOpen)], "error"),
        (&[Wait(3000)], "error"),
        (&[LateAnswer(r#"{"n":5}"#), Wait(2999), Fetched(200, r#"{"n":7}"#)], "next"),
    ];
    for (script, exit) in table {
        let mut caller = Caller::call(&flow);
        caller.does(script);
        assert_eq!(caller.exits, [format!("step:{exit}")], "{script:?}");
        let faults = caller.told().iter().filter(|l| l.starts_with("trouble")).count();
        assert_eq!(faults, usize::from(*exit == "error"), "{script:?}");
    }
    let mut caller = Caller::call(&flow);
    assert_eq!(caller.visit.deadline().map(|d| (d.at.as_secs(), d.why)), Some((103, "http answer")));
    caller.does(&[Fetched(200, r#"{"n":5}"#)]);
    assert_eq!(caller.told()[2..], ["code = 200", "n = 5", "> next", "hangup"]);
}

#[test]
fn values_are_taken_as_their_types() {
    let list = |items: &[&str]| Value::List(items.iter().map(|i| Value::from(*i)).collect());
    let table: Vec<(Type, &str, Option<Value>)> = vec![
        (Type::Text, r#""a""#, Some("a".into())),
        (Type::Text, "5", None),
        (Type::Number, "-7", Some((-7).into())),
        (Type::Number, "1e3", Some(1000.into())),
        (Type::Number, "99999999999999999999", None),
        (Type::Bool, "true", Some(true.into())),
        (Type::Bool, r#""true""#, None),
        (Type::Digits, r#""007*""#, Some(Value::Digits("007*".into()))),
        (Type::Digits, "42", Some(Value::Digits("42".into()))),
        (Type::Digits, "-42", None),
        (Type::Digits, r#""4 2""#, None),
        (Type::Time, "1795392000", Some(Value::Time(1_795_392_000))),
        (Type::Time, r#""2026-11-23T08:00:00+08:00""#, Some(Value::Time(1_795_392_000))),
        (Type::Time, r#""2026-11-23T00:00:00Z""#, Some(Value::Time(1_795_392_000))),
        (Type::Time, r#""yesterday""#, None),
        (Type::Duration, "90", Some(Value::Duration(90_000))),
        (Type::Duration, "1.5", Some(Value::Duration(1500))),
        (Type::Duration, r#""5m""#, Some(Value::Duration(300_000))),
        (Type::Duration, r#""PT1H30M""#, Some(Value::Duration(5_400_000))),
        (Type::Duration, "-1", None),
        (Type::Duration, r#""-5m""#, None),
        (Type::Duration, "1e300", None),
        (Type::List(Scalar::Text), r#"["a","b"]"#, Some(list(&["a", "b"]))),
        (Type::List(Scalar::Text), "[]", Some(list(&[]))),
        (Type::List(Scalar::Text), r#"["a",1]"#, None),
        (Type::List(Scalar::Number), r#"[[1]]"#, None),
        (Type::List(Scalar::Text), r#"{"a":1}"#, None),
    ];
    let start = |kind: Type| match kind {
        Type::Text => "start".into(),
        Type::Number => 1.into(),
        Type::Bool => false.into(),
        Type::Digits => Value::Digits("1".into()),
        Type::Time => Value::Time(1),
        Type::Duration => Value::Duration(1),
        _ => list(&[]),
    };
    for (kind, json, value) in table {
        for wrapped in [true, false] {
            let flow = http(|b, h| {
                b.declare(VarDecl { kind, ..VarDecl::new("v", start(kind)) });
                let path = if wrapped { "data.items[1].v" } else { "v" };
                h.into = vec![take(b.var_id("v"), path, kind, None)];
            });
            let mut caller = Caller::call(&flow);
            let body = match wrapped {
                true => format!(r#"{{"data":{{"items":[0,{{"v":{json}}}]}}}}"#),
                false => format!(r#"{{"v":{json},"other":[[["]"]]]}}"#),
            };
            let result = HttpResult::Answered { status: 200, body: body.into() };
            caller.input(Input::Fetched { ticket: Ticket(1), result });
            let now = caller.visit.value("v").cloned().expect("declared");
            assert_eq!(now, value.clone().unwrap_or_else(|| start(kind)), "{kind} of {json}");
            assert_eq!(caller.visit.step(), if value.is_some() { "next" } else { "error" });
        }
    }
}

#[test]
fn records_and_fields_are_filled_by_name() {
    use Do::*;
    let flow = |by_field: bool| {
        http(|b, h| {
            let field =
                |name: &str, default: Value| Field { name: name.into(), kind: default.kind(), default };
            let fields =
                vec![field("name", "".into()), field("class", "standard".into()), field("open", 0.into())];
            let record = b.record(RecordType { name: "customer".into(), fields });
            b.declare(VarDecl::new(
                "c",
                Value::Record(record, Arc::new(["old".into(), "x".into(), 9.into()])),
            ));
            let c = b.var_id("c");
            h.into = if by_field {
                let of =
                    |field, path, kind, default| Taken { field: Some(field), ..take(c, path, kind, default) };
                vec![of(0, "who.name", Type::Text, None), of(2, "open", Type::Number, Some(4.into()))]
            } else {
                vec![take(c, "who", Type::Record(record), None)]
            };
        })
    };
    let table = [
        (false, r#"{"who":{"name":"Anna","open":2,"more":1}}"#, "Anna, standard, 2", "next"),
        (false, r#"{"who":{"name":null}}"#, ", standard, 0", "next"),
        (false, r#"{"who":{"name":5}}"#, "old, x, 9", "error"),
        (false, r#"{"who":"Anna"}"#, "old, x, 9", "error"),
        (true, r#"{"who":{"name":"Anna"}}"#, "Anna, x, 4", "next"),
        (true, r#"{"who":{"name":"Anna"},"open":7}"#, "Anna, x, 7", "next"),
        // All or nothing.
        (true, r#"{"who":{"name":"Anna"},"open":"7"}"#, "old, x, 9", "error"),
    ];
    for (by_field, body, text, end) in table {
        let mut caller = Caller::call(&flow(by_field));
        caller.does(&[Fetched(200, body)]);
        assert_eq!(&*caller.visit.value("c").expect("declared").text(), text, "{body}");
        assert_eq!(caller.visit.step(), end, "{body}");
    }
}

#[test]
fn answers_are_bounded() {
    let fault = |body: String| {
        let mut caller =
            Caller::call(&http(|b, h| h.into = vec![take(b.var_id("n"), "n", Type::Number, None)]));
        let result = HttpResult::Answered { status: 200, body: body.into() };
        caller.input(Input::Fetched { ticket: Ticket(1), result });
        caller.told().into_iter().find(|l| l.starts_with("trouble"))
    };
    let nested = |deep: usize| format!(r#"{{"x":{}{},"n":1}}"#, "[".repeat(deep), "]".repeat(deep));
    assert_eq!(fault(nested(31)), None);
    assert_eq!(fault(nested(32)).as_deref(), Some("trouble in step: crm: the answer is nested too deep"));
    assert_eq!(fault(format!(r#"{{"n":1{}}}"#, " ".repeat(993))), None);
    let long = fault(format!(r#"{{"n":1{}}}"#, " ".repeat(994)));
    assert_eq!(long.as_deref(), Some("trouble in step: crm: the answer is too large"));
    assert_eq!(
        fault(r#"{"n":"13800138000"}"#.into()).as_deref(),
        Some("trouble in step: crm: `n` in the answer is no number"),
        "the value itself is not told"
    );
}

#[test]
fn keys_are_typed_ahead_while_a_system_answers() {
    use Do::*;
    let mut b = Flow::builder("f");
    b.id("step");
    let inner = http(|_, _| {});
    let Act::Http(http) = &inner.step(StepId(0)).act else { panic!("http") };
    let (next, error) = (b.id("ask"), b.id("two"));
    let asks = Http {
        url: vec![HttpPiece::Template(Template::text("https://x"))],
        status: None,
        on_status: Vec::new(),
        next,
        on_error: error,
        ..(**http).clone()
    };
    b.step("step", Act::Http(Box::new(asks)));
    let menu = menu(&mut b, true);
    b.step("ask", Act::Menu(menu));
    let flow = ends(b, &["one", "two", "silent", "wrong"]);
    assert_eq!(
        story(&flow, &[Press("1"), Fetched(200, "")]),
        ["fetch GET https://x", "> ask", "> one", "hangup"]
    );
}

#[test]
fn an_event_is_told_and_not_waited_for() {
    let flow = one_step(AnswerMode::ByStep, &["end"], |b| {
        b.var("n", 3);
        let fields = vec![("topic".into(), template("{x}\"", b)), ("n".into(), template("{n}", b))];
        Act::Notify(Notify { service: "crm".into(), event: "outage".into(), fields, next: b.id("end") })
    });
    let body =
        r#"{"event":"outage","call":"call-7","at":"2026-11-23T00:01:40Z","fields":{"topic":"x\"","n":3}}"#;
    assert_eq!(story(&flow, &[]), [&format!("notify POST  {body}"), "> end", "hangup"]);
}
