//! The lab (config/lab) as a running engine on ports of the system's choice, and our own phones to call it.
#![allow(dead_code, reason = "each test uses a part")]
use config::SystemSecrets;
use hotline_server::ua::{Account, Answering, CallPlan, PhonePlan, Plan, Seen, Ua, UaOptions, Voice, keys};
use hotline_server::{Clock, Options, Shell, StartError, Told};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use tempfile::TempDir;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const CALLER: &str = "13800138000";

pub struct Lab {
    pub shell: Shell,
    pub told: Receiver<Told>,
    pub server: SocketAddr,
    pub folder: TempDir,
}

pub fn control(folder: &Path) -> PathBuf {
    folder.join("new/folder/lab.sock")
}

pub fn start(folder: &Path) -> Result<(Shell, Receiver<Told>), StartError> {
    start_from(&here().join("hotline.toml"), folder)
}

/// Where the lab's files are.
pub fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/lab")
}

/// Another installation, in whose flows this test is interested.
pub fn start_from(main: &Path, folder: &Path) -> Result<(Shell, Receiver<Told>), StartError> {
    let clock = Clock::start();
    let loaded = config::load(main, &SystemSecrets, clock.epoch_unix());
    let mut settings = loaded.settings.unwrap_or_else(|| panic!("{:#?}", loaded.findings));
    for listener in &mut settings.sip.listeners {
        listener.address.set_port(0);
    }
    let (stories, told) = sync_channel(10_000);
    let options = Options {
        settings,
        clock,
        control: Some(control(folder)),
        store: Some(folder.join("new/store/lab.db")),
        stories: Some(stories),
        reload: None,
    };
    Ok((Shell::start(options)?, told))
}

impl Lab {
    pub fn start() -> Lab {
        let folder = TempDir::new().expect("a temporary folder");
        Lab::in_folder(folder, &here().join("hotline.toml"))
    }

    pub fn in_folder(folder: TempDir, main: &Path) -> Lab {
        let (shell, told) = start_from(main, folder.path()).expect("the lab starts");
        let server = shell.listening()[0].1;
        Lab { shell, told, server, folder }
    }

    pub fn control(&self) -> PathBuf {
        control(self.folder.path())
    }

    pub fn call(&self, number: &str, press: &str) -> Ua {
        self.call_with(number, press, false, Voice::Silence)
    }

    pub fn call_with(&self, number: &str, press: &str, by_info: bool, voice: Voice) -> Ua {
        let keys = keys(press).expect("keys");
        let plan = CallPlan { number: number.into(), keys, by_info, duration: None, voice };
        self.ua(Account { user: CALLER.into(), password: None }, None, Plan::Call(plan))
    }

    /// A phone that has registered.
    pub fn phone(&self, agent: &str, answering: Answering, voice: Voice) -> Ua {
        let account = Account { user: agent.into(), password: Some(format!("{agent}-pass")) };
        let phone = self.ua(account, None, Plan::Phone(PhonePlan { answering, duration: None, voice }));
        until(&phone, |seen| matches!(seen, Seen::Registered { .. }));
        phone
    }

    pub fn ua(&self, account: Account, address: Option<IpAddr>, plan: Plan) -> Ua {
        let transport = sip::Transport::Udp;
        let options =
            UaOptions { server: self.server, transport, address, account, ports: (32_000, 32_766), plan };
        Ua::start(options).expect("a user agent starts")
    }
}

/// The first thing seen that is wanted.
pub fn until(ua: &Ua, wanted: impl Fn(&Seen) -> bool) -> Seen {
    let mut before = vec![];
    loop {
        match ua.next(PATIENCE) {
            Some(seen) if wanted(&seen) => return seen,
            Some(seen) => before.push(seen),
            None => panic!("what was waited for did not come, but {before:?}"),
        }
    }
}

/// How its call ended.
pub fn end(ua: &Ua) -> String {
    match until(ua, |seen| matches!(seen, Seen::Ended { .. })) {
        Seen::Ended { why, .. } => why,
        other => panic!("{other:?}"),
    }
}
