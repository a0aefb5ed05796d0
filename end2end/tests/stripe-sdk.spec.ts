// The built-in simulator as Stripe's own library sees it, and our webhook as that library signs for it.
// Nothing here is ours but the address: what a customer of Stripe writes has to work.

import crypto from 'node:crypto';
import Stripe from 'stripe';
import { baseUrl } from '../environment.ts';
import { expect, test } from '../fixtures.ts';

type Simulator = { url: string; webhookSecret: string };

let simulator: Simulator;
let stripe: Stripe;

test.beforeAll(async () => {
  const answer = await fetch(`${baseUrl}/dev/stripe`);
  expect(answer.status, 'the server tells where its simulator is').toBe(200);
  const told = (await answer.json()) as Simulator;
  simulator = { ...told, url: process.env.STRIPE_SIMULATOR_URL ?? told.url };
  stripe = client('sk_test_simulator');
});

function client(key: string): Stripe {
  const { hostname, port } = new URL(simulator.url);
  return new Stripe(key, { host: hostname, port, protocol: 'http', telemetry: false, maxNetworkRetries: 0 });
}

/** Tests run beside each other in one world: what one makes carries its own mark. */
function mark(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

async function priceOf(amount: number, interval?: 'month' | 'year'): Promise<Stripe.Price> {
  const product = await stripe.products.create({ id: `prod_${mark()}`, name: 'Pro' });
  return stripe.prices.create({
    product: product.id,
    currency: 'eur',
    unit_amount: amount,
    tax_behavior: 'exclusive',
    ...(interval === undefined ? {} : { recurring: { interval } }),
  });
}

/** A customer whose invoices are paid with this card. */
async function payingCustomer(card: string, params: Stripe.CustomerCreateParams = {}): Promise<Stripe.Customer> {
  const customer = await stripe.customers.create({ email: `${mark()}@example.com`, ...params });
  const method = await stripe.paymentMethods.attach(card, { customer: customer.id });
  return stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
}

function itemOf(subscription: Stripe.Subscription): Stripe.SubscriptionItem {
  const item = subscription.items.data[0];
  if (item === undefined) throw new Error('the subscription has no item');
  return item;
}

/** What a promise fails with, which it must. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`should have failed and gave ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

test('customers are made, changed, found and deleted', async () => {
  const email = `${mark()}@example.com`;
  const made = await stripe.customers.create({
    email,
    name: 'Ada',
    metadata: { account: 'acc_1' },
    address: { country: 'DE', city: 'Berlin' },
  });
  expect(made.id).toMatch(/^cus_/);
  expect(made.lastResponse.requestId).toMatch(/^req_/);
  const changed = await stripe.customers.update(made.id, { name: 'Ada L.', metadata: { plan: 'pro' } });
  expect(changed.metadata).toEqual({ account: 'acc_1', plan: 'pro' });
  const found = await stripe.customers.retrieve(made.id);
  expect(found).toMatchObject({ email, name: 'Ada L.', address: { country: 'DE', city: 'Berlin', line2: null } });
  expect(await stripe.customers.del(made.id)).toMatchObject({ deleted: true });
  expect(await stripe.customers.retrieve(made.id)).toMatchObject({ deleted: true });
});

test('a list is followed over all its pages', async () => {
  const email = `${mark()}@example.com`;
  const made = new Set<string>();
  for (let number = 0; number < 7; number += 1) {
    made.add((await stripe.customers.create({ email, name: String(number) })).id);
  }
  const seen: string[] = [];
  for await (const customer of stripe.customers.list({ email, limit: 3 })) seen.push(customer.id);
  expect(seen).toHaveLength(7);
  expect(new Set(seen)).toEqual(made);
});

test('an idempotency key makes one object, and belongs to its parameters', async () => {
  const idempotencyKey = mark();
  const first = await stripe.customers.create({ name: 'Once' }, { idempotencyKey });
  const again = await stripe.customers.create({ name: 'Once' }, { idempotencyKey });
  expect(again.id).toBe(first.id);
  expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
  const other = await failure(stripe.customers.create({ name: 'Other' }, { idempotencyKey }));
  expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
});

test('mistakes are named as Stripe names them', async () => {
  const missing = await failure(stripe.products.create({} as Stripe.ProductCreateParams));
  expect(missing).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
  expect(missing).toMatchObject({ statusCode: 400, code: 'parameter_missing', param: 'name' });
  const nobody = await failure(stripe.subscriptions.retrieve('sub_nobody'));
  expect(nobody).toMatchObject({ statusCode: 404, code: 'resource_missing' });
  const id = `prod_${mark()}`;
  await stripe.products.create({ id, name: 'Pro' });
  const twice = await failure(stripe.products.create({ id, name: 'Pro' }));
  expect(twice).toMatchObject({ statusCode: 400, code: 'resource_already_exists' });
  const live = client('sk_live_real');
  expect(await failure(live.customers.list())).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
});

test('a price is found by its lookup key', async () => {
  const price = await priceOf(1900, 'month');
  const key = mark();
  await stripe.prices.update(price.id, { lookup_key: key });
  const found = await stripe.prices.list({ lookup_keys: [key], expand: ['data.product'] });
  expect(found.data.map((one) => one.id)).toEqual([price.id]);
  expect(found.data[0]?.product).toMatchObject({ name: 'Pro' });
});

test('a checkout session is opened for a payment and for a subscription', async () => {
  const coupon = await stripe.coupons.create({ percent_off: 10, duration: 'once' });
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false, country: 'DE' });
  const once = await priceOf(10_000);
  const payment = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: once.id, quantity: 2, tax_rates: [rate.id] }],
    discounts: [{ coupon: coupon.id }],
    success_url: 'https://example.com/done?session={CHECKOUT_SESSION_ID}',
    client_reference_id: 'ord_1',
    metadata: { order: 'ord_1' },
    expand: ['line_items'],
  });
  expect(payment).toMatchObject({ status: 'open', payment_status: 'unpaid', client_reference_id: 'ord_1' });
  expect(payment.amount_total).toBe(20_000 - 2_000 + 3_420);
  expect(payment.line_items?.data[0]).toMatchObject({ quantity: 2, amount_subtotal: 20_000 });
  expect(payment.url).toContain(simulator.url);

  const customer = await stripe.customers.create({ name: 'Ada' });
  const monthly = await priceOf(1900, 'month');
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: customer.id,
    line_items: [{ price: monthly.id, quantity: 3 }],
    subscription_data: { metadata: { order: 'ord_2' } },
    success_url: 'https://example.com/done',
    expand: ['customer'],
  });
  expect(session.customer).toMatchObject({ id: customer.id, name: 'Ada' });
  expect(session.amount_total).toBe(5_700);
  expect((await stripe.checkout.sessions.expire(session.id)).status).toBe('expired');
});

test('a subscription is paid, changed as previewed, and ended', async () => {
  const customer = await payingCustomer('pm_card_visa');
  const small = await priceOf(1900, 'month');
  const large = await priceOf(4900, 'month');
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: small.id, quantity: 2 }],
    metadata: { order: 'ord_1' },
    expand: ['latest_invoice'],
  });
  expect(subscription.status).toBe('active');
  const item = itemOf(subscription);
  expect(item.current_period_end).toBeGreaterThan(item.current_period_start);
  const first = subscription.latest_invoice as Stripe.Invoice;
  expect(first).toMatchObject({ status: 'paid', total: 3800, billing_reason: 'subscription_create' });
  expect(first.parent?.subscription_details).toMatchObject({ subscription: subscription.id, metadata: { order: 'ord_1' } });

  // The same moment for both, so that they must agree to the cent.
  const at = item.current_period_start + Math.floor((item.current_period_end - item.current_period_start) / 2);
  const items = [{ id: item.id, price: large.id, quantity: 3 }];
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { items, proration_behavior: 'always_invoice', proration_date: at },
  });
  const changed = await stripe.subscriptions.update(subscription.id, {
    items,
    proration_behavior: 'always_invoice',
    proration_date: at,
    payment_behavior: 'error_if_incomplete',
    expand: ['latest_invoice'],
  });
  const billed = changed.latest_invoice as Stripe.Invoice;
  expect(billed.lines.data.map((line) => line.amount)).toEqual([-1900, 7350]);
  expect([preview.total, preview.amount_due]).toEqual([billed.total, billed.amount_due]);
  expect(billed).toMatchObject({ status: 'paid', billing_reason: 'subscription_update', total: 5450 });

  const ending = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  expect(ending.cancel_at_period_end).toBe(true);
  expect((await stripe.subscriptions.cancel(subscription.id)).status).toBe('canceled');
  expect((await stripe.subscriptions.list({ customer: customer.id })).data).toEqual([]);
  expect((await stripe.subscriptions.list({ customer: customer.id, status: 'all' })).data).toHaveLength(1);
});

test('a declined card is a card error, and a declined change changes nothing', async () => {
  const price = await priceOf(1900, 'month');
  const without = await payingCustomer('pm_card_chargeDeclined');
  const declined = await failure(
    stripe.subscriptions.create({
      customer: without.id,
      items: [{ price: price.id }],
      payment_behavior: 'error_if_incomplete',
    }),
  );
  expect(declined).toBeInstanceOf(Stripe.errors.StripeCardError);
  expect(declined).toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: 'generic_decline' });
  expect((await stripe.subscriptions.list({ customer: without.id, status: 'all' })).data).toEqual([]);

  const customer = await payingCustomer('pm_card_visa');
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
  const bad = await stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer: customer.id });
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: bad.id } });
  const before = await stripe.subscriptions.retrieve(subscription.id);
  const change = await failure(
    stripe.subscriptions.update(subscription.id, {
      items: [{ id: itemOf(subscription).id, quantity: 9 }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'error_if_incomplete',
    }),
  );
  expect(change).toBeInstanceOf(Stripe.errors.StripeCardError);
  const after = await stripe.subscriptions.retrieve(subscription.id);
  expect(itemOf(after).quantity).toBe(1);
  expect(after.latest_invoice).toBe(before.latest_invoice);
});

test('no more is given back than was paid', async () => {
  const intent = await stripe.paymentIntents.create({
    amount: 1900,
    currency: 'eur',
    payment_method: 'pm_card_visa',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    confirm: true,
    expand: ['latest_charge.balance_transaction'],
  });
  expect(intent.status).toBe('succeeded');
  const charge = intent.latest_charge as Stripe.Charge;
  expect(charge.balance_transaction).toMatchObject({ amount: 1900, currency: 'eur' });
  const refund = await stripe.refunds.create({ charge: charge.id, amount: 1000, reason: 'requested_by_customer' });
  expect(refund.status).toBe('succeeded');
  const beyond = await failure(stripe.refunds.create({ charge: charge.id, amount: 901 }));
  expect(beyond).toBeInstanceOf(Stripe.errors.StripeInvalidRequestError);
  await stripe.refunds.create({ charge: charge.id });
  expect(await stripe.charges.retrieve(charge.id)).toMatchObject({ refunded: true, amount_refunded: 1900 });
  expect(await failure(stripe.refunds.create({ charge: charge.id }))).toMatchObject({ code: 'charge_already_refunded' });
});

test('a month later there is a renewal', async () => {
  const start = Math.floor(Date.UTC(2027, 0, 31, 12) / 1000);
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: start, name: 'A month' });
  const customer = await payingCustomer('pm_card_visa', { test_clock: clock.id });
  const price = await priceOf(1900, 'month');
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
  expect(itemOf(subscription).current_period_end).toBe(Math.floor(Date.UTC(2027, 1, 28, 12) / 1000));
  const later = Math.floor(Date.UTC(2027, 2, 1, 12) / 1000);
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: later });
  expect((await stripe.testHelpers.testClocks.retrieve(clock.id)).status).toBe('ready');
  const invoices = await stripe.invoices.list({ subscription: subscription.id });
  expect(invoices.data.map((invoice) => [invoice.billing_reason, invoice.status])).toEqual([
    ['subscription_cycle', 'paid'],
    ['subscription_create', 'paid'],
  ]);
  const renewed = await stripe.subscriptions.retrieve(subscription.id);
  expect(itemOf(renewed).current_period_end).toBe(Math.floor(Date.UTC(2027, 2, 31, 12) / 1000));
  await stripe.testHelpers.testClocks.del(clock.id);
});

test('events tell what happened', async () => {
  const customer = await stripe.customers.create({ name: 'Ada' });
  const events = await stripe.events.list({ type: 'customer.created', limit: 100 });
  const event = events.data.find((one) => (one.data.object as Stripe.Customer).id === customer.id);
  expect(event).toMatchObject({ object: 'event', type: 'customer.created', livemode: false });
  if (event === undefined) return;
  expect((await stripe.events.retrieve(event.id)).id).toBe(event.id);
  // Customers of test clocks live in other times, so only this one is looked for.
  const later = await stripe.events.list({ types: ['customer.created'], created: { gt: event.created }, limit: 100 });
  expect(later.data.map((one) => one.id)).not.toContain(event.id);
});

// ---- webhooks

/** An event about nothing that concerns anybody. */
function eventBody(): string {
  return JSON.stringify({
    id: `evt_${mark()}`,
    object: 'event',
    api_version: '2026-09-30.endive',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: 'product.updated',
    data: { object: { id: 'prod_nothing', object: 'product', name: 'Größe' } },
  });
}

async function deliver(body: string, signature?: string): Promise<Response> {
  const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' };
  if (signature !== undefined) headers['stripe-signature'] = signature;
  return fetch(`${baseUrl}/api/payments/webhook`, { method: 'POST', headers, body });
}

async function expectRefused(answer: Response): Promise<void> {
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'invalid_signature' });
}

function signed(payload: string, options: { timestamp?: number; secret?: string } = {}): string {
  return stripe.webhooks.generateTestHeaderString({ payload, secret: simulator.webhookSecret, ...options });
}

test('an event that the library signs is accepted, twice as well as once', async () => {
  const body = eventBody();
  for (const attempt of [1, 2]) {
    const answer = await deliver(body, signed(body));
    expect(answer.status, `attempt ${attempt}`).toBe(200);
    expect(await answer.json()).toEqual({ success: true });
  }
});

test('any of the signatures may be the right one', async () => {
  const body = eventBody();
  const [time, right] = signed(body).split(',');
  const wrong = `v1=${'0'.repeat(64)}`;
  expect((await deliver(body, [time, wrong, right].join(','))).status).toBe(200);
  const scheme = `v0=${right?.slice('v1='.length)}`;
  await expectRefused(await deliver(body, [time, scheme].join(',')));
});

test('a changed byte is refused', async () => {
  const body = eventBody();
  await expectRefused(await deliver(body.replace('prod_nothing', 'prod_nothinG'), signed(body)));
  await expectRefused(await deliver(`${body} `, signed(body)));
});

test('a time too far from now is refused', async () => {
  const body = eventBody();
  const now = Math.floor(Date.now() / 1000);
  for (const timestamp of [now - 400, now + 400]) {
    await expectRefused(await deliver(body, signed(body, { timestamp })));
  }
  expect((await deliver(body, signed(body, { timestamp: now - 200 }))).status).toBe(200);
});

test('a missing or unreadable header is refused', async () => {
  const body = eventBody();
  await expectRefused(await deliver(body));
  for (const header of ['', 'nonsense', 't=1', `t=${Math.floor(Date.now() / 1000)}`, signed(body).replace('t=', 'x=')]) {
    await expectRefused(await deliver(body, header));
  }
});

test('a signature by an empty or a foreign secret is refused', async () => {
  const body = eventBody();
  await expectRefused(await deliver(body, signed(body, { secret: '' })));
  await expectRefused(await deliver(body, signed(body, { secret: 'whsec_somebody_else' })));
});
