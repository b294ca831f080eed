use super::*;
use proptest::prelude::*;

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

/// Both changes of the clocks in one year of each zone: the Sunday's hours go by what the clocks show.
#[test]
fn follows_both_changes_of_the_clocks() {
    // (zone, range, [(UTC, open?)]): nights over a change, and a range within the hour that is skipped or doubled.
    type Case = (&'static str, &'static str, &'static [(&'static str, bool)]);
    #[rustfmt::skip]
    let cases: [Case; 8] = [
        // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC. The night has seven hours.
        ("Europe/Berlin", "sat 22:00-06:00", &[("2026-03-28T20:59:59", false), ("2026-03-28T21:00:00", true), ("2026-03-29T03:59:59", true), ("2026-03-29T04:00:00", false)]),
        ("Europe/Berlin", "sun 02:15-02:45", &[("2026-03-29T00:59:59", false), ("2026-03-29T01:00:00", false), ("2026-03-29T01:30:00", false)]),
        // 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC. Nine hours; a quarter to a quarter comes twice.
        ("Europe/Berlin", "sat 22:00-06:00", &[("2026-10-24T20:00:00", true), ("2026-10-25T04:59:59", true), ("2026-10-25T05:00:00", false)]),
        ("Europe/Berlin", "sun 02:15-02:45", &[("2026-10-25T00:14:59", false), ("2026-10-25T00:15:00", true), ("2026-10-25T00:45:00", false), ("2026-10-25T01:15:00", true), ("2026-10-25T01:45:00", false)]),
        // New York, 2026-03-08: 02:00 becomes 03:00 at 07:00 UTC.
        ("America/New_York", "sat 22:00-06:00", &[("2026-03-08T02:59:59", false), ("2026-03-08T03:00:00", true), ("2026-03-08T09:59:59", true), ("2026-03-08T10:00:00", false)]),
        ("America/New_York", "sun 02:00-24:00", &[("2026-03-08T06:59:59", false), ("2026-03-08T07:00:00", true), ("2026-03-09T03:59:59", true), ("2026-03-09T04:00:00", false)]),
        // 2026-11-01: 02:00 becomes 01:00 at 06:00 UTC.
        ("America/New_York", "sat 22:00-06:00", &[("2026-11-01T01:59:59", false), ("2026-11-01T02:00:00", true), ("2026-11-01T10:59:59", true), ("2026-11-01T11:00:00", false)]),
        ("America/New_York", "sun 00:00-01:30", &[("2026-11-01T04:00:00", true), ("2026-11-01T05:30:00", false), ("2026-11-01T06:00:00", true), ("2026-11-01T06:30:00", false)]),
    ];
    for (name, range, times) in cases {
        let mut hours = shanghai(&[range]);
        hours.zone = zone(name).expect(name);
        for (utc, open) in times {
            assert_eq!(hours.is_open(unix(utc, &TimeZone::UTC)), *open, "{name}, {range}, {utc}");
        }
    }
}

#[test]
fn knows_leap_days() {
    let mut office = shanghai(&["daily 09:00-18:00"]);
    assert!(office.is_open(unix("2028-02-29T09:00:00", &office.zone)));
    office.holidays.insert(date("2028-02-29").expect("2028 is a leap year"));
    let eve = unix("2028-02-28T18:00:00", &office.zone);
    assert_eq!(office.next_change(eve), Some(unix("2028-03-01T09:00:00", &office.zone)));
}

#[test]
fn is_closed_for_once() {
    let mut office = shanghai(&["mon-fri 09:00-18:00"]);
    office.workdays.insert(date("2026-11-28").expect("a date"));
    let at = |local: &str| unix(local, &zone("Asia/Shanghai").expect("a zone"));
    // Two that meet, one inside them, one that is empty; and one on a make-up workday, a Saturday.
    office.close(at("2026-11-23T12:00:00"), at("2026-11-23T13:00:00"));
    office.close(at("2026-11-23T13:00:00"), at("2026-11-23T14:00:00"));
    office.close(at("2026-11-23T12:30:00"), at("2026-11-23T12:40:00"));
    office.close(at("2026-11-24T12:00:00"), at("2026-11-24T12:00:00"));
    office.close(at("2026-11-28T16:00:00"), at("2026-11-28T20:00:00"));
    for (local, open, change) in [
        ("2026-11-23T11:59:59", true, "2026-11-23T12:00:00"),
        ("2026-11-23T12:00:00", false, "2026-11-23T14:00:00"),
        ("2026-11-23T13:59:59", false, "2026-11-23T14:00:00"),
        ("2026-11-23T14:00:00", true, "2026-11-23T18:00:00"),
        ("2026-11-24T12:00:00", true, "2026-11-24T18:00:00"),
        ("2026-11-28T15:59:59", true, "2026-11-28T16:00:00"),
        ("2026-11-28T16:00:00", false, "2026-11-30T09:00:00"),
    ] {
        assert_eq!(office.is_open(at(local)), open, "{local}");
        assert_eq!(office.next_change(at(local)), Some(at(change)), "{local}");
    }
}

#[test]
fn tells_holidays_from_workdays() {
    let mut office = shanghai(&["mon-fri 09:00-18:00"]);
    office.holidays.extend(["2026-10-01", "2026-10-02", "2026-10-03"].map(|d| date(d).expect(d)));
    office.workdays.extend(["2026-10-02", "2026-10-10"].map(|d| date(d).expect(d)));
    for (day, holiday, workday) in [
        ("2026-09-30", false, true),
        ("2026-10-01", true, false),
        ("2026-10-02", false, true),
        ("2026-10-03", true, false),
        ("2026-10-04", false, false),
        ("2026-10-10", false, true),
    ] {
        // Of the day as a whole, whatever the hour.
        for time in ["T00:00:00", "T12:00:00", "T23:59:59"] {
            let at = unix(&format!("{day}{time}"), &office.zone);
            assert_eq!((office.is_holiday(at), office.is_workday(at)), (holiday, workday), "{day}{time}");
        }
    }
    assert!(!office.is_holiday(i64::MAX) && !office.is_workday(i64::MAX));
}

#[test]
fn sees_no_change_where_none_comes() {
    let now = unix("2026-11-23T12:00:00", &TimeZone::UTC);
    assert_eq!(shanghai(&[]).next_change(now), None);
    assert_eq!(shanghai(&["daily 00:00-24:00"]).next_change(now), None);
    assert_eq!(shanghai(&["mon-fri 09:00-18:00"]).next_change(i64::MAX), None);
    assert_eq!(shanghai(&["mon-fri 09:00-18:00"]).next_change(i64::MIN), None);
    // A closure next year ends what is always open; one beyond the look-ahead is not seen yet.
    let mut always = shanghai(&["daily 00:00-24:00"]);
    always.close(now + LOOK_AHEAD + 1, now + LOOK_AHEAD + 2);
    assert_eq!(always.next_change(now), None);
    always.close(now + 400 * DAY_SECONDS, now + 401 * DAY_SECONDS);
    assert_eq!(always.next_change(now), Some(now + 400 * DAY_SECONDS));
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let time = |low: u16| {
        (low..=24).prop_flat_map(|h| (Just(h), 0..60u16)).prop_map(|(h, m)| (h * 60 + m).min(1440))
    };
    let range =
        (any::<[bool; 7]>(), 0..1440u16, time(0)).prop_filter_map("no length", |(days, from, until)| {
            let until = if until == 0 { 1440 } else { until };
            (from != until).then_some(Range { days, from, until })
        });
    // Zones with changes by an hour and by half of one, one whose clocks change at midnight, one on the other side.
    let zones = [
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Beirut",
        "Pacific/Chatham",
    ];
    // Days around the changes of 2026.
    let day = prop::sample::select(vec![
        "2026-03-07",
        "2026-03-08",
        "2026-03-28",
        "2026-03-29",
        "2026-04-05",
        "2026-10-24",
        "2026-10-25",
        "2026-11-01",
    ]);
    let days = prop::collection::btree_set(day.prop_map(|d| date(d).expect(d)), 0..3);
    let closure =
        (0..400 * 24 * 60i64, 0..3000i64).prop_map(|(from, length)| (from * 60, (from + length) * 60));
    (
        prop::sample::select(zones.to_vec()),
        prop::collection::vec(range, 0..4),
        days.clone(),
        days,
        prop::collection::vec(closure, 0..40),
    )
        .prop_map(|(name, ranges, holidays, workdays, closures)| {
            let mut schedule = Schedule::new(zone(name).expect(name), ranges);
            (schedule.holidays, schedule.workdays) = (holidays, workdays);
            let year = unix("2026-01-01T00:00:00", &TimeZone::UTC);
            closures.iter().for_each(|(from, until)| schedule.close(year + from, year + until));
            schedule
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The next change is where looking at every minute sees it.
    #[test]
    fn next_change_is_what_every_minute_says(
        schedule in any_schedule(),
        near in prop::sample::select(vec!["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01", "2026-07-01"]),
        minutes in -2000..2000i64,
        second in 0..60i64,
    ) {
        let minute = unix(&format!("{near}T00:00:00"), &TimeZone::UTC) + minutes * 60;
        let now = minute + second;
        let open = schedule.is_open(now);
        let seen = (1..10 * 24 * 60).map(|m| minute + m * 60).find(|at| schedule.is_open(*at) != open);
        match schedule.next_change(now) {
            Some(at) if seen.is_none() => prop_assert!(at >= minute + 10 * DAY_SECONDS),
            change => prop_assert_eq!(change, seen),
        }
    }
}
