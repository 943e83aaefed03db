//! Where the databases of a process live: in a folder, or on a server.
//!
//! A temporary folder goes with its process. One that was killed cannot tidy up after itself, so
//! the next one does: a folder whose lock nobody holds belongs to nobody.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    config::DataPlace,
    db::{DatabaseServer, Place},
    error::ShopError,
};

const PREFIX: &str = "obs-tui-shop-";
const LOCK: &str = "in-use";

/// The folder of the databases, if they have one.
#[derive(Debug)]
pub(crate) enum Folder {
    /// Removed when dropped, and locked until then.
    Temporary(
        TempDir,
        #[expect(dead_code, reason = "held, not read: closing it unlocks")] File,
    ),
    /// Left as it is.
    Kept(PathBuf),
    /// None: they are on a server.
    Elsewhere(DatabaseServer),
}

impl Folder {
    /// Makes the folder, or takes the one that was given.
    pub(crate) fn make(place: &DataPlace) -> Result<Self, ShopError> {
        match place {
            DataPlace::Temporary => {
                let parent = std::env::temp_dir();
                remove_abandoned(&parent);
                temporary(&parent).map_err(refused(&parent))
            }
            DataPlace::Folder(path) => {
                fs::create_dir_all(path).map_err(refused(path))?;
                Ok(Self::Kept(path.clone()))
            }
            DataPlace::Server(server) => Ok(Self::Elsewhere(server.clone())),
        }
    }

    /// Returns where the databases of the roles are.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Temporary(folder, _) => Place::Folder(folder.path().to_owned()),
            Self::Kept(path) => Place::Folder(path.clone()),
            Self::Elsewhere(server) => Place::Server(server.clone()),
        }
    }
}

fn refused(path: &Path) -> impl FnOnce(std::io::Error) -> ShopError {
    move |source| ShopError::File {
        doing: "make the data folder in",
        path: path.to_owned(),
        source,
    }
}

fn temporary(parent: &Path) -> std::io::Result<Folder> {
    let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
    // The lock has its name only once it is held, so that nobody takes it in between.
    let unnamed = folder.path().join("starting");
    let lock = File::create_new(&unnamed)?;
    lock.lock()?;
    fs::rename(&unnamed, folder.path().join(LOCK))?;
    Ok(Folder::Temporary(folder, lock))
}

/// Removes what processes left that were killed; what cannot be read or removed stays.
fn remove_abandoned(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for folder in ours.map(|entry| entry.path()) {
        let lock = File::open(folder.join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOCK, PREFIX, Place, remove_abandoned, temporary};

    #[test]
    fn a_folder_is_removed_when_its_process_is_gone_and_not_before() {
        let parent = tempfile::tempdir().unwrap();
        let alive = temporary(parent.path()).unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        let foreign = parent.path().join("other");
        for folder in [&dead, &foreign] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join(LOCK), "").unwrap();
        }
        remove_abandoned(parent.path());
        let Place::Folder(path) = alive.place() else {
            panic!("it is a folder");
        };
        assert!(path.exists() && foreign.exists() && !dead.exists());
        drop(alive);
        assert!(!path.exists());
    }
}
