//! What the fault layer costs a request.

fn main() {
    divan::main();
}
