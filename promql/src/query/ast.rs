//! The expression tree that the engine walks. Everything in it has been checked.

use super::matcher::Matcher;
use crate::functions::Function;
use crate::labels::METRIC_NAME;

/// What an expression evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Scalar,
    String,
    Vector,
    Matrix,
}

impl Type {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Number(f64),
    Text(String),
    Selector(Selector),
    Range { selector: Selector, range_ms: i64 },
    Subquery(Box<Subquery>),
    Negate(Box<Expr>),
    Paren(Box<Expr>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Call),
}

#[derive(Debug, Clone)]
pub(crate) struct Selector {
    /// Number of the selector in its query, so that its series are looked up once.
    pub(crate) id: usize,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
}

/// `offset` and `@`: how the evaluation time is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shift {
    pub(crate) offset_ms: i64,
    pub(crate) at: Option<At>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Start,
    End,
    Ms(i64),
}

#[derive(Debug, Clone)]
pub(crate) struct Subquery {
    pub(crate) expr: Expr,
    pub(crate) range_ms: i64,
    pub(crate) step_ms: Option<i64>,
    pub(crate) shift: Shift,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Arithmetic(Arithmetic),
    Comparison(Comparison),
    Set(Set),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    And,
    Or,
    Unless,
}

impl Operator {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Arithmetic(Arithmetic::Add) => "+",
            Self::Arithmetic(Arithmetic::Sub) => "-",
            Self::Arithmetic(Arithmetic::Mul) => "*",
            Self::Arithmetic(Arithmetic::Div) => "/",
            Self::Arithmetic(Arithmetic::Mod) => "%",
            Self::Arithmetic(Arithmetic::Pow) => "^",
            Self::Arithmetic(Arithmetic::Atan2) => "atan2",
            Self::Comparison(Comparison::Equal) => "==",
            Self::Comparison(Comparison::NotEqual) => "!=",
            Self::Comparison(Comparison::Greater) => ">",
            Self::Comparison(Comparison::Less) => "<",
            Self::Comparison(Comparison::GreaterOrEqual) => ">=",
            Self::Comparison(Comparison::LessOrEqual) => "<=",
            Self::Set(Set::And) => "and",
            Self::Set(Set::Or) => "or",
            Self::Set(Set::Unless) => "unless",
        }
    }
}

impl Comparison {
    /// `3 < x` is `x > 3`.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::Less => Self::Greater,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::LessOrEqual => Self::GreaterOrEqual,
            equal => equal,
        }
    }
}

/// Which labels decide: those listed, or all but those listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// `on (…)`, `by (…)`.
    Only(Vec<String>),
    /// `ignoring (…)`, `without (…)`.
    Except(Vec<String>),
}

/// Which side of a binary operation may have several elements per group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cardinality {
    OneToOne,
    /// `group_left (include)`.
    ManyToOne(Vec<String>),
    /// `group_right (include)`.
    OneToMany(Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) operator: Operator,
    pub(crate) left: Expr,
    pub(crate) right: Expr,
    pub(crate) return_bool: bool,
    pub(crate) matching: Grouping,
    pub(crate) cardinality: Cardinality,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregator {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    CountValues,
    Quantile,
    /// Experimental.
    Limitk,
    /// Experimental.
    LimitRatio,
}

impl Aggregator {
    /// Says whether Prometheus refuses it unless asked.
    pub(crate) fn is_experimental(self) -> bool {
        matches!(self, Self::Limitk | Self::LimitRatio)
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Group => "group",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::Topk => "topk",
            Self::Bottomk => "bottomk",
            Self::CountValues => "count_values",
            Self::Quantile => "quantile",
            Self::Limitk => "limitk",
            Self::LimitRatio => "limit_ratio",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    pub(crate) operator: Aggregator,
    pub(crate) expr: Expr,
    pub(crate) parameter: Option<Expr>,
    pub(crate) grouping: Grouping,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) args: Vec<Expr>,
}

impl Selector {
    /// Returns the metric name if one is required by equality.
    pub(crate) fn metric_name(&self) -> Option<&str> {
        self.matchers
            .iter()
            .find(|matcher| matcher.name == METRIC_NAME && matcher.is_equal())
            .map(|matcher| matcher.value.as_str())
    }
}

impl Expr {
    /// Returns the expression without the parentheses around it.
    pub(crate) fn unwrapped(&self) -> &Expr {
        let mut expr = self;
        while let Expr::Paren(inner) = expr {
            expr = inner;
        }
        expr
    }

    pub(crate) fn type_of(&self) -> Type {
        match self {
            Self::Number(_) => Type::Scalar,
            Self::Text(_) => Type::String,
            Self::Selector(_) | Self::Aggregate(_) => Type::Vector,
            Self::Range { .. } | Self::Subquery(_) => Type::Matrix,
            Self::Negate(inner) | Self::Paren(inner) => inner.type_of(),
            Self::Binary(binary) => {
                if binary.left.type_of() == Type::Scalar && binary.right.type_of() == Type::Scalar {
                    Type::Scalar
                } else {
                    Type::Vector
                }
            }
            Self::Call(call) => call.function.returns,
        }
    }

    /// Calls `see` for this expression and every one below it.
    pub(crate) fn visit(&self, see: &mut dyn FnMut(&Expr)) {
        see(self);
        match self {
            Self::Number(_) | Self::Text(_) | Self::Selector(_) | Self::Range { .. } => {}
            Self::Subquery(subquery) => subquery.expr.visit(see),
            Self::Negate(inner) | Self::Paren(inner) => inner.visit(see),
            Self::Binary(binary) => {
                binary.left.visit(see);
                binary.right.visit(see);
            }
            Self::Aggregate(aggregate) => {
                if let Some(parameter) = &aggregate.parameter {
                    parameter.visit(see);
                }
                aggregate.expr.visit(see);
            }
            Self::Call(call) => call.args.iter().for_each(|arg| arg.visit(see)),
        }
    }
}
