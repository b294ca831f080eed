//! What `hotline explain` says of a kind of step: its form, for people.
use crate::forms::{Form, Need, STEPS};
use std::fmt::Write;

/// The keywords of all kinds of steps.
pub fn step_names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|form| form.name)
}

/// What a kind of step is for.
pub fn step_about(name: &str) -> Option<&'static str> {
    form(name).map(|form| form.doc)
}

/// A kind of step with its keys and an example.
pub fn step_help(name: &str) -> Option<String> {
    let form = form(name)?;
    let mut help = format!("{}: {}\n\n", form.name, form.doc);
    let wide = form.keys().map(str::len).max().unwrap_or(0);
    for field in form.fields {
        let need = match field.need {
            Need::Required => " (required)".to_owned(),
            Need::Default(default) => format!(" (default: {default})"),
            Need::Optional => String::new(),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(help, "  {:<wide$}  {}{need}", field.key, field.doc);
    }
    let example: String = form.example.lines().map(|line| format!("    {line}\n")).collect();
    let _ = write!(help, "\n{example}");
    Some(help)
}

fn form(name: &str) -> Option<&'static Form> {
    STEPS.iter().copied().find(|form| form.name == name)
}
