//! What a log may show, at the level that shows most. Alone in its file: the log is the process's.
mod lab;

use hotline_server::ua::{Account, Answering, CallPlan, Do, Plan, Seen, Voice, keys};
use lab::{CALLER, Lab, end, here, until};
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the caller types: as one number, and each key as a log could name it.
const TYPED: &str = "739158";
const ADDRESS: [u8; 4] = [127, 0, 0, 77];
/// A secret that he types.
const PIN: &str = "846207";

/// What another system was asked, word for word.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

/// A system on a port of its own that answers every question with the PIN.
fn listen(asked: Asked) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let asked = asked.clone();
            thread::spawn(move || {
                let (mut heard, mut buffer) = (String::new(), [0; 4096]);
                while let Ok(n @ 1..) = stream.read(&mut buffer) {
                    heard += &String::from_utf8_lossy(&buffer[..n]);
                    // Both bodies are small JSON objects.
                    if heard.ends_with('}') {
                        asked.0.lock().expect("no writer panics").push(std::mem::take(&mut heard));
                        let body = format!("{{\"pin\":\"{PIN}\"}}");
                        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
                        let _ = write!(stream, "{head}: {}\r\n\r\n{body}", body.len());
                    }
                }
            });
        }
    });
    port
}

/// The lab, and a number whose flow asks for a masked PIN and does with it whatever a flow can.
fn with_pin(root: &Path, port: u16) -> PathBuf {
    let folder = root.join("config");
    let main = fs::read_to_string(here().join("hotline.toml")).expect("the lab's main file");
    let prompts = here().join("../../prompts").canonicalize().expect("the prompts");
    let main = main
        .replace("prompts = \"../../prompts\"", &format!("prompts = \"{}\"", prompts.display()))
        .replace("# The same by name.", "pin = { flow = \"pin\" }")
        + &format!(
            "
[secret]
crm = {{ file = \"crm\" }}
[service.crm]
url = \"http://127.0.0.1:{port}\"
timeout = \"5s\"
headers = {{ Authorization = \"Bearer {{secret.crm}}\" }}
"
        );
    let flow = r##"
[flow]
name = "pin"
start = "ask"
language = "en"

[var]
pin = { type = "digits", start = "", mask = true }
answer = { type = "text", start = "", mask = true }
copy = { type = "text", start = "" }

[step.ask]
collect = { min = 6, max = 6, end = "#", first = "10s", between = "3s" }
prompt = "enter-digits"
into = "pin"
no_input = { tries = 1, then = "bye" }
invalid = { tries = 1, then = "bye" }
next = "check"

[step.check]
http = { service = "crm", post = "/check/{pin}", json = { pin = "{pin}", caller = "{caller}" } }
map = { answer = "pin" }
next = "keep"
on_error = "bye"

[step.keep]
set = { copy = "{pin}" }
next = "tell"

[step.tell]
notify = "crm"
event = "pin-tried"
with = { pin = "{copy}", caller = "{caller}" }
next = "back"

[step.back]
callback = "one"
number = "{caller}"
severity = "P2"
next = "read-back"
on_invalid = "bye"
on_full = "bye"

[step.read-back]
say = "digits"
value = "{answer}"
next = "bye"

[step.bye]
hangup = true
"##;
    let flows = folder.join("flows");
    fs::create_dir_all(&flows).expect("a folder");
    for entry in fs::read_dir(here().join("flows")).expect("the lab's flows") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), flows.join(entry.file_name())).expect("a copy");
    }
    fs::copy(here().join("agents.toml"), folder.join("agents.toml")).expect("a copy");
    fs::write(root.join("crm"), "the-lab's-own-secret\n").expect("a file");
    fs::write(flows.join("pin.toml"), flow).expect("a file");
    fs::write(folder.join("hotline.toml"), main).expect("a file");
    folder.join("hotline.toml")
}

#[test]
fn no_log_shows_who_calls_from_where_or_what_they_type() {
    let log = Captured::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let asked = Asked::default();
    let folder = TempDir::new().expect("a temporary folder");
    let main = with_pin(folder.path(), listen(asked.clone()));
    let lab = Lab::in_folder(folder, &main);
    let presses: Vec<String> = TYPED.chars().map(String::from).collect();
    let presses = format!("p1,{},#", presses.join(","));
    for by_info in [false, true] {
        let plan = CallPlan {
            number: "digits".into(),
            keys: keys(&presses).expect("keys"),
            by_info,
            duration: Some(Duration::from_secs(5)),
            voice: Voice::Tone(700),
        };
        let account = Account { user: CALLER.into(), password: None };
        let caller = lab.ua(account, Some(ADDRESS.into()), Plan::Call(plan));
        until(&caller, |seen| *seen == Seen::Pressed { key: '#' });
        end(&caller);
    }
    let phone = lab.phone("alice", Answering::After(Duration::ZERO), Voice::Silence);
    let caller = lab.call("queue", "");
    until(&phone, |seen| *seen == Seen::Heard);
    caller.tell(Do::Press('4'));
    caller.tell(Do::HangUp);
    end(&caller);
    end(&phone);
    // Another system is asked with a secret, and answers with it; it is set, read back and told on.
    let pin: Vec<String> = PIN.chars().map(String::from).collect();
    end(&lab.call("pin", &format!("p1,{},#", pin.join(","))));
    lab.shell.line().drain();
    lab.shell.wait();
    let asked = asked.0.lock().expect("no writer panics").join("\n");
    assert!(asked.contains(&format!("POST /check/{PIN}")) && asked.contains(CALLER), "{asked}");
    assert!(
        asked.contains("pin-tried") && asked.contains("authorization: Bearer the-lab's-own-secret"),
        "{asked}"
    );

    // The console hears of everything; what it may not show is marked as such.
    let told: Vec<String> = lab.told.try_iter().map(|told| format!("{told:?}")).collect();
    let shown = told.join("\n");
    let path = lab.folder.path().join("new/store/lab.db");
    let reader = store::Reader::open(&path).expect("the store");
    let events = reader.events(store::Query::default()).expect("events");
    let events: Vec<String> = events.iter().map(|e| format!("{} {}", e.kind, e.detail)).collect();
    assert!(events.iter().any(|e| e.starts_with("http-answered service=crm status=200")), "{events:#?}");
    assert!(events.iter().any(|e| e == "callback-asked queue=one severity=P2"), "{events:#?}");
    let events = events.join("\n");
    for secret in [CALLER, PIN, &PIN[..4], &PIN[2..], "the-lab's-own-secret"] {
        for (what, text) in [("stories", &shown), ("events", &events)] {
            assert!(!text.contains(secret), "{secret} is in the {what}: {text}");
        }
    }
    // What is masked is nowhere in the file, records and all.
    let calls = reader.calls(store::Query::default()).expect("calls");
    let [call] = calls.iter().filter(|c| c.flow == "pin").collect::<Vec<_>>()[..] else {
        panic!("{calls:#?}")
    };
    let steps: Vec<&str> = call.path.iter().map(|p| &*p.step).collect();
    assert_eq!(steps, ["ask", "check", "keep", "tell", "back", "read-back", "bye"], "{call:#?}");
    assert_eq!(call.vars["copy"], "******");
    for file in ["lab.db", "lab.db-wal"] {
        let bytes = fs::read(path.with_file_name(file)).unwrap_or_default();
        assert!(!bytes.windows(PIN.len()).any(|w| w == PIN.as_bytes()), "the PIN is in {file}");
    }

    let log = String::from_utf8(log.0.lock().expect("no writer panics").clone()).expect("text");
    let lines_with = |what: &str| log.lines().filter(|l| l.contains(what)).collect::<Vec<_>>();
    let address = std::net::IpAddr::from(ADDRESS).to_string();
    for secret in [
        CALLER,
        &CALLER[3..],
        TYPED,
        &TYPED[..4],
        &TYPED[2..],
        PIN,
        &PIN[..4],
        &PIN[2..],
        &address,
        "the-lab's-own",
    ] {
        assert!(lines_with(secret).is_empty(), "{secret}: {:#?}", lines_with(secret));
    }
    for key in TYPED.chars() {
        for named in
            [format!("'{key}'"), format!("\"{key}\""), format!("digit={key}"), format!("Signal={key}")]
        {
            assert!(lines_with(&named).is_empty(), "{named}: {:#?}", lines_with(&named));
        }
    }
    // It is a log all the same: each call from its start to its end, its legs, its keys.
    for call in ["call-1", "call-2", "call-3"] {
        let lines = lines_with(&format!("call={call}"));
        for what in ["INFO", "a call arrived", "ended", "leg=leg-", "media closed"] {
            assert!(lines.iter().any(|l| l.contains(what)), "{call}: {what} is not in {lines:#?}");
        }
    }
    assert!(lines_with("a key").len() > 2 * TYPED.len(), "keys are counted, not shown");
    assert!(lines_with(" ERROR ").is_empty(), "{:#?}", lines_with(" ERROR "));
}
