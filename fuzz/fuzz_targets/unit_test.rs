#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::unit_test::run(data));
