//! Tests of `fault` through its public face.
