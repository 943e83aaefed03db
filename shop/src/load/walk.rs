//! One customer on the way: the requests it makes, with what it says of itself in their headers.
//!
//! Which requests a journey has stands in `script`.

use std::{
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use reqwest::{
    Client, Method,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    accounts::Accounts,
    measure::{Measures, Status},
    think::ThinkTime,
    times::End,
    visit::Visit,
};
use crate::{
    draw::Draw,
    error::ShopError,
    http::{call, url::BaseUrl},
    market::Country,
};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const COUNTRY: HeaderName = HeaderName::from_static("x-country");
const SESSION: HeaderName = HeaderName::from_static("x-session-id");
const ADDRESS: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What every customer of a run shares.
#[derive(Debug)]
pub(super) struct Walker {
    target: BaseUrl,
    client: Client,
    measures: Arc<Measures>,
    think: ThinkTime,
    trace_share: f64,
    /// Bearer token of the admins.
    admin: Option<HeaderValue>,
    pub(super) accounts: Accounts,
    /// Tells the traces of this run from those of others with the same seed.
    run: u64,
    /// Once cancelled nobody pauses any more.
    hurry: CancellationToken,
}

/// How a [`Walker`] is to walk.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) timeout: Duration,
    pub(super) think: ThinkTime,
    pub(super) trace_share: f64,
    pub(super) admin_token: Option<String>,
    pub(super) seed: u64,
}

/// One request: what it is counted as, and what is sent.
pub(super) struct Step {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

impl Step {
    /// Asks for `path`, which is an instance of `route`.
    pub(super) fn get(route: &'static str, path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            route,
            path: path.into(),
            body: None,
        }
    }

    /// Sends `body`.
    pub(super) fn post(route: &'static str, body: Value) -> Self {
        Self {
            method: "POST",
            route,
            path: route.to_owned(),
            body: Some(body),
        }
    }
}

/// How a visit went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) end: End,
    /// How long the customer thought in all.
    pub(super) thought: Duration,
}

impl Walker {
    pub(super) fn new(
        target: BaseUrl,
        measures: Arc<Measures>,
        manner: Manner,
    ) -> Result<Self, ShopError> {
        let client = call::builder().timeout(manner.timeout).build()?;
        let bearer = |token: String| {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
                ShopError::Load("the token of --admin-token-file is no text of one line".to_owned())
            })?;
            value.set_sensitive(true);
            Ok::<_, ShopError>(value)
        };
        Ok(Self {
            target,
            client,
            measures,
            think: manner.think,
            trace_share: manner.trace_share,
            admin: manner.admin_token.map(bearer).transpose()?,
            accounts: Accounts::new(manner.seed),
            run: RandomState::new().hash_one(manner.seed),
            hurry: CancellationToken::new(),
        })
    }

    /// Lets customers finish without another pause.
    pub(super) fn hurry(&self) {
        self.hurry.cancel();
    }

    /// Walks through a visit; the first refusal or failure ends it.
    pub(super) async fn walk(&self, visit: &Visit) -> Walked {
        let mut outing = Outing {
            walker: self,
            visit,
            draw: Draw::new(visit.lots, 0),
            bearer: None,
            steps: 0,
            thought: Duration::ZERO,
        };
        let end = match super::script::play(&mut outing).await {
            Ok(()) => End::Completed,
            Err(end) => end,
        };
        Walked {
            end,
            thought: outing.thought,
        }
    }

    /// Pauses as long as the customer thinks, unless the run is about to end.
    pub(super) async fn pause(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.hurry.cancelled() => {}
        }
    }

    async fn send(&self, step: Step, headers: HeaderMap) -> Result<(u16, Bytes), reqwest::Error> {
        let method = match step.method {
            "POST" => Method::POST,
            _ => Method::GET,
        };
        let request = self
            .client
            .request(method, self.target.join(&step.path))
            .headers(headers);
        let request = match step.body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.bytes().await?))
    }
}

/// A visit under way.
pub(super) struct Outing<'a> {
    pub(super) walker: &'a Walker,
    pub(super) visit: &'a Visit,
    /// Lots of what happens on the way.
    pub(super) draw: Draw,
    bearer: Option<HeaderValue>,
    steps: u64,
    thought: Duration,
}

impl Outing<'_> {
    /// Logs the customer in with a token of the shop.
    pub(super) fn log_in(&mut self, token: &str) {
        self.bearer = HeaderValue::try_from(format!("Bearer {token}")).ok();
    }

    /// Makes an admin of the customer, if the generator has a token of one.
    pub(super) fn log_in_as_admin(&mut self) {
        self.bearer.clone_from(&self.walker.admin);
    }

    /// Thinks, unless it is the first request, sends, and returns the body of a good answer.
    pub(super) async fn take(&mut self, step: Step) -> Result<Bytes, End> {
        if self.steps > 0 {
            let began = Instant::now();
            let think = self.walker.think.pick(&mut self.draw);
            self.walker.pause(think).await;
            self.thought += began.elapsed();
        }
        self.steps += 1;
        let headers = self.headers();
        let (method, route) = (step.method, step.route);
        let began = Instant::now();
        let outcome = self.walker.send(step, headers).await;
        let status = match &outcome {
            Ok((status, _)) => Status::Code(*status),
            Err(error) if error.is_timeout() => Status::Timeout,
            Err(_) => Status::Unreachable,
        };
        self.walker
            .measures
            .request(method, route, status, began.elapsed());
        match outcome {
            Ok((..400, body)) => Ok(body),
            Ok((400..500, _)) => Err(End::Refused),
            _ => Err(End::Failed),
        }
    }

    /// Does [`Self::take`] and reads the answer as JSON; what is none reads as null.
    pub(super) async fn take_json(&mut self, step: Step) -> Result<Value, End> {
        let body = self.take(step).await?;
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(7);
        let (country, baggage) = &country_headers()[self.visit.country];
        headers.insert(COUNTRY, country.clone());
        headers.insert(BAGGAGE, baggage.clone());
        let mut text = String::with_capacity(55);
        if let Ok(trace) = self.traceparent(&mut text) {
            headers.insert(TRACEPARENT, trace);
        }
        text.clear();
        let _ = write!(text, "visit-{:016x}", self.visit.lots ^ self.walker.run);
        if let Ok(session) = HeaderValue::try_from(text.as_str()) {
            headers.insert(SESSION, session);
        }
        text.clear();
        let _ = write!(text, "{}", self.visit.address());
        if let Ok(address) = HeaderValue::try_from(text.as_str()) {
            headers.insert(ADDRESS, address);
        }
        if let Some(bearer) = &self.bearer {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        headers
    }

    /// Writes a trace of this visit, a span of this request.
    ///
    /// The lower half of the trace id is a lot of the visit, by which samplers decide: the same
    /// visits of a seed are sampled in every run.
    fn traceparent(
        &self,
        text: &mut String,
    ) -> Result<HeaderValue, reqwest::header::InvalidHeaderValue> {
        let mut lots = Draw::new(self.visit.lots, 1);
        let sampled = lots.unit() < self.walker.trace_share;
        // All zeros is not an id.
        let visit = lots.next() | 1;
        let span = Draw::new(visit, self.steps).next() | 1;
        let _ = write!(
            text,
            "00-{:016x}{visit:016x}-{span:016x}-{:02x}",
            self.walker.run,
            u8::from(sampled)
        );
        HeaderValue::try_from(text.as_str())
    }
}

/// Headers that a country has in common, made once.
fn country_headers() -> &'static [(HeaderValue, HeaderValue)] {
    static HEADERS: OnceLock<Vec<(HeaderValue, HeaderValue)>> = OnceLock::new();
    HEADERS.get_or_init(|| {
        let headers = Country::ALL.map(|country| {
            let baggage = format!("synthetic=true,country={}", country.code());
            let baggage = HeaderValue::try_from(baggage);
            (
                HeaderValue::from_static(country.code()),
                baggage.unwrap_or(HeaderValue::from_static("synthetic=true")),
            )
        });
        headers.into()
    })
}
