//! Where everything goes: layers from the top, order within a layer, places from the left, routes between layers.
//!
//! A group is laid out first, as a level of its own, and then stands in the level around it as one cell. What
//! leads into it or out of it passes its frame at a terminal: a cell without size in its first or last layer.

mod layers;
mod level;
mod order;
mod place;
mod route;

use crate::exits::Way;
use crate::shape::Shape;
use level::{Cell, Level, Link};
use std::collections::BTreeMap;

/// From left to right and from the top down, in pixels.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Point {
    pub x: f64,
    pub y: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

/// The frame around a group.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Frame {
    /// The group's full name.
    pub group: String,
    pub rect: Rect,
}

/// A laid out picture; its upper left corner is at 0, 0.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Layout {
    pub size: Point,
    /// One for each shape.
    pub boxes: Vec<Rect>,
    /// For each way: the middle of its place at the lower edge of its box, where its line begins.
    pub ports: Vec<Point>,
    /// For each way: from its port to the upper edge of the box it leads to. Neighbours differ in x or in y only.
    pub lines: Vec<Vec<Point>>,
    /// Outer ones before inner ones.
    pub frames: Vec<Frame>,
}

const FRAME_PAD: f64 = 14.0;
const FRAME_TITLE: f64 = 24.0;

/// `start`: where a call begins.
pub(crate) fn layout(shapes: &[Shape], ways: &[Way], start: Option<usize>) -> Layout {
    let mut layout = Layout {
        size: Point::default(),
        boxes: vec![Rect::default(); shapes.len()],
        ports: vec![Point::default(); ways.len()],
        lines: vec![Vec::new(); ways.len()],
        frames: Vec::new(),
    };
    let builder = Builder { shapes, ways, start };
    let (sheet, _) = builder.level(&[]);
    layout.size = Point { x: sheet.w, y: sheet.h };
    for (node, rect) in &sheet.boxes {
        layout.boxes[*node] = *rect;
    }
    for (way, at) in &sheet.ports {
        layout.ports[*way] = *at;
    }
    let mut pieces = sheet.pieces;
    pieces.sort_by_key(|p| (p.way, p.turn));
    for piece in pieces {
        layout.lines[piece.way].extend(piece.points);
    }
    for line in &mut layout.lines {
        tidy(line);
    }
    layout.frames = sheet.frames;
    layout.frames.sort_by(|a, b| a.group.cmp(&b.group));
    layout
}

/// A level with everything inside it, at 0, 0.
#[derive(Default)]
struct Sheet {
    w: f64,
    h: f64,
    boxes: Vec<(usize, Rect)>,
    ports: Vec<(usize, Point)>,
    pieces: Vec<Piece>,
    frames: Vec<Frame>,
}

/// The part of a way's line that lies in one level.
struct Piece {
    way: usize,
    /// Parts come in this order: out of the source's groups, across, into the target's.
    turn: i32,
    points: Vec<Point>,
}

/// Where ways pass a group's frame: x from its left edge, by the node at the far end (outward) or by the node they
/// lead to (inward).
#[derive(Default)]
struct Gates {
    outward: BTreeMap<usize, f64>,
    inward: BTreeMap<usize, f64>,
}

struct Builder<'a> {
    shapes: &'a [Shape],
    ways: &'a [Way],
    start: Option<usize>,
}

impl Sheet {
    fn take(&mut self, inner: Sheet, dx: f64, dy: f64) {
        let rect = |r: Rect| Rect { x: r.x + dx, y: r.y + dy, ..r };
        let point = |p: Point| Point { x: p.x + dx, y: p.y + dy };
        self.boxes.extend(inner.boxes.into_iter().map(|(n, r)| (n, rect(r))));
        self.ports.extend(inner.ports.into_iter().map(|(w, p)| (w, point(p))));
        self.frames.extend(inner.frames.into_iter().map(|f| Frame { rect: rect(f.rect), ..f }));
        let moved = |p: Piece| Piece { points: p.points.into_iter().map(point).collect(), ..p };
        self.pieces.extend(inner.pieces.into_iter().map(moved));
    }
}

/// What stands in a level.
enum Member {
    Node(usize),
    Group(Vec<String>),
    /// Ways to this node leave the level's group.
    Out(usize),
    /// Ways to this node come in from outside.
    In(usize),
}

impl Builder<'_> {
    /// The level of the group at `path` (empty: the whole picture).
    fn level(&self, path: &[String]) -> (Sheet, Gates) {
        let depth = path.len();
        let inside = |node: usize| self.shapes[node].path.starts_with(path);
        let mut members: Vec<Member> = Vec::new();
        // What a node is part of here.
        let mut place: BTreeMap<usize, usize> = BTreeMap::new();
        let mut groups: BTreeMap<&String, usize> = BTreeMap::new();
        for (node, shape) in self.shapes.iter().enumerate().filter(|(node, _)| inside(*node)) {
            let at = match shape.path.get(depth) {
                None => {
                    members.push(Member::Node(node));
                    members.len() - 1
                }
                Some(name) => *groups.entry(name).or_insert_with(|| {
                    members.push(Member::Group(shape.path[..=depth].to_vec()));
                    members.len() - 1
                }),
            };
            place.insert(node, at);
        }
        let (mut outs, mut ins) = (BTreeMap::new(), BTreeMap::new());
        for way in self.ways {
            match (inside(way.from), inside(way.to)) {
                (true, false) => {
                    outs.entry(way.to).or_insert_with(|| {
                        members.push(Member::Out(way.to));
                        members.len() - 1
                    });
                }
                (false, true) => {
                    ins.entry(way.to).or_insert_with(|| {
                        members.push(Member::In(way.to));
                        members.len() - 1
                    });
                }
                _ => {}
            }
        }

        let mut inner: BTreeMap<usize, (Sheet, Gates)> = BTreeMap::new();
        let mut cells = Vec::new();
        for (at, member) in members.iter().enumerate() {
            cells.push(match member {
                Member::Node(node) => {
                    Cell::node(&self.shapes[*node], *node == self.start.unwrap_or(usize::MAX))
                }
                Member::Group(path) => {
                    let (sheet, gates) = self.level(path);
                    let first = self.start.is_some_and(|s| self.shapes[s].path.starts_with(path));
                    let cell = Cell { w: sheet.w, h: sheet.h, is_start: first, ..Cell::default() };
                    inner.insert(at, (sheet, gates));
                    cell
                }
                Member::Out(_) => Cell { is_last: true, ..Cell::default() },
                Member::In(_) => Cell { is_first: true, ..Cell::default() },
            });
        }
        let mut links = Vec::new();
        for (at, way) in self.ways.iter().enumerate() {
            let (from, to) = match (inside(way.from), inside(way.to)) {
                (true, true) => (place[&way.from], place[&way.to]),
                (true, false) => (place[&way.from], outs[&way.to]),
                (false, true) => (ins[&way.to], place[&way.to]),
                (false, false) => continue,
            };
            if from == to && matches!(members[from], Member::Group(_)) {
                continue;
            }
            let gate = |at: usize| inner.get(&at).map(|(_, gates)| gates);
            links.push(Link {
                way: at,
                from,
                to,
                is_strong: !way.is_error,
                port: gate(from).and_then(|g| g.outward.get(&way.to).copied()),
                inlet: gate(to).and_then(|g| g.inward.get(&way.to).copied()),
                inlet_key: if gate(to).is_some() { way.to } else { 0 },
            });
        }

        let plan = Level { cells, links }.lay_out(self.shapes);
        let mut sheet = Sheet { w: plan.w, h: plan.h, ..Sheet::default() };
        let mut gates = Gates::default();
        let (dx, dy) = if depth == 0 { (0.0, 0.0) } else { (FRAME_PAD, FRAME_TITLE) };
        let mut content = Sheet::default();
        for (at, member) in members.iter().enumerate() {
            let rect = plan.rects[at];
            match member {
                Member::Node(node) => content.boxes.push((*node, rect)),
                Member::Group(_) => {
                    let (inner, _) = inner.remove(&at).expect("it was laid out above");
                    content.take(inner, rect.x, rect.y);
                }
                Member::Out(node) => _ = gates.outward.insert(*node, rect.x + dx),
                Member::In(node) => _ = gates.inward.insert(*node, rect.x + dx),
            }
        }
        for (way, points) in plan.lines {
            let Way { from, to, .. } = self.ways[way];
            let depth = depth as i32;
            let turn = match (inside(from), inside(to)) {
                (true, true) => 0,
                (true, false) => -depth,
                _ => depth,
            };
            if self.shapes[from].path.len() == path.len() && inside(from) {
                content.ports.push((way, points[0]));
            }
            content.pieces.push(Piece { way, turn, points });
        }
        sheet.take(content, dx, dy);
        if depth > 0 {
            sheet.w += 2.0 * FRAME_PAD;
            sheet.h += FRAME_TITLE + FRAME_PAD;
            // Lines go on to the frame's edges.
            for piece in &mut sheet.pieces {
                let Way { from, to, .. } = self.ways[piece.way];
                if piece.turn == depth as i32 && !inside(from) {
                    let x = piece.points[0].x;
                    piece.points.insert(0, Point { x, y: 0.0 });
                }
                if piece.turn == -(depth as i32) && !inside(to) {
                    let x = piece.points.last().map_or(0.0, |p| p.x);
                    piece.points.push(Point { x, y: sheet.h });
                }
            }
            let rect = Rect { x: 0.0, y: 0.0, w: sheet.w, h: sheet.h };
            sheet.frames.push(Frame { group: path.join("/"), rect });
        }
        (sheet, gates)
    }
}

/// Takes out points that change nothing.
fn tidy(line: &mut Vec<Point>) {
    const NEAR: f64 = 0.05;
    line.dedup_by(|b, a| (a.x - b.x).abs() < NEAR && (a.y - b.y).abs() < NEAR);
    let mut kept: Vec<Point> = Vec::with_capacity(line.len());
    for point in line.drain(..) {
        if let [.., a, b] = kept[..] {
            let straight = |f: fn(Point) -> f64| (f(a) - f(b)).abs() < NEAR && (f(b) - f(point)).abs() < NEAR;
            if straight(|p| p.x) || straight(|p| p.y) {
                kept.pop();
            }
        }
        kept.push(point);
    }
    *line = kept;
}
