//! Words of an expression, each with its byte offset.

use super::ExprError;
use super::value::parse_duration;

#[derive(Clone, PartialEq, Debug)]
pub enum Token {
    Number(i64),
    /// Milliseconds: `30s`.
    Duration(i64),
    Text(String),
    Name(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 19] =
    ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "(", ")", "[", "]", ",", ".", "}", "{", "=", "!"];

#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, at: usize) -> Lexer<'a> {
        Lexer { text, at }
    }

    /// Where the next token begins, and the token.
    pub fn next(&mut self) -> Result<(usize, Token), ExprError> {
        let rest = self.text[self.at..].trim_start();
        let at = self.text.len() - rest.len();
        self.at = at;
        let Some(first) = rest.chars().next() else { return Ok((at, Token::End)) };
        if first.is_ascii_digit() {
            let digits = prefix(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            self.at += digits.len();
            if let Some(ms) = parse_duration(digits) {
                return Ok((at, Token::Duration(ms)));
            }
            let number = digits.parse().map_err(|_| ExprError {
                at,
                what: format!("`{digits}` is not a number"),
                help: Some(format!("numbers are whole, up to {}; a name begins with a letter", i64::MAX)),
            })?;
            return Ok((at, Token::Number(number)));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = prefix(rest, is_name);
            self.at += name.len();
            return Ok((at, Token::Name(name.to_owned())));
        }
        if matches!(first, '\'' | '"') {
            return Ok((at, Token::Text(self.quoted(first)?)));
        }
        if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            self.at += sign.len();
            return Ok((at, Token::Sign(sign)));
        }
        let help = match first {
            '&' => Some("write `and`".to_owned()),
            '|' => Some("write `or`".to_owned()),
            '‘' | '’' | '“' | '”' => Some("quotes are ' or \"".to_owned()),
            _ => None,
        };
        Err(ExprError { at, what: format!("`{first}` means nothing here"), help })
    }

    fn quoted(&mut self, quote: char) -> Result<String, ExprError> {
        let open = self.at;
        let mut text = String::new();
        let mut chars = self.text[open + 1..].char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at = open + 1 + i + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('\\' | '\'' | '"'))) => text.push(c),
                    _ => {
                        let what = "a backslash stands before a quote or another backslash only".into();
                        return Err(ExprError { at: open + 1 + i, what, help: None });
                    }
                },
                c => text.push(c),
            }
        }
        Err(ExprError { at: open, what: "this text is never closed".into(), help: None })
    }
}

fn prefix(text: &str, part: fn(char) -> bool) -> &str {
    &text[..text.find(|c| !part(c)).unwrap_or(text.len())]
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// May be part of a skill's name.
pub fn is_word(c: char) -> bool {
    is_name(c) || c == '-'
}
