use crate::excerpt::Excerpts;
use crate::failure::Failure;
use crate::installation;
use crate::print::{self, Colour, paint};
use config::{Finding, Level, Loaded, NumberWays, Way};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// One JSON object for programs, the ways to a person included
    #[arg(long, group = "form")]
    json: bool,
    /// SARIF 2.1.0 for code hosts and editors
    #[arg(long, group = "form")]
    sarif: bool,
    /// One line and a help for each finding, as into a pipe; on a terminal the place in the file is shown as well
    #[arg(long, group = "form")]
    brief: bool,
    /// For each number how long callers listen, and which keys they press, before a person can be had
    #[arg(long)]
    ways: bool,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
}

/// Says what is wrong with the configuration; reads only.
pub fn check(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let epoch_unix = server::Clock::start().epoch_unix();
    let (main, mut loaded) = installation::load(config, epoch_unix)?;
    // Of an installation with errors nobody knows the ways; of one with warnings one does.
    let ways = |loaded: &Loaded| loaded.settings.as_ref().map(config::ways).unwrap_or_default();
    let ways = if options.json || options.ways { ways(&loaded) } else { vec![] };
    if options.strict {
        loaded = loaded.strict();
    }
    let report = loaded.report();
    let mut out = std::io::stdout().lock();
    if options.json {
        let more = json!({ "allowed": loaded.allowed, "ways": ways });
        writeln!(out, "{}", report.json_with(more))?;
    } else if options.sarif {
        writeln!(out, "{}", loaded.sarif())?;
    } else if options.brief || !std::io::stdout().is_terminal() {
        writeln!(out, "{report}{}", allowed(&loaded))?;
    } else {
        let colours = print::colours();
        let mut excerpts = Excerpts::default();
        for finding in &loaded.findings {
            say(&mut out, finding, colours)?;
            if let Some(excerpt) = excerpts.of(finding) {
                write!(out, "{}", excerpt.show(colours, colour(finding.severity)))?;
            }
            if let Some(help) = &finding.help {
                writeln!(out, "  {} {help}", paint(colours, Colour::Bold, "help:"))?;
            }
        }
        if !loaded.findings.is_empty() {
            writeln!(out, "`hotline explain RULE` says more of a rule")?;
        }
        let report = report.to_string();
        let counts = report.lines().last().unwrap_or("");
        writeln!(out, "{counts}{}", allowed(&loaded))?;
    }
    if !options.json && !options.sarif {
        if let Some(settings) = &loaded.settings {
            writeln!(
                out,
                "{}: {} numbers, {} queues, {} agents, {} prompts",
                main.display(),
                settings.numbers.len(),
                settings.roster.queues.len(),
                settings.roster.agents.len(),
                settings.prompts.files.len(),
            )?;
        }
        for number in &ways {
            show(&mut out, number)?;
        }
    }
    Ok(report.exit_status())
}

/// `, 1 allowed`
fn allowed(loaded: &Loaded) -> String {
    match loaded.allowed.len() {
        0 => String::new(),
        n => format!(", {n} allowed"),
    }
}

fn colour(level: Level) -> Colour {
    match level {
        Level::Error => Colour::Red,
        Level::Warning => Colour::Yellow,
    }
}

/// The finding's first line, as `Finding` shows it.
fn say(out: &mut impl Write, finding: &Finding, colours: bool) -> Result<(), Failure> {
    let text = finding.to_string();
    let line = text.lines().next().unwrap_or("");
    let level = match finding.severity {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let tag = format!("{level}[{}]:", finding.rule);
    let (place, what) = line.split_once(&tag).unwrap_or(("", line));
    let tag = paint(colours, colour(finding.severity), &tag);
    writeln!(out, "{place}{tag}{}", paint(colours, Colour::Bold, what))?;
    Ok(())
}

/// A number's ways to a person.
fn show(out: &mut impl Write, number: &NumberWays) -> Result<(), Failure> {
    let title = if number.title == number.number { String::new() } else { format!(" {}", number.title) };
    writeln!(out, "\n{}{title} (flow {})", number.number, number.flow)?;
    let mut line = |what: &str, way: Option<&Way>, at_most: Option<String>| -> Result<(), Failure> {
        let Some(way) = way else { return Ok(()) };
        let bound = at_most.map(|b| format!(" (at most {b})")).unwrap_or_default();
        let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
        let keys = count(way.keys as usize, "key");
        let steps = count(way.steps.len(), "step");
        writeln!(out, "  {what:<22}{:>7.1} s  {keys:>8}  {steps:>9}  {}{bound}", way.seconds, way.language)?;
        writeln!(out, "    {}", way.path())?;
        Ok(())
    };
    if number.shortest.is_none() {
        writeln!(out, "  no way leads to a person")?;
        return Ok(());
    }
    line("knowing the keys", number.quickest.as_ref(), None)?;
    line("listening, shortest", number.shortest.as_ref(), None)?;
    if let Some(longest) = &number.longest {
        let bound = (!longest.exact).then(|| format!("{:.1} s", longest.seconds_at_most));
        line("listening, longest", Some(&longest.way), bound)?;
    }
    // Often the longest has the most keys as well.
    if let Some(deepest) = &number.deepest
        && number.longest.as_ref().is_none_or(|l| l.way.keys < deepest.way.keys)
    {
        let bound = (!deepest.exact).then(|| format!("{} keys", deepest.keys_at_most));
        line("most keys", Some(&deepest.way), bound)?;
    }
    Ok(())
}
