//! What a request carries along from role to role: the trace (W3C trace context) and three facts
//! about it (W3C baggage).
//!
//! Baggage comes from clients, so only what is on the list is read, with values of closed sets, and
//! only that is passed on: nobody gets text of their own into our spans.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator, trace::TraceContextExt,
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::business::Segment;
use crate::market::Country;

pub(crate) const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// Longest header that is read.
const MOST_BYTES: usize = 1_024;
/// Where a country may stand, the role's own header first.
const COUNTRY_HEADERS: [&str; 2] = ["x-shop-country", "x-country"];

/// Facts about a request that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Baggage {
    pub(crate) country: Option<&'static str>,
    pub(crate) segment: Option<&'static str>,
    /// Made by the load generator.
    pub(crate) synthetic: bool,
}

impl Baggage {
    fn read_own(headers: &HeaderMap) -> Self {
        let mut baggage = Self::default();
        let text = headers.get(BAGGAGE).and_then(|value| value.to_str().ok());
        if let Some(text) = text.filter(|text| text.len() <= MOST_BYTES) {
            text.split(',').for_each(|member| baggage.member(member));
        }
        baggage
    }

    /// Reads what is on the list; a country may stand in a header of its own too.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut baggage = Self::read_own(headers);
        if baggage.country.is_none() {
            let mut given = COUNTRY_HEADERS.iter().filter_map(|name| headers.get(*name));
            baggage.country = given.find_map(|value| country(value.to_str().ok()?));
        }
        baggage
    }

    fn member(&mut self, member: &str) {
        let pair = member.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else {
            return;
        };
        match (name.trim(), value.trim()) {
            ("country", value) => self.country = country(value),
            ("segment", value) => {
                self.segment = Segment::parse(value).map(Segment::name);
            }
            ("synthetic", value) => self.synthetic = value == "true",
            _ => {}
        }
    }

    fn members(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let synthetic = self.synthetic.then_some("true");
        [
            ("country", self.country),
            ("segment", self.segment),
            ("synthetic", synthetic),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Returns the header's value; none without a fact.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        if self.is_empty() {
            return None;
        }
        let members: Vec<String> = self
            .members()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        HeaderValue::from_str(&members.join(",")).ok()
    }
}

fn country(code: &str) -> Option<&'static str> {
    let mut codes = Country::ALL.into_iter().map(Country::code);
    codes.find(|known| known.eq_ignore_ascii_case(code.trim()))
}

/// Continues the caller's trace in `span`, which was not entered yet.
pub(crate) fn continue_trace(span: &Span, headers: &HeaderMap, baggage: Baggage) {
    let mut parent = Context::new();
    if headers.contains_key("traceparent") {
        parent =
            TraceContextPropagator::new().extract_with_context(&parent, &HeaderExtractor(headers));
    }
    let continued = parent.span().span_context().is_valid();
    if !baggage.is_empty() {
        let members = baggage.members();
        parent = parent.with_baggage(members.map(|(name, value)| KeyValue::new(name, value)));
    }
    if continued || !baggage.is_empty() {
        // Fails only without an OpenTelemetry layer, and then there is no trace to continue.
        let _ = span.set_parent(parent);
    }
}

/// Writes the trace that `span` belongs to, and its baggage, into the headers of a call; a segment
/// that stands there already is kept.
pub(crate) fn inject(span: &Span, headers: &mut HeaderMap) {
    let context = span.context();
    TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
    let own = Baggage::read_own(headers);
    let mut known = Baggage::default();
    for (name, (value, _)) in context.baggage() {
        known.member(&format!("{name}={value}"));
    }
    known.segment = own.segment.or(known.segment);
    if let Some(value) = known.header() {
        headers.insert(BAGGAGE, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::Baggage;

    fn read(name: &'static str, value: &str) -> Baggage {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        Baggage::read(&headers)
    }

    #[test]
    fn only_known_members_with_known_values_are_read() {
        let baggage = read(
            "baggage",
            "country=de;p=1, segment=vip,synthetic=true,userId=alice",
        );
        assert_eq!(baggage.country, Some("DE"));
        assert_eq!(baggage.segment, Some("vip"));
        assert!(baggage.synthetic);
        assert_eq!(
            baggage.header().unwrap(),
            "country=DE,segment=vip,synthetic=true"
        );
        assert_eq!(
            read("baggage", "country=<script>,segment=root"),
            Baggage::default()
        );
        assert_eq!(read("baggage", &"x=1,".repeat(600)), Baggage::default());
        assert!(Baggage::default().header().is_none());
    }

    #[test]
    fn a_country_may_stand_in_a_header_of_its_own() {
        assert_eq!(read("x-country", "jp").country, Some("JP"));
        assert_eq!(read("x-shop-country", "BR").country, Some("BR"));
    }
}
