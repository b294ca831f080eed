//! The standard library: one table, from which calls are checked, carried out and explained.

use super::node::{Node, duration};
use super::value::cut;
use super::{Table, Type, Value};
use crate::Schedule;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// One function of expressions.
pub struct FunctionDoc {
    pub name: &'static str,
    /// Name and kind of each argument.
    pub args: &'static [(&'static str, Takes)],
    /// So many of the last arguments may be left out.
    pub optional: usize,
    /// The last argument may be given again, up to [`ARGS_MAX`] in all.
    pub more: bool,
    pub result: Gives,
    /// One line, for people.
    pub doc: &'static str,
    /// A call, and what it gives, as an expression.
    pub example: (&'static str, &'static str),
    /// Depends on the time zone.
    pub(super) local: bool,
    pub(super) run: Run,
}

/// Arguments of one call.
pub const ARGS_MAX: usize = 8;

/// What may stand as an argument. Where a function knows `any`, all of them are of one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    Is(Type),
    Any,
    /// A number, a time or a duration.
    Ordered,
    /// A text or digits.
    Word,
    /// Text, number, bool, digits, time or duration, whatever the others are.
    Scalar,
    /// A list of `any`.
    List,
    /// The name of opening hours, in quotes.
    Hours,
    /// The name of a lookup table, in quotes; `any` is what its rows hold.
    Table,
}

/// The type of a function's result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gives {
    Is(Type),
    /// The type of the arguments that are `any`, ordered, words or the items of the list.
    Same,
}

/// Every function, by subject.
pub fn functions() -> &'static [FunctionDoc] {
    FUNCTIONS
}

pub(super) type Run = for<'a> fn(&Args<'a>) -> Cow<'a, Value>;

/// What a call knows besides its arguments.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum With {
    Nothing,
    Zone(TimeZone),
    Hours(Arc<str>, Arc<Schedule>),
    Table(Arc<Table>),
}

/// A call being carried out. The parser saw to it that the arguments are there and of their types.
pub(super) struct Args<'a> {
    pub args: &'a [Node],
    pub with: &'a With,
    pub values: &'a [Value],
}

const TEXT: Takes = Takes::Is(Type::Text);
const NUMBER: Takes = Takes::Is(Type::Number);
const BOOL: Takes = Takes::Is(Type::Bool);
const TIME: Takes = Takes::Is(Type::Time);
const LENGTH: Takes = Takes::Is(Type::Duration);

const fn function(
    name: &'static str,
    args: &'static [(&'static str, Takes)],
    result: Gives,
    doc: &'static str,
    example: (&'static str, &'static str),
    run: Run,
) -> FunctionDoc {
    FunctionDoc { name, args, optional: 0, more: false, result, doc, example, local: false, run }
}

impl FunctionDoc {
    const fn optional(self, optional: usize) -> FunctionDoc {
        FunctionDoc { optional, ..self }
    }
    const fn more(self) -> FunctionDoc {
        FunctionDoc { more: true, ..self }
    }
    const fn local(self) -> FunctionDoc {
        FunctionDoc { local: true, ..self }
    }
}

const GIVES_TEXT: Gives = Gives::Is(Type::Text);
const GIVES_NUMBER: Gives = Gives::Is(Type::Number);
const GIVES_BOOL: Gives = Gives::Is(Type::Bool);
const GIVES_LENGTH: Gives = Gives::Is(Type::Duration);

static FUNCTIONS: &[FunctionDoc] = &[
    // Choices.
    function(
        "if",
        &[("condition", BOOL), ("then", Takes::Any), ("otherwise", Takes::Any)],
        Gives::Same,
        "one of two values",
        ("if(1 < 2, 'yes', 'no')", "'yes'"),
        |a| if a.holds(0) { a.get(1) } else { a.get(2) },
    ),
    function(
        "coalesce",
        &[("text", Takes::Word), ("other", Takes::Word)],
        Gives::Same,
        "the first text that is not empty",
        ("coalesce('', 'there')", "'there'"),
        |a| {
            let full = (0..a.args.len()).map(|i| a.get(i)).find(|v| !v.as_str().is_empty());
            full.unwrap_or_else(|| a.get(a.args.len() - 1))
        },
    )
    .more(),
    function(
        "lookup",
        &[("table", Takes::Table), ("key", TEXT), ("default", Takes::Any)],
        Gives::Same,
        "what a table has for a key; the default when it has nothing",
        ("lookup('impact', 'all/core', 'P3')", "'P0'"),
        |a| match a.with {
            With::Table(table) => match table.rows.get(a.get(0).as_str()) {
                Some(found) => Cow::Borrowed(found),
                None => a.get(1),
            },
            _ => a.get(1),
        },
    ),
    // Texts.
    function("len", &[("text", TEXT)], GIVES_NUMBER, "how many characters", ("len('语音')", "2"), |a| {
        number(a.get(0).as_str().chars().count() as i64)
    }),
    function(
        "starts_with",
        &[("text", TEXT), ("beginning", TEXT)],
        GIVES_BOOL,
        "whether a text begins with another",
        ("starts_with('4009508888', '400')", "true"),
        |a| truth(a.get(0).as_str().starts_with(a.get(1).as_str())),
    ),
    function(
        "ends_with",
        &[("text", TEXT), ("end", TEXT)],
        GIVES_BOOL,
        "whether a text ends with another",
        ("ends_with('4009508888', '88')", "true"),
        |a| truth(a.get(0).as_str().ends_with(a.get(1).as_str())),
    ),
    function(
        "contains",
        &[("text", TEXT), ("part", TEXT)],
        GIVES_BOOL,
        "whether a text stands anywhere in another",
        ("contains('enterprise', 'prise')", "true"),
        |a| truth(a.get(0).as_str().contains(a.get(1).as_str())),
    ),
    function("upper", &[("text", TEXT)], GIVES_TEXT, "in capitals", ("upper('vip')", "'VIP'"), |a| {
        text(&a.get(0).as_str().to_uppercase())
    }),
    function("lower", &[("text", TEXT)], GIVES_TEXT, "in small letters", ("lower('VIP')", "'vip'"), |a| {
        text(&a.get(0).as_str().to_lowercase())
    }),
    function(
        "trim",
        &[("text", Takes::Word)],
        Gives::Same,
        "without spaces at its ends",
        ("trim(' a b ')", "'a b'"),
        |a| a.part(str::trim),
    ),
    function(
        "left",
        &[("text", Takes::Word), ("count", NUMBER)],
        Gives::Same,
        "the first characters",
        ("left('4009508888', 3)", "'400'"),
        |a| {
            let count = a.number(1);
            a.part(|t| &t[..byte_of(t, count)])
        },
    ),
    function(
        "right",
        &[("text", Takes::Word), ("count", NUMBER)],
        Gives::Same,
        "the last characters",
        ("right('4009508888', 4)", "'8888'"),
        |a| a.right(),
    ),
    function(
        "slice",
        &[("text", Takes::Word), ("from", NUMBER), ("count", NUMBER)],
        Gives::Same,
        "some characters, from a place on (the first is 0)",
        ("slice('4009508888', 3, 4)", "'9508'"),
        |a| {
            let (from, count) = (a.number(1).max(0), a.number(2).max(0));
            a.part(|t| &t[byte_of(t, from)..byte_of(t, from.saturating_add(count))])
        },
    ),
    function(
        "replace",
        &[("text", TEXT), ("part", TEXT), ("by", TEXT)],
        GIVES_TEXT,
        "with every occurrence of a part replaced",
        ("replace('010-8888', '-', '')", "'0108888'"),
        |a| match a.get(1).as_str() {
            "" => text(a.get(0).as_str()),
            part => text(&a.get(0).as_str().replace(part, a.get(2).as_str())),
        },
    ),
    function(
        "text",
        &[("value", Takes::Scalar)],
        GIVES_TEXT,
        "any value as a template writes it: times and durations in seconds",
        ("text(42)", "'42'"),
        |a| match &*a.get(0) {
            Value::Text(t) | Value::Digits(t) => Cow::Owned(Value::Text(t.clone())),
            other => text(&other.text()),
        },
    ),
    // Digits.
    function(
        "digits",
        &[("text", TEXT)],
        Gives::Is(Type::Digits),
        "only the keys 0-9, * and # of a text",
        ("digits('010 - 8888')", "digits('0108888')"),
        |a| {
            let keys = a
                .get(0)
                .as_str()
                .chars()
                .filter(|c| c.is_ascii_digit() || "*#".contains(*c))
                .collect::<String>();
            Cow::Owned(Value::Digits(cut(&keys).into()))
        },
    ),
    function(
        "is_digits",
        &[("text", TEXT)],
        GIVES_BOOL,
        "whether it is nothing but the digits 0-9, and at least one",
        ("is_digits('0042')", "true"),
        |a| truth(is_digits(a.get(0).as_str())),
    ),
    function(
        "luhn",
        &[("text", TEXT)],
        GIVES_BOOL,
        "whether the last digit is the right check digit, as on payment cards",
        ("luhn('79927398713')", "true"),
        |a| truth(luhn(a.get(0).as_str())),
    ),
    function(
        "last",
        &[("text", Takes::Word), ("count", NUMBER)],
        Gives::Same,
        "the last characters, as `right`",
        ("last('4111111111111111', 4)", "'1111'"),
        |a| a.right(),
    ),
    function(
        "number",
        &[("text", TEXT), ("default", NUMBER)],
        GIVES_NUMBER,
        "a text as a number; the default when it is none",
        ("number('042', 0)", "42"),
        |a| match a.get(0).as_str().trim().parse() {
            Ok(n) => number(n),
            Err(_) => a.get(1),
        },
    ),
    // Numbers.
    function(
        "div",
        &[("number", NUMBER), ("by", NUMBER), ("default", NUMBER)],
        GIVES_NUMBER,
        "a whole quotient, rounded so that `mod` is not negative; the default for a division by 0",
        ("div(7, 2, 0)", "3"),
        |a| match (a.number(0), a.number(1)) {
            (_, 0) => a.get(2),
            (n, by) => number(n.checked_div_euclid(by).unwrap_or(i64::MAX)),
        },
    ),
    function(
        "mod",
        &[("number", NUMBER), ("by", NUMBER), ("default", NUMBER)],
        GIVES_NUMBER,
        "what remains of a division, never negative; the default for a division by 0",
        ("mod(7, 2, 0)", "1"),
        |a| match (a.number(0), a.number(1)) {
            (_, 0) => a.get(2),
            (n, by) => number(n.checked_rem_euclid(by).unwrap_or(0)),
        },
    ),
    function(
        "min",
        &[("one", Takes::Ordered), ("other", Takes::Ordered)],
        Gives::Same,
        "the smallest number, earliest time or shortest duration",
        ("min(3, 1, 2)", "1"),
        |a| a.most(|new, best| new.compare(best).is_lt()),
    )
    .more(),
    function(
        "max",
        &[("one", Takes::Ordered), ("other", Takes::Ordered)],
        Gives::Same,
        "the greatest number, latest time or longest duration",
        ("max(30s, 1m)", "1m"),
        |a| a.most(|new, best| new.compare(best).is_gt()),
    )
    .more(),
    function("abs", &[("number", NUMBER)], GIVES_NUMBER, "without its sign", ("abs(-3)", "3"), |a| {
        number(a.number(0).saturating_abs())
    }),
    function(
        "clamp",
        &[("value", Takes::Ordered), ("low", Takes::Ordered), ("high", Takes::Ordered)],
        Gives::Same,
        "the value, or the end of the range that it lies beyond",
        ("clamp(12, 0, 9)", "9"),
        |a| {
            let (value, low, high) = (a.get(0), a.get(1), a.get(2));
            match () {
                () if value.compare(&low).is_lt() => low,
                () if value.compare(&high).is_gt() => high,
                () => value,
            }
        },
    ),
    // Times, in the flow's zone.
    function("hour", &[("time", TIME)], GIVES_NUMBER, "0 to 23", ("hour(moment)", "14"), |a| {
        number(a.local(0).hour().into())
    })
    .local(),
    function("minute", &[("time", TIME)], GIVES_NUMBER, "0 to 59", ("minute(moment)", "30"), |a| {
        number(a.local(0).minute().into())
    })
    .local(),
    function(
        "day",
        &[("time", TIME)],
        GIVES_NUMBER,
        "day of the month, 1 to 31",
        ("day(moment)", "23"),
        |a| number(a.local(0).day().into()),
    )
    .local(),
    function("month", &[("time", TIME)], GIVES_NUMBER, "1 to 12", ("month(moment)", "11"), |a| {
        number(a.local(0).month().into())
    })
    .local(),
    function("year", &[("time", TIME)], GIVES_NUMBER, "such as 2026", ("year(moment)", "2026"), |a| {
        number(a.local(0).year().into())
    })
    .local(),
    function(
        "weekday",
        &[("time", TIME)],
        GIVES_NUMBER,
        "1 (Monday) to 7 (Sunday)",
        ("weekday(moment)", "1"),
        |a| number(a.local(0).weekday().to_monday_one_offset().into()),
    )
    .local(),
    function(
        "date",
        &[("time", TIME)],
        GIVES_TEXT,
        "such as 2026-11-23; dates compare as texts",
        ("date(moment)", "'2026-11-23'"),
        |a| {
            let at = a.local(0);
            text(&format!("{:04}-{:02}-{:02}", at.year(), at.month(), at.day()))
        },
    )
    .local(),
    function(
        "clock",
        &[("time", TIME)],
        GIVES_TEXT,
        "such as 14:30; times of day compare as texts",
        ("clock(moment)", "'14:30'"),
        |a| {
            let at = a.local(0);
            text(&format!("{:02}:{:02}", at.hour(), at.minute()))
        },
    )
    .local(),
    function("seconds", &[("count", NUMBER)], GIVES_LENGTH, "a duration", ("seconds(90)", "90s"), |a| {
        a.times(1000)
    }),
    function("minutes", &[("count", NUMBER)], GIVES_LENGTH, "a duration", ("minutes(5)", "5m"), |a| {
        a.times(60_000)
    }),
    function("hours", &[("count", NUMBER)], GIVES_LENGTH, "a duration", ("hours(2)", "120m"), |a| {
        a.times(3_600_000)
    }),
    function("days", &[("count", NUMBER)], GIVES_LENGTH, "a duration", ("days(1)", "24h"), |a| {
        a.times(86_400_000)
    }),
    function(
        "in_seconds",
        &[("duration", LENGTH)],
        GIVES_NUMBER,
        "whole seconds, rounded up",
        ("in_seconds(1500ms)", "2"),
        |a| a.per(1000),
    ),
    function(
        "in_minutes",
        &[("duration", LENGTH)],
        GIVES_NUMBER,
        "whole minutes, rounded up",
        ("in_minutes(61s)", "2"),
        |a| a.per(60_000),
    ),
    function(
        "is_open",
        &[("hours", Takes::Hours), ("time", TIME)],
        GIVES_BOOL,
        "whether opening hours are open, now or at a time",
        ("is_open('office', moment)", "true"),
        |a| match a.with {
            With::Hours(_, hours) => truth(hours.is_open(a.number(0))),
            _ => truth(false),
        },
    )
    .optional(1),
    function(
        "is_holiday",
        &[("hours", Takes::Hours), ("time", TIME)],
        GIVES_BOOL,
        "whether it is a holiday of opening hours, now or at a time",
        ("is_holiday('office', moment)", "false"),
        |a| match a.with {
            With::Hours(_, hours) => truth(hours.is_holiday(a.number(0))),
            _ => truth(false),
        },
    )
    .optional(1),
    // Lists.
    function("size", &[("list", Takes::List)], GIVES_NUMBER, "how many items", ("size([1, 2])", "2"), |a| {
        number(a.get(0).items().len() as i64)
    }),
    function(
        "first",
        &[("list", Takes::List), ("default", Takes::Any)],
        Gives::Same,
        "the first item; the default of an empty list",
        ("first(['a', 'b'], '')", "'a'"),
        |a| a.item(1, |items| items.first()),
    ),
    function(
        "last_of",
        &[("list", Takes::List), ("default", Takes::Any)],
        Gives::Same,
        "the last item; the default of an empty list",
        ("last_of(['a', 'b'], '')", "'b'"),
        |a| a.item(1, |items| items.last()),
    ),
    function(
        "at",
        &[("list", Takes::List), ("place", NUMBER), ("default", Takes::Any)],
        Gives::Same,
        "the item at a place (the first is 0); the default when there is none",
        ("at(['a', 'b'], 1, '')", "'b'"),
        |a| {
            let place = usize::try_from(a.number(1)).ok();
            a.item(2, |items| items.get(place?))
        },
    ),
    function(
        "join",
        &[("list", Takes::List), ("between", TEXT)],
        GIVES_TEXT,
        "all items as one text",
        ("join([1, 2, 3], ', ')", "'1, 2, 3'"),
        |a| {
            let (list, between, mut all) = (a.get(0), a.get(1), String::new());
            for (i, item) in list.items().iter().enumerate() {
                if i > 0 {
                    all.push_str(between.as_str());
                }
                all.push_str(&item.text());
                if all.len() > super::TEXT_MAX {
                    break;
                }
            }
            text(&all)
        },
    ),
];

impl<'a> Args<'a> {
    fn get(&self, i: usize) -> Cow<'a, Value> {
        match self.args.get(i) {
            Some(arg) => arg.eval(self.values),
            None => truth(false),
        }
    }

    fn holds(&self, i: usize) -> bool {
        self.args.get(i).is_some_and(|arg| arg.holds(self.values))
    }

    fn number(&self, i: usize) -> i64 {
        self.get(i).number()
    }

    /// A part of the first argument, of its type.
    fn part(&self, of: impl FnOnce(&str) -> &str) -> Cow<'a, Value> {
        let whole = self.get(0);
        let part = of(whole.as_str());
        match &*whole {
            _ if part.len() == whole.as_str().len() => whole,
            Value::Digits(_) => Cow::Owned(Value::Digits(part.into())),
            _ => Cow::Owned(Value::from(part)),
        }
    }

    fn right(&self) -> Cow<'a, Value> {
        let count = self.number(1);
        self.part(|t| {
            let skipped = (t.chars().count() as i64).saturating_sub(count.max(0));
            &t[byte_of(t, skipped)..]
        })
    }

    fn most(&self, better: fn(&Value, &Value) -> bool) -> Cow<'a, Value> {
        let mut best = self.get(0);
        for i in 1..self.args.len() {
            let new = self.get(i);
            if better(&new, &best) {
                best = new;
            }
        }
        best
    }

    /// In the flow's zone; a moment beyond the calendar is its first or last one.
    fn local(&self, i: usize) -> DateTime {
        let second = self.number(i).clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let at = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        match self.with {
            With::Zone(zone) => zone.to_datetime(at),
            _ => TimeZone::UTC.to_datetime(at),
        }
    }

    fn times(&self, ms: i64) -> Cow<'a, Value> {
        Cow::Owned(duration(self.number(0).saturating_mul(ms)))
    }

    fn per(&self, ms: i64) -> Cow<'a, Value> {
        let length = self.number(0).max(0);
        number(length / ms + i64::from(length % ms > 0))
    }

    fn item(&self, default: usize, of: impl FnOnce(&[Value]) -> Option<&Value>) -> Cow<'a, Value> {
        let found = match self.get(0) {
            Cow::Borrowed(list) => of(list.items()).map(Cow::Borrowed),
            Cow::Owned(list) => of(list.items()).cloned().map(Cow::Owned),
        };
        found.unwrap_or_else(|| self.get(default))
    }
}

fn number<'a>(n: i64) -> Cow<'a, Value> {
    Cow::Owned(Value::Number(n))
}

fn truth<'a>(b: bool) -> Cow<'a, Value> {
    Cow::Owned(Value::Bool(b))
}

fn text<'a>(text: &str) -> Cow<'a, Value> {
    Cow::Owned(Value::from(cut(text)))
}

/// Where a character begins, by its place; the end for places beyond it.
fn byte_of(text: &str, place: i64) -> usize {
    let place = usize::try_from(place.max(0)).unwrap_or(usize::MAX);
    text.char_indices().nth(place).map_or(text.len(), |(at, _)| at)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// ISO/IEC 7812-1, annex B.
fn luhn(text: &str) -> bool {
    let doubled = |(i, b): (usize, u8)| {
        let digit = u32::from(b - b'0');
        match (i % 2, digit * 2) {
            (0, _) => digit,
            (_, twice) => twice / 10 + twice % 10,
        }
    };
    text.len() > 1
        && is_digits(text)
        && text.bytes().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

impl FunctionDoc {
    /// `left(text, count: number) -> text`.
    pub fn signature(&self) -> String {
        let first_optional = self.args.len() - self.optional;
        let args: Vec<String> = self
            .args
            .iter()
            .enumerate()
            .map(|(i, (name, takes))| {
                let kind = takes.to_string();
                let named = matches!(takes, Takes::Hours | Takes::Table);
                let typed = if *name == kind || named { kind } else { format!("{name}: {kind}") };
                if i < first_optional { typed } else { format!("[{typed}]") }
            })
            .collect();
        let more = if self.more { ", ..." } else { "" };
        format!("{}({}{more}) -> {}", self.name, args.join(", "), self.result)
    }
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Takes::Is(kind) => return write!(f, "{kind}"),
            Takes::Any => "any",
            Takes::Ordered => "number, time or duration",
            Takes::Word => "text",
            Takes::Scalar => "scalar",
            Takes::List => "list",
            Takes::Hours => "'hours'",
            Takes::Table => "'table'",
        })
    }
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gives::Is(kind) => write!(f, "{kind}"),
            Gives::Same => f.write_str("the same type"),
        }
    }
}

impl With {
    /// Of the hours or the table, as the first argument says it.
    pub fn name(&self) -> Option<&str> {
        match self {
            With::Hours(name, _) => Some(name),
            With::Table(table) => Some(&table.name),
            With::Nothing | With::Zone(_) => None,
        }
    }
}

impl PartialEq for FunctionDoc {
    fn eq(&self, other: &FunctionDoc) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for FunctionDoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
