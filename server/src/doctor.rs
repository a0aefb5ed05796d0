//! `devforge doctor`: looks at everything this installation leans on, and says what to do about what is wrong.

use std::process::ExitCode;

use devforge::{
    api::openapi,
    audit,
    clock::Clock,
    config::{Config, Mode},
    context::Context,
    db, jobs,
    random::Random,
    search,
};

use crate::postgres;

struct Finding {
    part: &'static str,
    /// What is fine, or what is wrong and what to do.
    result: Result<String, String>,
}

pub async fn run(config: Config, quick: bool) -> anyhow::Result<ExitCode> {
    if quick {
        return quick_check(&config).await;
    }
    let mut findings = vec![configuration(&config)];
    match postgres::ensure(config).await {
        Err(error) => findings.push(Finding { part: "database", result: Err(format!("{error:#}")) }),
        Ok((config, cluster)) => {
            match Context::open(config, Clock::System, Random::System).await {
                Err(error) => {
                    let cause = std::error::Error::source(&error)
                        .map(|cause| format!(": {cause}"))
                        .unwrap_or_default();
                    findings.push(Finding { part: "set-up", result: Err(format!("{error}{cause}")) });
                }
                Ok(ctx) => {
                    inspect(&ctx, &mut findings).await;
                    ctx.db.close().await;
                }
            }
            postgres::stop(cluster).await;
        }
    }
    let mut wrong = 0;
    for Finding { part, result } in &findings {
        match result {
            Ok(text) => println!("  ok     {part:<14} {text}"),
            Err(text) => {
                wrong += 1;
                println!("  wrong  {part:<14} {text}");
            }
        }
    }
    println!(
        "\n{}",
        if wrong == 0 { "Everything is fine.".to_owned() } else { format!("{wrong} to look at.") }
    );
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn configuration(config: &Config) -> Finding {
    let result = match config.mode {
        Mode::Production if !config.http.is_https() => Err(
            "DEVFORGE_HTTP_PUBLIC_URL does not begin with https: cookies and forms can be read on the way"
                .to_owned(),
        ),
        Mode::Production if config.mail.smtp_url.is_none() => {
            Err("DEVFORGE_MAIL_SMTP_URL is not set: nobody gets any mail".to_owned())
        }
        Mode::Production => Ok("production".to_owned()),
        Mode::Development => Ok(format!("development, data in {}", config.data_dir.display())),
    };
    Finding { part: "configuration", result }
}

async fn inspect(ctx: &Context, findings: &mut Vec<Finding>) {
    let mut add = |part, result| findings.push(Finding { part, result });
    let pending = db::pending_migrations(&ctx.db).await;
    match &pending {
        Ok(_) => add("database", Ok("answers".to_owned())),
        Err(error) => {
            add("database", Err(format!("does not answer ({error}); check DATABASE_URL and that it runs")));
        }
    }
    match pending {
        Ok(0) => add("migrations", Ok("up to date".to_owned())),
        Ok(count) => add("migrations", Err(format!("{count} missing; run `devforge migrate`"))),
        Err(_) => {}
    }
    if pending_is_zero(ctx).await {
        add(
            "audit log",
            match verify_audit(ctx).await {
                Ok(found) => {
                    Ok(format!("{} entries in the chain, {} not sealed yet", found.sealed, found.unsealed))
                }
                Err(error) => Err(format!(
                    "{error}; compare with a backup and find out who could write to the database"
                )),
            },
        );
        add(
            "jobs",
            match jobs::figures(ctx).await {
                Ok(figures) if figures.dead > 0 => Err(format!(
                    "{} failed for good; `devforge jobs dead` says why, `devforge jobs revive` runs one again",
                    figures.dead
                )),
                Ok(figures) => Ok(format!("{} waiting, {} running", figures.waiting, figures.running)),
                Err(_) => Err("the queue is not set up; run `devforge migrate`".to_owned()),
            },
        );
    }
    add(
        "storage",
        match ctx.storage.check(ctx.random.uuid_v7(ctx.clock.now())).await {
            Ok(()) => Ok(format!("writes, reads and deletes in {}", ctx.config.storage.url)),
            Err(error) => Err(format!("{error}; check DEVFORGE_STORAGE_URL, rights and free space")),
        },
    );
    add(
        "mail",
        match ctx.mail.check().await {
            Ok(()) if ctx.mail.is_outbox() => Ok("kept for /dev/mail, nothing is sent".to_owned()),
            Ok(()) => Ok("the SMTP server answers".to_owned()),
            Err(error) => Err(format!("{error}; check DEVFORGE_MAIL_SMTP_URL")),
        },
    );
    add(
        "search index",
        match search::prepare(ctx, openapi::document()).await {
            Ok(()) => {
                Ok(format!("{} documents can be found", ctx.search.document_count().unwrap_or_default()))
            }
            Err(error) => Err(format!(
                "{error}; run `devforge migrate`, make the folder writable or set DEVFORGE_SEARCH_DIRECTORY"
            )),
        },
    );
}

/// A long log takes as long as it takes to walk.
async fn verify_audit(ctx: &Context) -> Result<audit::Verified, audit::Error> {
    let pool = db::upkeep(&ctx.db).await?;
    let verified = audit::verify(&pool).await;
    pool.close().await;
    verified
}

async fn pending_is_zero(ctx: &Context) -> bool {
    matches!(db::pending_migrations(&ctx.db).await, Ok(0))
}

/// Whether the server on this machine says that it is ready; for container health checks.
async fn quick_check(config: &Config) -> anyhow::Result<ExitCode> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut address = config.http.address;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(std::time::Duration::from_secs(5), asked).await;
    match answer {
        Ok(Ok(answer)) if answer.starts_with(b"HTTP/1.1 200") => Ok(ExitCode::SUCCESS),
        Ok(Ok(answer)) => {
            println!("{}", String::from_utf8_lossy(&answer).lines().last().unwrap_or_default());
            Ok(ExitCode::FAILURE)
        }
        _ => {
            println!("no server answers at {address}");
            Ok(ExitCode::FAILURE)
        }
    }
}
