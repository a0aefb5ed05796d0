// The license on this machine.
//
// What always holds: a status is given within its time and never throws because of the network or the storage; only what
// the service signed, or has said in this run, turns anything on; an outage is not a refusal, and lasts as long as the
// token does; a refusal takes effect at once; the service is asked in every run of the program.

import { notOurs, readActivation, readCheck, readMachineFile, type Check } from './answers.js';
import { advance, loadClock, readClock, setClock, TOLERANCE, type Time } from './clock.js';
import { ProblemError, troubleOf } from './errors.js';
import type { Http } from './http.js';
import type { Keys, Opened } from './keys.js';
import { blank, load, save, type Stored } from './license_state.js';
import { createLock, inTime } from './lock.js';
import { byWord, free, licensed } from './shapes.js';
import { atHand, differs, recent, type Here, type Known, type Word } from './standing.js';
import type { Store } from './storage.js';
import { encode, judge, type Claims, type Objection } from './token.js';
import type {
  ActivateOptions,
  ActivationResult,
  License,
  LicenseState,
  MachineFileFault,
  MachineFileResult,
  MachineRequestFile,
  Trouble,
} from './types.js';

const LONGEST_WAIT = 60 * 60 * 1000;
/** How long somebody waits who has pressed a button. */
const PATIENCE = 15_000;
/** The part of a status's time that asking may take: the rest is for saying what came of it. */
const FOR_ASKING = 0.9;
/** Where the service could not be asked in the background it is left alone for so long. */
const AGAIN_AFTER = 15 * 60 * 1000;

export interface LicenseSetting {
  product: string;
  issuer: string;
  fingerprint: string;
  appVersion: string;
  freeFeatures: readonly string[];
  platform: string | null;
  timeout: number;
  now: () => number;
  onChange: (status: LicenseState) => void;
  onError: (error: unknown) => void;
}

/** A good answer may come without a token, and with one that cannot be verified for the moment. */
interface Answer {
  check: Check;
  claims: Claims | null;
}

export class LicenseClient {
  readonly #http: Http;
  readonly #keys: Keys;
  readonly #store: Store;
  readonly #setting: LicenseSetting;
  /** What is stored. Held while the service is asked about it, so for `timeout` at most. */
  readonly #lock = createLock();
  /** What a person sets going, one after another. A status does not wait for it. */
  readonly #actions = createLock();
  readonly #closed = new AbortController();
  #asking: { refresh: boolean; status: Promise<LicenseState> } | null = null;
  #freeFeatures: readonly string[];
  /** What was last read or written: for a storage that fails, and for who cannot wait. */
  #known: Known | null = null;
  #word: Word | null = null;
  /** What has to be added to this computer's clock, as the service has said it in this run. */
  #offset: number | null = null;
  /** The service wants to be left alone until then, by `performance.now()`. */
  #waiting: { until: number; trouble: Trouble } = { until: 0, trouble: 'rate_limited' };
  /** Not asked in the background before then, by `performance.now()`. */
  #behindFrom = 0;
  /** The latest time that an answer carried in its head, until it is written down. */
  #heard = 0;

  constructor(http: Http, keys: Keys, store: Store, setting: LicenseSetting) {
    this.#http = http;
    this.#keys = keys;
    this.#store = store;
    this.#setting = setting;
    this.#freeFeatures = setting.freeFeatures;
  }

  /** @internal */
  heard(time: number): void {
    this.#heard = Math.max(this.#heard, time);
  }

  /** @internal */
  close(): void {
    this.#closed.abort(new Error('The client was closed.'));
  }

  /**
   * What the editor may do now. Ask at the start and every hour: the service is asked in every run, then once a day, and
   * with `refresh`. The first of a run does not wait for it while the token is younger than a day; what the service says
   * then counts from the next one on, and is told to `onChange`. Does not throw, and takes no longer than the client's
   * `timeout`.
   */
  status(options: { refresh?: boolean } = {}): Promise<LicenseState> {
    // Many at once ask once.
    const refresh = options.refresh ?? false;
    if (this.#asking && (this.#asking.refresh || !refresh)) return this.#asking.status;
    const { timeout } = this.#setting;
    const end = performance.now() + timeout * FOR_ASKING;
    const work = this.#lock(() => this.#status(refresh, end)).catch((error: unknown) => {
      this.#setting.onError(error);
      return this.#fromMemory('storage');
    });
    // Counted from here: also behind others, and on a storage that hangs.
    const status = inTime(timeout, work, () => this.#fromMemory('timeout')).finally(() => {
      if (this.#asking === mine) this.#asking = null;
    });
    const mine = { refresh, status };
    this.#asking = mine;
    return status;
  }

  /**
   * Makes a license active on this machine, and keeps it here. When the service says no, what was here before stays. A
   * license that is good on any machine is kept also when it has no place left: then `activated` is false, and `code` is
   * `VALID`. Throws `ProblemError` for an address that is none, `NetworkError` without a connection.
   */
  activate(licenseKey: string, email: string, options: ActivateOptions = {}): Promise<ActivationResult> {
    return this.#actions(async () => {
      const { fingerprint, appVersion, product } = this.#setting;
      const nonce = freshNonce();
      const platform = options.platform ?? this.#setting.platform;
      const body = {
        licenseKey,
        email,
        fingerprint,
        product,
        version: appVersion,
        nonce,
        ...(options.machineName === undefined ? {} : { machineName: options.machineName }),
        ...(platform === null ? {} : { platform }),
      };
      // The same machine again is the same machine: it may be sent twice.
      const request = { method: 'POST', body, safe: true, within: PATIENCE, signal: options.signal } as const;
      const read = readActivation(await this.#http.request('/api/licenses/activate', request), nonce);
      const { offlineToken, ...answer } = read;
      if (!answer.activated) {
        const floating = answer.code === 'TOO_MANY_MACHINES' ? await this.#float(licenseKey, options.signal) : null;
        if (floating) return { ...answer, code: 'VALID', status: floating };
        const status = await this.#lock(async () => {
          const known = await this.#loadOrKnown();
          return known ? atHand(known, this.#here(known.state), null) : this.#fromMemory('storage');
        });
        return { ...answer, status };
      }
      let claims: Claims | null = null;
      if (offlineToken !== null) {
        const opened = await this.#keys.openOnline(offlineToken, this.#now(), this.#setting.timeout, options.signal);
        if (opened.state === 'good') claims = opened.claims;
        if (opened.state === 'bad' || (claims && !this.#isFor(claims, nonce))) throw notOurs();
      }
      const status = await this.#lock(() => this.#activated(licenseKey, answer.license, offlineToken, claims));
      return { ...answer, status };
    });
  }

  async #activated(
    key: string,
    license: License | null,
    token: string | null,
    claims: Claims | null,
  ): Promise<LicenseState> {
    const { state } = await this.#forgotten();
    // The answer has no time in it; the token has.
    const at = claims ? claims.iat * 1000 : null;
    if (at !== null) this.#set(state, at);
    Object.assign(state, {
      key,
      license: claims?.sub ?? null,
      token,
      heardAt: at,
      graceUntil: license?.graceUntil ?? null,
      machines: license?.machines ?? null,
    } satisfies Partial<Stored>);
    this.#word = at === null ? null : { key, at, unsigned: null };
    await this.#save({ state, token: claims, file: null });
    if (claims) return licensed(claims, state, 'server', null);
    return this.#status(true, performance.now() + this.#setting.timeout * FOR_ASKING);
  }

  /** Keeps a license that has no place left for this machine, when it is good without one. */
  async #float(licenseKey: string, signal: AbortSignal | undefined): Promise<LicenseState | null> {
    const end = performance.now() + this.#setting.timeout;
    let answer: Answer;
    try {
      answer = await this.#validate(licenseKey, () => end - performance.now(), signal);
    } catch (error) {
      signal?.throwIfAborted();
      this.#setting.onError(error);
      return null;
    }
    if (!answer.check.valid) return null;
    return this.#lock(async () => {
      const known = await this.#forgotten();
      known.state.key = licenseKey;
      return this.#take(known, licenseKey, answer);
    });
  }

  /**
   * Gives the machine's place back, and forgets the license here. Throws, and then everything stays as it was:
   * `NetworkError` without a connection, `ProblemError` with the code `conflict` while a machine file is still good here.
   */
  deactivate(options: { signal?: AbortSignal } = {}): Promise<{ deactivated: boolean }> {
    return this.#actions(async () => {
      const { key } = (await this.#lock(() => this.#load())).state;
      if (key === null) return { deactivated: false };
      const body = { licenseKey: key, fingerprint: this.#setting.fingerprint };
      try {
        const request = { method: 'POST', body, safe: true, within: PATIENCE, signal: options.signal } as const;
        await this.#http.request('/api/licenses/deactivate', request);
      } catch (error) {
        // A key that nobody knows any more is on no machine.
        const unknown = error instanceof ProblemError && error.status === 404 && error.code === 'not_found';
        if (!unknown) throw error;
      }
      return this.#lock(async () => {
        this.#word = null;
        await this.#save(await this.#forgotten());
        return { deactivated: true };
      });
    });
  }

  /**
   * What a machine without a connection asks for. Write it into a file; its owner uploads it on the license's page, and
   * carries the answer back to `importMachineFile`.
   */
  machineRequest(options: { machineName?: string; platform?: string } = {}): Promise<MachineRequestFile> {
    return this.#lock(async () => {
      const known = await this.#load();
      const nonce = freshNonce();
      known.state.requests.push(nonce);
      await this.#save(known);
      return {
        type: 'devforge.machine-request',
        fingerprint: this.#setting.fingerprint,
        machineName: options.machineName ?? null,
        platform: options.platform ?? this.#setting.platform,
        version: this.#setting.appVersion,
        nonce,
      };
    });
  }

  /**
   * Takes a machine file, as text or parsed. Its key has to be among `trustedKeys`; where there are none, with the service
   * or known here.
   */
  async importMachineFile(file: unknown): Promise<MachineFileResult> {
    const no = (fault: MachineFileFault): MachineFileResult => ({ imported: false, fault });
    const token = readMachineFile(file);
    if (token === null) return no('not_a_machine_file');
    const opened = await this.#keys.openFileOnline(token, this.#now(), this.#setting.timeout);
    if (opened.state !== 'good') return no('not_signed');
    const { claims } = opened;
    return this.#lock(async () => {
      const known = await this.#load();
      const { state } = known;
      const answers = claims.nonce !== undefined && state.requests.includes(claims.nonce);
      // Where nothing was asked, as after a new installation, an earlier file is as good.
      if (state.requests.length > 0 && !answers) return no('other_request');
      // The answer to a question of ours was signed after it: for a machine that hears nobody, that is the time.
      const clock = answers ? { latest: claims.iat * 1000, offset: 0 } : state.clock;
      const time = answers ? readClock(clock, this.#setting.now()) : this.#time(state);
      const objection = judge(claims, this.#setting, time);
      if (objection !== null) return no(FAULTS[objection]);
      if (answers) {
        this.#heard = 0;
        this.#offset = null;
      }
      Object.assign(state, { clock, machineFile: token, requests: [] } satisfies Partial<Stored>);
      known.file = claims;
      await this.#save(known);
      return { imported: true, status: atHand(known, this.#here(state), null) };
    });
  }

  /** Asks until `end` at the latest, by `performance.now()`. */
  async #status(refresh: boolean, end: number): Promise<LicenseState> {
    const known = await this.#loadOrKnown();
    if (!known) return this.#fromMemory('storage');
    const { state } = known;
    const { key } = state;
    const here = this.#here(state);
    const { clock, worth } = advance(state.clock, Math.max(here.time.now, this.#heard));
    state.clock = clock;
    if (worth) await this.#save(known);
    if (key === null) return atHand(known, here, null);
    const kept = refresh || here.time.setBack ? null : recent(known, here);
    if (kept) {
      // Also what is young enough is asked about once in every run: what is stored anybody can have put there.
      if (this.#word?.key !== key) this.#askBehind(key, kept);
      return kept;
    }
    const { until, trouble } = this.#waiting;
    if (!refresh && performance.now() < until) return atHand(known, here, trouble);
    const left = (): number => end - performance.now();
    if (left() <= 0) return atHand(known, here, 'timeout');
    try {
      return await this.#take(known, key, await this.#validate(key, left));
    } catch (error) {
      // What the failed answer said of the time counts as well.
      return atHand(known, this.#here(state), this.#failed(error));
    }
  }

  /** Asks while nobody waits for the answer. */
  #askBehind(key: string, shown: LicenseState): void {
    const begun = performance.now();
    const { signal } = this.#closed;
    if (signal.aborted || begun < this.#behindFrom || begun < this.#waiting.until) return;
    this.#behindFrom = begun + AGAIN_AFTER;
    const ask = async (): Promise<void> => {
      const known = await this.#loadOrKnown();
      // Somebody may have asked meanwhile.
      if (known?.state.key !== key || this.#word?.key === key) return;
      const end = performance.now() + this.#setting.timeout * FOR_ASKING;
      const answer = await this.#validate(key, () => end - performance.now(), signal);
      signal.throwIfAborted();
      const status = await this.#take(known, key, answer);
      if (differs(shown, status)) this.#setting.onChange(status);
    };
    this.#lock(ask).catch((error: unknown) => {
      if (signal.aborted) return;
      this.#failed(error);
      this.#setting.onError(error);
    });
  }

  /** Why there was no answer; whoever asks to be left alone is. */
  #failed(error: unknown): Trouble {
    const trouble = troubleOf(error);
    if (error instanceof ProblemError && error.retryAfter !== null) {
      this.#waiting = { until: performance.now() + Math.min(error.retryAfter, LONGEST_WAIT), trouble };
    }
    return trouble;
  }

  /** What the service says of a key on this machine. */
  async #validate(licenseKey: string, left: () => number, signal?: AbortSignal): Promise<Answer> {
    const { fingerprint, appVersion, product } = this.#setting;
    const nonce = freshNonce();
    const body = { licenseKey, fingerprint, product, version: appVersion, nonce };
    const within = left();
    const request = { method: 'POST', body, safe: true, timeout: within, within, signal } as const;
    const check = readCheck(await this.#http.request('/api/licenses/validate', request), nonce);
    if (!check.valid || check.offlineToken === null) return { check, claims: null };
    const opened = await this.#keys.openOnline(check.offlineToken, this.#now(), left(), signal);
    if (opened.state === 'bad') throw notOurs();
    if (opened.state === 'unknown') return { check, claims: null };
    if (!this.#isFor(opened.claims, nonce)) throw notOurs();
    return { check, claims: opened.claims };
  }

  /** Takes the service's word, and keeps it. */
  async #take(known: Known, key: string, { check, claims }: Answer): Promise<LicenseState> {
    const { state, file } = known;
    this.#set(state, check.checkedAt);
    const unsigned = check.valid && claims === null ? check : null;
    this.#word = { key, at: check.checkedAt, unsigned };
    state.heardAt = check.checkedAt;
    state.graceUntil = check.graceUntil;
    state.machines = check.machines;
    if (check.valid) {
      state.refused = null;
      // A token that cannot be verified yet does not replace one that can.
      if (claims || check.offlineToken === null || known.token === null) {
        state.token = check.offlineToken;
        known.token = claims;
      }
      state.license = claims?.sub ?? state.license;
      await this.#save(known);
      return claims ? licensed(claims, state, 'server', null) : byWord(check, 'server', null);
    }
    const { code, expiresAt, graceUntil, machines } = check;
    state.token = null;
    known.token = null;
    // A file of another license is not spoken of.
    if (state.license === null || file === null || file.sub === state.license) {
      state.machineFile = null;
      known.file = null;
    }
    state.refused = { code, expiresAt, graceUntil, machines };
    this.#freeFeatures = check.features;
    await this.#save(known);
    return atHand(known, this.#here(state), null, 'server');
  }

  /** What is stored. Throws when it cannot be read. */
  async #load(): Promise<Known> {
    const state = await load(this.#store);
    const claims = (opened: Opened | null): Claims | null => (opened?.state === 'good' ? opened.claims : null);
    // Without its key nobody could be asked about it.
    const asked = state.key === null ? null : state.token;
    const now = this.#now(state);
    const token = claims(asked === null ? null : await this.#keys.open(asked, now));
    const file = claims(state.machineFile === null ? null : await this.#keys.openFile(state.machineFile, now));
    const signed = Math.max(token?.iat ?? 0, file?.iat ?? 0) * 1000;
    const clock = loadClock(state.clock, signed);
    state.clock = { ...clock, offset: this.#offset ?? clock.offset };
    const heard = state.heardAt ?? NaN;
    const possible = heard >= (token?.iat ?? 0) * 1000 && heard <= this.#time(state).now + TOLERANCE;
    if (!possible) state.heardAt = token ? token.iat * 1000 : null;
    this.#known = { state, token, file };
    return this.#known;
  }

  /** The same, or what was last known of it; null when nothing is. */
  async #loadOrKnown(): Promise<Known | null> {
    try {
      return await this.#load();
    } catch (error) {
      this.#setting.onError(error);
      return this.#known;
    }
  }

  /** Nothing of a license, with what is known of the clock. */
  async #forgotten(): Promise<Known> {
    const known = await this.#loadOrKnown();
    return { state: blank(known?.state.clock ?? { latest: 0, offset: 0 }), token: null, file: null };
  }

  async #save(known: Known): Promise<void> {
    this.#known = known;
    await save(this.#store, known.state);
  }

  /** A status for which nothing has to be waited. */
  #fromMemory(trouble: Trouble): LicenseState {
    if (this.#known) return atHand(this.#known, this.#here(this.#known.state), trouble);
    return free(this.#freeFeatures, 'NOT_CONFIRMED', blank({ latest: 0, offset: 0 }), trouble, {});
  }

  /** Whether a token that has just come is the answer to our question. */
  #isFor(claims: Claims, nonce: string): boolean {
    // By the service's own clock: this one may be wrong.
    const time = { now: claims.iat * 1000, setBack: false };
    return claims.nonce === nonce && judge(claims, this.#setting, time) === null;
  }

  /** The service has said what time it is. */
  #set(state: Stored, told: number): void {
    state.clock = setClock(told, this.#setting.now());
    this.#offset = state.clock.offset;
    this.#heard = 0;
    this.#waiting = { ...this.#waiting, until: 0 };
  }

  #here(state: Stored): Here {
    return { expected: this.#setting, freeFeatures: this.#freeFeatures, word: this.#word, time: this.#time(state) };
  }

  /** By which keys are opened, before anything that is signed has told the time. */
  #now(stored = this.#known?.state): number {
    const offset = this.#offset ?? Math.max(stored?.clock.offset ?? 0, 0);
    return this.#setting.now() + offset;
  }

  #time(state: Stored): Time {
    const latest = Math.max(state.clock.latest, this.#heard);
    return readClock({ ...state.clock, latest }, this.#setting.now());
  }
}

const FAULTS: Record<Objection, MachineFileFault> = {
  issuer: 'wrong_issuer',
  machine: 'wrong_machine',
  version: 'wrong_version',
  expired: 'expired',
  clock: 'clock',
};

function freshNonce(): string {
  return encode(globalThis.crypto.getRandomValues(new Uint8Array(18)));
}
