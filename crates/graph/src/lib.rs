//! A flow as a picture: what a caller passes, drawn top to bottom as SVG, or written as DOT or Mermaid.
//!
//! A [`Picture`] knows nothing of flows; [`Picture::of`] makes one of an [`ivr::Flow`]. Counts (of a coverage
//! report or of a running engine) and the changes between two versions are marks on a picture.
//!
//! The layout is ours: the layered kind (layers, order within them, places, routes), because what makes a flow
//! legible is not in the libraries: labels at the source, one shared line into a step that many steps lead to,
//! exits of errors in the background, ways back beside the boxes.
//!
//! *Invariant:* the same picture gives the same bytes; no clock, no randomness, no hash map.

mod difference;
mod dot;
mod exits;
mod flow;
mod layout;
mod mermaid;
mod shape;
mod style;
mod svg;
mod text;

#[cfg(test)]
mod tests;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

use std::collections::BTreeMap;

/// Steps and the ways between them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Picture {
    pub title: String,
    /// Names are unique; a second node of a name is not drawn.
    pub nodes: Vec<Node>,
    /// Ends that no node has are not drawn.
    pub edges: Vec<Edge>,
    /// Name of the node where a call begins.
    pub start: String,
    /// Shown as a difference: the legend explains the marks, and what is the same steps back.
    pub is_difference: bool,
}

/// A step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    pub name: String,
    /// The keyword of its kind: `menu`.
    pub kind: String,
    /// What is said, asked, set: one short text each.
    pub lines: Vec<Line>,
    /// The sub-flow it belongs to; nodes of one group stand in one frame.
    pub group: Option<String>,
    /// How often it was reached; None: not counted.
    pub count: Option<u64>,
    pub change: Change,
}

/// One line of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub text: String,
    pub change: Change,
}

/// A way out of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// A menu's key, `next`, `no-input`, a branch's condition: unique among the exits of a node, except that a
    /// difference has an exit that leads elsewhere twice.
    pub label: String,
    /// How often it was taken; None: not counted.
    pub count: Option<u64>,
    pub change: Change,
}

/// What became of it between two versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Change {
    #[default]
    Same,
    Added,
    Removed,
    Changed,
}

impl Line {
    pub fn new(text: impl Into<String>) -> Line {
        Line { text: text.into(), change: Change::Same }
    }
}

impl Node {
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Node {
        Node {
            name: name.into(),
            kind: kind.into(),
            lines: Vec::new(),
            group: None,
            count: None,
            change: Change::Same,
        }
    }
}

impl Edge {
    pub fn new(from: impl Into<String>, to: impl Into<String>, label: impl Into<String>) -> Edge {
        Edge { from: from.into(), to: to.into(), label: label.into(), count: None, change: Change::Same }
    }
}

impl Picture {
    /// Marks every node and edge with how often it was passed: `steps` by name, `exits` by `step/label`. What is
    /// not in the maps was not passed.
    pub fn with_counts(mut self, steps: &BTreeMap<String, u64>, exits: &BTreeMap<String, u64>) -> Picture {
        let count = |map: &BTreeMap<String, u64>, name: &str| Some(map.get(name).copied().unwrap_or(0));
        for node in &mut self.nodes {
            node.count = count(steps, &node.name);
        }
        for edge in &mut self.edges {
            edge.count = count(exits, &format!("{}/{}", edge.from, edge.label));
        }
        self
    }
}
