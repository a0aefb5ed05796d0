// What people do with the editor, for those who have agreed to tell.
//
// What always holds: without consent nothing is kept and nothing is sent; what waits is bounded in number and in age; a
// service that does not want events, or cannot take them, is left alone for a while.

import { isRecord, ProblemError, troubleOf } from './errors.js';
import { isPassing, jitter, type Http, type Wait } from './http.js';
import { createLock } from './lock.js';
import type { Store } from './storage.js';
import type { Flushed, Queued, UsageEvent } from './types.js';

const NAME = 'events';
const PATH = '/api/analytics/events';
export const MOST_EVENTS = 500;
const BATCH = 100;
const TRIES = 5;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
const MINUTE = 60_000;
/** After so many tries without success. */
const PAUSE = 15 * MINUTE;
const DAY = 24 * 60 * MINUTE;
const TOO_OLD = 7 * DAY;
/** So many batches may be refused before it is clear that it is not about single events. */
const MOST_REFUSALS = 20;
const LONGEST_NAME = 100;
const HEAVIEST = 8 * 1024;

interface Waiting extends UsageEvent {
  id: string;
  timestamp: string;
}

interface Kept {
  consent: boolean;
  pausedUntil: number;
  events: Waiting[];
}

export interface EventSetting {
  flushAfter: number;
  now: () => number;
  random: () => number;
  wait: Wait;
  onError: (error: unknown) => void;
}

export class EventClient {
  readonly #http: Http;
  readonly #store: Store;
  readonly #setting: EventSetting;
  readonly #lock = createLock();
  readonly #closing = new AbortController();
  #sending: Promise<Flushed> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(http: Http, store: Store, setting: EventSetting) {
    this.#http = http;
    this.#store = store;
    this.#setting = setting;
  }

  /** Whether events may be kept and sent. Taking it back forgets what was not sent yet. */
  setConsent(consent: boolean): Promise<void> {
    return this.#change((kept) => {
      kept.consent = consent;
      if (!consent) kept.events = [];
    });
  }

  async hasConsent(): Promise<boolean> {
    return (await this.#lock(() => this.#load())).consent;
  }

  /** Keeps an event for sending. Of more than 500 the oldest go. */
  async queue(event: UsageEvent): Promise<Queued> {
    const at = event.timestamp === undefined ? this.#setting.now() : Date.parse(event.timestamp);
    if (typeof event.event !== 'string' || !Number.isFinite(at)) return { queued: false, reason: 'invalid' };
    if (event.event.length === 0 || event.event.length > LONGEST_NAME) return { queued: false, reason: 'invalid' };
    const id = globalThis.crypto.randomUUID();
    const waiting: Waiting = { ...event, id, timestamp: new Date(at).toISOString() };
    let size: number;
    try {
      size = new TextEncoder().encode(JSON.stringify(waiting)).length;
    } catch {
      return { queued: false, reason: 'invalid' };
    }
    if (size > HEAVIEST) return { queued: false, reason: 'too_large' };
    const queued = await this.#change((kept) => {
      if (!kept.consent) return false;
      kept.events = [...kept.events, waiting].slice(-MOST_EVENTS);
      return true;
    });
    if (!queued) return { queued: false, reason: 'no_consent' };
    this.#sendLater();
    return { queued: true, id };
  }

  /** Sends what waits. Does not throw; what could not be sent waits on. */
  flush(): Promise<Flushed> {
    this.#sending ??= this.#flush().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  /** @internal */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#closing.abort(new Error('The client was closed.'));
  }

  async #flush(): Promise<Flushed> {
    let sent = 0;
    let most = BATCH;
    let failures = 0;
    let refusals = 0;
    for (;;) {
      const { batch, paused } = await this.#change((kept) => {
        const oldest = this.#setting.now() - TOO_OLD;
        kept.events = kept.events.filter((event) => Date.parse(event.timestamp) > oldest);
        const until = kept.pausedUntil - this.#setting.now();
        // A pause that ends later than any pause does was begun under another clock.
        return { batch: kept.events.slice(0, most), paused: until > 0 && until <= DAY };
      });
      if (batch.length === 0) return { sent, left: 0, trouble: null };
      if (paused) return this.#stopped(sent, 'paused');
      try {
        await this.#send(batch);
        sent += batch.length;
        failures = 0;
        most = Math.min(BATCH, most * 2);
        await this.#drop(batch);
      } catch (error) {
        if (this.#closing.signal.aborted) return this.#stopped(sent, 'paused');
        if (error instanceof ProblemError && !isPassing(error.status)) {
          if (error.status === 404) return this.#pause(sent, 'not_there', DAY);
          if (error.code === 'consent_required') await this.setConsent(false);
          refusals += 1;
          if (![400, 413, 422].includes(error.status) || refusals > MOST_REFUSALS) {
            return this.#pause(sent, troubleOf(error), PAUSE);
          }
          // One of them is what the service cannot take: smaller batches find out which.
          if (batch.length > 1) most = Math.ceil(batch.length / 2);
          else await this.#drop(batch);
          continue;
        }
        failures += 1;
        const asked = error instanceof ProblemError ? (error.retryAfter ?? 0) : 0;
        if (failures >= TRIES || asked > LONGEST_WAIT) {
          return this.#pause(sent, troubleOf(error), Math.min(Math.max(asked, PAUSE), DAY));
        }
        const wait = Math.max(asked, jitter(failures, FIRST_WAIT, LONGEST_WAIT, this.#setting.random));
        try {
          await this.#setting.wait(wait, this.#closing.signal);
        } catch {
          return this.#stopped(sent, 'paused');
        }
      }
    }
  }

  /** An id that is seen again counts once, yet what decides about another try is here: it is sent once at a time. */
  async #send(batch: Waiting[]): Promise<void> {
    const body = { consent: true, sentAt: new Date(this.#setting.now()).toISOString(), events: batch };
    await this.#http.request(PATH, { method: 'POST', body, signal: this.#closing.signal });
  }

  async #drop(batch: Waiting[]): Promise<void> {
    const gone = new Set(batch.map((event) => event.id));
    await this.#change((kept) => {
      kept.events = kept.events.filter((event) => !gone.has(event.id));
    });
  }

  async #pause(sent: number, trouble: Flushed['trouble'], length: number): Promise<Flushed> {
    await this.#change((kept) => {
      kept.pausedUntil = this.#setting.now() + length;
    });
    return this.#stopped(sent, trouble);
  }

  async #stopped(sent: number, trouble: Flushed['trouble']): Promise<Flushed> {
    const kept = await this.#lock(() => this.#load());
    return { sent, left: kept.events.length, trouble };
  }

  #sendLater(): void {
    const { flushAfter, onError } = this.#setting;
    if (flushAfter <= 0 || this.#timer !== null || this.#closing.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timer = null;
      this.flush().catch(onError);
    }, flushAfter);
    // No program is kept open for the sake of numbers. In a browser a timer is a number and keeps nothing open.
    if (typeof timer === 'object') timer.unref();
    this.#timer = timer;
  }

  #change<T>(change: (kept: Kept) => T): Promise<T> {
    return this.#lock(async () => {
      const kept = await this.#load();
      const before = JSON.stringify(kept);
      const result = change(kept);
      if (JSON.stringify(kept) !== before) await this.#store.write(NAME, kept);
      return result;
    });
  }

  async #load(): Promise<Kept> {
    const read = await this.#store.read(NAME);
    const kept = isRecord(read) ? read : {};
    return {
      consent: kept.consent === true,
      pausedUntil: typeof kept.pausedUntil === 'number' ? kept.pausedUntil : 0,
      events: (Array.isArray(kept.events) ? kept.events : []).filter(isWaiting).slice(-MOST_EVENTS),
    };
  }
}

function isWaiting(value: unknown): value is Waiting {
  if (!isRecord(value)) return false;
  return ['id', 'event', 'timestamp'].every((name) => typeof value[name] === 'string');
}
