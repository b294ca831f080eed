-- Times are RFC 3339 UTC text of one width (2026-11-23T18:45:39.123Z), so that they sort as text.
CREATE TABLE calls (
    id            INTEGER PRIMARY KEY,
    sip_call_id   TEXT NOT NULL,
    caller        TEXT NOT NULL,
    dialled       TEXT NOT NULL,
    flow          TEXT NOT NULL,
    flow_version  TEXT NOT NULL,
    started       TEXT NOT NULL,
    answered      TEXT,
    ended         TEXT NOT NULL,
    length_ms     INTEGER NOT NULL,
    cause         TEXT NOT NULL,
    code          INTEGER NOT NULL,
    fault         TEXT NOT NULL,
    language      TEXT NOT NULL,
    -- The last queue, its severity, the wait in all queues together.
    queue         TEXT,
    severity      TEXT,
    wait_ms       INTEGER,
    -- The last agent who answered.
    agent         TEXT,
    digits        TEXT NOT NULL,
    -- [{"at_ms": 0, "step": "welcome"}, ...]
    path          TEXT NOT NULL,
    -- {"name": "value", ...}
    vars          TEXT NOT NULL
) STRICT;
CREATE INDEX calls_started ON calls (started);
CREATE INDEX calls_caller ON calls (caller, started);
CREATE INDEX calls_agent ON calls (agent, started) WHERE agent IS NOT NULL;

CREATE TABLE legs (
    call              INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    position          INTEGER NOT NULL,
    leg               INTEGER NOT NULL,
    party             TEXT NOT NULL,
    started           TEXT NOT NULL,
    answered          TEXT,
    ended             TEXT NOT NULL,
    cause             TEXT NOT NULL,
    code              INTEGER NOT NULL,
    fault             TEXT NOT NULL,
    codec             TEXT,
    -- NULL from here on: the leg never had media.
    packets_sent      INTEGER,
    packets_received  INTEGER,
    packets_lost      INTEGER,
    packets_late_or_duplicate INTEGER,
    packets_refused   INTEGER,
    jitter_ms         REAL,
    round_trip_ms     REAL,
    remote_loss       REAL,
    remote_jitter_ms  REAL,
    longest_gap_ms    INTEGER,
    digits            INTEGER,
    PRIMARY KEY (call, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue_visits (
    call      INTEGER NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    queue     TEXT NOT NULL,
    severity  TEXT NOT NULL,
    entered   TEXT NOT NULL,
    left      TEXT NOT NULL,
    wait_ms   INTEGER NOT NULL,
    outcome   TEXT NOT NULL,
    agent_id  INTEGER,
    offers    INTEGER NOT NULL,
    PRIMARY KEY (call, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_visits_queue ON queue_visits (queue, entered);

CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    call    INTEGER,
    agent   TEXT,
    kind    TEXT NOT NULL,
    detail  TEXT NOT NULL
) STRICT;
CREATE INDEX events_at ON events (at);
CREATE INDEX events_call ON events (call) WHERE call IS NOT NULL;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;
CREATE TRIGGER events_last BEFORE DELETE ON events BEGIN
    SELECT RAISE(ABORT, 'the event log is append-only');
END;
