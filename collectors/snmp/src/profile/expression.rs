//! Arithmetic over the numbers of a row: `(hwMemTotal - hwMemFree) * 100 / hwMemTotal`.
//!
//! Invariant: total and bounded: any text gives an expression or a reason, any numbers give a finite number or none. It
//! does not know what a name stands for.
//!
//! Grammar, loosest first: `+ -`, `* /`, `^`, unary `-`, then numbers, names, `log10(…)` and parentheses. Operators of one
//! rank are taken from the left.

/// The longest text of an expression, in bytes.
const LENGTH_MAX: usize = 400;

/// How deep parentheses and signs may be nested.
const DEPTH_MAX: usize = 24;

/// An expression; names are given as places in [`Expression::names`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expression {
    names: Vec<String>,
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Number(f64),
    Name(usize),
    Negative(Box<Self>),
    Log10(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl Expression {
    /// Returns the expression that `text` says.
    ///
    /// # Errors
    ///
    /// The text is not one; the error tells what was expected where.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH_MAX {
            return Err(format!("has {} bytes, and at most {LENGTH_MAX} are read", text.len()));
        }
        let mut parser = Parser { rest: text.trim_start(), names: Vec::new(), depth: 0 };
        let root = parser.sum()?;
        if !parser.rest.is_empty() {
            return Err(format!("ends with {:?}, which does not belong there", parser.rest));
        }
        Ok(Self { names: parser.names, root })
    }

    /// Returns the names, each once, in the order of their first appearance.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the value for these numbers, in the order of [`Expression::names`]; `None` for what is no finite number.
    pub(super) fn value(&self, numbers: &[f64]) -> Option<f64> {
        self.root.value(numbers).filter(|value| value.is_finite())
    }
}

impl Node {
    fn value(&self, numbers: &[f64]) -> Option<f64> {
        Some(match self {
            Self::Number(number) => *number,
            Self::Name(place) => *numbers.get(*place)?,
            Self::Negative(of) => -of.value(numbers)?,
            Self::Log10(of) => of.value(numbers)?.log10(),
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.value(numbers)?, right.value(numbers)?);
                match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Power => left.powf(right),
                }
            }
        })
    }
}

struct Parser<'t> {
    rest: &'t str,
    names: Vec<String>,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn sum(&mut self) -> Result<Node, String> {
        let mut left = self.product()?;
        loop {
            let operator = match self.rest.bytes().next() {
                Some(b'+') => Operator::Add,
                Some(b'-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.skip(1);
            left = Node::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Node, String> {
        let mut left = self.power()?;
        loop {
            let operator = match self.rest.bytes().next() {
                Some(b'*') => Operator::Multiply,
                Some(b'/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.skip(1);
            left = Node::Binary(operator, Box::new(left), Box::new(self.power()?));
        }
    }

    fn power(&mut self) -> Result<Node, String> {
        let mut left = self.atom()?;
        while self.rest.starts_with('^') {
            self.skip(1);
            left = Node::Binary(Operator::Power, Box::new(left), Box::new(self.atom()?));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("is nested deeper than {DEPTH_MAX}"));
        }
        let node = match self.rest.bytes().next() {
            Some(b'-') => {
                self.skip(1);
                Node::Negative(Box::new(self.atom()?))
            }
            Some(b'(') => {
                self.skip(1);
                self.closed()?
            }
            Some(byte) if byte.is_ascii_digit() => self.number()?,
            Some(byte) if byte.is_ascii_alphabetic() => self.name()?,
            Some(_) => return Err(format!("has {:?} where a number, a name or ( must stand", self.rest)),
            None => return Err("ends where a number, a name or ( must stand".to_owned()),
        };
        self.depth -= 1;
        Ok(node)
    }

    fn closed(&mut self) -> Result<Node, String> {
        let inner = self.sum()?;
        if !self.rest.starts_with(')') {
            return Err("lacks a )".to_owned());
        }
        self.skip(1);
        Ok(inner)
    }

    fn number(&mut self) -> Result<Node, String> {
        let text = self.take(|byte| byte.is_ascii_digit() || byte == b'.');
        text.parse().map(Node::Number).map_err(|_| format!("has {text:?}, which is not a number"))
    }

    fn name(&mut self) -> Result<Node, String> {
        let name = self.take(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if name == "log10" {
            if !self.rest.starts_with('(') {
                return Err("lacks a ( after log10".to_owned());
            }
            self.skip(1);
            return Ok(Node::Log10(Box::new(self.closed()?)));
        }
        let place = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        Ok(Node::Name(place))
    }

    /// Takes bytes while they are what is asked for, and the blanks behind them.
    fn take(&mut self, accept: impl Fn(u8) -> bool) -> &'t str {
        let end = self.rest.bytes().position(|byte| !accept(byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        taken
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default().trim_start();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str, numbers: &[f64]) -> Option<f64> {
        Expression::parse(text).unwrap().value(numbers)
    }

    #[test]
    fn operators_bind_as_in_school_and_go_from_the_left() {
        assert_eq!(value("1 + 2 * 3", &[]), Some(7.0));
        assert_eq!(value("10 - 4 - 3", &[]), Some(3.0));
        assert_eq!(value("12 / 2 / 3", &[]), Some(2.0));
        assert_eq!(value("-(2 + 1) * 10 ^ 2", &[]), Some(-300.0));
        assert_eq!(value("10 * log10(100)", &[]), Some(20.0));
    }

    #[test]
    fn names_stand_for_the_numbers_in_the_order_of_their_first_appearance() {
        let it = Expression::parse("(total - free) * 100 / total").unwrap();
        assert_eq!(it.names(), ["total", "free"]);
        assert_eq!(it.value(&[200.0, 50.0]), Some(75.0));
    }

    #[test]
    fn what_is_no_finite_number_is_no_value() {
        assert_eq!(value("used / total", &[1.0, 0.0]), None);
        assert_eq!(value("log10(power)", &[0.0]), None);
        assert_eq!(value("a", &[]), None);
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, said) in [
            ("", "ends where"),
            ("1 +", "ends where"),
            ("(1", "lacks a )"),
            ("1 2", "\"2\""),
            ("log10 x", "lacks a ("),
            ("1.2.3", "1.2.3"),
            ("%", "\"%\""),
        ] {
            let error = Expression::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
        assert!(Expression::parse(&"(".repeat(100)).unwrap_err().contains("deeper"));
        assert!(Expression::parse(&"1+".repeat(1000)).unwrap_err().contains("bytes"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_or_the_value_panic(text in "[a-z0-9.()+*/^ \u{e9}-]{0,60}", number in any::<f64>()) {
            if let Ok(it) = Expression::parse(&text) {
                let _ = it.value(&vec![number; it.names().len()]);
            }
        }
    }
}
