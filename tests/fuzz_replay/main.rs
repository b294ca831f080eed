//! The committed corpus of every fuzz target, run by the same code as the fuzzers (tests/fuzz/README.md).

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use fuzz::{TARGETS, Target};
use std::fs;
use std::path::{Path, PathBuf};

/// What a corpus may come to: it is read on every run of the tests.
const FILES_MAX: usize = 200;
const BYTES_MAX: u64 = 2 << 20;

fn corpus(target: &Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a file of the corpus").path())
        .collect();
    files.sort();
    files
}

/// Runs all of it, and of each file the beginning, the end, and the file with one bit turned, so that the day's
/// code meets more than it met when the corpus was found.
fn replay(target: Target) {
    let files = corpus(&target);
    assert!(files.len() >= 15, "{}: {} files", target.name, files.len());
    for file in files {
        let data = fs::read(&file).expect("a file of the corpus");
        let name = file.file_name().unwrap_or_default().display().to_string();
        // Seen when it panics.
        println!("{}/{name}", target.name);
        target.run(&data);
        target.run(&data[..data.len() / 2]);
        target.run(&data[data.len() / 2..]);
        let mut turned = data;
        if let Some(byte) = turned.iter_mut().rev().nth(7) {
            *byte ^= 0x08;
        }
        target.run(&turned);
    }
}

#[test]
fn sip() {
    replay(fuzz::SIP);
}

#[test]
fn sip_endpoint() {
    replay(fuzz::SIP_ENDPOINT);
}

#[test]
fn sdp() {
    replay(fuzz::SDP);
}

#[test]
fn rtp() {
    replay(fuzz::RTP);
}

#[test]
fn flow() {
    replay(fuzz::FLOW);
}

#[test]
fn engine() {
    replay(fuzz::ENGINE);
}

/// One fuzzer, one folder, one test above for each target; and the corpora stay small.
#[test]
fn every_target_has_its_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let mut names: Vec<String> = fs::read_dir(root.join(folder))
            .expect("a folder of the fuzzers")
            .map(|entry| entry.expect("its entry").path())
            .map(|path| path.file_stem().unwrap_or_default().display().to_string())
            .collect();
        names.sort();
        names
    };
    let mut targets = TARGETS.map(|t| t.name);
    targets.sort_unstable();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    for target in &TARGETS {
        let files = corpus(target);
        let bytes: u64 = files.iter().map(|f| f.metadata().expect("a file of the corpus").len()).sum();
        assert!(files.len() <= FILES_MAX && bytes <= BYTES_MAX, "{}: {bytes} bytes", target.name);
    }
}

/// The meter sees what is held and what is kept: a target that only seems to pass would be worth nothing.
#[test]
fn the_meter_notices() {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    fuzz::bounded(2000, || drop(vec![0u8; 1000]));
    let hungry = catch_unwind(|| fuzz::bounded(2000, || drop(vec![0u8; 3000])));
    assert!(hungry.is_err(), "3000 bytes at once");
    let kept = RefCell::new(Vec::new());
    let growing = catch_unwind(AssertUnwindSafe(|| {
        fuzz::bounded(2000, || kept.borrow_mut().push(vec![0u8; 100]));
    }));
    assert!(growing.is_err(), "100 bytes more each time");
}
