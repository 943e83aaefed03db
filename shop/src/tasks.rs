//! What is done to a shop's database and then over: making admins, and filling the shop.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read},
    path::Path,
};

use fault::Registry;

use crate::{
    cache::Caches,
    cli::tasks::{AdminAction, CreateAdminArgs, Task},
    config::{DataPlace, ShopConfig},
    data::Folder,
    error::ShopError,
    http::call,
    roles::{self, NewAdmin, Parts},
    secret::Secret,
    telemetry::metrics::Metrics,
};

mod seed;

/// Longest line that is read as a password.
const LONGEST_LINE: u64 = 1_024;

/// Does one task, on a runtime of its own; returns what to tell the person.
pub(crate) fn run(task: &Task) -> Result<String, ShopError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    match task {
        Task::Admin(args) => {
            let AdminAction::Create(args) = &args.action;
            let new = new_admin(args)?;
            let config = ShopConfig::try_from(&args.shop)?;
            runtime.block_on(create_admin(config, new))
        }
        Task::Seed(args) => runtime.block_on(seed::seed(args)),
    }
}

async fn create_admin(config: ShopConfig, new: NewAdmin) -> Result<String, ShopError> {
    refuse_temporary(&config)?;
    let username = new.username.clone();
    let folder = Folder::make(&config.data)?;
    let metrics = Metrics::new(&[]);
    let parts = Parts {
        config: &config,
        metrics: &metrics,
        faults: &Registry::new(),
        place: &folder.place(),
        reachable: &[],
        client: &call::client()?,
        caches: &Caches::new(None, metrics.cache.clone())?,
    };
    let id = roles::create_admin(parts, new).await?;
    Ok(format!("{username} (id {id}) may administer the shop"))
}

/// A database that is removed at the end is not what was meant.
fn refuse_temporary(config: &ShopConfig) -> Result<(), ShopError> {
    if config.data == DataPlace::Temporary {
        let reason = "say which shop with --data-dir DIR or --database-url URL".to_owned();
        return Err(ShopError::Task(reason));
    }
    Ok(())
}

fn new_admin(args: &CreateAdminArgs) -> Result<NewAdmin, ShopError> {
    let password = match &args.password_file {
        Some(path) => {
            let refused = |source| ShopError::File {
                doing: "read the password from",
                path: path.clone(),
                source,
            };
            first_line(File::open(path).map_err(refused)?).map_err(refused)?
        }
        None => first_line(std::io::stdin()).map_err(|source| ShopError::File {
            doing: "read the password from",
            path: Path::new("stdin").to_owned(),
            source,
        })?,
    };
    Ok(NewAdmin {
        username: args.username.clone(),
        password,
        reset: args.reset,
    })
}

fn first_line(from: impl Read) -> std::io::Result<Secret> {
    let mut line = String::new();
    BufReader::new(from.take(LONGEST_LINE)).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn a_password_is_one_line_with_its_blanks() {
        let line = first_line(&b" pass word \r\nnext"[..]).unwrap();
        assert_eq!(line.expose(), " pass word ");
        assert_eq!(first_line(&b""[..]).unwrap().expose(), "");
    }
}
