//! The functions of templates: one table.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::patterns::Pattern;
use super::value::{Sample, Value, Vector, sprint, sprint_printed};
use super::{Data, builtins, humanize, printf, texts, time};
use crate::duration;
use crate::engine::Profile;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Param {
    Any,
    Text,
    Sample,
    Vector,
}

impl Param {
    /// Returns the name of the parameter's type in Go.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Text => "string",
            Self::Sample => "*template.sample",
            Self::Vector => "template.queryResult",
        }
    }
}

type Call = fn(&mut Env<'_>, &[Value]) -> Result<Value, String>;

/// A row of the table.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    /// What any number of further arguments are.
    pub(super) more: Option<Param>,
    /// For `and` and `or`: the truth that decides.
    pub(super) short_circuit: Option<bool>,
    /// Work that a call is, beyond its texts.
    pub(super) cost: usize,
    pub(super) call: Call,
}

/// What functions know besides their arguments.
pub(super) struct Env<'d> {
    pub(super) profile: Profile,
    data: Data<'d>,
    /// What this expansion has compiled, or found compiled.
    patterns: BTreeMap<String, Pattern>,
    work: usize,
}

/// Most patterns that one expansion compiles.
const MAX_PATTERNS: usize = 100;
/// Most work of one expansion: about one unit for a node and for 16 bytes of text.
const MAX_WORK: usize = 1_000_000;

impl<'d> Env<'d> {
    pub(super) fn new(data: &Data<'d>, profile: Profile) -> Self {
        Self {
            profile,
            data: *data,
            patterns: BTreeMap::new(),
            work: 0,
        }
    }

    /// Pays for a step and the bytes that it handles.
    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.work = self.work.saturating_add(1 + bytes / 16);
        if self.work > MAX_WORK {
            return Err("the template takes too many steps".to_owned());
        }
        Ok(())
    }

    /// Returns a compiled pattern. Using it costs extra.
    fn pattern(&mut self, text: &str) -> Result<Pattern, String> {
        if let Some(found) = self.patterns.get(text) {
            return Ok(found.clone());
        }
        if self.patterns.len() == MAX_PATTERNS {
            return Err(format!("more than {MAX_PATTERNS} patterns"));
        }
        let found = self.data.patterns.get(text)?;
        self.spend(found.work())?;
        self.patterns.insert(text.to_owned(), found.clone());
        Ok(found)
    }
}

const fn row(name: &'static str, params: &'static [Param], call: Call) -> Function {
    Function {
        name,
        params,
        more: None,
        short_circuit: None,
        cost: 0,
        call,
    }
}

const fn many(name: &'static str, params: &'static [Param], more: Param, call: Call) -> Function {
    Function {
        name,
        params,
        more: Some(more),
        short_circuit: None,
        cost: 0,
        call,
    }
}

const fn logic(name: &'static str, decides: bool) -> Function {
    Function {
        name,
        params: &[Param::Any],
        more: Some(Param::Any),
        short_circuit: Some(decides),
        cost: 0,
        call: |_, _| Ok(Value::None),
    }
}

use Param::{Any, Text};

static TABLE: [Function; 45] = [
    Function {
        cost: 1_000,
        ..row("query", &[Text], query)
    },
    row("first", &[Param::Vector], |_, a| {
        let first = vector(&a[0]).borrow().first().cloned();
        let none = || "first() called on vector with no elements".to_owned();
        first.map(Value::Sample).ok_or_else(none)
    }),
    row("label", &[Text, Param::Sample], |_, a| {
        let sample = sample(&a[1])?;
        Ok(Value::from(
            sample.labels.get(&text(&a[0])).unwrap_or_default(),
        ))
    }),
    row("value", &[Param::Sample], |_, a| {
        Ok(Value::Float(sample(&a[0])?.value))
    }),
    row("strvalue", &[Param::Sample], |_, a| {
        let value = sample(&a[0])?.labels.get("__value__").map(Value::from);
        Ok(value.unwrap_or_else(|| Value::from("")))
    }),
    row("sortByLabel", &[Text, Param::Vector], |_, a| {
        let vector = vector(&a[1]);
        let name = text(&a[0]);
        let value = |sample: &Rc<Sample>| sample.labels.get(&name).unwrap_or_default().to_owned();
        vector.borrow_mut().sort_by_cached_key(value);
        Ok(a[1].clone())
    }),
    many("args", &[], Any, |_, a| {
        let named = a.iter().enumerate();
        let named = named.map(|(index, value)| (format!("arg{index}"), value.clone()));
        Ok(Value::Args(Rc::new(named.collect())))
    }),
    row("reReplaceAll", &[Text, Text, Text], |env, a| {
        let (pattern, replacement, text) = (text(&a[0]), text(&a[1]), text(&a[2]));
        let found = env
            .pattern(&pattern)
            .map_err(|error| format!("regexp: Compile(`{pattern}`): {error}"))?;
        env.spend(found.work_on(&text))?;
        Ok(texts::replace_all(&found.regex, &text, &replacement).into())
    }),
    row("match", &[Text, Text], |env, a| {
        let (pattern, text) = (text(&a[0]), text(&a[1]));
        let found = env.pattern(&pattern)?;
        env.spend(found.work_on(&text))?;
        Ok(Value::Bool(found.regex.is_match(&text)))
    }),
    row("safeHtml", &[Text], |_, a| Ok(Value::Html(text(&a[0])))),
    row("title", &[Text], |env, a| {
        let text = text(&a[0]);
        Ok(match env.profile {
            Profile::V3_5 => texts::title_words(&text),
            Profile::V2_42 | Profile::V2_53 => texts::title_letters(&text),
        }
        .into())
    }),
    row("toUpper", &[Text], |_, a| {
        Ok(texts::upper(&text(&a[0])).into())
    }),
    row("toLower", &[Text], |_, a| {
        Ok(texts::lower(&text(&a[0])).into())
    }),
    row("stripPort", &[Text], |_, a| {
        Ok(texts::strip_port(&text(&a[0])).into())
    }),
    row("stripDomain", &[Text], |_, a| {
        Ok(texts::strip_domain(&text(&a[0])).into())
    }),
    row("graphLink", &[Text], |_, a| {
        Ok(texts::graph_link(&text(&a[0]), 0).into())
    }),
    row("tableLink", &[Text], |_, a| {
        Ok(texts::graph_link(&text(&a[0]), 1).into())
    }),
    row("pathPrefix", &[], |env, _| {
        Ok(texts::url_path(env.data.external_url).into())
    }),
    row("externalURL", &[], |env, _| {
        Ok(env.data.external_url.into())
    }),
    row("humanize", &[Any], |_, a| {
        Ok(humanize::humanize(number(&a[0])?).into())
    }),
    row("humanize1024", &[Any], |_, a| {
        Ok(humanize::humanize_1024(number(&a[0])?).into())
    }),
    row("humanizeDuration", &[Any], |_, a| {
        Ok(humanize::duration(number(&a[0])?).into())
    }),
    row("humanizePercentage", &[Any], |_, a| {
        Ok(humanize::percentage(number(&a[0])?).into())
    }),
    row("humanizeTimestamp", &[Any], |_, a| {
        Ok(time::humanize(number(&a[0])?)?.into())
    }),
    row("toTime", &[Any], |_, a| {
        time::Time::from_seconds(number(&a[0])?).map(|time| Value::Time(Rc::new(time)))
    }),
    row("parseDuration", &[Text], |env, a| {
        let text = text(&a[0]);
        let parsed =
            duration::parse_ms(&text).map_err(|_| texts::duration_error(&text, env.profile));
        Ok(Value::Float(parsed? as f64 / 1000.0))
    }),
    logic("and", false),
    logic("or", true),
    row("not", &[Any], |_, a| Ok(Value::Bool(!a[0].truth()))),
    many("eq", &[Any], Any, builtins::eq),
    row("ne", &[Any, Any], builtins::ne),
    row("lt", &[Any, Any], builtins::lt),
    row("le", &[Any, Any], builtins::le),
    row("gt", &[Any, Any], |env, a| {
        builtins::negated(builtins::le(env, a))
    }),
    row("ge", &[Any, Any], |env, a| {
        builtins::negated(builtins::lt(env, a))
    }),
    many("index", &[Any], Any, builtins::index),
    many("slice", &[Any], Any, builtins::slice),
    row("len", &[Any], builtins::len),
    many("call", &[Any], Any, builtins::call),
    many("print", &[], Any, |_, a| Ok(sprint(a).into())),
    many("println", &[], Any, |_, a| {
        let words: Vec<String> = a.iter().map(Value::formatted).collect();
        Ok((words.join(" ") + "\n").into())
    }),
    many("printf", &[Text], Any, |_, a| {
        Ok(printf::printf(&text(&a[0]), &a[1..]).into())
    }),
    many("html", &[], Any, |_, a| Ok(texts::html(&joined(a)).into())),
    many("js", &[], Any, |_, a| Ok(texts::js(&joined(a)).into())),
    many("urlquery", &[], Any, |_, a| {
        Ok(texts::query_escape(&joined(a)).into())
    }),
];

/// Functions that came after the newest Prometheus that is reproduced.
const NEWER: [&str; 3] = ["toDuration", "now", "urlQueryEscape"];

/// Returns a function by its name.
pub(super) fn find(name: &str, profile: Profile) -> Option<&'static Function> {
    check_known(name, profile).ok()?;
    TABLE.iter().find(|function| function.name == name)
}

/// Says whether a function may be used.
pub(super) fn check_known(name: &str, profile: Profile) -> Result<(), String> {
    if NEWER.contains(&name) {
        let known = match profile {
            Profile::V3_5 => "3.5",
            Profile::V2_53 => "2.53",
            Profile::V2_42 => "2.42",
        };
        return Err(format!(
            "function {name:?} not defined: Prometheus {known} does not have it yet"
        ));
    }
    if TABLE.iter().any(|function| function.name == name) {
        return Ok(());
    }
    Err(format!("function {name:?} not defined"))
}

fn query(env: &mut Env<'_>, args: &[Value]) -> Result<Value, String> {
    let points = (env.data.query)(&text(&args[0]))?;
    let samples = points.into_iter().map(|point| {
        Rc::new(Sample {
            labels: point.labels,
            value: point.sample.value,
        })
    });
    Ok(Value::Vector(Rc::new(samples.collect::<Vec<_>>().into())))
}

/// What Go says when a value that is not there is used.
const NIL: &str = "runtime error: invalid memory address or nil pointer dereference";

fn text(value: &Value) -> Rc<str> {
    match value {
        Value::Text(text) => text.clone(),
        other => other.formatted().into(),
    }
}

fn sample(value: &Value) -> Result<&Sample, String> {
    match value {
        Value::Sample(sample) => Ok(sample),
        _ => Err(NIL.to_owned()),
    }
}

fn vector(value: &Value) -> Vector {
    match value {
        Value::Vector(vector) => vector.clone(),
        _ => Vector::default(),
    }
}

fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Int(value) => Ok(*value as f64),
        Value::Text(text) => texts::float(text),
        other => Err(format!("can't convert {} to float", other.type_name())),
    }
}

/// The text that `html`, `js` and `urlquery` escape.
fn joined(args: &[Value]) -> String {
    match args {
        [Value::Text(text)] => text.to_string(),
        args => sprint_printed(args),
    }
}
