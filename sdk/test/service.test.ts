// Against the real server, stopped and started in the middle.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type JSONWebKeySet,
} from 'jose';

import { createClient, FREE_FEATURES, memoryStorage, ProblemError, type Client, type Storage } from '../src/index.js';
import { Person, Server } from './server.js';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
const EMAIL = 'ada@devforge.test';

let server: Server;
let admin: Person;
let ada: Person;

before(async () => {
  server = await Server.start();
  admin = await Person.signIn(server, 'admin@devforge.test');
  ada = await Person.signIn(server, EMAIL);
});
after(() => server.remove());

interface Given {
  id: string;
  key: string;
}

async function given(more: object = {}): Promise<Given> {
  const made = await admin.call('POST', '/api/licenses/generate', { userId: ada.id, tier: 'pro', ...more });
  return { id: made.licenses[0].id, key: made.licenseKey };
}

/** An editor on its machine; a new one on the same storage is the next start of the program. */
class Machine {
  readonly storage: Storage = memoryStorage();
  /** How far its clock is from the right time. */
  off = 0;
  /** What the editor brings along. */
  trustedKeys: { keys: unknown[] } | null = null;
  #last: Client | null = null;

  constructor(readonly fingerprint = `machine-${crypto.randomUUID()}`) {}

  get editor(): Client {
    this.#last?.close();
    this.#last = createClient({
      baseUrl: server.url,
      storage: this.storage,
      fingerprint: this.fingerprint,
      appVersion: '1.2.3',
      flushAfter: 0,
      now: () => Date.now() + this.off,
      ...(this.trustedKeys ? { trustedKeys: this.trustedKeys } : {}),
    });
    return this.#last;
  }

  async activate(license: Given): Promise<void> {
    const result = await this.editor.license.activate(license.key, EMAIL, { machineName: 'Ada’s laptop' });
    assert.deepEqual([result.activated, result.code, result.status.tier], [true, 'VALID', 'pro']);
  }

  async kept(): Promise<{ token: string }> {
    return JSON.parse((await this.storage.get('license')) ?? '{}') as { token: string };
  }
}

test('activated, kept for a day, good without the server, good with it again, and revoked', async () => {
  const license = await given();
  const machine = new Machine();
  const result = await machine.editor.license.activate(license.key, EMAIL, { machineName: 'Ada’s laptop' });
  assert.equal(result.activated, true);
  assert.equal(result.machine?.name, 'Ada’s laptop');
  assert.equal(result.license?.id, license.id);
  assert.deepEqual(result.license?.machines, { used: 1, limit: 3 });
  assert.match(result.downloadUrl, /^https?:/);
  assert.ok(!JSON.stringify(result).includes(license.key), 'nothing repeats the key');

  const first = await machine.editor.license.status();
  assert.deepEqual([first.code, first.tier, first.source], ['VALID', 'pro', 'offline_token']);
  const asked = await machine.editor.license.status({ refresh: true });
  assert.deepEqual([asked.code, asked.tier, asked.source], ['VALID', 'pro', 'server']);
  assert.ok(asked.features.includes('fire_teams'));
  assert.deepEqual(asked.machines, { used: 1, limit: 3 });

  await server.kill();
  machine.off = 2 * DAY;
  const offline = await machine.editor.license.status();
  assert.deepEqual([offline.code, offline.tier, offline.source], ['VALID', 'pro', 'offline_token']);
  assert.equal(offline.trouble, 'unreachable');
  assert.deepEqual(offline.features, asked.features);

  await server.start();
  const again = await machine.editor.license.status();
  assert.deepEqual([again.code, again.tier, again.source], ['VALID', 'pro', 'server']);

  await admin.call('DELETE', `/api/licenses/${license.id}`);
  const revoked = await machine.editor.license.status({ refresh: true });
  assert.deepEqual([revoked.code, revoked.tier, revoked.licensed], ['REVOKED', 'free', false]);
  await server.kill();
  const still = await machine.editor.license.status({ refresh: true });
  assert.deepEqual([still.code, still.tier], ['REVOKED', 'free']);
  await server.start();
});

test('revoked while offline: good until the server is heard, and no longer', async () => {
  const license = await given();
  const machine = new Machine();
  await machine.activate(license);
  await admin.call('DELETE', `/api/licenses/${license.id}`);
  await server.kill();
  machine.off = 2 * DAY;
  assert.equal((await machine.editor.license.status()).tier, 'pro');
  await server.start();
  const heard = await machine.editor.license.status();
  assert.deepEqual([heard.code, heard.tier], ['REVOKED', 'free']);
});

test('held back, and good again', async () => {
  const license = await given();
  const machine = new Machine();
  await machine.activate(license);
  await admin.call('POST', `/api/licenses/${license.id}/suspend`, { reason: 'for a test' });
  assert.equal((await machine.editor.license.status({ refresh: true })).code, 'SUSPENDED');
  await admin.call('POST', `/api/licenses/${license.id}/reinstate`, { reason: 'for a test' });
  assert.equal((await machine.editor.license.status({ refresh: true })).tier, 'pro');
});

test('offline for longer than the token is good, the free features are on', async () => {
  const machine = new Machine();
  await machine.activate(await given());
  await server.kill();
  machine.off = 13 * DAY;
  assert.equal((await machine.editor.license.status()).tier, 'pro');
  machine.off = 15 * DAY;
  const late = await machine.editor.license.status();
  assert.deepEqual([late.code, late.tier], ['NOT_CONFIRMED', 'free']);
  assert.deepEqual(late.features, [...FREE_FEATURES]);
  await server.start();
  assert.equal((await machine.editor.license.status()).tier, 'pro');
});

test('a clock that was set back makes nothing count until the server has answered', async () => {
  const machine = new Machine();
  await machine.activate(await given());
  await server.kill();
  machine.off = 5 * DAY;
  assert.equal((await machine.editor.license.status()).tier, 'pro');
  machine.off = 0;
  const back = await machine.editor.license.status();
  assert.deepEqual([back.code, back.tier], ['CLOCK_SET_BACK', 'free']);
  await server.start();
  assert.deepEqual((await machine.editor.license.status()).source, 'server');
  await server.kill();
  assert.equal((await machine.editor.license.status({ refresh: true })).source, 'offline_token');
  await server.start();
});

test('a token that was changed, or belongs to another machine, turns nothing on', async () => {
  const license = await given();
  const machine = new Machine();
  await machine.activate(license);
  const other = new Machine();
  await other.activate(license);
  const kept = await machine.kept();
  const [head, body, seal] = kept.token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  const richer = Buffer.from(JSON.stringify({ ...claims, tier: 'enterprise' })).toString('base64url');
  await server.kill();
  for (const token of [`${head}.${richer}.${seal}`, (await other.kept()).token]) {
    await machine.storage.set('license', JSON.stringify({ ...kept, token }));
    assert.equal((await machine.editor.license.status()).tier, 'free');
  }
  await machine.storage.set('license', JSON.stringify(kept));
  assert.equal((await machine.editor.license.status()).tier, 'pro');
  await server.start();
});

test('an independent library says the same of the token', async () => {
  const machine = new Machine();
  await machine.activate(await given());
  const { token } = await machine.kept();
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', server.url));
  const expected = { algorithms: ['EdDSA'], issuer: server.url, audience: 'devforge-editor' };
  const { payload } = await jwtVerify(token, keys, expected);
  assert.deepEqual([payload.tier, payload.fingerprint], ['pro', machine.fingerprint]);
  const [head, body, seal] = token.split('.') as [string, string, string];
  const changed = Buffer.from(JSON.stringify({ ...payload, tier: 'enterprise' })).toString('base64url');
  assert.notEqual(changed, body);
  await assert.rejects(jwtVerify(`${head}.${changed}.${seal}`, keys, expected), errors.JWSSignatureVerificationFailed);
});

/** The token with one letter of that part changed, still base64url. */
function changed(token: string, part: number): string {
  const parts = token.split('.');
  const text = parts[part] ?? '';
  const middle = Math.floor(text.length / 2);
  parts[part] = text.slice(0, middle) + (text[middle] === 'A' ? 'B' : 'A') + text.slice(middle + 1);
  return parts.join('.');
}

/** Publishes a new key for offline tokens. */
async function newKey(): Promise<string> {
  const said = await server.command('keys', 'rotate');
  const fresh = /^offline: the new key (\S+) is published/m.exec(said)?.[1];
  assert.ok(fresh !== undefined, said);
  // The server has read it within a minute, or at its next start.
  await server.kill();
  await server.start();
  return fresh;
}

/** When it begins to sign: the newest whose time has come does. */
async function anHourLater(kid: string): Promise<void> {
  await server.sql(`update signing_key set signs_from = now() where id = '${kid}'`);
  await server.kill();
  await server.start();
}

test('after the keys change, old tokens are good, new ones have the new key, and jose says so', async () => {
  const license = await given();
  const machine = new Machine();
  await machine.activate(license);
  const { token: old } = await machine.kept();
  const { kid } = decodeProtectedHeader(old);
  const expected = { algorithms: ['EdDSA'], issuer: server.url, audience: 'devforge-editor' };
  // Fetched anew, as by somebody who knows nothing of before.
  const verified = (token: string): ReturnType<typeof jwtVerify> =>
    jwtVerify(token, createRemoteJWKSet(new URL('/.well-known/jwks.json', server.url)), expected);
  assert.equal((await verified(old)).payload.sub, license.id);

  const fresh = await newKey();
  assert.notEqual(fresh, kid);
  const published = (await ada.call('GET', '/.well-known/jwks.json')) as { keys: { kid: string }[] };
  const kids = published.keys.map((key) => key.kid);
  assert.ok(kids.includes(fresh) && kids.includes(String(kid)), 'both are published');
  assert.equal((await machine.editor.license.status({ refresh: true })).source, 'server');
  const between = (await machine.kept()).token;
  assert.notEqual(between, old);
  assert.equal(decodeProtectedHeader(between).kid, kid, 'a key that was just published does not sign yet');

  await anHourLater(fresh);
  assert.equal((await machine.editor.license.status({ refresh: true })).source, 'server');
  const { token } = await machine.kept();
  assert.equal(decodeProtectedHeader(token).kid, fresh);
  const claims = (await verified(token)).payload;
  assert.deepEqual([claims.sub, claims.tier, claims.fingerprint], [license.id, 'pro', machine.fingerprint]);
  assert.notEqual(claims.nonce, (await verified(old)).payload.nonce, 'the old one is still good, and another one');
  assert.equal((await verified(between)).payload.sub, license.id);
  for (const signed of [old, token]) {
    await assert.rejects(verified(changed(signed, 1)), errors.JOSEError);
    await assert.rejects(verified(changed(signed, 2)), errors.JWSSignatureVerificationFailed);
  }
  const [head] = token.split('.');
  const [, ...rest] = old.split('.');
  await assert.rejects(verified([head, ...rest].join('.')), errors.JWSSignatureVerificationFailed);
});

test('a release from before the keys changed starts without a connection once it has heard the server', async () => {
  const license = await given();
  const machine = new Machine();
  machine.trustedKeys = await ada.call('GET', '/.well-known/jwks.json');
  await machine.activate(license);
  const { kid: before } = decodeProtectedHeader((await machine.kept()).token);
  const fresh = await newKey();
  await anHourLater(fresh);
  assert.equal((await machine.editor.license.status({ refresh: true })).source, 'server');
  const { token } = await machine.kept();
  assert.equal(decodeProtectedHeader(token).kid, fresh);
  assert.ok(!machine.trustedKeys?.keys.some((key) => (key as { kid: string }).kid === fresh), 'the release is older');

  const list = JSON.parse((await machine.storage.get('keys')) ?? '{}') as { keys: Record<string, string>[] };
  const key = list.keys.find((key) => key.kid === fresh) ?? {};
  const pinned = createLocalJWKSet(machine.trustedKeys as JSONWebKeySet);
  const expected = { algorithms: ['EdDSA'], typ: 'JWT', issuer: server.url, audience: 'devforge-keys', subject: fresh };
  const { payload, protectedHeader } = await jwtVerify(key.endorsement ?? '', pinned, expected);
  assert.equal(payload.x, key.x, 'jose says so too');
  assert.ok(protectedHeader.kid !== before, 'what speaks for it is no key of offline tokens');

  await server.kill();
  const offline = await machine.editor.license.status();
  assert.deepEqual([offline.code, offline.tier, offline.source], ['VALID', 'pro', 'offline_token']);
  const alone = { ...key };
  delete alone.endorsement;
  await machine.storage.set('keys', JSON.stringify({ keys: [alone] }));
  const unsaid = await machine.editor.license.status();
  assert.deepEqual([unsaid.code, unsaid.tier], ['NOT_CONFIRMED', 'free'], 'not because it is in the storage');
  await server.start();
});

test('with the published keys at hand, keys of somebody else in the storage turn nothing on', async () => {
  const license = await given();
  const machine = new Machine();
  await machine.activate(license);
  machine.trustedKeys = await ada.call('GET', '/.well-known/jwks.json');
  const kept = await machine.kept();
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  const own = { ...(await exportJWK(publicKey)), kid: 'own-key' };
  const claims = { ...decodeJwt(kept.token), tier: 'enterprise' };
  const forged = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: own.kid })
    .sign(privateKey);
  await machine.storage.set('keys', JSON.stringify({ keys: [own] }));
  await machine.storage.set('license', JSON.stringify({ ...kept, token: forged }));
  await server.kill();
  const offline = await machine.editor.license.status();
  assert.deepEqual([offline.code, offline.tier], ['NOT_CONFIRMED', 'free']);
  await machine.storage.set('license', JSON.stringify(kept));
  assert.equal((await machine.editor.license.status()).tier, 'pro');
  await server.start();
});

test('money that went back is heard in the background, whatever the storage says of the time', async () => {
  const license = await given();
  const machine = new Machine();
  await machine.activate(license);
  const kept = await machine.kept();
  await admin.call('DELETE', `/api/licenses/${license.id}`);
  const forged = { ...kept, heardAt: Date.now(), clock: { latest: 0, offset: -DAY } };
  await machine.storage.set('license', JSON.stringify(forged));
  const { license: running } = machine.editor;
  await running.status();
  const next = await running.status();
  assert.deepEqual([next.code, next.tier], ['REVOKED', 'free']);
});

test('a floating license is good beyond its places, for as long as the server says so', async () => {
  const license = await given({ floating: true });
  for (let number = 0; number < 3; number += 1) await new Machine().activate(license);
  const machine = new Machine();
  const { license: beyond } = machine.editor;
  const result = await beyond.activate(license.key, EMAIL);
  assert.deepEqual([result.activated, result.code], [false, 'VALID']);
  assert.deepEqual([result.status.tier, result.status.source], ['pro', 'server']);
  assert.equal((await beyond.status()).source, 'cache');
  const next = machine.editor.license;
  assert.equal((await next.status()).source, 'server');
  await server.kill();
  assert.equal((await next.status({ refresh: true })).tier, 'pro');
  assert.equal((await machine.editor.license.status()).code, 'NOT_CONFIRMED');
  await server.start();
});

test('machines come up to the limit, and one that goes makes room', async () => {
  const license = await given();
  const machines = Array.from({ length: 4 }, () => new Machine());
  const [first, , , last] = machines as [Machine, Machine, Machine, Machine];
  for (const machine of machines.slice(0, 3)) await machine.activate(license);
  const refused = await last.editor.license.activate(license.key, EMAIL);
  assert.deepEqual([refused.activated, refused.code, refused.status.code], [false, 'TOO_MANY_MACHINES', 'NO_LICENSE']);
  assert.deepEqual(await first.editor.license.deactivate(), { deactivated: true });
  assert.equal((await first.editor.license.status()).code, 'NO_LICENSE');
  await last.activate(license);
});

test('a machine that its owner removed on the site stops at once', async () => {
  const license = await given();
  const machine = new Machine();
  const { machine: shown } = await machine.editor.license.activate(license.key, EMAIL);
  await ada.call('DELETE', `/api/licenses/${license.id}/machines/${shown?.id}`);
  const status = await machine.editor.license.status({ refresh: true });
  assert.deepEqual([status.code, status.tier], ['NO_MACHINE', 'free']);
  assert.deepEqual(status.features, [...FREE_FEATURES], 'the free features are those the service gives');
});

test('keys that are none, another person’s address, and no address', async () => {
  const license = await given();
  const { license: asking } = new Machine().editor;
  const unknown = await asking.activate('DF-00000-00000-00000-00000-00000', EMAIL);
  assert.deepEqual([unknown.activated, unknown.code], [false, 'NOT_FOUND']);
  const product = await asking.activate('XX-00000-00000-00000-00000-00000', EMAIL);
  assert.equal(product.code, 'PRODUCT_MISMATCH');
  const person = await asking.activate(license.key, 'eve@example.com');
  assert.equal(person.code, 'EMAIL_MISMATCH');
  await assert.rejects(asking.activate(license.key, 'no address'), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.status, error.code, error.errors[0]?.field], [422, 'invalid_request', 'email']);
    return true;
  });
  const forgiving = await asking.activate(` ${license.key.toLowerCase().replaceAll('-', ' ')} `, EMAIL);
  assert.equal(forgiving.code, 'VALID');
});

test('a computer without a connection gets a file, and needs nothing else', async () => {
  const license = await given();
  const machine = new Machine();
  const request = await machine.editor.license.machineRequest({ machineName: 'Lab 7' });
  assert.equal(request.version, '1.2.3');
  const fileFor = (asked: object): Promise<unknown> =>
    ada.call('POST', `/api/licenses/${license.id}/machine-file`, asked);
  const trustedKeys = await ada.call('GET', '/.well-known/jwks.json');
  const { fingerprint, storage } = machine;
  const alone = (): Client =>
    createClient({
      baseUrl: server.url,
      storage,
      fingerprint,
      appVersion: '1.2.3',
      trustedKeys,
      now: () => Date.now() + machine.off,
      fetch: () => Promise.reject(new TypeError('no network')),
    });
  const first = await alone().license.importMachineFile(JSON.stringify(await fileFor(request)));
  assert.ok(first.imported, JSON.stringify(first));
  machine.off = 29 * DAY;
  assert.equal((await alone().license.status()).source, 'machine_file');
  machine.off = 31 * DAY;
  assert.equal((await alone().license.status()).tier, 'free', 'a license that is new has files for a month');

  // For one that is older than that, a file is good for a year.
  await server.sql(`update license set created_at = created_at - interval '31 days'`);
  const next = await alone().license.importMachineFile(await fileFor(await alone().license.machineRequest()));
  assert.ok(next.imported, JSON.stringify(next));
  machine.off = 300 * DAY;
  const status = await alone().license.status();
  assert.deepEqual([status.code, status.tier, status.source], ['VALID', 'pro', 'machine_file']);
});

test('events wait for an endpoint that is not there yet, and the update check says that it does not know', async () => {
  const { events, updates } = new Machine().editor;
  await events.setConsent(true);
  await events.queue({ event: 'editor.started', properties: { cold: true } });
  const flushed = await events.flush();
  assert.ok(flushed.trouble === null ? flushed.sent === 1 : flushed.trouble === 'not_there' && flushed.left === 1);
  const check = await updates.check();
  assert.ok(['unknown', 'current', 'available'].includes(check.state));
});

test('a machine whose file is still good keeps its place', async () => {
  const license = await given();
  const machine = new Machine();
  await machine.activate(license);
  const { license: running } = machine.editor;
  await ada.call('POST', `/api/licenses/${license.id}/machine-file`, await running.machineRequest());
  await assert.rejects(running.deactivate(), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.status, error.code], [409, 'conflict']);
    return true;
  });
  assert.equal((await running.status({ refresh: true })).tier, 'pro');
});
