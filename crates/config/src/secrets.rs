//! Passwords and tokens, which stand in no configuration file.
use crate::install::{self, Install};
use crate::read::{Table, Value};
use std::io;
use std::path::{Path, PathBuf};

/// Where secrets that are not in the files come from.
pub trait Secrets {
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// A file's text.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// The process's own environment and the file system.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemSecrets;

impl Secrets for SystemSecrets {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
    fn file(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }
}

/// What an `env` or `file` of the table leads to. `what` it is, for people: "the password of agent `bob`".
/// Never puts into a finding what might be secret.
pub(crate) fn read(
    table: &Table<'_>,
    what: &str,
    install: &Install<'_>,
    secrets: &dyn Secrets,
) -> Option<String> {
    match (table.get("env"), table.get("file")) {
        (Some(env), _) => from_env(&env, what, secrets),
        (None, Some(file)) => from_file(&file, what, install, secrets),
        (None, None) => None,
    }
}

fn from_env(value: &Value<'_>, what: &str, secrets: &dyn Secrets) -> Option<String> {
    let variable = value.word()?;
    let secret = secrets.env(variable).filter(|s| !s.trim().is_empty());
    if secret.is_none() {
        value.error_help(
            "secret-missing",
            format!("the environment variable {variable} with {what} is not set"),
            format!("start with {variable}=... in the environment, or use {{ file = \"...\" }}"),
        );
    }
    secret
}

fn from_file(value: &Value<'_>, what: &str, install: &Install<'_>, secrets: &dyn Secrets) -> Option<String> {
    let path = secret_path(install, value.word()?);
    match secrets.file(&path) {
        Ok(text) if !text.trim().is_empty() => Some(text),
        Ok(_) => {
            value.error("secret-missing", format!("{} is empty: it should hold {what}", path.display()));
            None
        }
        Err(error) => {
            let kind = what.split(' ').nth(1).unwrap_or("secret");
            value.error_help(
                "secret-missing",
                format!("{what} cannot be read from {}: {error}", path.display()),
                format!("write the {kind} alone into that file, readable by the engine only"),
            );
            None
        }
    }
}

/// Relative to the installation's root.
fn secret_path(install: &Install<'_>, written: &str) -> PathBuf {
    install::normal(&install.server.root.join(written))
}
