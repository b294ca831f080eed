//! Whatever the files hold: settings or findings, never a panic, and every place lies in its file.
mod common;

use common::Installation;
use hotline_config::{Finding, Level, check_flow};
use proptest::prelude::*;

const FILES: [&str; 5] = [
    "config/hotline.toml",
    "config/agents.toml",
    "config/flows/support.toml",
    "config/flows/lab.toml",
    "prompts/prompts.toml",
];

/// What an operator's slip or a fuzzer does to a text.
#[derive(Clone, Debug)]
enum Slip {
    Byte(usize, u8),
    Remove(usize, usize),
    Insert(usize, &'static str),
    Repeat(usize, usize),
}

fn slip() -> impl Strategy<Value = Slip> {
    let bits = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'''",
        "=",
        "\n",
        ",",
        "{x}",
        "[step.x]\n",
        "next = \"bye\"\n",
        "-1",
        "9223372036854775807",
        "\"0s\"",
        "true",
        "\u{feff}",
        "值",
        "2026-01-01",
        "{ say = \"number\", value = \"{tries}\" }",
        "#",
        "\r",
        "\0",
    ]);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Slip::Byte(at, byte)),
        (any::<usize>(), 1..40usize).prop_map(|(at, length)| Slip::Remove(at, length)),
        (any::<usize>(), bits).prop_map(|(at, text)| Slip::Insert(at, text)),
        (any::<usize>(), 1..80usize).prop_map(|(at, length)| Slip::Repeat(at, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, slip: &Slip) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match *slip {
        Slip::Byte(at, byte) => bytes[at % length] = byte,
        Slip::Remove(at, count) => {
            let at = at % length;
            bytes.drain(at..(at + count).min(length));
        }
        Slip::Insert(at, text) => {
            let at = at % length;
            bytes.splice(at..at, text.bytes());
        }
        Slip::Repeat(at, count) => {
            let at = at % length;
            let again = bytes[at..(at + count).min(length)].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

fn lies_in(finding: &Finding, text: &str) -> bool {
    let lines: Vec<&str> = text.split('\n').collect();
    match finding.line {
        0 => finding.column == 0,
        line => {
            lines.get(line as usize - 1).is_some_and(|l| finding.column as usize <= l.chars().count() + 1)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn settings_or_findings(file in 0..FILES.len(), slips in prop::collection::vec(slip(), 1..6)) {
        thread_local!(static INSTALLATION: Installation = Installation::good());
        INSTALLATION.with(|installation| {
            let good = installation.read(FILES[file]);
            let mut bytes = good.clone().into_bytes();
            slips.iter().for_each(|s| apply(&mut bytes, s));
            installation.write(FILES[file], &bytes);
            let loaded = installation.load();
            let errors = loaded.findings.iter().filter(|f| f.severity == Level::Error).count();
            assert_eq!(loaded.settings.is_some(), errors == 0);
            for finding in loaded.findings.iter().filter(|f| f.file.ends_with(FILES[file])) {
                assert!(lies_in(finding, &String::from_utf8_lossy(&bytes)), "{finding}");
            }
            installation.write(FILES[file], good);
        });
    }

    #[test]
    fn a_flow_alone(slips in prop::collection::vec(slip(), 0..20)) {
        let mut bytes = include_bytes!("good/config/flows/support.toml").to_vec();
        slips.iter().for_each(|s| apply(&mut bytes, s));
        let text = String::from_utf8_lossy(&bytes);
        for finding in check_flow(&text) {
            assert!(lies_in(&finding, &text), "{finding}");
        }
    }

    #[test]
    fn any_text_is_no_panic(text in "\\PC{0,200}") {
        check_flow(&text);
    }
}

#[test]
fn deep_and_long_texts_end_soon() {
    check_flow(&"[".repeat(100_000));
    check_flow(&format!("x = {}", "[".repeat(100_000)));
    check_flow(&format!("x = {}1{}", "{a=".repeat(10_000), "}".repeat(10_000)));
    check_flow(&format!("[step.a]\nset = {{ a = \"{{{}1\" }}", "(".repeat(100_000)));
    let steps: String = (0..3000)
        .map(|i| format!("[step.s{i}]\nset = {{ severity = \"P1\" }}\nnext = \"s{}\"\n", (i + 1) % 3000))
        .collect();
    let findings = check_flow(&format!("[flow]\nname = \"flow\"\nstart = \"s0\"\n{steps}"));
    assert!(findings.iter().any(|f| f.rule == "too-many"));
}
