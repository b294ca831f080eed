use crate::meter::Meter;
use config::{SystemSecrets, load};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Flows of an installation, and steps of a flow.
const FLOWS: u64 = 1000;
const STEPS: usize = 50;
const LANGUAGES: [&str; 2] = ["en", "cmn"];

/// A whole installation is read and checked; counted by the flow.
pub fn checked(meter: &mut Meter, times: u64) {
    let folder = tempfile::tempdir().expect("there is a place for files");
    write(folder.path());
    let main = folder.path().join("config/hotline.toml");
    for _ in 0..times.div_ceil(FLOWS) {
        let loaded = meter.measured(|| load(&main, &SystemSecrets, 1_795_392_000));
        assert!(loaded.findings.is_empty(), "{}", loaded.report());
        meter.done(FLOWS);
    }
}

/// A number and a flow each, one queue, one agent, ten prompts in two languages.
fn write(root: &Path) {
    let put = |name: &str, text: &str| fs::write(root.join(name), text).expect("the folder is writable");
    for folder in ["config/flows", "prompts/en", "prompts/cmn"] {
        fs::create_dir_all(root.join(folder)).expect("the folder is writable");
    }
    let mut main = String::from(
        "[engine]\nlanguages = { en = [], cmn = [] }\n[pool.L1]\nrank = 1\n[skill]\n\"lang.en\" = \"English\"\n\"lang.cmn\" = \"Mandarin\"\n\
         [queue.all]\npools = [\"L1\"]\npromise = { P0 = \"5m\", P1 = \"15m\", P2 = \"30m\", P3 = \"60m\" }\n",
    );
    for i in 0..FLOWS {
        let class = if i % 2 == 0 { "standard" } else { "enterprise" };
        let _ =
            writeln!(main, "[number.{}]\nflow = \"flow-{i}\"\nvars = {{ class = \"{class}\" }}", 100_000 + i);
        put(&format!("config/flows/flow-{i}.toml"), &flow(i));
    }
    put("config/hotline.toml", &main);
    put(
        "config/agents.toml",
        "[agent.ann]\npool = \"L1\"\nskills = { \"lang.en\" = 3, \"lang.cmn\" = 3 }\n\
         secret = { ha1_md5 = \"939e7578ed9e3c518a452acee763bce9\", \
         ha1_sha256 = \"7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232\" }\n",
    );
    for language in LANGUAGES {
        let names = (0..10).map(|n| format!("said-{n}"));
        for name in names.chain(["for-standard".into(), "for-enterprise".into()]) {
            let path = root.join(format!("prompts/{language}/{name}.wav"));
            fs::write(path, wav()).expect("the folder is writable");
        }
    }
}

/// Groups of five steps (a prompt, a menu, an entry, a count, a branch), then a queue and the end.
fn flow(number: u64) -> String {
    let groups = STEPS / 5 - 1;
    let mut text = format!(
        "[flow]\nname = \"flow-{number}\"\nstart = \"say-0\"\n[var]\nclass = \"standard\"\ntopic = \"\"\nentry_made = \"\"\ntries = 0\n\
         [step.language]\nmenu = {{ 1 = \"en\", 2 = \"cmn\" }}\ninto = \"language\"\nprompt = \"said-1\"\n\
         no_input = {{ then = \"hear\" }}\ninvalid = {{ then = \"hear\" }}\nnext = \"hear\"\n\
         [step.hear]\nplay = \"said-5\"\nnext = \"wait\"\n\
         [step.wait]\nqueue = \"all\"\nrequire = \"lang[language] >= 2\"\ntimeout = \"10m\"\n\
         on_timeout = \"sorry\"\non_full = \"sorry\"\non_no_agents = \"sorry\"\nnext = \"bye\"\n\
         [step.sorry]\nplay = \"said-2\"\nnext = \"bye\"\n[step.bye]\nhangup = true\n"
    );
    for i in 0..groups {
        let next = if i + 1 < groups { format!("say-{}", i + 1) } else { "language".into() };
        let digit = (number as usize + i) % 10;
        let _ = write!(
            text,
            "[step.say-{i}]\nplay = [\"for-{{class}}\", \"said-{digit}\"]\nnext = \"ask-{i}\"\n\
             [step.ask-{i}]\nmenu = {{ 1 = \"one\", 2 = \"two\" }}\ninto = \"topic\"\nprompt = \"said-3\"\n\
             no_input = {{ tries = 2, then = \"count-{i}\" }}\ninvalid = {{ tries = 2, then = \"count-{i}\" }}\nnext = \"enter-{i}\"\n\
             [step.enter-{i}]\ncollect = {{ min = 4, max = 8, end = \"#\" }}\ninto = \"entry_made\"\nprompt = \"said-4\"\n\
             no_input = {{ then = \"count-{i}\" }}\ninvalid = {{ then = \"count-{i}\" }}\nnext = \"count-{i}\"\n\
             [step.count-{i}]\nset = {{ tries = \"{{tries + 1}}\" }}\nnext = \"which-{i}\"\n\
             [step.which-{i}]\nbranch = [{{ when = \"tries > 40\", to = \"sorry\" }}, {{ when = \"topic == 'two' and class == 'enterprise'\", to = \"wait\" }}]\n\
             otherwise = \"{next}\"\n"
        );
    }
    text
}

/// A tenth of a second, as a square wave, 8 kHz, 16 bits.
fn wav() -> Vec<u8> {
    let samples: Vec<u8> =
        (0..800i16).flat_map(|i| (if i % 20 < 10 { 8000i16 } else { -8000 }).to_le_bytes()).collect();
    let size = u32::try_from(samples.len()).expect("it is short");
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + size).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend([1, 0, 1, 0]);
    wav.extend(8000u32.to_le_bytes());
    wav.extend(16_000u32.to_le_bytes());
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend(size.to_le_bytes());
    wav.extend(samples);
    wav
}
