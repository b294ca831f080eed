//! One record per call, an event log that stays, and a writer that never stops the sender.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
use engine::{
    AnnouncementOn, CallRecord, CallbackRequest, ConsentRecord, Kept, LegRecord, LogEvent, QueueVisit,
    SurveyRecord, Version,
};
use hotline_core::{AgentId, CallId, Cause, LegId, Pii, QueueId, Severity, Time};
use hotline_store::{Counts, Error, Options, PathStep, Query, Reader, Store, VersionNews};
use rusqlite::Connection;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// 2026-11-23T08:00:00Z
const EPOCH: i64 = 1_795_420_800;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/hotline.db");
    (folder, path)
}

/// Nothing lingers, nobody waits for locks: tests say when.
fn quick() -> Options {
    Options {
        linger: Duration::ZERO,
        busy_timeout: Duration::ZERO,
        retry: Duration::from_millis(1),
        retry_max: Duration::from_millis(2),
        ..Options::default()
    }
}

fn record(id: u64) -> CallRecord {
    CallRecord {
        call: CallId(id),
        sip_call_id: format!("{id}@example.net"),
        caller: "+8613800000001".into(),
        dialled: "4009508888".into(),
        flow: "support".into(),
        flow_version: "v1".into(),
        config: Version { hash: "3f2a9c01b2d4".into(), commit: Some("1d6a2bd+".into()) },
        started: Time::from_millis(id * 1000),
        answered: Some(Time::from_millis(id * 1000 + 20)),
        ended: Time::from_millis(id * 1000 + 61_500),
        cause: Cause::CallerHungUp,
        language: "cmn".into(),
        path: vec![(Duration::ZERO, "welcome".into()), (Duration::from_millis(2500), "menu".into())],
        vars: vec![("customer".into(), "******".into()), ("topic".into(), "net \"x\"".into())],
        digits: "1***#".into(),
        queues: vec![
            visit("l1", 3_000, 13_000, "timeout", None),
            visit("l2", 13_000, 20_250, "connected", Some(AgentId(4))),
        ],
        legs: vec![leg("caller", Cause::CallerHungUp), leg("mei", Cause::CallerHungUp)],
        consents: Vec::new(),
        surveys: Vec::new(),
        recordings: Vec::new(),
    }
}

fn visit(name: &str, entered: u64, left: u64, outcome: &'static str, agent: Option<AgentId>) -> QueueVisit {
    QueueVisit {
        queue: QueueId(1),
        name: name.into(),
        severity: Severity::P1,
        entered: Time::from_millis(entered),
        left: Time::from_millis(left),
        outcome,
        agent,
        offers: 2,
    }
}

fn leg(party: &str, cause: Cause) -> LegRecord {
    LegRecord {
        leg: LegId(9),
        party: party.into(),
        started: Time::from_secs(1),
        answered: Some(Time::from_secs(2)),
        ended: Time::from_secs(3),
        cause,
        codec: Some("PCMA"),
        media: None,
    }
}

fn event(n: u64) -> LogEvent {
    LogEvent {
        at: Time::from_millis(n),
        call: Some(CallId(n)),
        agent: Some("mei".into()),
        kind: "offer-made",
        detail: format!("offer={n}"),
    }
}

fn all() -> Query {
    Query { limit: 10_000, ..Query::default() }
}

#[test]
fn what_is_recorded_is_read() {
    let (_folder, path) = place();
    let store = Store::open(&path, EPOCH).unwrap();
    let mut told = record(7);
    told.legs[1].media = Some(media::Stats { packets_sent: 5, jitter_ms: 1.5, ..Default::default() });
    assert!(store.record(told));
    assert!(store.event(event(3)));
    store.flush().unwrap();

    let reader = store.reader().unwrap();
    let calls = reader.calls(all()).unwrap();
    let call = &calls[0];
    assert_eq!((calls.len(), call.id, &*call.sip_call_id), (1, 7, "7@example.net"));
    assert_eq!((&*call.caller, &*call.dialled), ("+8613800000001", "4009508888"));
    assert_eq!((&*call.flow, &*call.flow_version, &*call.language), ("support", "v1", "cmn"));
    let config = (&*call.config_version, call.config_commit.as_deref());
    assert_eq!(config, ("3f2a9c01b2d4", Some("1d6a2bd+")));
    assert_eq!(call.started, "2026-11-23T08:00:07.000Z");
    assert_eq!(call.answered.as_deref(), Some("2026-11-23T08:00:07.020Z"));
    assert_eq!((&*call.ended, call.length_ms), ("2026-11-23T08:01:08.500Z", 61_500));
    assert_eq!((&*call.cause, call.code, &*call.fault), ("caller-hung-up", 200, "caller"));
    assert_eq!((call.queue.as_deref(), call.severity.as_deref()), (Some("l2"), Some("P1")));
    assert_eq!((call.wait_ms, call.agent.as_deref()), (Some(17_250), Some("mei")));
    assert_eq!(
        (&*call.digits, &*call.vars["customer"], &*call.vars["topic"]),
        ("1***#", "******", "net \"x\"")
    );
    assert_eq!(call.path[1], PathStep { at_ms: 2500, step: "menu".into() });
    let visits: Vec<_> =
        call.queues.iter().map(|q| (&*q.queue, q.wait_ms, &*q.outcome, q.agent_id)).collect();
    assert_eq!(visits, [("l1", 10_000, "timeout", None), ("l2", 7_250, "connected", Some(4))]);
    assert_eq!((call.legs.len(), &call.legs[0].media), (2, &None));
    let stats = call.legs[1].media.as_ref().unwrap();
    assert_eq!((stats.packets_sent, stats.jitter_ms, stats.round_trip_ms), (5, Some(1.5), None));

    let events = reader.events(all()).unwrap();
    assert_eq!((events.len(), &*events[0].at, events[0].call), (1, "2026-11-23T08:00:00.003Z", Some(3)));
    assert_eq!(
        (events[0].agent.as_deref(), &*events[0].kind, &*events[0].detail),
        (Some("mei"), "offer-made", "offer=3")
    );
    let counts = Counts { calls_written: 1, events_written: 1, ..Counts::default() };
    assert_eq!((store.dropped(), store.close()), (0, counts));
}

#[test]
fn a_call_never_queued_or_answered() {
    let (_folder, path) = place();
    let store = Store::open(&path, EPOCH).unwrap();
    let bare = CallRecord {
        answered: None,
        cause: Cause::Refused(486),
        path: vec![],
        vars: vec![],
        queues: vec![],
        legs: vec![LegRecord { answered: None, codec: None, ..leg("mei", Cause::RangOut) }],
        ..record(1)
    };
    store.record(bare);
    store.close();
    let call = &Reader::open(&path).unwrap().calls(all()).unwrap()[0];
    assert_eq!((&call.answered, &call.queue, &call.wait_ms, &call.agent), (&None, &None, &None, &None));
    assert_eq!((&*call.cause, call.code, &*call.fault), ("refused", 486, "agent"));
}

#[test]
fn versions_are_listed_by_their_last_change_with_their_calls() {
    let (_folder, path) = place();
    let store = Store::open_with(&path, EPOCH, quick()).unwrap();
    let version = |hash: &str| Version { hash: hash.into(), commit: None };
    for (at, hash, what) in [(1, "aa", "started"), (2, "bb", "reloaded"), (3, "aa", "rolled-back")] {
        let (at, version) = (Time::from_secs(at), version(hash));
        assert!(store.version(VersionNews { at, version, what, by: "ops".into() }));
    }
    for (id, hash) in [(1, "aa"), (2, "bb"), (3, "aa")] {
        store.record(CallRecord { config: version(hash), ..record(id) });
    }
    store.close();
    let listed = Reader::open(&path).unwrap().versions(10).unwrap();
    let rows: Vec<_> = listed.iter().map(|v| (&*v.hash, &*v.what, &*v.by, v.calls)).collect();
    assert_eq!(rows, [("aa", "rolled-back", "ops", 2), ("bb", "reloaded", "ops", 1)]);
    assert_eq!(Reader::open(&path).unwrap().versions(1).unwrap().len(), 1);
}

#[test]
fn a_file_of_an_earlier_schema_is_brought_up() {
    let (_folder, path) = place();
    // The file of a newer one gives the application's id.
    drop(Store::open_with(&path, EPOCH, quick()).unwrap());
    let new = Connection::open(&path).unwrap();
    let id: i32 = new.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
    drop(new);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    let old = Connection::open(&path).unwrap();
    old.pragma_update(None, "application_id", id).unwrap();
    old.execute_batch("CREATE TABLE schema_version (version INTEGER PRIMARY KEY) STRICT;").unwrap();
    for (version, sql) in
        [(1, include_str!("../src/schema/0001.sql")), (2, include_str!("../src/schema/0002.sql"))]
    {
        old.execute_batch(sql).unwrap();
        old.execute("INSERT INTO schema_version (version) VALUES (?1)", [version]).unwrap();
    }
    drop(old);
    let store = Store::open_with(&path, EPOCH, quick()).unwrap();
    store.record(record(1));
    store.close();
    assert_eq!(Reader::open(&path).unwrap().calls(all()).unwrap().len(), 1);
}

#[test]
fn one_record_a_call() {
    let (_folder, path) = place();
    let store = Store::open_with(&path, EPOCH, quick()).unwrap();
    store.record(record(5));
    store.record(CallRecord { caller: "another".into(), ..record(5) });
    store.record(record(6));
    store.flush().unwrap();
    store.record(record(5));
    let counts = store.close();
    assert_eq!((counts.calls_written, counts.calls_twice, counts.refused, counts.write_errors), (2, 2, 0, 0));
    let calls = Reader::open(&path).unwrap().calls(all()).unwrap();
    assert_eq!(calls.iter().map(|c| (c.id, c.legs.len())).collect::<Vec<_>>(), [(6, 2), (5, 2)]);
    assert_eq!(calls[1].caller, "+8613800000001", "the first record stays");
}

#[test]
fn questions() {
    let (_folder, path) = place();
    let store = Store::open(&path, EPOCH).unwrap();
    for id in 1..=6 {
        let caller = if id % 2 == 0 { "even" } else { "odd" };
        let cause = if id == 4 { Cause::RangOut } else { Cause::CallerHungUp };
        store.record(CallRecord { caller: caller.into(), cause, ..record(id) });
        store.event(LogEvent {
            kind: if id == 3 { "agent-paused" } else { "offer-made" },
            ..event(id * 1000)
        });
    }
    store.flush().unwrap();
    let reader = store.reader().unwrap();
    let at = |s: i64| Some((EPOCH + s) * 1000);
    for (query, ids) in [
        (Query::default(), vec![6, 5, 4, 3, 2, 1]),
        (Query { limit: 2, ..all() }, vec![6, 5]),
        (Query { limit: 2, before: Some(5), ..all() }, vec![4, 3]),
        (Query { caller: Some("odd".into()), ..all() }, vec![5, 3, 1]),
        (Query { caller: Some("odd' OR 1 --".into()), ..all() }, vec![]),
        (Query { call: Some(CallId(3)), ..all() }, vec![3]),
        (Query { since_unix_ms: at(4), ..all() }, vec![6, 5, 4]),
        (Query { since_unix_ms: at(2), until_unix_ms: at(4), ..all() }, vec![3, 2]),
        (Query { kind: Some("rang-out".into()), ..all() }, vec![4]),
        (Query { dialled: Some("4009508899".into()), ..all() }, vec![]),
        (Query { agent: Some("mei".into()), limit: 1, ..all() }, vec![6]),
        (Query { limit: 0, ..all() }, vec![]),
    ] {
        let found: Vec<_> = reader.calls(&query).unwrap().iter().map(|c| c.id).collect();
        assert_eq!(found, ids, "{query:?}");
    }
    let paused = reader.events(&Query { kind: Some("agent-paused".into()), ..all() }).unwrap();
    assert_eq!((paused.len(), paused[0].call), (1, Some(3000)));
    assert_eq!(reader.events(&Query { since_unix_ms: at(5), ..all() }).unwrap().len(), 2);
}

#[test]
fn the_event_log_is_append_only() {
    let (_folder, path) = place();
    let store = Store::open(&path, EPOCH).unwrap();
    store.event(event(1));
    store.close();
    let by_hand = Connection::open(&path).unwrap();
    for change in ["DELETE FROM events", "UPDATE events SET kind = 'x'"] {
        let refusal = by_hand.execute(change, []).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{refusal}");
    }
    assert_eq!(Reader::open(&path).unwrap().events(all()).unwrap().len(), 1);
}

#[test]
fn call_ids_go_on_after_a_restart() {
    let (_folder, path) = place();
    let store = Store::open(&path, EPOCH).unwrap();
    assert_eq!(store.last_call_id(), 0);
    store.record(record(41));
    store.event(event(43)); // a call that never came to its record
    assert_eq!(store.last_call_id(), 43);
    store.close();
    let store = Store::open(&path, EPOCH).unwrap();
    assert_eq!(store.last_call_id(), 43);
}

#[test]
fn files_that_are_not_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let open = || Store::open(&path, EPOCH).unwrap_err();

    assert!(matches!(Reader::open(&path), Err(Error::Missing(_))));
    std::fs::write(&path, "a letter to my mother, long enough to be no SQLite header".repeat(30)).unwrap();
    assert!(matches!(open(), Error::NotOurs(_)));
    assert!(matches!(Reader::open(&path), Err(Error::NotOurs(_))));

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE cats (name TEXT)").unwrap();
    assert!(matches!(open(), Error::NotOurs(_)));
    let tables: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
        .unwrap();
    assert_eq!(tables, 1, "another's file is left as it was");

    std::fs::remove_file(&path).unwrap();
    drop(Store::open(&path, EPOCH).unwrap());
    Connection::open(&path).unwrap().execute("INSERT INTO schema_version (version) VALUES (99)", []).unwrap();
    assert!(matches!(open(), Error::Newer { version: 99, .. }));
    assert!(open().to_string().contains("other.db: written by a newer version"));

    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    assert!(matches!(Store::open(&blocked.join("x.db"), EPOCH), Err(Error::Io(..))));
}

#[test]
fn one_store_a_file() {
    let (_folder, path) = place();
    let first = Store::open(&path, EPOCH).unwrap();
    let refusal = Store::open(&path, EPOCH).unwrap_err();
    assert!(matches!(refusal, Error::InUse(_)), "{refusal}");
    let other = first.clone();
    first.close();
    assert!(!other.record(record(1)), "closed for all clones");
    assert_eq!((other.counts().calls_dropped, other.dropped()), (1, 1));
    assert!(matches!(other.flush(), Ok(())), "nothing waits");
    Store::open(&path, EPOCH).unwrap();
}

#[cfg(unix)]
#[test]
fn records_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place();
    let _store = Store::open(&path, EPOCH).unwrap();
    for (path, mode) in [(path.as_path(), 0o600), (path.parent().unwrap(), 0o700)] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
}

/// Another program holds the file: nothing is lost, the sender never waits, memory is bounded.
#[test]
fn a_hundred_thousand_events_while_the_file_is_held() {
    let (_folder, path) = place();
    let options = Options { waiting_max: 1_000, kept_for_calls: 100, ..quick() };
    let store = Store::open_with(&path, EPOCH, options).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut taken = 0;
    for n in 1..=100_000 {
        taken += u64::from(store.event(event(n)));
        assert!(store.counts().waiting <= 900);
    }
    assert_eq!(taken, 900);
    assert_eq!(store.counts().events_dropped, 100_000 - 900);
    assert!((1..=100).all(|id| store.record(record(id))), "room was kept for calls");
    assert!(!store.record(record(101)));
    assert!(matches!(store.flush(), Err(Error::Unwritten(_))));
    assert!(store.trouble().unwrap().contains("locked"));
    assert!(store.counts().write_errors > 0);

    other.execute_batch("COMMIT").unwrap();
    while store.flush().is_err() {} // an attempt from before the COMMIT may still fail
    assert_eq!(store.trouble(), None);
    let counts = store.close();
    assert_eq!((counts.events_written, counts.calls_written), (900, 100));
    assert_eq!((counts.calls_dropped, counts.waiting, counts.lost), (1, 0, 0));
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.events(all()).unwrap().len(), 900, "nothing twice");
    assert_eq!(reader.calls(all()).unwrap().len(), 100);
}

#[test]
fn a_full_disk_and_room_again() {
    let (_folder, path) = place();
    let store = Store::open_with(&path, EPOCH, Options { batch_max: 64, ..quick() }).unwrap();
    store.limit_bytes(0);
    for id in 1..=500 {
        assert!(store.record(record(id)));
    }
    let refusal = store.flush().unwrap_err();
    assert!(refusal.to_string().contains("full"), "{refusal}");
    assert!(store.counts().write_errors > 0);
    store.limit_bytes(1 << 30);
    while store.flush().is_err() {}
    let counts = store.close();
    assert_eq!((counts.calls_written, counts.calls_twice, counts.lost), (500, 0, 0));
    assert_eq!(Reader::open(&path).unwrap().calls(all()).unwrap().len(), 500);
}

#[test]
fn closing_on_a_full_disk_ends_and_says_what_is_lost() {
    let (_folder, path) = place();
    let store = Store::open_with(&path, EPOCH, quick()).unwrap();
    store.limit_bytes(0);
    for id in 1..=500 {
        store.record(record(id));
    }
    let counts = store.close();
    assert_eq!(counts.calls_written + counts.lost, 500);
    assert!(counts.lost > 0);
    assert_eq!(counts.waiting, 0);
    assert_eq!(Reader::open(&path).unwrap().calls(all()).unwrap().len() as u64, counts.calls_written);
}

#[test]
fn readers_beside_the_writer_see_whole_calls() {
    let (_folder, path) = place();
    let store = Store::open_with(&path, EPOCH, Options { batch_max: 7, ..quick() }).unwrap();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let reader = Reader::open(&path).unwrap();
                scope.spawn(move || {
                    let mut seen = 0;
                    while seen < 1_000 {
                        let calls = reader.calls(&Query { limit: 50, ..all() }).unwrap();
                        assert!(calls.iter().all(|c| c.legs.len() == 2 && c.queues.len() == 2));
                        let newest = calls.first().map_or(0, |c| c.id);
                        assert!(newest >= seen, "what was seen stays");
                        seen = newest;
                    }
                })
            })
            .collect();
        for id in 1..=1_000 {
            assert!(store.record(record(id)));
        }
        readers.into_iter().for_each(|r| r.join().unwrap());
    });
    assert_eq!(store.close().write_errors, 0);
}

/// The other half of `a_killed_process_leaves_what_was_flushed`: runs until it is killed.
#[test]
fn child_that_is_killed() {
    let Ok(path) = std::env::var("HOTLINE_STORE_OF_CHILD") else { return };
    let store = Store::open_with(&PathBuf::from(path), EPOCH, quick()).unwrap();
    (1..=200).for_each(|id| assert!(store.record(record(id))));
    store.flush().unwrap();
    println!("\nflushed");
    for id in 201.. {
        store.record(record(id));
    }
}

#[test]
fn a_killed_process_leaves_what_was_flushed() {
    let (_folder, path) = place();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_is_killed", "--nocapture"])
        .env("HOTLINE_STORE_OF_CHILD", &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "flushed"));
    child.kill().unwrap();
    child.wait().unwrap();

    // A reader first: it must manage with what the dead writer left.
    let flushed = Reader::open(&path).unwrap().calls(Query { before: Some(201), ..all() }).unwrap();
    assert!(flushed.iter().map(|c| c.id).eq((1..=200).rev()));
    let store = Store::open(&path, EPOCH).unwrap();
    assert!(store.last_call_id() >= 200);
    let calls = store.reader().unwrap().calls(all()).unwrap();
    assert!(calls.iter().all(|c| c.legs.len() == 2 && c.queues.len() == 2), "whole calls only");
    store.close();
    let verdict: String =
        Connection::open(&path).unwrap().query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn what_outlasts_the_engine() {
    let (_folder, path) = place();
    let on = |name: &str, until_unix| AnnouncementOn {
        name: name.into(),
        by: "root".into(),
        reason: Some("fibre cut".into()),
        since_unix: 1_790_000_000,
        until_unix,
    };
    let callback = |call, number: &str| CallbackRequest {
        call: CallId(call),
        queue: "l1".into(),
        number: Pii::new(number.into()),
        language: "cmn".into(),
        severity: Severity::P1,
        require: Some("lang.cmn >= 2".into()),
        arrived_unix_ms: 1_790_000_000_123,
        asked_unix_ms: 1_790_000_060_000,
    };
    let store = Store::open(&path, EPOCH).unwrap();
    for kept in [
        Kept::AnnouncementOn(on("outage", None)),
        Kept::AnnouncementOn(on("maintenance", None)),
        Kept::AnnouncementOn(on("outage", Some(1_790_003_600))),
        Kept::AnnouncementOff("maintenance".into()),
        Kept::Callback(callback(9, "13800138000")),
        Kept::Callback(callback(10, "13900139000")),
        // Twice in one queue: refused, and the rest goes on.
        Kept::Callback(callback(11, "13800138000")),
    ] {
        assert!(store.keep(kept));
    }
    assert_eq!(store.last_call_id(), 11);
    let counts = store.close();
    assert_eq!((counts.events_written, counts.refused), (6, 1));
    let kept = Reader::open(&path).unwrap().kept().unwrap();
    assert_eq!(kept.announcements, [on("outage", Some(1_790_003_600))]);
    assert_eq!(kept.callbacks, [callback(9, "13800138000"), callback(10, "13900139000")]);
}

#[test]
fn consents_and_marks() {
    let (_folder, path) = place();
    let store = Store::open(&path, EPOCH).unwrap();
    let consent = ConsentRecord { at: Time::from_millis(1500), what: "recording".into(), granted: true };
    let survey = SurveyRecord {
        survey: "service".into(),
        answers: vec![("speed".into(), Some(4)), ("words".into(), None)],
        score: Some(400),
        low: false,
    };
    let outside = leg("trunk carrier", Cause::AgentHungUp);
    store.record(CallRecord {
        consents: vec![consent],
        surveys: vec![survey],
        legs: vec![leg("caller", Cause::CallerHungUp), leg("mei", Cause::AgentHungUp), outside],
        ..record(1)
    });
    store.close();
    let call = &Reader::open(&path).unwrap().calls(all()).unwrap()[0];
    assert_eq!(call.agent.as_deref(), Some("mei"), "a number outside is no agent");
    let consent = &call.consents[0];
    assert_eq!(
        (&*consent.at, &*consent.what, consent.granted),
        ("2026-11-23T08:00:01.500Z", "recording", true)
    );
    let survey = &call.surveys[0];
    assert_eq!((&*survey.survey, survey.score, survey.low), ("service", Some(400), false));
    let marks: Vec<_> = survey.answers.iter().map(|a| (&*a.question, a.mark)).collect();
    assert_eq!(marks, [("speed", Some(4)), ("words", None)]);
}
