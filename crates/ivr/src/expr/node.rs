//! Evaluation and printing.

use super::functions::{Args, FunctionDoc, With};
use super::value::show_duration;
use super::{Value, VarId};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Node {
    Literal(Value),
    Var(VarId, Arc<str>),
    Field(Box<Field>),
    List(Vec<Node>),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    /// Whether the first is among the second.
    In(Box<Node>, Box<Node>),
    Call(Box<Call>),
    /// Digits, or a list of them, as text; it is not written.
    AsText(Box<Node>),
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Field {
    pub of: Node,
    pub name: Arc<str>,
    pub place: u16,
    /// What it is while the record has no such field.
    pub default: Value,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Call {
    pub function: &'static FunctionDoc,
    pub with: With,
    pub args: Vec<Node>,
}

/// Operators, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
}

impl Node {
    /// What the values hold is lent, not copied.
    pub fn eval<'a>(&'a self, values: &'a [Value]) -> Cow<'a, Value> {
        Cow::Owned(match self {
            Node::Literal(value) => return Cow::Borrowed(value),
            Node::Var(id, _) => {
                debug_assert!((id.0 as usize) < values.len(), "a value for every variable");
                match values.get(id.0 as usize) {
                    Some(value) => return Cow::Borrowed(value),
                    None => Value::from(""),
                }
            }
            Node::Field(field) => match (field.of.eval(values), field.place as usize) {
                (Cow::Borrowed(record), place) => {
                    return Cow::Borrowed(record.items().get(place).unwrap_or(&field.default));
                }
                (Cow::Owned(record), place) => record.items().get(place).unwrap_or(&field.default).clone(),
            },
            Node::List(items) => Value::List(items.iter().map(|i| i.eval(values).into_owned()).collect()),
            Node::Not(of) => Value::Bool(!of.holds(values)),
            Node::Negative(of) => Value::Number(of.eval(values).number().saturating_neg()),
            Node::Binary(op, a, b) => op.eval(a, b, values),
            Node::In(needle, hay) => {
                let needle = needle.eval(values);
                Value::Bool(match &**hay {
                    Node::List(items) => items.iter().any(|i| i.eval(values).same(&needle)),
                    hay => hay.eval(values).items().iter().any(|i| i.same(&needle)),
                })
            }
            Node::Call(call) => {
                return (call.function.run)(&Args { args: &call.args, with: &call.with, values });
            }
            Node::AsText(of) => match of.eval(values).into_owned() {
                Value::Digits(keys) => Value::Text(keys),
                Value::List(items) => Value::List(items.iter().map(|i| Value::from(i.as_str())).collect()),
                other => other,
            },
        })
    }

    pub fn holds(&self, values: &[Value]) -> bool {
        *self.eval(values) == Value::Bool(true)
    }

    pub fn collect_vars(&self, found: &mut BTreeSet<VarId>) {
        match self {
            Node::Literal(_) => {}
            Node::Var(id, _) => {
                found.insert(*id);
            }
            Node::Field(field) => field.of.collect_vars(found),
            Node::Not(of) | Node::Negative(of) | Node::AsText(of) => of.collect_vars(found),
            Node::Binary(_, a, b) | Node::In(a, b) => {
                a.collect_vars(found);
                b.collect_vars(found);
            }
            Node::List(items) => items.iter().for_each(|i| i.collect_vars(found)),
            Node::Call(call) => call.args.iter().for_each(|a| a.collect_vars(found)),
        }
    }

    /// How tightly it holds together, for printing: an operand that is looser gets parentheses.
    fn strength(&self) -> u8 {
        match self {
            Node::Binary(op, ..) => op.strength(),
            Node::Not(_) => 3,
            Node::In(..) => 4,
            Node::Negative(_) => 7,
            Node::Literal(Value::Number(n)) if *n < 0 => 7,
            Node::AsText(of) => of.strength(),
            Node::Literal(_) | Node::Var(..) | Node::Field(..) | Node::List(_) | Node::Call(..) => 8,
        }
    }

    pub fn print(&self, at_least: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.strength() < at_least;
        if open {
            f.write_str("(")?;
        }
        match self {
            Node::Literal(value) => print_value(value, f)?,
            Node::Var(_, name) => f.write_str(name)?,
            Node::Field(field) => {
                field.of.print(8, f)?;
                write!(f, ".{}", field.name)?;
            }
            Node::List(items) => print_list("[", items.iter(), "]", f)?,
            Node::Not(of) => {
                f.write_str("not ")?;
                of.print(3, f)?;
            }
            Node::Negative(of) => {
                f.write_str("-")?;
                of.print(8, f)?;
            }
            Node::Binary(op, a, b) => {
                // Left-associative; comparisons do not chain.
                let own = op.strength();
                a.print(if own == 4 { 5 } else { own }, f)?;
                write!(f, " {} ", op.as_str())?;
                b.print(own + 1, f)?;
            }
            Node::In(needle, hay) => {
                needle.print(5, f)?;
                f.write_str(" in ")?;
                hay.print(5, f)?;
            }
            Node::Call(call) => {
                f.write_str(call.function.name)?;
                let name = call.with.name().map(|name| Node::Literal(Value::from(name)));
                // The moment that is meant anyhow is not written.
                let now = |arg: &&Node| matches!(arg, Node::Var(VarId::NOW, _));
                let hidden = call.args.last().filter(now).filter(|_| call.function.optional > 0);
                let args = &call.args[..call.args.len() - usize::from(hidden.is_some())];
                print_list("(", name.iter().chain(args), ")", f)?;
            }
            Node::AsText(of) => of.print(0, f)?,
        }
        if open {
            f.write_str(")")?;
        }
        Ok(())
    }
}

fn print_list<'n>(
    open: &str,
    nodes: impl Iterator<Item = &'n Node>,
    close: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str(open)?;
    for (i, node) in nodes.enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        node.print(0, f)?;
    }
    f.write_str(close)
}

fn print_value(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Text(text) => print_text(text, f),
        Value::Duration(ms) => f.write_str(&show_duration(*ms)),
        Value::List(items) => {
            let items: Vec<Node> = items.iter().cloned().map(Node::Literal).collect();
            print_list("[", items.iter(), "]", f)
        }
        // A flow cannot write these; who reads them understands them.
        Value::Digits(keys) => print_text(keys, f),
        Value::Number(_) | Value::Bool(_) | Value::Time(_) | Value::Record(..) => write!(f, "{value}"),
    }
}

fn print_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("'")?;
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("'")
}

impl Op {
    fn eval(self, a: &Node, b: &Node, values: &[Value]) -> Value {
        let order = || a.eval(values).compare(&b.eval(values));
        let same = || a.eval(values).same(&b.eval(values));
        match self {
            Op::Or => Value::Bool(a.holds(values) || b.holds(values)),
            Op::And => Value::Bool(a.holds(values) && b.holds(values)),
            Op::Equal => Value::Bool(same()),
            Op::NotEqual => Value::Bool(!same()),
            Op::Less => Value::Bool(order().is_lt()),
            Op::LessOrEqual => Value::Bool(order().is_le()),
            Op::Greater => Value::Bool(order().is_gt()),
            Op::GreaterOrEqual => Value::Bool(order().is_ge()),
            Op::Plus => match (&*a.eval(values), &*b.eval(values)) {
                (Value::Time(at), Value::Duration(ms)) | (Value::Duration(ms), Value::Time(at)) => {
                    Value::Time(at.saturating_add(ms / 1000))
                }
                (Value::Duration(a), Value::Duration(b)) => Value::Duration(a.saturating_add(*b)),
                (a, b) => Value::Number(a.number().saturating_add(b.number())),
            },
            Op::Minus => match (&*a.eval(values), &*b.eval(values)) {
                (Value::Time(at), Value::Duration(ms)) => Value::Time(at.saturating_sub(ms / 1000)),
                (Value::Time(a), Value::Time(b)) => duration(a.saturating_sub(*b).saturating_mul(1000)),
                (Value::Duration(a), Value::Duration(b)) => duration(a.saturating_sub(*b)),
                (a, b) => Value::Number(a.number().saturating_sub(b.number())),
            },
            Op::Times => match (&*a.eval(values), &*b.eval(values)) {
                (Value::Duration(ms), n) | (n, Value::Duration(ms)) => {
                    duration(ms.saturating_mul(n.number()))
                }
                (a, b) => Value::Number(a.number().saturating_mul(b.number())),
            },
        }
    }

    pub fn strength(self) -> u8 {
        match self {
            Op::Or => 1,
            Op::And => 2,
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => 4,
            Op::Plus | Op::Minus => 5,
            Op::Times => 6,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Op::Or => "or",
            Op::And => "and",
            Op::Equal => "==",
            Op::NotEqual => "!=",
            Op::Less => "<",
            Op::LessOrEqual => "<=",
            Op::Greater => ">",
            Op::GreaterOrEqual => ">=",
            Op::Plus => "+",
            Op::Minus => "-",
            Op::Times => "*",
        }
    }
}

/// Never negative.
pub(super) fn duration(ms: i64) -> Value {
    Value::Duration(ms.max(0))
}
