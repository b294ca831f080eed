//! Stories of callers, step by step.

#[path = "../common/mod.rs"]
mod common;

mod aloud;
mod anytime;
mod http;
mod keys;
mod known;
mod line;
mod outside;
mod secret;
mod survey;

use common::*;
use hotline_ivr::*;
use std::sync::Arc;

/// A flow of one step, whose exits all hang up; `var x` is the text "x".
pub fn one_step(answer: AnswerMode, ends: &[&str], act: impl FnOnce(&mut FlowBuilder) -> Act) -> Arc<Flow> {
    let mut b = Flow::builder("f");
    b.answer(answer).var("x", "x").start("step");
    let act = act(&mut b);
    b.step("step", act);
    common::ends(b, ends)
}

pub fn template(text: &str, b: &FlowBuilder) -> Template {
    Template::parse(text, &b.types()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

pub fn condition(text: &str, b: &FlowBuilder) -> Expr {
    Expr::condition(text, &b.types()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// What comes out of a call that does this, from its first step on.
pub fn story(flow: &Arc<Flow>, script: &[Do]) -> Vec<String> {
    let mut caller = Caller::call(flow);
    caller.does(script);
    let told = caller.told();
    let first = told.iter().position(|line| line.starts_with('>')).expect("a step is entered");
    told[first + 1..].to_vec()
}
