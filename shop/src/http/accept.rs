//! Accepting connections while descriptors last.
//!
//! The system hands out the lowest free descriptor, so a high number means that few are left. A
//! listener that customers can exhaust closes what would eat into the last ones; so the listeners
//! for metrics and control still get theirs, and faults can be withdrawn.

use std::{io, net::SocketAddr, os::fd::AsRawFd, time::Duration};

use axum::serve::Listener;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};

use super::serve::Descriptors;

/// Descriptors kept for metrics, control, and what they open.
const RESERVE: u64 = 64;
/// A process may be held to so few that a fixed reserve would leave nothing for the business.
const LARGEST_PART: u64 = 4;
/// Wait before the next try when there is no descriptor at all.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(20);

/// A listener that leaves the reserve alone, if it has to.
#[derive(Debug)]
pub(super) struct Accepting {
    listener: TcpListener,
    descriptors: Descriptors,
}

impl Accepting {
    pub(super) fn new(listener: TcpListener, descriptors: Descriptors) -> Self {
        Self {
            listener,
            descriptors,
        }
    }

    /// Says whether a connection with this descriptor may stay, by the limit in force now.
    fn admits(&self, descriptor: u64) -> bool {
        match (self.descriptors, getrlimit(Resource::Nofile).current) {
            (Descriptors::All, _) | (_, None) => true,
            (Descriptors::AllButReserve, Some(limit)) => descriptor < business_end(limit),
        }
    }
}

/// Returns the first descriptor of the reserve.
fn business_end(limit: u64) -> u64 {
    limit - RESERVE.min(limit / LARGEST_PART)
}

impl Listener for Accepting {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let number = u64::try_from(stream.as_raw_fd()).unwrap_or_default();
                    if self.admits(number) {
                        return (stream, address);
                    }
                    // Dropping it gives the descriptor back.
                    tracing::debug!(number, "a connection was closed: descriptors run out");
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::debug!(reason = %error, "no connection could be accepted");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Says whether only the connection to be accepted is broken.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_never_takes_most_of_a_small_limit() {
        assert_eq!(business_end(1_024), 960);
        assert_eq!(business_end(64), 48);
        assert_eq!(business_end(0), 0);
    }
}
