//! Random installations in the whole language of flows, drawn so that most of them are right.

use hotline_core::Rng;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Every kind of step that is drawn, as `Step::kind` calls it.
pub const KINDS: [&str; 24] = [
    "play",
    "menu",
    "collect",
    "set",
    "branch",
    "hours",
    "announce",
    "language",
    "identify",
    "http",
    "notify",
    "consent",
    "record",
    "voicemail",
    "callback",
    "survey",
    "bot",
    "queue",
    "ring",
    "back",
    "subflow",
    "return",
    "echo",
    "hangup",
];

const MAIN: &str = r#"
[engine]
languages = { en = [] }
calls_max = 100
zone = "Asia/Shanghai"
music = "one"
[media]
ports = "10000-10999"
[number.100]
flow = "main"
vars = { topic = "sales" }
[pool.L1]
rank = 1
[pool.L2]
rank = 2
[skill]
"lang.en" = "English"
"topic.sales" = "Sales"
"topic.help" = "Help"
[queue.sales]
promise = { P0 = "5m", P1 = "15m", P2 = "30m", P3 = "60m" }
[queue.help]
promise = { P0 = "5m", P1 = "15m", P2 = "30m", P3 = "60m" }
require = "topic.help >= 1"
[hours.office]
zone = "Asia/Shanghai"
open = ["mon-fri 09:00-18:00"]
calendars = ["china"]
[table.impact]
"all" = "P0"
"some" = "P1"
[directory.customers]
file = "customers.toml"
keys = ["phones", "number"]
country = "86"
fields = { name = "", class = "standard", number = "", cases = 0 }
[secret]
crm = { env = "PATH" }
[service.crm]
url = "https://crm.example/api"
timeout = "2s"
retries = 1
headers = { Authorization = "Bearer {secret.crm}" }
[announcement.outage]
prompt = "one"
title = "Outage"
[announcement.storm]
prompt = "two"
title = "Storm"
[mailbox.box]
title = "Box"
greeting = "three"
[survey.service]
scale = [1, 5]
low = 2.5
questions = [
    { name = "speed", ask = "one", weight = 30 },
    { name = "resolution", ask = "two", weight = 40 },
    { name = "attitude", ask = "three", weight = 20 },
    { name = "expertise", ask = "four", weight = 10 },
]
[trunk.carrier]
address = "udp:192.0.2.1:5060"
from = "100"
numbers = "0.|1[3-9]xxxxxxxxx"
[bot.helper]
title = "Helper"
"#;

const AGENTS: &str = r#"
[agent.alice]
pool = "L1"
skills = { "lang.en" = 5, "topic.sales" = 2, "topic.help" = 2 }
secret = { ha1_md5 = "0123456789abcdef0123456789abcdef" }
[agent.bob]
pool = "L2"
skills = { "lang.en" = 3, "topic.sales" = 3, "topic.help" = 3 }
secret = { ha1_md5 = "0123456789abcdef0123456789abcdee" }
"#;

const CUSTOMERS: &str = r#"
[[customer]]
name = "Ada"
class = "gold"
number = "123456"
phones = ["13800138000"]
cases = 3
[[customer]]
name = "Bob"
number = "654321"
phones = ["+86 21 1234 5678"]
"#;

/// Variables of every flow, with what may be assigned to each.
const VARS: &str = r#"
[var]
topic = "sales"
tries = 0
vip = false
code = { type = "digits", start = "" }
pin = { type = "digits", start = "", mask = true }
since = { type = "time" }
pause = { type = "duration", start = "5m" }
langs = ["en"]
score = 0
customer = { type = "record", of = "customers" }
answer = { type = "record", fields = { name = "", open = 0, level = "low", ok = false } }
"#;

/// Expressions of each type.
const TEXTS: [&str; 12] = [
    "topic",
    "caller",
    "customer.name",
    "customer.class",
    "upper(topic)",
    "left(caller, 3)",
    "date(now)",
    "lookup('impact', topic, 'P3')",
    "if(vip, 'a', 'b')",
    "text(tries)",
    "coalesce(answer.name, 'nobody')",
    "join(langs, ', ')",
];
const NUMBERS: [&str; 10] = [
    "tries",
    "tries + 1",
    "customer.cases",
    "len(topic)",
    "min(tries, 3)",
    "div(tries, 2, 0)",
    "hour(now)",
    "number(caller, 0)",
    "in_minutes(pause)",
    "size(langs)",
];
const TRUTHS: [&str; 14] = [
    "vip",
    "tries > 2",
    "topic == 'sales'",
    "customer.class in ['gold', 'silver']",
    "is_open('office')",
    "is_holiday('office')",
    "not vip",
    "tries >= 1 and vip",
    "starts_with(caller, '138')",
    "luhn(caller)",
    "pause > minutes(3)",
    "now > since",
    "topic in langs",
    "answer.ok or weekday(now) == 1",
];

/// One folder, whose flow is written anew for each seed.
pub struct House {
    folder: tempfile::TempDir,
}

impl House {
    pub fn new() -> House {
        let house = House { folder: tempfile::tempdir().expect("a folder for the test") };
        let write = |path: &str, text: &str| {
            let path = house.root().join(path);
            std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write("config/hotline.toml", MAIN);
        write("config/agents.toml", AGENTS);
        write("config/customers.toml", CUSTOMERS);
        write("config/flows/main.toml", "");
        let fragments = ivr::say::fragments("en").into_iter().map(|(name, _)| name);
        let folder = house.root().join("prompts/en");
        std::fs::create_dir_all(&folder).expect("a folder");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        for name in fragments.chain(["one", "two", "three", "four"]) {
            let mut wav =
                hound::WavWriter::create(folder.join(format!("{name}.wav")), spec).expect("a WAV file");
            for i in 0..2400_i32 {
                wav.write_sample::<i16>(if i / 5 % 2 == 0 { 9000 } else { -9000 }).expect("room on the disk");
            }
            wav.finalize().expect("room on the disk");
        }
        house
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn main(&self) -> PathBuf {
        self.root().join("config/hotline.toml")
    }

    pub fn flow(&self) -> PathBuf {
        self.root().join("config/flows/main.toml")
    }

    pub fn write(&self, seed: u64) {
        let mut rng = Rng::from_u64(seed);
        std::fs::write(self.root().join("config/flows/sub.toml"), sub(&mut rng)).expect("room on the disk");
        std::fs::write(self.flow(), main(&mut rng)).expect("room on the disk");
    }
}

fn one<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.below(of.len() as u64) as usize]
}

/// A flow under way: its text so far and where exits may lead.
struct Draw<'r> {
    rng: &'r mut Rng,
    text: String,
    count: u64,
    at: u64,
    sub: bool,
}

impl Draw<'_> {
    /// A step further on, so that every way comes to an end; the last one hangs up or returns.
    fn on(&mut self) -> String {
        let from = self.at + 1;
        format!("s{}", from + self.rng.below((self.count - from).clamp(1, 6)))
    }

    /// The very next step: nothing is unreachable.
    fn next(&self) -> String {
        format!("s{}", self.at + 1)
    }

    fn sound(&mut self) -> String {
        let number = one(self.rng, &NUMBERS).to_owned();
        match self.rng.below(11) {
            0 => format!("{{ say = \"number\", value = \"{{{number}}}\" }}"),
            1 => "{ say = \"digits\", value = \"{caller}\" }".into(),
            2 => "{ say = \"date\", value = \"{now}\" }".into(),
            3 => "{ say = \"time\", value = \"{now}\" }".into(),
            4 => "{ say = \"duration\", value = \"{pause}\" }".into(),
            5 => "{ silence = \"200ms\" }".into(),
            6 => "{ tone = [440], for = \"300ms\" }".into(),
            7 => "{ say = \"digits\", value = \"{pin}\" }".into(),
            _ => format!("\"{}\"", one(self.rng, &["one", "two", "three", "four"])),
        }
    }

    fn sounds(&mut self) -> String {
        let count = 1 + self.rng.below(3);
        let list: Vec<String> = (0..count).map(|_| self.sound()).collect();
        format!("[{}]", list.join(", "))
    }

    fn retry(&mut self) -> String {
        let (a, b) = (self.on(), self.on());
        let tries = 1 + self.rng.below(3);
        format!(
            "no_input = {{ after = \"3s\", tries = {tries}, prompt = \"two\", then = \"{a}\" }}\n\
             invalid = {{ tries = {tries}, prompt = \"three\", then = \"{b}\" }}\n"
        )
    }

    fn template(&mut self) -> String {
        match self.rng.below(3) {
            0 => "plain".into(),
            1 => format!("{{{}}}", one(self.rng, &TEXTS)),
            _ => format!("a {{{}}} b {{{}}}", one(self.rng, &TEXTS), one(self.rng, &NUMBERS)),
        }
    }

    fn step(&mut self) {
        let _ = writeln!(self.text, "\n[step.s{}]", self.at);
        let next = self.next();
        let step = match self.rng.below(if self.sub { 12 } else { 23 }) {
            0 => {
                let sounds = self.sounds();
                let barge = self.rng.chance(0.7);
                format!("play = {sounds}\nbarge_in = {barge}\nnext = \"{next}\"\n")
            }
            1 => {
                let (sounds, retry, b) = (self.sounds(), self.retry(), self.on());
                format!(
                    "menu = {{ 1 = \"{next}\", 2 = \"{b}\", \"#\" = \"{next}\" }}\nprompt = {sounds}\n{retry}"
                )
            }
            2 => {
                let (sounds, retry) = (self.sounds(), self.retry());
                format!(
                    "menu = {{ 1 = \"sales\", 2 = \"help\" }}\ninto = \"topic\"\nprompt = {sounds}\n{retry}next = \"{next}\"\n"
                )
            }
            3 => {
                let (sounds, retry) = (self.sounds(), self.retry());
                let into = one(self.rng, &["code", "pin", "topic"]);
                let mask = into == "pin" || self.rng.chance(0.3);
                let check = if self.rng.chance(0.5) { ", check = \"luhn(entry)\"" } else { "" };
                format!(
                    "collect = {{ min = 2, max = 6, end = \"#\", mask = {mask}{check} }}\nprompt = {sounds}\ninto = \"{into}\"\n{retry}next = \"{next}\"\n"
                )
            }
            4 => {
                let (text, number, truth) =
                    (one(self.rng, &TEXTS), one(self.rng, &NUMBERS), one(self.rng, &TRUTHS));
                let more = one(
                    self.rng,
                    &[
                        "since = \"{now}\"",
                        "pause = \"{pause + seconds(tries)}\"",
                        "code = \"{digits(caller)}\"",
                        "severity = \"P1\"",
                    ],
                );
                format!(
                    "set = {{ topic = \"{{{text}}}\", tries = \"{{{number}}}\", vip = \"{{{truth}}}\", {more} }}\nnext = \"{next}\"\n"
                )
            }
            5 => {
                let (a, b) = (self.on(), self.on());
                let (x, y) = (one(self.rng, &TRUTHS), one(self.rng, &TRUTHS));
                format!(
                    "branch = [{{ when = \"{x}\", to = \"{a}\" }}, {{ when = \"{y}\", to = \"{b}\" }}]\notherwise = \"{next}\"\n"
                )
            }
            6 => {
                let closed = self.on();
                format!("hours = \"office\"\nopen = \"{next}\"\nclosed = \"{closed}\"\n")
            }
            7 => {
                let unknown = self.on();
                format!(
                    "identify = \"customers\"\nby = \"{{caller}}\"\ninto = \"customer\"\nfound = \"{next}\"\nunknown = \"{unknown}\"\n"
                )
            }
            8 => {
                let (none, what) =
                    (self.on(), one(self.rng, &["\"outage\"", "[\"outage\", \"storm\"]", "\"all\""]));
                format!("announce = {what}\nnext = \"{next}\"\nnone = \"{none}\"\n")
            }
            9 => {
                let (text, error, later) = (self.template(), self.on(), self.on());
                let take = if self.rng.chance(0.5) {
                    "into = \"answer\""
                } else {
                    "map = { topic = \"data.name\", \"answer.open\" = { path = \"data[0].open\", default = 0 } }"
                };
                let ask = if self.rng.chance(0.6) {
                    format!("get = \"/customers/{{caller}}\", query = {{ q = \"{text}\" }}")
                } else {
                    format!(
                        "post = \"/x\", json = {{ name = \"{text}\", n = \"{{tries}}\", list = [1, \"{{vip}}\"] }}"
                    )
                };
                format!(
                    "http = {{ service = \"crm\", {ask}, timeout = \"1s\" }}\n{take}\nstatus = \"tries\"\non_status = {{ 404 = \"{later}\", 5xx = \"{error}\" }}\nnext = \"{next}\"\non_error = \"{error}\"\n"
                )
            }
            10 => {
                let text = self.template();
                format!(
                    "notify = \"crm\"\nevent = \"seen\"\nwith = {{ topic = \"{text}\", pin = \"{{pin}}\" }}\nnext = \"{next}\"\n"
                )
            }
            11 => {
                let (unknown, to) = (self.on(), one(self.rng, &["en", "{topic}", "{customer.class}"]));
                format!("language = \"{to}\"\nnext = \"{next}\"\nunknown = \"{unknown}\"\n")
            }
            12 => {
                let (retry, refused, sounds) = (self.retry(), self.on(), self.sounds());
                format!(
                    "consent = \"recording\"\nprompt = {sounds}\nyes = \"1\"\nno = \"2\"\n{retry}granted = \"{next}\"\nrefused = \"{refused}\"\n"
                )
            }
            13 => {
                let what = one(self.rng, &["on", "off", "pause", "resume"]);
                format!("record = \"{what}\"\nnext = \"{next}\"\n")
            }
            14 => {
                let (empty, full) = (self.on(), self.on());
                format!(
                    "voicemail = \"box\"\nmax = \"1m\"\nend = \"#\"\nnext = \"{next}\"\non_empty = \"{empty}\"\non_full = \"{full}\"\n"
                )
            }
            15 => {
                let (invalid, full) = (self.on(), self.on());
                format!(
                    "callback = \"sales\"\nnumber = \"{{caller}}\"\nrequire = \"lang[language] >= 1\"\nseverity = \"{{severity}}\"\nnext = \"{next}\"\non_invalid = \"{invalid}\"\non_full = \"{full}\"\n"
                )
            }
            16 => {
                let (low, none) = (self.on(), self.on());
                format!(
                    "survey = \"service\"\ninto = \"score\"\ntries = 2\nagain = \"two\"\nnext = \"{next}\"\nlow = \"{low}\"\nnone = \"{none}\"\n"
                )
            }
            17 => {
                let (hand_over, error) = (self.on(), self.on());
                format!(
                    "bot = \"helper\"\nwith = {{ name = \"{{customer.name}}\" }}\ntimeout = \"2m\"\ninto = {{ topic = \"topic\" }}\nnext = \"{next}\"\nhand_over = \"{hand_over}\"\non_error = \"{error}\"\n"
                )
            }
            18 | 19 => {
                let (timeout, full, none, key, long) =
                    (self.on(), self.on(), self.on(), self.on(), self.on());
                let (sounds, again) = (self.sounds(), self.sounds());
                let queue = one(self.rng, &["sales", "help"]);
                format!(
                    "queue = \"{queue}\"\nrequire = \"lang[language] >= 1\"\nseverity = \"{{severity}}\"\ntimeout = \"5m\"\n\
                     treatments = [{{ after = \"10s\", play = {sounds}, when = \"wait > minutes(0)\" }}, {{ after = \"20s\", every = \"30s\", play = [\"one\", {{ say = \"position\", value = \"{{position}}\" }}] }}, {{ after = \"40s\", play = {again} }}]\n\
                     keys = {{ 1 = \"{key}\" }}\ntoo_long = {{ wait = \"30m\", then = \"{long}\" }}\n\
                     on_timeout = \"{timeout}\"\non_full = \"{full}\"\non_no_agents = \"{none}\"\nnext = \"{next}\"\n"
                )
            }
            20 => {
                let (a, b, c) = (self.on(), self.on(), self.on());
                let to = one(
                    self.rng,
                    &[
                        "\"alice\"",
                        "{ agent = \"bob\" }",
                        "{ number = \"{customer.number}\", trunk = \"carrier\" }",
                    ],
                );
                format!(
                    "transfer = {to}\ntimeout = \"20s\"\nnext = \"{next}\"\non_no_answer = \"{a}\"\non_busy = \"{b}\"\non_unreachable = \"{c}\"\n"
                )
            }
            21 => {
                let other = self.on();
                format!(
                    "subflow = \"sub\"\nwith = {{ key = \"{{caller}}\" }}\ninto = {{ topic = \"found\" }}\non = {{ known = \"{next}\", unknown = \"{other}\" }}\n"
                )
            }
            _ => format!("echo = \"5s\"\nnext = \"{next}\"\n"),
        };
        self.text.push_str(&step);
        self.at += 1;
    }
}

fn main(rng: &mut Rng) -> String {
    let count = 8 + rng.below(30);
    let answer = if rng.chance(0.2) { "by-step" } else { "at-once" };
    let mut draw = Draw { rng, text: String::new(), count, at: 0, sub: false };
    let _ = write!(
        draw.text,
        "[flow]\nname = \"main\"\nstart = \"s0\"\nlanguage = \"en\"\nanswer = \"{answer}\"\nanytime = {{ \"*\" = \"anytime\" }}\n{VARS}"
    );
    while draw.at < count {
        draw.step();
    }
    let _ = writeln!(draw.text, "\n[step.s{count}]\nhangup = true\n");
    let _ = writeln!(draw.text, "[step.anytime]\nplay = \"four\"\nnext = \"to-where-it-was\"\n");
    let _ = writeln!(draw.text, "[step.to-where-it-was]\nback = true\notherwise = \"s{count}\"");
    draw.text
}

fn sub(rng: &mut Rng) -> String {
    let count = 2 + rng.below(5);
    let mut draw = Draw { rng, text: String::new(), count, at: 0, sub: true };
    let _ = write!(
        draw.text,
        "[flow]\nname = \"sub\"\nstart = \"s0\"\nsub = true\n\n[param]\nkey = \"\"\n\n[result]\nfound = \"topic\"\n{VARS}"
    );
    while draw.at < count {
        draw.step();
    }
    let _ = writeln!(
        draw.text,
        "\n[step.s{count}]\nbranch = [{{ when = \"len(key) > 3\", to = \"known\" }}]\notherwise = \"unknown\"\n"
    );
    let _ = writeln!(draw.text, "[step.known]\nreturn = \"known\"\n\n[step.unknown]\nreturn = \"unknown\"");
    draw.text
}
