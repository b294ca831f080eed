-- [{"at": "2026-..Z", "what": "recording", "granted": true}, ...]
ALTER TABLE calls ADD COLUMN consents TEXT NOT NULL DEFAULT '[]';
-- [{"survey": "service", "score": 425, "low": false, "answers": [{"question": "speed", "mark": 4}, ...]}, ...]
-- Scores are hundredths of a mark; null: not answered.
ALTER TABLE calls ADD COLUMN surveys TEXT NOT NULL DEFAULT '[]';

-- Emergency announcements that are on.
CREATE TABLE announcements (
    name        TEXT PRIMARY KEY,
    by          TEXT NOT NULL,
    reason      TEXT,
    -- Unix seconds; until NULL: until it is switched off.
    since_unix  INTEGER NOT NULL,
    until_unix  INTEGER
) STRICT, WITHOUT ROWID;

-- Callers who want to be called back; one row for each number in a queue.
CREATE TABLE callbacks (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    queue     TEXT NOT NULL,
    number    TEXT NOT NULL,
    call      INTEGER NOT NULL,
    language  TEXT NOT NULL,
    severity  TEXT NOT NULL,
    require   TEXT,
    -- Unix milliseconds: the place in the line, and when it was asked for.
    arrived_unix_ms  INTEGER NOT NULL,
    asked_unix_ms    INTEGER NOT NULL,
    -- 'waiting'
    state     TEXT NOT NULL DEFAULT 'waiting'
) STRICT;
CREATE UNIQUE INDEX callbacks_waiting ON callbacks (queue, number) WHERE state = 'waiting';
