//! Recursive descent with types: what it returns is checked.

use super::lexer::{Lexer, Token};
use super::{DEPTH_MAX, Expr, ExprError, Function, LENGTH_MAX, Node, Op, Type, Types, Value, Variable};

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

struct Parser<'a> {
    lexer: Lexer<'a>,
    types: &'a Types,
    token: Token,
    at: usize,
}

type Typed = (Node, Type);

impl<'a> Parser<'a> {
    fn new(text: &'a str, at: usize, types: &'a Types) -> Result<Self, ExprError> {
        let mut lexer = Lexer::new(text, at);
        let (at, token) = lexer.next()?;
        Ok(Parser { lexer, types, token, at })
    }

    fn advance(&mut self) -> Result<Token, ExprError> {
        let (at, next) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn error<T>(&self, at: usize, what: impl Into<String>, help: Option<&str>) -> Result<T, ExprError> {
        Err(ExprError { at, what: what.into(), help: help.map(str::to_owned) })
    }

    fn expression(&mut self, depth: usize) -> Result<Typed, ExprError> {
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
        let both = |wanted: Type| {
            for (at, found) in [(a_at, a_type), (b_at, b_type)] {
                if found != wanted {
                    let what = format!("`{}` joins {wanted}s, this is a {found}", op.as_str());
                    return self.error(at, what, None);
                }
            }
            Ok(())
        };
        let kind = match op {
            Op::Or | Op::And => both(Type::Bool).map(|()| Type::Bool)?,
            Op::Plus | Op::Minus | Op::Times => both(Type::Number).map(|()| Type::Number)?,
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                if a_type != b_type {
                    return self.unlike(at, a_type, b_type);
                }
                Type::Bool
            }
        };
        Ok((Node::Binary(op, Box::new(a), Box::new(b)), kind))
    }

    fn unlike<T>(&self, at: usize, a: Type, b: Type) -> Result<T, ExprError> {
        let help = matches!((a, b), (Type::Text, Type::Number) | (Type::Number, Type::Text))
            .then_some("a text is written in quotes: '1'");
        self.error(at, format!("a {a} is never compared with a {b}"), help)
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
            return self.error(at, format!("`not` turns a bool round, this is a {kind}"), None);
        }
        Ok((Node::Not(Box::new(of)), Type::Bool))
    }

    fn within(&mut self, (needle, kind): Typed, depth: usize) -> Result<Typed, ExprError> {
        self.advance()?;
        self.expect("[", "a list: `x in ['a', 'b']`")?;
        let mut hay = Vec::new();
        while self.token != Token::Sign("]") {
            let at = self.at;
            let (node, of) = self.expression(depth + 1)?;
            if of != kind {
                return self.unlike(at, kind, of);
            }
            hay.push(node);
            if self.token != Token::Sign(",") {
                break;
            }
            self.advance()?;
        }
        self.expect("]", "`]` at the list's end")?;
        Ok((Node::In(Box::new(needle), hay), Type::Bool))
    }

    fn negative(&mut self, depth: usize) -> Result<Typed, ExprError> {
        if self.token != Token::Sign("-") {
            return self.primary(depth);
        }
        self.advance()?;
        let at = self.at;
        let (of, kind) = self.primary(depth)?;
        if kind != Type::Number {
            return self.error(at, format!("`-` stands before a number, this is a {kind}"), None);
        }
        Ok((Node::Negative(Box::new(of)), Type::Number))
    }

    fn primary(&mut self, depth: usize) -> Result<Typed, ExprError> {
        let at = self.at;
        match self.advance()? {
            Token::Number(n) => Ok((Node::Literal(Value::Number(n)), Type::Number)),
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
            Token::Sign("(") => {
                let inner = self.expression(depth + 1)?;
                self.expect(")", "`)`")?;
                Ok(inner)
            }
            Token::End | Token::Sign("}") => self.error(at, "a value is missing here", None),
            Token::Sign(sign) => self.error(at, format!("a value is missing before `{sign}`"), None),
        }
    }

    fn call(&mut self, name: &str, at: usize, depth: usize) -> Result<Typed, ExprError> {
        let Some(function) = Function::ALL.into_iter().find(|f| f.as_str() == name) else {
            let near = super::suggest(name, Function::ALL.map(Function::as_str));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", Function::ALL.map(Function::as_str).join(", ")),
            };
            return self.error(at, format!("no function is called `{name}`"), Some(&help));
        };
        self.advance()?;
        let mut args = Vec::new();
        while self.token != Token::Sign(")") {
            let at = self.at;
            args.push((at, self.expression(depth + 1)?));
            if self.token != Token::Sign(",") {
                break;
            }
            self.advance()?;
        }
        self.expect(")", "`)` behind the arguments")?;
        let (wanted, result) = match function {
            Function::Len => (vec![Type::Text], Type::Number),
            Function::StartsWith | Function::EndsWith | Function::Contains => {
                (vec![Type::Text, Type::Text], Type::Bool)
            }
            Function::If => {
                let kind = args.get(1).map_or(Type::Text, |(_, (_, kind))| *kind);
                (vec![Type::Bool, kind, kind], kind)
            }
        };
        if args.len() != wanted.len() {
            let what = format!("`{name}` takes {} arguments, here are {}", wanted.len(), args.len());
            return self.error(at, what, None);
        }
        for ((at, (_, found)), wanted) in args.iter().zip(&wanted) {
            if found != wanted {
                return self.error(*at, format!("`{name}` takes a {wanted} here, this is a {found}"), None);
            }
        }
        Ok((Node::Call(function, args.into_iter().map(|(_, (node, _))| node).collect()), result))
    }

    fn expect(&mut self, sign: &'static str, what: &str) -> Result<(), ExprError> {
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
