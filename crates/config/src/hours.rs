//! `[hours.NAME]`: opening hours, holidays and make-up workdays.
use crate::read::{Table, Value};
use ivr::Schedule;
use ivr::hours::{HoursError, Oddity, Range};
use jiff::civil::Date;
use std::collections::BTreeSet;

const DAY: u16 = 24 * 60;
/// A shorter pause between two ranges is a slip of the pen, not a lunch.
const GAP_MAX: u16 = 5;
/// More ranges than this are no opening hours.
const RANGES_MAX: usize = 50;
const FORM: &str =
    "write days and times: \"mon-fri 09:00-18:00\", \"sat,sun 10:00-16:00\", \"daily 00:00-24:00\"";

/// Reads a schedule; `epoch_unix` says which year is the current one.
pub(crate) fn read(table: Table<'_>, name: &str, epoch_unix: i64) -> Option<Schedule> {
    let findings = table.findings;
    let zone = table.need("zone", "name the time zone: `zone = \"Asia/Shanghai\"`");
    let zone = zone.and_then(|value| checked(&value, "unknown-zone", ivr::hours::zone(value.word()?)));
    let mut ranges = vec![];
    let list = table.need("open", FORM).and_then(|v| Some((v, v.list()?)));
    if let Some((value, entries)) = &list {
        for entry in entries.iter().take(RANGES_MAX) {
            let Some(text) = entry.text() else { continue };
            if let Some(range) = checked(entry, "bad-hours", Range::parse(text)) {
                ranges.push((range, *entry));
            }
        }
        if entries.is_empty() {
            value.error_help("bad-hours", format!("hours `{name}` are never open"), FORM.to_owned());
        } else if entries.len() > RANGES_MAX {
            value.error("too-many", format!("hours `{name}` have more than {RANGES_MAX} ranges"));
        }
    }
    let holidays = dates(&table, "holidays");
    let workdays = dates(&table, "workdays");
    table.get("title").map(|v| v.text());
    let at = table.at();
    table.done();

    let (ranges, written): (Vec<Range>, Vec<Value<'_>>) = ranges.into_iter().unzip();
    check_gaps(name, &ranges, &written);
    let schedule = Schedule { zone: zone?, ranges, holidays, workdays };
    let oddities = schedule.oddities();
    for odd in &oddities {
        match odd {
            // Said above, or of no harm.
            Oddity::NeverOpen | Oddity::HolidayOnClosedDay(_) | Oddity::YearWithoutHolidays(_) => {}
            Oddity::Overlap { first, second, .. } => {
                let (Some(first), Some(second)) = (written.get(*first), written.get(*second)) else {
                    continue;
                };
                second.warning(
                    "hours-overlap",
                    format!("hours `{name}`: this overlaps \"{}\"", first.as_text().unwrap_or("")),
                    "list each minute once".to_owned(),
                );
            }
            Oddity::AlwaysOpen => {
                let help = "remove the step that asks for these hours, or list the holidays".to_owned();
                findings.warning(at, "always-open", format!("hours `{name}` are always open"), help);
            }
            Oddity::HolidayAndWorkday(_) => {
                findings.warning(at, "holiday-and-workday", odd.to_string(), None)
            }
        }
    }
    let now = jiff::Timestamp::from_second(epoch_unix).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let year = schedule.zone.to_datetime(now).year();
    if !oddities.contains(&Oddity::AlwaysOpen) && !schedule.holidays.iter().any(|day| day.year() == year) {
        findings.warning(
            at,
            "year-without-holidays",
            format!("hours `{name}` know no holiday in {year}"),
            format!("add them: `holidays = [\"{year}-01-01\"]`"),
        );
    }
    Some(schedule)
}

fn checked<T>(value: &Value<'_>, rule: &'static str, read: Result<T, HoursError>) -> Option<T> {
    read.map_err(|e| value.findings.error_help(value.inside(e.at), rule, crate::shorten(&e.what), e.help))
        .ok()
}

fn dates(table: &Table<'_>, key: &'static str) -> BTreeSet<Date> {
    let mut dates = BTreeSet::new();
    for entry in table.get(key).and_then(|v| v.list()).unwrap_or_default() {
        let Some(text) = entry.text() else { continue };
        if let Some(date) = checked(&entry, "bad-date", ivr::hours::date(text))
            && !dates.insert(date)
        {
            entry.warning("duplicate", format!("{date} is listed twice"), None);
        }
    }
    dates
}

/// Minutes between two ranges that nobody meant to leave out, as after "23:59".
fn check_gaps(name: &str, ranges: &[Range], written: &[Value<'_>]) {
    let mut spans: Vec<(u16, u16, usize)> = vec![];
    for (i, range) in ranges.iter().enumerate() {
        let over_midnight = if range.until > range.from { 0 } else { DAY };
        let length = range.until + over_midnight - range.from;
        let days = (0u16..7).filter(|d| range.days[usize::from(*d)]);
        spans.extend(days.map(|day| (day * DAY + range.from, day * DAY + range.from + length, i)));
    }
    spans.sort_unstable();
    let Some(first) = spans.first().copied() else { return };
    // The last span of the week is followed by the first one of the next.
    let following = spans.iter().skip(1).copied().chain([(first.0 + 7 * DAY, 0, first.2)]);
    for ((_, until, _), (from, _, next)) in spans.iter().zip(following) {
        if from > *until && from - until <= GAP_MAX {
            written[next].warning(
                "hours-gap",
                format!("hours `{name}` are closed for {} min before this begins", from - until),
                "end the range before at the minute at which this one begins; midnight is 24:00".to_owned(),
            );
        }
    }
}
