use crate::failure::Failure;
use crate::installation;
use std::io::Write;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// One JSON object for programs
    #[arg(long)]
    json: bool,
}

/// Says what is wrong with the configuration; reads only.
pub fn check(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let epoch_unix = server::Clock::start().epoch_unix();
    let (main, loaded) = installation::load(config, epoch_unix)?;
    let report = loaded.report();
    let mut out = std::io::stdout().lock();
    if options.json {
        writeln!(out, "{}", report.json())?;
    } else {
        writeln!(out, "{report}")?;
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
    }
    Ok(report.exit_status())
}
