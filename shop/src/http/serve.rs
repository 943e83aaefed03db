//! Listening: bind first, then serve, then drain with a limit.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::accept::Accepting;
use crate::error::ShopError;

/// Which descriptors of the process a listener may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Descriptors {
    /// All but the reserve: for what customers can exhaust.
    AllButReserve,
    /// All: for what must answer when the others are exhausted.
    All,
}

/// A bound address that does not answer yet.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    descriptors: Descriptors,
    pub(crate) address: SocketAddr,
}

impl Bound {
    /// Binds `address`; `flag` is named when that fails.
    pub(crate) async fn bind(
        descriptors: Descriptors,
        address: SocketAddr,
        purpose: &'static str,
        flag: &str,
    ) -> Result<Self, ShopError> {
        let refused = |source| ShopError::Bind {
            address,
            purpose,
            flag: flag.to_owned(),
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self {
            listener,
            descriptors,
            address,
        })
    }

    /// Returns the URL a client on this machine reaches the listener by.
    pub(crate) fn url(&self) -> String {
        let mut reachable = self.address;
        if reachable.ip().is_unspecified() {
            reachable.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{reachable}")
    }

    /// Serves until `stop`, then lets running requests end for at most `drain_limit`.
    pub(crate) async fn serve(
        self,
        router: Router,
        stop: CancellationToken,
        drain_limit: Duration,
    ) {
        // Small answers must not wait for the acknowledgement of earlier ones.
        let listener = Accepting::new(self.listener, self.descriptors)
            .tap_io(|stream| drop(stream.set_nodelay(true)));
        let told = stop.clone();
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, router)
            .with_graceful_shutdown(async move { told.cancelled().await });
        let limit = async {
            stop.cancelled().await;
            tokio::time::sleep(drain_limit).await;
        };
        tokio::select! {
            _ = serving => {}
            () = limit => tracing::warn!("requests were still running at the end of the drain"),
        }
    }
}
