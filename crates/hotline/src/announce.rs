//! Emergency announcements: an operator's switch, in effect for the next caller who comes to one.
use crate::cli::{Show, Subject, duration};
use crate::failure::Failure;
use crate::{operate, show};
use server::control::protocol::Request;
use std::path::Path;
use std::time::Duration;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// As hotline.toml calls it; without one, all are listed
    #[arg(requires = "state")]
    name: Option<String>,
    state: Option<State>,
    /// On for so long, then off by itself: 30m, 2h [default: until it is switched off]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    length: Option<Duration>,
    /// Why, for the event log and `hotline show announcements`
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// JSON for programs (the list)
    #[arg(long, conflicts_with = "name")]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum, Debug)]
enum State {
    On,
    Off,
}

pub fn announce(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let Some((name, state)) = options.name.clone().zip(options.state) else {
        let list = Show { json: options.json, ..Show::of(Subject::Announcements) };
        return show::show(config, &list, false);
    };
    let by = operate::operator();
    let (length, reason) = (options.length, options.reason.clone());
    let request = match state {
        State::Off if length.is_some() || reason.is_some() => {
            return Err(Failure::not_started("`off` takes neither --for nor --reason"));
        }
        State::Off => Request::Retract { name, by },
        State::On => {
            let length_ms = length.map(|l| u64::try_from(l.as_millis()).unwrap_or(u64::MAX));
            Request::Announce { name, length_ms, reason, by }
        }
    };
    operate::command(config, &request)
}
