//! What holds for every picture.

use crate::exits::{Way, ways};
use crate::layout::{Layout, Rect, layout};
use crate::shape::{KIND_SIZE, NAME_SIZE, PAD, Shape, TEXT_SIZE, shape};
use crate::text::{bold_width, width, xml};
use crate::{Change, Edge, Line, Node, Picture, dot, mermaid, svg};
use proptest::prelude::*;

const LABELS: [&str; 8] =
    ["next", "1", "2", "no-input", "invalid", "timeout", "x == '<&>\"' and y", "otherwise"];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::Same),
        1 => Just(Change::Added),
        1 => Just(Change::Removed),
        1 => Just(Change::Changed),
    ]
}

fn node(at: usize) -> impl Strategy<Value = Node> {
    let kind = prop::sample::select(vec!["play", "menu", "branch", "queue", "hangup", "<new & unknown>"]);
    let group = prop::sample::select(vec![None, None, None, Some("a"), Some("a/b"), Some("c")]);
    let line = ("[ -~]{0,60}|[技术支持]{0,40}|\\PC{0,20}", change())
        .prop_map(|(text, change)| Line { text, change });
    let count = prop::option::of(prop::sample::select(vec![0, 1, 99, 1_234_567]));
    ("[a-z<\"]{0,30}", kind, group, prop::collection::vec(line, 0..5), count, change()).prop_map(
        move |(name, kind, group, lines, count, change)| Node {
            name: format!("n{at}{name}"),
            kind: kind.into(),
            lines,
            group: group.map(str::to_owned),
            count,
            change,
        },
    )
}

fn picture() -> impl Strategy<Value = Picture> {
    let nodes = (1usize..22).prop_flat_map(|n| (0..n).map(node).collect::<Vec<_>>());
    let edge = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..LABELS.len(), change());
    let edges = prop::collection::vec(edge, 0..50);
    (nodes, edges, any::<bool>()).prop_map(|(nodes, edges, is_difference)| {
        let name = |at: prop::sample::Index| nodes[at.index(nodes.len())].name.clone();
        let edges = edges.into_iter().map(|(from, to, label, change)| Edge {
            change,
            count: if label == 1 { Some(0) } else { None },
            ..Edge::new(name(from), name(to), LABELS[label])
        });
        let (edges, start) = (edges.collect(), nodes[0].name.clone());
        Picture { title: "any & all".into(), nodes, edges, start, is_difference }
    })
}

fn laid_out(picture: &Picture) -> (Vec<Shape>, Vec<Way>, Layout) {
    let (drawn, ways) = ways(picture);
    let exits = |at: usize| ways.iter().enumerate().filter(|(_, w)| w.from == at).collect::<Vec<_>>();
    let shape = |(at, &i): (usize, &usize)| shape(at, &picture.nodes[i], &exits(at));
    let shapes: Vec<Shape> = drawn.iter().enumerate().map(shape).collect();
    let start = drawn.iter().position(|&i| picture.nodes[i].name == picture.start);
    let layout = layout(&shapes, &ways, start);
    (shapes, ways, layout)
}

impl Rect {
    fn overlaps(&self, other: &Rect) -> bool {
        let apart = |a: f64, aw: f64, b: f64, bw: f64| a + aw <= b + 0.1 || b + bw <= a + 0.1;
        !apart(self.x, self.w, other.x, other.w) && !apart(self.y, self.h, other.y, other.h)
    }

    fn contains(&self, other: &Rect) -> bool {
        let within = |a: f64, aw: f64, b: f64, bw: f64| a <= b + 0.1 && b + bw <= a + aw + 0.1;
        within(self.x, self.w, other.x, other.w) && within(self.y, self.h, other.y, other.h)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn boxes_keep_apart_and_lines_pass_between_them(picture in picture()) {
        let (shapes, ways, layout) = laid_out(&picture);
        let sheet = Rect { x: 0.0, y: 0.0, w: layout.size.x, h: layout.size.y };
        for (i, a) in layout.boxes.iter().enumerate() {
            prop_assert!(sheet.contains(a), "{a:?} in {sheet:?}");
            for b in &layout.boxes[i + 1..] {
                prop_assert!(!a.overlaps(b), "{a:?} {b:?}");
            }
        }
        for (way, line) in ways.iter().zip(&layout.lines) {
            let (from, to) = (layout.boxes[way.from], layout.boxes[way.to]);
            let (first, last) = (line[0], line[line.len() - 1]);
            prop_assert!((first.y - from.y - from.h).abs() < 0.1 && first.x >= from.x && first.x <= from.x + from.w);
            prop_assert!((last.y - to.y).abs() < 0.1 && (last.x - to.x - to.w / 2.0).abs() < 0.1);
            for pair in line.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                prop_assert!((a.x - b.x).abs() < 0.1 || (a.y - b.y).abs() < 0.1, "slanting: {line:?}");
                let (x, y) = (a.x.min(b.x), a.y.min(b.y));
                let segment = Rect { x, y, w: a.x.max(b.x) - x, h: a.y.max(b.y) - y };
                prop_assert!(sheet.contains(&segment), "{segment:?} in {sheet:?}");
                let fat = Rect { x: x - 0.5, w: segment.w + 1.0, ..segment };
                for rect in &layout.boxes {
                    prop_assert!(!fat.overlaps(rect), "{line:?} runs through {rect:?}");
                }
            }
        }
        for frame in &layout.frames {
            prop_assert!(sheet.contains(&frame.rect));
            for (shape, rect) in shapes.iter().zip(&layout.boxes) {
                let path = shape.path.join("/");
                let belongs = path == frame.group || path.starts_with(&format!("{}/", frame.group));
                prop_assert_eq!(frame.rect.contains(rect), belongs);
                prop_assert_eq!(frame.rect.overlaps(rect), belongs);
            }
        }
    }

    #[test]
    fn text_stays_within_its_box(picture in picture()) {
        let (shapes, ways, layout) = laid_out(&picture);
        for shape in &shapes {
            let head = bold_width(&shape.name, NAME_SIZE)
                + width(&shape.kind, KIND_SIZE)
                + shape.count.as_ref().map_or(0.0, |c| bold_width(c, TEXT_SIZE));
            prop_assert!(head + 2.0 * PAD <= shape.w, "{}", shape.name);
            for (line, _) in &shape.lines {
                prop_assert!(width(line, TEXT_SIZE) + 2.0 * PAD <= shape.w + 1.0, "{line}");
            }
        }
        for (i, way) in ways.iter().enumerate() {
            let Some(chip) = shapes[way.from].chip(i) else { continue };
            let (port, rect) = (layout.ports[i], layout.boxes[way.from]);
            prop_assert!(port.x - chip.w / 2.0 >= rect.x && port.x + chip.w / 2.0 <= rect.x + rect.w);
        }
    }

    #[test]
    fn everything_is_there_well_formed_and_the_same_again(picture in picture()) {
        let drawn = svg(&picture);
        well_formed(&drawn);
        prop_assert_eq!(&drawn, &svg(&picture));
        let (dot, mermaid) = (dot(&picture), mermaid(&picture));
        for node in &picture.nodes {
            let title = format!("<g><title>{} ({})", xml(&node.name), xml(&node.kind));
            prop_assert!(drawn.contains(&title), "{}", title);
            let quoted = format!("\"{}\" [label=", node.name.replace('"', "\\\""));
            prop_assert!(dot.contains(&quoted), "{}", quoted);
        }
        for (i, way) in ways(&picture).1.iter().enumerate() {
            prop_assert!(drawn.contains(&format!(": {} → ", xml(&way.label()))), "{i}");
            let arrow = format!("  s{} -->|\"", way.from);
            prop_assert!(mermaid.contains(&arrow), "{}", arrow);
        }
        for edge in &picture.edges {
            prop_assert!(drawn.contains(&xml(&edge.label)));
        }
        quotes_pair(&dot);
        for line in mermaid.lines().filter(|l| l.contains("[\"")) {
            prop_assert_eq!(line.matches('"').count(), 2, "{}", line);
        }
    }

    #[test]
    fn a_difference_from_itself_has_no_changes(picture in picture()) {
        prop_assert!(!Picture::difference(&plain(&picture), &plain(&picture)).has_changes());
    }

    #[test]
    fn a_difference_shows_both_versions(old in picture(), new in picture()) {
        let (old, new) = (plain(&old), plain(&new));
        let both = Picture::difference(&old, &new);
        for (version, gone) in [(&new, Change::Removed), (&old, Change::Added)] {
            let mut names: Vec<&str> = version.nodes.iter().map(|n| &*n.name).collect();
            let left = both.nodes.iter().filter(|n| n.change != gone);
            let mut shown: Vec<&str> = left.map(|n| &*n.name).collect();
            names.sort_unstable();
            shown.sort_unstable();
            prop_assert_eq!(names, shown);
            for node in &version.nodes {
                let shown = both.nodes.iter().find(|n| n.name == node.name).expect("it is there, see above");
                let left = shown.lines.iter().filter(|l| l.change != gone);
                let left: Vec<&str> = left.map(|l| &*l.text).collect();
                // Kind and start have lines of their own.
                let lines: Vec<&str> = node.lines.iter().map(|l| &*l.text).collect();
                prop_assert!(left.ends_with(&lines), "{left:?} {lines:?}");
            }
            let edges = |p: &Picture| p.edges.iter().filter(|e| e.change != gone).cloned().collect::<Vec<_>>();
            for edge in &version.edges {
                let is_it = |e: &Edge| (&e.from, &e.to, &e.label) == (&edge.from, &edge.to, &edge.label);
                prop_assert!(edges(&both).iter().any(is_it));
            }
        }
    }
}

/// Without marks.
fn plain(picture: &Picture) -> Picture {
    let mut plain = picture.clone();
    for node in &mut plain.nodes {
        node.change = Change::Same;
        node.lines.iter_mut().for_each(|l| l.change = Change::Same);
    }
    plain.edges.iter_mut().for_each(|e| e.change = Change::Same);
    plain
}

/// Tags pair, attributes are quoted, and `&` and `<` stand for nothing else.
fn well_formed(text: &str) {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let between = &rest[..at];
        assert!(!between.contains('>'), "{between}");
        entities(between);
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
            continue;
        }
        let (body, closed) = match tag.strip_suffix('/') {
            Some(body) => (body, true),
            None => (tag, false),
        };
        let (name, mut attributes) = body.split_once(' ').unwrap_or((body, ""));
        while let Some((key, more)) = attributes.split_once("=\"") {
            assert!(key.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{key}");
            let (value, more) = more.split_once('"').expect("a value ends");
            entities(value);
            attributes = more;
        }
        assert_eq!(attributes.trim(), "", "{tag}");
        if !closed {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(rest.trim(), "");
}

fn entities(text: &str) {
    for after in text.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|e| after.starts_with(e)), "{after}");
    }
}

fn quotes_pair(dot: &str) {
    for line in dot.lines() {
        let mut quotes = 0;
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => _ = chars.next(),
                '"' => quotes += 1,
                _ => {}
            }
        }
        assert_eq!(quotes % 2, 0, "{line}");
    }
}

/// A flow in a few steps, with a way back, an error's exit and a sub-flow.
fn small() -> Picture {
    let mut picture = Picture { title: "small".into(), start: "welcome".into(), ..Picture::default() };
    for (name, kind, line) in [
        ("welcome", "play", "welcome"),
        ("ask", "menu", "choose \"one\""),
        ("who", "subflow", "sub-flow identify"),
        ("who/number", "collect", "enter-number"),
        ("who/done", "return", ""),
        ("bye", "hangup", ""),
    ] {
        let mut node = Node::new(name, kind);
        node.lines.extend((!line.is_empty()).then(|| Line::new(line)));
        node.group = name.split_once('/').map(|(site, _)| site.to_owned());
        picture.nodes.push(node);
    }
    for (from, to, label) in [
        ("welcome", "ask", "next"),
        ("ask", "who", "1"),
        ("ask", "bye", "2"),
        ("ask", "bye", "no-input"),
        ("ask", "bye", "invalid"),
        ("who", "who/number", "next"),
        ("who/number", "who/done", "next"),
        ("who/number", "bye", "no-input"),
        ("who/done", "ask", "next"),
    ] {
        picture.edges.push(Edge::new(from, to, label));
    }
    picture
}

/// `UPDATE_GOLDEN=1` writes the files anew; look at them afterwards.
fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("the folder is there");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, known, "{} differs", path.display());
}

#[test]
fn a_small_flow_looks_as_it_did() {
    golden("small.svg", &svg(&small()));
    golden("small.dot", &dot(&small()));
    golden("small.mmd", &mermaid(&small()));
}

#[test]
fn a_small_difference_looks_as_it_did() {
    let mut new = small();
    new.nodes.retain(|n| n.name != "who/done");
    new.edges.retain(|e| e.from != "who/done" && e.to != "who/done");
    new.nodes.push(Node::new("who/rest", "branch"));
    new.nodes[1].lines[0].text = "choose another".into();
    new.edges.push(Edge::new("who/number", "who/rest", "next"));
    let counts = [("welcome".to_owned(), 12), ("ask".to_owned(), 3)].into();
    let both = Picture::difference(&small(), &new.with_counts(&counts, &[("ask/1".to_owned(), 3)].into()));
    golden("difference.svg", &svg(&both));
    golden("difference.dot", &dot(&both));
    golden("difference.mmd", &mermaid(&both));
}

#[test]
fn the_emptiest_pictures_are_drawn() {
    let mut picture = Picture::default();
    well_formed(&svg(&picture));
    picture.nodes = vec![Node::new("a", "play"), Node::new("a", "menu")];
    picture.edges = vec![Edge::new("a", "a", "next"), Edge::new("a", "nowhere", "1")];
    let drawn = svg(&picture);
    well_formed(&drawn);
    assert!(!drawn.contains("nowhere") && !drawn.contains("menu"));
}

#[test]
fn exits_to_one_step_share_a_line_unless_one_was_never_taken() {
    let counts = |exits: &[(&str, u64)]| exits.iter().map(|(e, n)| ((*e).to_owned(), *n)).collect();
    let label = |p: &Picture| -> Vec<String> {
        ways(p).1.iter().filter(|w| p.nodes[w.from].name == "ask").map(Way::label).collect()
    };
    assert_eq!(label(&small()), ["1", "2", "no-input, invalid"]);
    let counted = small().with_counts(&counts(&[("ask", 9)]), &counts(&[("ask/1", 4), ("ask/invalid", 5)]));
    assert_eq!(label(&counted), ["1 ×4", "2 ×0", "no-input ×0", "invalid ×5"]);
}

#[test]
fn five_hundred_steps_are_drawn() {
    let mut picture = Picture { start: "s0".into(), ..Picture::default() };
    for i in 0..500usize {
        picture.nodes.push(Node::new(format!("s{i}"), "menu"));
        for (label, to) in [("next", i + 1), ("1", i + i * 7 % 23), ("2", i - i % 5), ("no-input", 499)] {
            picture.edges.push(Edge::new(format!("s{i}"), format!("s{to}"), label));
        }
    }
    well_formed(&svg(&picture));
}
