//! What an installation declares beside its people and numbers: directories, services, mailboxes and the like.
//! Broken ones are held against `tests/broken/systems-<case>.txt`; after a wanted change of words:
//! `HOTLINE_BLESS=1 cargo test -p hotline-config --test systems`, then read the diff.
mod common;

use common::Installation;
use engine::{Mailbox, Secret};
use hotline_core::AgentId;
use ivr::{Act, Directory, HttpPart, HttpText, Type, Value};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const MAIN: &str = "config/hotline.toml";
const CUSTOMERS: &str = "config/customers.toml";
const CA: &str = "config/crm-ca.pem";

const SYSTEMS: &str = r#"
[number.601]
flow = "who"

[table.impact]
"all/core" = "P0"
"one/core" = "P2"

[secret]
crm = { env = "CRM_TOKEN" }
fax = { file = "secrets/bob" }

[service.crm]
url = "https://crm.example:8443/api/"
timeout = "2s"
retries = 1
headers = { Authorization = "Bearer {secret.crm}", X-From = "hotline" }
answer_max = "32 kB"
ca = "crm-ca.pem"

[service.events]
url = "http://127.0.0.1:9000/events"

[announcement.outage]
prompt = "closed"
title = "Outage of the east region"

[mailbox.support]
title = "Support after hours"
greeting = "sorry"
messages_max = 50
keep = "14d"
agents = ["bob", "alice"]
notify = "events"

[mailbox.sales]

[survey.service]
scale = [1, 5]
low = 2.5
notify = "events"
questions = [
  { name = "speed", ask = "no-input", weight = 30 },
  { name = "result", ask = ["sorry", "closed"], weight = 70 },
]

[trunk.carrier]
address = "udp:192.0.2.1:5060"
from = "4009508888"
numbers = "0[1-9].|1[3-9]xxxxxxxxx"
limit = 30

[bot.assistant]
title = "Assistant"

[directory.customers]
file = "customers.toml"
keys = ["phones", "number"]
country = "86"
fields = { name = "", class = "standard", number = "", since = { type = "time" }, langs = { type = "list", of = "text" } }
"#;

const ROWS: &str = r#"
[[customer]]
name = "Wang"
phones = ["+86 138 0013 8000", "010-8888 0000"]
number = "VIP 1"
class = "enterprise"
langs = ["cmn"]
since = "2026-01-01T09:00"
birthday = "not ours to know"

[[customer]]
name = "Li"
phones = "0086 13900139000"
number = "100002"
"#;

const WHO: &str = r#"
[flow]
name = "who"
start = "who"

[var]
customer = { type = "record", of = "customers" }

[step.who]
identify = "customers"
by = "{caller}"
into = "customer"
found = "class"
unknown = "bye"

[step.class]
branch = [{ when = "customer.class == 'enterprise' and lookup('impact', 'all/core', 'P3') == 'P0'", to = "bye" }]
otherwise = "bye"

[step.bye]
hangup = true
"#;

fn good() -> Installation {
    let installation = Installation::good();
    installation.write(MAIN, installation.read(MAIN) + SYSTEMS);
    installation.edit(MAIN, "music = \"music\"", "music = \"music\"\nzone = \"Asia/Shanghai\"");
    installation.write(CUSTOMERS, ROWS);
    installation.write(CA, "-----BEGIN CERTIFICATE-----\n");
    installation.write("config/flows/who.toml", WHO);
    installation
}

fn customers(installation: &Installation) -> Arc<Directory> {
    let settings = installation.load().settings.expect("no errors, so there are settings");
    let flow = &settings.numbers["601"].flow;
    let step = flow.find("who").expect("a step");
    let Act::Identify(identify) = &flow.step(step).act else { panic!("it identifies") };
    identify.directory.clone()
}

#[test]
fn become_settings() {
    let installation = good();
    assert_eq!(installation.report(), "0 errors, 0 warnings");
    let loaded = installation.load();
    assert!(loaded.files.iter().any(|f| f.ends_with(CUSTOMERS)), "a reload watches it");
    let settings = loaded.settings.expect("no errors, so there are settings");

    let crm = &settings.services["crm"];
    assert_eq!(crm.url, HttpText::plain("https://crm.example:8443/api"));
    let bearer = [HttpPart::Text("Bearer ".into()), HttpPart::Secret("crm".into())];
    assert_eq!(
        crm.headers,
        [("Authorization".into(), HttpText(bearer.into())), ("X-From".into(), HttpText::plain("hotline"))]
    );
    assert_eq!((crm.timeout, crm.retries, crm.answer_max), (Duration::from_secs(2), 1, 32_000));
    assert_eq!(crm.ca.as_deref(), Some(&*installation.root().join(CA)));
    let events = &settings.services["events"];
    assert_eq!((events.timeout, events.retries, events.answer_max), (Duration::from_secs(5), 0, 64_000));

    assert_eq!(settings.secrets["crm"].reveal(), "s3same");
    assert_eq!(settings.secrets["fax"], Secret::new("builder"), "the line's end is no part of it");
    assert!(!format!("{settings:?}").contains("s3same"));

    assert_eq!(settings.announcements["outage"].title, "Outage of the east region");
    let support = Mailbox {
        title: "Support after hours".into(),
        messages_max: 50,
        keep: Duration::from_secs(14 * 86400),
        agents: vec![AgentId(1), AgentId(0)],
        notify: Some("events".into()),
    };
    assert_eq!(settings.mailboxes["support"], support);
    assert_eq!(
        (settings.mailboxes["sales"].messages_max, &*settings.mailboxes["sales"].title),
        (100, "sales")
    );
    assert_eq!(settings.surveys["service"].notify.as_deref(), Some("events"));

    let carrier = &settings.trunks["carrier"];
    assert_eq!((carrier.address, carrier.limit), ("192.0.2.1:5060".parse().expect("an address"), Some(30)));
    let numbers = carrier.numbers.as_ref().expect("a pattern");
    assert!(numbers.matches("13800138000") && !numbers.matches("0085212345678"));
    assert_eq!(settings.numbers["601"].flow.zone, ivr::hours::zone("Asia/Shanghai").expect("a zone"));
}

#[test]
fn directories_find_callers_however_they_write_their_numbers() {
    let customers = customers(&good());
    assert_eq!(
        customers.fields.iter().map(|f| (&*f.name, f.kind)).collect::<Vec<_>>(),
        [
            ("name", Type::Text),
            ("class", Type::Text),
            ("number", Type::Text),
            ("since", Type::Time),
            ("langs", Type::List(ivr::Scalar::Text)),
        ]
    );
    assert_eq!((customers.rows.len(), &*customers.country), (5, "86"));
    for key in ["13800138000", "01088880000", "VIP 1"] {
        let row = &customers.rows[key];
        assert_eq!(row[..3], ["Wang".into(), "enterprise".into(), Value::from("VIP 1")], "{key}");
        // Nine o'clock in Shanghai.
        assert_eq!(row[3], Value::Time(1_767_229_200));
        assert_eq!(row[4], Value::List(["cmn".into()].into()));
    }
    for key in ["13900139000", "100002"] {
        let row = &customers.rows[key];
        assert_eq!(row[..3], ["Li".into(), "standard".into(), Value::from("100002")], "{key}");
    }
    for caller in ["+8613900139000", "008613900139000", "139 0013 9000"] {
        assert!(customers.rows.contains_key(&*ivr::plain_number(caller, &customers.country)), "{caller}");
    }
}

/// In a file, what stands there, what stands there instead.
type Edit = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const CASES: &[(&str, &[Edit])] = &[
    ("unknown-keys", &[(MAIN, "retries = 1", "retry = 1"), (MAIN, "scale = ", "scala = "), (MAIN, "messages_max = 50", "message_max = 50"), (MAIN, "numbers = ", "number = ")]),
    ("missing-keys", &[(MAIN, "url = \"http://127.0.0.1:9000/events\"\n", ""), (MAIN, "prompt = \"closed\"\n", ""), (MAIN, "from = \"4009508888\"\n", ""), (MAIN, "keys = [\"phones\", \"number\"]\n", ""), (MAIN, ", weight = 70", "")]),
    ("secret-in-clear", &[(MAIN, "Bearer {secret.crm}", "Bearer wonderland"), (MAIN, "http://127.0.0.1:9000", "http://admin:wonderland@127.0.0.1:9000"), (MAIN, "fax = { file = \"secrets/bob\" }", "fax = \"builder\"")]),
    ("header-in-clear", &[(MAIN, "X-From = \"hotline\"", "X-Api-Key = \"wonderland\"")]),
    ("secret-missing", &[(MAIN, "CRM_TOKEN", "CRM_TOKN"), (MAIN, "fax = { file = \"secrets/bob\" }", "fax = { file = \"secrets/rob\" }\nempty = {}")]),
    ("secret-of-two-lines", &[(MAIN, "CRM_TOKEN", "TWO_LINES")]),
    ("secret-unencrypted", &[(MAIN, "https://crm.example:8443", "http://crm.example:8443")]),
    ("unknown-secret", &[(MAIN, "{secret.crm}", "{secret.cmr}")]),
    ("bad-headers", &[(MAIN, "X-From = \"hotline\"", "\"X From\" = \"a\", X-Caller = \"{caller}\", X-Line = \"a\\r\\nb\"")]),
    ("bad-urls", &[(MAIN, "https://crm.example:8443/api/", "crm.example"), (MAIN, "http://127.0.0.1:9000/events", "http://127.0.0.1:9000/events?key={secret.crm}")]),
    ("bad-sizes", &[(MAIN, "32 kB", "32"), (MAIN, "retries = 1", "retries = 9"), (MAIN, "timeout = \"2s\"", "timeout = \"2 minutes\"")]),
    ("out-of-range", &[(MAIN, "32 kB", "32 MB"), (MAIN, "keep = \"14d\"", "keep = \"1h\""), (MAIN, "low = 2.5", "low = 5.01"), (MAIN, "limit = 30", "limit = 0")]),
    ("bad-ca", &[(CA, "BEGIN CERTIFICATE", "BEGIN PRIVATE KEY")]),
    ("no-ca", &[(MAIN, "crm-ca.pem", "crm.pem")]),
    ("unknown-names", &[(MAIN, "agents = [\"bob\", \"alice\"]", "agents = [\"bob\", \"alise\", \"bob\"]"), (MAIN, "keep = \"14d\"\nagents", "keep = \"14d\"\nnotfy = \"events\"\nagents"), (MAIN, "low = 2.5\nnotify = \"events\"", "low = 2.5\nnotify = \"event\"")]),
    ("unknown-prompts", &[(MAIN, "prompt = \"closed\"", "prompt = \"close\""), (MAIN, "greeting = \"sorry\"", "greeting = \"sory\""), (MAIN, "ask = [\"sorry\", \"closed\"]", "ask = [\"sorry\", \"rate-result\"]")]),
    ("bad-names", &[(MAIN, "[bot.assistant]", "[bot.\"the assistant\"]"), (MAIN, "fax = {", "\"f a x\" = {"), (MAIN, "{ name = \"speed\"", "{ name = \"the speed\"")]),
    ("bad-surveys", &[(MAIN, "weight = 70", "weight = 60"), (MAIN, "scale = [1, 5]", "scale = [5, 1]")]),
    ("survey-of-twins", &[(MAIN, "name = \"result\"", "name = \"speed\""), (MAIN, "low = 2.5", "low = 2.555")]),
    ("survey-without-questions", &[(MAIN, "[bot.assistant]", "[survey.none]\nscale = [0, 10]\nquestions = []\n[bot.assistant]")]),
    ("bad-trunks", &[(MAIN, "udp:192.0.2.1:5060", "udp:carrier.example:5060"), (MAIN, "from = \"4009508888\"", "from = \"main line\""), (MAIN, "0[1-9].|", "0[9-1].|")]),
    ("open-trunk", &[(MAIN, "numbers = \"0[1-9].|1[3-9]xxxxxxxxx\"\n", "")]),
    ("bad-directory", &[(MAIN, "country = \"86\"", "country = \"+86\""), (MAIN, "keys = [\"phones\", \"number\"]", "keys = []"), (MAIN, "since = { type = \"time\" }", "since = { type = \"tyme\" }, \"first name\" = \"\"")]),
    ("directory-without-file", &[(MAIN, "customers.toml", "clients.toml")]),
    ("directory-of-slips", &[(CUSTOMERS, "name = \"Li\"", "name = 42"), (CUSTOMERS, "langs = [\"cmn\"]", "langs = \"cmn\""), (CUSTOMERS, "2026-01-01T09:00", "January"), (CUSTOMERS, "number = \"100002\"", "number = 100002")]),
    ("directory-of-twins", &[(CUSTOMERS, "0086 13900139000", "138-0013-8000")]),
    ("unknown-columns", &[(MAIN, "\"phones\", \"number\"", "\"phone\", \"number\""), (MAIN, "\"\", class = \"standard\"", "\"\", klass = \"standard\""), ("config/flows/who.toml", "customer.class", "customer.klass")]),
    ("row-without-key", &[(CUSTOMERS, "phones = \"0086 13900139000\"\nnumber = \"100002\"\n", "")]),
    ("broken-directory", &[(CUSTOMERS, "number = \"100002\"", "number = ")]),
    ("bad-tables", &[(MAIN, "\"one/core\" = \"P2\"", "\"one/core\" = 2"), (MAIN, "zone = \"Asia/Shanghai\"\ncalls_max", "zone = \"Asia/Shangai\"\ncalls_max")]),
];

#[test]
fn every_broken_one_says_what_an_operator_needs() {
    let bless = std::env::var_os("HOTLINE_BLESS").is_some();
    let mut wrong = vec![];
    for (name, edits) in CASES {
        let installation = good();
        edits.iter().for_each(|(file, from, to)| installation.edit(file, from, to));
        let report = installation.report() + "\n";
        let loaded = installation.load();
        assert_eq!(loaded.settings.is_none(), loaded.report().errors() > 0, "{name}");
        assert!(!loaded.findings.is_empty(), "{name}: nothing was found");
        for secret in ["wonderland", "builder", "s3same", "13800138000", "138-0013"] {
            assert!(!report.contains(secret), "{name}: {secret} is shown");
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/broken/systems-{name}.txt"));
        if bless {
            std::fs::write(&file, &report).expect("the sources are writable");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if report != expected {
            wrong.push(format!("--- {name}: expected\n{expected}--- got\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
