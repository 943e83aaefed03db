//! Expositions that ask for too much: each is read or refused soon.

use std::time::{Duration, Instant};

use signals::exposition::{Format, Limits, Parser, parse};

#[test]
fn hostile_expositions_end_soon() {
    let many_labels: Vec<String> = (0..12_000).map(|n| format!("l{n}=\"x\"")).collect();
    let texts = [
        format!("a{{{}}} 1\n", many_labels.join(",")),
        format!("{} 1\n", "a".repeat(250_000)),
        format!("a{{b=\"{}\"}} 1\n", "\\n".repeat(125_000)),
        format!("a{{b=\"{}", "\\\"".repeat(125_000)),
        "# HELP ".repeat(125_000),
        "# TYPE a histogram\n".repeat(12_000),
        "a{b=\"".repeat(125_000),
        "a{".repeat(250_000),
        "}".repeat(250_000),
        " ".repeat(250_000),
        "\n".repeat(250_000),
        "a 1\n".repeat(510_000),
        "a_bucket{le=\"1\"} 1\n".repeat(25_000),
        "\u{0}\u{1}\u{fffd}".repeat(125_000),
    ];
    for text in texts {
        let head: String = text.chars().take(12).collect();
        for parser in [Parser::Strict, Parser::Compat] {
            for format in [Format::Text, Format::OpenMetrics] {
                let started = Instant::now();
                let _ = parse(parser, format, &text, Limits::default());
                let took = started.elapsed();
                println!("{head:?} {parser:?} {format:?} {took:?}");
                assert!(
                    took < Duration::from_secs(20),
                    "{head:?}, {parser:?}: {took:?}"
                );
            }
        }
    }
}
