//! What changed between two versions of a flow.

use crate::{Change, Edge, Line, Node, Picture};
use std::collections::BTreeMap;

impl Picture {
    /// Both versions in one picture. Steps are the same when their names are; an exit that leads elsewhere now is
    /// there twice, removed and added. Counts are those of the new version.
    pub fn difference(old: &Picture, new: &Picture) -> Picture {
        let olds: BTreeMap<&str, &Node> = old.nodes.iter().map(|n| (&*n.name, n)).collect();
        let news: BTreeMap<&str, &Node> = new.nodes.iter().map(|n| (&*n.name, n)).collect();
        let compared = |node: &Node| match olds.get(&*node.name) {
            None => node.as_all(Change::Added),
            Some(before) => {
                let start = |p: &Picture| p.start == node.name;
                let is_same = before.kind == node.kind
                    && before.lines == node.lines
                    && before.group == node.group
                    && start(old) == start(new);
                let change = if is_same { Change::Same } else { Change::Changed };
                let mut lines = compare(&before.lines, &node.lines);
                if before.kind != node.kind {
                    lines.insert(0, Line { text: before.kind.clone(), change: Change::Removed });
                    lines.insert(1, Line { text: node.kind.clone(), change: Change::Added });
                }
                if start(old) != start(new) {
                    let change = if start(new) { Change::Added } else { Change::Removed };
                    lines.insert(0, Line { text: "a call begins here".into(), change });
                }
                Node { change, lines, ..node.clone() }
            }
        };
        let mut nodes: Vec<Node> = new.nodes.iter().map(compared).collect();
        // What is gone stands after what stood before it.
        let mut after = 0;
        for node in &old.nodes {
            match news.contains_key(&*node.name) {
                true => after = nodes.iter().position(|n| n.name == node.name).map_or(after, |at| at + 1),
                false => {
                    nodes.insert(after.min(nodes.len()), node.as_all(Change::Removed));
                    after += 1;
                }
            }
        }

        let key = |edge: &Edge| (edge.from.clone(), edge.to.clone(), edge.label.clone());
        let in_old: BTreeMap<_, ()> = old.edges.iter().map(|e| (key(e), ())).collect();
        let in_new: BTreeMap<_, ()> = new.edges.iter().map(|e| (key(e), ())).collect();
        let mut edges: Vec<Edge> = Vec::new();
        for edge in &new.edges {
            let change = if in_old.contains_key(&key(edge)) { Change::Same } else { Change::Added };
            edges.push(Edge { change, ..edge.clone() });
        }
        for edge in old.edges.iter().filter(|e| !in_new.contains_key(&key(e))) {
            edges.push(Edge { change: Change::Removed, count: None, ..edge.clone() });
        }
        Picture { title: new.title.clone(), nodes, edges, start: new.start.clone(), is_difference: true }
    }

    /// Whether a difference shows any.
    pub fn has_changes(&self) -> bool {
        self.nodes.iter().any(|n| n.change != Change::Same)
            || self.edges.iter().any(|e| e.change != Change::Same)
    }
}

impl Node {
    fn as_all(&self, change: Change) -> Node {
        let count = if change == Change::Removed { None } else { self.count };
        Node { change, count, ..self.clone() }
    }
}

/// The lines of both, in order: the longest common sequence is the same, the rest is removed or added.
fn compare(old: &[Line], new: &[Line]) -> Vec<Line> {
    let mut common = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            common[i][j] = match a.text == b.text {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    let mut push = |line: &Line, change| out.push(Line { text: line.text.clone(), change });
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i].text == new[j].text {
            push(&new[j], Change::Same);
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            push(&old[i], Change::Removed);
            i += 1;
        } else {
            push(&new[j], Change::Added);
            j += 1;
        }
    }
    out
}
