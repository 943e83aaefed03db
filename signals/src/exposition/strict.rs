//! The strict reader: one pass, one line at a time, the first mistake ends it.
//!
//! Differences between the formats stand here side by side: OpenMetrics has one blank as its only
//! separator, no empty lines, `# EOF`, UNIT, exemplars and times in seconds.

use std::borrow::Cow;

use promql::labels::METRIC_NAME;

use super::line::Line;
use super::{Format, Limits, Pairs, ParseError, Row, RowExemplar, float};

/// The label whose numbers are normalised, set by the last TYPE line as in Prometheus.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Other,
    Histogram,
    Summary,
}

/// The samples of a text, in its order. After an error there is nothing more.
pub struct Rows<'a> {
    format: Format,
    limits: Limits,
    text: &'a str,
    at: usize,
    line: usize,
    seen: usize,
    family: Family,
    ended: bool,
    failed: bool,
}

impl<'a> Rows<'a> {
    /// Starts to read a text.
    pub fn new(format: Format, text: &'a str, limits: Limits) -> Self {
        Self {
            format,
            limits,
            text,
            at: 0,
            line: 0,
            seen: 0,
            family: Family::Other,
            ended: false,
            failed: false,
        }
    }

    fn advance(&mut self) -> Result<Option<Row<'a>>, ParseError> {
        while self.at < self.text.len() {
            let line = self.next_line();
            if self.ended {
                return Err(line.error("nothing may follow # EOF"));
            }
            let row = match self.format {
                Format::Text => self.text_line(line)?,
                Format::OpenMetrics => self.open_metrics_line(line)?,
            };
            if let Some(row) = row {
                return Ok(Some(row));
            }
        }
        if self.format == Format::OpenMetrics && !self.ended {
            let end = Line::new("", self.line + 1);
            return Err(end.error("# EOF expected: the text was cut off"));
        }
        Ok(None)
    }

    fn next_line(&mut self) -> Line<'a> {
        let rest = &self.text[self.at..];
        let (text, length) = match rest.find('\n') {
            Some(end) => (&rest[..end], end + 1),
            None => (rest, rest.len()),
        };
        self.at += length;
        self.line += 1;
        Line::new(text, self.line)
    }

    fn text_line(&mut self, mut line: Line<'a>) -> Result<Option<Row<'a>>, ParseError> {
        line.skip_blanks();
        if line.is_at_end() {
            return Ok(None);
        }
        if !line.eat(b'#') {
            return self.text_sample(line).map(Some);
        }
        if !line.skip_blanks() {
            return Ok(None);
        }
        let is_type = line.eat_word("TYPE");
        if (!is_type && !line.eat_word("HELP")) || !line.skip_blanks() {
            return Ok(None);
        }
        family_name(&mut line)?;
        line.skip_blanks();
        if is_type {
            self.family = self.family_type(&line)?;
        }
        Ok(None)
    }

    fn open_metrics_line(&mut self, mut line: Line<'a>) -> Result<Option<Row<'a>>, ParseError> {
        if !line.eat(b'#') {
            return self.open_metrics_sample(line).map(Some);
        }
        line.expect(b' ', "a blank")?;
        let mark = line.mark();
        match line.word() {
            "EOF" if line.is_at_end() => self.ended = true,
            word @ ("TYPE" | "HELP" | "UNIT") => {
                line.expect(b' ', "a blank")?;
                family_name(&mut line)?;
                line.expect(b' ', "a blank")?;
                if word == "TYPE" {
                    self.family = self.family_type(&line)?;
                }
            }
            _ => return Err(line.error_at(mark, "TYPE, HELP, UNIT or EOF expected")),
        }
        Ok(None)
    }

    fn family_type(&self, line: &Line<'a>) -> Result<Family, ParseError> {
        let word = line.rest();
        let known: &[&str] = match self.format {
            Format::Text => &["counter", "gauge", "untyped"],
            Format::OpenMetrics => &[
                "counter",
                "gauge",
                "gaugehistogram",
                "info",
                "stateset",
                "unknown",
            ],
        };
        match word.trim_end() {
            "histogram" => Ok(Family::Histogram),
            "summary" => Ok(Family::Summary),
            other if known.contains(&other) => Ok(Family::Other),
            other => Err(line.error(format!("{other:?} is not a metric type"))),
        }
    }

    fn text_sample(&mut self, mut line: Line<'a>) -> Result<Row<'a>, ParseError> {
        let (key, labels) = self.series(&mut line)?;
        line.skip_blanks();
        let value = line.number("a number")?;
        line.skip_blanks();
        let t_ms = if line.is_at_end() {
            None
        } else {
            Some(whole_ms(&mut line)?)
        };
        line.skip_blanks();
        if !line.is_at_end() {
            return Err(line.expected("the end of the line"));
        }
        Ok(Row {
            key: Cow::Borrowed(key),
            labels,
            value,
            t_ms,
            exemplar: None,
        })
    }

    fn open_metrics_sample(&mut self, mut line: Line<'a>) -> Result<Row<'a>, ParseError> {
        let (key, labels) = self.series(&mut line)?;
        line.expect(b' ', "a blank and a number")?;
        let value = line.number("a number")?;
        let mut t_ms = None;
        if !line.is_at_end() && !line.rest().starts_with(" #") {
            line.expect(b' ', "a blank")?;
            t_ms = Some(seconds(&mut line)?);
        }
        let exemplar = if line.is_at_end() {
            None
        } else {
            Some(self.exemplar(&mut line)?)
        };
        Ok(Row {
            key: Cow::Borrowed(key),
            labels,
            value,
            t_ms,
            exemplar,
        })
    }

    fn exemplar(&self, line: &mut Line<'a>) -> Result<RowExemplar<'a>, ParseError> {
        if !line.eat_word(" # ") {
            return Err(line.expected("an exemplar or the end of the line"));
        }
        let mut labels = Pairs::new();
        self.braces(line, &mut labels, false)?;
        line.expect(b' ', "a blank and a number")?;
        let value = line.number("a number")?;
        let t_ms = if line.is_at_end() {
            None
        } else {
            line.expect(b' ', "a blank")?;
            Some(seconds(line)?)
        };
        if !line.is_at_end() {
            return Err(line.expected("the end of the line"));
        }
        Ok(RowExemplar {
            labels,
            value,
            t_ms,
        })
    }

    /// Reads name and labels; returns what was written and what it means.
    fn series(&mut self, line: &mut Line<'a>) -> Result<(&'a str, Pairs<'a>), ParseError> {
        self.seen += 1;
        let mark = line.mark();
        if self.seen > self.limits.rows {
            let message = format!("more than {} samples", self.limits.rows);
            return Err(line.error_at(mark, message));
        }
        let mut labels = Pairs::with_capacity(8);
        let name = line.name(true);
        if !name.is_empty() {
            labels.push((Cow::Borrowed(METRIC_NAME), Cow::Borrowed(name)));
        }
        let after_name = line.mark();
        if self.format == Format::Text {
            line.skip_blanks();
        }
        let mut key = &line.since(mark)[..after_name - mark];
        if line.peek() == Some(b'{') {
            self.braces(line, &mut labels, true)?;
            key = line.since(mark);
        }
        if !labels.iter().any(|(name, _)| name == METRIC_NAME) {
            return Err(line.error_at(mark, "a metric name expected"));
        }
        self.normalise(&mut labels);
        Ok((key, labels))
    }

    fn braces(
        &self,
        line: &mut Line<'a>,
        labels: &mut Pairs<'a>,
        may_name: bool,
    ) -> Result<(), ParseError> {
        let blanks = self.format == Format::Text;
        line.expect(b'{', "`{`")?;
        loop {
            if blanks {
                line.skip_blanks();
            }
            if line.eat(b'}') {
                return Ok(());
            }
            self.label(line, labels, may_name)?;
            if blanks {
                line.skip_blanks();
            }
            if !line.eat(b',') && line.peek() != Some(b'}') {
                return Err(line.expected("`,` or `}`"));
            }
        }
    }

    fn label(
        &self,
        line: &mut Line<'a>,
        labels: &mut Pairs<'a>,
        may_name: bool,
    ) -> Result<(), ParseError> {
        let mark = line.mark();
        let is_quoted = line.peek() == Some(b'"');
        let name = if is_quoted {
            line.quoted()?
        } else {
            Cow::Borrowed(line.name(false))
        };
        if name.is_empty() {
            return Err(line.expected("a label name"));
        }
        if self.format == Format::Text {
            line.skip_blanks();
        }
        let pair = if is_quoted && may_name && line.peek() != Some(b'=') {
            (Cow::Borrowed(METRIC_NAME), name)
        } else {
            line.expect(b'=', "`=`")?;
            if self.format == Format::Text {
                line.skip_blanks();
            }
            (name, line.quoted()?)
        };
        if labels.iter().any(|(other, _)| *other == pair.0) {
            return Err(line.error_at(mark, format!("label {:?} is there twice", pair.0)));
        }
        if labels.len() == self.limits.labels {
            let message = format!("more than {} labels", self.limits.labels);
            return Err(line.error_at(mark, message));
        }
        labels.push(pair);
        Ok(())
    }

    fn normalise(&self, labels: &mut Pairs<'a>) {
        let bound = match self.family {
            Family::Other => return,
            Family::Histogram => "le",
            Family::Summary => "quantile",
        };
        if let Some((_, value)) = labels.iter_mut().find(|(name, _)| name == bound) {
            *value = float::normalise(std::mem::take(value));
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.advance().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}

/// Steps over the metric name of a TYPE, HELP or UNIT line.
fn family_name(line: &mut Line<'_>) -> Result<(), ParseError> {
    let mark = line.mark();
    let is_named = match line.peek() {
        Some(b'"') => !line.quoted()?.is_empty(),
        _ => !line.name(true).is_empty(),
    };
    if is_named && matches!(line.peek(), None | Some(b' ' | b'\t')) {
        Ok(())
    } else {
        Err(line.error_at(mark, "this line names no metric"))
    }
}

fn whole_ms(line: &mut Line<'_>) -> Result<i64, ParseError> {
    let mark = line.mark();
    let word = line.word();
    word.parse().map_err(|_| {
        line.error_at(
            mark,
            format!("{word:?} is not a time in whole milliseconds"),
        )
    })
}

fn seconds(line: &mut Line<'_>) -> Result<i64, ParseError> {
    let mark = line.mark();
    let seconds = line.number("a time in seconds")?;
    if seconds.is_finite() {
        Ok((seconds * 1000.0) as i64)
    } else {
        Err(line.error_at(mark, "a time must be finite"))
    }
}
