//! Files: bounded when read, whole when written.

use crate::Error;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub fn text(path: &Path, bytes_max: u64) -> Result<String, Error> {
    let unreadable = |why: String| Error::Unreadable { path: path.to_owned(), why };
    let file = File::open(path).map_err(|e| unreadable(e.to_string()))?;
    let mut text = String::new();
    file.take(bytes_max + 1).read_to_string(&mut text).map_err(|e| unreadable(e.to_string()))?;
    match text.len() as u64 > bytes_max {
        true => Err(unreadable(format!("it is larger than {} KiB", bytes_max >> 10))),
        false => Ok(text),
    }
}

/// None: there is no such file.
pub fn bytes(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let unreadable = |why: String| Error::Unreadable { path: path.to_owned(), why };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unreadable(e.to_string())),
    };
    let mut bytes = vec![];
    file.take(media::wav::FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(e.to_string()))?;
    Ok(Some(bytes))
}

/// All of it or nothing: who reads meanwhile finds the old file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let unwritable = |e: std::io::Error| Error::Unwritable { path: path.to_owned(), why: e.to_string() };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = std::fs::write(&new, bytes).and_then(|()| std::fs::rename(&new, path));
    written.map_err(|e| {
        let _ = std::fs::remove_file(&new);
        unwritable(e)
    })
}

/// 64 bits of SHA-256, in hexadecimal: names a content among thousands.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..8].iter().map(|b| format!("{b:02x}")).collect()
}
