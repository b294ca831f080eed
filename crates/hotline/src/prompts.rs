use crate::failure::Failure;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Options {}

pub fn prompts(_config: Option<&Path>, _options: &Options) -> Result<u8, Failure> {
    Err(Failure::not_started("`hotline prompts` is not built into this version yet"))
}
