//! The picture as SVG: one file without scripts, fonts or references.

use crate::exits::{Way, ways};
use crate::layout::{Layout, Point, Rect, layout};
use crate::shape::{HEAD, KIND_SIZE, LINE_HEIGHT, NAME_SIZE, PAD, Shape, TEXT_SIZE, shape};
use crate::style::{FAINT_LIGHT_LINE, FAINT_LINE, Family, LIGHT_LINE, LINE, MUTED, TEXT, UNREACHED};
use crate::text::{bold_width, px, width, xml};
use crate::{Change, Node, Picture};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const MARGIN: f64 = 24.0;
const TITLE_SIZE: f64 = 17.0;
const LEGEND_ROW: f64 = 20.0;
const ROUND: f64 = 6.0;
/// The legend has at least this room.
const WIDTH_MIN: f64 = 480.0;

/// Draws it. The size follows from the content, in pixels; the text is at least 10 pixels high.
pub fn svg(picture: &Picture) -> String {
    let (drawn, ways) = ways(picture);
    let mut exits: Vec<Vec<(usize, &Way)>> = vec![Vec::new(); drawn.len()];
    for (i, way) in ways.iter().enumerate() {
        exits[way.from].push((i, way));
    }
    let nodes: Vec<&Node> = drawn.iter().map(|&i| &picture.nodes[i]).collect();
    let shapes: Vec<Shape> =
        nodes.iter().zip(&exits).enumerate().map(|(i, (node, exits))| shape(i, node, exits)).collect();
    let start = nodes.iter().position(|n| n.name == picture.start);
    let layout = layout(&shapes, &ways, start);
    let legend = legend(picture, &nodes, &ways, &layout);

    let title_width = bold_width(&picture.title, TITLE_SIZE);
    let widest = legend.iter().map(|(_, text)| legend_width(text)).fold(0.0, f64::max);
    let w = layout.size.x.max(title_width).max(widest).max(WIDTH_MIN) + 2.0 * MARGIN;
    let (mut spots, mut x, mut y) = (Vec::new(), MARGIN, MARGIN + 28.0);
    for (_, text) in &legend {
        if x > MARGIN && x + legend_width(text) > w - MARGIN {
            (x, y) = (MARGIN, y + LEGEND_ROW);
        }
        spots.push((x, y));
        x += legend_width(text);
    }
    let top = y + LEGEND_ROW + 20.0;
    let h = top + layout.size.y + MARGIN;
    let mut sheet = Svg { out: String::new() };
    sheet.open(w.ceil(), h.ceil(), &picture.title);
    let by_name = Text { x: MARGIN, y: MARGIN + 16.0, size: TITLE_SIZE, bold: true, ..Text::default() };
    sheet.text(&by_name, &picture.title);
    let _ = writeln!(sheet.out, "<g transform=\"translate({} {})\">", px(MARGIN), px(top));
    for frame in &layout.frames {
        sheet.frame(frame.rect, &frame.group);
    }
    lines(&mut sheet, picture, &nodes, &ways, &layout);
    let most = nodes.iter().filter_map(|n| n.count).max().unwrap_or(0);
    for (shape, (node, rect)) in shapes.iter().zip(nodes.iter().zip(&layout.boxes)) {
        sheet.node(picture, node, shape, *rect, most);
        for (i, way) in exits[shape.index].iter() {
            sheet.chip(shape, *i, way, layout.ports[*i]);
        }
        sheet.out.push_str("</g>\n");
    }
    sheet.out.push_str("</g>\n");
    for ((mark, text), (x, y)) in legend.iter().zip(spots) {
        sheet.legend(x, y, mark, text);
    }
    sheet.out.push_str("</svg>\n");
    sheet.out
}

fn legend_width(text: &str) -> f64 {
    48.0 + width(text, TEXT_SIZE)
}

/// What an entry of the legend shows before its text.
enum Mark {
    Fill(&'static str, &'static str),
    Unreached,
    Line(Stroke),
}

/// How a line looks.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Stroke {
    colour: &'static str,
    width: f64,
    dash: &'static str,
}

fn legend(picture: &Picture, nodes: &[&Node], ways: &[Way], layout: &Layout) -> Vec<(Mark, String)> {
    let mut rows = Vec::new();
    if picture.is_difference {
        let changes = [(Change::Added, "added"), (Change::Removed, "removed"), (Change::Changed, "changed")];
        for (change, text) in changes {
            if let Some((fill, border)) = change.paint() {
                rows.push((Mark::Fill(fill, border), text.to_owned()));
            }
        }
    } else {
        let mut kinds: BTreeMap<Family, BTreeSet<&str>> = BTreeMap::new();
        for node in nodes {
            kinds.entry(Family::of(&node.kind)).or_default().insert(&node.kind);
        }
        for (family, kinds) in kinds {
            let (fill, border) = family.paint();
            rows.push((Mark::Fill(fill, border), kinds.into_iter().collect::<Vec<_>>().join(", ")));
        }
    }
    if nodes.iter().any(|n| n.count == Some(0)) || ways.iter().any(|w| w.count == Some(0)) {
        rows.push((Mark::Unreached, "never reached".into()));
    }
    let plain = |is_error, is_back| Stroke::new(Change::Same, None, 0, is_error, is_back);
    if ways.iter().any(|w| w.is_error) {
        rows.push((Mark::Line(plain(true, false)), "when something goes wrong".into()));
    }
    if layout.lines.iter().any(|line| is_back(line)) {
        rows.push((Mark::Line(plain(false, true)), "back to an earlier step".into()));
    }
    rows
}

fn is_back(line: &[Point]) -> bool {
    matches!(line, [first, .., last] if last.y < first.y)
}

impl Stroke {
    fn new(change: Change, count: Option<u64>, most: u64, is_error: bool, is_back: bool) -> Stroke {
        let width = if is_error { 1.1 } else { 1.5 };
        let colour = if is_error || is_back { LIGHT_LINE } else { LINE };
        let dash = if is_back { "6 3" } else { "" };
        match (change.paint(), count) {
            (Some((_, border)), _) => {
                let dash = if change == Change::Removed { "4 3" } else { dash };
                Stroke { colour: border, width: 2.0, dash }
            }
            (None, Some(0)) => Stroke { colour: UNREACHED.1, width: 1.1, dash: "2 3" },
            (None, Some(count)) => {
                let share = count as f64 / most.max(1) as f64;
                Stroke { colour, width: width + 3.5 * share.sqrt(), dash }
            }
            (None, None) => Stroke { colour, width, dash },
        }
    }
}

/// The lines: quiet ones first. Lines to one step lie on each other; where they cross others, the ones above are
/// set off.
fn lines(sheet: &mut Svg, picture: &Picture, nodes: &[&Node], ways: &[Way], layout: &Layout) {
    let most = ways.iter().filter_map(|w| w.count).max().unwrap_or(0);
    let rank = |way: &Way| match way.change {
        Change::Same if way.is_error => 0,
        Change::Same => 1,
        _ => 2,
    };
    let mut loudest = vec![0; nodes.len()];
    for way in ways {
        loudest[way.to] = rank(way).max(loudest[way.to]);
    }
    let mut order: Vec<usize> = (0..ways.len()).collect();
    order.sort_by_key(|&i| (loudest[ways[i].to], ways[i].to, rank(&ways[i]), i));
    for group in order.chunk_by(|&a, &b| ways[a].to == ways[b].to) {
        for &i in group {
            let path = path(&layout.lines[i]);
            let _ = writeln!(sheet.out, "<path d=\"{path}\" class=\"halo\"/>");
        }
        for &i in group {
            let way = &ways[i];
            let back = is_back(&layout.lines[i]);
            let mut stroke = Stroke::new(way.change, way.count, most, way.is_error, back);
            if picture.is_difference && way.change == Change::Same && way.count != Some(0) {
                stroke = stroke.faint();
            }
            let _ = write!(
                sheet.out,
                "<g><title>{}: {} → {}</title><path d=\"{}\" {}/>",
                xml(&nodes[way.from].name),
                xml(&way.label()),
                xml(&nodes[way.to].name),
                path(&layout.lines[i]),
                stroke.attributes(),
            );
            if let Some(end) = layout.lines[i].last() {
                let (x, y, half) = (end.x, end.y, 3.5 + stroke.width / 2.0);
                let _ = write!(
                    sheet.out,
                    "<path d=\"M{} {}L{} {}L{} {}Z\" fill=\"{}\"/>",
                    px(x - half),
                    px(y - 8.0),
                    px(x + half),
                    px(y - 8.0),
                    px(x),
                    px(y),
                    stroke.colour,
                );
            }
            sheet.out.push_str("</g>\n");
        }
    }
}

/// A line with its corners rounded, up to the arrow's head.
fn path(points: &[Point]) -> String {
    let mut points = points.to_vec();
    if let Some(last) = points.last_mut() {
        last.y -= 5.0;
    }
    let mut out = String::new();
    for (i, at) in points.iter().enumerate() {
        let (before, after) = (i.checked_sub(1).map(|b| points[b]), points.get(i + 1));
        let (Some(before), Some(after)) = (before, after) else {
            let _ = write!(out, "{}{} {}", if i == 0 { 'M' } else { 'L' }, px(at.x), px(at.y));
            continue;
        };
        let toward = |other: Point| {
            let length = (other.x - at.x).abs() + (other.y - at.y).abs();
            let share = ROUND.min(length / 2.0) / length.max(0.01);
            format!("{} {}", px(at.x + (other.x - at.x) * share), px(at.y + (other.y - at.y) * share))
        };
        let _ = write!(out, "L{}Q{} {} {}", toward(before), px(at.x), px(at.y), toward(*after));
    }
    out
}

impl Stroke {
    /// What has not changed steps back.
    fn faint(self) -> Stroke {
        let colour = if self.colour == LINE { FAINT_LINE } else { FAINT_LIGHT_LINE };
        Stroke { colour, ..self }
    }

    fn attributes(&self) -> String {
        let dash =
            if self.dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{}\"", self.dash) };
        format!("fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{dash}", self.colour, px(self.width))
    }
}

#[derive(Clone, Copy, Default)]
struct Text {
    x: f64,
    y: f64,
    size: f64,
    bold: bool,
    muted: bool,
    colour: Option<&'static str>,
    /// `middle` or `end`; empty: `start`.
    anchor: &'static str,
}

struct Svg {
    out: String,
}

impl Svg {
    fn open(&mut self, w: f64, h: f64, title: &str) {
        let (w, h) = (px(w), px(h));
        let _ = write!(
            self.out,
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" font-family="Helvetica, Arial, 'Noto Sans', 'Noto Sans CJK SC', 'DejaVu Sans', sans-serif">
<title>{}</title>
<style>.halo{{fill:none;stroke:#fff;stroke-width:5}}text{{fill:{TEXT}}}</style>
<defs><pattern id="unreached" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="{}"/><rect width="2.5" height="7" fill="#fecaca"/></pattern></defs>
<rect width="{w}" height="{h}" fill="#fff"/>
"##,
            xml(title),
            UNREACHED.0,
        );
    }

    fn text(&mut self, style: &Text, text: &str) {
        let anchor = if style.anchor.is_empty() { "start" } else { style.anchor };
        let bold = if style.bold { " font-weight=\"bold\"" } else { "" };
        let colour = style.colour.or(style.muted.then_some(MUTED));
        let colour = colour.map_or(String::new(), |c| format!(" style=\"fill:{c}\""));
        let (x, y, size) = (px(style.x), px(style.y), px(style.size));
        let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
        let _ = writeln!(
            self.out,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{bold}{anchor}{colour}>{}</text>",
            xml(text)
        );
    }

    fn rect(&mut self, rect: Rect, more: &str) {
        let Rect { x, y, w, h } = rect;
        let _ = writeln!(
            self.out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {more}/>",
            px(x),
            px(y),
            px(w),
            px(h)
        );
    }

    fn frame(&mut self, rect: Rect, group: &str) {
        self.rect(
            rect,
            "rx=\"10\" fill=\"#64748b\" fill-opacity=\"0.06\" stroke=\"#94a3b8\" stroke-dasharray=\"1 3\"",
        );
        let name = Text {
            x: rect.x + 10.0,
            y: rect.y + 16.0,
            size: TEXT_SIZE,
            bold: true,
            muted: true,
            ..Text::default()
        };
        self.text(&name, group);
    }

    /// Opens the node's group; its chips come after.
    fn node(&mut self, picture: &Picture, node: &Node, shape: &Shape, rect: Rect, most: u64) {
        let (fill, border) = picture.paint(node);
        let Rect { x, y, w, h } = rect;
        self.out.push_str("<g><title>");
        self.out.push_str(&xml(&format!("{} ({})", node.name, node.kind)));
        for line in &node.lines {
            let _ = write!(self.out, "\n{}{}", line.change.sign(), xml(&line.text));
        }
        self.out.push_str("</title>\n");
        let is_removed = node.change == Change::Removed;
        let is_unreached = node.change == Change::Same && node.count == Some(0);
        let is_start = node.name == picture.start;
        let round = if Family::of(&node.kind) == Family::End { 11 } else { 5 };
        let body = if is_unreached { "url(#unreached)" } else { "#fff" };
        let dash = if is_removed || is_unreached { " stroke-dasharray=\"5 3\"" } else { "" };
        let weight = if is_start || node.change != Change::Same { 2.5 } else { 1.3 };
        self.rect(rect, &format!("rx=\"{round}\" fill=\"{body}\""));
        let straight = if h > HEAD + 0.5 { format!("V{}H{}V", px(y + HEAD), px(x)) } else { String::new() };
        if straight.is_empty() {
            self.rect(rect, &format!("rx=\"{round}\" fill=\"{fill}\""));
        } else {
            let r = f64::from(round);
            let _ = writeln!(
                self.out,
                "<path d=\"M{} {}Q{} {} {} {}H{}Q{} {} {} {}{straight}{}Z\" fill=\"{fill}\"/>",
                px(x),
                px(y + r),
                px(x),
                px(y),
                px(x + r),
                px(y),
                px(x + w - r),
                px(x + w),
                px(y),
                px(x + w),
                px(y + r),
                px(y + r),
            );
        }
        if let (Some(count), true) = (node.count, most > 0) {
            let share = count as f64 / most as f64;
            self.rect(Rect { x, y: y + HEAD - 3.0, w: w * share, h: 3.0 }, "fill=\"#f59e0b\"");
        }
        let outline = format!("fill=\"none\" stroke=\"{border}\" stroke-width=\"{}\"", px(weight));
        self.rect(rect, &format!("rx=\"{round}\" {outline}{dash}"));
        let name = Text { x: x + PAD, y: y + 16.5, size: NAME_SIZE, bold: true, ..Text::default() };
        self.text(&name, &shape.name);
        let mut right = x + w - PAD;
        if let Some(count) = &shape.count {
            let style =
                Text { x: right, y: y + 16.0, size: TEXT_SIZE, bold: true, anchor: "end", ..Text::default() };
            self.text(&style, count);
            right -= bold_width(count, TEXT_SIZE) + 6.0;
        }
        let kind =
            Text { x: right, y: y + 16.0, size: KIND_SIZE, anchor: "end", muted: true, ..Text::default() };
        self.text(&kind, &shape.kind);
        for (i, (line, change)) in shape.lines.iter().enumerate() {
            let y = y + HEAD + 14.0 + i as f64 * LINE_HEIGHT;
            let colour = change.paint().map(|(_, border)| border);
            self.text(&Text { x: x + PAD, y, size: TEXT_SIZE, colour, ..Text::default() }, line);
        }
    }

    fn chip(&mut self, shape: &Shape, index: usize, way: &Way, port: Point) {
        let Some(chip) = shape.chip(index) else { return };
        let (fill, border) = match (way.change.paint(), way.count) {
            (Some(paint), _) => paint,
            (None, Some(0)) => UNREACHED,
            (None, _) if way.is_error => ("#fff", "#cbd5e1"),
            (None, _) => ("#f1f5f9", "#94a3b8"),
        };
        let h = shape.chip_height;
        let rect = Rect { x: port.x - chip.w / 2.0, y: port.y - h, w: chip.w, h };
        self.rect(rect, &format!("rx=\"3\" fill=\"{fill}\" stroke=\"{border}\""));
        let size = TEXT_SIZE - 1.0;
        let mut y = rect.y + LINE_HEIGHT - 3.5;
        for line in &chip.lines {
            let muted = way.is_error && way.change == Change::Same;
            self.text(&Text { x: port.x, y, size, muted, anchor: "middle", ..Text::default() }, line);
            y += LINE_HEIGHT - 2.0;
        }
        if let Some(count) = &chip.count {
            self.text(&Text { x: port.x, y, size, bold: true, anchor: "middle", ..Text::default() }, count);
        }
    }

    fn legend(&mut self, x: f64, y: f64, mark: &Mark, text: &str) {
        let swatch = Rect { x, y: y + 3.0, w: 24.0, h: 12.0 };
        match mark {
            Mark::Fill(fill, border) => {
                self.rect(swatch, &format!("rx=\"3\" fill=\"{fill}\" stroke=\"{border}\""))
            }
            Mark::Unreached => {
                let border = UNREACHED.1;
                self.rect(swatch, &format!("rx=\"3\" fill=\"url(#unreached)\" stroke=\"{border}\""));
            }
            Mark::Line(stroke) => {
                let (right, y) = (px(x + 24.0), px(y + 9.0));
                let _ = writeln!(self.out, "<path d=\"M{} {y}H{right}\" {}/>", px(x), stroke.attributes());
            }
        }
        self.text(&Text { x: x + 32.0, y: y + 13.0, size: TEXT_SIZE, ..Text::default() }, text);
    }
}
