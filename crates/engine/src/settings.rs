use acd::Roster;
use hotline_core::{AgentId, SoundId};
use ivr::Flow;
use sip::{Account, Transport};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Everything an installation decides, checked: what `config` makes of the TOML files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the files it was made from.
    pub version: Version,
    pub sip: SipSettings,
    pub media: MediaSettings,
    pub limits: CallLimits,
    /// By the digits that callers dial.
    pub numbers: BTreeMap<Arc<str>, Number>,
    pub prompts: Arc<Prompts>,
    pub roster: Arc<Roster>,
    /// Phones' accounts, one for each agent of the roster, in its order (`AgentId` is the index).
    pub accounts: Vec<Account>,
    pub feature_codes: FeatureCodes,
    /// Unix seconds of `Time::ZERO`.
    pub epoch_unix: i64,
    /// Other systems that are asked and told over http: `[service.NAME]`.
    pub services: BTreeMap<Arc<str>, Service>,
    /// What services' headers and `http` steps name, for whoever sends them: `[secret]`.
    pub secrets: BTreeMap<Arc<str>, Secret>,
    /// Where messages are left: `[mailbox.NAME]`.
    pub mailboxes: BTreeMap<Arc<str>, Mailbox>,
    /// `[survey.NAME]`, as far as flows do not carry it.
    pub surveys: BTreeMap<Arc<str>, Survey>,
    /// Ways to numbers outside: `[trunk.NAME]`.
    pub trunks: BTreeMap<Arc<str>, Trunk>,
    /// What operators may switch on: `[announcement.NAME]`.
    pub announcements: BTreeMap<Arc<str>, Announcement>,
}

/// Which files an installation was made from.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Version {
    /// Hexadecimal digits that change with any file; empty: not said.
    pub hash: Arc<str>,
    /// The Git commit, when the files lie in a repository; with a `+` when they differ from it.
    pub commit: Option<Arc<str>>,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hash)?;
        match &self.commit {
            Some(commit) => write!(f, "@{commit}"),
            None => Ok(()),
        }
    }
}

/// Another system. What `http` steps ask it is in the flow; this is for what is told to it.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Where events are sent; secrets are filled in by whoever sends.
    pub url: ivr::HttpText,
    pub headers: Vec<(Arc<str>, ivr::HttpText)>,
    /// For an event, tries and all.
    pub timeout: Duration,
    pub retries: u8,
    /// Bytes of an answer's body at most.
    pub answer_max: usize,
    /// PEM file of an authority that vouches for it beside the public ones.
    pub ca: Option<std::path::PathBuf>,
}

/// A token or password. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    pub fn new(secret: &str) -> Secret {
        Secret(secret.into())
    }

    /// For the request that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Messages for some agents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    /// For people: "Support after hours".
    pub title: String,
    pub messages_max: u32,
    /// How long a message is kept.
    pub keep: Duration,
    /// Whose phones show that messages wait.
    pub agents: Vec<AgentId>,
    /// The service that hears of a message.
    pub notify: Option<Arc<str>>,
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Survey {
    /// The service that hears of a low score.
    pub notify: Option<Arc<str>>,
}

/// A carrier, or another exchange.
#[derive(Clone, PartialEq, Debug)]
pub struct Trunk {
    pub transport: Transport,
    pub address: SocketAddr,
    /// The number that calls show.
    pub from: Arc<str>,
    /// Which numbers may be dialled; None: any.
    pub numbers: Option<ivr::Pattern>,
    /// Calls at once; None: no limit.
    pub limit: Option<u32>,
}

/// An emergency announcement.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Announcement {
    /// For people: "Outage of the east region".
    pub title: String,
}

#[derive(Clone, Debug)]
pub struct SipSettings {
    /// Realm of digest challenges and the domain of our own addresses.
    pub realm: String,
    /// `Server` and `User-Agent` headers.
    pub product: String,
    pub listeners: Vec<Listener>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    pub transport: Transport,
    pub address: SocketAddr,
    /// host[:port] to show in Via and Contact instead of `address`.
    pub advertised: Option<String>,
}

#[derive(Clone, Debug)]
pub struct MediaSettings {
    /// Where RTP is bound when the listener's own address is a wildcard; otherwise the listener's address serves.
    pub address: Option<IpAddr>,
    /// First and last RTP port; even ones carry RTP, the next odd one RTCP.
    pub ports: (u16, u16),
    /// A closed port rests this long before it is used again.
    pub port_rest: Duration,
    /// A leg that hears nothing for this long ends with `Cause::NoMedia`; None: never.
    pub no_media_after: Option<Duration>,
    /// 0: one less than the cores, at least one.
    pub threads: usize,
    /// Codecs we take, best first.
    pub codecs: Vec<sdp::Codec>,
}

#[derive(Clone, Debug)]
pub struct CallLimits {
    /// Calls on this node at once; above: 503 with Retry-After.
    pub calls: u32,
    pub retry_after: Duration,
    /// The longest a call may last.
    pub call_max: Duration,
    /// How long a drain waits for calls to end before it ends them.
    pub drain_max: Duration,
}

#[derive(Clone, Debug)]
pub struct Number {
    pub digits: Arc<str>,
    /// For people: "main number".
    pub title: String,
    pub flow: Arc<Flow>,
    /// Calls on this number at once; above: 486 with Retry-After, for other numbers still have room.
    pub limit: Option<u32>,
    /// Variables the flow starts with (class, greeting ...).
    pub vars: Vec<(Arc<str>, String)>,
}

/// Prompts by name and language, with the fallback chains (wuu -> cmn) worked in.
#[derive(Clone, Default, Debug)]
pub struct Prompts {
    /// language -> prompt name -> sound, fallbacks resolved.
    pub sounds: BTreeMap<Arc<str>, BTreeMap<Arc<str>, SoundId>>,
    /// The WAV file of each `SoundId`, for `media::Library`.
    pub files: Vec<std::path::PathBuf>,
    /// Length of each sound, for people and the simulator.
    pub lengths: Vec<Duration>,
    /// Music on hold while queued and on hold; None: silence.
    pub music: Option<SoundId>,
}

impl Prompts {
    pub fn sound(&self, language: &str, prompt: &str) -> Option<SoundId> {
        self.sounds.get(language)?.get(prompt).copied()
    }
}

/// What an agent dials on his own phone to change his state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeatureCodes {
    pub ready: Arc<str>,
    /// Followed by a reason's key: `*51` is pause with reason 1.
    pub pause: Arc<str>,
    pub logout: Arc<str>,
    pub pause_reasons: BTreeMap<char, String>,
}

impl Settings {
    pub fn agent(&self, name: &str) -> Option<AgentId> {
        self.roster.agents.iter().position(|a| &*a.name == name).map(|i| AgentId(i as u32))
    }
}

impl Settings {
    /// Where a leg's RTP is bound, given the listener's address its signalling uses.
    pub(crate) fn media_address(&self, listener: IpAddr) -> IpAddr {
        if listener.is_unspecified() { self.media.address.unwrap_or(listener) } else { listener }
    }

    /// What we say of ourselves on a leg whose signalling uses `listener` and whose RTP port is `port`.
    /// `first` moves a codec to the front, so that a bridge needs no transcoding.
    pub(crate) fn describe(&self, listener: SocketAddr, port: u16, first: Option<sdp::Codec>) -> sdp::Local {
        let shown = self
            .sip
            .listeners
            .iter()
            .find(|l| l.address == listener)
            .and_then(|l| l.advertised.as_deref())
            .and_then(host_address)
            .unwrap_or_else(|| self.media_address(listener.ip()));
        let mut codecs = self.media.codecs.clone();
        codecs.sort_by_key(|codec| Some(*codec) != first);
        sdp::Local {
            address: SocketAddr::new(shown, port),
            codecs,
            telephone_event: true,
            ptime_ms: 20,
            session: 0,
            version: 0,
            direction: sdp::Direction::SendRecv,
        }
    }
}

impl FeatureCodes {
    /// Whether these digits are one of the codes (a pause with any key).
    pub(crate) fn is_one(&self, dialled: &str) -> bool {
        !dialled.is_empty()
            && (dialled == &*self.ready || dialled == &*self.logout || self.pause_key(dialled).is_some())
    }

    /// The rest after the pause code: the reason's key, or none.
    pub(crate) fn pause_key(&self, dialled: &str) -> Option<Option<char>> {
        if self.pause.is_empty() {
            return None;
        }
        let mut rest = dialled.strip_prefix(&*self.pause)?.chars();
        match (rest.next(), rest.next()) {
            (key, None) => Some(key),
            _ => None,
        }
    }
}

/// The address in `host[:port]`, when the host is one.
fn host_address(advertised: &str) -> Option<IpAddr> {
    if let Ok(address) = advertised.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    advertised.trim_start_matches('[').trim_end_matches(']').parse().ok()
}
