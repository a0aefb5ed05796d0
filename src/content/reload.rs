//! In development, what is written is read anew when a file changes.
//!
//! What always holds: a page with a mistake changes nothing. The mistake goes to the log and the last catalogue that
//! was whole stays.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Catalogue, Content};
use crate::{config::Mode, context::Context, support::knowledge};

/// Only a debug build reads `content/` from disk, and only from here.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/content");

const PAUSE: Duration = Duration::from_secs(1);

/// When each file was last written, and how long it is.
type Mark = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl Content {
    /// Runs until the process ends; at once over where nothing can change.
    pub async fn follow(ctx: Context, changed: impl Fn() + Send) {
        if !cfg!(debug_assertions) || ctx.config.mode != Mode::Development {
            return;
        }
        let mut seen = mark(Path::new(FOLDER)).unwrap_or_default();
        loop {
            tokio::time::sleep(PAUSE).await;
            // While a file is being replaced it may be missing: the next look sees it.
            let Ok(now) = mark(Path::new(FOLDER)) else { continue };
            if now == seen {
                continue;
            }
            seen = now;
            let operator = ctx.config.operator.clone();
            match tokio::task::spawn_blocking(move || Catalogue::load(&operator)).await {
                Ok(Ok(catalogue)) => {
                    ctx.content.replace(catalogue);
                    changed();
                    tracing::info!("the written pages were read anew");
                    if let Err(error) = knowledge::seed(&ctx).await {
                        tracing::warn!(?error, "the starting articles stay as they were");
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "a written page has a mistake: the last ones stay"),
                Err(error) => tracing::error!(%error, "the written pages could not be read"),
            }
        }
    }
}

fn mark(folder: &Path) -> io::Result<Mark> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let about = entry.metadata()?;
            if about.is_dir() {
                folders.push(entry.path());
            } else {
                found.push((entry.path(), about.modified().ok(), about.len()));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::operator;

    #[test]
    fn a_change_is_seen_wherever_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("docs")).expect("a folder in it");
        let page = folder.path().join("docs/a.md");
        std::fs::write(&page, "one").expect("written");
        let before = mark(folder.path()).expect("read");
        assert_eq!(mark(folder.path()).expect("read"), before);
        std::fs::write(&page, "another").expect("written");
        let after = mark(folder.path()).expect("read");
        assert_ne!(after, before);
        std::fs::remove_file(&page).expect("removed");
        assert!(mark(folder.path()).expect("read").is_empty());
    }

    #[test]
    fn a_snapshot_stays_what_it_was() {
        let content = Content::load(&operator()).expect("content is sound");
        let before = content.now();
        content.replace(Catalogue::default());
        assert!(before.find("site", "about").is_some());
        assert!(content.now().find("site", "about").is_none());
    }
}
