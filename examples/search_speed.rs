//! How fast search answers in process. It opens the index of the server whose configuration it is given, asks every
//! question of a file (one on each line) one after another, on one thread, twice, and prints the times of the second
//! turn in microseconds as JSON. `cargo xtask bench search` runs it.

use std::{env, fs, time::Instant};

use anyhow::{Context as _, ensure};
use devforge::{
    api::openapi,
    clock::Clock,
    config::{Config, Sources},
    context::Context,
    contract::search::SearchKind,
    random::Random,
    search::{self, Ask, Search},
};

fn main() -> anyhow::Result<()> {
    let path = env::args().nth(1).context("name a file with questions, one on each line")?;
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let questions: Vec<&str> = text.lines().collect();
    ensure!(!questions.is_empty(), "{path} has no questions");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("threads cannot be started")?;
    let ctx = runtime.block_on(open())?;

    // The first turn brings the index into memory.
    ask(&ctx.search, &questions)?;
    let (mut micros, found_nothing) = ask(&ctx.search, &questions)?;
    micros.sort_by(f64::total_cmp);
    // The nearest rank.
    let at = |part: f64| micros[((micros.len() as f64 * part).ceil() as usize).max(1) - 1];
    let report = serde_json::json!({
        "queries": questions.len(),
        "foundNothing": found_nothing,
        "documents": ctx.search.document_count()?,
        "p50": at(0.5),
        "p99": at(0.99),
        "max": at(1.0),
    });
    println!("{report}");
    Ok(())
}

async fn open() -> anyhow::Result<Context> {
    let config = Config::load(&Sources::from_process()?, &Random::System)?;
    let ctx = Context::open(config, Clock::System, Random::System).await?;
    search::prepare(&ctx, openapi::document()).await?;
    Ok(ctx)
}

/// How long each question took, and how many have no answer.
fn ask(search: &Search, questions: &[&str]) -> anyhow::Result<(Vec<f64>, usize)> {
    let mut micros = Vec::with_capacity(questions.len());
    let mut found_nothing = 0;
    for &text in questions {
        let start = Instant::now();
        let found = search.find(&Ask { text, kind: Some(SearchKind::Article), limit: 20, offset: 0 })?;
        micros.push(start.elapsed().as_secs_f64() * 1e6);
        found_nothing += usize::from(found.total == 0);
    }
    Ok((micros, found_nothing))
}
