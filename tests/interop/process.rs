//! Programs that are started, waited for and ended with the test, and waiting for what must come.
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Ends with the test that started it.
#[derive(Debug)]
pub struct Process(pub Child);

impl Process {
    /// `package` is what a Debian machine lacks when there is no such program.
    pub fn start(command: &mut Command, package: &str) -> Process {
        match command.spawn() {
            Ok(child) => Process(child),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                panic!("{command:?}: not installed; `apt-get install {package}`, or ./test, brings it")
            }
            Err(error) => panic!("{command:?}: {error}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Output to a file of its own, to be read when something is wrong.
pub fn to_file(path: &Path) -> Stdio {
    Stdio::from(std::fs::File::create(path).expect("a log file"))
}

pub fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// Waits until `look` finds something.
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_at_most(PATIENCE, look).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain: {what}"))
}

pub fn wait_at_most<T>(longest: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + longest;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
