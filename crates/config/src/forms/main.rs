//! Forms of hotline.toml.
use super::{DAY, Field, Form, HOUR, Kind, MINUTE, SECOND, WEEK, may, must, or};

/// A form, and whether there are several of it by name: `[queue.NAME]`.
pub(crate) struct Part {
    pub key: &'static str,
    pub form: &'static Form,
    pub named: bool,
    pub required: bool,
}

const fn one(key: &'static str, form: &'static Form) -> Part {
    Part { key, form, named: false, required: false }
}

const fn many(key: &'static str, form: &'static Form) -> Part {
    Part { key, form, named: true, required: false }
}

/// The tables of hotline.toml, in the order of the reference.
pub(crate) const MAIN: &[Part] = &[
    Part { required: true, ..one("engine", &ENGINE) },
    one("media", &MEDIA),
    one("log", &LOG),
    one("check", &CHECK),
    many("number", &NUMBER),
    many("pool", &POOL),
    one("skill", &SKILL),
    many("queue", &QUEUE_TABLE),
    many("hours", &HOURS_TABLE),
    one("feature_codes", &FEATURE_CODES),
    many("table", &TABLE),
    many("directory", &DIRECTORY),
    one("secret", &SECRET),
    many("service", &SERVICE),
    many("announcement", &ANNOUNCEMENT),
    many("mailbox", &MAILBOX),
    many("survey", &SURVEY_TABLE),
    many("trunk", &TRUNK),
    many("bot", &BOT_TABLE),
];

const CALLS: i64 = 1_000_000;
const TITLE: Field = may("title", Kind::Text, "For people.");

pub(crate) const ENGINE: Form = Form {
    name: "[engine]",
    doc: "The installation as a whole. Paths are relative to this file's folder; `control` and `store` to the folder above.",
    example: "languages = { cmn = [], yue = [\"cmn\"], en = [] }\nzone = \"Asia/Shanghai\"\nreload = { watch = true }\n",
    fields: &[
        must(
            "languages",
            Kind::Map("language", &Kind::List(&Kind::Name("language"))),
            "Each language, and where to look for a prompt that it lacks.",
        ),
        or("name", "\"hotline\"", Kind::Text, "Shown in the SIP headers Server and User-Agent."),
        or("realm", "\"hotline\"", Kind::Text, "Digest realm and domain; HA1 secrets depend on it."),
        or(
            "listen",
            "[\"udp:127.0.0.1:5060\", \"tcp:127.0.0.1:5060\"]",
            Kind::List(&Kind::Text),
            "transport:address:port; IPv6 as \"udp:[::1]:5060\".",
        ),
        may("advertise", Kind::Text, "Host or host:port shown to phones; the listener's address."),
        or("control", "\"var/hotline.sock\"", Kind::Text, "Control socket."),
        or("store", "\"var/hotline.db\"", Kind::Text, "Call records and events."),
        or("agents", "\"agents.toml\"", Kind::Text, "Who answers."),
        or("flows", "\"flows\"", Kind::Text, "The folder of the flows."),
        or("prompts", "\"../prompts\"", Kind::Text, "The folder of the prompts."),
        may("music", Kind::Name("prompt"), "Played while callers wait; silence."),
        may("zone", Kind::Name("time zone"), "Local time of flows that name none: \"Asia/Shanghai\"; UTC."),
        or("calls_max", "2000", Kind::Number(1, CALLS), "Calls at once; above: 503 with Retry-After."),
        may("agent_calls_max", Kind::Number(1, CALLS), "Calls with agents at once; no limit."),
        or("call_max", "\"4h\"", Kind::Duration(SECOND, WEEK), "The longest call."),
        or("retry_after", "\"10s\"", Kind::Duration(SECOND, HOUR), "Told to callers when full."),
        or("drain_max", "\"60s\"", Kind::Duration(0, DAY), "How long calls may go on after SIGTERM."),
        may(
            "reload",
            Kind::Table(&RELOAD),
            "When another version is taken, beside SIGHUP and `hotline reload`.",
        ),
    ],
};

pub(crate) const RELOAD: Form = Form {
    name: "reload",
    doc: "When another version is taken.",
    example: "watch = true\n",
    fields: &[or("watch", "false", Kind::Flag, "A saved file is served, once it is checked and tested.")],
};

pub(crate) const MEDIA: Form = Form {
    name: "[media]",
    doc: "RTP.",
    example: "ports = \"10000-29999\"\ncodecs = [\"pcma\", \"pcmu\"]\n",
    fields: &[
        or("ports", "\"10000-29999\"", Kind::Text, "From an even to an odd port, below 32768 if possible."),
        may(
            "address",
            Kind::Text,
            "Where RTP is bound; the listener's. Needed when a listener takes every address.",
        ),
        or("codecs", "[\"pcma\", \"pcmu\"]", Kind::List(&Kind::OneOf(&["pcma", "pcmu"])), "Best first."),
        or(
            "no_media_after",
            "\"60s\"",
            Kind::Any(&[Kind::Duration(SECOND, WEEK), Kind::OneOf(&["never"])]),
            "A leg that hears nothing so long ends.",
        ),
        or("port_rest", "\"5s\"", Kind::Duration(0, HOUR), "A closed port is not used again for so long."),
        or("threads", "0", Kind::Number(0, 1024), "0: one less than the cores."),
    ],
};

pub(crate) const LOG: Form = Form {
    name: "[log]",
    doc: "What is logged.",
    example: "level = \"info\"\n",
    fields: &[
        or("level", "\"info\"", Kind::Text, "Or a filter: \"warn,sip=debug\"."),
        or("json", "false", Kind::Flag, "One JSON object a line."),
    ],
};

pub(crate) const CHECK: Form = Form {
    name: "[check]",
    doc: "What `hotline check` demands.",
    example: "audio_before_person = \"60s\"\n",
    fields: &[
        or(
            "audio_before_person",
            "\"60s\"",
            Kind::Duration(SECOND, WEEK),
            "Warn when callers must hear and wait longer before a person can be reached.",
        ),
        may("deny", Kind::List(&Kind::Text), "Rules whose warnings are errors here: `[\"no-end\"]`."),
        or(
            "warnings",
            "\"warning\"",
            Kind::OneOf(&["warning", "error"]),
            "`\"error\"`: every warning is an error.",
        ),
    ],
};

pub(crate) const NUMBER: Form = Form {
    name: "[number.DIGITS]",
    doc: "What callers dial.",
    example: "flow = \"support\"\nlimit = 2000\nvars = { class = \"enterprise\" }\n",
    fields: &[
        must("flow", Kind::Name("flow"), "The flow that answers."),
        may("title", Kind::Text, "For people; the digits."),
        may("limit", Kind::Number(1, CALLS), "Calls at once; one more hears 486 with Retry-After. No limit."),
        may(
            "vars",
            Kind::Map("variable", &Kind::Constant),
            "Start values of the flow's variables; also `language` and `severity`.",
        ),
    ],
};

pub(crate) const POOL: Form = Form {
    name: "[pool.NAME]",
    doc: "A tier of agents.",
    example: "rank = 1\n",
    fields: &[
        must("rank", Kind::Number(1, 99), "`tier >= \"L2\"` compares ranks."),
        may("limit", Kind::Number(1, CALLS), "Calls at once with its agents; no limit."),
    ],
};

pub(crate) const SKILL: Form = Form {
    name: "[skill]",
    doc: "Every skill and what it means: `\"lang.cmn\" = \"Mandarin\"`.",
    example: "\"lang.en\" = \"English\"\n",
    fields: &[],
};

pub(crate) const QUEUE_TABLE: Form = Form {
    name: "[queue.NAME]",
    doc: "Where callers wait for agents.",
    example: "promise = { P0 = \"5m\", P1 = \"15m\", P2 = \"30m\", P3 = \"60m\" }\npools = [\"L1\"]\n",
    fields: &[
        must("promise", Kind::Table(&PROMISE), "Time to answer by severity."),
        may("pools", Kind::List(&Kind::Name("pool")), "Whose agents serve it; all."),
        may("require", Kind::Requirement, "What every agent of it must be able to do."),
        or(
            "order",
            "\"longest-idle\"",
            Kind::OneOf(&["longest-idle", "least-occupied", "best-fit", "round-robin"]),
            "Who is rung first.",
        ),
        or("ring", "\"20s\"", Kind::Duration(SECOND, 10 * MINUTE), "How long an agent's phone rings."),
        or("wrap_up", "\"0s\"", Kind::Duration(0, DAY), "Rest after a call."),
        or("length_max", "1000", Kind::Number(1, 100_000), "Waiting calls."),
        may("limit", Kind::Number(1, CALLS), "Calls with agents at once; no limit."),
    ],
};

pub(crate) const PROMISE: Form = Form {
    name: "promise",
    doc: "Time to answer by severity.",
    example: "P0 = \"5m\"\nP1 = \"15m\"\nP2 = \"30m\"\nP3 = \"60m\"\n",
    fields: &[
        must("P0", Kind::Duration(SECOND, WEEK), "System down."),
        must("P1", Kind::Duration(SECOND, WEEK), "Seriously interrupted."),
        must("P2", Kind::Duration(SECOND, WEEK), "Function abnormal."),
        must("P3", Kind::Duration(SECOND, WEEK), "Question."),
    ],
};

pub(crate) const HOURS_TABLE: Form = Form {
    name: "[hours.NAME]",
    doc: "When it is open.",
    example: "zone = \"Asia/Shanghai\"\nopen = [\"mon-fri 09:00-18:00\"]\nholidays = [\"2026-10-01\"]\n",
    fields: &[
        must("zone", Kind::Name("time zone"), "IANA name: \"Asia/Shanghai\"."),
        must(
            "open",
            Kind::List(&Kind::Text),
            "\"mon-fri 09:00-18:00\", \"daily 00:00-24:00\", over midnight \"fri 22:00-06:00\".",
        ),
        TITLE,
        may(
            "calendars",
            Kind::List(&Kind::Text),
            "\"china\", or iCalendar files beside this one; later ones are stronger.",
        ),
        may("holidays", Kind::List(&Kind::Text), "Closed: \"2026-10-01\"; stronger than calendars."),
        may("workdays", Kind::List(&Kind::Text), "Open like a Monday, also on a holiday or Sunday."),
    ],
};

pub(crate) const FEATURE_CODES: Form = Form {
    name: "[feature_codes]",
    doc: "Dialled on an agent's phone.",
    example: "ready = \"*50\"\npause_reasons = { 1 = \"break\" }\n",
    fields: &[
        or("ready", "\"*50\"", Kind::Text, "Ready for calls."),
        or("pause", "\"*51\"", Kind::Text, "Paused."),
        or("logout", "\"*52\"", Kind::Text, "Signed out."),
        may("pause_reasons", Kind::Map("digit", &Kind::Text), "`*511` pauses with the reason of 1."),
    ],
};

pub(crate) const TABLE: Form = Form {
    name: "[table.NAME]",
    doc: "Keys with values of one type, for `lookup('NAME', key, default)`. Flow files may have their own, which win.",
    example: "\"all/core\" = \"P0\"\n\"some/core\" = \"P1\"\n",
    fields: &[],
};

pub(crate) const DIRECTORY: Form = Form {
    name: "[directory.NAME]",
    doc: "Callers by number, for `identify`: a TOML file of rows, as `[[customer]]` with `name = ...`.",
    example: "file = \"customers.toml\"\nkeys = [\"phones\", \"number\"]\ncountry = \"86\"\nfields = { name = \"\", class = \"standard\", number = \"\" }\n",
    fields: &[
        must("file", Kind::Text, "Beside hotline.toml."),
        must(
            "keys",
            Kind::List(&Kind::Text),
            "Columns that find a row: texts or lists of texts. No two rows have one key.",
        ),
        may("country", Kind::Text, "The country code that numbers may or may not have: \"86\"."),
        must(
            "fields",
            Kind::Map("field", &Kind::Declaration),
            "Its shape, each field with the value that a row may leave out. Other columns are ignored.",
        ),
    ],
};

pub(crate) const SECRET: Form = Form {
    name: "[secret]",
    doc: "Secrets by name, from the environment or a file: `crm = { env = \"CRM_TOKEN\" }`. Used as `{secret.crm}` in services and http steps only.",
    example: "crm = { env = \"CRM_TOKEN\" }\n",
    fields: &[],
};

pub(crate) const SECRET_SOURCE: Form = Form {
    name: "secret",
    doc: "Where a secret is.",
    example: "env = \"CRM_TOKEN\"\n",
    fields: &[
        may("env", Kind::Text, "A variable of the environment."),
        may("file", Kind::Text, "A file, relative to the installation's root."),
    ],
};

pub(crate) const SERVICE: Form = Form {
    name: "[service.NAME]",
    doc: "Another system that is asked over http.",
    example: "url = \"https://crm.example/api\"\ntimeout = \"2s\"\nheaders = { Authorization = \"Bearer {secret.crm}\" }\n",
    fields: &[
        must("url", Kind::Text, "What paths go behind."),
        may("timeout", Kind::Duration(100, MINUTE), "For everything, tries and all."),
        or("retries", "0", Kind::Number(0, 5), "Further tries, where trying again is safe."),
        may("headers", Kind::Map("name", &Kind::Text), "Sent with every request."),
        or("answer_max", "\"64 kB\"", Kind::Text, "The longest answer."),
        may("ca", Kind::Text, "PEM file of an authority that vouches for it beside the public ones."),
    ],
};

pub(crate) const ANNOUNCEMENT: Form = Form {
    name: "[announcement.NAME]",
    doc: "What an operator switches on without a reload, for `announce`.",
    example: "prompt = \"outage\"\ntitle = \"Outage of the east region\"\n",
    fields: &[must("prompt", Kind::Name("prompt"), "What is said."), TITLE],
};

pub(crate) const MAILBOX: Form = Form {
    name: "[mailbox.NAME]",
    doc: "Where `voicemail` keeps messages.",
    example: "greeting = \"leave-message\"\nagents = [\"alice\"]\nkeep = \"30d\"\n",
    fields: &[
        TITLE,
        may("greeting", Kind::Name("prompt"), "Said before the tone."),
        or("messages_max", "100", Kind::Number(1, 10_000), "Messages at most."),
        or("keep", "\"30d\"", Kind::Duration(DAY, 3650 * DAY), "How long they are kept."),
        may("agents", Kind::List(&Kind::Name("agent")), "Whose phones show that messages wait."),
        may("notify", Kind::Name("service"), "The service that hears of each message."),
    ],
};

pub(crate) const SURVEY_TABLE: Form = Form {
    name: "[survey.NAME]",
    doc: "Questions with weights, for `survey`.",
    example: "scale = [1, 5]\nlow = 2.5\nquestions = [{ name = \"speed\", ask = \"rate-speed\", weight = 40 }, { name = \"result\", ask = \"rate-result\", weight = 60 }]\n",
    fields: &[
        must("scale", Kind::List(&Kind::Number(0, 9)), "The lowest and the highest mark."),
        may("low", Kind::Real, "A score below this is low; none is."),
        may("notify", Kind::Name("service"), "The service that hears of a low score."),
        must("questions", Kind::List(&Kind::Table(&QUESTION)), "One key each; their weights make 100."),
    ],
};

pub(crate) const QUESTION: Form = Form {
    name: "questions = [{ ... }]",
    doc: "A question of a survey.",
    example: "name = \"speed\"\nask = \"rate-speed\"\nweight = 30\n",
    fields: &[
        must("name", Kind::Text, "In records and events."),
        must("ask", Kind::Name("prompt"), "What is asked."),
        must("weight", Kind::Number(1, 100), "Its share of the score, in percent."),
    ],
};

pub(crate) const TRUNK: Form = Form {
    name: "[trunk.NAME]",
    doc: "A way to numbers outside, for `transfer` and `ring`.",
    example: "address = \"udp:192.0.2.1:5060\"\nfrom = \"4009508888\"\nnumbers = \"0.|1[3-9]xxxxxxxxx\"\nlimit = 30\n",
    fields: &[
        must("address", Kind::Text, "transport:address:port."),
        must("from", Kind::Text, "The number that calls show."),
        may("numbers", Kind::Pattern, "Which numbers may be dialled; any."),
        may("limit", Kind::Number(1, 100_000), "Calls at once; no limit."),
    ],
};

pub(crate) const BOT_TABLE: Form = Form {
    name: "[bot.NAME]",
    doc: "A bot, for `bot`; its transport comes later.",
    example: "title = \"Assistant\"\n",
    fields: &[TITLE],
};

/// A table of agents.toml.
pub(crate) const AGENTS: &[Part] = &[many("agent", &AGENT)];

/// `lang.cmn = 5` is a table in TOML.
const LEVEL: Kind = Kind::Any(&[Kind::Number(1, 10), Kind::Map("skill", &Kind::Number(1, 10))]);

pub(crate) const AGENT: Form = Form {
    name: "[agent.NAME]",
    doc: "Who answers.",
    example: "pool = \"L1\"\nsecret = { env = \"HOTLINE_ALICE\" }\nskills = { \"lang.en\" = 5 }\n",
    fields: &[
        must("pool", Kind::Name("pool"), "The tier."),
        must(
            "secret",
            Kind::Table(&AGENT_SECRET),
            "The password's place, or its hashes. A password in clear is an error.",
        ),
        may("skills", Kind::Map("skill", &LEVEL), "`\"lang.cmn\" = 5`: levels 1 to 10."),
        TITLE,
        or("capacity", "1", Kind::Number(1, 100), "Calls at once."),
        or("rest", "\"10s\"", Kind::Duration(0, DAY), "After a missed or refused call."),
        or("misses_max", "3", Kind::Number(1, 1000), "Paused after so many misses in a row."),
    ],
};

pub(crate) const AGENT_SECRET: Form = Form {
    name: "secret",
    doc: "`env` or `file` hold the password; or its hashes, of NAME:realm:password.",
    example: "file = \"secrets/alice\"\n",
    fields: &[
        may("env", Kind::Text, "A variable of the environment."),
        may("file", Kind::Text, "A file, relative to the installation's root."),
        may("ha1_md5", Kind::Text, "`printf 'alice:hotline:PASSWORD' | md5sum`."),
        may("ha1_sha256", Kind::Text, "`... | sha256sum`."),
    ],
};

/// The tables of prompts.toml.
pub(crate) const PROMPTS: &[Part] =
    &[one("defaults", &DEFAULTS), many("voice", &VOICE), many("prompt", &PROMPT_TABLE)];

pub(crate) const DEFAULTS: Form =
    Form { name: "[defaults]", doc: "For `hotline prompts`.", example: "", fields: &[] };

pub(crate) const VOICE: Form = Form {
    name: "[voice.LANGUAGE]",
    doc: "Who speaks the placeholders, for `hotline prompts render`.",
    example: "",
    fields: &[],
};

pub(crate) const PROMPT_TABLE: Form = Form {
    name: "[prompt.NAME]",
    doc: "What is said: the text in each language.",
    example: "en = \"Welcome.\"\ncmn = \"欢迎致电。\"\nnotes = \"warm\"\n",
    fields: &[],
};

/// Of a table in hotline.toml or agents.toml: `queue` is `[queue.NAME]`. None: its keys are the operator's.
pub(crate) fn table_form(key: &str) -> Option<&'static Form> {
    let part = MAIN.iter().chain(AGENTS).find(|p| p.key == key)?;
    (!part.form.fields.is_empty()).then_some(part.form)
}
