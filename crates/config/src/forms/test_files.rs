//! Forms of NAME.test.toml: `hotline test` reads them itself.
use super::{Field, Form, Kind, Part, may, must};

/// The tables of a file of tests.
pub(crate) const TESTS: &[Part] = &[
    Part { key: "defaults", form: &CASE, named: false, required: false },
    Part { key: "minimum", form: &MINIMUM, named: false, required: false },
];

pub(crate) const MINIMUM: Form = Form {
    name: "[minimum]",
    doc: "Percent of the flow that the tests must cover.",
    example: "steps = 100\nexits = 90\n",
    fields: &[may("steps", Kind::Real, "Of its steps."), may("exits", Kind::Real, "Of its exits.")],
};

const TEXTS: Kind = Kind::List(&Kind::Text);

pub(crate) const CASE: Form = Form {
    name: "[[test]]",
    doc: "What is given, what the caller does, what is expected. [defaults] says what holds for every test of the file.",
    example: "name = \"a P0 reaches the experts\"\ntime = \"2026-11-23 10:00\"\ndo = [\"hear choose-language\", \"press 2\"]\nhears = [\"welcome\"]\nends = \"flow\"\n",
    fields: &[
        may("name", Kind::Text, "Of the test; required there."),
        may("time", Kind::Text, "Local time of the flow: \"2026-11-23 10:00\"."),
        may("caller", Kind::Text, "Who calls."),
        may("number", Kind::Text, "What was dialled."),
        may("vars", Kind::Map("variable", &Kind::Constant), "Start values of variables."),
        may("staff", TEXTS, "Agents who are signed in."),
        may("announcements", TEXTS, "Those that are switched on."),
        may("queues", Kind::Map("queue", &LINE), "How each line ends."),
        may("rings", Kind::Map("who", &LINE), "How each ringing ends."),
        may("http", Kind::List(&Kind::Table(&MOCK)), "What other systems answer; the first that fits."),
        may("voicemail", Kind::OneOf(&["kept", "empty", "full"]), "How a message ends."),
        may("callback", Kind::OneOf(&["taken", "full", "invalid"]), "How a callback ends."),
        may("bots", Kind::Map("bot", &Kind::Table(&BOT_PLAN)), "How each bot ends."),
        may("do", TEXTS, "What the caller does: \"hear welcome\", \"press 1\", \"wait 5s\", \"hang up\"."),
        may("hears", TEXTS, "These prompts in this order, perhaps others between."),
        may("hears_exactly", TEXTS, "These prompts and no others."),
        may("never_hears", TEXTS, "None of these prompts."),
        may("path", TEXTS, "These steps in this order, perhaps others between."),
        may("path_exactly", TEXTS, "These steps and no others."),
        may("expect", Kind::Map("variable", &Kind::Anything), "Variables at the end."),
        may("queue", Kind::Table(&EXPECT_QUEUE), "The last line entered."),
        may("requests", TEXTS, "What was asked of other systems."),
        may("survey", Kind::Table(&EXPECT_SURVEY), "The survey's outcome."),
        may("ends", Kind::Text, "\"flow\", \"caller\", \"reject 486\" or \"waits\"."),
        may("language", Kind::Text, "Spoken at the end."),
        may("snapshot", Kind::Flag, "The prompts heard must be those of the snapshot file."),
    ],
};

const LINE: Kind = Kind::Any(&[Kind::Text, Kind::Table(&LINE_PLAN)]);
const AFTER: Field = may("after", Kind::Text, "How long that takes: \"30s\".");

pub(crate) const LINE_PLAN: Form = Form {
    name: "queues = { x = { ... } }",
    doc: "How a line or a ringing ends.",
    example: "after = \"30s\"\nagent = \"alice\"\n",
    fields: &[
        may("ends", Kind::Text, "In one word."),
        AFTER,
        may("agent", Kind::Text, "Who answers."),
        may("talk", Kind::Text, "How long they talk."),
        may("position", Kind::Number(0, 100_000), "The caller's place."),
        may("wait", Kind::Text, "The estimated wait."),
    ],
};

pub(crate) const MOCK: Form = Form {
    name: "http = [{ ... }]",
    doc: "What another system answers.",
    example: "service = \"crm\"\njson = { name = \"Chen\" }\n",
    fields: &[
        may("service", Kind::Name("service"), "Whose answer it is."),
        may("method", Kind::Text, "To which method."),
        may("url", Kind::Text, "To which url."),
        AFTER,
        may("status", Kind::Number(100, 599), "Its status."),
        may("json", Kind::Anything, "Its body, as JSON."),
        may("body", Kind::Text, "Its body, as text."),
        may("fail", Kind::Text, "No answer at all."),
    ],
};

pub(crate) const BOT_PLAN: Form = Form {
    name: "bots = { x = { ... } }",
    doc: "How a bot ends.",
    example: "ends = \"finished\"\n",
    fields: &[
        must("ends", Kind::Text, "In one word."),
        AFTER,
        may("learns", Kind::Map("name", &Kind::Text), "What it finds out."),
    ],
};

pub(crate) const EXPECT_QUEUE: Form = Form {
    name: "queue = { ... }",
    doc: "The last line entered.",
    example: "name = \"critical\"\nseverity = \"P0\"\n",
    fields: &[
        may("name", Kind::Name("queue"), "Which."),
        may("severity", Kind::Text, "With which severity."),
        may("require", Kind::Text, "With which requirement."),
    ],
};

pub(crate) const EXPECT_SURVEY: Form = Form {
    name: "survey = { ... }",
    doc: "The survey's outcome.",
    example: "score = 4.3\nlow = false\n",
    fields: &[
        may("name", Kind::Name("survey"), "Which."),
        may("score", Kind::Real, "In marks."),
        may("low", Kind::Flag, "Whether it is low."),
    ],
};
