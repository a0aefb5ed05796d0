// The keys that sign tokens: those the editor brought along, and those the service publishes.
//
// What always holds: where the editor brings keys along, no other turns anything on but one that the service has
// published in this run, or that a key brought along speaks for. Those last read are kept in the storage, with what is
// said of them. Where the editor brings none along they count as they lie there, and whoever can write there can put in
// one of their own.

import type { Verifier } from './ed25519.js';
import type { Http } from './http.js';
import type { Store } from './storage.js';
import { isEndorsed, readKeys, readToken, type Claims, type Jwk, type Read } from './token.js';

const KEPT = 'keys';
const PATH = '/.well-known/jwks.json';

/** `unknown`: nobody can say for the moment, because the key or the means are not here. */
export type Opened = { state: 'good'; claims: Claims } | { state: 'bad' } | { state: 'unknown' };

export class Keys {
  /** Null where the editor brings none. */
  readonly #trusted: readonly Jwk[] | null;
  /** As the service published them in this run. */
  #fetched: readonly Jwk[] = [];
  readonly #http: Http;
  readonly #store: Store;
  readonly #issuer: string;
  readonly #verify: Verifier;
  readonly #onError: (error: unknown) => void;

  constructor(
    trusted: readonly Jwk[] | null,
    issuer: string,
    http: Http,
    store: Store,
    verify: Verifier,
    onError: (error: unknown) => void,
  ) {
    this.#trusted = trusted;
    this.#issuer = issuer;
    this.#http = http;
    this.#store = store;
    this.#verify = verify;
    this.#onError = onError;
  }

  /** What a token says, going by the keys at hand, at the time `now`. */
  async open(token: string, now: number): Promise<Opened> {
    return this.#attempt(async () => {
      const read = await readToken(token, [...(this.#trusted ?? []), ...this.#fetched], this.#verify);
      if (read.state !== 'unknown_key') return read;
      const kept = readKeys(await this.#store.read(KEPT)).filter((key) => key.kid === read.kid);
      return readToken(token, await this.#counting(kept, now), this.#verify);
    });
  }

  /** The same, asking the service for a key that is not at hand. */
  async openOnline(token: string, now: number, within: number, signal?: AbortSignal): Promise<Opened> {
    const opened = await this.open(token, now);
    if (opened.state !== 'unknown' || within <= 0) return opened;
    let fresh: Jwk[];
    try {
      fresh = readKeys(await this.#http.request(PATH, { timeout: within, within, signal }));
    } catch (error) {
      this.#onError(error);
      return opened;
    }
    if (fresh.length === 0) return opened;
    this.#fetched = fresh;
    await this.#store.write(KEPT, { keys: fresh });
    return this.open(token, now);
  }

  /** The same of a machine file, whose key the editor brings along if it brings any. */
  async openFile(token: string, now: number): Promise<Opened> {
    const trusted = this.#trusted;
    return trusted ? this.#attempt(() => readToken(token, trusted, this.#verify)) : this.open(token, now);
  }

  /** The same, asking for a key where the editor brings none. */
  async openFileOnline(token: string, now: number, within: number): Promise<Opened> {
    return this.#trusted ? this.openFile(token, now) : this.openOnline(token, now, within);
  }

  /** Of keys from the storage, those that count. Only a key that the editor brings along can speak for another. */
  async #counting(kept: readonly Jwk[], now: number): Promise<Jwk[]> {
    const trusted = this.#trusted;
    if (!trusted) return [...kept];
    const counts = await Promise.all(kept.map((key) => isEndorsed(key, trusted, this.#issuer, now, this.#verify)));
    return kept.filter((_, index) => counts[index]);
  }

  async #attempt(read: () => Promise<Read>): Promise<Opened> {
    try {
      const opened = await read();
      return opened.state === 'unknown_key' ? { state: 'unknown' } : opened;
    } catch (error) {
      // The runtime cannot verify: not a word about the token.
      this.#onError(error);
      return { state: 'unknown' };
    }
  }
}
