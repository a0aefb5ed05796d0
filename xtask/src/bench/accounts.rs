//! What guarding accounts costs the site, and whether it gives away who has one.
//!
//! Each try comes from an address of its own, as an attack would: no limit on tries is met, and any answer but the
//! expected one is an error.

use std::{
    fs::File,
    io::Read,
    net::Ipv4Addr,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;

use super::{
    ACCEPT_BROTLI, Programs, Settings, client,
    load::Wrk,
    report::{duration, median},
    serve,
    statistics::Difference,
    usage::{self, Tree},
};
use crate::{
    process::{free_port, interrupted, step},
    test,
};

const ACCOUNTS: u32 = 50;
/// With an account, and as many without.
const TRIES: usize = 200;
/// Below this, chance is no explanation.
const UNLIKELY: f64 = 0.01;
/// How many sign in at once.
const CROWD: usize = 50;
/// As many as look at the home page in the comparison with nginx.
const VISITORS: u32 = 32;
/// The home page may become so much slower.
const AIM: f64 = 2.0;
/// A client that was told to come back does so after a moment, sooner than it was asked to.
const IMPATIENCE: Duration = Duration::from_millis(100);
/// Until the crowd fills the queue.
const GATHERING: Duration = Duration::from_millis(500);

pub fn measure(
    settings: &Settings,
    programs: &Programs,
    directory: &Path,
    log: &Path,
    database: &str,
) -> Result<String> {
    let ticks_per_second = usage::ticks_per_second()?;
    let password = test::random_password()?;
    let port = free_port()?;
    let mut devforge = serve(
        &programs.devforge,
        directory,
        log,
        port,
        database,
        &password,
        &[("DEVFORGE_HTTP_TRUSTED_PROXIES", "127.0.0.1")],
    )?;
    step("Starting devforge for the accounts", || devforge.wait_until_ready(port))?;
    let attack = Attack { port, places: AtomicU32::new(0), strangers: AtomicU32::new(0) };
    step("Registering accounts", || attack.register(&password))?;
    let difference = step("Signing in with a wrong password and without an account", || attack.tell_apart())?;
    let home = Wrk {
        program: &programs.wrk,
        url: format!("http://127.0.0.1:{port}/"),
        header: Some(ACCEPT_BROTLI.to_owned()),
        script: None,
        connections: VISITORS,
        server: Tree::of(devforge.id(), ticks_per_second),
        database: None,
        ticks_per_second,
    };
    let rounds = flood(settings, &attack, &home)?;
    Ok(format!("{}\n{}\n", told_apart(&difference), slowed_down(&rounds)))
}

struct Attack {
    port: u16,
    places: AtomicU32,
    strangers: AtomicU32,
}

impl Attack {
    fn register(&self, password: &str) -> Result<()> {
        for number in 0..ACCOUNTS {
            let person = json!({ "email": known(number), "name": "Bench", "password": password });
            let answer = self.post("/api/auth/register", &person)?;
            if !matches!(answer, 200 | 201) {
                bail!("POST /api/auth/register was answered {answer} instead of 201");
            }
        }
        Ok(())
    }

    /// Times of wrong passwords and of unknown addresses, in random order.
    fn tell_apart(&self) -> Result<Difference> {
        for number in 0..10 {
            self.timed(&known(number))?;
            self.timed(&unknown(number))?;
        }
        let mut order = [[true; TRIES], [false; TRIES]].concat();
        shuffle(&mut order)?;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for has_account in order {
            if interrupted() {
                bail!("stopped");
            }
            // Both kinds take turns alike, so that neither is fresher in any cache or ledger.
            let (times, email): (_, fn(u32) -> String) =
                if has_account { (&mut with, known) } else { (&mut without, unknown) };
            times.push(self.timed(&email(times.len() as u32 % ACCOUNTS))?);
        }
        Ok(Difference::between(&with, &without))
    }

    /// How long it takes to be refused, in microseconds.
    fn timed(&self, email: &str) -> Result<f64> {
        let start = Instant::now();
        let answer = self.sign_in(email)?;
        let micros = start.elapsed().as_secs_f64() * 1e6;
        if answer != 401 {
            bail!("a wrong sign-in was answered {answer} instead of 401");
        }
        Ok(micros)
    }

    /// Tries strangers' addresses one after another until it is told to stop.
    fn flood(&self, stop: &AtomicBool) -> Result<Refusals> {
        let mut refusals = Refusals::default();
        while !stop.load(Ordering::Relaxed) && !interrupted() {
            let number = self.strangers.fetch_add(1, Ordering::Relaxed);
            match self.sign_in(&format!("stranger-{number}@devforge.test"))? {
                401 => refusals.checked += 1,
                503 => {
                    refusals.put_off += 1;
                    thread::sleep(IMPATIENCE);
                }
                other => bail!("a sign-in of the flood was answered {other} instead of 401 or 503"),
            }
        }
        Ok(refusals)
    }

    fn sign_in(&self, email: &str) -> Result<u16> {
        self.post("/api/auth/login", &json!({ "email": email, "password": "not the password of anybody" }))
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> Result<u16> {
        // 198.18.0.0/15 is set aside for benchmarks.
        let place = self.places.fetch_add(1, Ordering::Relaxed) % (1 << 17);
        let place = Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + place);
        Ok(client::post(self.port, path, place, &body.to_string())?.status)
    }
}

#[derive(Clone, Copy, Default)]
struct Refusals {
    checked: u32,
    put_off: u32,
}

/// The 99th percentile of the home page, in microseconds, without and with a crowd that signs in.
struct Round {
    quiet: f64,
    crowded: f64,
    checked_per_second: f64,
    put_off_per_second: f64,
}

fn flood(settings: &Settings, attack: &Attack, home: &Wrk<'_>) -> Result<Vec<Round>> {
    eprintln!("Home page, quiet and while {CROWD} sign in at once");
    let p99 = |seconds| home.run(seconds)?.p99_micros.context("wrk told no 99th percentile");
    p99(1)?;
    let mut rounds = Vec::new();
    for number in 1..=settings.rounds {
        let quiet = p99(settings.seconds)?;
        let stop = AtomicBool::new(false);
        let start = Instant::now();
        let (crowded, refusals) = thread::scope(|scope| {
            let crowd: Vec<_> = (0..CROWD).map(|_| scope.spawn(|| attack.flood(&stop))).collect();
            thread::sleep(GATHERING);
            let crowded = p99(settings.seconds);
            stop.store(true, Ordering::Relaxed);
            let mut sum = Refusals::default();
            for one in crowd {
                let refusals = one.join().map_err(|_| anyhow!("a thread of the crowd panicked"))??;
                sum.checked += refusals.checked;
                sum.put_off += refusals.put_off;
            }
            anyhow::Ok((crowded?, sum))
        })?;
        let seconds = start.elapsed().as_secs_f64();
        eprintln!(
            "  round {number} of {}: p99 {} and {}",
            settings.rounds,
            duration(quiet),
            duration(crowded)
        );
        rounds.push(Round {
            quiet,
            crowded,
            checked_per_second: f64::from(refusals.checked) / seconds,
            put_off_per_second: f64::from(refusals.put_off) / seconds,
        });
    }
    Ok(rounds)
}

fn told_apart(difference: &Difference) -> String {
    let (with, without) = difference.medians;
    let verdict =
        if difference.p > UNLIKELY { "they cannot be told apart" } else { "they CAN be told apart" };
    let apart = (with - without).abs();
    let share = if difference.spread > 0.0 { apart / difference.spread * 100.0 } else { 0.0 };
    format!(
        "Refused sign-ins, {TRIES} each in random order: wrong password {}, unknown address {} (medians). They differ by \
         {}, {share:.0} % of the spread of the middle half; Mann-Whitney U test, two-sided: p = {:.3}; {verdict}.",
        duration(with),
        duration(without),
        duration(apart),
        difference.p,
    )
}

fn slowed_down(rounds: &[Round]) -> String {
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of));
    // The machine's own mood hits both sides of a round alike.
    let ratio = middle(|round| round.crowded / round.quiet);
    let verdict = if ratio <= AIM { "met" } else { "missed" };
    format!(
        "Home page, brotli, {VISITORS} connections, medians of {} rounds: p99 {} quiet and {} while {CROWD} sign in at \
         once; ratio {ratio:.2}, aim ≤ {AIM:.1} {verdict}. Of the sign-ins {:.0}/s were checked and {:.0}/s asked to come \
         back.",
        rounds.len(),
        duration(middle(|round| round.quiet)),
        duration(middle(|round| round.crowded)),
        middle(|round| round.checked_per_second),
        middle(|round| round.put_off_per_second),
    )
}

fn known(number: u32) -> String {
    format!("bench-known-{number:02}@devforge.test")
}

/// As long as those of accounts.
fn unknown(number: u32) -> String {
    format!("bench-ghost-{number:02}@devforge.test")
}

fn shuffle<T>(items: &mut [T]) -> Result<()> {
    let mut source = File::open("/dev/urandom").context("reading /dev/urandom")?;
    for last in (1..items.len()).rev() {
        let mut random = [0; 8];
        source.read_exact(&mut random).context("reading /dev/urandom")?;
        items.swap(last, (u64::from_ne_bytes(random) % (last as u64 + 1)) as usize);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_follow_the_figures() {
        let difference = |p| Difference { medians: (21_300.0, 21_290.0), spread: 500.0, p };
        let text = told_apart(&difference(0.63));
        assert!(text.contains("wrong password 21.30 ms, unknown address 21.29 ms"), "{text}");
        assert!(text.contains("differ by 10 µs, 2 % of the spread"), "{text}");
        assert!(text.ends_with("p = 0.630; they cannot be told apart."), "{text}");
        assert!(told_apart(&difference(0.01)).ends_with("they CAN be told apart."));
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds() {
        let round =
            |quiet, crowded| Round { quiet, crowded, checked_per_second: 40.0, put_off_per_second: 150.0 };
        let rounds = [round(1_000.0, 1_500.0), round(1_000.0, 9_000.0), round(2_000.0, 3_000.0)];
        let text = slowed_down(&rounds);
        assert!(text.contains("p99 1.00 ms quiet and 3.00 ms while 50"), "{text}");
        assert!(text.contains("ratio 1.50, aim ≤ 2.0 met."), "{text}");
        assert!(text.contains("40/s were checked and 150/s asked"), "{text}");
        assert!(slowed_down(&[round(1.0, 3.0)]).contains("aim ≤ 2.0 missed"));
    }

    #[test]
    fn shuffling_loses_nothing() {
        let mut order: Vec<u32> = (0..100).collect();
        shuffle(&mut order).expect("random bytes");
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<u32>>());
        shuffle::<u32>(&mut []).expect("nothing to do");
    }
}
