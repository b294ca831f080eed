//! `agents.toml`: who answers, with which skills, and the secrets of their phones.
use crate::finding::{At, Findings};
use crate::install::{self, Install, check_name, tables};
use crate::read::{Table, Value};
use crate::secrets::{self, Secrets};
use acd::Agent;
use hotline_core::PoolId;
use md5::Md5;
use sha2::{Digest, Sha256};
use sip::{Account, Algorithm, Ha1};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// H(user:realm:password) with MD5 (RFC 2617) and SHA-256 (RFC 7616), for digests of either kind.
pub fn ha1(user: &str, realm: &str, password: &str) -> Vec<Ha1> {
    let text = format!("{user}:{realm}:{password}");
    vec![
        Ha1 { algorithm: Algorithm::Sha256, hex: hex(&Sha256::digest(&text)) },
        Ha1 { algorithm: Algorithm::Md5, hex: hex(&Md5::digest(&text)) },
    ]
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// An agent with his phone's account and the place of his name.
#[derive(Debug)]
pub(crate) struct AgentDraft<'a> {
    pub agent: Agent,
    pub account: Account,
    #[expect(dead_code, reason = "for checks across files")]
    pub at: At<'a>,
}

const PASSWORD: &str = "write { env = \"NAME\" } or { file = \"secrets/NAME\" } with the password there, \
     or { ha1_md5 = \"...\", ha1_sha256 = \"...\" }";

/// The agents in the order of the file.
pub(crate) fn read<'a>(file: Table<'a>, install: &Install<'_>, secrets: &dyn Secrets) -> Vec<AgentDraft<'a>> {
    let mut agents = vec![];
    for (name, at, table) in tables(&file, "agent") {
        check_name(table.findings, at, "agent", name);
        agents.push(agent(name, at, table, install, secrets));
    }
    file.done();
    agents
}

fn agent<'a>(
    name: &str,
    at: At<'a>,
    table: Table<'a>,
    install: &Install<'_>,
    secrets: &dyn Secrets,
) -> AgentDraft<'a> {
    let findings = table.findings;
    table.get("title").map(|v| v.text());
    let pools = || install.pools.iter().map(|p| &*p.name);
    let pool = table.need("pool", "name the agent's pool: `pool = \"L1\"`");
    let pool = pool.and_then(|v| Some((v, v.text()?))).and_then(|(value, wanted)| {
        let found = install.pools.iter().position(|p| &*p.name == wanted);
        if found.is_none() {
            install::unknown(&value, "pool", wanted, pools());
        }
        found
    });
    let account = Account { user: name.to_owned(), ha1: secret(name, &table, install, secrets) };
    let agent = Agent {
        name: name.into(),
        pool: PoolId(u32::try_from(pool.unwrap_or(0)).unwrap_or(0)),
        skills: skills(name, at, &table, install, findings),
        capacity: table.get("capacity").and_then(|v| v.count(1..=100)).unwrap_or(1),
        rest: duration(&table, "rest").unwrap_or(Duration::from_secs(10)),
        misses_max: table.get("misses_max").and_then(|v| v.count(1..=1000)).unwrap_or(3),
    };
    table.done();
    AgentDraft { agent, account, at }
}

fn duration(table: &Table<'_>, key: &'static str) -> Option<Duration> {
    table.get(key)?.duration(Duration::ZERO..=Duration::from_secs(86400))
}

fn skills(
    name: &str,
    at: At<'_>,
    table: &Table<'_>,
    install: &Install<'_>,
    findings: &Findings,
) -> BTreeMap<Arc<str>, u8> {
    let mut skills = BTreeMap::new();
    if let Some(written) = table.get("skills").and_then(|v| v.table()) {
        install::flatten(&written, "", &mut |skill, value: Value<'_>| {
            let level = value.count::<u8>(1..=10);
            if !install.skills.contains(&skill) {
                let help = crate::finding::did_you_mean(&skill, install.skills.iter().map(String::as_str))
                    .unwrap_or_else(|| {
                        format!("declare it in hotline.toml: [skill] \"{skill}\" = \"what it means\"")
                    });
                findings.error_help(
                    value.key_at(),
                    "unknown-skill",
                    format!("no skill is called `{}`", crate::shorten(&skill)),
                    help,
                );
            }
            skills.insert(skill.into(), level.unwrap_or(1));
        });
    }
    if skills.is_empty() {
        findings.warning(
            at,
            "no-skills",
            format!("agent `{name}` has no skills: no call that requires one will reach them"),
            "write `skills = { \"lang.en\" = 3 }`".to_owned(),
        );
    }
    skills
}

/// Never puts into a finding what might be a password.
fn secret(name: &str, table: &Table<'_>, install: &Install<'_>, secrets: &dyn Secrets) -> Vec<Ha1> {
    if let Some(password) = table.stray("password") {
        in_clear(name, &password);
        return vec![];
    }
    let Some(value) = table.need("secret", PASSWORD) else { return vec![] };
    if !value.is_table() {
        in_clear(name, &value);
        return vec![];
    }
    let Some(secret) = value.table() else { return vec![] };
    let secret = secret.titled(format!("the secret of agent `{name}`"));
    if let Some(password) = secret.get("password") {
        in_clear(name, &password);
        return vec![];
    }
    let digests = [("ha1_sha256", Algorithm::Sha256, 64), ("ha1_md5", Algorithm::Md5, 32)];
    let mut written: Vec<Ha1> = vec![];
    for (key, algorithm, length) in digests {
        let Some(value) = secret.get(key) else { continue };
        match value.as_text() {
            Some(hex) if hex.len() == length && hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
                written.push(Ha1 { algorithm, hex: hex.to_ascii_lowercase() });
            }
            _ => value.error_help(
                "bad-ha1",
                format!("`{key}` of agent `{name}` must be {length} hexadecimal digits"),
                format!("it is the hash of \"{name}:{}:PASSWORD\"", install.realm),
            ),
        }
    }
    let password = secrets::read(&secret, &format!("the password of agent `{name}`"), install, secrets);
    if password.is_none() && ["env", "file", "ha1_md5", "ha1_sha256"].iter().all(|key| !secret.has(key)) {
        value.error_help(
            "secret-missing",
            format!("the secret of agent `{name}` is empty"),
            PASSWORD.to_owned(),
        );
    }
    secret.done();
    match password {
        Some(password) => ha1(name, &install.realm, password.trim_end_matches(['\r', '\n'])),
        None => written,
    }
}

fn in_clear(name: &str, value: &Value<'_>) {
    value.error_help(
        "secret-in-clear",
        format!("the password of agent `{name}` stands here in clear"),
        PASSWORD.to_owned(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 section 3.9.1: HA1 of Mufasa, for both algorithms.
    #[test]
    fn ha1_as_in_the_rfc() {
        let hashes = ha1("Mufasa", "http-auth@example.org", "Circle of Life");
        assert_eq!(hashes[0].hex, "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
        assert_eq!(hashes[1].hex, "3d78807defe7de2157e2b0b6573a855f");
    }
}
