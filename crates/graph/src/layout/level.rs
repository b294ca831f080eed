//! One level: cells, and the links between them.

use super::order::{self, Net};
use super::place::{self, Pull};
use super::{Point, Rect, layers, route};
use crate::shape::{CHIP_GAP, Shape};
use std::collections::BTreeMap;

/// Something with a place in a layer.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Cell {
    pub w: f64,
    pub h: f64,
    /// Index of the shape whose exits stand at its lower edge.
    pub shape: Option<usize>,
    /// Where a call begins.
    pub is_start: bool,
    /// A terminal in the first layer.
    pub is_first: bool,
    /// A terminal in the last layer.
    pub is_last: bool,
}

/// A way, as far as this level is concerned.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Link {
    pub way: usize,
    pub from: usize,
    pub to: usize,
    pub is_strong: bool,
    /// Where it begins, from the left of its cell; None: where the cell's exits are put, or in the middle.
    pub port: Option<f64>,
    /// Where it ends, from the left of its cell; None: in the middle.
    pub inlet: Option<f64>,
    /// Links of one cell and one key end at one point, and share their line.
    pub inlet_key: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Level {
    pub cells: Vec<Cell>,
    pub links: Vec<Link>,
}

/// A level that is laid out.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Plan {
    pub w: f64,
    pub h: f64,
    /// One for each cell.
    pub rects: Vec<Rect>,
    /// By way.
    pub lines: Vec<(usize, Vec<Point>)>,
}

/// What stands in a layer: a cell, or a line that passes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Item {
    Cell(usize),
    /// All links to this target share it.
    Bend,
}

/// Everything in layers, with the bends of lines that pass layers.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Grid {
    /// The first items are the cells.
    pub items: Vec<Item>,
    pub layer: Vec<usize>,
    /// Places where lines end: cell and the place from its left edge.
    pub targets: Vec<(usize, f64)>,
    /// Of each link.
    pub target: Vec<usize>,
    /// By target and layer: where its line passes downward.
    pub down: BTreeMap<(usize, usize), usize>,
    /// By target and layer: where its line passes upward.
    pub up: BTreeMap<(usize, usize), usize>,
}

impl Cell {
    pub fn node(shape: &Shape, is_start: bool) -> Cell {
        Cell { w: shape.w, h: shape.h, shape: Some(shape.index), is_start, ..Cell::default() }
    }

    pub fn is_top(&self) -> bool {
        self.is_first || self.is_start
    }
}

impl Level {
    pub fn lay_out(&self, shapes: &[Shape]) -> Plan {
        let grid = self.grid();
        let nets = self.nets(&grid);
        let order = order::order(&grid.layer, &nets);
        let ports = self.ports(&grid, &order, shapes);
        let pulls = self.pulls(&grid, &ports);
        let width = |i: usize| match grid.items[i] {
            Item::Cell(c) => self.cells[c].w,
            Item::Bend => 0.0,
        };
        let widths: Vec<f64> = (0..grid.items.len()).map(width).collect();
        let x = place::place(&order, &widths, &pulls);
        route::route(self, &grid, &order, &ports, &x)
    }

    /// Layers, and a bend wherever a line passes one.
    fn grid(&self) -> Grid {
        let mut grid = Grid {
            items: (0..self.cells.len()).map(Item::Cell).collect(),
            layer: layers::layers(&self.cells, &self.links),
            targets: Vec::new(),
            target: Vec::new(),
            down: BTreeMap::new(),
            up: BTreeMap::new(),
        };
        let mut known: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for link in &self.links {
            let target = *known.entry((link.to, link.inlet_key)).or_insert_with(|| {
                grid.targets.push((link.to, link.inlet.unwrap_or(self.cells[link.to].w / 2.0)));
                grid.targets.len() - 1
            });
            grid.target.push(target);
            let (from, to) = (grid.layer[link.from], grid.layer[link.to]);
            let (map, passed) = match from < to {
                true => (&mut grid.down, from + 1..to),
                false => (&mut grid.up, to..from + 1),
            };
            for layer in passed {
                map.entry((target, layer)).or_insert_with(|| {
                    grid.items.push(Item::Bend);
                    grid.layer.push(layer);
                    grid.items.len() - 1
                });
            }
        }
        grid
    }

    /// What is connected to what, from one layer to the next or within a layer.
    fn nets(&self, grid: &Grid) -> Vec<Net> {
        let mut nets: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        for (i, link) in self.links.iter().enumerate() {
            for (a, b) in grid.hops(link, i) {
                let weight = nets.entry((a, b)).or_insert(0);
                *weight = (*weight).max(if link.is_strong { 2 } else { 1 });
            }
        }
        nets.into_iter().map(|((a, b), weight)| Net { a, b, weight }).collect()
    }

    /// Where each link leaves its cell, from the cell's left edge: exits stand in the order of where they lead.
    fn ports(&self, grid: &Grid, order: &[Vec<usize>], shapes: &[Shape]) -> Vec<f64> {
        let mut rank = vec![0; grid.items.len()];
        for layer in order {
            for (at, &item) in layer.iter().enumerate() {
                rank[item] = at;
            }
        }
        let mut ports: Vec<f64> =
            self.links.iter().map(|l| l.port.unwrap_or(self.cells[l.from].w / 2.0)).collect();
        let mut exits: Vec<Vec<usize>> = vec![Vec::new(); self.cells.len()];
        for (i, link) in self.links.iter().enumerate() {
            exits[link.from].push(i);
        }
        for (cell, links) in exits.iter_mut().enumerate() {
            let Some(shape) = self.cells[cell].shape.map(|s| &shapes[s]) else { continue };
            links.sort_by_key(|&i| {
                let (_, first) = grid.hops(&self.links[i], i)[0];
                // Ways back turn round beside the box: first or last.
                let side = match grid.layer[first] == grid.layer[cell] {
                    true if rank[first] < rank[cell] => 0,
                    true => 2,
                    false => 1,
                };
                (side, rank[first], i)
            });
            let width = |i: usize| shape.chip(self.links[i].way).map_or(0.0, |c| c.w);
            let total: f64 =
                links.iter().map(|&i| width(i)).sum::<f64>() + CHIP_GAP * (links.len().max(1) - 1) as f64;
            let mut left = (shape.w - total) / 2.0;
            for &i in links.iter() {
                ports[i] = left + width(i) / 2.0;
                left += width(i) + CHIP_GAP;
            }
        }
        ports
    }

    /// What draws each item to the left or right.
    fn pulls(&self, grid: &Grid, ports: &[f64]) -> Vec<Vec<Pull>> {
        let middle = |item: usize| match grid.items[item] {
            Item::Cell(c) => self.cells[c].w / 2.0,
            Item::Bend => 0.0,
        };
        // By the two items and the place on each: several links may share a line.
        let mut lines: BTreeMap<(usize, usize, i64, i64), f64> = BTreeMap::new();
        for (i, link) in self.links.iter().enumerate() {
            for (a, b) in grid.hops(link, i) {
                let a_dx = if a == link.from { ports[i] - middle(a) } else { 0.0 };
                let b_dx = if b == link.to { grid.targets[grid.target[i]].1 - middle(b) } else { 0.0 };
                let straight = match (grid.items[a], grid.items[b]) {
                    (Item::Bend, Item::Bend) => 8.0,
                    (Item::Cell(_), Item::Cell(_)) => 1.0,
                    _ => 2.0,
                };
                let flat = if grid.layer[a] == grid.layer[b] { 0.2 } else { 1.0 };
                let weight: f64 = straight * flat * if link.is_strong { 3.0 } else { 1.0 };
                let key = (a, b, (a_dx * 16.0).round() as i64, (b_dx * 16.0).round() as i64);
                let known = lines.entry(key).or_insert(0.0);
                *known = weight.max(*known);
            }
        }
        let mut pulls = vec![Vec::new(); grid.items.len()];
        for ((a, b, a_dx, b_dx), weight) in lines {
            let offset = (a_dx - b_dx) as f64 / 16.0;
            let down = grid.layer[a].cmp(&grid.layer[b]);
            pulls[a].push(Pull { to: b, offset: -offset, weight, side: down });
            pulls[b].push(Pull { to: a, offset, weight, side: down.reverse() });
        }
        pulls
    }
}

impl Grid {
    /// The items that a link passes, pair by pair from its source to its target.
    pub fn hops(&self, link: &Link, index: usize) -> Vec<(usize, usize)> {
        let target = self.target[index];
        let (from, to) = (self.layer[link.from], self.layer[link.to]);
        let mut stops = vec![link.from];
        match from < to {
            true => stops.extend((from + 1..to).map(|l| self.down[&(target, l)])),
            false => stops.extend((to..=from).rev().map(|l| self.up[&(target, l)])),
        }
        stops.push(link.to);
        stops.windows(2).map(|w| (w[0], w[1])).collect()
    }
}
