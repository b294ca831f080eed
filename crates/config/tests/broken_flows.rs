//! Flows that use the whole language wrongly, each with the very words an operator gets: `tests/broken/<case>.txt`.
//! After a wanted change of words: `HOTLINE_BLESS=1 cargo test -p hotline-config --test broken_flows`, then read
//! the diff.
mod common;

use common::Installation;
use std::path::Path;

/// What a case has beside the good installation.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// At the end of hotline.toml.
    main: &'static str,
    /// At the end of [flow] of full.toml.
    head: &'static str,
    vars: &'static str,
    /// Where the call begins is `go`.
    steps: &'static str,
    /// flows/ask.toml.
    subflow: &'static str,
}

const NOTHING: Case = Case { name: "", main: "", head: "", vars: "", steps: "", subflow: "" };

const ASK: &str = r#"[flow]
name = "ask"
sub = true
start = "number"
[param]
tries = 2
[var]
number = ""
[result]
number = "number"
[step.number]
branch = [{ when = "tries > 2 and number == ''", to = "unknown" }]
otherwise = "keep"
[step.keep]
set = { number = "1" }
next = "known"
[step.known]
return = "known"
[step.unknown]
return = "unknown"
"#;

const CASES: &[Case] = &[
    Case {
        name: "subflow-misused",
        subflow: ASK,
        vars: "number = \"\"\ncount = 0\n",
        steps: r#"
[step.go]
subflow = "ask"
with = { trys = 3, tries = "many" }
into = { number = "numbr", count = "number" }
on = { known = "bye", unkown = "bye" }
"#,
        ..NOTHING
    },
    Case {
        name: "subflow-unknown",
        subflow: ASK,
        steps: "[step.go]\nsubflow = \"aks\"\non = { known = \"lab\" }\n[step.lab]\nsubflow = \"lab\"\non = { known = \"bye\" }\n",
        ..NOTHING
    },
    Case {
        name: "subflow-in-itself",
        subflow: "[flow]\nname = \"ask\"\nsub = true\nstart = \"again\"\nlanguage = \"en\"\n[step.again]\nsubflow = \"ask\"\non = { done = \"done\" }\n[step.done]\nreturn = \"done\"\n",
        steps: "[step.go]\nsubflow = \"ask\"\non = { done = \"bye\" }\n",
        ..NOTHING
    },
    Case {
        name: "subflows-in-a-circle",
        subflow: "[flow]\nname = \"ask\"\nsub = true\nstart = \"on\"\n[step.on]\nsubflow = \"ask2\"\non = { done = \"done\" }\n[step.done]\nreturn = \"done\"\n",
        steps: "[step.go]\nsubflow = \"ask\"\non = { done = \"bye\" }\n",
        ..NOTHING
    },
    Case {
        name: "subflow-before-an-answer",
        subflow: "[flow]\nname = \"ask\"\nsub = true\nstart = \"no\"\n[step.no]\nreject = 486\n",
        steps: "[step.go]\nsubflow = \"ask\"\n",
        ..NOTHING
    },
    Case {
        name: "subflow-with-mistakes",
        // Each is said once, though two steps lead there.
        subflow: "[flow]\nname = \"ask\"\nsub = true\nstart = \"play\"\n[step.play]\nplay = \"nobody-says-this\"\nnext = \"done\"\n[step.done]\nreturn = \"done\"\n[step.lost]\nreturn = \"done\"\n",
        steps: "[step.go]\nsubflow = \"ask\"\non = { done = \"more\" }\n[step.more]\nsubflow = \"ask\"\non = { done = \"bye\" }\n",
        ..NOTHING
    },
    Case {
        name: "subflow-of-nobody",
        subflow: ASK,
        steps: "[step.go]\nplay = \"sorry\"\nnext = \"bye\"\n",
        ..NOTHING
    },
    Case {
        name: "no-subflow",
        main: "[number.701]\nflow = \"ask\"\n",
        subflow: ASK,
        vars: "[param]\nx = 1\n[result]\ny = \"z\"\n",
        steps: "[step.go]\nreturn = \"done\"\n",
        ..NOTHING
    },
    Case {
        name: "http-without",
        steps: "[step.go]\nhttp = { get = \"https://crm.example/callers/{caller}\" }\nnext = \"bye\"\n",
        ..NOTHING
    },
    Case {
        name: "http-misshapen",
        main: "[service.crm]\nurl = \"https://crm.example\"\n",
        vars: "name = \"\"\ncustomer = { type = \"record\", fields = { name = \"\" } }\n",
        steps: r#"
[step.go]
http = { service = "crm", get = "callers", timeout = "2s", json = { a = 1 } }
next = "two"
on_error = "bye"
[step.two]
http = { put = "/x", timeout = "2 s" }
map = { name = "a..b", "customer.nam" = "n", customer = "c", language = "l" }
status = "name"
on_status = { 4xx = "bye", 999 = "bye" }
next = "three"
on_error = "bye"
[step.three]
http = { get = "https://{caller}/x", post = "https://x.example/" }
into = "name"
next = "bye"
on_error = "bye"
[step.four]
http = { get = "https://x.example/", timeout = "2s", headers = { Authorization = "Bearer {secret.crm}" } }
next = "bye"
on_error = "bye"
"#,
        ..NOTHING
    },
    Case {
        name: "badly-typed-variables",
        vars: "a = { type = \"string\" }\nb = { type = \"duration\", start = 5 }\nc = { type = \"record\" }\nd = { type = \"record\", of = \"nobody\" }\ne = [1, \"two\"]\nf = { type = \"time\", start = \"noon\" }\ng = { type = \"list\", of = \"record\" }\nh = { type = \"digits\", strt = \"\" }\n1st = 1\n",
        steps: "[step.go]\nhangup = true\n",
        ..NOTHING
    },
    Case {
        name: "unspeakable",
        vars: "when = { type = \"time\" }\nlate = false\nlength = { type = \"duration\" }\n",
        steps: r#"
[step.go]
play = [{ say = "money", value = "12.50" }, { say = "money", value = "{when}", currency = "CNY" }, { say = "money", value = 3, currency = "RMB" }]
next = "two"
[step.two]
play = [{ say = "date", value = "{length}" }, { say = "wait", value = "{late}" }, { say = "time", value = "25:00" }, { say = "digit", value = "1" }]
next = "three"
[step.three]
say = "digits"
value = "1"
currency = "CNY"
next = "bye"
"#,
        ..NOTHING
    },
    Case {
        name: "entry-elsewhere",
        vars: "number = { type = \"digits\" }\n",
        steps: r#"
[step.go]
collect = { min = 1, max = 4, check = "number == '12'" }
prompt = "enter-customer-number"
into = "number"
no_input = { then = "bye" }
invalid = { then = "bye" }
next = "two"
[step.two]
branch = [{ when = "luhn(entry)", to = "bye" }]
otherwise = "bye"
"#,
        ..NOTHING
    },
    Case {
        name: "back-to-nowhere",
        steps: "[step.go]\nplay = \"sorry\"\nnext = \"back\"\n[step.back]\nback = true\notherwise = \"bye\"\n",
        ..NOTHING
    },
    Case {
        name: "bad-anytime",
        head: "anytime = { E = \"bye\", 9 = \"by\" }\nzone = \"Asia/Shangai\"\n",
        steps: "[step.go]\nhangup = true\n",
        ..NOTHING
    },
    Case {
        name: "unknown-systems",
        vars: "customer = \"\"\n",
        steps: r#"
[step.go]
identify = "customers"
into = "customer"
found = "b"
unknown = "b"
[step.b]
notify = "crm"
event = "called"
next = "c"
[step.c]
voicemail = "support"
next = "d"
on_empty = "d"
on_full = "d"
[step.d]
survey = "service"
next = "e"
low = "e"
none = "e"
[step.e]
transfer = { number = "10086", trunk = "carrier" }
next = "f"
on_no_answer = "f"
on_busy = "f"
on_unreachable = "f"
[step.f]
bot = "assistant"
next = "g"
hand_over = "g"
on_error = "g"
[step.g]
announce = ["outage"]
next = "h"
none = "h"
[step.h]
callback = "technicl"
next = "bye"
on_invalid = "bye"
on_full = "bye"
"#,
        ..NOTHING
    },
    Case {
        name: "new-steps-dead-ends",
        main: "[announcement.outage]\nprompt = \"sorry\"\n[mailbox.support]\ngreeting = \"sorry\"\n",
        steps: r#"
[step.go]
announce = "all"
next = "b"
[step.b]
voicemail = "support"
min = "10s"
max = "5s"
next = "c"
[step.c]
consent = "recording"
prompt = "sorry"
yes = "1"
no = "1"
granted = "bye"
[step.d]
language = "{caller}"
next = "bye"
[step.e]
record = "maybe"
next = "bye"
"#,
        ..NOTHING
    },
    Case {
        name: "not-that-number",
        main: "[trunk.carrier]\naddress = \"udp:192.0.2.1:5060\"\nfrom = \"4009508888\"\nnumbers = \"1[3-9]xxxxxxxxx\"\n",
        steps: "[step.go]\ntransfer = { number = \"0081312345678\", trunk = \"carrier\" }\nnext = \"bye\"\non_no_answer = \"bye\"\non_busy = \"bye\"\non_unreachable = \"bye\"\n",
        ..NOTHING
    },
    Case {
        name: "odd-treatments",
        steps: r#"
[step.go]
queue = "technical"
timeout = "10m"
treatments = [{ every = "1s", play = "sorry" }, { after = "5s", play = [], when = "position" }]
keys = { 10 = "bye", 1 = "by" }
too_long = { wait = "0s" }
on_timeout = "bye"
on_full = "bye"
on_no_agents = "bye"
next = "bye"
"#,
        ..NOTHING
    },
    Case {
        name: "mixed-table",
        main: "[table.impact]\n\"all/core\" = \"P0\"\n\"some/core\" = 1\n[table.empty]\n",
        vars: "impact = \"\"\n",
        steps: "[step.go]\nset = { impact = \"{lookup('impcat', impact, '')}\" }\nnext = \"bye\"\n",
        ..NOTHING
    },
];

#[test]
fn every_case_says_what_an_operator_needs() {
    let bless = std::env::var_os("HOTLINE_BLESS").is_some();
    let mut wrong = vec![];
    for case in CASES {
        let installation = Installation::good();
        let main = installation.read("config/hotline.toml");
        installation
            .write("config/hotline.toml", format!("{main}\n[number.700]\nflow = \"full\"\n{}", case.main));
        let flow = format!(
            "[flow]\nname = \"full\"\nstart = \"go\"\nlanguage = \"en\"\n{}[var]\n{}\n{}\n[step.bye]\nhangup = true\n",
            case.head, case.vars, case.steps
        );
        installation.write("config/flows/full.toml", flow);
        if !case.subflow.is_empty() {
            installation.write("config/flows/ask.toml", case.subflow);
            if case.subflow.contains("ask2") {
                // Which leads back.
                let other =
                    case.subflow.replace("ask2", "ASK").replace("\"ask\"", "\"ask2\"").replace("ASK", "ask");
                installation.write("config/flows/ask2.toml", other);
            }
        }
        let (report, loaded) = (installation.report() + "\n", installation.load());
        assert_eq!(loaded.settings.is_none(), loaded.report().errors() > 0, "{}", case.name);
        assert!(!loaded.findings.is_empty(), "{}: nothing was found", case.name);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/broken/{}.txt", case.name));
        if bless {
            std::fs::write(&file, &report).expect("the sources are writable");
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if report != expected {
            wrong.push(format!("--- {}: expected\n{expected}--- got\n{report}", case.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
