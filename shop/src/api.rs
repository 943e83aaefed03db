//! The public API as a document: the shapes of its bodies, and the `OpenAPI` text made of them.
//!
//! Which routes there are, the storefront knows (`roles/storefront/table.rs`); what they take and give
//! stands in [`shapes`]; `document` puts both together, and the page at `/docs` renders the result.

pub(crate) mod document;
pub mod shapes;

/// The page at `/docs` and what it loads; everything comes from here, nothing from elsewhere.
pub(crate) const PAGE_HTML: &str = include_str!("api/page.html");
/// Its style.
pub(crate) const PAGE_CSS: &str = include_str!("api/style.css");
/// Its script.
pub(crate) const PAGE_JS: &str = include_str!("api/page.js");
