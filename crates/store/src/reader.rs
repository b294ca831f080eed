//! Reading, beside the writer, from one snapshot per question.
use crate::writer::unix_ms_text;
use crate::{Error, schema};
use engine::{AnnouncementOn, CallbackRequest, KeptAtStart, Message};
use hotline_core::{CallId, Pii, Severity};
use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, Row, params_from_iter};
use serde::Serialize;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most rows one question returns.
const ROWS_MAX: u32 = 10_000;

/// Which calls or events; what is `None` does not matter. Newest first.
#[derive(Clone, Debug)]
pub struct Query {
    /// At most 10,000.
    pub limit: u32,
    pub call: Option<CallId>,
    /// Exactly this caller (calls only).
    pub caller: Option<String>,
    /// Exactly this number (calls only).
    pub dialled: Option<String>,
    pub agent: Option<String>,
    /// Calls: the cause's name. Events: the kind.
    pub kind: Option<String>,
    /// Started, or happened, at or after this; ms since 1970.
    pub since_unix_ms: Option<i64>,
    /// Started, or happened, before this; ms since 1970.
    pub until_unix_ms: Option<i64>,
    /// Only ids below this one: the next page after a last row.
    pub before: Option<u64>,
}

impl Default for Query {
    fn default() -> Query {
        Query {
            limit: 100,
            call: None,
            caller: None,
            dialled: None,
            agent: None,
            kind: None,
            since_unix_ms: None,
            until_unix_ms: None,
            before: None,
        }
    }
}

/// A call as stored; times are RFC 3339 in UTC.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct StoredCall {
    pub id: u64,
    pub sip_call_id: String,
    pub caller: String,
    pub dialled: String,
    pub flow: String,
    pub flow_version: String,
    /// The hash of the installation's files, and the Git commit they lay at.
    pub config_version: String,
    pub config_commit: Option<String>,
    pub started: String,
    pub answered: Option<String>,
    pub ended: String,
    pub length_ms: u64,
    pub cause: String,
    pub code: u16,
    pub fault: String,
    pub language: String,
    /// The last queue and its severity; the wait in all queues together.
    pub queue: Option<String>,
    pub severity: Option<String>,
    pub wait_ms: Option<u64>,
    /// The last agent who answered.
    pub agent: Option<String>,
    pub digits: String,
    pub path: Vec<PathStep>,
    pub vars: BTreeMap<String, String>,
    pub consents: Vec<StoredConsent>,
    pub surveys: Vec<StoredSurvey>,
    pub recordings: Vec<StoredRecording>,
    pub queues: Vec<StoredVisit>,
    pub legs: Vec<StoredLeg>,
}

/// A step of the flow, with the time since the call started.
#[derive(Clone, PartialEq, Eq, Serialize, serde::Deserialize, Debug)]
pub struct PathStep {
    pub at_ms: u64,
    pub step: String,
}

/// What the caller agreed to, or not.
#[derive(Clone, PartialEq, Eq, Serialize, serde::Deserialize, Debug)]
pub struct StoredConsent {
    pub at: String,
    pub what: String,
    pub granted: bool,
}

/// Scores are hundredths of a mark; None: not answered.
#[derive(Clone, PartialEq, Eq, Serialize, serde::Deserialize, Debug)]
pub struct StoredSurvey {
    pub survey: String,
    pub score: Option<i64>,
    pub low: bool,
    pub answers: Vec<StoredMark>,
}

#[derive(Clone, PartialEq, Eq, Serialize, serde::Deserialize, Debug)]
pub struct StoredMark {
    pub question: String,
    pub mark: Option<u8>,
}

/// Sound of the call, in a file beside the store. `muted_ms` of its length are silence: paused, or private.
#[derive(Clone, PartialEq, Eq, Serialize, serde::Deserialize, Debug)]
pub struct StoredRecording {
    pub file: String,
    pub at: String,
    pub length_ms: u64,
    pub muted_ms: u64,
}

/// One stay in a queue.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct StoredVisit {
    pub queue: String,
    pub severity: String,
    pub entered: String,
    pub left: String,
    pub wait_ms: u64,
    pub outcome: String,
    pub agent_id: Option<u32>,
    pub offers: u32,
}

/// One party's part of a call.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct StoredLeg {
    pub leg: u64,
    pub party: String,
    pub started: String,
    pub answered: Option<String>,
    pub ended: String,
    pub cause: String,
    pub code: u16,
    pub fault: String,
    pub codec: Option<String>,
    pub media: Option<StoredMedia>,
}

/// As `media::Stats`.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct StoredMedia {
    pub packets_sent: u64,
    pub packets_received: u64,
    pub packets_lost: u64,
    pub packets_late_or_duplicate: u64,
    pub packets_refused: u64,
    pub jitter_ms: Option<f64>,
    pub round_trip_ms: Option<f64>,
    pub remote_loss: Option<f64>,
    pub remote_jitter_ms: Option<f64>,
    pub longest_gap_ms: u32,
    pub digits: u32,
}

/// One row of the event log.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct StoredEvent {
    pub id: u64,
    pub at: String,
    pub call: Option<u64>,
    pub agent: Option<String>,
    pub kind: String,
    pub detail: String,
}

/// A configuration that was served or tried: what became of it last, and how many calls it has had.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct StoredVersion {
    pub hash: String,
    pub commit: Option<String>,
    pub at: String,
    pub what: String,
    pub by: String,
    /// Calls that ended.
    pub calls: u64,
}

/// A read-only connection of its own; it works while a `Store` writes, and without one.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// # Errors
    /// [`Error::Missing`] when there is no store, else as for `Store::open`.
    pub fn open(path: &Path) -> Result<Reader, Error> {
        Ok(Reader { connection: schema::open_read_only(path)?, path: path.to_owned() })
    }

    /// Calls with their legs and queue visits.
    ///
    /// # Errors
    /// The database's, with the file.
    pub fn calls(&self, query: impl Borrow<Query>) -> Result<Vec<StoredCall>, Error> {
        self.read_calls(query.borrow()).map_err(|e| Error::sqlite(&self.path, &e))
    }

    /// # Errors
    /// The database's, with the file.
    pub fn events(&self, query: impl Borrow<Query>) -> Result<Vec<StoredEvent>, Error> {
        self.read_events(query.borrow()).map_err(|e| Error::sqlite(&self.path, &e))
    }

    /// What an engine that starts must know of those before it.
    ///
    /// # Errors
    /// The database's, with the file.
    pub fn kept(&self) -> Result<KeptAtStart, Error> {
        self.read_kept().map_err(|e| Error::sqlite(&self.path, &e))
    }

    fn read_kept(&self) -> rusqlite::Result<KeptAtStart> {
        let tx = self.connection.unchecked_transaction()?;
        let announcements = tx
            .prepare("SELECT * FROM announcements ORDER BY name")?
            .query_map([], announcement)?
            .collect::<Result<_, _>>()?;
        let callbacks = tx
            .prepare("SELECT * FROM callbacks WHERE state = 'waiting' ORDER BY id")?
            .query_map([], callback)?
            .collect::<Result<_, _>>()?;
        let messages = tx
            .prepare("SELECT * FROM messages ORDER BY id")?
            .query_map([], message)?
            .collect::<Result<_, _>>()?;
        let last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'messages'";
        let message_last = tx.query_row(last, [], |row| row.get::<_, i64>(0))?;
        let message_last = u64::try_from(message_last).unwrap_or(0);
        Ok(KeptAtStart { announcements, callbacks, messages, message_last })
    }

    /// Configurations, the one that was changed last first.
    ///
    /// # Errors
    /// The database's, with the file.
    pub fn versions(&self, limit: u32) -> Result<Vec<StoredVersion>, Error> {
        // Of the rows of one hash SQLite gives that of max(id).
        let sql = "SELECT hash, git, at, what, by, max(id) AS last,
                       (SELECT count(*) FROM calls WHERE config_version = hash) AS calls
                   FROM versions GROUP BY hash ORDER BY last DESC LIMIT ?1";
        let read = |row: &Row<'_>| {
            Ok(StoredVersion {
                hash: row.get("hash")?,
                commit: row.get("git")?,
                at: row.get("at")?,
                what: row.get("what")?,
                by: row.get("by")?,
                calls: count(row, "calls")?.unwrap_or(0),
            })
        };
        let rows = |c: &Connection| -> rusqlite::Result<Vec<StoredVersion>> {
            c.prepare_cached(sql)?.query_map([limit.min(ROWS_MAX)], read)?.collect()
        };
        rows(&self.connection).map_err(|e| Error::sqlite(&self.path, &e))
    }

    fn read_calls(&self, query: &Query) -> rusqlite::Result<Vec<StoredCall>> {
        let mut filter = Filter::default();
        filter.add("id = ?", query.call.map(|c| int(c.0)));
        filter.add("caller = ?", query.caller.clone());
        filter.add("dialled = ?", query.dialled.clone());
        filter.add("agent = ?", query.agent.clone());
        filter.add("cause = ?", query.kind.clone());
        filter.add("started >= ?", query.since_unix_ms.map(unix_ms_text));
        filter.add("started < ?", query.until_unix_ms.map(unix_ms_text));
        filter.add("id < ?", query.before.map(int));
        // One snapshot for a call and its legs; it ends when `tx` is dropped.
        let tx = self.connection.unchecked_transaction()?;
        let mut calls: Vec<StoredCall> = filter.rows(&tx, "calls", query.limit, call)?;
        let mut legs = tx.prepare_cached("SELECT * FROM legs WHERE call = ?1 ORDER BY position")?;
        let mut visits = tx.prepare_cached("SELECT * FROM queue_visits WHERE call = ?1 ORDER BY position")?;
        for call in &mut calls {
            call.legs = legs.query_map([int(call.id)], leg)?.collect::<Result<_, _>>()?;
            call.queues = visits.query_map([int(call.id)], visit)?.collect::<Result<_, _>>()?;
        }
        Ok(calls)
    }

    fn read_events(&self, query: &Query) -> rusqlite::Result<Vec<StoredEvent>> {
        let mut filter = Filter::default();
        filter.add("call = ?", query.call.map(|c| int(c.0)));
        filter.add("agent = ?", query.agent.clone());
        filter.add("kind = ?", query.kind.clone());
        filter.add("at >= ?", query.since_unix_ms.map(unix_ms_text));
        filter.add("at < ?", query.until_unix_ms.map(unix_ms_text));
        filter.add("id < ?", query.before.map(int));
        filter.rows(&self.connection, "events", query.limit, event)
    }
}

#[derive(Default)]
struct Filter {
    terms: Vec<&'static str>,
    values: Vec<Value>,
}

impl Filter {
    fn add(&mut self, term: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.terms.push(term);
            self.values.push(value.into());
        }
    }

    fn rows<T>(
        self,
        connection: &Connection,
        table: &str,
        limit: u32,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let terms = if self.terms.is_empty() { "1".to_owned() } else { self.terms.join(" AND ") };
        let limit = limit.min(ROWS_MAX);
        let sql = format!("SELECT * FROM {table} WHERE {terms} ORDER BY id DESC LIMIT {limit}");
        let values = self.values.iter().map(|v| v as &dyn ToSql);
        connection.prepare_cached(&sql)?.query_map(params_from_iter(values), read)?.collect()
    }
}

fn call(row: &Row<'_>) -> rusqlite::Result<StoredCall> {
    Ok(StoredCall {
        id: count(row, "id")?.unwrap_or(0),
        sip_call_id: row.get("sip_call_id")?,
        caller: row.get("caller")?,
        dialled: row.get("dialled")?,
        flow: row.get("flow")?,
        flow_version: row.get("flow_version")?,
        config_version: row.get("config_version")?,
        config_commit: row.get("config_commit")?,
        started: row.get("started")?,
        answered: row.get("answered")?,
        ended: row.get("ended")?,
        length_ms: count(row, "length_ms")?.unwrap_or(0),
        cause: row.get("cause")?,
        code: row.get("code")?,
        fault: row.get("fault")?,
        language: row.get("language")?,
        queue: row.get("queue")?,
        severity: row.get("severity")?,
        wait_ms: count(row, "wait_ms")?,
        agent: row.get("agent")?,
        digits: row.get("digits")?,
        path: json(row, "path")?,
        vars: json(row, "vars")?,
        consents: json(row, "consents")?,
        surveys: json(row, "surveys")?,
        recordings: json(row, "recordings")?,
        queues: Vec::new(),
        legs: Vec::new(),
    })
}

fn visit(row: &Row<'_>) -> rusqlite::Result<StoredVisit> {
    Ok(StoredVisit {
        queue: row.get("queue")?,
        severity: row.get("severity")?,
        entered: row.get("entered")?,
        left: row.get("left")?,
        wait_ms: count(row, "wait_ms")?.unwrap_or(0),
        outcome: row.get("outcome")?,
        agent_id: row.get("agent_id")?,
        offers: row.get("offers")?,
    })
}

fn leg(row: &Row<'_>) -> rusqlite::Result<StoredLeg> {
    let media = match count(row, "packets_sent")? {
        None => None,
        Some(packets_sent) => Some(StoredMedia {
            packets_sent,
            packets_received: count(row, "packets_received")?.unwrap_or(0),
            packets_lost: count(row, "packets_lost")?.unwrap_or(0),
            packets_late_or_duplicate: count(row, "packets_late_or_duplicate")?.unwrap_or(0),
            packets_refused: count(row, "packets_refused")?.unwrap_or(0),
            jitter_ms: row.get("jitter_ms")?,
            round_trip_ms: row.get("round_trip_ms")?,
            remote_loss: row.get("remote_loss")?,
            remote_jitter_ms: row.get("remote_jitter_ms")?,
            longest_gap_ms: row.get("longest_gap_ms")?,
            digits: row.get("digits")?,
        }),
    };
    Ok(StoredLeg {
        leg: count(row, "leg")?.unwrap_or(0),
        party: row.get("party")?,
        started: row.get("started")?,
        answered: row.get("answered")?,
        ended: row.get("ended")?,
        cause: row.get("cause")?,
        code: row.get("code")?,
        fault: row.get("fault")?,
        codec: row.get("codec")?,
        media,
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        id: count(row, "id")?.unwrap_or(0),
        at: row.get("at")?,
        call: count(row, "call")?,
        agent: row.get("agent")?,
        kind: row.get("kind")?,
        detail: row.get("detail")?,
    })
}

fn announcement(row: &Row<'_>) -> rusqlite::Result<AnnouncementOn> {
    Ok(AnnouncementOn {
        name: row.get("name")?,
        by: row.get("by")?,
        reason: row.get("reason")?,
        since_unix: row.get("since_unix")?,
        until_unix: row.get("until_unix")?,
    })
}

fn callback(row: &Row<'_>) -> rusqlite::Result<CallbackRequest> {
    let severity: String = row.get("severity")?;
    Ok(CallbackRequest {
        call: CallId(count(row, "call")?.unwrap_or(0)),
        queue: row.get("queue")?,
        number: Pii::new(row.get("number")?),
        language: row.get("language")?,
        severity: Severity::parse(&severity).unwrap_or(Severity::P3),
        require: row.get("require")?,
        arrived_unix_ms: row.get("arrived_unix_ms")?,
        asked_unix_ms: row.get("asked_unix_ms")?,
    })
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: count(row, "id")?.unwrap_or(0),
        mailbox: row.get("mailbox")?,
        call: CallId(count(row, "call")?.unwrap_or(0)),
        caller: Pii::new(row.get("caller")?),
        at_unix_ms: row.get("at_unix_ms")?,
        length: Duration::from_millis(count(row, "length_ms")?.unwrap_or(0)),
        file: row.get("file")?,
        heard: row.get("heard")?,
    })
}

fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(|n| u64::try_from(n).unwrap_or(0)))
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e)))
}

fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
