//! Spans as the receiver prints them, and their order by parents.

/// A span; ids are hexadecimal, and empty where there is none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) trace: String,
    pub(crate) parent: String,
    pub(crate) id: String,
    pub(crate) name: String,
    /// The traces it links to.
    pub(crate) links: Vec<String>,
}

/// Reads the spans in a receiver's detailed print.
pub(crate) fn spans(printed: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut service = "";
    for line in printed.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("-> service.name: Str(") {
            service = name.trim_end_matches(')');
        }
        if line.starts_with("Span #") {
            spans.push(Span {
                service: service.to_owned(),
                ..Span::default()
            });
        }
        let Some(span) = spans.last_mut() else {
            continue;
        };
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim().to_owned();
        match key.trim() {
            "Trace ID" => span.trace = value,
            "Parent ID" => span.parent = value,
            "ID" => span.id = value,
            "Name" => span.name = value,
            "-> Trace ID" => span.links.push(value),
            _ => {}
        }
    }
    spans
}

/// Returns the path to each span of a trace from the span `root`: `role name > role name > …`.
pub(crate) fn paths(spans: &[Span], trace: &str, root: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut open = vec![(root.to_owned(), String::new())];
    while let Some((parent, above)) = open.pop() {
        let children = spans
            .iter()
            .filter(|span| span.trace == trace && span.parent == parent);
        for span in children {
            let own = format!("{above}{} {}", span.service, span.name);
            open.push((span.id.clone(), format!("{own} > ")));
            paths.push(own);
        }
    }
    paths
}
