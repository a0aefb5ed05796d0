//! All that the simulated Stripe knows: its objects by id, its time, and the events it has yet to deliver.
//!
//! What always holds: one request changes it under one lock, whole or not at all ([`World::whole`]); every change is
//! written to the journal before the answer leaves, so that a restart finds what was promised.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

use crate::{fault::Fault, params::Params};

/// As our client's library speaks it.
pub const API_VERSION: &str = "2026-09-30.endive";
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const MAX_LIST: i64 = 100;

/// An object with the place it took when it was made.
struct Kept {
    sequence: u64,
    object: Value,
}

pub struct World {
    objects: HashMap<String, Kept>,
    /// By kind (`customer`, `checkout.session`), oldest first.
    kinds: BTreeMap<String, Vec<String>>,
    sequence: u64,
    /// Seconds that this world is ahead of the machine's clock.
    ahead: i64,
    rng: ChaCha20Rng,
    journal: Option<File>,
    /// What the request under way has changed and not yet written.
    dirty: Vec<String>,
    /// How many acts are under way, one within the other, that may have to be taken back.
    acts: usize,
    /// What these acts changed, as it was before: None for what was not there.
    before: Vec<(String, Option<Value>)>,
    /// Ids of events that nobody was told of yet; the delivery takes them.
    pub undelivered: Vec<String>,
    /// Named switches of tests and of the control page, such as the next refund's failure.
    pub switches: BTreeMap<String, Value>,
    /// Where this world is served, for the addresses in its objects. No slash at the end.
    pub base: String,
}

impl World {
    /// A new world, or the one that the journal tells of.
    pub fn open(journal: Option<&Path>, seed: u64) -> std::io::Result<Self> {
        let mut world = Self {
            objects: HashMap::new(),
            kinds: BTreeMap::new(),
            sequence: 0,
            ahead: 0,
            rng: ChaCha20Rng::seed_from_u64(seed),
            journal: None,
            dirty: Vec::new(),
            acts: 0,
            before: Vec::new(),
            undelivered: Vec::new(),
            switches: BTreeMap::new(),
            base: String::new(),
        };
        let Some(path) = journal else { return Ok(world) };
        if let Ok(file) = File::open(path) {
            for line in BufReader::new(file).split(b'\n') {
                // A line cut off by a kill was never promised to anybody.
                let Ok(object) = serde_json::from_slice::<Value>(&line?) else { continue };
                if let Some(ahead) = object.get("ahead").and_then(Value::as_i64) {
                    world.ahead = ahead;
                } else {
                    world.keep(object);
                }
            }
            // Deliveries that were due when the last process ended.
            let pending =
                |event: &&Value| event["pending_webhooks"].as_i64().is_some_and(|pending| pending > 0);
            world.undelivered = world.all("event").filter(pending).map(id_of).collect();
            world.undelivered.reverse();
        }
        world.dirty.clear();
        // Ids must not be made twice after a restart.
        world.rng = ChaCha20Rng::seed_from_u64(seed ^ world.sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut journal = OpenOptions::new().create(true).append(true).open(path)?;
        if journal.metadata()?.len() > 0 {
            // What follows must not hang on to a line that was cut off.
            journal.write_all(b"\n")?;
        }
        world.journal = Some(journal);
        Ok(world)
    }

    pub fn now(&self) -> i64 {
        Self::machine_time() + self.ahead
    }

    /// The time of the programs around this world, which do not know that it was moved ahead.
    #[expect(clippy::disallowed_methods, reason = "a world of its own, with a clock of its own")]
    pub fn machine_time() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    pub fn ahead(&self) -> i64 {
        self.ahead
    }

    /// The time of whoever belongs to a test clock is that clock's.
    pub fn now_for(&self, customer: &str) -> i64 {
        let clock = self.get(customer).and_then(|customer| customer["test_clock"].as_str());
        let frozen = clock.and_then(|clock| self.get(clock)).and_then(|clock| clock["frozen_time"].as_i64());
        frozen.unwrap_or_else(|| self.now())
    }

    /// Moves this world's time. What becomes due by it is the caller's business (`clock::run_due`).
    pub fn advance(&mut self, seconds: i64) -> std::io::Result<()> {
        self.ahead += seconds.max(0);
        if let Some(journal) = &mut self.journal {
            writeln!(journal, "{}", json!({ "ahead": self.ahead }))?;
        }
        Ok(())
    }

    pub fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Whether something of this probability happens now.
    pub fn chance(&mut self, probability: f64) -> bool {
        const STEPS: u32 = 1_000_000;
        let drawn = u32::try_from(self.random() % u64::from(STEPS)).unwrap_or(0);
        f64::from(drawn) < probability * f64::from(STEPS)
    }

    /// A number of this range, both ends included.
    pub fn between(&mut self, (low, high): (u64, u64)) -> u64 {
        if high <= low { low } else { low + self.random() % (high - low + 1) }
    }

    /// `cus_` and 14 letters and digits, as Stripe's look.
    pub fn new_id(&mut self, prefix: &str) -> String {
        self.new_secret(prefix, 14)
    }

    pub fn new_secret(&mut self, prefix: &str, letters: usize) -> String {
        let mut id = format!("{prefix}_");
        for _ in 0..letters {
            let at = usize::try_from(self.rng.next_u64() % ID_ALPHABET.len() as u64).unwrap_or(0);
            id.push(char::from(ID_ALPHABET[at]));
        }
        id
    }

    /// Carries out an act whole or not at all: on a fault everything is as it was before. A declined card is no such
    /// fault: the failed payment stays, as it does at Stripe.
    pub fn whole<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let (mark, told) = (self.before.len(), self.undelivered.len());
        self.acts += 1;
        let result = act(self);
        self.acts -= 1;
        if result.as_ref().is_err_and(|fault| fault.status != 402) {
            for (id, object) in self.before.split_off(mark).into_iter().rev() {
                self.put_back(&id, object);
            }
            self.undelivered.truncate(told);
        }
        if self.acts == 0 {
            self.before.clear();
        }
        result
    }

    fn put_back(&mut self, id: &str, object: Option<Value>) {
        if let Some(object) = object {
            if let Some(kept) = self.objects.get_mut(id) {
                kept.object = object;
            }
        } else if let Some(kept) = self.objects.remove(id)
            && let Some(ids) = self.kinds.get_mut(kept.object["object"].as_str().unwrap_or_default())
        {
            ids.retain(|other| other != id);
        }
    }

    fn remember(&mut self, id: &str) {
        if self.acts > 0 {
            let object = self.get(id).cloned();
            self.before.push((id.to_owned(), object));
        }
    }

    fn keep(&mut self, object: Value) {
        let id = id_of(&object);
        self.remember(&id);
        match self.objects.get_mut(&id) {
            Some(kept) => kept.object = object,
            None => {
                self.sequence += 1;
                let kind = object["object"].as_str().unwrap_or_default().to_owned();
                self.kinds.entry(kind).or_default().push(id.clone());
                self.objects.insert(id.clone(), Kept { sequence: self.sequence, object });
            }
        }
        self.dirty.push(id);
    }

    /// Puts a new object in, or another in its place. It has an `id` and says in `object` what it is.
    pub fn put(&mut self, object: Value) -> Value {
        self.keep(object.clone());
        object
    }

    pub fn get(&self, id: &str) -> Option<&Value> {
        self.objects.get(id).map(|kept| &kept.object)
    }

    /// The object of this kind, or the 404 that Stripe answers.
    pub fn find(&self, kind: &str, id: &str) -> Result<Value, Fault> {
        self.get(id)
            .filter(|object| object["object"] == kind && object["deleted"] != true)
            .cloned()
            .ok_or_else(|| Fault::not_found(kind.rsplit('.').next().unwrap_or(kind), id))
    }

    /// Changes an object in place and gives it as it is then. Null when there is none.
    pub fn change(&mut self, id: &str, change: impl FnOnce(&mut Value)) -> Value {
        self.remember(id);
        let Some(kept) = self.objects.get_mut(id) else { return Value::Null };
        change(&mut kept.object);
        self.dirty.push(id.to_owned());
        kept.object.clone()
    }

    /// Everything of one kind, newest first.
    pub fn all<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let ids = self.kinds.get(kind).map(Vec::as_slice).unwrap_or_default();
        ids.iter().rev().filter_map(|id| self.get(id))
    }

    /// A page of a list, as `limit`, `starting_after` and `ending_before` ask for it.
    pub fn list(
        &self,
        kind: &str,
        url: &str,
        params: &Params,
        keep: impl Fn(&Value) -> bool,
    ) -> Result<Value, Fault> {
        let limit = params.int("limit")?.unwrap_or(10);
        if !(1..=MAX_LIST).contains(&limit) {
            return Err(Fault::invalid("limit", "This value must be between 1 and 100."));
        }
        let limit = usize::try_from(limit).unwrap_or(10);
        let place = |id: &str| self.objects.get(id).map(|kept| kept.sequence);
        let after =
            params.text("starting_after").map(|id| place(id).ok_or_else(|| Fault::not_found(kind, id)));
        let before =
            params.text("ending_before").map(|id| place(id).ok_or_else(|| Fault::not_found(kind, id)));
        let (after, before) = (after.transpose()?, before.transpose()?);
        let within = |object: &&Value| {
            let sequence = place(object["id"].as_str().unwrap_or_default()).unwrap_or(0);
            after.is_none_or(|after| sequence < after) && before.is_none_or(|before| sequence > before)
        };
        let created = |object: &&Value| {
            let at = object["created"].as_i64().unwrap_or(0);
            let bound = |name: &str| {
                params
                    .at(&["created", name])
                    .and_then(Value::as_str)
                    .and_then(|text| text.parse::<i64>().ok())
            };
            bound("gte").is_none_or(|from| at >= from)
                && bound("gt").is_none_or(|from| at > from)
                && bound("lte").is_none_or(|to| at <= to)
                && bound("lt").is_none_or(|to| at < to)
        };
        // One more than asked for tells whether there are more; a page before something needs them all.
        let enough = if before.is_some() { usize::MAX } else { limit + 1 };
        let matching = self.all(kind).filter(within).filter(created).filter(|object| keep(object));
        let mut found: Vec<Value> = matching.take(enough).cloned().collect();
        let has_more = found.len() > limit;
        if before.is_some() {
            // The page right before is the one with the oldest of what is newer.
            found.drain(..found.len().saturating_sub(limit));
        }
        found.truncate(limit);
        Ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": found }))
    }

    /// Tells the world outside that something happened to an object, as it is now.
    pub fn emit(&mut self, topic: &str, id: &str) {
        let Some(object) = self.get(id).cloned() else { return };
        self.emit_object(topic, object);
    }

    pub fn emit_object(&mut self, topic: &str, object: Value) {
        let customer = match object["object"].as_str() {
            Some("customer") => object["id"].as_str(),
            _ => object["customer"].as_str(),
        };
        let created = customer.map_or_else(|| self.now(), |customer| self.now_for(customer));
        let id = self.new_id("evt");
        let mut event = json!({
            "id": id, "object": "event", "api_version": API_VERSION, "created": created, "type": topic,
            "livemode": false, "pending_webhooks": 1, "data": {},
            "request": { "id": null, "idempotency_key": null },
        });
        event["data"]["object"] = object;
        self.put(event);
        self.undelivered.push(id);
    }

    /// Ids of the events that are to be told now, oldest first.
    pub fn take_undelivered(&mut self) -> Vec<String> {
        std::mem::take(&mut self.undelivered)
    }

    /// An event that was received once is not told again after a restart.
    pub fn delivered(&mut self, event: &str) {
        self.change(event, |event| event["pending_webhooks"] = json!(0));
    }

    /// Everything changed since the last call goes to the journal. Called before an answer leaves.
    pub fn write_down(&mut self) -> std::io::Result<()> {
        let mut changed = std::mem::take(&mut self.dirty);
        changed.sort_unstable();
        changed.dedup();
        // In the order in which the objects were made: a reader puts them back the same way.
        changed.sort_by_key(|id| self.objects.get(id).map(|kept| kept.sequence));
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let mut lines = String::new();
        for id in &changed {
            if let Some(kept) = self.objects.get(id) {
                lines.push_str(&kept.object.to_string());
                lines.push('\n');
            }
        }
        journal.write_all(lines.as_bytes())
    }

    /// Replaces ids by the objects they name, along paths such as `data.payment_intent.latest_charge`.
    pub fn expand(&self, answer: &mut Value, paths: &[String]) {
        for path in paths {
            let steps: Vec<&str> = path.split('.').collect();
            self.expand_at(answer, &steps);
        }
    }

    fn expand_at(&self, here: &mut Value, steps: &[&str]) {
        let Some((step, rest)) = steps.split_first() else { return };
        if let Value::Array(items) = here {
            for item in items {
                self.expand_at(item, steps);
            }
            return;
        }
        let Some(next) = here.get_mut(step) else { return };
        if let Value::String(id) = next
            && let Some(object) = self.get(id)
        {
            *next = object.clone();
        }
        if let Value::Array(items) = next {
            for item in items {
                if let Value::String(id) = item
                    && let Some(object) = self.get(id)
                {
                    *item = object.clone();
                }
            }
        }
        self.expand_at(next, rest);
    }
}

pub fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
