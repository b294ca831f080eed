//! The installations in `config/` and the sounds in `prompts/`, as they are shipped: they load without a
//! complaint that nobody expects, serve the numbers that are promised, and sound as they should.
use config::{Level, Loaded, SystemSecrets, ha1, load};
use hotline_core::Severity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// 2026-11-23T00:00:00Z: opening hours are checked for holidays of the current year.
const NOW: i64 = 1_795_392_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the tests lie in the project")
}

fn sample(main: &str) -> Loaded {
    load(&root().join(main), &SystemSecrets, NOW)
}

/// Rule ids; the whole report when there is an error.
fn findings(loaded: &Loaded) -> Vec<&str> {
    assert!(loaded.findings.iter().all(|f| f.severity != Level::Error), "{}", loaded.report());
    loaded.findings.iter().map(|f| f.rule).collect()
}

#[test]
fn the_hotline_loads_and_only_shanghainese_falls_back() {
    let loaded = sample("config/hotline.toml");
    assert_eq!(findings(&loaded), ["language-falls-back"], "{}", loaded.report());
    assert!(loaded.findings[0].to_string().contains("`wuu`"), "{}", loaded.report());
}

#[test]
fn the_lab_loads_without_a_word() {
    let loaded = sample("config/lab/hotline.toml");
    assert_eq!(findings(&loaded), [""; 0], "{}", loaded.report());
}

#[test]
fn both_run_beside_each_other() {
    let (hotline, lab) = (sample("config/hotline.toml"), sample("config/lab/hotline.toml"));
    assert_ne!(hotline.server.control, lab.server.control);
    assert_ne!(hotline.server.store, lab.server.store);
    assert!(lab.server.control.starts_with(root().join("var")), "in the folder that git ignores");
    let (hotline, lab) = (hotline.settings.expect("it loads"), lab.settings.expect("it loads"));
    for listener in &hotline.sip.listeners {
        assert!(listener.address.ip().is_loopback());
        assert!(
            lab.sip.listeners.iter().all(|l| l.address.ip().is_loopback() && l.address != listener.address)
        );
    }
    assert!(hotline.media.ports.1 < lab.media.ports.0, "no port is in both ranges");
}

#[test]
fn the_hotline_serves_what_is_promised() {
    let settings = sample("config/hotline.toml").settings.expect("it loads");
    let flow = |number: &str| settings.numbers[number].flow.name.to_string();
    assert_eq!(flow("4009508888"), "support");
    assert_eq!(flow("4009508899"), "enterprise");
    let minutes = |m: u64| Duration::from_secs(60 * m);
    for queue in &settings.roster.queues {
        let promise = queue.promise;
        assert!(promise[Severity::P0 as usize] <= minutes(5), "queue {}", queue.name);
        assert_eq!(promise[1..], [15, 30, 60].map(minutes), "queue {}", queue.name);
    }
    let mut staff = BTreeMap::new();
    for agent in &settings.roster.agents {
        *staff.entry(&*settings.roster.pools[agent.pool.0 as usize].name).or_insert(0) += 1;
    }
    assert_eq!(staff, BTreeMap::from([("L1", 3), ("L2", 4), ("L3", 3), ("L4", 2)]));
}

/// README.md names the passwords: the name and "-pass".
#[test]
fn the_sample_passwords_are_as_documented() {
    for main in ["config/hotline.toml", "config/lab/hotline.toml"] {
        let settings = sample(main).settings.expect("it loads");
        for account in &settings.accounts {
            let password = format!("{}-pass", account.user);
            // Each hash in the file is the password's; MD5 is always there, so that every phone can register.
            let of_password = ha1(&account.user, &settings.sip.realm, &password);
            assert!(account.ha1.iter().all(|hash| of_password.contains(hash)), "{} in {main}", account.user);
            assert!(
                account.ha1.iter().any(|hash| hash.algorithm == sip::Algorithm::Md5),
                "{} in {main}",
                account.user
            );
        }
    }
}

/// The table at the top of the lab's file is what people dial from.
#[test]
fn the_lab_serves_the_numbers_of_its_table() {
    let text = std::fs::read_to_string(root().join("config/lab/hotline.toml")).expect("it is there");
    let rows = text.lines().filter_map(|line| line.strip_prefix("#   6"));
    let rows: Vec<(String, String)> = rows
        .map(|row| {
            let mut words = row.split_whitespace();
            (format!("6{}", words.next().expect("a number")), words.next().expect("a name").to_owned())
        })
        .collect();
    let settings = sample("config/lab/hotline.toml").settings.expect("it loads");
    assert_eq!(settings.numbers.len(), 2 * rows.len(), "each number stands in the table, and has a name");
    for (number, name) in rows {
        let (by_number, by_name) = (&settings.numbers[number.as_str()], &settings.numbers[name.as_str()]);
        assert_eq!(by_number.flow.name, by_name.flow.name, "{number} and {name}");
        assert_eq!(by_number.vars, by_name.vars, "{number} and {name}");
    }
}

/// prompts.toml is the one list: of files, and of what `ivr::say` reads values from.
#[test]
fn every_prompt_of_the_list_has_its_file_and_its_text() {
    let text = std::fs::read_to_string(root().join("prompts/prompts.toml")).expect("it is there");
    let list: toml::Table = text.parse().expect("it loads, as another test says");
    let prompts = list["prompt"].as_table().expect("a table");
    for language in ["cmn", "yue", "en"] {
        for (name, _) in prompts.iter().filter(|(_, p)| p.get(language).is_some()) {
            let path = root().join(format!("prompts/{language}/{name}.wav"));
            assert!(path.exists(), "{} is missing: run `hotline prompts render`", path.display());
        }
        for (name, text) in ivr::say::fragments(language) {
            let written = prompts.get(name).and_then(|p| p.get(language)).and_then(|t| t.as_str());
            assert_eq!(written, Some(text), "fragment {name} in {language}");
        }
    }
}

#[test]
fn every_sound_is_loud_enough_and_none_is_clipped_or_full_of_silence() {
    let mut unfit = vec![];
    let mut count = 0;
    for language in ["cmn", "yue", "en"] {
        for entry in std::fs::read_dir(root().join("prompts").join(language)).expect("it is there") {
            let path = entry.expect("it is there").path();
            let heard = media::wav::inspect(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let fine = heard.peak_dbfs <= -3.0
                && (-26.0..=-16.0).contains(&heard.rms_dbfs)
                && heard.longest_silence <= Duration::from_millis(1500)
                && (Duration::from_millis(200)..=Duration::from_secs(40)).contains(&heard.length);
            if !fine {
                unfit.push(format!("{}: {heard:?}", path.display()));
            }
            count += 1;
        }
    }
    assert!(unfit.is_empty(), "{}", unfit.join("\n"));
    assert!(count > 200, "{count} sounds");
}
