use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn number(value: &str, language: &str) -> String {
    text(SayKind::Number, value, language).unwrap_or_else(|| panic!("{value} in {language}"))
}

#[test]
fn reads_numbers() {
    #[rustfmt::skip]
    let table = [
        ("0", "零", "零", "零", "zero"),
        ("1", "一", "一", "一", "one"),
        ("2", "二", "二", "二", "two"),
        ("9", "九", "九", "九", "nine"),
        ("10", "十", "十", "十", "ten"),
        ("11", "十一", "十一", "十一", "eleven"),
        ("12", "十二", "十二", "十二", "twelve"),
        ("19", "十九", "十九", "十九", "nineteen"),
        ("20", "二十", "二十", "廿", "twenty"),
        ("22", "二十二", "二十二", "廿二", "twenty two"),
        ("45", "四十五", "四十五", "四十五", "forty five"),
        ("99", "九十九", "九十九", "九十九", "ninety nine"),
        ("100", "一百", "一百", "一百", "one hundred"),
        ("101", "一百零一", "一百零一", "一百零一", "one hundred and one"),
        ("110", "一百一十", "一百一十", "一百一十", "one hundred and ten"),
        ("115", "一百一十五", "一百一十五", "一百一十五", "one hundred and fifteen"),
        ("120", "一百二十", "一百二十", "一百廿", "one hundred and twenty"),
        ("200", "二百", "二百", "两百", "two hundred"),
        ("202", "二百零二", "二百零二", "两百零二", "two hundred and two"),
        ("222", "二百二十二", "二百二十二", "两百廿二", "two hundred and twenty two"),
        ("999", "九百九十九", "九百九十九", "九百九十九", "nine hundred and ninety nine"),
        ("1000", "一千", "一千", "一千", "one thousand"),
        ("1005", "一千零五", "一千零五", "一千零五", "one thousand and five"),
        ("1015", "一千零一十五", "一千零一十五", "一千零一十五", "one thousand and fifteen"),
        ("1050", "一千零五十", "一千零五十", "一千零五十", "one thousand and fifty"),
        ("1500", "一千五百", "一千五百", "一千五百", "one thousand five hundred"),
        ("1505", "一千五百零五", "一千五百零五", "一千五百零五", "one thousand five hundred and five"),
        ("2000", "两千", "兩千", "两千", "two thousand"),
        ("2002", "两千零二", "兩千零二", "两千零二", "two thousand and two"),
        ("2200", "两千二百", "兩千二百", "两千两百", "two thousand two hundred"),
        ("9999", "九千九百九十九", "九千九百九十九", "九千九百九十九", "nine thousand nine hundred and ninety nine"),
        ("10000", "一万", "一萬", "一万", "ten thousand"),
        ("10005", "一万零五", "一萬零五", "一万零五", "ten thousand and five"),
        ("10010", "一万零一十", "一萬零一十", "一万零一十", "ten thousand and ten"),
        ("10500", "一万零五百", "一萬零五百", "一万零五百", "ten thousand five hundred"),
        ("12000", "一万二千", "一萬二千", "一万两千", "twelve thousand"),
        ("15000", "一万五千", "一萬五千", "一万五千", "fifteen thousand"),
        ("20000", "两万", "兩萬", "两万", "twenty thousand"),
        ("22000", "两万二千", "兩萬二千", "两万两千", "twenty two thousand"),
        ("20202", "两万零二百零二", "兩萬零二百零二", "两万零两百零二", "twenty thousand two hundred and two"),
        ("100000", "十万", "十萬", "十万", "one hundred thousand"),
        ("105000", "十万五千", "十萬五千", "十万五千", "one hundred and five thousand"),
        ("120000", "十二万", "十二萬", "十二万", "one hundred and twenty thousand"),
        ("150015", "十五万零一十五", "十五萬零一十五", "十五万零一十五", "one hundred and fifty thousand and fifteen"),
        ("200000", "二十万", "二十萬", "廿万", "two hundred thousand"),
        ("1000000", "一百万", "一百萬", "一百万", "one million"),
        ("1000005", "一百万零五", "一百萬零五", "一百万零五", "one million and five"),
        ("2000000", "二百万", "二百萬", "两百万", "two million"),
        ("5005000", "五百万五千", "五百萬五千", "五百万五千", "five million five thousand"),
        ("10010010", "一千零一万零一十", "一千零一萬零一十", "一千零一万零一十", "ten million ten thousand and ten"),
        ("20000000", "两千万", "兩千萬", "两千万", "twenty million"),
        ("20020000", "两千零二万", "兩千零二萬", "两千零二万", "twenty million twenty thousand"),
        ("100000000", "一亿", "一億", "一亿", "one hundred million"),
        ("100000005", "一亿零五", "一億零五", "一亿零五", "one hundred million and five"),
        ("100005000", "一亿零五千", "一億零五千", "一亿零五千", "one hundred million five thousand"),
        ("100150000", "一亿零一十五万", "一億零一十五萬", "一亿零一十五万", "one hundred million one hundred and fifty thousand"),
        ("200000000", "两亿", "兩億", "两亿", "two hundred million"),
        ("200020000", "两亿零二万", "兩億零二萬", "两亿零两万", "two hundred million twenty thousand"),
        ("220002000", "两亿二千万二千", "兩億二千萬二千", "两亿两千万两千", "two hundred and twenty million two thousand"),
        ("1000000000", "十亿", "十億", "十亿", "one billion"),
        ("120000000000", "一千二百亿", "一千二百億", "一千两百亿", "one hundred and twenty billion"),
        ("200000000002", "两千亿零二", "兩千億零二", "两千亿零二", "two hundred billion and two"),
        ("999999999999", "九千九百九十九亿九千九百九十九万九千九百九十九", "九千九百九十九億九千九百九十九萬九千九百九十九",
            "九千九百九十九亿九千九百九十九万九千九百九十九",
            "nine hundred and ninety nine billion nine hundred and ninety nine million \
             nine hundred and ninety nine thousand nine hundred and ninety nine"),
        ("-1", "负一", "負一", "负一", "minus one"),
        ("-2000", "负两千", "負兩千", "负两千", "minus two thousand"),
        ("-15", "负十五", "負十五", "负十五", "minus fifteen"),
        ("-0", "零", "零", "零", "zero"),
        ("007", "七", "七", "七", "seven"),
    ];
    for (value, cmn, yue, wuu, en) in table {
        let read = LANGUAGES.map(|language| number(value, language));
        assert_eq!(read, [cmn, yue, wuu, en], "{value}");
    }
}

#[test]
fn reads_keys() {
    #[rustfmt::skip]
    let table = [
        (SayKind::Digits, "1024", "一零二四", "一零二四", "一零两四", "one zero two four"),
        (SayKind::Digits, "3567891", "三五六七八九一", "三五六七八九一", "三五六七八九一", "three five six seven eight nine one"),
        (SayKind::Digits, "*1#", "星号一井号", "星號一井號", "星号一井号", "star one hash"),
        (SayKind::Telephone, "13800", "幺三八零零", "一三八零零", "幺三八零零", "one three eight zero zero"),
        (SayKind::Telephone, "211", "二幺幺", "二一一", "两幺幺", "two one one"),
        (SayKind::Digits, "", "", "", "", ""),
    ];
    for (kind, value, cmn, yue, wuu, en) in table {
        let read = LANGUAGES.map(|language| text(kind, value, language).expect(value));
        assert_eq!(read, [cmn, yue, wuu, en], "{kind} {value}");
    }
}

#[test]
fn what_is_no_number_is_not_read() {
    for value in
        ["", "-", "+5", "1.5", "five", " 5", "１", "1000000000000", "-1000000000000", "99999999999999999999"]
    {
        assert_eq!(reading(SayKind::Number, value, "en"), None, "{value}");
    }
    for value in ["-5", "A", "1 2", "٣"] {
        assert_eq!(reading(SayKind::Digits, value, "cmn"), None, "{value}");
    }
    assert_eq!(reading(SayKind::Number, "5", "fr"), None);
    assert!(fragments("fr").is_empty());
}

fn every_kind() -> Vec<SayKind> {
    let of = |name: &&str| SayKind::parse(name, Some(Currency::Cny)).expect("a name of the list");
    let others =
        Currency::ALL.map(SayKind::Money).into_iter().filter(|k| *k != SayKind::Money(Currency::Cny));
    SayKind::NAMES.iter().map(of).chain(others).collect()
}

/// Values of a kind that have every fragment in their readings.
fn samples(kind: SayKind) -> Vec<String> {
    let places = || (0..12).flat_map(|place| (1..10).map(move |d: u64| d * 10_u64.pow(place)));
    let whole = || (0..25_000).chain(places());
    match kind {
        SayKind::Digits | SayKind::Telephone => vec!["0123456789*#".into()],
        SayKind::Number => whole().map(|n| n.to_string()).chain(["-1".into()]).collect(),
        SayKind::Money(_) => whole()
            .map(|n| n.to_string())
            .chain((0..100).flat_map(|c| [format!("0.{c:02}"), format!("-1.{c:02}")]))
            .collect(),
        SayKind::Date => (1..10_000)
            .map(|year| format!("{year:04}-{:02}-{:02}", year % 12 + 1, year % 28 + 1))
            .chain((1..=31).map(|day| format!("2026-01-{day:02}")))
            .collect(),
        SayKind::Time => (0..1440).map(|m| format!("{:02}:{:02}", m / 60, m % 60)).collect(),
        SayKind::Duration => {
            let hours = places().map(|n| n * 3600).filter(|s| *s <= NUMBER_MAX as u64);
            (0..10_000).chain((0..25_000).map(|h| h * 3600)).chain(hours).map(|s| s.to_string()).collect()
        }
        SayKind::Position => (1..=POSITION_MAX).map(|n| n.to_string()).collect(),
        SayKind::Wait => {
            let (low, high) = (|| (0..4000).step_by(30), || (0..4000).step_by(30));
            let ranges = low().flat_map(|l| high().filter(move |h| *h >= l).map(move |h| format!("{l}-{h}")));
            (0..10_000).map(|s| s.to_string()).chain(ranges).collect()
        }
    }
}

#[test]
fn lists_exactly_the_fragments_that_readings_use() {
    for language in LANGUAGES {
        let mut all = BTreeSet::new();
        for kind in every_kind() {
            let read = |value: String| reading(kind, &value, language).unwrap_or_else(|| panic!("{value}"));
            let used: BTreeSet<&str> = samples(kind).into_iter().flat_map(read).collect();
            let listed: BTreeSet<&str> =
                fragments_of(kind, language).into_iter().map(|(name, _)| name).collect();
            assert_eq!(used, listed, "{kind:?} in {language}");
            all.extend(listed);
        }
        let listed = fragments(language);
        assert_eq!(listed.len(), all.len(), "{language}: each once");
        assert!(listed.iter().all(|(name, text)| all.contains(name) && !text.is_empty()), "{language}");
    }
}

#[test]
fn a_language_falls_back_to_mandarin_fragments() {
    let mandarin: BTreeSet<&str> = fragments("cmn").into_iter().map(|(name, _)| name).collect();
    for language in ["yue", "wuu"] {
        assert!(fragments(language).iter().all(|(name, _)| mandarin.contains(name)), "{language}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Two numbers never sound alike, and every word is listed.
    #[test]
    fn numbers_differ_to_the_ear(a in -NUMBER_MAX..=NUMBER_MAX, b in -NUMBER_MAX..=NUMBER_MAX, near in 1..100_000_i64) {
        for language in LANGUAGES {
            let say = |n: i64| number(&n.clamp(-NUMBER_MAX, NUMBER_MAX).to_string(), language);
            prop_assert_eq!(say(a) == say(b), a == b);
            prop_assert_ne!(say(a - near), say(a.clamp(near - NUMBER_MAX, NUMBER_MAX)));
            let listed: BTreeSet<&str> = fragments(language).into_iter().map(|(name, _)| name).collect();
            let names = reading(SayKind::Number, &a.to_string(), language).expect("in range");
            prop_assert!(names.iter().all(|n| listed.contains(n)));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(value in ".{0,40}", language in ".{0,4}|cmn|en") {
        for kind in every_kind() {
            let _ = text(kind, &value, &language);
        }
    }
}
