//! Every rule of `hotline check`: what it finds, why that matters, an example and its repair.

mod files;
mod flows;
mod installation;

use crate::finding::Level;

/// A rule, as `hotline explain` shows it.
#[derive(Debug)]
pub struct Rule {
    /// As findings name it: `dangling-step`.
    pub id: &'static str,
    /// How grave it is, as a rule.
    pub level: Level,
    /// What it finds, in a sentence.
    pub about: &'static str,
    /// What would happen to a caller or an operator otherwise.
    pub why: &'static str,
    /// What breaks it, and the same repaired: TOML, or what a file holds.
    pub broken: &'static str,
    pub repaired: &'static str,
}

/// Every rule, by id.
pub fn rules() -> Vec<&'static Rule> {
    let mut rules: Vec<&Rule> =
        [files::RULES, installation::RULES, flows::RULES].into_iter().flatten().collect();
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// The rule of this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    [files::RULES, installation::RULES, flows::RULES].into_iter().flatten().find(|rule| rule.id == id)
}

const fn error(
    id: &'static str,
    about: &'static str,
    why: &'static str,
    broken: &'static str,
    repaired: &'static str,
) -> Rule {
    Rule { id, level: Level::Error, about, why, broken, repaired }
}

const fn warning(
    id: &'static str,
    about: &'static str,
    why: &'static str,
    broken: &'static str,
    repaired: &'static str,
) -> Rule {
    Rule { id, level: Level::Warning, about, why, broken, repaired }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// All sources of this crate but the table's own, without their tests.
    fn sources() -> String {
        fn gather(folder: &Path, text: &mut String) {
            for entry in fs::read_dir(folder).expect("the sources are here") {
                let path = entry.expect("the sources are here").path();
                if path.is_dir() && !path.ends_with("rules") {
                    gather(&path, text);
                } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("rules.rs") {
                    let source = fs::read_to_string(&path).expect("the sources are here");
                    text.push_str(source.split("#[cfg(test)]\nmod tests {").next().unwrap_or(""));
                }
            }
        }
        let mut text = String::new();
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        text
    }

    /// The words in quotes that are said to a function of findings as the rule.
    fn said(sources: &str) -> BTreeSet<&str> {
        let mut said = BTreeSet::new();
        for call in [".error(", ".error_help(", ".warning("] {
            for (at, _) in sources.match_indices(call) {
                // Methods of values take the rule first, those of findings a place and then the rule.
                let arguments = &sources[at + call.len()..];
                let Some((_, rest)) = arguments.split_once('"') else { continue };
                let Some((word, _)) = rest.split_once('"') else { continue };
                let before = arguments.len() - rest.len();
                if before < 90
                    && !word.is_empty()
                    && word.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
                {
                    said.insert(word);
                }
            }
        }
        said
    }

    #[test]
    fn the_table_has_what_is_found_and_nothing_else() {
        let sources = sources();
        let table: BTreeSet<&str> = rules().iter().map(|r| r.id).collect();
        let unlisted: Vec<_> = said(&sources).into_iter().filter(|id| !table.contains(id)).collect();
        assert!(unlisted.is_empty(), "not in the table: {unlisted:?}");
        let never: Vec<_> = table.iter().filter(|id| !sources.contains(&format!("\"{id}\""))).collect();
        assert!(never.is_empty(), "never found: {never:?}");
        assert!(said(&sources).len() > 90, "the search itself works");
    }

    #[test]
    fn each_rule_is_explained_once() {
        let rules = rules();
        assert!(rules.windows(2).all(|two| two[0].id < two[1].id));
        for Rule { id, about, why, broken, repaired, .. } in rules {
            assert!(about.ends_with('.') && why.ends_with('.'), "{id}");
            assert!(!broken.is_empty() && broken != repaired && !broken.ends_with('\n'), "{id}");
        }
    }
}
