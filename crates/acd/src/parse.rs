//! From the text of a requirement to its expression: recursive descent over byte offsets.
//!
//! ```text
//! any    = every *( "or" every )
//! every  = unary *( "and" unary )
//! unary  = "not" unary / "(" any ")" / "anyone" / atom
//! atom   = skill [ compare level ] / "tier" compare string / "agent" ( "==" / "!=" ) string
//! ```
use crate::requirement::{Compare, Expr};
use crate::{RequirementError, Roster};
use std::collections::BTreeSet;
use std::sync::Arc;

const BYTES_MAX: usize = 4096;
const DEPTH_MAX: u32 = 32;

pub(crate) fn parse(text: &str, roster: &Roster) -> Result<Expr, RequirementError> {
    if text.len() > BYTES_MAX {
        return Err(error(BYTES_MAX, format!("a requirement may have {BYTES_MAX} bytes"), None));
    }
    let mut parser = Parser { text, roster, at: 0, token_at: 0, token: Token::End };
    parser.advance()?;
    let expr = parser.any(0)?;
    match parser.token {
        Token::End => Ok(expr),
        Token::Close => Err(parser.here("`)` without its `(`")),
        _ => Err(parser.here("expected `and`, `or` or the end")),
    }
}

fn error(at: usize, what: impl Into<String>, help: Option<String>) -> RequirementError {
    RequirementError { at, what: what.into(), help }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token<'a> {
    Name(&'a str),
    Number(&'a str),
    Text(&'a str),
    Compare(Compare),
    Open,
    Close,
    End,
}

struct Parser<'a> {
    text: &'a str,
    roster: &'a Roster,
    /// Where the next token will be looked for.
    at: usize,
    /// Where the current one begins.
    token_at: usize,
    token: Token<'a>,
}

impl<'a> Parser<'a> {
    fn any(&mut self, depth: u32) -> Result<Expr, RequirementError> {
        self.list(depth, "or", Parser::every, Expr::Any)
    }

    fn every(&mut self, depth: u32) -> Result<Expr, RequirementError> {
        self.list(depth, "and", Parser::unary, Expr::Every)
    }

    fn list(
        &mut self,
        depth: u32,
        word: &str,
        part: fn(&mut Self, u32) -> Result<Expr, RequirementError>,
        whole: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, RequirementError> {
        let first = part(self, depth)?;
        if self.token != Token::Name(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.token == Token::Name(word) {
            self.advance()?;
            parts.push(part(self, depth)?);
        }
        Ok(whole(parts))
    }

    fn unary(&mut self, depth: u32) -> Result<Expr, RequirementError> {
        if depth == DEPTH_MAX {
            return Err(self.here(&format!("nested deeper than {DEPTH_MAX}")));
        }
        match self.token {
            Token::Name("not") => {
                self.advance()?;
                Ok(Expr::Not(Box::new(self.unary(depth + 1)?)))
            }
            Token::Name("anyone") => {
                self.advance()?;
                Ok(Expr::Every(Vec::new()))
            }
            Token::Name("and" | "or") => Err(self.here("a condition is missing here")),
            Token::Name(name) => self.atom(name),
            Token::Open => {
                let open = self.token_at;
                self.advance()?;
                let inner = self.any(depth + 1)?;
                if self.token != Token::Close {
                    return Err(error(open, "`(` is never closed", None));
                }
                self.advance()?;
                Ok(inner)
            }
            Token::End => Err(self.here("a condition is missing at the end")),
            Token::Number(_) | Token::Text(_) | Token::Compare(_) | Token::Close => {
                Err(self.here("expected a skill, `tier`, `agent`, `not` or `(`"))
            }
        }
    }

    fn atom(&mut self, name: &'a str) -> Result<Expr, RequirementError> {
        let name_at = self.token_at;
        self.advance()?;
        match name {
            "tier" => self.tier(),
            "agent" => self.agent(),
            _ => {
                if !self.roster.agents.iter().any(|a| a.skills.contains_key(name)) {
                    let known: BTreeSet<&str> =
                        self.roster.agents.iter().flat_map(|a| a.skills.keys().map(|s| &**s)).collect();
                    return Err(unknown(name_at, "no agent has a skill", name, known));
                }
                self.skill(name)
            }
        }
    }

    fn skill(&mut self, name: &str) -> Result<Expr, RequirementError> {
        let name = Arc::from(name);
        let Token::Compare(compare) = self.token else {
            return Ok(Expr::Skill { name, compare: Compare::AtLeast, level: 1 });
        };
        self.advance()?;
        let Token::Number(digits) = self.token else {
            return Err(self.here("a skill is compared with a level: a number"));
        };
        let level = digits.parse().map_err(|_| self.here("a level is a number from 0 to 255"))?;
        self.advance()?;
        Ok(Expr::Skill { name, compare, level })
    }

    fn tier(&mut self) -> Result<Expr, RequirementError> {
        let (compare, name, at) = self.compared_with("tier", "a pool: tier >= \"L2\"")?;
        let pools = &self.roster.pools;
        let Some(pool) = pools.iter().find(|p| &*p.name == name) else {
            return Err(unknown(at, "no pool is called", name, pools.iter().map(|p| &*p.name)));
        };
        Ok(Expr::Tier { name: pool.name.clone(), compare, pools: compare.pools(name, self.roster) })
    }

    fn agent(&mut self) -> Result<Expr, RequirementError> {
        let compare_at = self.token_at;
        let (compare, name, at) = self.compared_with("agent", "a name: agent == \"alice\"")?;
        let agents = &self.roster.agents;
        let Some(agent) = agents.iter().find(|a| &*a.name == name) else {
            return Err(unknown(at, "no agent is called", name, agents.iter().map(|a| &*a.name)));
        };
        let is_agent = Expr::Agent { name: agent.name.clone() };
        match compare {
            Compare::Equal => Ok(is_agent),
            Compare::Unequal => Ok(Expr::Not(Box::new(is_agent))),
            Compare::Less | Compare::AtMost | Compare::AtLeast | Compare::More => {
                Err(error(compare_at, "agents compare with `==` or `!=` only", None))
            }
        }
    }

    /// The comparison and the quoted word after `tier` or `agent`, and where that word stands.
    fn compared_with(
        &mut self,
        subject: &str,
        with: &str,
    ) -> Result<(Compare, &'a str, usize), RequirementError> {
        let Token::Compare(compare) = self.token else {
            return Err(self.here(&format!("`{subject}` is compared with {with}")));
        };
        self.advance()?;
        let at = self.token_at;
        match self.token {
            Token::Text(text) => {
                self.advance()?;
                Ok((compare, text, at))
            }
            Token::Name(bare) => Err(error(
                at,
                format!("`{subject}` is compared with {with}"),
                Some(format!("write it in quotes: \"{bare}\"")),
            )),
            _ => Err(self.here(&format!("`{subject}` is compared with {with}"))),
        }
    }

    fn here(&self, what: &str) -> RequirementError {
        error(self.token_at, what, None)
    }

    fn advance(&mut self) -> Result<(), RequirementError> {
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        self.token_at = start;
        let (token, length) =
            token(rest).map_err(|(what, help)| error(start, what, help.map(str::to_owned)))?;
        self.token = token;
        self.at = start + length;
        Ok(())
    }
}

/// The first token and its bytes.
fn token(rest: &str) -> Result<(Token<'_>, usize), (String, Option<&'static str>)> {
    let Some(first) = rest.chars().next() else { return Ok((Token::End, 0)) };
    for (sign, compare) in [
        ("<=", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("==", Compare::Equal),
        ("!=", Compare::Unequal),
        ("<", Compare::Less),
        (">", Compare::More),
    ] {
        if rest.starts_with(sign) {
            return Ok((Token::Compare(compare), sign.len()));
        }
    }
    let span = |part: fn(char) -> bool| rest.find(|c| !part(c)).unwrap_or(rest.len());
    match first {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        '"' => match rest[1..].find('"') {
            Some(end) => Ok((Token::Text(&rest[1..1 + end]), end + 2)),
            None => Err(("`\"` is never closed".into(), None)),
        },
        '0'..='9' => {
            let end = span(|c| c.is_ascii_digit());
            Ok((Token::Number(&rest[..end]), end))
        }
        c if c.is_alphabetic() || c == '_' => {
            let end = span(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
            Ok((Token::Name(&rest[..end]), end))
        }
        '=' => Err(("`=` compares nothing".into(), Some("write `==`"))),
        '&' => Err(("unexpected `&`".into(), Some("write `and`"))),
        '|' => Err(("unexpected `|`".into(), Some("write `or`"))),
        '!' => Err(("unexpected `!`".into(), Some("write `not` or `!=`"))),
        c => Err((format!("unexpected {c:?}"), None)),
    }
}

fn unknown<'a>(
    at: usize,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> RequirementError {
    let near = known
        .into_iter()
        .map(|k| (distance(name, k), k))
        .filter(|&(d, k)| d <= (name.chars().count().max(k.chars().count()) / 3).max(1))
        .min();
    error(at, format!("{what} `{name}`"), near.map(|(_, k)| format!("did you mean `{k}`?")))
}

/// Edits of one character (Levenshtein) from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
