//! Findings for code hosts and editors: SARIF 2.1.0 (OASIS, 2020).
use crate::Loaded;
use crate::finding::{Finding, Level};
use crate::rules::rules;
use serde_json::{Value, json};

impl Loaded {
    /// A log of one run, with every rule; what is allowed stands in it as suppressed, with the reason.
    pub fn sarif(&self) -> String {
        let rules = rules();
        let result = |finding: &Finding, reason: Option<&str>| {
            let mut result = json!({
                "ruleId": finding.rule,
                "level": level(finding.severity),
                "message": { "text": match &finding.help {
                    Some(help) => format!("{}\nhelp: {help}", finding.what),
                    None => finding.what.clone(),
                } },
                "locations": [{ "physicalLocation": place(finding) }],
            });
            if let Some(index) = rules.iter().position(|r| r.id == finding.rule) {
                result["ruleIndex"] = index.into();
            }
            // An empty list says that nothing is suppressed, where some results are.
            result["suppressions"] = match reason {
                Some(reason) => json!([{ "kind": "inSource", "justification": reason }]),
                None => json!([]),
            };
            result
        };
        let found = self.findings.iter().map(|f| result(f, None));
        let allowed = self.allowed.iter().map(|a| result(&a.finding, Some(&a.reason)));
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "hotline",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules.iter().map(|rule| json!({
                        "id": rule.id,
                        "shortDescription": { "text": rule.about },
                        "fullDescription": { "text": format!("{} {}", rule.about, rule.why) },
                        "defaultConfiguration": { "level": level(rule.level) },
                        "help": {
                            "text": format!("{}\n\nBroken:\n{}\n\nRepaired:\n{}", rule.why, rule.broken, rule.repaired),
                            "markdown": format!(
                                "{}\n\n```toml\n{}\n```\n\nRepaired:\n\n```toml\n{}\n```",
                                rule.why, rule.broken, rule.repaired
                            ),
                        },
                    })).collect::<Vec<_>>(),
                } },
                "columnKind": "unicodeCodePoints",
                "results": found.chain(allowed).collect::<Vec<_>>(),
            }],
        });
        serde_json::to_string_pretty(&log).expect("strings and numbers always serialize")
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

fn place(finding: &Finding) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(&finding.file) } });
    if finding.line > 0 {
        place["region"] = json!({ "startLine": finding.line, "startColumn": finding.column });
    }
    place
}

/// A path as a URI (RFC 3986): relative paths stay relative.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into())
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("config/flows/support.toml"), "config/flows/support.toml");
        assert_eq!(uri("/srv/hot line/中.toml"), "file:///srv/hot%20line/%E4%B8%AD.toml");
        assert_eq!(uri("a:b%.toml"), "a%3Ab%25.toml");
    }
}
