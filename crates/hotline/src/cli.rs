use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A telephone hotline: answers, plays prompts, takes keys, and brings the right agent to the phone.
///
/// Alone, `hotline` runs the installation in config/hotline.toml and prints how to call it.
#[derive(Parser, Debug)]
#[command(version, after_help = "Exit codes: 0 done, 1 found something wrong, 2 could not start.")]
pub struct Cli {
    /// The installation's main file [default: config/hotline.toml, else the sample that came with the source]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show callers' numbers and the keys they press in full
    #[arg(long = "show-numbers", global = true)]
    pub everything: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the engine (what `hotline` alone does)
    Run(Run),
    /// Look at the configuration and say what is wrong with it; changes nothing
    Check(crate::check::Options),
    /// Test the flows: tables of callers on a virtual clock, and random ones
    Test(crate::test::Options),
    /// Be a caller in a flow, in this terminal: hear it as text, press keys, step back
    Dial(crate::dial::Options),
    /// Draw a flow as SVG, DOT or Mermaid
    Graph(crate::graph::Options),
    /// Say what a rule of `check` means, with an example
    Explain(crate::explain::Options),
    /// Print the JSON Schema of the files, or the reference of the flow language
    Schema(crate::schema::Options),
    /// See, render, check and play the prompts
    Prompts(crate::prompts::Options),
    /// Take the configuration as it is now on disk, if it passes check and tests; calls in progress keep theirs
    Reload(crate::reload::Options),
    /// List the configurations that were served, and which are
    Versions(crate::versions::Options),
    /// Serve an earlier configuration again
    Rollback(crate::rollback::Options),
    /// Switch an emergency announcement on or off in the running engine
    Announce(crate::announce::Options),
    /// List, play and delete messages in voicemail boxes
    Voicemail(crate::voicemail::Options),
    /// Show what the running engine is doing, or what it has recorded
    Show(Show),
    /// Change an agent's state
    Agent {
        /// As agents.toml calls the agent
        name: String,
        #[command(subcommand)]
        state: AgentState,
    },
    /// End a call
    Hangup {
        /// Its number, as `hotline show calls` lists it: 17 or call-17
        #[arg(value_parser = call_number)]
        call: u64,
    },
    /// Call a number without a phone: a real SIP caller that prints what happens
    Call(Call),
    /// Be an agent without a phone: a real SIP phone that registers and answers on its own
    Phone(Phone),
    /// Show it all: engine, agents' phones and callers over real SIP and audio on this machine
    Demo(Demo),
}

impl Default for Command {
    fn default() -> Command {
        Command::Run(Run::default())
    }
}

#[derive(Args, Default, Debug)]
pub struct Run {
    /// Listen here instead of where the configuration says: udp:127.0.0.1:5070, tcp:[::1]:5060; may be repeated
    #[arg(long, value_name = "TRANSPORT:ADDRESS:PORT", value_parser = listener)]
    pub listen: Vec<(sip::Transport, SocketAddr)>,
    /// What to log: error, warn, info, debug, trace, or `warn,hotline_server::wire=debug` [default: the configuration's]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// Do not tell the calls' stories
    #[arg(long, short)]
    pub quiet: bool,
    /// Serve files as they are saved, if they pass check and tests
    #[arg(long)]
    pub watch: bool,
}

/// Where the engine is.
#[derive(Args, Debug)]
pub struct Server {
    /// [default: where this installation listens]
    #[arg(long, value_name = "HOST:PORT")]
    pub server: Option<String>,
    /// Over TCP
    #[arg(long)]
    pub tcp: bool,
}

#[derive(Args, Debug)]
pub struct Call {
    pub number: String,
    /// Keys to press once answered, and pauses in seconds: "1,p2,123456#"
    #[arg(long, default_value = "", value_name = "KEYS", hide_default_value = true)]
    pub keys: String,
    /// Say this to the other side: a WAV file, 8 to 48 kHz
    #[arg(long, value_name = "FILE")]
    pub wav: Option<PathBuf>,
    /// Keep what is heard as a WAV file, up to ten minutes
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// The caller's number
    #[arg(long, default_value = "13800138000", value_name = "USER")]
    pub from: String,
    /// For numbers that only agents may dial
    #[arg(long)]
    pub password: Option<String>,
    /// Hang up so long after the answer [default: when the other side does]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Send keys by SIP INFO instead of telephone-event
    #[arg(long)]
    pub info: bool,
    #[command(flatten)]
    pub server: Server,
}

#[derive(Args, Debug)]
pub struct Demo {
    /// The number that is called [default: the first of the installation]
    #[arg(long)]
    pub number: Option<String>,
    /// What each caller presses on the way to an agent
    #[arg(long, default_value = "p2,1,p1,1,p1,1", value_name = "KEYS")]
    pub keys: String,
    /// How many call at once
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub callers: u8,
}

#[derive(Args, Debug)]
pub struct Phone {
    /// As agents.toml calls the agent
    pub agent: String,
    /// [default: HOTLINE_PASSWORD of the environment, else the sample installation's, NAME-pass]
    #[arg(long)]
    pub password: Option<String>,
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub answer_after: Duration,
    /// Refuse every call with 486
    #[arg(long, conflicts_with = "no_answer")]
    pub refuse: bool,
    /// Ring, and never answer
    #[arg(long)]
    pub no_answer: bool,
    /// Say this to the caller: a WAV file, 8 to 48 kHz
    #[arg(long, value_name = "FILE")]
    pub wav: Option<PathBuf>,
    /// Keep what is heard as a WAV file, up to ten minutes
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Hang up so long after answering [default: when the caller does]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    #[command(flatten)]
    pub server: Server,
}

#[derive(Args, Debug)]
pub struct Show {
    pub what: Subject,
    /// JSON for programs
    #[arg(long)]
    pub json: bool,
    /// At most so many records or events, the newest first
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: u32,
    /// Only of this call (records, events)
    #[arg(long, value_name = "CALL", value_parser = call_number)]
    pub call: Option<u64>,
    /// Only this flow (flows)
    #[arg(long, value_name = "NAME")]
    pub flow: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Subject {
    /// Calls going on now
    Calls,
    /// Agents and their states
    Agents,
    /// Queues: who waits, who serves
    Queues,
    /// Call records, the newest first
    Records,
    /// The event log, the newest first
    Events,
    /// What the engine waits for, and why
    Timers,
    /// Phones that are registered
    Registrations,
    /// Configurations that were served, and which are
    Versions,
    /// How the engine is
    Status,
    /// Emergency announcements: which are on, by whom, for how long
    Announcements,
    /// Callers who wait to be called back
    Callbacks,
    /// How callers go through the flows: each step and exit, counted since the start
    Flows,
}

impl Show {
    /// As asked for without options.
    pub fn of(what: Subject) -> Show {
        Show { what, json: false, limit: 20, call: None, flow: None }
    }
}

#[derive(Subcommand, Debug)]
pub enum AgentState {
    /// Takes calls again; ends wrap-up, rest and pause
    Ready,
    /// Takes no calls until ready again
    Pause {
        /// Why: break, meal, training
        #[arg(long)]
        reason: String,
    },
    /// Takes no calls until his phone registers anew, or he is made ready
    Logout,
}

/// `500ms`, `5s`, `2m`, `1h`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("write a time like 500ms, 5s or 2m".into()),
    };
    let number: f64 = number.parse().map_err(|_| "write a time like 500ms, 5s or 2m".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|e| e.to_string())
}

fn call_number(text: &str) -> Result<u64, String> {
    text.trim_start_matches("call-").parse().map_err(|_| "a call is a number: 17 or call-17".to_owned())
}

fn listener(text: &str) -> Result<(sip::Transport, SocketAddr), String> {
    let (transport, address) = match text.split_once(':') {
        Some(("udp", rest)) => (sip::Transport::Udp, rest),
        Some(("tcp", rest)) => (sip::Transport::Tcp, rest),
        _ => return Err("write udp:ADDRESS:PORT or tcp:ADDRESS:PORT".into()),
    };
    let address =
        address.parse().map_err(|_| "write an IP address and a port: udp:127.0.0.1:5070".to_owned())?;
    Ok((transport, address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn listeners_and_calls_are_read_or_explained() {
        let v6 = (sip::Transport::Tcp, "[::1]:5060".parse().unwrap());
        assert_eq!(listener("tcp:[::1]:5060"), Ok(v6));
        for bad in ["127.0.0.1:5060", "tls:127.0.0.1:5061", "udp:localhost:5060", "udp:127.0.0.1"] {
            assert!(listener(bad).is_err(), "{bad}");
        }
        assert_eq!((call_number("17"), call_number("call-17")), (Ok(17), Ok(17)));
        assert!(call_number("seventeen").is_err());
    }
}
