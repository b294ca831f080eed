//! Lines: down from a cell, along a track between two layers, down again. All lines to one target share a track.

use super::level::{Grid, Item, Level, Plan};
use super::{Point, Rect};
use std::collections::BTreeMap;

const TRACK_GAP: f64 = 9.0;
/// Between a layer and the first track below it.
const ABOVE_TRACKS: f64 = 14.0;
/// Between the last track and the next layer: room for an arrow.
const BELOW_TRACKS: f64 = 20.0;
/// Lines nearer than this look like one.
const NEAR: f64 = 5.0;

/// What one target's lines do in one channel (the space above layer `channel`).
#[derive(Clone, PartialEq, Debug, Default)]
struct Bus {
    /// Where lines come from or go to the layer above, and the layer below.
    tops: Vec<f64>,
    bottoms: Vec<f64>,
    /// From the channel's top.
    y: f64,
}

/// Channel, target, and whether it leads upward.
type BusKey = (usize, usize, bool);

/// One passage of a link through a channel.
struct Crossing {
    bus: BusKey,
    enter: f64,
    leave: f64,
    /// It enters from the layer below; it leaves to the layer below.
    from_below: bool,
    to_below: bool,
}

pub(super) fn route(level: &Level, grid: &Grid, order: &[Vec<usize>], ports: &[f64], x: &[f64]) -> Plan {
    let left = |cell: usize| x[cell] - level.cells[cell].w / 2.0;
    let mut passages: Vec<Vec<Crossing>> = Vec::new();
    let mut buses: BTreeMap<BusKey, Bus> = BTreeMap::new();
    for (i, link) in level.links.iter().enumerate() {
        let target = grid.target[i];
        let inlet = left(link.to) + grid.targets[target].1;
        let port = left(link.from) + ports[i];
        let (from, to) = (grid.layer[link.from], grid.layer[link.to]);
        let mut passage = Vec::new();
        if from < to {
            let mut enter = port;
            for channel in from + 1..=to {
                let leave = if channel == to { inlet } else { x[grid.down[&(target, channel)]] };
                let bus = (channel, target, false);
                passage.push(Crossing { bus, enter, leave, from_below: false, to_below: true });
                enter = leave;
            }
        } else {
            let turn = x[grid.up[&(target, from)]];
            let bus = (from + 1, target, true);
            passage.push(Crossing { bus, enter: port, leave: turn, from_below: false, to_below: false });
            let mut enter = turn;
            for channel in (to + 1..=from).rev() {
                let leave = x[grid.up[&(target, channel - 1)]];
                let bus = (channel, target, true);
                passage.push(Crossing { bus, enter, leave, from_below: true, to_below: false });
                enter = leave;
            }
            let bus = (to, target, false);
            passage.push(Crossing { bus, enter, leave: inlet, from_below: true, to_below: true });
        }
        for crossing in &passage {
            let bus = buses.entry(crossing.bus).or_default();
            let ends = [(crossing.enter, crossing.from_below), (crossing.leave, crossing.to_below)];
            for (x, is_below) in ends {
                if is_below { &mut bus.bottoms } else { &mut bus.tops }.push(x);
            }
        }
        passages.push(passage);
    }

    let channels = order.len() + 1;
    let mut heights = vec![0.0; channels];
    for (channel, height) in heights.iter_mut().enumerate() {
        let mut here: Vec<&mut Bus> =
            buses.range_mut((channel, 0, false)..(channel + 1, 0, false)).map(|(_, bus)| bus).collect();
        let is_inner = channel > 0 && channel + 1 < channels;
        *height = if here.is_empty() && !is_inner { 0.0 } else { tracks(&mut here) };
    }

    let mut channel_top = vec![0.0; channels];
    let mut layer_top = vec![0.0; order.len()];
    let mut y = 0.0;
    for (at, layer) in order.iter().enumerate() {
        channel_top[at] = y;
        y += heights[at];
        layer_top[at] = y;
        y += layer.iter().map(|&i| height(level, grid.items[i])).fold(0.0, f64::max);
    }
    channel_top[order.len()] = y;
    y += heights[order.len()];

    let rect = |cell: usize| {
        let c = level.cells[cell];
        Rect { x: left(cell), y: layer_top[grid.layer[cell]], w: c.w, h: c.h }
    };
    let rects: Vec<Rect> = (0..level.cells.len()).map(rect).collect();
    let lines = level.links.iter().zip(&passages).enumerate().map(|(i, (link, passage))| {
        let from = rects[link.from];
        let mut points = vec![Point { x: from.x + ports[i], y: from.y + from.h }];
        for crossing in passage {
            let y = channel_top[crossing.bus.0] + buses[&crossing.bus].y;
            points.push(Point { x: crossing.enter, y });
            points.push(Point { x: crossing.leave, y });
        }
        let last = points[points.len() - 1];
        points.push(Point { x: last.x, y: rects[link.to].y });
        (link.way, points)
    });
    let lines: Vec<_> = lines.collect();
    let right = |i: usize| match grid.items[i] {
        Item::Cell(c) => x[i] + level.cells[c].w / 2.0,
        Item::Bend => x[i],
    };
    let w = (0..grid.items.len()).map(right).fold(0.0, f64::max);
    Plan { w, h: y, rects, lines }
}

fn height(level: &Level, item: Item) -> f64 {
    match item {
        Item::Cell(c) => level.cells[c].h,
        Item::Bend => 0.0,
    }
}

impl Bus {
    fn span(&self) -> (f64, f64) {
        let all = || self.tops.iter().chain(&self.bottoms).copied();
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
    }

    fn is_straight(&self) -> bool {
        let (lo, hi) = self.span();
        hi - lo < 0.05
    }

    /// What it costs to have this one above the other: lines that cross, or worse, lie on each other.
    fn above(&self, other: &Bus) -> i64 {
        let (lo, hi) = self.span();
        let (other_lo, other_hi) = other.span();
        let within =
            |list: &[f64], lo: f64, hi: f64| list.iter().filter(|x| **x > lo && **x < hi).count() as i64;
        let near = |x: &f64| other.tops.iter().filter(|o| (**o - x).abs() < NEAR).count() as i64;
        let on_each_other: i64 = self.bottoms.iter().map(near).sum();
        within(&self.bottoms, other_lo, other_hi) + within(&other.tops, lo, hi) + 100 * on_each_other
    }
}

/// Gives each bus its track; the channel's height.
fn tracks(buses: &mut [&mut Bus]) -> f64 {
    for bus in buses.iter_mut() {
        for list in [&mut bus.tops, &mut bus.bottoms] {
            list.sort_by(f64::total_cmp);
            list.dedup();
        }
    }
    let mut bent: Vec<&mut &mut Bus> = buses.iter_mut().filter(|b| !b.is_straight()).collect();
    let n = bent.len();
    // What speaks against taking a bus next, from the top.
    let mut against = vec![0i64; n];
    let mut cost = vec![vec![0i64; n]; n];
    for a in 0..n {
        for b in (0..n).filter(|b| *b != a) {
            cost[a][b] = bent[a].above(bent[b]) - bent[b].above(bent[a]);
            against[a] += cost[a][b];
        }
    }
    let mut left: Vec<usize> = (0..n).collect();
    let mut placed: Vec<(usize, usize)> = Vec::new();
    while let Some(at) = (0..left.len()).min_by_key(|&i| (against[left[i]], left[i])) {
        let bus = left.remove(at);
        for &other in &left {
            against[other] -= cost[other][bus];
        }
        let (lo, hi) = bent[bus].span();
        let meets = |other: usize| {
            let (other_lo, other_hi) = bent[other].span();
            lo < other_hi + NEAR && other_lo < hi + NEAR
        };
        let track = placed.iter().filter(|(o, _)| meets(*o)).map(|(_, track)| track + 1).max().unwrap_or(0);
        placed.push((bus, track));
    }
    let count = placed.iter().map(|(_, track)| track + 1).max().unwrap_or(0);
    for (bus, track) in placed {
        bent[bus].y = ABOVE_TRACKS + track as f64 * TRACK_GAP;
    }
    let height = ABOVE_TRACKS + BELOW_TRACKS + TRACK_GAP * count.saturating_sub(1) as f64;
    for bus in buses.iter_mut().filter(|b| b.is_straight()) {
        bus.y = height / 2.0;
    }
    height
}
