use std::{collections::HashSet, fs};

use super::{Collection, Files, documents, gain, misspelt};

const XML: &str = "<doc>\n<docno>7</docno>\n<title>Wings</title>\n<text>Lift of wings.</text>\n</doc>
<doc>\n<docno>8</docno>\n<title>Plates</title>\n<text>Heat in plates.</text>\n</doc>";

#[test]
fn documents_are_read_in_both_forms() {
    let xml = documents(XML);
    assert_eq!(
        (xml[0].url.as_str(), xml[0].title.as_str(), xml[0].body.as_str()),
        ("7", "Wings", "Lift of wings.")
    );
    let trec =
        documents("<DOC>\n<DOCNO>1</DOCNO>\ncompact memories\n</DOC>\n<DOC><DOCNO>2</DOCNO> two </DOC>");
    assert_eq!(
        (trec[0].url.as_str(), trec[0].title.as_str(), trec[0].body.as_str()),
        ("1", "", "compact memories")
    );
    assert_eq!(trec[1].body, "two");
}

#[test]
fn a_collection_is_loaded_and_measured_and_always_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("all.xml", XML);
    write(
        "qry.xml",
        "<top><num> 1</num><title>lift of wings</title></top><top><num> 4</num><title>heated plates</title></top>",
    );
    // The second question is number 4 in its file and 2 in the judgments; a grade below 1 is no answer.
    write("qrel.txt", "1 0 7 1\n1 0 8 0\n2 0 8 2\n2 0 7 -1\n");
    let files = Files::of(folder.path()).expect("three files");
    let collection = Collection::load("small", &files).expect("loaded");
    assert_eq!(collection.documents.len(), 2);
    assert_eq!(collection.questions.len(), 2);
    assert_eq!(collection.questions[1].1.get("8"), Some(&2));
    assert!(!collection.questions[1].1.contains_key("7"));
    let measured = collection.measure().expect("measured");
    assert!(
        (measured.clean.ndcg_at_10 - 1.0).abs() < 1e-9 && (measured.clean.success_at_1 - 1.0).abs() < 1e-9
    );
    assert_eq!(collection.measure().expect("measured"), measured);
}

#[test]
fn a_missing_file_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Files::of(folder.path()).is_err());
}

#[test]
fn gain_falls_with_the_rank() {
    assert!((gain(&[1, 0, 1]) - 1.5).abs() < 1e-9);
    assert!((gain(&[0; 12])).abs() < 1e-9);
}

#[test]
fn a_misspelling_is_one_edit_in_the_longest_word_that_no_document_has() {
    let words: HashSet<String> = ["wings", "activation"].map(str::to_owned).into();
    let mut seed = 1;
    for _ in 0..100 {
        let text = misspelt("Activation of wings", &words, &mut seed);
        let wrong = text.strip_suffix(" of wings").expect("only the longest word is changed");
        assert!(wrong != "activation" && (9..=10).contains(&wrong.len()), "{text}");
    }
    assert_eq!(misspelt("a b", &words, &mut seed), "a b");
}
