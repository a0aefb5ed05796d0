//! Many rows into a database, and what has to be over before something is measured there.

use std::{
    io::{BufWriter, Write},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use private_postgres::Cluster;

use crate::process::output;

/// Sends rows as PostgreSQL's text form has them.
pub fn copy<T>(
    cluster: &Cluster,
    database: &str,
    columns: &str,
    rows: impl IntoIterator<Item = T>,
    write: impl Fn(&mut dyn Write, T) -> std::io::Result<()>,
) -> Result<()> {
    let mut psql = cluster.client("psql", database);
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command"]);
    psql.arg(format!("copy {columns} from stdin"));
    let mut child = psql.stdin(Stdio::piped()).spawn().context("starting psql")?;
    let written = child.stdin.take().context("psql has no input").and_then(|input| {
        let mut out = BufWriter::with_capacity(1 << 20, input);
        rows.into_iter()
            .try_for_each(|row| write(&mut out, row))
            .and_then(|()| out.flush())
            .context("copying rows")
    });
    // What psql says of its end comes before our word that it did not listen.
    let status = child.wait().context("waiting for psql")?;
    if !status.success() {
        bail!("psql could not copy into {columns} ({status})");
    }
    written
}

/// One statement after another; what the last ones print, a row on each line with tabs between its columns.
pub fn sql(cluster: &Cluster, database: &str, statements: &[&str]) -> Result<String> {
    let mut psql = cluster.client("psql", database);
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
    psql.args(["--no-align", "--tuples-only", "--field-separator=\t"]);
    // That a question has no word worth a look is no news for whoever runs the bench.
    psql.env("PGOPTIONS", "--client-min-messages=warning");
    for statement in statements {
        psql.args(["--command", statement]);
    }
    output(&mut psql)
}

/// Leaves nothing of the filling to be done while something is measured.
pub fn settle(cluster: &Cluster, database: &str, tables: &[&str]) -> Result<()> {
    let vacuums: Vec<String> = tables.iter().map(|table| format!("VACUUM (ANALYZE) {table}")).collect();
    let statements: Vec<&str> = vacuums.iter().map(String::as_str).chain(["CHECKPOINT"]).collect();
    sql(cluster, database, &statements).map(drop)
}
