//! The life of an index on disk.

use tempfile::TempDir;
use time::macros::datetime;

use super::{
    live::{Change, Written},
    *,
};
use crate::outbox::Cursor;

/// A way in which files come to harm: what is done to which.
type Harm = (&'static str, fn(&Path));

fn document(thing: &str, title: &str, body: &str) -> SearchDocument {
    SearchDocument {
        thing: thing.to_owned(),
        url: format!("/{thing}"),
        kind: SearchKind::Docs,
        title: title.to_owned(),
        trail: Vec::new(),
        body: body.to_owned(),
        code: String::new(),
        keywords: String::new(),
        date: None,
        is_page: true,
    }
}

fn documents() -> Vec<SearchDocument> {
    vec![
        document("docs/privacy", "Privacy", "What the editor sends, and what we keep."),
        document("docs/activate", "Activate a license", "A license key activates a machine."),
    ]
}

fn place(number: u8) -> Place {
    Place {
        database: "16384 a database".to_owned(),
        cursor: format!("{number}.1").parse().expect("a cursor"),
        at: datetime!(2026-11-20 10:00 UTC),
    }
}

/// An index of the documents above, with a place.
fn built(folder: &TempDir) -> (Search, String) {
    let search = Search::open(folder.path()).expect("opened");
    let named = fingerprint(&documents());
    search
        .make(&named, [Ok(documents())], Some(&place(1)), &Random::seeded(1), Unless::Never)
        .expect("built");
    (search, named)
}

fn titles(search: &Search, text: &str) -> Vec<String> {
    let ask = Ask { text, kind: None, limit: 10, offset: 0 };
    let found = search.find(&ask).expect("looked for");
    found.items.into_iter().map(|hit| hit.title).collect()
}

fn indexes(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).expect("listed").flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn files(index: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(index).expect("listed").flatten();
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

const HARMS: [Harm; 8] = [
    ("no list of segments", |index| fs::remove_file(index.join("meta.json")).expect("removed")),
    ("a list of segments that is none", |index| fs::write(index.join("meta.json"), "{").expect("written")),
    ("no list of files", |index| fs::remove_file(index.join(".managed.json")).expect("removed")),
    ("no dictionary", |index| {
        files(index, ".term").iter().for_each(|file| fs::remove_file(file).expect("removed"));
    }),
    ("half a store", |index| {
        for file in files(index, ".store") {
            let bytes = fs::read(&file).expect("read");
            fs::write(&file, &bytes[..bytes.len() / 2]).expect("written");
        }
    }),
    ("empty postings", |index| {
        files(index, ".idx").iter().for_each(|file| fs::write(file, "").expect("written"));
    }),
    ("one bit", |index| {
        for file in files(index, ".fast") {
            let mut bytes = fs::read(&file).expect("read");
            bytes[0] ^= 1;
            fs::write(&file, bytes).expect("written");
        }
    }),
    ("nothing left", |index| fs::remove_dir_all(index).expect("removed")),
];

#[test]
fn an_index_that_came_to_harm_is_built_anew() {
    for (what, harm) in HARMS {
        let folder = tempfile::tempdir().expect("a folder");
        drop(built(&folder));
        let [index]: [PathBuf; 1] = indexes(&folder).try_into().expect("one index");
        harm(&index);
        let search = Search::open(folder.path()).expect("opened");
        search.prepare(&documents(), &Random::seeded(2)).expect(what);
        assert_eq!(titles(&search, "privacy"), ["Privacy"], "{what}");
        assert_eq!(search.document_count().expect("ready"), 2, "{what}");
        assert_eq!(indexes(&folder).len(), 1, "{what}: what came to harm is removed");
    }
}

#[test]
fn an_open_index_whose_files_are_gone_is_searched_until_another_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (search, named) = built(&folder);
    fs::remove_dir_all(&indexes(&folder)[0]).expect("removed");
    assert_eq!(titles(&search, "privacy"), ["Privacy"]);
    assert_eq!(search.look().expect("looked at"), Some(1));
    let unless = Unless::NewerThan(1);
    search.make(&named, [Ok(documents())], Some(&place(1)), &Random::seeded(3), unless).expect("built");
    assert_eq!(titles(&search, "privacy"), ["Privacy"]);
    assert_eq!(search.look().expect("looked at"), None);
}

#[test]
fn what_another_process_writes_or_builds_is_taken_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, named) = built(&folder);
    let second = Search::open(folder.path()).expect("opened");
    assert!(second.open_newest(&named, 0));

    let moved = document("docs/privacy", "Secrecy", "What we keep.");
    let change = |documents| [Change { thing: "docs/privacy".to_owned(), documents }];
    let of_first = first.live().expect("ready");
    assert_eq!(first.write(&of_first, &change(vec![moved]), &place(2)).expect("written"), Written::Done);
    drop(of_first);
    assert_eq!(titles(&first, "secrecy"), ["Secrecy"]);
    assert_eq!(titles(&second, "privacy"), ["Privacy"]);
    assert_eq!(second.look().expect("looked at"), None);
    assert_eq!(titles(&second, "secrecy"), ["Secrecy"]);
    assert_eq!(second.live().expect("ready").place(), Some(place(2)));

    // What the index knows already is not written again; what is new is, by whomever.
    let live = second.live().expect("ready");
    assert_eq!(second.write(&live, &change(Vec::new()), &place(2)).expect("known"), Written::Done);
    assert_eq!(titles(&second, "secrecy"), ["Secrecy"]);
    assert_eq!(second.write(&live, &change(Vec::new()), &place(3)).expect("written"), Written::Done);
    assert_eq!(second.document_count().expect("ready"), 1);

    second
        .make(&named, [Ok(documents())], Some(&place(4)), &Random::seeded(4), Unless::Never)
        .expect("built");
    assert_eq!(indexes(&folder).len(), 2, "the first has the old one open");
    assert_eq!(first.look().expect("looked at"), None);
    drop(live);
    assert_eq!(titles(&first, "privacy"), ["Privacy"]);
    first.clean();
    assert_eq!(indexes(&folder).len(), 1);
}

#[test]
fn documents_that_come_in_batches_are_all_found_and_half_of_them_are_no_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let search = Search::open(folder.path()).expect("opened");
    let batches = || documents().into_iter().map(|document| Batch::Ok(vec![document]));
    let named = fingerprint(&documents());
    let broken = batches().take(1).chain([Err(Error::CutOff)]);
    let refused = search.make(&named, broken, None, &Random::seeded(7), Unless::Never);
    assert!(matches!(refused, Err(Error::CutOff)));
    assert!(!search.is_ready() && indexes(&folder).is_empty(), "nothing is left of it");
    search.make(&named, batches(), None, &Random::seeded(8), Unless::Never).expect("built");
    assert_eq!(search.document_count().expect("ready"), 2);
}

#[test]
fn who_opens_an_index_waits_for_who_removes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (search, named) = built(&folder);
    let index = indexes(&folder).remove(0);
    assert!(live::unused(&index).is_none(), "it is open");
    drop(search);
    let removing = live::unused(&index).expect("nobody has it open");
    let opening = {
        let (index, named) = (index.clone(), named.clone());
        std::thread::spawn(move || Live::open(&index, &named, 1).is_ok())
    };
    fs::remove_dir_all(&index).expect("removed");
    drop(removing);
    assert!(!opening.join().expect("it ended"), "what is removed is not opened");
}

#[test]
fn one_at_a_time_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (search, _) = built(&folder);
    let live = search.live().expect("ready");
    let index = tantivy::Index::open_in_dir(&indexes(&folder)[0]).expect("opened");
    let other: tantivy::IndexWriter = index.writer_with_num_threads(1, 20_000_000).expect("the writer");
    assert_eq!(search.write(&live, &[], &place(2)).expect("tried"), Written::Busy);
    drop(other);
    assert_eq!(search.write(&live, &[], &place(2)).expect("written"), Written::Done);
    assert_eq!(live.place(), Some(place(2)));
}

#[test]
fn what_changes_nothing_is_said_on_disk_now_and_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let (search, named) = built(&folder);
    let live = search.live().expect("ready");
    assert!(live.pass(&place(5)));
    assert_eq!(live.place(), Some(place(5)));
    let later = Place { at: place(6).at + time::Duration::minutes(10), ..place(6) };
    assert!(!live.pass(&later), "it is time to say so");
    assert_eq!(search.write(&live, &[], &later).expect("written"), Written::Done);
    let again = Search::open(folder.path()).expect("opened");
    assert!(again.open_newest(&named, 0));
    assert_eq!(again.live().expect("ready").place(), Some(later));
}

#[test]
fn indexes_of_another_program_stay_while_it_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (older, _) = built(&folder);
    let newer = Search::open(folder.path()).expect("opened");
    newer.prepare(&documents()[..1], &Random::seeded(5)).expect("built");
    assert_eq!(indexes(&folder).len(), 2);
    assert_eq!(titles(&older, "license"), ["Activate a license"]);
    drop(older);
    newer.clean();
    assert_eq!(indexes(&folder).len(), 1);
    assert_eq!(titles(&newer, "privacy"), ["Privacy"]);
}

#[test]
fn an_identifier_is_found_however_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let search = Search::open(folder.path()).expect("opened");
    let mut limit = document("docs/models", "How long an answer may be", "A number in the settings.");
    limit.code = "{ \"maxTokens\": 4096 }".to_owned();
    let others = [
        document(
            "docs/a",
            "Signing in",
            "Personal tokens are shown once. The most that an account has is ten.",
        ),
        document("docs/b", "Most machines", "The max is written in the plan."),
        limit,
    ];
    search.prepare(&others, &Random::seeded(6)).expect("built");
    for text in ["maxTokens", "max_tokens", "max tokens", "MAX_TOKENS"] {
        assert_eq!(
            titles(&search, text).first().map(String::as_str),
            Some("How long an answer may be"),
            "{text}"
        );
    }
}

#[test]
fn a_place_reads_back_as_it_was_written() {
    for place in [place(0), Place { cursor: Cursor::START, database: String::new(), ..place(1) }] {
        assert_eq!(place.to_string().parse::<Place>(), Ok(place));
    }
    assert_eq!("".parse::<Place>(), Err(()));
    assert_eq!("1 2 x".parse::<Place>(), Err(()));
}
