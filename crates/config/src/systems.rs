//! What `hotline.toml` declares for flows to name: tables, directories, services, mailboxes and the like.
mod directory;
mod messages;
mod services;
mod trunks;

use crate::Secrets;
use crate::finding::{At, Findings};
use crate::install::{Install, Named, check_name, tables, unknown};
use crate::prompts::PromptSet;
use crate::read::{Table, Value};
use directory::DirectoryDraft;
use ivr::{Directory, SurveyPlan};
use messages::MailboxDraft;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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

/// What flows do not see of them, but the engine and its process do; and what is checked when other files
/// have been read.
#[derive(Debug, Default)]
pub(crate) struct Outside<'a> {
    pub services: BTreeMap<Arc<str>, engine::Service>,
    pub surveys: BTreeMap<Arc<str>, engine::Survey>,
    pub trunks: BTreeMap<Arc<str>, engine::Trunk>,
    mailboxes: Vec<MailboxDraft<'a>>,
    secrets: Vec<Value<'a>>,
    directories: Vec<DirectoryDraft<'a>>,
    /// Names of prompts, where they stand.
    prompts: Vec<(Arc<str>, At<'a>)>,
}

impl<'a> Install<'a> {
    /// Reads every table of the main file that declares one of these; `folder` is where the file lies.
    pub fn systems(&mut self, file: &Table<'a>, folder: &Path) {
        if let Some(secrets) = file.table("secret") {
            for entry in secrets.entries() {
                check_name(entry.findings, entry.key_at(), "secret", entry.key);
                self.systems.secrets.insert(entry.key.into());
                self.outside.secrets.push(entry);
            }
        }
        let group = file.table("table").map(|t| t.entries()).unwrap_or_default();
        for entry in group {
            check_name(entry.findings, entry.key_at(), "table", entry.key);
            self.systems.tables.insert(entry.key.into(), crate::tables::read(&entry).map(Arc::new));
        }
        let each = |kind| {
            let named = |named: &Named<'a>| check_name(file.findings, named.1, kind, named.0);
            tables(file, kind).into_iter().inspect(named).collect::<Vec<_>>()
        };
        for (name, at, table) in each("service") {
            let read = services::read(table, at, self, folder);
            self.systems.services.insert(name.into(), read.as_ref().map(|(service, _)| service.clone()));
            self.outside.services.extend(read.map(|(_, service)| (name.into(), service)));
        }
        for (name, _, table) in each("trunk") {
            let read = trunks::read(table);
            self.systems.trunks.insert(name.into(), read.as_ref().map(|(trunk, _)| trunk.clone()));
            self.outside.trunks.extend(read.map(|(_, trunk)| (name.into(), trunk)));
        }
        for (name, _, table) in each("announcement") {
            let read = messages::announcement(table, name, self);
            self.systems.announcements.insert(name.into(), read);
        }
        for (name, _, table) in each("mailbox") {
            let read = messages::mailbox(table, name, self);
            self.systems.mailboxes.insert(name.into(), Some(read));
        }
        for (name, _, table) in each("survey") {
            let read = messages::survey(table, name, self);
            self.systems.surveys.insert(name.into(), read.map(Arc::new));
        }
        for (name, _, table) in each("bot") {
            table.get("title").map(|v| v.text());
            table.done();
            self.systems.bots.insert(name.into());
        }
        for named in each("directory") {
            self.systems.directories.insert(named.0.into(), None);
            self.outside.directories.extend(directory::draft(named, self, folder));
        }
    }

    /// Reads the files of the directories; returns their paths.
    pub fn directories(&mut self, findings: &Findings, heard: &Findings) -> Vec<PathBuf> {
        let drafts = std::mem::take(&mut self.outside.directories);
        let mut paths = vec![];
        for draft in drafts {
            paths.extend(draft.path.clone());
            let read = draft.read(findings, heard);
            self.systems.directories.insert(draft.name.clone(), Some(Arc::new(read)));
        }
        paths
    }

    /// The values of `[secret]`.
    pub fn secrets(&self, secrets: &dyn Secrets) -> BTreeMap<Arc<str>, engine::Secret> {
        let resolved = self.outside.secrets.iter().filter_map(|entry| {
            let secret = self.secret(entry, secrets)?;
            Some((entry.key.into(), engine::Secret::new(secret.trim_end_matches(['\r', '\n']))))
        });
        resolved.collect()
    }

    /// Never puts into a finding what might be the secret.
    fn secret(&self, entry: &Value<'a>, secrets: &dyn Secrets) -> Option<String> {
        const FORM: &str = "write { env = \"NAME\" } or { file = \"secrets/NAME\" } with the secret there";
        let name = crate::shorten(entry.key);
        if !entry.is_table() {
            entry.error_help(
                "secret-in-clear",
                format!("the secret `{name}` stands here in clear"),
                FORM.to_owned(),
            );
            return None;
        }
        let table = entry.table()?.titled(format!("secret `{name}`"));
        let read = crate::secrets::read(&table, &format!("the secret `{name}`"), self, secrets);
        if !table.has("env") && !table.has("file") {
            entry.error_help("secret-missing", format!("the secret `{name}` is empty"), FORM.to_owned());
        }
        table.done();
        read.filter(|secret| {
            let fits = secret.trim_end_matches(['\r', '\n']).chars().all(|c| !c.is_control());
            if !fits {
                entry.error("bad-secret", format!("the secret `{name}` is more than one line of text"));
            }
            fits
        })
    }

    /// The mailboxes, when it is known who the agents are.
    pub fn mailboxes(&self, roster: &acd::Roster) -> BTreeMap<Arc<str>, engine::Mailbox> {
        self.outside.mailboxes.iter().map(|draft| draft.settings(roster)).collect()
    }

    /// Prompts that are played whatever the caller's language is.
    pub fn check_prompts(&self, set: &PromptSet, findings: &Findings) {
        for (name, at) in &self.outside.prompts {
            let lacks = |language: &&Arc<str>| set.prompts.sound(language, name).is_none();
            let lacking: BTreeSet<&str> = self.languages.keys().filter(lacks).map(|l| &**l).collect();
            if !lacking.is_empty() {
                crate::cross::missing_prompt(at, findings, name, &lacking, self, set);
            }
        }
    }

    /// A prompt by a key of a table.
    fn prompt_name(&mut self, value: Value<'a>) -> Option<Arc<str>> {
        let name: Arc<str> = value.word()?.into();
        self.outside.prompts.push((name.clone(), value.at()));
        Some(name)
    }

    /// The service that `notify` names.
    fn notified(&self, table: &Table<'a>) -> Option<Arc<str>> {
        let value = table.get("notify")?;
        let wanted = value.text()?;
        let known = &self.systems.services;
        if !known.contains_key(wanted) {
            unknown(&value, "service", wanted, known.keys().map(|s| &**s));
            return None;
        }
        Some(wanted.into())
    }
}
