//! How well the search finds, on judged collections: `cargo run --release --example relevance -- FOLDER…`, where a
//! folder has the documents, the questions and the judgments of one collection, or folders that do.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use devforge::search::relevance::{Collection, Figures, Files};

fn main() -> Result<(), Box<dyn Error>> {
    let mut folders = Vec::new();
    for folder in std::env::args_os().skip(1) {
        folders.extend(collections(Path::new(&folder))?);
    }
    if folders.is_empty() {
        return Err("name a folder with a judged collection".into());
    }
    println!(
        "{:<12} {:>9} {:>9}  {:<9} {:>7} {:>7} {:>7}",
        "collection", "documents", "questions", "", "nDCG@10", "MRR@10", "S@1"
    );
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let collection = Collection::load(&name, &Files::of(&folder)?)?;
        let measured = collection.measure()?;
        let sizes = (collection.documents.len(), collection.questions.len());
        print(&name, sizes, "clean", &measured.clean);
        print(&name, sizes, "misspelt", &measured.misspelt);
        let kept = measured.misspelt.ndcg_at_10 / measured.clean.ndcg_at_10 - 1.0;
        println!("{name:<12} {:>9} {:>9}  {:<9} {:>6.1}%", "", "", "lost", 100.0 * kept);
    }
    Ok(())
}

/// The folder itself when it has files, or else the folders in it.
fn collections(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if Files::of(folder).is_ok() {
        return Ok(vec![folder.to_owned()]);
    }
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

fn print(name: &str, (documents, questions): (usize, usize), form: &str, figures: &Figures) {
    let Figures { ndcg_at_10, reciprocal_rank, success_at_1 } = figures;
    println!(
        "{name:<12} {documents:>9} {questions:>9}  {form:<9} {ndcg_at_10:>7.4} {reciprocal_rank:>7.3} {success_at_1:>7.3}"
    );
}
