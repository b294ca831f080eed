//! Stories of an installation's prompts: voices that count how often they are asked, recordings that people
//! put in place, faults that `check` finds.
#![allow(clippy::unwrap_used, reason = "tests")]

use hotline_prompts::{
    Http, Level, NoHttp, Outcome, Place, Renderer, Request, Selection, Sound, Speaking, State, Survey, check,
    fix, hear, reading, status,
};
use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

fn tone(rate: u32, amplitude: f64, seconds: f64) -> Vec<f32> {
    let turn = 2.0 * PI * 600.0 / f64::from(rate);
    let count = (seconds * f64::from(rate)) as usize;
    (0..count).map(|i| (amplitude * (turn * i as f64).sin()) as f32).collect()
}

fn wav(rate: u32, samples: Vec<f32>) -> Vec<u8> {
    Sound { rate, samples }.to_wav()
}

/// An installation with a voice that notes what it is asked and gives a tone with silence around it.
struct House {
    folder: TempDir,
}

const LIST: &str = r#"
[voice.en]
command = ["./voice", "{out}"]
[prompt.welcome]
en = "Hello and welcome."
[prompt.goodbye]
en = "Goodbye."
"#;

impl House {
    fn new(list: &str) -> House {
        let house = House { folder: TempDir::new().unwrap() };
        fs::create_dir_all(house.at("config/flows")).unwrap();
        fs::create_dir_all(house.at("prompts/en")).unwrap();
        let main = "[engine]\nlanguages = { en = [], fr = [\"en\"] }\n";
        fs::write(house.at("config/hotline.toml"), main).unwrap();
        house.list(list);
        let spoken = [vec![0.0; 16_000], tone(16_000, 0.05, 1.0), vec![0.0; 8000]].concat();
        fs::write(house.at("prompts/tone"), wav(16_000, spoken)).unwrap();
        house.script("voice", "text=$(cat); echo \"$text\" >> \"$here/asked\"; cp \"$here/tone\" \"$1\"");
        house
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn list(&self, list: &str) {
        fs::write(self.at("prompts/prompts.toml"), list).unwrap();
    }

    fn script(&self, name: &str, body: &str) {
        let path = self.at("prompts").join(name);
        fs::write(&path, format!("#!/bin/sh\nhere=$(dirname \"$0\")\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn survey(&self) -> Survey {
        Survey::of(Place::of(&self.at("config/hotline.toml")).unwrap()).unwrap()
    }

    fn render(&self, selection: Selection<'_>) -> BTreeMap<String, Outcome> {
        self.render_by(selection, Arc::new(NoHttp))
    }

    fn render_by(&self, selection: Selection<'_>, http: Arc<dyn Http>) -> BTreeMap<String, Outcome> {
        let renderer = Renderer { cache: self.at("var/prompts-cache"), http, jobs: 2 };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut outcomes = BTreeMap::new();
        let mut tell = |item: &hotline_prompts::Item, outcome: &Outcome| {
            outcomes.insert(format!("{}/{}", item.language, item.name), outcome.clone());
        };
        runtime.block_on(renderer.render(&self.survey(), selection, &mut tell)).unwrap();
        outcomes
    }

    /// What the voice was asked to say, in alphabetical order.
    fn asked(&self) -> Vec<String> {
        let text = fs::read_to_string(self.at("prompts/asked")).unwrap_or_default();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn wav(&self, name: &str) -> PathBuf {
        self.at(&format!("prompts/en/{name}.wav"))
    }

    fn rules(&self) -> Vec<&'static str> {
        check(&self.survey()).iter().map(|f| f.rule).collect()
    }
}

fn outcomes(all: &BTreeMap<String, Outcome>) -> Vec<Outcome> {
    all.values().cloned().collect()
}

const ALL: Selection<'static> = Selection { language: None, only: &[], force: false };

#[test]
fn a_prompt_is_spoken_once_and_sounds_as_it_should() {
    let house = House::new(LIST);
    assert_eq!(outcomes(&house.render(ALL)), [Outcome::Made, Outcome::Made]);
    assert_eq!(house.asked(), ["Goodbye.", "Hello and welcome."]);
    let made = media::wav::read(&house.wav("welcome")).unwrap();
    assert_eq!((made.rate, made.channels), (8000, 1));
    let length = made.length().as_secs_f64();
    assert!((1.14..1.20).contains(&length), "50 ms, a second, 100 ms: {length}");
    let sound = Sound::from(made);
    assert!((sound.loudness() + 19.0).abs() < 0.2, "{}", sound.loudness());

    assert_eq!(outcomes(&house.render(ALL)), [Outcome::Current, Outcome::Current]);
    assert_eq!(house.asked().len(), 2, "nobody was asked again");
    assert_eq!(house.rules(), [""; 0]);
    let left = fs::read_dir(house.at("var/prompts-cache")).unwrap().count();
    assert_eq!(left, 2, "what two texts sound like, and nothing else");
}

#[test]
fn a_lost_file_comes_from_the_cache_and_only_a_new_text_is_spoken() {
    let house = House::new(LIST);
    house.render(ALL);
    let before = fs::read(house.wav("welcome")).unwrap();
    fs::remove_file(house.wav("welcome")).unwrap();
    house.list(&LIST.replace("Goodbye.", "Good night."));
    assert_eq!(house.rules(), ["stale-prompt", "missing-prompt"]);
    assert_eq!(outcomes(&house.render(ALL)), [Outcome::Made, Outcome::Made]);
    assert_eq!(house.asked(), ["Good night.", "Goodbye.", "Hello and welcome."]);
    assert_eq!(fs::read(house.wav("welcome")).unwrap(), before, "the same bytes");
    // Another loudness needs no voice.
    house.list(&format!("[defaults]\nloudness = -23\n{LIST}"));
    assert_eq!(outcomes(&house.render(Selection { only: &["welcome".into()], ..ALL })), [Outcome::Made]);
    assert_eq!(house.asked().len(), 3);
}

#[test]
fn a_recording_is_never_written_over() {
    let house = House::new(LIST);
    house.render(ALL);
    let recording = wav(16_000, tone(16_000, 0.2, 1.0));
    fs::write(house.wav("welcome"), &recording).unwrap();
    house.list(&LIST.replace("Hello", "Good day"));
    for selection in [ALL, Selection { force: true, ..ALL }, Selection { only: &["welcome".into()], ..ALL }] {
        assert_eq!(house.render(selection)["en/welcome"], Outcome::Kept);
        assert_eq!(fs::read(house.wav("welcome")).unwrap(), recording);
    }
    assert_eq!(house.survey().item_of("en", "welcome").unwrap().state, State::Recorded);
    fs::remove_file(house.wav("welcome")).unwrap();
    assert_eq!(house.render(ALL)["en/welcome"], Outcome::Made);
}

#[test]
fn a_recording_that_comes_while_the_voice_speaks_is_kept() {
    let house = House::new(LIST);
    fs::write(house.at("prompts/recording"), wav(8000, tone(8000, 0.2, 1.0))).unwrap();
    house.script("voice", "cp \"$here/recording\" \"$here/en/welcome.wav\"; cp \"$here/tone\" \"$1\"");
    let outcomes = house.render(Selection { only: &["welcome".into()], ..ALL });
    assert_eq!(outcomes["en/welcome"], Outcome::Kept);
    assert_eq!(fs::read(house.wav("welcome")).unwrap(), fs::read(house.at("prompts/recording")).unwrap());
}

#[test]
fn force_asks_the_voice_again_and_one_text_only_once() {
    let twice = LIST.to_owned() + "[prompt.again]\nen = \"Goodbye.\"\n";
    let house = House::new(&twice);
    house.render(ALL);
    house.render(Selection { force: true, ..ALL });
    assert_eq!(house.asked(), ["Goodbye.", "Goodbye.", "Hello and welcome.", "Hello and welcome."]);
}

#[test]
fn a_voice_that_fails_says_why_and_stops_no_other() {
    let cases = [
        ("echo no such voice >&2; exit 3", "no such voice"),
        ("exit 0", "wrote nothing"),
        ("echo 'not a sound' > \"$1\"", "is no WAV file"),
        ("head -c 100000 /dev/zero > \"$1\"", "is no WAV file"),
        ("cp \"$here/silent\" \"$1\"", "nothing is heard"),
        ("exec sleep 60", "longer than 1s"),
    ];
    for (body, why) in cases {
        let house = House::new(&LIST.replace("\"{out}\"]", "\"{out}\"]\ntimeout = \"1s\""));
        fs::write(house.at("prompts/silent"), wav(8000, vec![0.0; 8000])).unwrap();
        let good = "cp \"$here/tone\" \"$1\"";
        house.script("voice", &format!("case $(cat) in Good*) {good};; *) {body};; esac"));
        let outcomes = house.render(ALL);
        assert_eq!(outcomes["en/goodbye"], Outcome::Made, "{body}");
        let Outcome::Failed(said) = &outcomes["en/welcome"] else { panic!("{body}: {outcomes:?}") };
        assert!(said.contains(why), "{body}: {said}");
        assert!(!house.wav("welcome").exists());
    }
    let house = House::new(&LIST.replace("./voice", "no-such-program-anywhere"));
    assert!(
        matches!(&house.render(ALL)["en/welcome"], Outcome::Failed(why) if why.contains("does not start"))
    );
}

#[test]
fn a_text_reaches_its_program_untouched() {
    let text = r#"$(touch x); `rm` "a" 'b' {out} \\ %s"#;
    let list =
        format!("[voice.en]\ncommand = [\"./voice\", \"say={{text}}\"]\n[prompt.a]\nen = '''{text}'''\n");
    let house = House::new(&list);
    house.script("voice", "printf '%s' \"$1\" > \"$here/argument\"; cat \"$here/tone\"");
    assert_eq!(house.render(ALL)["en/a"], Outcome::Made);
    assert_eq!(fs::read_to_string(house.at("prompts/argument")).unwrap(), format!("say={text}"));

    house.list("[voice.en]\ncommand = [\"./voice\", \"{text}\"]\n[prompt.a]\nen = \"--help\"\n");
    assert!(matches!(&house.render(ALL)["en/a"], Outcome::Failed(why) if why.contains("begins with `-`")));
}

/// Keeps what it is asked, and answers with a tone.
#[derive(Default)]
struct Service(Mutex<Vec<Request>>);

impl Http for Service {
    fn send(&self, request: Request) -> Speaking<'_> {
        self.0.lock().unwrap().push(request);
        Box::pin(async { Ok(wav(24_000, tone(24_000, 0.1, 0.5))) })
    }
}

#[test]
fn a_service_is_asked_in_json_with_its_key() {
    let house = House::new(
        r#"
[voice.en.http]
url = "https://tts.example/v1?q={text}"
body = '{"text": "{text}", "voice": "amy"}'
headers = { Authorization = { env = "CARGO_MANIFEST_DIR", before = "Bearer " }, X-Plan = "a" }
[prompt.a]
en = "Say \"one\"\n& go"
"#,
    );
    let service = Arc::new(Service::default());
    assert_eq!(house.render_by(ALL, service.clone())["en/a"], Outcome::Made);
    let asked = service.0.lock().unwrap().pop().unwrap();
    assert_eq!(asked.url, "https://tts.example/v1?q=Say%20%22one%22%0A%26%20go");
    assert_eq!(asked.body.as_deref(), Some(r#"{"text": "Say \"one\"\n& go", "voice": "amy"}"#));
    let headers: BTreeMap<&str, &str> = asked.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(headers["Authorization"], concat!("Bearer ", env!("CARGO_MANIFEST_DIR")));
    assert_eq!(headers["Content-Type"], "application/json");
    assert_eq!((headers["Accept"], headers["X-Plan"]), ("audio/wav", "a"));
    assert!(!format!("{asked:?}").contains("Bearer"), "a secret stays one");

    house.render_by(ALL, service.clone());
    assert!(service.0.lock().unwrap().is_empty(), "it is up to date");
    house.list("[voice.en]\nhttp = { url = \"https://a.example/{text}\", headers = { K = { env = \"NO_SUCH_KEY_HERE\" } } }\n[prompt.a]\nen = \"b\"");
    let outcome = &house.render_by(ALL, service)["en/a"];
    assert!(
        matches!(outcome, Outcome::Failed(why) if why.contains("NO_SUCH_KEY_HERE is not set")),
        "{outcome:?}"
    );
}

#[test]
fn the_status_counts_what_each_language_has() {
    let house = House::new(&(LIST.to_owned() + "[prompt.menu]\nen = \"Press one.\"\nfr = \"Pressez un.\"\n"));
    house.render(Selection { only: &["goodbye".into()], ..ALL });
    fs::write(house.wav("welcome"), wav(8000, tone(8000, 0.2, 1.0))).unwrap();
    fs::write(house.at("config/flows/main.toml"), "[step.a]\nplay = [\"welcome\", \"menu\"]\n").unwrap();
    let statuses = status(&house.survey());
    let [en, fr] = &statuses[..] else { panic!("{statuses:?}") };
    assert_eq!((en.listed, en.recorded, en.rendered, en.falls_back), (3, 1, 1, 0));
    assert_eq!(
        (en.missing.as_slice(), en.unheard.as_slice()),
        (&["menu".to_owned()][..], &["menu".to_owned()][..])
    );
    assert_eq!(en.needed_by["menu"], ["main"]);
    assert_eq!((fr.listed, fr.recorded, fr.rendered, fr.falls_back), (3, 0, 0, 2));
    assert_eq!((fr.unheard.len(), fr.voice, fr.fallbacks.as_slice()), (1, false, &["en".to_owned()][..]));
}

#[test]
fn each_fault_has_its_rule() {
    let good = || tone(16_000, 0.15, 1.2);
    let quiet = |s: Vec<f32>, by: f32| s.into_iter().map(|s| s * by).collect::<Vec<f32>>();
    let silence = |seconds: f64| vec![0.0; (seconds * 16_000.0) as usize];
    let mut noisy = good();
    noisy.extend(silence(0.4));
    let mut state = 9u32;
    for sample in &mut noisy {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample += ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * 0.02;
    }
    noisy.extend(good());
    let cases: [(&str, Vec<f32>, &[&str]); 10] = [
        ("good", good(), &[]),
        ("soft", quiet(good(), 0.2), &["off-loudness"]),
        ("loud", quiet(good(), 3.0), &["off-loudness"]),
        (
            "clipped",
            tone(16_000, 5.0, 1.2).iter().map(|s| s.clamp(-1.0, 1.0)).collect(),
            &["clipped-prompt", "off-loudness"],
        ),
        ("off its middle", good().iter().map(|s| s + 0.05).collect(), &["offset"]),
        ("late", [silence(0.5), good()].concat(), &["silence-before"]),
        ("long", [good(), silence(0.8)].concat(), &["silence-after"]),
        ("paused", [good(), silence(2.0), good()].concat(), &["long-pause"]),
        ("silent", silence(1.0), &["silent-prompt"]),
        ("noisy", noisy, &["noise"]),
    ];
    for (name, samples, rules) in cases {
        let house = House::new("[prompt.welcome]\nen = \"Hello and welcome.\"\n");
        fs::write(house.wav("welcome"), wav(16_000, samples)).unwrap();
        assert_eq!(house.rules(), rules, "{name}");
    }
    for (bytes, rule) in
        [(b"RIFF".to_vec(), "bad-wav"), (wav(16_000, tone(16_000, 0.15, 0.15)), "odd-length")]
    {
        let house = House::new("[prompt.welcome]\nen = \"Hello, and welcome to the hotline.\"\n");
        fs::write(house.wav("welcome"), bytes).unwrap();
        assert_eq!(house.rules(), [rule]);
    }
    let house = House::new("[prompt.welcome]\nen = \"Hello and welcome.\"\n");
    fs::write(house.wav("welcom"), wav(16_000, good())).unwrap();
    assert_eq!(house.rules(), ["unlisted-prompt", "missing-prompt"]);
}

#[test]
fn fix_makes_a_recording_fit_and_leaves_the_rest_alone() {
    let house = House::new(LIST);
    house.render(ALL);
    let rendered = fs::read(house.wav("goodbye")).unwrap();
    let late = [vec![0.0; 32_000], tone(16_000, 0.02, 1.2)].concat();
    fs::write(house.wav("welcome"), wav(16_000, late)).unwrap();
    assert_eq!(house.rules(), ["off-loudness", "silence-before"]);
    assert_eq!(fix(&house.survey()).unwrap(), [house.wav("welcome")]);
    assert_eq!(house.rules(), [""; 0]);
    let fixed = media::wav::read(&house.wav("welcome")).unwrap();
    assert_eq!(fixed.rate, 16_000, "its own rate");
    assert_eq!(house.survey().item_of("en", "welcome").unwrap().state, State::Recorded);
    assert_eq!(fix(&house.survey()).unwrap(), Vec::<PathBuf>::new(), "once is enough");
    assert_eq!(fs::read(house.wav("goodbye")).unwrap(), rendered);
}

#[test]
fn one_hears_what_a_caller_hears() {
    let list = "[prompt]\nnumber-7 = { en = \"seven\" }\nwelcome = { en = \"Hello\" }\n";
    let house = House::new(list);
    fs::write(house.wav("number-7"), wav(16_000, tone(16_000, 0.2, 0.3))).unwrap();
    fs::write(house.wav("welcome"), wav(8000, tone(8000, 0.2, 0.5))).unwrap();
    let place = house.survey().place;
    assert_eq!(reading("number:7", "en").unwrap(), ["number-7"]);
    let heard = hear(&place, "fr", &["welcome".into(), "number-7".into()]).unwrap();
    assert_eq!(heard.sound.rate, 8000);
    assert!((heard.sound.length().as_secs_f64() - 0.8).abs() < 0.02);
    assert!(heard.from.iter().all(|(language, path)| language == "en" && path.is_file()));
    for (say, language) in [("number:x", "en"), ("price:7", "en"), ("7", "en"), ("number:7", "xx")] {
        assert!(reading(say, language).is_err(), "{say}");
    }
    assert!(hear(&place, "de", &[]).is_err() && hear(&place, "en", &["nothing".into()]).is_err());
}

#[test]
fn music_is_a_loop_without_edges() {
    let house = House::new(
        "[voice.music]\nmusic = \"chords\"\nloudness = -24\n[prompt.music]\nen = \"\"\nvoice = \"music\"\n",
    );
    assert_eq!(house.render(ALL)["en/music"], Outcome::Made);
    let music = media::wav::read(&house.wav("music")).unwrap();
    assert_eq!(music.samples.len(), 24 * 8000);
    let seam = (music.samples[0] - music.samples[music.samples.len() - 1]).abs();
    assert!(seam < 0.05, "{seam}");
    assert_eq!(house.rules(), [""; 0]);
}

#[test]
fn findings_are_sorted_and_say_how_bad_they_are() {
    let house = House::new(&(LIST.to_owned() + "[prompt.menu]\nfr = \"Pressez un.\"\n"));
    let findings = check(&house.survey());
    let files: Vec<&Path> = findings.iter().map(|f| f.file.as_path()).collect();
    assert!(files.is_sorted(), "{files:?}");
    assert!(findings.iter().all(|f| f.level == Level::Error && f.rule == "missing-prompt"));
}
