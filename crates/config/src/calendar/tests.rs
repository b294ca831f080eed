use super::repeat::{Budget, Rule};
use super::*;
use crate::finding::{Finding, Findings};
use crate::install::Install;
use crate::read::Document;
use ivr::Schedule;
use proptest::prelude::*;
use std::sync::Arc;

/// 2026-11-23T00:00:00Z.
const NOW: i64 = 1_795_392_000;
const OFFICE: &str = include_str!("../../../../config/calendars/office.ics");

fn date(text: &str) -> Date {
    text.parse().expect(text)
}

fn shanghai() -> TimeZone {
    ivr::hours::zone("Asia/Shanghai").expect("a zone")
}

fn unix(local: &str) -> i64 {
    shanghai().to_timestamp(local.parse().expect(local)).expect(local).as_second()
}

fn read(text: &str) -> (Calendar, Vec<Finding>) {
    let findings = Findings::default();
    let source = Source::new(Path::new("c.ics"), text.to_owned());
    let calendar = ics::read(&source, &shanghai(), 2025..=2031, &findings);
    (calendar, findings.sorted())
}

/// A calendar of one event, that begins on line 4.
fn event(lines: &[&str]) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        lines.join("\r\n")
    )
}

/// What an event closes, in words: `2026-10-01` a day, `+2026-10-10` a make-up workday, hours with both times.
fn closes(lines: &[&str]) -> Vec<String> {
    let (calendar, findings) = read(&event(lines));
    assert!(findings.is_empty(), "{lines:?}: {findings:?}");
    let local = |unix| shanghai().to_datetime(Timestamp::from_second(unix).expect("a time")).to_string();
    let mut closes: Vec<String> = calendar.holidays.iter().map(Date::to_string).collect();
    closes.extend(calendar.workdays.iter().map(|day| format!("+{day}")));
    closes
        .extend(calendar.closures.iter().map(|(from, until)| format!("{} {}", local(*from), local(*until))));
    closes
}

fn said(lines: &[&str]) -> Vec<String> {
    read(&event(lines)).1.iter().map(|f| f.to_string().replace('\n', " ")).collect()
}

/// The schedule of `[hours.x]` with these lines more.
fn schedule(lines: &str) -> (Arc<Schedule>, Vec<Finding>) {
    let (findings, silent) = (Findings::default(), Findings::default());
    let text = format!("[hours.x]\nzone = \"Asia/Shanghai\"\nopen = [\"mon-fri 09:00-18:00\"]\n{lines}\n");
    let source = Source::new(Path::new("hotline.toml"), text);
    let file = Document::parse(&source, &findings);
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/hotline.toml");
    let install = Install::read(file.table(&findings, &silent), &config, NOW);
    let schedule = install.hours["x"].clone().expect("it can be read");
    let mut findings = findings.sorted();
    findings.retain(|f| !["missing-key", "no-number"].contains(&f.rule) && f.line > 1);
    (schedule, findings)
}

/// The notices of the State Council: 国办发明电〔2023〕7号, 国办发明电〔2024〕12号, and that of 2025-11-04.
#[test]
fn china_has_the_announced_days() {
    let off = [
        ("2024-01-01", 1),
        ("2024-02-10", 8),
        ("2024-04-04", 3),
        ("2024-05-01", 5),
        ("2024-06-10", 1),
        ("2024-09-15", 3),
        ("2024-10-01", 7),
        ("2025-01-01", 1),
        ("2025-01-28", 8),
        ("2025-04-04", 3),
        ("2025-05-01", 5),
        ("2025-05-31", 3),
        ("2025-10-01", 8),
        ("2026-01-01", 3),
        ("2026-02-15", 9),
        ("2026-04-04", 3),
        ("2026-05-01", 5),
        ("2026-06-19", 3),
        ("2026-09-25", 3),
        ("2026-10-01", 7),
    ];
    let work = [
        "2024-02-04",
        "2024-02-18",
        "2024-04-07",
        "2024-04-28",
        "2024-05-11",
        "2024-09-14",
        "2024-09-29",
        "2024-10-12",
        "2025-01-26",
        "2025-02-08",
        "2025-04-27",
        "2025-09-28",
        "2025-10-11",
        "2026-01-04",
        "2026-02-14",
        "2026-02-28",
        "2026-05-09",
        "2026-09-20",
        "2026-10-10",
    ];
    let (china, findings) = read(SHIPPED[0].1);
    assert_eq!(findings, []);
    let off = off.iter().flat_map(|(first, days)| date(first).series(jiff::Span::new().days(1)).take(*days));
    assert_eq!(china.holidays, off.collect());
    assert_eq!(china.workdays, work.map(date).into());
    // A make-up workday is a Saturday or a Sunday: anything else is a slip of the pen.
    assert!(china.workdays.iter().all(|day| day.weekday().to_monday_zero_offset() >= 5));
    assert_eq!(china.closures, []);
    assert_eq!(china.years, [2024, 2025, 2026].into());
}

#[test]
fn the_copy_for_operators_is_the_calendar_itself() {
    assert_eq!(include_str!("../../../../config/calendars/china.ics"), SHIPPED[0].1);
    let (office, findings) = read(OFFICE);
    assert_eq!(findings, []);
    assert_eq!(office.closures[1], (unix("2026-12-31T12:00:00"), unix("2027-01-01T00:00:00")));
    assert_eq!(office.holidays.first(), Some(&date("2026-05-15")));
    assert_eq!(office.workdays, [date("2026-12-19")].into());
}

#[test]
fn hours_follow_their_calendars() {
    let (hours, findings) = schedule("calendars = [\"china\", \"calendars/office.ics\"]");
    assert_eq!(findings, []);
    for (local, open) in [
        ("2026-10-01T10:00:00", false),
        ("2026-10-10T10:00:00", true),
        ("2026-10-11T10:00:00", false),
        ("2026-12-31T11:59:59", true),
        ("2026-12-31T12:00:00", false),
        ("2026-12-19T10:00:00", true),
        ("2027-05-21T10:00:00", false),
    ] {
        assert_eq!(hours.is_open(unix(local)), open, "{local}");
    }
    // The hours' own lists are stronger than calendars.
    let (hours, findings) =
        schedule("calendars = [\"china\"]\nholidays = [\"2026-10-10\"]\nworkdays = [\"2026-10-01\"]");
    assert_eq!(findings, []);
    assert!(!hours.is_open(unix("2026-10-10T10:00:00")));
    assert!(hours.is_open(unix("2026-10-01T10:00:00")));
}

#[rustfmt::skip]
#[test]
fn events_close_days_and_hours() {
    let none: [&str; 0] = [];
    for (lines, closed) in [
        // Whole days: DTEND is the day after; many write the day itself; without an end it is one day.
        (&["DTSTART;VALUE=DATE:20261001", "DTEND;VALUE=DATE:20261003"][..], &["2026-10-01", "2026-10-02"][..]),
        (&["DTSTART;VALUE=DATE:20261001", "DTEND;VALUE=DATE:20261001"], &["2026-10-01"]),
        (&["DTSTART;VALUE=DATE:20261001"], &["2026-10-01"]),
        (&["DTSTART:20261001", "DURATION:P2D"], &["2026-10-01", "2026-10-02"]),
        (&["dtstart;value=date:20261001", "Duration:P1W"], &["2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05", "2026-10-06", "2026-10-07"]),
        // Times: floating, UTC, of another zone, of a zone as Outlook and Mozilla call it.
        (&["DTSTART:20261001T120000", "DTEND:20261001T140000"], &["2026-10-01T12:00:00 2026-10-01T14:00:00"]),
        (&["DTSTART:20261001T040000Z", "DURATION:PT1H30M"], &["2026-10-01T12:00:00 2026-10-01T13:30:00"]),
        (&["DTSTART;TZID=Europe/Berlin:20261001T120000", "DTEND;TZID=\"Asia/Tokyo\":20261001T200000"], &["2026-10-01T18:00:00 2026-10-01T19:00:00"]),
        (&["DTSTART;TZID=China Standard Time:20261001T120000", "DURATION:PT1H"], &["2026-10-01T12:00:00 2026-10-01T13:00:00"]),
        (&["DTSTART;TZID=/mozilla.org/20050126_1/Asia/Shanghai:20261001T120000", "DURATION:PT1H"], &["2026-10-01T12:00:00 2026-10-01T13:00:00"]),
        (&["DTSTART:20261001T235960", "DURATION:PT1S"], &["2026-10-01T23:59:59 2026-10-02T00:00:00"]),
        // From midnight to midnight are whole days.
        (&["DTSTART:20261001T000000", "DTEND:20261003T000000"], &["2026-10-01", "2026-10-02"]),
        (&["DTSTART:20260930T160000Z", "DURATION:P1D"], &["2026-10-01"]),
        // Workdays by category or by name.
        (&["DTSTART;VALUE=DATE:20261010", "CATEGORIES:HOLIDAY,Workday"], &["+2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "SUMMARY:国庆节（班）"], &["+2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "SUMMARY:国庆节 班"], &["+2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "SUMMARY:国庆节补班"], &["+2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "SUMMARY:上班(补国庆节假期)"], &["+2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "SUMMARY:National Day workday"], &["+2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "SUMMARY:台风停班"], &["2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "SUMMARY:不上班"], &["2026-10-10"]),
        (&["DTSTART;VALUE=DATE:20261010", "CATEGORIES:no\\,workday"], &["2026-10-10"]),
        // Cancelled.
        (&["DTSTART;VALUE=DATE:20261001", "STATUS:CANCELLED"], &none),
        // Lines folded wherever it pleases, in a name too; an alarm's own times and a colon in quotes.
        (&["DTST", " ART;VAL", "\tUE=DATE:2026", " 1001"], &["2026-10-01"]),
        (&["ATTENDEE;CN=\"a;b:c\":mailto:x@example.com", "DTSTART;VALUE=DATE:20261001", "BEGIN:VALARM", "DURATION:PT5M", "TRIGGER:-PT15M", "END:VALARM"], &["2026-10-01"]),
        // Repetitions: an end in UTC, exceptions by time and by day, more dates, a leap day.
        (&["DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY;UNTIL=20280101"], &["2026-01-01", "2027-01-01", "2028-01-01"]),
        (&["DTSTART:20261001T120000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261002T040000Z"], &["2026-10-01T12:00:00 2026-10-01T13:00:00", "2026-10-02T12:00:00 2026-10-02T13:00:00"]),
        (&["DTSTART:20261001T120000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4", "EXDATE:20261001T040000Z", "EXDATE;VALUE=DATE:20261002", "EXDATE:20261003T120000,20261004T120000"], &none),
        (&["DTSTART;VALUE=DATE:20261001", "RDATE;VALUE=DATE:20261005,20261007", "EXDATE;VALUE=DATE:20261005"], &["2026-10-01", "2026-10-07"]),
        (&["DTSTART;VALUE=DATE:20240229", "RRULE:FREQ=YEARLY"], &["2028-02-29"]),
        (&["DTSTART;VALUE=DATE:19490101", "DTEND;VALUE=DATE:19490103", "RRULE:FREQ=YEARLY;INTERVAL=5"], &["2029-01-01", "2029-01-02"]),
        // Before last year an event that does not repeat is kept, one that repeats is not.
        (&["DTSTART;VALUE=DATE:20011001"], &["2001-10-01"]),
        (&["DTSTART;VALUE=DATE:20011001", "RRULE:FREQ=YEARLY;COUNT=2"], &none),
    ] {
        assert_eq!(closes(lines), closed, "{lines:?}");
    }
}

/// Simple programs fold lines after 75 bytes, in the middle of a character: 班 is e7 8f ad.
#[test]
fn a_fold_may_divide_a_character() {
    let mut bytes = b"SUMMARY:\xe5\r\n \x9b\xbd \xe7\x8f\n\t\xad\nX:\xe7\xad\n".to_vec();
    mend_folds(&mut bytes);
    assert_eq!(String::from_utf8_lossy(&bytes), "SUMMARY:国\r\n  班\n\t\nX:\u{fffd}\n");
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("c.ics");
    let text = event(&["DTSTART;VALUE=DATE:20261010", "SUMMARY:国庆节班"]).into_bytes();
    let at = text.windows(3).position(|w| w == "班".as_bytes()).expect("it is there") + 1;
    std::fs::write(&path, [&text[..at], b"\r\n ", &text[at..]].concat()).expect("the folder is writable");
    let findings = Findings::default();
    let source = read_source(&path, &findings);
    let calendar = ics::read(&source, &shanghai(), 2025..=2031, &findings);
    assert_eq!((calendar.workdays, findings.sorted()), ([date("2026-10-10")].into(), vec![]));
}

/// A weekly closure stays at its time on the wall when the clocks change.
#[test]
fn repeats_by_the_clock_on_the_wall() {
    let zone = ivr::hours::zone("America/New_York").expect("a zone");
    let text = event(&[
        "DTSTART;TZID=America/New_York:20260301T120000",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;COUNT=2",
    ]);
    let source = Source::new(Path::new("c.ics"), text);
    let calendar = ics::read(&source, &zone, 2025..=2031, &Findings::default());
    let utc = |unix| Timestamp::from_second(unix).expect("a time").to_string();
    let closures: Vec<String> = calendar.closures.iter().map(|(from, _)| utc(*from)).collect();
    assert_eq!(closures, ["2026-03-01T17:00:00Z", "2026-03-08T16:00:00Z"]);
}

/// The examples of RFC 5545, 3.8.5.3 and 3.3.10, as far as they are about days.
#[rustfmt::skip]
#[test]
fn rules_of_the_rfc() {
    for (first, rule, dates) in [
        ("1997-09-02", "FREQ=DAILY;COUNT=10", "1997-09-02 09-03 09-04 09-05 09-06 09-07 09-08 09-09 09-10 09-11"),
        ("1997-09-02", "FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02 09-12 09-22 10-02 10-12"),
        ("1997-09-02", "FREQ=WEEKLY;COUNT=3", "1997-09-02 09-09 09-16"),
        ("1997-09-02", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "1997-09-02 09-04 09-16 09-18 09-30 10-02 10-14 10-16"),
        ("1997-09-01", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,WE,FR;COUNT=8", "1997-09-01 09-03 09-05 09-15 09-17 09-19 09-29 10-01"),
        ("1997-09-05", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997-09-05 10-03 11-07 12-05 1998-01-02 02-06 03-06 04-03 05-01 06-05"),
        ("1997-09-07", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "1997-09-07 09-28 11-02 11-30 1998-01-04 01-25 03-01 03-29 05-03 05-31"),
        ("1997-09-22", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "1997-09-22 10-20 11-17 12-22 1998-01-19 02-16"),
        ("1997-09-28", "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6", "1997-09-28 10-29 11-28 12-29 1998-01-29 02-26"),
        ("1997-09-02", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "1997-09-02 09-15 10-02 10-15 11-02 11-15 12-02 12-15 1998-01-02 01-15"),
        ("1997-09-30", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "1997-09-30 10-01 10-31 11-01 11-30 12-01 12-31 1998-01-01 01-31 02-01"),
        ("1997-09-10", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", "1997-09-10 09-11 09-12 09-13 09-14 09-15 1999-03-10 03-11 03-12 03-13"),
        ("1997-06-10", "FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "1997-06-10 07-10 1998-06-10 07-10"),
        ("1997-03-10", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", "1997-03-10 1999-01-10 02-10 03-10 2001-01-10 02-10 03-10 2003-01-10 02-10 03-10"),
        ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19 1998-05-18 1999-05-17"),
        ("1997-03-13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=7", "1997-03-13 03-20 03-27 1998-03-05 03-12 03-19 03-26"),
        ("1998-02-13", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5", "1998-02-13 03-13 11-13 1999-08-13 2000-10-13"),
        ("1997-09-13", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=6", "1997-09-13 10-11 11-08 12-13 1998-01-10 02-07"),
        ("1996-11-05", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3", "1996-11-05 2000-11-07 2004-11-02"),
        ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 10-07 11-06"),
        ("1997-09-29", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7", "1997-09-29 10-30 11-27 12-30 1998-01-29 02-26 03-30"),
        ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05 08-10 08-19 08-24"),
        ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05 08-17 08-19 08-31"),
        ("2007-01-15", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "2007-01-15 01-30 02-15 03-15 03-30"),
        // A DTSTART that the rule does not mean is a date all the same, and counts.
        ("1997-09-02", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=2", "1997-09-02 1998-02-13"),
        ("2024-02-29", "FREQ=YEARLY;COUNT=2", "2024-02-29 2028-02-29"),
        ("2026-01-31", "FREQ=MONTHLY;COUNT=3", "2026-01-31 03-31 05-31"),
        ("2026-01-01", "freq=daily;byday=sa,su;bymonth=1;count=3", "2026-01-01 01-03 01-04"),
        ("2026-12-31", "FREQ=YEARLY;BYDAY=-1TH;COUNT=2", "2026-12-31 2027-12-30"),
    ] {
        let parsed = Rule::parse(rule).expect(rule);
        let found = parsed.dates(date(first), date(first), date("2040-01-01"), &mut Budget(1_000_000)).expect(rule);
        let mut year = String::new();
        let wanted: Vec<Date> = dates.split(' ').map(|text| {
            if text.len() == 10 {
                year = text[..5].to_owned();
                date(text)
            } else {
                date(&format!("{year}{text}"))
            }
        }).collect();
        assert_eq!(found, wanted, "{first} {rule}");
    }
}

#[rustfmt::skip]
#[test]
fn says_where_a_calendar_is_wrong() {
    let day = "DTSTART;VALUE=DATE:20261001";
    for (lines, finding) in [
        (&["SUMMARY:x"][..], "c.ics:3:1: error[bad-calendar]: the event has no DTSTART"),
        (&["DTSTART;VALUE=DATE:20260230"], "c.ics:4:20: error[bad-calendar]: \"20260230\" is no date, as in 20261001 or 20261001T090000"),
        (&["DTSTART:2026-10-01"], "c.ics:4:9: error[bad-calendar]: \"2026-10-01\" is no date, as in 20261001 or 20261001T090000"),
        (&["DTSTART:20261001T2500"], "c.ics:4:9: error[bad-calendar]: \"20261001T2500\" is no date, as in 20261001 or 20261001T090000"),
        (&[day, "EXDATE:20261003T120000,20261099T120000"], "c.ics:5:24: error[bad-calendar]: \"20261099T120000\" is no date, as in 20261001 or 20261001T090000"),
        // A place in a folded line is where it stands in the file.
        (&["SUMMARY:节", " 日", "DTSTART;VALUE=", " DATE", " :2026x"], "c.ics:8:3: error[bad-calendar]: \"2026x\" is no date, as in 20261001 or 20261001T090000"),
        (&[day, "DTEND;VALUE=DATE:20260930"], "c.ics:5:18: error[bad-calendar]: the event ends before it begins"),
        (&[day, "DTEND;VALUE=DATE:20271003"], "c.ics:5:18: error[bad-calendar]: the event lasts longer than 366 days"),
        (&[day, "DTEND:20261001T120000"], "c.ics:5:7: error[bad-calendar]: DTSTART and DTEND must both have a time, or neither"),
        (&[day, "DURATION:PT5H"], "c.ics:5:10: error[bad-calendar]: an event without a time lasts whole days"),
        (&[day, "DURATION:-P1D"], "c.ics:5:10: error[bad-calendar]: \"-P1D\" is no duration, as in P1D or PT4H"),
        (&[day, "DURATION:P1D", "DTEND:20261002"], "c.ics:5:10: error[bad-calendar]: the event has both DTEND and DURATION"),
        (&[day, "RRULE:FREQ=YEARLY;BYMONTH=13"], "c.ics:5:27: error[bad-calendar]: `13` of the rule is no number from 1 to 12"),
        (&[day, "RRULE:BYMONTH=1"], "c.ics:5:7: error[bad-calendar]: `FREQ` of the rule is missing"),
        (&[day, "RRULE:FREQ=YEARLY;BYDAY=MO,XX"], "c.ics:5:28: error[bad-calendar]: `XX` of the rule is no weekday"),
        (&[day, "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101"], "c.ics:5:7: error[bad-calendar]: `COUNT` of the rule is given together with UNTIL"),
        (&[day, "RRULE:FREQ=HOURLY"], "c.ics:5:12: error[unsupported-repeat]: `HOURLY` is not among the repetitions that are followed   help: write the dates out: RDATE, or one event each"),
        (&[day, "RRULE:RSCALE=CHINESE;FREQ=YEARLY"], "c.ics:5:7: error[unsupported-repeat]: `RSCALE` is not among the repetitions that are followed   help: write the dates out: RDATE, or one event each"),
        (&["DTSTART;TZID=Asia/Shangai:20261001T120000"], "c.ics:4:1: error[unknown-zone]: no time zone is called `Asia/Shangai`   help: did you mean `Asia/Shanghai`?"),
        (&["DTSTART:20261001T120000"], "c.ics:3:1: warning[closes-nothing]: the event has no length: it closes nothing   help: give it a DTEND or a DURATION"),
        (&["DTSTART:20261010T090000", "DURATION:PT9H", "SUMMARY:补班"], "c.ics:4:9: warning[workday-with-times]: a make-up workday is a whole day, with a Monday's hours: its times are not looked at"),
        (&[day, "RECURRENCE-ID;VALUE=DATE:20261001"], "c.ics:5:26: warning[changed-occurrence]: the change of a single date of a series is not followed: the series' own date holds   help: take the date out of the series with EXDATE, and give this event a UID of its own"),
        (&[day, "no line"], "c.ics:5:1: error[bad-calendar]: \"no line\" is no line of a calendar"),
        (&[day, "END:VEVENT", "BEGIN:VEVENT", day, "CATEGORIES:WORKDAY"], "c.ics:7:20: warning[holiday-and-workday]: 2026-10-01 is a holiday and a workday: it counts as a workday"),
    ] {
        assert_eq!(said(lines), [finding], "{lines:?}");
    }
    for (text, finding) in [
        ("", "c.ics: error[bad-calendar]: this is no iCalendar file: BEGIN:VCALENDAR is missing"),
        ("<html>\n</html>\n", "c.ics:1:1: error[bad-calendar]: this is no iCalendar file: it must begin with BEGIN:VCALENDAR"),
        ("BEGIN:VCARD\nEND:VCARD\n", "c.ics:1:1: error[bad-calendar]: this is no iCalendar file: it must begin with BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "c.ics: warning[closes-nothing]: the calendar has no event: it closes nothing"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "c.ics:3:1: error[bad-calendar]: END:VCALENDAR has no BEGIN here"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "c.ics:3:1: error[bad-calendar]: the file ends before END:VEVENT"),
    ] {
        assert_eq!(read(text).1.iter().map(Finding::to_string).collect::<Vec<_>>(), [finding]);
    }
}

#[test]
fn large_calendars_are_refused() {
    let one = "BEGIN:VEVENT\nDTSTART:20261001\nEND:VEVENT\n";
    let events = |event: &str, n| format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", event.repeat(n));
    assert_eq!(read(&events(one, 5000)).1, []);
    let rules = |text: &str| read(text).1.iter().map(|f| f.rule).collect::<Vec<_>>();
    assert_eq!(rules(&events(one, 5001)), ["too-many"]);
    let daily = "BEGIN:VEVENT\nDTSTART:20200101\nDURATION:P366D\nRRULE:FREQ=DAILY\nEND:VEVENT\n";
    assert_eq!(rules(&events(daily, 1)), ["too-many"]);
    // From the year 1 on, counted, to the end of the window: 5000 of them would take hours.
    let counted = "BEGIN:VEVENT\nDTSTART:00010101\nRRULE:FREQ=YEARLY;COUNT=1000000;BYDAY=53MO\nEND:VEVENT\n";
    assert_eq!(rules(&events(counted, 5000)), ["too-many"]);
    assert_eq!(rules(&events("no line\n", 5000)).len(), 20);
    assert_eq!(rules(&"BEGIN:VCALENDAR\n".repeat(10_000)), ["bad-calendar"]);
}

#[test]
fn a_year_that_is_missing_is_said_in_time() {
    let said = |now: &str| {
        let (findings, silent) = (Findings::default(), Findings::default());
        let text = "[hours.x]\nzone = \"Asia/Shanghai\"\nopen = [\"mon-fri 09:00-18:00\"]\ncalendars = [\"china\"]\n";
        let source = Source::new(Path::new("hotline.toml"), text.to_owned());
        let file = Document::parse(&source, &findings);
        Install::read(file.table(&findings, &silent), Path::new("hotline.toml"), unix(now));
        let mut findings = findings.sorted();
        findings.retain(|f| f.rule.contains("year"));
        findings.into_iter().map(|f| format!("{}:{}: {}", f.line, f.column, f.what)).collect::<Vec<_>>()
    };
    assert_eq!(said("2024-01-01T00:00:00"), [""; 0]);
    assert_eq!(said("2026-11-30T23:59:59"), [""; 0]);
    assert_eq!(said("2026-12-01T00:00:00"), ["4:14: china has no days for 2027 yet"]);
    assert_eq!(said("2027-01-01T00:00:00"), ["4:14: china has no days for 2027 yet"]);
    assert_eq!(said("2030-06-01T00:00:00"), ["4:14: china has no days for 2030 yet"]);
}

const BITS: [&str; 24] = [
    "\r\n",
    "\n ",
    ":",
    ";",
    ",",
    "\"",
    "\\",
    "=",
    "T",
    "Z",
    "-",
    "0",
    "99999999",
    "班",
    "\u{feff}",
    "\0",
    "BEGIN:VEVENT\n",
    "END:VEVENT\n",
    "RRULE:FREQ=WEEKLY;BYDAY=-1SU\n",
    "RRULE:FREQ=YEARLY;INTERVAL=10000\n",
    "EXDATE:20261001\n",
    "DTSTART;TZID=Africa/Cairo:00010101T000000\n",
    "DURATION:P9999W\n",
    "UNTIL=99991231",
];

#[derive(Clone, Debug)]
enum Slip {
    Byte(usize, u8),
    Remove(usize, usize),
    Insert(usize, usize),
    Repeat(usize, usize),
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Slip::Byte(at, byte)),
        (any::<usize>(), 1..60usize).prop_map(|(at, length)| Slip::Remove(at, length)),
        (any::<usize>(), 0..BITS.len()).prop_map(|(at, bit)| Slip::Insert(at, bit)),
        (any::<usize>(), 1..200usize).prop_map(|(at, length)| Slip::Repeat(at, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, slip: &Slip) {
    let length = bytes.len().max(1);
    let cut = |at: usize, count: usize| at % length..(at % length + count).min(length);
    match *slip {
        _ if bytes.is_empty() => {}
        Slip::Byte(at, byte) => bytes[at % length] = byte,
        Slip::Remove(at, count) => drop(bytes.drain(cut(at, count))),
        Slip::Insert(at, bit) => drop(bytes.splice(at % length..at % length, BITS[bit].bytes())),
        Slip::Repeat(at, count) => {
            let again = bytes[cut(at, count)].to_vec();
            drop(bytes.splice(at % length..at % length, again));
        }
    }
}

/// Every finding lies in the file, and nothing is both open and closed.
fn check(text: &str) {
    let (calendar, findings) = read(text);
    let lines: Vec<&str> = text.split('\n').collect();
    for finding in findings {
        let inside = match finding.line {
            0 => finding.column == 0,
            line => {
                lines.get(line as usize - 1).is_some_and(|l| finding.column as usize <= l.chars().count() + 1)
            }
        };
        assert!(inside, "{finding}");
    }
    assert!(calendar.holidays.is_disjoint(&calendar.workdays));
    assert!(calendar.closures.iter().all(|(from, until)| from < until));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_slip_ends_in_findings(china in any::<bool>(), slips in prop::collection::vec(slip(), 1..12)) {
        let mut bytes = if china { SHIPPED[0].1 } else { OFFICE }.as_bytes().to_vec();
        slips.iter().for_each(|s| apply(&mut bytes, s));
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_event_ends_in_findings(lines in prop::collection::vec("(DTSTART|DTEND|RRULE|EXDATE|DURATION|TZID)[:;=]\\PC{0,30}", 0..6)) {
        check(&event(&lines.iter().map(String::as_str).collect::<Vec<_>>()));
    }

    /// Beginning to look late finds what looking from the first date finds.
    #[test]
    fn a_rule_may_be_looked_at_late(
        every in prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        interval in 1..40u32,
        more in prop::sample::select(vec!["", ";BYMONTH=2,12", ";BYDAY=MO,SU", ";BYDAY=TU;BYSETPOS=-1", ";WKST=SU;BYDAY=SU,WE"]),
        first in 0..3000i64,
        late in 0..6000i64,
    ) {
        let rule = Rule::parse(&format!("FREQ={every};INTERVAL={interval}{more}")).expect("a rule");
        let first = repeat::plus(date("2000-01-01"), first).expect("a date");
        let late = repeat::plus(date("2000-01-01"), late).expect("a date");
        let until = date("2022-01-01");
        let mut all = rule.dates(first, first, until, &mut Budget(1_000_000)).expect("within the budget");
        prop_assert!(all.is_sorted());
        all.retain(|date| *date >= late);
        prop_assert_eq!(rule.dates(first, late, until, &mut Budget(1_000_000)), Some(all));
    }
}
