use crate::{Agent, Roster};
use hotline_core::PoolId;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// `lang.yue >= 3 and (product.database >= 2 or tier >= "L3") and not team.trial`, typed and checked.
///
/// - a skill alone means level 1 or more; a skill nobody gave an agent is level 0;
/// - `tier` compares with a pool by rank (`==` and `!=`: that very pool);
/// - `agent == "alice"` holds for her alone.
///
/// `not` binds closest, then `and`, then `or`. Prints as it is written, and reads back the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Requirement {
    pub(crate) expr: Arc<Expr>,
}

/// What is wrong with the text of a requirement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequirementError {
    /// Byte offset in the text.
    pub at: usize,
    pub what: String,
    pub help: Option<String>,
}

impl fmt::Display for RequirementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.at, self.what)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RequirementError {}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Expr {
    /// Holds when every part does: `Every([])` is anyone.
    Every(Vec<Expr>),
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Skill {
        name: Arc<str>,
        compare: Compare,
        level: u8,
    },
    /// `pools`: those that compare so, ascending.
    Tier {
        name: Arc<str>,
        compare: Compare,
        pools: Vec<PoolId>,
    },
    Agent {
        name: Arc<str>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Compare {
    Less,
    AtMost,
    Equal,
    Unequal,
    AtLeast,
    More,
}

impl Compare {
    pub fn holds(self, left: u8, right: u8) -> bool {
        match self {
            Compare::Less => left < right,
            Compare::AtMost => left <= right,
            Compare::Equal => left == right,
            Compare::Unequal => left != right,
            Compare::AtLeast => left >= right,
            Compare::More => left > right,
        }
    }

    /// The pools of a roster that compare so with the one of this name: by rank, `==` and `!=` by name.
    pub fn pools(self, name: &str, roster: &Roster) -> Vec<PoolId> {
        let rank = roster.pools.iter().find(|p| &*p.name == name).map(|p| p.rank);
        let holds = |pool: &crate::Pool| match self {
            Compare::Equal => &*pool.name == name,
            Compare::Unequal => &*pool.name != name,
            Compare::Less | Compare::AtMost | Compare::AtLeast | Compare::More => {
                rank.is_some_and(|rank| self.holds(pool.rank, rank))
            }
        };
        (0u32..).map(PoolId).zip(&roster.pools).filter(|(_, p)| holds(p)).map(|(i, _)| i).collect()
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Compare::Less => "<",
            Compare::AtMost => "<=",
            Compare::Equal => "==",
            Compare::Unequal => "!=",
            Compare::AtLeast => ">=",
            Compare::More => ">",
        }
    }
}

impl Requirement {
    /// Unknown skills, pools and agents are an error with a suggestion.
    pub fn parse(text: &str, roster: &Roster) -> Result<Requirement, RequirementError> {
        crate::parse::parse(text, roster).map(|expr| Requirement { expr: Arc::new(expr) })
    }

    /// Met by every agent.
    pub fn anyone() -> Requirement {
        Requirement { expr: Arc::new(Expr::Every(Vec::new())) }
    }

    pub fn holds(&self, agent: &Agent) -> bool {
        self.expr.holds(agent)
    }

    /// Agents it names: whoever is not among them stands for all others of his pool and skills.
    pub(crate) fn names(&self) -> BTreeSet<&Arc<str>> {
        let mut names = BTreeSet::new();
        self.expr.names(&mut names);
        names
    }
}

impl Expr {
    fn holds(&self, agent: &Agent) -> bool {
        match self {
            Expr::Every(parts) => parts.iter().all(|p| p.holds(agent)),
            Expr::Any(parts) => parts.iter().any(|p| p.holds(agent)),
            Expr::Not(part) => !part.holds(agent),
            Expr::Skill { name, compare, level } => {
                compare.holds(agent.skills.get(name).copied().unwrap_or(0), *level)
            }
            Expr::Tier { pools, .. } => pools.contains(&agent.pool),
            Expr::Agent { name } => agent.name == *name,
        }
    }

    fn names<'a>(&'a self, names: &mut BTreeSet<&'a Arc<str>>) {
        match self {
            Expr::Every(parts) | Expr::Any(parts) => parts.iter().for_each(|p| p.names(names)),
            Expr::Not(part) => part.names(names),
            Expr::Agent { name } => {
                names.insert(name);
            }
            Expr::Skill { .. } | Expr::Tier { .. } => {}
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, outer: Binding) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str, own: Binding| {
            let wrap = outer > own;
            f.write_str(if wrap { "(" } else { "" })?;
            for (i, part) in parts.iter().enumerate() {
                f.write_str(if i > 0 { word } else { "" })?;
                part.write(f, own)?;
            }
            f.write_str(if wrap { ")" } else { "" })
        };
        match self {
            Expr::Every(parts) if parts.is_empty() => f.write_str("anyone"),
            Expr::Every(parts) => join(f, parts, " and ", Binding::And),
            Expr::Any(parts) => join(f, parts, " or ", Binding::Or),
            Expr::Not(part) => {
                f.write_str("not ")?;
                part.write(f, Binding::Not)
            }
            Expr::Skill { name, compare, level } => write!(f, "{name} {} {level}", compare.as_str()),
            Expr::Tier { name, compare, .. } => write!(f, "tier {} \"{name}\"", compare.as_str()),
            Expr::Agent { name } => write!(f, "agent == \"{name}\""),
        }
    }
}

/// How closely the surroundings bind: what binds less closely stands in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.write(f, Binding::Or)
    }
}
