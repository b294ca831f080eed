//! Typed, total expressions and the texts they are filled into.
//!
//! `class == 'enterprise' and tries + 1 < 3` parses once into a checked [`Expr`]; from then on evaluation
//! cannot fail: numbers saturate, there are no loops, and length and depth are bounded.

mod call;
mod functions;
mod lexer;
mod near;
mod node;
mod parser;
mod path;
mod template;
mod value;

pub use functions::{ARGS_MAX, FunctionDoc, Gives, Takes, functions};
pub use near::suggest;
pub use template::{Demand, Template, http_pieces};

use node::Node;

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

/// A checked expression. Prints as it would be written. It keeps the tables and opening hours that it names.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    node: Node,
    kind: Type,
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
            let what = format!("a condition is true or false, this is {}", expr.kind.noun());
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
        self.node.eval(values).into_owned()
    }

    pub fn holds(&self, values: &[Value]) -> bool {
        self.node.holds(values)
    }

    /// The variables it reads.
    pub fn reads(&self) -> BTreeSet<VarId> {
        let mut found = BTreeSet::new();
        self.node.collect_vars(&mut found);
        found
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.print(0, f)
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
