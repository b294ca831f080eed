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
    fn set(&mut self, id: VarId, values: Option<Vec<Value>>) {
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
    let mut todo = vec![];
    enter(&mut states, &mut todo, flow.start, &start);
    while let Some(id) = todo.pop() {
        let Some(known) = states[id.0 as usize].clone() else { continue };
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
            Act::Set(Set { values, next, .. }) => {
                let mut after = known;
                for (id, template) in values {
                    let value = after.after(template);
                    after.set(*id, value);
                }
                enter(&mut states, &mut todo, *next, &after);
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

fn enter(states: &mut [Option<Known>], todo: &mut Vec<StepId>, to: StepId, with: &Known) {
    let Some(slot) = states.get_mut(to.0 as usize) else { return };
    let grown = match slot {
        Some(known) => known.join(with),
        None => {
            *slot = Some(with.clone());
            true
        }
    };
    if grown && !todo.contains(&to) {
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
        let start = Known(vec![None, None, None, None, Some(vec![Value::from("")])]);
        let states = at_steps(&flow, start);
        let both = Some(vec![Value::from(""), Value::from("storage")]);
        for state in states {
            assert_eq!(state.expect("the circle reaches every step").0[topic.0 as usize], both);
        }
    }
}
