//! An index on disk: how it is built, opened, read, and written to.
//!
//! What always holds: whoever reads an index has a share in its folder's lock, so that nobody removes it; one at a time
//! writes to it, over all processes, and only while there is something to write; what is searched is a commit, whole,
//! and says up to which event it knows what happened.

use std::{
    fmt,
    fs::{self, File},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tantivy::{
    Directory, Index, IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError,
    directory::{META_LOCK, error::LockError},
    indexer::IndexWriterOptions,
};
use time::{Duration, OffsetDateTime};

use super::{
    Ask, Error, SearchDocument, failed,
    feed::Batch,
    query,
    schema::{Fields, register, schema, stored, thing_term},
};
use crate::{contract::search::SearchResults, outbox::Cursor};

const META: &str = "meta.json";
const FILES: &str = ".managed.json";
/// Readers share the lock of this file; who has it alone may remove the folder.
const USED: &str = "used.lock";
/// What a writer may keep in memory.
const WRITER_BYTES: usize = 20_000_000;
/// How long it is remembered in memory only that what happened changes nothing here.
const KEEP_UNSAID: Duration = Duration::minutes(5);

/// Up to where an index knows what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Where that was, as `store::database` names it. Another database counts from elsewhere.
    pub database: String,
    pub cursor: Cursor,
    pub at: OffsetDateTime,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.at.unix_timestamp(), self.cursor, self.database)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, ' ');
        let mut part = || parts.next().ok_or(());
        let at: i64 = part()?.parse().map_err(|_| ())?;
        let cursor: Cursor = part()?.parse()?;
        let database = part()?.to_owned();
        Ok(Self { database, cursor, at: OffsetDateTime::from_unix_timestamp(at).map_err(|_| ())? })
    }
}

/// What replaces all documents of a thing. None of them: it can no longer be found.
pub(super) struct Change {
    pub thing: String,
    pub documents: Vec<SearchDocument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// Another process writes; what it wrote is there at the next look.
    Busy,
}

/// An index that is open.
pub(super) struct Live {
    folder: PathBuf,
    named: String,
    number: u64,
    index: Index,
    reader: IndexReader,
    fields: Fields,
    seen: Mutex<Seen>,
    _used: File,
}

/// What was read last.
struct Seen {
    meta: Vec<u8>,
    /// As the last commit says it.
    said: Option<Place>,
    /// Where reading has come to, which may be further.
    place: Option<Place>,
}

impl Live {
    /// The index in this folder, which is the one of this name with this number.
    pub fn open(folder: &Path, named: &str, number: u64) -> Result<Self, Error> {
        let path = folder.join(USED);
        let used = File::options().create(true).write(true).truncate(false).open(&path);
        let used = used.map_err(failed(&path))?;
        used.lock_shared().map_err(failed(&path))?;
        unbroken(|| Self::read(folder, named, number, used))
    }

    fn read(folder: &Path, named: &str, number: u64, used: File) -> Result<Self, Error> {
        // Read first, so that what is committed meanwhile is seen at the next look.
        let meta = read_meta(folder)?;
        let (expected, fields) = schema();
        let index = open_index(folder)?;
        if index.schema() != expected {
            return Err(Error::Damaged("its schema is another one".to_owned()));
        }
        check(folder, &index)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let said = place_of(&index)?;
        let seen = Mutex::new(Seen { meta, place: said.clone(), said });
        let (folder, named) = (folder.to_owned(), named.to_owned());
        Ok(Self { folder, named, number, index, reader, fields, seen, _used: used })
    }

    pub fn named(&self) -> &str {
        &self.named
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn document_count(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    pub fn find(&self, ask: &Ask<'_>) -> Result<SearchResults, Error> {
        unbroken(|| query::find(&self.reader.searcher(), &self.index, &self.fields, ask))
    }

    /// Up to where it is known what happened; none for an index of given documents, which follows nothing.
    pub fn place(&self) -> Option<Place> {
        self.seen().place.clone()
    }

    /// Goes on to `place` without a word on disk, unless it is time for one: what happened changes nothing here. Whether
    /// it went on.
    pub fn pass(&self, place: &Place) -> bool {
        let mut seen = self.seen();
        let is_due = seen.said.as_ref().is_none_or(|said| place.at - said.at >= KEEP_UNSAID);
        if !is_due {
            seen.place = Some(place.clone());
        }
        !is_due
    }

    /// Takes up what was committed since, by whomever. An error means that the folder is not what it was.
    pub fn refresh(&self) -> Result<(), Error> {
        let meta = read_meta(&self.folder)?;
        let mut seen = self.seen();
        if seen.meta == meta {
            return Ok(());
        }
        unbroken(|| self.reader.reload().map_err(Error::from))?;
        let said = place_of(&self.index)?;
        let is_further = |place: &Place| seen.place.as_ref().is_none_or(|known| known.cursor < place.cursor);
        if said.as_ref().is_some_and(is_further) {
            seen.place.clone_from(&said);
        }
        seen.said = said;
        seen.meta = meta;
        Ok(())
    }

    /// Whether every file is what was written.
    pub fn examine(&self) -> Result<(), Error> {
        unbroken(|| check(&self.folder, &open_index(&self.folder)?))
    }

    /// Writes changes and commits them with the place they lead to.
    pub fn write(&self, changes: &[Change], place: &Place) -> Result<Written, Error> {
        unbroken(|| self.commit(changes, place))
    }

    fn commit(&self, changes: &[Change], place: &Place) -> Result<Written, Error> {
        let before = read_meta(&self.folder)?;
        // Opened anew: others may have written, and the list of files has to be as they left it.
        let index = open_index(&self.folder)?;
        let writer = match writer(&index) {
            Ok(writer) => writer,
            Err(TantivyError::LockFailure(LockError::LockBusy, _)) => return Ok(Written::Busy),
            Err(error) => return Err(error.into()),
        };
        if read_meta(&self.folder)? != before {
            return Ok(Written::Busy);
        }
        if place_of(&index)?.is_some_and(|there| there.cursor >= place.cursor) {
            return Ok(Written::Done);
        }
        for change in changes {
            writer.delete_term(thing_term(&self.fields, &change.thing));
            for document in &change.documents {
                writer.add_document(stored(&self.fields, document))?;
            }
        }
        finish(writer, Some(place))?;
        Ok(Written::Done)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes an index of these documents into an empty folder, one batch of them in memory at a time.
pub(super) fn build(
    folder: &Path,
    batches: impl IntoIterator<Item = Batch>,
    place: Option<&Place>,
) -> Result<(), Error> {
    let (schema, fields) = schema();
    let index = Index::create_in_dir(folder, schema)?;
    register(&index);
    let writer = writer(&index)?;
    for batch in batches {
        for document in &batch? {
            writer.add_document(stored(&fields, document))?;
        }
    }
    finish(writer, place)
}

/// The lock of a folder whose index nobody reads. Who opens it waits until the lock is dropped.
pub(super) fn unused(folder: &Path) -> Option<File> {
    let used = File::options().create(true).write(true).truncate(false).open(folder.join(USED)).ok()?;
    used.try_lock().is_ok().then_some(used)
}

fn open_index(folder: &Path) -> Result<Index, Error> {
    let index = Index::open_in_dir(folder)?;
    register(&index);
    Ok(index)
}

fn writer(index: &Index) -> Result<IndexWriter<TantivyDocument>, TantivyError> {
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .num_merge_threads(1)
        .memory_budget_per_thread(WRITER_BYTES)
        .build();
    index.writer_with_options(options)
}

fn finish(mut writer: IndexWriter<TantivyDocument>, place: Option<&Place>) -> Result<(), Error> {
    let mut commit = writer.prepare_commit()?;
    if let Some(place) = place {
        commit.set_payload(&place.to_string());
    }
    commit.commit()?;
    writer.wait_merging_threads()?;
    Ok(())
}

fn read_meta(folder: &Path) -> Result<Vec<u8>, Error> {
    let path = folder.join(META);
    fs::read(&path).map_err(failed(&path))
}

fn place_of(index: &Index) -> Result<Option<Place>, Error> {
    let payload = index.load_metas()?.payload;
    payload
        .map(|text| text.parse().map_err(|()| Error::Damaged("its place cannot be read".to_owned())))
        .transpose()
}

/// Compares each file with its checksum.
fn check(folder: &Path, index: &Index) -> Result<(), Error> {
    if !folder.join(FILES).exists() {
        return Err(Error::Damaged("its list of files is missing".to_owned()));
    }
    // What is looked at is not tidied away by a writer meanwhile.
    let _reading = index.directory().acquire_lock(&META_LOCK).map_err(TantivyError::from)?;
    let damaged = index.validate_checksum()?;
    match damaged.iter().next() {
        None => Ok(()),
        Some(file) => Err(Error::Damaged(format!("{} files, among them {}", damaged.len(), file.display()))),
    }
}

/// Files that are not what was written make Tantivy panic in places; that is an error like others.
fn unbroken<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Damaged("reading it panicked".to_owned())))
}
