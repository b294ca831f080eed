//! A picture of a flow: the one place that knows what flows are made of.

use crate::{Edge, Line, Node, Picture};
use ivr::{Act, Echo, Flow, Heard, SetRole, Sound, Step, StepId, Target, Template};
use std::time::Duration;

/// The name of what is drawn for the keys that a caller may press at any time; no step can be called so.
const ANY_TIME: &str = "at any time";

impl Picture {
    /// Steps of sub-flows stand in a frame, called after the step that leads in.
    pub fn of(flow: &Flow) -> Picture {
        let name =
            |id: StepId| flow.steps.get(id.0 as usize).map_or(String::new(), |step| step.name.to_string());
        let mut picture =
            Picture { title: flow.name.to_string(), start: name(flow.start), ..Picture::default() };
        for step in &flow.steps {
            let mut node = Node::new(&*step.name, step.kind());
            node.lines = lines(flow, step).into_iter().map(Line::new).collect();
            let site = step.origin.as_ref().and_then(|_| step.name.rsplit_once('/'));
            node.group = site.map(|(site, _)| site.to_owned());
            picture.nodes.push(node);
            let exits = step.exits().into_iter();
            picture.edges.extend(exits.map(|(label, to)| Edge::new(&*step.name, name(to), label)));
        }
        if !flow.anytime.is_empty() {
            picture.nodes.push(Node::new(ANY_TIME, "anytime"));
            let keys = flow.anytime.iter();
            picture.edges.extend(keys.map(|(key, to)| Edge::new(ANY_TIME, name(*to), key.to_string())));
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
            if let (SetRole::Enter, Some(origin)) = (set.role, &flow.step(set.next).origin) {
                lines.push(format!("sub-flow {}", origin.flow));
            }
            // A sub-flow's own variables begin as they always do; what is handed to it is worth a line.
            let told = |value: &Template| set.role != SetRole::Enter || !value.reads().is_empty();
            let told = set.values.iter().filter(|(_, value)| told(value));
            lines.extend(told.map(|(id, value)| format!("{} = {value}", variable(*id))));
        }
        Act::Language(language) => lines.push(language.language.to_string()),
        Act::Identify(identify) => lines.push(format!("{} by {}", identify.directory.name, identify.by)),
        Act::Http(http) => lines.push(format!("{} at most {}", http.service, time(http.timeout))),
        Act::Notify(notify) => lines.push(format!("{}: {}", notify.service, notify.event)),
        Act::Consent(consent) => {
            lines.push(format!("to {}: {} yes, {} no", consent.what, consent.yes, consent.no));
        }
        Act::Voicemail(voicemail) => {
            lines.push(format!("mailbox {}, at most {}", voicemail.mailbox, time(voicemail.max)));
        }
        Act::Callback(callback) => lines.push(format!("{}, to {}", callback.queue, callback.number)),
        Act::Survey(survey) => {
            let questions = survey.plan.questions.iter();
            lines.extend(questions.map(|q| format!("{} ({} %)", q.name, q.weight)));
        }
        Act::Bot(bot) => lines.push(format!("{}, at most {}", bot.bot, time(bot.timeout))),
        Act::Ring(ring) => lines.push(match &ring.to {
            Target::Agent(agent) => agent.to_string(),
            Target::Number { number, trunk } => format!("{number} over {trunk}"),
        }),
        Act::Queue(queue) => {
            lines.push(format!("queue {}", queue.queue));
            lines.extend(queue.require.as_ref().map(|r| format!("who: {r}")));
            lines.push(format!("severity {}", queue.severity));
            lines.extend(queue.timeout.map(|t| format!("at most {}", time(t))));
            lines.extend(queue.treatments.iter().map(|treatment| {
                let said: Vec<String> = treatment.sounds.iter().map(sound).collect();
                let every = treatment.every.map_or(String::new(), |t| format!(", every {}", time(t)));
                format!("after {}{every}: {}", time(treatment.after), said.join(" + "))
            }));
        }
        Act::Ringing { length, .. } | Act::Echo(Echo::For { length, .. }) => lines.push(time(*length)),
        Act::Reject { code, reason } => {
            lines.push(format!("{code} {}", reason.as_deref().unwrap_or("")).trim().to_owned());
        }
        _ => {
            let (straight, aside) = step.heard();
            lines.extend(straight.iter().chain(&aside).map(heard));
        }
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
