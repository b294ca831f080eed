//! A picture of a flow: the one place that knows what flows are made of.

use crate::{Edge, Line, Node, Picture};
use ivr::{Act, Echo, Flow, Heard, Sound, Step};
use std::time::Duration;

impl Picture {
    pub fn of(flow: &Flow) -> Picture {
        let name = |id: ivr::StepId| flow.step(id).name.to_string();
        let mut picture =
            Picture { title: flow.name.to_string(), start: name(flow.start), ..Picture::default() };
        for step in &flow.steps {
            let mut node = Node::new(&*step.name, step.kind());
            node.lines = lines(flow, step).into_iter().map(Line::new).collect();
            picture.nodes.push(node);
            let exits = step.exits().into_iter();
            picture.edges.extend(exits.map(|(label, to)| Edge::new(&*step.name, name(to), label)));
        }
        picture
    }
}

/// What is said, asked, set: kinds that have more to tell than their prompts are listed.
fn lines(flow: &Flow, step: &Step) -> Vec<String> {
    let types = flow.types();
    let variable = |id: ivr::VarId| types.variable(id).map_or("?".to_owned(), |v| v.name.to_string());
    let mut lines = Vec::new();
    let mut sounds = |verb: &str, list: &[Sound]| {
        let said: Vec<String> = list.iter().map(sound).collect();
        if !said.is_empty() {
            lines.push(format!("{verb}{}", said.join(" + ")));
        }
    };
    match &step.act {
        Act::Play(play) => {
            sounds("", &play.prompt.sounds);
            if play.repeat > 1 {
                lines.push(format!("{} times", play.repeat));
            }
        }
        Act::Menu(menu) => {
            sounds("", &menu.prompt.sounds);
            if let Some(into) = menu.into {
                let values: Vec<String> =
                    menu.keys.iter().map(|k| format!("{} = {}", k.key, k.value)).collect();
                lines.push(format!("{}: {}", variable(into), values.join(", ")));
            }
        }
        Act::Collect(collect) => {
            sounds("", &collect.prompt.sounds);
            let digits = match (collect.min, collect.max) {
                (min, max) if min == max => format!("{min} digits"),
                (min, max) => format!("{min} to {max} digits"),
            };
            let end = collect.end.map_or(String::new(), |c| format!(", ends with {c}"));
            let mask = if collect.mask { ", masked" } else { "" };
            lines.push(format!("{}: {digits}{end}{mask}", variable(collect.into)));
        }
        Act::Set(set) => {
            lines.extend(set.values.iter().map(|(id, value)| format!("{} = {value}", variable(*id))));
        }
        Act::Queue(queue) => {
            lines.push(format!("queue {}", queue.queue));
            lines.extend(queue.require.as_ref().map(|r| format!("who: {r}")));
            lines.push(format!("severity {}", queue.severity));
            lines.extend(queue.timeout.map(|t| format!("at most {}", time(t))));
        }
        Act::Ringing { length, .. } | Act::Echo(Echo::For { length, .. }) => lines.push(time(*length)),
        Act::Reject { code, reason } => {
            lines.push(format!("{code} {}", reason.as_deref().unwrap_or("")).trim().to_owned());
        }
        _ => lines.extend(step.heard().0.iter().map(heard)),
    }
    lines
}

fn sound(sound: &Sound) -> String {
    match sound {
        Sound::Prompt(name) => name.to_string(),
        Sound::Say { kind, value } => format!("say {kind} {value}"),
        Sound::Silence(length) => format!("silence {}", time(*length)),
        Sound::Tone { hz: [a, 0], length, .. } => format!("tone {a} Hz {}", time(*length)),
        Sound::Tone { hz: [a, b], length, .. } => format!("tone {a} + {b} Hz {}", time(*length)),
    }
}

fn heard(heard: &Heard<'_>) -> String {
    match heard {
        Heard::Prompt(name) => name.to_string(),
        Heard::Say(kind) => format!("say {kind}"),
        Heard::Timed(length) => format!("silence or tone {}", time(*length)),
    }
}

/// As operators write it: `300ms`, `5s`, `10m`, `2h`.
fn time(length: Duration) -> String {
    let millis = length.as_millis();
    match millis {
        0 => "0s".into(),
        m if m % 3_600_000 == 0 => format!("{}h", m / 3_600_000),
        m if m % 60_000 == 0 => format!("{}m", m / 60_000),
        m if m % 1000 == 0 => format!("{}s", m / 1000),
        m => format!("{m}ms"),
    }
}
