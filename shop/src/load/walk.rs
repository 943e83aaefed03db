//! The requests of a visit, one after the other, as a customer makes them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{Client, Method, StatusCode, header::HeaderValue};
use serde_json::{Value, json};

use super::{
    journey::{Journey, Visit},
    measure::{End, Measures},
};
use crate::{
    error::ShopError,
    http::{call, url::BaseUrl},
    telemetry::propagation::Baggage,
};

/// Makes the requests.
#[derive(Debug)]
pub(super) struct Walker {
    target: BaseUrl,
    client: Client,
    measures: Arc<Measures>,
    /// Marks every request as made by a program.
    baggage: Option<HeaderValue>,
}

/// One request: what it is counted as, and what is sent.
struct Step {
    method: Method,
    route: &'static str,
    path: String,
    body: Option<Value>,
}

impl Walker {
    pub(super) fn new(
        target: BaseUrl,
        timeout: Duration,
        measures: Arc<Measures>,
    ) -> Result<Self, ShopError> {
        let client = call::builder().timeout(timeout).build()?;
        Ok(Self {
            target,
            client,
            measures,
            baggage: Baggage {
                synthetic: true,
                ..Baggage::default()
            }
            .header(),
        })
    }

    /// Walks through a visit; the first refusal or failure ends it.
    pub(super) async fn walk(&self, visit: &Visit) -> End {
        match self.try_walk(visit).await {
            Ok(()) => End::Completed,
            Err(end) => end,
        }
    }

    async fn try_walk(&self, visit: &Visit) -> Result<(), End> {
        if visit.journey == Journey::Browse {
            self.take(get("/products", "/products".to_owned())).await?;
            return Ok(());
        }
        self.take(get(
            "/products/:id",
            format!("/products/{}", visit.product_id),
        ))
        .await?;
        if visit.journey == Journey::View {
            return Ok(());
        }
        let order = json!({
            "customer_id": visit.customer_id,
            "product_id": visit.product_id,
            "quantity": visit.quantity,
        });
        let order = self.take(post("/order", order)).await?;
        if visit.journey == Journey::Buy {
            let payment = json!({ "order_id": order["order_id"], "method": visit.method });
            self.take(post("/payment/pay", payment)).await?;
        }
        Ok(())
    }

    async fn take(&self, step: Step) -> Result<Value, End> {
        let began = Instant::now();
        let (method, route) = (step.method.clone(), step.route);
        let outcome = self.send(step).await;
        let status = match &outcome {
            Ok((status, _)) => status.as_str().to_owned(),
            Err(error) if error.is_timeout() => "timeout".to_owned(),
            Err(_) => "unreachable".to_owned(),
        };
        self.measures
            .request(method.as_str(), route, status, began.elapsed());
        match outcome {
            Ok((status, body)) if status.is_success() => Ok(body),
            Ok((status, _)) if status.is_client_error() => Err(End::Refused),
            _ => Err(End::Failed),
        }
    }

    async fn send(&self, step: Step) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self
            .client
            .request(step.method, self.target.join(&step.path));
        if let Some(value) = self.baggage.clone() {
            request = request.header("baggage", value);
        }
        if let Some(body) = step.body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn get(route: &'static str, path: String) -> Step {
    Step {
        method: Method::GET,
        route,
        path,
        body: None,
    }
}

fn post(route: &'static str, body: Value) -> Step {
    Step {
        method: Method::POST,
        route,
        path: route.to_owned(),
        body: Some(body),
    }
}
