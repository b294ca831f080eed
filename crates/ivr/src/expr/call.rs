//! Calls of functions: whether the arguments fit, and what comes out.

use super::functions::{ARGS_MAX, FunctionDoc, Gives, Takes, With, functions};
use super::lexer::Token;
use super::node::{Call, Node};
use super::parser::{Parser, Typed, as_kind, is_empty};
use super::{ExprError, Scalar, Type, Value, VarId, suggest};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Parser<'_> {
    /// Behind the function's name.
    pub fn call(&mut self, name: &str, at: usize, depth: usize) -> Result<Typed, ExprError> {
        let Some(function) = functions().iter().find(|f| f.name == name) else {
            let names = || functions().iter().map(|f| f.name);
            let help = match suggest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
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
        let wanted = function.args.len();
        let most = if function.more { ARGS_MAX } else { wanted };
        if args.len() < wanted - function.optional || args.len() > most {
            let takes = match (wanted - function.optional, most) {
                (1, 1) => "1 argument".to_owned(),
                (least, most) if least == most => format!("{most} arguments"),
                (least, most) => format!("{least} to {most} arguments"),
            };
            let what = format!("`{name}` takes {takes}, here are {}", args.len());
            return self.error(at, what, Some(&function.signature()));
        }
        Fitting { parser: self, function, same: None, with: With::Nothing }.fit(args)
    }
}

struct Fitting<'p, 'a> {
    parser: &'p Parser<'a>,
    function: &'static FunctionDoc,
    /// The type of those that are all of one type, as far as it is known.
    same: Option<Type>,
    with: With,
}

impl Fitting<'_, '_> {
    fn fit(mut self, args: Vec<(usize, Typed)>) -> Result<Typed, ExprError> {
        let takes =
            |i: usize| self.function.args.get(i).or(self.function.args.last()).map_or(Takes::Scalar, |a| a.1);
        let takes: Vec<Takes> = (0..args.len()).map(takes).collect();
        let mut nodes = Vec::new();
        for (takes, (at, (node, found))) in takes.iter().zip(args) {
            self.argument(*takes, at, &node, found)?;
            nodes.push((*takes, node, found));
        }
        let same = self.same.unwrap_or(Type::Text);
        let mut args: Vec<Node> = nodes
            .into_iter()
            .filter(|(takes, ..)| !matches!(takes, Takes::Hours | Takes::Table))
            .map(|(takes, node, found)| match (takes, found) {
                (Takes::Any | Takes::Word, found) => as_kind(node, found, same),
                (Takes::List, found) => as_kind(node, found, Scalar::of(same).map_or(found, Type::List)),
                _ => node,
            })
            .collect();
        if let (With::Hours(..), []) = (&self.with, &args[..]) {
            args.push(Node::Var(VarId::NOW, crate::BUILT_IN[VarId::NOW.0 as usize].0.into()));
        }
        if self.function.local {
            self.with = self.parser.types.zone.clone().map_or(With::Nothing, With::Zone);
        }
        let kind = match self.function.result {
            Gives::Is(kind) => kind,
            Gives::Same => same,
        };
        Ok((Node::Call(Box::new(Call { function: self.function, with: self.with, args })), kind))
    }

    fn argument(&mut self, takes: Takes, at: usize, node: &Node, found: Type) -> Result<(), ExprError> {
        let fits = match takes {
            Takes::Is(kind) => kind.takes(found),
            Takes::Scalar => Scalar::of(found).is_some(),
            Takes::Any => return self.agree(at, node, found),
            Takes::Ordered if matches!(found, Type::Number | Type::Time | Type::Duration) => {
                return self.agree(at, node, found);
            }
            Takes::Word if matches!(found, Type::Text | Type::Digits) => return self.agree(at, node, found),
            Takes::List if is_empty(node) => true,
            Takes::List => match found {
                Type::List(of) => return self.agree(at, node, of.into()),
                _ => false,
            },
            Takes::Hours => {
                let hours = &self.parser.types.hours;
                let (name, hours) = self.named(at, node, "opening hours", hours)?;
                self.with = With::Hours(name, hours);
                true
            }
            Takes::Table => {
                let (_, table) = self.named(at, node, "a table", &self.parser.types.tables)?;
                self.same = Some(table.kind.into());
                self.with = With::Table(table);
                true
            }
            Takes::Ordered | Takes::Word => false,
        };
        let wanted = match takes {
            Takes::Is(kind) => kind.noun(),
            takes => format!("a {takes}"),
        };
        if fits { Ok(()) } else { self.wrong(at, &wanted, found) }
    }

    /// All of one type, where digits are texts too.
    fn agree(&mut self, at: usize, node: &Node, found: Type) -> Result<(), ExprError> {
        let Some(same) = self.same else {
            self.same = Some(found);
            return Ok(());
        };
        match same.joined(found) {
            // A table's default is of the type of its rows.
            Some(joined) if joined == same || !matches!(self.with, With::Table(_)) => {
                self.same = Some(joined);
                Ok(())
            }
            None if is_empty(node) && matches!(same, Type::List(_)) => Ok(()),
            _ => self.wrong(at, &same.noun(), found),
        }
    }

    fn wrong(&self, at: usize, wanted: &str, found: Type) -> Result<(), ExprError> {
        let what = format!("`{}` takes {wanted} here, this is {}", self.function.name, found.noun());
        self.parser.error(at, what, None)
    }

    /// What a text in quotes names.
    fn named<T: Clone>(
        &self,
        at: usize,
        node: &Node,
        kind: &str,
        known: &BTreeMap<Arc<str>, T>,
    ) -> Result<(Arc<str>, T), ExprError> {
        let Node::Literal(Value::Text(name)) = node else {
            let what = format!("`{}` takes the name of {kind} here, in quotes", self.function.name);
            return self.parser.error(at, what, None);
        };
        let Some((name, found)) = known.get_key_value(name) else {
            let names = || known.keys().map(|n| &**n);
            let help = match (suggest(name, names()), known.len()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, 0) => "there are none".to_owned(),
                (None, _) => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let kind = kind.trim_start_matches("a ");
            let are = if kind == "table" { "is" } else { "are" };
            return self.parser.error(at, format!("no {kind} {are} called `{name}`"), Some(&help));
        };
        Ok((name.clone(), found.clone()))
    }
}
