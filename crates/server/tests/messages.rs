//! Messages and recordings over real sockets, from a voice to a file, with a lamp on a phone.
mod lab;

use hotline_core::{LegId, Outbox, Rng};
use hotline_server::control::ask;
use hotline_server::control::protocol::{Answer, Message, Request, Show};
use hotline_server::ua::{Answering, Do, Ear, Seen, Ua, Voice};
use hotline_server::{Clock, Exit};
use lab::{Lab, PATIENCE, end, here, until};
use media::Sink;
use sip::{Credentials, Endpoint, EndpointConfig, Hop, Limits, RegistrarConfig, Transport};
use std::f64::consts::TAU;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const LEAVE: &str = r##"
[flow]
name = "leave"
start = "leave"
language = "en"

[step.leave]
voicemail = "support"
min = "1s"
max = "30s"
silence = "10s"
end = "#"
next = "bye"
on_empty = "bye"
on_full = "bye"

[step.bye]
hangup = true
"##;

const RECORDED: &str = r##"
[flow]
name = "recorded"
start = "on"
language = "en"

[var]
pin = { type = "digits", start = "", mask = true }

[step.on]
record = "on"
next = "ask"

[step.ask]
collect = { min = 4, max = 4, first = "20s", between = "10s" }
prompt = "enter-digits"
into = "pin"
no_input = { tries = 1, prompt = "no-input", then = "bye" }
invalid = { tries = 1, prompt = "invalid-key", then = "bye" }
next = "queue"

[step.queue]
queue = "one"
severity = "P3"
timeout = "10m"
on_timeout = "bye"
on_full = "bye"
on_no_agents = "bye"
next = "bye"

[step.bye]
hangup = true
"##;

/// The lab with a mailbox of alice's, a number to leave messages at, and one that is recorded.
fn lab() -> Lab {
    let folder = TempDir::new().expect("a temporary folder");
    let config = folder.path().join("config");
    fs::create_dir_all(config.join("flows")).expect("a folder");
    for file in fs::read_dir(here().join("flows")).expect("the lab's flows").flatten() {
        fs::copy(file.path(), config.join("flows").join(file.file_name())).expect("a flow");
    }
    fs::copy(here().join("agents.toml"), config.join("agents.toml")).expect("the lab's agents");
    fs::write(config.join("flows/leave.toml"), LEAVE).expect("a flow");
    fs::write(config.join("flows/recorded.toml"), RECORDED).expect("a flow");
    let prompts = here().join("../../prompts").canonicalize().expect("the prompts");
    let main = fs::read_to_string(here().join("hotline.toml")).expect("the lab");
    let main = main.replace("\"../../prompts\"", &format!("{prompts:?}"))
        + "\n[number.leave]\nflow = \"leave\"\n[number.recorded]\nflow = \"recorded\"\n\
           [mailbox.support]\ntitle = \"Support\"\ngreeting = \"goodbye\"\nagents = [\"alice\"]\n";
    fs::write(config.join("hotline.toml"), main).expect("a file");
    Lab::in_folder(folder, &config.join("hotline.toml"))
}

fn kept(lab: &Lab, file: &str) -> PathBuf {
    lab.folder.path().join("new/store").join(file)
}

fn messages(lab: &Lab) -> Vec<Message> {
    let request = Request::Show(Show::Messages { mailbox: Some("support".into()) });
    match ask(&lab.control(), &request) {
        Ok(Answer::Messages(messages)) => messages,
        other => panic!("{other:?}"),
    }
}

/// Each channel of a file for this user alone.
fn channels(file: &Path) -> Vec<Vec<i16>> {
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
    let bytes = fs::read(file).expect("a file");
    assert_eq!((&bytes[..4], &bytes[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    let channels = usize::from(bytes[22]);
    let all: Vec<i16> = bytes[44..].chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    (0..channels).map(|c| all.iter().skip(c).step_by(channels).copied().collect()).collect()
}

fn tone(samples: &[i16], hz: u16) -> Duration {
    let ear = Ear::default();
    samples.chunks_exact(160).for_each(|frame| ear.frame(LegId(0), frame));
    ear.tone(hz)
}

fn sine(hz: f64, samples: std::ops::Range<u32>) -> impl Iterator<Item = i16> {
    samples.map(move |i| (8000.0 * (TAU * hz * f64::from(i) / 8000.0).sin()) as i16)
}

/// Alice's phone, as far as its lamp goes.
struct Lamp {
    socket: UdpSocket,
    endpoint: Endpoint,
    clock: Clock,
    server: SocketAddr,
}

impl Lamp {
    fn register(server: SocketAddr) -> Lamp {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let config = EndpointConfig {
            realm: "hotline".into(),
            product: "lamp".into(),
            advertised: vec![],
            limits: Limits {
                message_bytes: 65_535,
                headers: 256,
                transactions: 64,
                dialogs: 4,
                contacts_per_user: 1,
            },
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            registrar: RegistrarConfig {
                expires_min: Duration::from_secs(30),
                expires_default: Duration::from_secs(300),
                expires_max: Duration::from_secs(3600),
                nonce_lifetime: Duration::from_secs(300),
            },
        };
        let endpoint = Endpoint::new(config, Rng::from_u64(5));
        let mut lamp = Lamp { socket, endpoint, clock: Clock::start(), server };
        let credentials = Credentials { user: "alice".into(), password: "alice-pass".into() };
        let (hop, mut out) = (lamp.hop(), Outbox::new());
        let hour = Duration::from_secs(3600);
        lamp.endpoint.register(lamp.clock.now(), hop, &format!("sip:{server}"), credentials, hour, &mut out);
        lamp.send(out);
        lamp
    }

    fn hop(&self) -> Hop {
        let local = self.socket.local_addr().expect("bound");
        Hop { transport: Transport::Udp, local, remote: self.server }
    }

    fn send(&self, mut out: Outbox<sip::Output>) {
        for output in out.drain() {
            if let sip::Output::Send { bytes, .. } = output {
                self.socket.send_to(&bytes, self.server).expect("sent");
            }
        }
    }

    /// What the next NOTIFY says of voice messages.
    fn shows(&mut self) -> String {
        let mut buffer = [0; 65_535];
        loop {
            let length = self.socket.recv(&mut buffer).expect("a datagram in time");
            let mut out = Outbox::new();
            self.endpoint.receive(self.clock.now(), self.hop(), &buffer[..length], &mut out);
            self.send(out);
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.starts_with("NOTIFY sip:alice@127.0.0.1:") {
                assert!(text.contains("\r\nEvent: message-summary\r\n"), "{text}");
                let line = text.lines().find_map(|line| line.strip_prefix("Voice-Message: "));
                return line.expect("a count").to_owned();
            }
        }
    }
}

/// Until the flow is in this step.
fn step(lab: &Lab, wanted: &str) {
    let at = |told: hotline_server::Told| matches!(told.line, engine::StoryLine::Step { step } if &*step == wanted);
    while !at(lab.told.recv_timeout(PATIENCE).expect("a step in time")) {}
}

/// Lets time pass: nothing else happens meanwhile.
fn listen(ua: &Ua, length: Duration) {
    let _ = ua.next(length);
}

#[test]
fn a_voice_becomes_a_file_and_lights_a_lamp() {
    let lab = lab();
    let mut lamp = Lamp::register(lab.server);
    assert_eq!(lamp.shows(), "0/0 (0/0)");
    let caller = lab.call_with("leave", "", false, Voice::Tone(1900));
    until(&caller, |seen| *seen == Seen::Answered);
    // Greeting, tone, two seconds of message, the key.
    let began = |lab: &Lab| kept(lab, "voicemail/support/1.part").exists();
    assert!((0..400).any(|_| {
        listen(&caller, Duration::from_millis(50));
        began(&lab)
    }));
    for _ in 0..25 {
        listen(&caller, Duration::from_millis(100));
    }
    caller.tell(Do::Press('#'));
    assert_eq!(lamp.shows(), "1/0 (0/0)");
    assert_eq!(end(&caller), "the other side hung up");
    let listed = messages(&lab);
    let [message] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((message.id, message.call, message.heard), (1, 1, false));
    assert_eq!(message.caller, lab::CALLER);
    let file = kept(&lab, &message.file);
    let heard = channels(&file);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].len() as u64 / 8, message.length_ms);
    assert!(message.length_ms >= 1000 && message.length_ms < 30_000, "{message:?}");
    let voice = tone(&heard[0], 1900).as_millis() as u64;
    assert!(voice * 10 >= message.length_ms * 6, "{voice} of {}", message.length_ms);
    assert_eq!(tone(&heard[0], 1004), Duration::ZERO, "the tone before it is no part of it");

    let mark = |heard| Request::MarkMessage { mailbox: "support".into(), id: 1, heard, by: "test".into() };
    assert!(matches!(ask(&lab.control(), &mark(true)), Ok(Answer::Done(_))));
    assert_eq!(lamp.shows(), "0/1 (0/0)");
    let delete = Request::DeleteMessage { mailbox: "support".into(), id: 1, by: "test".into() };
    assert!(matches!(ask(&lab.control(), &delete), Ok(Answer::Done(_))));
    assert_eq!(lamp.shows(), "0/0 (0/0)");
    assert!(messages(&lab).is_empty());
    lab.shell.line().drain();
    assert_eq!(lab.shell.wait(), Exit::Drained);
    assert!(!file.exists(), "deleted is gone");
}

#[test]
fn who_says_nothing_leaves_nothing() {
    let lab = lab();
    let caller = lab.call("leave", "p3,#");
    assert_eq!(end(&caller), "the other side hung up");
    assert!(messages(&lab).is_empty());
    let files = fs::read_dir(kept(&lab, "voicemail/support")).map_or(0, Iterator::count);
    assert_eq!(files, 0);
}

#[test]
fn a_call_lies_in_two_channels_without_the_keys_of_a_secret() {
    let lab = lab();
    let phone = lab.phone("alice", Answering::After(Duration::ZERO), Voice::Tone(700));
    // What his phone would sound like while he types, and then his voice.
    let voice = sine(1209.0, 0..3 * 8000).chain(sine(0.0, 0..2 * 8000)).chain(sine(1900.0, 0..60 * 8000));
    let caller = lab.call_with("recorded", "", true, Voice::Samples(voice.collect()));
    until(&caller, |seen| *seen == Seen::Answered);
    step(&lab, "ask");
    for _ in 0..40 {
        listen(&caller, Duration::from_millis(100));
    }
    // The last key is pressed when the sound of keys has ended.
    for (key, wait) in [('7', 500), ('3', 500), ('9', 500), ('1', 100)] {
        listen(&caller, Duration::from_millis(wait));
        caller.tell(Do::Press(key));
    }
    step(&lab, "queue");
    until(&phone, |seen| *seen == Seen::Heard);
    for _ in 0..60 {
        if caller.ear().tone(700) > Duration::from_secs(2) {
            break;
        }
        listen(&caller, Duration::from_millis(100));
    }
    caller.tell(Do::HangUp);
    end(&caller);
    end(&phone);
    lab.shell.line().drain();
    let folder = lab.folder;
    assert_eq!(lab.shell.wait(), Exit::Drained);
    let heard = channels(&folder.path().join("new/store/recordings/1.wav"));
    let [left, right] = heard.as_slice() else { panic!("{} channels", heard.len()) };
    assert_eq!(tone(left, 1209), Duration::ZERO, "no key sounds");
    let half = Duration::from_millis(500);
    assert!(tone(left, 1900) > half && tone(right, 700) > half, "{:?}", (tone(left, 1900), tone(right, 700)));
    assert_eq!(tone(left, 700) + tone(right, 1900), Duration::ZERO, "each on his side");
    let reader = store::Reader::open(&folder.path().join("new/store/lab.db")).expect("the store");
    let calls = reader.calls(store::Query::default()).expect("records");
    let recording = &calls[0].recordings[0];
    assert_eq!(recording.file, "recordings/1.wav");
    assert!(recording.muted_ms >= 3000 && recording.muted_ms < recording.length_ms, "{recording:?}");
}
