//! Reads the files that are named on the command line.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use promql::yaml::MAX_DOCUMENT_BYTES;

/// A file and its text.
#[derive(Debug)]
pub(super) struct Input {
    /// The name for messages.
    pub(super) name: String,
    /// What stands in it.
    pub(super) text: String,
}

/// Reads a file, or stdin where the path is `-`. The error says why it cannot be read.
pub(super) fn read(path: &Path) -> Result<Input, String> {
    let name = name(path);
    let bytes = if path.as_os_str() == "-" {
        limited(io::stdin().lock())
    } else if path.is_dir() {
        return Err(format!("{name}: it is a folder; name its files"));
    } else {
        File::open(path).and_then(limited)
    };
    let bytes = bytes.map_err(|error| format!("{name}: cannot be read: {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| format!("{name}: is not UTF-8 text: {}", error.utf8_error()))?;
    Ok(Input { name, text })
}

/// Returns how a path is called in messages.
pub(super) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        "stdin".to_owned()
    } else {
        chaos::sanitise::line(&path.display().to_string()).into_owned()
    }
}

/// Reads one byte more than a document may have, so that the parser can refuse it.
fn limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_DOCUMENT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path()).unwrap_err();
        assert!(error.contains("folder"), "{error}");
        let error = read(&folder.path().join("none.yml")).unwrap_err();
        assert!(error.contains("none.yml: cannot be read"), "{error}");
        let path = folder.path().join("latin1.yml");
        std::fs::write(&path, b"groups: [] # \xfcber").unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.contains("UTF-8"), "{error}");
    }
}
