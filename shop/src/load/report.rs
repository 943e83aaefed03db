//! What is left of a run when it is over: the table for a person, the document for a program, and
//! the verdict for the shell.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use super::{args::LoadArgs, summary::Summary};
use crate::error::ShopError;

/// Writes the summary where the flags say; fails when more journeys failed than may.
///
/// The table goes to stderr, since stdout belongs to the log; a parent wants none.
pub(crate) fn publish(args: &LoadArgs, summary: &Summary) -> Result<(), ShopError> {
    if !args.process.child {
        // Nobody can be told when stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{}", summary.table().trim_end());
    }
    if let Some(file) = &args.summary_json {
        write(file, &format!("{}\n", summary.json()))?;
    }
    let share = summary.total.failed_share();
    match args.fail_over_errors {
        Some(limit) if share > limit => Err(ShopError::TooManyErrors { share, limit }),
        _ => Ok(()),
    }
}

fn write(file: &Path, text: &str) -> Result<(), ShopError> {
    let written = if file == Path::new("-") {
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
    } else {
        fs::write(file, text)
    };
    written.map_err(|source| ShopError::File {
        doing: "write the summary to",
        path: file.to_owned(),
        source,
    })
}
