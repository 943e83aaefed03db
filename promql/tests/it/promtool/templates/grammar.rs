//! Random templates that make sense, and some that do not.

mod values;

use promql::Profile;

use super::super::generate::Random;

/// What an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Float,
    Int,
    Bool,
    Labels,
    Vector,
    Sample,
}

const TYPES: [Type; 7] = [
    Type::Text,
    Type::Float,
    Type::Int,
    Type::Bool,
    Type::Labels,
    Type::Vector,
    Type::Sample,
];

pub(super) struct Grammar {
    random: Random,
    profile: Profile,
    /// The variables that can be read, and what they are.
    variables: Vec<(String, Type)>,
    /// The dot, where it is not that of the start.
    dot: Option<Type>,
    in_range: bool,
}

const DEPTH: u32 = 3;

impl Grammar {
    pub(super) fn new(seed: u64, profile: Profile) -> Self {
        Self {
            random: Random::new(seed ^ 0x7e3a),
            profile,
            variables: Vec::new(),
            dot: None,
            in_range: false,
        }
    }

    /// Writes a series and its value in the notation of unit tests.
    pub(super) fn element(&mut self, index: usize) -> String {
        let a = self
            .random
            .pick(&["", "x y", "web-1.example.com", "O'Neil & <b>", "é=ü", "12"]);
        let host = self.random.pick(&[
            "h.dom:90",
            "10.0.0.1:80",
            "[::1]:9",
            "::1",
            "h",
            "a:b:c",
            "h.d:",
            "[x]",
            "1.2.3.4",
            "[a.b]:c",
        ]);
        let value = self.random.pick(&[
            "0",
            "1",
            "-1",
            "0.5",
            "1234567.891",
            "100000",
            "1e6",
            "1e20",
            "1e21",
            "1e-5",
            "0.000123456",
            "NaN",
            "+Inf",
            "-Inf",
            "59.99",
            "3661",
            "86400",
            "-90061.5",
            "1023.9",
            "1048576",
            "0.99999",
            "999.95",
            "9999.5",
            "1700000000.123",
            "5e-324",
            "2.5",
            "-0.004",
        ]);
        format!("m{{id=\"{index}\",a=\"{a}\",host=\"{host}\"}} {value}")
    }

    pub(super) fn template(&mut self) -> String {
        self.variables.clear();
        self.dot = None;
        self.in_range = false;
        self.block(DEPTH)
    }

    fn block(&mut self, depth: u32) -> String {
        let known = self.variables.len();
        let parts = 1 + self.random.below(3);
        let text = (0..parts).map(|_| self.part(depth)).collect();
        self.variables.truncate(known);
        text
    }

    fn open(&mut self) -> &'static str {
        self.random.pick(&["{{", "{{ ", "{{ ", "{{- "])
    }

    fn close(&mut self) -> &'static str {
        self.random.pick(&["}}", " }}", " }}", " -}}"])
    }

    fn part(&mut self, depth: u32) -> String {
        let (open, close) = (self.open(), self.close());
        match self.random.below(if depth == 0 { 8 } else { 14 }) {
            0 | 1 => self
                .random
                .pick(&["a", " b ", "\"", "} { ", " : ", "é"])
                .to_owned(),
            2 => "{{/* note */}}".to_owned(),
            3 => {
                let of = self.any_type();
                let name = format!("$v{}", self.variables.len());
                let expr = self.expr(of, depth);
                self.variables.push((name.clone(), of));
                format!("{open}{name} := {expr}{close}")
            }
            4..=7 => {
                let of = self.printed_type();
                let expr = self.expr(of, depth);
                format!("{open}{expr}{close}")
            }
            8 | 9 => {
                let of = self.any_type();
                let condition = self.expr(of, depth - 1);
                let (yes, no) = (self.block(depth - 1), self.block(depth - 1));
                if self.random.one_in(3) {
                    let other = self.expr(Type::Bool, depth - 1);
                    format!(
                        "{open}if {condition}{close}{yes}{{{{else if {other}}}}}{no}{{{{end}}}}"
                    )
                } else {
                    format!("{open}if {condition}{close}{yes}{{{{ else }}}}{no}{{{{ end }}}}")
                }
            }
            10 => {
                let of = self.any_type();
                let value = self.expr(of, depth - 1);
                let outer = self.dot.replace(of);
                let inner = self.block(depth - 1);
                self.dot = outer;
                let other = self.block(depth - 1);
                format!("{open}with {value}{close}{inner}{{{{else}}}}{other}{{{{end}}}}")
            }
            11 if !self.variables.is_empty() => {
                let index = self.random.below(self.variables.len() as u64) as usize;
                let (name, of) = self.variables[index].clone();
                let value = self.expr(of, depth - 1);
                format!("{open}{name} = {value}{close}")
            }
            _ => self.range(depth),
        }
    }

    fn range(&mut self, depth: u32) -> String {
        let (over, of) = match self.random.below(4) {
            0 => (self.expr(Type::Labels, depth - 1), Type::Text),
            1 if self.profile == Profile::V3_5 => {
                (self.random.pick(&["3", "0", "-1"]).to_owned(), Type::Int)
            }
            _ => (self.expr(Type::Vector, depth - 1), Type::Sample),
        };
        let known = self.variables.len();
        let index = if of == Type::Text {
            Type::Text
        } else {
            Type::Int
        };
        let (outer, was_in_range) = (self.dot.replace(of), self.in_range);
        self.in_range = true;
        let heads = [
            String::new(),
            format!("$e{known} := "),
            format!("$i{known}, $e{known} := "),
        ];
        let chosen = self.random.below(3) as usize;
        if chosen == 2 {
            self.variables.push((format!("$i{known}"), index));
        }
        if chosen > 0 {
            self.variables.push((format!("$e{known}"), of));
        }
        let mut inner = self.block(depth - 1);
        if self.random.one_in(5) {
            inner.push_str(self.random.pick(&["{{break}}", "{{ continue }}x"]));
        }
        self.variables.truncate(known);
        self.dot = outer;
        self.in_range = was_in_range;
        let other = self.block(depth - 1);
        format!(
            "{{{{ range {}{over} }}}}{inner}{{{{ else }}}}{other}{{{{ end }}}}",
            heads[chosen]
        )
    }

    fn any_type(&mut self) -> Type {
        TYPES[self.random.below(TYPES.len() as u64) as usize]
    }

    /// A vector prints addresses, and what they are is chance.
    fn printed_type(&mut self) -> Type {
        match self.any_type() {
            Type::Vector => Type::Text,
            other => other,
        }
    }

    /// Writes an expression that can stand behind a function.
    fn arg(&mut self, of: Type, depth: u32) -> String {
        // Now and then something else.
        let of = if self.random.one_in(40) {
            self.printed_type()
        } else {
            of
        };
        let expr = self.expr(of, depth);
        if expr.contains(' ') && !(expr.starts_with('"') && expr.matches('"').count() == 2) {
            format!("({expr})")
        } else {
            expr
        }
    }

    fn expr(&mut self, of: Type, depth: u32) -> String {
        if self.dot == Some(of) && self.random.one_in(3) {
            return ".".to_owned();
        }
        let known: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, other)| *other == of)
            .map(|(name, _)| name.clone())
            .collect();
        if !known.is_empty() && self.random.one_in(3) {
            return known[self.random.below(known.len() as u64) as usize].clone();
        }
        match of {
            Type::Text => self.text(depth),
            Type::Float => self.float(depth),
            Type::Int => self.int(depth),
            Type::Bool => self.bool(depth),
            Type::Labels => self.labels(depth),
            Type::Vector => self.vector(depth),
            Type::Sample => self.sample(depth),
        }
    }
}
