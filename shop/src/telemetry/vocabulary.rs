//! The names other shops use for what ours counts: one table of aliases over the same counters.
//!
//! A scrape asks for them with `/metrics?vocabulary=…`; they come after our own names. An alias may
//! rename labels, sum labels away that the other shop does not have, keep only some series, and
//! change seconds into milliseconds. Nothing is counted for an alias: its numbers are made from ours
//! at the scrape.

use super::catalogue::{self, Metric};

/// Whose names are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Short names: `request_total`, `error_total`.
    Minishop,
    /// OpenTelemetry names as a Prometheus stores them, times in milliseconds.
    Signoz,
    /// `flask_http_*` and `ecommerce_*`.
    Flask,
    /// `webstore_*`.
    Webstore,
}

impl Vocabulary {
    /// Every vocabulary.
    pub const ALL: [Self; 4] = [Self::Minishop, Self::Signoz, Self::Flask, Self::Webstore];

    /// Returns the name in the query.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minishop => "minishop",
            Self::Signoz => "signoz",
            Self::Flask => "flask",
            Self::Webstore => "webstore",
        }
    }

    /// Reads the value of `?vocabulary=`; an error says which there are.
    pub fn asked(text: &str) -> Result<Vec<Self>, String> {
        if text == "all" {
            return Ok(Self::ALL.to_vec());
        }
        let found = Self::ALL.into_iter().find(|known| known.name() == text);
        found.map(|one| vec![one]).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no such vocabulary; there are {names} and all\n")
        })
    }
}

/// Which of our series an alias is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Only {
    /// The label has this value.
    Is(&'static str, &'static str),
    /// The label's value begins so.
    Begins(&'static str, &'static str),
}

/// One name of another vocabulary.
#[derive(Debug)]
pub(super) struct Alias {
    pub(super) vocabulary: Vocabulary,
    /// The family's name; a counter's series add `_total`.
    pub(super) family: &'static str,
    /// What it is made of.
    pub(super) of: &'static Metric,
    /// Labels that stay: ours, and theirs. The others are summed away.
    pub(super) labels: &'static [(&'static str, &'static str)],
    /// Label values they call otherwise: ours, and theirs.
    pub(super) values: &'static [(&'static str, &'static str)],
    /// Series that count; all conditions hold.
    pub(super) only: &'static [Only],
    /// What values of a histogram are multiplied by.
    pub(super) scale: f64,
}

impl Alias {
    const fn new(vocabulary: Vocabulary, family: &'static str, of: &'static Metric) -> Self {
        Self {
            vocabulary,
            family,
            of,
            labels: &[],
            values: &[],
            only: &[],
            scale: 1.0,
        }
    }

    const fn labels(mut self, labels: &'static [(&'static str, &'static str)]) -> Self {
        self.labels = labels;
        self
    }

    const fn values(mut self, values: &'static [(&'static str, &'static str)]) -> Self {
        self.values = values;
        self
    }

    const fn only(mut self, only: &'static [Only]) -> Self {
        self.only = only;
        self
    }

    const fn in_milliseconds(mut self) -> Self {
        self.scale = 1_000.0;
        self
    }
}

/// Returns the vocabularies that call a metric otherwise, and what they call it.
pub fn names_elsewhere(of: &Metric) -> impl Iterator<Item = (&'static str, String)> {
    let aliases = ALIASES
        .iter()
        .filter(|alias| alias.of.family() == of.family());
    aliases.map(|alias| (alias.vocabulary.name(), alias.of.series_of(alias.family)))
}

/// The edge is the whole shop to a vocabulary that knows one service.
const EDGE: Only = Only::Is("service", "storefront");
/// 5xx is an error here, whatever the other shop thought of 4xx.
const FAILED: Only = Only::Begins("status", "5");

const REFUSED: Only = Only::Begins("status", "4");

const SERVICE: (&str, &str) = ("service", "service");
const METHOD: (&str, &str) = ("method", "method");
const PATH: (&str, &str) = ("path", "path");
const STATUS: (&str, &str) = ("status", "status");
const COUNTRY: (&str, &str) = ("country", "country");
const DEPENDENCY: (&str, &str) = ("dependency", "dependency");
const OTEL_METHOD: (&str, &str) = ("method", "http_method");
const OTEL_ROUTE: (&str, &str) = ("path", "http_route");
const OTEL_STATUS: (&str, &str) = ("status", "http_status_code");
const OTEL_QUERY: &[(&str, &str)] = &[
    SERVICE,
    ("operation", "db_operation"),
    ("table", "db_sql_table"),
    STATUS,
];

const fn minishop(family: &'static str, of: &'static Metric) -> Alias {
    Alias::new(Vocabulary::Minishop, family, of)
}

const fn signoz(family: &'static str, of: &'static Metric) -> Alias {
    Alias::new(Vocabulary::Signoz, family, of)
}

const fn flask(family: &'static str, of: &'static Metric) -> Alias {
    Alias::new(Vocabulary::Flask, family, of)
}

const fn webstore(family: &'static str, of: &'static Metric) -> Alias {
    Alias::new(Vocabulary::Webstore, family, of)
}

/// Every alias. Names that are the same there and here need no row.
#[rustfmt::skip]
pub(super) const ALIASES: &[Alias] = &[
    minishop("request", &catalogue::HTTP_REQUESTS).labels(&[SERVICE, METHOD, PATH, STATUS]),
    minishop("error", &catalogue::HTTP_REQUESTS).labels(&[SERVICE, METHOD, PATH]).only(&[FAILED]),
    minishop("http_client_errors", &catalogue::HTTP_REQUESTS).labels(&[SERVICE, METHOD, PATH]).only(&[REFUSED]),
    minishop("http_server_errors", &catalogue::HTTP_REQUESTS).labels(&[SERVICE, METHOD, PATH]).only(&[FAILED]),
    minishop("request_duration_seconds", &catalogue::HTTP_REQUEST_DURATION).labels(&[SERVICE, METHOD, PATH]),

    signoz("http_server_request_count", &catalogue::HTTP_REQUESTS).labels(&[SERVICE, OTEL_METHOD, OTEL_ROUTE, OTEL_STATUS]),
    signoz("http_server_request_error_count", &catalogue::HTTP_REQUESTS).labels(&[SERVICE, OTEL_METHOD, OTEL_ROUTE, OTEL_STATUS]).only(&[FAILED]),
    signoz("http_server_request_duration_milliseconds", &catalogue::HTTP_REQUEST_DURATION).labels(&[SERVICE, OTEL_METHOD, OTEL_ROUTE, OTEL_STATUS]).in_milliseconds(),
    signoz("db_client_queries_count", &catalogue::DB_QUERIES).labels(OTEL_QUERY),
    signoz("db_client_queries_duration_milliseconds", &catalogue::DB_QUERY_DURATION).labels(OTEL_QUERY).in_milliseconds(),

    flask("flask_http_request", &catalogue::HTTP_REQUESTS).labels(&[METHOD, STATUS]).only(&[EDGE]),
    flask("flask_http_request_duration_seconds", &catalogue::HTTP_REQUEST_DURATION).labels(&[METHOD, PATH, STATUS]).only(&[EDGE]),
    flask("ecommerce_orders", &catalogue::ORDERS_CREATED).only(&[Only::Is("status", "created")]),
    flask("ecommerce_order_value_dollars", &catalogue::ORDER_VALUE),
    flask("ecommerce_cart_additions", &catalogue::CART_ADDITIONS),
    flask("ecommerce_user_registrations", &catalogue::USER_REGISTRATIONS),
    flask("ecommerce_user_logins", &catalogue::USER_LOGINS).labels(&[STATUS]).values(&[("succeeded", "success"), ("failed", "failure")]),

    webstore("http_server_duration_milliseconds", &catalogue::HTTP_REQUEST_DURATION).labels(&[OTEL_METHOD, OTEL_ROUTE, OTEL_STATUS]).only(&[EDGE]).in_milliseconds(),
    webstore("webstore_products_views", &catalogue::HTTP_REQUESTS).only(&[EDGE, Only::Is("method", "GET"), Only::Is("path", "/products"), Only::Is("status", "200")]),
    webstore("webstore_products_detail_views", &catalogue::PRODUCTS_VIEWED),
    webstore("webstore_users_active", &catalogue::ACTIVE_USERS),
    webstore("webstore_active_carts", &catalogue::ACTIVE_CARTS),
    webstore("webstore_cart_additions", &catalogue::CART_ADDITIONS),
    webstore("webstore_funnel_stage", &catalogue::FUNNEL_STAGE).labels(&[("stage", "stage"), COUNTRY]),
    webstore("webstore_customer_segment", &catalogue::CUSTOMER_SEGMENTS).labels(&[("segment", "segment")]),
    webstore("webstore_checkouts", &catalogue::FUNNEL_STAGE).labels(&[COUNTRY]).only(&[Only::Is("stage", "checkout_complete")]),
    webstore("webstore_checkout_amount", &catalogue::REVENUE).labels(&[("currency", "currency"), COUNTRY]),
    webstore("webstore_payment_duration_seconds", &catalogue::EXTERNAL_DURATION).labels(&[DEPENDENCY]).only(&[Only::Begins("dependency", "payments-")]),
    webstore("payment_amount_usd", &catalogue::ORDER_VALUE).labels(&[COUNTRY]),
    webstore("external_payment_provider_duration_seconds", &catalogue::EXTERNAL_DURATION).labels(&[DEPENDENCY]).only(&[Only::Begins("dependency", "payments-")]),
    webstore("webstore_orders_delayed_fulfillment", &catalogue::ORDERS_DELAYED),
    webstore("webstore_external_inventory_duration_seconds", &catalogue::EXTERNAL_DURATION).only(&[Only::Is("dependency", "warehouse")]),
    webstore("webstore_external_crm_duration_seconds", &catalogue::EXTERNAL_DURATION).only(&[Only::Is("dependency", "crm")]),
    webstore("webstore_inventory_reservation_failures", &catalogue::RESERVATION_FAILURES),
    webstore("webstore_orders_cancelled_out_of_stock", &catalogue::ORDERS_CREATED).labels(&[COUNTRY]).only(&[Only::Is("status", "rejected")]),
    webstore("webstore_auth_attempts", &catalogue::AUTH_ATTEMPTS),
    webstore("webstore_auth_failures", &catalogue::AUTH_FAILURES),
    webstore("webstore_rate_limit_exceeded", &catalogue::RATE_LIMIT_EXCEEDED).labels(&[("limit_type", "limit_type")]),
    webstore("webstore_security_suspicious_activity", &catalogue::SUSPICIOUS_ACTIVITY).labels(&[("type", "type")]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALIASES, Only, Vocabulary, catalogue};

    #[test]
    fn an_alias_collides_with_nothing_and_names_labels_that_exist() {
        let mut names: BTreeSet<&str> = catalogue::ALL.iter().map(|own| own.family()).collect();
        for alias in ALIASES {
            assert!(names.insert(alias.family), "{} twice", alias.family);
            let has = |label: &str| alias.of.labels.contains(&label);
            for (ours, _) in alias.labels {
                assert!(has(ours), "{}: {ours}", alias.family);
            }
            for Only::Is(label, _) | Only::Begins(label, _) in alias.only {
                assert!(has(label), "{}: {label}", alias.family);
            }
            let milliseconds = alias.family.ends_with("_milliseconds");
            assert_eq!(milliseconds, alias.scale > 1.0, "{}", alias.family);
        }
    }

    #[test]
    fn an_unknown_vocabulary_is_told_the_known_ones() {
        assert_eq!(Vocabulary::asked("all").unwrap().len(), 4);
        assert_eq!(Vocabulary::asked("flask").unwrap(), [Vocabulary::Flask]);
        let error = Vocabulary::asked("jsp").unwrap_err();
        assert!(error.contains("minishop, signoz, flask, webstore and all"));
    }
}
