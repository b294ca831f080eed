//! The binary as its people meet it: what it prints, its exit codes, and every command of the README.

mod guide;
mod prompts;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The binary beside this test's own: `./test` builds it first.
fn hotline() -> Command {
    let mut path = std::env::current_exe().expect("this test's own path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let path = path.join("hotline");
    assert!(path.exists(), "{} is missing: run `cargo build` first, as ./test does", path.display());
    let mut command = Command::new(path);
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    hotline().args(arguments).current_dir(folder).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A copy of the sample installation on a port that the system chooses.
fn sample() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let config = folder.path().join("config");
    copy(&Path::new(ROOT).join("config"), &config);
    std::os::unix::fs::symlink(Path::new(ROOT).join("prompts"), folder.path().join("prompts"))
        .expect("a link");
    let main = config.join("hotline.toml");
    let toml = fs::read_to_string(&main).expect("the sample's main file");
    let moved = toml.replace(r#"["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]"#, r#"["udp:127.0.0.1:0"]"#);
    assert_ne!(toml, moved, "the sample listens where this test expects it");
    fs::write(&main, moved).expect("a file of our own");
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|e| e.expect("an entry")) {
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}

/// A running engine, ended by its process id when the test ends.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    server: String,
    folder: TempDir,
}

impl Running {
    fn start() -> Running {
        Running::with("")
    }

    /// With more at the end of its main file.
    fn with(more: &str) -> Running {
        let folder = sample();
        let main = folder.path().join("config/hotline.toml");
        let toml = fs::read_to_string(&main).expect("a file") + more;
        fs::write(&main, toml).expect("a file of our own");
        let mut child = hotline()
            .arg("run")
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let listens = until(&mut lines, "hotline listens on ");
        let server = listens.split("udp:").nth(1).expect("an address").trim().to_owned();
        Running { child, lines, server, folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line that contains this.
fn until(lines: &mut impl BufRead, what: &str) -> String {
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        let read = lines.read_line(&mut line).expect("text");
        assert!(read > 0, "it ended without saying {what:?}:\n{seen}");
        if line.contains(what) {
            return line;
        }
        seen.push_str(&line);
    }
}

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let help = text(&run(&["--help"], Path::new(ROOT)).stdout);
    for command in ["run", "check", "show", "agent", "hangup", "call", "phone", "demo"] {
        assert!(help.lines().any(|l| l.trim_start().starts_with(command)), "{command} is not in:\n{help}");
    }
    assert!(help.contains("Exit codes"), "{help}");
}

/// Every `cargo run --release -- ...` of both READMEs is a command that the binary knows.
#[test]
fn the_readmes_commands_exist_and_are_the_same_in_both() {
    let commands = |file: &str| -> Vec<String> {
        fs::read_to_string(Path::new(ROOT).join(file))
            .expect("a README")
            .lines()
            .filter_map(|line| line.strip_prefix("$ "))
            .map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned())
            .collect()
    };
    let english = commands("README.md");
    assert_eq!(english, commands("README.zh-CN.md"), "both READMEs show the same commands");
    assert!(english.iter().any(|c| c == "cargo run --release") && english.iter().any(|c| c == "./test"));
    for command in english.iter().filter_map(|c| c.strip_prefix("cargo run --release -- ")) {
        let words: Vec<&str> = command.split_whitespace().collect();
        if let Some(file) = command.strip_prefix("--config ") {
            assert!(Path::new(ROOT).join(file).exists(), "{file} is named in the README");
            continue;
        }
        let known = run(&[words[0], "--help"], Path::new(ROOT));
        assert!(known.status.success(), "{command}: {}", text(&known.stderr));
        let help = text(&known.stdout);
        for option in words.iter().filter(|w| w.starts_with("--")) {
            assert!(help.contains(option), "{command}: {option} is not in\n{help}");
        }
    }
}

#[test]
fn check_is_content_with_the_sample() {
    for main in ["config/hotline.toml", "config/lab/hotline.toml"] {
        let checked = run(&["--config", main, "check"], Path::new(ROOT));
        assert_eq!(checked.status.code(), Some(0), "{}{}", text(&checked.stdout), text(&checked.stderr));
        assert!(text(&checked.stdout).contains("0 errors"), "{}", text(&checked.stdout));
    }
}

#[test]
fn check_says_where_what_and_how() {
    let folder = sample();
    let agents = folder.path().join("config/agents.toml");
    let flow = folder.path().join("config/flows/support.toml");
    let was = fs::read_to_string(&flow).expect("a flow");
    fs::write(&flow, was.replacen("next", "nxet", 1)).expect("a file of our own");
    fs::write(&agents, "[agent.alice]\npool = \"L9\"\n").expect("a file of our own");
    let checked = run(&["check"], folder.path());
    assert_eq!(checked.status.code(), Some(1));
    let said = text(&checked.stdout);
    let line = was.lines().position(|l| l.contains("next")).expect("a line") + 1;
    assert!(said.contains(&format!("config/flows/support.toml:{line}:")), "{said}");
    assert!(said.contains("did you mean `next`?"), "{said}");
    assert!(said.contains("config/agents.toml:2:"), "{said}");
    // For programs: the same, as JSON.
    let json = run(&["check", "--json"], folder.path());
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert!(value.to_string().contains("unknown-key"), "{value}");
    // Nothing is served from a broken installation.
    let started = run(&["run"], folder.path());
    assert_ne!(started.status.code(), Some(0));
    assert!(text(&started.stderr).contains("support.toml") || text(&started.stdout).contains("support.toml"));
}

#[test]
fn what_cannot_start_says_what_to_do() {
    let nowhere = run(&["--config", "/nonexistent/hotline.toml", "run"], Path::new(ROOT));
    assert_eq!(nowhere.status.code(), Some(2), "{}", text(&nowhere.stderr));
    assert!((text(&nowhere.stderr) + &text(&nowhere.stdout)).contains("/nonexistent/hotline.toml"));
    // No engine to ask.
    let folder = sample();
    let asked = run(&["show", "calls"], folder.path());
    assert_eq!(asked.status.code(), Some(1));
    assert!(text(&asked.stderr).contains("no engine answers"), "{}", text(&asked.stderr));
    // A second engine on the same port.
    let running = Running::start();
    let main = folder.path().join("config/hotline.toml");
    let toml = fs::read_to_string(&main)
        .expect("a file")
        .replace("udp:127.0.0.1:0", &format!("udp:{}", running.server));
    fs::write(&main, toml).expect("a file of our own");
    let second = run(&["run"], folder.path());
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains(&running.server), "{}", text(&second.stderr));
}

#[test]
fn a_call_is_shown_recorded_and_drained() {
    let mut running = Running::start();
    let server = running.server.clone();
    let mut caller = hotline()
        .args(["call", "4009508888", "--server", &server, "--from", "13800138000", "--keys", "p1,1"])
        .current_dir(running.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a caller");
    let arrived = until(&mut running.lines, "dials 4009508888");
    assert!(!arrived.contains("13800138000"), "the console masks the caller: {arrived}");
    until(&mut running.lines, "step language");

    let calls = run(&["show", "calls", "--json"], running.path());
    let calls: serde_json::Value = serde_json::from_slice(&calls.stdout).expect("JSON");
    assert!(calls.to_string().contains("4009508888"), "{calls}");
    assert_eq!(run(&["agent", "nobody", "ready"], running.path()).status.code(), Some(1));
    let unregistered = run(&["agent", "alice", "ready"], running.path());
    assert!(text(&unregistered.stderr).contains("no phone registered"), "{}", text(&unregistered.stderr));

    // SIGTERM: the call goes on, nobody new comes in.
    running.signal("-TERM");
    let refused = run(&["call", "4009508888", "--server", &server], running.path());
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    assert!(
        text(&refused.stdout).contains("503") || text(&refused.stderr).contains("503"),
        "{}",
        text(&refused.stdout)
    );
    assert!(caller.try_wait().expect("a state").is_none(), "the call in progress goes on");
    let hung_up = run(&["hangup", "1"], running.path());
    assert_eq!(hung_up.status.code(), Some(0), "{}", text(&hung_up.stderr));
    assert!(caller.wait().expect("an end").code().is_some());
    assert_eq!(running.child.wait().expect("an end").code(), Some(0), "drained");

    let records = run(&["show", "records", "--json"], running.path());
    let records: serde_json::Value = serde_json::from_slice(&records.stdout).expect("JSON");
    let records = records.as_array().or_else(|| records["records"].as_array()).expect("a list").clone();
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(records[0].to_string().contains("operator-ended"), "{records:?}");
}

/// The drain would wait a minute for this caller; his record says that nobody waited.
#[test]
fn a_second_signal_ends_at_once_and_still_writes_the_record() {
    let mut running = Running::start();
    let mut caller = hotline()
        .args(["call", "4009508888", "--server", &running.server])
        .current_dir(running.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a caller");
    until(&mut running.lines, "step welcome");
    let mut errors = BufReader::new(running.child.stderr.take().expect("a pipe"));
    running.signal("-TERM");
    until(&mut errors, "draining");
    running.signal("-TERM");
    until(&mut errors, "ending at once");
    assert_eq!(running.child.wait().expect("an end").code(), Some(0));
    assert!(caller.wait().expect("an end").code().is_some(), "the caller was told");
    let records = text(&run(&["show", "records", "--json"], running.path()).stdout);
    assert!(records.contains("\"stopped\""), "{records}");
}

#[test]
fn the_demo_goes_well() {
    let folder = TempDir::new().expect("a temporary folder");
    let demo = run(&["demo"], folder.path());
    let said = text(&demo.stdout);
    assert_eq!(demo.status.code(), Some(0), "{said}{}", text(&demo.stderr));
    assert!(said.contains("each heard the other") && said.contains("all went well"), "{said}");
    let left: Vec<PathBuf> =
        fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    assert!(left.is_empty(), "the demo leaves nothing behind: {left:?}");
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let mut child = hotline()
        .args(["--config", "config/hotline.toml", "check", "--json"])
        .current_dir(ROOT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert!(child.wait().expect("an end").success(), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// `hotline call` or `hotline phone`, ended by its process id when the test ends.
struct Phone {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Phone {
    fn start(arguments: &[&str], folder: &Path) -> Phone {
        let mut child = hotline()
            .args(arguments)
            .env("HOTLINE_PASSWORD", "alice-pass")
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Phone { child, lines }
    }

    /// Ends it with a signal: its exit code and what it still said.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
        let mut said = String::new();
        self.lines.read_to_string(&mut said).expect("text");
        (self.child.wait().expect("an end").code(), said)
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_caller_cut_by_a_signal_hangs_up_and_keeps_what_was_heard() {
    let mut running = Running::start();
    let server = running.server.clone();
    let heard = running.path().join("heard.wav");
    let voice = Path::new(ROOT).join("prompts/en/welcome.wav");
    let arguments =
        ["call", "4009508888", "--server", &server, "--wav", &voice.display().to_string(), "--record"];
    let mut caller =
        Phone::start(&[&arguments[..], &[&heard.display().to_string()]].concat(), running.path());
    until(&mut caller.lines, "the first audio arrives");
    until(&mut running.lines, "step language");
    let (code, said) = caller.end("-INT");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("hung up here"), "{said}");
    let ends = until(&mut running.lines, "ends after");
    assert!(ends.contains("caller-hung-up"), "{ends}");
    let wave = media::wav::read(&heard).expect("a WAV file");
    assert_eq!((wave.rate, wave.channels), (8000, 1));
    let sound = wave.inspection();
    assert!(sound.length.as_secs_f64() > 1.0 && sound.rms_dbfs > -40.0, "{sound:?}");
}

#[test]
fn a_phone_needs_no_configuration_and_leaves_when_told() {
    let mut running = Running::start();
    let server = running.server.clone();
    let nowhere = TempDir::new().expect("a temporary folder");
    let mut phone = Phone::start(&["phone", "alice", "--server", &server], nowhere.path());
    until(&mut phone.lines, "registered for");
    until(&mut running.lines, "alice registers a phone");
    let (code, said) = phone.end("-TERM");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("unregistered"), "{said}");
    until(&mut running.lines, "alice's phone signs off");
    let left = run(&["show", "registrations", "--json"], running.path());
    assert_eq!(text(&left.stdout).trim(), "[]");

    let wrong = run(&["phone", "alice", "--server", &server, "--password", "guess"], nowhere.path());
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("the password is wrong"), "{}", text(&wrong.stderr));
}

#[test]
fn sounds_and_recordings_that_cannot_be_are_said_before_the_call() {
    let (voice, nowhere) =
        (["call", "1", "--server", "127.0.0.1:9", "--wav"], "/nonexistent/folder/heard.wav");
    for (arguments, what) in [
        ([&voice[..], &["Cargo.toml"]].concat(), "Cargo.toml: "),
        ([&voice[..], &["nothing.wav"]].concat(), "nothing.wav: "),
        (vec!["phone", "alice", "--server", "127.0.0.1:9", "--record", nowhere], nowhere),
    ] {
        let said = run(&arguments, Path::new(ROOT));
        assert_eq!(said.status.code(), Some(2), "{}", text(&said.stdout));
        assert!(text(&said.stderr).contains(what), "{}", text(&said.stderr));
    }
}

#[test]
fn the_log_is_json_where_the_configuration_says_so() {
    let mut running = Running::with("\n[log]\njson = true\n");
    let mut caller = Phone::start(&["call", "4009508888", "--server", &running.server], running.path());
    until(&mut caller.lines, "answered");
    let mut log = BufReader::new(running.child.stderr.take().expect("a pipe"));
    let line = until(&mut log, "a call arrived");
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(
        (&line["level"], &line["call"], &line["dialled"]),
        (&"INFO".into(), &"call-1".into(), &"4009508888".into()),
        "{line}"
    );
    assert_eq!(caller.end("-INT").0, Some(0));
}

#[test]
fn a_reader_who_leaves_a_call_ends_it() {
    let mut running = Running::start();
    let server = running.server.clone();
    let mut caller = hotline()
        .args(["call", "4009508888", "--server", &server])
        .current_dir(running.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a caller");
    drop(caller.stdout.take());
    until(&mut running.lines, "ends after");
    assert_eq!(caller.wait().expect("an end").code(), Some(0));
    for subject in ["calls", "agents", "queues", "records", "events", "timers", "registrations", "status"] {
        let mut shown = hotline()
            .args(["show", subject])
            .current_dir(running.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(shown.stdout.take());
        let said = shown.wait_with_output().expect("an end");
        assert!(said.status.success() && said.stderr.is_empty(), "{subject}: {}", text(&said.stderr));
    }
}
