//! Ways to a person: how long a caller listens, and how many keys he presses, before an agent can be had.
//!
//! A person is a queue, an agent or a number that is rung; voicemail and callbacks are none. A way is followed in one
//! language after another as the caller chooses them, and a branch only where it can be taken. What is said
//! of values (numbers, dates) is taken for two seconds. The way back from an `anytime` key is not followed: it leads where
//! the caller was.
use crate::values::{self, Known};
use engine::{Prompts, Settings};
use ivr::{Act, BUILT_IN, Echo, Flow, Prompt, Retry, Sound, StepId, Template, Value, VarId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// The ways of one number's callers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NumberWays {
    pub number: String,
    pub title: String,
    pub flow: String,
    /// The quickest, for a caller who knows the keys: no prompt is waited for that a key interrupts.
    pub quickest: Option<Way>,
    /// The shortest for a caller who listens to everything.
    pub shortest: Option<Way>,
    /// The longest for a caller who listens to everything and is nowhere twice.
    pub longest: Option<Longest>,
    /// The way with the most keys to press, nowhere twice.
    pub deepest: Option<Longest>,
}

/// From the start of a call to a person.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Way {
    /// What is heard and waited for.
    pub seconds: f64,
    /// Keys pressed.
    pub keys: u32,
    /// The language that is spoken at the end.
    pub language: String,
    /// Step by step to the one that brings a person.
    pub steps: Vec<WayStep>,
}

/// A step, and the exit by which it is left; the last one is left by none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WayStep {
    pub step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
}

/// The longest that was found, and what none exceeds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Longest {
    #[serde(flatten)]
    pub way: Way,
    /// No way takes more. Above `way` when there were too many ways to follow each.
    pub seconds_at_most: f64,
    pub keys_at_most: u32,
    /// The way is the longest there is.
    pub exact: bool,
}

impl Way {
    /// `welcome > language [9] > topic [2] > to-queue`
    pub fn path(&self) -> String {
        let steps = self.steps.iter().map(|s| match s.exit.as_deref() {
            None | Some("next") => s.step.clone(),
            Some(exit) => format!("{} [{exit}]", s.step),
        });
        steps.collect::<Vec<_>>().join(" > ")
    }
}

/// The ways of every number, by number.
pub fn ways(settings: &Settings) -> Vec<NumberWays> {
    let of = |number: &engine::Number| {
        let flow = &number.flow;
        let map = Map::new(flow, &values::at_steps(flow, start(number)), &settings.prompts);
        NumberWays {
            number: number.digits.to_string(),
            title: number.title.clone(),
            flow: flow.name.to_string(),
            quickest: map.shortest(|e| e.quick).into_values().min_by_key(|w| w.cost).map(|w| map.way(&w)),
            shortest: map.shortest(|e| e.least).into_values().min_by_key(|w| w.cost).map(|w| map.way(&w)),
            longest: map.longest(),
            deepest: map.deepest(),
        }
    };
    settings.numbers.values().map(of).collect()
}

/// The least that callers of a flow hear and wait, listening to everything, before each step that brings a person.
pub(crate) fn before_persons(
    flow: &Flow,
    states: &[Option<Known>],
    prompts: &Prompts,
) -> BTreeMap<StepId, Duration> {
    let map = Map::new(flow, states, prompts);
    map.shortest(|e| e.least).into_iter().map(|(step, found)| (step, found.cost.time)).collect()
}

/// What is known when a call to a number begins.
fn start(number: &engine::Number) -> Known {
    let flow = &number.flow;
    let types = flow.types();
    let known = types.iter().map(|variable| {
        let preset = number.vars.iter().find(|(name, _)| *name == variable.name);
        let preset = preset.and_then(|(_, text)| Value::parse(text, variable.kind));
        let own = (variable.id.0 as usize).checked_sub(BUILT_IN.len());
        let value = preset.or_else(|| match variable.id {
            VarId::DIALLED => Some(Value::from(&*number.digits)),
            VarId::LANGUAGE => Some(Value::from(&*flow.language)),
            VarId::SEVERITY => Some(Value::from("P3")),
            _ => own.and_then(|i| flow.vars.get(i)).map(|v| v.default.clone()),
        });
        value.map(|value| vec![value])
    });
    Known(known.collect())
}

/// What a way costs a caller. Ordered by time, then by keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
struct Cost {
    time: Duration,
    keys: u32,
}

impl std::ops::Add for Cost {
    type Output = Cost;
    fn add(self, more: Cost) -> Cost {
        Cost { time: self.time + more.time, keys: self.keys + more.keys }
    }
}

fn cost(time: Duration, keys: u32) -> Cost {
    Cost { time, keys }
}

/// One exit of a step, in one language.
#[derive(Clone, Debug)]
struct Exit {
    label: Arc<str>,
    to: Node,
    /// For a caller who knows the keys.
    quick: Cost,
    /// For one who listens to everything: at least and at most.
    least: Cost,
    most: Cost,
}

/// A step and the language spoken there, as its place in `Map::languages`.
type Node = (StepId, usize);

/// Every step that can be reached in every language that can be spoken there, with its exits.
struct Map<'f> {
    flow: &'f Flow,
    languages: Vec<Arc<str>>,
    starts: Vec<Node>,
    exits: BTreeMap<Node, Vec<Exit>>,
}

/// The cheapest way to a step that brings a person.
#[derive(Clone, Debug)]
struct Found {
    cost: Cost,
    end: Node,
    /// Each node with the exit taken there.
    way: Vec<(Node, Arc<str>)>,
}

fn brings_a_person(act: &Act) -> bool {
    matches!(act, Act::Queue(_) | Act::Ring(_))
}

impl<'f> Map<'f> {
    fn new(flow: &'f Flow, states: &[Option<Known>], prompts: &Prompts) -> Map<'f> {
        let languages: Vec<Arc<str>> = prompts.sounds.keys().cloned().collect();
        let mut map = Map { flow, languages, starts: vec![], exits: BTreeMap::new() };
        let Some(Some(known)) = states.get(flow.start.0 as usize) else { return map };
        // Joined with what circles bring back to the start, which is spoken there as well.
        let first = known.0.get(VarId::LANGUAGE.0 as usize).cloned().flatten();
        map.starts = map.spoken(first).into_iter().map(|language| (flow.start, language)).collect();
        let mut todo = map.starts.clone();
        while let Some(node) = todo.pop() {
            if map.exits.contains_key(&node) {
                continue;
            }
            let Some(Some(known)) = states.get(node.0.0 as usize) else { continue };
            let mut here = Here { map: &map, node, known, own: None, prompts, exits: vec![] };
            if !brings_a_person(&flow.step(node.0).act) {
                here.look();
            }
            let exits = here.exits;
            todo.extend(exits.iter().map(|e| e.to));
            map.exits.insert(node, exits);
        }
        map
    }

    /// Languages among values; None: any.
    fn spoken(&self, values: Option<Vec<Value>>) -> Vec<usize> {
        let all = self.languages.iter().enumerate();
        let among = |l: &str| values.as_ref().is_none_or(|v| v.iter().any(|v| *v.text() == *l));
        all.filter(|(_, l)| among(l)).map(|(i, _)| i).collect()
    }

    /// The cheapest way to each step that brings a person (Dijkstra 1959), by what an exit costs.
    fn shortest(&self, of: impl Fn(&Exit) -> Cost) -> BTreeMap<StepId, Found> {
        let mut before: BTreeMap<Node, (Node, Arc<str>)> = BTreeMap::new();
        let mut best: BTreeMap<Node, (Cost, usize)> = BTreeMap::new();
        let mut done = BTreeSet::new();
        let mut todo: BTreeSet<(Cost, usize, Node)> = BTreeSet::new();
        for start in &self.starts {
            best.insert(*start, (Cost::default(), 0));
            todo.insert((Cost::default(), 0, *start));
        }
        let mut found: BTreeMap<StepId, Found> = BTreeMap::new();
        // Of equal costs the way of fewer steps.
        while let Some((so_far, steps, node)) = todo.pop_first() {
            if !done.insert(node) {
                continue;
            }
            if brings_a_person(&self.flow.step(node.0).act) {
                found.entry(node.0).or_insert_with(|| {
                    let mut way = vec![];
                    let mut at = node;
                    while let Some((from, label)) = before.get(&at) {
                        way.push((*from, label.clone()));
                        at = *from;
                    }
                    way.reverse();
                    Found { cost: so_far, end: node, way }
                });
                continue;
            }
            for exit in self.exits.get(&node).into_iter().flatten() {
                let after = (so_far + of(exit), steps + 1);
                if !done.contains(&exit.to) && best.get(&exit.to).is_none_or(|known| after < *known) {
                    best.insert(exit.to, after);
                    before.insert(exit.to, (node, exit.label.clone()));
                    todo.insert((after.0, after.1, exit.to));
                }
            }
        }
        found
    }

    fn way(&self, found: &Found) -> Way {
        let name = |node: &Node| self.flow.step(node.0).name.to_string();
        let left =
            found.way.iter().map(|(node, label)| WayStep { step: name(node), exit: Some(label.to_string()) });
        Way {
            seconds: seconds(found.cost.time),
            keys: found.cost.keys,
            language: self.languages.get(found.end.1).map(|l| l.to_string()).unwrap_or_default(),
            steps: left.chain([WayStep { step: name(&found.end), exit: None }]).collect(),
        }
    }
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

// The longest ways.

/// So many steps are tried from one entry into a part, and so many altogether, before a bound is given instead.
const TRIES_MAX: u32 = 50_000;
const ALL_TRIES_MAX: u32 = 500_000;

/// What is followed: the parts of the flow in which one can go round.
struct Search<'m, 'f, W> {
    map: &'m Map<'f>,
    /// By step: its strongly connected part.
    part: Vec<usize>,
    weight: W,
    /// What may still be tried, from this entry and altogether.
    tries: u32,
    all_tries: u32,
    best: BTreeMap<Node, Best>,
}

/// From a node to a person.
#[derive(Clone, Debug)]
struct Best {
    weight: Weight,
    at_most: Weight,
    /// Up to the first node of the next part, or to the person.
    way: Vec<(Node, Arc<str>)>,
    next: Node,
}

/// What is to be as large as possible, and then the other.
type Weight = (u128, u128);

fn sum(a: Weight, b: Weight) -> Weight {
    (a.0 + b.0, a.1 + b.1)
}

impl Map<'_> {
    fn longest(&self) -> Option<Longest> {
        self.search(|e| (e.most.time.as_millis(), e.most.keys.into()), |w| w)
    }

    fn deepest(&self) -> Option<Longest> {
        self.search(|e| (e.most.keys.into(), e.most.time.as_millis()), |(keys, ms)| (ms, keys))
    }

    /// The longest way on which no step comes twice. Such ways are hard to find (it is the longest-path problem), but
    /// only within the parts of a flow that lead back to themselves: these are searched one by one, last first.
    fn search(
        &self,
        weight: impl Fn(&Exit) -> Weight,
        ms_keys: impl Fn(Weight) -> Weight,
    ) -> Option<Longest> {
        let (part, order) = self.parts();
        let mut search =
            Search { map: self, part, weight, tries: 0, all_tries: ALL_TRIES_MAX, best: BTreeMap::new() };
        for steps in order {
            let inside = |node: &Node| steps.contains(&node.0);
            // Where a part is entered: at the start, and from other parts.
            let mut entries: BTreeSet<Node> = self.starts.iter().copied().filter(inside).collect();
            for (_, exits) in self.exits.iter().filter(|(from, _)| !inside(from)) {
                entries.extend(exits.iter().map(|e| e.to).filter(inside));
            }
            for entry in entries {
                search.enter(entry, &steps);
            }
        }
        let (start, best) = self
            .starts
            .iter()
            .filter_map(|s| Some((*s, search.best.get(s)?)))
            .max_by_key(|(_, b)| b.weight)?;
        let (mut way, mut at) = (vec![], start);
        while let Some(best) = search.best.get(&at).filter(|b| b.next != at) {
            way.extend(best.way.iter().cloned());
            at = best.next;
        }
        let at_most = self.starts.iter().filter_map(|s| search.best.get(s)).map(|b| b.at_most).max()?;
        let (ms, keys) = ms_keys(best.weight);
        let (ms_at_most, keys_at_most) = ms_keys(at_most);
        let time = |ms: u128| Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX));
        let count = |keys: u128| u32::try_from(keys).unwrap_or(u32::MAX);
        let exact = at_most.0 == best.weight.0;
        Some(Longest {
            way: self.way(&Found { cost: cost(time(ms), count(keys)), end: at, way }),
            seconds_at_most: seconds(time(if exact { ms } else { ms_at_most })),
            keys_at_most: count(if exact { keys } else { keys_at_most }),
            exact,
        })
    }

    /// By step its strongly connected part, and the parts, each after all that it leads to (Kosaraju's algorithm).
    fn parts(&self) -> (Vec<usize>, Vec<BTreeSet<StepId>>) {
        let mut next: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
        let mut back: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
        for ((from, _), exits) in &self.exits {
            next.entry(*from).or_default().extend(exits.iter().map(|e| e.to.0));
            for exit in exits {
                back.entry(exit.to.0).or_default().insert(*from);
            }
        }
        // Steps by when all that can be reached from them is left, walking back: the last part comes first.
        let (mut left, mut seen) = (vec![], BTreeSet::new());
        for step in next.keys() {
            let mut way = vec![(*step, false)];
            while let Some((step, done)) = way.pop() {
                if done {
                    left.push(step);
                } else if seen.insert(step) {
                    way.push((step, true));
                    way.extend(back.get(&step).into_iter().flatten().map(|to| (*to, false)));
                }
            }
        }
        let mut part = vec![usize::MAX; self.flow.steps.len()];
        let mut parts: Vec<BTreeSet<StepId>> = vec![];
        for step in left.into_iter().rev() {
            let mut todo = vec![step];
            let mut steps = BTreeSet::new();
            while let Some(step) = todo.pop() {
                if part[step.0 as usize] == usize::MAX {
                    part[step.0 as usize] = parts.len();
                    steps.insert(step);
                    todo.extend(next.get(&step).into_iter().flatten());
                }
            }
            if !steps.is_empty() {
                parts.push(steps);
            }
        }
        (part, parts)
    }
}

impl<W: Fn(&Exit) -> Weight> Search<'_, '_, W> {
    /// The longest way from a node on, through its part and whatever follows.
    fn enter(&mut self, entry: Node, steps: &BTreeSet<StepId>) {
        if brings_a_person(&self.map.flow.step(entry.0).act) {
            let none = (0, 0);
            self.best.insert(entry, Best { weight: none, at_most: none, way: vec![], next: entry });
            return;
        }
        let Some(first) = self.some_way(entry) else { return };
        let given = TRIES_MAX.min(self.all_tries);
        self.tries = given;
        let mut walk = Walk { passed: BTreeSet::new(), way: vec![], at_most: first.at_most, best: first };
        self.walk(entry, (0, 0), &mut walk);
        self.all_tries -= given - self.tries;
        let mut best = walk.best;
        best.at_most = walk.at_most;
        if self.tries == 0 {
            // Through every step of the part by its longest exit, and out by the longest.
            let inside = |n: &Node| steps.contains(&n.0);
            let mut through: BTreeMap<StepId, Weight> = BTreeMap::new();
            let mut out = (0, 0);
            for (from, exits) in self.map.exits.iter().filter(|(n, _)| inside(n)) {
                for exit in exits {
                    let weight = (self.weight)(exit);
                    if inside(&exit.to) {
                        let slot = through.entry(from.0).or_default();
                        *slot = (*slot).max(weight);
                    } else if let Some(next) = self.best.get(&exit.to) {
                        out = out.max(sum(weight, next.at_most));
                    }
                }
            }
            best.at_most = through.into_values().fold(out, sum).max(best.weight);
        }
        self.best.insert(entry, best);
    }

    /// The way of the fewest steps out of a part towards a person.
    fn some_way(&self, entry: Node) -> Option<Best> {
        let mut before: BTreeMap<Node, (Node, Arc<str>, Weight)> = BTreeMap::new();
        let mut todo = VecDeque::from([entry]);
        while let Some(node) = todo.pop_front() {
            for exit in self.map.exits.get(&node).into_iter().flatten() {
                let weight = (self.weight)(exit);
                if self.part[exit.to.0.0 as usize] == self.part[node.0.0 as usize] {
                    if exit.to != entry && !before.contains_key(&exit.to) {
                        before.insert(exit.to, (node, exit.label.clone(), weight));
                        todo.push_back(exit.to);
                    }
                } else if let Some(next) = self.best.get(&exit.to) {
                    let mut way = vec![(node, exit.label.clone())];
                    let mut all = weight;
                    let mut at = node;
                    while let Some((from, label, weight)) = before.get(&at) {
                        way.push((*from, label.clone()));
                        (all, at) = (sum(all, *weight), *from);
                    }
                    way.reverse();
                    let (weight, at_most) = (sum(all, next.weight), sum(all, next.at_most));
                    return Some(Best { weight, at_most, way, next: exit.to });
                }
            }
        }
        None
    }

    fn walk(&mut self, node: Node, so_far: Weight, walk: &mut Walk) {
        if self.tries == 0 {
            return;
        }
        self.tries -= 1;
        walk.passed.insert(node.0);
        for exit in self.map.exits.get(&node).into_iter().flatten() {
            let weight = sum(so_far, (self.weight)(exit));
            if self.part[exit.to.0.0 as usize] == self.part[node.0.0 as usize] {
                if !walk.passed.contains(&exit.to.0) {
                    walk.way.push((node, exit.label.clone()));
                    self.walk(exit.to, weight, walk);
                    walk.way.pop();
                }
                continue;
            }
            let Some(next) = self.best.get(&exit.to) else { continue };
            walk.at_most = walk.at_most.max(sum(weight, next.at_most));
            let whole = sum(weight, next.weight);
            if whole > walk.best.weight {
                let way = walk.way.iter().cloned().chain([(node, exit.label.clone())]).collect();
                walk.best = Best { weight: whole, at_most: whole, way, next: exit.to };
            }
        }
        walk.passed.remove(&node.0);
    }
}

/// A way being tried.
struct Walk {
    passed: BTreeSet<StepId>,
    way: Vec<(Node, Arc<str>)>,
    best: Best,
    at_most: Weight,
}

// What a step costs.

/// At least and at most.
type Span = (Duration, Duration);

const NONE: Span = (Duration::ZERO, Duration::ZERO);
/// The tone before a message.
const TONE: Duration = Duration::from_millis(500);
/// A few words.
const SAID: Duration = Duration::from_secs(2);

fn both(a: Span, b: Span) -> Span {
    (a.0 + b.0, a.1 + b.1)
}

fn times(n: u32, span: Span) -> Span {
    (span.0 * n, span.1 * n)
}

/// A step being looked at, in one language.
struct Here<'m, 'f, 'k> {
    map: &'m Map<'f>,
    node: Node,
    known: &'k Known,
    /// `known` with this language only, when somebody asked for it.
    own: Option<Known>,
    prompts: &'k Prompts,
    exits: Vec<Exit>,
}

impl<'f> Here<'_, 'f, '_> {
    fn look(&mut self) {
        let flow: &'f Flow = self.map.flow;
        let step = flow.step(self.node.0);
        let lang = self.node.1;
        let zero = Duration::ZERO;
        match &step.act {
            Act::Play(play) => {
                let heard = times(play.repeat.max(1), self.heard(&play.prompt.sounds));
                let quick = if play.prompt.barge_in && !play.early { zero } else { heard.0 };
                self.exit("next", play.next, lang, quick, heard, 0);
                if play.prompt.barge_in && !play.early {
                    self.anytime(&[], zero, heard);
                }
            }
            Act::Menu(menu) => {
                let (quick, heard) = self.prompt(&menu.prompt);
                for key in &menu.keys {
                    let mut to = vec![lang];
                    if menu.into == Some(VarId::LANGUAGE) {
                        to = self.map.spoken(Some(vec![key.value.clone()]));
                    }
                    for lang in to {
                        self.exit(&key.key.to_string(), key.to, lang, quick, heard, 1);
                    }
                }
                let keys: Vec<char> = menu.keys.iter().map(|k| k.key).collect();
                self.retries(&menu.prompt, menu.after, &menu.no_input, &menu.invalid, 1);
                self.anytime(&keys, quick, heard);
            }
            Act::Collect(collect) => {
                let (quick, heard) = self.prompt(&collect.prompt);
                let open = collect.max > collect.min;
                let end = u32::from(open && collect.end.is_some());
                let wait = if open && collect.end.is_none() { collect.between } else { zero };
                let most = u32::try_from(collect.max).unwrap_or(u32::MAX).saturating_add(end);
                let least = u32::try_from(collect.min).unwrap_or(u32::MAX).saturating_add(end);
                let to = match collect.into {
                    VarId::LANGUAGE => self.map.spoken(None),
                    _ => vec![lang],
                };
                for lang in to {
                    let heard = both(heard, (wait, wait));
                    self.exit("next", collect.next, lang, quick + wait, heard, least);
                    if let Some(exit) = self.exits.last_mut() {
                        exit.most.keys = most;
                    }
                }
                self.retries(&collect.prompt, collect.first, &collect.no_input, &collect.invalid, 1);
            }
            Act::Consent(consent) => {
                let (quick, heard) = self.prompt(&consent.prompt);
                self.exit("granted", consent.granted, lang, quick, heard, 1);
                self.exit("refused", consent.refused, lang, quick, heard, 1);
                self.retries(&consent.prompt, consent.after, &consent.no_input, &consent.invalid, 1);
            }
            Act::Branch(branch) => {
                let mut open = true;
                for (when, to) in &branch.arms {
                    let reads = when.reads();
                    let truths: Option<Vec<bool>> = self
                        .own()
                        .combinations(&reads)
                        .map(|rows| rows.iter().map(|r| when.holds(r)).collect());
                    if truths.as_ref().is_none_or(|t| t.contains(&true)) {
                        self.exit(&when.to_string(), *to, lang, zero, NONE, 0);
                    }
                    if truths.is_some_and(|t| !t.contains(&false)) {
                        open = false;
                        break;
                    }
                }
                if open {
                    self.exit("otherwise", branch.otherwise, lang, zero, NONE, 0);
                }
            }
            Act::Set(set) => {
                let mut to = vec![lang];
                if let Some((_, template)) = set.values.iter().rev().find(|(id, _)| *id == VarId::LANGUAGE) {
                    let set_here: BTreeSet<VarId> = set.values.iter().map(|(id, _)| *id).collect();
                    to = self.languages(template, &set_here);
                }
                to.into_iter().for_each(|lang| self.exit("next", set.next, lang, zero, NONE, 0));
            }
            Act::Language(language) => {
                for lang in self.languages(&language.language, &BTreeSet::new()) {
                    self.exit("next", language.next, lang, zero, NONE, 0);
                }
                self.exit("unknown", language.unknown, lang, zero, NONE, 0);
            }
            Act::Announce(announce) => {
                let spans: Vec<Span> = announce.of.iter().map(|(_, p)| self.heard(&p.sounds)).collect();
                // At least the shortest of them, at most all.
                let least = spans.iter().map(|s| s.0).min().unwrap_or_default();
                let heard = (least, spans.iter().map(|s| s.1).sum());
                let barge_in = announce.of.iter().all(|(_, p)| p.barge_in);
                self.exit("next", announce.next, lang, if barge_in { zero } else { least }, heard, 0);
                self.exit("none", announce.none, lang, zero, NONE, 0);
            }
            Act::Voicemail(voicemail) => {
                let (quick, heard) = self.prompt(&voicemail.prompt);
                let (quick, heard) = (quick + TONE, both(heard, (TONE, TONE)));
                let keys = u32::from(voicemail.end.is_some());
                let spoken = both(heard, (voicemail.min, voicemail.max));
                self.exit("next", voicemail.next, lang, quick + voicemail.min, spoken, keys);
                self.exit(
                    "empty",
                    voicemail.on_empty,
                    lang,
                    quick,
                    both(heard, (zero, voicemail.silence)),
                    keys,
                );
                self.exit("full", voicemail.on_full, lang, zero, NONE, 0);
            }
            Act::Survey(survey) => {
                let questions = &survey.plan.questions;
                let heard = questions.iter().fold(NONE, |sum, q| both(sum, self.heard(&q.sounds)));
                let quick = if survey.barge_in { zero } else { heard.0 };
                let keys = u32::try_from(questions.len()).unwrap_or(u32::MAX);
                self.exit("next", survey.next, lang, quick, heard, keys);
                self.exit("low", survey.low, lang, quick, heard, keys);
                let count = keys.saturating_mul(survey.tries);
                let none = times(survey.tries, both(heard, times(keys, (survey.after, survey.after))));
                let again = times(count.saturating_sub(keys), self.heard(&survey.again));
                self.exit("none", survey.none, lang, none.0, both(none, again), 0);
            }
            Act::Http(http) => {
                for (label, to) in step.exits() {
                    self.exit(&label, to, lang, zero, (zero, http.timeout), 0);
                }
            }
            Act::Bot(bot) => {
                for (label, to) in step.exits() {
                    self.exit(&label, to, lang, zero, (zero, bot.timeout), 0);
                }
            }
            Act::Ringing { length, next } | Act::Echo(Echo::For { length, next }) => {
                self.exit("next", *next, lang, *length, (*length, *length), 0);
            }
            Act::Hours(_)
            | Act::Identify(_)
            | Act::Notify(_)
            | Act::Record(_)
            | Act::Callback(_)
            | Act::Back { .. }
            | Act::Answer { .. }
            | Act::Queue(_)
            | Act::Ring(_)
            | Act::Echo(Echo::UntilHangup)
            | Act::Reject { .. }
            | Act::Hangup => {
                for (label, to) in step.exits() {
                    self.exit(&label, to, lang, zero, NONE, 0);
                }
            }
        }
    }

    fn exit(&mut self, label: &str, to: StepId, language: usize, quick: Duration, heard: Span, keys: u32) {
        if (to.0 as usize) < self.map.flow.steps.len() {
            self.exits.push(Exit {
                label: label.into(),
                to: (to, language),
                quick: cost(quick, keys),
                least: cost(heard.0, keys),
                most: cost(heard.1, keys),
            });
        }
    }

    /// Keys that lead away from wherever the caller is told or asked something.
    fn anytime(&mut self, taken: &[char], quick: Duration, heard: Span) {
        let flow: &'f Flow = self.map.flow;
        for (key, to) in flow.anytime.iter().filter(|(key, _)| !taken.contains(key)) {
            self.exit(&key.to_string(), *to, self.node.1, quick, heard, 1);
        }
    }

    /// The exits of a question for callers who press nothing, and for those who press what does not fit.
    fn retries(&mut self, prompt: &Prompt, after: Duration, no_input: &Retry, invalid: &Retry, keys: u32) {
        let (_, asked) = self.prompt(prompt);
        let lang = self.node.1;
        let tries = no_input.tries.max(1);
        let silent =
            both(times(tries, both(asked, (after, after))), times(tries - 1, self.heard(&no_input.prompt)));
        self.exit("no-input", no_input.then, lang, silent.0, silent, 0);
        let tries = invalid.tries.max(1);
        let heard = both(times(tries, asked), times(tries - 1, self.heard(&invalid.prompt)));
        let quick = if prompt.barge_in { Duration::ZERO } else { heard.0 };
        self.exit("invalid", invalid.then, lang, quick, heard, keys.saturating_mul(tries));
    }

    /// For a caller who knows the keys, and for one who listens.
    fn prompt(&mut self, prompt: &Prompt) -> (Duration, Span) {
        let heard = self.heard(&prompt.sounds);
        (if prompt.barge_in { Duration::ZERO } else { heard.0 }, heard)
    }

    fn heard(&mut self, sounds: &[Sound]) -> Span {
        sounds.iter().fold(NONE, |sum, sound| both(sum, self.length(sound)))
    }

    fn length(&mut self, sound: &Sound) -> Span {
        let template = match sound {
            Sound::Silence(length) | Sound::Tone { length, .. } => return (*length, *length),
            Sound::Say { .. } => return (SAID, SAID),
            Sound::Prompt(template) => template,
        };
        let prompts = self.prompts;
        let Some(language) = self.map.languages.get(self.node.1) else { return NONE };
        let Some(sounds) = prompts.sounds.get(language) else { return NONE };
        let of = |name: &str| prompts.lengths.get(sounds.get(name)?.0 as usize).copied();
        if let Some(name) = template.literal() {
            let length = of(name).unwrap_or_default();
            return (length, length);
        }
        let lengths: Vec<Duration> = match self.own().combinations(&template.reads()) {
            Some(rows) => rows.iter().filter_map(|row| of(&template.fill(row))).collect(),
            None => sounds.keys().filter(|n| template.could_be(n)).filter_map(|n| of(n)).collect(),
        };
        (lengths.iter().min().copied().unwrap_or_default(), lengths.iter().max().copied().unwrap_or_default())
    }

    /// The languages that a template can name. `changed`: variables that the same step sets.
    fn languages(&mut self, template: &Template, changed: &BTreeSet<VarId>) -> Vec<usize> {
        let reads = template.reads();
        let others = changed.iter().any(|id| *id != VarId::LANGUAGE && reads.contains(id));
        let rows = if others { None } else { self.own().combinations(&reads) };
        self.map.spoken(rows.map(|rows| rows.iter().map(|row| template.eval(row)).collect()))
    }

    fn own(&mut self) -> &Known {
        let (known, map, language) = (self.known, self.map, self.node.1);
        self.own.get_or_insert_with(|| {
            let mut own = known.clone();
            if let Some(language) = map.languages.get(language) {
                own.set(VarId::LANGUAGE, Some(vec![Value::from(&**language)]));
            }
            own
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ivr::{Key, Menu, Play, Queue};
    use proptest::prelude::*;

    /// A step of a random flow: seconds of tone, whether a key interrupts it, where it leads.
    type Made = (u64, bool, Vec<usize>);

    const STEPS: usize = 7;

    fn made() -> impl Strategy<Value = Vec<Made>> {
        let step = (0..9u64, any::<bool>(), prop::collection::vec(0..=STEPS, 1..4));
        prop::collection::vec(step, STEPS)
    }

    /// Steps with one exit play, others are menus; the last one is a queue.
    fn flow(made: &[Made]) -> Flow {
        let mut flow = Flow::builder("random");
        let ids: Vec<StepId> = (0..=made.len()).map(|i| flow.id(&format!("s{i}"))).collect();
        for (i, (seconds, barge_in, exits)) in made.iter().enumerate() {
            let tone = Sound::Silence(Duration::from_secs(*seconds));
            let prompt = Prompt { sounds: vec![tone], barge_in: *barge_in };
            let retry = |to: usize| Retry { tries: 2, prompt: vec![], then: ids[to] };
            let act = match exits[..] {
                [to] => Act::Play(Play { prompt, early: false, repeat: 1, next: ids[to] }),
                [first, ref more @ ..] => Act::Menu(Menu {
                    prompt,
                    into: None,
                    keys: more
                        .iter()
                        .zip(['1', '2'])
                        .map(|(to, key)| Key { key, value: Value::from(""), to: ids[*to] })
                        .collect(),
                    after: Duration::from_secs(3),
                    no_input: retry(first),
                    invalid: retry(more[0]),
                }),
                [] => Act::Hangup,
            };
            flow.step(&format!("s{i}"), act);
        }
        let severity = Template::parse("{severity}", &flow.types()).expect("it is built in");
        let last = ids[made.len()];
        flow.step(
            &format!("s{}", made.len()),
            Act::Queue(Queue {
                queue: "q".into(),
                require: None,
                severity,
                music: vec![],
                treatments: vec![],
                keys: vec![],
                too_long: None,
                timeout: None,
                on_timeout: last,
                on_full: last,
                on_no_agents: last,
                next: last,
            }),
        );
        flow.start("s0");
        flow.build().expect("every step is made")
    }

    fn map(flow: &Flow) -> Map<'_> {
        let prompts =
            Prompts { sounds: BTreeMap::from([("en".into(), BTreeMap::new())]), ..Prompts::default() };
        let mut known = vec![None; BUILT_IN.len()];
        known[VarId::LANGUAGE.0 as usize] = Some(vec![Value::from("en")]);
        Map::new(flow, &values::at_steps(flow, Known(known)), &prompts)
    }

    /// Every way to a person on which no step comes twice, by its cost: one after the other.
    fn every_way(
        map: &Map<'_>,
        node: Node,
        passed: &mut Vec<StepId>,
        of: fn(&Exit) -> Cost,
        so_far: Cost,
        all: &mut Vec<Cost>,
    ) {
        if brings_a_person(&map.flow.step(node.0).act) {
            all.push(so_far);
            return;
        }
        passed.push(node.0);
        for exit in &map.exits[&node] {
            if !passed.contains(&exit.to.0) {
                every_way(map, exit.to, passed, of, so_far + of(exit), all);
            }
        }
        passed.pop();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn shortest_and_longest_are_those_of_all_ways(made in made()) {
            let flow = flow(&made);
            let map = map(&flow);
            let costs = |of: fn(&Exit) -> Cost| {
                let mut all = vec![];
                every_way(&map, map.starts[0], &mut vec![], of, Cost::default(), &mut all);
                all
            };
            for of in [(|e| e.quick) as fn(&Exit) -> Cost, |e| e.least] {
                let found = map.shortest(of).into_values().map(|f| f.cost).min();
                prop_assert_eq!(found, costs(of).into_iter().min());
            }
            let longest = map.longest();
            let all = costs(|e| e.most);
            prop_assert_eq!(longest.as_ref().map(|l| l.way.seconds), all.iter().max().map(|c| c.time.as_secs_f64()));
            prop_assert_eq!(map.deepest().map(|l| l.way.keys), all.iter().map(|c| c.keys).max());
            if let Some(longest) = longest {
                prop_assert!(longest.exact);
                let names: BTreeSet<&str> = longest.way.steps.iter().map(|s| &*s.step).collect();
                prop_assert_eq!(names.len(), longest.way.steps.len(), "no step comes twice");
            }
        }
    }

    #[test]
    fn among_too_many_ways_a_bound_is_given() {
        // Thirty menus, each of which leads to all others: more ways than anybody can follow.
        let steps = 30;
        let made: Vec<Made> = (0..steps)
            .map(|i| (1, true, vec![(i * 7 + 1) % steps, (i * 11 + 3) % steps, (i + 1) % (steps + 1)]))
            .collect();
        let flow = flow(&made);
        let longest = map(&flow).longest().expect("the queue can be reached");
        assert!(!longest.exact);
        // Each menu is asked twice with three seconds for an answer, the last one once more to leave.
        assert!(longest.way.seconds <= longest.seconds_at_most && longest.seconds_at_most <= 31.0 * 8.0);
    }
}
