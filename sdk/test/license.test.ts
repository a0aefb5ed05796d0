import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { NetworkError, ProblemError, type Storage } from '../src/index.js';
import { DAY, HOUR, json, KEY, newSigner, problem, TestClock } from './fake.js';
import { activated, change, clock, editor, JWKS, newStorage, raise, service, storage, strike, VALIDATE } from './stage.js';

beforeEach(raise);
afterEach(strike);

test('without a key the free features are on, and nobody is asked', async () => {
  const status = await editor().license.status();
  assert.equal(status.code, 'NO_LICENSE');
  assert.equal(status.tier, 'free');
  assert.ok(status.features.includes('editor'));
  assert.equal(service.asked.length, 0);
});

test('a good answer is kept for a day', async () => {
  const client = await activated();
  clock.time += 23 * HOUR;
  const status = await client.license.status();
  assert.deepEqual([status.source, status.code, status.tier], ['cache', 'VALID', 'pro']);
  assert.equal(service.count(VALIDATE), 0);
  clock.time += HOUR;
  assert.equal((await client.license.status()).source, 'server');
  assert.equal(service.count(VALIDATE), 1);
});

test('a start waits for nobody while the token is younger than a day, and for the service later', async () => {
  await activated();
  clock.time += 23 * HOUR;
  let asked = (): void => undefined;
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  service.handlers.set(VALIDATE, () => asked());
  const first = await editor({ timeout: 60_000 }).license.status();
  assert.deepEqual([first.source, first.code, first.tier], ['offline_token', 'VALID', 'pro']);
  await asking;
  service.handlers.clear();
  const client = editor();
  await client.license.status();
  assert.equal((await client.license.status()).source, 'cache', 'it was asked in the background');
  clock.time += 25 * HOUR;
  assert.equal((await editor().license.status()).source, 'server');
});

test('what the service says in the background counts from the next status on, and is told', async () => {
  await activated();
  clock.time += HOUR;
  service.code = 'REVOKED';
  const told: string[] = [];
  const client = editor({ onChange: (status) => void told.push(`${status.code} ${status.tier}`) });
  assert.equal((await client.license.status()).tier, 'pro');
  const next = await client.license.status();
  assert.deepEqual([next.code, next.tier, next.source], ['REVOKED', 'free', 'cache']);
  assert.deepEqual(told, ['REVOKED free']);
  assert.equal(service.count(VALIDATE), 1);
  assert.doesNotMatch((await storage.get('license')) ?? '', /eyJ/, 'the token is gone');
});

test('an answer in the background that changes nothing is not told; a listener may throw', async () => {
  await activated();
  const told: unknown[] = [];
  const same = editor({ onChange: (status) => void told.push(status) });
  await same.license.status();
  await same.license.status();
  assert.deepEqual(told, []);
  service.code = 'EXPIRED';
  const onChange = (): never => {
    throw new Error('a window that is gone');
  };
  const errors: unknown[] = [];
  const client = editor({ onChange, onError: (error) => void errors.push(error) });
  await client.license.status();
  assert.equal((await client.license.status()).code, 'EXPIRED');
  assert.equal(errors.length, 1);
});

test('a service that cannot be reached in the background is left alone for a while', async () => {
  await activated();
  service.handlers.set(VALIDATE, (_, response) => problem(response, 500, 'internal'));
  const client = editor();
  for (let time = 0; time < 5; time += 1) assert.equal((await client.license.status()).tier, 'pro');
  assert.equal(service.count(VALIDATE), 3, 'one question, tried three times');
});

test('a client that was closed asks nothing more', async () => {
  await activated();
  const client = editor();
  const status = client.license.status();
  client.close();
  assert.equal((await status).tier, 'pro');
  assert.equal((await client.license.status()).tier, 'pro');
  assert.equal(service.count(VALIDATE), 0);
});

test('many who ask at once ask once', async () => {
  const client = await activated();
  clock.time += 2 * DAY;
  const all = await Promise.all(Array.from({ length: 50 }, () => client.license.status()));
  assert.ok(all.every((status) => status.source === 'server' && status.tier === 'pro'));
  assert.equal(service.count(VALIDATE), 1);
});

test('every validation has a nonce of its own, and says which machine and version asks', async () => {
  const client = await activated();
  await client.license.status({ refresh: true });
  await client.license.status({ refresh: true });
  const asked = service.asked.filter((asked) => asked.path === VALIDATE).map((asked) => asked.body);
  assert.equal(new Set(asked.map((body) => body.nonce)).size, 2);
  for (const body of asked) {
    const { licenseKey, fingerprint, version, product } = body;
    assert.deepEqual([licenseKey, fingerprint, version, product], [KEY, 'machine-1', '1.2.3', 'editor']);
  }
});

test('an outage is not a refusal, for as long as the token is good', async () => {
  await activated();
  await service.stop();
  clock.time += 13 * DAY;
  const status = await editor().license.status();
  assert.deepEqual([status.code, status.tier, status.source], ['VALID', 'pro', 'offline_token']);
  assert.equal(status.trouble, 'unreachable');
  clock.time += DAY;
  const late = await editor().license.status();
  assert.deepEqual([late.code, late.tier, late.licensed], ['NOT_CONFIRMED', 'free', false]);
});

for (const [status, code, trouble] of [
  [429, 'rate_limited', 'rate_limited'],
  [500, 'internal', 'server_error'],
  [503, 'unavailable', 'server_error'],
  [422, 'invalid_request', 'request_refused'],
] as const) {
  test(`an answer ${status} leaves the license as it was`, async () => {
    await activated();
    clock.time += 2 * DAY;
    service.handlers.set(VALIDATE, (_, response) => problem(response, status, code));
    const found = await editor().license.status();
    assert.deepEqual([found.tier, found.source, found.trouble], ['pro', 'offline_token', trouble]);
  });
}

test('whoever asks to be left alone is, until somebody presses a button', async () => {
  const client = await activated();
  clock.time += 2 * DAY;
  service.handlers.set(VALIDATE, (_, response) => problem(response, 429, 'rate_limited', { 'retry-after': '3000' }));
  await client.license.status();
  const status = await client.license.status();
  assert.deepEqual([status.tier, status.trouble], ['pro', 'rate_limited']);
  assert.equal(service.count(VALIDATE), 1);
  service.handlers.clear();
  assert.equal((await client.license.status({ refresh: true })).source, 'server');
});

for (const code of ['REVOKED', 'SUSPENDED', 'EXPIRED', 'NO_MACHINE', 'NOT_FOUND', 'SOMETHING_NEW']) {
  test(`${code} takes effect at once, and outlasts the connection`, async () => {
    const client = await activated();
    service.code = code;
    const status = await client.license.status({ refresh: true });
    assert.deepEqual([status.code, status.tier, status.source], [code, 'free', 'server']);
    assert.deepEqual(status.features, ['editor']);
    assert.doesNotMatch((await storage.get('license')) ?? '', /eyJ/, 'the token is gone');
    await service.stop();
    clock.time += 2 * HOUR;
    const offline = await editor().license.status();
    assert.deepEqual([offline.code, offline.tier], [code, 'free']);
  });
}

test('a refusal is asked about again soon', async () => {
  const client = await activated();
  service.code = 'EXPIRED';
  await client.license.status({ refresh: true });
  clock.time += 10 * 60 * 1000;
  assert.equal((await client.license.status()).source, 'cache');
  clock.time += 30 * 60 * 1000;
  service.code = 'VALID';
  assert.equal((await client.license.status()).tier, 'pro');
});

for (const [what, answer] of [
  ['an old answer', { nonce: 'of-another-time' }],
  ['an answer without a nonce', { nonce: undefined }],
  ['a refusal that was replayed', { valid: false, code: 'REVOKED', tier: 'free', nonce: 'old' }],
  ['an answer that contradicts itself', { valid: true, code: 'REVOKED' }],
  ['a tier nobody knows', { tier: 'platinum' }],
  ['features that are no list', { features: 'all' }],
  ['a time that is none', { checkedAt: 'yesterday' }],
  ['a token that is none', { offlineToken: 'a.b.c' }],
] as const) {
  test(`${what} counts for nothing`, async () => {
    await activated();
    clock.time += 2 * DAY;
    service.answer = answer;
    const status = await editor().license.status();
    assert.deepEqual([status.tier, status.source, status.trouble], ['pro', 'offline_token', 'invalid_answer']);
  });
}

for (const [what, claims] of [
  ['another machine', { fingerprint: 'machine-2' }],
  ['other readers', { aud: 'devforge-api' }],
  ['another service', { iss: 'https://evil.example' }],
  ['another question', { nonce: 'old' }],
  ['another version', { version: '9.9.9' }],
] as const) {
  test(`a token for ${what} is not taken from an answer`, async () => {
    service.claims = claims;
    await assert.rejects(editor().license.activate(KEY, 'ada@example.com'), NetworkError);
    assert.equal((await editor().license.status()).code, 'NO_LICENSE');
  });
}

test('a changed token turns nothing on', async () => {
  await activated();
  const whole = JSON.parse((await storage.get('license')) ?? '') as { token: string };
  const [head, body, seal] = whole.token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  const richer = Buffer.from(JSON.stringify({ ...claims, tier: 'enterprise' })).toString('base64url');
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT', kid: 'first' })).toString('base64url');
  const stranger = await newSigner('first');
  const forged = await service.token('machine-1', undefined, stranger);
  await service.stop();
  for (const token of [`${head}.${richer}.${seal}`, `${none}.${body}.`, `${head}.${body}.${seal}A`, forged, 'x', '']) {
    await change((kept) => {
      kept.token = token;
    });
    const status = await editor().license.status();
    assert.deepEqual([status.tier, status.code], ['free', 'NOT_CONFIRMED'], token);
  }
  await change((kept) => {
    kept.token = whole.token;
  });
  assert.equal((await editor().license.status()).tier, 'pro');
});

test('a token carried to another machine, or for an older version, turns nothing on', async () => {
  service.claims = { version: '1.2.3' };
  await activated();
  await service.stop();
  assert.equal((await editor().license.status()).tier, 'pro');
  assert.equal((await editor({ fingerprint: 'machine-2' }).license.status()).tier, 'free');
  assert.equal((await editor({ appVersion: '1.2.4' }).license.status()).tier, 'free');
});

test('what else is changed in the storage turns nothing on either', async () => {
  const client = await activated();
  service.code = 'REVOKED';
  await client.license.status({ refresh: true });
  await service.stop();
  const lies = { heardAt: clock.time, refused: null, tier: 'pro', features: ['fire_teams'], machines: { used: 1, limit: 9 } };
  await change((kept) => Object.assign(kept, lies));
  assert.equal((await editor().license.status()).tier, 'free');
  for (const garbage of ['', '{', '[]', 'null', '"x"', '{"key":5,"token":{},"clock":"x","requests":7}']) {
    await storage.set('license', garbage);
    await storage.set('keys', garbage);
    const status = await editor().license.status();
    assert.deepEqual([status.code, status.tier], ['NO_LICENSE', 'free'], garbage);
  }
});

test('a clock that was set back makes nothing count until the service has answered', async () => {
  await activated();
  clock.time += 5 * DAY;
  await editor().license.status();
  const port = service.port;
  await service.stop();
  const own = new TestClock();
  own.time = clock.time - 11 * 60 * 1000;
  const offline = await editor({ now: own.now }).license.status();
  assert.deepEqual([offline.code, offline.tier], ['CLOCK_SET_BACK', 'free']);
  const again = await editor({ now: own.now }).license.status();
  assert.equal(again.code, 'CLOCK_SET_BACK', 'not for asking twice');
  await service.listen(port);
  assert.equal((await editor({ now: own.now }).license.status()).source, 'server');
  await service.stop();
  assert.equal((await editor({ now: own.now }).license.status({ refresh: true })).tier, 'pro', 'the clock is known now');
  await service.listen(port);
});

test('a clock within ten minutes was not set back', async () => {
  await activated();
  await service.stop();
  clock.time -= 9 * 60 * 1000;
  assert.equal((await editor().license.status({ refresh: true })).tier, 'pro');
});

test('a clock that is wrong all the time does no harm while the program runs, nor when it is behind', async () => {
  for (const wrong of [-400 * DAY, 400 * DAY]) {
    newStorage();
    const own = { now: () => clock.time + wrong };
    const client = editor(own);
    await client.license.activate(KEY, 'ada@example.com');
    const port = service.port;
    await service.stop();
    clock.time += 5 * DAY;
    assert.equal((await client.license.status()).source, 'offline_token', String(wrong));
    // That a clock is ahead only the service can say: in the storage it would be a way to make the past last.
    const next = await editor(own).license.status();
    assert.equal(next.source, wrong < 0 ? 'offline_token' : 'none');
    clock.time += 10 * DAY;
    assert.equal((await editor(own).license.status()).code, 'NOT_CONFIRMED', 'its end is not moved');
    await service.listen(port);
    assert.equal((await editor(own).license.status()).source, 'server', 'the service puts it right');
  }
});

test('the time in the head of any answer is remembered', async () => {
  await activated();
  const own = new TestClock();
  clock.time += 6 * DAY;
  service.handlers.set(VALIDATE, (_, response) => problem(response, 500, 'internal'));
  const client = editor({ now: own.now });
  await assert.rejects(client.request('/api/nothing'), ProblemError);
  assert.equal((await client.license.status({ refresh: true })).code, 'CLOCK_SET_BACK');
});

test('a key that changed at the service is fetched, and the old one still counts', async () => {
  const client = await activated();
  const before = service.count(JWKS);
  const second = await newSigner('second');
  service.published = [service.signer, second];
  Object.assign(service, { signer: second });
  assert.equal((await client.license.status({ refresh: true })).source, 'server');
  assert.equal(service.count(JWKS), before + 1);
  await client.license.status({ refresh: true });
  assert.equal(service.count(JWKS), before + 1, 'and is fetched once');
});

test('while the keys cannot be fetched a good answer counts for this run', async () => {
  service.handlers.set(JWKS, (_, response) => problem(response, 503, 'unavailable'));
  const client = editor();
  assert.equal((await client.license.activate(KEY, 'ada@example.com')).status.tier, 'pro');
  assert.equal((await client.license.status()).tier, 'pro');
  service.handlers.set(VALIDATE, (_, response) => problem(response, 503, 'unavailable'));
  assert.equal((await client.license.status({ refresh: true })).tier, 'pro');
  assert.equal((await editor().license.status()).tier, 'free', 'the next start has nothing that is signed');
  service.handlers.clear();
  assert.equal((await editor().license.status()).tier, 'pro');
});

test('a runtime without Ed25519 goes by the word of the service', async () => {
  const verify = (): never => {
    throw new Error('NotSupportedError');
  };
  const client = editor({ verify });
  assert.equal((await client.license.activate(KEY, 'ada@example.com')).status.tier, 'pro');
  await service.stop();
  assert.equal((await editor({ verify }).license.status()).tier, 'free');
});

test('a refused activation changes nothing', async () => {
  const client = await activated();
  service.code = 'EMAIL_MISMATCH';
  const result = await client.license.activate('DF-OTHER', 'eve@example.com');
  assert.deepEqual([result.activated, result.code, result.status.tier], [false, 'EMAIL_MISMATCH', 'pro']);
  service.code = 'VALID';
  await client.license.status({ refresh: true });
  assert.equal(service.asked.at(-1)?.body.licenseKey, KEY);
});

test('an address that is none is a problem with its field', async () => {
  service.handlers.set('/api/licenses/activate', (_, response) => {
    const errors = [{ field: 'email', code: 'invalid', message: 'Type a mail address.' }];
    json(response, 422, { type: 't', title: 'T', status: 422, detail: 'D', code: 'invalid_request', requestId: 'r', errors });
  });
  await assert.rejects(editor().license.activate(KEY, 'nobody'), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.status, error.code, error.errors[0]?.field], [422, 'invalid_request', 'email']);
    return true;
  });
});

test('giving the machine back forgets the license, and needs a connection', async () => {
  const client = await activated();
  const port = service.port;
  await service.stop();
  await assert.rejects(client.license.deactivate(), NetworkError);
  assert.equal((await client.license.status()).tier, 'pro');
  await service.listen(port);
  assert.deepEqual(await client.license.deactivate(), { deactivated: true });
  assert.equal((await client.license.status()).code, 'NO_LICENSE');
  assert.deepEqual(await client.license.deactivate(), { deactivated: false });
});

test('an activation that hangs keeps no status waiting', async () => {
  const client = await activated();
  let release = (): void => undefined;
  const hanging = new Promise<void>((resolve) => {
    service.handlers.set('/api/licenses/activate', () => resolve());
    release = resolve;
  });
  const stop = new AbortController();
  const activating = client.license.activate(KEY, 'ada@example.com', { signal: stop.signal });
  await hanging;
  release();
  assert.equal((await client.license.status()).tier, 'pro');
  stop.abort(new Error('enough'));
  await assert.rejects(activating, /enough/);
});

test('a storage that fails costs the next start, not this one', async () => {
  const told: unknown[] = [];
  const broken: Storage = {
    get: () => Promise.reject(new Error('disk')),
    set: () => Promise.reject(new Error('disk')),
    remove: () => Promise.reject(new Error('disk')),
  };
  const client = editor({ storage: broken, onError: (error) => told.push(error) });
  await client.license.activate(KEY, 'ada@example.com');
  assert.equal((await client.license.status()).tier, 'pro');
  assert.ok(told.length > 0);
});

test('a license that is good on any machine needs no token while there is a connection', async () => {
  const client = await activated();
  service.answer = { offlineToken: undefined };
  assert.equal((await client.license.status({ refresh: true })).source, 'server');
  const kept = await client.license.status();
  assert.deepEqual([kept.tier, kept.source, kept.offlineUntil], ['pro', 'cache', null]);
});

/** Good on any machine, with all its places taken. */
function floating(): void {
  service.handlers.set('/api/licenses/activate', ({ body }, response) => {
    const { nonce } = body;
    const downloadUrl = `${service.url}/download`;
    json(response, 200, { activated: false, code: 'TOO_MANY_MACHINES', downloadUrl, license: null, nonce });
  });
  service.answer = { offlineToken: undefined };
}

test('a license that is good on any machine is kept without a place', async () => {
  floating();
  const client = editor();
  const result = await client.license.activate(KEY, 'ada@example.com');
  assert.deepEqual([result.activated, result.code, result.machine], [false, 'VALID', null]);
  assert.deepEqual([result.status.tier, result.status.source, result.status.offlineUntil], ['pro', 'server', null]);
  assert.equal((await client.license.status()).source, 'cache');
  const { port } = service;
  await service.stop();
  clock.time += 23 * HOUR;
  const held = await client.license.status({ refresh: true });
  assert.deepEqual([held.tier, held.source, held.trouble], ['pro', 'cache', 'unreachable']);
  assert.equal((await editor().license.status()).code, 'NOT_CONFIRMED', 'nothing is signed for the next start');
  clock.time += HOUR;
  assert.equal((await client.license.status({ refresh: true })).tier, 'free', 'a day is all there is');
  await service.listen(port);
  assert.deepEqual([(await editor().license.status()).source, service.asked.at(-1)?.body.licenseKey], ['server', KEY]);
});

test('a license that is good on its machines only is not kept without a place', async () => {
  floating();
  service.code = 'NO_MACHINE';
  const result = await editor().license.activate(KEY, 'ada@example.com');
  assert.deepEqual([result.activated, result.code, result.status.code], [false, 'TOO_MANY_MACHINES', 'NO_LICENSE']);
  service.handlers.set(VALIDATE, (_, response) => problem(response, 503, 'unavailable'));
  assert.equal((await editor().license.activate(KEY, 'ada@example.com')).code, 'TOO_MANY_MACHINES');
});

test('a machine with a file that is still good keeps its place', async () => {
  const client = await activated();
  service.handlers.set('/api/licenses/deactivate', (_, response) => problem(response, 409, 'conflict'));
  await assert.rejects(client.license.deactivate(), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.status, error.code], [409, 'conflict']);
    return true;
  });
  assert.equal((await client.license.status()).tier, 'pro');
});
