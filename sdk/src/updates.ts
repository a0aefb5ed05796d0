// Whether there is a newer editor.

import { isRecord, NetworkError, troubleOf } from './errors.js';
import type { Http } from './http.js';
import { text } from './license_state.js';
import type { Store } from './storage.js';
import type { Update, UpdateCheck } from './types.js';

const INSTALLATION = 'installation';

export interface UpdateSetting {
  baseUrl: string;
  appVersion: string;
  platform: string | null;
  arch: string | null;
}

export class UpdateClient {
  readonly #http: Http;
  readonly #store: Store;
  readonly #setting: UpdateSetting;

  constructor(http: Http, store: Store, setting: UpdateSetting) {
    this.#http = http;
    this.#store = store;
    this.#setting = setting;
  }

  /** Does not throw: `unknown` where the service cannot say. */
  async check(options: { channel?: string; signal?: AbortSignal } = {}): Promise<UpdateCheck> {
    const { appVersion, platform, arch } = this.#setting;
    const query = new URLSearchParams({ currentVersion: appVersion, installId: await this.#installation() });
    if (platform !== null) query.set('platform', platform);
    if (arch !== null) query.set('arch', arch);
    if (options.channel !== undefined) query.set('channel', options.channel);
    try {
      const answer = await this.#http.request(`/api/updates/check?${query}`, { signal: options.signal });
      return this.#read(answer);
    } catch (error) {
      return { state: 'unknown', trouble: troubleOf(error) };
    }
  }

  #read(answer: unknown): UpdateCheck {
    if (!isRecord(answer)) throw nonsense();
    const { available, latestVersion, downloadUrl, size } = answer;
    if (typeof available !== 'boolean' || typeof latestVersion !== 'string') throw nonsense();
    if (!available) return { state: 'current', latestVersion };
    const url = typeof downloadUrl === 'string' ? parse(downloadUrl, this.#setting.baseUrl) : null;
    // What comes over an open line is not run.
    if (!url || (url.protocol !== 'https:' && url.origin !== new URL(this.#setting.baseUrl).origin)) throw nonsense();
    const update: Update = {
      latestVersion,
      downloadUrl: url.href,
      changelog: text(answer.changelog) ?? '',
      critical: answer.critical === true,
      sha512: text(answer.sha512),
      size: typeof size === 'number' ? size : null,
      releasedAt: text(answer.releasedAt),
      minimumVersion: text(answer.minimumVersion),
    };
    return { state: 'available', update };
  }

  /** Random, and only for letting updates reach a part of all installations first. */
  async #installation(): Promise<string> {
    const kept = await this.#store.read(INSTALLATION);
    if (typeof kept === 'string' && kept !== '') return kept;
    const fresh = globalThis.crypto.randomUUID();
    await this.#store.write(INSTALLATION, fresh);
    return fresh;
  }
}

function parse(text: string, base: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

function nonsense(): NetworkError {
  return new NetworkError('invalid_answer', 'The answer about updates makes no sense.');
}
