//! PostgreSQL's own search, as somebody would write it who uses it well: what is searched is analysed once and lies in a
//! column with an index, titles count more, the question is parsed once, and only the twenty rows that are shown get an
//! excerpt.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use private_postgres::Cluster;

use super::DATABASE;
use crate::bench::{
    fill,
    load::{self, Sample},
    usage::Tree,
};

/// The same articles as devforge's, in the same database.
const FILL: [&str; 4] = [
    "create schema peer",
    "create table peer.article (id uuid primary key, title text not null, body text not null, words tsvector not null)",
    "insert into peer.article (id, title, body, words) \
     select id, title, description || ' ' || markdown, \
            setweight(to_tsvector('english', title), 'A') \
            || setweight(to_tsvector('english', description || ' ' || markdown), 'B') \
     from kb_article where status = 'published'",
    "create index article_words_idx on peer.article using gin (words)",
];
const QUESTIONS: &str = "create table peer.question (id integer primary key, words text not null)";
/// Asked once, with the question parsed in one place: written into each call, it is parsed again for each row.
const SEARCH: &str = "with asked as materialized (\
     select websearch_to_tsquery('english', words) as query from peer.question where id = :n), \
     best as (\
     select article.id, article.title, article.body, asked.query, ts_rank_cd(article.words, asked.query) as rank \
     from peer.article, asked where article.words @@ asked.query order by rank desc, article.id limit 20) \
     select id, title, ts_headline('english', body, query, 'StartSel=<mark>, StopSel=</mark>') as excerpt, rank \
     from best order by rank desc, id;";
const SIZES: &str =
    "select pg_relation_size('peer.article_words_idx'), pg_total_relation_size('peer.article')";
/// Of every ninth question, so of every kind of them: counting takes as long as searching.
const MATCHES: &str = "select count(*) filter (where found = 0) * 100 / count(*), \
     percentile_disc(0.5) within group (order by found), percentile_disc(0.99) within group (order by found) \
     from (select (select count(*) from peer.article \
     where article.words @@ websearch_to_tsquery('english', question.words)) as found \
     from peer.question where id % 9 = 0) counted";

pub struct Peer {
    script: PathBuf,
    logs: PathBuf,
    pub sizes: Sizes,
    pub matches: Matches,
}

/// In bytes.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub index: u64,
    /// With the index and everything else.
    pub table: u64,
}

/// How many articles hold all the words of a question.
#[derive(Clone, Copy)]
pub struct Matches {
    pub nothing_percent: u64,
    pub median: u64,
    pub p99: u64,
}

impl Peer {
    /// Makes its table of what is in devforge's.
    pub fn make(cluster: &Cluster, directory: &Path, questions: &[String]) -> Result<Self> {
        fill::sql(cluster, DATABASE, &FILL)?;
        fill::sql(cluster, DATABASE, &[QUESTIONS])?;
        fill::copy(
            cluster,
            DATABASE,
            "peer.question (id, words)",
            (1_u32..).zip(questions),
            |out, (id, words)| writeln!(out, "{id}\t{words}"),
        )?;
        fill::settle(cluster, DATABASE, &["kb_article", "peer.article", "peer.question"])?;
        let [index, table] = figures(&fill::sql(cluster, DATABASE, &[SIZES])?)?;
        let [nothing_percent, median, p99] = figures(&fill::sql(cluster, DATABASE, &[MATCHES])?)?;
        let script = directory.join("search.sql");
        let text = format!("\\set n random(1, {})\n{SEARCH}\n", questions.len());
        fs::write(&script, text).with_context(|| format!("writing {}", script.display()))?;
        Ok(Self {
            script,
            logs: directory.join("pgbench"),
            sizes: Sizes { index, table },
            matches: Matches { nothing_percent, median, p99 },
        })
    }

    pub fn run(&self, cluster: &Cluster, database: Tree, seconds: u32) -> Result<Sample> {
        load::pgbench_timed(cluster, DATABASE, &self.script, &self.logs, database, seconds)
    }
}

/// The whole numbers of one row.
fn figures<const N: usize>(row: &str) -> Result<[u64; N]> {
    let figures: Option<Vec<u64>> = row.trim().split('\t').map(|figure| figure.parse().ok()).collect();
    let figures = figures.and_then(|figures| figures.try_into().ok());
    figures.with_context(|| format!("PostgreSQL's answer has an unknown form: {row}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_as_many_figures_as_are_wanted() {
        assert_eq!(figures::<2>("18\t188\n").expect("two"), [18, 188]);
        assert!(figures::<2>("18\n").is_err());
        assert!(figures::<1>("NaN\n").is_err());
        assert!(figures::<1>("").is_err());
    }
}
