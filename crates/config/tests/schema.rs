//! The schemas and the reference that lie in `config/` are those of the code, and files that are read fit them.
//! After a wanted change: `HOTLINE_BLESS=1 cargo test -p hotline-config --test schema`.
use hotline_config::{Which, reference, schema};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

#[test]
fn what_lies_in_config_is_current() {
    let schemas = Which::ALL.map(|which| (format!("schema/{}.json", which.name()), text(&schema(which))));
    let mut old = vec![];
    for (name, text) in schemas.into_iter().chain([("REFERENCE.md".to_owned(), reference())]) {
        let path = config().join(&name);
        if std::env::var_os("HOTLINE_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the sources are writable");
            std::fs::write(&path, &text).expect("the sources are writable");
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            old.push(name);
        }
    }
    assert!(old.is_empty(), "write them anew with HOTLINE_BLESS=1: {old:?}");
}

fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

#[test]
fn files_that_are_read_fit_their_schemas() {
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good/config");
    let mut files = vec![
        (Which::Prompts, good.join("../prompts/prompts.toml")),
        (Which::Prompts, config().join("../prompts/prompts.toml")),
    ];
    let samples = ["", "lab", "samples/bank/config", "samples/clinic/config"].map(|s| config().join(s));
    for folder in samples.into_iter().chain([good]) {
        files.push((Which::Main, folder.join("hotline.toml")));
        files.push((Which::Agents, folder.join("agents.toml")));
        for entry in std::fs::read_dir(folder.join("flows")).expect("its flows") {
            let path = entry.expect("a file").path();
            let name = path.to_string_lossy();
            if name.ends_with(".toml") {
                let which = if name.ends_with(".test.toml") { Which::Tests } else { Which::Flow };
                files.push((which, path));
            }
        }
    }
    for (which, path) in files {
        let file = read(&std::fs::read_to_string(&path).expect("it is there"));
        let schema = schema(which);
        let wrong = misfits(&schema, &schema, &file, "");
        assert!(wrong.is_empty(), "{}: {wrong:?}", path.display());
    }
}

#[test]
fn what_is_wrong_does_not_fit() {
    let schema = schema(Which::Flow);
    let good = "[flow]\nname = \"a\"\nstart = \"b\"\n[step.b]\nhangup = true\n";
    assert!(misfits(&schema, &schema, &read(good), "").is_empty());
    let wrong = [
        ("hangup = true", "hangpu = true"),
        ("hangup = true", "hangup = false"),
        ("hangup = true", "hangup = true\nnext = \"b\""),
        ("hangup = true", "play = \"x\""),
        ("hangup = true", "play = [{ silence = 3 }]\nnext = \"b\""),
        ("hangup = true", "answer = true\nnext = 3"),
        (
            "hangup = true",
            "menu = { E = \"b\" }\nprompt = \"x\"\nno_input = { then = \"b\" }\ninvalid = { then = \"b\" }",
        ),
        ("hangup = true", "record = \"maybe\"\nnext = \"b\""),
        ("start = \"b\"", "begin = \"b\""),
        ("start = \"b\"", "start = \"b\"\nbarge_in = \"yes\""),
    ];
    for (from, to) in wrong {
        let text = good.replace(from, to);
        assert!(!misfits(&schema, &schema, &read(&text), "").is_empty(), "{to} fits");
    }
}

fn read(text: &str) -> Value {
    let table: toml::Table = text.parse().expect("it is TOML");
    serde_json::to_value(table).expect("TOML without dates is JSON")
}

/// What does not fit, by the words of JSON Schema that we use.
fn misfits(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut wrong = vec![];
    let fits = |s: &Value| misfits(root, s, value, at).is_empty();
    for (word, rule) in schema.as_object().expect("a schema is an object") {
        let fine = match (word.as_str(), rule) {
            ("$ref", Value::String(name)) => {
                let name = name.strip_prefix("#/definitions/").expect("within the file");
                wrong.extend(misfits(root, &root["definitions"][name], value, at));
                true
            }
            ("type", Value::String(kind)) => is(value, kind),
            ("type", Value::Array(kinds)) => kinds.iter().any(|k| is(value, k.as_str().expect("a type"))),
            ("const", rule) => value == rule,
            ("enum", Value::Array(all)) => all.contains(value),
            ("minimum", rule) => value.as_f64().is_none_or(|n| n >= rule.as_f64().expect("a number")),
            ("maximum", rule) => value.as_f64().is_none_or(|n| n <= rule.as_f64().expect("a number")),
            ("pattern", Value::String(pattern)) => value.as_str().is_none_or(|t| matches(pattern, t)),
            ("required", Value::Array(keys)) => value
                .as_object()
                .is_none_or(|o| keys.iter().all(|k| o.contains_key(k.as_str().expect("a key")))),
            ("properties", Value::Object(known)) => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = known.get(key) {
                        wrong.extend(misfits(root, rule, inner, &format!("{at}/{key}")));
                    }
                }
                true
            }
            ("additionalProperties", rule) => {
                let none = Value::Null;
                let known = schema.get("properties").unwrap_or(&none);
                let other =
                    value.as_object().into_iter().flatten().filter(|(key, _)| known.get(key).is_none());
                for (key, inner) in other {
                    match rule {
                        Value::Bool(allowed) => {
                            wrong.extend((!allowed).then(|| format!("{at}/{key} is unknown")))
                        }
                        rule => wrong.extend(misfits(root, rule, inner, &format!("{at}/{key}"))),
                    }
                }
                true
            }
            ("propertyNames", rule) => {
                let mut keys = value.as_object().into_iter().flat_map(|o| o.keys());
                keys.all(|key| misfits(root, rule, &Value::from(key.as_str()), at).is_empty())
            }
            ("items", rule) => {
                value.as_array().into_iter().flatten().for_each(|i| wrong.extend(misfits(root, rule, i, at)));
                true
            }
            ("anyOf", Value::Array(any)) => any.iter().any(fits),
            ("allOf", Value::Array(all)) => {
                all.iter().for_each(|s| wrong.extend(misfits(root, s, value, at)));
                true
            }
            ("not", rule) => !fits(rule),
            ("if", rule) => {
                if fits(rule) {
                    wrong.extend(misfits(root, &schema["then"], value, at));
                }
                true
            }
            ("then" | "default" | "description" | "title" | "$schema" | "definitions", _) => true,
            (word, rule) => panic!("nothing is known of {word}: {rule}"),
        };
        if !fine {
            wrong.push(format!("{at}: {word}"));
        }
    }
    wrong
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        other => panic!("no type is called {other}"),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[0-9]+ ?(ms|s|m|h|d)$" => {
            let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
            unit.len() < text.len() && ["ms", "s", "m", "h", "d"].contains(&unit.trim_start())
        }
        "^[0-9*#A-D]$" => text.len() == 1 && "0123456789*#ABCD".contains(text),
        other => panic!("nothing is known of the pattern {other}"),
    }
}
