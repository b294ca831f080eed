//! `[hours.NAME]`: opening hours, holidays and make-up workdays, by lists and by calendars.
use crate::calendar::{Calendar, Calendars};
use crate::read::{Table, Value};
use ivr::Schedule;
use ivr::hours::{HoursError, Oddity, Range};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::rc::Rc;

const DAY: u16 = 24 * 60;
/// A shorter pause between two ranges is a slip of the pen, not a lunch.
const GAP_MAX: u16 = 5;
/// More ranges than this are no opening hours.
const RANGES_MAX: usize = 50;
const CALENDARS_MAX: usize = 20;
/// The month of the year before in which the calendars of the next year should be there.
const DECEMBER: i8 = 12;
const FORM: &str =
    "write days and times: \"mon-fri 09:00-18:00\", \"sat,sun 10:00-16:00\", \"daily 00:00-24:00\"";

/// Reads a schedule; `epoch_unix` says which year is the current one.
pub(crate) fn read(
    table: Table<'_>,
    name: &str,
    calendars: &mut Calendars,
    epoch_unix: i64,
) -> Option<Schedule> {
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
    let named = named_calendars(&table, zone.as_ref().unwrap_or(&TimeZone::UTC), calendars);
    table.get("title").map(|v| v.text());
    let at = table.at();
    table.done();

    let (ranges, written): (Vec<Range>, Vec<Value<'_>>) = ranges.into_iter().unzip();
    check_gaps(name, &ranges, &written);
    let mut schedule = Schedule::new(zone?, ranges);
    for (_, calendar) in &named {
        add(&mut schedule, &calendar.holidays, &calendar.workdays);
        calendar.closures.iter().for_each(|(from, until)| schedule.close(*from, *until));
    }
    add(&mut schedule, &holidays, &workdays);
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
    let today = schedule.zone.to_datetime(now).date();
    let year = today.year();
    let is_short = check_years(&named, today);
    let knows_year = schedule.holidays.iter().any(|day| day.year() == year);
    if !oddities.contains(&Oddity::AlwaysOpen) && !knows_year && !is_short {
        findings.warning(
            at,
            "year-without-holidays",
            format!("hours `{name}` know no holiday in {year}"),
            format!(
                "name a calendar, `calendars = [\"china\"]`, or list them: `holidays = [\"{year}-01-01\"]`"
            ),
        );
    }
    Some(schedule)
}

/// The calendars with the places where they are named, in the order in which they hold.
fn named_calendars<'a>(
    table: &Table<'a>,
    zone: &TimeZone,
    calendars: &mut Calendars,
) -> Vec<(Value<'a>, Rc<Calendar>)> {
    let mut named: Vec<(Value<'a>, Rc<Calendar>)> = vec![];
    let Some(value) = table.get("calendars") else { return named };
    let entries = value.list().unwrap_or_default();
    if entries.len() > CALENDARS_MAX {
        value.error("too-many", format!("{} names more than {CALENDARS_MAX} calendars", table.title));
    }
    for entry in entries.into_iter().take(CALENDARS_MAX) {
        if named.iter().any(|(before, _)| before.as_text() == entry.as_text()) {
            let shown = crate::shorten(entry.as_text().unwrap_or_default());
            entry.warning("duplicate", format!("`{shown}` is named twice"), None);
        } else if let Some(calendar) = calendars.read(&entry, zone) {
            named.push((entry, calendar));
        }
    }
    named
}

/// Days of a calendar or a list: what it says of a day is stronger than what was said before.
fn add(schedule: &mut Schedule, holidays: &BTreeSet<Date>, workdays: &BTreeSet<Date>) {
    for day in holidays {
        schedule.workdays.remove(day);
        schedule.holidays.insert(*day);
    }
    for day in workdays {
        // In both of one pair of lists: a mistake that is to be seen.
        if !holidays.contains(day) {
            schedule.holidays.remove(day);
        }
        schedule.workdays.insert(*day);
    }
}

/// Warns of a calendar that ends before this year or, in December, before the next one. Whether one lacks
/// this year.
fn check_years(named: &[(Value<'_>, Rc<Calendar>)], today: Date) -> bool {
    let this = today.year();
    let mut lacks_this = false;
    for (value, calendar) in named {
        let next = (today.month() == DECEMBER).then_some(this + 1);
        let missing = std::iter::once(this).chain(next).find(|year| !calendar.years.contains(year));
        // One without any days was found odd already.
        if let Some(year) = missing.filter(|_| !calendar.years.is_empty()) {
            lacks_this |= year == this;
            let shown = crate::shorten(value.as_text().unwrap_or_default());
            let help = match shown.contains('.') {
                true => "add the year's days to the file, or name another one",
                false => {
                    "take a newer hotline, or put a copy of the calendar in its place and add the year's days"
                }
            };
            value.warning(
                "hours-without-year",
                format!("{shown} has no days for {year} yet"),
                help.to_owned(),
            );
        }
    }
    lacks_this
}

pub(crate) fn checked<T>(value: &Value<'_>, rule: &'static str, read: Result<T, HoursError>) -> Option<T> {
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
