//! The corpus of the fuzz target `exposition` through the target itself.

use std::path::Path;

#[expect(unreachable_pub, reason = "the fuzz target uses it from outside")]
#[path = "../../../fuzz/src/exposition.rs"]
mod exposition;

#[test]
fn expositions() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/exposition");
    let mut count = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        // A failing file is the last one named.
        println!("{}", path.display());
        exposition::run(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 10, "the corpus is there");
}
