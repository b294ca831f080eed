use crate::failure::Failure;
use crate::print::{self, Colour, paint};
use config::{Level, Rule, did_you_mean, rules};
use ivr::expr::{FunctionDoc, functions};
use std::io::{self, Write};
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// A rule of `check`, a function of expressions or a kind of step [default: list them]
    name: Option<String>,
}

/// Says what a rule, a function or a step means. Needs no installation.
pub fn explain(_config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let mut out = io::stdout().lock();
    let Some(name) = options.name.as_deref() else {
        list(&mut out)?;
        return Ok(crate::failure::DONE);
    };
    let mut found = false;
    if let Some(rule) = config::rule(name) {
        of_rule(&mut out, rule)?;
        found = true;
    }
    for function in functions().iter().filter(|f| f.name == name.trim_end_matches("()")) {
        of_function(&mut out, function)?;
        found = true;
    }
    if let Some(step) = config::step_help(name) {
        writeln!(out, "{}", step.trim_end())?;
        found = true;
    }
    if found {
        return Ok(crate::failure::DONE);
    }
    let rules = rules();
    let known =
        rules.iter().map(|r| r.id).chain(functions().iter().map(|f| f.name)).chain(config::step_names());
    let help = did_you_mean(name, known).unwrap_or_else(|| "`hotline explain` lists all there are".into());
    Err(Failure::wrong(format!("no rule, function or step is called `{name}`\n  help: {help}")))
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

fn of_rule(out: &mut impl Write, rule: &Rule) -> io::Result<()> {
    let colours = print::colours();
    let colour = if rule.level == Level::Error { Colour::Red } else { Colour::Yellow };
    let heading = |text: &str| paint(colours, Colour::Bold, text);
    let indent = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    writeln!(
        out,
        "{}: {}",
        paint(colours, colour, &format!("{}[{}]", level(rule.level), rule.id)),
        rule.about
    )?;
    writeln!(out, "{}\n", rule.why)?;
    writeln!(out, "{}\n{}", heading("Broken"), indent(rule.broken))?;
    write!(out, "{}\n{}", heading("Repaired"), indent(rule.repaired))?;
    if rule.level == Level::Warning && rule.id != "unused-allow" {
        let comment = format!("# allow({}): why", rule.id);
        writeln!(out, "\nWhere it is right as it is, say so on the line or above it: {comment}")?;
    }
    Ok(())
}

fn of_function(out: &mut impl Write, function: &FunctionDoc) -> io::Result<()> {
    writeln!(out, "{}", function.signature())?;
    writeln!(out, "{}", function.doc)?;
    writeln!(out, "    {} is {}", function.example.0, function.example.1)
}

fn list(out: &mut impl Write) -> io::Result<()> {
    let rules = rules();
    let wide = rules.iter().map(|r| r.id.len()).max().unwrap_or(0);
    writeln!(out, "Rules of `hotline check`:")?;
    for rule in &rules {
        writeln!(out, "  {:<wide$}  {:<7}  {}", rule.id, level(rule.level), rule.about)?;
    }
    writeln!(out, "\nFunctions of expressions:")?;
    for function in functions() {
        writeln!(out, "  {:<wide$}  {}", function.name, function.doc)?;
    }
    writeln!(out, "\nKinds of steps:")?;
    for name in config::step_names() {
        writeln!(out, "  {:<wide$}  {}", name, config::step_about(name).unwrap_or_default())?;
    }
    Ok(())
}
