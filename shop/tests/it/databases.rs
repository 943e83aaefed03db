//! The same promises on every database: where a test that needs one runs on SQLite, PostgreSQL and MariaDB.

use shop::config::{DataPlace, ShopConfig};

use crate::servers::Server;

/// Returns an empty database of each kind that is to be had here.
pub(crate) async fn databases() -> Vec<(&'static str, DataPlace)> {
    let mut all = vec![("sqlite", DataPlace::Temporary)];
    for (name, server) in [
        ("postgresql", Server::postgres()),
        ("mariadb", Server::mariadb()),
    ] {
        if let Some(server) = server {
            let url = server.database().await;
            all.push((name, DataPlace::from_url(&url).unwrap()));
        }
    }
    all
}

/// Runs a test on every database, one after the other.
#[expect(clippy::print_stdout, reason = "captured unless the test fails")]
pub(crate) async fn on_every_database(check: impl AsyncFn(ShopConfig)) {
    for (name, place) in databases().await {
        // Captured unless the test fails, and then the last one is to blame.
        println!("on {name}");
        let mut config = ShopConfig::on_free_ports();
        config.data = place;
        check(config).await;
    }
}

/// Returns a shop on a database, without what happens by lot or by itself.
pub(crate) fn quiet(place: DataPlace) -> ShopConfig {
    let mut config = ShopConfig::on_free_ports();
    config.data = place;
    config.decline_share = Some(0.0);
    config.restock_every = None;
    config
}
