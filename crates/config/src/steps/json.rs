//! JSON that is sent, and places in JSON that is received.
use super::Lower;
use crate::read::Value;
use ivr::{JsonPath, JsonStep, JsonTemplate, Type};

const DEPTH_MAX: usize = 8;
const ENTRIES_MAX: usize = 200;

/// A TOML value as JSON, its texts as templates.
pub(super) fn body<'a>(
    lower: &mut Lower<'a, '_, '_>,
    value: &Value<'a>,
    depth: usize,
) -> Option<JsonTemplate> {
    if depth > DEPTH_MAX {
        value.error("too-deep", format!("JSON nests at most {DEPTH_MAX} deep here"));
        return None;
    }
    if value.is_list() {
        let items = value.list()?;
        let items = items.iter().take(ENTRIES_MAX).filter_map(|item| body(lower, item, depth + 1));
        return Some(JsonTemplate::List(items.collect()));
    }
    if value.is_table() {
        let entries = value.table()?.entries();
        let fields = entries
            .iter()
            .take(ENTRIES_MAX)
            .filter_map(|entry| Some((entry.key.into(), body(lower, entry, depth + 1)?)));
        return Some(JsonTemplate::Object(fields.collect()));
    }
    let template = lower.template(value)?;
    if let Type::Record(_) = template.kind() {
        value.error("type", format!("`{}` is a whole record: send its fields one by one", value.key));
        return None;
    }
    Some(JsonTemplate::Value(template))
}

/// `data.tickets[0].id`; empty: the whole answer.
pub(super) fn path(value: &Value<'_>) -> Option<JsonPath> {
    let text = value.text()?;
    let mut steps = vec![];
    let parts = if text.is_empty() { vec![] } else { text.split('.').collect() };
    let mut fine = parts.len() <= 32;
    for (i, part) in parts.into_iter().enumerate() {
        let (key, mut rest) = part.find('[').map_or((part, ""), |at| part.split_at(at));
        // A list at the top has no key before it.
        match key.is_empty() {
            false => steps.push(JsonStep::Key(key.into())),
            true => fine &= i == 0 && !rest.is_empty(),
        }
        while let Some(inside) = rest.strip_prefix('[') {
            let Some((index, after)) = inside.split_once(']') else { break };
            let Ok(index) = index.parse() else { break };
            steps.push(JsonStep::Index(index));
            rest = after;
        }
        fine &= rest.is_empty();
    }
    if !fine {
        value.error_help(
            "bad-path",
            format!("\"{}\" is no place in an answer", crate::shorten(text)),
            "write names with dots and places in lists: \"data.tickets[0].id\"".to_owned(),
        );
        return None;
    }
    Some(JsonPath(steps))
}
