import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { memoryStorage, type Client, type Storage } from '../src/index.js';
import { clientOf, DAY, FakeService, HOUR, json, problem, type Asked } from './fake.js';

const PATH = '/api/analytics/events';

let service: FakeService;
let storage: Storage;
let waits: number[];

beforeEach(async () => {
  service = await FakeService.start();
  storage = memoryStorage();
  waits = [];
  service.handlers.set(PATH, ({ body }, response) => {
    json(response, 200, { success: true, accepted: (body.events as unknown[]).length, rejected: [] });
  });
});
afterEach(() => service.stop());

function editor(more: Parameters<typeof clientOf>[1] = {}): Client {
  const wait = async (milliseconds: number): Promise<void> => void waits.push(milliseconds);
  return clientOf(service.url, { storage, now: service.clock.now, wait, random: () => 0.5, ...more });
}

async function agreed(events = 0): Promise<Client> {
  const client = editor();
  await client.events.setConsent(true);
  for (let number = 0; number < events; number += 1) await client.events.queue({ event: `n${number}` });
  return client;
}

const sent = (): Asked[] => service.asked.filter((asked) => asked.path === PATH);
const names = (asked: Asked): string[] => (asked.body.events as { event: string }[]).map((event) => event.event);

test('without consent nothing is kept and nothing is sent', async () => {
  const client = editor();
  assert.deepEqual(await client.events.queue({ event: 'editor.started' }), { queued: false, reason: 'no_consent' });
  assert.deepEqual(await client.events.flush(), { sent: 0, left: 0, trouble: null });
  assert.equal(sent().length, 0);
});

test('consent that is taken back forgets what waits', async () => {
  const client = await agreed(3);
  await client.events.setConsent(false);
  await client.events.setConsent(true);
  assert.deepEqual(await client.events.flush(), { sent: 0, left: 0, trouble: null });
});

test('events wait over a restart and go out in batches, once each', async () => {
  await agreed(250);
  assert.deepEqual(await editor().events.flush(), { sent: 250, left: 0, trouble: null });
  assert.deepEqual(sent().map((asked) => names(asked).length), [100, 100, 50]);
  assert.ok(sent().every((asked) => asked.body.consent === true && typeof asked.body.sentAt === 'string'));
  const ids = sent().flatMap((asked) => (asked.body.events as { id: string }[]).map((event) => event.id));
  assert.equal(new Set(ids).size, 250);
  assert.deepEqual(await editor().events.flush(), { sent: 0, left: 0, trouble: null });
});

test('of more than 500 the oldest go, and so does what is older than a week', async () => {
  const client = await agreed(505);
  const kept = JSON.parse((await storage.get('events')) ?? '') as { events: { event: string }[] };
  assert.deepEqual([kept.events.length, kept.events[0]?.event], [500, 'n5']);
  service.clock.time += 8 * DAY;
  assert.deepEqual(await client.events.flush(), { sent: 0, left: 0, trouble: null });
});

test('what is no event, or too much of one, is not kept', async () => {
  const client = await agreed();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.deepEqual(await client.events.queue({ event: '' }), { queued: false, reason: 'invalid' });
  assert.deepEqual(await client.events.queue({ event: 'x', timestamp: 'then' }), { queued: false, reason: 'invalid' });
  assert.deepEqual(await client.events.queue({ event: 'x', properties: circle }), { queued: false, reason: 'invalid' });
  const much = { text: 'x'.repeat(9_000) };
  assert.deepEqual(await client.events.queue({ event: 'x', properties: much }), { queued: false, reason: 'too_large' });
});

test('a service without that endpoint is left alone for a day, and nothing is lost', async () => {
  service.handlers.delete(PATH);
  const client = await agreed(2);
  assert.deepEqual(await client.events.flush(), { sent: 0, left: 2, trouble: 'not_there' });
  service.clock.time += 23 * HOUR;
  assert.deepEqual(await editor().events.flush(), { sent: 0, left: 2, trouble: 'paused' });
  assert.equal(sent().length, 1);
  service.clock.time += 2 * HOUR;
  assert.equal((await editor().events.flush()).trouble, 'not_there');
  assert.equal(sent().length, 2);
});

test('tries have an end, and longer waits between them', async () => {
  service.handlers.set(PATH, (_, response) => problem(response, 503, 'unavailable'));
  const client = await agreed(1);
  assert.deepEqual(await client.events.flush(), { sent: 0, left: 1, trouble: 'server_error' });
  assert.equal(sent().length, 5);
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000]);
  assert.equal((await client.events.flush()).trouble, 'paused');
});

test('what the service asks for is waited, and not more than a minute within one go', async () => {
  let tries = 0;
  service.handlers.set(PATH, (_, response) => {
    tries += 1;
    if (tries === 1) problem(response, 429, 'rate_limited', { 'retry-after': '30' });
    else problem(response, 429, 'rate_limited', { 'retry-after': '3600' });
  });
  const client = await agreed(1);
  assert.deepEqual(await client.events.flush(), { sent: 0, left: 1, trouble: 'rate_limited' });
  assert.deepEqual(waits, [30_000]);
  service.clock.time += 59 * 60 * 1000;
  assert.equal((await client.events.flush()).trouble, 'paused');
});

test('one event that the service cannot take does not keep the others', async () => {
  service.handlers.set(PATH, (asked, response) => {
    if (names(asked).includes('n7')) problem(response, 422, 'invalid_request');
    else json(response, 200, { success: true });
  });
  const client = await agreed(40);
  assert.deepEqual(await client.events.flush(), { sent: 39, left: 0, trouble: null });
});

test('a service that takes none of them is not asked 500 times', async () => {
  service.handlers.set(PATH, (_, response) => problem(response, 422, 'invalid_request'));
  const client = await agreed(200);
  assert.equal((await client.events.flush()).trouble, 'request_refused');
  assert.ok(sent().length <= 21);
});

test('a service that knows of no consent ends ours', async () => {
  service.handlers.set(PATH, (_, response) => problem(response, 403, 'consent_required'));
  const client = await agreed(2);
  assert.deepEqual(await client.events.flush(), { sent: 0, left: 0, trouble: 'request_refused' });
  assert.equal(await client.events.hasConsent(), false);
});

test('an event that comes while others are sent is not lost, and two flushes are one', async () => {
  const client = await agreed(1);
  service.handlers.set(PATH, async (asked, response) => {
    if (names(asked).includes('n0')) await client.events.queue({ event: 'meanwhile' });
    json(response, 200, { success: true });
  });
  const [one, two] = await Promise.all([client.events.flush(), client.events.flush()]);
  assert.deepEqual(one, { sent: 2, left: 0, trouble: null });
  assert.equal(two, one);
});

test('events go out by themselves a while later, and not after closing', async () => {
  const arrived = new Promise<string[]>((resolve) => {
    service.handlers.set(PATH, (asked, response) => {
      json(response, 200, { success: true });
      resolve(names(asked));
    });
  });
  const client = editor({ flushAfter: 1 });
  await client.events.setConsent(true);
  await client.events.queue({ event: 'editor.started' });
  assert.deepEqual(await arrived, ['editor.started']);
  client.close();
  assert.deepEqual((await client.events.queue({ event: 'late' })).queued, true, 'kept for the next start');
});

test('garbage in the storage is no event', async () => {
  for (const garbage of ['', '[]', '{"consent":"yes","events":[1]}', '{"consent":true,"events":[null,{"id":5}]}']) {
    await storage.set('events', garbage);
    assert.deepEqual(await editor().events.flush(), { sent: 0, left: 0, trouble: null });
  }
});
