//! Forms of flow files outside their steps.
use super::{Field, Form, Kind, Part, TABLE, may, must, or};

pub(crate) const FLOW: Form = Form {
    name: "[flow]",
    doc: "The flow as a whole.",
    example: "name = \"support\"\nstart = \"welcome\"\nlanguage = \"en\"\n",
    fields: &[
        must("name", Kind::Text, "As the file is called."),
        must("start", Kind::Name("step"), "The first step."),
        may("title", Kind::Text, "For people."),
        may("language", Kind::Name("language"), "Spoken until the caller chooses; the first by name."),
        or(
            "answer",
            "\"at-once\"",
            Kind::OneOf(&["at-once", "by-step"]),
            "By-step: nothing is sent until a step asks.",
        ),
        or("barge_in", "true", Kind::Flag, "A key stops a prompt."),
        or("type_ahead", "true", Kind::Flag, "Keys pressed early count for the next question."),
        may("zone", Kind::Name("time zone"), "Local time of `say` and expressions; [engine] zone."),
        may(
            "anytime",
            Kind::Map("key", &Kind::Name("step")),
            "Keys that lead to a step from every play, say and menu, where the menu has no such key; `back` returns.",
        ),
        or(
            "sub",
            "false",
            Kind::Flag,
            "A sub-flow: other flows lead into it with `subflow`, no number does.",
        ),
    ],
};

pub(crate) const SUBFLOW_HEAD: Form = Form {
    name: "[flow] of a sub-flow",
    doc: "Language, time zone and the rest are those of the flow that leads into it.",
    example: "name = \"identify\"\nsub = true\nstart = \"ask\"\n",
    fields: &[
        must("name", Kind::Text, "As the file is called."),
        must("start", Kind::Name("step"), "The first step."),
        must("sub", Kind::True, "A sub-flow."),
        may("title", Kind::Text, "For people."),
        or("barge_in", "true", Kind::Flag, "A key stops a prompt."),
    ],
};

const FIELDS: Field = may(
    "fields",
    Kind::Map("field", &Kind::Declaration),
    "A record's fields, each declared like a variable; no records again.",
);

pub(crate) const DECLARED: Form = Form {
    name: "a variable with its type",
    doc: "`tries = 0`, `topic = \"\"`, `late = false` and `langs = [\"en\"]` say their type themselves.",
    example: "type = \"digits\"\nmask = true\n",
    fields: &[
        must(
            "type",
            Kind::OneOf(&["text", "number", "bool", "digits", "time", "duration", "list", "record"]),
            "What it holds.",
        ),
        may(
            "start",
            Kind::Any(&[Kind::Constant, Kind::List(&Kind::Constant)]),
            "What it is at first: empty, 0, false; a time as \"2026-01-01T09:00\", a duration as \"5m\".",
        ),
        or(
            "mask",
            "false",
            Kind::Flag,
            "Reaches no record, log, event or recording; nor does what is computed from it.",
        ),
        may("of", Kind::Text, "What a list holds (text); or the directory whose shape a record has."),
        FIELDS,
    ],
};

/// The tables of a flow file.
pub(crate) const FLOW_FILE: &[Part] = &[
    Part { key: "flow", form: &FLOW, named: false, required: true },
    Part { key: "param", form: &PARAM, named: false, required: false },
    Part { key: "var", form: &VAR, named: false, required: false },
    Part { key: "result", form: &RESULT, named: false, required: false },
    Part { key: "table", form: &TABLE, named: true, required: false },
];

pub(crate) const PARAM: Form = Form {
    name: "[param]",
    doc: "Of a sub-flow: what it is told, declared like variables, each with the value it has when the step that leads in does not say.",
    example: "tries = 3\nkey = \"\"\n",
    fields: &[],
};

pub(crate) const VAR: Form = Form {
    name: "[var]",
    doc: "Every variable with its start value. Built in, and read only: `caller`, `dialled`, `now`, `position`, `wait`, `agent`, `call`; `entry` within a check. Built in, and settable: `language`, `severity`.",
    example: "tries = 0\ntopic = \"\"\npin = { type = \"digits\", mask = true }\npause = { type = \"duration\", start = \"5m\" }\nlangs = { type = \"list\", of = \"text\" }\ncustomer = { type = \"record\", fields = { name = \"\", open_cases = 0 } }\n",
    fields: &[],
};

pub(crate) const RESULT: Form = Form {
    name: "[result]",
    doc: "Of a sub-flow: names for those of its variables that it hands back.",
    example: "customer = \"customer\"\n",
    fields: &[],
};
