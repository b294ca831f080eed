//! Which layer each cell stands in: every way leads downward, except those that close a circle.

use super::level::{Cell, Link};

/// A layer for each cell, from 0 without gaps.
pub(super) fn layers(cells: &[Cell], links: &[Link]) -> Vec<usize> {
    let n = cells.len();
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); n];
    for (i, link) in links.iter().enumerate() {
        out[link.from].push(i);
    }
    for list in &mut out {
        list.sort_by_key(|&i| !links[i].is_strong);
    }
    let (topological, is_back) = search(cells, links, &out);

    let mut inn: Vec<Vec<usize>> = vec![Vec::new(); n];
    for list in &mut out {
        list.retain(|&i| !is_back[i]);
        for &i in list.iter() {
            inn[links[i].to].push(i);
        }
    }
    let base =
        |v: usize| usize::from(!(cells[v].is_first || cells[v].is_start) && cells.iter().any(Cell::is_top));
    let mut layer: Vec<usize> = (0..n).map(base).collect();
    for &v in &topological {
        layer[v] = inn[v].iter().map(|&i| layer[links[i].from] + 1).max().unwrap_or(0).max(base(v));
    }
    // Move what has room towards where most of its ways are.
    let weight = |list: &[usize]| list.iter().map(|&i| if links[i].is_strong { 3 } else { 1 }).sum::<u32>();
    for _ in 0..8 {
        for v in topological.iter().rev().chain(&topological).copied() {
            if cells[v].is_top() || out[v].is_empty() {
                continue;
            }
            let lo = inn[v].iter().map(|&i| layer[links[i].from] + 1).max().unwrap_or(0).max(base(v));
            let hi = out[v].iter().map(|&i| layer[links[i].to] - 1).min().unwrap_or(lo);
            layer[v] = if weight(&out[v]) > weight(&inn[v]) { hi.max(lo) } else { lo };
        }
    }
    let bottom = (0..n).filter(|&v| !cells[v].is_last).map(|v| layer[v] + 1).max().unwrap_or(0);
    for v in 0..n {
        if cells[v].is_last {
            layer[v] = bottom;
        }
    }
    let mut used: Vec<usize> = layer.clone();
    used.sort_unstable();
    used.dedup();
    layer.iter().map(|l| used.partition_point(|u| u < l)).collect()
}

/// Depth first from the top: cells so that ways that are not back lead onward, and which ways are back.
fn search(cells: &[Cell], links: &[Link], out: &[Vec<usize>]) -> (Vec<usize>, Vec<bool>) {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let n = cells.len();
    let mut is_back: Vec<bool> =
        links.iter().map(|l| cells[l.to].is_start && !cells[l.from].is_first).collect();
    let mut has_in = vec![false; n];
    for link in links {
        has_in[link.to] = true;
    }
    let mut roots: Vec<usize> = (0..n).collect();
    roots.sort_by_key(|&v| (!cells[v].is_first, !cells[v].is_start, has_in[v]));
    let mut state = vec![State::New; n];
    let mut postorder = Vec::with_capacity(n);
    for root in roots {
        if state[root] != State::New {
            continue;
        }
        state[root] = State::Open;
        let mut stack = vec![(root, 0)];
        while let Some((v, next)) = stack.last_mut() {
            let Some(&i) = out[*v].get(*next) else {
                state[*v] = State::Done;
                postorder.push(*v);
                stack.pop();
                continue;
            };
            *next += 1;
            let to = links[i].to;
            match state[to] {
                State::Open => is_back[i] = true,
                State::New if !is_back[i] => {
                    state[to] = State::Open;
                    stack.push((to, 0));
                }
                State::New | State::Done => {}
            }
        }
    }
    postorder.reverse();
    (postorder, is_back)
}
