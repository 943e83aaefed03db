//! A service of its own that embeds the fault layer; no shop, no dashboard.
//!
//! ```sh
//! cargo run -p fault --example embed
//! ```
//!
//! It says where it listens and where it wrote its token. Then, with `TOKEN=$(cat FILE)`:
//!
//! ```sh
//! curl -i localhost:8088/greet/world
//! curl -X PUT localhost:9488/faults/rude -H "Authorization: Bearer $TOKEN" \
//!   -H 'Content-Type: application/json' -d '{"fault": {"kind": "error", "status": 503,
//!   "share": "50%", "where": {"route": "/greet/:name"}}, "for": "1m", "lease": "1m",
//!   "owner": "me", "reason": "trying it"}'
//! curl -X DELETE "localhost:9488/faults?reason=done" -H "Authorization: Bearer $TOKEN"
//! ```

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use fault::control::{self, ControlConfig};
use fault::layer::FaultLayer;
use fault::{Registry, token};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example says where it listens")]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();

    // 1. The service, wrapped. The metrics layer would be added after this line, so that it is
    //    outside and counts injected failures as failures.
    let service = Router::new()
        .route(
            "/greet/{name}",
            get(async |Path(name): Path<String>| format!("Hello, {name}!\n")),
        )
        .layer(FaultLayer::new(registry.clone(), "greeter"));

    // 2. Its control API, on a listener of its own, with a token that only this user can read.
    let token = token::generate();
    let token_file = std::env::temp_dir().join(format!("greeter-{}.token", std::process::id()));
    token::write_private(&token_file, &token)?;
    let config = ControlConfig::loopback(token);
    let control_address: SocketAddr = "127.0.0.1:9488".parse()?;
    config.check(control_address)?;
    let control = TcpListener::bind(control_address).await?;
    let business = TcpListener::bind("127.0.0.1:8088").await?;
    println!(
        "service on {}, control on {control_address}, token in {}",
        business.local_addr()?,
        token_file.display()
    );

    // 3. On a runtime of its own the control API answers whatever the service suffers.
    std::thread::spawn(move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let control = control.into_std()?;
        runtime.block_on(async {
            axum::serve(
                TcpListener::from_std(control)?,
                control::router(registry, config),
            )
            .await
        })
    });
    axum::serve(business, service).await?;
    Ok(())
}
