use crate::cli::{Show, Subject};
use crate::failure::{DONE, Failure};
use crate::installation;
use crate::print::{age_ms, masked};
use crate::table::Table;
use serde_json::Value;
use server::control::protocol::{self, Answer, Request};
use server::control::{AskError, ask, read_file};
use std::io::Write;
use std::path::Path;

/// Asks the running engine; records and events are read from the store when none runs.
pub fn show(config: Option<&Path>, options: &Show, everything: bool) -> Result<u8, Failure> {
    let (_, loaded) = installation::load(config, 0)?;
    let (limit, call) = (options.limit, options.call);
    let subject = match options.what {
        Subject::Calls => protocol::Show::Calls,
        Subject::Agents => protocol::Show::Agents,
        Subject::Queues => protocol::Show::Queues,
        Subject::Timers => protocol::Show::Timers,
        Subject::Registrations => protocol::Show::Registrations,
        Subject::Versions => protocol::Show::Versions { limit },
        Subject::Status => protocol::Show::Status,
        Subject::Announcements => protocol::Show::Announcements,
        Subject::Callbacks => protocol::Show::Callbacks,
        Subject::Flows => protocol::Show::Flows { flow: options.flow.clone() },
        Subject::Records => protocol::Show::Records { limit, call },
        Subject::Events => protocol::Show::Events { limit, call },
    };
    let answer = match ask(&loaded.server.control, &Request::Show(subject.clone())) {
        Err(error @ AskError::NotRunning { .. }) => {
            read_file(&loaded.server.store, &subject).ok_or_else(|| Failure::wrong(error))?
        }
        answer => answer.map_err(Failure::wrong)?,
    };
    let answer = match answer {
        Answer::Error(what) => return Err(Failure::wrong(what)),
        answer if everything => answer,
        answer => mask(answer),
    };
    let mut out = std::io::stdout().lock();
    if options.json {
        // The rows alone: what they are was asked for.
        let value = serde_json::to_value(&answer).map_err(Failure::wrong)?;
        let rows = match value {
            Value::Object(map) => map.into_iter().next().map_or(Value::Null, |(_, rows)| rows),
            other => other,
        };
        serde_json::to_writer_pretty(&mut out, &rows).map_err(|e| Failure::from(std::io::Error::from(e)))?;
        writeln!(out)?;
    } else {
        print(&answer, &mut out)?;
    }
    out.flush()?;
    Ok(DONE)
}

/// Hides callers' numbers and what they typed.
fn mask(mut answer: Answer) -> Answer {
    match &mut answer {
        Answer::Calls(calls) => calls.iter_mut().for_each(|call| call.caller = masked(&call.caller)),
        Answer::Callbacks(rows) => rows.iter_mut().for_each(|row| row.number = masked(&row.number)),
        Answer::Records(records) => {
            for record in records {
                if let Some(caller) = record.get_mut("caller") {
                    *caller = masked(caller.as_str().unwrap_or_default()).into();
                }
                if let Some(digits) = record.get_mut("digits") {
                    *digits = "*".repeat(digits.as_str().unwrap_or_default().len()).into();
                }
                if let Some(Value::Object(vars)) = record.get_mut("vars") {
                    for name in ["caller", "customer"] {
                        if let Some(value) = vars.get_mut(name) {
                            *value = masked(value.as_str().unwrap_or_default()).into();
                        }
                    }
                }
            }
        }
        _ => {}
    }
    answer
}

fn print(answer: &Answer, out: &mut impl Write) -> std::io::Result<()> {
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    match answer {
        Answer::Calls(rows) => {
            let mut t = Table::new(&[
                "CALL>", "AGE>", "CALLER", "DIALLED", "STATE", "STEP", "LANG", "QUEUE", "AGENT",
            ]);
            for r in rows {
                t.row([
                    r.call.to_string(),
                    age_ms(r.age_ms),
                    r.caller.clone(),
                    r.dialled.clone(),
                    r.state.clone(),
                    r.step.clone(),
                    r.language.clone(),
                    some(&r.queue),
                    some(&r.agent),
                ]);
            }
            table_or(&t, rows.is_empty(), "no calls now", out)
        }
        Answer::Agents(rows) => {
            let mut t = Table::new(&["AGENT", "POOL", "STATE", "FOR>", "WHY", "CALL>", "PHONES>", "SKILLS"]);
            for r in rows {
                let skills: Vec<String> =
                    r.skills.iter().map(|(skill, level)| format!("{skill}={level}")).collect();
                t.row([
                    r.name.clone(),
                    r.pool.clone(),
                    r.state.clone(),
                    age_ms(r.since_ms),
                    some(&r.why),
                    r.call.map(|c| c.to_string()).unwrap_or_default(),
                    r.contacts.to_string(),
                    skills.join(" "),
                ]);
            }
            table_or(&t, rows.is_empty(), "no agents: agents.toml is empty", out)
        }
        Answer::Queues(rows) => {
            let mut t = Table::new(&[
                "QUEUE",
                "WAITING>",
                "LONGEST>",
                "TALKING>",
                "READY>",
                "SIGNED-IN>",
                "OFFERED>",
                "ANSWERED>",
                "ABANDONED>",
                "LATE>",
                "CALLBACKS>",
            ]);
            for r in rows {
                t.row([
                    r.name.clone(),
                    r.waiting.to_string(),
                    age_ms(r.longest_wait_ms),
                    r.talking.to_string(),
                    r.agents_ready.to_string(),
                    r.agents_signed_in.to_string(),
                    r.offered.to_string(),
                    r.answered.to_string(),
                    r.abandoned.to_string(),
                    r.promises_missed.to_string(),
                    r.callbacks.to_string(),
                ]);
            }
            table_or(&t, rows.is_empty(), "no queues", out)
        }
        Answer::Timers(rows) => {
            let mut t = Table::new(&["IN>", "OWNER", "WHY"]);
            for r in rows {
                t.row([age_ms(r.in_ms), r.owner.clone(), r.why.clone()]);
            }
            table_or(&t, rows.is_empty(), "nothing is waited for", out)
        }
        Answer::Registrations(rows) => {
            let mut t = Table::new(&["USER", "EXPIRES-IN>", "FROM", "CONTACT", "PHONE"]);
            for r in rows {
                t.row([
                    r.user.clone(),
                    age_ms(r.expires_in_ms),
                    r.from.clone(),
                    r.uri.clone(),
                    r.user_agent.clone(),
                ]);
            }
            table_or(&t, rows.is_empty(), "no phone is registered; `hotline phone NAME` makes one", out)
        }
        Answer::Status(s) => status(s, out),
        Answer::Announcements(rows) => {
            let mut t = Table::new(&["ANNOUNCEMENT", "STATE", "FOR>", "LEFT>", "BY", "REASON", "TITLE"]);
            for r in rows {
                t.row([
                    r.name.clone(),
                    if r.on { "on" } else { "off" }.to_owned(),
                    r.since_ms.map(age_ms).unwrap_or_default(),
                    r.left_ms.map(age_ms).unwrap_or_default(),
                    some(&r.by),
                    some(&r.reason),
                    r.title.clone(),
                ]);
            }
            table_or(
                &t,
                rows.is_empty(),
                "no announcements: [announcement.NAME] in hotline.toml makes one",
                out,
            )
        }
        Answer::Callbacks(rows) => {
            let mut t = Table::new(&["QUEUE", "WAITS>", "SEV", "NUMBER", "LANG", "CALL>", "REQUIRES"]);
            for r in rows {
                t.row([
                    r.queue.clone(),
                    age_ms(r.waits_ms),
                    r.severity.clone(),
                    r.number.clone(),
                    r.language.clone(),
                    r.call.to_string(),
                    some(&r.require),
                ]);
            }
            table_or(&t, rows.is_empty(), "nobody waits to be called back", out)
        }
        // `hotline voicemail list` shows them.
        Answer::Messages(rows) => writeln!(out, "{} messages", rows.len()),
        Answer::Flows(rows) => flows(rows, out),
        Answer::Records(rows) => {
            let mut t = Table::new(&[
                "CALL>", "STARTED", "LENGTH>", "CALLER", "DIALLED", "QUEUE", "SEV", "WAIT>", "AGENT",
                "ENDED-BY",
            ]);
            for r in rows {
                t.row([
                    text(r, "id"),
                    local_time(&text(r, "started")),
                    span(r, "length_ms"),
                    text(r, "caller"),
                    text(r, "dialled"),
                    text(r, "queue"),
                    text(r, "severity"),
                    span(r, "wait_ms"),
                    text(r, "agent"),
                    text(r, "cause"),
                ]);
            }
            table_or(&t, rows.is_empty(), "no call has ended yet", out)
        }
        Answer::Events(rows) => {
            let mut t = Table::new(&["EVENT>", "AT", "CALL>", "AGENT", "WHAT", "DETAIL"]);
            for r in rows {
                t.row([
                    text(r, "id"),
                    local_time(&text(r, "at")),
                    text(r, "call"),
                    text(r, "agent"),
                    text(r, "kind"),
                    text(r, "detail"),
                ]);
            }
            table_or(&t, rows.is_empty(), "nothing has happened yet", out)
        }
        Answer::Versions(rows) => {
            let mut t = Table::new(&["VERSION", "COMMIT", "NOW", "WHEN", "WHAT", "BY", "CALLS>"]);
            for r in rows {
                t.row([
                    text(r, "hash"),
                    text(r, "commit"),
                    text(r, "state"),
                    local_time(&text(r, "at")),
                    text(r, "what"),
                    text(r, "by"),
                    text(r, "calls"),
                ]);
            }
            table_or(&t, rows.is_empty(), "no version was served yet", out)
        }
        Answer::Done(what) | Answer::Error(what) => writeln!(out, "{what}"),
    }
}

fn status(s: &protocol::Status, out: &mut impl Write) -> std::io::Result<()> {
    let state = if s.draining { "draining: no new calls" } else { "taking calls" };
    writeln!(out, "{state}, up {}", age_ms(s.uptime_ms))?;
    writeln!(
        out,
        "calls      {} of {} now, {} in all, {} refused",
        s.calls, s.calls_max, s.calls_total, s.refused_total
    )?;
    writeln!(
        out,
        "waiting    {} callers, {} to be called back; {} agents signed in",
        s.waiting, s.callbacks, s.agents_signed_in
    )?;
    if !s.announcements.is_empty() {
        writeln!(out, "announced  {}", s.announcements.join(", "))?;
    }
    writeln!(
        out,
        "sip        {} transactions, {} dialogs, {} timers",
        s.sip_transactions, s.sip_dialogs, s.timers
    )?;
    writeln!(
        out,
        "messages   {} in, {} out, {} dropped at a full inbox, {} not sent, {} connections refused",
        s.sip_received, s.sip_sent, s.sip_dropped, s.sip_unsent, s.sip_refused
    )?;
    match &s.store_trouble {
        Some(trouble) => writeln!(out, "store      cannot write: {trouble}; {} lost", s.store_lost),
        None => writeln!(out, "store      writing; {} lost", s.store_lost),
    }
}

/// One table for each version; of a step's exits those that were taken.
fn flows(rows: &[protocol::Flow], out: &mut impl Write) -> std::io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "no call has come to a flow yet");
    }
    for (i, flow) in rows.iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        let (name, version) = (&flow.flow, &flow.version);
        writeln!(out, "{name} {version}: {} calls now, {} in all", flow.calls, flow.calls_total)?;
        let mut t = Table::new(&["STEP", "NOW>", "ENTERED>", "LEFT BY"]);
        for step in &flow.steps {
            let taken = step.exits.iter().filter(|(_, times)| **times > 0);
            let exits: Vec<String> = taken.map(|(exit, times)| format!("{exit}={times}")).collect();
            t.row([step.step.clone(), step.calls.to_string(), step.entered.to_string(), exits.join("  ")]);
        }
        t.print(out)?;
    }
    Ok(())
}

fn table_or(table: &Table, empty: bool, instead: &str, out: &mut impl Write) -> std::io::Result<()> {
    if empty { writeln!(out, "{instead}") } else { table.print(out) }
}

fn text(row: &Value, key: &str) -> String {
    match row.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn span(row: &Value, key: &str) -> String {
    row.get(key).and_then(Value::as_u64).map(age_ms).unwrap_or_default()
}

/// The machine's own time of an RFC 3339 instant, to the second.
fn local_time(utc: &str) -> String {
    match utc.parse::<jiff::Timestamp>() {
        Ok(at) => jiff::tz::TimeZone::system().to_datetime(at).strftime("%m-%d %H:%M:%S").to_string(),
        Err(_) => utc.to_owned(),
    }
}
