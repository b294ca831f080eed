//! JSON Schema (draft-07) of the files, for editors: from the same forms as everything else.
use crate::forms::{self, Field, Form, Kind, Need, Part};
use serde_json::{Map, Value, json};

/// The kinds of files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// `flows/NAME.toml`.
    Flow,
    /// `hotline.toml`.
    Main,
    /// `agents.toml`.
    Agents,
    /// `prompts.toml`.
    Prompts,
    /// `flows/NAME.test.toml`.
    Tests,
}

impl Which {
    pub const ALL: [Which; 5] = [Which::Flow, Which::Main, Which::Agents, Which::Prompts, Which::Tests];

    /// `flow`: as the command line and the schema's file call it.
    pub fn name(self) -> &'static str {
        match self {
            Which::Flow => "flow",
            Which::Main => "main",
            Which::Agents => "agents",
            Which::Prompts => "prompts",
            Which::Tests => "tests",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Which::Flow => "A flow of hotline",
            Which::Main => "An installation of hotline",
            Which::Agents => "The agents of a hotline",
            Which::Prompts => "The prompts of a hotline",
            Which::Tests => "Tests of a flow",
        }
    }
}

/// The schema of a kind of file. The same at every call.
pub fn schema(which: Which) -> Value {
    let mut properties = Map::new();
    let mut required = vec![];
    let parts = match which {
        Which::Flow => forms::FLOW_FILE,
        Which::Main => forms::MAIN,
        Which::Agents => forms::AGENTS,
        Which::Prompts => forms::PROMPTS,
        Which::Tests => forms::TESTS,
    };
    for part in parts {
        properties.insert(part.key.into(), part_schema(part));
        if part.required {
            required.push(part.key);
        }
    }
    let mut definitions = Map::new();
    match which {
        Which::Flow => {
            let step = json!({
                "type": "object",
                "description": "What callers hear and do, step by step. Every exit names a step.",
                "additionalProperties": { "$ref": "#/definitions/step" },
            });
            properties.insert("step".into(), step);
            required.push("step");
            definitions.insert("step".into(), any_step());
            for form in forms::STEPS {
                definitions.insert(format!("step-{}", form.name), table(form));
            }
        }
        Which::Tests => {
            properties.insert("test".into(), json!({ "type": "array", "items": table(&forms::CASE) }));
            let fuzz = "Random callers to send in as well.";
            properties.insert("fuzz".into(), json!({ "type": "integer", "minimum": 0, "description": fuzz }));
        }
        Which::Main | Which::Agents | Which::Prompts => {}
    }
    definitions.insert("sounds".into(), sounds());
    definitions.insert("declaration".into(), declaration());
    let whole = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": which.title(),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "definitions": definitions,
    });
    sorted(whole)
}

fn part_schema(part: &Part) -> Value {
    let own = match part.key {
        "var" | "param" => json!({ "type": "object", "additionalProperties": reference("declaration") }),
        "result" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "table" => json!({ "type": "object", "additionalProperties": of(&Kind::Constant) }),
        "secret" => {
            json!({ "type": "object", "additionalProperties": table(&forms::SECRET_SOURCE) })
        }
        "skill" | "defaults" | "voice" => json!({ "type": "object" }),
        "prompt" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        _ => table(part.form),
    };
    let own = described(own, part.form.doc);
    if part.named { json!({ "type": "object", "additionalProperties": own }) } else { own }
}

/// A step: all keys that steps have, and for each keyword what goes with it.
fn any_step() -> Value {
    let mut properties: Map<String, Value> = Map::new();
    for form in forms::STEPS {
        for field in form.fields {
            let own = property(field);
            match properties.get_mut(field.key) {
                None => {
                    properties.insert(field.key.into(), own);
                }
                Some(known) if *known == own => {}
                // Which it is says the keyword.
                Some(known) => *known = json!({ "description": field.doc }),
            }
        }
    }
    let by_keyword: Vec<Value> = forms::STEPS
        .iter()
        .map(|form| {
            let required = json!([form.name]);
            // `answer` is an option of `ring` too.
            let condition = if form.name == "answer" {
                json!({ "required": required, "not": { "required": ["ring"] } })
            } else {
                json!({ "required": required })
            };
            json!({ "if": condition, "then": reference(&format!("step-{}", form.name)) })
        })
        .collect();
    let one: Vec<Value> = forms::STEPS.iter().map(|form| json!({ "required": [form.name] })).collect();
    json!({ "type": "object", "properties": properties, "anyOf": one, "allOf": by_keyword })
}

fn table(form: &Form) -> Value {
    let properties: Map<String, Value> =
        form.fields.iter().map(|field| (field.key.to_owned(), property(field))).collect();
    let required: Vec<&str> =
        form.fields.iter().filter(|f| f.need == Need::Required).map(|f| f.key).collect();
    let mut schema = json!({
        "type": "object",
        "description": form.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = of(&field.kind);
    if !field.doc.is_empty() {
        schema = described(schema, field.doc);
    }
    if let Need::Default(text) = field.need
        && let Ok(read) = format!("x = {text}").parse::<toml::Table>()
        && let Ok(default) = serde_json::to_value(&read["x"])
    {
        schema["default"] = default;
    }
    schema
}

/// Beside a reference nothing else counts in draft-07.
fn described(mut schema: Value, doc: &str) -> Value {
    if schema.get("$ref").is_some() {
        return json!({ "allOf": [schema], "description": doc });
    }
    schema["description"] = json!(doc);
    schema
}

fn of(kind: &Kind) -> Value {
    match kind {
        Kind::True => json!({ "const": true }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text | Kind::Name(_) | Kind::Condition | Kind::Requirement | Kind::Pattern => {
            json!({ "type": "string" })
        }
        Kind::Number(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Kind::Real => json!({ "type": "number" }),
        Kind::Duration(..) => json!({ "type": "string", "pattern": "^[0-9]+ ?(ms|s|m|h|d)$" }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::Key => json!({ "type": "string", "pattern": "^[0-9*#A-D]$" }),
        Kind::Prompts => reference("sounds"),
        Kind::Template | Kind::Constant => json!({ "type": ["string", "integer", "boolean"] }),
        Kind::Declaration => reference("declaration"),
        Kind::Json | Kind::Anything => json!({}),
        Kind::Table(form) => table(form),
        Kind::Map(keys, kind) => {
            let mut map = json!({ "type": "object", "additionalProperties": of(kind) });
            if *keys == "key" {
                map["propertyNames"] = of(&Kind::Key);
            }
            map
        }
        Kind::List(kind) => json!({ "type": "array", "items": of(kind) }),
        Kind::Any(kinds) => json!({ "anyOf": kinds.iter().map(of).collect::<Vec<_>>() }),
    }
}

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{definition}") })
}

/// A prompt's name, or sounds.
fn sounds() -> Value {
    let sound = json!({
        "anyOf": [
            { "type": "string" },
            table(&forms::SOUND_SAY),
            table(&forms::SOUND_SILENCE),
            table(&forms::SOUND_TONE),
        ]
    });
    let mut one_or_more = sound.clone();
    if let Some(kinds) = one_or_more["anyOf"].as_array_mut() {
        kinds.push(json!({ "type": "array", "items": sound }));
    }
    one_or_more
}

/// A start value, or a table with `type`.
fn declaration() -> Value {
    json!({
        "anyOf": [
            { "type": ["string", "integer", "boolean", "array"] },
            table(&forms::DECLARED),
        ]
    })
}

/// With keys in order, whatever the map keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
