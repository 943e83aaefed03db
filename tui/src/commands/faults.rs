//! `fault list | add | clear`: the control API by hand.

use std::fmt::Write as _;

use chaos::sanitise;
use fault::client::{Client, ClientError};
use fault::{ArmRequest, FaultBody, FaultId, FaultStatus};
use serde_json::{Map, Value, json};

use crate::cli::{FaultAction, FaultArgs, FaultCommand};
use crate::live::fault_view;
use crate::output;
use crate::stop::Stop;
use crate::world;

/// Does what is asked on every named fault control.
pub(crate) async fn run(command: FaultCommand) -> Result<(), Stop> {
    match command.action {
        FaultAction::List { json, faults } => list(&connect(&faults)?, json).await,
        FaultAction::Add {
            id,
            fields,
            for_,
            reason,
            faults,
        } => {
            let id = id.parse::<FaultId>().map_err(Stop::usage)?;
            let request = ArmRequest {
                // Nobody renews it, so the hard end is its dead-man time as well.
                lease: for_,
                ..ArmRequest::new(body(&fields)?, for_, owner(), reason)
            };
            add(&connect(&faults)?, &id, &request, faults.take_over).await
        }
        FaultAction::Clear { reason, faults } => clear(&connect(&faults)?, &reason).await,
    }
}

fn connect(args: &FaultArgs) -> Result<Vec<Client>, Stop> {
    let controls = world::connect(args)?;
    if controls.is_empty() {
        return Err(Stop::usage(
            "no fault control is named; give one with --fault [NAME=]URL and its token with \
             --fault-token [NAME=]FILE",
        ));
    }
    Ok(controls)
}

async fn list(controls: &[Client], as_json: bool) -> Result<(), Stop> {
    let mut listings = Vec::new();
    for control in controls {
        let listing = control.list().await.map_err(stop)?;
        listings.push((control.name(), listing));
    }
    if as_json {
        let map: Map<String, Value> = listings
            .into_iter()
            .map(|(name, listing)| (name.to_owned(), json!(listing)))
            .collect();
        output::result(&Value::Object(map).to_string())?;
        return Ok(());
    }
    for (name, listing) in &listings {
        let kinds = listing.kinds.join(", ");
        output::result(&sanitise::line(&format!("{name}: serves {kinds}")))?;
        output::result(table(&listing.faults, &listing.ended).trim_end())?;
    }
    Ok(())
}

async fn add(
    controls: &[Client],
    id: &FaultId,
    request: &ArmRequest,
    take_over: bool,
) -> Result<(), Stop> {
    let control = serving(controls, &request.fault).await?;
    let status = control.arm(id, request, take_over).await.map_err(stop)?;
    output::result(&line(&status))?;
    Ok(())
}

/// Clears every control; one that cannot be reached keeps no other from being cleared.
async fn clear(controls: &[Client], reason: &str) -> Result<(), Stop> {
    let mut failures = Vec::new();
    for control in controls {
        let gone = match control.withdraw_all(None, reason).await {
            Ok(gone) => gone,
            Err(error) => {
                failures.push(error.to_string());
                continue;
            }
        };
        let ids: Vec<&str> = gone.withdrawn.iter().map(FaultId::as_str).collect();
        let text = if ids.is_empty() {
            "nothing was armed".to_owned()
        } else {
            ids.join(", ")
        };
        output::result(&format!("{}: {text}", control.name()))?;
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Stop::environment(failures.join("\n")))
    }
}

/// Who stands in the audit log for faults armed by hand.
fn owner() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
    format!("{user} by hand")
}

/// Returns the first control that can carry the fault out.
async fn serving<'c>(controls: &'c [Client], body: &FaultBody) -> Result<&'c Client, Stop> {
    let kind = body.kind().name();
    for control in controls {
        let listing = control.list().await.map_err(stop)?;
        if listing.kinds.iter().any(|served| served == kind) {
            return Ok(control);
        }
    }
    Err(Stop::usage(format!(
        "no named fault control serves the kind `{kind}`"
    )))
}

/// Reads `kind=error status=503 where.service=payments` as the body of a fault.
fn body(fields: &[(String, String)]) -> Result<FaultBody, Stop> {
    let mut map = Map::new();
    for (name, text) in fields {
        // Numbers stay numbers, as in a playbook; `50%` and `800ms` stay text.
        let value = match text.parse::<serde_json::Number>() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(text.clone()),
        };
        match name.split_once('.') {
            None => {
                map.insert(name.clone(), value);
            }
            Some((outer, inner)) => {
                let entry = map.entry(outer).or_insert_with(|| json!({}));
                if let Some(object) = entry.as_object_mut() {
                    object.insert(inner.to_owned(), value);
                }
            }
        }
    }
    FaultBody::decode(&Value::Object(map)).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Stop::usage(lines.join("\n"))
    })
}

fn table(live: &[FaultStatus], ended: &[FaultStatus]) -> String {
    if live.is_empty() && ended.is_empty() {
        return "  no fault is armed, and none was".to_owned();
    }
    let mut text = String::new();
    for status in live.iter().chain(ended.iter().take(10)) {
        let _ = writeln!(text, "  {}", line(status));
    }
    text
}

/// Owner and reason come from the target, which may be anybody's.
fn line(status: &FaultStatus) -> String {
    let view = fault_view(status);
    let state = match (&view.ended, view.remaining_ms) {
        (Some((reason, _)), _) => reason.clone(),
        (None, Some(left_ms)) => format!("{}s left", left_ms / 1000),
        (None, None) => "live".to_owned(),
    };
    let place = if view.place.is_empty() {
        "everywhere"
    } else {
        &view.place
    };
    let line = format!(
        "{}  {} {} on {place}, {}  {state}  hit {} of {}  ({}: {})",
        view.id,
        view.kind,
        view.what,
        view.share,
        view.injected,
        view.evaluated,
        view.owner,
        view.reason
    );
    sanitise::line(&line).into_owned()
}

/// A control that refuses what it is asked tells the person to ask otherwise.
fn stop(error: ClientError) -> Stop {
    match error {
        ClientError::Refused { .. } => Stop::usage(error),
        _ => Stop::environment(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_the_wire_form() {
        let pairs = [
            ("kind", "error"),
            ("status", "503"),
            ("share", "50%"),
            ("where.service", "payments"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = body(&pairs).unwrap();
        assert_eq!(body.kind().name(), "error");
        assert_eq!(body.to_value()["where"]["service"], "payments");
    }

    #[test]
    fn every_wrong_field_is_told() {
        let pairs = [("kind", "error"), ("status", "700"), ("shar", "5%")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = body(&pairs).unwrap_err().text;
        assert!(text.contains("status") && text.contains("shar"), "{text}");
    }

    #[test]
    fn text_of_a_target_is_harmless() {
        let status: FaultStatus = serde_json::from_value(json!({
            "id": "a", "fault": {"kind": "error", "status": 503}, "owner": "x\u{1b}]0;y",
            "reason": "r\u{202e}", "seed": 1, "evaluated": 2, "injected": 1, "level": 1.0,
            "age_ms": 1, "remaining_ms": 9000, "lease_remaining_ms": 9000, "ended": null,
        }))
        .unwrap();
        let line = line(&status);
        assert!(line.contains("hit 1 of 2"), "{line}");
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line:?}");
    }

    #[tokio::test]
    async fn a_dead_control_keeps_no_other_from_being_cleared() {
        let control = |name| {
            let token = fault::token::generate();
            let endpoint = fault::client::Endpoint::new(name, "http://127.0.0.1:1", token);
            Client::new(endpoint.unwrap()).unwrap()
        };
        let stop = clear(&[control("first"), control("second")], "enough").await;
        let text = stop.unwrap_err().text;
        assert!(text.contains("first") && text.contains("second"), "{text}");
    }
}
