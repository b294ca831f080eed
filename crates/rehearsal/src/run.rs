//! One test: a stage, a script, and what should have come of it.

use crate::coverage::Counter;
use crate::file::{Case, Expect};
use crate::others::Scripted;
use crate::script::Action;
use crate::stage::{End, Lengths, Stage, Told, What};
use engine::Settings;
use hotline_core::Time;
use ivr::{Flow, Start};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Virtual time after which a test that goes on is ended: a day.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Steps after which a test that goes on is ended.
const STEPS_MAX: u64 = 10_000;

/// The installation that flows are rehearsed in.
#[derive(Clone, Debug)]
pub struct House {
    pub settings: Arc<Settings>,
    pub lengths: Arc<Lengths>,
}

/// What became of a test.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub name: String,
    pub line: u32,
    /// What was not as expected; empty: passed.
    pub wrong: Vec<String>,
    /// The way the caller took, line by line.
    pub story: Vec<Told>,
    /// Virtual time.
    pub took: Duration,
    pub heard: Vec<String>,
}

impl House {
    pub fn new(settings: Arc<Settings>) -> House {
        let prompts = &settings.prompts;
        let of = |sound: &hotline_core::SoundId| {
            prompts.lengths.get(sound.0 as usize).copied().unwrap_or_default()
        };
        let lengths = prompts
            .sounds
            .iter()
            .map(|(language, sounds)| {
                let lengths = sounds.iter().map(|(name, sound)| (name.clone(), of(sound))).collect();
                (language.clone(), lengths)
            })
            .collect();
        House { settings, lengths: Arc::new(lengths) }
    }

    /// A stage on which a caller has just dialled, as a test gives it.
    pub fn open(&self, flow: &Arc<Flow>, case: &Case) -> Result<Stage<Scripted>, String> {
        let given = &case.given;
        let number = match &given.number {
            Some(digits) => match self.settings.numbers.get(digits.as_str()) {
                Some(number) => Some(number),
                None => return Err(format!("no number {digits} in this installation")),
            },
            None => self.settings.numbers.values().find(|n| n.flow.name == flow.name),
        };
        let mut vars: BTreeMap<Arc<str>, String> = BTreeMap::new();
        if let Some(number) = number {
            if number.flow.name != flow.name {
                return Err(format!("number {} runs flow `{}`", number.digits, number.flow.name));
            }
            vars.extend(number.vars.iter().cloned());
        }
        vars.extend(given.vars.iter().cloned());
        let epoch_unix = match given.time {
            Some(time) => {
                flow.zone.to_timestamp(time).map_err(|e| format!("{time} is no time here: {e}"))?.as_second()
            }
            None => self.settings.epoch_unix,
        };
        let start = Start {
            caller: given.caller.clone().unwrap_or_else(|| "13800138000".into()),
            dialled: number.map_or_else(String::new, |n| n.digits.to_string()),
            epoch_unix,
            vars: vars.into_iter().collect(),
            call: "test".into(),
        };
        let mut others = Scripted::new(self.settings.roster.clone());
        others.signed_in = given.staff.clone();
        others.queues = given.queues.clone();
        others.estimates = given.estimates.clone();
        others.rings = given.rings.clone();
        others.http = given.http.clone();
        others.announcements = given.announcements.clone();
        others.bots = given.bots.clone();
        others.message = given.message.unwrap_or(others.message);
        others.callback = given.callback.unwrap_or(others.callback);
        Ok(Stage::new(flow.clone(), start, self.lengths.clone(), others))
    }
}

/// Plays a test; `snapshot` is what an earlier run heard, where there is one.
pub fn run(
    house: &House,
    flow: &Arc<Flow>,
    case: &Case,
    snapshot: Option<&[String]>,
    counter: &mut Counter,
) -> Outcome {
    let mut outcome = Outcome {
        name: case.name.clone(),
        line: case.line,
        wrong: Vec::new(),
        story: Vec::new(),
        took: Duration::ZERO,
        heard: Vec::new(),
    };
    let mut stage = match house.open(flow, case) {
        Ok(stage) => stage,
        Err(what) => {
            outcome.wrong.push(what);
            return outcome;
        }
    };
    for action in &case.actions {
        if let Err(what) = act(&mut stage, action) {
            outcome.wrong.push(what);
            break;
        }
    }
    while outcome.wrong.is_empty() && goes_on(&stage) && stage.advance() {}
    counter.count(stage.story());
    if outcome.wrong.is_empty() {
        judge(&stage, &case.expect, snapshot, &mut outcome.wrong);
    }
    outcome.took = stage.now().since(Time::ZERO);
    outcome.heard = heard(stage.story()).map(str::to_owned).collect();
    outcome.story = stage.story().to_vec();
    outcome
}

fn goes_on(stage: &Stage<Scripted>) -> bool {
    stage.now().since(Time::ZERO) < LIFE_MAX && stage.entered() < STEPS_MAX
}

/// Does what a caller does; an error when it cannot be done, or what is waited for never comes.
pub fn act(stage: &mut Stage<Scripted>, action: &Action) -> Result<(), String> {
    let over = |stage: &Stage<Scripted>| match stage.end() {
        Some(_) => Err(format!("`{action}`: the call was over already")),
        None => Ok(()),
    };
    match action {
        Action::Press(keys) => {
            over(stage)?;
            for key in keys.chars() {
                stage.press(key);
            }
        }
        Action::Wait(length) => {
            over(stage)?;
            stage.advance_to(stage.now() + *length);
        }
        Action::HangUp => {
            over(stage)?;
            stage.hang_up();
        }
        Action::Hear(prompt) => {
            until(
                stage,
                action,
                |what| matches!(what, What::Heard { prompt: heard, .. } if **heard == **prompt),
            )?;
        }
        Action::Reach(step) => {
            until(stage, action, |what| matches!(what, What::Entered(entered) if **entered == **step))?;
        }
    }
    Ok(())
}

/// Lets time pass until something is told that was not told before the last thing the caller did.
fn until(stage: &mut Stage<Scripted>, action: &Action, wanted: impl Fn(&What) -> bool) -> Result<(), String> {
    let begun = stage.story().iter().rposition(|t| matches!(t.what, What::Pressed { .. })).unwrap_or(0);
    let mut looked = begun;
    loop {
        if stage.story()[looked..].iter().any(|told| wanted(&told.what)) {
            return Ok(());
        }
        looked = stage.story().len();
        if !goes_on(stage) || !stage.advance() {
            return Err(format!("`{action}` never came"));
        }
    }
}

fn heard(story: &[Told]) -> impl Iterator<Item = &str> {
    story.iter().filter_map(|t| if let What::Heard { prompt, .. } = &t.what { Some(&**prompt) } else { None })
}

fn path(story: &[Told]) -> impl Iterator<Item = &str> {
    story.iter().filter_map(|t| if let What::Entered(step) = &t.what { Some(&**step) } else { None })
}

/// How a stage stands at the end of a test, in the words of `ends`.
fn ending(stage: &Stage<Scripted>) -> String {
    match stage.end() {
        Some(End::Flow) => "flow".into(),
        Some(End::Caller) => "caller".into(),
        Some(End::Rejected(code)) => format!("reject {code}"),
        None => "waits".into(),
    }
}

fn judge(stage: &Stage<Scripted>, expect: &Expect, snapshot: Option<&[String]>, wrong: &mut Vec<String>) {
    let story = stage.story();
    for told in story {
        if let What::Fault { step, what } = &told.what {
            wrong.push(format!("a runtime error in step `{step}`: {what}"));
        }
    }
    for request in &stage.others().unanswered {
        wrong.push(format!("nobody answers `{request}`: give the test an `http` mock for it"));
    }
    let heard: Vec<&str> = heard(story).collect();
    let path: Vec<&str> = path(story).collect();
    for (what, given, expected, exact) in [
        ("heard", &heard, &expect.hears, false),
        ("heard", &heard, &expect.hears_exactly, true),
        ("path", &path, &expect.path, false),
        ("path", &path, &expect.path_exactly, true),
    ] {
        let Some(expected) = expected else { continue };
        if exact && !expected.iter().eq(given.iter()) {
            wrong.push(format!(
                "{what}: expected exactly {}\n    got {}",
                expected.join(", "),
                given.join(", ")
            ));
        } else if !exact && let Some(missing) = missing(expected, given) {
            let happened = given.join(", ");
            wrong.push(format!("{what}: `{missing}` is missing, or not in this order\n    got {happened}"));
        }
    }
    for prompt in &expect.never_hears {
        if heard.contains(&prompt.as_str()) {
            wrong.push(format!("heard `{prompt}`, which should not be heard"));
        }
    }
    let values = stage.visit().values();
    for (name, expected) in &expect.vars {
        match values.iter().find(|(n, _)| **n == **name) {
            None => wrong.push(format!("no variable is called `{name}`")),
            Some((_, value)) if value != expected => {
                wrong.push(format!("`{name}` is \"{value}\", expected \"{expected}\""));
            }
            Some(_) => {}
        }
    }
    if let Some(language) = &expect.language
        && stage.visit().language() != language
    {
        wrong.push(format!("the language is {}, expected {language}", stage.visit().language()));
    }
    if let Some(expected) = &expect.queue {
        let queued: Vec<_> = story
            .iter()
            .filter_map(|t| match &t.what {
                What::Queued { queue, severity, require } => Some((
                    queue.to_string(),
                    severity.as_str().to_owned(),
                    require.clone().unwrap_or_default(),
                )),
                _ => None,
            })
            .collect();
        let same = |expected: &Option<String>, given: &str| expected.as_ref().is_none_or(|e| e == given);
        let found = queued.iter().any(|(queue, severity, require)| {
            same(&expected.name, queue)
                && same(&expected.severity, severity)
                && same(&expected.require, require)
        });
        if !found {
            let shown = queued.iter().map(|(q, s, r)| format!("{q} as {s} for `{r}`")).collect::<Vec<_>>();
            let got = if shown.is_empty() { "no queue at all".into() } else { shown.join("; ") };
            wrong.push(format!(
                "queue: expected {} as {} for `{}`\n    got {got}",
                expected.name.as_deref().unwrap_or("any"),
                expected.severity.as_deref().unwrap_or("any severity"),
                expected.require.as_deref().unwrap_or("anything"),
            ));
        }
    }
    if let Some(expected) = &expect.requests {
        let asked: Vec<&str> = story
            .iter()
            .filter_map(|t| match &t.what {
                What::Fetched { request, .. } | What::Notified { request } => Some(request.as_str()),
                _ => None,
            })
            .collect();
        let same = expected.len() == asked.len()
            && expected.iter().zip(&asked).all(|(e, a)| crate::others::fits(e, a));
        if !same {
            wrong.push(format!("requests: expected {}\n    got {}", expected.join(", "), asked.join(", ")));
        }
    }
    if let Some(expected) = &expect.survey {
        let got = story.iter().find_map(|t| match &t.what {
            What::Survey { survey, score, low } => Some((survey.clone(), *score, *low)),
            _ => None,
        });
        match got {
            None => wrong.push("survey: none was given".into()),
            Some((name, score, low)) => {
                let score = score.map(|s| s as f64 / 100.0);
                let right = expected.name.as_ref().is_none_or(|n| **n == *name)
                    && expected.score.is_none_or(|e| score.is_some_and(|s| (s - e).abs() < 0.005))
                    && expected.low.is_none_or(|e| e == low);
                if !right {
                    wrong.push(format!("survey: got {name}, score {score:?}, low {low}"));
                }
            }
        }
    }
    if let Some(expected) = &expect.ends {
        let got = ending(stage);
        if got != *expected {
            wrong.push(format!("ends: expected \"{expected}\", got \"{got}\""));
        }
    } else if stage.end().is_none() {
        wrong.push("the call never ended: say `ends = \"waits\"` if that is right".into());
    }
    if expect.snapshot
        && let Some(before) = snapshot
        && !before.iter().eq(heard.iter())
    {
        let change = difference(before, &heard);
        wrong.push(format!("the prompts heard differ from the snapshot: {change}\n    accept with --update"));
    }
}

/// The first of `wanted` that does not come in its place among `given`.
fn missing<'a>(wanted: &'a [String], given: &[&str]) -> Option<&'a str> {
    let mut rest = given.iter();
    wanted.iter().find(|w| !rest.any(|g| g == w)).map(String::as_str)
}

fn difference(before: &[String], now: &[&str]) -> String {
    let same = before.iter().zip(now).take_while(|(a, b)| a == *b).count();
    let name = |found: Option<&str>| found.map_or("nothing".to_owned(), |n| format!("`{n}`"));
    let (was, is) = (before.get(same).map(String::as_str), now.get(same).copied());
    format!("prompt {} was {}, is {}", same + 1, name(was), name(is))
}
