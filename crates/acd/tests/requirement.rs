//! What a requirement may say, and what is said about it when it is wrong.
mod common;
use common::*;
use hotline_acd::*;

/// Which of alice, bob and carol meet it, by initials.
fn who(text: &str) -> String {
    let roster = roster();
    let requirement = Requirement::parse(text, &roster).unwrap_or_else(|e| panic!("{text}: {e}"));
    roster.agents.iter().filter(|a| requirement.holds(a)).map(|a| &a.name[..1]).collect()
}

#[test]
fn holds_for_whom_it_says() {
    for (text, expected) in [
        ("lang.yue", "ac"),
        ("lang.yue >= 3", "a"),
        ("lang.yue > 2", "a"),
        ("lang.yue == 2", "c"),
        ("lang.yue != 2", "ab"),
        ("lang.yue < 1", "b"),
        ("lang.yue <= 2", "bc"),
        ("lang.yue >= 0", "abc"),
        ("not lang.yue", "b"),
        ("not not lang.yue", "ac"),
        ("anyone", "abc"),
        ("tier >= \"L2\"", "c"),
        ("tier < \"L3\"", "ab"),
        ("tier == \"L1\"", "ab"),
        ("tier != \"L1\"", "c"),
        ("agent == \"bob\"", "b"),
        ("agent != \"bob\"", "ac"),
        // `not` before `and` before `or`.
        ("lang.cmn and lang.yue or team.trial", "ac"),
        ("team.trial or lang.cmn and lang.yue", "ac"),
        ("lang.cmn and (lang.yue or team.trial)", "c"),
        ("not lang.cmn or lang.yue", "ac"),
        ("not (lang.cmn or lang.yue)", ""),
        ("lang.yue>=2and not team.trial", "c"),
        ("lang.yue >= 3 and (product.database >= 2 or tier >= \"L1\") and not team.trial", ""),
        ("lang.yue >= 2 and (product.database >= 2 or tier >= \"L3\") and not team.trial", "c"),
    ] {
        assert_eq!(who(text), expected, "{text}");
    }
}

#[test]
fn says_where_and_what_is_wrong() {
    for (text, at, what, help) in [
        ("lang.yeu >= 3", 0, "no agent has a skill `lang.yeu`", Some("did you mean `lang.yue`?")),
        (
            "lang.yue and produkt.database",
            13,
            "no agent has a skill `produkt.database`",
            Some("did you mean `product.database`?"),
        ),
        ("violin", 0, "no agent has a skill `violin`", None),
        ("tier >= \"L9\"", 8, "no pool is called `L9`", Some("did you mean `L1`?")),
        (
            "tier >= L2",
            8,
            "`tier` is compared with a pool: tier >= \"L2\"",
            Some("write it in quotes: \"L2\""),
        ),
        ("tier >= 2", 8, "`tier` is compared with a pool: tier >= \"L2\"", None),
        ("tier", 4, "`tier` is compared with a pool: tier >= \"L2\"", None),
        ("agent == \"alise\"", 9, "no agent is called `alise`", Some("did you mean `alice`?")),
        ("agent >= \"alice\"", 6, "agents compare with `==` or `!=` only", None),
        ("lang.yue >= \"L2\"", 12, "a skill is compared with a level: a number", None),
        ("lang.yue >= 256", 12, "a level is a number from 0 to 255", None),
        ("lang.yue >=", 11, "a skill is compared with a level: a number", None),
        ("lang.yue = 3", 9, "`=` compares nothing", Some("write `==`")),
        ("lang.yue && lang.cmn", 9, "unexpected `&`", Some("write `and`")),
        ("lang.yue || lang.cmn", 9, "unexpected `|`", Some("write `or`")),
        ("!lang.yue", 0, "unexpected `!`", Some("write `not` or `!=`")),
        ("lang.yue lang.cmn", 9, "expected `and`, `or` or the end", None),
        ("lang.yue and", 12, "a condition is missing at the end", None),
        ("lang.yue and or lang.cmn", 13, "a condition is missing here", None),
        ("", 0, "a condition is missing at the end", None),
        ("  ", 2, "a condition is missing at the end", None),
        ("lang.yue and (lang.cmn", 13, "`(` is never closed", None),
        ("lang.yue)", 8, "`)` without its `(`", None),
        ("agent == \"alice", 9, "`\"` is never closed", None),
        ("3 >= lang.yue", 0, "expected a skill, `tier`, `agent`, `not` or `(`", None),
        ("\u{3000}lang.yue \u{1f600}", 12, "unexpected '\u{1f600}'", None),
    ] {
        let error = Requirement::parse(text, &roster()).expect_err(text);
        assert_eq!((error.at, &*error.what, error.help.as_deref()), (at, what, help), "{text}");
    }
}

#[test]
fn is_bounded() {
    let nested = |n: usize| format!("{}lang.yue{}", "(".repeat(n), ")".repeat(n));
    assert!(Requirement::parse(&nested(31), &roster()).is_ok());
    assert_eq!(Requirement::parse(&nested(32), &roster()).expect_err("deep").what, "nested deeper than 32");
    assert_eq!(Requirement::parse(&"not ".repeat(900), &roster()).expect_err("deep").at, 32 * 4);
    assert!(
        Requirement::parse(&"lang.yue or ".repeat(400), &roster()).expect_err("long").what.contains("4096")
    );
}

#[test]
fn prints_as_it_is_written() {
    for text in [
        "lang.yue >= 3 and (product.database >= 2 or tier >= \"L3\") and not team.trial >= 1",
        "not (lang.yue >= 1 and lang.cmn < 2) or agent == \"bob\"",
        "anyone",
    ] {
        assert_eq!(Requirement::parse(text, &roster()).expect(text).to_string(), text);
    }
}

#[test]
fn candidates_are_who_can_serve_what() {
    let mut roster = roster();
    roster.queues[0].pools = vec![hotline_core::PoolId(0)];
    let yue = Requirement::parse("lang.yue", &roster).expect("good");
    assert_eq!(roster.candidates(SUPPORT, Some(&yue)), [ALICE]);
    assert_eq!(roster.candidates(SALES, Some(&yue)), [ALICE, CAROL]);
    assert_eq!(roster.candidates(SUPPORT, None), [ALICE, BOB]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_within_it(text in "[a-z.\" ()<>=!0-9&\u{e9}\u{4e2d}]{0,40}") {
        if let Err(error) = Requirement::parse(&text, &roster()) {
            proptest::prop_assert!(error.at <= text.len() && text.is_char_boundary(error.at));
        }
    }
}
