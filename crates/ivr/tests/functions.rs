//! The standard library of expressions: every function, every type, every end of a range.

use hotline_ivr::expr::{Gives, LIST_MAX, TEXT_MAX, Takes};
use hotline_ivr::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// 2026-11-23 14:30:05 in Shanghai, a Monday.
const MOMENT: i64 = 1_795_415_405;

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|i| Value::from(*i)).collect())
}

fn vars() -> Vec<VarDecl> {
    let record = VarDecl {
        kind: Type::Record(RecordId(0)),
        ..VarDecl::new("customer", record_type().start(RecordId(0)))
    };
    let empty = VarDecl { kind: Type::List(Scalar::Number), ..VarDecl::new("none", Value::List([].into())) };
    let keys = Value::List(["12", "034"].map(|k| Value::Digits(k.into())).into());
    vec![
        VarDecl::new("name", "Li 雷".into()),
        VarDecl::new("tries", 2.into()),
        VarDecl::new("vip", true.into()),
        VarDecl::new("pin", Value::Digits("0042".into())),
        VarDecl::new("moment", Value::Time(MOMENT)),
        VarDecl::new("pause", Value::Duration(90_500)),
        VarDecl::new("langs", list(&["cmn", "yue", "en"])),
        VarDecl::new("keys", keys),
        record,
        empty,
        VarDecl::new("low", i64::MIN.into()),
        VarDecl::new("high", i64::MAX.into()),
        VarDecl::new("never", Value::Time(i64::MAX)),
        VarDecl::new("ever", Value::Duration(i64::MAX)),
        VarDecl::new("past", Value::Time(i64::MIN)),
        VarDecl::new("full", Value::List(vec![Value::from("x".repeat(20).as_str()); LIST_MAX].into())),
    ]
}

fn record_type() -> RecordType {
    let field = |name: &str, default: Value| Field { name: name.into(), kind: default.kind(), default };
    RecordType {
        name: "customers".into(),
        fields: vec![
            field("name", "Wang".into()),
            field("class", "gold".into()),
            field("open_cases", 3.into()),
            field("number", Value::Digits("0815".into())),
            field("langs", list(&["cmn", "en"])),
            field("since", Value::Time(0)),
        ],
    }
}

fn types() -> Types {
    let table = |name: &str, kind: Scalar, rows: &[(&str, Value)]| {
        let rows = rows.iter().map(|(k, v)| (Arc::from(*k), v.clone())).collect();
        (Arc::from(name), Arc::new(Table { name: name.into(), kind, rows }))
    };
    let zone = hours::zone("Asia/Shanghai").expect("a zone");
    let range = Range::parse("mon-fri 09:00-18:00").expect("a range");
    let mut office = Schedule::new(zone.clone(), vec![range]);
    office.holidays.insert(hours::date("2026-10-01").expect("a date"));
    let mut types = Types::new(&vars());
    types.records = Arc::new([record_type()]);
    types.tables = BTreeMap::from([
        table("impact", Scalar::Text, &[("all/core", "P0".into()), ("one/core", "P2".into())]),
        table("limit", Scalar::Number, &[("gold", 9.into())]),
        table("grace", Scalar::Duration, &[("gold", Value::Duration(60_000))]),
        table("line", Scalar::Digits, &[("gold", Value::Digits("800".into()))]),
    ]);
    types.hours = BTreeMap::from([(Arc::from("office"), Arc::new(office))]);
    types.zone = Some(zone);
    types
}

fn values() -> Vec<Value> {
    let mut all: Vec<Value> = ["13800138000", "4009508888", "cmn", "P2"].map(Value::from).to_vec();
    all.extend([
        Value::Time(MOMENT),
        3.into(),
        Value::Duration(120_000),
        "alice".into(),
        "c-1".into(),
        Value::Digits("79927398713".into()),
    ]);
    all.into_iter().chain(vars().into_iter().map(|v| v.default)).collect()
}

fn parse(text: &str) -> Expr {
    Expr::parse(text, &types()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn eval(text: &str) -> Value {
    parse(text).eval(&values())
}

#[track_caller]
fn all_hold(conditions: &[&str]) {
    for text in conditions {
        let expr = Expr::condition(text, &types()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(expr.holds(&values()), "{text}");
    }
}

#[test]
fn every_example_gives_what_it_says() {
    for function in functions() {
        let (call, gives) = function.example;
        assert!(call.starts_with(&format!("{}(", function.name)), "{call}");
        assert_eq!(eval(call), eval(gives), "{call}");
        if let Gives::Is(kind) = function.result {
            assert_eq!(parse(call).kind(), kind, "{call}");
        }
        assert!(!function.doc.is_empty() && !function.doc.ends_with('.'), "{}", function.name);
    }
}

#[test]
fn names_are_unique_and_signatures_readable() {
    let names: std::collections::BTreeSet<&str> = functions().iter().map(|f| f.name).collect();
    assert_eq!(names.len(), functions().len());
    let of = |name: &str| functions().iter().find(|f| f.name == name).expect(name).signature();
    assert_eq!(of("len"), "len(text) -> number");
    assert_eq!(of("left"), "left(text, count: number) -> the same type");
    assert_eq!(of("is_open"), "is_open('hours', [time]) -> bool");
    assert_eq!(of("coalesce"), "coalesce(text, other: text, ...) -> the same type");
    assert_eq!(of("lookup"), "lookup('table', key: text, default: any) -> the same type");
}

#[test]
fn the_readme_lists_every_function() {
    let row = |f: &FunctionDoc| format!("| `{}` | {} |\n", f.signature(), f.doc);
    let table: String = functions().iter().map(row).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/README.md");
    let readme = std::fs::read_to_string(path).expect("the readme is there");
    if let (Some(_), Some((before, rest))) = (std::env::var_os("HOTLINE_BLESS"), readme.split_once(HEAD)) {
        let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
        std::fs::write(path, format!("{before}{HEAD}{table}\n{after}")).expect("the sources are writable");
    } else {
        assert!(readme.contains(&(HEAD.to_owned() + &table)), "write there:\n{HEAD}{table}");
    }
}

const HEAD: &str = "| function | gives |\n|---|---|\n";

#[test]
fn texts() {
    all_hold(&[
        "len('') == 0",
        "len(name) == 4",
        "len(pin) == 4",
        "starts_with(name, 'Li')",
        "starts_with(name, '')",
        "not starts_with(name, 'li')",
        "starts_with(pin, '00')",
        "ends_with(name, '雷')",
        "not ends_with('a', 'ba')",
        "contains(name, ' ')",
        "contains('', '')",
        "not contains('', 'a')",
        "upper('straße') == 'STRASSE'",
        "lower('ÄB') == 'äb'",
        "trim('  a b\t') == 'a b'",
        "trim('') == ''",
        "left(name, 2) == 'Li'",
        "left(name, 4) == name",
        "left(name, 99) == name",
        "left(name, 0) == ''",
        "left(name, -1) == ''",
        "left(name, high) == name",
        "left(name, low) == ''",
        "right(name, 1) == '雷'",
        "right(name, 99) == name",
        "right(name, 0) == ''",
        "right(name, low) == ''",
        "right(name, high) == name",
        "slice(name, 3, 1) == '雷'",
        "slice(name, 1, 2) == 'i '",
        "slice(name, 4, 1) == ''",
        "slice(name, 99, 1) == ''",
        "slice(name, -5, 2) == 'Li'",
        "slice(name, 1, -1) == ''",
        "slice(name, 1, high) == 'i 雷'",
        "slice(name, high, high) == ''",
        "replace('a-b-c', '-', '') == 'abc'",
        "replace('aaa', 'aa', 'b') == 'ba'",
        "replace('abc', '', '-') == 'abc'",
        "replace('abc', 'x', '-') == 'abc'",
        "text(1) == '1' and text(-1) == '-1' and text(true) == 'true' and text('x') == 'x'",
        "text(pin) == '0042'",
        "text(pause) == '90'",
        "text(moment) == '1795415405'",
        "coalesce('', '', 'c') == 'c'",
        "coalesce('a', 'b') == 'a'",
        "coalesce('', '') == ''",
        "coalesce(customer.name, name) == 'Wang'",
        "if(vip, name, '') == name",
    ]);
}

#[test]
fn digits() {
    all_hold(&[
        "digits('+86 138-0013*#') == '861380013*#'",
        "digits('ABCD 语') == ''",
        "digits('') == ''",
        "is_digits(pin)",
        "is_digits('0')",
        "not is_digits('')",
        "not is_digits('1*')",
        "not is_digits('١')",
        "luhn('79927398713')",
        "luhn('4111111111111111')",
        "luhn('00')",
        "not luhn('79927398710')",
        "not luhn('')",
        "not luhn('0')",
        "not luhn('7992-7398713')",
        "luhn(entry)",
        "last(pin, 2) == '42'",
        "last('ab', 1) == 'b'",
        "number('042', 7) == 42",
        "number(pin, 7) == 42",
        "number(' -3 ', 7) == -3",
        "number('', 7) == 7",
        "number('3.5', 7) == 7",
        "number('9223372036854775808', 7) == 7",
        "pin == '0042'",
        "'0042' == pin",
        "pin != '42'",
        "pin < '1'",
        "pin in ['1', '0042']",
        "'0042' in [pin]",
        "pin in ['1', name, '0042']",
        "not pin in []",
        "if(vip, pin, 'none') == '0042'",
        "last(coalesce(pin, ''), 1) == '2'",
    ]);
    // Parts of digits are digits again; with a text they are a text.
    for (text, kind) in [
        ("left(pin, 2)", Type::Digits),
        ("last(pin, 2)", Type::Digits),
        ("slice(pin, 0, 9)", Type::Digits),
        ("trim(pin)", Type::Digits),
        ("digits(name)", Type::Digits),
        ("if(vip, pin, pin)", Type::Digits),
        ("if(vip, pin, '')", Type::Text),
        ("if(vip, '', pin)", Type::Text),
        ("coalesce(pin, name)", Type::Text),
        ("coalesce(name, pin)", Type::Text),
        ("coalesce(pin, entry)", Type::Digits),
        ("upper(pin)", Type::Text),
        ("first(keys, '')", Type::Text),
        ("first(keys, pin)", Type::Digits),
        ("at(langs, 9, pin)", Type::Text),
        ("[pin, 'a']", Type::List(Scalar::Text)),
        ("[pin]", Type::List(Scalar::Digits)),
        ("if(vip, keys, langs)", Type::List(Scalar::Text)),
        ("lookup('line', 'gold', pin)", Type::Digits),
        ("lookup('impact', 'gold', pin)", Type::Text),
    ] {
        assert_eq!(parse(text).kind(), kind, "{text}");
        assert_eq!(eval(text).kind(), kind, "{text}");
    }
}

#[test]
fn numbers() {
    all_hold(&[
        "div(7, 2, 0) == 3",
        "div(-7, 2, 0) == -4 and mod(-7, 2, 0) == 1",
        "div(7, -2, 0) == -3 and mod(7, -2, 0) == 1",
        "div(7, 0, 5) == 5 and mod(7, 0, 5) == 5",
        "div(low, -1, 0) == high and mod(low, -1, 9) == 0",
        "min(1, 2) == 1 and min(2, 1) == 1 and min(3, -1, 2) == -1",
        "max(1, 2) == 2 and max(2, 1) == 2 and max(low, high, 0) == high",
        "abs(3) == 3 and abs(-3) == 3 and abs(low) == high",
        "clamp(5, 0, 9) == 5 and clamp(-5, 0, 9) == 0 and clamp(15, 0, 9) == 9",
        // An impossible range is what its lower end says.
        "clamp(5, 9, 0) == 9",
        "high + high == high and low + low == low",
        "low * low == high and low * high == low",
        "-low == high",
        "tries - -1 == 3",
        "tries in [1, -tries + 4]",
    ]);
}

#[test]
fn times_and_durations() {
    all_hold(&[
        "hour(moment) == 14 and minute(moment) == 30",
        "year(moment) == 2026 and month(moment) == 11 and day(moment) == 23",
        "weekday(moment) == 1 and weekday(moment - 1d) == 7",
        "date(moment) == '2026-11-23' and clock(moment) == '14:30'",
        "date(moment + hours(10)) == '2026-11-24'",
        "clock(moment + minutes(29)) == '14:59'",
        "now == moment",
        "now < moment + 1s and now > moment - 1s",
        "now >= moment and now <= moment and not now != moment",
        "moment - 500ms == moment",
        "seconds(1) == 1000ms and minutes(2) == 120s and hours(1) == 60m and days(1) == 24h",
        "seconds(-1) == 0s and seconds(high) == ever and days(low) == 0ms",
        "pause == 90500ms and pause > 90s and pause < 91s",
        "in_seconds(pause) == 91 and in_minutes(pause) == 2",
        "in_seconds(0s) == 0 and in_minutes(0s) == 0 and in_minutes(60s) == 1",
        "in_seconds(ever) == 9223372036854776",
        "pause + 500ms == 91s and pause - 500ms == 90s",
        // Never negative.
        "1s - 1m == 0s and seconds(5) * -1 == 0s and past - never == 0s",
        "2 * 30s == 1m and 30s * 2 == 1m and ever * 2 == ever and ever + ever == ever",
        "moment - (moment - 1h) == 1h",
        "moment - (moment + 1h) == 0s",
        "never + 1s == never and past - 1s == past and never - past == ever",
        "1h + moment == moment + 1h",
        "wait > minutes(1) and wait <= 2m",
        "position == 3 and agent == 'alice' and call == 'c-1'",
        "min(moment, never) == moment and max(moment, past) == moment",
        "max(30s, 1m, 2s) == 1m and clamp(wait, 1m, 90s) == 90s",
        // Beyond the calendar is its end.
        "year(never) == 9999 and year(past) == -9999",
        "date(never) == '9999-12-31'",
        "wait in [1m, 2m] and not now in [never]",
        "customer.since < now",
    ]);
}

#[test]
fn times_of_day_are_the_flows() {
    let mut types = types();
    let at = |types: &Types, text: &str| Expr::parse(text, types).expect(text).eval(&values()).text();
    assert_eq!(&*at(&types, "clock(now)"), "14:30");
    types.zone = Some(hours::zone("America/New_York").expect("a zone"));
    assert_eq!(&*at(&types, "clock(now)"), "01:30");
    assert_eq!(&*at(&types, "clock(now - days(120))"), "02:30");
    types.zone = None;
    assert_eq!(&*at(&types, "clock(now)"), "06:30");
}

#[test]
fn opening_hours_and_holidays() {
    all_hold(&[
        "is_open('office')",
        "is_open('office', now)",
        "is_open('office', moment + 3h)",
        "not is_open('office', moment + 4h)",
        "not is_open('office', moment + days(5))",
        "not is_holiday('office')",
        // 2026-10-01 is a Thursday, 53 days before.
        "is_holiday('office', moment - days(53))",
        "not is_open('office', moment - days(53))",
        "is_open('office', moment - days(54))",
        "not is_open('office', never)",
        "not is_holiday('office', past)",
    ]);
    // They read the clock, whether it is written or not.
    for text in ["is_open('office')", "is_open('office', now)"] {
        assert_eq!(parse(text).reads().into_iter().collect::<Vec<_>>(), [VarId::NOW]);
        assert_eq!(parse(text).to_string(), "is_open('office')");
    }
    assert_eq!(parse("is_open('office', moment)").to_string(), "is_open('office', moment)");
}

#[test]
fn lists_records_and_tables() {
    all_hold(&[
        "'cmn' in langs and not 'wuu' in langs",
        "language in langs",
        "pin in langs or '034' in keys",
        "(pin in keys) == false",
        "not tries in none",
        "size(langs) == 3 and size(none) == 0 and size([]) == 0 and size([1]) == 1",
        "first(langs, '') == 'cmn' and last_of(langs, '') == 'en'",
        "first(none, 7) == 7 and last_of(none, 7) == 7 and first([], 'x') == 'x'",
        "at(langs, 1, '') == 'yue' and at(langs, 3, 'x') == 'x' and at(langs, -1, 'x') == 'x'",
        "at(langs, high, 'x') == 'x' and at(none, 0, 4) == 4",
        "join(langs, '/') == 'cmn/yue/en' and join([1, 2], '') == '12' and join(none, ',') == ''",
        "join(keys, ' ') == '12 034' and join([true], '') == 'true'",
        "langs == ['cmn', 'yue', 'en'] and langs != [] and none == []",
        "keys == ['12', '034'] and ['12', '034'] == keys",
        "customer.class == 'gold' and customer.open_cases + 1 == 4",
        "customer . class == 'gold'",
        "'en' in customer.langs and size(customer.langs) == 2",
        "customer.number == '0815' and left(customer.number, 2) == '08'",
        "if(vip, customer, customer).name == 'Wang'",
        "customer == customer and not customer != customer",
        "lookup('impact', 'all/core', 'P3') == 'P0'",
        "lookup('impact', 'nobody', 'P3') == 'P3'",
        "lookup('limit', customer.class, 0) == 9 and lookup('limit', pin, 0) == 0",
        "lookup('grace', customer.class, 0s) == 1m",
        "now in [moment] and 1m in [seconds(60)]",
    ]);
}

#[test]
fn texts_are_cut_and_lists_end() {
    let long = format!("'{}'", "语".repeat(200));
    for text in [
        format!("upper({long})"),
        format!("replace({long}, 'x', '')"),
        format!("lower({long})"),
        "join(full, ' and ')".to_owned(),
        format!("replace('{}', 'a', 'bcd')", "a".repeat(250)),
        format!("digits('{}')", "1".repeat(400)),
    ] {
        let cut = eval(&text).text().len();
        assert!((TEXT_MAX - 2..=TEXT_MAX).contains(&cut), "{text}: {cut}");
    }
    let items = |n: usize| format!("size([{}])", vec!["1"; n].join(","));
    assert_eq!(eval(&items(LIST_MAX)), 100.into());
    let error = Expr::parse(&items(LIST_MAX + 1), &types()).expect_err("too long");
    assert_eq!(error.what, "more than 100 in a list");
}

#[test]
fn says_what_does_not_fit() {
    for (text, at, what, help) in [
        (
            "now + 1",
            4,
            "`+` never joins a time and a number",
            "a duration is written `30s`, `5m` or seconds(n)",
        ),
        ("now + now", 4, "`+` never joins a time and a time", ""),
        ("wait * wait", 5, "`*` never joins a duration and a duration", ""),
        ("wait - now", 5, "`-` never joins a duration and a time", ""),
        ("langs + 1", 0, "`+` joins numbers, this is a list of text", ""),
        (
            "wait > 5",
            5,
            "a duration is never compared with a number",
            "a duration is written `30s`, `5m` or seconds(n)",
        ),
        (
            "now > '2026-01-01'",
            4,
            "a time is never compared with a text",
            "date() and clock() make texts of times",
        ),
        ("pin == 42", 4, "digits are never compared with a number", "a text is written in quotes: '1'"),
        ("1 in pin", 5, "expected a list: `x in ['a', 'b']`", ""),
        ("1 in langs", 5, "a number is never compared with a text", "a text is written in quotes: '1'"),
        ("langs in langs", 9, "a list of text is in no list", ""),
        ("langs < langs", 6, "`<` asks for an order, a list of text has none", ""),
        ("customer < customer", 9, "`<` asks for an order, a record has none", ""),
        ("langs == 'cmn'", 6, "a list of text is never compared with a text", ""),
        ("[1, 'a']", 4, "a number is never compared with a text", "a text is written in quotes: '1'"),
        ("[langs]", 1, "a list holds no list of text", ""),
        ("[1", 2, "expected `]` at the list's end", ""),
        ("customer.clas", 9, "no field is called `clas`", "did you mean `class`?"),
        (
            "customer.phone",
            9,
            "no field is called `phone`",
            "there are name, class, open_cases, number, langs, since",
        ),
        ("customer.'x'", 9, "expected the name of a field", ""),
        ("customer.", 9, "expected the name of a field", ""),
        ("name.len", 4, "`.` asks for a field, a text has none", ""),
        ("1.5 > 1", 1, "`.` asks for a field, a number has none", "numbers are whole"),
        ("len", 0, "no variable is called `len`", "a function is called with its arguments: `len(...)`"),
        (
            "secret.crm",
            0,
            "no variable is called `secret`",
            "secrets are filled in in services and `http` steps only",
        ),
        ("hour(1)", 5, "`hour` takes a time here, this is a number", ""),
        ("in_minutes(5)", 11, "`in_minutes` takes a duration here, this is a number", ""),
        ("digits(5)", 7, "`digits` takes a text here, this is a number", ""),
        ("left(5, 1)", 5, "`left` takes a text here, this is a number", ""),
        ("min(1, 2s)", 7, "`min` takes a number here, this is a duration", ""),
        (
            "min(1)",
            0,
            "`min` takes 2 to 8 arguments, here are 1",
            "min(one: number, time or duration, other: number, time or duration, ...) -> the same type",
        ),
        ("min('a', 'b')", 4, "`min` takes a number, time or duration here, this is a text", ""),
        ("text(langs)", 5, "`text` takes a scalar here, this is a list of text", ""),
        ("size('a')", 5, "`size` takes a list here, this is a text", ""),
        ("first(langs, 1)", 13, "`first` takes a text here, this is a number", ""),
        ("first(none, '')", 12, "`first` takes a number here, this is a text", ""),
        ("if(vip, langs, none)", 15, "`if` takes a list of text here, this is a list of number", ""),
        ("if(vip, customer, 'x')", 18, "`if` takes a record here, this is a text", ""),
        ("lookup('impct', 'x', '')", 7, "no table is called `impct`", "did you mean `impact`?"),
        ("lookup('zzzzz', 'x', '')", 7, "no table is called `zzzzz`", "there are grace, impact, limit, line"),
        ("lookup(name, 'x', '')", 7, "`lookup` takes the name of a table here, in quotes", ""),
        ("lookup('limit', 'x', '')", 21, "`lookup` takes a number here, this is a text", ""),
        ("lookup('line', 'x', 'y')", 20, "`lookup` takes digits here, this is a text", ""),
        ("lookup('limit', 1, 0)", 16, "`lookup` takes a text here, this is a number", ""),
        ("is_open('ofice')", 8, "no opening hours are called `ofice`", "did you mean `office`?"),
        ("is_open('night')", 8, "no opening hours are called `night`", "there are office"),
        ("is_open(1)", 8, "`is_open` takes the name of opening hours here, in quotes", ""),
        ("is_open()", 0, "`is_open` takes 1 to 2 arguments, here are 0", "is_open('hours', [time]) -> bool"),
        ("is_open('office', 1)", 18, "`is_open` takes a time here, this is a number", ""),
        ("coalesce(1, 2)", 9, "`coalesce` takes a text here, this is a number", ""),
        ("abs(1, 2)", 0, "`abs` takes 1 argument, here are 2", "abs(number) -> number"),
        ("weekdy(now) == 1", 0, "no function is called `weekdy`", "did you mean `weekday`?"),
    ] {
        let error = Expr::parse(text, &types()).expect_err(text);
        assert_eq!((error.at, &*error.what, error.help.as_deref().unwrap_or("")), (at, what, help), "{text}");
    }
    // Without tables and hours there is nothing to name.
    let bare = Types::new(&[]);
    let help = |text: &str| Expr::parse(text, &bare).expect_err(text).help;
    assert_eq!(help("lookup('x', 'y', '')").as_deref(), Some("there are none"));
    assert_eq!(help("is_open('x')").as_deref(), Some("there are none"));
    let many = format!("min({})", ["1"; 9].join(","));
    assert_eq!(Expr::parse(&many, &bare).expect_err("many").what, "`min` takes 2 to 8 arguments, here are 9");
}

#[test]
fn values_are_read_from_texts() {
    let zone = hours::zone("Asia/Shanghai").expect("a zone");
    for (text, kind, value) in [
        ("2026-11-23T14:30:05", Type::Time, Some(Value::Time(MOMENT))),
        ("2026-11-23 14:30", Type::Time, Some(Value::Time(MOMENT - 5))),
        ("2026-11-23T14:30", Type::Time, Some(Value::Time(MOMENT - 5))),
        ("2026-11-23T06:30:05Z", Type::Time, Some(Value::Time(MOMENT))),
        ("2026-11-23T06:30:05+00:00", Type::Time, Some(Value::Time(MOMENT))),
        ("2026-11-23", Type::Time, Some(Value::Time(MOMENT - 5 - 14 * 3600 - 1800))),
        ("1795415405", Type::Time, Some(Value::Time(MOMENT))),
        ("14:30", Type::Time, None),
        ("2026-02-29", Type::Time, None),
        ("", Type::Time, None),
        ("5m", Type::Duration, Some(Value::Duration(300_000))),
        ("500ms", Type::Duration, Some(Value::Duration(500))),
        ("2h", Type::Duration, Some(Value::Duration(7_200_000))),
        ("30d", Type::Duration, Some(Value::Duration(30 * 86_400_000))),
        ("90", Type::Duration, Some(Value::Duration(90_000))),
        ("9223372036854775807d", Type::Duration, Some(Value::Duration(i64::MAX))),
        ("-5m", Type::Duration, None),
        ("5 weeks", Type::Duration, None),
        ("", Type::Duration, None),
        ("cmn, en", Type::List(Scalar::Text), Some(list(&["cmn", "en"]))),
        ("", Type::List(Scalar::Text), Some(list(&[]))),
        ("1,2", Type::List(Scalar::Number), Some(Value::List([1.into(), 2.into()].into()))),
        ("1,x", Type::List(Scalar::Number), None),
        ("12#", Type::Digits, Some(Value::Digits("12#".into()))),
        ("12a", Type::Digits, None),
        ("x", Type::Record(RecordId(0)), None),
    ] {
        assert_eq!(Value::parse_in(text, kind, Some(&zone)), value, "{text}");
    }
    assert_eq!(Value::parse("2026-11-23T06:30:05", Type::Time), Some(Value::Time(MOMENT)));
    let too_many = vec!["1"; LIST_MAX + 1].join(",");
    assert_eq!(Value::parse(&too_many, Type::List(Scalar::Number)), None);
}

#[test]
fn values_stand_where_they_fit() {
    let keys = || Value::Digits("12".into());
    assert_eq!(keys().into_kind(Type::Text), Some("12".into()));
    assert_eq!(keys().into_kind(Type::Digits), Some(keys()));
    assert_eq!(Value::from("12").into_kind(Type::Digits), None);
    assert_eq!(list(&[]).into_kind(Type::List(Scalar::Time)), Some(list(&[])));
    assert_eq!(Value::List([keys()].into()).into_kind(Type::List(Scalar::Text)), Some(list(&["12"])));
    assert_eq!(list(&["a"]).into_kind(Type::List(Scalar::Number)), None);
    assert!(Type::Text.takes(Type::Digits) && !Type::Digits.takes(Type::Text));
    assert!(Type::List(Scalar::Text).takes(Type::List(Scalar::Digits)));
    assert!(!Type::Number.takes(Type::Duration));
}

#[test]
fn demands_name_fields_and_digits() {
    let demand = Demand::parse("product[customer.class] >= 2 and lang[pin]", &types()).expect("a demand");
    assert_eq!(demand.fill(&values()).as_deref(), Ok("product.gold >= 2 and lang.0042"));
    assert_eq!(demand.to_string(), "product[customer.class] >= 2 and lang[pin]");
    let error = Demand::parse("product[customer.open_cases]", &types()).expect_err("a number");
    assert_eq!(
        (error.at, &*error.what),
        (8, "`customer.open_cases` is a number, a skill is named by a text")
    );
    let error = Demand::parse("product[ customer.clas ]", &types()).expect_err("no field");
    assert_eq!((error.at, error.help.as_deref()), (18, Some("did you mean `class`?")));
}

#[test]
fn urls_and_headers_hold_secrets() {
    let pieces = |text: &str| http_pieces(text, &types()).unwrap_or_else(|e| panic!("{text}: {e}"));
    let shown = |text: &str| {
        let show = |piece: HttpPiece| match piece {
            HttpPiece::Template(template) => template.to_string(),
            HttpPiece::Secret(name) => format!("<{name}>"),
        };
        pieces(text).into_iter().map(show).collect::<Vec<_>>()
    };
    assert_eq!(shown("Bearer {secret.crm}"), ["Bearer ", "<crm>"]);
    assert_eq!(shown("{secret.a}{ secret.b-2 }/{name}/x{{{pin}"), ["<a>", "<b-2>", "/{name}/x{{{pin}"]);
    assert_eq!(shown(""), [""; 0]);
    assert_eq!(shown("/customers/{caller}"), ["/customers/{caller}"]);
    for (text, at, what) in [
        ("{secret.}", 1, "no variable is called `secret`"),
        ("{secret.a b}", 1, "no variable is called `secret`"),
        ("{secret.crm", 1, "no variable is called `secret`"),
        ("x{secret.a}{nam}", 12, "no variable is called `nam`"),
    ] {
        let error = http_pieces(text, &types()).expect_err(text);
        assert_eq!((error.at, &*error.what), (at, what), "{text}");
    }
    let [HttpPiece::Template(path)] = &pieces("/{name}/{{x}}")[..] else { panic!("one piece") };
    assert_eq!(path.fill_encoded(&values(), |t| t.replace(' ', "%20")), "/Li%20雷/{x}");
    assert!(Template::parse("{secret.crm}", &types()).is_err(), "only where a fetcher fills it in");
}

#[test]
fn json_paths() {
    let key = |k: &str| JsonStep::Key(k.into());
    for (text, steps) in [
        ("", vec![]),
        ("id", vec![key("id")]),
        ("data.tickets[0].id", vec![key("data"), key("tickets"), JsonStep::Index(0), key("id")]),
        ("[2][30]", vec![JsonStep::Index(2), JsonStep::Index(30)]),
        ("open-cases.数", vec![key("open-cases"), key("数")]),
    ] {
        let path = JsonPath::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(path.0, steps, "{text}");
        assert_eq!(path.to_string(), text);
    }
    for (text, at, what) in [
        (".id", 0, "a key is missing here"),
        ("a..b", 2, "a key is missing here"),
        ("a.", 2, "a key is missing here"),
        ("a[", 1, "this bracket is never closed"),
        ("a[x]", 2, "not a place in a list"),
        ("a[]", 2, "not a place in a list"),
        ("a[-1]", 2, "not a place in a list"),
        ("a[+1]", 2, "not a place in a list"),
        ("a[4294967296]", 2, "not a place in a list"),
        ("a[0]b", 4, "a dot is missing before this key"),
        ("a]", 1, "a closing bracket without an opening one"),
    ] {
        let error = JsonPath::parse(text).expect_err(text);
        assert_eq!((error.at, &*error.what), (at, what), "{text}");
    }
    assert!(JsonPath::parse(&["a"; 33].join(".")).is_err());
}

/// The text of an expression of a type.
fn expression(kind: Type) -> BoxedStrategy<String> {
    of(kind, 3)
}

const KINDS: [Type; 9] = [
    Type::Text,
    Type::Number,
    Type::Bool,
    Type::Digits,
    Type::Time,
    Type::Duration,
    Type::List(Scalar::Text),
    Type::List(Scalar::Number),
    Type::Record(RecordId(0)),
];

fn leaf(kind: Type) -> BoxedStrategy<String> {
    let of = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(str::to_owned).boxed();
    match kind {
        Type::Text => of(&["name", "class_of", "''", "'a b'", r"'\\'", "customer.class", "'office'"])
            .prop_map(|t| if t == "class_of" { "language".to_owned() } else { t })
            .boxed(),
        Type::Number => of(&["tries", "low", "high", "0", "7", "-3", "customer.open_cases", "position"]),
        Type::Bool => of(&["vip", "true", "false", "is_open('office')", "is_holiday('office', past)"]),
        Type::Digits => of(&["pin", "entry", "customer.number"]),
        Type::Time => of(&["moment", "now", "never", "past", "customer.since"]),
        Type::Duration => of(&["pause", "wait", "ever", "30s", "5m", "500ms", "2h", "1d", "0s"]),
        Type::List(Scalar::Text) => of(&["langs", "full", "['a', 'b']", "customer.langs"]),
        Type::List(_) => of(&["none", "[1, -2]", "[3,]"]),
        Type::Record(_) => of(&["customer"]),
    }
}

/// Whatever the table of functions says can be called.
fn call(function: &'static FunctionDoc, kind: Type, depth: u32) -> BoxedStrategy<String> {
    let scalar = Scalar::of(kind).map_or(Scalar::Text, |s| s);
    let args = function.args.iter().map(|(_, takes)| match takes {
        Takes::Is(of_kind) => of(*of_kind, depth),
        Takes::Any | Takes::Ordered | Takes::Word => of(kind, depth),
        Takes::Scalar => {
            prop_oneof![of(Type::Text, depth), of(Type::Time, depth), of(Type::Bool, depth)].boxed()
        }
        Takes::List => match function.result {
            Gives::Same => of(Type::List(scalar), depth),
            Gives::Is(_) => of(Type::List(Scalar::Number), depth),
        },
        Takes::Hours => Just("'office'".to_owned()).boxed(),
        Takes::Table => Just(if kind == Type::Number { "'limit'" } else { "'impact'" }.to_owned()).boxed(),
    });
    let args: Vec<_> = args.collect();
    args.prop_map(move |args| format!("{}({})", function.name, args.join(", "))).boxed()
}

/// Whether a call may give this type.
fn gives(function: &FunctionDoc, kind: Type) -> bool {
    let takes = |wanted: Takes| function.args.iter().any(|(_, t)| *t == wanted);
    match function.result {
        Gives::Is(result) => result == kind,
        Gives::Same if takes(Takes::Word) => matches!(kind, Type::Text | Type::Digits),
        Gives::Same if takes(Takes::Ordered) => matches!(kind, Type::Number | Type::Time | Type::Duration),
        Gives::Same if takes(Takes::List) || takes(Takes::Table) => matches!(kind, Type::Text | Type::Number),
        Gives::Same => true,
    }
}

fn of(kind: Type, depth: u32) -> BoxedStrategy<String> {
    if depth == 0 {
        return leaf(kind);
    }
    let sub = |kind| of(kind, depth - 1);
    let joined = |a: Type, ops: &'static [&'static str], b: Type| {
        (sub(a), prop::sample::select(ops), sub(b)).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")).boxed()
    };
    use Type::*;
    let operators = match kind {
        Number => joined(Number, &["+", "-", "*"], Number),
        Bool => prop_oneof![
            joined(Bool, &["and", "or", "==", "!=", "<"], Bool),
            joined(Number, &["<", "<=", ">", ">=", "==", "!="], Number),
            joined(Time, &["<", "<=", ">", ">=", "==", "!="], Time),
            joined(Duration, &["<", "<=", ">", ">=", "==", "!="], Duration),
            joined(Text, &["<", "<=", ">", ">=", "==", "!="], Digits),
            joined(Text, &["in"], List(Scalar::Text)),
            joined(Digits, &["in"], List(Scalar::Text)),
            joined(List(Scalar::Text), &["==", "!="], List(Scalar::Text)),
            joined(Record(RecordId(0)), &["==", "!="], Record(RecordId(0))),
            sub(Bool).prop_map(|b| format!("not {b}")),
        ]
        .boxed(),
        Time => joined(Time, &["+", "-"], Duration),
        Duration => prop_oneof![
            joined(Duration, &["+", "-"], Duration),
            joined(Time, &["-"], Time),
            joined(Duration, &["*"], Number),
        ]
        .boxed(),
        List(item) => (sub(item.into()), sub(item.into())).prop_map(|(a, b)| format!("[{a}, {b}]")).boxed(),
        Text => sub(Record(RecordId(0))).prop_map(|r| format!("({r}).name")).boxed(),
        Digits | Record(_) => leaf(kind),
    };
    let callable: Vec<_> = functions().iter().filter(|f| gives(f, kind)).collect();
    let calls = prop::sample::select(callable).prop_flat_map(move |f| call(f, kind, depth - 1));
    prop_oneof![1 => leaf(kind), 2 => operators, 3 => calls].boxed()
}

fn value(kind: Type) -> BoxedStrategy<Value> {
    match kind {
        Type::Text => "[0-9a-zß语 ]{0,8}".prop_map(|t| Value::from(&*t)).boxed(),
        Type::Number => prop_oneof![any::<i64>(), -3..9_i64].prop_map(Value::Number).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Digits => "[0-9*#A-D]{0,8}".prop_map(|t| Value::Digits(t.into())).boxed(),
        Type::Time => prop_oneof![any::<i64>(), 0..4_000_000_000_i64].prop_map(Value::Time).boxed(),
        Type::Duration => prop_oneof![0..=i64::MAX, 0..9_000_i64].prop_map(Value::Duration).boxed(),
        Type::List(of) => {
            prop::collection::vec(value(of.into()), 0..4).prop_map(|v| Value::List(v.into())).boxed()
        }
        Type::Record(id) => {
            let fields: Vec<_> = record_type().fields.iter().map(|f| value(f.kind)).collect();
            fields.prop_map(move |v| Value::Record(id, v.into())).boxed()
        }
    }
}

fn any_values() -> BoxedStrategy<Vec<Value>> {
    let all: Vec<_> = types().iter().map(|v| value(v.kind)).collect();
    all.boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is written and whatever the variables hold: a value of the type that was promised, within
    /// its limits; what is printed means the same.
    #[test]
    fn everything_is_total(
        (kind, text) in prop::sample::select(&KINDS[..]).prop_flat_map(|k| (Just(k), expression(k))),
        values in any_values(),
    ) {
        let Ok(expr) = Expr::parse(&text, &types()) else {
            let error = Expr::parse(&text, &types()).expect_err("just so");
            // Only the size can be wrong with it.
            let size = ["deeper", "in a row", "bytes", "in a list"].iter().any(|w| error.what.contains(w));
            prop_assert!(size, "{text}: {error}");
            return Ok(());
        };
        prop_assert_eq!(expr.kind(), kind, "{}", &text);
        let value = expr.eval(&values);
        let empty_list = matches!((&value, kind), (Value::List(items), Type::List(_)) if items.is_empty());
        prop_assert!(value.kind() == kind || empty_list, "{text} is {value:?}");
        match &value {
            Value::Text(t) | Value::Digits(t) => prop_assert!(t.len() <= TEXT_MAX),
            Value::Duration(ms) => prop_assert!(*ms >= 0, "{}", &text),
            Value::List(items) => prop_assert!(items.len() <= LIST_MAX),
            _ => {}
        }
        let printed = expr.to_string();
        let again = Expr::parse(&printed, &types());
        if printed.len() <= 1000 {
            prop_assert_eq!(again.as_ref().map_err(|e| format!("{text} -> {printed}: {e}")), Ok(&expr));
        }
    }

    /// Nothing panics, and an error lies within the text, between characters.
    #[test]
    fn any_text_parses_or_says_where_not(
        text in r#"([a-z '"(){}\[\].,+*<>=!&|\\0-9语-]|customer\.|lookup\('limit',|is_open\('|\{secret\.|30s|[0-9]{19}d|[a-z]+\()*"#,
    ) {
        let errors = [
            Expr::parse(&text, &types()).err(),
            Template::parse(&text, &types()).err(),
            Demand::parse(&text, &types()).err(),
            http_pieces(&text, &types()).err(),
            JsonPath::parse(&text).err(),
        ];
        for error in errors.into_iter().flatten() {
            prop_assert!(error.at <= text.len() && text.is_char_boundary(error.at), "{error:?}");
        }
        for kind in KINDS {
            let _ = Value::parse(&text, kind);
        }
    }
}
