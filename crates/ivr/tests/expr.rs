//! Expressions, templates, requirements and patterns.

use hotline_ivr::*;
use proptest::prelude::*;

fn vars() -> Vec<VarDecl> {
    let var = |name: &str, default: Value| VarDecl::new(name, default);
    vec![
        var("class", "enterprise".into()),
        var("tries", 2.into()),
        var("vip", true.into()),
        var("customer", "0042".into()),
        var("low", i64::MIN.into()),
        var("high", i64::MAX.into()),
    ]
}

fn types() -> Types {
    Types::new(&vars())
}

fn values() -> Vec<Value> {
    let mut built_in: Vec<Value> = ["13800138000", "4009508888", "cmn", "P2"].map(Value::from).to_vec();
    built_in.extend([
        Value::Time(0),
        0.into(),
        Value::Duration(0),
        "".into(),
        "".into(),
        Value::Digits("".into()),
    ]);
    built_in.into_iter().chain(vars().into_iter().map(|v| v.default)).collect()
}

fn eval(text: &str) -> Value {
    Expr::parse(text, &types()).unwrap_or_else(|e| panic!("{text}: {e}")).eval(&values())
}

#[test]
fn evaluates() {
    for (text, value) in [
        ("class == 'enterprise'", Value::Bool(true)),
        ("class != \"enterprise\"", false.into()),
        ("tries > 2 and not (language == 'en')", false.into()),
        ("tries >= 2 and not language == 'en'", true.into()),
        ("not vip or vip", true.into()),
        ("not (vip or vip)", false.into()),
        ("vip or vip and false", true.into()),
        ("vip == (tries < 3)", true.into()),
        ("1 + 2 * 3 - 4", 3.into()),
        ("(1 + 2) * 3", 9.into()),
        ("10 - 3 - 2", 5.into()),
        ("-tries + -3", (-5).into()),
        ("tries - -1", 3.into()),
        ("severity <= 'P2'", true.into()),
        ("severity < 'P2'", false.into()),
        ("class in ['standard', 'enterprise']", true.into()),
        ("tries in [1, tries + 1, 3,]", false.into()),
        ("class in []", false.into()),
        ("not class in ['standard']", true.into()),
        ("len(customer)", 4.into()),
        ("len('语音') == 2", true.into()),
        ("starts_with(caller, '138')", true.into()),
        ("ends_with(dialled, '8899')", false.into()),
        ("contains(class, 'prise') and contains(class, '')", true.into()),
        ("if(vip, 'a', 'b')", "a".into()),
        ("if(tries == 0, 1, len(class))", 10.into()),
        (r"'it\'s'", "it's".into()),
        (r#""a\\b'c""#, r"a\b'c".into()),
        ("'{'", "{".into()),
        // Numbers stop at their ends.
        ("high + 1 == high", true.into()),
        ("low - 1 == low", true.into()),
        ("-low == high", true.into()),
        ("high * -2 == low", true.into()),
        ("9223372036854775807 == high", true.into()),
    ] {
        assert_eq!(eval(text), value, "{text}");
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    for (text, at, what, help) in [
        ("", 0, "a value is missing here", ""),
        ("clas == 'x'", 0, "no variable is called `clas`", "did you mean `class`?"),
        ("vip and custmoer == 'x'", 8, "no variable is called `custmoer`", "did you mean `customer`?"),
        (
            "zebra",
            0,
            "no variable is called `zebra`",
            "variables are declared with their first value under [var]",
        ),
        ("tries == '2'", 6, "a number is never compared with a text", "a text is written in quotes: '1'"),
        ("customer == 42", 9, "a text is never compared with a number", "a text is written in quotes: '1'"),
        ("tries = 2", 6, "an operator is missing here", "equality is `==`"),
        ("!vip", 0, "a value is missing before `!`", ""),
        ("vip && vip", 4, "`&` means nothing here", "write `and`"),
        ("vip || vip", 4, "`|` means nothing here", "write `or`"),
        ("class == ‘x’", 9, "`‘` means nothing here", "quotes are ' or \""),
        ("class == 'x", 9, "this text is never closed", ""),
        (r"'a\n'", 2, "a backslash stands before a quote or another backslash only", ""),
        ("1 < 2 < 3", 6, "comparisons do not chain", "join two of them with `and`"),
        ("1 + vip", 4, "`+` joins numbers, this is a bool", ""),
        ("class + 'x'", 0, "`+` joins numbers, this is a text", "a template puts texts together: \"{a}{b}\""),
        ("vip and tries", 8, "`and` joins bools, this is a number", ""),
        ("not tries", 4, "`not` turns a bool round, this is a number", ""),
        ("-class", 1, "`-` stands before a number, this is a text", ""),
        (
            "class in ['a', 1]",
            15,
            "a text is never compared with a number",
            "a text is written in quotes: '1'",
        ),
        ("class in 'a'", 9, "expected a list: `x in ['a', 'b']`", ""),
        ("class in ['a'", 13, "expected `]` at the list's end", ""),
        ("start_with(class, 'a')", 0, "no function is called `start_with`", "did you mean `starts_with`?"),
        ("len(class, class)", 0, "`len` takes 1 argument, here are 2", "len(text) -> number"),
        ("len(tries)", 4, "`len` takes a text here, this is a number", ""),
        ("if(vip, 1, 'a')", 11, "`if` takes a number here, this is a text", ""),
        ("if(1, 1, 1)", 3, "`if` takes a bool here, this is a number", ""),
        ("(vip", 4, "expected `)`", ""),
        ("vip vip", 4, "an operator is missing here", ""),
        ("vip and", 7, "a value is missing here", ""),
        ("and vip", 0, "a value is missing before `and`", ""),
        (
            "2x",
            0,
            "`2x` is not a number",
            "numbers are whole, up to 9223372036854775807; a name begins with a letter",
        ),
        (
            "9223372036854775808",
            0,
            "`9223372036854775808` is not a number",
            "numbers are whole, up to 9223372036854775807; a name begins with a letter",
        ),
        ("语", 0, "`语` means nothing here", ""),
    ] {
        let error = Expr::parse(text, &types()).expect_err(text);
        assert_eq!((error.at, &*error.what, error.help.as_deref().unwrap_or("")), (at, what, help), "{text}");
    }
    let number = Expr::condition("tries + 1", &types()).expect_err("a number");
    assert_eq!(number.what, "a condition is true or false, this is a number");
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |open: &str, close: &str, n: usize| format!("{}vip{}", open.repeat(n), close.repeat(n));
    assert!(Expr::parse(&deep("(", ")", 30), &types()).is_ok());
    for (open, close) in [("(", ")"), ("not ", ""), ("if(true, ", ", vip)"), ("vip in [", "]")] {
        let error = Expr::parse(&deep(open, close, 60), &types()).expect_err("too deep");
        assert_eq!(error.what, "nested deeper than 32", "{open}");
    }
    assert!(Expr::parse(&vec!["1"; 30].join(" + "), &types()).is_ok());
    assert_eq!(
        Expr::parse(&vec!["1"; 60].join(" + "), &types()).expect_err("long").what,
        "more than 32 in a row"
    );
    let long = format!("'{}'", "x".repeat(1000));
    for error in [
        Expr::parse(&long, &types()).err(),
        Template::parse(&long, &types()).err(),
        Demand::parse(&long, &types()).err(),
    ] {
        assert_eq!(error.expect("too long").what, "1002 bytes are too many, 1000 are allowed");
    }
}

fn template(text: &str) -> Template {
    Template::parse(text, &types()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn templates_fill_in() {
    for (text, filled, kind) in [
        ("welcome", "welcome", Type::Text),
        ("", "", Type::Text),
        ("greeting-{class}", "greeting-enterprise", Type::Text),
        ("{class}", "enterprise", Type::Text),
        ("{tries + 1}", "3", Type::Number),
        ("{vip}", "true", Type::Bool),
        ("{ tries }{tries}", "22", Type::Text),
        ("{{{tries}}}", "{2}", Type::Text),
        ("{if(vip, '}', '{')}'s", "}'s", Type::Text),
        ("欢迎{class}光临", "欢迎enterprise光临", Type::Text),
    ] {
        assert_eq!((&*template(text).fill(&values()), template(text).kind()), (filled, kind), "{text}");
    }
    for (text, at, what) in [
        ("a{clas}", 2, "no variable is called `clas`"),
        ("a{class", 1, "this brace is never closed"),
        ("a{", 2, "a value is missing here"),
        ("a{}", 2, "a value is missing here"),
        ("a}b", 1, "a closing brace without an opening one"),
        ("é{class class}", 9, "an operator is missing here"),
    ] {
        let error = Template::parse(text, &types()).expect_err(text);
        assert_eq!((error.at, &*error.what), (at, what), "{text}");
    }
}

#[test]
fn templates_know_what_they_could_be() {
    for (text, could, could_not) in [
        ("welcome", &["welcome"][..], &["welcom", "welcome2", ""][..]),
        ("greeting-{class}", &["greeting-", "greeting-vip"], &["greeting", "a-greeting-vip"]),
        ("{class}-{language}", &["a-b", "-", "a-b-c"], &["ab", ""]),
        ("{class}-end", &["x-end", "-end-end"], &["x-end2"]),
        ("a{class}a", &["aa", "aba"], &["a", "ab"]),
        ("{class}", &["", "anything"], &[]),
    ] {
        could.iter().for_each(|name| assert!(template(text).could_be(name), "{text} {name}"));
        could_not.iter().for_each(|name| assert!(!template(text).could_be(name), "{text} {name}"));
    }
    assert_eq!(template("welcome").literal(), Some("welcome"));
    assert_eq!(template("a{{b").literal(), Some("a{b"));
    assert_eq!(template("{class}").literal(), None);
    let read: Vec<_> = template("{tries + len(class)}-{language}").reads().into_iter().collect();
    assert_eq!(read, [VarId::LANGUAGE, VarId(10), VarId(11)]);
}

#[test]
fn requirements_name_variables() {
    let demand = |text: &str| Demand::parse(text, &types()).unwrap_or_else(|e| panic!("{text}: {e}"));
    for (text, filled) in [
        ("lang[language] >= 2 and product[ class ] >= 1", "lang.cmn >= 2 and product.enterprise >= 1"),
        ("not team.trial", "not team.trial"),
        (
            "tier in ['L1', 'L2'] and agent == 'lang[language]'",
            "tier in ['L1', 'L2'] and agent == 'lang[language]'",
        ),
        ("a[class][severity]", "a.enterprise[severity]"),
        ("é x[customer]", "é x.0042"),
    ] {
        let found = demand(text);
        assert_eq!(found.fill(&values()).as_deref(), Ok(filled), "{text}");
    }
    assert_eq!(demand("lang[language] >= 2").reads().into_iter().collect::<Vec<_>>(), [VarId::LANGUAGE]);
    assert_eq!(demand("lang[ language ] >= 2").to_string(), "lang[language] >= 2");
    for (text, at, what) in [
        ("lang[languag] >= 2", 5, "no variable is called `languag`"),
        ("x and lang[ tries ]", 12, "`tries` is a number, a skill is named by a text"),
        ("lang[language", 4, "this bracket is never closed"),
    ] {
        let error = Demand::parse(text, &types()).expect_err(text);
        assert_eq!((error.at, &*error.what), (at, what), "{text}");
    }
}

#[test]
fn patterns_match_whole_entries() {
    for (pattern, yes, no) in [
        ("1[3-9]xxxxxxxxx", &["13800138000"][..], &["12800138000", "1380013800", "138001380000"][..]),
        ("xx|zzz|n", &["00", "111", "2"], &["0", "1", "101", ""]),
        ("0.", &["01", "0*#"], &["0", "10", ""]),
        (".", &["1", "ABCD"], &[""]),
        ("*xx#", &["*12#"], &["*12", "12#"]),
        ("[13-5*]", &["1", "3", "4", "5", "*"], &["2", "6", "13"]),
    ] {
        let parsed = Pattern::parse(pattern).expect(pattern);
        yes.iter().for_each(|entry| assert!(parsed.matches(entry), "{pattern} {entry}"));
        no.iter().for_each(|entry| assert!(!parsed.matches(entry), "{pattern} {entry}"));
    }
    for (pattern, at) in [
        ("", 0),
        ("12|", 3),
        ("1e", 1),
        ("1.2", 2),
        ("1[", 1),
        ("12[]", 2),
        ("[5-3]", 0),
        ("[3-]", 0),
        ("[*-#]", 0),
        ("1]", 1),
        ("é", 0),
    ] {
        assert_eq!(Pattern::parse(pattern).expect_err(pattern).at, at, "{pattern}");
    }
    assert_eq!(Pattern::parse("1[3-9]x|0.").expect("a pattern").lengths(), (2, None));
    assert_eq!(Pattern::parse("1[3-9]x|0").expect("a pattern").lengths(), (1, Some(3)));
}

#[test]
fn suggests_what_is_near() {
    let steps = ["welcome", "language", "to-queue"];
    for (word, near) in [
        ("welcom", Some("welcome")),
        ("langauge", Some("language")),
        ("toqueue", Some("to-queue")),
        ("goodbye", None),
        ("", None),
    ] {
        assert_eq!(suggest(word, steps), near, "{word}");
    }
}

/// The text of an expression of a type.
fn expression(kind: Type) -> BoxedStrategy<String> {
    fn leaf(kind: Type) -> BoxedStrategy<String> {
        match kind {
            Type::Text => prop_oneof![
                Just("class".to_owned()),
                Just("language".to_owned()),
                "'[a-z{}]{0,3}'",
                r"'\\'x'"
            ]
            .boxed(),
            Type::Number => prop_oneof![
                Just("tries".to_owned()),
                Just("high".to_owned()),
                (0..9_i64).prop_map(|n| n.to_string())
            ]
            .boxed(),
            _ => {
                prop_oneof![Just("vip".to_owned()), Just("true".to_owned()), Just("false".to_owned())].boxed()
            }
        }
    }
    fn of(kind: Type, depth: u32) -> BoxedStrategy<String> {
        if depth == 0 {
            return leaf(kind);
        }
        let sub = |kind| of(kind, depth - 1);
        let op = |ops: &'static [&'static str]| prop::sample::select(ops);
        let conditional =
            (sub(Type::Bool), sub(kind), sub(kind)).prop_map(|(c, a, b)| format!("if({c}, {a}, {b})"));
        let own = match kind {
            Type::Text => leaf(kind),
            Type::Number => prop_oneof![
                (sub(kind), op(&["+", "-", "*"]), sub(kind))
                    .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
                (sub(kind), op(&["+", "-", "*"]), leaf(kind)).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
                leaf(kind).prop_map(|a| format!("-{a}")),
                sub(Type::Text).prop_map(|a| format!("len({a})")),
            ]
            .boxed(),
            _ => prop_oneof![
                (sub(kind), op(&["and", "or", "==", "!="]), sub(kind))
                    .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
                (sub(kind), op(&["and", "or"]), leaf(kind)).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
                (sub(Type::Number), op(&["<", "<=", ">", ">=", "=="]), sub(Type::Number))
                    .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
                (sub(Type::Text), op(&["in", "in"]), sub(Type::Text))
                    .prop_map(|(a, op, b)| format!("{a} {op} [{b}, 'x']")),
                (sub(Type::Text), sub(Type::Text)).prop_map(|(a, b)| format!("contains({a}, {b})")),
                sub(kind).prop_map(|a| format!("not ({a})")),
            ]
            .boxed(),
        };
        prop_oneof![1 => leaf(kind), 1 => conditional, 3 => own].boxed()
    }
    of(kind, 3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What is printed means the same, and prints the same again.
    #[test]
    fn prints_what_it_parses(kind in prop::sample::select(vec![Type::Text, Type::Number, Type::Bool]).prop_flat_map(|k| (Just(k), expression(k)))) {
        let (kind, text) = kind;
        if let Ok(expr) = Expr::parse(&text, &types()) {
            prop_assert_eq!(expr.kind(), kind);
            prop_assert_eq!(expr.eval(&values()).kind(), kind);
            let printed = expr.to_string();
            let again = Expr::parse(&printed, &types());
            prop_assert_eq!(again.as_ref().map_err(|e| format!("{printed}: {e}")), Ok(&expr));
            let inside = Template::parse(&format!("<{{{text}}}>"), &types()).expect("an expression in braces");
            prop_assert_eq!(&*inside.fill(&values()), format!("<{}>", expr.eval(&values())));
            let again = Template::parse(&inside.to_string(), &types());
            prop_assert_eq!(again, Ok(inside));
        } else {
            // Only the size can be wrong with it.
            prop_assert!(text.len() > 100, "{}", text);
        }
    }

    /// Nothing panics, and an error lies within the text, between characters.
    #[test]
    fn any_text_parses_or_says_where_not(text in r#"([a-z '"(){}\[\],+*<>=!&|\\0-9语-]|class|tries|vip| and | in |not |len\()*"#) {
        let errors = [
            Expr::parse(&text, &types()).err(),
            Template::parse(&text, &types()).err(),
            Demand::parse(&text, &types()).err(),
            Pattern::parse(&text).err(),
        ];
        for error in errors.into_iter().flatten() {
            prop_assert!(text.is_char_boundary(error.at), "{error:?}");
        }
    }
}
