use crate::cli::Run;
use crate::console::{self, Style};
use crate::failure::{DONE, Failure};
use crate::installation;
use crate::print::colours;
use engine::Listener;
use server::reload::Source;
use server::{Clock, Exit, Options, Shell, Signal, Told};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use tracing_subscriber::EnvFilter;

/// Story lines that may wait for a slow terminal; more are left out, the engine never waits for it.
const STORIES_MAX: usize = 1024;

/// Runs the engine until it has drained.
pub fn run(config: Option<&Path>, options: &Run, everything: bool) -> Result<u8, Failure> {
    let clock = Clock::start();
    let (main, loaded) = installation::load(config, clock.epoch_unix())?;
    let mut reload = Source::new(main.clone(), &loaded);
    reload.watch |= options.watch;
    reload.listen_given = !options.listen.is_empty();
    let (mut settings, server) = installation::good(loaded)?;
    log(options.log.as_deref().unwrap_or(&server.log), server.log_json, options.quiet)?;
    if !options.listen.is_empty() {
        let listener = |&(transport, address)| Listener { transport, address, advertised: None };
        settings.sip.listeners = options.listen.iter().map(listener).collect();
    }
    let (stories, told) = sync_channel(STORIES_MAX);
    let shell = Shell::start(Options {
        settings,
        clock,
        control: Some(server.control.clone()),
        store: Some(server.store.clone()),
        stories: (!options.quiet).then_some(stories),
        reload: Some(reload),
    })
    .map_err(Failure::not_started)?;
    shell.obey_signals(announce).map_err(Failure::not_started)?;

    let style = Style { colours: colours(), everything, epoch_unix: Some(clock.epoch_unix()) };
    // Who started us may not want to read on; callers are served all the same.
    let _ = console::banner(&mut std::io::stdout().lock(), style.colours, shell.settings(), &main, &server);
    let teller = thread::spawn(move || tell(style, &told));
    let exit = shell.wait();
    let _ = teller.join();
    match exit {
        Exit::Drained | Exit::Stopped => Ok(DONE),
        Exit::Broken(what) => Err(Failure::broken(format!("the engine broke a rule of its own: {what}"))),
    }
}

/// Until the engine has ended, or nobody reads any more.
fn tell(style: Style, told: &Receiver<Told>) {
    let mut out = std::io::stdout();
    for story in told {
        if writeln!(out, "{}", console::story(style, &story)).is_err() {
            return;
        }
    }
}

fn announce(signal: Signal) {
    eprintln!(
        "hotline: {}",
        match signal {
            Signal::First => "draining: no new calls; once more ends at once",
            Signal::Second => "ending at once",
        }
    );
}

/// Logs go to standard error. With stories on the terminal only what is odd is logged beside them, unless
/// somebody asked for more.
fn log(filter: &str, json: bool, quiet: bool) -> Result<(), Failure> {
    let stories_say_it = filter == "info" && !quiet && std::io::stdout().is_terminal();
    let filter = EnvFilter::try_new(if stories_say_it { "warn" } else { filter }).map_err(|error| {
        Failure::not_started(format!("the log filter `{filter}`: {error}\n  help: try `info` or `debug`"))
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match json {
        true => log.json().flatten_event(true).init(),
        false => log.with_ansi(std::io::stderr().is_terminal()).init(),
    }
    Ok(())
}
