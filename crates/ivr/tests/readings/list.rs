//! The list of prompts names every fragment with its text, and there is a file of each.

use hotline_ivr::say::fragments;
use std::path::Path;

/// Shanghainese has no recordings of its own and is heard in Mandarin.
#[test]
fn every_fragment_is_in_the_list_and_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../prompts");
    let list = std::fs::read_to_string(folder.join("prompts.toml")).expect("the list of prompts");
    for language in ["cmn", "yue", "en"] {
        for (name, text) in fragments(language) {
            let line = list.lines().find(|l| l.starts_with(&format!("{name} = ")));
            let entry = format!("{language} = \"{text}\"");
            assert!(line.is_some_and(|l| l.contains(&entry)), "prompts.toml: {name} should have {entry}");
            assert!(folder.join(format!("{language}/{name}.wav")).is_file(), "{language}/{name}.wav");
        }
    }
}
