//! The order within each layer: few crossings.

use std::cmp::Ordering;

/// Two items that a line joins. `weight`: what it costs to cross it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Net {
    pub a: usize,
    pub b: usize,
    pub weight: u32,
}

const SWEEPS: usize = 24;
/// Pairs of items that are looked at in all: large pictures get fewer sweeps, but two at least.
const PAIRS_MAX: usize = 20_000_000;
/// What a place between two joined items of one layer costs, per weight.
const FLAT_COST: u64 = 3;

struct Order<'a> {
    layer: &'a [usize],
    /// By item: neighbours in the layer above, in the layer below, and in the same layer.
    above: Vec<Vec<(usize, u32)>>,
    below: Vec<Vec<(usize, u32)>>,
    beside: Vec<Vec<(usize, u32)>>,
    layers: Vec<Vec<usize>>,
    rank: Vec<usize>,
}

/// Items by layer, from the left.
pub(super) fn order(layer: &[usize], nets: &[Net]) -> Vec<Vec<usize>> {
    let n = layer.len();
    let (mut above, mut below, mut beside) = (vec![Vec::new(); n], vec![Vec::new(); n], vec![Vec::new(); n]);
    for &Net { a, b, weight } in nets {
        match layer[a].cmp(&layer[b]) {
            Ordering::Less => {
                below[a].push((b, weight));
                above[b].push((a, weight));
            }
            Ordering::Greater => {
                above[a].push((b, weight));
                below[b].push((a, weight));
            }
            Ordering::Equal if a != b => {
                beside[a].push((b, weight));
                beside[b].push((a, weight));
            }
            Ordering::Equal => {}
        }
    }
    let mut order = Order { layer, above, below, beside, layers: Vec::new(), rank: vec![0; n] };
    order.begin();
    let mut best = (order.cost(), order.layers.clone());
    let pairs: usize = order.layers.iter().map(|l| l.len() * l.len()).sum();
    for sweep in 0..(PAIRS_MAX / pairs.max(1)).clamp(2, SWEEPS) {
        if best.0 == 0 {
            break;
        }
        order.sweep(sweep % 2 == 0);
        order.swap_neighbours();
        let cost = order.cost();
        if cost < best.0 {
            best = (cost, order.layers.clone());
        }
    }
    best.1
}

impl Order<'_> {
    /// The order in which items are met from the top, depth first.
    fn begin(&mut self) {
        let n = self.layer.len();
        self.layers = vec![Vec::new(); self.layer.iter().max().map_or(0, |l| l + 1)];
        let mut roots: Vec<usize> = (0..n).collect();
        roots.sort_by_key(|&i| self.layer[i]);
        let mut seen = vec![false; n];
        for root in roots {
            let mut stack = vec![root];
            while let Some(item) = stack.pop() {
                if std::mem::replace(&mut seen[item], true) {
                    continue;
                }
                self.rank[item] = self.layers[self.layer[item]].len();
                self.layers[self.layer[item]].push(item);
                let next = self.beside[item].iter().chain(&self.below[item]);
                let mut next: Vec<usize> = next.map(|(other, _)| *other).collect();
                next.reverse();
                stack.extend(next);
            }
        }
    }

    /// Sorts every layer by where the neighbours of its items stand in the layer before.
    fn sweep(&mut self, down: bool) {
        let count = self.layers.len();
        for step in 0..count {
            let at = if down { step } else { count - 1 - step };
            let fixed = if down { &self.above } else { &self.below };
            let key = |item: usize| {
                let near = fixed[item].iter().map(|&(o, w)| (self.rank[o] as f64, f64::from(w)));
                let side =
                    self.beside[item].iter().map(|&(o, w)| (self.rank[o] as f64 + 0.5, f64::from(w) * 0.5));
                let (sum, weight) = near.chain(side).fold((0.0, 0.0), |(s, t), (x, w)| (s + x * w, t + w));
                if weight > 0.0 { sum / weight } else { self.rank[item] as f64 }
            };
            let mut keyed: Vec<(f64, usize)> = self.layers[at].iter().map(|&i| (key(i), i)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            self.layers[at] = keyed.into_iter().map(|(_, item)| item).collect();
            self.number(at);
        }
    }

    fn number(&mut self, layer: usize) {
        for (rank, &item) in self.layers[layer].iter().enumerate() {
            self.rank[item] = rank;
        }
    }

    /// Exchanges neighbours as long as that saves something.
    fn swap_neighbours(&mut self) {
        for _ in 0..6 {
            let mut is_better = false;
            for layer in 0..self.layers.len() {
                for at in 1..self.layers[layer].len() {
                    let (a, b) = (self.layers[layer][at - 1], self.layers[layer][at]);
                    let now = self.crossings(a, b) + self.flat(a) + self.flat(b);
                    self.exchange(layer, at);
                    let then = self.crossings(b, a) + self.flat(a) + self.flat(b);
                    if then < now {
                        is_better = true;
                    } else {
                        self.exchange(layer, at);
                    }
                }
            }
            if !is_better {
                break;
            }
        }
    }

    fn exchange(&mut self, layer: usize, at: usize) {
        self.layers[layer].swap(at - 1, at);
        self.rank[self.layers[layer][at - 1]] = at - 1;
        self.rank[self.layers[layer][at]] = at;
    }

    /// Crossings between the lines of two items of a layer when `left` stands left of `right`.
    fn crossings(&self, left: usize, right: usize) -> u64 {
        let mut sum = 0;
        for side in [&self.above, &self.below] {
            for &(l, lw) in &side[left] {
                for &(r, rw) in &side[right] {
                    if self.rank[l] > self.rank[r] {
                        sum += u64::from(lw * rw) * 4;
                    }
                }
            }
        }
        sum
    }

    fn flat(&self, item: usize) -> u64 {
        let away = |&(other, w): &(usize, u32)| {
            (self.rank[item].abs_diff(self.rank[other]) as u64 - 1) * u64::from(w) * FLAT_COST
        };
        self.beside[item].iter().map(away).sum()
    }

    fn cost(&self) -> u64 {
        let mut sum = 0;
        for layer in &self.layers {
            for (at, &left) in layer.iter().enumerate() {
                sum += 2 * self.flat(left);
                sum += layer[at + 1..].iter().map(|&right| self.crossings(left, right)).sum::<u64>();
            }
        }
        sum
    }
}
