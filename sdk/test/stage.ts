// A service of the tests' own and a machine, on which the editor is started as often as a test likes.

import assert from 'node:assert/strict';

import { memoryStorage, type Client, type Storage } from '../src/index.js';
import { clientOf, FakeService, KEY, type TestClock } from './fake.js';

export const VALIDATE = '/api/licenses/validate';
export const JWKS = '/.well-known/jwks.json';

export let service: FakeService;
export let clock: TestClock;
export let storage: Storage;
let running: Client | null = null;

/** Before each test. */
export async function raise(): Promise<void> {
  service = await FakeService.start();
  clock = service.clock;
  newStorage();
}

/** After each test. */
export async function strike(): Promise<void> {
  running?.close();
  await service.stop();
}

/** As on a machine that has never seen the editor. */
export function newStorage(): void {
  storage = memoryStorage();
}

/** The editor, started anew: nothing but the storage is left of before. */
export function editor(more: Parameters<typeof clientOf>[1] = {}): Client {
  running?.close();
  running = clientOf(service.url, { storage, now: clock.now, ...more });
  return running;
}

export async function activated(): Promise<Client> {
  const client = editor();
  const result = await client.license.activate(KEY, 'ada@example.com');
  assert.equal(result.status.tier, 'pro');
  return client;
}

/** Changes what is stored. */
export async function change(change: (kept: Record<string, unknown>) => void): Promise<void> {
  const kept = JSON.parse((await storage.get('license')) ?? '') as Record<string, unknown>;
  change(kept);
  await storage.set('license', JSON.stringify(kept));
}
