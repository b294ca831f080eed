//! iCalendar files (RFC 5545): which days and hours the events close, which days are make-up workdays.

use super::Calendar;
use super::repeat::{Budget, Rule, days_between, plus};
use crate::finding::{At, Findings, Source};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// More events than this are no calendar of opening hours.
const EVENTS_MAX: usize = 5000;
/// A longer event is a slip of the pen. Days.
const EVENT_DAYS_MAX: i64 = 366;
/// Days and hours that all events of a file close, repetitions included.
const MARKS_MAX: u32 = 100_000;
/// Days that are looked at to follow all repetitions of a file.
const STEPS_MAX: u32 = 20_000_000;
/// Components in components.
const DEPTH_MAX: usize = 16;
/// More mistakes of one file than this help nobody.
const MISTAKES_MAX: usize = 20;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Reads a calendar for hours in `zone`. Events that repeat are followed through `years`.
pub(super) fn read(
    source: &Source,
    zone: &TimeZone,
    years: RangeInclusive<i16>,
    findings: &Findings,
) -> Calendar {
    let first = Date::new(*years.start(), 1, 1).unwrap_or(Date::MIN);
    let last = Date::new(*years.end(), 12, 31).unwrap_or(Date::MAX);
    let mut reader = Reader {
        source,
        findings,
        zone,
        window: (first, last),
        zones: BTreeMap::new(),
        calendar: Calendar::default(),
        mistakes: 0,
        marks: Budget(MARKS_MAX),
        steps: Budget(STEPS_MAX),
    };
    reader.file();
    let Reader { mut calendar, .. } = reader;
    calendar.holidays.retain(|day| !calendar.workdays.contains(day));
    calendar
}

struct Reader<'a> {
    source: &'a Source,
    findings: &'a Findings,
    zone: &'a TimeZone,
    window: (Date, Date),
    /// Zones by the names that the file has for them.
    zones: BTreeMap<String, TimeZone>,
    calendar: Calendar,
    mistakes: usize,
    marks: Budget,
    steps: Budget,
}

/// A content line, unfolded.
struct Line<'a> {
    source: &'a Source,
    text: String,
    /// Where in `text` a physical line begins, and where that is in the file.
    pieces: Vec<(usize, usize)>,
}

/// `NAME;PARAMETER=VALUE:VALUE`
struct Property<'l> {
    line: &'l Line<'l>,
    name: String,
    parameters: Vec<(String, String)>,
    value: &'l str,
    value_at: usize,
}

/// When something happens.
#[derive(Clone, PartialEq, Debug)]
enum Moment {
    Day(Date),
    Time(DateTime, TimeZone),
}

/// How long an event lasts: days by the calendar, then seconds by the clock.
#[derive(Clone, Copy, Debug)]
struct Length {
    days: i64,
    seconds: i64,
}

/// What is known of an event at its END.
struct Event<'a> {
    at: At<'a>,
    start: Option<(At<'a>, Moment)>,
    end: Option<(At<'a>, Moment)>,
    length: Option<(At<'a>, Length)>,
    rules: Vec<(At<'a>, Rule, Option<Moment>)>,
    more: Vec<Moment>,
    except: Vec<Moment>,
    summary: String,
    is_workday: bool,
    is_cancelled: bool,
    replaces: Option<At<'a>>,
    /// Something in it was wrong, and was said.
    is_broken: bool,
}

impl<'a> Reader<'a> {
    fn file(&mut self) {
        let lines = unfold(self.source);
        let mut open: Vec<String> = vec![];
        let mut event: Option<Event<'a>> = None;
        let mut events = 0;
        let mut is_calendar = false;
        for line in lines.iter().filter(|line| !line.text.trim().is_empty()) {
            if self.mistakes >= MISTAKES_MAX {
                return;
            }
            let Some(property) = parse_property(line) else {
                if !is_calendar {
                    return self.no_calendar(line);
                }
                let what = format!("\"{}\" is no line of a calendar", crate::shorten(&line.text));
                self.wrong(line.at(0), what);
                continue;
            };
            let component = property.value.trim().to_ascii_uppercase();
            match &*property.name {
                "BEGIN" => {
                    if !is_calendar && component != "VCALENDAR" {
                        return self.no_calendar(line);
                    }
                    is_calendar = true;
                    if open.len() == DEPTH_MAX {
                        return self
                            .wrong(line.at(0), format!("more than {DEPTH_MAX} BEGIN inside each other"));
                    }
                    if component == "VEVENT" && open == ["VCALENDAR"] {
                        events += 1;
                        if events > EVENTS_MAX {
                            let what = format!("the calendar has more than {EVENTS_MAX} events");
                            return self.findings.error(line.at(0), "too-many", what);
                        }
                        event = Some(Event::new(line.at(0)));
                    }
                    open.push(component);
                }
                "END" => {
                    if open.pop().is_none_or(|begun| begun != component) {
                        let what = format!("END:{} has no BEGIN here", crate::shorten(&component));
                        return self.wrong(line.at(0), what);
                    }
                    if open == ["VCALENDAR"]
                        && component == "VEVENT"
                        && let Some(event) = event.take()
                        && self.event(event).is_none()
                    {
                        return;
                    }
                }
                _ if !is_calendar => return self.no_calendar(line),
                _ if open == ["VCALENDAR", "VEVENT"] => {
                    if let Some(event) = &mut event
                        && self.take(event, &property).is_none()
                    {
                        event.is_broken = true;
                    }
                }
                // Alarms, time zones (their names are enough), tasks and the calendar's own properties.
                _ => {}
            }
        }
        if let Some(component) = open.last() {
            let end = self.source.at(self.source.text.len());
            self.wrong(end, format!("the file ends before END:{}", crate::shorten(component)));
        } else if !is_calendar {
            let what = "this is no iCalendar file: BEGIN:VCALENDAR is missing";
            self.findings.error(self.source.whole(), "bad-calendar", what);
        } else if events == 0 {
            let what = "the calendar has no event: it closes nothing";
            self.findings.warning(self.source.whole(), "closes-nothing", what, None);
        }
    }

    fn no_calendar(&mut self, line: &Line<'a>) {
        self.wrong(line.at(0), "this is no iCalendar file: it must begin with BEGIN:VCALENDAR");
    }

    fn wrong(&mut self, at: At<'_>, what: impl Into<String>) {
        self.mistakes += 1;
        self.findings.error(at, "bad-calendar", what);
    }

    /// Keeps what matters of an event's property; None: it is wrong.
    fn take(&mut self, event: &mut Event<'a>, property: &Property<'_>) -> Option<()> {
        let at = self.source.at(property.line.offset(property.value_at));
        match &*property.name {
            "DTSTART" => event.start = Some((at, self.moment(property, 0, property.value)?)),
            "DTEND" => event.end = Some((at, self.moment(property, 0, property.value)?)),
            "DURATION" => {
                let length = parse_length(property.value.trim());
                if length.is_none() {
                    let what =
                        format!("\"{}\" is no duration, as in P1D or PT4H", crate::shorten(property.value));
                    self.wrong(at, what);
                }
                event.length = Some((at, length?));
            }
            "RRULE" => {
                let rule = self.rule(property)?;
                let until = match &rule.until {
                    Some((from, text)) => Some(self.moment(property, *from, text)?),
                    None => None,
                };
                event.rules.push((at, rule, until));
            }
            "EXDATE" | "RDATE" => {
                let mut from = 0;
                for word in property.value.split(',') {
                    let moment = self.moment(property, from, word)?;
                    if property.name == "EXDATE" {
                        event.except.push(moment)
                    } else {
                        event.more.push(moment)
                    }
                    from += word.len() + 1;
                }
            }
            "SUMMARY" => event.summary = unescape(property.value),
            "CATEGORIES" => {
                let is_workday = |word: &str| unescape(word).trim().eq_ignore_ascii_case("workday");
                event.is_workday |= split_list(property.value).any(is_workday);
            }
            "STATUS" => event.is_cancelled = property.value.trim().eq_ignore_ascii_case("cancelled"),
            "RECURRENCE-ID" => event.replaces = Some(at),
            _ => {}
        }
        Some(())
    }

    fn rule(&mut self, property: &Property<'_>) -> Option<Rule> {
        let error = match Rule::parse(property.value.trim_end()) {
            Ok(rule) => return Some(rule),
            Err(error) => error,
        };
        let at = self.source.at(property.line.offset(property.value_at + error.at));
        if error.unsupported {
            self.mistakes += 1;
            let help = "write the dates out: RDATE, or one event each".to_owned();
            self.findings.error_help(at, "unsupported-repeat", error.what, help);
        } else {
            self.wrong(at, error.what);
        }
        None
    }

    /// `20261001`, `20261001T090000`, `20261001T010000Z`; `from`: where in the property's value it stands.
    fn moment(&mut self, property: &Property<'_>, from: usize, text: &str) -> Option<Moment> {
        let at = self.source.at(property.line.offset(property.value_at + from));
        let text = text.trim();
        let wanted = property.parameter("VALUE").unwrap_or("");
        let moment = match parse_moment(text) {
            Some((date, None)) => Some(Moment::Day(date)),
            Some((date, Some(_))) if wanted.eq_ignore_ascii_case("DATE") => Some(Moment::Day(date)),
            Some((date, Some((time, utc)))) => {
                let zone = match property.parameter("TZID") {
                    _ if utc => TimeZone::UTC,
                    Some(name) => self.zone(property, name)?,
                    None => self.zone.clone(),
                };
                Some(Moment::Time(date.to_datetime(time), zone))
            }
            None => None,
        };
        if moment.is_none() {
            let what = format!("\"{}\" is no date, as in 20261001 or 20261001T090000", crate::shorten(text));
            self.wrong(at, what);
        }
        moment
    }

    fn zone(&mut self, property: &Property<'_>, name: &str) -> Option<TimeZone> {
        if let Some(zone) = self.zones.get(name) {
            return Some(zone.clone());
        }
        let found = ivr::hours::zone(iana_zone(name));
        if let Err(error) = &found {
            self.mistakes += 1;
            let at = property.line.at(0);
            let what = crate::shorten(&error.what);
            self.findings.error_help(at, "unknown-zone", what, error.help.clone());
        }
        let found = found.ok()?;
        Some(self.zones.entry(name.to_owned()).or_insert(found).clone())
    }

    /// Marks what an event closes; None: the calendar is too large to go on.
    fn event(&mut self, event: Event<'a>) -> Option<()> {
        if event.is_broken || event.is_cancelled {
            return Some(());
        }
        if let Some(at) = event.replaces {
            let what = "the change of a single date of a series is not followed: the series' own date holds";
            let help = "take the date out of the series with EXDATE, and give this event a UID of its own";
            self.findings.warning(at, "changed-occurrence", what, help.to_owned());
            return Some(());
        }
        let Some((start_at, start)) = &event.start else {
            self.wrong(event.at, "the event has no DTSTART");
            return Some(());
        };
        let Some(length) = self.length(&event, start) else { return Some(()) };
        let is_workday = event.is_workday || says_workday(&event.summary);
        if is_workday && matches!(start, Moment::Time(..)) {
            let what = "a make-up workday is a whole day, with a Monday's hours: its times are not looked at";
            self.findings.warning(*start_at, "workday-with-times", what, None);
        }
        let mut starts = vec![start.clone()];
        for (at, rule, until) in &event.rules {
            let before = plus(self.window.0, -EVENT_DAYS_MAX).unwrap_or(Date::MIN);
            // A day further: UNTIL may be in another zone.
            let end = until.as_ref().and_then(|until| plus(until.date(), 1));
            let last = end.unwrap_or(self.window.1).min(self.window.1);
            let Some(dates) = rule.dates(start.date(), before, last, &mut self.steps) else {
                let what = "the events of this calendar repeat too often".to_owned();
                self.findings.error(*at, "too-many", what);
                return None;
            };
            let repeated = dates.into_iter().filter(|date| *date != start.date()).map(|date| start.on(date));
            starts.extend(repeated.filter(|s| until.as_ref().is_none_or(|until| s.is_until(until))));
        }
        starts.extend(event.more);
        let is_repeated = !event.rules.is_empty();
        starts.retain(|start| !event.except.iter().any(|except| start.is_same(except)));
        let mut conflict = None;
        for start in starts {
            let marked = match self.days(&start, length, is_workday) {
                Some((first, days)) => self.mark_days(first, days, is_repeated, is_workday, &mut conflict),
                None => self.mark_hours(&start, length, is_repeated),
            };
            if marked.is_none() {
                let what = format!("the calendar closes more than {MARKS_MAX} days");
                self.findings.error(event.at, "too-many", what);
                return None;
            }
        }
        if let Some(day) = conflict {
            let what = format!("{day} is a holiday and a workday: it counts as a workday");
            self.findings.warning(*start_at, "holiday-and-workday", what, None);
        }
        Some(())
    }

    /// How long the event lasts; None, with a finding: that is nonsense.
    fn length(&mut self, event: &Event<'a>, start: &Moment) -> Option<Length> {
        let whole_days = matches!(start, Moment::Day(_));
        let (at, length) = match (&event.end, &event.length) {
            (Some(_), Some((at, _))) => {
                self.wrong(*at, "the event has both DTEND and DURATION");
                return None;
            }
            (Some((at, Moment::Day(end))), None) if whole_days => {
                // Many write the last day itself; RFC 5545 wants the day after it.
                let days = days_between(start.date(), *end);
                (*at, Length { days: if days == 0 { 1 } else { days }, seconds: 0 })
            }
            (Some((at, end @ Moment::Time(..))), None) if !whole_days => {
                let seconds = end.unix()? - start.unix()?;
                (*at, Length { days: 0, seconds })
            }
            (Some((at, _)), None) => {
                self.wrong(*at, "DTSTART and DTEND must both have a time, or neither");
                return None;
            }
            (None, Some((at, length))) if whole_days => {
                let days = length.days + length.seconds / DAY_SECONDS;
                if length.seconds % DAY_SECONDS != 0 {
                    self.wrong(*at, "an event without a time lasts whole days");
                    return None;
                }
                (*at, Length { days, seconds: 0 })
            }
            (None, Some((at, length))) => (*at, *length),
            (None, None) => (event.at, Length { days: i64::from(whole_days), seconds: 0 }),
        };
        let seconds = length.days * DAY_SECONDS + length.seconds;
        if seconds < 0 {
            self.wrong(at, "the event ends before it begins");
        } else if seconds > EVENT_DAYS_MAX * DAY_SECONDS {
            self.wrong(at, format!("the event lasts longer than {EVENT_DAYS_MAX} days"));
        } else if seconds == 0 {
            let help = "give it a DTEND or a DURATION".to_owned();
            self.findings.warning(at, "closes-nothing", "the event has no length: it closes nothing", help);
        } else {
            return Some(length);
        }
        None
    }

    /// The first of the whole days that an occurrence takes, and how many: also one that goes from midnight
    /// to midnight, and every make-up workday. None: it takes hours.
    fn days(&self, start: &Moment, length: Length, is_workday: bool) -> Option<(Date, i64)> {
        if let Moment::Day(date) = start {
            return Some((*date, length.days));
        }
        let (from, until) = (self.local(start.unix()?)?, self.local(start.end(length)?)?);
        let whole = from.time() == Time::midnight() && until.time() == Time::midnight();
        let days = days_between(from.date(), until.date());
        if is_workday {
            // It lasts into the day of its last second.
            return Some((from.date(), days + i64::from(until.time() != Time::midnight())));
        }
        (whole && days > 0).then_some((from.date(), days))
    }

    fn local(&self, unix: i64) -> Option<DateTime> {
        Some(self.zone.to_datetime(Timestamp::from_second(unix).ok()?))
    }

    fn mark_days(
        &mut self,
        first: Date,
        days: i64,
        is_repeated: bool,
        is_workday: bool,
        conflict: &mut Option<Date>,
    ) -> Option<()> {
        for date in (0..days).map_while(|n| plus(first, n)) {
            if is_repeated && !(self.window.0..=self.window.1).contains(&date) {
                continue;
            }
            self.marks.0 = self.marks.0.checked_sub(1)?;
            let Calendar { holidays, workdays, years, .. } = &mut self.calendar;
            let (mine, other) = if is_workday { (workdays, holidays) } else { (holidays, workdays) };
            if other.contains(&date) {
                conflict.get_or_insert(date);
            }
            mine.insert(date);
            years.insert(date.year());
        }
        Some(())
    }

    fn mark_hours(&mut self, start: &Moment, length: Length, is_repeated: bool) -> Option<()> {
        let (Some(from), Some(until)) = (start.unix(), start.end(length)) else { return Some(()) };
        let Some(local) = self.local(from) else { return Some(()) };
        if !is_repeated || (self.window.0..=self.window.1).contains(&local.date()) {
            self.marks.0 = self.marks.0.checked_sub(1)?;
            self.calendar.closures.push((from, until));
            self.calendar.years.insert(local.year());
        }
        Some(())
    }
}

impl<'a> Event<'a> {
    fn new(at: At<'a>) -> Event<'a> {
        Event {
            at,
            start: None,
            end: None,
            length: None,
            rules: vec![],
            more: vec![],
            except: vec![],
            summary: String::new(),
            is_workday: false,
            is_cancelled: false,
            replaces: None,
            is_broken: false,
        }
    }
}

impl Moment {
    fn date(&self) -> Date {
        match self {
            Moment::Day(date) => *date,
            Moment::Time(local, _) => local.date(),
        }
    }

    /// At the same time on another day.
    fn on(&self, date: Date) -> Moment {
        match self {
            Moment::Day(_) => Moment::Day(date),
            Moment::Time(local, zone) => Moment::Time(date.to_datetime(local.time()), zone.clone()),
        }
    }

    /// None: a day, or out of the calendar.
    fn unix(&self) -> Option<i64> {
        let Moment::Time(local, zone) = self else { return None };
        Some(zone.to_timestamp(*local).ok()?.as_second())
    }

    fn end(&self, length: Length) -> Option<i64> {
        self.on(plus(self.date(), length.days)?).unix()?.checked_add(length.seconds)
    }

    /// Not after `until`, which may be a day where this has a time, or the other way round.
    fn is_until(&self, until: &Moment) -> bool {
        match (self.unix(), until.unix()) {
            (Some(this), Some(until)) => this <= until,
            _ => self.date() <= until.date(),
        }
    }

    /// The same time or, where one of both is a day, the same day.
    fn is_same(&self, other: &Moment) -> bool {
        match (self.unix(), other.unix()) {
            (Some(this), Some(other)) => this == other,
            _ => self.date() == other.date(),
        }
    }
}

impl<'a> Line<'a> {
    fn offset(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.pieces.get(piece).map_or(0, |(start, offset)| offset + at - start)
    }

    fn at(&self, at: usize) -> At<'a> {
        self.source.at(self.offset(at))
    }
}

impl Property<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| &**value)
    }
}

/// Content lines (3.1): a line that begins with a blank goes on where the one before it ended.
fn unfold(source: &Source) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = vec![];
    let mut offset = 0;
    for physical in source.text.split('\n') {
        let start = offset;
        offset += physical.len() + 1;
        let text = physical.strip_suffix('\r').unwrap_or(physical);
        match (text.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(line)) => {
                line.pieces.push((line.text.len(), start + 1));
                line.text.push_str(more);
            }
            _ => {
                let mark = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
                lines.push(Line { source, text: text[mark..].to_owned(), pieces: vec![(0, start + mark)] });
            }
        }
    }
    lines
}

fn parse_property<'l>(line: &'l Line<'_>) -> Option<Property<'l>> {
    let text = &*line.text;
    let name_end = text.find([';', ':'])?;
    let name = &text[..name_end];
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let mut parameters = vec![];
    let mut at = name_end;
    while text[at..].starts_with(';') {
        let start = at + 1;
        let mut quoted = false;
        let stop = |c: char| {
            quoted ^= c == '"';
            !quoted && (c == ';' || c == ':')
        };
        at = start + text[start..].find(stop)?;
        let (name, value) = text[start..at].split_once('=')?;
        parameters.push((name.to_ascii_uppercase(), value.trim_matches('"').to_owned()));
    }
    let value_at = at + 1;
    let value = &text[value_at..];
    Some(Property { line, name: name.to_ascii_uppercase(), parameters, value, value_at })
}

/// A date; its time and whether that is UTC, when it has one.
fn parse_moment(text: &str) -> Option<(Date, Option<(Time, bool)>)> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i16>().ok()).flatten()
    };
    let small = |range| number(range).and_then(|n| i8::try_from(n).ok());
    let date = Date::new(number(0..4).filter(|year| *year > 0)?, small(4..6)?, small(6..8)?).ok()?;
    let (rest, utc) = match text.get(8..)?.strip_suffix('Z') {
        Some(rest) => (rest, true),
        None => (&text[8..], false),
    };
    if rest.is_empty() && !utc {
        return Some((date, None));
    }
    if rest.len() != 7 || !rest.starts_with('T') {
        return None;
    }
    // A leap second is as good as the one before it.
    let time = Time::new(small(9..11)?, small(11..13)?, small(13..15)?.min(59), 0).ok()?;
    Some((date, Some((time, utc))))
}

/// Durations (3.3.6): `P1W`, `P1DT2H30M`, `PT4H`; never negative here.
fn parse_length(text: &str) -> Option<Length> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let mut length = Length { days: 0, seconds: 0 };
    let (mut is_time, mut digits, mut units) = (false, 0..0, 0);
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if c.is_ascii_digit() {
            digits.end = end;
            continue;
        }
        if c == 'T' && !is_time && digits.is_empty() {
            is_time = true;
        } else {
            let number = i64::from(text.get(digits)?.parse::<u16>().ok()?);
            match (is_time, c) {
                (false, 'W') => length.days += number * 7,
                (false, 'D') => length.days += number,
                (true, 'H') => length.seconds += number * 3600,
                (true, 'M') => length.seconds += number * 60,
                (true, 'S') => length.seconds += number,
                _ => return None,
            }
            units += 1;
        }
        digits = end..end;
    }
    (units > 0 && digits.is_empty()).then_some(length)
}

/// Texts (3.3.11).
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// The texts between the commas that are not escaped.
fn split_list(text: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |c| {
        let splits = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        splits
    })
}

/// Calendars of Chinese holidays name a make-up workday in words: 春节（班）, 国庆节补班, 上班(补春节假期).
fn says_workday(summary: &str) -> bool {
    let text = summary.trim().trim_end_matches([')', '）']).trim_end().to_lowercase();
    let closed = ["不上班", "停班", "休班"].iter().any(|word| text.contains(word));
    !closed
        && (text.ends_with('班')
            || text.contains("上班")
            || text.contains("补班")
            || text.ends_with("workday"))
}

/// The name of a zone in the IANA database: Outlook has its own, Mozilla writes `/mozilla.org/20050126_1/Asia/Tokyo`.
fn iana_zone(name: &str) -> &str {
    match name {
        "China Standard Time" => "Asia/Shanghai",
        "Taipei Standard Time" => "Asia/Taipei",
        "Singapore Standard Time" => "Asia/Singapore",
        "Tokyo Standard Time" => "Asia/Tokyo",
        "Korea Standard Time" => "Asia/Seoul",
        "India Standard Time" => "Asia/Kolkata",
        "GMT Standard Time" => "Europe/London",
        "W. Europe Standard Time" => "Europe/Berlin",
        "Romance Standard Time" => "Europe/Paris",
        "Eastern Standard Time" => "America/New_York",
        "Central Standard Time" => "America/Chicago",
        "Pacific Standard Time" => "America/Los_Angeles",
        _ if name.starts_with('/') => {
            let city = name.rfind('/').unwrap_or(0);
            let area = name[..city].rfind('/').map_or(0, |slash| slash + 1);
            &name[area..]
        }
        _ => name,
    }
}
