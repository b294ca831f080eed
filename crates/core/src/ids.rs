use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// One call from its first INVITE to its record; unique over restarts (the store hands out the start).
    CallId(u64), "call-");
id!(
    /// One party of a call: a dialog and its media. Unique while the engine runs.
    LegId(u64), "leg-");
id!(
    /// One playing of a list of sounds; what has ended names it, so that late news of an old one is ignored.
    PlayId(u32), "play-");
id!(
    /// One encoded sound in the media library: a prompt in a language.
    SoundId(u32), "sound-");
id!(
    /// An agent's place in the roster.
    AgentId(u32), "agent-");
id!(
    /// A pool (tier) of agents.
    PoolId(u32), "pool-");
id!(
    /// A queue.
    QueueId(u32), "queue-");
id!(
    /// The ACD's offer of one call to one agent.
    OfferId(u64), "offer-");

/// How grave the caller's trouble is; `P0` is the worst and comes first in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    P0,
    P1,
    P2,
    P3,
}

impl Severity {
    pub const ALL: [Severity; 4] = [Severity::P0, Severity::P1, Severity::P2, Severity::P3];

    /// `"P0"` or `"p0"` to `"P3"`.
    pub fn parse(text: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|s| s.as_str().eq_ignore_ascii_case(text))
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::P0 => "P0",
            Severity::P1 => "P1",
            Severity::P2 => "P2",
            Severity::P3 => "P3",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
