//! An expression tree whose nodes know where they stand in the text.
//!
//! The tree is walked in the order of the text beside the tokens of the text, so the grammar is
//! not written a second time: the tree says what must come next. Where the two do not fit, there
//! is no located tree, and the caller can only speak of the expression as a whole.

use super::ast::{Aggregate, Binary, Call, Expr, Selector, Shift, Subquery};
use super::tokens::{Kind, Span, Token, tokens};

/// A node and its places.
#[derive(Debug)]
pub(crate) struct Located<'e> {
    pub(crate) expr: &'e Expr,
    /// Number of the node in the order of [`Expr::visit`].
    pub(crate) id: usize,
    /// The whole node.
    pub(crate) span: Span,
    /// The operator, the name of the function, aggregation or metric, the number.
    pub(crate) head: Span,
    /// The duration of a range.
    pub(crate) range: Option<Span>,
    /// The step of a subquery.
    pub(crate) step: Option<Span>,
    /// The duration behind `offset`, without its sign.
    pub(crate) offset: Option<Span>,
    /// Each matcher between braces: its label as written, and its place.
    pub(crate) matchers: Vec<(String, Span)>,
    /// The nodes below, in the order of the text.
    pub(crate) children: Vec<Located<'e>>,
}

impl<'e> Located<'e> {
    /// Finds the places of the nodes of `expr` in the text that it was parsed from.
    pub(crate) fn new(text: &str, expr: &'e Expr) -> Option<Self> {
        let tokens = tokens(text);
        let mut walk = Walk {
            text,
            tokens: &tokens,
            at: 0,
            nodes: 0,
        };
        let located = walk.expr(expr)?;
        (walk.at == tokens.len()).then_some(located)
    }

    /// Calls `see` for this node and every one below it.
    pub(crate) fn visit(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        for child in &self.children {
            child.visit(see);
        }
    }

    /// Returns where the matcher of a label stands, or the selector's name.
    pub(crate) fn matcher(&self, label: &str) -> Span {
        self.matchers
            .iter()
            .find(|(name, _)| name == label)
            .map_or_else(|| self.head.clone(), |(_, span)| span.clone())
    }
}

struct Walk<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    nodes: usize,
}

impl<'t> Walk<'t> {
    fn expr<'e>(&mut self, expr: &'e Expr) -> Option<Located<'e>> {
        let id = self.nodes;
        self.nodes += 1;
        let is_number = matches!(expr, Expr::Number(_));
        let mut start = self.token()?.span.start;
        // `+x` is `x` in the tree, and a number has its sign.
        while self.peek() == Some("+") || (is_number && self.peek() == Some("-")) {
            self.at += 1;
            if !is_number {
                start = self.token()?.span.start;
            }
        }
        let mut node = Located {
            expr,
            id,
            span: start..start,
            head: self.token()?.span.clone(),
            range: None,
            step: None,
            offset: None,
            matchers: Vec::new(),
            children: Vec::new(),
        };
        match expr {
            Expr::Number(_) => self.number()?,
            Expr::Text(_) => self.kind(Kind::Text)?,
            Expr::Selector(selector) => self.selector(&mut node, selector)?,
            Expr::Range { selector, .. } => {
                self.series(&mut node)?;
                self.sign("[")?;
                node.range = Some(self.duration()?);
                self.sign("]")?;
                self.shift(&mut node, selector.shift)?;
            }
            Expr::Subquery(subquery) => self.subquery(&mut node, subquery)?,
            Expr::Negate(inner) => {
                self.sign("-")?;
                node.children.push(self.expr(inner)?);
            }
            Expr::Paren(inner) => {
                self.sign("(")?;
                node.children.push(self.expr(inner)?);
                self.sign(")")?;
            }
            Expr::Binary(binary) => self.binary(&mut node, binary)?,
            Expr::Aggregate(aggregate) => self.aggregate(&mut node, aggregate)?,
            Expr::Call(call) => self.call(&mut node, call)?,
        }
        node.span.end = self.tokens.get(self.at.checked_sub(1)?)?.span.end;
        Some(node)
    }

    fn number(&mut self) -> Option<()> {
        match self.token()?.kind {
            // `Inf` and `NaN` are words.
            Kind::Number | Kind::Word => {
                self.at += 1;
                Some(())
            }
            _ => None,
        }
    }

    fn selector(&mut self, node: &mut Located<'_>, selector: &Selector) -> Option<()> {
        self.series(node)?;
        self.shift(node, selector.shift)
    }

    /// The name and the matchers.
    fn series(&mut self, node: &mut Located<'_>) -> Option<()> {
        if self.token()?.kind == Kind::Word {
            self.at += 1;
        } else if self.peek() != Some("{") {
            return None;
        }
        if self.peek() != Some("{") {
            return Some(());
        }
        self.at += 1;
        while self.peek()? != "}" {
            let start = self.token()?.span.clone();
            while !matches!(self.peek()?, "," | "}") {
                self.at += 1;
            }
            let end = self.tokens.get(self.at.checked_sub(1)?)?.span.end;
            let label = self.text[start.clone()].trim_matches(['"', '\'', '`']);
            node.matchers.push((label.to_owned(), start.start..end));
            if self.peek()? == "," {
                self.at += 1;
            }
        }
        self.sign("}")
    }

    /// `offset` and `@`, in any order.
    fn shift(&mut self, node: &mut Located<'_>, _: Shift) -> Option<()> {
        loop {
            if self.is_word("offset") {
                self.at += 1;
                self.skip_sign();
                node.offset = Some(self.duration()?);
            } else if self.peek() == Some("@") {
                self.at += 1;
                self.skip_sign();
                self.number()?;
                if self.peek() == Some("(") {
                    self.at += 1;
                    self.sign(")")?;
                }
            } else {
                return Some(());
            }
        }
    }

    fn subquery<'e>(&mut self, node: &mut Located<'e>, subquery: &'e Subquery) -> Option<()> {
        node.children.push(self.expr(&subquery.expr)?);
        self.sign("[")?;
        node.range = Some(self.duration()?);
        node.head = node.range.clone()?;
        self.sign(":")?;
        if subquery.step_ms.is_some() {
            node.step = Some(self.duration()?);
        }
        self.sign("]")?;
        self.shift(node, subquery.shift)
    }

    fn binary<'e>(&mut self, node: &mut Located<'e>, binary: &'e Binary) -> Option<()> {
        node.children.push(self.expr(&binary.left)?);
        if !self.peek()?.eq_ignore_ascii_case(binary.operator.text()) {
            return None;
        }
        node.head = self.token()?.span.clone();
        self.at += 1;
        if self.is_word("bool") {
            self.at += 1;
        }
        while ["on", "ignoring", "group_left", "group_right"]
            .iter()
            .any(|word| self.is_word(word))
        {
            self.at += 1;
            self.skip_labels()?;
        }
        node.children.push(self.expr(&binary.right)?);
        Some(())
    }

    fn aggregate<'e>(&mut self, node: &mut Located<'e>, aggregate: &'e Aggregate) -> Option<()> {
        self.kind(Kind::Word)?;
        self.skip_grouping()?;
        self.sign("(")?;
        if let Some(parameter) = &aggregate.parameter {
            node.children.push(self.expr(parameter)?);
            self.sign(",")?;
        }
        node.children.push(self.expr(&aggregate.expr)?);
        self.sign(")")?;
        self.skip_grouping()
    }

    fn call<'e>(&mut self, node: &mut Located<'e>, call: &'e Call) -> Option<()> {
        self.kind(Kind::Word)?;
        self.sign("(")?;
        for (index, arg) in call.args.iter().enumerate() {
            if index > 0 {
                self.sign(",")?;
            }
            node.children.push(self.expr(arg)?);
        }
        self.sign(")")
    }

    fn skip_grouping(&mut self) -> Option<()> {
        if self.is_word("by") || self.is_word("without") {
            self.at += 1;
            self.skip_labels()?;
        }
        Some(())
    }

    fn skip_labels(&mut self) -> Option<()> {
        if self.peek() == Some("(") {
            while self.peek()? != ")" {
                self.at += 1;
            }
            self.at += 1;
        }
        Some(())
    }

    fn skip_sign(&mut self) {
        while matches!(self.peek(), Some("+" | "-")) {
            self.at += 1;
        }
    }

    fn duration(&mut self) -> Option<Span> {
        let token = self.token()?;
        if token.kind != Kind::Number {
            return None;
        }
        self.at += 1;
        Some(token.span.clone())
    }

    fn sign(&mut self, sign: &str) -> Option<()> {
        if self.peek()? != sign {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn kind(&mut self, kind: Kind) -> Option<()> {
        if self.token()?.kind != kind {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn is_word(&self, word: &str) -> bool {
        self.peek()
            .is_some_and(|text| text.eq_ignore_ascii_case(word))
    }

    fn token(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn peek(&self) -> Option<&'t str> {
        Some(&self.text[self.token()?.span.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;

    /// Returns the text of every node's head in the order of the tree.
    fn heads(text: &str) -> Vec<String> {
        let query = Query::parse(text).unwrap();
        let located = Located::new(text, query.expr()).unwrap();
        let mut heads = Vec::new();
        located.visit(&mut |node| heads.push(text[node.head.clone()].to_owned()));
        heads
    }

    #[test]
    fn every_form_has_its_places() {
        assert_eq!(heads("a{b=\"}\"} offset -5m @ end()"), ["a"]);
        assert_eq!(heads("-a + +1 - -2"), ["-", "+", "-", "a", "1", "2"]);
        assert_eq!(
            heads("topk(3, sum without (a) (rate({x=\"1\"}[5m]))) by (b) > bool 2"),
            [">", "topk", "3", "sum", "rate", "{", "2"]
        );
        assert_eq!(
            heads("max_over_time((a * on (x) group_left (y) b)[1h:5m] @ -3 offset 1d)"),
            ["max_over_time", "1h", "(", "*", "a", "b"]
        );
        assert_eq!(heads("label_replace(a, 'x', \"y\", `z`, \"\")").len(), 6);
        assert_eq!(
            heads("vector(Inf) AND (b) == nan or vector(time())").len(),
            10
        );
    }

    #[test]
    fn durations_and_matchers_are_found() {
        let text = "rate(a{b=\"1\", c=~'x'}[ 5m ] offset 1h)";
        let query = Query::parse(text).unwrap();
        let located = Located::new(text, query.expr()).unwrap();
        let range = &located.children[0];
        assert_eq!(&text[range.range.clone().unwrap()], "5m");
        assert_eq!(&text[range.offset.clone().unwrap()], "1h");
        assert_eq!(&text[range.matcher("c")], "c=~'x'");
        assert_eq!(&text[range.matcher("d")], "a");
        assert_eq!(&text[range.span.clone()], &text[5..text.len() - 1]);
    }
}
