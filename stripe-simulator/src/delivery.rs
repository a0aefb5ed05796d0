//! Tells the program outside what happened, as Stripe does: signed, at least once, again until it is received, and in
//! whatever order and shape the weather asks for.
//!
//! What always holds: an event that nobody has received yet is still marked so in the world's journal, so a process that
//! was killed in between tells it after its restart. Only a bounded number of calls is under way at a time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect;
use sha2::Sha256;
use tokio::{task::JoinSet, time::Instant};

use crate::{Shared, Webhook, world::World};

const AT_ONCE: usize = 16;
const TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Three days of waiting the longest time.
const MAX_ATTEMPTS: u32 = 3 * 24 * 60;
/// How far events overtake each other when the weather shuffles them, in milliseconds.
const SHUFFLE_WITHIN: (u64, u64) = (0, 400);

/// The value of the `Stripe-Signature` header of this body at this time.
pub fn sign(secret: &str, timestamp: i64, body: &(impl AsRef<[u8]> + ?Sized)) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body.as_ref());
    format!("t={timestamp},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// One event on its way, and how often it was tried.
struct Attempt {
    event: String,
    number: u32,
}

/// What is to be told at which time. Those of one time keep their order.
struct Queue {
    waiting: BTreeMap<(Instant, u64), Attempt>,
    next: u64,
}

impl Queue {
    fn put(&mut self, after: Duration, attempt: Attempt) {
        self.next += 1;
        self.waiting.insert((Instant::now() + after, self.next), attempt);
    }

    fn due(&mut self) -> Option<Attempt> {
        let first = self.waiting.first_entry()?;
        (first.key().0 <= Instant::now()).then(|| first.remove())
    }

    /// When the next one is due; far away when there is none.
    fn next_due(&self) -> Instant {
        self.waiting.first_key_value().map_or_else(|| Instant::now() + LONGEST_WAIT, |((at, _), _)| *at)
    }

    /// Takes over what the world has to tell since the last call.
    fn take_over(&mut self, shared: &Shared) {
        let weather = shared.weather();
        let planned = shared.with(|world| {
            let mut planned = Vec::new();
            for event in world.take_undelivered() {
                let copies = if world.chance(weather.duplicate) { 2 } else { 1 };
                for _ in 0..copies {
                    let shuffled = if weather.shuffle { world.between(SHUFFLE_WITHIN) } else { 0 };
                    planned.push((event.clone(), world.between(weather.delay_ms) + shuffled));
                }
            }
            planned
        });
        for (event, delay) in planned.unwrap_or_default() {
            self.put(Duration::from_millis(delay), Attempt { event, number: 0 });
        }
    }
}

/// Runs until it is aborted.
pub async fn run(shared: Arc<Shared>, webhook: Webhook, client: reqwest::Client) {
    let webhook = Arc::new(webhook);
    let mut queue = Queue { waiting: BTreeMap::new(), next: 0 };
    let mut flying: JoinSet<(Attempt, bool)> = JoinSet::new();
    loop {
        queue.take_over(&shared);
        while flying.len() < AT_ONCE
            && let Some(attempt) = queue.due()
        {
            flying.spawn(tell(Arc::clone(&shared), Arc::clone(&webhook), client.clone(), attempt));
        }
        let full = flying.len() >= AT_ONCE;
        tokio::select! {
            () = shared.news.notified() => {}
            () = tokio::time::sleep_until(queue.next_due()), if !full => {}
            Some(done) = flying.join_next() => match done {
                Ok((attempt, true)) => received(&shared, &attempt.event),
                Ok((attempt, false)) => again(&mut queue, attempt),
                Err(error) => tracing::error!(%error, "a delivery ended by itself"),
            },
        }
    }
}

fn received(shared: &Shared, event: &str) {
    if let Err(error) = shared.with(|world| world.delivered(event)) {
        tracing::error!(%error, event, "a delivery cannot be written down");
    }
}

fn again(queue: &mut Queue, attempt: Attempt) {
    if attempt.number + 1 >= MAX_ATTEMPTS {
        tracing::warn!(event = attempt.event, "nobody received this event for three days");
        return;
    }
    queue.put(wait_after(attempt.number), Attempt { number: attempt.number + 1, ..attempt });
}

/// 0.2 s, 0.4 s, … 60 s.
fn wait_after(attempt: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(attempt.min(16))).min(LONGEST_WAIT)
}

/// Whether it was received.
async fn tell(
    shared: Arc<Shared>,
    webhook: Arc<Webhook>,
    client: reqwest::Client,
    attempt: Attempt,
) -> (Attempt, bool) {
    let weather = shared.weather();
    let body = shared.with(|world| {
        let dropped = world.chance(weather.drop);
        world.get(&attempt.event).filter(|_| !dropped).map(|event| {
            // Every attempt says the same, whether another has arrived or not.
            let mut event = event.clone();
            event["pending_webhooks"] = 1.into();
            event.to_string()
        })
    });
    let Ok(Some(body)) = body else { return (attempt, false) };
    // Whoever checks it looks at the machine's clock, not at this world's.
    let signature = sign(&webhook.secret, World::machine_time(), &body);
    let answer = client
        .post(&webhook.url)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (simulator)")
        .header("stripe-signature", signature)
        .body(body)
        .send()
        .await;
    let told = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
    if let Ok(answer) = &answer
        && !told
    {
        tracing::debug!(event = attempt.event, status = answer.status().as_u16(), "an event was refused");
    }
    (attempt, told)
}

/// The client of deliveries. It makes no detour: the program it tells is on the same machine.
pub fn client() -> std::io::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_over_the_time_and_the_body() {
        // openssl dgst -sha256 -hmac whsec_test <<< '1700000000.{"id":"evt_1"}' (without the newline)
        let signature = sign("whsec_test", 1_700_000_000, r#"{"id":"evt_1"}"#);
        assert_eq!(
            signature,
            "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925",
        );
        assert_ne!(signature, sign("whsec_test", 1_700_000_001, r#"{"id":"evt_1"}"#));
        assert_ne!(signature, sign("whsec_tesu", 1_700_000_000, r#"{"id":"evt_1"}"#));
    }

    #[test]
    fn waits_grow_to_a_minute() {
        assert_eq!(wait_after(0), Duration::from_millis(200));
        assert_eq!(wait_after(1), Duration::from_millis(400));
        assert_eq!(wait_after(40), LONGEST_WAIT);
    }
}
