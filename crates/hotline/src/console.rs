//! What a person in front of `hotline` sees: how to call it, and each call's story.
use crate::print::{Colour, age, masked, paint};
use engine::{Settings, StoryLine};
use hotline_core::Fault;
use server::Told;
use server::wire::name_of;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// How stories are told.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub colours: bool,
    /// Numbers and keys in full.
    pub everything: bool,
    /// Unix seconds of `Time::ZERO`; None: time since the start instead of the time of day.
    pub epoch_unix: Option<i64>,
}

/// Where it listens, what to dial, how to register, how to try it without a phone.
pub fn banner(
    out: &mut impl Write,
    colours: bool,
    settings: &Settings,
    main: &Path,
    server: &config::ServerSettings,
) -> io::Result<()> {
    let bold = |text: &str| paint(colours, Colour::Bold, text);
    let hotline = invocation();
    let listen: Vec<String> =
        settings.sip.listeners.iter().map(|l| format!("{}:{}", name_of(l.transport), l.address)).collect();
    let address = settings
        .sip
        .listeners
        .first()
        .map_or_else(|| SocketAddr::from(([127, 0, 0, 1], 5060)), |l| l.address);
    writeln!(out, "{} listens on {}", bold(&settings.sip.product), listen.join(", "))?;
    writeln!(out)?;
    writeln!(out, "{}", bold("Numbers to dial"))?;
    for number in settings.numbers.values() {
        let title = if number.title.is_empty() { &number.flow.name } else { &*number.title };
        writeln!(out, "  {:<14} {title}", number.digits)?;
    }
    if let Some(agent) = settings.roster.agents.first() {
        let name = &agent.name;
        writeln!(out)?;
        writeln!(out, "{}", bold("Register a phone as an agent"))?;
        writeln!(
            out,
            "  server {address}   realm {}   user {name} or another of {} agents",
            settings.sip.realm,
            settings.roster.agents.len()
        )?;
        writeln!(out, "  passwords: see `secret` in {}", main.with_file_name("agents.toml").display())?;
    }
    writeln!(out)?;
    writeln!(out, "{}", bold("Without a phone, in another terminal"))?;
    if let Some(agent) = settings.roster.agents.first() {
        writeln!(out, "  {hotline} phone {}", agent.name)?;
    }
    if let Some(number) = settings.numbers.keys().next() {
        writeln!(out, "  {hotline} call {number}")?;
    }
    writeln!(out, "  {hotline} show calls")?;
    writeln!(out)?;
    writeln!(out, "records in {}, control socket {}", server.store.display(), server.control.display())?;
    writeln!(
        out,
        "Ctrl-C drains: no new calls, up to {} for those that go on; twice ends at once",
        age(settings.limits.drain_max)
    )?;
    writeln!(out)?;
    out.flush()
}

/// What to type to start this program again, as it was started now.
fn invocation() -> String {
    let binary = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let mut words = match std::env::var_os("CARGO") {
        Some(_) if binary.iter().any(|part| part == "release") => "cargo run --release --".to_owned(),
        Some(_) => "cargo run --".to_owned(),
        None => binary.display().to_string(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let file = match argument.strip_prefix("--config") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(file) = file {
            words.push_str(&format!(" --config {file}"));
        }
    }
    words
}

/// One line of a call's story.
pub fn story(style: Style, told: &Told) -> String {
    let time = match style.epoch_unix {
        Some(epoch) => time_of_day(epoch, told.at),
        None => format!("{:7.2}s", told.at.as_millis() as f64 / 1000.0),
    };
    let call = told.call.map_or_else(|| " ".repeat(10), |call| format!("{:<10}", call.to_string()));
    let (colour, text) = words(style.everything, &told.line);
    format!("{} {call} {}", paint(style.colours, Colour::Dim, &time), paint(style.colours, colour, &text))
}

fn words(everything: bool, line: &StoryLine) -> (Colour, String) {
    match line {
        StoryLine::Registered { agent, contacts: 1 } => (Colour::Green, format!("{agent} registers a phone")),
        StoryLine::Registered { agent, contacts } => {
            (Colour::Green, format!("{agent} registers a phone ({contacts} now)"))
        }
        StoryLine::Unregistered { agent, expired: true } => {
            (Colour::Yellow, format!("{agent}'s registration expires"))
        }
        StoryLine::Unregistered { agent, expired: false } => {
            (Colour::Plain, format!("{agent}'s phone signs off"))
        }
        StoryLine::Arrived { caller, dialled } => {
            let caller = if everything { caller.expose().clone() } else { masked(caller.expose()) };
            (
                Colour::Bold,
                format!("{} dials {dialled}", if caller.is_empty() { "somebody" } else { &caller }),
            )
        }
        StoryLine::Refused { code, why } => (Colour::Red, format!("is refused with {code}: {why}")),
        StoryLine::Answered => (Colour::Plain, "is answered".into()),
        StoryLine::Step { step } => (Colour::Dim, format!("at step {step}")),
        StoryLine::Pressed { digit } => {
            (Colour::Blue, format!("presses {}", if everything { *digit.expose() } else { '*' }))
        }
        StoryLine::Queued { queue, severity, position } => {
            (Colour::Yellow, format!("waits in {queue} as {severity}, place {position}"))
        }
        StoryLine::Offered { agent } => (Colour::Plain, format!("rings {agent}")),
        StoryLine::OfferEnded { agent, why } => (Colour::Yellow, format!("{agent} does not take it: {why}")),
        StoryLine::Connected { agent, waited } => {
            (Colour::Green, format!("talks with {agent} after waiting {}", age(*waited)))
        }
        StoryLine::Held { party, on: true } => (Colour::Plain, format!("{party} puts the call on hold")),
        StoryLine::Held { party, on: false } => (Colour::Plain, format!("{party} takes the call off hold")),
        StoryLine::AgentState { agent, state } => (Colour::Dim, format!("{agent} is {state}")),
        StoryLine::Ended { cause, length } => {
            let colour = if cause.fault() == Fault::Engine { Colour::Red } else { Colour::Bold };
            (colour, format!("ends after {}: {cause}", age(*length)))
        }
        StoryLine::Note(text) => (Colour::Plain, text.chars().filter(|c| !c.is_control()).collect()),
    }
}

fn time_of_day(epoch_unix: i64, at: hotline_core::Time) -> String {
    let ms = epoch_unix.saturating_mul(1000).saturating_add(at.as_millis().cast_signed());
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => jiff::tz::TimeZone::system().to_datetime(at).strftime("%H:%M:%S").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotline_core::{CallId, Cause, Pii, Time};
    use std::time::Duration;

    const SHY: Style = Style { colours: false, everything: false, epoch_unix: None };

    fn tell(style: Style, line: StoryLine) -> String {
        story(style, &Told { at: Time::from_millis(1234), call: Some(CallId(7)), line })
    }

    #[test]
    fn numbers_and_keys_are_hidden_unless_asked_for() {
        let arrived =
            StoryLine::Arrived { caller: Pii::new("13800138000".into()), dialled: "4009508888".into() };
        assert_eq!(tell(SHY, arrived.clone()), "   1.23s call-7     *******8000 dials 4009508888");
        let open = Style { everything: true, ..SHY };
        assert_eq!(tell(open, arrived), "   1.23s call-7     13800138000 dials 4009508888");
        let pressed = StoryLine::Pressed { digit: Pii::new('5') };
        assert_eq!(tell(SHY, pressed.clone()), "   1.23s call-7     presses *");
        assert_eq!(tell(open, pressed), "   1.23s call-7     presses 5");
    }

    #[test]
    fn the_end_says_why() {
        let ended = StoryLine::Ended { cause: Cause::CallerHungUp, length: Duration::from_secs(80) };
        assert_eq!(tell(SHY, ended), "   1.23s call-7     ends after 1m20s: caller-hung-up");
    }
}
