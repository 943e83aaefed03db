//! The corpus of the fuzz targets through the targets themselves, so that every toolchain holds
//! what the fuzzer found.

use std::path::Path;

#[expect(unreachable_pub, reason = "the fuzz targets use it from outside")]
#[path = "../../../fuzz/src/expression.rs"]
mod expression;
#[expect(unreachable_pub, reason = "the fuzz targets use it from outside")]
#[path = "../../../fuzz/src/fixture.rs"]
mod fixture;
#[expect(unreachable_pub, reason = "the fuzz targets use it from outside")]
#[path = "../../../fuzz/src/rule_file.rs"]
mod rule_file;
#[expect(unreachable_pub, reason = "the fuzz targets use it from outside")]
#[path = "../../../fuzz/src/script.rs"]
mod script;
#[expect(unreachable_pub, reason = "the fuzz targets use it from outside")]
#[path = "../../../fuzz/src/template.rs"]
mod template;
#[expect(unreachable_pub, reason = "the fuzz targets use it from outside")]
#[path = "../../../fuzz/src/unit_test.rs"]
mod unit_test;

fn replay(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus.join(target)).unwrap() {
        let path = entry.unwrap().path();
        // A failing file is the last one named.
        println!("{}", path.display());
        run(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 10, "the corpus of {target} is there");
}

#[test]
fn expressions() {
    replay("expression", expression::run);
}

#[test]
fn rule_files() {
    replay("rule_file", rule_file::run);
}

#[test]
fn scripts_and_series() {
    replay("script", script::run);
}

#[test]
fn templates() {
    replay("template", template::run);
}

#[test]
fn unit_tests() {
    replay("unit_test", unit_test::run);
}
