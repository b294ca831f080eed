use crate::failure::Failure;
use config::{Loaded, SystemSecrets};
use engine::Settings;
use std::path::{Path, PathBuf};

const MAIN_FILE: &str = "config/hotline.toml";

/// The main file: the one named, the one here, or the sample beside the source.
pub fn main_file(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return match path.is_file() {
            true => Ok(path.to_owned()),
            false => Err(Failure::not_started(format!("there is no configuration at {}", path.display()))),
        };
    }
    let here = PathBuf::from(MAIN_FILE);
    if here.is_file() {
        return Ok(here);
    }
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(MAIN_FILE);
    match sample.canonicalize() {
        Ok(path) => Ok(path),
        Err(_) => Err(Failure::not_started(format!(
            "there is no {MAIN_FILE} here\n  help: go to the folder that holds config/, or name the file: --config FILE"
        ))),
    }
}

/// Reads the installation as it is, mistakes and all.
pub fn load(named: Option<&Path>, epoch_unix: i64) -> Result<(PathBuf, Loaded), Failure> {
    let main = main_file(named)?;
    let loaded = config::load(&main, &SystemSecrets, epoch_unix);
    Ok((main, loaded))
}

/// An installation that may serve calls; otherwise its mistakes are the failure.
pub fn load_good(
    named: Option<&Path>,
    epoch_unix: i64,
) -> Result<(PathBuf, Settings, config::ServerSettings), Failure> {
    let (main, loaded) = load(named, epoch_unix)?;
    let (settings, server) = good(loaded)?;
    Ok((main, settings, server))
}

/// What was loaded, if it may serve calls.
pub fn good(loaded: Loaded) -> Result<(Settings, config::ServerSettings), Failure> {
    let Loaded { settings, findings, server, .. } = loaded;
    match settings {
        Some(settings) => Ok((settings, server)),
        None => {
            let report = config::Report { findings: &findings };
            let what =
                format!("the configuration has errors\n{report}\n  help: `hotline check` lists them again");
            Err(Failure::not_started(what))
        }
    }
}
