//! How large each box is, and what stands in it.

use crate::exits::Way;
use crate::text::{bold_width, thousands, width, wrap};
use crate::{Change, Node};

pub(crate) const NAME_SIZE: f64 = 13.0;
pub(crate) const KIND_SIZE: f64 = 10.0;
pub(crate) const TEXT_SIZE: f64 = 11.0;
pub(crate) const HEAD: f64 = 24.0;
pub(crate) const LINE_HEIGHT: f64 = 14.0;
pub(crate) const PAD: f64 = 9.0;
pub(crate) const CHIP_GAP: f64 = 5.0;
const CHIP_PAD: f64 = 5.0;
/// Texts within a box are broken at this width.
const TEXT_MAX: f64 = 230.0;
const LINES_MAX: usize = 10;
const WIDTH_MIN: f64 = 84.0;

/// A node's box: a head with its name and kind, its lines, and its exits at the lower edge.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shape {
    pub index: usize,
    pub w: f64,
    pub h: f64,
    /// The groups it stands in, the outermost first.
    pub path: Vec<String>,
    pub name: String,
    /// Kind and count, at the right end of the head.
    pub kind: String,
    pub count: Option<String>,
    pub lines: Vec<(String, Change)>,
    /// By way.
    chips: Vec<(usize, Chip)>,
    /// Of the highest chip; 0: there are none.
    pub chip_height: f64,
}

/// The label of an exit.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Chip {
    pub w: f64,
    pub lines: Vec<String>,
    /// Below the lines.
    pub count: Option<String>,
}

/// `ways`: those that leave this node, by their index.
pub(crate) fn shape(index: usize, node: &Node, ways: &[(usize, &Way)]) -> Shape {
    let name = wrap(node.short_name(), NAME_SIZE * 1.2, TEXT_MAX, 1).remove(0);
    let count = node.count.map(|c| format!("×{}", thousands(c)));
    let mut lines: Vec<(String, Change)> = Vec::new();
    for line in &node.lines {
        let sign = line.change.sign();
        for (i, text) in wrap(&line.text, TEXT_SIZE, TEXT_MAX - 14.0, 3).into_iter().enumerate() {
            let text = if i == 0 { format!("{sign}{text}") } else { format!("\u{a0}\u{a0}{text}") };
            lines.push((text, line.change));
        }
    }
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX - 1);
        lines.push(("…".into(), Change::Same));
    }
    // The only way out needs no label, and no count when everybody takes it.
    let alone = matches!(ways, [(_, way)] if way.labels == ["next"]);
    let silent =
        |way: &Way| alone && (way.count.is_none() || (way.count == node.count && way.count != Some(0)));
    let chip_max = (700.0 / ways.len().max(1) as f64).clamp(64.0, 130.0);
    let chips: Vec<(usize, Chip)> = ways
        .iter()
        .filter(|(_, way)| !silent(way))
        .map(|(i, way)| (*i, chip(way, alone, chip_max)))
        .collect();
    let tallest = chips.iter().map(|(_, c)| c.rows()).max().unwrap_or(0);
    let chip_height = if tallest == 0 { 0.0 } else { tallest as f64 * (LINE_HEIGHT - 2.0) + 4.0 };
    let chips_width: f64 = chips.iter().map(|(_, c)| c.w + CHIP_GAP).sum();

    let head = bold_width(&name, NAME_SIZE)
        + width(&node.kind, KIND_SIZE)
        + count.as_ref().map_or(0.0, |c| bold_width(c, TEXT_SIZE) + 6.0)
        + 14.0;
    let body = lines.iter().map(|(l, _)| width(l, TEXT_SIZE)).fold(0.0, f64::max);
    let w = (head.max(body) + 2.0 * PAD).max(chips_width + PAD).max(WIDTH_MIN).ceil();
    let body_height = if lines.is_empty() { 0.0 } else { lines.len() as f64 * LINE_HEIGHT + 8.0 };
    let h = HEAD + body_height + chip_height;
    Shape { index, w, h, path: node.path(), name, kind: node.kind.clone(), count, lines, chips, chip_height }
}

fn chip(way: &Way, alone: bool, max: f64) -> Chip {
    let label = way.labels.join(", ");
    let lines = if alone { Vec::new() } else { wrap(&label, TEXT_SIZE - 1.0, max - 2.0 * CHIP_PAD, 4) };
    let count = way.count.map(|c| format!("×{}", thousands(c)));
    let widest = lines.iter().map(|l| width(l, TEXT_SIZE - 1.0)).fold(0.0, f64::max);
    let counted = count.as_ref().map_or(0.0, |c| bold_width(c, TEXT_SIZE - 1.0));
    let w = (widest.max(counted) + 2.0 * CHIP_PAD).max(18.0).ceil();
    Chip { w, lines, count }
}

impl Shape {
    /// None: the only way out, which needs no label.
    pub fn chip(&self, way: usize) -> Option<&Chip> {
        self.chips.iter().find(|(w, _)| *w == way).map(|(_, chip)| chip)
    }
}

impl Chip {
    fn rows(&self) -> usize {
        self.lines.len() + usize::from(self.count.is_some())
    }
}
