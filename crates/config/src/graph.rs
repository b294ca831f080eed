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
    let anytime = draft.flow.anytime.iter().map(|(_, to)| *to);
    let reached = reached(draft, anytime.clone().chain([draft.flow.start]));
    for (i, (step, site)) in draft.flow.steps.iter().zip(&draft.sites).enumerate() {
        // A sub-flow's steps are looked at where they are written.
        let looked_at = step.origin.is_none();
        if looked_at && !reached.contains(&StepId(u32::try_from(i).unwrap_or(0))) {
            let what = format!("no way leads to step `{}`", crate::shorten(&step.name));
            findings.error_help(
                site.at,
                "unreachable-step",
                what,
                "remove it, or lead an exit to it".to_owned(),
            );
        }
    }
    check_detours(draft, findings);
    check_circles(draft, &reached, findings);
    check_answers(draft, findings);
}

/// `back` without an `anytime` key that leads to it.
fn check_detours(draft: &FlowDraft<'_>, findings: &Findings) {
    let detours = reached(draft, draft.flow.anytime.iter().map(|(_, to)| *to));
    for (i, (step, site)) in draft.flow.steps.iter().zip(&draft.sites).enumerate() {
        let id = StepId(u32::try_from(i).unwrap_or(0));
        let anytime_elsewhere = draft.sub || step.origin.is_some();
        if matches!(step.act, Act::Back { .. }) && !detours.contains(&id) && !anytime_elsewhere {
            findings.warning(
                site.at,
                "back-without-anytime",
                format!("step `{}` goes back, and no `anytime` key leads to it", step.name),
                "name a key in [flow] anytime, or lead straight to its `otherwise`".to_owned(),
            );
        }
    }
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
        if within_a_subflow(draft, &circle) {
            continue;
        }
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
        let said = circle.iter().all(|id| idle.contains(id)) || within_a_subflow(draft, &circle);
        if leaves(draft, &circle) || said {
            continue;
        }
        let asks = |id: &StepId| {
            matches!(
                draft.flow.steps[id.0 as usize].act,
                Act::Menu(_)
                    | Act::Collect(_)
                    | Act::Consent(_)
                    | Act::Queue(_)
                    | Act::Ring(_)
                    | Act::Echo(_)
                    | Act::Voicemail(_)
                    | Act::Survey(_)
                    | Act::Bot(_)
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

/// Said where the sub-flow is written.
fn within_a_subflow(draft: &FlowDraft<'_>, circle: &BTreeSet<StepId>) -> bool {
    let mut sites = circle.iter().map(|id| {
        let step = &draft.flow.steps[id.0 as usize];
        step.origin.as_ref().map(|o| step.name.len() - o.step.len()).map(|end| &step.name[..end])
    });
    let first = sites.next().flatten();
    first.is_some() && sites.all(|site| site == first)
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

/// The strongly connected parts of the steps in `among` that have a circle in them, by their first step
/// (Tarjan 1972, without recursion).
fn circles(draft: &FlowDraft<'_>, among: &BTreeSet<StepId>) -> Vec<BTreeSet<StepId>> {
    const NEW: usize = usize::MAX;
    let count = draft.flow.steps.len();
    let place = |id: StepId| id.0 as usize;
    let inside = |id: StepId| exits(draft, id).iter().copied().filter(|to| among.contains(to));
    let (mut order, mut low, mut open) = (vec![NEW; count], vec![0; count], vec![false; count]);
    let (mut next, mut stack, mut found) = (0, vec![], vec![]);
    for start in among {
        if order[place(*start)] != NEW {
            continue;
        }
        let mut way = vec![(*start, inside(*start))];
        while let Some((id, exits)) = way.last_mut() {
            let id = *id;
            let at = place(id);
            if order[at] == NEW {
                (order[at], low[at], open[at]) = (next, next, true);
                next += 1;
                stack.push(id);
            }
            match exits.next() {
                Some(to) if order[place(to)] == NEW => way.push((to, inside(to))),
                Some(to) if open[place(to)] => low[at] = low[at].min(order[place(to)]),
                Some(_) => {}
                None => {
                    way.pop();
                    if let Some((before, _)) = way.last() {
                        low[place(*before)] = low[place(*before)].min(low[at]);
                    }
                    if low[at] == order[at] {
                        let part = stack.iter().rposition(|s| *s == id).unwrap_or(0);
                        let part: BTreeSet<StepId> = stack.drain(part..).collect();
                        part.iter().for_each(|s| open[place(*s)] = false);
                        let circle = part.len() > 1 || inside(id).any(|to| to == id);
                        found.extend(circle.then_some(part));
                    }
                }
            }
        }
    }
    found.sort_by_key(|circle| circle.first().copied());
    found
}

/// In a by-step flow nothing that comes before an answer may follow one.
fn check_answers(draft: &FlowDraft<'_>, findings: &Findings) {
    if draft.flow.answer != AnswerMode::ByStep {
        for (step, site) in draft.flow.steps.iter().zip(&draft.sites).filter(|(s, _)| s.origin.is_some()) {
            if let Some((what, at)) = site.before_answer {
                findings.error_help(
                    at,
                    "already-answered",
                    format!(
                        "step `{}` wants {what}, but flow `{}` answers every call at once",
                        step.name, draft.flow.name
                    ),
                    format!("write `answer = \"by-step\"` in [flow] of {}.toml", draft.flow.name),
                );
            }
        }
        return;
    }
    // Where the call is surely answered when the step begins: on every way to it.
    let answers = |id: StepId| match &draft.flow.steps[id.0 as usize].act {
        Act::Play(play) => !play.early,
        Act::Ring(ring) => ring.answer,
        Act::Answer { .. }
        | Act::Menu(_)
        | Act::Collect(_)
        | Act::Consent(_)
        | Act::Queue(_)
        | Act::Echo(_)
        | Act::Voicemail(_)
        | Act::Survey(_)
        | Act::Bot(_) => true,
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
