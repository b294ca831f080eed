use crate::failure::Failure;
use crate::{cli, show};
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// JSON for programs
    #[arg(long)]
    json: bool,
    /// At most so many, those that were changed last first
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: u32,
}

/// Lists what was served, by whom it was changed, and how many calls it has had.
pub fn versions(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let Options { json, limit } = *options;
    let show = cli::Show { what: cli::Subject::Versions, json, limit, call: None, flow: None };
    show::show(config, &show, false)
}
