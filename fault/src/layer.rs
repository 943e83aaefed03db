//! Carries out decisions on the requests of a service.
//!
//! Order of layers, outermost first: trace, metrics, fault, handler; so an injected failure is
//! counted as the failure it is. Apply it with `Router::layer` or `Router::route_layer`: the route
//! comes from axum's `MatchedPath`, or from a [`RouteTemplate`] that another kind of router sets.

mod act;
mod reply;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::MatchedPath;
use bytes::Bytes;
use http::{Request, Response};
use tower::{Layer, Service};

use crate::decide;
use crate::kinds::Seam;
use crate::model::FaultId;
use crate::registry::Registry;

use act::Plan;

/// An extension of a response that faults touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected(
    /// Which, in the order in which they acted.
    pub Vec<FaultId>,
);

/// An extension of a request that names its route template, for routers that are not axum's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteTemplate(
    /// Such as `/products/:id`.
    pub &'static str,
);

/// An extension of a request: requests with the same key share one fate (a user, for example).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickyKey(
    /// The key.
    pub Arc<str>,
);

/// Breaks the requests of one service as the registry says.
#[derive(Debug, Clone)]
pub struct FaultLayer {
    registry: Registry,
    service: Arc<str>,
}

impl FaultLayer {
    /// Returns the layer of one service, and offers to carry out its request faults.
    pub fn new(registry: Registry, service: &str) -> Self {
        registry.offer(Seam::Request, service);
        Self {
            registry,
            service: service.into(),
        }
    }
}

impl<S> Layer<S> for FaultLayer {
    type Service = FaultService<S>;

    fn layer(&self, inner: S) -> FaultService<S> {
        FaultService {
            inner,
            registry: self.registry.clone(),
            service: Arc::clone(&self.service),
        }
    }
}

/// A service behind a [`FaultLayer`].
#[derive(Debug, Clone)]
pub struct FaultService<S> {
    inner: S,
    registry: Registry,
    service: Arc<str>,
}

impl<S, Req, Res> Service<Request<Req>> for FaultService<S>
where
    S: Service<Request<Req>, Response = Response<Res>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    Req: Send + 'static,
    Res: From<Bytes> + Send + 'static,
{
    type Response = Response<Res>;
    type Error = S::Error;
    type Future = FaultFuture<S::Future, S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        if self.registry.is_idle() {
            return FaultFuture {
                state: State::Pass {
                    future: self.inner.call(request),
                },
            };
        }
        let Some(plan) = self.plan(&request) else {
            return FaultFuture {
                state: State::Pass {
                    future: self.inner.call(request),
                },
            };
        };
        // The service that was polled ready is the one to call, later; its clone takes its place.
        let fresh = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, fresh);
        FaultFuture {
            state: State::Act {
                future: Box::pin(plan.carry_out(ready, request)),
            },
        }
    }
}

impl<S> FaultService<S> {
    fn plan<B>(&self, request: &Request<B>) -> Option<Plan> {
        let extensions = request.extensions();
        let matched = extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let given = || extensions.get::<RouteTemplate>().map(|route| route.0);
        let sticky = extensions.get::<StickyKey>().map(|key| &*key.0);
        let request = decide::Request {
            service: &self.service,
            route: matched.or_else(given).unwrap_or_default(),
            method: request.method().as_str(),
            sticky,
        };
        Plan::of(&self.registry, &request)
    }
}

pin_project_lite::pin_project! {
    /// What a [`FaultService`] returns.
    pub struct FaultFuture<F, R, E> {
        #[pin]
        state: State<F, R, E>,
    }
}

pin_project_lite::pin_project! {
    #[project = Projected]
    enum State<F, R, E> {
        // The inner service's own future.
        Pass { #[pin] future: F },
        // The request waits or fails.
        Act { future: Acting<R, E> },
    }
}

type Acting<R, E> = Pin<Box<dyn Future<Output = Result<R, E>> + Send>>;

impl<F, R, E> Future for FaultFuture<F, R, E>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Pass { future } => future.poll(cx),
            Projected::Act { future } => future.as_mut().poll(cx),
        }
    }
}
