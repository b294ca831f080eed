//! What is taken out of a JSON answer, each value as the type it is wanted in.

use crate::expr::{LIST_MAX, RecordId};
use crate::flow::{Flow, Http, JsonStep, Taken};
use crate::{JsonPath, Type, Value, VarId};
use serde_json::Value as Json;

/// Deepest nesting of an answer.
const DEPTH_MAX: usize = 32;

/// All that the step wants, or what is wrong: nothing is taken then.
pub fn take(flow: &Flow, values: &[Value], http: &Http, body: &str) -> Result<Vec<(VarId, Value)>, String> {
    if http.into.is_empty() {
        return Ok(Vec::new());
    }
    if body.len() > http.body_max {
        return Err("the answer is too large".into());
    }
    let answer = if body.trim().is_empty() { Json::Null } else { parse(body)? };
    let mut taken: Vec<(VarId, Value)> = Vec::new();
    for want in &http.into {
        let value = value(flow, &answer, want)?;
        let at = taken.iter().position(|(id, _)| *id == want.into);
        let value = match want.field {
            None => value,
            Some(field) => {
                let whole = at.map(|i| &taken[i].1).or_else(|| values.get(want.into.0 as usize));
                let Some(Value::Record(id, items)) = whole else {
                    return Err("a field is wanted of what is no record".into());
                };
                let mut items = items.to_vec();
                let Some(place) = items.get_mut(usize::from(field)) else {
                    return Err("a field is wanted that the record does not have".into());
                };
                *place = value;
                Value::Record(*id, items.into())
            }
        };
        match at {
            Some(at) => taken[at].1 = value,
            None => taken.push((want.into, value)),
        }
    }
    Ok(taken)
}

fn parse(body: &str) -> Result<Json, String> {
    if depth(body) > DEPTH_MAX {
        return Err("the answer is nested too deep".into());
    }
    serde_json::from_str(body).map_err(|_| "the answer is no JSON".into())
}

/// How deep a JSON text is nested at most.
fn depth(body: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in body.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn value(flow: &Flow, answer: &Json, want: &Taken) -> Result<Value, String> {
    match find(answer, &want.path).filter(|json| !json.is_null()) {
        None => want.default.clone().ok_or_else(|| format!("the answer has no {}", name(&want.path))),
        Some(json) => read(flow, json, want.kind)
            .ok_or_else(|| format!("{} in the answer is no {}", name(&want.path), want.kind)),
    }
}

fn name(path: &JsonPath) -> String {
    if path.0.is_empty() { "value".into() } else { format!("`{path}`") }
}

fn find<'j>(answer: &'j Json, path: &JsonPath) -> Option<&'j Json> {
    path.0.iter().try_fold(answer, |json, step| match step {
        JsonStep::Key(key) => json.get(&**key),
        JsonStep::Index(index) => json.get(*index as usize),
    })
}

/// None: it is of another type.
fn read(flow: &Flow, json: &Json, kind: Type) -> Option<Value> {
    match kind {
        Type::Text => Some(Value::from(super::values::cut(json.as_str()?))),
        Type::Number => number(json).map(Value::Number),
        Type::Bool => json.as_bool().map(Value::Bool),
        Type::Digits => match json {
            Json::Number(_) => json.as_u64().map(|n| Value::Digits(n.to_string().into())),
            _ => Value::parse(super::values::cut(json.as_str()?), Type::Digits),
        },
        Type::Time => match json {
            Json::Number(_) => number(json).map(Value::Time),
            _ => json.as_str()?.parse::<jiff::Timestamp>().ok().map(|t| Value::Time(t.as_second())),
        },
        Type::Duration => duration(json).map(Value::Duration),
        Type::List(of) => {
            let items = json.as_array().filter(|items| items.len() <= LIST_MAX)?;
            let items: Option<Vec<Value>> = items.iter().map(|item| read(flow, item, of.into())).collect();
            Some(Value::List(items?.into()))
        }
        Type::Record(id) => record(flow, json, id),
    }
}

/// Fields by their names; one that is missing keeps its first value.
fn record(flow: &Flow, json: &Json, id: RecordId) -> Option<Value> {
    let object = json.as_object()?;
    let field = |field: &crate::Field| match object.get(&*field.name).filter(|json| !json.is_null()) {
        None => Some(field.default.clone()),
        // A field is not a record again.
        Some(_) if matches!(field.kind, Type::Record(_)) => None,
        Some(json) => read(flow, json, field.kind),
    };
    let items: Option<Vec<Value>> = flow.record(id)?.fields.iter().map(field).collect();
    Some(Value::Record(id, items?.into()))
}

/// A whole number, `5.0` too.
fn number(json: &Json) -> Option<i64> {
    let whole = |n: f64| (n.fract() == 0.0 && n.abs() < 9e15).then_some(n as i64);
    json.as_i64().or_else(|| json.as_f64().and_then(whole))
}

/// Milliseconds: of a number of seconds, or of a text such as `5m`, `1h 30m`, `30d` or `PT5M`.
fn duration(json: &Json) -> Option<i64> {
    /// Longer than anything anybody waits for.
    const SECONDS_MAX: f64 = 1e12;
    match json {
        Json::Number(_) => {
            let seconds = json.as_f64().filter(|s| (0.0..=SECONDS_MAX).contains(s))?;
            Some((seconds * 1000.0).round() as i64)
        }
        _ => {
            let text = json.as_str()?.trim();
            let length = || i64::try_from(text.parse::<jiff::SignedDuration>().ok()?.as_millis()).ok();
            match Value::parse(text, Type::Duration) {
                Some(Value::Duration(ms)) => Some(ms),
                _ => length().filter(|ms| *ms >= 0),
            }
        }
    }
}
