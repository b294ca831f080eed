use crate::failure::Failure;
use crate::operate;
use server::control::protocol::Request;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// As `hotline versions` lists it (its first digits do), or `previous`
    version: String,
    /// Even if the tests beside its flows would fail
    #[arg(long)]
    no_tests: bool,
}

/// Has the running engine serve an earlier configuration; the files stay as they are.
pub fn rollback(config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let (version, tests, by) = (options.version.clone(), !options.no_tests, operate::operator());
    operate::command(config, &Request::Rollback { version, tests, by })
}
