//! The picture for Mermaid, which many viewers of Markdown draw.

use crate::exits::ways;
use crate::style::{LIGHT_LINE, LINE, Paint, UNREACHED};
use crate::text::thousands;
use crate::{Change, Node, Picture};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A `flowchart`; groups are subgraphs. Ids are `s0`, `s1`, ...: names may hold anything.
pub fn mermaid(picture: &Picture) -> String {
    let (drawn, ways) = ways(picture);
    let nodes: Vec<&Node> = drawn.iter().map(|&i| &picture.nodes[i]).collect();
    let mut out = format!("---\ntitle: {}\n---\nflowchart TD\n", title(&picture.title));
    let mut groups: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        groups.entry(node.group.as_deref()).or_default().push(i);
    }
    for (at, (group, members)) in groups.iter().enumerate() {
        let indent = if group.is_some() { "    " } else { "  " };
        if let Some(group) = group {
            let _ = writeln!(out, "  subgraph g{at}[\"{}\"]", escaped(group));
        }
        for &i in members {
            let _ = writeln!(out, "{indent}s{i}[\"{}\"]", label(nodes[i]));
        }
        if group.is_some() {
            out.push_str("  end\n");
        }
    }
    let mut strokes: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (i, way) in ways.iter().enumerate() {
        let stroke = match (way.change.paint(), way.count) {
            (Some((_, border)), _) if way.change == Change::Removed => (border, ",stroke-dasharray:4 3"),
            (Some((_, border)), _) => (border, ""),
            (None, Some(0)) => (UNREACHED.1, ",stroke-dasharray:2 3"),
            (None, _) if way.is_error => (LIGHT_LINE, ""),
            (None, _) => (LINE, ""),
        };
        strokes.entry(stroke).or_default().push(i);
        let _ = writeln!(out, "  s{} -->|\"{}\"| s{}", way.from, escaped(&way.label()), way.to);
    }
    let mut paints: BTreeMap<(Paint, bool), Vec<usize>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        paints.entry((picture.paint(node), node.change == Change::Removed)).or_default().push(i);
    }
    for (at, (((fill, border), is_dashed), members)) in paints.iter().enumerate() {
        let dash = if *is_dashed { ",stroke-dasharray:5 3" } else { "" };
        let _ = writeln!(out, "  classDef p{at} fill:{fill},stroke:{border},color:#1e293b{dash}");
        let _ = writeln!(out, "  class {} p{at}", list(members, "s"));
    }
    for ((colour, dash), members) in strokes {
        let _ = writeln!(out, "  linkStyle {} stroke:{colour}{dash}", list(&members, ""));
    }
    if let Some(start) = nodes.iter().position(|n| n.name == picture.start) {
        let _ = writeln!(out, "  style s{start} stroke-width:3px");
    }
    out
}

fn label(node: &Node) -> String {
    let mut label = format!("<b>{}</b> <i>{}</i>", escaped(node.short_name()), escaped(&node.kind));
    if let Some(count) = node.count {
        let _ = write!(label, " ×{}", thousands(count));
    }
    for line in &node.lines {
        let _ = write!(label, "<br>{}{}", line.change.sign(), escaped(&line.text));
    }
    label
}

fn list(members: &[usize], prefix: &str) -> String {
    members.iter().map(|i| format!("{prefix}{i}")).collect::<Vec<_>>().join(",")
}

/// Within a quoted text, everything that Mermaid, its Markdown or HTML could take for something else is written as
/// a character code.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | ';' | '|' | '`' | '\\' | '*' | '_' | '{' | '}' | '[' | ']'
            | '%' => {
                let _ = write!(out, "#{};", c as u32);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A quoted YAML string.
fn title(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", clean.replace('\\', "\\\\").replace('"', "\\\""))
}
