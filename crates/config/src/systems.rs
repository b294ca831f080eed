//! What `hotline.toml` declares for flows to name: tables, directories, services, mailboxes and the like.
use ivr::{Directory, SurveyPlan};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// By name. `None` where one is there but cannot be read, so that nobody calls it unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Systems {
    pub tables: BTreeMap<Arc<str>, Option<Arc<ivr::Table>>>,
    pub directories: BTreeMap<Arc<str>, Option<Arc<Directory>>>,
    pub secrets: BTreeSet<Arc<str>>,
    pub services: BTreeMap<Arc<str>, Option<Service>>,
    pub announcements: BTreeMap<Arc<str>, Option<Announcement>>,
    pub mailboxes: BTreeMap<Arc<str>, Option<Mailbox>>,
    /// Questions' sounds are prompt names without variables.
    pub surveys: BTreeMap<Arc<str>, Option<Arc<SurveyPlan>>>,
    pub trunks: BTreeMap<Arc<str>, Option<Trunk>>,
    pub bots: BTreeSet<Arc<str>>,
    /// `[engine] zone`; None: UTC.
    pub zone: Option<jiff::tz::TimeZone>,
}

/// `[service.NAME]`: another system that is asked over http.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Service {
    /// Without a slash at its end.
    pub url: Arc<str>,
    pub timeout: Option<Duration>,
    pub retries: u8,
    /// Texts with `{secret.NAME}` in them.
    pub headers: Vec<(Arc<str>, Vec<ivr::HttpPiece>)>,
    pub answer_max: usize,
}

/// `[announcement.NAME]`: what an operator switches on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Announcement {
    pub prompt: Arc<str>,
    pub title: String,
}

/// `[mailbox.NAME]`, as far as flows see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mailbox {
    pub greeting: Option<Arc<str>>,
}

/// `[trunk.NAME]`, as far as flows see it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Trunk {
    pub address: SocketAddr,
    /// Which numbers may be dialled; None: any.
    pub numbers: Option<ivr::Pattern>,
}
