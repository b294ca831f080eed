//! linphonec, steered over its standard input, with sound from and into files. Trap: it swallows the first
//! letter of a line that comes while it is busy, so each command comes after an empty line.
use crate::house::House;
use crate::process::{PATIENCE, Process, text, to_file, wait_at_most, wait_for};
use crate::sound;
use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};

pub struct Linphone {
    input: ChildStdin,
    folder: PathBuf,
    _process: Process,
}

impl Linphone {
    /// A phone that says `hz`; with a password it registers.
    pub fn start(house: &House, user: &str, password: Option<&str>, hz: u32) -> Linphone {
        let folder = house.path(&format!("linphone-{user}"));
        fs::create_dir_all(folder.join(".local/share/linphone")).expect("a folder");
        sound::write_wav(&folder.join("tone.wav"), &sound::tone(hz, 60_000));
        let (sip, media) = (free_port(), free_port());
        let ip = house.at.ip();
        let mut config = format!(
            "[sip]\nsip_port={sip}\nsip_tcp_port=0\nsip_tls_port=0\nbind_address=127.0.0.1\nuse_ipv6=0\n\
             guess_hostname=1\ncontact=\"{user}\" <sip:{user}@127.0.0.1>\nregister_only_when_network_is_up=0\n\
             default_proxy=-1\n[net]\nmtu=1300\n[sound]\nechocancellation=0\n[rtp]\naudio_rtp_port={media}\n"
        );
        // Without an account it would speak of the machine's own address, perhaps an IPv6 one.
        config = config.replace("default_proxy=-1", "default_proxy=0");
        let registers = u8::from(password.is_some());
        {
            let password = password.unwrap_or("none");
            config += &format!(
                "[proxy_0]\nreg_proxy=<sip:{ip}>\nreg_identity=sip:{user}@{ip}\nreg_expires=60\n\
                 reg_sendregister={registers}\npublish=0\n[auth_info_0]\nusername={user}\nuserid={user}\n\
                 passwd={password}\nrealm=hotline\n"
            );
        }
        fs::write(folder.join("rc"), config).expect("a file");
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(folder.join("rc")).args(["-d", "6"]).env("HOME", &folder);
        command
            .stdin(Stdio::piped())
            .stdout(to_file(&folder.join("out")))
            .stderr(to_file(&folder.join("err")));
        let mut process = Process::start(&mut command, "linphone-cli");
        let input = process.0.stdin.take().expect("piped");
        let mut phone = Linphone { input, folder, _process: process };
        wait_for("linphone's prompt", || phone.said("linphonec>").then_some(()));
        phone.tell("soundcard use files");
        wait_for("linphone's files", || phone.said("Using wav files").then_some(()));
        // Otherwise it offers the machine's IPv6 address on a call over IPv4.
        phone.tell("ipv6 disable");
        let (tone, heard) = (phone.folder.join("tone.wav"), phone.folder.join("heard.wav"));
        phone.tell(&format!("play {}", tone.display()));
        phone.tell(&format!("record {}", heard.display()));
        phone
    }

    pub fn agent(house: &House, name: &str, hz: u32) -> Linphone {
        let phone = Linphone::start(house, name, Some(crate::house::PASSWORD), hz);
        house.agent_is(name, "ready");
        phone
    }

    pub fn tell(&mut self, command: &str) {
        write!(self.input, "\n{command}\n").and_then(|()| self.input.flush()).expect("linphonec reads");
    }

    pub fn dial(&mut self, house: &House, number: &str) {
        self.tell(&format!("call sip:{number}@{}", house.at.ip()));
    }

    pub fn said(&self, words: &str) -> bool {
        self.log().contains(words)
    }

    #[track_caller]
    pub fn says(&self, words: &str) {
        let said = wait_at_most(PATIENCE, || self.said(words).then_some(()));
        assert!(
            said.is_some(),
            "linphone did not say `{words}`: {}\n{}",
            self.log(),
            text(&self.folder.join("err"))
        );
    }

    pub fn log(&self) -> String {
        text(&self.folder.join("out"))
    }

    pub fn heard(&self) -> Vec<i16> {
        sound::read_wav(&self.folder.join("heard.wav"))
    }

    #[track_caller]
    pub fn hears(&self, hz: u32) {
        wait_for(&format!("{hz} Hz at linphone"), || sound::ends_with(&self.heard(), hz).then_some(()));
    }
}

fn free_port() -> u16 {
    UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.local_addr()).expect("a port").port()
}
