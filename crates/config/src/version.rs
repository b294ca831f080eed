//! A flow's version: what decides how it behaves, in twelve hexadecimal digits.
use crate::install::Install;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The texts of all flow files, and the digests of what hotline.toml declares for them to name.
pub(crate) struct Versions<'a> {
    texts: BTreeMap<&'a str, &'a str>,
    named: BTreeMap<Arc<str>, Vec<[u8; 32]>>,
    languages: [u8; 32],
}

impl<'a> Versions<'a> {
    pub fn new(install: &Install<'_>, texts: BTreeMap<&'a str, &'a str>) -> Versions<'a> {
        let mut named: BTreeMap<Arc<str>, Vec<[u8; 32]>> = BTreeMap::new();
        let systems = &install.systems;
        add(&mut named, "hours", &install.hours);
        add(&mut named, "table", &systems.tables);
        add(&mut named, "directory", &systems.directories);
        add(&mut named, "service", &systems.services);
        add(&mut named, "announcement", &systems.announcements);
        add(&mut named, "mailbox", &systems.mailboxes);
        add(&mut named, "survey", &systems.surveys);
        add(&mut named, "trunk", &systems.trunks);
        let all = digest("announcements", &systems.announcements);
        named.entry("all".into()).or_default().push(all);
        let languages = digest("languages", &(&install.languages, &systems.zone));
        Versions { texts, named, languages }
    }

    /// Of a flow with the sub-flows that it takes in. Whatever has a name that stands in their texts counts.
    pub fn of(&self, flow: &str, subflows: &BTreeSet<&str>) -> Arc<str> {
        let mut hash = Sha256::new();
        let mut used: BTreeSet<&Arc<str>> = BTreeSet::new();
        for name in std::iter::once(&flow).chain(subflows) {
            let text = self.texts.get(name).copied().unwrap_or("");
            hash.update(name.as_bytes());
            hash.update(Sha256::digest(text));
            let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let words = text.split(|c| !fine(c));
            used.extend(words.filter_map(|word| Some(self.named.get_key_value(word)?.0)));
        }
        for name in used {
            self.named[name].iter().for_each(|digest| hash.update(digest));
        }
        hash.update(self.languages);
        crate::agents::hex(&hash.finalize()[..6]).into()
    }
}

fn add<T: std::fmt::Debug>(
    named: &mut BTreeMap<Arc<str>, Vec<[u8; 32]>>,
    kind: &str,
    of: &BTreeMap<Arc<str>, T>,
) {
    for (name, value) in of {
        named.entry(name.clone()).or_default().push(digest(kind, value));
    }
}

fn digest(kind: &str, value: &impl std::fmt::Debug) -> [u8; 32] {
    Sha256::digest(format!("{kind} {value:?}")).into()
}
