// Requests: with an end to each of them, an end to their repetition, and a bound on what an answer may weigh.
//
// What always holds: a request that changes something is sent again only when the caller says that twice is as good as
// once; a redirect is not followed, so that what is in a body goes to nobody else.

import { isRecord, NetworkError, ProblemError } from './errors.js';

/** How long one try may take. */
export const TIMEOUT = 5_000;
const TRIES = 3;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 5_000;
const HEAVIEST_ANSWER = 1024 * 1024;

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether it may be sent again. Reading may; so may what is the same done twice. */
  safe?: boolean;
  /** How long one try may take, in milliseconds; 5 s without it. */
  timeout?: number;
  /** How long all tries may take together; three times as long without it. */
  within?: number;
  signal?: AbortSignal | undefined;
}

export interface Http {
  /** The answer's JSON. Throws `ProblemError`, `NetworkError`, or the reason of the signal. */
  request(path: string, options?: RequestOptions): Promise<unknown>;
}

export interface HttpSetting {
  baseUrl: string;
  fetch: typeof globalThis.fetch;
  random: () => number;
  wait: Wait;
  /** Is told the time of every answer of the service. */
  heard: (time: number) => void;
}

export type Wait = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

export function createHttp(setting: HttpSetting): Http {
  return {
    async request(path, options = {}) {
      const method = options.method ?? 'GET';
      const timeout = options.timeout ?? TIMEOUT;
      const tries = options.safe ?? method === 'GET' ? TRIES : 1;
      const end = performance.now() + (options.within ?? timeout * TRIES);
      for (let attempt = 1; ; attempt += 1) {
        options.signal?.throwIfAborted();
        try {
          const left = Math.max(1, Math.min(timeout, end - performance.now()));
          return await limited(left, options.signal, (signal) => once(setting, path, method, options, signal));
        } catch (error) {
          const wait = pause(error, attempt, setting.random);
          if (wait === null || attempt >= tries || performance.now() + wait >= end) throw error;
          await setting.wait(wait, options.signal);
        }
      }
    },
  };
}

/** How long to wait before the next try; null when another try would not help. */
function pause(error: unknown, attempt: number, random: () => number): number | null {
  const again = error instanceof NetworkError || (error instanceof ProblemError && isPassing(error.status));
  if (!again) return null;
  const asked = error instanceof ProblemError ? (error.retryAfter ?? 0) : 0;
  return Math.max(asked, jitter(attempt, FIRST_WAIT, LONGEST_WAIT, random));
}

/** Between nothing and twice as much each time: those who failed together do not come back together. */
export function jitter(attempt: number, first: number, longest: number, random: () => number): number {
  return random() * Math.min(longest, first * 2 ** (attempt - 1));
}

/** Whether an answer says more about this moment than about the request. */
export function isPassing(status: number): boolean {
  return status === 429 || status === 408 || status >= 500;
}

async function once(
  setting: HttpSetting,
  path: string,
  method: string,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
  const init: RequestInit = {
    method,
    headers,
    signal,
    redirect: 'error',
    credentials: 'omit',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
  };
  if (options.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  let response: Response;
  try {
    response = await setting.fetch(setting.baseUrl + path, init);
  } catch (error) {
    throw new NetworkError('unreachable', 'The service cannot be reached.', { cause: error });
  }
  // Only our service says this: the clock of a proxy on the way is nobody's business.
  const date = response.headers.has('api-version') ? Date.parse(response.headers.get('date') ?? '') : NaN;
  if (Number.isFinite(date)) setting.heard(date);
  const text = await read(response);
  const body = parse(text);
  if (!response.ok) throw new ProblemError(response.status, body, retryAfter(response.headers));
  if (response.status === 204) return null;
  if (body === undefined) throw new NetworkError('invalid_answer', 'The answer is not JSON.');
  return body;
}

async function read(response: Response): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let weight = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      weight += value.byteLength;
      if (weight > HEAVIEST_ANSWER) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    throw new NetworkError('unreachable', 'The answer broke off.', { cause: error });
  }
  // What is left of it is of no interest, and neither is how that ends.
  reader.cancel().catch(() => undefined);
  throw new NetworkError('invalid_answer', 'The answer is too large.');
}

function parse(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) || Array.isArray(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, or a date. */
function retryAfter(headers: Headers): number | null {
  const said = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(said)) return Number(said) * 1000;
  // Counted from the answer's own date: the clock here may be wrong.
  const wait = Date.parse(said) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}

function limited<T>(
  milliseconds: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const end = (reason: unknown): void => {
      reject(reason);
      controller.abort(reason);
    };
    const late = (): void => end(new NetworkError('timeout', 'The service did not answer in time.'));
    const timer = setTimeout(late, milliseconds);
    const aborted = (): void => end(outer?.reason);
    outer?.addEventListener('abort', aborted, { once: true });
    // Not left to the signal alone: a `fetch` that was handed in may not listen to it.
    void run(controller.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        outer?.removeEventListener('abort', aborted);
      });
  });
}

export const wait: Wait = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', aborted, { once: true });
  });
