//! The ways out of each node as they are drawn: exits that lead to the same step share one line.

use crate::text::thousands;
use crate::{Change, Picture};
use std::collections::BTreeMap;

/// Some exits of one node that lead to one other.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Way {
    /// Indices into the nodes that are drawn.
    pub from: usize,
    pub to: usize,
    /// The exits' labels, in the picture's order.
    pub labels: Vec<String>,
    /// Of all of them together.
    pub count: Option<u64>,
    pub change: Change,
    /// What happens when something goes wrong: silence, a wrong key, nobody there.
    pub is_error: bool,
}

/// The nodes that are drawn (the first of each name), and the ways between them in the order of the picture's edges.
pub(crate) fn ways(picture: &Picture) -> (Vec<usize>, Vec<Way>) {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut drawn = Vec::new();
    for (i, node) in picture.nodes.iter().enumerate() {
        places.entry(&node.name).or_insert_with(|| {
            drawn.push(i);
            drawn.len() - 1
        });
    }
    let mut found: BTreeMap<_, usize> = BTreeMap::new();
    let mut ways: Vec<Way> = Vec::new();
    for edge in &picture.edges {
        let (Some(&from), Some(&to)) = (places.get(&*edge.from), places.get(&*edge.to)) else { continue };
        let is_error = edge.is_error();
        // An exit that was never taken must be seen, whatever leads the same way.
        let key = (from, to, is_error, edge.change, edge.count == Some(0));
        let at = *found.entry(key).or_insert(ways.len());
        if at == ways.len() {
            ways.push(Way { from, to, labels: Vec::new(), count: None, change: edge.change, is_error });
        }
        let way = &mut ways[at];
        way.labels.push(edge.label.clone());
        if let Some(count) = edge.count {
            way.count = Some(way.count.unwrap_or(0).saturating_add(count));
        }
    }
    (drawn, ways)
}

impl Way {
    /// `1, 2`, and the count behind it.
    pub fn label(&self) -> String {
        let labels = self.labels.join(", ");
        match self.count {
            Some(count) => format!("{labels} ×{}", thousands(count)),
            None => labels,
        }
    }
}
