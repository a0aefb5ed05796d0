// The parts, put together.

import { verifyEd25519 } from './ed25519.js';
import { EventClient } from './events.js';
import { createHttp, TIMEOUT, wait, type RequestOptions } from './http.js';
import { Keys } from './keys.js';
import { LicenseClient } from './license.js';
import { Store } from './storage.js';
import { readKeys } from './token.js';
import { FREE_FEATURES, type ClientOptions } from './types.js';
import { UpdateClient } from './updates.js';

const LONGEST_FINGERPRINT = 256;
const FLUSH_AFTER = 10_000;

export interface Client {
  readonly license: LicenseClient;
  readonly updates: UpdateClient;
  readonly events: EventClient;
  /** Any other call: `path` begins with `/api/`. Gives the answer's JSON. */
  request(path: string, options?: RequestOptions): Promise<unknown>;
  /** Stops sending events and asking in the background. What waits is kept for the next start. */
  close(): void;
}

export function createClient(options: ClientOptions): Client {
  const base = new URL(options.baseUrl);
  if (base.protocol !== 'https:' && base.protocol !== 'http:') throw new TypeError('baseUrl is not a web address');
  const baseUrl = base.href.replace(/\/+$/, '');
  const { fingerprint } = options;
  if (fingerprint === '' || [...fingerprint].length > LONGEST_FINGERPRINT || /\p{Cc}/u.test(fingerprint)) {
    throw new TypeError(`a fingerprint has 1 to ${LONGEST_FINGERPRINT} characters, without control characters`);
  }
  const now = options.now ?? Date.now;
  const random = options.random ?? Math.random;
  const pause = options.wait ?? wait;
  const onError = options.onError ?? ((): void => undefined);
  // Called without an owner: a browser's `fetch` insists on its window.
  const fetch = options.fetch ?? ((...args: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...args));
  const platform = options.platform ?? globalThis.process?.platform ?? null;
  const arch = options.arch ?? globalThis.process?.arch ?? null;

  const timeout = options.timeout ?? TIMEOUT;
  const trusted = options.trustedKeys === undefined ? null : readKeys(options.trustedKeys);
  // Said at once: with a list that went wrong in a build, no token would count before the service is reached.
  if (trusted?.length === 0) throw new TypeError('trustedKeys holds no key that signs tokens');

  const store = new Store(options.storage, onError, { reading: timeout, writing: timeout / 5 });
  const http = createHttp({ baseUrl, fetch, random, wait: pause, heard: (time) => license.heard(time) });
  const issuer = options.issuer ?? baseUrl;
  const keys = new Keys(trusted, issuer, http, store, options.verify ?? verifyEd25519, onError);
  const license: LicenseClient = new LicenseClient(http, keys, store, {
    product: options.product ?? 'editor',
    issuer,
    fingerprint,
    appVersion: options.appVersion,
    freeFeatures: options.freeFeatures ?? FREE_FEATURES,
    platform: platform === null || arch === null ? platform : `${platform}-${arch}`,
    timeout,
    now,
    onChange: (status) => {
      try {
        options.onChange?.(status);
      } catch (error) {
        onError(error);
      }
    },
    onError,
  });
  const updates = new UpdateClient(http, store, { baseUrl, appVersion: options.appVersion, platform, arch });
  const flushAfter = options.flushAfter ?? FLUSH_AFTER;
  const events = new EventClient(http, store, { flushAfter, now, random, wait: pause, onError });
  return {
    license,
    updates,
    events,
    request: (path, request) => {
      if (!path.startsWith('/')) throw new TypeError('a path begins with a slash');
      return http.request(path, request);
    },
    close: () => {
      license.close();
      events.close();
    },
  };
}
