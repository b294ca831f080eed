//! The map of `crates/README.md`, held: which crate may know which, what enters the tree, and that every
//! crate has its paragraph.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};

/// From the bottom up, as the table in crates/README.md. A crate knows crates of earlier rows only.
const FLOORS: [&str; 16] = [
    "hotline-core",
    "hotline-sdp",
    "hotline-sip",
    "hotline-rtp",
    "hotline-media",
    "hotline-ivr",
    "hotline-graph",
    "hotline-acd",
    "hotline-engine",
    "hotline-config",
    "hotline-store",
    "hotline-sim",
    "hotline-prompts",
    "hotline-rehearsal",
    "hotline-server",
    "hotline",
];

/// What may never be known, whatever the floor.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    ("hotline-sip", &["tokio", "socket2", "libc"]),
    ("hotline-rtp", &["tokio", "socket2", "libc"]),
    ("hotline-media", &["hotline-sip", "hotline-ivr", "hotline-acd", "tokio", "socket2", "libc"]),
    ("hotline-ivr", &["hotline-sip", "hotline-media", "hotline-acd", "tokio"]),
    ("hotline-acd", &["hotline-sip", "hotline-media", "hotline-ivr", "tokio"]),
    ("hotline-engine", &["tokio", "rusqlite", "socket2", "libc"]),
    ("hotline-sim", &["tokio", "socket2", "libc"]),
];

const LICENCES: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "CDLA-Permissive-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
    "CC0-1.0",
    "Unlicense",
    "MIT-0",
    "BSL-1.0",
];

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(["--locked".to_owned()])
        .exec()
        .expect("cargo metadata")
}

fn known(package: &Package) -> BTreeSet<String> {
    package
        .dependencies
        .iter()
        .filter(|d| d.kind != DependencyKind::Development)
        .map(|d| d.name.clone())
        .collect()
}

#[test]
fn arrows_point_down_the_tower_only() {
    let metadata = metadata();
    let floor: BTreeMap<&str, usize> = FLOORS.iter().enumerate().map(|(i, name)| (*name, i)).collect();
    let mut seen = 0;
    for package in metadata.workspace_packages() {
        let Some(own) = floor.get(package.name.as_str()) else {
            assert!(
                matches!(package.name.as_str(), "hotline-tests" | "hotline-benches"),
                "{} stands on no floor of the map",
                package.name
            );
            continue;
        };
        seen += 1;
        for name in known(package) {
            if let Some(other) = floor.get(name.as_str()) {
                assert!(other < own, "{} must not know {name}", package.name);
            }
        }
    }
    assert_eq!(seen, FLOORS.len(), "a crate of the map is missing");
}

#[test]
fn nobody_knows_what_it_must_not() {
    let metadata = metadata();
    for (name, forbidden) in FORBIDDEN {
        let package = metadata.packages.iter().find(|p| p.name.as_str() == name).expect("a crate of the map");
        for other in known(package) {
            assert!(!forbidden.contains(&other.as_str()), "{name} must not know {other}");
        }
    }
    let core = metadata.packages.iter().find(|p| p.name.as_str() == "hotline-core").expect("core");
    assert!(known(core).is_empty(), "core depends on nothing");
}

#[test]
fn the_map_tells_of_every_crate() {
    let map = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/README.md"))
        .expect("the map");
    for package in FLOORS {
        let folder = package.strip_prefix("hotline-").unwrap_or("hotline");
        assert!(map.contains(&format!("`{folder}`")), "crates/README.md does not tell of {folder}");
    }
    assert!(map.matches("*Invariant:*").count() >= 10, "the map states its invariants");
}

#[test]
fn every_guest_has_a_licence_we_take() {
    for package in metadata().packages {
        // rsip and its derives name no licence but carry an MIT text; they are an oracle in tests and never ship.
        if package.name.starts_with("rsip") {
            continue;
        }
        let licence = package.license.clone().unwrap_or_default().replace('/', " OR ");
        // Some alternative of the expression, all of whose parts are taken.
        let taken = licence.split(" OR ").any(|alternative| {
            alternative.split(" AND ").all(|part| {
                let part = part.trim_matches(|c: char| c == '(' || c == ')' || c == ' ');
                LICENCES.contains(&part.split(" WITH ").next().unwrap_or(part))
            })
        });
        assert!(taken, "{} comes with licence {licence:?}", package.name);
    }
}

#[test]
fn two_tls_providers_never_meet() {
    let names: BTreeSet<String> = metadata().packages.iter().map(|p| p.name.to_string()).collect();
    assert!(!(names.contains("ring") && names.contains("aws-lc-rs")), "rustls panics with both in one tree");
}
