//! Colours: light fills, dark text. What a kind of step is for gives its colour.

use crate::{Change, Edge, Node, Picture};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Family {
    Heard,
    Asked,
    Decided,
    People,
    Outside,
    Between,
    End,
    Other,
}

/// Fill and border.
pub(crate) type Paint = (&'static str, &'static str);

pub(crate) const TEXT: &str = "#1e293b";
pub(crate) const MUTED: &str = "#64748b";
pub(crate) const LINE: &str = "#475569";
pub(crate) const LIGHT_LINE: &str = "#a3b1c2";
pub(crate) const FAINT_LINE: &str = "#a3acb8";
pub(crate) const FAINT_LIGHT_LINE: &str = "#d5dce4";
pub(crate) const UNREACHED: Paint = ("#fff1f2", "#dc2626");

impl Family {
    pub fn of(kind: &str) -> Family {
        match kind {
            "play" | "say" | "announce" | "answer" | "ringing" | "echo" => Family::Heard,
            "menu" | "collect" | "survey" | "consent" | "bot" => Family::Asked,
            "set" | "branch" | "hours" | "language" | "identify" => Family::Decided,
            "queue" | "ring" | "transfer" | "callback" => Family::People,
            "http" | "notify" | "record" | "voicemail" => Family::Outside,
            "subflow" | "return" | "back" | "anytime" => Family::Between,
            "hangup" | "reject" => Family::End,
            _ => Family::Other,
        }
    }

    pub fn paint(self) -> Paint {
        match self {
            Family::Heard => ("#dbeafe", "#3b76d6"),
            Family::Asked => ("#e9e3fd", "#7c5cd6"),
            Family::Decided => ("#fdf0c4", "#b7821b"),
            Family::People => ("#d5f5df", "#2f9a57"),
            Family::Outside => ("#cdf3f6", "#1b8a99"),
            Family::Between => ("#f8e1f7", "#ac4aa6"),
            Family::End => ("#dfe3e8", "#4b5563"),
            Family::Other => ("#eef1f4", "#7b8794"),
        }
    }
}

impl Change {
    /// None: as if nothing had happened.
    pub(crate) fn paint(self) -> Option<Paint> {
        match self {
            Change::Same => None,
            Change::Added => Some(("#d3f5dc", "#15803d")),
            Change::Removed => Some(("#fde2e2", "#c81e1e")),
            Change::Changed => Some(("#fdecc0", "#b45309")),
        }
    }

    /// Before a line of text.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Change::Same => "",
            Change::Added => "+ ",
            Change::Removed => "− ",
            Change::Changed => "~ ",
        }
    }
}

impl Picture {
    /// The fill and border of a node.
    pub(crate) fn paint(&self, node: &Node) -> Paint {
        if let Some(paint) = node.change.paint() {
            return paint;
        }
        match node.count {
            _ if self.is_difference => Family::Other.paint(),
            Some(0) => UNREACHED,
            _ => Family::of(&node.kind).paint(),
        }
    }
}

impl Node {
    /// Its name without the group it stands in.
    pub(crate) fn short_name(&self) -> &str {
        let within = self.group.as_deref().and_then(|g| self.name.strip_prefix(g)?.strip_prefix('/'));
        within.filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// The groups it stands in, the outermost first.
    pub(crate) fn path(&self) -> Vec<String> {
        let group = self.group.as_deref().unwrap_or("");
        group.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

impl Edge {
    /// Exits that are named for what went wrong; the rest of a flow's exits are what it is for.
    pub(crate) fn is_error(&self) -> bool {
        let words = [
            "no-input",
            "invalid",
            "timeout",
            "full",
            "no-agents",
            "no-answer",
            "busy",
            "unreachable",
            "error",
            "empty",
            "too-long",
        ];
        words.contains(&&*self.label)
    }
}
