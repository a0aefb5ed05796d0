// Updates, storages, the runtime, and the types.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { memoryStorage } from '../src/index.js';
import { verifyEd25519, type Verifier } from '../src/ed25519.js';
import { fileStorage } from '../src/node.js';
import { readKeys, readToken } from '../src/token.js';
import { clientOf, FakeService, json, newSigner, problem } from './fake.js';

const run = promisify(execFile);
/** From `build/test/`. */
const sdk = new URL('../../', import.meta.url).pathname;

test('a newer version is told with all there is to know about it', async () => {
  const service = await FakeService.start();
  const client = clientOf(service.url, { platform: 'linux', arch: 'x64' });
  const check = (answer: object): Promise<unknown> => {
    service.handlers.set('/api/updates/check', (_, response) => json(response, 200, answer));
    return client.updates.check({ channel: 'beta' });
  };
  const known = { available: true, latestVersion: '2.0.0', changelog: 'New.', critical: true, size: 7 };
  const update = {
    latestVersion: '2.0.0',
    downloadUrl: 'https://cdn.example/a.zip',
    changelog: 'New.',
    critical: true,
    sha512: null,
    size: 7,
    releasedAt: null,
    minimumVersion: null,
  };
  assert.deepEqual(await check({ ...known, downloadUrl: update.downloadUrl }), { state: 'available', update });
  const current = { available: false, latestVersion: '1.2.3' };
  assert.deepEqual(await check(current), { state: 'current', latestVersion: '1.2.3' });
  const nonsense = { state: 'unknown', trouble: 'invalid_answer' };
  assert.deepEqual(await check({ ...known, downloadUrl: 'http://cdn.example/a.zip' }), nonsense);
  assert.deepEqual(await check({ ...known, downloadUrl: 'file:///etc/passwd' }), nonsense);
  assert.deepEqual(await check({ available: 'yes' }), nonsense);
  service.handlers.set('/api/updates/check', (_, response) => problem(response, 422, 'invalid_version'));
  assert.deepEqual(await client.updates.check(), { state: 'unknown', trouble: 'request_refused' });
  await service.stop();
  assert.deepEqual(await client.updates.check(), { state: 'unknown', trouble: 'unreachable' });
});

test('an installation keeps its name over restarts', async () => {
  const storage = memoryStorage();
  const asked: string[] = [];
  const fetch = async (input: unknown): Promise<Response> => {
    asked.push(new URL(String(input)).searchParams.get('installId') ?? '');
    return Response.json({ available: false, latestVersion: '1.2.3' });
  };
  await clientOf('https://devforge.test', { storage, fetch }).updates.check();
  await clientOf('https://devforge.test', { storage, fetch }).updates.check();
  assert.match(asked[0] ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(asked[0], asked[1]);
});

test('files are for their owner, whole, and where they were put', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'client-'));
  try {
    const storage = fileStorage(join(folder, 'kept'));
    assert.equal(await storage.get('license'), null);
    await storage.remove('license');
    await Promise.all(Array.from({ length: 20 }, (_, number) => storage.set('license', `${number}`.repeat(10_000))));
    const kept = await storage.get('license');
    assert.ok(kept?.length === 10_000 || kept?.length === 20_000);
    assert.deepEqual(await readdir(join(folder, 'kept')), ['license.json']);
    if (process.platform !== 'win32') {
      assert.equal((await stat(join(folder, 'kept', 'license.json'))).mode & 0o777, 0o600);
    }
    await assert.rejects(storage.set('../outside', 'x'), TypeError);
    await storage.remove('license');
    assert.equal(await storage.get('license'), null);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('Node and WebCrypto say the same of a signature', async () => {
  const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify']);
  const message = new TextEncoder().encode('a text');
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  const signature = new Uint8Array(await crypto.subtle.sign({ name: 'Ed25519' }, privateKey, message));
  const changed = signature.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
  const web: Verifier = async (...all) => {
    // As in a renderer, where there is no Node.
    const given = Object.getOwnPropertyDescriptor(globalThis, 'process');
    Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true, writable: true });
    try {
      return await verifyEd25519(...all);
    } finally {
      if (given) Object.defineProperty(globalThis, 'process', given);
    }
  };
  for (const verify of [verifyEd25519, web]) {
    assert.equal(await verify(raw, message, signature), true);
    assert.equal(await verify(raw, message, changed), false);
    assert.equal(await verify(raw, new TextEncoder().encode('another'), signature), false);
  }
});

test('a token has three parts, one algorithm, one kind of header, and one way to be written', async () => {
  const service = await FakeService.start();
  const token = await service.token('machine-1', 'n');
  const keys = readKeys({ keys: [service.signer.jwk] });
  await service.stop();
  const state = async (text: string): Promise<string> => (await readToken(text, keys, verifyEd25519)).state;
  assert.equal(await state(token), 'good');
  const [head, body, seal] = token.split('.') as [string, string, string];
  const header = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const right = { alg: 'EdDSA', typ: 'JWT', kid: 'first' };
  const wrong = [
    `${token}.`,
    `${token}=`,
    ` ${token}`,
    `${head}.${body}`,
    `${header({ ...right, alg: 'HS256' })}.${body}.${seal}`,
    `${header({ ...right, alg: 'none' })}.${body}.`,
    `${header({ ...right, crit: ['exp'] })}.${body}.${seal}`,
    `${header({ ...right, jwk: service.signer.jwk })}.${body}.${seal}`,
    `${head}.${body}.${seal.slice(0, -1)}`,
    `${head}.${body}.${seal.replaceAll('-', '+').replaceAll('_', '/')}==`,
    'x'.repeat(20_000),
  ];
  for (const text of wrong) assert.equal(await state(text), 'bad', text);
  assert.equal(await state(`${header({ ...right, kid: 'second' })}.${body}.${seal}`), 'unknown_key');
});

test('of a list of keys only those count that can sign a token', async () => {
  const { jwk } = await newSigner('k');
  const others = [{ ...jwk, kty: 'EC' }, { ...jwk, crv: 'X25519' }, { ...jwk, use: 'enc' }, { ...jwk, kid: 5 }, null, 'x'];
  assert.deepEqual(readKeys({ keys: [...others, jwk] }), [{ kty: 'OKP', crv: 'Ed25519', kid: 'k', x: jwk.x }]);
  assert.deepEqual([readKeys(null), readKeys({ keys: 'x' }), readKeys([])], [[], [], []]);
});

test('the types are those of the committed OpenAPI document', async () => {
  const program = join(sdk, 'node_modules/.bin/openapi-typescript');
  const { stdout } = await run(program, [join(sdk, '../openapi.json')], { maxBuffer: 64 * 1024 * 1024 });
  const committed = await readFile(join(sdk, 'src/generated.ts'), 'utf8');
  assert.ok(stdout.includes(committed.trim()), 'run `npm run generate` in sdk/, look at the difference, commit it');
});

test('nothing is needed at run time but this package', async () => {
  const described = JSON.parse(await readFile(join(sdk, 'package.json'), 'utf8')) as Record<string, unknown>;
  assert.equal(described.dependencies, undefined);
  for (const file of await readdir(join(sdk, 'src'))) {
    const text = await readFile(join(sdk, 'src', file), 'utf8');
    const from = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');
    const foreign = from.filter((name) => !name.startsWith('./') && !(file === 'node.ts' && name.startsWith('node:')));
    assert.deepEqual(foreign, [], file);
  }
});
