//! baresip, steered over its control port (`ctrl_tcp`). Traps: the source file must have the codec's rate; the
//! end of that file hangs up; libre before 2.0 gives up when SHA-256 is offered.
use crate::house::House;
use crate::process::{PATIENCE, Process, text, to_file, wait_at_most, wait_for};
use crate::sound;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Baresip {
    control: TcpStream,
    events: Arc<Mutex<Vec<Value>>>,
    folder: PathBuf,
    _process: Process,
}

impl Baresip {
    /// `params` are of the account: `answermode=auto;regint=60`; it says `hz`.
    pub fn start(house: &House, user: &str, password: &str, params: &str, hz: u32) -> Baresip {
        let address = house.guest();
        let folder = house.path(&format!("baresip-{address}"));
        let heard = folder.join("heard");
        fs::create_dir_all(&heard).expect("a folder");
        let tone = folder.join("tone.wav");
        sound::write_wav(&tone, &sound::tone(hz, 60_000));
        let config = format!(
            "poll_method epoll\nsip_listen {address}:5060\nnet_interface {address}\nmodule_path {}\n\
             ctrl_tcp_listen {address}:4444\nmodule g711.so\nmodule aufile.so\nmodule aubridge.so\n\
             module sndfile.so\nmodule_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             snd_path {}\naudio_source aufile,{}\naudio_player aubridge,nobody\naudio_alert aubridge,alert\n\
             ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\naudio_channels 1-1\n\
             rtp_ports 20000-20100\ncall_max_calls 4\n",
            modules(),
            heard.display(),
            tone.display()
        );
        fs::write(folder.join("config"), config).expect("a file");
        fs::write(folder.join("contacts"), "").expect("a file");
        let account =
            format!("<sip:{user}@{}>;auth_user={user};auth_pass={password};{params}\n", house.at.ip());
        fs::write(folder.join("accounts"), account).expect("a file");
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&folder).arg("-s").env("HOME", &folder);
        command.stdin(std::process::Stdio::null());
        command.stdout(to_file(&folder.join("out"))).stderr(to_file(&folder.join("err")));
        let process = Process::start(&mut command, "baresip-core");
        let control = wait_for("baresip's control port", || TcpStream::connect((address, 4444)).ok());
        let events = Arc::new(Mutex::new(Vec::new()));
        let (reader, kept) = (control.try_clone().expect("a socket"), events.clone());
        thread::spawn(move || listen(reader, &kept));
        Baresip { control, events, folder, _process: process }
    }

    /// A registered agent who answers at once (`auto`) or when told to (`manual`).
    pub fn agent(house: &House, name: &str, mode: &str, hz: u32) -> Baresip {
        let phone = Baresip::start(house, name, crate::house::PASSWORD, &agent_params(mode), hz);
        house.registered(name);
        phone
    }

    pub fn caller(house: &House, hz: u32) -> Baresip {
        Baresip::start(house, "13800138000", "none", "regint=0", hz)
    }

    pub fn tell(&self, command: &str, params: &str) {
        let text = json!({ "command": command, "params": params, "token": "t" }).to_string();
        let framed = format!("{}:{text},", text.len());
        (&self.control).write_all(framed.as_bytes()).expect("baresip listens");
    }

    pub fn dial(&self, house: &House, number: &str) {
        self.tell("dial", &format!("sip:{number}@{}", house.at.ip()));
    }

    pub fn press(&self, keys: &str) {
        for key in keys.chars() {
            self.tell("sndcode", &key.to_string());
        }
    }

    /// Waits for an event of this type, counted from the start.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Value {
        let look = || self.events.lock().expect("no panic").iter().find(|e| e["type"] == kind).cloned();
        wait_at_most(PATIENCE, look).unwrap_or_else(|| panic!("no {kind} from baresip: {}", self.log()))
    }

    /// Waits until it has rung this many times.
    #[track_caller]
    pub fn rings_again(&self, times: usize) {
        let rung = |events: &[Value]| events.iter().filter(|e| e["type"] == "CALL_INCOMING").count();
        wait_for(&format!("baresip rings {times} times"), || {
            (rung(&self.events.lock().expect("no panic")) >= times).then_some(())
        });
    }

    /// What it heard in all its calls.
    pub fn heard(&self) -> Vec<i16> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.folder.join("heard"))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.to_string_lossy().ends_with("-dec.wav"))
            .collect();
        files.sort();
        files.iter().flat_map(|file| sound::read_wav(file)).collect()
    }

    #[track_caller]
    pub fn hears(&self, hz: u32) {
        wait_for(&format!("{hz} Hz at baresip"), || sound::ends_with(&self.heard(), hz).then_some(()));
    }

    pub fn log(&self) -> String {
        text(&self.folder.join("out"))
    }
}

fn agent_params(mode: &str) -> String {
    format!("regint=60;answermode={mode}")
}

fn modules() -> &'static str {
    let folders = [
        "/usr/lib/baresip/modules",
        "/usr/lib/x86_64-linux-gnu/baresip/modules",
        "/usr/local/lib/baresip/modules",
    ];
    folders.into_iter().find(|f| std::path::Path::new(f).exists()).unwrap_or(folders[0])
}

/// Netstrings: `LENGTH:JSON,`.
fn listen(mut from: TcpStream, events: &Mutex<Vec<Value>>) {
    let mut kept = Vec::new();
    let mut more = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut more) {
        kept.extend_from_slice(&more[..length]);
        while let Some(colon) = kept.iter().position(|b| *b == b':') {
            let size: usize =
                std::str::from_utf8(&kept[..colon]).ok().and_then(|t| t.parse().ok()).unwrap_or(0);
            let end = colon + 1 + size;
            if kept.len() <= end {
                break;
            }
            if let Ok(event) = serde_json::from_slice(&kept[colon + 1..end]) {
                events.lock().expect("no panic").push(event);
            }
            kept.drain(..=end);
        }
    }
}
