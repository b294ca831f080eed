-- Which files a call was served by: their hash, and the Git commit they lay at.
ALTER TABLE calls ADD COLUMN config_version TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN config_commit TEXT;
CREATE INDEX calls_config_version ON calls (config_version);

-- What became of configurations: served, on trial, served again.
CREATE TABLE versions (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    hash    TEXT NOT NULL,
    git     TEXT,
    -- "started", "reloaded", "canary-started", "canary-promoted", "canary-aborted", "rolled-back"
    what    TEXT NOT NULL,
    by      TEXT NOT NULL
) STRICT;
CREATE INDEX versions_hash ON versions (hash);
