//! Messages that callers have left: the running engine keeps the list, so that the lamps on agents' phones follow.
use crate::failure::{DONE, Failure};
use crate::print::{age_ms, masked};
use crate::speaker;
use crate::table::Table;
use crate::{installation, operate};
use clap::Subcommand;
use server::control::ask;
use server::control::protocol::{Answer, Message, Request, Show};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List the messages, of all mailboxes or of one
    List {
        /// As hotline.toml calls it
        mailbox: Option<String>,
        /// JSON for programs
        #[arg(long)]
        json: bool,
    },
    /// Play a message through the machine's speaker, and mark it as heard
    Play {
        mailbox: String,
        /// Its number, as the list shows it
        message: u64,
        /// Write it to this WAV file instead
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Delete a message for good
    Delete { mailbox: String, message: u64 },
    /// Mark a message as heard
    Heard { mailbox: String, message: u64 },
    /// Mark a message as not heard yet
    Unheard { mailbox: String, message: u64 },
}

pub fn voicemail(config: Option<&Path>, options: &Options, everything: bool) -> Result<u8, Failure> {
    let by = operate::operator();
    let mark = |mailbox: &String, id: u64, heard| {
        operate::command(
            config,
            &Request::MarkMessage { mailbox: mailbox.clone(), id, heard, by: by.clone() },
        )
    };
    match &options.what {
        What::List { mailbox, json } => list(config, mailbox.clone(), *json, everything),
        What::Play { mailbox, message, out } => {
            play(config, mailbox, *message, out.as_deref())?;
            mark(mailbox, *message, true)
        }
        What::Delete { mailbox, message } => {
            let request = Request::DeleteMessage { mailbox: mailbox.clone(), id: *message, by: by.clone() };
            operate::command(config, &request)
        }
        What::Heard { mailbox, message } => mark(mailbox, *message, true),
        What::Unheard { mailbox, message } => mark(mailbox, *message, false),
    }
}

fn list(config: Option<&Path>, mailbox: Option<String>, json: bool, everything: bool) -> Result<u8, Failure> {
    let mut messages = messages(config, mailbox)?;
    if !everything {
        messages.iter_mut().for_each(|m| m.caller = masked(&m.caller));
    }
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &messages)
            .map_err(|e| Failure::from(std::io::Error::from(e)))?;
        writeln!(out)?;
        return Ok(DONE);
    }
    if messages.is_empty() {
        writeln!(out, "no messages")?;
        return Ok(DONE);
    }
    let mut t = Table::new(&["MAILBOX", "MESSAGE>", "AT", "LENGTH>", "CALLER", "CALL>", "STATE"]);
    for m in &messages {
        t.row([
            m.mailbox.clone(),
            m.id.to_string(),
            local_time(m.at_unix_ms),
            age_ms(m.length_ms),
            m.caller.clone(),
            m.call.to_string(),
            if m.heard { "heard" } else { "new" }.to_owned(),
        ]);
    }
    t.print(&mut out)?;
    Ok(DONE)
}

fn messages(config: Option<&Path>, mailbox: Option<String>) -> Result<Vec<Message>, Failure> {
    let request = Request::Show(Show::Messages { mailbox });
    match ask(&operate::control_socket(config)?, &request).map_err(Failure::wrong)? {
        Answer::Messages(messages) => Ok(messages),
        Answer::Error(what) => Err(Failure::wrong(what)),
        answer => Err(Failure::wrong(format!("the engine answered something else: {answer:?}"))),
    }
}

fn play(config: Option<&Path>, mailbox: &str, id: u64, out: Option<&Path>) -> Result<(), Failure> {
    let messages = messages(config, Some(mailbox.to_owned()))?;
    let Some(message) = messages.iter().find(|m| m.id == id) else {
        return Err(Failure::wrong(format!(
            "there is no message {id} in `{mailbox}`; `hotline voicemail list {mailbox}` lists them"
        )));
    };
    let (_, loaded) = installation::load(config, 0)?;
    let file = loaded.server.store.parent().unwrap_or(Path::new("")).join(&message.file);
    let failed = |error: std::io::Error| Failure::wrong(format!("{}: {error}", file.display()));
    match out {
        Some(out) => drop(std::fs::copy(&file, out).map_err(failed)?),
        None => {
            std::fs::metadata(&file).map_err(failed)?;
            speaker::play(&file).map_err(|why| {
                Failure::wrong(format!("{why}\n  help: --out FILE writes the message to a file"))
            })?;
        }
    }
    Ok(())
}

/// The machine's own time, to the second.
fn local_time(unix_ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(unix_ms) {
        Ok(at) => jiff::tz::TimeZone::system().to_datetime(at).strftime("%m-%d %H:%M:%S").to_string(),
        Err(_) => String::new(),
    }
}
