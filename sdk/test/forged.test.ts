// A storage and a clock that lie, hang or fail.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import type { Storage } from '../src/index.js';
import { wait } from '../src/http.js';
import { DAY, HOUR, KEY, newSigner, TestClock } from './fake.js';
import { activated, change, clock, editor, newStorage, raise, service, storage, strike, VALIDATE } from './stage.js';

beforeEach(raise);
afterEach(strike);

test('whoever writes their own key into the storage has no license', async () => {
  const trustedKeys = { keys: [service.signer.jwk] };
  const own = await newSigner('own');
  const token = await service.token('machine-1', undefined, own);
  const forge = async (kept: object): Promise<void> => {
    newStorage();
    await storage.set('keys', JSON.stringify({ keys: [service.signer.jwk, own.jwk] }));
    const clock = { latest: 0, offset: 0 };
    await storage.set('license', JSON.stringify({ key: KEY, heardAt: service.clock.time, clock, ...kept }));
  };
  const port = service.port;
  for (const kept of [{ token }, { machineFile: token }, { key: null, machineFile: token }]) {
    await service.stop();
    await forge(kept);
    const offline = await editor({ trustedKeys }).license.status();
    assert.deepEqual([offline.code, offline.tier], ['NOT_CONFIRMED', 'free'], JSON.stringify(Object.keys(kept)));
    const file = JSON.stringify({ type: 'devforge.machine-file', token });
    const imported = await editor({ trustedKeys }).license.importMachineFile(file);
    assert.deepEqual(imported, { imported: false, fault: 'not_signed' });
    await service.listen(port);
    service.code = 'NOT_FOUND';
    await forge(kept);
    const client = editor({ trustedKeys });
    assert.equal((await client.license.status()).tier, 'free');
    assert.equal((await client.license.status()).tier, 'free');
  }
});

test('a key that the editor does not bring along counts in the run in which the service published it', async () => {
  const trustedKeys = { keys: [service.signer.jwk] };
  const second = await newSigner('second');
  service.published = [service.signer, second];
  Object.assign(service, { signer: second });
  const client = editor({ trustedKeys });
  await client.license.activate(KEY, 'ada@example.com');
  const port = service.port;
  await service.stop();
  assert.equal((await client.license.status({ refresh: true })).source, 'offline_token');
  const next = editor({ trustedKeys });
  assert.equal((await next.license.status()).code, 'NOT_CONFIRMED', 'nobody speaks for it in the storage');
  await service.listen(port);
  assert.equal((await next.license.status()).source, 'server');
  await service.stop();
  assert.equal((await next.license.status({ refresh: true })).source, 'offline_token');
});

test('a list of trusted keys with none in it is a mistake that is said at once', () => {
  assert.throws(() => editor({ trustedKeys: { keys: [] } }), TypeError);
});

test('whoever writes their own time into the storage has no license', async () => {
  await activated();
  const begun = clock.time;
  for (const later of [2 * DAY, 30 * DAY]) {
    clock.time = begun + later;
    service.code = 'REVOKED';
    const before = service.count(VALIDATE);
    await change((kept) => {
      Object.assign(kept, { heardAt: clock.time - HOUR, clock: { latest: 0, offset: -later } });
    });
    const kept = (await storage.get('license')) ?? '';
    const online = await editor().license.status();
    assert.deepEqual([online.code, online.tier, online.source], ['REVOKED', 'free', 'server']);
    assert.equal(service.count(VALIDATE), before + 1);
    await storage.set('license', kept);
    const { port } = service;
    await service.stop();
    const offline = await editor().license.status();
    assert.equal(offline.tier, later < 14 * DAY ? 'pro' : 'free', 'no longer than the token');
    // The machine's own clock goes no further back than the day on which the token was signed.
    const own = new TestClock();
    own.time = begun - 11 * 60 * 1000;
    await storage.set('license', kept);
    assert.equal((await editor({ now: own.now }).license.status()).code, 'CLOCK_SET_BACK');
    await storage.set('license', kept);
    await service.listen(port);
  }
});

test('a refund is heard by an editor that is online, whatever its storage and its clock say', async () => {
  await activated();
  const kept = (await storage.get('license')) ?? '';
  const begun = clock.time;
  clock.time += 10 * DAY;
  service.code = 'REVOKED';
  // The clock was set back to where the token is fresh, and the storage with it.
  const own = new TestClock();
  own.time = begun + HOUR;
  for (let start = 0; start < 3; start += 1) {
    await storage.set('license', kept);
    const told: string[] = [];
    const client = editor({ now: own.now, onChange: (status) => void told.push(status.code) });
    await client.license.status();
    const next = await client.license.status();
    assert.deepEqual([next.code, next.tier], ['REVOKED', 'free']);
    assert.deepEqual(told, ['REVOKED']);
  }
});

test('a token whose key was taken out of the storage, so that nobody can be asked, turns nothing on', async () => {
  await activated();
  await change((kept) => {
    kept.key = null;
  });
  const status = await editor().license.status();
  assert.deepEqual([status.code, status.tier], ['NO_LICENSE', 'free']);
});

test('when something was heard is only believed where it can be true', async () => {
  await activated();
  const { port } = service;
  await service.stop();
  for (const heardAt of [clock.time - DAY, clock.time + DAY, 'x', null]) {
    await change((kept) => {
      kept.heardAt = heardAt;
    });
    const status = await editor().license.status();
    assert.equal(status.checkedAt, new Date(clock.time).toISOString(), String(heardAt));
  }
  await service.listen(port);
});

/** A storage whose methods hang as long as they are told to. */
function hanging(inner: Storage): { storage: Storage; hang: Set<'get' | 'set'>; reads: () => number } {
  const hang = new Set<'get' | 'set'>();
  let reads = 0;
  const storage: Storage = {
    get: (name) => {
      reads += 1;
      return hang.has('get') ? new Promise(() => undefined) : inner.get(name);
    },
    set: (name, value) => (hang.has('set') ? new Promise(() => undefined) : inner.set(name, value)),
    remove: (name) => inner.remove(name),
  };
  return { storage, hang, reads: () => reads };
}

test('a status takes no longer than its time on a storage that hangs', async () => {
  await activated();
  const before = await storage.get('license');
  const slow = hanging(storage);
  slow.hang.add('get');
  const client = editor({ storage: slow.storage, timeout: 200 });
  for (let time = 0; time < 2; time += 1) {
    const begun = performance.now();
    const status = await client.license.status();
    assert.ok(performance.now() - begun < 1_000, `${performance.now() - begun} ms`);
    assert.deepEqual([status.code, status.tier], ['NOT_CONFIRMED', 'free']);
    assert.ok(status.trouble === 'timeout' || status.trouble === 'storage');
  }
  assert.equal(await storage.get('license'), before, 'what cannot be read is not written over');
  const writing = hanging(storage);
  const patient = editor({ storage: writing.storage, timeout: 200 });
  assert.equal((await patient.license.status()).tier, 'pro');
  writing.hang.add('set');
  const begun = performance.now();
  const asked = await patient.license.status({ refresh: true });
  assert.ok(performance.now() - begun < 1_000, `${performance.now() - begun} ms`);
  assert.deepEqual([asked.tier, asked.source], ['pro', 'server']);
  writing.hang.add('get');
  assert.equal((await patient.license.status()).tier, 'pro', 'what was known before still is');
});

test('a status takes no longer than its time behind another', async () => {
  await activated();
  const client = editor({ timeout: 1_000 });
  await client.license.status();
  await client.license.status();
  clock.time += 2 * DAY;
  let asked = (): void => undefined;
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  service.handlers.set(VALIDATE, () => asked());
  const first = client.license.status();
  await asking;
  await wait(500);
  const begun = performance.now();
  const second = await client.license.status({ refresh: true });
  const took = performance.now() - begun;
  // One after the other they would take 1,500.
  assert.ok(took < 1_300, `${took} ms`);
  assert.deepEqual([second.tier, second.source, second.trouble], ['pro', 'offline_token', 'timeout']);
  assert.equal((await first).tier, 'pro');
});

test('a storage that fails once is not taken for an empty one', async () => {
  await activated();
  let failing = true;
  const inner = storage;
  const flaky: Storage = {
    ...inner,
    get: (name) => (failing ? Promise.reject(new Error('locked')) : inner.get(name)),
  };
  const client = editor({ storage: flaky });
  const blind = await client.license.status();
  assert.deepEqual([blind.code, blind.trouble], ['NOT_CONFIRMED', 'storage']);
  await assert.rejects(client.license.machineRequest(), /locked/);
  await assert.rejects(client.license.deactivate(), /locked/);
  failing = false;
  assert.equal((await client.license.status()).tier, 'pro');
});
