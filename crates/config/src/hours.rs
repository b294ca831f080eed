//! `[hours.NAME]`: opening hours, holidays and make-up workdays.
use crate::read::{Table, Value};
use ivr::hours::{Range, Schedule};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: u16 = 24 * 60;
/// A shorter pause between two ranges is a slip of the pen, not a lunch.
const GAP_MAX: u16 = 5;
const FORM: &str = "write days and times: \"mon-fri 09:00-18:00\", \"sat,sun 10:00-16:00\", \"daily 00:00-24:00\"";

/// Reads a schedule; `epoch_unix` says which year is the current one.
pub(crate) fn read(table: Table<'_>, name: &str, epoch_unix: i64) -> Option<Schedule> {
    let zone = table.need("zone", "name the time zone: `zone = \"Asia/Shanghai\"`").and_then(|value| {
        let text = value.word()?;
        let zone = TimeZone::get(text);
        if zone.is_err() {
            value.error_help(
                "unknown-zone",
                format!("no time zone is called \"{}\"", crate::shorten(text)),
                "use a name of the IANA list, as \"Asia/Shanghai\" or \"Europe/Berlin\"".to_owned(),
            );
        }
        zone.ok()
    });
    let mut open = vec![];
    let list = table.need("open", FORM).and_then(|v| Some((v, v.list()?)));
    if let Some((value, entries)) = &list {
        for entry in entries {
            let Some(text) = entry.text() else { continue };
            match range(text) {
                Some(range) => open.push((range, *entry)),
                None => entry.error_help(
                    "bad-hours",
                    format!("these are no opening hours: \"{}\"", crate::shorten(text)),
                    FORM.to_owned(),
                ),
            }
        }
        if entries.is_empty() {
            value.error_help("bad-hours", format!("hours `{name}` are never open"), FORM.to_owned());
        }
    }
    let always = check_week(name, &open);
    let holidays = dates(&table, "holidays");
    let workdays = dates(&table, "workdays");
    for (date, value) in &workdays {
        if holidays.iter().any(|(holiday, _)| holiday == date) {
            value.warning("holiday-and-workday", format!("{date} is a holiday and a workday: it will be a workday"), None);
        }
    }
    if let Some(zone) = &zone
        && !always
    {
        let now = jiff::Timestamp::from_second(epoch_unix).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let year = zone.to_datetime(now).year();
        if !holidays.iter().any(|(date, _)| date.year() == year) {
            table.findings.warning(
                table.at(),
                "year-without-holidays",
                format!("hours `{name}` know no holiday in {year}"),
                format!("add them: `holidays = [\"{year}-01-01\"]`"),
            );
        }
    }
    table.done();
    Some(Schedule {
        name: name.to_owned(),
        zone: zone?,
        open: open.into_iter().map(|(range, _)| range).collect(),
        holidays: holidays.into_iter().map(|(date, _)| date).collect(),
        workdays: workdays.into_iter().map(|(date, _)| date).collect(),
    })
}

fn dates<'a>(table: &Table<'a>, key: &'static str) -> Vec<(Date, Value<'a>)> {
    let mut dates: Vec<(Date, Value<'a>)> = vec![];
    for entry in table.get(key).and_then(|v| v.list()).unwrap_or_default() {
        let Some(text) = entry.text() else { continue };
        match text.parse::<Date>() {
            Ok(date) if dates.iter().any(|(d, _)| *d == date) => {
                entry.warning("duplicate", format!("{date} is listed twice"), None);
            }
            Ok(date) => dates.push((date, entry)),
            Err(_) => entry.error_help(
                "bad-date",
                format!("there is no day \"{}\"", crate::shorten(text)),
                "write year-month-day: \"2026-10-01\"".to_owned(),
            ),
        }
    }
    dates
}

/// `mon-fri,sun 09:00-18:00`
fn range(text: &str) -> Option<Range> {
    let (days, times) = text.trim().split_once(char::is_whitespace)?;
    let mut on = [false; 7];
    if days == "daily" {
        on = [true; 7];
    } else {
        let day = |name: &str| DAYS.iter().position(|d| *d == name);
        for part in days.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first)?, day(last)?);
            // "sat-mon" goes over the end of the week.
            let length = (last + 7 - first) % 7;
            (0..=length).for_each(|i| on[(first + i) % 7] = true);
        }
    }
    let (from, until) = times.trim().split_once('-')?;
    let (from, until) = (minutes(from)?, minutes(until)?);
    let until = if until == 0 { DAY } else { until };
    (from < DAY && from != until).then_some(Range { days: on, from, until })
}

/// `09:00`, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |s: &str| (s.len() <= 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u16>().ok())?;
    let (hour, minute) = (two(hour)?, two(minute).filter(|_| minute.len() == 2)?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

/// Overlaps and slips in the week; whether it is open all the time.
fn check_week(name: &str, open: &[(Range, Value<'_>)]) -> bool {
    let week = 7 * DAY;
    let mut spans: Vec<(u16, u16, usize)> = vec![];
    for (i, (range, _)) in open.iter().enumerate() {
        for day in (0u16..7).filter(|d| range.days[usize::from(*d)]) {
            let length = if range.until > range.from { range.until - range.from } else { range.until + DAY - range.from };
            let from = day * DAY + range.from;
            spans.push((from, from + length, i));
        }
    }
    spans.sort_unstable();
    let (mut overlaps, mut gaps) = (BTreeSet::new(), BTreeSet::new());
    let mut covered = 0;
    for (n, (from, until, i)) in spans.iter().enumerate() {
        covered += until - from;
        // The last span of the week is followed by the first one of the next.
        let (next, to) = match spans.get(n + 1) {
            Some((next, _, to)) => (*next, *to),
            None => (spans[0].0 + week, spans[0].2),
        };
        if next < *until && spans.len() > 1 {
            overlaps.insert((*i.max(&to), *i.min(&to)));
        } else if next > *until && next - until <= GAP_MAX {
            gaps.insert((to, next - until));
        }
    }
    for (later, earlier) in &overlaps {
        let earlier = open[*earlier].1.as_text().unwrap_or("");
        open[*later].1.warning(
            "hours-overlap",
            format!("hours `{name}`: this overlaps \"{earlier}\""),
            "each minute needs to be listed once only".to_owned(),
        );
    }
    for (range, minutes) in &gaps {
        open[*range].1.warning(
            "hours-gap",
            format!("hours `{name}` are closed for {minutes} min before this begins"),
            "end the range before at the minute at which this one begins; midnight is 24:00".to_owned(),
        );
    }
    covered == week && overlaps.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_operators_write_them() {
        let week = |text: &str| {
            range(text).map(|r| {
                let days: String = r.days.iter().map(|d| if *d { 'x' } else { '-' }).collect();
                (days, r.from, r.until)
            })
        };
        let is = |days: &str, from, until| Some((days.to_owned(), from, until));
        assert_eq!(week("mon-fri 09:00-18:00"), is("xxxxx--", 540, 1080));
        assert_eq!(week("sat 10:00-16:30"), is("-----x-", 600, 990));
        assert_eq!(week("sat-mon,wed 8:00-24:00"), is("x-x--xx", 480, 1440));
        assert_eq!(week("daily 00:00-00:00"), is("xxxxxxx", 0, 1440));
        assert_eq!(week("fri 22:00-02:00"), is("----x--", 1320, 120), "over midnight");
        for wrong in ["", "mon", "mon 9-18", "mon 09:00", "mon 25:00-26:00", "monday 09:00-10:00", "mon 09:00-09:00",
            "mon 9:0-10:00", "mon -1:00-2:00", "mon 24:00-01:00", "mon 24:01-25:00"]
        {
            assert_eq!(week(wrong), None, "{wrong:?}");
        }
    }
}
