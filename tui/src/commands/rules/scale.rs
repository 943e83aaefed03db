//! `rules scale`: a rule file with its time divided.

use std::time::Duration;

use chaos::sanitise;
use promql::duration::format_ms;
use promql::scale::{Note, Scale, scale};

use super::check::{error, plural};
use super::input::{self, Input};
use crate::cli::ScaleArgs;
use crate::output;
use crate::stop::{Stop, USAGE};

/// Scales the file, writes it, and tells what did not become what the division gives.
pub(crate) fn run(args: &ScaleArgs) -> Result<(), Stop> {
    let input = input::read(&args.file).map_err(Stop::usage)?;
    let how = Scale {
        by: args.by,
        scrape_interval_ms: milliseconds(args.scrape_interval),
        original_scrape_interval_ms: milliseconds(args.original_scrape_interval),
    };
    let scaled = scale(&input.text, how).map_err(|problems| Stop {
        code: USAGE,
        text: problems
            .iter()
            .map(|problem| error(&input, problem))
            .collect::<Vec<_>>()
            .join("\n"),
    })?;
    let text = if args.no_header {
        scaled.text
    } else {
        format!("{}{}", header(&input, how), scaled.text)
    };
    match &args.output {
        Some(path) => std::fs::write(path, &text).map_err(|error| {
            Stop::usage(format!("{}: cannot be written: {error}", input::name(path)))
        })?,
        None => output::result(&text)?,
    }
    for note in &scaled.notes {
        output::progress(&line(&input, note));
    }
    output::progress(&format!(
        "{}: {} divided by {}, {} to look at",
        input.name,
        plural(scaled.changed, "value"),
        args.by,
        plural(scaled.notes.len(), "note"),
    ));
    Ok(())
}

/// How to make the file again: with it at the top nobody mends the copy by hand.
fn header(input: &Input, how: Scale) -> String {
    let original = match how.original_scrape_interval_ms {
        15_000 => String::new(),
        interval_ms => format!(" --original-scrape-interval {}", format_ms(interval_ms)),
    };
    format!(
        "# Made by `obs-tui rules scale {} --by {} --scrape-interval {}{original}`: change the \
         original and make it again.\n",
        input.name,
        how.by,
        format_ms(how.scrape_interval_ms),
    )
}

fn line(input: &Input, note: &Note) -> String {
    let text = format!(
        "{}:{}: {}: {}",
        input.name, note.place, note.path, note.message
    );
    sanitise::line(&text).into_owned()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX)
        .max(1)
}
