-- [{"file": "recordings/17.wav", "at": "2026-..Z", "length_ms": 61000, "muted_ms": 4000}, ...]
ALTER TABLE calls ADD COLUMN recordings TEXT NOT NULL DEFAULT '[]';

-- What callers have left in mailboxes. A message that is deleted or expires goes from here; the event log tells.
CREATE TABLE messages (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox    TEXT NOT NULL,
    call       INTEGER NOT NULL,
    caller     TEXT NOT NULL,
    -- Unix milliseconds.
    at_unix_ms INTEGER NOT NULL,
    length_ms  INTEGER NOT NULL,
    -- Beside the store: "voicemail/support/17.wav"
    file       TEXT NOT NULL,
    heard      INTEGER NOT NULL DEFAULT 0
) STRICT;
