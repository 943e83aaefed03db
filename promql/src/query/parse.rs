//! From text to a checked tree: the only file that knows the parser crate.
//!
//! The crate reads the grammar. Added here: limits that keep it from overflowing the stack or
//! panicking, the refusal of what Prometheus 3.5 refuses by default, and our own regexes.

mod dialect;
mod limits;
mod numbers;
mod patterns;

use std::time::{Duration, SystemTime};

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::token::{self, TokenType};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{
    self as upstream, AggregateExpr, AtModifier, BinaryExpr, Function, LabelModifier, Offset,
    VectorMatchCardinality, VectorSelector, register_extra_functions,
};

use super::ast::{
    Aggregate, Aggregator, Arithmetic, At, Binary, Call, Cardinality, Comparison, Expr, Grouping,
    Operator, Selector, Set, Shift, Subquery, Type,
};
use super::matcher::Matcher;
use super::{Dialect, ParseError};
use crate::engine::Profile;
use crate::functions;
use crate::labels::METRIC_NAME;

pub(super) struct Parsed {
    pub(super) expr: Expr,
    pub(super) selectors: usize,
}

/// Parses a text into a tree whose types fit.
pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Parsed, ParseError> {
    limits::check(text)?;
    dialect::check(text, dialect.profile)?;
    register_removed_functions();
    let text = numbers::normalize(text, dialect.profile)?;
    let patterns = patterns::extract(&text)?;
    let upstream = upstream::parse(&patterns.text).map_err(ParseError)?;
    let mut build = Build {
        patterns,
        dialect,
        selectors: 0,
        depth: 0,
    };
    let expr = build.expr(&upstream)?;
    Ok(Parsed {
        expr,
        selectors: build.selectors,
    })
}

/// Makes the parser crate know what newer versions of Prometheus no longer do.
fn register_removed_functions() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let args = vec![ValueType::Matrix, ValueType::Scalar, ValueType::Scalar];
        let holt_winters = Function::new("holt_winters", args, 0, ValueType::Vector, false);
        // A refusal means that the crate has a function of this name already.
        let _ = register_extra_functions(vec![holt_winters]);
    });
}

struct Build {
    patterns: patterns::Extracted,
    dialect: Dialect,
    selectors: usize,
    depth: usize,
}

type Result<T, E = ParseError> = std::result::Result<T, E>;

fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(ParseError(message.into()))
}

impl Build {
    fn expr(&mut self, expr: &upstream::Expr) -> Result<Expr> {
        self.depth += 1;
        if self.depth > limits::MAX_DEPTH {
            return fail(format!(
                "the expression is nested deeper than {} levels",
                limits::MAX_DEPTH
            ));
        }
        let built = self.node(expr)?;
        self.depth -= 1;
        Ok(built)
    }

    fn node(&mut self, expr: &upstream::Expr) -> Result<Expr> {
        Ok(match expr {
            upstream::Expr::NumberLiteral(literal) => Expr::Number(literal.val),
            upstream::Expr::StringLiteral(literal) => Expr::Text(literal.val.clone()),
            upstream::Expr::VectorSelector(selector) => Expr::Selector(self.selector(selector)?),
            upstream::Expr::MatrixSelector(matrix) => Expr::Range {
                selector: self.selector(&matrix.vs)?,
                range_ms: range_ms(matrix.range)?,
            },
            upstream::Expr::Subquery(subquery) => Expr::Subquery(Box::new(Subquery {
                expr: self.expr(&subquery.expr)?,
                range_ms: range_ms(subquery.range)?,
                step_ms: subquery.step.map(range_ms).transpose()?,
                shift: shift(subquery.offset.as_ref(), subquery.at.as_ref())?,
            })),
            upstream::Expr::Unary(unary) => Expr::Negate(Box::new(self.expr(&unary.expr)?)),
            upstream::Expr::Paren(paren) => Expr::Paren(Box::new(self.expr(&paren.expr)?)),
            upstream::Expr::Binary(binary) => Expr::Binary(Box::new(self.binary(binary)?)),
            upstream::Expr::Aggregate(aggregate) => {
                Expr::Aggregate(Box::new(self.aggregate(aggregate)?))
            }
            upstream::Expr::Call(call) => Expr::Call(self.call(call)?),
            upstream::Expr::Extension(_) => return fail("extensions are not PromQL"),
        })
    }

    fn selector(&mut self, selector: &VectorSelector) -> Result<Selector> {
        let id = self.selectors;
        self.selectors += 1;
        let mut matchers: Vec<Matcher> = selector
            .name
            .iter()
            .map(|name| Matcher::equal(METRIC_NAME, name))
            .collect();
        matchers.extend(self.matchers(&selector.matchers)?);
        if matchers.iter().all(|matcher| matcher.matches("")) {
            return fail(
                "a selector must contain at least one matcher that refuses the empty value",
            );
        }
        Ok(Selector {
            id,
            matchers,
            shift: shift(selector.offset.as_ref(), selector.at.as_ref())?,
        })
    }

    fn matchers(&self, list: &Matchers) -> Result<Vec<Matcher>> {
        if !list.or_matchers.is_empty() {
            return fail("`or` between label matchers is not PromQL");
        }
        list.matchers
            .iter()
            .map(|matcher| match matcher.op {
                MatchOp::Equal => Ok(Matcher::equal(&matcher.name, &matcher.value)),
                MatchOp::NotEqual => Ok(Matcher::not_equal(&matcher.name, &matcher.value)),
                MatchOp::Re(_) => Matcher::regex(
                    &matcher.name,
                    self.patterns.pattern(&matcher.value),
                    self.dialect.profile,
                ),
                MatchOp::NotRe(_) => Matcher::not_regex(
                    &matcher.name,
                    self.patterns.pattern(&matcher.value),
                    self.dialect.profile,
                ),
            })
            .collect()
    }

    fn binary(&mut self, binary: &BinaryExpr) -> Result<Binary> {
        let operator = operator(binary.op)?;
        let modifier = binary.modifier.as_ref();
        if modifier.is_some_and(|m| m.fill_values.lhs.is_some() || m.fill_values.rhs.is_some()) {
            return fail(
                "the modifiers `fill`, `fill_left` and `fill_right` are experimental and not built",
            );
        }
        let matching = modifier.and_then(|modifier| modifier.matching.as_ref());
        let cardinality = match modifier.map(|modifier| &modifier.card) {
            Some(VectorMatchCardinality::ManyToOne(labels)) => {
                Cardinality::ManyToOne(labels.labels.clone())
            }
            Some(VectorMatchCardinality::OneToMany(labels)) => {
                Cardinality::OneToMany(labels.labels.clone())
            }
            _ => Cardinality::OneToOne,
        };
        Ok(Binary {
            operator,
            left: self.expr(&binary.lhs)?,
            right: self.expr(&binary.rhs)?,
            return_bool: binary.return_bool(),
            matching: grouping(matching).unwrap_or(Grouping::Except(Vec::new())),
            cardinality,
        })
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr) -> Result<Aggregate> {
        let operator = aggregator(aggregate.op)?;
        if operator.is_experimental()
            && !(self.dialect.experimental && self.dialect.profile >= Profile::V3_5)
        {
            return fail(format!(
                "the aggregation `{}` is experimental and switched off",
                operator.text()
            ));
        }
        Ok(Aggregate {
            operator,
            parameter: match &aggregate.param {
                Some(parameter) => Some(self.expr(parameter)?),
                None => None,
            },
            expr: self.expr(&aggregate.expr)?,
            grouping: grouping(aggregate.modifier.as_ref()).unwrap_or(Grouping::Only(Vec::new())),
        })
    }

    fn call(&mut self, call: &upstream::Call) -> Result<Call> {
        let name = call.func.name;
        let Some(function) = functions::lookup(name) else {
            return fail(format!("unknown function with name {name:?}"));
        };
        if !function.versions.contains(&self.dialect.profile) {
            return fail(format!("unknown function with name {name:?}"));
        }
        if function.experimental && !self.dialect.experimental {
            return fail(format!(
                "the function `{name}` is experimental and switched off"
            ));
        }
        let args = call
            .args
            .args
            .iter()
            .map(|arg| self.expr(arg))
            .collect::<Result<Vec<_>>>()?;
        let given: Vec<Type> = args.iter().map(Expr::type_of).collect();
        function.check(&given).map_err(ParseError)?;
        Ok(Call { function, args })
    }
}

fn grouping(modifier: Option<&LabelModifier>) -> Option<Grouping> {
    Some(match modifier? {
        LabelModifier::Include(labels) => Grouping::Only(labels.labels.clone()),
        LabelModifier::Exclude(labels) => Grouping::Except(labels.labels.clone()),
    })
}

fn range_ms(range: Duration) -> Result<i64> {
    match i64::try_from(range.as_millis()) {
        Ok(0) => fail("a duration must be greater than 0"),
        Ok(range_ms) if range_ms <= limits::MAX_DURATION_MS => Ok(range_ms),
        _ => fail("a duration is too long"),
    }
}

fn shift(offset: Option<&Offset>, at: Option<&AtModifier>) -> Result<Shift> {
    let offset_ms = match offset {
        None => 0,
        Some(Offset::Pos(offset) | Offset::Neg(offset)) if offset.is_zero() => 0,
        Some(Offset::Pos(offset)) => range_ms(*offset)?,
        Some(Offset::Neg(offset)) => -range_ms(*offset)?,
    };
    let at = match at {
        None => None,
        Some(AtModifier::Start) => Some(At::Start),
        Some(AtModifier::End) => Some(At::End),
        Some(AtModifier::At(time)) => Some(At::Ms(since_epoch_ms(*time)?)),
    };
    Ok(Shift { offset_ms, at })
}

fn since_epoch_ms(time: SystemTime) -> Result<i64> {
    let (distance, sign) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (after, 1),
        Err(before) => (before.duration(), -1),
    };
    match i64::try_from(distance.as_millis()) {
        Ok(distance_ms) if distance_ms <= limits::MAX_TIME_MS => Ok(sign * distance_ms),
        _ => fail("the time after @ is out of range"),
    }
}

fn operator(op: TokenType) -> Result<Operator> {
    Ok(match op.id() {
        token::T_ADD => Operator::Arithmetic(Arithmetic::Add),
        token::T_SUB => Operator::Arithmetic(Arithmetic::Sub),
        token::T_MUL => Operator::Arithmetic(Arithmetic::Mul),
        token::T_DIV => Operator::Arithmetic(Arithmetic::Div),
        token::T_MOD => Operator::Arithmetic(Arithmetic::Mod),
        token::T_POW => Operator::Arithmetic(Arithmetic::Pow),
        token::T_ATAN2 => Operator::Arithmetic(Arithmetic::Atan2),
        token::T_EQLC => Operator::Comparison(Comparison::Equal),
        token::T_NEQ => Operator::Comparison(Comparison::NotEqual),
        token::T_GTR => Operator::Comparison(Comparison::Greater),
        token::T_LSS => Operator::Comparison(Comparison::Less),
        token::T_GTE => Operator::Comparison(Comparison::GreaterOrEqual),
        token::T_LTE => Operator::Comparison(Comparison::LessOrEqual),
        token::T_LAND => Operator::Set(Set::And),
        token::T_LOR => Operator::Set(Set::Or),
        token::T_LUNLESS => Operator::Set(Set::Unless),
        _ => return fail(format!("the operator `{op}` is not built")),
    })
}

fn aggregator(op: TokenType) -> Result<Aggregator> {
    Ok(match op.id() {
        token::T_SUM => Aggregator::Sum,
        token::T_AVG => Aggregator::Avg,
        token::T_COUNT => Aggregator::Count,
        token::T_MIN => Aggregator::Min,
        token::T_MAX => Aggregator::Max,
        token::T_GROUP => Aggregator::Group,
        token::T_STDDEV => Aggregator::Stddev,
        token::T_STDVAR => Aggregator::Stdvar,
        token::T_TOPK => Aggregator::Topk,
        token::T_BOTTOMK => Aggregator::Bottomk,
        token::T_COUNT_VALUES => Aggregator::CountValues,
        token::T_QUANTILE => Aggregator::Quantile,
        token::T_LIMITK => Aggregator::Limitk,
        token::T_LIMIT_RATIO => Aggregator::LimitRatio,
        _ => {
            return fail(format!("the aggregation `{op}` is not built"));
        }
    })
}
