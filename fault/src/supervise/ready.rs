//! The line by which a process says where it listens.

use serde::{Deserialize, Serialize};

/// Where a process listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Its process id.
    pub pid: u32,
    /// What it serves.
    #[serde(default)]
    pub services: Vec<ServiceAddress>,
    /// Its metrics listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_url: Option<String>,
    /// Its control listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_url: Option<String>,
}

/// One service of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAddress {
    /// Its name.
    pub service: String,
    /// Its business listener.
    pub url: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    ready: Ready,
}

impl Ready {
    /// Returns the line, without its end.
    pub fn to_line(&self) -> String {
        serde_json::json!({ "ready": self }).to_string()
    }

    /// Reads the line; nothing when it is another one.
    pub fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str::<Line>(line)
            .ok()
            .map(|line| line.ready)
    }
}
