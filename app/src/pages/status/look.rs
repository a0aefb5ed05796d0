//! What this process finds when it asks each of its parts. Nothing here fails or waits: a part that has not answered
//! within a second does not answer.

use std::time::{Duration, Instant};

use devforge::{
    context::Context,
    db,
    jobs::{self, QueueDelay},
    signing,
};
use time::OffsetDateTime;
use tokio::{sync::Mutex, task::JoinError};

pub const PATIENCE: Duration = Duration::from_secs(1);
/// However many people look, the parts are asked once in so long.
const YOUNG: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Working,
    /// It goes on, later than it should.
    Delayed,
    Silent,
    /// This installation does without it.
    Unused,
}

/// All parts, as they were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub at: OffsetDateTime,
    pub database: State,
    pub licenses: State,
    pub work: State,
    pub mail: State,
    pub search: State,
    pub files: State,
}

impl Seen {
    pub const fn states(&self) -> [State; 6] {
        [self.database, self.licenses, self.work, self.mail, self.search, self.files]
    }
}

struct Last {
    asked: Instant,
    /// A process may have more than one site, in tests.
    site: String,
    seen: Seen,
}

static LAST: Mutex<Option<Last>> = Mutex::const_new(None);

/// What was found last, or what is found now. Whoever comes while the parts are asked waits for that answer.
pub async fn seen(ctx: &Context) -> Result<Seen, JoinError> {
    // To its end, also for somebody who has hung up: otherwise each who does so would have everything asked anew.
    tokio::spawn(found_or_looked(ctx.clone())).await
}

async fn found_or_looked(ctx: Context) -> Seen {
    let site = &ctx.config.http.public_url;
    let mut last = LAST.lock().await;
    if let Some(last) = last.as_ref()
        && last.site == *site
        && last.asked.elapsed() < YOUNG
    {
        return last.seen;
    }
    let seen = Box::pin(look(&ctx)).await;
    *last = Some(Last { asked: Instant::now(), site: site.clone(), seen });
    seen
}

async fn look(ctx: &Context) -> Seen {
    let (database, keys, delay, files) = tokio::join!(
        in_time(db::pending_migrations(&ctx.db)),
        in_time(Box::pin(signing::jwks(ctx))),
        in_time(jobs::delay(ctx)),
        in_time(try_storage(ctx)),
    );
    let found = Found {
        database: database.is_some(),
        keys: keys.is_some(),
        delay,
        sends_mail: !ctx.mail.is_outbox(),
        search: ctx.search.is_ready(),
        files: files.is_some(),
    };
    found.seen(ctx.clock.now())
}

async fn in_time<T, E>(answer: impl Future<Output = Result<T, E>>) -> Option<T> {
    tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()
}

/// To its end even when nobody waits for it any more, so that what it writes does not stay.
async fn try_storage(ctx: &Context) -> Result<(), ()> {
    let ctx = ctx.clone();
    let probe = tokio::spawn(async move { ctx.storage.check(ctx.random.uuid_v7(ctx.clock.now())).await });
    probe.await.map_err(drop)?.map_err(drop)
}

/// What the questions brought.
#[derive(Debug, Clone, Copy)]
struct Found {
    database: bool,
    keys: bool,
    /// None: the queue did not answer.
    delay: Option<QueueDelay>,
    sends_mail: bool,
    search: bool,
    files: bool,
}

impl Found {
    fn seen(self, at: OffsetDateTime) -> Seen {
        let answers = |there: bool| if there { State::Working } else { State::Silent };
        let in_queue = |late: fn(QueueDelay) -> bool| match self.delay {
            Some(delay) if late(delay) => State::Delayed,
            Some(_) => State::Working,
            None => State::Silent,
        };
        Seen {
            at,
            database: answers(self.database),
            // A license is looked up there, and the answer is signed.
            licenses: answers(self.database && self.keys),
            work: in_queue(|delay| delay.work),
            mail: if self.sends_mail { in_queue(|delay| delay.mail) } else { State::Unused },
            search: answers(self.search),
            files: answers(self.files),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Found = Found {
        database: true,
        keys: true,
        delay: Some(QueueDelay { work: false, mail: false }),
        sends_mail: true,
        search: true,
        files: true,
    };

    fn seen(found: Found) -> Seen {
        found.seen(OffsetDateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_site_that_is_well_works_in_all_parts() {
        assert_eq!(seen(WELL).states(), [State::Working; 6]);
    }

    #[test]
    fn without_the_database_or_the_keys_no_license_is_answered() {
        let away = seen(Found { database: false, delay: None, ..WELL });
        assert_eq!((away.database, away.licenses, away.work), (State::Silent, State::Silent, State::Silent));
        assert_eq!((away.search, away.files), (State::Working, State::Working));
        let unsigned = seen(Found { keys: false, ..WELL });
        assert_eq!((unsigned.database, unsigned.licenses), (State::Working, State::Silent));
    }

    #[test]
    fn work_that_waits_is_delayed_and_mail_that_is_not_sent_is_not_late() {
        let late = seen(Found { delay: Some(QueueDelay { work: true, mail: false }), ..WELL });
        assert_eq!((late.work, late.mail), (State::Delayed, State::Working));
        let kept = seen(Found { sends_mail: false, delay: None, ..WELL });
        assert_eq!(kept.mail, State::Unused);
    }
}
