//! Typed, total expressions and the texts they are filled into.
//!
//! `class == 'enterprise' and tries + 1 < 3` parses once into a checked [`Expr`]; from then on evaluation
//! cannot fail: numbers saturate, there are no loops, and length and depth are bounded.

mod lexer;
mod parser;
mod template;

pub use template::{Demand, Template};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Longest expression or template, in bytes.
pub const LENGTH_MAX: usize = 1000;
/// Deepest nesting of an expression.
pub const DEPTH_MAX: usize = 32;
/// Longest text a variable holds, in bytes.
pub const TEXT_MAX: usize = 256;
/// Longest list.
pub const LIST_MAX: usize = 100;

/// What a variable or an expression may be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Type {
    Text,
    Number,
    Bool,
    /// Telephone keys: a text that keeps its leading zeros. Stands wherever a text may stand.
    Digits,
    /// A moment.
    Time,
    Duration,
    List(Scalar),
    /// Of a shape declared in the flow: [`crate::Flow::records`].
    Record(RecordId),
}

/// What a list may hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scalar {
    Text,
    Number,
    Bool,
    Digits,
    Time,
    Duration,
}

/// A record's place in [`crate::Flow::records`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordId(pub u16);

/// The fields of a record, each with the value it has until it is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordType {
    /// For people: the variable or directory that brought it.
    pub name: Arc<str>,
    pub fields: Vec<Field>,
}

/// One field; its type is not a record again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    pub name: Arc<str>,
    pub kind: Type,
    pub default: Value,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Text(Arc<str>),
    Number(i64),
    Bool(bool),
    Digits(Arc<str>),
    /// Unix seconds.
    Time(i64),
    /// Milliseconds, never negative.
    Duration(i64),
    /// At most [`LIST_MAX`] scalars of one type.
    List(Arc<[Value]>),
    /// In the order of its [`RecordType`].
    Record(RecordId, Arc<[Value]>),
}

/// A variable's place: the built-in ones first, then [`crate::Flow::vars`] in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VarId(pub u32);

impl VarId {
    pub const CALLER: VarId = VarId(0);
    pub const DIALLED: VarId = VarId(1);
    pub const LANGUAGE: VarId = VarId(2);
    pub const SEVERITY: VarId = VarId(3);
    /// The present moment, as of the input that is being handled.
    pub const NOW: VarId = VarId(4);
    /// Place in the line, from 1; 0 while not waiting.
    pub const POSITION: VarId = VarId(5);
    /// Estimated wait; 0 when there is no estimate.
    pub const WAIT: VarId = VarId(6);
    /// Who serves or served the caller last; empty before.
    pub const AGENT: VarId = VarId(7);
    /// The call's number in records and logs.
    pub const CALL: VarId = VarId(8);
    /// The keys of a `collect` step while its `check` looks at them; empty otherwise.
    pub const ENTRY: VarId = VarId(9);
}

/// The variables that every flow has, by [`VarId`]: name, type, whether a flow cannot set it.
pub const BUILT_IN: [(&str, Type, bool); 10] = [
    ("caller", Type::Text, true),
    ("dialled", Type::Text, true),
    ("language", Type::Text, false),
    ("severity", Type::Text, false),
    ("now", Type::Time, true),
    ("position", Type::Number, true),
    ("wait", Type::Duration, true),
    ("agent", Type::Text, true),
    ("call", Type::Text, true),
    ("entry", Type::Digits, true),
];

/// What an expression may name: variables with their types, record shapes, lookup tables, opening hours.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Types {
    pub(crate) variables: Vec<Variable>,
    pub records: Arc<[RecordType]>,
    pub tables: BTreeMap<Arc<str>, Arc<Table>>,
    pub hours: BTreeMap<Arc<str>, Arc<crate::Schedule>>,
    /// For times of day and dates.
    pub zone: Option<jiff::tz::TimeZone>,
}

/// A lookup table: keys to values of one scalar type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    pub name: Arc<str>,
    pub kind: Scalar,
    pub rows: BTreeMap<Arc<str>, Value>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variable {
    pub id: VarId,
    pub name: Arc<str>,
    pub kind: Type,
    /// `caller` and `dialled`: a flow cannot set them.
    pub read_only: bool,
}

/// What is wrong with an expression, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExprError {
    /// Byte offset in the text.
    pub at: usize,
    pub what: String,
    pub help: Option<String>,
}

/// A checked expression. Prints as it would be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    node: Node,
    kind: Type,
}

#[derive(Clone, PartialEq, Debug)]
enum Node {
    Literal(Value),
    Var(VarId, Arc<str>),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    In(Box<Node>, Vec<Node>),
    Call(Function, Vec<Node>),
}

/// Operators, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
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

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Function {
    Len,
    StartsWith,
    EndsWith,
    Contains,
    If,
}

impl Expr {
    /// Parses and checks. All names resolve, all types fit.
    pub fn parse(text: &str, types: &Types) -> Result<Expr, ExprError> {
        parser::parse(text, types)
    }

    /// An expression that must be true or false, as `when` is.
    pub fn condition(text: &str, types: &Types) -> Result<Expr, ExprError> {
        let expr = Expr::parse(text, types)?;
        if expr.kind != Type::Bool {
            let what = format!("a condition is true or false, this is a {}", expr.kind);
            return Err(ExprError {
                at: 0,
                what,
                help: Some("compare it with something, as in `x == 1`".into()),
            });
        }
        Ok(expr)
    }

    pub fn kind(&self) -> Type {
        self.kind
    }

    /// `values` by `VarId`, as many as the [`Types`] it was parsed with.
    pub fn eval(&self, values: &[Value]) -> Value {
        self.node.eval(values)
    }

    pub fn holds(&self, values: &[Value]) -> bool {
        self.eval(values) == Value::Bool(true)
    }

    /// The variables it reads.
    pub fn reads(&self) -> BTreeSet<VarId> {
        let mut found = BTreeSet::new();
        self.node.collect_vars(&mut found);
        found
    }
}

impl Node {
    fn eval(&self, values: &[Value]) -> Value {
        match self {
            Node::Literal(value) => value.clone(),
            Node::Var(id, _) => {
                debug_assert!((id.0 as usize) < values.len(), "a value for every variable");
                values.get(id.0 as usize).cloned().unwrap_or_else(|| Value::from(""))
            }
            Node::Not(of) => Value::Bool(of.eval(values) != Value::Bool(true)),
            Node::Negative(of) => Value::Number(of.eval(values).number().saturating_neg()),
            Node::Binary(op, a, b) => op.eval(a, b, values),
            Node::In(needle, hay) => {
                let needle = needle.eval(values);
                Value::Bool(hay.iter().any(|h| h.eval(values) == needle))
            }
            Node::Call(function, args) => function.eval(args, values),
        }
    }

    fn collect_vars(&self, found: &mut BTreeSet<VarId>) {
        match self {
            Node::Literal(_) => {}
            Node::Var(id, _) => {
                found.insert(*id);
            }
            Node::Not(of) | Node::Negative(of) => of.collect_vars(found),
            Node::Binary(_, a, b) => {
                a.collect_vars(found);
                b.collect_vars(found);
            }
            Node::In(needle, hay) => {
                needle.collect_vars(found);
                hay.iter().for_each(|h| h.collect_vars(found));
            }
            Node::Call(_, args) => args.iter().for_each(|a| a.collect_vars(found)),
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
            Node::Literal(_) | Node::Var(..) | Node::Call(..) => 8,
        }
    }

    fn print(&self, at_least: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.strength() < at_least;
        if open {
            f.write_str("(")?;
        }
        match self {
            Node::Literal(Value::Text(text)) => print_text(text, f)?,
            Node::Literal(value) => write!(f, "{value}")?,
            Node::Var(_, name) => f.write_str(name)?,
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
                f.write_str(" in [")?;
                print_list(hay, f)?;
                f.write_str("]")?;
            }
            Node::Call(function, args) => {
                write!(f, "{}(", function.as_str())?;
                print_list(args, f)?;
                f.write_str(")")?;
            }
        }
        if open {
            f.write_str(")")?;
        }
        Ok(())
    }
}

fn print_list(nodes: &[Node], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, node) in nodes.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        node.print(0, f)?;
    }
    Ok(())
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

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.print(0, f)
    }
}

impl Op {
    fn eval(self, a: &Node, b: &Node, values: &[Value]) -> Value {
        let truth = |n: &Node| n.eval(values) == Value::Bool(true);
        let number = |n: &Node| n.eval(values).number();
        let order = || a.eval(values).compare(&b.eval(values));
        match self {
            Op::Or => Value::Bool(truth(a) || truth(b)),
            Op::And => Value::Bool(truth(a) && truth(b)),
            Op::Equal => Value::Bool(a.eval(values) == b.eval(values)),
            Op::NotEqual => Value::Bool(a.eval(values) != b.eval(values)),
            Op::Less => Value::Bool(order().is_lt()),
            Op::LessOrEqual => Value::Bool(order().is_le()),
            Op::Greater => Value::Bool(order().is_gt()),
            Op::GreaterOrEqual => Value::Bool(order().is_ge()),
            Op::Plus => Value::Number(number(a).saturating_add(number(b))),
            Op::Minus => Value::Number(number(a).saturating_sub(number(b))),
            Op::Times => Value::Number(number(a).saturating_mul(number(b))),
        }
    }

    fn strength(self) -> u8 {
        match self {
            Op::Or => 1,
            Op::And => 2,
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => 4,
            Op::Plus | Op::Minus => 5,
            Op::Times => 6,
        }
    }

    fn as_str(self) -> &'static str {
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

impl Function {
    const ALL: [Function; 5] =
        [Function::Len, Function::StartsWith, Function::EndsWith, Function::Contains, Function::If];

    fn as_str(self) -> &'static str {
        match self {
            Function::Len => "len",
            Function::StartsWith => "starts_with",
            Function::EndsWith => "ends_with",
            Function::Contains => "contains",
            Function::If => "if",
        }
    }

    /// The parser saw to it that each has its arguments.
    fn eval(self, args: &[Node], values: &[Value]) -> Value {
        let arg = |i: usize| args.get(i).map_or(Value::Bool(false), |a| a.eval(values));
        match self {
            Function::Len => Value::Number(arg(0).text().chars().count() as i64),
            Function::StartsWith => Value::Bool(arg(0).text().starts_with(&*arg(1).text())),
            Function::EndsWith => Value::Bool(arg(0).text().ends_with(&*arg(1).text())),
            Function::Contains => Value::Bool(arg(0).text().contains(&*arg(1).text())),
            Function::If if arg(0) == Value::Bool(true) => arg(1),
            Function::If => arg(2),
        }
    }
}

impl Value {
    pub fn kind(&self) -> Type {
        match self {
            Value::Text(_) => Type::Text,
            Value::Number(_) => Type::Number,
            Value::Bool(_) => Type::Bool,
            Value::Digits(_) => Type::Digits,
            Value::Time(_) => Type::Time,
            Value::Duration(_) => Type::Duration,
            // An empty list fits every list; what declares a variable says which it is.
            Value::List(items) => {
                Type::List(items.first().and_then(|v| Scalar::of(v.kind())).unwrap_or(Scalar::Text))
            }
            Value::Record(id, _) => Type::Record(*id),
        }
    }

    /// `text` as a value of a type: what a number's `vars` preset. None: it does not fit.
    pub fn parse(text: &str, kind: Type) -> Option<Value> {
        match kind {
            Type::Text => Some(Value::from(text)),
            Type::Number => text.parse().ok().map(Value::Number),
            Type::Bool => text.parse().ok().map(Value::Bool),
            Type::Digits => text.chars().all(|c| crate::KEYS.contains(c)).then(|| Value::Digits(text.into())),
            Type::Time | Type::Duration | Type::List(_) | Type::Record(_) => None,
        }
    }

    /// As it is written into a template.
    pub fn text(&self) -> Arc<str> {
        match self {
            Value::Text(text) => text.clone(),
            Value::Number(n) => n.to_string().into(),
            Value::Bool(b) => b.to_string().into(),
            Value::Digits(keys) => keys.clone(),
            Value::Time(unix) => unix.to_string().into(),
            Value::Duration(ms) => (ms / 1000).to_string().into(),
            Value::List(items) | Value::Record(_, items) => {
                items.iter().map(|v| v.text().to_string()).collect::<Vec<_>>().join(", ").into()
            }
        }
    }

    fn number(&self) -> i64 {
        if let Value::Number(n) = self { *n } else { 0 }
    }

    /// Of one type by the type's order; checked expressions compare nothing else.
    fn compare(&self, other: &Value) -> std::cmp::Ordering {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (a, b) => a.text().cmp(&b.text()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}
impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Number(n)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Text => "text",
            Type::Number => "number",
            Type::Bool => "bool",
            Type::Digits => "digits",
            Type::Time => "time",
            Type::Duration => "duration",
            Type::List(of) => return write!(f, "list of {}", Type::from(*of)),
            Type::Record(_) => "record",
        })
    }
}

impl Scalar {
    /// None: a list or a record.
    pub fn of(kind: Type) -> Option<Scalar> {
        Some(match kind {
            Type::Text => Scalar::Text,
            Type::Number => Scalar::Number,
            Type::Bool => Scalar::Bool,
            Type::Digits => Scalar::Digits,
            Type::Time => Scalar::Time,
            Type::Duration => Scalar::Duration,
            Type::List(_) | Type::Record(_) => return None,
        })
    }
}

impl From<Scalar> for Type {
    fn from(of: Scalar) -> Type {
        match of {
            Scalar::Text => Type::Text,
            Scalar::Number => Type::Number,
            Scalar::Bool => Type::Bool,
            Scalar::Digits => Type::Digits,
            Scalar::Time => Type::Time,
            Scalar::Duration => Type::Duration,
        }
    }
}

impl Types {
    /// The built-in variables, then the flow's own, in order.
    pub fn new(vars: &[crate::VarDecl]) -> Types {
        let own = vars.iter().enumerate().map(|(i, v)| (VarId((BUILT_IN.len() + i) as u32), v));
        Types::scope(own)
    }

    /// The built-in variables and some of a flow's, under the names they have here: a sub-flow's own view.
    pub fn scope<'v>(own: impl IntoIterator<Item = (VarId, &'v crate::VarDecl)>) -> Types {
        let built_in = BUILT_IN.iter().enumerate().map(|(i, (name, kind, read_only))| Variable {
            id: VarId(i as u32),
            name: Arc::from(*name),
            kind: *kind,
            read_only: *read_only,
        });
        let own = own.into_iter().map(|(id, v)| Variable {
            id,
            name: v.name.clone(),
            kind: v.kind,
            read_only: false,
        });
        Types { variables: built_in.chain(own).collect(), ..Types::default() }
    }

    pub fn find(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| &*v.name == name)
    }

    pub fn variable(&self, id: VarId) -> Option<&Variable> {
        match self.variables.get(id.0 as usize).filter(|v| v.id == id) {
            Some(found) => Some(found),
            None => self.variables.iter().find(|v| v.id == id),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter()
    }

    /// The nearest name to one that does not exist.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        suggest(name, self.variables.iter().map(|v| &*v.name))
    }
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ExprError {}

/// The candidate nearest to a word that was probably mistyped; None when none is near.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = 1 + word.chars().count() / 4;
    candidates.into_iter().map(|c| (distance(word, c), c)).filter(|(d, _)| *d <= far).min().map(|(_, c)| c)
}

/// Edits (insert, delete, replace, swap neighbours) from one word to another.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
