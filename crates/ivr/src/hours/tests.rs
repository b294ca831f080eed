use super::*;

/// In Shanghai, without summer time; 2026-11-23 is a Monday.
fn shanghai(ranges: &[&str]) -> Schedule {
    let ranges = ranges.iter().map(|r| Range::parse(r).expect(r)).collect();
    Schedule::new(zone("Asia/Shanghai").expect("a zone"), ranges)
}

fn unix(local: &str, zone: &TimeZone) -> i64 {
    zone.to_timestamp(local.parse().expect(local)).expect(local).as_second()
}

#[test]
fn opens_and_closes_by_local_time() {
    let mut office = shanghai(&["mon-fri 09:00-18:00", "sat 10:00-16:00"]);
    office.holidays.extend([date("2026-10-01").expect("a date"), date("2026-10-02").expect("a date")]);
    office.workdays.extend([date("2026-10-10").expect("a date"), date("2026-10-02").expect("a date")]);
    for (local, open) in [
        ("2026-11-23T08:59:59", false),
        ("2026-11-23T09:00:00", true),
        ("2026-11-23T17:59:59", true),
        ("2026-11-23T18:00:00", false),
        ("2026-11-28T09:59:59", false),
        ("2026-11-28T10:00:00", true),
        ("2026-11-28T16:00:00", false),
        ("2026-11-29T12:00:00", false),
        // A holiday on a Thursday, one that is a workday too, and a Saturday worked like a Monday.
        ("2026-10-01T12:00:00", false),
        ("2026-10-02T12:00:00", true),
        ("2026-10-10T09:30:00", true),
        ("2026-10-10T17:00:00", true),
    ] {
        assert_eq!(office.is_open(unix(local, &office.zone)), open, "{local}");
    }
}

#[test]
fn goes_over_midnight() {
    let mut night = shanghai(&["fri 22:00-06:00"]);
    let cases = |night: &Schedule| {
        ["2026-11-27T21:59:59", "2026-11-27T22:00:00", "2026-11-28T05:59:59", "2026-11-28T06:00:00"]
            .map(|local| night.is_open(unix(local, &night.zone)))
    };
    assert_eq!(cases(&night), [false, true, true, false]);
    // Saturday is a holiday: the night that began on Friday goes on.
    night.holidays.insert(date("2026-11-28").expect("a date"));
    assert_eq!(cases(&night), [false, true, true, false]);
    // Friday is: there is no night.
    night.holidays.insert(date("2026-11-27").expect("a date"));
    assert_eq!(cases(&night), [false; 4]);
    // On Sunday it goes over the week's end.
    let night = shanghai(&["sun 22:00-06:00"]);
    assert!(night.is_open(unix("2026-11-30T05:00:00", &night.zone)));
}

#[test]
fn follows_summer_time() {
    let mut office = shanghai(&["daily 09:00-18:00"]);
    office.zone = zone("America/New_York").expect("a zone");
    // 13:30 UTC is 08:30 in winter, 09:30 in summer.
    let utc = |text: &str| unix(text, &TimeZone::UTC);
    assert!(!office.is_open(utc("2026-01-15T13:30:00")));
    assert!(office.is_open(utc("2026-07-15T13:30:00")));
}

#[test]
fn times_out_of_the_calendar_are_closed() {
    let always = shanghai(&["daily 00:00-24:00"]);
    assert!(always.is_open(0));
    assert!(!always.is_open(i64::MAX));
    assert!(!always.is_open(i64::MIN));
}

#[test]
fn parses_ranges() {
    let days = |text: &str| {
        let range = Range::parse(text).expect(text);
        range.days.map(|d| if d { 'x' } else { '.' }).iter().collect::<String>()
    };
    assert_eq!(days("mon-fri 09:00-18:00"), "xxxxx..");
    assert_eq!(days("sat,sun 09:00-18:00"), ".....xx");
    assert_eq!(days("fri-mon 09:00-18:00"), "x...xxx");
    assert_eq!(days("  MON,wed-thu   09:00-18:00 "), "x.xx...");
    assert_eq!(days("daily 00:00-24:00"), "xxxxxxx");
}

#[test]
fn says_where_a_range_is_wrong() {
    for (text, at, what) in [
        ("", 0, "an empty range"),
        ("mon-fri", 7, "times are missing behind the days"),
        ("mon-fry 09:00-18:00", 4, "`fry` is not a day"),
        ("mon,,tue 09:00-18:00", 4, "`` is not a day"),
        ("mon 9-18", 4, "`9` is not a time of day"),
        ("mon 09:00", 4, "not two times with a `-` between"),
        ("mon 09:00-18:60", 10, "`18:60` is not a time of day"),
        ("mon 09:00-24:01", 10, "`24:01` is not a time of day"),
        ("mon 09:00-+8:00", 10, "`+8:00` is not a time of day"),
        ("mon 24:00-06:00", 4, "the wrong midnight"),
        ("mon 22:00-00:00", 10, "the wrong midnight"),
        ("mon 09:00-09:00", 4, "it ends when it begins"),
        ("mon 09:00-18:00 x", 16, "one range a text"),
    ] {
        let wrong = Range::parse(text).expect_err(text);
        assert_eq!((wrong.at, &*wrong.what), (at, what), "{text}");
    }
}

#[test]
fn knows_zones_and_dates() {
    assert_eq!(
        zone("Asia/Shangai").expect_err("mistyped").help.as_deref(),
        Some("did you mean `Asia/Shanghai`?")
    );
    assert!(date("2026-02-29").is_err());
    assert!(date("20261001").is_err());
    assert!(date("2026-10-01T00").is_err());
}

#[test]
fn finds_oddities() {
    assert_eq!(shanghai(&["mon-fri 09:00-18:00", "sat 10:00-16:00"]).oddities(), []);
    assert_eq!(shanghai(&[]).oddities(), [Oddity::NeverOpen]);
    assert_eq!(shanghai(&["daily 00:00-24:00"]).oddities(), [Oddity::AlwaysOpen]);
    assert_eq!(
        shanghai(&["mon-fri 09:00-18:00", "wed 17:00-20:00", "sun 22:00-10:00"]).oddities(),
        [Oddity::Overlap { first: 0, second: 1, day: 2 }, Oddity::Overlap { first: 0, second: 2, day: 0 },]
    );
    let mut office = shanghai(&["mon-fri 09:00-18:00"]);
    office.holidays.extend(["2024-01-01", "2026-10-01", "2026-10-03"].map(|d| date(d).expect(d)));
    office.workdays.insert(date("2026-10-01").expect("a date"));
    let found: Vec<String> = office.oddities().iter().map(Oddity::to_string).collect();
    assert_eq!(
        found,
        [
            "2026-10-01 is a holiday and a workday: it counts as a workday",
            "2026-10-03 is closed anyhow, without being a holiday",
            "2025 has no holidays, the years around it do",
        ]
    );
}
