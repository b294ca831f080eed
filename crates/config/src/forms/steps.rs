//! Forms of the steps, one a keyword, and of the tables within them.
use super::{DAY, Field, Form, HOUR, Kind, MINUTE, SECOND, WEEK, may, must, or, step};

/// Every step, in the order of the reference. The first key of each is its keyword.
pub(crate) const STEPS: &[&Form] = &[
    &PLAY, &SAY, &MENU, &COLLECT, &CONSENT, &SET, &BRANCH, &HOURS, &ANNOUNCE, &LANGUAGE, &IDENTIFY, &HTTP,
    &NOTIFY, &QUEUE, &CALLBACK, &RING, &TRANSFER, &VOICEMAIL, &SURVEY, &BOT, &RECORD, &SUBFLOW, &RETURN,
    &BACK, &ANSWER, &WAIT, &ECHO, &REJECT, &HANGUP,
];

const NEXT: Field = step("next", "The step that follows.");
const BARGE_IN: Field = may("barge_in", Kind::Flag, "A key stops it; as [flow] says.");
const PROMPT: Field = must("prompt", Kind::Prompts, "What asks the caller.");
const NO_INPUT_FIELD: Field = must("no_input", Kind::Table(&NO_INPUT), "What happens without an answer.");
const INVALID_FIELD: Field = must("invalid", Kind::Table(&INVALID), "What happens after wrong keys.");
const REPEAT: Field = or("repeat", "1", Kind::Number(1, 100), "How often it is heard.");
const EARLY: Field =
    or("early", "false", Kind::Flag, "Early media: heard before the call is answered (by-step flows).");
const MUSIC: Field =
    may("music", Kind::Prompts, "Repeated while the caller waits; the installation's music.");
const TEXTS: Kind = Kind::Map("name", &Kind::Template);
const PIECES: Kind = Kind::Map("name", &Kind::Template);
const REQUIRE: Field = may(
    "require",
    Kind::Requirement,
    "What an agent must be able to do: `lang[language] >= 2 and product[topic] >= 2`.",
);
const SEVERITY: Field = or("severity", "\"{severity}\"", Kind::Template, "P0 to P3.");

pub(crate) const PLAY: Form = Form {
    name: "play",
    doc: "Plays prompts and other sounds.",
    example: "play = [\"welcome\", { silence = \"300ms\" }]\nnext = \"bye\"\n",
    fields: &[must("play", Kind::Prompts, "What is heard."), BARGE_IN, REPEAT, EARLY, NEXT],
};

const SAY_KINDS: Kind = Kind::OneOf(&ivr::SayKind::NAMES);
const VALUE: Field = must("value", Kind::Template, "What is said: `\"{customer}\"`.");
const CURRENCY: Field =
    may("currency", Kind::OneOf(&["CNY", "HKD", "USD", "EUR", "GBP"]), "Of money, and required there.");

pub(crate) const SAY: Form = Form {
    name: "say",
    doc: "Reads a value aloud by the grammar of the caller's language.",
    example: "say = \"digits\"\nvalue = \"{number}\"\nnext = \"bye\"\n",
    fields: &[must("say", SAY_KINDS, "How it is read."), VALUE, CURRENCY, BARGE_IN, REPEAT, EARLY, NEXT],
};

/// Inside a prompt list.
pub(crate) const SOUND_SAY: Form = Form {
    name: "{ say }",
    doc: "A value read aloud.",
    example: "say = \"money\"\nvalue = \"{balance}\"\ncurrency = \"CNY\"\n",
    fields: &[must("say", SAY_KINDS, "How it is read."), VALUE, CURRENCY],
};

pub(crate) const SOUND_SILENCE: Form = Form {
    name: "{ silence }",
    doc: "Nothing is heard for a while.",
    example: "silence = \"300ms\"\n",
    fields: &[must("silence", Kind::Duration(1, HOUR), "How long.")],
};

pub(crate) const SOUND_TONE: Form = Form {
    name: "{ tone }",
    doc: "One frequency or two.",
    example: "tone = [440, 480]\nfor = \"2s\"\nlevel = -16\n",
    fields: &[
        must("tone", Kind::List(&Kind::Number(20, 3900)), "Frequencies in Hz."),
        must("for", Kind::Duration(1, HOUR), "How long."),
        or("level", "-16", Kind::Number(-60, 0), "In dBm0."),
    ],
};

pub(crate) const MENU: Form = Form {
    name: "menu",
    doc: "One key decides. With `into` the keys are values for that variable and `next` follows; without, they name steps.",
    example: "menu = { 1 = \"person\", 9 = \"bye\" }\nprompt = \"choose\"\nno_input = { after = \"5s\", tries = 2, prompt = \"no-input\", then = \"bye\" }\ninvalid = { then = \"bye\" }\n",
    fields: &[
        must(
            "menu",
            Kind::Map("key", &Kind::Constant),
            "Keys 0-9, *, # and A-D, with the step or the value each stands for.",
        ),
        PROMPT,
        may("into", Kind::Name("variable"), "Takes the key's value."),
        NO_INPUT_FIELD,
        INVALID_FIELD,
        BARGE_IN,
        may("next", Kind::Name("step"), "The step that follows; with `into` only, and required there."),
    ],
};

const TRIES: Field = or("tries", "2", Kind::Number(1, 20), "How often the question is asked in all.");
const AGAIN: Field = may("prompt", Kind::Prompts, "Said before it is asked again.");
const THEN: Field = step("then", "The step that follows after the last try.");

pub(crate) const NO_INPUT: Form = Form {
    name: "no_input",
    doc: "What happens when the caller presses nothing.",
    example: "after = \"5s\"\ntries = 2\nprompt = \"no-input\"\nthen = \"bye\"\n",
    fields: &[
        may(
            "after",
            Kind::Duration(SECOND, 10 * MINUTE),
            "How long after the prompt a key is waited for: 5s, in `collect` its `first`.",
        ),
        TRIES,
        AGAIN,
        THEN,
    ],
};

pub(crate) const INVALID: Form = Form {
    name: "invalid",
    doc: "What happens when the caller presses something that does not fit.",
    example: "tries = 2\nprompt = \"invalid-key\"\nthen = \"bye\"\n",
    fields: &[TRIES, AGAIN, THEN],
};

pub(crate) const COLLECT: Form = Form {
    name: "collect",
    doc: "Several keys make a value.",
    example: "collect = { min = 6, max = 10, end = \"#\", mask = true }\nprompt = \"enter-number\"\ninto = \"number\"\nno_input = { then = \"bye\" }\ninvalid = { prompt = \"invalid-key\", then = \"bye\" }\nnext = \"person\"\n",
    fields: &[
        must("collect", Kind::Table(&COLLECT_RULES), "Which keys."),
        PROMPT,
        must("into", Kind::Name("variable"), "Takes the keys; a text or digits."),
        NO_INPUT_FIELD,
        INVALID_FIELD,
        BARGE_IN,
        NEXT,
    ],
};

pub(crate) const COLLECT_RULES: Form = Form {
    name: "collect = { ... }",
    doc: "Which keys are a value.",
    example: "min = 16\nmax = 19\nend = \"#\"\ncheck = \"luhn(entry)\"\n",
    fields: &[
        must("min", Kind::Number(1, ivr::DIGITS_MAX as i64), "Keys at least."),
        must("max", Kind::Number(1, ivr::DIGITS_MAX as i64), "Keys at most."),
        may("end", Kind::Key, "The key that ends the entry; no part of it."),
        or("first", "\"5s\"", Kind::Duration(SECOND, 10 * MINUTE), "How long the first key may take."),
        or("between", "\"3s\"", Kind::Duration(SECOND, 10 * MINUTE), "How long each further key may take."),
        or("mask", "false", Kind::Flag, "The entry reaches no record and no log; so with a masked variable."),
        may("matches", Kind::Pattern, "Which entries fit: `1[3-9]xxxxxxxxx|0.`; digits."),
        may("check", Kind::Condition, "Must hold for entries that fit, which it sees as `entry`."),
    ],
};

pub(crate) const CONSENT: Form = Form {
    name: "consent",
    doc: "A question whose answer is kept as evidence. Silence is no consent.",
    example: "consent = \"recording\"\nprompt = \"choose\"\nno_input = { then = \"bye\" }\ninvalid = { then = \"bye\" }\ngranted = \"person\"\nrefused = \"bye\"\n",
    fields: &[
        must("consent", Kind::Text, "What is agreed to, for the record."),
        PROMPT,
        or("yes", "\"1\"", Kind::Key, "The key that agrees."),
        or("no", "\"2\"", Kind::Key, "The key that refuses."),
        NO_INPUT_FIELD,
        INVALID_FIELD,
        BARGE_IN,
        step("granted", "The step for a caller who agrees."),
        step("refused", "The step for a caller who does not."),
    ],
};

pub(crate) const SET: Form = Form {
    name: "set",
    doc: "Sets variables, in the order of the file; later ones see earlier ones.",
    example: "set = { tries = \"{tries + 1}\", severity = \"P1\" }\nnext = \"bye\"\n",
    fields: &[
        must(
            "set",
            Kind::Map("variable", &Kind::Any(&[Kind::Template, Kind::List(&Kind::Constant)])),
            "Variables with their new values.",
        ),
        NEXT,
    ],
};

pub(crate) const BRANCH: Form = Form {
    name: "branch",
    doc: "The first arm that holds is taken.",
    example: "branch = [{ when = \"tries > 2\", to = \"person\" }]\notherwise = \"bye\"\n",
    fields: &[
        must("branch", Kind::List(&Kind::Table(&ARM)), "Conditions with their steps."),
        step("otherwise", "The step for when no arm holds."),
    ],
};

pub(crate) const ARM: Form = Form {
    name: "branch = [{ ... }]",
    doc: "An arm of a branch.",
    example: "when = \"severity in ['P0', 'P1']\"\nto = \"person\"\n",
    fields: &[must("when", Kind::Condition, "The condition."), step("to", "The step that follows.")],
};

pub(crate) const HOURS: Form = Form {
    name: "hours",
    doc: "Is it open?",
    example: "hours = \"office\"\nopen = \"person\"\nclosed = \"bye\"\n",
    fields: &[
        must("hours", Kind::Name("hours"), "[hours.NAME] of hotline.toml."),
        step("open", "The step for when it is open."),
        step("closed", "The step for when it is closed."),
    ],
};

pub(crate) const ANNOUNCE: Form = Form {
    name: "announce",
    doc: "Says those of the installation's announcements that an operator has switched on.",
    example: "announce = [\"outage\"]\nnext = \"person\"\nnone = \"person\"\n",
    fields: &[
        must(
            "announce",
            Kind::Any(&[
                Kind::OneOf(&["all"]),
                Kind::Name("announcement"),
                Kind::List(&Kind::Name("announcement")),
            ]),
            "Which, in the order in which they are said; \"all\" of them by name.",
        ),
        BARGE_IN,
        step("next", "The step after those that are on."),
        step("none", "The step for when none is on."),
    ],
};

pub(crate) const LANGUAGE: Form = Form {
    name: "language",
    doc: "Switches the caller's language.",
    example: "language = \"{wish}\"\nnext = \"person\"\nunknown = \"bye\"\n",
    fields: &[
        must("language", Kind::Template, "The language."),
        NEXT,
        may(
            "unknown",
            Kind::Name("step"),
            "The step for a language that the installation does not speak; required unless it is written out.",
        ),
    ],
};

pub(crate) const IDENTIFY: Form = Form {
    name: "identify",
    doc: "Finds the caller in a directory.",
    example: "identify = \"customers\"\nby = \"{caller}\"\ninto = \"customer\"\nfound = \"person\"\nunknown = \"bye\"\n",
    fields: &[
        must("identify", Kind::Name("directory"), "[directory.NAME] of hotline.toml."),
        or("by", "\"{caller}\"", Kind::Template, "What it is looked up by."),
        must("into", Kind::Name("variable"), "A record of that directory; kept when nothing is found."),
        step("found", "The step for a caller who is in it."),
        step("unknown", "The step for a caller who is not."),
    ],
};

pub(crate) const HTTP: Form = Form {
    name: "http",
    doc: "Asks another system. The caller hears nothing meanwhile; keys are kept.",
    example: "http = { service = \"crm\", get = \"/customers/{caller}\", query = { full = \"1\" } }\ninto = \"customer\"\nstatus = \"tries\"\non_status = { 404 = \"bye\", \"5xx\" = \"bye\" }\nnext = \"person\"\non_error = \"bye\"\n",
    fields: &[
        must("http", Kind::Table(&REQUEST), "What is asked."),
        may(
            "into",
            Kind::Name("variable"),
            "A record that takes the answer's fields by name; one that is missing takes its start value.",
        ),
        may(
            "map",
            Kind::Map("variable", &Kind::Any(&[Kind::Text, Kind::Table(&MAPPED)])),
            "Variables, or `\"variable.field\"`, with the place of their value: `\"data.tickets[0].id\"`.",
        ),
        may("status", Kind::Name("variable"), "A number that takes the status; 0 without an answer."),
        may(
            "on_status",
            Kind::Map("status", &Kind::Name("step")),
            "Steps for statuses: `404`, or `\"5xx\"` for all of a hundred.",
        ),
        step("next", "The step after a status of 2xx with everything that was asked for."),
        step(
            "on_error",
            "The step for any other status, no answer, too late an answer, or one of another shape.",
        ),
    ],
};

pub(crate) const REQUEST: Form = Form {
    name: "http = { ... }",
    doc: "A request: one of get, post, put, patch and delete.",
    example: "post = \"https://crm.example/calls\"\njson = { caller = \"{caller}\", urgent = true }\nheaders = { Authorization = \"Bearer {secret.crm}\" }\ntimeout = \"2s\"\n",
    fields: &[
        may("service", Kind::Name("service"), "[service.NAME]: its url, headers, timeout and retries."),
        may("get", Kind::Template, "A path behind the service's url, or a whole url."),
        may("post", Kind::Template, "As `get`."),
        may("put", Kind::Template, "As `get`."),
        may("patch", Kind::Template, "As `get`."),
        may("delete", Kind::Template, "As `get`."),
        may("query", PIECES, "Added to the url."),
        may("headers", PIECES, "Added to the service's; `{secret.NAME}` is filled in outside."),
        may("json", Kind::Json, "The body; with post, put and patch."),
        may(
            "timeout",
            Kind::Duration(100, MINUTE),
            "For everything, tries and all; the service's. One of the two must say it.",
        ),
        may("retries", Kind::Number(0, 5), "Further tries, where trying again is safe; the service's, or 0."),
    ],
};

pub(crate) const MAPPED: Form = Form {
    name: "map = { x = { ... } }",
    doc: "One value of an answer.",
    example: "path = \"data.class\"\ndefault = \"standard\"\n",
    fields: &[
        must("path", Kind::Text, "Where it stands: `data.tickets[0].id`."),
        may(
            "default",
            Kind::Any(&[Kind::Constant, Kind::List(&Kind::Constant)]),
            "Taken when it is missing; without it that is an error.",
        ),
    ],
};

pub(crate) const NOTIFY: Form = Form {
    name: "notify",
    doc: "Tells another system; nobody waits for its answer.",
    example: "notify = \"crm\"\nevent = \"outage-reported\"\nwith = { topic = \"{topic}\" }\nnext = \"bye\"\n",
    fields: &[
        must("notify", Kind::Name("service"), "[service.NAME] of hotline.toml."),
        must("event", Kind::Text, "What kind of event it says it is."),
        may("with", TEXTS, "What else it is told."),
        NEXT,
    ],
};

pub(crate) const QUEUE: Form = Form {
    name: "queue",
    doc: "Waits for an agent.",
    example: "queue = \"technical\"\nrequire = \"lang[language] >= 2\"\ntimeout = \"10m\"\ntreatments = [{ after = \"10s\", every = \"45s\", play = [{ say = \"position\", value = \"{position}\" }], when = \"position > 1\" }]\nkeys = { 1 = \"callback\" }\ntoo_long = { wait = \"15m\", then = \"callback\" }\non_timeout = \"bye\"\non_full = \"bye\"\non_no_agents = \"bye\"\nnext = \"bye\"\n",
    fields: &[
        must("queue", Kind::Name("queue"), "[queue.NAME] of hotline.toml."),
        REQUIRE,
        SEVERITY,
        MUSIC,
        may("treatments", Kind::List(&Kind::Table(&TREATMENT)), "What is said in between."),
        may("keys", Kind::Map("key", &Kind::Name("step")), "Keys that leave the line."),
        may("too_long", Kind::Table(&TOO_LONG), "Does not wait where the wait would be too long."),
        may("timeout", Kind::Duration(SECOND, WEEK), "How long the caller waits; as long as it takes."),
        step("on_timeout", "The step for a caller whom nobody serves in that time."),
        step("on_full", "The step for when the line takes no more."),
        step("on_no_agents", "The step for when no agent who is signed in could serve the caller."),
        step("next", "The step for when the agent hangs up first."),
    ],
};

pub(crate) const TREATMENT: Form = Form {
    name: "treatments = [{ ... }]",
    doc: "What a waiting caller is told. `{position}` and `{wait}` are fresh.",
    example: "after = \"30s\"\nevery = \"1m\"\nplay = [\"still-busy\"]\nwhen = \"wait > minutes(2)\"\n",
    fields: &[
        must("after", Kind::Duration(0, DAY), "How long after the line was entered."),
        may("every", Kind::Duration(5 * SECOND, DAY), "Then again and again; once."),
        must("play", Kind::Prompts, "What is said."),
        may("when", Kind::Condition, "Said only when this holds."),
    ],
};

pub(crate) const TOO_LONG: Form = Form {
    name: "too_long",
    doc: "A caller whose estimated wait is longer does not enter the line.",
    example: "wait = \"15m\"\nthen = \"callback\"\n",
    fields: &[
        must("wait", Kind::Duration(SECOND, DAY), "The longest wait that is waited for."),
        step("then", "The step instead."),
    ],
};

pub(crate) const CALLBACK: Form = Form {
    name: "callback",
    doc: "The caller keeps the place in line and is called back.",
    example: "callback = \"technical\"\nnumber = \"{caller}\"\nnext = \"bye\"\non_invalid = \"bye\"\non_full = \"bye\"\n",
    fields: &[
        must("callback", Kind::Name("queue"), "[queue.NAME] of hotline.toml."),
        or("number", "\"{caller}\"", Kind::Template, "Who is called."),
        REQUIRE,
        SEVERITY,
        NEXT,
        step("on_invalid", "The step for a number that is withheld or may not be called."),
        step("on_full", "The step for when the line takes no more."),
    ],
};

const TARGET: Kind = Kind::Any(&[Kind::Template, Kind::Table(&AGENT_TARGET), Kind::Table(&NUMBER_TARGET)]);
const RING_TIMEOUT: Field =
    or("timeout", "\"25s\"", Kind::Duration(SECOND, 10 * MINUTE), "How long it rings.");
const ON_NO_ANSWER: Field = step("on_no_answer", "The step for when nobody answers in time.");
const ON_BUSY: Field = step("on_busy", "The step for when the line is busy, or the call refused.");
const ON_UNREACHABLE: Field = step("on_unreachable", "The step for when no phone is there.");
const HUNG_UP: Field = step("next", "The step for when the other side hangs up first.");

pub(crate) const RING: Form = Form {
    name: "ring",
    doc: "Rings one agent, or a number outside.",
    example: "ring = \"alice\"\nanswer = false\nnext = \"bye\"\non_no_answer = \"bye\"\non_busy = \"bye\"\non_unreachable = \"bye\"\n",
    fields: &[
        must("ring", TARGET, "An agent's name, or `{ number = \"...\", trunk = \"...\" }`."),
        or(
            "answer",
            "true",
            Kind::Flag,
            "False: ring-back until somebody answers; true: answered, with music.",
        ),
        RING_TIMEOUT,
        MUSIC,
        HUNG_UP,
        ON_NO_ANSWER,
        ON_BUSY,
        ON_UNREACHABLE,
    ],
};

pub(crate) const TRANSFER: Form = Form {
    name: "transfer",
    doc: "Hands the caller over to an agent or to a number outside.",
    example: "transfer = { number = \"{number}\", trunk = \"carrier\" }\nnext = \"bye\"\non_no_answer = \"bye\"\non_busy = \"bye\"\non_unreachable = \"bye\"\n",
    fields: &[
        must("transfer", TARGET, "An agent's name, or `{ number = \"...\", trunk = \"...\" }`."),
        RING_TIMEOUT,
        MUSIC,
        HUNG_UP,
        ON_NO_ANSWER,
        ON_BUSY,
        ON_UNREACHABLE,
    ],
};

pub(crate) const AGENT_TARGET: Form = Form {
    name: "{ agent }",
    doc: "An agent.",
    example: "agent = \"{customer.manager}\"\n",
    fields: &[must("agent", Kind::Template, "The agent's name.")],
};

pub(crate) const NUMBER_TARGET: Form = Form {
    name: "{ number, trunk }",
    doc: "A number outside.",
    example: "number = \"{customer.phone}\"\ntrunk = \"carrier\"\n",
    fields: &[
        must("number", Kind::Template, "What is dialled."),
        must("trunk", Kind::Name("trunk"), "[trunk.NAME] of hotline.toml."),
    ],
};

pub(crate) const VOICEMAIL: Form = Form {
    name: "voicemail",
    doc: "Takes a message. One of a caller who hangs up is kept.",
    example: "voicemail = \"support\"\nmax = \"2m\"\nnext = \"bye\"\non_empty = \"bye\"\non_full = \"bye\"\n",
    fields: &[
        must("voicemail", Kind::Name("mailbox"), "[mailbox.NAME] of hotline.toml."),
        may("prompt", Kind::Prompts, "Said before the tone; the mailbox's greeting."),
        or("min", "\"2s\"", Kind::Duration(0, MINUTE), "A shorter message is thrown away."),
        or("max", "\"3m\"", Kind::Duration(SECOND, HOUR), "The longest message."),
        or("silence", "\"5s\"", Kind::Duration(SECOND, 10 * MINUTE), "So much silence ends it."),
        or("end", "\"#\"", Kind::Key, "The key that ends it."),
        BARGE_IN,
        step("next", "The step after a message that is kept."),
        step("on_empty", "The step for when nothing was said."),
        step("on_full", "The step for when the mailbox takes no more."),
    ],
};

pub(crate) const SURVEY: Form = Form {
    name: "survey",
    doc: "Asks the questions of a survey, one key each.",
    example: "survey = \"service\"\ninto = \"score\"\nagain = \"no-input\"\nnext = \"bye\"\nlow = \"bye\"\nnone = \"bye\"\n",
    fields: &[
        must("survey", Kind::Name("survey"), "[survey.NAME] of hotline.toml."),
        may("into", Kind::Name("variable"), "A number that takes the score, in hundredths of a mark."),
        or("after", "\"5s\"", Kind::Duration(SECOND, MINUTE), "How long each answer may take."),
        or("tries", "2", Kind::Number(1, 20), "How often each question is asked."),
        may("again", Kind::Prompts, "Said before a question is asked again."),
        BARGE_IN,
        NEXT,
        step("low", "The step for a low score."),
        step("none", "The step for a caller who gives no answer at all."),
    ],
};

pub(crate) const BOT: Form = Form {
    name: "bot",
    doc: "Connects the caller with a bot, audio both ways.",
    example: "bot = \"assistant\"\nwith = { caller = \"{caller}\" }\ninto = { topic = \"topic\" }\nnext = \"bye\"\nhand_over = \"person\"\non_error = \"person\"\n",
    fields: &[
        must("bot", Kind::Name("bot"), "[bot.NAME] of hotline.toml."),
        may("with", TEXTS, "What it is told."),
        or("timeout", "\"10m\"", Kind::Duration(SECOND, 2 * HOUR), "How long it may take."),
        may(
            "into",
            Kind::Map("its name for it", &Kind::Name("variable")),
            "Variables that take what it found out.",
        ),
        step("next", "The step for a caller who is done."),
        step("hand_over", "The step for a caller who wants a person."),
        step("on_error", "The step for when it cannot be reached, goes away or takes too long."),
    ],
};

pub(crate) const RECORD: Form = Form {
    name: "record",
    doc: "Records the call, or does not.",
    example: "record = \"on\"\nnext = \"person\"\n",
    fields: &[
        must("record", Kind::OneOf(&["on", "off", "pause", "resume"]), "What happens to the recording."),
        NEXT,
    ],
};

pub(crate) const SUBFLOW: Form = Form {
    name: "subflow",
    doc: "Leads through a sub-flow, whose steps are called `THIS/STEP` from here.",
    example: "subflow = \"ask-number\"\nwith = { tries = 3 }\ninto = { number = \"number\" }\non = { known = \"person\", unknown = \"bye\" }\n",
    fields: &[
        must("subflow", Kind::Name("sub-flow"), "The sub-flow."),
        may("with", TEXTS, "Its parameters; one left out has its start value."),
        may(
            "into",
            Kind::Map("variable", &Kind::Name("result")),
            "Variables of this flow, each with the sub-flow's [result] that it takes.",
        ),
        may(
            "on",
            Kind::Map("return", &Kind::Name("step")),
            "A step for each name with which the sub-flow returns.",
        ),
    ],
};

pub(crate) const RETURN: Form = Form {
    name: "return",
    doc: "Ends a sub-flow.",
    example: "return = \"known\"\n",
    fields: &[must("return", Kind::Text, "The name of the exit, for the `on` of the flow that led here.")],
};

pub(crate) const BACK: Form = Form {
    name: "back",
    doc: "Back to the step that an `anytime` key interrupted.",
    example: "back = true\notherwise = \"bye\"\n",
    fields: &[
        must("back", Kind::True, ""),
        step("otherwise", "The step for when no key interrupted anything."),
    ],
};

pub(crate) const ANSWER: Form = Form {
    name: "answer",
    doc: "Answers the call, unless it is answered.",
    example: "answer = true\nnext = \"bye\"\n",
    fields: &[must("answer", Kind::True, ""), NEXT],
};

pub(crate) const WAIT: Form = Form {
    name: "wait",
    doc: "Rings and waits, before an answer (by-step flows).",
    example: "wait = { ringing = \"3s\" }\nnext = \"bye\"\n",
    fields: &[must("wait", Kind::Table(&RINGING), "What is waited for."), NEXT],
};

pub(crate) const RINGING: Form = Form {
    name: "wait = { ... }",
    doc: "Ring-back.",
    example: "ringing = \"30s\"\n",
    fields: &[must("ringing", Kind::Duration(SECOND, 10 * MINUTE), "How long.")],
};

pub(crate) const ECHO: Form = Form {
    name: "echo",
    doc: "The caller hears himself.",
    example: "echo = \"60s\"\nnext = \"bye\"\n",
    fields: &[
        must(
            "echo",
            Kind::Any(&[Kind::Duration(SECOND, WEEK), Kind::True]),
            "How long; true: until the caller hangs up.",
        ),
        may("next", Kind::Name("step"), "The step that follows; required after a time."),
    ],
};

pub(crate) const REJECT: Form = Form {
    name: "reject",
    doc: "Refuses the call, before an answer (by-step flows).",
    example: "reject = 486\nreason = \"Busy Here\"\n",
    fields: &[
        must("reject", Kind::Number(300, 699), "The SIP status."),
        may("reason", Kind::Text, "Its words."),
    ],
};

pub(crate) const HANGUP: Form = Form {
    name: "hangup",
    doc: "Ends the call.",
    example: "hangup = true\n",
    fields: &[must("hangup", Kind::True, "")],
};
