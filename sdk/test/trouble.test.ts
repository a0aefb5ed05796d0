// Services that hang, break off, and talk nonsense.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';

import { memoryStorage, NetworkError, ProblemError } from '../src/index.js';
import { wait } from '../src/http.js';
import { clientOf, DAY, FakeService, json, KEY, problem } from './fake.js';

const VALIDATE = '/api/licenses/validate';

let service: FakeService;
beforeEach(async () => {
  service = await FakeService.start();
});
afterEach(() => service.stop());

const garbage: Record<string, (response: ServerResponse) => void> = {
  'says nothing': () => undefined,
  'stops in the middle': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"valid":true,"co');
  },
  'breaks off': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' }).write('{"valid":true');
    response.socket?.destroySoon();
  },
  'hangs up': (response) => response.socket?.destroy(),
  'sends half of its JSON': (response) => response.writeHead(200).end('{"valid":true,"code":"VAL'),
  'sends nothing at all': (response) => response.writeHead(200).end(),
  'sends a portal’s page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in'),
  'sends a number': (response) => response.writeHead(200).end('7'),
  'sends null': (response) => response.writeHead(200).end('null'),
  'sends a list': (response) => response.writeHead(200).end('[]'),
  'sends bytes that are no text': (response) => response.writeHead(200).end(Buffer.from([0xff, 0xfe, 0x00, 0xc0])),
  'sends too much': (response) => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(256 * 1024), more);
    };
    more();
  },
  'sends us elsewhere': (response) => response.writeHead(307, { location: 'https://evil.example/' }).end(),
  'fails with a page': (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway'),
};

for (const [what, answer] of Object.entries(garbage)) {
  test(`a service that ${what} costs no license, and no more than the time allowed`, async () => {
    const storage = memoryStorage();
    const setting = { storage, now: service.clock.now, timeout: 500 };
    await clientOf(service.url, setting).license.activate(KEY, 'ada@example.com');
    service.clock.time += 2 * DAY;
    service.handlers.set(VALIDATE, (_, response) => answer(response));
    const begun = performance.now();
    const status = await clientOf(service.url, setting).license.status();
    assert.ok(performance.now() - begun < 1_500, 'in time');
    assert.deepEqual([status.tier, status.source], ['pro', 'offline_token']);
    assert.notEqual(status.trouble, null);
  });
}

test('a `fetch` that never ends is not waited for', async () => {
  const fetch = (): Promise<Response> => new Promise(() => undefined);
  const storage = memoryStorage();
  await storage.set('license', JSON.stringify({ key: KEY }));
  const status = await clientOf(service.url, { storage, fetch, timeout: 100 }).license.status();
  assert.deepEqual([status.tier, status.trouble], ['free', 'timeout']);
});

test('what only reads is tried three times, what changes something once', async () => {
  service.handlers.set('/api/x', (_, response) => problem(response, 503, 'unavailable'));
  const client = clientOf(service.url);
  await assert.rejects(client.request('/api/x'), ProblemError);
  assert.equal(service.count('/api/x'), 3);
  await assert.rejects(client.request('/api/x', { method: 'POST', body: {} }), ProblemError);
  assert.equal(service.count('/api/x'), 4);
  await assert.rejects(client.request('/api/x', { method: 'POST', body: {}, safe: true }), ProblemError);
  assert.equal(service.count('/api/x'), 7);
});

test('a refusal is not asked for again', async () => {
  service.handlers.set('/api/x', (_, response) => problem(response, 403, 'forbidden'));
  await assert.rejects(clientOf(service.url).request('/api/x'), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.deepEqual([error.code, error.status, error.requestId], ['forbidden', 403, 'r1']);
    return true;
  });
  assert.equal(service.count('/api/x'), 1);
});

test('a later try succeeds, after the wait that was asked for', async () => {
  const waits: number[] = [];
  let tries = 0;
  service.handlers.set('/api/x', (_, response) => {
    tries += 1;
    if (tries === 1) problem(response, 429, 'rate_limited', { 'retry-after': '2' });
    else if (tries === 2) problem(response, 500, 'internal');
    else json(response, 200, { good: true });
  });
  const pause = async (milliseconds: number): Promise<void> => void waits.push(milliseconds);
  const client = clientOf(service.url, { wait: pause, random: () => 0.5 });
  assert.deepEqual(await client.request('/api/x'), { good: true });
  assert.deepEqual(waits, [2_000, 250]);
});

test('a wait that is longer than anybody has patience for ends the tries', async () => {
  service.handlers.set('/api/x', (_, response) => problem(response, 503, 'unavailable', { 'retry-after': '600' }));
  await assert.rejects(clientOf(service.url).request('/api/x'), (error) => {
    assert.ok(error instanceof ProblemError);
    assert.equal(error.retryAfter, 600_000);
    return true;
  });
  assert.equal(service.count('/api/x'), 1);
});

test('who asks can stop asking', async () => {
  service.handlers.set('/api/x', () => undefined);
  const stop = new AbortController();
  const asking = clientOf(service.url).request('/api/x', { signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(asking, /enough/);
  await assert.rejects(wait(60_000, AbortSignal.abort(new Error('before'))), /before/);
  const between = new AbortController();
  const waiting = wait(60_000, between.signal);
  between.abort(new Error('meanwhile'));
  await assert.rejects(waiting, /meanwhile/);
});

test('no service at all is a network error', async () => {
  const gone = await FakeService.start();
  const { url } = gone;
  await gone.stop();
  await assert.rejects(clientOf(url).request('/api/x'), (error) => {
    assert.ok(error instanceof NetworkError);
    assert.equal(error.kind, 'unreachable');
    return true;
  });
});

test('what cannot be an address or a fingerprint is said at once', () => {
  assert.throws(() => clientOf('ftp://devforge.test'), TypeError);
  assert.throws(() => clientOf(service.url, { fingerprint: '' }), TypeError);
  assert.throws(() => clientOf(service.url, { fingerprint: 'x'.repeat(10_000) }), TypeError);
  assert.throws(() => clientOf(service.url, { fingerprint: 'a\nb' }), TypeError);
});
