// Keys that are newer than the release, and what a key that it brings along says of them.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import type { Client, LicenseState } from '../src/index.js';
import { clientOf, DAY, HOUR, KEY, newSigner, type Signer } from './fake.js';
import { clock, editor as start, JWKS, newStorage, raise, service, storage, strike } from './stage.js';

/** The key of machine files, which the release brings along. */
let root: Signer;
/** The one that signs now, made after the release. */
let fresh: Signer;

beforeEach(async () => {
  await raise();
  root = await newSigner('root');
  fresh = await newSigner('fresh');
  Object.assign(service, { signer: fresh });
  service.published = [root, await service.endorsed(fresh, root)];
});
afterEach(strike);

function editor(more: Parameters<typeof clientOf>[1] = {}): Client {
  return start({ trustedKeys: { keys: [root.jwk] }, ...more });
}

/** What a start says while the service is away. */
async function offline(more: Parameters<typeof clientOf>[1] = {}): Promise<LicenseState> {
  const { port } = service;
  await service.stop();
  const status = await editor(more).license.status();
  await service.listen(port);
  return status;
}

/** The license active here, with `keys` in the storage. */
async function active(...keys: Signer[]): Promise<void> {
  newStorage();
  await editor().license.activate(KEY, 'ada@example.com');
  await storage.set('keys', JSON.stringify({ keys: keys.map((key) => key.jwk) }));
}

/** One letter of that part of the endorsement is another. */
function tampered(key: Signer, part: number): Signer {
  const parts = String(key.jwk.endorsement).split('.');
  const text = parts[part] ?? '';
  parts[part] = `${text.slice(0, 8)}${text[8] === 'A' ? 'B' : 'A'}${text.slice(9)}`;
  return { ...key, jwk: { ...key.jwk, endorsement: parts.join('.') } };
}

test('a release from before the change of keys needs the service once, and then starts without a connection', async () => {
  await editor().license.activate(KEY, 'ada@example.com');
  assert.equal(service.count(JWKS), 1);
  clock.time += 13 * DAY;
  const status = await offline();
  assert.deepEqual([status.code, status.tier, status.source], ['VALID', 'pro', 'offline_token']);
  assert.equal((await editor().license.status()).source, 'server');
  assert.equal(service.count(JWKS), 1, 'a key that is at hand is not fetched again');
});

test('keys that were stored by a release without trusted keys carry what is said of them as well', async () => {
  await start().license.activate(KEY, 'ada@example.com');
  assert.equal((await offline()).source, 'offline_token');
});

test('an endorsement that is not right makes no key count', async () => {
  const other = await newSigner('other');
  const good = await service.endorsed(fresh, root);
  const { endorsement } = good.jwk;
  const wrong: Record<string, Signer> = {
    'there is none': fresh,
    'it is no text': { ...fresh, jwk: { ...fresh.jwk, endorsement: { sub: 'fresh' } } },
    'it is no token': { ...fresh, jwk: { ...fresh.jwk, endorsement: 'x' } },
    'signed with a key that nobody trusts': await service.endorsed(fresh, other),
    'signed with itself': await service.endorsed(fresh, fresh),
    'signed with another key under the name of the root': await service.endorsed(fresh, { ...other, kid: 'root' }),
    'for another kid': await service.endorsed(fresh, root, { sub: 'other' }),
    'for another x': await service.endorsed(fresh, root, { x: other.jwk.x }),
    'without an x': await service.endorsed(fresh, root, { x: undefined }),
    'for another audience': await service.endorsed(fresh, root, { aud: 'devforge-editor' }),
    'for several audiences': await service.endorsed(fresh, root, { aud: ['devforge-keys'] }),
    'of another issuer': await service.endorsed(fresh, root, { iss: 'https://evil.example' }),
    'past its end': await service.endorsed(fresh, root, { exp: Math.floor(clock.time / 1000) }),
    'without an end': await service.endorsed(fresh, root, { exp: undefined }),
    'with another head': tampered(good, 0),
    'with other claims': tampered(good, 1),
    'with another signature': tampered(good, 2),
    'at a key with the same name': { ...other, kid: 'fresh', jwk: { ...other.jwk, kid: 'fresh', endorsement } },
  };
  for (const [what, key] of Object.entries(wrong)) {
    await active(key);
    const status = await offline();
    assert.deepEqual([status.code, status.tier], ['NOT_CONFIRMED', 'free'], what);
    assert.equal((await editor().license.status({ refresh: true })).source, 'server', what);
    assert.equal((await offline()).source, 'offline_token', `put right after: ${what}`);
  }
  await active(other, tampered(good, 1), good);
  assert.equal((await offline()).source, 'offline_token', 'a good one among others');
});

test('an endorsement in another algorithm makes no key count', async () => {
  const good = await service.endorsed(fresh, root);
  const [, body] = String(good.jwk.endorsement).split('.');
  for (const [alg, code] of [
    ['none', 'NOT_CONFIRMED'],
    ['HS256', 'NOT_CONFIRMED'],
    ['Ed25519', 'NOT_CONFIRMED'],
    ['EdDSA', 'VALID'],
  ] as const) {
    const head = Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid: 'root' })).toString('base64url');
    const signed = Buffer.from(`${head}.${body}`);
    const seal = Buffer.from(await crypto.subtle.sign('Ed25519', root.privateKey, signed)).toString('base64url');
    await active({ ...fresh, jwk: { ...fresh.jwk, endorsement: `${head}.${body}.${seal}` } });
    assert.equal((await offline()).code, code, alg);
  }
});

test('a key that is endorsed endorses no other', async () => {
  const third = await newSigner('third');
  const token = await service.token('machine-1', undefined, third);
  await active(await service.endorsed(fresh, root), await service.endorsed(third, fresh));
  const kept = JSON.parse((await storage.get('license')) ?? '') as object;
  await storage.set('license', JSON.stringify({ ...kept, token }));
  const status = await offline();
  assert.deepEqual([status.code, status.tier], ['NOT_CONFIRMED', 'free']);
});

test('an endorsed key signs no machine file, and an endorsement is none', async () => {
  await active(await service.endorsed(fresh, root));
  const { endorsement } = service.published[1]?.jwk ?? {};
  for (const token of [await service.token('machine-1', undefined, fresh), endorsement]) {
    const file = JSON.stringify({ type: 'devforge.machine-file', token });
    assert.deepEqual(await editor().license.importMachineFile(file), { imported: false, fault: 'not_signed' });
    await storage.set('license', JSON.stringify({ machineFile: token }));
    assert.equal((await offline()).tier, 'free');
  }
});

test('an endorsement ends by the better of the clocks that are known', async () => {
  const soon = Math.floor((clock.time + DAY) / 1000);
  await active(await service.endorsed(fresh, root, { exp: soon }));
  assert.equal((await offline()).tier, 'pro');
  clock.time += DAY + HOUR;
  assert.equal((await offline()).tier, 'free');
  // A clock that was behind, and that the service has put right.
  const kept = JSON.parse((await storage.get('license')) ?? '') as object;
  for (const [behind, tier] of [
    [2 * HOUR, 'free'],
    [5 * HOUR, 'pro'],
  ] as const) {
    await storage.set('license', JSON.stringify({ ...kept, clock: { latest: 0, offset: 2 * HOUR } }));
    assert.equal((await offline({ now: () => clock.time - behind })).tier, tier);
  }
});
