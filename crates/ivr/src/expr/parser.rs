//! Recursive descent with types: what it returns is checked.

use super::lexer::{Lexer, Token};
use super::node::{self, Node, Op};
use super::{
    DEPTH_MAX, Expr, ExprError, LENGTH_MAX, LIST_MAX, Scalar, Type, Types, Value, Variable, functions,
};

/// A whole text is an expression.
pub fn parse(text: &str, types: &Types) -> Result<Expr, ExprError> {
    if text.len() > LENGTH_MAX {
        return Err(ExprError::too_long(text.len()));
    }
    let mut parser = Parser::new(text, 0, types)?;
    let (node, kind) = parser.expression(0)?;
    parser.expect_end(Token::End)?;
    Ok(Expr { node, kind })
}

/// An expression from `at` to a closing brace; also where the text goes on behind it.
pub fn parse_braced(text: &str, at: usize, types: &Types) -> Result<(Expr, usize), ExprError> {
    let mut parser = Parser::new(text, at, types)?;
    let (node, kind) = parser.expression(0)?;
    if parser.token == Token::End {
        return Err(ExprError { at: at - 1, what: "this brace is never closed".into(), help: None });
    }
    // Behind the brace is text, not tokens: look only at what has been read so far.
    if parser.token != Token::Sign("}") {
        parser.expect_end(Token::Sign("}"))?;
    }
    Ok((Expr { node, kind }, parser.at + 1))
}

/// A variable by name, with a suggestion when there is none.
pub fn variable<'a>(name: &str, at: usize, types: &'a Types) -> Result<&'a Variable, ExprError> {
    types.find(name).ok_or_else(|| ExprError {
        at,
        what: format!("no variable is called `{name}`"),
        help: Some(match types.suggest(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None if functions().iter().any(|f| f.name == name) => {
                format!("a function is called with its arguments: `{name}(...)`")
            }
            None if name == "secret" => "secrets are filled in in services and `http` steps only".into(),
            None => "variables are declared with their first value under [var]".into(),
        }),
    })
}

impl ExprError {
    pub(super) fn too_long(length: usize) -> ExprError {
        ExprError {
            at: LENGTH_MAX,
            what: format!("{length} bytes are too many, {LENGTH_MAX} are allowed"),
            help: None,
        }
    }
}

impl Expr {
    pub(super) fn literal(value: Value) -> Expr {
        Expr { kind: value.kind(), node: Node::Literal(value) }
    }
}

pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    pub types: &'a Types,
    pub token: Token,
    pub at: usize,
}

/// A part of an expression and its type.
pub(super) type Typed = (Node, Type);

impl<'a> Parser<'a> {
    fn new(text: &'a str, at: usize, types: &'a Types) -> Result<Self, ExprError> {
        let mut lexer = Lexer::new(text, at);
        let (at, token) = lexer.next()?;
        Ok(Parser { lexer, types, token, at })
    }

    pub fn advance(&mut self) -> Result<Token, ExprError> {
        let (at, next) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, next))
    }

    pub fn error<T>(&self, at: usize, what: impl Into<String>, help: Option<&str>) -> Result<T, ExprError> {
        Err(ExprError { at, what: what.into(), help: help.map(str::to_owned) })
    }

    pub fn expression(&mut self, depth: usize) -> Result<Typed, ExprError> {
        if depth > DEPTH_MAX {
            return self.error(self.at, format!("nested deeper than {DEPTH_MAX}"), None);
        }
        self.binary(depth, 1)
    }

    /// One level of binary operators: `or`, `and`, (`not`), comparison, sum, product.
    fn binary(&mut self, depth: usize, level: u8) -> Result<Typed, ExprError> {
        match level {
            3 => return self.not(depth),
            7 => return self.negative(depth),
            _ => {}
        }
        let start = self.at;
        let mut left = self.binary(depth, level + 1)?;
        let mut height = depth;
        loop {
            if level == 4 && self.token == Token::Name("in".into()) {
                return self.within(left, depth);
            }
            let Some(op) = self.op().filter(|op| op.strength() == level) else { return Ok(left) };
            height += 1;
            if height > DEPTH_MAX {
                return self.error(self.at, format!("more than {DEPTH_MAX} in a row"), None);
            }
            let at = self.at;
            self.advance()?;
            let right_at = self.at;
            let right = self.binary(depth, level + 1)?;
            left = self.join(op, (start, left), at, (right_at, right))?;
            if level == 4 {
                if self.op().is_some_and(|op| op.strength() == 4) {
                    return self.error(
                        self.at,
                        "comparisons do not chain",
                        Some("join two of them with `and`"),
                    );
                }
                return Ok(left);
            }
        }
    }

    fn op(&self) -> Option<Op> {
        Some(match &self.token {
            Token::Name(name) if name == "or" => Op::Or,
            Token::Name(name) if name == "and" => Op::And,
            Token::Sign("==") => Op::Equal,
            Token::Sign("!=") => Op::NotEqual,
            Token::Sign("<") => Op::Less,
            Token::Sign("<=") => Op::LessOrEqual,
            Token::Sign(">") => Op::Greater,
            Token::Sign(">=") => Op::GreaterOrEqual,
            Token::Sign("+") => Op::Plus,
            Token::Sign("-") => Op::Minus,
            Token::Sign("*") => Op::Times,
            _ => return None,
        })
    }

    fn join(
        &self,
        op: Op,
        (a_at, (a, a_type)): (usize, Typed),
        at: usize,
        (b_at, (b, b_type)): (usize, Typed),
    ) -> Result<Typed, ExprError> {
        let sides = [(a_at, a_type), (b_at, b_type)];
        let kind = match op {
            Op::Or | Op::And => {
                if let Some((at, found)) = sides.into_iter().find(|(_, found)| *found != Type::Bool) {
                    let what = format!("`{}` joins bools, this is {}", op.as_str(), found.noun());
                    return self.error(at, what, None);
                }
                Type::Bool
            }
            Op::Plus | Op::Minus | Op::Times => match arithmetic(op, a_type, b_type) {
                Some(kind) => kind,
                None => return self.incalculable(op, sides, at),
            },
            Op::Equal | Op::NotEqual => comparable(&a, a_type, &b, b_type)
                .map_or_else(|| self.unlike(at, a_type, b_type), |_| Ok(Type::Bool))?,
            Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                let Some(kind) = comparable(&a, a_type, &b, b_type) else {
                    return self.unlike(at, a_type, b_type);
                };
                if Scalar::of(kind).is_none() {
                    let what = format!("`{}` asks for an order, {} has none", op.as_str(), kind.noun());
                    return self.error(at, what, None);
                }
                Type::Bool
            }
        };
        Ok((Node::Binary(op, Box::new(a), Box::new(b)), kind))
    }

    fn incalculable<T>(&self, op: Op, sides: [(usize, Type); 2], at: usize) -> Result<T, ExprError> {
        let counts = |kind| matches!(kind, Type::Number | Type::Time | Type::Duration);
        if let Some((at, found)) = sides.into_iter().find(|(_, found)| !counts(*found)) {
            let help = matches!(found, Type::Text | Type::Digits)
                .then_some("a template puts texts together: \"{a}{b}\"");
            return self.error(
                at,
                format!("`{}` joins numbers, this is {}", op.as_str(), found.noun()),
                help,
            );
        }
        let [(_, a), (_, b)] = sides;
        let help = (a == Type::Number || b == Type::Number)
            .then_some("a duration is written `30s`, `5m` or seconds(n)");
        self.error(at, format!("`{}` never joins {} and {}", op.as_str(), a.noun(), b.noun()), help)
    }

    pub fn unlike<T>(&self, at: usize, a: Type, b: Type) -> Result<T, ExprError> {
        let help = match (a, b) {
            (Type::Text | Type::Digits, Type::Number) | (Type::Number, Type::Text | Type::Digits) => {
                Some("a text is written in quotes: '1'")
            }
            (Type::Duration, Type::Number) | (Type::Number, Type::Duration) => {
                Some("a duration is written `30s`, `5m` or seconds(n)")
            }
            (Type::Time, Type::Text) | (Type::Text, Type::Time) => {
                Some("date() and clock() make texts of times")
            }
            _ => None,
        };
        let is = if a == Type::Digits { "are" } else { "is" };
        self.error(at, format!("{} {is} never compared with {}", a.noun(), b.noun()), help)
    }

    fn not(&mut self, depth: usize) -> Result<Typed, ExprError> {
        if self.token != Token::Name("not".into()) {
            return self.binary(depth, 4);
        }
        if depth > DEPTH_MAX {
            return self.error(self.at, format!("nested deeper than {DEPTH_MAX}"), None);
        }
        self.advance()?;
        let at = self.at;
        let (of, kind) = self.binary(depth + 1, 3)?;
        if kind != Type::Bool {
            return self.error(at, format!("`not` turns a bool round, this is {}", kind.noun()), None);
        }
        Ok((Node::Not(Box::new(of)), Type::Bool))
    }

    fn within(&mut self, (needle, kind): Typed, depth: usize) -> Result<Typed, ExprError> {
        self.advance()?;
        let at = self.at;
        if Scalar::of(kind).is_none() {
            return self.error(at, format!("{} is in no list", kind.noun()), None);
        }
        let (hay, of) = match self.token {
            Token::Sign("[") => {
                self.advance()?;
                self.list(depth, Some(kind))?
            }
            _ => self.binary(depth, 5)?,
        };
        let hay = match of {
            Type::List(of) if kind.joined(of.into()).is_some() || is_empty(&hay) => hay,
            Type::List(of) => return self.unlike(at, kind, of.into()),
            _ => return self.error(at, "expected a list: `x in ['a', 'b']`", None),
        };
        Ok((Node::In(Box::new(needle), Box::new(hay)), Type::Bool))
    }

    /// Behind the opening bracket; `like` is what the items are compared with.
    fn list(&mut self, depth: usize, like: Option<Type>) -> Result<Typed, ExprError> {
        let (mut items, mut kind): (Vec<Typed>, Option<Type>) = (Vec::new(), None);
        while self.token != Token::Sign("]") {
            let at = self.at;
            let (node, found) = self.expression(depth + 1)?;
            if items.len() == LIST_MAX {
                return self.error(at, format!("more than {LIST_MAX} in a list"), None);
            }
            if Scalar::of(found).is_none() {
                return self.error(at, format!("a list holds no {found}"), None);
            }
            let before = kind.or(like).unwrap_or(found);
            let Some(joined) = before.joined(found) else { return self.unlike(at, before, found) };
            kind = Some(if kind.is_some() { joined } else { found });
            items.push((node, found));
            if self.token != Token::Sign(",") {
                break;
            }
            self.advance()?;
        }
        self.expect("]", "`]` at the list's end")?;
        let kind = kind.and_then(Scalar::of).unwrap_or(Scalar::Text);
        let literal =
            |(node, _): &Typed| if let Node::Literal(value) = node { Some(value.clone()) } else { None };
        let node = match items.iter().map(literal).collect::<Option<Vec<Value>>>() {
            Some(values) => Node::Literal(Value::List(values.into())),
            None => Node::List(items.into_iter().map(|(i, found)| as_kind(i, found, kind.into())).collect()),
        };
        Ok((node, Type::List(kind)))
    }

    fn negative(&mut self, depth: usize) -> Result<Typed, ExprError> {
        if self.token != Token::Sign("-") {
            return self.postfix(depth);
        }
        self.advance()?;
        let at = self.at;
        let (of, kind) = self.postfix(depth)?;
        if kind != Type::Number {
            return self.error(at, format!("`-` stands before a number, this is {}", kind.noun()), None);
        }
        Ok((
            match of {
                Node::Literal(Value::Number(n)) => Node::Literal(Value::Number(n.saturating_neg())),
                of => Node::Negative(Box::new(of)),
            },
            Type::Number,
        ))
    }

    /// A value and the field that is asked of it.
    fn postfix(&mut self, depth: usize) -> Result<Typed, ExprError> {
        let (of, kind) = self.primary(depth)?;
        if self.token != Token::Sign(".") {
            return Ok((of, kind));
        }
        let Type::Record(id) = kind else {
            let help = (kind == Type::Number).then_some("numbers are whole");
            return self.error(self.at, format!("`.` asks for a field, {} has none", kind.noun()), help);
        };
        self.advance()?;
        let at = self.at;
        let Token::Name(name) = self.advance()? else {
            return self.error(at, "expected the name of a field", None);
        };
        let fields = self.types.record(id).map_or(&[][..], |r| &r.fields);
        let Some((place, field)) = self.types.record(id).and_then(|r| r.find(&name)) else {
            let names = || fields.iter().map(|f| &*f.name);
            let help = match super::suggest(&name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            return self.error(at, format!("no field is called `{name}`"), Some(&help));
        };
        let node = node::Field { of, name: field.name.clone(), place, default: field.default.clone() };
        Ok((Node::Field(Box::new(node)), field.kind))
    }

    fn primary(&mut self, depth: usize) -> Result<Typed, ExprError> {
        let at = self.at;
        match self.advance()? {
            Token::Number(n) => Ok((Node::Literal(Value::Number(n)), Type::Number)),
            Token::Duration(ms) => Ok((Node::Literal(Value::Duration(ms)), Type::Duration)),
            Token::Text(text) => Ok((Node::Literal(Value::from(&*text)), Type::Text)),
            Token::Name(name) if name == "true" => Ok((Node::Literal(Value::Bool(true)), Type::Bool)),
            Token::Name(name) if name == "false" => Ok((Node::Literal(Value::Bool(false)), Type::Bool)),
            Token::Name(name) if matches!(&*name, "and" | "or" | "in" | "not") => {
                self.error(at, format!("a value is missing before `{name}`"), None)
            }
            Token::Name(name) if self.token == Token::Sign("(") => self.call(&name, at, depth),
            Token::Name(name) => {
                let found = variable(&name, at, self.types)?;
                Ok((Node::Var(found.id, found.name.clone()), found.kind))
            }
            Token::Sign("[") => self.list(depth, None),
            Token::Sign("(") => {
                let inner = self.expression(depth + 1)?;
                self.expect(")", "`)`")?;
                Ok(inner)
            }
            Token::End | Token::Sign("}") => self.error(at, "a value is missing here", None),
            Token::Sign(sign) => self.error(at, format!("a value is missing before `{sign}`"), None),
        }
    }

    pub fn expect(&mut self, sign: &'static str, what: &str) -> Result<(), ExprError> {
        if self.token != Token::Sign(sign) {
            return self.error(self.at, format!("expected {what}"), None);
        }
        // What follows a template's closing brace is not read here.
        self.advance()?;
        Ok(())
    }

    fn expect_end(&mut self, end: Token) -> Result<(), ExprError> {
        if self.token == end {
            return Ok(());
        }
        let help = match &self.token {
            Token::Sign("=") => Some("equality is `==`"),
            Token::Sign("!") => Some("write `not`"),
            _ => None,
        };
        self.error(self.at, "an operator is missing here", help)
    }
}

/// What two numbers, times or durations make.
fn arithmetic(op: Op, a: Type, b: Type) -> Option<Type> {
    use Type::{Duration, Number, Time};
    Some(match (op, a, b) {
        (Op::Plus | Op::Minus | Op::Times, Number, Number) => Number,
        (Op::Plus, Time, Duration) | (Op::Plus, Duration, Time) | (Op::Minus, Time, Duration) => Time,
        (Op::Plus | Op::Minus, Duration, Duration) | (Op::Minus, Time, Time) => Duration,
        (Op::Times, Duration, Number) | (Op::Times, Number, Duration) => Duration,
        _ => return None,
    })
}

fn comparable(a: &Node, a_type: Type, b: &Node, b_type: Type) -> Option<Type> {
    let lists = matches!((a_type, b_type), (Type::List(_), Type::List(_)));
    a_type.joined(b_type).or((lists && (is_empty(a) || is_empty(b))).then_some(a_type))
}

/// `[]`, which is a list of anything.
pub(super) fn is_empty(node: &Node) -> bool {
    matches!(node, Node::Literal(Value::List(items)) if items.is_empty())
}

/// A part of type `found` where the parts of an expression agree on `wanted`: digits become texts.
pub(super) fn as_kind(node: Node, found: Type, wanted: Type) -> Node {
    let texts = matches!(wanted, Type::Text | Type::List(Scalar::Text));
    let digits = matches!(found, Type::Digits | Type::List(Scalar::Digits));
    if texts && digits { Node::AsText(Box::new(node)) } else { node }
}
