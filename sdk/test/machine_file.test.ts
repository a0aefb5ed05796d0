// Computers that never have a connection.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { memoryStorage, type Client, type Storage } from '../src/index.js';
import { clientOf, DAY, FakeService, HOUR, KEY, newSigner } from './fake.js';

let service: FakeService;
let storage: Storage;

beforeEach(async () => {
  service = await FakeService.start();
  service.tokenFor = 365 * DAY;
  storage = memoryStorage();
});
afterEach(() => service.stop());

/** An editor that reaches nobody, and brings the key along. */
function airGapped(more: Parameters<typeof clientOf>[1] = {}): Client {
  return clientOf(service.url, {
    storage,
    now: service.clock.now,
    trustedKeys: { keys: [service.signer.jwk] },
    fetch: () => Promise.reject(new TypeError('no network')),
    ...more,
  });
}

async function fileFor(nonce: string | undefined, fingerprint = 'machine-1'): Promise<string> {
  const token = await service.token(fingerprint, nonce);
  return JSON.stringify({ type: 'devforge.machine-file', token, goodUntil: '2027-11-20T10:00:00Z' });
}

test('a request goes out, a file comes back, and holds for its year', async () => {
  const request = await airGapped().license.machineRequest({ machineName: 'Lab 7' });
  assert.equal(request.type, 'devforge.machine-request');
  assert.deepEqual([request.fingerprint, request.machineName], ['machine-1', 'Lab 7']);
  const result = await airGapped().license.importMachineFile(await fileFor(request.nonce));
  assert.ok(result.imported);
  service.clock.time += 364 * DAY;
  const status = await airGapped().license.status();
  assert.deepEqual([status.tier, status.source, status.trouble], ['pro', 'machine_file', null]);
  service.clock.time += DAY;
  const late = await airGapped().license.status();
  assert.deepEqual([late.tier, late.code], ['free', 'NOT_CONFIRMED']);
});

test('what is no answer to a request of this machine is refused, with the reason', async () => {
  const client = airGapped();
  const refuse = async (file: unknown, fault: string): Promise<void> => {
    assert.deepEqual(await client.license.importMachineFile(file), { imported: false, fault });
  };
  const good = JSON.parse(await fileFor(undefined)) as { token: string };
  await refuse('', 'not_a_machine_file');
  await refuse('{', 'not_a_machine_file');
  await refuse({ type: 'devforge.machine-request', token: good.token }, 'not_a_machine_file');
  await refuse(`"${'x'.repeat(100_000)}"`, 'not_a_machine_file');
  await refuse({ ...good, token: good.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) }, 'not_signed');
  await refuse({ ...good, token: await service.token('machine-1', undefined, await newSigner('other')) }, 'not_signed');
  await refuse(await fileFor(undefined, 'machine-2'), 'wrong_machine');
  service.claims = { iss: 'https://evil.example' };
  await refuse(await fileFor(undefined), 'wrong_issuer');
  service.claims = { version: '9.9.9' };
  await refuse(await fileFor(undefined), 'wrong_version');
  service.claims = { exp: Math.floor(service.clock.time / 1000) };
  await refuse(await fileFor(undefined), 'expired');
  service.claims = { iat: Math.floor((service.clock.time + HOUR) / 1000) };
  await refuse(await fileFor(undefined), 'clock');
  service.claims = {};
  await client.license.machineRequest();
  await refuse(await fileFor('of-another-request'), 'other_request');
  assert.equal((await client.license.status()).code, 'NO_LICENSE');
});

test('of several requests any may be answered; without one, as after a new installation, a file is enough', async () => {
  const client = airGapped();
  const first = await client.license.machineRequest();
  await client.license.machineRequest();
  const file = await fileFor(first.nonce);
  assert.ok((await client.license.importMachineFile(file)).imported);
  storage = memoryStorage();
  assert.ok((await airGapped().license.importMachineFile(JSON.parse(file))).imported);
});

test('a clock that was set back is forgiven to a fresh file only', async () => {
  const client = airGapped();
  const old = await fileFor((await client.license.machineRequest()).nonce);
  await client.license.importMachineFile(old);
  service.clock.time += 20 * DAY;
  await client.license.status();
  service.clock.time -= 10 * DAY;
  assert.equal((await client.license.status()).code, 'CLOCK_SET_BACK');
  assert.deepEqual(await client.license.importMachineFile(old), { imported: false, fault: 'clock' });
  const fresh = await fileFor((await client.license.machineRequest()).nonce);
  const result = await client.license.importMachineFile(fresh);
  assert.ok(result.imported && result.status.tier === 'pro');
});

test('a key that is not at hand is asked for, except where the editor brings others', async () => {
  const file = await fileFor(undefined);
  const other = await newSigner('other');
  const offline = await airGapped({ trustedKeys: { keys: [other.jwk] } }).license.importMachineFile(file);
  assert.deepEqual(offline, { imported: false, fault: 'not_signed' });
  const strict = { storage, now: service.clock.now, trustedKeys: { keys: [other.jwk] } };
  const client = clientOf(service.url, strict);
  await client.license.activate(KEY, 'ada@example.com');
  assert.deepEqual(await client.license.importMachineFile(file), { imported: false, fault: 'not_signed' });
  const online = clientOf(service.url, { storage: memoryStorage(), now: service.clock.now });
  assert.ok((await online.license.importMachineFile(file)).imported);
});

test('a request says which version asks, and a file for one version is good for no other', async () => {
  const request = await airGapped().license.machineRequest();
  assert.equal(request.version, '1.2.3');
  service.claims = { version: '1.2.3' };
  const file = await fileFor(request.nonce);
  assert.ok((await airGapped().license.importMachineFile(file)).imported);
  assert.equal((await airGapped().license.status()).tier, 'pro');
  const next = airGapped({ appVersion: '1.2.4' });
  assert.deepEqual([(await next.license.status()).tier, (await next.license.status()).code], ['free', 'NOT_CONFIRMED']);
  assert.deepEqual(await next.license.importMachineFile(file), { imported: false, fault: 'wrong_version' });
});

test('a refusal ends the file of the same license, and no other', async () => {
  for (const [license, left] of [
    ['lic_1', 'free'],
    ['lic_2', 'pro'],
  ] as const) {
    storage = memoryStorage();
    service.claims = {};
    service.code = 'VALID';
    const client = clientOf(service.url, { storage, now: service.clock.now });
    await client.license.activate(KEY, 'ada@example.com');
    service.claims = { sub: license };
    await client.license.importMachineFile(await fileFor(undefined));
    service.code = 'REVOKED';
    assert.equal((await client.license.status({ refresh: true })).tier, left, license);
  }
});
