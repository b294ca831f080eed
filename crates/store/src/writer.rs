//! The thread that owns the file.
use crate::queue::{Counts, Item, Queue, Work};
use crate::{Options, VersionNews};
use engine::{CallRecord, Kept, LegRecord, LogEvent, QueueVisit};
use hotline_core::{Cause, Time};
use rusqlite::{Connection, ErrorCode, Transaction, named_params, params};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) fn spawn(
    connection: Connection,
    epoch_unix: i64,
    options: Options,
    queue: Arc<Queue>,
) -> io::Result<JoinHandle<()>> {
    connection.set_prepared_statement_cache_capacity(16);
    let mut writer = Writer { connection, epoch_unix, options, queue };
    thread::Builder::new().name("store".to_owned()).spawn(move || {
        /// Whatever ends the thread, nobody waits for it afterwards.
        struct Stopped(Arc<Queue>);
        impl Drop for Stopped {
            fn drop(&mut self) {
                self.0.stopped();
            }
        }
        let _stopped = Stopped(Arc::clone(&writer.queue));
        writer.run();
    })
}

struct Writer {
    connection: Connection,
    epoch_unix: i64,
    options: Options,
    queue: Arc<Queue>,
}

impl Writer {
    fn run(&mut self) {
        while let Work::Batch(batch) = self.queue.next(self.options.linger) {
            if !self.write_until_done(&batch) {
                return;
            }
        }
    }

    /// False when the store closes and the file still refuses.
    fn write_until_done(&mut self, batch: &[Item]) -> bool {
        let mut retry = self.options.retry;
        let mut attempts_left = self.options.close_attempts;
        loop {
            if let Some(bytes) = self.queue.take_limit_bytes() {
                self.limit(bytes);
            }
            let error = match self.write(batch) {
                Ok(written) => {
                    self.queue.settled(&written);
                    return true;
                }
                Err(e) => e,
            };
            if !self.queue.failed(error.to_string(), retry) {
                attempts_left = attempts_left.saturating_sub(1);
                if attempts_left == 0 {
                    return false;
                }
                retry = self.options.retry;
            } else {
                retry = (retry * 2).min(self.options.retry_max);
            }
        }
    }

    /// One transaction; an error leaves nothing behind.
    fn write(&mut self, batch: &[Item]) -> rusqlite::Result<Counts> {
        let mut counts = Counts::default();
        let clock = Clock { epoch_unix: self.epoch_unix };
        let mut tx = self.connection.transaction()?;
        for item in batch {
            match item {
                Item::Call(record) => match insert_call(&mut tx, clock, record) {
                    Ok(()) => counts.calls_written += 1,
                    Err(e) if is_duplicate(&e) => counts.calls_twice += 1,
                    Err(e) if is_refusal(&e) => counts.refused += 1,
                    Err(e) => return Err(e),
                },
                Item::Event(event) => match insert_event(&tx, clock, event) {
                    Ok(()) => counts.events_written += 1,
                    Err(e) if is_refusal(&e) => counts.refused += 1,
                    Err(e) => return Err(e),
                },
                Item::Kept(kept) => match keep(&tx, kept) {
                    Ok(()) => counts.events_written += 1,
                    Err(e) if is_refusal(&e) => counts.refused += 1,
                    Err(e) => return Err(e),
                },
                Item::Version(news) => match insert_version(&tx, clock, news) {
                    Ok(()) => counts.events_written += 1,
                    Err(e) if is_refusal(&e) => counts.refused += 1,
                    Err(e) => return Err(e),
                },
            }
        }
        tx.commit()?;
        Ok(counts)
    }

    fn limit(&self, bytes: u64) {
        let page: i64 =
            self.connection.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap_or(4096);
        let pages = int(bytes) / page.max(1);
        // Answers with a row.
        let set =
            self.connection.query_row(&format!("PRAGMA max_page_count = {}", pages.max(1)), [], |_| Ok(()));
        if let Err(e) = set {
            let _ = self.queue.failed(e.to_string(), Duration::ZERO);
        }
    }
}

/// The call has a record. (The call's row is the only one whose key comes from outside.)
fn is_duplicate(e: &rusqlite::Error) -> bool {
    matches!(e, rusqlite::Error::SqliteFailure(f, _)
        if f.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            || f.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_ROWID)
}

/// It would be refused again: it is dropped so that the rest goes on. Everything else may pass with time.
fn is_refusal(e: &rusqlite::Error) -> bool {
    match e {
        rusqlite::Error::SqliteFailure(f, _) => {
            matches!(f.code, ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
        }
        rusqlite::Error::ToSqlConversionFailure(_) => true,
        _ => false,
    }
}

/// All rows of a call or none.
fn insert_call(tx: &mut Transaction<'_>, clock: Clock, r: &CallRecord) -> rusqlite::Result<()> {
    let point = tx.savepoint()?;
    let path: Vec<_> = r
        .path
        .iter()
        .map(|(at, step)| serde_json::json!({ "at_ms": milliseconds(*at), "step": &**step }))
        .collect();
    let vars: serde_json::Map<_, _> =
        r.vars.iter().map(|(name, value)| (name.to_string(), value.as_str().into())).collect();
    let queue = r.queues.last();
    let wait = (!r.queues.is_empty())
        .then(|| r.queues.iter().map(|q| milliseconds(q.left.since(q.entered))).fold(0, i64::saturating_add));
    let is_agent = |l: &&LegRecord| l.party != "caller" && !l.party.starts_with("trunk ");
    let agent = r.legs.iter().rev().filter(is_agent).find(|l| l.answered.is_some());
    let consents: Vec<_> = r
        .consents
        .iter()
        .map(|c| serde_json::json!({ "at": clock.text(c.at), "what": &*c.what, "granted": c.granted }))
        .collect();
    let surveys: Vec<_> = r.surveys.iter().map(survey).collect();
    let recordings: Vec<_> = r
        .recordings
        .iter()
        .map(|r| {
            serde_json::json!({
                "file": &*r.file, "at": clock.text(r.started),
                "length_ms": milliseconds(r.length), "muted_ms": milliseconds(r.muted),
            })
        })
        .collect();
    point
        .prepare_cached(
            "INSERT INTO calls (id, sip_call_id, caller, dialled, flow, flow_version, started, answered,
                 ended, length_ms, cause, code, fault, language, queue, severity, wait_ms, agent, digits,
                 path, vars, consents, surveys,
                 config_version, config_commit, recordings)
             VALUES (:id, :sip_call_id, :caller, :dialled, :flow, :flow_version, :started, :answered,
                 :ended, :length_ms, :cause, :code, :fault, :language, :queue, :severity, :wait_ms, :agent,
                 :digits, :path, :vars, :consents, :surveys,
                 :config_version, :config_commit, :recordings)",
        )?
        .execute(named_params! {
            ":id": int(r.call.0),
            ":sip_call_id": r.sip_call_id,
            ":caller": r.caller,
            ":dialled": r.dialled,
            ":flow": &*r.flow,
            ":flow_version": &*r.flow_version,
            ":started": clock.text(r.started),
            ":answered": r.answered.map(|t| clock.text(t)),
            ":ended": clock.text(r.ended),
            ":length_ms": milliseconds(r.ended.since(r.started)),
            ":cause": r.cause.name(),
            ":code": r.cause.code(),
            ":fault": fault(r.cause),
            ":language": r.language,
            ":queue": queue.map(|q| &*q.name),
            ":severity": queue.map(|q| q.severity.as_str()),
            ":wait_ms": wait,
            ":agent": agent.map(|l| &*l.party),
            ":digits": r.digits,
            ":path": serde_json::Value::from(path).to_string(),
            ":config_version": &*r.config.hash,
            ":config_commit": r.config.commit.as_deref(),
            ":vars": serde_json::Value::from(vars).to_string(),
            ":consents": serde_json::Value::from(consents).to_string(),
            ":recordings": serde_json::Value::from(recordings).to_string(),
            ":surveys": serde_json::Value::from(surveys).to_string(),
        })?;
    for (position, visit) in (0i64..).zip(&r.queues) {
        insert_visit(&point, clock, int(r.call.0), position, visit)?;
    }
    for (position, leg) in (0i64..).zip(&r.legs) {
        insert_leg(&point, clock, int(r.call.0), position, leg)?;
    }
    point.commit()
}

fn insert_visit(
    c: &Connection,
    clock: Clock,
    call: i64,
    position: i64,
    v: &QueueVisit,
) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO queue_visits (call, position, queue, severity, entered, left, wait_ms, outcome,
             agent_id, offers)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        call,
        position,
        &*v.name,
        v.severity.as_str(),
        clock.text(v.entered),
        clock.text(v.left),
        milliseconds(v.left.since(v.entered)),
        v.outcome,
        v.agent.map(|a| a.0),
        v.offers,
    ])?;
    Ok(())
}

fn insert_leg(c: &Connection, clock: Clock, call: i64, position: i64, l: &LegRecord) -> rusqlite::Result<()> {
    let m = l.media.as_ref();
    c.prepare_cached(
        "INSERT INTO legs (call, position, leg, party, started, answered, ended, cause, code, fault, codec,
             packets_sent, packets_received, packets_lost, packets_late_or_duplicate, packets_refused,
             jitter_ms, round_trip_ms, remote_loss, remote_jitter_ms, longest_gap_ms, digits)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
             ?21, ?22)",
    )?
    .execute(params![
        call,
        position,
        int(l.leg.0),
        l.party,
        clock.text(l.started),
        l.answered.map(|t| clock.text(t)),
        clock.text(l.ended),
        l.cause.name(),
        l.cause.code(),
        fault(l.cause),
        l.codec,
        m.map(|m| int(m.packets_sent)),
        m.map(|m| int(m.packets_received)),
        m.map(|m| int(m.packets_lost)),
        m.map(|m| int(m.packets_late_or_duplicate)),
        m.map(|m| int(m.packets_refused)),
        m.map(|m| f64::from(m.jitter_ms)),
        m.and_then(|m| m.round_trip_ms).map(f64::from),
        m.and_then(|m| m.remote_loss).map(f64::from),
        m.and_then(|m| m.remote_jitter_ms).map(f64::from),
        m.map(|m| m.longest_gap_ms),
        m.map(|m| m.digits),
    ])?;
    Ok(())
}

fn survey(s: &engine::SurveyRecord) -> serde_json::Value {
    let answer = |(question, mark): &(Arc<str>, Option<u8>)| serde_json::json!({ "question": &**question, "mark": mark });
    let answers: Vec<_> = s.answers.iter().map(answer).collect();
    serde_json::json!({ "survey": &*s.survey, "score": s.score, "low": s.low, "answers": answers })
}

fn keep(c: &Connection, kept: &Kept) -> rusqlite::Result<()> {
    match kept {
        Kept::AnnouncementOn(on) => c
            .prepare_cached("INSERT OR REPLACE INTO announcements VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![&*on.name, on.by, on.reason, on.since_unix, on.until_unix])?,
        Kept::AnnouncementOff(name) => {
            c.prepare_cached("DELETE FROM announcements WHERE name = ?1")?.execute([&**name])?
        }
        Kept::Message(m) => c
            .prepare_cached(
                "INSERT INTO messages (id, mailbox, call, caller, at_unix_ms, length_ms, file, heard)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                int(m.id),
                &*m.mailbox,
                int(m.call.0),
                m.caller.expose(),
                m.at_unix_ms,
                milliseconds(m.length),
                &*m.file,
                m.heard,
            ])?,
        Kept::MessageHeard { id, heard } => c
            .prepare_cached("UPDATE messages SET heard = ?2 WHERE id = ?1")?
            .execute(params![int(*id), heard])?,
        Kept::MessageGone(id) => {
            c.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([int(*id)])?
        }
        Kept::Callback(r) => c
            .prepare_cached(
                "INSERT INTO callbacks (queue, number, call, language, severity, require, arrived_unix_ms,
                     asked_unix_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                &*r.queue,
                r.number.expose(),
                int(r.call.0),
                r.language,
                r.severity.as_str(),
                r.require,
                r.arrived_unix_ms,
                r.asked_unix_ms,
            ])?,
    };
    Ok(())
}

fn insert_event(c: &Connection, clock: Clock, e: &LogEvent) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO events (at, call, agent, kind, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![clock.text(e.at), e.call.map(|c| int(c.0)), e.agent.as_deref(), e.kind, e.detail])?;
    Ok(())
}

fn insert_version(c: &Connection, clock: Clock, v: &VersionNews) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO versions (at, hash, git, what, by) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![clock.text(v.at), &*v.version.hash, v.version.commit.as_deref(), v.what, v.by])?;
    Ok(())
}

/// Engine time to dates.
#[derive(Clone, Copy)]
struct Clock {
    epoch_unix: i64,
}

impl Clock {
    fn text(self, at: Time) -> String {
        unix_ms_text(self.epoch_unix.saturating_mul(1000).saturating_add(int(at.as_millis())))
    }
}

/// RFC 3339 in UTC with milliseconds, always 24 characters in our days; the ends of time when beyond them.
pub(crate) fn unix_ms_text(ms: i64) -> String {
    use jiff::Timestamp;
    let at = Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX });
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn fault(cause: Cause) -> &'static str {
    use hotline_core::Fault;
    match cause.fault() {
        Fault::Caller => "caller",
        Fault::Agent => "agent",
        Fault::Flow => "flow",
        Fault::Operator => "operator",
        Fault::Network => "network",
        Fault::Engine => "engine",
    }
}

fn milliseconds(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

/// SQLite's integers are signed.
fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
