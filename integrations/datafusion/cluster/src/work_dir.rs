//! The folder of an executor's shuffle files, which goes away with the executor.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::problem::{Problem, Result};

/// How the folders begin, so that an executor can find those of others that were killed.
const PREFIX: &str = "tiktally-executor-";

/// A folder for this process alone. Dropping it removes it with all it has.
#[derive(Debug)]
pub(crate) struct WorkDir {
    path: PathBuf,
    // held open: the lock says that the owner is alive
    _lock: File,
}

impl WorkDir {
    /// Creates a folder below `parent`. First removes those there whose executors were killed.
    pub(crate) fn create(parent: &Path) -> Result<Self> {
        fs::create_dir_all(parent).map_err(|error| at(parent, &error))?;
        remove_orphans(parent);
        let path = parent.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir_all(path.join("shuffle")).map_err(|error| at(&path, &error))?;
        let lock = File::create(path.join("lock")).map_err(|error| at(&path, &error))?;
        lock.try_lock().map_err(|error| at(&path, &error.into()))?;
        Ok(Self { path, _lock: lock })
    }

    /// Returns the folder for the shuffle files.
    pub(crate) fn shuffle(&self) -> PathBuf {
        self.path.join("shuffle")
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Removes the folders of executors that are no longer alive. Problems are left for the next executor.
fn remove_orphans(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_ours = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if is_ours && File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok()) {
            log::info!(
                "removing {}, left by an executor that was killed",
                path.display()
            );
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn at(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(format!(
        "cannot use {} for shuffle files: {error}. Give another folder with --work-dir",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_dead_executors_are_removed_and_those_of_living_ones_stay() {
        let parent = tempfile::tempdir().unwrap();
        let orphan = parent.path().join(format!("{PREFIX}0"));
        fs::create_dir_all(orphan.join("shuffle/job")).unwrap();
        File::create(orphan.join("lock")).unwrap();
        fs::create_dir(parent.path().join("other")).unwrap();

        let own = WorkDir::create(parent.path()).unwrap();
        assert!(!orphan.exists());
        assert!(parent.path().join("other").exists());
        remove_orphans(parent.path());
        assert!(own.shuffle().exists());

        let path = own.shuffle();
        drop(own);
        assert!(!path.exists());
    }
}
