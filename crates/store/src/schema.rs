//! The file: whose it is, its version, and how it gets from one to the next.
use crate::Error;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// "HOTL", in the header of every file of ours.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"HOTL");
/// Each brings the schema one version on; never changed once released.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
];
const KNOWN: u32 = MIGRATIONS.len() as u32;

/// For writing; migrates.
pub(crate) fn open(path: &Path, busy_timeout: Duration) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|e| Error::sqlite(path, &e))?;
    set_up(&mut connection, path, busy_timeout)?;
    Ok(connection)
}

fn set_up(connection: &mut Connection, path: &Path, busy_timeout: Duration) -> Result<(), Error> {
    let wrap = |e: rusqlite::Error| Error::sqlite(path, &e);
    connection.busy_timeout(busy_timeout).map_err(wrap)?;
    // Before anything is written: is it ours?
    let version = version(connection, path)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(wrap)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(wrap)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(wrap)?;
    connection.pragma_update(None, "journal_size_limit", 16 << 20).map_err(wrap)?;
    if version < KNOWN {
        migrate(connection, version).map_err(wrap)?;
    }
    Ok(())
}

/// For reading; the store must be there, of the version known here.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, Error> {
    if !path.exists() {
        return Err(Error::Missing(path.to_owned()));
    }
    let wrap = |e: rusqlite::Error| Error::sqlite(path, &e);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(wrap)?;
    connection.busy_timeout(Duration::from_secs(2)).map_err(wrap)?;
    match version(&connection, path)? {
        0 => Err(Error::Missing(path.to_owned())),
        KNOWN => Ok(connection),
        version => Err(Error::Sqlite(
            path.to_owned(),
            format!("schema {version}, this program reads {KNOWN}: start the engine once, it brings it up"),
        )),
    }
}

/// 0 for a new file.
fn version(connection: &Connection, path: &Path) -> Result<u32, Error> {
    let wrap = |e: rusqlite::Error| Error::sqlite(path, &e);
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(wrap)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(wrap)?;
    if tables == 0 && id == 0 {
        return Ok(0);
    }
    if id != APPLICATION_ID {
        return Err(Error::NotOurs(path.to_owned()));
    }
    let version: u32 = connection
        .query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0))
        .map_err(wrap)?;
    if version > KNOWN {
        return Err(Error::Newer { path: path.to_owned(), version, known: KNOWN });
    }
    Ok(version)
}

fn migrate(connection: &mut Connection, from: u32) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_version
         (version INTEGER PRIMARY KEY, applied TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))) STRICT",
    )?;
    for (version, sql) in (1u32..).zip(MIGRATIONS).skip(from as usize) {
        tx.execute_batch(sql)?;
        tx.execute("INSERT INTO schema_version (version) VALUES (?1)", [version])?;
    }
    tx.commit()
}

/// The highest call id in records or events: calls that never got a record have used theirs up too.
pub(crate) fn last_call_id(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT max(coalesce((SELECT max(id) FROM calls), 0),
                          coalesce((SELECT max(call) FROM events WHERE call IS NOT NULL), 0))";
    let id: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(id.and_then(|id| u64::try_from(id).ok()).unwrap_or(0))
}
