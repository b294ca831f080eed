//! Broken installations, each with the very words an operator gets: `tests/broken/<case>.txt`, and
//! `tests/broken/one/<rule>.txt` where one rule is broken alone.
//! After a wanted change of words: `HOTLINE_BLESS=1 cargo test -p hotline-config --test broken`, then read the diff.
mod common;

use common::Installation;
use std::collections::BTreeSet;
use std::path::Path;

const MAIN: &str = "config/hotline.toml";
const AGENTS: &str = "config/agents.toml";
const SUPPORT: &str = "config/flows/support.toml";
const LAB: &str = "config/flows/lab.toml";

/// A change of the good installation: in a file, what stands there, what stands there instead.
type Edit = (&'static str, &'static str, &'static str);

/// A change that is more than another text.
type Special = (&'static str, fn(&Installation));

#[rustfmt::skip]
const CASES: &[(&str, &[Edit])] = &[
    // Syntax.
    ("syntax-errors", &[(SUPPORT, "play = \"closed\"", "play = \"closed"), (AGENTS, "[agent.bob]", "[agent.bob")]),
    ("two-agents-of-one-name", &[(AGENTS, "[agent.carol]", "[agent.alice]")]),
    // Keys, types and bounds.
    ("unknown-keys", &[(MAIN, "calls_max", "call_limit"), (AGENTS, "capacity", "capacty"), (MAIN, "[feature_codes]", "[feature_code]")]),
    ("wrong-types", &[(MAIN, "limit = 500", "limit = \"many\""), (MAIN, "codecs = [\"pcma\", \"pcmu\"]", "codecs = \"pcma\""), (LAB, "early = true", "early = \"yes\"")]),
    ("out-of-range", &[(MAIN, "limit = 500", "limit = 0"), (MAIN, "calls_max = 2000", "calls_max = -1"), (LAB, "tone = [1004]", "tone = [9000]"), (LAB, "reject = 486", "reject = 200"), (AGENTS, "capacity = 1", "capacity = 0")]),
    ("bad-durations", &[(MAIN, "call_max = \"4h\"", "call_max = \"4 hours\""), (MAIN, "ring = \"20s\"", "ring = 20"), (SUPPORT, "timeout = \"10m\"", "timeout = \"0s\"")]),
    ("bad-ports", &[(MAIN, "ports = \"10000-29999\"", "ports = \"10001-29999\"")]),
    ("few-ports", &[(MAIN, "ports = \"10000-29999\"", "ports = \"10000-10199\"")]),
    ("ephemeral-ports", &[(MAIN, "ports = \"10000-29999\"", "ports = \"20000-39999\"")]),
    ("every-address", &[(MAIN, "udp:127.0.0.1:5060", "udp:0.0.0.0:5060")]),
    ("bad-addresses", &[(MAIN, "udp:127.0.0.1:5060", "udp:localhost"), (MAIN, "sip.example.com:5060", "sip example")]),
    ("missing-keys", &[(MAIN, "languages = { cmn = [], yue = [\"cmn\"], en = [] }\n", ""), (SUPPORT, "start = \"welcome\"\n", ""), (AGENTS, "pool = \"L1\"\n", "")]),
    // Steps.
    ("dangling-steps", &[(SUPPORT, "to = \"bye\"", "to = \"by\""), (LAB, "start = \"early\"", "start = \"erly\""), (SUPPORT, "on_full = \"sorry\"", "on_full = \"voicemail\"")]),
    ("dangling-menu-key", &[(SUPPORT, "menu = { 1 = \"database\", 2 = \"storage\" }", "menu = { 1 = \"customer\", 2 = \"custommer\" }"), (SUPPORT, "into = \"topic\"\n", ""), (SUPPORT, "next = \"customer\"\n", "")]),
    ("unreachable-steps", &[(SUPPORT, "closed = \"closed\"", "closed = \"bye\"")]),
    ("dead-ends", &[(SUPPORT, "value = \"{customer}\"\nnext = \"office\"", "value = \"{customer}\""), (SUPPORT, "otherwise = \"topic\"\n", ""), (LAB, "on_busy = \"busy\"\n", "")]),
    ("menu-without-exits", &[(SUPPORT, "no_input = { after = \"5s\", then = \"again\" }\n", ""), (SUPPORT, "invalid = { then = \"again\" }\n", "")]),
    ("retry-without-then", &[(SUPPORT, "no_input = { after = \"5s\", then = \"again\" }", "no_input = { after = \"5s\" }")]),
    ("step-without-kind", &[(SUPPORT, "hangup = true", "hangpu = true")]),
    ("step-of-two-kinds", &[(SUPPORT, "play = \"closed\"", "play = \"closed\"\nhangup = true")]),
    ("endless-loop", &[(SUPPORT, "[step.enough]\nbranch = [{ when = \"tries > 2\", to = \"bye\" }]\notherwise = \"topic\"", "[step.enough]\nbranch = [{ when = \"tries > 2\", to = \"bye\" }]\notherwise = \"again\"")]),
    ("plays-for-ever", &[(SUPPORT, "play = \"closed\"\nnext = \"bye\"", "play = \"closed\"\nnext = \"closed\"")]),
    ("wrong-answer-mode", &[(LAB, "answer = \"by-step\"\n", "")]),
    ("too-late-for-ringing", &[(LAB, "early = true\n", "")]),
    ("bad-keys", &[(SUPPORT, "menu = { 1 = \"database\", 2 = \"storage\" }", "menu = { 1 = \"database\", 22 = \"storage\", E = \"x\" }"), (SUPPORT, "end = \"#\"", "end = \"##\"")]),
    ("impossible-bounds", &[(SUPPORT, "min = 6, max = 10", "min = 10, max = 6")]),
    ("impossible-pattern", &[(SUPPORT, "matches = \"x.\"", "matches = \"1xx|2xxx\"")]),
    ("zero-digits", &[(SUPPORT, "min = 6", "min = 0")]),
    // Variables.
    ("unknown-variables", &[(SUPPORT, "\"{tries + 1}\"", "\"{trys + 1}\""), (SUPPORT, "into = \"customer\"", "into = \"costumer\""), (MAIN, "vars = { class = \"enterprise\" }", "vars = { klass = \"enterprise\" }")]),
    ("never-set", &[(SUPPORT, "set = { tries = \"{tries + 1}\" }", "set = { topic = \"database\" }")]),
    ("type-errors", &[(SUPPORT, "when = \"tries > 2\"", "when = \"tries > 'two'\""), (SUPPORT, "set = { tries = \"{tries + 1}\" }", "set = { tries = \"many\" }"), (SUPPORT, "class = \"standard\"", "class = 1")]),
    ("read-only", &[(SUPPORT, "set = { tries = \"{tries + 1}\" }", "set = { tries = \"{tries + 1}\", caller = \"x\" }")]),
    // Prompts.
    ("unknown-prompt", &[(SUPPORT, "play = \"closed\"", "play = \"close\"")]),
    ("prompt-of-a-class", &[(MAIN, "class = \"enterprise\"", "class = \"platinum\"")]),
    ("unknown-language", &[(SUPPORT, "2 = \"yue\"", "2 = \"yeu\""), (SUPPORT, "language = \"cmn\"", "language = \"zh\"")]),
    // People.
    ("unknown-names", &[(SUPPORT, "queue = \"technical\"", "queue = \"techncal\""), (SUPPORT, "hours = \"business\"", "hours = \"busines\""), (LAB, "ring = \"alice\"", "ring = \"alise\""), (MAIN, "pools = [\"L1\", \"L2\"]", "pools = [\"L1\", \"L3\"]"), (MAIN, "flow = \"lab\"", "flow = \"lap\"")]),
    ("unknown-skills", &[(AGENTS, "\"lang.cmn\" = 5", "\"lang.cnm\" = 5"), (SUPPORT, "lang[language] >= 2", "lng[language] >= 2"), (MAIN, "order = \"longest-idle\"", "order = \"longest-idle\"\nrequire = \"lang.enn\"")]),
    ("bad-requirement", &[(MAIN, "order = \"longest-idle\"", "order = \"longest-idle\"\nrequire = \"lang.en >= \"")]),
    ("unsatisfiable", &[(SUPPORT, "lang[language] >= 2 and product[topic] >= 2", "lang[language] >= 4 and product[topic] >= 2")]),
    ("queue-of-nobody", &[(MAIN, "order = \"longest-idle\"", "order = \"longest-idle\"\nrequire = \"lang.en >= 9\"")]),
    ("promise-incomplete", &[(MAIN, "promise = { P0 = \"5m\", P1 = \"15m\", P2 = \"30m\", P3 = \"60m\" }", "promise = { P0 = \"5m\", P1 = \"15m\", P3 = \"60m\" }")]),
    ("agent-without-skills", &[(AGENTS, "skills = { \"lang.en\" = 5 }\n", "")]),
    ("secret-in-clear", &[(AGENTS, "secret = { env = \"HOTLINE_ALICE\" }", "secret = \"wonderland\""), (AGENTS, "secret = { file = \"secrets/bob\" }", "secret = { password = \"builder\" }")]),
    ("secret-missing", &[(AGENTS, "HOTLINE_ALICE", "HOTLINE_ALISE"), (AGENTS, "secrets/bob", "secrets/rob"), (AGENTS, "939e7578ed9e3c518a452acee763bce9", "939e7578")]),
    // Hours and numbers.
    ("bad-hours", &[(MAIN, "zone = \"Asia/Shanghai\"", "zone = \"Asia/Shangai\""), (MAIN, "mon-fri 09:00-18:00", "mon-fri 9-18"), (MAIN, "2026-10-02", "2026-02-30")]),
    ("odd-hours", &[(MAIN, "\"mon-fri 09:00-18:00\", \"sat 10:00-16:00\"", "\"mon-fri 09:00-12:00\", \"mon-fri 12:01-18:00\", \"fri 17:00-20:00\""), (MAIN, "holidays = [\"2026-10-01\", \"2026-10-02\"]", "holidays = [\"2025-10-01\"]")]),
    ("year-without-holidays", &[(MAIN, "holidays = [\"2026-10-01\", \"2026-10-02\"]\n", "")]),
    ("holiday-and-workday", &[(MAIN, "\"2026-10-10\"", "\"2026-10-10\", \"2026-10-02\"")]),
    ("always-open", &[(MAIN, "\"mon-fri 09:00-18:00\", \"sat 10:00-16:00\"", "\"daily 00:00-24:00\""), (MAIN, "holidays = [\"2026-10-01\", \"2026-10-02\"]\n", "")]),
    ("flow-without-number", &[(MAIN, "[number.600]\nflow = \"lab\"\n", "")]),
    ("flow-of-another-name", &[(LAB, "name = \"lab\"", "name = \"laboratory\"")]),
    ("late-person", &[(LAB, "for = \"2s\"", "for = \"90s\"")]),
];

/// One way to break each rule that no case above breaks by itself; the case is called after the rule.
enum Change {
    /// In a file: what stands there, what stands there instead.
    Edit(&'static str, &'static str, &'static str),
    /// At the end of a file.
    End(&'static str, &'static str),
    /// A file of its own.
    File(&'static str, &'static str),
    /// Callers who come when it is closed pass a step `x` on their way.
    Step(&'static str),
    /// More variables.
    Var(&'static str),
}
use Change::{Edit as Instead, End, File as Whole, Step, Var};

const CRM: Change = End(MAIN, "[service.crm]\nurl = \"https://crm.example\"\ntimeout = \"2s\"\n");
const CUSTOMERS: &str = "config/customers.toml";
const DIRECTORY: Change = End(
    MAIN,
    "[directory.customers]\nfile = \"customers.toml\"\nkeys = [\"phones\"]\nfields = { name = \"\" }\n",
);
const ASK: Change = Whole(
    "config/flows/ask.toml",
    "[flow]\nname = \"ask\"\nsub = true\nstart = \"go\"\n[step.go]\nplay = \"closed\"\nnext = \"done\"\n[step.done]\nreturn = \"done\"\n",
);

#[rustfmt::skip]
const RULES: &[(&str, &[Change])] = &[
    ("allow-of-error", &[Instead(SUPPORT, "on_full = \"sorry\"", "on_full = \"sorry\" # allow(dangling-step): comes later")]),
    ("allow-without-reason", &[Instead(SUPPORT, "tries = 0", "tries = 0 # allow(never-set)")]),
    ("unknown-rule", &[Instead(SUPPORT, "tries = 0", "# allow(never-sett, nothing): a number sets it\ntries = 0"), End(MAIN, "[check]\ndeny = [\"no-ends\"]\n")]),
    ("unused-allow", &[Instead(SUPPORT, "tries = 0", "# allow(never-set): a number sets it\ntries = 0")]),
    ("back-without-anytime", &[Step("back = true\notherwise = \"closed\"")]),
    ("bad-answer", &[Instead(SUPPORT, "language = \"cmn\"", "language = \"cmn\"\nanswer = \"later\"")]),
    ("bad-ca", &[CRM, End(MAIN, "ca = \"crm.pem\"\n")]),
    ("bad-directory", &[DIRECTORY, End(MAIN, "country = \"+86\"\n"), Whole(CUSTOMERS, "[[customer]]\nname = \"Li\"\nphones = [\"1001\"]\n")]),
    ("bad-fallback", &[Instead(MAIN, "yue = [\"cmn\"]", "yue = [\"yue\", \"cmn\"]")]),
    ("bad-header", &[CRM, End(MAIN, "headers = { \"X Key\" = \"1\" }\n")]),
    ("bad-name", &[Instead(MAIN, "\"product.storage\" = \"Storage\"", "\"product.storage\" = \"Storage\"\n\"product.tape drive\" = \"Tapes\"")]),
    ("bad-number", &[End(MAIN, "[number.\"400 950\"]\nflow = \"support\"\n")]),
    ("bad-path", &[CRM, Step("http = { service = \"crm\", get = \"/\" }\nmap = { class = \"data..class\" }\nnext = \"closed\"\non_error = \"closed\"")]),
    ("bad-pattern", &[Instead(SUPPORT, "matches = \"x.\"", "matches = \"1[3-9\"")]),
    ("bad-record", &[Step("record = \"stop\"\nnext = \"closed\"")]),
    ("bad-request", &[CRM, Step("http = { service = \"crm\" }\nnext = \"closed\"\non_error = \"closed\"")]),
    ("bad-secret", &[End(MAIN, "[secret]\ncrm = { file = \"secrets/two-lines\" }\n")]),
    ("bad-size", &[CRM, End(MAIN, "answer_max = \"64\"\n")]),
    ("bad-sound", &[Instead(SUPPORT, "play = \"closed\"", "play = { silnce = \"1s\" }")]),
    ("bad-status", &[CRM, Step("http = { service = \"crm\", get = \"/\" }\non_status = { 4004 = \"closed\" }\nnext = \"closed\"\non_error = \"closed\"")]),
    ("bad-survey", &[End(MAIN, "[survey.service]\nscale = [5, 1]\nlow = 2.5\nquestions = [{ name = \"speed\", ask = \"closed\", weight = 100 }]\n")]),
    ("bad-type", &[Var("since = { type = \"date\" }")]),
    ("bad-url", &[End(MAIN, "[service.crm]\nurl = \"crm.example\"\ntimeout = \"2s\"\n")]),
    ("bad-weights", &[End(MAIN, "[survey.service]\nscale = [1, 5]\nlow = 2.5\nquestions = [{ name = \"speed\", ask = \"closed\", weight = 30 }]\n")]),
    ("built-in-variable", &[Var("caller = \"\"")]),
    ("check-without-entry", &[Instead(SUPPORT, "matches = \"x.\"", "matches = \"x.\", check = \"tries < 3\"")]),
    ("duplicate-key", &[DIRECTORY, Whole(CUSTOMERS, "[[customer]]\nname = \"Li\"\nphones = [\"1001\"]\n[[customer]]\nname = \"Wu\"\nphones = [\"1002\", \"1001\"]\n")]),
    ("empty", &[Instead(LAB, "reason = \"Busy Here\"", "reason = \"\"")]),
    ("endless-subflow", &[Step("subflow = \"ask\"\non = { done = \"closed\" }"), Whole("config/flows/ask.toml", "[flow]\nname = \"ask\"\nsub = true\nstart = \"go\"\n[step.go]\nsubflow = \"ask\"\non = { done = \"done\" }\n[step.done]\nreturn = \"done\"\n")]),
    ("entry-outside-check", &[Step("set = { class = \"{entry}\" }\nnext = \"closed\"")]),
    ("http-without-fallback", &[CRM, Step("http = { service = \"crm\", get = \"/\" }\nnext = \"closed\"")]),
    ("http-without-timeout", &[Step("http = { get = \"https://crm.example/\" }\nnext = \"closed\"\non_error = \"closed\"")]),
    ("language-without-prompts", &[Instead(MAIN, "yue = [\"cmn\"]", "wuu = [], yue = [\"cmn\"]")]),
    ("limit-never-met", &[Instead(MAIN, "limit = 2000", "limit = 3000")]),
    ("mixed-table", &[End(MAIN, "[table.impact]\ncore = \"P0\"\nother = 3\n")]),
    ("no-announcements", &[Step("announce = \"all\"\nnext = \"closed\"\nnone = \"closed\"")]),
    ("not-a-subflow", &[Step("return = \"closed\"")]),
    ("number-not-allowed", &[End(MAIN, "[trunk.carrier]\naddress = \"udp:192.0.2.1:5060\"\nfrom = \"4009508888\"\nnumbers = \"1[3-9]xxxxxxxxx\"\n"), Step("transfer = { number = \"0085212345678\", trunk = \"carrier\" }\nnext = \"closed\"\non_no_answer = \"closed\"\non_busy = \"closed\"\non_unreachable = \"closed\"")]),
    ("open-trunk", &[End(MAIN, "[trunk.carrier]\naddress = \"udp:192.0.2.1:5060\"\nfrom = \"4009508888\"\n")]),
    ("port-conflict", &[Instead(MAIN, "udp:127.0.0.1:5060", "udp:127.0.0.1:15060")]),
    ("promise-order", &[Instead(MAIN, "P0 = \"5m\"", "P0 = \"20m\"")]),
    ("queue-without-timeout", &[Instead(SUPPORT, "timeout = \"10m\"\n", "")]),
    ("row-without-key", &[DIRECTORY, Whole(CUSTOMERS, "[[customer]]\nname = \"Li\"\nphones = [\"1001\"]\n[[customer]]\nname = \"Wu\"\n")]),
    ("secret-unencrypted", &[End(MAIN, "[secret]\ncrm = { env = \"HOTLINE_ALICE\" }\n[service.crm]\nurl = \"http://crm.example\"\ntimeout = \"2s\"\nheaders = { Authorization = \"Bearer {secret.crm}\" }\n")]),
    ("subflow-of-a-number", &[ASK, Step("subflow = \"ask\"\non = { done = \"closed\" }"), End(MAIN, "[number.700]\nflow = \"ask\"\n")]),
    ("too-deep", &[CRM, Step("http = { service = \"crm\", post = \"/\", json = { a = { a = { a = { a = { a = { a = { a = { a = { a = { a = 1 } } } } } } } } } } }\nnext = \"closed\"\non_error = \"closed\"")]),
    ("unknown-codec", &[Instead(MAIN, "codecs = [\"pcma\", \"pcmu\"]", "codecs = [\"pcma\", \"g729\"]")]),
    ("unknown-column", &[DIRECTORY, Whole(CUSTOMERS, "[[customer]]\nnmae = \"Li\"\nphones = [\"1001\"]\n")]),
    ("unknown-currency", &[Instead(SUPPORT, "say = \"digits\"", "say = \"money\"\ncurrency = \"BTC\"")]),
    ("unknown-field", &[CRM, Var("client = { type = \"record\", fields = { name = \"\" } }"), Step("http = { service = \"crm\", get = \"/\" }\nmap = { \"client.nmae\" = \"name\" }\nnext = \"closed\"\non_error = \"closed\"")]),
    ("unknown-name", &[End(MAIN, "[check]\nwarnings = \"errors\"\n")]),
    ("unknown-mailbox", &[Step("voicemail = \"suport\"\nnext = \"closed\"\non_empty = \"closed\"\non_full = \"closed\""), End(MAIN, "[mailbox.support]\ngreeting = \"closed\"\n")]),
    ("unknown-directory", &[Step("identify = \"custmers\"\nby = \"{caller}\"\ninto = \"topic\"\nfound = \"closed\"\nunknown = \"closed\"")]),
    ("unknown-announcement", &[End(MAIN, "[announcement.outage]\nprompt = \"closed\"\n"), Step("announce = \"outge\"\nnext = \"closed\"\nnone = \"closed\"")]),
    ("unknown-survey", &[Step("survey = \"servce\"\nnext = \"closed\"\nlow = \"closed\"\nnone = \"closed\"")]),
    ("unknown-trunk", &[Step("transfer = { number = \"10086\", trunk = \"carier\" }\nnext = \"closed\"\non_no_answer = \"closed\"\non_busy = \"closed\"\non_unreachable = \"closed\"")]),
    ("unknown-bot", &[Step("bot = \"assistnt\"\nnext = \"closed\"\nhand_over = \"closed\"\non_error = \"closed\"")]),
    ("unknown-subflow", &[Step("subflow = \"identfy\"\non = { known = \"closed\" }")]),
    ("unknown-order", &[Instead(MAIN, "order = \"longest-idle\"", "order = \"longest\"")]),
    ("unknown-result", &[ASK, Var("answer = \"\""), Step("subflow = \"ask\"\ninto = { answer = \"client\" }\non = { done = \"closed\" }")]),
    ("unknown-say", &[Instead(SUPPORT, "say = \"digits\"", "say = \"digit\"")]),
    ("unknown-secret", &[End(MAIN, "[secret]\ncrm = { env = \"HOTLINE_ALICE\" }\n"), CRM, End(MAIN, "headers = { Authorization = \"Bearer {secret.cmr}\" }\n")]),
    ("unknown-service", &[CRM, Step("notify = \"crn\"\nevent = \"closed\"\nnext = \"closed\"")]),
    ("unknown-severity", &[Instead(SUPPORT, "severity = \"{severity}\"", "severity = \"high\"")]),
    ("unused-exit", &[Step("menu = { 1 = \"closed\" }\nprompt = \"closed\"\nnext = \"closed\"\nno_input = { then = \"closed\" }\ninvalid = { then = \"closed\" }")]),
    ("unused-key", &[Instead(SUPPORT, "say = \"digits\"", "say = \"digits\"\ncurrency = \"CNY\"")]),
    ("unused-subflow", &[ASK]),
    ("unused-variable", &[Var("topik = \"\"")]),
];

fn change(installation: &Installation, change: &Change) {
    let append = |file: &str, text: &str| installation.write(file, installation.read(file) + text);
    match change {
        Instead(file, from, to) => installation.edit(file, from, to),
        End(file, text) => append(file, text),
        Whole(file, text) => installation.write(file, text),
        Step(text) => {
            installation.edit(SUPPORT, "closed = \"closed\"", "closed = \"x\"");
            append(SUPPORT, &format!("\n[step.x]\n{text}\n"));
        }
        Var(text) => installation.edit(SUPPORT, "tries = 0\n", &format!("tries = 0\n{text}\n")),
    }
}

/// The rules that a report names.
fn rules_of(report: &str) -> BTreeSet<&str> {
    fn rule(line: &str) -> Option<(&str, &str)> {
        line.split_once(": error[").or(line.split_once(": warning["))
    }
    report.lines().filter_map(|l| Some(rule(l)?.1.split_once(']')?.0)).collect()
}

#[test]
fn every_rule_is_broken_here_and_sixty_cases_break_one_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let files = [folder.join("one"), folder].map(|f| std::fs::read_dir(f).expect("the reports are here"));
    let files = files.into_iter().flatten().map(|f| f.expect("they can be listed").path());
    let texts = files.filter(|f| f.is_file());
    let reports: Vec<String> = texts.map(|f| std::fs::read_to_string(f).expect("they are texts")).collect();
    let alone = reports.iter().filter(|r| rules_of(r).len() == 1).count();
    assert!(alone >= 60, "{alone} cases break one rule");
    let broken: BTreeSet<&str> = reports.iter().flat_map(|r| rules_of(r)).collect();
    // A net under other rules, which nothing is known to fall into.
    let table: BTreeSet<&str> =
        hotline_config::rules().iter().map(|r| r.id).filter(|id| *id != "bad-subflow").collect();
    assert_eq!(table.difference(&broken).collect::<Vec<_>>(), Vec::<&&str>::new(), "never broken");
    assert_eq!(broken.difference(&table).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in the table");
}

#[test]
fn every_case_says_what_an_operator_needs() {
    let bless = std::env::var_os("HOTLINE_BLESS").is_some();
    let mut wrong = vec![];
    for (name, edits) in CASES {
        let installation = Installation::good();
        for (file, from, to) in *edits {
            if from != to {
                installation.edit(file, from, to);
            }
        }
        check(name, &installation, bless, &mut wrong);
    }
    for (rule, changes) in RULES {
        let installation = Installation::good();
        changes.iter().for_each(|c| change(&installation, c));
        check(&format!("one/{rule}"), &installation, bless, &mut wrong);
        let report = installation.report();
        if rules_of(&report) != BTreeSet::from([*rule]) {
            wrong.push(format!("--- {rule}: breaks {:?}\n{report}", rules_of(&report)));
        }
    }
    let special: [Special; 16] = [
        ("unknown-calendar", |i| {
            calendar(i, "DTSTART;VALUE=DATE:20261001");
            i.edit(
                MAIN,
                "[\"calendars/company.ics\"]",
                "[\"chian\", \"calendars/compny.ics\", \"calender\"]",
            );
        }),
        ("hours-without-year", |i| {
            calendar(i, "DTSTART;VALUE=DATE:20251001");
            i.edit(MAIN, "[\"calendars/company.ics\"]", "[\"china\", \"calendars/company.ics\", \"china\"]");
        }),
        ("bad-calendar", |i| {
            calendar(
                i,
                "DTSTART:2026-10-01\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:\n 20261003\nDTEND;VALUE=DATE:20261001",
            )
        }),
        ("unsupported-repeat", |i| calendar(i, "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYWEEKNO=20")),
        ("changed-occurrence", |i| {
            calendar(i, "DTSTART;VALUE=DATE:20261002\nRECURRENCE-ID;VALUE=DATE:20261001")
        }),
        ("calendar-of-oddities", |i| {
            let workday =
                "DTSTART;TZID=China Standard Time:20261001T090000\nDURATION:PT9H\nSUMMARY:国庆节（班）";
            let empty = "DTSTART;TZID=Asia/Shanghai:20261001T120000";
            calendar(
                i,
                &format!(
                    "DTSTART;VALUE=DATE:20261001\nEND:VEVENT\nBEGIN:VEVENT\n{workday}\nEND:VEVENT\nBEGIN:VEVENT\n{empty}"
                ),
            );
        }),
        ("no-calendar", |i| {
            calendar(i, "");
            i.write("config/calendars/company.ics", "PK\u{3}\u{4}");
        }),
        ("no-main-file", |i| i.remove(MAIN)),
        ("not-utf8", |i| i.write(LAB, b"[flow]\nname = \"\xff\"\n")),
        ("missing-recordings", |i| {
            i.remove("prompts/en/closed.wav");
            i.remove("prompts/en/digit-3.wav");
            i.remove("prompts/cmn/digit-3.wav");
        }),
        ("no-wav", |i| i.write("prompts/en/closed.wav", "MP3")),
        ("clipped-and-silent", |i| {
            i.wav("prompts/en/closed.wav", 8000, 16, |n| if n % 2 == 0 { 1.0 } else { -1.0 });
            i.wav("prompts/en/sorry.wav", 8000, 16, |_| 0.0);
        }),
        ("language-falls-back", |i| i.remove("prompts/yue/sorry.wav")),
        ("no-number", |i| {
            let text = i.read(MAIN);
            let (from, to) = (text.find("[number.").expect("numbers"), text.find("[pool.").expect("pools"));
            i.write(MAIN, format!("{}{}", &text[..from], &text[to..]));
            i.remove(SUPPORT);
            i.remove(LAB);
        }),
        ("too-many", |i| {
            let steps: String = (0..1000).map(|n| format!("[step.more-{n}]\nhangup = true\n")).collect();
            i.write(LAB, i.read(LAB) + &steps);
        }),
        ("too-long", |i| {
            change(i, &DIRECTORY);
            i.write(
                CUSTOMERS,
                format!("[[customer]]\nname = \"{}\"\nphones = [\"1001\"]\n", "x".repeat(5000)),
            );
        }),
    ];
    for (name, change) in special {
        let installation = Installation::good();
        change(&installation);
        check(name, &installation, bless, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_exit_status_says_how_bad_it_is() {
    let installation = Installation::good();
    assert_eq!(installation.load().report().exit_status(), 0);
    installation.remove("prompts/yue/sorry.wav");
    assert_eq!(installation.load().report().exit_status(), 0, "a warning is no error");
    installation.edit(SUPPORT, "on_full = \"sorry\"", "on_full = \"sory\"");
    let loaded = installation.load();
    assert_eq!(loaded.report().exit_status(), 1);
    let json: serde_json::Value = serde_json::from_str(&loaded.report().json()).expect("it is JSON");
    assert_eq!((&json["errors"], &json["warnings"]), (&1.into(), &1.into()));
    let finding = &json["findings"][0];
    assert_eq!((&finding["line"], &finding["column"]), (&68.into(), &11.into()));
    assert_eq!((&finding["rule"], &finding["severity"]), (&"dangling-step".into(), &"error".into()));
    assert_eq!(finding["help"], "did you mean `sorry`?");
    installation.remove(AGENTS);
    assert_eq!(installation.load().report().exit_status(), 2);
}

/// The hours follow a calendar file with this event, which begins on line 3.
fn calendar(installation: &Installation, event: &str) {
    let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n");
    std::fs::create_dir_all(installation.root().join("config/calendars")).expect("the folder is writable");
    installation.write("config/calendars/company.ics", text);
    installation.edit(MAIN, "workdays = [\"2026-10-10\"]", "calendars = [\"calendars/company.ics\"]");
}

fn check(name: &str, installation: &Installation, bless: bool, wrong: &mut Vec<String>) {
    let report = installation.report() + "\n";
    let loaded = installation.load();
    assert_eq!(
        loaded.settings.is_none(),
        loaded.report().errors() > 0,
        "{name}: settings only without errors"
    );
    assert!(!loaded.findings.is_empty(), "{name}: nothing was found");
    assert!(!report.contains("wonderland") && !report.contains("builder"), "{name}: a password is shown");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/broken/{name}.txt"));
    if bless {
        std::fs::write(&file, &report).expect("the sources are writable");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if report != expected {
        wrong.push(format!("--- {name}: expected\n{expected}--- got\n{report}"));
    }
}
