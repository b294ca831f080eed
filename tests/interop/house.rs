//! An installation of its own for each test, and the engine that runs it.
use crate::process::{Process, text, to_file, wait_at_most, wait_for};
use crate::sound;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering::SeqCst};
use std::time::Duration;
use tempfile::TempDir;

/// What is heard, in Hz: prompts first, then people.
pub const WELCOME: u32 = 400;
pub const CHOOSE: u32 = 500;
pub const MUSIC: u32 = 600;
pub const GOODBYE: u32 = 700;
pub const SORRY: u32 = 800;
pub const EARLY: u32 = 900;
pub const CALLER: u32 = 1100;
pub const ALICE: u32 = 1300;
pub const BOB: u32 = 1700;

const PROMPTS: [(&str, u32, u32); 6] = [
    ("welcome", WELCOME, 800),
    ("choose", CHOOSE, 1000),
    ("music", MUSIC, 2000),
    ("goodbye", GOODBYE, 600),
    ("sorry", SORRY, 600),
    ("early", EARLY, 1000),
];

pub const PASSWORD: &str = "correct-horse";

const MAIN: &str = r#"
[engine]
name = "hotline"
realm = "hotline"
listen = [LISTEN]
control = "hotline.sock"
store = "hotline.db"
languages = { en = [] }
music = "music"
calls_max = 40
retry_after = "7s"
drain_max = "2s"
[media]
ports = "10000-10159"
threads = 1
no_media_after = "60s"
[number]
100 = { flow = "menu" }
200 = { flow = "queue" }
300 = { flow = "ring" }
301 = { flow = "early" }
302 = { flow = "unanswered" }
303 = { flow = "echo" }
304 = { flow = "busy" }
305 = { flow = "stay", limit = 1 }
306 = { flow = "stay" }
307 = { flow = "brief" }
[pool.team]
rank = 1
[skill]
"lang.en" = "English"
[queue.team]
ring = "4s"
promise = { P0 = "5m", P1 = "15m", P2 = "30m", P3 = "60m" }
"#;

const AGENTS: &str = r#"
[agent.alice]
pool = "team"
skills = { "lang.en" = 5 }
secret = { ha1_md5 = "MD5" }
rest = "2s"
[agent.bob]
pool = "team"
skills = { "lang.en" = 5 }
secret = { file = "bob.secret" }
rest = "2s"
"#;

const FLOWS: [(&str, &str); 8] = [
    (
        "menu",
        r#"
[step.start]
play = "welcome"
next = "choose"
[step.choose]
menu = { 1 = "team", 2 = "echo", 5 = "goodbye" }
prompt = "choose"
no_input = { after = "20s", tries = 1, then = "goodbye" }
invalid = { tries = 2, then = "goodbye" }
[step.team]
queue = "team"
timeout = "5m"
on_timeout = "sorry"
on_full = "sorry"
on_no_agents = "sorry"
next = "goodbye"
[step.echo]
echo = true
[step.sorry]
play = "sorry"
next = "bye"
[step.goodbye]
play = "goodbye"
next = "bye"
[step.bye]
hangup = true
"#,
    ),
    (
        "queue",
        r#"
[step.start]
queue = "team"
timeout = "5m"
on_timeout = "sorry"
on_full = "sorry"
on_no_agents = "sorry"
next = "goodbye"
[step.sorry]
play = "sorry"
next = "bye"
[step.goodbye]
play = "goodbye"
next = "bye"
[step.bye]
hangup = true
"#,
    ),
    (
        "ring",
        r#"
answer = "by-step"
[step.start]
ring = "alice"
answer = false
next = "bye"
on_no_answer = "no-answer"
on_busy = "busy"
on_unreachable = "gone"
[step.no-answer]
reject = 480
[step.busy]
reject = 486
[step.gone]
reject = 404
[step.bye]
hangup = true
"#,
    ),
    (
        "early",
        r#"
answer = "by-step"
[step.start]
play = "early"
repeat = 3
early = true
next = "answer"
[step.answer]
answer = true
next = "goodbye"
[step.goodbye]
play = "goodbye"
next = "bye"
[step.bye]
hangup = true
"#,
    ),
    (
        "unanswered",
        r#"
answer = "by-step"
[step.start]
wait = { ringing = "20s" }
next = "no"
[step.no]
reject = 480
"#,
    ),
    ("echo", "[step.start]\necho = true\n"),
    ("busy", "answer = \"by-step\"\n[step.start]\nreject = 486\n"),
    ("stay", "[step.start]\nplay = \"welcome\"\nrepeat = 100\nnext = \"bye\"\n[step.bye]\nhangup = true\n"),
];

const BRIEF: &str = "[step.start]\nplay = \"welcome\"\nnext = \"bye\"\n[step.bye]\nhangup = true\n";

/// A running engine and all that belongs to it.
pub struct House {
    /// The engine's own address, and those of its guests: `.1`, then `.2` and so on of one net.
    net: [u8; 3],
    guests: AtomicU16,
    /// Where it listens on UDP.
    pub at: SocketAddr,
    folder: TempDir,
    engine: Process,
}

impl House {
    pub fn open() -> House {
        let net = free_net();
        let at = SocketAddr::from(([127, net[1], net[2], 1], 5060));
        House::open_with(net, at, |_| {})
    }

    /// With something changed in hotline.toml.
    pub fn open_changed(change: impl FnOnce(&mut String)) -> House {
        let net = free_net();
        let at = SocketAddr::from(([127, net[1], net[2], 1], 5060));
        House::open_with(net, at, change)
    }

    pub fn open_v6() -> House {
        let port = |_: ()| {
            let socket = UdpSocket::bind("[::1]:0").expect("IPv6 on loopback");
            socket.local_addr().expect("bound").port()
        };
        let at = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port(())));
        let ports = 40_000 + (std::process::id() % 100) as u16 * 160;
        House::open_with(free_net(), at, |main| {
            *main = main.replace("10000-10159", &format!("{ports}-{}", ports + 159));
        })
    }

    fn open_with(net: [u8; 3], at: SocketAddr, change: impl FnOnce(&mut String)) -> House {
        let folder = tempfile::Builder::new().prefix("hotline-").tempdir().expect("a folder");
        let root = folder.path();
        let mut main = MAIN.replace("LISTEN", &format!("\"udp:{at}\", \"tcp:{at}\""));
        change(&mut main);
        let ha1 = config::ha1("alice", "hotline", PASSWORD);
        let md5 = ha1.iter().find(|h| h.algorithm == sip::Algorithm::Md5).expect("one of the two");
        write(root, "config/hotline.toml", &main);
        write(root, "config/agents.toml", &AGENTS.replace("MD5", &md5.hex));
        write(root, "bob.secret", PASSWORD);
        let mut prompts = String::new();
        fs::create_dir_all(root.join("prompts/en")).expect("a folder");
        for (name, hz, ms) in PROMPTS {
            prompts += &format!("[prompt.{name}]\nen = \"{hz} Hz\"\n");
            sound::write_wav(&root.join(format!("prompts/en/{name}.wav")), &sound::tone(hz, ms));
        }
        write(root, "prompts/prompts.toml", &prompts);
        for (name, steps) in FLOWS.into_iter().chain([("brief", BRIEF)]) {
            let (head, steps) = steps.split_at(steps.find('[').unwrap_or(0));
            let flow =
                format!("[flow]\nname = \"{name}\"\nstart = \"start\"\nlanguage = \"en\"\n{head}\n{steps}");
            write(root, &format!("config/flows/{name}.toml"), &flow);
        }
        let mut command = hotline();
        command.arg("run").arg("--config").arg(root.join("config/hotline.toml")).args(["--log", "debug"]);
        command.stdout(to_file(&root.join("story"))).stderr(to_file(&root.join("log")));
        let engine = Process::start(&mut command, "(nothing: it is built here)");
        let mut house = House { net, guests: AtomicU16::new(2), at, folder, engine };
        let started = wait_at_most(Duration::from_secs(60), || {
            let ended = house.engine.0.try_wait().expect("a child");
            (ended.is_some() || house.ask(r#"{"show":"status"}"#).is_some()).then_some(ended)
        });
        assert_eq!(started, Some(None), "the engine does not run: {}", text(&house.path("log")));
        house
    }

    /// A file of this test's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An address nobody else has.
    pub fn guest(&self) -> IpAddr {
        let last = self.guests.fetch_add(1, SeqCst) as u8;
        Ipv4Addr::new(127, self.net[1], self.net[2], last).into()
    }

    fn ask(&self, question: &str) -> Option<Value> {
        let mut line = UnixStream::connect(self.path("hotline.sock")).ok()?;
        writeln!(line, "{question}").ok()?;
        let mut answer = String::new();
        BufReader::new(line).read_line(&mut answer).ok()?;
        serde_json::from_str(&answer).ok()
    }

    /// The rows of `hotline show WHAT --json`.
    pub fn show(&self, what: &str) -> Value {
        let mut command = hotline();
        command.arg("show").arg(what).arg("--json").arg("--show-numbers");
        let output = command.arg("--config").arg(self.path("config/hotline.toml")).output().expect("hotline");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "hotline show {what}: {errors}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Waits for an agent's state.
    #[track_caller]
    pub fn agent_is(&self, name: &str, state: &str) {
        wait_for(
            &format!("{name} is {state}; {}", self.ask(r#"{"show":"agents"}"#).unwrap_or_default()),
            || {
                let rows = self.ask(r#"{"show":"agents"}"#)?;
                let row = rows["agents"].as_array()?.iter().find(|row| row["name"] == name)?.clone();
                (row["state"] == state).then_some(())
            },
        );
    }

    /// Waits until an agent's phone is known; he may be offered a call at once.
    #[track_caller]
    pub fn registered(&self, name: &str) {
        wait_for(&format!("{name}'s phone registers"), || {
            let rows = self.ask(r#"{"show":"registrations"}"#)?;
            rows["registrations"].as_array()?.iter().find(|row| row["user"] == name).map(drop)
        });
    }

    #[track_caller]
    pub fn calls(&self, calls: u64) {
        self.status(&format!("{calls} calls"), |status| status["calls"] == calls);
    }

    #[track_caller]
    fn status(&self, what: &str, is: impl Fn(&Value) -> bool) {
        let longest = Duration::from_secs(60);
        if wait_at_most(longest, || {
            self.ask(r#"{"show":"status"}"#).filter(|answer| is(&answer["status"])).map(drop)
        })
        .is_none()
        {
            panic!("{what}: not within {longest:?}: {}\n{}", self.show("status"), self.log());
        }
    }

    pub fn is_alive(&self) -> bool {
        self.ask(r#"{"show":"status"}"#).is_some()
    }

    /// Nothing of any call is left, and each left exactly one record. The newest first.
    #[track_caller]
    pub fn records(&self, calls: usize) -> Vec<Value> {
        let is_idle = |s: &Value| s["calls"] == 0 && s["sip_dialogs"] == 0 && s["waiting"] == 0;
        self.status("idle", is_idle);
        let records = wait_at_most(Duration::from_secs(5), || {
            let rows = self.show("records").as_array().cloned().unwrap_or_default();
            (rows.len() >= calls).then_some(rows)
        })
        .unwrap_or_else(|| self.show("records").as_array().cloned().unwrap_or_default());
        assert_eq!(records.len(), calls, "one record a call: {records:#?}");
        let log = text(&self.path("log"));
        let errors: Vec<&str> = log.lines().filter(|line| line.contains(" ERROR ")).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        records
    }

    /// The one call's record.
    #[track_caller]
    pub fn record(&self) -> Value {
        self.records(1).remove(0)
    }

    /// The end of the story and of the log, for people.
    pub fn log(&self) -> String {
        let tail = |name: &str| {
            let text = text(&self.path(name));
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(40)..].join("\n")
        };
        format!("story:\n{}\nlog:\n{}", tail("story"), tail("log"))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("what is left of it lies in {}", self.folder.path().display());
        }
    }
}

/// The steps a call went through.
pub fn path(record: &Value) -> Vec<&str> {
    record["path"].as_array().into_iter().flatten().filter_map(|step| step["step"].as_str()).collect()
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

/// A net 127.x.y.0/24 in which nobody serves SIP. Tests in one process take one after the other, runs beside
/// each other begin elsewhere.
fn free_net() -> [u8; 3] {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU16::new((std::process::id() as u16) << 6));
    loop {
        let [x, y] = next.fetch_add(1, SeqCst).to_be_bytes();
        let net = [127, x.max(1), y];
        if UdpSocket::bind((Ipv4Addr::new(127, net[1], net[2], 1), 5060)).is_ok() {
            return net;
        }
    }
}

/// The engine's binary: `HOTLINE_BINARY`, or built as these tests are.
fn hotline() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let binary = BUILT.get_or_init(|| {
        if let Some(given) = std::env::var_os("HOTLINE_BINARY") {
            return given.into();
        }
        let here = std::env::current_exe().expect("a test");
        let folder = here.parent().and_then(Path::parent).expect("target/PROFILE/deps/test").to_owned();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "--package", "hotline"]);
        cargo.arg("--manifest-path").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
        cargo.arg("--target-dir").arg(folder.parent().expect("target"));
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo").success(), "hotline does not build");
        folder.join("hotline")
    });
    Command::new(binary)
}
