//! Flows before a caller hears them: tests on a virtual clock, random callers, and the stage that both and
//! `hotline dial` play on.
//!
//! *Invariant:* the interpreter is the engine's own (`ivr::Visit`); only what surrounds the caller is played.
//! No clock, socket or thread is in the stage: a test of a ten-minute wait takes microseconds.

mod coverage;
mod file;
mod others;
mod random;
mod report;
mod run;
mod script;
mod stage;

pub use coverage::{Counter, Coverage, FlowCoverage};
pub use file::{BadFile, Case, CaseFile, Minimum, read};
pub use others::{Asked, Chance, HttpMock, LinePlan, Others, Scripted, shown};
pub use random::{Problem, RandomReport, random};
pub use report::{Report, Summary, json, junit, way};
pub use run::{House, Outcome, act, run};
pub use script::{Action, BadAction};
pub use stage::{End, Lengths, Stage, Told, What};
