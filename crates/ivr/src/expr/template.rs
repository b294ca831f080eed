//! Texts with expressions in them, and requirements that name variables.

use super::{Expr, ExprError, LENGTH_MAX, Type, Types, Value, VarId, lexer, parser};
use crate::HttpPiece;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// `greeting-{class}`: a text with expressions in braces; `{{` and `}}` are braces themselves.
/// One that is a single expression, `{tries + 1}`, has that expression's type.
#[derive(Clone, PartialEq, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, PartialEq, Debug)]
enum Part {
    Text(Arc<str>),
    Expr(Expr),
}

impl Template {
    /// Errors are at byte offsets in `text`.
    pub fn parse(text: &str, types: &Types) -> Result<Template, ExprError> {
        let only = |raw| match raw {
            Raw::Part(part) => Some(part),
            Raw::Secret(_) => None,
        };
        Ok(Template(scan(text, types, false)?.into_iter().filter_map(only).collect()))
    }

    /// A text without expressions.
    pub fn text(text: &str) -> Template {
        if text.is_empty() { Template(Vec::new()) } else { Template(vec![Part::Text(text.into())]) }
    }

    /// A number or a truth, as TOML may have them where a template stands.
    pub fn value(value: Value) -> Template {
        match value {
            Value::Text(text) => Template::text(&text),
            other => Template(vec![Part::Expr(Expr::literal(other))]),
        }
    }

    pub fn kind(&self) -> Type {
        if let [Part::Expr(expr)] = &self.0[..] { expr.kind() } else { Type::Text }
    }

    /// Of the type that [`Self::kind`] says.
    pub fn eval(&self, values: &[Value]) -> Value {
        match &self.0[..] {
            [Part::Expr(expr)] => expr.eval(values),
            [Part::Text(text)] => Value::Text(text.clone()),
            parts => {
                let mut filled = String::new();
                for part in parts {
                    match part {
                        Part::Text(text) => filled.push_str(text),
                        Part::Expr(expr) => filled.push_str(&expr.eval(values).text()),
                    }
                }
                Value::Text(filled.into())
            }
        }
    }

    /// Filled in, as text.
    pub fn fill(&self, values: &[Value]) -> Arc<str> {
        self.eval(values).text()
    }

    /// Filled in, as text; `encode` sees what the expressions bring, not what stands around them.
    pub fn fill_encoded(&self, values: &[Value], encode: impl Fn(&str) -> String) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Expr(expr) => filled.push_str(&encode(&expr.eval(values).text())),
            }
        }
        filled
    }

    /// The text, when it has no expressions.
    pub fn literal(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether some values of the variables could fill it in to `text`.
    pub fn could_be(&self, text: &str) -> bool {
        let mut rest = text;
        let mut free = false;
        for (i, part) in self.0.iter().enumerate() {
            let Part::Text(fixed) = part else {
                free = true;
                continue;
            };
            let last = i + 1 == self.0.len();
            let found = match (free, last) {
                (false, _) => rest.starts_with(&**fixed).then_some(0),
                (true, true) => rest.ends_with(&**fixed).then(|| rest.len() - fixed.len()),
                (true, false) => rest.find(&**fixed),
            };
            let Some(found) = found else { return false };
            rest = &rest[found + fixed.len()..];
            free = false;
        }
        free || rest.is_empty()
    }

    pub fn reads(&self) -> BTreeSet<VarId> {
        self.0
            .iter()
            .filter_map(|p| if let Part::Expr(e) = p { Some(e.reads()) } else { None })
            .flatten()
            .collect()
    }
}

/// A part of a URL or header as it is written: templates, and secrets as `{secret.NAME}`. Whether there is
/// such a secret is not known here.
pub fn http_pieces(text: &str, types: &Types) -> Result<Vec<HttpPiece>, ExprError> {
    let (mut pieces, mut parts) = (Vec::new(), Vec::new());
    for raw in scan(text, types, true)? {
        match raw {
            Raw::Part(part) => parts.push(part),
            Raw::Secret(name) => {
                if !parts.is_empty() {
                    pieces.push(HttpPiece::Template(Template(std::mem::take(&mut parts))));
                }
                pieces.push(HttpPiece::Secret(name));
            }
        }
    }
    if !parts.is_empty() {
        pieces.push(HttpPiece::Template(Template(parts)));
    }
    Ok(pieces)
}

enum Raw {
    Part(Part),
    Secret(Arc<str>),
}

fn scan(text: &str, types: &Types, secrets: bool) -> Result<Vec<Raw>, ExprError> {
    if text.len() > LENGTH_MAX {
        return Err(ExprError::too_long(text.len()));
    }
    let (mut found, mut plain, mut at) = (Vec::new(), String::new(), 0);
    while let Some(c) = text[at..].chars().next() {
        let doubled = text[at + c.len_utf8()..].starts_with(c);
        match c {
            '{' | '}' if doubled => {
                plain.push(c);
                at += 2;
            }
            '{' => {
                if !plain.is_empty() {
                    found.push(Raw::Part(Part::Text(std::mem::take(&mut plain).into())));
                }
                if let Some((name, length)) = secret(&text[at..]).filter(|_| secrets) {
                    found.push(Raw::Secret(name.into()));
                    at += length;
                    continue;
                }
                let (expr, end) = parser::parse_braced(text, at + 1, types)?;
                found.push(Raw::Part(Part::Expr(expr)));
                at = end;
            }
            '}' => {
                let help = Some("a brace itself is written `}}`".into());
                return Err(ExprError { at, what: "a closing brace without an opening one".into(), help });
            }
            _ => {
                plain.push(c);
                at += c.len_utf8();
            }
        }
    }
    if !plain.is_empty() {
        found.push(Raw::Part(Part::Text(plain.into())));
    }
    Ok(found)
}

/// The name in `{secret.NAME}` at the beginning of a text, and how long that is.
fn secret(text: &str) -> Option<(&str, usize)> {
    let (inside, _) = text.strip_prefix('{')?.split_once('}')?;
    let name = inside.trim().strip_prefix("secret.")?;
    (!name.is_empty() && name.chars().all(lexer::is_word)).then_some((name, inside.len() + 2))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Expr(expr) => write!(f, "{{{expr}}}")?,
            }
        }
        Ok(())
    }
}

/// What an agent must be able to do, as the router reads it, but `lang[language] >= 2` names a variable:
/// `lang.cmn >= 2` when the step runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Demand(Vec<Ask>);

#[derive(Clone, PartialEq, Debug)]
enum Ask {
    Text(Arc<str>),
    Skill(Expr),
}

/// A variable whose value cannot be part of a skill's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoSkill {
    pub variable: Arc<str>,
}

impl Demand {
    /// Resolves the variables (and fields) in brackets; what stands around them is the router's to check,
    /// filled in with the values that matter.
    pub fn parse(text: &str, types: &Types) -> Result<Demand, ExprError> {
        if text.len() > LENGTH_MAX {
            return Err(ExprError::too_long(text.len()));
        }
        let (mut asks, mut plain, mut quote, mut skip_to) = (Vec::new(), 0, None, 0);
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii()) {
            match (quote, c) {
                _ if at < skip_to => {}
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '[') if text[..at].ends_with(lexer::is_word) => {
                    let Some(length) = text[at..].find(']') else {
                        return Err(ExprError {
                            at,
                            what: "this bracket is never closed".into(),
                            help: None,
                        });
                    };
                    let inside = &text[at + 1..at + length];
                    let (name, name_at) = (inside.trim(), at + 1 + inside.len() - inside.trim_start().len());
                    let word = Expr::parse(name, types)
                        .map_err(|error| ExprError { at: name_at + error.at, ..error })?;
                    if !word.kind().is_text() {
                        let what = format!("`{name}` is {}, a skill is named by a text", word.kind().noun());
                        return Err(ExprError { at: name_at, what, help: None });
                    }
                    asks.push(Ask::Text(text[plain..at].into()));
                    asks.push(Ask::Skill(word));
                    (plain, skip_to) = (at + length + 1, at + length + 1);
                }
                _ => {}
            }
        }
        asks.push(Ask::Text(text[plain..].into()));
        Ok(Demand(asks))
    }

    /// The requirement's text for these values.
    pub fn fill(&self, values: &[Value]) -> Result<String, NoSkill> {
        let mut text = String::new();
        for ask in &self.0 {
            match ask {
                Ask::Text(plain) => text.push_str(plain),
                Ask::Skill(expr) => {
                    let word = expr.eval(values);
                    let word = word.as_str();
                    if word.is_empty() || !word.chars().all(lexer::is_word) {
                        return Err(NoSkill { variable: expr.to_string().into() });
                    }
                    text.push('.');
                    text.push_str(word);
                }
            }
        }
        Ok(text)
    }

    pub fn reads(&self) -> BTreeSet<VarId> {
        let words = self.0.iter().filter_map(|a| if let Ask::Skill(word) = a { Some(word) } else { None });
        words.flat_map(Expr::reads).collect()
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ask in &self.0 {
            match ask {
                Ask::Text(plain) => f.write_str(plain)?,
                Ask::Skill(word) => write!(f, "[{word}]")?,
            }
        }
        Ok(())
    }
}
