//! Search over everything one can read here: Tantivy, in process.
//!
//! What always holds: the index can be thrown away. It lies in a folder named after what it was built from,
//! so a node whose index is missing, corrupt or built from other documents builds it anew, beside the old one,
//! and swaps; searching goes on meanwhile.

mod document;
mod query;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tantivy::{
    Index, IndexReader, ReloadPolicy, TantivyDocument,
    schema::{Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions},
};

pub use document::{SearchDocument, collect};

use crate::{contract::search::SearchResults, crypto, random::Random};

pub const MAX_QUERY_CHARS: usize = 200;
pub const MAX_RESULTS: usize = 50;
/// Changes when the schema or the analysis does, so that older indexes are not opened.
const FORMAT: &str = "1";
const WRITER_BYTES: usize = 20_000_000;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the search index failed")]
    Tantivy(#[from] tantivy::TantivyError),
    #[error("the search index folder {path} cannot be used: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the search index is being built")]
    NotReady,
}

#[derive(Clone)]
pub struct Search {
    directory: Arc<PathBuf>,
    live: Arc<RwLock<Option<Live>>>,
}

#[derive(Clone)]
struct Live {
    index: Index,
    reader: IndexReader,
    fields: Fields,
}

#[derive(Debug, Clone, Copy)]
struct Fields {
    url: Field,
    kind: Field,
    title: Field,
    body: Field,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let text = TextOptions::default().set_stored().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("en_stem")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions),
    );
    let fields = Fields {
        url: builder.add_text_field("url", STRING | STORED),
        kind: builder.add_text_field("kind", STRING | STORED),
        title: builder.add_text_field("title", text.clone()),
        body: builder.add_text_field("body", text),
    };
    (builder.build(), fields)
}

impl Search {
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Ok(Self { directory: Arc::new(directory.to_owned()), live: Arc::default() })
    }

    /// Opens the index of these documents, building it when it is not there or cannot be read. Blocking.
    pub fn prepare(&self, documents: &[SearchDocument], random: &Random) -> Result<(), Error> {
        let folder = self.directory.join(fingerprint(documents));
        if let Ok(live) = open(&folder) {
            self.swap(live);
            return Ok(());
        }
        self.rebuild(documents, random)
    }

    /// Builds the index anew, whatever is there. Blocking.
    pub fn rebuild(&self, documents: &[SearchDocument], random: &Random) -> Result<(), Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Folder { path, source }
        };
        let folder = self.directory.join(fingerprint(documents));
        let draft = self.directory.join(format!("draft-{}", crypto::to_hex(&random.bytes::<8>())));
        std::fs::create_dir_all(&draft).map_err(failed(&draft))?;
        let built = write(&draft, documents);
        if let Err(error) = built {
            let _ = std::fs::remove_dir_all(&draft);
            return Err(error);
        }
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(failed(&folder))?;
        }
        if let Err(error) = std::fs::rename(&draft, &folder) {
            let _ = std::fs::remove_dir_all(&draft);
            // Another process of this folder has put its own there first: the same documents, so the same index.
            if !folder.exists() {
                return Err(failed(&folder)(error));
            }
        }
        self.swap(open(&folder)?);
        self.remove_others(&folder);
        Ok(())
    }

    pub fn is_ready(&self) -> bool {
        self.live.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// How many documents can be found.
    pub fn document_count(&self) -> Result<u64, Error> {
        Ok(self.live()?.reader.searcher().num_docs())
    }

    /// What fits best to `text`, best first.
    pub fn find(&self, text: &str, limit: usize) -> Result<SearchResults, Error> {
        query::find(&self.live()?, text, limit.min(MAX_RESULTS))
    }

    fn live(&self) -> Result<Live, Error> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::NotReady)
    }

    fn swap(&self, live: Live) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(live);
    }

    /// Indexes of other documents are of no use. Failing to remove them costs disk, nothing else; readers that
    /// still have one open keep it.
    fn remove_others(&self, keep: &Path) {
        let Ok(entries) = std::fs::read_dir(&*self.directory) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_index = entry.file_name().to_string_lossy().starts_with("index-");
            if is_index && path != keep {
                let _ = std::fs::remove_dir_all(path);
            }
        }
    }
}

fn open(folder: &Path) -> Result<Live, Error> {
    let (_, fields) = schema();
    let index = Index::open_in_dir(folder)?;
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    Ok(Live { index, reader, fields })
}

fn write(folder: &Path, documents: &[SearchDocument]) -> Result<(), Error> {
    let (schema, fields) = schema();
    let index = Index::create_in_dir(folder, schema)?;
    let mut writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
    for document in documents {
        let mut stored = TantivyDocument::new();
        stored.add_text(fields.url, &document.url);
        stored.add_text(fields.kind, document.kind.as_str());
        stored.add_text(fields.title, &document.title);
        stored.add_text(fields.body, &document.body);
        writer.add_document(stored)?;
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    Ok(())
}

fn fingerprint(documents: &[SearchDocument]) -> String {
    let mut bytes = FORMAT.as_bytes().to_vec();
    for document in documents {
        for part in [&document.url, document.kind.as_str(), &document.title, &document.body] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
    }
    format!("index-{}", &crypto::to_hex(&crypto::sha256(&bytes))[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::search::SearchKind;

    fn documents() -> Vec<SearchDocument> {
        [
            (
                "/legal/privacy",
                "Privacy",
                "What the editor sends, and what we store: license checks and updates.",
            ),
            ("/legal/terms", "Terms", "Licenses are sold per seat. A license key activates a machine."),
            ("/about", "About", "An editor that works <b>on its own</b>."),
        ]
        .map(|(url, title, body)| SearchDocument {
            url: url.to_owned(),
            kind: SearchKind::Page,
            title: title.to_owned(),
            body: body.to_owned(),
        })
        .to_vec()
    }

    fn ready(folder: &Path) -> Search {
        let search = Search::open(folder).expect("opens");
        search.prepare(&documents(), &Random::seeded(1)).expect("builds");
        search
    }

    #[test]
    fn the_title_counts_most_and_words_are_stemmed() {
        let folder = tempfile::tempdir().expect("a folder");
        let search = ready(folder.path());
        let found = search.find("privacy", 10).expect("found");
        assert_eq!(found.items[0].url, "/legal/privacy");
        let found = search.find("activating machines", 10).expect("found");
        assert_eq!(found.items[0].url, "/legal/terms");
        assert!(found.items[0].excerpt_html.contains("<mark>"), "{}", found.items[0].excerpt_html);
    }

    #[test]
    fn the_last_word_may_be_unfinished() {
        let folder = tempfile::tempdir().expect("a folder");
        let found = ready(folder.path()).find("priv", 10).expect("found");
        assert_eq!(found.items[0].url, "/legal/privacy");
    }

    #[test]
    fn no_query_panics_or_injects_markup() {
        let folder = tempfile::tempdir().expect("a folder");
        let search = ready(folder.path());
        let long = "license ".repeat(2_000);
        for text in
            ["", " ", "\"", "c++", "title:x AND (", "/x/", "日本語", "🔥", "<script>", "a* ~2 ^3", "-", &long]
        {
            let found = search.find(text, 10).expect(text);
            for hit in found.items {
                assert!(!hit.excerpt_html.contains("<script") && !hit.excerpt_html.contains("<b>"));
            }
        }
        let found = search.find("own", 10).expect("found");
        assert!(found.items[0].excerpt_html.contains("&lt;b&gt;"), "{}", found.items[0].excerpt_html);
    }

    #[test]
    fn a_corrupt_index_is_built_anew_and_old_ones_go() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(ready(folder.path()));
        std::fs::create_dir(folder.path().join("index-old")).expect("made");
        for entry in std::fs::read_dir(folder.path()).expect("listed").flatten() {
            let meta = entry.path().join("meta.json");
            if meta.exists() {
                std::fs::write(meta, "{").expect("written");
            }
        }
        let search = ready(folder.path());
        assert_eq!(search.document_count().expect("ready"), 3);
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
    }
}
