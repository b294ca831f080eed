//! `hotline schema`: what editors and people need to know about the files.
use crate::failure::{DONE, Failure};
use config::Which;
use std::io::Write;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct Options {
    /// Of which file
    #[arg(value_enum, default_value_t = File::Flow)]
    file: File,
    /// The reference of all files in Markdown instead
    #[arg(long)]
    reference: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum File {
    /// flows/NAME.toml
    Flow,
    /// hotline.toml
    Main,
    /// agents.toml
    Agents,
    /// prompts.toml
    Prompts,
    /// flows/NAME.test.toml
    Tests,
}

/// Prints the JSON Schema of a kind of file, or the reference of them all.
pub fn schema(_config: Option<&Path>, options: &Options) -> Result<u8, Failure> {
    let mut out = std::io::stdout().lock();
    if options.reference {
        out.write_all(config::reference().as_bytes())?;
        return Ok(DONE);
    }
    let which = match options.file {
        File::Flow => Which::Flow,
        File::Main => Which::Main,
        File::Agents => Which::Agents,
        File::Prompts => Which::Prompts,
        File::Tests => Which::Tests,
    };
    writeln!(out, "{:#}", config::schema(which))?;
    Ok(DONE)
}
