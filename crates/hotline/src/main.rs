//! The command line: reads options, calls the crates that do the work, prints what they say.
//!
//! *Invariant:* no logic of telephony lives here. Exit codes: 0 done, 1 found something wrong, 2 could not
//! start, 70 a rule of our own was broken.
mod announce;
mod check;
mod cli;
mod console;
mod demo;
mod dial;
mod excerpt;
mod explain;
mod failure;
mod graph;
mod installation;
mod operate;
mod phones;
mod print;
mod prompts;
mod reload;
mod rollback;
mod run;
mod schema;
mod show;
mod speaker;
mod table;
mod test;
mod versions;
mod voicemail;

use clap::Parser;
use cli::{Cli, Command};
use failure::{DONE, Failure};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let everything = cli.everything;
    let result = match cli.command.unwrap_or_default() {
        Command::Run(options) => run::run(cli.config.as_deref(), &options, everything),
        Command::Check(options) => check::check(cli.config.as_deref(), &options),
        Command::Test(options) => test::test(cli.config.as_deref(), &options),
        Command::Dial(options) => dial::dial(cli.config.as_deref(), &options),
        Command::Graph(options) => graph::graph(cli.config.as_deref(), &options),
        Command::Explain(options) => explain::explain(cli.config.as_deref(), &options),
        Command::Schema(options) => schema::schema(cli.config.as_deref(), &options),
        Command::Prompts(options) => prompts::prompts(cli.config.as_deref(), &options),
        Command::Reload(options) => reload::reload(cli.config.as_deref(), &options),
        Command::Versions(options) => versions::versions(cli.config.as_deref(), &options),
        Command::Rollback(options) => rollback::rollback(cli.config.as_deref(), &options),
        Command::Announce(options) => announce::announce(cli.config.as_deref(), &options),
        Command::Voicemail(options) => voicemail::voicemail(cli.config.as_deref(), &options, everything),
        Command::Show(options) => show::show(cli.config.as_deref(), &options, everything),
        Command::Agent { name, state } => operate::agent(cli.config.as_deref(), name, &state),
        Command::Call(options) => phones::call(cli.config.as_deref(), &options),
        Command::Phone(options) => phones::phone(cli.config.as_deref(), &options),
        Command::Demo(options) => demo::demo(cli.config.as_deref(), &options, everything),
        Command::Hangup { call } => operate::hang_up(cli.config.as_deref(), call),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) if failure.is_broken_pipe() => ExitCode::from(DONE),
        Err(Failure { code, what, .. }) => {
            eprintln!("hotline: {what}");
            ExitCode::from(code)
        }
    }
}
