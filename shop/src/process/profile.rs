//! Profiles: of the CPU on demand, in pprof's format; and a steady push to Pyroscope.
//!
//! Both take samples by one timer and one signal of the process, so only one can be at work.

mod pyroscope;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::{
    Router,
    extract::Query,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use pprof::{ProfilerGuard, ProfilerGuardBuilder, protos::Message as _};
use serde::Deserialize;

use super::control::refusal;
pub(super) use pyroscope::Pushing;

/// Whether samples are taken; one at a time.
static BUSY: AtomicBool = AtomicBool::new(false);
const MOST_SECONDS: u64 = 60;
const MOST_FREQUENCY: i32 = 1_000;
/// Frames inside these are not walked: a signal there may hold a lock that the walk needs.
const UNSAFE_TO_WALK: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

/// The right to take samples; given back when dropped.
#[derive(Debug)]
struct Turn;

impl Turn {
    fn take() -> Option<Self> {
        let free = BUSY.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
        free.is_ok().then_some(Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        BUSY.store(false, Ordering::Release);
    }
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default = "ten")]
    seconds: u64,
    #[serde(default = "ninety_nine")]
    frequency: i32,
}

const fn ten() -> u64 {
    10
}

/// Not a divisor of the intervals at which things happen.
const fn ninety_nine() -> i32 {
    99
}

/// Returns the routes.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/profile/cpu", get(cpu))
        .route("/profile/heap", get(heap))
}

async fn cpu(Query(asked): Query<Asked>) -> Response {
    if !(1..=MOST_SECONDS).contains(&asked.seconds)
        || !(1..=MOST_FREQUENCY).contains(&asked.frequency)
    {
        let limits = format!(
            "seconds lie between 1 and {MOST_SECONDS}, the frequency between 1 and {MOST_FREQUENCY}"
        );
        return refusal(StatusCode::BAD_REQUEST, limits);
    }
    let Some(turn) = Turn::take() else {
        return refusal(
            StatusCode::CONFLICT,
            "a profile is being taken, or profiles are pushed to Pyroscope",
        );
    };
    match take(asked, turn).await {
        Ok(profile) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"cpu.pb\"",
                ),
            ];
            (headers, profile).into_response()
        }
        Err(reason) => {
            tracing::error!(reason, "no profile was taken");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, reason)
        }
    }
}

/// Takes samples for a while; whoever stops waiting for them ends it.
async fn take(asked: Asked, turn: Turn) -> Result<Vec<u8>, String> {
    let guard = start(asked.frequency)?;
    tokio::time::sleep(Duration::from_secs(asked.seconds)).await;
    // Names are looked up in the program's file; that takes a while and must not hold others up.
    let built = tokio::task::spawn_blocking(move || {
        let profile = finish(&guard);
        drop((guard, turn));
        profile
    });
    built.await.map_err(|error| error.to_string())?
}

fn start(frequency: i32) -> Result<ProfilerGuard<'static>, String> {
    ProfilerGuardBuilder::default()
        .frequency(frequency)
        .blocklist(&UNSAFE_TO_WALK)
        .build()
        .map_err(|error| error.to_string())
}

fn finish(guard: &ProfilerGuard<'_>) -> Result<Vec<u8>, String> {
    let report = guard.report().build().map_err(|error| error.to_string())?;
    let profile = report.pprof().map_err(|error| error.to_string())?;
    Ok(profile.encode_to_vec())
}

async fn heap() -> Response {
    refusal(
        StatusCode::NOT_IMPLEMENTED,
        "the system's allocator keeps no profile; a build with jemalloc would",
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use pprof::protos::{Message as _, Profile};

    use super::{finish, start};

    /// Burns CPU under a name that the profile must show.
    #[inline(never)]
    fn a_busy_function_of_ours(until: Instant) -> u64 {
        let mut sum = 0_u64;
        while Instant::now() < until {
            for n in 0..10_000_u64 {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(n));
            }
        }
        sum
    }

    #[test]
    fn a_profile_opens_and_names_what_was_busy() {
        let guard = start(250).unwrap();
        a_busy_function_of_ours(Instant::now() + Duration::from_secs(2));
        let bytes = finish(&guard).unwrap();
        let profile = Profile::decode(&bytes[..]).unwrap();
        assert!(!profile.sample.is_empty());
        let named = profile
            .string_table
            .iter()
            .any(|text| text.contains("a_busy_function_of_ours"));
        assert!(named, "{:#?}", profile.string_table);
    }
}
