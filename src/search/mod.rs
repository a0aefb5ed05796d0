//! Search over everything one can read here: Tantivy, in process.
//!
//! What always holds: the index can be thrown away. It lies in a folder named after what the program itself brings
//! (the written pages, the API) and a number; one that is missing, damaged or asked for anew is built beside the old
//! one under the next number, and searching goes on meanwhile. What changes while the site runs is followed through
//! the outbox, and each commit of the index says up to where.

mod analysis;
pub mod asked;
mod document;
mod feed;
mod follow;
mod highlight;
mod live;
mod query;
pub mod relevance;
mod schema;
mod store;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{sync::Notify, task::spawn_blocking};

use self::{
    document::fingerprint,
    feed::Batch,
    live::{Live, Place},
};
pub use self::{
    document::{SearchDocument, documents},
    follow::{follow, prepare, rebuild},
};
use crate::{
    contract::search::{SearchKind, SearchResults},
    crypto,
    random::Random,
};

pub const MAX_QUERY_CHARS: usize = 200;
pub const MAX_RESULTS: usize = 50;
/// Whoever builds or removes an index has the lock of this file.
const BUILDING: &str = "building.lock";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the search index failed")]
    Tantivy(#[from] tantivy::TantivyError),
    #[error("the search index folder {path} cannot be used: {source}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("the search index is damaged: {0}")]
    Damaged(String),
    #[error("the search index is being built")]
    NotReady,
    #[error("what is to be found cannot be read")]
    Database(#[from] sqlx::Error),
    /// With what a source says of it.
    #[error("what is to be found cannot be read: {0}")]
    Source(String),
    #[error("the search index was not worked on to the end")]
    CutOff,
}

/// What somebody looks for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub text: &'a str,
    /// Only this kind of thing; the facets count all kinds all the same.
    pub kind: Option<SearchKind>,
    pub limit: usize,
    pub offset: usize,
}

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct Search(Arc<Parts>);

struct Parts {
    directory: PathBuf,
    live: RwLock<Option<Arc<Live>>>,
    /// A search failed: the index is looked at.
    is_suspect: AtomicBool,
    news: Notify,
    asked: asked::Counts,
}

/// When an index that is already there will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unless {
    Never,
    /// Another process has built one with a higher number.
    NewerThan(u64),
}

impl Search {
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Ok(Self(Arc::new(Parts {
            directory: directory.to_owned(),
            live: RwLock::default(),
            is_suspect: AtomicBool::new(false),
            news: Notify::new(),
            asked: asked::Counts::default(),
        })))
    }

    /// Opens the index of exactly these documents, building it when it is not there or cannot be read. It follows
    /// nothing. Blocking.
    pub fn prepare(&self, documents: &[SearchDocument], random: &Random) -> Result<(), Error> {
        let named = fingerprint(documents);
        if self.open_newest(&named, 0) {
            return Ok(());
        }
        self.make(&named, [Ok(documents.to_vec())], None, random, Unless::NewerThan(0))
    }

    pub fn is_ready(&self) -> bool {
        self.live().is_ok()
    }

    /// How many documents can be found.
    pub fn document_count(&self) -> Result<u64, Error> {
        Ok(self.live()?.document_count())
    }

    /// What fits best, best first. Blocking, for a few milliseconds.
    pub fn find(&self, ask: &Ask<'_>) -> Result<SearchResults, Error> {
        let ask = Ask { limit: ask.limit.min(MAX_RESULTS), ..*ask };
        let found = self.live()?.find(&ask);
        if let Err(error) = &found {
            tracing::error!(%error, cause = cause(error), "a search failed; the index is looked at");
            self.suspect();
        }
        found
    }

    /// The same away from the threads that answer everybody else.
    pub async fn look_for(
        &self,
        text: &str,
        kind: Option<SearchKind>,
        limit: usize,
        offset: usize,
    ) -> Result<SearchResults, Error> {
        let (search, text) = (self.clone(), text.to_owned());
        let found = spawn_blocking(move || search.find(&Ask { text: &text, kind, limit, offset }));
        found.await.unwrap_or(Err(Error::CutOff))
    }

    /// Something that can be found has changed: whoever follows need not wait for the next look.
    pub fn nudge(&self) {
        self.0.news.notify_one();
    }

    /// Something failed that cannot while every file is what was written.
    fn suspect(&self) {
        self.0.is_suspect.store(true, Ordering::Relaxed);
        self.nudge();
    }

    fn take_suspicion(&self) -> bool {
        self.0.is_suspect.swap(false, Ordering::Relaxed)
    }

    async fn nudged(&self) {
        self.0.news.notified().await;
    }

    fn live(&self) -> Result<Arc<Live>, Error> {
        self.0.live.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::NotReady)
    }

    fn swap(&self, live: Live) {
        let before = self.0.live.write().unwrap_or_else(PoisonError::into_inner).replace(Arc::new(live));
        // Not under the lock: it may be the last one who has it, and closing takes a while.
        drop(before);
    }

    /// Opens the newest sound index of this name with a number above `than`, if there is one. Blocking.
    fn open_newest(&self, named: &str, than: u64) -> bool {
        let mut is_open = false;
        let mut is_harmed = false;
        for (number, folder) in self.folders(named) {
            if number <= than {
                break;
            }
            match Live::open(&folder, named, number) {
                Ok(live) => {
                    self.swap(live);
                    is_open = true;
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, cause = cause(&error), ?folder, "an index cannot be opened");
                    is_harmed = true;
                }
            }
        }
        if is_harmed {
            self.clean();
        }
        is_open
    }

    /// Builds an index of these documents and swaps it in. Blocking.
    fn make(
        &self,
        named: &str,
        batches: impl IntoIterator<Item = Batch>,
        place: Option<&Place>,
        random: &Random,
        unless: Unless,
    ) -> Result<(), Error> {
        let directory = &self.0.directory;
        fs::create_dir_all(directory).map_err(failed(directory))?;
        let building = self.building_lock()?;
        building.lock().map_err(failed(directory))?;
        if let Unless::NewerThan(number) = unless
            && self.open_newest(named, number)
        {
            return Ok(());
        }
        // Above the one that is open, too: its folder may be gone, and its number means that one to other processes.
        let on_disk = self.folders(named).first().map_or(0, |(number, _)| *number);
        let number = self.live().map_or(0, |live| live.number()).max(on_disk) + 1;
        let draft = directory.join(format!("draft-{}", crypto::to_hex(&random.bytes::<8>())));
        let folder = directory.join(format!("{named}-{number:06}"));
        fs::create_dir_all(&draft).map_err(failed(&draft))?;
        let built = live::build(&draft, batches, place)
            .and_then(|()| fs::rename(&draft, &folder).map_err(failed(&folder)));
        if let Err(error) = built {
            let _ = fs::remove_dir_all(&draft);
            return Err(error);
        }
        self.swap(Live::open(&folder, named, number)?);
        self.remove_unused();
        Ok(())
    }

    /// Removes what nobody has open any more, unless somebody is building. Blocking.
    fn clean(&self) {
        if let Ok(building) = self.building_lock()
            && building.try_lock().is_ok()
        {
            self.remove_unused();
        }
    }

    /// Under the lock of who builds, so that what is a draft now is nobody's. Failing to remove costs disk, nothing else.
    fn remove_unused(&self) {
        let Ok(entries) = fs::read_dir(&self.0.directory) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Kept until the folder is gone, so that nobody opens an index of which a part is left.
            let unused = if name.starts_with("index-") { live::unused(&path) } else { None };
            let is_left = name.starts_with("draft-") || unused.is_some();
            if is_left && fs::remove_dir_all(&path).is_err() {
                tracing::debug!(?path, "an old index could not be removed");
            }
            drop(unused);
        }
    }

    fn building_lock(&self) -> Result<File, Error> {
        let path = self.0.directory.join(BUILDING);
        File::options().create(true).write(true).truncate(false).open(&path).map_err(failed(&path))
    }

    /// The indexes of this name with their numbers, newest first.
    fn folders(&self, named: &str) -> Vec<(u64, PathBuf)> {
        let Ok(entries) = fs::read_dir(&self.0.directory) else { return Vec::new() };
        let numbered = entries.flatten().filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix(named)?.strip_prefix('-')?.parse().ok()?;
            Some((number, entry.path()))
        });
        let mut folders: Vec<(u64, PathBuf)> = numbered.collect();
        folders.sort_by(|a, b| b.cmp(a));
        folders
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Folder { path, source }
}

/// What is behind an error, for the log.
fn cause(error: &Error) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests;
