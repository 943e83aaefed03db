//! `where`: which requests a fault is about.

use serde_json::{Map, Value};

use super::decode::Fields;
use crate::decide::Request;

/// Which requests a fault is about; an absent field means every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The service, as in the metrics' label.
    pub service: Option<String>,
    /// The route template, written `/products/:id`; `/products/{id}` is read too.
    pub route: Option<String>,
    /// The method, in capitals.
    pub method: Option<String>,
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

impl Scope {
    /// Says whether a request falls under this scope.
    pub fn matches(&self, request: &Request<'_>) -> bool {
        self.covers_service(request.service)
            && self
                .method
                .as_deref()
                .is_none_or(|method| method == request.method)
            && self
                .route
                .as_deref()
                .is_none_or(|route| same_route(route, request.route))
    }

    /// Says whether a service falls under this scope.
    pub fn covers_service(&self, service: &str) -> bool {
        self.service.as_deref().is_none_or(|own| own == service)
    }

    /// Says whether the scope leaves nothing out.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn decode(mut fields: Fields<'_, '_>) -> Self {
        let service = fields.text("service");
        let route = fields.text("route").and_then(|route| {
            if route.starts_with('/') {
                return Some(normal_route(&route));
            }
            fields.wrong(
                "route",
                format!("`{route}` does not start with `/`"),
                format!("write `/{route}`"),
            );
            None
        });
        let method = fields.text("method").and_then(|method| {
            let upper = method.to_ascii_uppercase();
            if METHODS.contains(&upper.as_str()) {
                return Some(upper);
            }
            fields.wrong(
                "method",
                format!("unknown method `{method}`"),
                format!("one of {}", METHODS.join(", ")),
            );
            None
        });
        fields.finish();
        Self {
            service,
            route,
            method,
        }
    }

    pub(crate) fn encode(&self) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, value) in [
            ("service", &self.service),
            ("route", &self.route),
            ("method", &self.method),
        ] {
            if let Some(value) = value {
                map.insert(name.to_owned(), Value::from(value.as_str()));
            }
        }
        map
    }
}

/// Compares two route templates; `{id}` and `:id` are the same, and so is a trailing slash.
pub(crate) fn same_route(left: &str, right: &str) -> bool {
    let mut left = left.trim_end_matches('/').split('/');
    let mut right = right.trim_end_matches('/').split('/');
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(left), Some(right)) if segment(left) == segment(right) => {}
            _ => return false,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Segment<'s> {
    Fixed(&'s str),
    Parameter(&'s str),
}

fn segment(text: &str) -> Segment<'_> {
    let braces = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    match braces.or_else(|| text.strip_prefix(':')) {
        Some(name) => Segment::Parameter(name),
        None => Segment::Fixed(text),
    }
}

fn normal_route(route: &str) -> String {
    let segments: Vec<String> = route
        .split('/')
        .map(|text| match segment(text) {
            Segment::Fixed(text) => text.to_owned(),
            Segment::Parameter(name) => format!(":{name}"),
        })
        .collect();
    segments.join("/")
}
