//! Places from the left: each item near what it is joined to, lines straight where that is possible.

use std::cmp::Ordering;

/// `x` of an item wants to be `x` of the item `to` plus `offset`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pull {
    pub to: usize,
    pub offset: f64,
    pub weight: f64,
    /// Less: it stands in the layer below, Greater: above.
    pub side: Ordering,
}

const ROUNDS: usize = 24;
const BOX_GAP: f64 = 28.0;
const LINE_GAP: f64 = 12.0;
const MIXED_GAP: f64 = 18.0;

/// The middle of each item, in layers that are in order. The leftmost edge of all is at 0.
pub(super) fn place(order: &[Vec<usize>], widths: &[f64], pulls: &[Vec<Pull>]) -> Vec<f64> {
    let mut x = vec![0.0; widths.len()];
    let apart: Vec<Vec<f64>> = order.iter().map(|layer| separations(layer, widths)).collect();
    for (layer, apart) in order.iter().zip(&apart) {
        let middle = apart.last().copied().unwrap_or(0.0) / 2.0;
        for (&item, at) in layer.iter().zip(apart) {
            x[item] = at - middle;
        }
    }
    for round in 0..ROUNDS {
        // From the top, from the bottom, and in the end with both sides in view.
        let down = round % 2 == 0;
        let both = round >= ROUNDS / 2;
        for step in 0..order.len() {
            let at = if down { step } else { order.len() - 1 - step };
            let sees = |p: &&Pull| both || p.side == Ordering::Equal || (p.side == Ordering::Greater) == down;
            let wishes: Vec<Vec<(f64, f64)>> = order[at]
                .iter()
                .map(|&item| {
                    let pulls = pulls[item].iter().filter(sees);
                    // Between one above and one below it, a line bends once rather than twice.
                    let lean = |p: &Pull| if p.side == Ordering::Greater { 1.1 } else { 1.0 };
                    let mut wishes: Vec<_> =
                        pulls.map(|p| (x[p.to] + p.offset, p.weight * lean(p))).collect();
                    wishes.push((x[item], 0.01));
                    wishes
                })
                .collect();
            for (&item, at) in order[at].iter().zip(settle(&wishes, &apart[at])) {
                x[item] = at;
            }
        }
    }
    let left = (0..x.len()).map(|i| x[i] - widths[i] / 2.0).fold(f64::INFINITY, f64::min);
    x.iter().map(|x| x - left).collect()
}

/// The least distance of each item of a layer from the first.
fn separations(layer: &[usize], widths: &[f64]) -> Vec<f64> {
    let mut at = 0.0;
    let mut out = Vec::with_capacity(layer.len());
    for (i, &item) in layer.iter().enumerate() {
        if let Some(&before) = i.checked_sub(1).and_then(|i| layer.get(i)) {
            let gap = match (widths[before] > 0.0, widths[item] > 0.0) {
                (true, true) => BOX_GAP,
                (false, false) => LINE_GAP,
                _ => MIXED_GAP,
            };
            at += (widths[before] + widths[item]) / 2.0 + gap;
        }
        out.push(at);
    }
    out
}

/// Places that keep their distances and are least far from the wishes `(place, weight)` in sum: blocks that touch
/// are joined until none overlaps, and each block stands at the median of its wishes.
fn settle(wishes: &[Vec<(f64, f64)>], apart: &[f64]) -> Vec<f64> {
    struct Block {
        wishes: Vec<(f64, f64)>,
        at: f64,
        len: usize,
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (own, offset) in wishes.iter().zip(apart) {
        let wishes: Vec<_> = own.iter().map(|(x, w)| (x - offset, *w)).collect();
        let mut block = Block { at: median(&wishes), wishes, len: 1 };
        while let Some(last) = blocks.pop_if(|last| last.at > block.at) {
            block.wishes.extend(last.wishes);
            block.len += last.len;
            block.at = median(&block.wishes);
        }
        blocks.push(block);
    }
    let starts = blocks.iter().flat_map(|b| std::iter::repeat_n(b.at, b.len));
    starts.zip(apart).map(|(start, offset)| start + offset).collect()
}

/// The weighted median; in the middle between two when the weights are even.
fn median(wishes: &[(f64, f64)]) -> f64 {
    let mut sorted = wishes.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = sorted.iter().map(|w| w.1).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    for (i, (x, weight)) in sorted.iter().enumerate() {
        sum += weight;
        if sum > half + 1e-9 {
            return *x;
        }
        if sum > half - 1e-9 {
            return sorted.get(i + 1).map_or(*x, |next| (x + next.0) / 2.0);
        }
    }
    sorted.last().map_or(0.0, |w| w.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_at_their_median_and_apart() {
        let one = |x: f64| vec![(x, 1.0)];
        assert_eq!(settle(&[one(0.0), one(100.0)], &[0.0, 10.0]), [0.0, 100.0]);
        assert_eq!(settle(&[one(50.0), one(50.0)], &[0.0, 10.0]), [45.0, 55.0]);
        let heavy = vec![(50.0, 5.0)];
        assert_eq!(settle(&[one(50.0), heavy, one(0.0)], &[0.0, 10.0, 30.0]), [40.0, 50.0, 70.0]);
    }
}
