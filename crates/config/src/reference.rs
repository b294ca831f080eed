//! The reference of all files in Markdown: from the same forms as everything else.
use crate::forms::{self, Field, Form, Kind, Need, Part};
use crate::read::show;
use std::fmt::Write;
use std::time::Duration;

/// The reference page: every file, table, step and key with its type, default and an example.
/// The same at every call.
pub fn reference() -> String {
    let mut page = Page(String::new());
    page.0.push_str(INTRODUCTION);
    page.file(
        "flows/NAME.toml",
        "What callers hear and do: a flow a file. Tests stand beside it in NAME.test.toml.",
        forms::FLOW_FILE,
    );
    page.form(&forms::SUBFLOW_HEAD, None, 3);
    page.form(&forms::DECLARED, Some("x = { ... }"), 3);
    page.0.push_str("### Steps\n\n[step.NAME] does one thing, named by one of these keywords. Every exit names a step: nothing falls through.\n\n");
    for form in forms::STEPS {
        page.form(form, Some("[step.NAME]"), 4);
        for inner in inner(form) {
            page.form(inner, None, 5);
        }
    }
    page.0.push_str("### Sounds\n\nWhere prompts are wanted: a prompt's name, which may have expressions in it (`\"greeting-{class}\"`), one of these, or a list of them.\n\n");
    for form in [&forms::SOUND_SAY, &forms::SOUND_SILENCE, &forms::SOUND_TONE] {
        page.form(form, None, 4);
    }
    page.expressions();
    page.file(
        "hotline.toml",
        "The installation: the engine, numbers, queues, hours, other systems.",
        forms::MAIN,
    );
    page.form(&forms::SECRET_SOURCE, None, 4);
    page.file("agents.toml", "Who answers.", forms::AGENTS);
    page.file(
        "prompts.toml",
        "What is said. Recordings are prompts/LANGUAGE/NAME.wav: WAV, 8 to 48 kHz, mono or stereo.",
        forms::PROMPTS,
    );
    page.file("flows/NAME.test.toml", "Tests of the flow beside it, for `hotline test`.", forms::TESTS);
    page.0.truncate(page.0.trim_end().len());
    page.0.push('\n');
    page.0
}

const INTRODUCTION: &str = "<!-- Written by `hotline schema --reference`; do not edit. -->
# Reference

Every file, table and key. The guide is README.md; editors learn the same from `schema/*.json`.

Durations are texts like `\"300ms\"`, `\"5s\"`, `\"10m\"`, `\"2h\"`. Names have up to 64 letters, digits, `-`, `_` and `.`. *Templates* are texts with expressions in braces, `\"greeting-{class}\"`; one that is a single expression, `\"{tries + 1}\"`, has that expression's type. A key that is not listed here is an error. **Bold** keys are required.

";

struct Page(String);

impl Page {
    fn file(&mut self, name: &str, doc: &str, parts: &[Part]) {
        self.line(&format!("## {name}\n\n{doc}\n"));
        for part in parts {
            let own = part.form;
            let header = match own.name.starts_with("[[") {
                true => None,
                false if part.named => Some(format!("[{}.NAME]", part.key)),
                false => Some(format!("[{}]", part.key)),
            };
            self.form(own, header.as_deref(), 3);
            for inner in inner(own) {
                self.form(inner, None, 4);
            }
        }
    }

    /// `header`: what stands above the example.
    fn form(&mut self, form: &Form, header: Option<&str>, level: usize) {
        self.line(&format!("{} {}\n\n{}\n", "#".repeat(level), heading(form.name), form.doc));
        if !form.fields.is_empty() {
            self.line("| key | type | default | meaning |\n|---|---|---|---|");
            for field in form.fields {
                self.field(field);
            }
            self.line("");
        }
        if !form.example.is_empty() {
            let header = header.filter(|h| h.starts_with('[')).map(|h| format!("{h}\n")).unwrap_or_default();
            self.line(&format!("```toml\n{header}{}```\n", form.example));
        }
    }

    fn field(&mut self, field: &Field) {
        let key = match field.need {
            Need::Required => format!("**`{}`**", field.key),
            _ => format!("`{}`", field.key),
        };
        let default = match field.need {
            Need::Default(text) => format!("`{}`", text.replace('|', "\\|")),
            Need::Required | Need::Optional => String::new(),
        };
        let kind = type_of(&field.kind).replace('|', "\\|");
        let doc = field.doc.replace('|', "\\|");
        self.line(&format!("| {key} | {kind} | {default} | {doc} |"));
    }

    fn expressions(&mut self) {
        self.line(
            "### Expressions\n\n\
             In `when`, `check`, `require` and within braces: texts `'x'`, numbers, `true`, `false`, variables and \
             their fields (`customer.class`); `== != < <= > >=`, `and or not`, `+ - *`, `x in ['a', 'b']`, \
             functions. They are typed, and none can fail. Digits are texts too.\n",
        );
        self.line("| function | gives | example |\n|---|---|---|");
        for function in ivr::functions() {
            let (call, result) = function.example;
            let signature = function.signature().replace('|', "\\|");
            self.line(&format!("| `{signature}` | {} | `{call}` is `{result}` |", function.doc));
        }
        self.line("");
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.0, "{text}");
    }
}

/// Tables within a form's values, once each.
fn inner(form: &Form) -> Vec<&'static Form> {
    fn of(kind: &Kind, found: &mut Vec<&'static Form>) {
        match kind {
            Kind::Table(form) if !found.iter().any(|f| f.name == form.name) => found.push(form),
            Kind::Map(_, kind) | Kind::List(kind) => of(kind, found),
            Kind::Any(kinds) => kinds.iter().for_each(|k| of(k, found)),
            _ => {}
        }
    }
    let mut found = vec![];
    form.fields.iter().for_each(|f| of(&f.kind, &mut found));
    found
}

fn heading(name: &str) -> String {
    if name.contains(['[', '{', '=']) { format!("`{name}`") } else { name.to_owned() }
}

fn type_of(kind: &Kind) -> String {
    let time = |ms: &u64| show(Duration::from_millis(*ms));
    match kind {
        Kind::True => "true".into(),
        Kind::Flag => "true or false".into(),
        Kind::Text => "text".into(),
        Kind::Number(from, to) => format!("number, {from} to {to}"),
        Kind::Real => "number".into(),
        Kind::Duration(from, to) => format!("duration, {} to {}", time(from), time(to)),
        Kind::OneOf(words) => words.iter().map(|w| format!("`\"{w}\"`")).collect::<Vec<_>>().join(", "),
        Kind::Name(what) => format!("name of a {what}"),
        Kind::Prompts => "sounds".into(),
        Kind::Template => "template".into(),
        Kind::Condition => "condition".into(),
        Kind::Requirement => "requirement".into(),
        Kind::Pattern => "pattern".into(),
        Kind::Key => "key of a telephone".into(),
        Kind::Constant => "text, number, true or false".into(),
        Kind::Declaration => "declaration".into(),
        Kind::Json => "JSON with templates".into(),
        Kind::Anything => "anything".into(),
        Kind::Table(form) if form.name.starts_with('{') => format!("`{}`", form.name),
        Kind::Table(_) => "table, below".into(),
        Kind::Map(keys, kind) => format!("table: {keys} = {}", type_of(kind)),
        Kind::List(kind) => format!("list of {}", type_of(kind)),
        Kind::Any(kinds) => kinds.iter().map(type_of).collect::<Vec<_>>().join("; or "),
    }
}
