//! Flows: what an operator wrote, checked ([`Flow`]), and one caller's way through it ([`Visit`]).
//!
//! *Invariant:* nothing here knows SIP, media or files. A visit is a value: `(state, time, input) -> outputs`;
//! the engine serves calls with it, tests and the terminal play it.

mod contract;
pub mod expr;
mod facts;
mod flow;
pub mod hours;
pub mod pattern;
pub mod say;
mod visit;

pub use contract::{
    BotEnd, CallbackEnd, HttpFailure, HttpMethod, HttpPart, HttpRequest, HttpResult, HttpText, Input,
    MessageEnd, Output, Piece, QueueEnd, RecordAction, RingEnd, Spoken, Start, Ticket,
};
pub use expr::{
    BUILT_IN, Demand, Expr, ExprError, Field, FunctionDoc, RecordId, RecordType, Scalar, Table, Template,
    Type, Types, Value, VarId, functions, http_pieces, suggest,
};
pub use facts::Facts;
pub use flow::{
    Act, Announce, AnswerMode, Bot, Branch, Callback, Collect, Consent, Directory, Echo, Flow, FlowBuilder,
    Heard, Hours, Http, HttpPiece, Identify, JsonPath, JsonStep, JsonTemplate, KEYS, Key, Language, Menu,
    Notify, Origin, Play, Prompt, Queue, Record, Retry, Ring, Set, SetRole, Sound, Step, StepId, StepMissing,
    Survey, SurveyPlan, SurveyQuestion, Taken, Target, Treatment, VarDecl, Voicemail,
};
pub use hours::{HoursError, Oddity, Range, Schedule};
pub use pattern::Pattern;
pub use say::{Currency, SayKind};
pub use visit::{ANSWER_MAX, DIGITS_MAX, PATH_MAX, STEPS_MAX, TYPE_AHEAD_MAX, Visit};

/// A telephone number as directories keep it: digits only, without `+`, spaces and dashes, and without the
/// country code when it is `country` (`"86"`).
pub fn plain_number(number: &str, country: &str) -> String {
    let international = number.trim_start().starts_with('+') || number.trim_start().starts_with("00");
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    match digits.strip_prefix(country) {
        Some(rest) if international && !country.is_empty() => rest.to_owned(),
        _ => digits.to_owned(),
    }
}
