//! Flows: what an operator wrote, checked ([`Flow`]), and one caller's way through it ([`Visit`]).
//!
//! *Invariant:* nothing here knows SIP, media or files. A visit is a value: `(state, time, input) -> outputs`;
//! the engine serves calls with it, tests and the terminal play it.

mod contract;
pub mod expr;
mod flow;
pub mod hours;
pub mod pattern;
pub mod say;
mod visit;

pub use contract::{Input, Output, Piece, QueueEnd, RingEnd, Spoken, Start};
pub use expr::{Demand, Expr, ExprError, Template, Type, Types, Value, VarId, suggest};
pub use flow::{
    Act, AnswerMode, Branch, Collect, Echo, Flow, FlowBuilder, Heard, Hours, KEYS, Key, Menu, Play, Prompt,
    Queue, Retry, Ring, Set, Sound, Step, StepId, StepMissing, VarDecl,
};
pub use hours::{HoursError, Oddity, Range, Schedule};
pub use pattern::Pattern;
pub use say::SayKind;
pub use visit::{DIGITS_MAX, PATH_MAX, STEPS_MAX, TYPE_AHEAD_MAX, Visit};
