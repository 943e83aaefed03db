//! `query`: one expression on the chosen source, as a table, a plot or JSON.

mod show;
mod span;

use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use promql::value::{Series, Value};
use signals::source::Range;
use signals::{Answer, Source, SourceError};

use self::span::Span;
use crate::attach;
use crate::cli::{FaultArgs, QueryArgs};
use crate::dashboard::Theme;
use crate::figure::{self, Figure, LEAST_WIDTH, SERIES_LIMIT};
use crate::output::{self, Paper};
use crate::stop::{ENVIRONMENT, Stop, USAGE};
use crate::world::World;

/// What a lab of our own scrapes before it is asked, so that a rate has something to say.
const WARM_UP: Duration = Duration::from_secs(6);
/// The longest that it runs to fill a range, unless told otherwise.
const WARM_UP_LIMIT: Duration = Duration::from_secs(30);
/// Rows of a plot where the terminal has room.
const ROWS: u16 = 14;
/// Rows of a plot where it has none.
const LEAST_ROWS: u16 = 5;

/// Steps of a range whose step nobody has chosen.
const STEPS: i64 = 250;
/// Columns of a picture that are no plot, about.
const BESIDE_PLOT: u16 = 13;

/// How the answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Table,
    Plot,
}

/// Opens the source, evaluates and prints.
pub(crate) async fn run(args: QueryArgs) -> Result<(), Stop> {
    if args.source.prometheus.is_none() {
        // A typing error need not wait for a lab to come up.
        promql::Query::parse(&args.expr)
            .map_err(|error| Stop::usage(format!("query `{}`: {error}", args.expr)))?;
    }
    let span = Span::new(&args)?;
    let form = form(&args, &span)?;
    range(&span, form)?;
    let world = World::open(&args.source, &FaultArgs::default(), 1).await?;
    if world.lab.is_some() {
        let fill = span.until_now().clamp(WARM_UP, WARM_UP_LIMIT);
        let warm_up = args.warm_up.unwrap_or(fill);
        output::progress(&format!(
            "no --prometheus: asking a fresh embedded lab after {}",
            humantime::format_duration(warm_up)
        ));
        tokio::time::sleep(warm_up).await;
    }
    let outcome = ask(&args, &span, form, &*world.source).await;
    world.close().await;
    outcome
}

/// A range is a picture where a person looks, and text where a program reads.
fn form(args: &QueryArgs, span: &Span) -> Result<Form, Stop> {
    match (args.json, args.table, args.plot) {
        (true, ..) => Ok(Form::Json),
        (_, true, _) => Ok(Form::Table),
        (.., true) if span.is_range() => Ok(Form::Plot),
        (.., true) => Err(Stop::usage(
            "--plot shows a range: add --range DURATION, such as --range 5m",
        )),
        _ if span.is_range() && output::paper().is_terminal => Ok(Form::Plot),
        _ => Ok(Form::Table),
    }
}

/// Returns the range as of now. Where nobody has chosen a step, a plot gets a sample for each of its
/// dots, and a program one that does not depend on any terminal.
fn range(span: &Span, form: Form) -> Result<Option<Range>, Stop> {
    match form {
        Form::Plot => {
            let columns = output::paper().columns.saturating_sub(BESIDE_PLOT);
            span.range(now_ms(), i64::from(columns) * 2, 100)
        }
        Form::Json | Form::Table => span.range(now_ms(), STEPS, 1_000),
    }
}

async fn ask(args: &QueryArgs, span: &Span, form: Form, source: &dyn Source) -> Result<(), Stop> {
    let range = range(span, form)?;
    let answer = match (range, span) {
        (Some(range), _) => {
            let answer = source.range(&args.expr, range).await.map_err(stop)?;
            Answer {
                value: Value::Matrix(answer.value),
                at_ms: answer.at_ms,
                notes: answer.notes,
            }
        }
        (None, Span::Instant(at_ms)) => source.instant(&args.expr, *at_ms).await.map_err(stop)?,
        (None, Span::Range { .. }) => return Ok(()),
    };
    for note in &answer.notes {
        output::progress(note);
    }
    let is_empty = match &answer.value {
        Value::Vector(points) => points.is_empty(),
        Value::Matrix(series) => series.is_empty(),
        Value::Scalar(_) | Value::String(_) => false,
    };
    match (form, range, &answer.value) {
        (Form::Json, ..) => output::result(&show::document(&answer).to_string())?,
        _ if is_empty => {}
        (Form::Plot, Some(range), Value::Matrix(series)) => plot(args, range, series)?,
        _ => output::result(&show::table(&answer.value))?,
    }
    if is_empty {
        return Err(nothing(&args.expr, source));
    }
    Ok(())
}

/// Draws a range as wide as the terminal.
fn plot(args: &QueryArgs, range: Range, series: &[Series]) -> Result<(), Stop> {
    let paper = output::paper();
    if paper.columns < LEAST_WIDTH {
        output::progress(&format!(
            "a plot needs {LEAST_WIDTH} columns and there are {}: here is a table",
            paper.columns
        ));
        return Ok(output::result(&show::table(&Value::Matrix(
            series.to_vec(),
        )))?);
    }
    if series.len() > SERIES_LIMIT {
        output::progress(&format!(
            "showing the {SERIES_LIMIT} greatest of {} series: narrow the query, or use --table",
            series.len()
        ));
    }
    let series = greatest(series);
    let text = Figure {
        title: &args.expr,
        series: &series,
        range,
        unit: args
            .unit
            .map_or_else(|| figure::guess(&args.expr), Into::into),
        width: paper.columns,
        rows: rows(paper, series.len()),
        theme: &Theme::new(paper.palette, args.ascii || !paper.is_utf8),
        zone: &TimeZone::system(),
    }
    .text();
    Ok(output::result(&text)?)
}

/// Returns the series with the greatest values, in the order they came in.
fn greatest(series: &[Series]) -> Vec<Series> {
    let peak = |one: &Series| {
        let values = one.samples.iter().map(|sample| sample.value.abs());
        values.fold(f64::NEG_INFINITY, f64::max)
    };
    let mut order: Vec<usize> = (0..series.len()).collect();
    order.sort_by(|one, other| peak(&series[*other]).total_cmp(&peak(&series[*one])));
    order.truncate(SERIES_LIMIT);
    order.sort_unstable();
    order
        .into_iter()
        .map(|index| series[index].clone())
        .collect()
}

/// Head, axis, legend and the prompt after it should be on the screen with the plot.
fn rows(paper: Paper, series: usize) -> u16 {
    let around = 6 + series as u16;
    paper.rows.map_or(ROWS, |rows| {
        rows.saturating_sub(around).clamp(LEAST_ROWS, ROWS)
    })
}

/// The end of a query that selects nothing: there is no data, which a script must be able to see.
fn nothing(query: &str, source: &dyn Source) -> Stop {
    Stop {
        code: ENVIRONMENT,
        text: format!(
            "query `{query}`: no series on {}\n  help: is the name right, do the matchers select \
             anything, was it scraped at that time?",
            source.describe()
        ),
    }
}

/// A bad query is the person's to mend; everything else is the environment's.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn stop(error: SourceError) -> Stop {
    let code = match error {
        SourceError::BadQuery { .. } => USAGE,
        _ => ENVIRONMENT,
    };
    let help = attach::help(&error).map(|help| format!("\n  help: {help}"));
    Stop {
        code,
        text: format!("{error}{}", help.unwrap_or_default()),
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}
