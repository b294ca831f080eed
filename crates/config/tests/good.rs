//! A good installation becomes settings without a word.
mod common;

use common::Installation;
use hotline_core::AgentId;
use std::net::SocketAddr;
use std::time::Duration;

#[test]
fn becomes_settings() {
    let installation = Installation::good();
    let loaded = installation.load();
    assert_eq!(installation.report(), "0 errors, 0 warnings");
    assert_eq!(loaded.report().exit_status(), 0);
    let settings = loaded.settings.expect("no errors, so there are settings");

    assert_eq!(settings.sip.listeners.len(), 2);
    assert_eq!(settings.sip.listeners[1].address, "[::1]:5060".parse::<SocketAddr>().unwrap());
    assert_eq!(settings.sip.listeners[1].advertised.as_deref(), Some("sip.example.com:5060"));
    assert_eq!(settings.media.ports, (10000, 29999));
    assert_eq!(settings.limits.call_max, Duration::from_secs(4 * 3600));
    assert_eq!(settings.epoch_unix, common::NOW);

    let number = &settings.numbers["4009508899"];
    assert_eq!(number.title, "4009508899");
    assert_eq!(&*number.flow.name, "support");
    assert_eq!(number.vars, [("class".into(), "enterprise".to_owned())]);
    assert_eq!(&number.flow.version, &settings.numbers["4009508888"].flow.version);
    assert_eq!(number.flow.version.len(), 12);
    assert_eq!(number.flow.steps.len(), 12);

    assert_eq!(settings.agent("bob"), Some(AgentId(1)));
    let bob = &settings.roster.agents[1];
    assert_eq!(bob.skills.get("product.database"), Some(&4), "dotted keys are skills like quoted ones");
    assert_eq!(settings.accounts.iter().map(|a| &*a.user).collect::<Vec<_>>(), ["alice", "bob", "carol"]);
    assert_eq!(
        settings.accounts[1].ha1,
        hotline_config::ha1("bob", "hotline", "builder"),
        "the line's end is no part of it"
    );
    assert_eq!(settings.accounts[2].ha1.len(), 2);

    assert_eq!(&*settings.feature_codes.pause, "*51", "as by default");
    assert_eq!(settings.feature_codes.pause_reasons[&'2'], "meal");

    assert_eq!(loaded.server.root, installation.root());
    assert_eq!(loaded.server.control, installation.root().join("var/hotline.sock"));
    assert_eq!(loaded.files.len(), 5);
}

#[test]
fn prompts_fall_back_along_the_chain() {
    let settings = Installation::good().load().settings.expect("no errors, so there are settings");
    let prompts = &settings.prompts;
    assert_ne!(prompts.sound("yue", "sorry"), prompts.sound("cmn", "sorry"), "its own recording");
    assert_eq!(prompts.sound("yue", "closed"), prompts.sound("cmn", "closed"), "Mandarin's");
    assert_ne!(prompts.sound("en", "closed"), prompts.sound("cmn", "closed"));
    assert_eq!(prompts.sound("en", "nothing"), None);
    assert!(prompts.music.is_some());
    let sorry = prompts.sound("yue", "sorry").expect("recorded");
    assert!(prompts.files[sorry.0 as usize].ends_with("prompts/yue/sorry.wav"));
    assert_eq!(prompts.lengths[sorry.0 as usize], Duration::from_secs(1));
}

#[test]
fn a_flow_changes_its_version_with_its_text() {
    let installation = Installation::good();
    let version =
        |i: &Installation| i.load().settings.expect("no errors").numbers["600"].flow.version.clone();
    let before = version(&installation);
    installation.edit("config/flows/lab.toml", "echo = \"60s\"", "echo = \"61s\"");
    assert_ne!(version(&installation), before);
}
