//! The shape of a flow: steps nobody reaches, circles nobody leaves.
use crate::finding::{Findings, all_of};
use crate::flow::FlowDraft;
use ivr::{Act, AnswerMode, StepId};
use std::collections::BTreeSet;

pub(crate) fn check(draft: &FlowDraft<'_>, findings: &Findings) {
    if !draft.whole {
        // Exits that could not be read would make steps look unreachable and circles closed.
        return;
    }
    let reached = reached(draft, [draft.flow.start]);
    for (step, site) in draft.flow.steps.iter().zip(&draft.sites) {
        if !reached.contains(&draft.flow.find(&step.name).unwrap_or(StepId(0))) {
            let what = format!("no way leads to step `{}`", crate::shorten(&step.name));
            findings.error_help(
                site.at,
                "unreachable-step",
                what,
                "remove it, or lead an exit to it".to_owned(),
            );
        }
    }
    check_circles(draft, &reached, findings);
    check_answers(draft, findings);
}

/// Where one can get from `start`, itself included.
fn reached(draft: &FlowDraft<'_>, start: impl IntoIterator<Item = StepId>) -> BTreeSet<StepId> {
    let mut reached = BTreeSet::new();
    let mut todo: Vec<StepId> = start.into_iter().collect();
    while let Some(id) = todo.pop() {
        if reached.insert(id) {
            todo.extend(exits(draft, id));
        }
    }
    reached
}

fn exits<'d>(draft: &'d FlowDraft<'_>, id: StepId) -> &'d [StepId] {
    draft.sites.get(id.0 as usize).map_or(&[], |site| &site.exits)
}

/// Circles of steps that never wait would run for ever; circles that no key, agent or end leaves play for ever.
fn check_circles(draft: &FlowDraft<'_>, reached: &BTreeSet<StepId>, findings: &Findings) {
    let steps =
        || draft.flow.steps.iter().enumerate().map(|(i, s)| (StepId(u32::try_from(i).unwrap_or(0)), s));
    let idle: BTreeSet<StepId> = steps().filter(|(_, s)| !s.waits()).map(|(id, _)| id).collect();
    // A circle with any way out of it is left by a branch sooner or later, as a counted retry is, unless
    // no step in it waits: then the whole count runs in no time, which is allowed only to end.
    for circle in circles(draft, &idle) {
        let first = circle.first().copied().unwrap_or(StepId(0));
        let names = names(draft, &circle);
        let at = draft.sites[first.0 as usize].at;
        let what = match circle.len() {
            1 => format!("step {names} leads to itself and never waits"),
            _ => format!("the steps {names} lead in a circle and never wait"),
        };
        let help = "let a step of the circle play, ask or wait".to_owned();
        if has_counter(draft, &circle) && leaves(draft, &circle) {
            findings.warning(at, "endless-loop", what, help);
        } else {
            findings.error_help(at, "endless-loop", what, help);
        }
    }
    // From every step some end must be in reach: hangup, reject, echo for ever, an agent's hanging up leads on.
    let all: BTreeSet<StepId> = reached.clone();
    for circle in circles(draft, &all) {
        if leaves(draft, &circle) || circle.iter().all(|id| idle.contains(id)) {
            continue;
        }
        let asks = |id: &StepId| {
            matches!(
                draft.flow.steps[id.0 as usize].act,
                Act::Menu(_) | Act::Collect(_) | Act::Queue(_) | Act::Ring(_) | Act::Echo(_)
            )
        };
        let first = circle.first().copied().unwrap_or(StepId(0));
        let names = names(draft, &circle);
        let (what, help) = if circle.iter().any(asks) {
            (
                format!("from {names} no way leads to the end of the call"),
                "lead an exit to a step that hangs up, at the latest after a number of tries",
            )
        } else {
            (
                format!("{names} would be played for ever, whatever the caller does"),
                "lead on to a step that hangs up, or count the rounds and branch",
            )
        };
        findings.warning(draft.sites[first.0 as usize].at, "no-end", what, help.to_owned());
    }
}

fn names(draft: &FlowDraft<'_>, circle: &BTreeSet<StepId>) -> String {
    let shown = circle.iter().take(6).map(|id| &*draft.flow.steps[id.0 as usize].name);
    let all = all_of(shown);
    if circle.len() > 6 { format!("{all} and {} more", circle.len() - 6) } else { all }
}

fn leaves(draft: &FlowDraft<'_>, circle: &BTreeSet<StepId>) -> bool {
    circle.iter().any(|id| exits(draft, *id).iter().any(|to| !circle.contains(to)))
}

fn has_counter(draft: &FlowDraft<'_>, circle: &BTreeSet<StepId>) -> bool {
    let is = |wanted: fn(&Act) -> bool| circle.iter().any(|id| wanted(&draft.flow.steps[id.0 as usize].act));
    is(|a| matches!(a, Act::Set(_))) && is(|a| matches!(a, Act::Branch(_)))
}

/// The strongly connected parts of the steps in `among` that have a circle in them, by their first step.
fn circles(draft: &FlowDraft<'_>, among: &BTreeSet<StepId>) -> Vec<BTreeSet<StepId>> {
    let inside = |id: StepId| exits(draft, id).iter().copied().filter(|to| among.contains(to));
    let ahead = |start: StepId| {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<StepId> = inside(start).collect();
        while let Some(id) = todo.pop() {
            if seen.insert(id) {
                todo.extend(inside(id));
            }
        }
        seen
    };
    let mut found: Vec<BTreeSet<StepId>> = vec![];
    let mut done = BTreeSet::new();
    for id in among {
        if done.contains(id) {
            continue;
        }
        let after = ahead(*id);
        if after.contains(id) {
            let circle: BTreeSet<StepId> =
                after.into_iter().filter(|other| ahead(*other).contains(id)).collect();
            done.extend(circle.iter().copied());
            found.push(circle);
        }
    }
    found
}

/// In a by-step flow nothing that comes before an answer may follow one.
fn check_answers(draft: &FlowDraft<'_>, findings: &Findings) {
    if draft.flow.answer != AnswerMode::ByStep {
        return;
    }
    // Where the call is surely answered when the step begins: on every way to it.
    let answers = |id: StepId| match &draft.flow.steps[id.0 as usize].act {
        Act::Play(play) => !play.early,
        Act::Ring(ring) => ring.answer,
        Act::Answer { .. } | Act::Menu(_) | Act::Collect(_) | Act::Queue(_) | Act::Echo(_) => true,
        _ => false,
    };
    let mut unanswered = BTreeSet::new();
    let mut todo = vec![draft.flow.start];
    while let Some(id) = todo.pop() {
        if unanswered.insert(id) && !answers(id) {
            todo.extend(exits(draft, id));
        }
    }
    for (i, site) in draft.sites.iter().enumerate() {
        let id = StepId(u32::try_from(i).unwrap_or(0));
        if let Some((what, at)) = site.before_answer
            && !unanswered.contains(&id)
        {
            findings.error_help(
                at,
                "already-answered",
                format!(
                    "step `{}` wants {what}, but every way to it answers the call first",
                    draft.flow.steps[i].name
                ),
                "move it before the first step that answers".to_owned(),
            );
        }
    }
}
