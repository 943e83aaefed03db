//! An Alertmanager through its v2 API: what it knows, and what it is told.

mod wire;

use promql::labels::Labels;
use promql::rules::Notification;
use serde::de::DeserializeOwned;

use crate::clean;
use crate::connect::{Client, ConnectError, Connection, Reply};
use crate::source::SourceError;

/// An alert as an Alertmanager holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAlert {
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Vec<(String, String)>,
    /// Since when it fires, milliseconds since the epoch.
    pub starts_at_ms: i64,
    /// When it ends unless it is posted again, milliseconds since the epoch.
    pub ends_at_ms: i64,
    /// The last post, milliseconds since the epoch.
    pub updated_at_ms: i64,
    /// Its identity in the Alertmanager.
    pub fingerprint: String,
    /// Whether it notifies.
    pub state: HeldState,
    /// Who is notified.
    pub receivers: Vec<String>,
}

/// Whether an alert notifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldState {
    /// It does.
    Active,
    /// It is silenced or inhibited.
    Suppressed {
        /// The ids of the silences that match.
        silenced_by: Vec<String>,
        /// The fingerprints of the alerts that inhibit it.
        inhibited_by: Vec<String>,
    },
    /// It has not been looked at yet.
    Unprocessed,
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Active, pending or expired.
    pub state: String,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// What it silences, such as `alertname=~"Disk.*"`.
    pub matchers: Vec<String>,
    /// When it begins, milliseconds since the epoch.
    pub starts_at_ms: i64,
    /// When it ends, milliseconds since the epoch.
    pub ends_at_ms: i64,
}

/// What an Alertmanager says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Ready, settling or disabled.
    pub cluster: String,
    /// Its configuration, secrets left out.
    pub config: String,
}

/// An Alertmanager. Cloning shares its sockets.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    client: Client,
}

impl Alertmanager {
    /// Checks the connection; it does not ask the server yet.
    pub fn new(connection: &Connection) -> Result<Self, ConnectError> {
        Ok(Self {
            client: Client::new(connection)?,
        })
    }

    /// Returns the address without credentials.
    pub fn describe(&self) -> String {
        self.client.shown().to_owned()
    }

    /// Returns all alerts, silenced and inhibited ones included.
    pub async fn alerts(&self) -> Result<Vec<HeldAlert>, SourceError> {
        let list: Vec<wire::Alert> = self.get("/api/v2/alerts").await?;
        Ok(list.into_iter().map(wire::Alert::checked).collect())
    }

    /// Returns all silences.
    pub async fn silences(&self) -> Result<Vec<Silence>, SourceError> {
        let list: Vec<wire::Silence> = self.get("/api/v2/silences").await?;
        Ok(list.into_iter().map(wire::Silence::checked).collect())
    }

    /// Returns version and configuration.
    pub async fn status(&self) -> Result<Status, SourceError> {
        let status: wire::Status = self.get("/api/v2/status").await?;
        Ok(status.checked())
    }

    /// Posts alerts; external labels are added where an alert has none of that name.
    pub async fn post(
        &self,
        alerts: &[Notification],
        external_labels: &Labels,
    ) -> Result<(), SourceError> {
        const PATH: &str = "/api/v2/alerts";
        let body: Vec<wire::Posted<'_>> = alerts
            .iter()
            .map(|alert| wire::Posted::new(alert, external_labels))
            .collect();
        let reply = self.client.post_json(PATH, &body).await?;
        self.checked(PATH, &reply)
    }

    async fn get<T: DeserializeOwned>(&self, path: &'static str) -> Result<T, SourceError> {
        let reply = self.client.get(path, &[]).await?;
        self.checked(path, &reply)?;
        serde_json::from_slice(&reply.body).map_err(|error| {
            let what = clean::message(&error.to_string());
            self.client
                .bad_answer(format!("{path}: {what}; is this an Alertmanager?"))
        })
    }

    fn checked(&self, path: &'static str, reply: &Reply) -> Result<(), SourceError> {
        let url = self.client.shown().to_owned();
        match reply.status.as_u16() {
            200..=299 => Ok(()),
            404 | 405 => Err(SourceError::NotOffered {
                url,
                what: path.to_owned(),
            }),
            status => Err(SourceError::Failed {
                url,
                status,
                message: clean::message(&String::from_utf8_lossy(&reply.body)),
            }),
        }
    }
}
