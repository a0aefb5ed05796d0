// What needs Node, or Electron's main process.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Storage } from './storage.js';

/**
 * A storage that is a folder with one file for each name, for its owner's eyes only. A file is replaced as a whole, so a
 * crash leaves the old one or the new one.
 */
export function fileStorage(folder: string): Storage {
  const path = (name: string): string => {
    if (!/^[a-z][a-z0-9.-]{0,63}$/.test(name)) throw new TypeError(`not a name of this storage: ${name}`);
    return join(folder, `${name}.json`);
  };
  return {
    async get(name) {
      try {
        return await readFile(path(name), 'utf8');
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async set(name, value) {
      const target = path(name);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const fresh = `${target}.${randomUUID()}`;
      try {
        await writeFile(fresh, value, { mode: 0o600, flush: true });
        await rename(fresh, target);
      } catch (error) {
        await rm(fresh, { force: true });
        throw error;
      }
    },
    async remove(name) {
      await rm(path(name), { force: true });
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
