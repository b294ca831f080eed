//! A caller in a terminal: what is heard as text (and as sound), keys from the keyboard, the state beside it,
//! and steps back. The interpreter is the engine's own; agents and other systems are played.

mod screen;
mod sound;

use crate::failure::{DONE, FOUND_WRONG, Failure};
use crate::installation;
use hotline_core::Time;
use rehearsal::{Action, Case, House, Scripted, Stage};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// A flow, or a number of the installation [default: the first number's flow]
    pub what: Option<String>,
    /// The caller's number
    #[arg(long, value_name = "USER")]
    pub from: Option<String>,
    /// Local time of the call: "2026-11-23 10:00" [default: now]
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// Play the prompts as well, with aplay, paplay, play or ffplay
    #[arg(long)]
    pub audio: bool,
    /// As this test of the flow is given: its mocks, staff, announcements
    #[arg(long, value_name = "TEST")]
    pub like: Option<String>,
    /// Do this instead of asking the keyboard: "hear choose-language; press 2; wait 5s; hang up"
    #[arg(long = "do", value_name = "ACTIONS")]
    pub actions: Option<String>,
}

/// What the person at the keyboard did, when.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Done {
    Pressed(char),
    HungUp,
}

/// One call, which can be played again from its beginning: that is how it goes back.
struct Session {
    house: House,
    flow: Arc<ivr::Flow>,
    case: Case,
    done: Vec<(Time, Done)>,
    stage: Stage<Scripted>,
}

impl Session {
    fn new(house: House, flow: Arc<ivr::Flow>, case: Case) -> Result<Session, Failure> {
        let stage = house.open(&flow, &case).map_err(Failure::not_started)?;
        Ok(Session { house, flow, case, done: Vec::new(), stage })
    }

    fn act(&mut self, what: Done) {
        if self.stage.end().is_some() {
            return;
        }
        self.done.push((self.stage.now(), what));
        carry_out(&mut self.stage, what);
    }

    /// To the moment just before the last thing that was done; to the beginning when nothing was.
    fn back(&mut self) {
        let to = self.done.pop().map_or(Time::ZERO, |(at, _)| at);
        // It opened before with the same case.
        let Ok(mut stage) = self.house.open(&self.flow, &self.case) else { return };
        for (at, what) in &self.done {
            stage.advance_to(*at);
            carry_out(&mut stage, *what);
        }
        stage.advance_to(to);
        self.stage = stage;
    }
}

fn carry_out(stage: &mut Stage<Scripted>, what: Done) {
    match what {
        Done::Pressed(key) => stage.press(key),
        Done::HungUp => stage.hang_up(),
    }
}

/// Plays a flow in the terminal.
pub fn dial(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let epoch_unix = server::Clock::start().epoch_unix();
    let (main, loaded) = installation::load(config, epoch_unix)?;
    let Some(settings) = loaded.settings.clone() else {
        let report = loaded.report();
        return Err(Failure::not_started(format!("the configuration has errors\n{report}")));
    };
    let (flow, number) = chosen(&loaded, &settings, options.what.as_deref())?;
    let mut case = match &options.like {
        Some(name) => like(&loaded, &flow, name)?,
        None => Case::empty(),
    };
    case.given.caller = options.from.clone().or(case.given.caller);
    case.given.number = number.or(case.given.number);
    if let Some(time) = &options.time {
        let read = time.replacen(' ', "T", 1).parse();
        case.given.time =
            Some(read.map_err(|_| {
                Failure::not_started(format!("`{time}` is no time: write \"2026-11-23 10:00\""))
            })?);
    }
    let settings = Arc::new(settings);
    let mut session = Session::new(House::new(settings.clone()), flow, case)?;
    if let Some(actions) = &options.actions {
        return scripted(&mut session, actions);
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::not_started(
            "`hotline dial` needs a terminal\n  help: or say what the caller does: --do \"hear choose-language; press 2\"",
        ));
    }
    let texts = prompts::List::read(&main.with_file_name("../prompts/prompts.toml")).ok();
    let sound =
        if options.audio { Some(sound::Sound::find(settings).map_err(Failure::not_started)?) } else { None };
    screen::run(&mut session, texts.as_ref(), sound)?;
    Ok(DONE)
}

fn chosen(
    loaded: &config::Loaded,
    settings: &engine::Settings,
    what: Option<&str>,
) -> Result<(Arc<ivr::Flow>, Option<String>), Failure> {
    let Some(what) = what else {
        let number = settings.numbers.values().next();
        let number = number.ok_or_else(|| Failure::not_started("this installation has no numbers"))?;
        return Ok((number.flow.clone(), Some(number.digits.to_string())));
    };
    if let Some(number) = settings.numbers.get(what) {
        return Ok((number.flow.clone(), Some(what.to_owned())));
    }
    match loaded.flows.get(what) {
        Some(flow) => Ok((flow.clone(), None)),
        None => {
            let names = loaded.flows.keys().chain(settings.numbers.keys()).map(|n| &**n);
            let help =
                ivr::suggest(what, names).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            Err(Failure::not_started(format!("no flow and no number is called `{what}`{help}")))
        }
    }
}

fn like(loaded: &config::Loaded, flow: &ivr::Flow, name: &str) -> Result<Case, Failure> {
    let path = loaded.tests.get(&flow.name);
    let path = path.ok_or_else(|| Failure::not_started(format!("flow `{}` has no tests", flow.name)))?;
    let source = std::fs::read_to_string(path)
        .map_err(|e| Failure::not_started(format!("{}: {e}", path.display())))?;
    let file =
        rehearsal::read(&source).map_err(|e| Failure::not_started(format!("{}:{e}", path.display())))?;
    let found = file.cases.into_iter().find(|c| c.name == name || c.name.contains(name));
    found.ok_or_else(|| Failure::not_started(format!("no test in {} is called `{name}`", path.display())))
}

/// Without a keyboard: the whole story on standard output.
fn scripted(session: &mut Session, actions: &str) -> Result<u8, Failure> {
    let mut wrong = None;
    for text in actions.split(';').map(str::trim).filter(|t| !t.is_empty()) {
        let action = Action::parse(text).map_err(Failure::not_started)?;
        if let Err(what) = rehearsal::act(&mut session.stage, &action) {
            wrong = Some(what);
            break;
        }
    }
    // Then he listens; nobody listens longer than a day.
    let day = Duration::from_secs(24 * 3600);
    while wrong.is_none() && session.stage.now().since(Time::ZERO) < day && session.stage.advance() {}
    let mut out = std::io::stdout().lock();
    for line in rehearsal::way(session.stage.story()) {
        writeln!(out, "{line}")?;
    }
    match wrong {
        Some(what) => {
            writeln!(out, "{what}")?;
            Ok(FOUND_WRONG)
        }
        None => Ok(DONE),
    }
}
