//! An installation that changes under a running engine: what is served, what is refused, and the way back.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(
    clippy::disallowed_methods,
    reason = "a saved file is noticed in real time: the test looks until it is"
)]
use config::SystemSecrets;
use hotline_server::control::ask;
use hotline_server::control::protocol::{Answer, Canary, Request, Show};
use hotline_server::reload::Source;
use hotline_server::{Clock, Options, Shell};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

const MAIN: &str = "config/hotline.toml";
const FLOW: &str = "config/flows/hello.toml";
const TEST: &str = "config/flows/hello.test.toml";
const SOUND: &str = "prompts/en/hello.wav";

struct House {
    folder: TempDir,
    shell: Option<Shell>,
}

impl House {
    fn new() -> House {
        House::with(|_| {})
    }

    fn with(prepare: impl FnOnce(&mut Source)) -> House {
        let folder = TempDir::new().unwrap();
        let mut house = House { folder, shell: None };
        house.write(
            MAIN,
            "[engine]\nlisten = [\"udp:127.0.0.1:5060\"]\ncalls_max = 20\nlanguages = { en = [] }\n\
             [media]\nports = \"31000-31999\"\n[pool.all]\nrank = 1\n[number.100]\nflow = \"hello\"\n",
        );
        house.write(FLOW, &flow("hello"));
        house.write("config/agents.toml", "");
        house.write("prompts/prompts.toml", "[prompt.hello]\nen = \"Hello.\"\n");
        house.sound(1);
        let clock = Clock::start();
        let main = house.at(MAIN);
        let loaded = config::load(&main, &SystemSecrets, clock.epoch_unix());
        let mut settings = loaded.settings.clone().unwrap_or_else(|| panic!("{}", loaded.report()));
        for listener in &mut settings.sip.listeners {
            listener.address.set_port(0);
        }
        let mut source = Source::new(main, &loaded);
        source.listen_given = true;
        prepare(&mut source);
        house.shell = Some(
            Shell::start(Options {
                settings,
                clock,
                control: Some(loaded.server.control.clone()),
                store: Some(loaded.server.store.clone()),
                stories: None,
                reload: Some(source),
            })
            .expect("the house starts"),
        );
        house
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.at(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sound(&self, loud: i16) {
        let path = self.at(SOUND);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let samples: Vec<u8> = (0..8000i16).flat_map(|i| (i % 8 * loud * 100).to_le_bytes()).collect();
        let mut wav = b"RIFF".to_vec();
        wav.extend((36 + samples.len() as u32).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        wav.extend(8000u32.to_le_bytes());
        wav.extend(16000u32.to_le_bytes());
        wav.extend(b"\x02\0\x10\0data");
        wav.extend((samples.len() as u32).to_le_bytes());
        wav.extend(samples);
        fs::write(path, wav).unwrap();
    }

    fn ask(&self, request: &Request) -> Answer {
        ask(&self.at("var/hotline.sock"), request).expect("the engine answers")
    }

    fn order(&self, request: &Request) -> Result<String, String> {
        match self.ask(request) {
            Answer::Done(said) => Ok(said),
            Answer::Error(why) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    fn reload(&self) -> Result<String, String> {
        self.order(&Request::Reload { canary: None, tests: true, by: "ops".into() })
    }

    fn rollback(&self, version: &str) -> Result<String, String> {
        self.order(&Request::Rollback { version: version.into(), tests: true, by: "ops".into() })
    }

    /// Of each version what it is now and what became of it last.
    fn versions(&self) -> Vec<(String, String, String)> {
        let Answer::Versions(rows) = self.ask(&Request::Show(Show::Versions { limit: 100 })) else {
            panic!("versions were asked for")
        };
        let word =
            |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        rows.iter().map(|r| (word(r, "hash"), word(r, "state"), word(r, "what"))).collect()
    }

    fn current(&self) -> String {
        let versions = self.versions();
        versions.into_iter().find(|(_, state, _)| state == "current").expect("one is served").0
    }

    fn events(&self, kind: &str) -> Vec<String> {
        let Answer::Events(rows) = self.ask(&Request::Show(Show::Events { limit: 1000, call: None })) else {
            panic!("events were asked for")
        };
        let of_kind = rows.iter().filter(|row| row["kind"] == kind);
        of_kind.map(|row| row["detail"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(shell) = self.shell.take() {
            shell.line().stop();
            shell.wait();
        }
    }
}

fn flow(prompt: &str) -> String {
    format!(
        "[flow]\nname = \"hello\"\nstart = \"hello\"\nlanguage = \"en\"\n\
         [step.hello]\nplay = [\"{prompt}\"]\nnext = \"bye\"\n[step.bye]\nhangup = true\n"
    )
}

fn state(version: &(String, String, String)) -> (&str, &str) {
    (&version.1, &version.2)
}

#[test]
fn what_is_right_is_served_and_what_is_wrong_changes_nothing() {
    let house = House::new();
    let first = house.current();
    assert_eq!(house.versions().iter().map(state).collect::<Vec<_>>(), [("current", "started")]);

    house.write(FLOW, &(flow("hello") + "# another\n"));
    let said = house.reload().unwrap();
    let second = house.current();
    assert!(said.starts_with(&format!("version {second}")) && said.contains(&first), "{said}");
    assert_eq!(
        house.versions().iter().map(state).collect::<Vec<_>>(),
        [("current", "reloaded"), ("previous", "started")]
    );
    assert_eq!(house.events("reloaded"), [format!("version={second} by=ops")]);
    assert!(house.reload().unwrap().contains("is served already"));

    for (file, text, named) in [
        (FLOW, flow("hello").replace("next = \"bye\"", "next = \"by\""), "hello.toml:"),
        (FLOW, flow("hallo"), "hallo"),
        (FLOW, "[flow".to_owned(), "hello.toml:1"),
        (MAIN, fs::read_to_string(house.at(MAIN)).unwrap() + "[number.200]\nflow = \"none\"\n", "none"),
        (MAIN, fs::read_to_string(house.at(MAIN)).unwrap().replace("31999", "31899"), "[media] ports"),
        (SOUND, "no sound".to_owned(), "hello.wav"),
    ] {
        let good = fs::read(house.at(file)).unwrap();
        house.write(file, &text);
        let why = house.reload().expect_err(named);
        assert!(why.contains(named), "{named}: {why}");
        assert_eq!(house.current(), second);
        fs::write(house.at(file), good).unwrap();
    }
    assert_eq!(house.events("reload-refused").len(), 6);
    assert!(house.events("reload-refused")[1].contains("restart needed"));
    assert_eq!(house.versions().len(), 2);
}

#[test]
fn tests_that_fail_refuse_a_reload_unless_told_otherwise() {
    let house = House::new();
    let first = house.current();
    house.write(
        TEST,
        "[[test]]\nname = \"it greets\"\ndo = [\"wait 3s\"]\nhears = [\"hello\"]\nends = \"flow\"\n",
    );
    house.write(FLOW, &(flow("hello") + "# tested\n"));
    assert!(house.reload().unwrap().contains("1 tests passed"));
    let second = house.current();
    assert_ne!(first, second);
    let text = flow("hello").replace("play = [\"hello\"]", "play = [{ silence = \"1s\" }]");
    house.write(FLOW, &text);
    let why = house.reload().unwrap_err();
    assert!(why.contains("it greets"), "{why}");
    assert_eq!(house.current(), second);
    let all_the_same = Request::Reload { canary: None, tests: false, by: "ops".into() };
    assert!(house.order(&all_the_same).unwrap().contains("not tested"));
    assert_ne!(house.current(), second);
}

#[test]
fn an_earlier_version_comes_back_whole() {
    let house = House::new();
    let first = house.current();
    assert!(house.rollback("previous").unwrap_err().contains("no version was served before"));
    house.sound(2);
    house.write(FLOW, &(flow("hello") + "# another\n"));
    house.reload().unwrap();
    let second = house.current();
    fs::remove_file(house.at(FLOW)).unwrap();
    assert!(house.rollback("previous").unwrap().contains(&first));
    assert_eq!(house.current(), first, "with its sound, which is another now");
    assert!(house.rollback(&second[..6]).unwrap().contains(&second));
    assert_eq!(house.versions().iter().map(state).collect::<Vec<_>>()[0], ("current", "rolled-back"));
    for (wanted, named) in [("zzzz", "no version"), ("0000", "not kept"), ("ab", "no version")] {
        let why = house.rollback(wanted).expect_err(wanted);
        assert!(why.contains(named), "{why}");
    }
    assert!(house.reload().is_err(), "the files themselves are broken");
    assert_eq!(house.current(), second);
}

#[test]
fn a_version_on_trial_is_promoted_or_not() {
    let house = House::new();
    let first = house.current();
    let trial = |n: u8| {
        house.write(FLOW, &(flow("hello") + &format!("# trial {n}\n")));
        house.order(&Request::Reload { canary: Some(Canary::Share(500)), tests: true, by: "ops".into() })
    };
    assert!(trial(1).unwrap().contains("5% of the callers"));
    assert_eq!(house.versions().iter().map(state).collect::<Vec<_>>()[0], ("canary", "canary-started"));
    assert_eq!(house.current(), first);
    house.order(&Request::Abort { by: "ops".into() }).unwrap();
    assert!(house.order(&Request::Promote { by: "ops".into() }).unwrap_err().contains("nothing is on trial"));
    trial(2).unwrap();
    house.order(&Request::Promote { by: "ops".into() }).unwrap();
    assert_ne!(house.current(), first);
    assert_eq!(house.versions().iter().map(state).collect::<Vec<_>>()[0], ("current", "canary-promoted"));
    house.rollback("previous").unwrap();
    assert_eq!(house.current(), first);
}

#[test]
fn a_file_that_is_saved_is_served_when_files_are_watched() {
    let house = House::with(|source| source.watch = true);
    let first = house.current();
    let becomes = |done: &dyn Fn() -> bool, what: &str| {
        for _ in 0..600 {
            if done() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{what}");
    };
    house.write(FLOW, &flow("hallo"));
    becomes(&|| house.events("reload-refused").len() == 1, "a bad file is refused, once");
    house.write(FLOW, &(flow("hello") + "# saved\n"));
    becomes(&|| house.current() != first, "a good file is served");
    assert_eq!(house.events("reload-refused").len(), 1);
    let second = house.current();
    house.sound(3);
    becomes(&|| house.current() != second, "a sound is a file, too");
}

#[test]
fn copies_are_for_their_owner_and_bounded() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    for n in 0..55 {
        house.write(FLOW, &(flow("hello") + &format!("# {n}\n")));
        house.reload().unwrap();
    }
    let kept = |folder: &Path| fs::read_dir(folder).unwrap().filter_map(Result::ok).collect::<Vec<_>>();
    let versions = kept(&house.at("var/versions"));
    assert_eq!(versions.len(), 50);
    for version in versions {
        assert_eq!(version.metadata().unwrap().permissions().mode() & 0o077, 0, "{version:?}");
    }
}
