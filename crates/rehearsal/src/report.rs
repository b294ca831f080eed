//! What came of a run, for people, for programs (JSON) and for build servers (JUnit).

use crate::coverage::{Coverage, percent};
use crate::file::Minimum;
use crate::random::{Problem, RandomReport};
use crate::run::Outcome;
use crate::stage::{End, Told, What};
use hotline_core::Time;
use serde::Serialize;
use std::fmt::{self, Write};
use std::sync::Arc;

/// The tests of one file.
#[derive(Clone, Debug)]
pub struct Report {
    pub flow: Arc<str>,
    /// The file, as an operator would name it.
    pub file: String,
    pub outcomes: Vec<Outcome>,
    pub random: Option<RandomReport>,
    pub minimum: Minimum,
}

/// All files.
#[derive(Clone, Default, Debug)]
pub struct Summary {
    pub reports: Vec<Report>,
    pub coverage: Coverage,
    /// Only some flows were run: too few to cover the sub-flows that they share with others.
    pub partial: bool,
    /// Files that could not be read, and flows without what they need: each a line.
    pub unreadable: Vec<String>,
}

impl Summary {
    pub fn tests(&self) -> usize {
        self.reports.iter().map(|r| r.outcomes.len()).sum()
    }

    pub fn failed(&self) -> usize {
        self.reports.iter().flat_map(|r| &r.outcomes).filter(|o| !o.wrong.is_empty()).count()
    }

    /// Flows whose coverage is below what is demanded, in words. Sub-flows have no tests of their own: the strictest
    /// demand of the files that were run holds for them.
    pub fn uncovered(&self) -> Vec<String> {
        let mut short = Vec::new();
        let strictest = self.reports.iter().fold(Minimum::default(), |m, r| Minimum {
            steps: m.steps.max(r.minimum.steps),
            exits: m.exits.max(r.minimum.exits),
        });
        for (flow, of) in &self.coverage.0 {
            let own = self.reports.iter().find(|r| r.flow == *flow);
            if own.is_none() && self.partial {
                continue;
            }
            let minimum = own.map_or(strictest, |r| r.minimum);
            let name = own.map_or_else(|| flow.to_string(), |r| r.file.clone());
            let steps: Vec<_> = of.steps_missing().cloned().collect();
            let exits: Vec<_> = of.exits_missing().cloned().collect();
            for (what, demanded, taken, missing) in [
                ("steps", minimum.steps, of.steps_taken(), steps),
                ("exits", minimum.exits, of.exits_taken(), exits),
            ] {
                if percent(taken) + 1e-9 < demanded {
                    short.push(format!(
                        "{name}: {:.1} % of the {what} are covered, {demanded} % are demanded; missing: {}",
                        percent(taken),
                        few(&missing)
                    ));
                }
            }
        }
        short
    }

    pub fn problems(&self) -> impl Iterator<Item = (&Report, &Problem)> {
        self.reports
            .iter()
            .flat_map(|r| r.random.iter().flat_map(move |f| f.problems.iter().map(move |p| (r, p))))
    }

    pub fn passed(&self) -> bool {
        self.failed() == 0
            && self.unreadable.is_empty()
            && self.uncovered().is_empty()
            && self.problems().next().is_none()
    }
}

fn few(names: &[Arc<str>]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(|n| &**n).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.unreadable {
            writeln!(f, "{line}")?;
        }
        for report in &self.reports {
            for outcome in report.outcomes.iter().filter(|o| !o.wrong.is_empty()) {
                writeln!(f, "{}:{}: FAILED {}", report.file, outcome.line, outcome.name)?;
                for wrong in &outcome.wrong {
                    writeln!(f, "  {wrong}")?;
                }
                writeln!(f, "  the way it went:")?;
                for line in way(&outcome.story) {
                    writeln!(f, "    {line}")?;
                }
            }
            if let Some(random) = &report.random {
                for problem in &random.problems {
                    writeln!(
                        f,
                        "{}: {} of {} random callers: {} in step `{}`: {}\n  the first (seed {}) pressed {}",
                        report.file,
                        problem.callers,
                        random.callers,
                        problem.kind,
                        problem.step,
                        problem.what,
                        problem.seed,
                        problem.keys
                    )?;
                }
                for (flow, of) in &random.coverage.0 {
                    let missing: Vec<_> = of.steps_missing().cloned().collect();
                    if !missing.is_empty() {
                        writeln!(f, "{flow}: no random caller reached {}", few(&missing))?;
                    }
                }
            }
        }
        for (flow, of) in &self.coverage.0 {
            let (steps, exits) = (of.steps_taken(), of.exits_taken());
            let missing: Vec<_> = of.exits_missing().cloned().collect();
            write!(f, "{flow}: {} of {} steps, {} of {} exits", steps.0, steps.1, exits.0, exits.1)?;
            if missing.is_empty() { writeln!(f)? } else { writeln!(f, "; not taken: {}", few(&missing))? }
        }
        for line in self.uncovered() {
            writeln!(f, "{line}")?;
        }
        let callers: u64 = self.reports.iter().filter_map(|r| r.random.as_ref()).map(|r| r.callers).sum();
        write!(f, "{} tests, {} failed", self.tests(), self.failed())?;
        if callers > 0 {
            write!(f, "; {callers} random callers, {} problems", self.problems().count())?;
        }
        Ok(())
    }
}

/// A story as lines: when, and what.
pub fn way(story: &[Told]) -> Vec<String> {
    let mut lines = Vec::new();
    for told in story {
        let said = match &told.what {
            What::Entered(step) => format!("step {step}"),
            What::Left { .. } => continue,
            What::Answered => "answered".into(),
            What::Heard { prompt, language } => format!("  hears {prompt} ({language})"),
            What::Pressed { key, .. } => format!("  presses {key}"),
            What::Set { name, value } => format!("  {name} = {value}"),
            What::Queued { queue, severity, require } => match require {
                Some(require) => format!("  queue {queue} as {severity}, for {require}"),
                None => format!("  queue {queue} as {severity}"),
            },
            What::Rung { who } => format!("  rings {who}"),
            What::Connected { agent } => format!("  talks with {agent}"),
            What::Fetched { request, answered } => {
                format!("  asks {request}{}", if *answered { "" } else { " (no answer)" })
            }
            What::Notified { request } => format!("  tells {request}"),
            What::Consent { what, granted } => {
                format!("  consent to {what} {}", if *granted { "granted" } else { "refused" })
            }
            What::Recording(action) => format!("  recording {action}"),
            What::Message { mailbox } => format!("  leaves a message for {mailbox}"),
            What::Callback { queue, .. } => format!("  asks {queue} to call back"),
            What::Survey { survey, score, low } => {
                let score = score.map_or("no answer".to_owned(), |s| format!("{:.2}", s as f64 / 100.0));
                format!("  survey {survey}: {score}{}", if *low { ", low" } else { "" })
            }
            What::Bot { bot } => format!("  talks with bot {bot}"),
            What::Trouble { what, .. } => format!("  {what}"),
            What::Fault { step, what } => format!("  RUNTIME ERROR in {step}: {what}"),
            What::Ended(End::Flow) => "the flow hangs up".into(),
            What::Ended(End::Rejected(code)) => format!("refused with {code}"),
            What::Ended(End::Caller) => "the caller hangs up".into(),
        };
        lines.push(format!("{} {said}", clock(told.at)));
    }
    lines
}

/// `0:07.5`: minutes, seconds and tenths since the call began.
fn clock(at: Time) -> String {
    let tenths = at.since(Time::ZERO).as_millis() / 100;
    format!("{:>3}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// One JSON object: tests, problems and coverage (`{"coverage": {FLOW: {"steps": {..}, "exits": {..}}}}`).
pub fn json(summary: &Summary) -> String {
    #[derive(Serialize)]
    struct Test<'a> {
        flow: &'a str,
        file: &'a str,
        line: u32,
        name: &'a str,
        passed: bool,
        wrong: &'a [String],
        virtual_seconds: f64,
        heard: &'a [String],
        way: Vec<String>,
    }
    #[derive(Serialize)]
    struct All<'a> {
        passed: bool,
        tests: usize,
        failed: usize,
        unreadable: &'a [String],
        uncovered: Vec<String>,
        problems: Vec<&'a Problem>,
        results: Vec<Test<'a>>,
        coverage: &'a Coverage,
    }
    let results = summary.reports.iter().flat_map(|r| {
        r.outcomes.iter().map(|o| Test {
            flow: &r.flow,
            file: &r.file,
            line: o.line,
            name: &o.name,
            passed: o.wrong.is_empty(),
            wrong: &o.wrong,
            virtual_seconds: o.took.as_secs_f64(),
            heard: &o.heard,
            way: if o.wrong.is_empty() { Vec::new() } else { way(&o.story) },
        })
    });
    let all = All {
        passed: summary.passed(),
        tests: summary.tests(),
        failed: summary.failed(),
        unreadable: &summary.unreadable,
        uncovered: summary.uncovered(),
        problems: summary.problems().map(|(_, p)| p).collect(),
        results: results.collect(),
        coverage: &summary.coverage,
    };
    serde_json::to_string_pretty(&all).expect("texts and numbers always serialize")
}

/// JUnit's XML, as build servers read it.
pub fn junit(summary: &Summary) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(xml, "<testsuites tests=\"{}\" failures=\"{}\">", summary.tests(), summary.failed());
    for report in &summary.reports {
        let failed = report.outcomes.iter().filter(|o| !o.wrong.is_empty()).count();
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">",
            escaped(&report.flow),
            report.outcomes.len()
        );
        for outcome in &report.outcomes {
            let head = format!(
                "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"",
                escaped(&report.flow),
                escaped(&outcome.name)
            );
            if outcome.wrong.is_empty() {
                let _ = writeln!(xml, "{head}/>");
            } else {
                let _ = writeln!(
                    xml,
                    "{head}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
                    escaped(&outcome.wrong.join("; ")),
                    escaped(&way(&outcome.story).join("\n"))
                );
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML 1.0 has no way to write most control characters.
            c if c.is_control() && c != '\n' && c != '\t' => safe.push('\u{FFFD}'),
            c => safe.push(c),
        }
    }
    safe
}
