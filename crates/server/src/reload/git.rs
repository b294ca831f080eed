//! Where the installation lies in a Git repository, if it does.
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A repository that takes longer to answer has no commit for us.
const LOOKS: u32 = 400;
const BETWEEN: Duration = Duration::from_millis(5);

/// "1d6a2bd", or "1d6a2bd+" when files in its folder or below differ from the commit.
pub fn commit(main: &Path) -> Option<Arc<str>> {
    let folder = main.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let commit = git(folder, &["rev-parse", "--short", "HEAD"])?;
    let commit = commit.trim();
    if commit.is_empty() {
        return None;
    }
    let changed = git(folder, &["status", "--porcelain", "--", "."])?;
    Some(if changed.trim().is_empty() { commit.into() } else { format!("{commit}+").into() })
}

fn git(folder: &Path, words: &[&str]) -> Option<String> {
    let mut git = Command::new("git")
        .args(["-c", "core.fsmonitor=false"])
        .args(words)
        .current_dir(folder)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // Read beside it: what it says may be longer than a pipe is.
    let mut out = git.stdout.take()?;
    let said = thread::spawn(move || {
        let mut said = String::new();
        out.by_ref().take(1 << 20).read_to_string(&mut said).ok().map(|_| said)
    });
    #[expect(clippy::disallowed_methods, reason = "a process that may hang can only be looked at again")]
    for _ in 0..LOOKS {
        match git.try_wait() {
            Ok(Some(status)) => return said.join().ok().flatten().filter(|_| status.success()),
            Ok(None) => thread::sleep(BETWEEN),
            Err(_) => break,
        }
    }
    let _ = git.kill();
    let _ = git.wait();
    None
}
