//! Every form's example is read without a word, and readers ask for exactly the keys of the forms.
use super::*;
use crate::finding::{Findings, Source};
use crate::flow::{self, Files};
use crate::install::Install;
use crate::read::Document;
use crate::systems::{Announcement, Mailbox, Service, Trunk};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

thread_local! {
    pub(super) static ASKED: RefCell<BTreeMap<&'static str, BTreeSet<&'static str>>> = RefCell::default();
}

const MAIN_FILE: &str = r#"
[engine]
languages = { en = [] }
[pool.L1]
rank = 1
[queue.technical]
promise = { P0 = "5m", P1 = "15m", P2 = "30m", P3 = "60m" }
[hours.office]
zone = "Asia/Shanghai"
open = ["mon-fri 09:00-18:00"]
holidays = ["2026-10-01"]
"#;

const SUBFLOW: &str = r#"
[flow]
name = "ask-number"
sub = true
start = "known"
[param]
tries = 3
[var]
number = ""
[result]
number = "number"
[step.known]
return = "known"
[step.unknown]
return = "unknown"
"#;

const FLOW_START: &str = r#"
[flow]
name = "flow"
start = "go"
answer = "by-step"
anytime = { "*" = "bye" }
[var]
tries = 0
number = ""
topic = ""
wish = ""
score = 0
balance = { type = "number", start = 0, mask = true }
langs = { type = "list", of = "text", start = ["en"] }
customer = { type = "record", of = "customers" }
case = { type = "record", fields = { id = "", opened = { type = "time" } } }
[step.bye]
hangup = true
[step.person]
transfer = { agent = "alice" }
next = "bye"
on_no_answer = "bye"
on_busy = "bye"
on_unreachable = "bye"
[step.callback]
play = [{ say = "money", value = "{balance}", currency = "CNY" }, { silence = "1s" }, { tone = [440], for = "1s" }]
next = "bye"
[step.mapped]
http = { get = "https://crm.example/x", timeout = "1s" }
map = { topic = { path = "a.b[0]", default = "none" } }
next = "bye"
on_error = "bye"
[step.go]
"#;

/// Reads a flow beside the sub-flow; what was wrong.
fn read(main: &str, flow_text: &str) -> Vec<String> {
    let (findings, silent) = (Findings::default(), Findings::default());
    let source = |name: &str, text: &str| Source::new(Path::new(name), text.to_owned());
    let main = source("hotline.toml", main);
    let main_file = Document::parse(&main, &findings);
    let mut install = Install::read(main_file.table(&silent, &silent), Path::new("hotline.toml"), 0);
    systems(&mut install);
    let (own, sub) = (source("flow.toml", flow_text), source("ask-number.toml", SUBFLOW));
    let documents = [Document::parse(&own, &findings), Document::parse(&sub, &findings)];
    let files = Files {
        documents: BTreeMap::from([("flow", &documents[0]), ("ask-number", &documents[1])]),
        silent: &silent,
    };
    for name in ["flow", "ask-number"] {
        flow::read(&files, name, &install, &findings);
    }
    findings.sorted().iter().map(ToString::to_string).collect()
}

fn systems(install: &mut Install<'_>) {
    let systems = &mut install.systems;
    let text = |name: &str| ivr::Field { name: name.into(), kind: ivr::Type::Text, default: "".into() };
    let fields = ["name", "class", "manager", "phone"].map(text).to_vec();
    let directory =
        ivr::Directory { name: "customers".into(), country: "86".into(), fields, rows: BTreeMap::new() };
    systems.directories.insert("customers".into(), Some(Arc::new(directory)));
    systems.secrets.insert("crm".into());
    let service = Service {
        url: "https://crm.example".into(),
        timeout: Some(Duration::from_secs(2)),
        retries: 1,
        headers: vec![],
        answer_max: 1000,
    };
    systems.services.insert("crm".into(), Some(service));
    let announcement = Announcement { prompt: "outage".into(), title: String::new() };
    systems.announcements.insert("outage".into(), Some(announcement));
    systems.mailboxes.insert("support".into(), Some(Mailbox { greeting: None }));
    let question = ivr::SurveyQuestion { name: "speed".into(), sounds: vec![], weight: 100 };
    let plan = ivr::SurveyPlan {
        name: "service".into(),
        questions: vec![question],
        lowest: 1,
        highest: 5,
        low: 250,
    };
    systems.surveys.insert("service".into(), Some(Arc::new(plan)));
    let address = "192.0.2.1:5060".parse().expect("an address");
    systems.trunks.insert("carrier".into(), Some(Trunk { address, numbers: None }));
    systems.bots.insert("assistant".into());
}

/// All forms of flow files, those within others too.
fn all() -> Vec<&'static Form> {
    fn within(kind: &'static Kind, found: &mut Vec<&'static Form>) {
        match kind {
            Kind::Table(form) => add(form, found),
            Kind::Map(_, kind) | Kind::List(kind) => within(kind, found),
            Kind::Any(kinds) => kinds.iter().for_each(|k| within(k, found)),
            _ => {}
        }
    }
    fn add(form: &'static Form, found: &mut Vec<&'static Form>) {
        if !found.iter().any(|f| f.name == form.name) {
            found.push(form);
            form.fields.iter().for_each(|f| within(&f.kind, found));
        }
    }
    let mut found = vec![];
    let heads = [&FLOW, &SUBFLOW_HEAD, &DECLARED, &SOUND_SAY, &SOUND_SILENCE, &SOUND_TONE];
    heads.into_iter().chain(STEPS.iter().copied()).for_each(|f| add(f, &mut found));
    found
}

#[test]
fn examples_are_read_and_readers_ask_for_the_forms_keys() {
    ASKED.take();
    for form in STEPS {
        let example = match form.name {
            // Only in a sub-flow, where it was read.
            "return" => "hangup = true\n",
            _ => form.example,
        };
        let found = read(MAIN_FILE, &format!("{FLOW_START}{example}"));
        assert!(found.is_empty(), "{}: {}", form.name, found.join("\n"));
    }
    let asked = ASKED.take();
    for form in all() {
        let keys: BTreeSet<&str> = form.keys().collect();
        let none = BTreeSet::new();
        assert_eq!(asked.get(form.name).unwrap_or(&none), &keys, "keys of {}", form.name);
    }
}

#[test]
fn forms_hold_together() {
    for form in all() {
        let mut seen = BTreeSet::new();
        for field in form.fields {
            assert!(seen.insert(field.key), "{} has `{}` twice", form.name, field.key);
            let wanted = match field.kind {
                Kind::Duration(..) => field.default_duration().is_some(),
                Kind::Number(..) => field.default_number().is_some(),
                Kind::Flag => field.default_flag().is_some(),
                _ => true,
            };
            let has_default = matches!(field.need, Need::Default(_));
            assert!(!has_default || wanted, "{}: the default of `{}`", form.name, field.key);
        }
        let example: Result<toml::Table, _> = form.example.parse();
        let example = example.unwrap_or_else(|e| panic!("{}: {e}", form.name));
        for field in form.fields.iter().filter(|f| f.need == Need::Required) {
            assert!(example.contains_key(field.key), "{}: no `{}` in its example", form.name, field.key);
        }
    }
    for form in STEPS {
        assert_eq!(form.fields[0].key, form.name, "the keyword comes first");
    }
}

#[test]
fn readers_of_hotline_toml_ask_for_the_forms_keys() {
    ASKED.take();
    let mut text = String::new();
    for part in MAIN {
        let name = if part.named { ".x1" } else { "" };
        text.push_str(&format!("[{}{name}]\n{}\n", part.key, part.form.example));
    }
    let (findings, silent) = (Findings::default(), Findings::default());
    let source = Source::new(Path::new("hotline.toml"), text);
    let document = Document::parse(&source, &findings);
    Install::read(document.table(&findings, &silent), Path::new("config/hotline.toml"), 0);
    let unknown: Vec<_> = findings.sorted().into_iter().filter(|f| f.rule == "unknown-key").collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let asked = ASKED.take();
    let inner = [&PROMISE, &QUESTION, &RELOAD];
    let forms = MAIN.iter().filter_map(|p| table_form(p.key)).chain(inner);
    for form in forms {
        let keys: BTreeSet<&str> = form.keys().collect();
        let none = BTreeSet::new();
        assert_eq!(asked.get(form.name).unwrap_or(&none), &keys, "keys of {}", form.name);
    }
}
