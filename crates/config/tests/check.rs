//! What `hotline check` does beside finding: warnings allowed and denied, SARIF, ways to a person.
mod common;

use common::Installation;
use hotline_config::{Level, Loaded, NumberWays, ways};
use serde_json::Value;

const MAIN: &str = "config/hotline.toml";
const SUPPORT: &str = "config/flows/support.toml";
const LAB: &str = "config/flows/lab.toml";

fn rules(loaded: &Loaded) -> Vec<(&str, Level)> {
    loaded.findings.iter().map(|f| (f.rule, f.severity)).collect()
}

/// Three warnings, each in another file and each in a way of its own: behind the place, above it, above among others.
fn warned() -> Installation {
    let i = Installation::good();
    i.edit(SUPPORT, "timeout = \"10m\"\n", "");
    i.edit(LAB, "for = \"2s\"", "for = \"90s\"");
    i.edit("config/agents.toml", "skills = { \"lang.en\" = 5 }\n", "");
    i
}

#[test]
fn what_is_allowed_with_a_reason_is_kept_aside() {
    let i = warned();
    assert_eq!(rules(&i.load()).len(), 3);
    i.edit(
        SUPPORT,
        "[step.to-queue]",
        "[step.to-queue] # allow(queue-without-timeout): it is staffed day and night",
    );
    i.edit(
        LAB,
        "[step.alice]",
        "# The tone is long.\n# allow(long-wait-for-a-person, no-end): it is a lab\n[step.alice]",
    );
    i.edit("config/agents.toml", "[agent.carol]", "# allow(no-skills): she learns\n[agent.carol]");
    let loaded = i.load();
    assert_eq!(rules(&loaded), [("unused-allow", Level::Warning)], "of two rules one allows nothing");
    let mut allowed: Vec<_> = loaded.allowed.iter().map(|a| (a.finding.rule, &*a.reason)).collect();
    allowed.sort();
    assert_eq!(
        allowed,
        [
            ("long-wait-for-a-person", "it is a lab"),
            ("no-skills", "she learns"),
            ("queue-without-timeout", "it is staffed day and night"),
        ]
    );
    assert!(loaded.settings.is_some());
}

#[test]
fn errors_stay_errors_whatever_is_allowed() {
    let i = Installation::good();
    i.edit(SUPPORT, "on_full = \"sorry\"", "on_full = \"sory\" # allow(dangling-step): soon");
    let loaded = i.load();
    assert_eq!(rules(&loaded), [("dangling-step", Level::Error), ("allow-of-error", Level::Error)]);
    assert!(loaded.settings.is_none() && loaded.allowed.is_empty());
}

#[test]
fn a_reason_that_is_missing_allows_nothing() {
    let i = warned();
    i.edit("config/agents.toml", "[agent.carol]", "[agent.carol] # allow(no-skills)");
    assert!(rules(&i.load()).contains(&("no-skills", Level::Warning)));
    assert!(rules(&i.load()).contains(&("allow-without-reason", Level::Error)));
}

#[test]
fn denied_warnings_are_errors() {
    let i = warned();
    i.write(MAIN, i.read(MAIN) + "[check]\ndeny = [\"no-skills\"]\n");
    let loaded = i.load();
    let levels: Vec<_> =
        rules(&loaded).into_iter().map(|(rule, level)| (rule == "no-skills", level)).collect();
    assert!(levels.iter().all(|(denied, level)| *denied == (*level == Level::Error)), "{levels:?}");
    assert!(loaded.settings.is_none() && loaded.report().exit_status() == 1);
    i.edit("config/agents.toml", "[agent.carol]", "# allow(no-skills): she learns\n[agent.carol]");
    assert!(i.load().settings.is_some(), "what is allowed is not denied");
    i.edit(MAIN, "deny = [\"no-skills\"]", "warnings = \"error\"");
    assert!(rules(&i.load()).iter().all(|(_, level)| *level == Level::Error));
    i.edit(MAIN, "warnings = \"error\"", "warnings = \"warning\"");
    let loaded = i.load();
    assert!(loaded.settings.is_some());
    assert!(loaded.strict().settings.is_none(), "--strict is the same for once");
    assert!(Installation::good().load().strict().settings.is_some());
}

/// The main demands of the schema: sarif-schema-2.1.0.json, `required` and the enumerations.
#[test]
fn sarif_is_what_its_schema_demands() {
    let i = warned();
    i.edit(SUPPORT, "on_full = \"sorry\"", "on_full = \"sory\"");
    i.edit("config/agents.toml", "[agent.carol]", "# allow(no-skills): she learns\n[agent.carol]");
    i.write("prompts/en/closed.wav", "MP3");
    let loaded = i.load();
    let log: Value = serde_json::from_str(&loaded.sarif()).expect("it is JSON");
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|s| s.ends_with("sarif-2.1.0.json")));
    assert_eq!(log["runs"].as_array().map(Vec::len), Some(1));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "hotline");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let level = |v: &Value| ["none", "note", "warning", "error"].contains(&v.as_str().unwrap_or(""));
    let text = |v: &Value| v["text"].as_str().is_some_and(|t| !t.is_empty());
    let rules = driver["rules"].as_array().expect("there are rules");
    let ids: std::collections::BTreeSet<_> = rules.iter().map(|r| r["id"].as_str()).collect();
    assert_eq!(ids.len(), rules.len(), "ids are unique");
    for rule in rules {
        assert!(
            text(&rule["shortDescription"]) && text(&rule["fullDescription"]) && text(&rule["help"]),
            "{rule}"
        );
        assert!(level(&rule["defaultConfiguration"]["level"]), "{rule}");
    }
    let results = run["results"].as_array().expect("there are results");
    assert_eq!(results.len(), loaded.findings.len() + 1);
    for result in results {
        assert!(text(&result["message"]) && level(&result["level"]), "{result}");
        let index = result["ruleIndex"].as_u64().expect("every rule is in the table");
        assert_eq!(rules[usize::try_from(index).expect("it is small")]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("every result has a file");
        assert!(uri.starts_with("file:///") && uri.is_ascii() && !uri.contains(' '), "{uri}");
        if let Some(region) = place.get("region") {
            assert!(
                region["startLine"].as_u64() >= Some(1) && region["startColumn"].as_u64() >= Some(1),
                "{result}"
            );
        }
    }
    let suppressed: Vec<&Value> =
        results.iter().filter(|r| r["suppressions"].as_array().is_some_and(|s| !s.is_empty())).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["suppressions"][0]["kind"], "inSource");
    assert_eq!(suppressed[0]["suppressions"][0]["justification"], "she learns");
    let file = results.iter().find(|r| r["ruleId"] == "bad-wav").expect("it is no WAV");
    assert!(file["locations"][0]["physicalLocation"].get("region").is_none(), "the file as a whole");
}

fn of<'w>(ways: &'w [NumberWays], number: &str) -> &'w NumberWays {
    ways.iter().find(|w| w.number == number).expect("the number is served")
}

#[test]
fn ways_to_a_person_are_counted_in_seconds_and_keys() {
    // Every recording lasts a second.
    let settings = Installation::good().load().settings.expect("it is good");
    let ways = ways(&settings);
    assert_eq!(ways.len(), 3);
    let support = of(&ways, "4009508888");
    let quickest = support.quickest.as_ref().expect("there is one");
    assert_eq!((quickest.seconds, quickest.steps.last().map(|s| &*s.step)), (0.0, Some("to-queue")));
    let shortest = support.shortest.as_ref().expect("there is one");
    // welcome 1.3, language 1, topic 1, and customer three: as long as an entry that is read out, with fewer keys.
    assert_eq!(
        (shortest.seconds, shortest.keys, &*shortest.path()),
        (6.3, 4, "welcome > language [1] > topic [1] > customer [invalid] > office [open] > to-queue")
    );
    let lab = of(&ways, "600");
    let lab_way = lab.quickest.as_ref().expect("there is one");
    // Early media are not interrupted; then it rings for three seconds.
    assert_eq!((lab_way.seconds, lab_way.keys, &*lab_way.path()), (5.0, 0, "early > ringing > alice"));
    assert_eq!(lab.longest.as_ref().map(|l| (l.way.seconds, l.exact)), Some((5.0, true)));
    let longest = support.longest.as_ref().expect("there is one");
    assert!(longest.exact && longest.way.seconds > 20.0);
    assert!(longest.way.path().contains("language [no-input]"), "{}", longest.way.path());
}
