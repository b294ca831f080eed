//! Which values a flow's variables can have at each step, as far as the text of the flow tells.
use ivr::{Act, Flow, Set, StepId, Template, Value, VarId};
use std::collections::BTreeSet;

/// More values than this are as good as any value.
const VALUES_MAX: usize = 32;
/// More combinations than this are not tried one by one.
const COMBINATIONS_MAX: usize = 256;

/// By `VarId`: the values a variable can have; None: any.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Known(pub Vec<Option<Vec<Value>>>);

impl Known {
    pub fn set(&mut self, id: VarId, values: Option<Vec<Value>>) {
        if let Some(slot) = self.0.get_mut(id.0 as usize) {
            *slot = values;
        }
    }

    /// Takes in what else can be the case. Whether anything was new.
    fn join(&mut self, other: &Known) -> bool {
        let mut grown = false;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            let Some(values) = mine else { continue };
            match theirs {
                None => {
                    *mine = None;
                    grown = true;
                }
                Some(theirs) => {
                    for value in theirs {
                        if !values.contains(value) {
                            values.push(value.clone());
                            grown = true;
                        }
                    }
                    if values.len() > VALUES_MAX {
                        *mine = None;
                    }
                }
            }
        }
        grown
    }

    /// Every combination of the variables in `reads`, each as a full list of values; None: some can be
    /// anything, or there are too many.
    pub fn combinations(&self, reads: &BTreeSet<VarId>) -> Option<Vec<Vec<Value>>> {
        let mut all = vec![vec![Value::from(""); self.0.len()]];
        for id in reads {
            let values = self.0.get(id.0 as usize)?.as_ref()?;
            if all.len() * values.len() > COMBINATIONS_MAX {
                return None;
            }
            all = all
                .iter()
                .flat_map(|row| {
                    values.iter().map(|value| {
                        let mut row = row.clone();
                        row[id.0 as usize] = value.clone();
                        row
                    })
                })
                .collect();
        }
        Some(all)
    }

    fn after(&self, template: &Template) -> Option<Vec<Value>> {
        let mut values = vec![];
        for row in self.combinations(&template.reads())? {
            let value = template.eval(&row);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Some(values)
    }
}

/// What is known when each step begins; None: it is never reached.
pub(crate) fn at_steps(flow: &Flow, start: Known) -> Vec<Option<Known>> {
    let mut states: Vec<Option<Known>> = vec![None; flow.steps.len()];
    let mut todo = Todo { list: vec![], waits: vec![false; flow.steps.len()] };
    let detour = Detour::of(flow);
    enter(&mut states, &mut todo, flow.start, &start);
    while let Some(id) = todo.pop() {
        let Some(known) = states[id.0 as usize].clone() else { continue };
        if detour.interrupts(flow, id) {
            flow.anytime.iter().for_each(|(_, to)| enter(&mut states, &mut todo, *to, &known));
        }
        match &flow.steps[id.0 as usize].act {
            Act::Menu(menu) => {
                for key in &menu.keys {
                    let mut after = known.clone();
                    if let Some(into) = menu.into {
                        after.set(into, Some(vec![key.value.clone()]));
                    }
                    enter(&mut states, &mut todo, key.to, &after);
                }
                enter(&mut states, &mut todo, menu.no_input.then, &known);
                enter(&mut states, &mut todo, menu.invalid.then, &known);
            }
            Act::Collect(collect) => {
                enter(&mut states, &mut todo, collect.no_input.then, &known);
                enter(&mut states, &mut todo, collect.invalid.then, &known);
                let mut after = known;
                after.set(collect.into, None);
                enter(&mut states, &mut todo, collect.next, &after);
            }
            Act::Language(language) => {
                let speaks = |v: &Value| flow.languages.iter().any(|l| **l == *v.text());
                let languages = match known.after(&language.language) {
                    Some(values) => values.into_iter().filter(|v| speaks(v)).collect(),
                    None => flow.languages.iter().map(|l| Value::from(&**l)).collect(),
                };
                enter(&mut states, &mut todo, language.unknown, &known);
                let mut after = known;
                after.set(VarId::LANGUAGE, Some(languages));
                enter(&mut states, &mut todo, language.next, &after);
            }
            Act::Identify(identify) => {
                enter(&mut states, &mut todo, identify.unknown, &known);
                let mut after = known;
                after.set(identify.into, None);
                enter(&mut states, &mut todo, identify.found, &after);
            }
            Act::Http(http) => {
                let mut after = known;
                if let Some(status) = http.status {
                    after.set(status, None);
                }
                for to in http.on_status.iter().map(|(.., to)| to).chain([&http.on_error]) {
                    enter(&mut states, &mut todo, *to, &after);
                }
                http.into.iter().for_each(|taken| after.set(taken.into, None));
                enter(&mut states, &mut todo, http.next, &after);
            }
            Act::Survey(survey) => {
                enter(&mut states, &mut todo, survey.none, &known);
                let mut after = known;
                if let Some(into) = survey.into {
                    after.set(into, None);
                }
                enter(&mut states, &mut todo, survey.next, &after);
                enter(&mut states, &mut todo, survey.low, &after);
            }
            Act::Bot(bot) => {
                enter(&mut states, &mut todo, bot.on_error, &known);
                let mut after = known;
                bot.into.iter().for_each(|(_, id)| after.set(*id, None));
                enter(&mut states, &mut todo, bot.next, &after);
                enter(&mut states, &mut todo, bot.hand_over, &after);
            }
            Act::Set(Set { values, next, .. }) => {
                let mut after = known;
                for (id, template) in values {
                    let value = after.after(template);
                    after.set(*id, value);
                }
                enter(&mut states, &mut todo, *next, &after);
            }
            Act::Back { otherwise } => {
                detour.back(flow, &mut states, &mut todo, &known);
                enter(&mut states, &mut todo, *otherwise, &known);
            }
            _ => {
                for (_, to) in flow.steps[id.0 as usize].exits() {
                    enter(&mut states, &mut todo, to, &known);
                }
            }
        }
    }
    states
}

/// Steps to look at again, each once.
struct Todo {
    list: Vec<StepId>,
    waits: Vec<bool>,
}

impl Todo {
    fn push(&mut self, id: StepId) {
        if !std::mem::replace(&mut self.waits[id.0 as usize], true) {
            self.list.push(id);
        }
    }

    fn pop(&mut self) -> Option<StepId> {
        let id = self.list.pop()?;
        self.waits[id.0 as usize] = false;
        Some(id)
    }
}

/// What `anytime` keys lead to, until a step goes back.
struct Detour {
    /// Steps of the way, by `StepId`.
    way: Vec<bool>,
    /// Variables that it can change.
    writes: BTreeSet<VarId>,
}

impl Detour {
    fn of(flow: &Flow) -> Detour {
        let mut detour = Detour { way: vec![false; flow.steps.len()], writes: BTreeSet::new() };
        let mut todo: Vec<StepId> = flow.anytime.iter().map(|(_, to)| *to).collect();
        while let Some(id) = todo.pop() {
            let Some(step) = flow.steps.get(id.0 as usize) else { continue };
            if std::mem::replace(&mut detour.way[id.0 as usize], true) {
                continue;
            }
            detour.writes.extend(crate::cross::writes(&step.act));
            if !matches!(step.act, Act::Back { .. }) {
                todo.extend(step.exits().into_iter().map(|(_, to)| to));
            }
        }
        detour
    }

    /// Whether an `anytime` key can come while the step is heard.
    fn interrupts(&self, flow: &Flow, id: StepId) -> bool {
        !flow.anytime.is_empty() && matches!(flow.steps[id.0 as usize].act, Act::Play(_) | Act::Menu(_))
    }

    /// Back to whatever was interrupted, with what the way changed.
    fn back(&self, flow: &Flow, states: &mut [Option<Known>], todo: &mut Todo, changed: &Known) {
        for i in 0..flow.steps.len() {
            let id = StepId(u32::try_from(i).unwrap_or(0));
            let Some(mut known) = states[i].clone().filter(|_| self.interrupts(flow, id)) else { continue };
            for var in &self.writes {
                known.set(*var, changed.0.get(var.0 as usize).cloned().flatten());
            }
            enter(states, todo, id, &known);
        }
    }
}

fn enter(states: &mut [Option<Known>], todo: &mut Todo, to: StepId, with: &Known) {
    let Some(slot) = states.get_mut(to.0 as usize) else { return };
    let grown = match slot {
        Some(known) => known.join(with),
        None => {
            *slot = Some(with.clone());
            true
        }
    };
    if grown {
        todo.push(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_circle_sets_comes_round() {
        let mut flow = Flow::builder("circle");
        flow.var("topic", "");
        let topic = flow.var_id("topic");
        let (first, second) = (flow.id("first"), flow.id("second"));
        flow.step("first", Act::Answer { next: second });
        flow.step(
            "second",
            Act::Set(Set {
                role: ivr::SetRole::Set,
                values: vec![(topic, Template::text("storage"))],
                next: first,
            }),
        );
        let flow = flow.build().expect("both steps are made");
        let start = Known([vec![None; ivr::BUILT_IN.len()], vec![Some(vec![Value::from("")])]].concat());
        let states = at_steps(&flow, start);
        let both = Some(vec![Value::from(""), Value::from("storage")]);
        for state in states {
            assert_eq!(state.expect("the circle reaches every step").0[topic.0 as usize], both);
        }
    }
}
