// Where the client keeps what must outlive the program. The editor brings its own; one in memory is here, one in files
// is in `@dev-forge/client/node`.

import { inTime } from './lock.js';

export interface Storage {
  /** Null for what is not there. */
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export function memoryStorage(): Storage {
  const kept = new Map<string, string>();
  return {
    async get(name) {
      return kept.get(name) ?? null;
    },
    async set(name, value) {
      kept.set(name, value);
    },
    async remove(name) {
      kept.delete(name);
    },
  };
}

/** How long a storage may take, in milliseconds. */
export interface Patience {
  reading: number;
  writing: number;
}

/**
 * JSON in a storage that may fail or hang: what could not be written is remembered for as long as the program runs, and
 * goes out with the next try.
 */
export class Store {
  readonly #storage: Storage;
  readonly #onError: (error: unknown) => void;
  readonly #patience: Patience;
  readonly #unwritten = new Map<string, string | null>();
  /** Under way: a storage that hangs is not asked twice. */
  readonly #reading = new Map<string, Promise<string | null>>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(storage: Storage, onError: (error: unknown) => void, patience: Patience) {
    this.#storage = storage;
    this.#onError = onError;
    this.#patience = patience;
  }

  /** What was stored; undefined when there is nothing, or nothing that can be read. */
  async read(name: string): Promise<unknown> {
    try {
      return await this.readSure(name);
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }

  /** The same, for who must not take a storage that fails for one that is empty: throws. */
  async readSure(name: string): Promise<unknown> {
    let text = this.#unwritten.get(name);
    if (text === undefined) {
      text = await inTime(this.#patience.reading, this.#get(name), () => {
        throw new Error('The storage did not answer in time.');
      });
    }
    if (typeof text !== 'string') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  }

  async write(name: string, value: unknown): Promise<void> {
    await this.#put(name, JSON.stringify(value));
  }

  async remove(name: string): Promise<void> {
    await this.#put(name, null);
  }

  #get(name: string): Promise<string | null> {
    const under = this.#reading.get(name);
    if (under) return under;
    const reading = (async () => this.#storage.get(name))();
    this.#reading.set(name, reading);
    const over = (): void => {
      if (this.#reading.get(name) === reading) this.#reading.delete(name);
    };
    reading.then(over, over);
    return reading;
  }

  async #put(name: string, text: string | null): Promise<void> {
    this.#unwritten.set(name, text);
    // What is being read is older than this.
    this.#reading.delete(name);
    let writing = this.#writing.get(name);
    if (!writing) {
      writing = this.#send(name);
      this.#writing.set(name, writing);
    }
    await inTime(this.#patience.writing, writing, () => {
      this.#onError(new Error('The storage did not take it in time.'));
    });
  }

  /** Writes until nothing newer waits: one at a time, so that an older text never comes after a newer one. */
  async #send(name: string): Promise<void> {
    try {
      for (;;) {
        const text = this.#unwritten.get(name);
        if (text === undefined) return;
        let failed = false;
        try {
          await (text === null ? this.#storage.remove(name) : this.#storage.set(name, text));
        } catch (error) {
          failed = true;
          this.#onError(error);
        }
        if (this.#unwritten.get(name) !== text) continue;
        if (!failed) this.#unwritten.delete(name);
        return;
      }
    } finally {
      this.#writing.delete(name);
    }
  }
}
