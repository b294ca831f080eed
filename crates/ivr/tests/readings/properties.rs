//! What holds for all values: readings differ where values do, and their fragments are listed.

use hotline_ivr::SayKind;
use hotline_ivr::say::{
    Currency, LANGUAGES, NUMBER_MAX, POSITION_MAX, fragments, fragments_of, reading, text,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn kinds() -> Vec<SayKind> {
    let others = SayKind::NAMES.iter().filter_map(|name| SayKind::parse(name, None));
    others.chain(Currency::ALL.map(SayKind::Money)).collect()
}

fn differ(kind: SayKind, values: impl Iterator<Item = String> + Clone) {
    for language in LANGUAGES {
        let mut heard: BTreeMap<String, String> = BTreeMap::new();
        for value in values.clone() {
            let spoken =
                text(kind, &value, language).unwrap_or_else(|| panic!("{kind} {value} in {language}"));
            if let Some(other) = heard.insert(spoken.clone(), value.clone()) {
                panic!("{kind} {other} and {value} in {language} are both {spoken}");
            }
        }
    }
}

#[test]
fn different_times_sound_different() {
    differ(SayKind::Time, (0..1440).map(|m| format!("{:02}:{:02}", m / 60, m % 60)));
}

#[test]
fn different_dates_sound_different() {
    let years = (1..10_000).flat_map(|y| [format!("{y:04}-10-01"), format!("{y:04}-10-20")]);
    let days = (1..=12).flat_map(|m| (1..=28).map(move |d| format!("2026-{m:02}-{d:02}")));
    let more = ["2026-01-29", "2026-01-30", "2026-01-31", "2026-10-31"].map(String::from);
    let unseen = days.filter(|d| d != "2026-10-01" && d != "2026-10-20");
    differ(SayKind::Date, years.chain(unseen).chain(more));
}

#[test]
fn different_places_sound_different() {
    differ(SayKind::Position, (1..=POSITION_MAX).map(|n| n.to_string()));
}

#[test]
fn different_durations_sound_different() {
    differ(SayKind::Duration, (0..8_000).chain((8_000..4_000_000).step_by(607)).map(|n| n.to_string()));
}

#[test]
fn different_amounts_sound_different() {
    for currency in Currency::ALL {
        let amounts =
            (0..2_500).chain((2_500..300_000).step_by(103)).map(|n| format!("{}.{:02}", n / 100, n % 100));
        differ(SayKind::Money(currency), amounts.chain((1..1_000).map(|n| format!("-{n}"))));
    }
}

#[test]
fn names_and_kinds() {
    for kind in kinds() {
        let currency = if let SayKind::Money(currency) = kind { Some(currency) } else { None };
        assert_eq!(SayKind::parse(&kind.to_string(), currency), Some(kind));
    }
    assert_eq!(SayKind::parse("money", None), None);
    for name in ["", "Number", "numbers", "cny"] {
        assert_eq!(SayKind::parse(name, Some(Currency::Cny)), None, "{name}");
    }
}

/// Only one currency's words are asked for, and a language without a grammar says nothing.
#[test]
fn kinds_ask_for_their_own_fragments() {
    for language in LANGUAGES {
        let of_money = |currency| -> BTreeSet<&str> {
            let names = fragments_of(SayKind::Money(currency), language).into_iter().map(|(name, _)| name);
            names.filter(|n| n.starts_with("money-")).collect()
        };
        for currency in Currency::ALL {
            let code = format!("money-{currency}").to_lowercase();
            assert!(of_money(currency).iter().all(|n| n.starts_with(&code)), "{currency} in {language}");
        }
    }
    for kind in kinds() {
        assert!(fragments_of(kind, "fr").is_empty());
        assert_eq!(reading(kind, "1", "fr"), None);
    }
}

fn value() -> impl Strategy<Value = (SayKind, String)> {
    let most = NUMBER_MAX as u64;
    let currency = proptest::sample::select(Currency::ALL.to_vec());
    prop_oneof![
        (-NUMBER_MAX..=NUMBER_MAX).prop_map(|n| (SayKind::Number, n.to_string())),
        (currency, -NUMBER_MAX..=NUMBER_MAX, 0..100)
            .prop_map(|(c, whole, rest)| (SayKind::Money(c), format!("{whole}.{rest:02}"))),
        (0..=most).prop_map(|s| (SayKind::Duration, s.to_string())),
        (0..5000_u64, 0..5000_u64).prop_map(|(s, more)| (SayKind::Wait, format!("{s}-{}", s + more))),
        "[0-9*#]{0,20}".prop_map(|keys| (SayKind::Telephone, keys)),
        "[0-9*#]{0,20}".prop_map(|keys| (SayKind::Digits, keys)),
        (1..10_000, 1..=12, 1..=28).prop_map(|(y, m, d)| (SayKind::Date, format!("{y:04}-{m:02}-{d:02}"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_fragment_is_listed((kind, value) in value()) {
        for language in LANGUAGES {
            let listed: BTreeSet<&str> = fragments_of(kind, language).into_iter().map(|(n, _)| n).collect();
            let all: BTreeSet<&str> = fragments(language).into_iter().map(|(n, _)| n).collect();
            prop_assert!(listed.is_subset(&all));
            for name in reading(kind, &value, language).expect("it is such a value") {
                prop_assert!(listed.contains(name), "{} of {} {} in {}", name, kind, value, language);
            }
        }
    }

    /// A range says at least what its ends say, and never less than the longer wait.
    #[test]
    fn a_range_holds_its_ends(low in 0..4000_u64, more in 0..4000_u64) {
        let high = low + more;
        let spoken = |value: String| text(SayKind::Wait, &value, "en").expect("a wait");
        let (range, longest) = (spoken(format!("{low}-{high}")), spoken(high.to_string()));
        let end = longest.trim_start_matches("about ");
        let end = if end == "an hour" && range != longest { "sixty minutes" } else { end };
        prop_assert!(range.ends_with(end), "{}-{}: {} is not {}", low, high, range, longest);
    }

    #[test]
    fn large_amounts_and_durations_differ(a in 0..=NUMBER_MAX, b in 0..=NUMBER_MAX, cents in 0..100, near in 1..100_000_i64) {
        for language in LANGUAGES {
            let money = |n: i64, cents: i32| text(SayKind::Money(Currency::Cny), &format!("{n}.{cents:02}"), language);
            let long = |n: i64| text(SayKind::Duration, &n.to_string(), language);
            let close = (a - near).max(0);
            prop_assert_eq!(money(a, cents) == money(b, cents), a == b);
            prop_assert_eq!(money(a, cents) == money(close, cents), a == close);
            prop_assert_ne!(money(a, cents), money(a, (cents + 1) % 100));
            prop_assert_eq!(long(a) == long(b), a == b);
            prop_assert_eq!(long(a) == long(close), a == close);
        }
    }
}
