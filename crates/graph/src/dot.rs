//! The picture for Graphviz.

use crate::Picture;
use crate::exits::ways;
use crate::style::{LIGHT_LINE, LINE, UNREACHED};
use crate::text::thousands;
use crate::{Change, Node};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A `digraph`; groups are clusters. Nodes have their names as ids.
pub fn dot(picture: &Picture) -> String {
    let (drawn, ways) = ways(picture);
    let nodes: Vec<&Node> = drawn.iter().map(|&i| &picture.nodes[i]).collect();
    let mut out = String::new();
    let _ = write!(
        out,
        "digraph {} {{\n  label={} labelloc=t rankdir=TB nodesep=0.3 ranksep=0.5\n  \
         node [shape=box style=\"filled,rounded\" fontname=Helvetica fontsize=11]\n  \
         edge [fontname=Helvetica fontsize=10]\n",
        quoted(&picture.title),
        quoted(&picture.title),
    );
    let mut groups: BTreeMap<Option<&str>, Vec<&Node>> = BTreeMap::new();
    for node in &nodes {
        groups.entry(node.group.as_deref()).or_default().push(node);
    }
    for (at, (group, nodes)) in groups.iter().enumerate() {
        let indent = if group.is_some() { "    " } else { "  " };
        if let Some(group) = group {
            let _ = writeln!(out, "  subgraph cluster_{at} {{\n    label={}", quoted(group));
        }
        for node in nodes {
            self::node(&mut out, indent, picture, node);
        }
        if group.is_some() {
            out.push_str("  }\n");
        }
    }
    for way in &ways {
        let (colour, style) = match (way.change.paint(), way.count) {
            (Some((_, border)), _) if way.change == Change::Removed => (border, " style=dashed"),
            (Some((_, border)), _) => (border, ""),
            (None, Some(0)) => (UNREACHED.1, " style=dotted"),
            (None, _) if way.is_error => (LIGHT_LINE, ""),
            (None, _) => (LINE, ""),
        };
        let from = quoted(&nodes[way.from].name);
        let to = quoted(&nodes[way.to].name);
        let label = quoted(&way.label());
        let _ = writeln!(out, "  {from} -> {to} [label={label} color=\"{colour}\"{style}]");
    }
    out.push_str("}\n");
    out
}

fn node(out: &mut String, indent: &str, picture: &Picture, node: &Node) {
    let (fill, border) = picture.paint(node);
    let mut label = format!("{} ({})", node.short_name(), node.kind);
    if let Some(count) = node.count {
        let _ = write!(label, " ×{}", thousands(count));
    }
    for line in &node.lines {
        let _ = write!(label, "\n{}{}", line.change.sign(), line.text);
    }
    let pen = if node.name == picture.start { " penwidth=2.5" } else { "" };
    let dash = if node.change == Change::Removed { " style=\"filled,rounded,dashed\"" } else { "" };
    let (name, label) = (quoted(&node.name), quoted(&label));
    let _ =
        writeln!(out, "{indent}{name} [label={label} fillcolor=\"{fill}\" color=\"{border}\"{pen}{dash}]");
}

/// A quoted string of the DOT language, in which a backslash begins an escape and a new line is `\n`.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
