//! Warnings that somebody has looked at: `# allow(RULE): why`, behind what is warned of or on the line above.
use crate::finding::{Allowed, Finding, Level, Source, did_you_mean};
use crate::read::{Table, Value};
use crate::rules::{Rule, rule, rules};
use std::collections::BTreeSet;

/// One rule in a comment.
#[derive(Clone, Debug)]
pub(crate) struct Allow {
    file: String,
    /// Where the rule is named.
    line: u32,
    column: u32,
    rule: String,
    reason: String,
    /// The line whose findings are allowed.
    of: u32,
}

/// `[check]`: warnings that are errors here.
#[derive(Clone, Default, Debug)]
pub(crate) struct Policy {
    all: bool,
    denied: BTreeSet<&'static str>,
}

impl Policy {
    pub fn read(check: &Table<'_>) -> Policy {
        let mut policy = Policy::default();
        if let Some(value) = check.get("warnings")
            && let Some(text) = value.text()
        {
            policy.all = text == "error";
            if !["error", "warning"].contains(&text) {
                let what = format!("`warnings` cannot be \"{}\"", crate::shorten(text));
                value.error_help("unknown-name", what, "write \"error\" or \"warning\"".to_owned());
            }
        }
        for entry in check.get("deny").and_then(|v| v.list()).unwrap_or_default() {
            policy.denied.extend(named(&entry).map(|rule| rule.id));
        }
        policy
    }

    fn level(&self, finding: &Finding) -> Level {
        if self.all || self.denied.contains(finding.rule) { Level::Error } else { finding.severity }
    }
}

fn named(entry: &Value<'_>) -> Option<&'static Rule> {
    let name = entry.text()?;
    let found = rule(name);
    if found.is_none() {
        entry.error_help("unknown-rule", no_rule(name), near(name));
    }
    found
}

fn no_rule(name: &str) -> String {
    format!("no rule is called `{}`", crate::shorten(name))
}

fn near(name: &str) -> Option<String> {
    let near = did_you_mean(name, rules().iter().map(|r| r.id));
    near.or_else(|| Some("`hotline explain` lists the rules".into()))
}

/// What comments in a TOML file allow.
pub(crate) fn allows(source: &Source) -> Vec<Allow> {
    let mut allows = vec![];
    if !source.text.contains("allow(") {
        return allows;
    }
    let comments = comments(&source.text);
    let alone = |at: usize| {
        let line = source.text[..at].rfind('\n').map_or(0, |i| i + 1);
        source.text[line..at].trim().is_empty()
    };
    for (nth, (at, comment)) in comments.iter().enumerate() {
        let inner = comment.trim_start_matches('#').trim_start();
        let Some(list) = inner.strip_prefix("allow(") else { continue };
        let (list, reason) = list.split_once(')').unwrap_or((list, ""));
        let reason = reason.trim_start().strip_prefix(':').unwrap_or("").trim();
        let mut of = source.at(*at).line();
        if alone(*at) {
            // Of comments below one another the next line is meant that holds something.
            of += 1;
            for (at, _) in comments[nth + 1..].iter().take_while(|(at, _)| alone(*at)) {
                if source.at(*at).line() != of {
                    break;
                }
                of += 1;
            }
        }
        let mut from = at + (comment.len() - inner.len()) + "allow(".len();
        for name in list.split(',') {
            let place = source.at(from + (name.len() - name.trim_start().len()));
            from += name.len() + 1;
            let (line, column) = place.line_column();
            let (rule, reason) = (name.trim().to_owned(), reason.to_owned());
            allows.push(Allow { file: source.name.clone(), line, column, rule, reason, of });
        }
    }
    allows
}

/// The comments of a TOML text: where each begins, and all of it.
fn comments(text: &str) -> Vec<(usize, &str)> {
    let mut comments = vec![];
    let (bytes, mut i) = (text.as_bytes(), 0);
    // What ends the string that we are in.
    let mut end: Option<&str> = None;
    while i < bytes.len() {
        let rest = &bytes[i..];
        match end {
            Some(quote) if rest.starts_with(quote.as_bytes()) => {
                i += quote.len();
                // Of five quotes in a row two belong to the text.
                while quote.len() == 3 && bytes.get(i) == Some(&quote.as_bytes()[0]) {
                    i += 1;
                }
                end = None;
                continue;
            }
            Some(quote) if rest[0] == b'\\' && quote.starts_with('"') => i += 1,
            Some(quote) if rest[0] == b'\n' && quote.len() == 1 => end = None,
            Some(_) => {}
            None => {
                let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|q| rest.starts_with(q.as_bytes()));
                if let Some(quote) = quote {
                    end = Some(quote);
                    i += quote.len();
                    continue;
                }
                if rest[0] == b'#' {
                    let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                    comments.push((i, &text[i..i + length]));
                    i += length;
                    continue;
                }
            }
        }
        i += 1;
    }
    comments
}

/// Takes out what is allowed and raises what is denied; says what is wrong with the comments themselves.
pub(crate) fn settle(found: Vec<Finding>, allows: &[Allow], policy: &Policy) -> (Vec<Finding>, Vec<Allowed>) {
    let (mut kept, mut allowed) = (vec![], vec![]);
    let mut used = vec![false; allows.len()];
    let errors = found.iter().any(|f| f.severity == Level::Error);
    for finding in found {
        let by = allows.iter().position(|a| {
            a.of == finding.line && a.rule == finding.rule && a.file == finding.file && finding.line > 0
        });
        match by.map(|i| (i, &allows[i])) {
            Some((i, allow)) if finding.severity == Level::Warning && !allow.reason.is_empty() => {
                used[i] = true;
                allowed.push(Allowed { finding, reason: allow.reason.clone() });
            }
            Some((i, allow)) if finding.severity == Level::Error => {
                used[i] = true;
                kept.push(allow.of_error());
                kept.push(finding);
            }
            Some((i, _)) => {
                used[i] = true;
                kept.push(finding);
            }
            None => kept.push(finding),
        }
    }
    for (allow, used) in allows.iter().zip(used) {
        match rule(&allow.rule) {
            None => kept.push(allow.finding(
                Level::Error,
                "unknown-rule",
                no_rule(&allow.rule),
                near(&allow.rule),
            )),
            Some(_) if allow.reason.is_empty() => {
                let what = format!("`{}` is allowed without a reason", allow.rule);
                let help = format!("write why: `# allow({}): because ...`", allow.rule);
                kept.push(allow.finding(Level::Error, "allow-without-reason", what, Some(help)));
            }
            Some(rule) if !used && rule.level == Level::Error => kept.push(allow.of_error()),
            // An error elsewhere may have kept the warning from being looked for.
            Some(_) if !used && !errors => {
                let what = format!("nothing on line {} breaks the rule `{}`", allow.of, allow.rule);
                kept.push(allow.finding(
                    Level::Warning,
                    "unused-allow",
                    what,
                    Some("remove the comment".into()),
                ));
            }
            Some(_) => {}
        }
    }
    for finding in &mut kept {
        finding.severity = policy.level(finding);
    }
    (kept, allowed)
}

impl Allow {
    fn finding(&self, severity: Level, rule: &'static str, what: String, help: Option<String>) -> Finding {
        Finding { file: self.file.clone(), line: self.line, column: self.column, severity, rule, what, help }
    }

    fn of_error(&self) -> Finding {
        let what = format!("`{}` is an error: it cannot be allowed", self.rule);
        self.finding(Level::Error, "allow-of-error", what, Some("mend it, and remove the comment".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    fn found(text: &str) -> Vec<(u32, u32, String, String, u32)> {
        let source = Source::new(Path::new("f.toml"), text.to_owned());
        let allows = allows(&source).into_iter();
        allows.map(|a| (a.line, a.column, a.rule, a.reason, a.of)).collect()
    }

    fn row(line: u32, column: u32, rule: &str, reason: &str, of: u32) -> (u32, u32, String, String, u32) {
        (line, column, rule.into(), reason.into(), of)
    }

    #[test]
    fn comments_allow_on_their_line_or_the_next_that_holds_something() {
        for (text, wanted) in [
            ("a = 1 # allow(no-end): lab", vec![row(1, 15, "no-end", "lab", 1)]),
            ("# allow(no-end): lab\na = 1", vec![row(1, 9, "no-end", "lab", 2)]),
            (
                "  #allow( no-end ,never-set ) : x",
                vec![row(1, 11, "no-end", "x", 2), row(1, 19, "never-set", "x", 2)],
            ),
            (
                "# allow(a): x\n# so it is\n# allow(b): y\na = 1",
                vec![row(1, 9, "a", "x", 4), row(3, 9, "b", "y", 4)],
            ),
            ("# allow(a): x\n\na = 1 # b", vec![row(1, 9, "a", "x", 2)]),
            ("a = 1 # allow(a)\n# b", vec![row(1, 15, "a", "", 1)]),
            ("# allow(a", vec![row(1, 9, "a", "", 2)]),
            ("# see allow(a): x", vec![]),
            ("a = \"# allow(a): x\"", vec![]),
            ("a = '# allow(a): x' # allow(b): \"y\"", vec![row(1, 29, "b", "\"y\"", 1)]),
            ("a = \"\\\"# allow(a): x\"", vec![]),
            ("a = \"\"\"\n# allow(a): x\n\"\"\"\"\" # allow(b): y", vec![row(3, 15, "b", "y", 3)]),
            ("a = '''\n# allow(a): x\n''' # allow(b): 值", vec![row(3, 13, "b", "值", 3)]),
            ("值 = \"it's\" # allow(b): y", vec![row(1, 20, "b", "y", 1)]),
        ] {
            assert_eq!(found(text), wanted, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn comments_are_where_the_parser_leaves_them_out(parts in prop::collection::vec(prop::sample::select(vec![
            "a1 = 1", "b = \"x#y\"", "c = 'x\\'", "d = \"\"\"x\n#\"\"\"", "e = '''\n#'\n'''", "f = [1, # in\n 2]", "# alone", "",
        ]), 0..8)) {
            let mut text = String::new();
            let mut wanted = 0;
            for (i, part) in parts.iter().enumerate() {
                wanted += usize::from(part.contains("# "));
                text.push_str(&if part.contains('=') { format!("k{i}{part} # end\n") } else { format!("{part}\n") });
                wanted += usize::from(part.contains('='));
            }
            prop_assert_eq!(comments(&text).len(), wanted, "{}", text);
        }
    }
}
