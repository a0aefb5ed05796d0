import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { admin, baseUrl } from '../environment.ts';
import {
  answered,
  expect,
  expectNoAxeFindings,
  expectToFitEveryWidth,
  sendSignInForm,
  test,
} from '../fixtures.ts';
import { mailedLink } from '../mail.ts';
import { fromOurPage, wire } from '../wire.ts';

// From the price to the credit note, with the simulated Stripe. A network may begin 60 orders an hour and register 20
// people: one run of these takes six of the one and two of the other.

type Buyer = { email: string; name: string; country: string; street: string; postalCode: string; city: string };

function buyer(): Buyer {
  return {
    email: `buyer-${randomBytes(6).toString('hex')}@devforge.test`,
    name: 'Jo Buyer',
    country: 'US',
    street: '1 Main Street',
    postalCode: '97201',
    city: 'Portland',
  };
}

/** What is looked at on the way, where there is script to look with. */
type Look = (page: Page) => Promise<void>;

const closely: Look = async (page) => {
  await expectNoAxeFindings(page);
  await expectToFitEveryWidth(page);
};

const passingBy: Look = async () => {};

const orderPage = /\/checkout\/orders\/ord_[^/?]+\?key=[^&]+(&paid=1)?$/;
const payPage = /\/pay\/cs_[^/?]+$/;
const goodCard = '4242 4242 4242 4242 Pays';

const main = (page: Page) => page.getByRole('main');
const form = (page: Page, action: string) => main(page).locator(`form[action="${action}"]`);
const heading = (page: Page) => page.getByRole('heading', { level: 1 });
const press = (page: Page, name: string | RegExp) => main(page).getByRole('button', { name, exact: true }).click();
/** The row of a bill that says this. */
const row = (page: Page, words: string) => main(page).locator('.bill tr').filter({ hasText: words });
const total = (page: Page) => main(page).locator('.bill tfoot td');
const state = (page: Page) => main(page).locator('.order-state');

async function fillIn(page: Page, who: Buyer) {
  const fields = form(page, '/checkout');
  // Whoever is signed in buys for their own address.
  const email = fields.getByRole('textbox', { name: 'Mail address' });
  if ((await email.count()) > 0) await email.fill(who.email);
  await fields.getByRole('textbox', { name: 'Name or company' }).fill(who.name);
  await fields.getByRole('combobox', { name: 'Country' }).selectOption(who.country);
  await fields.getByRole('textbox', { name: 'Street and number' }).fill(who.street);
  await fields.getByRole('textbox', { name: 'Postal code' }).fill(who.postalCode);
  await fields.getByRole('textbox', { name: 'Town or city' }).fill(who.city);
}

/** Has the sum computed anew, and gives the status of the page that says it. */
const update = (page: Page) => answered(page, '/checkout', () => press(page, 'Update the sum'));

/** From the form, filled in, to the page to pay on. */
async function goAndPay(page: Page, sum: string) {
  await press(page, `Pay ${sum}`);
  await expect(page).toHaveURL(payPage);
  await expect(heading(page)).toHaveText(`Pay ${sum}`);
}

/** Pays where one pays. Two seconds after one has come back, our page says that it is paid. */
async function payAndReturn(page: Page, button: string): Promise<string> {
  await press(page, button);
  await page.waitForURL(orderPage, { waitUntil: 'commit' });
  await expect(state(page), 'paid within two seconds').toHaveText('Paid', { timeout: 2_000 });
  await expect(heading(page)).toHaveText('Your order is paid');
  return page.url();
}

/** Opens a document of the order on the page in front of us, printed too, and gives its number. */
async function openDocument(page: Page, kind: 'Invoice' | 'Credit note'): Promise<string> {
  const link = main(page)
    .getByRole('region', { name: 'Documents' })
    .getByRole('link', { name: new RegExp(`^Open ${kind} `) });
  // It is issued with the payment; the page loads itself until it is there.
  await expect(link).toBeVisible({ timeout: 15_000 });
  await link.click();
  await expect(heading(page)).toHaveText(new RegExp(`^${kind} \\S+$`));
  await expectPdf(page, await main(page).getByRole('link', { name: 'Download PDF' }).getAttribute('href'));
  return ((await heading(page).textContent()) ?? '').trim().slice(kind.length + 1);
}

async function expectPdf(page: Page, address: string | null) {
  expect(address).not.toBeNull();
  const answer = await page.request.get(new URL(address ?? '', baseUrl).href);
  expect(answer.status()).toBe(200);
  expect(answer.headers()['content-type']).toBe('application/pdf');
  expect(answer.headers()['cache-control']).toContain('no-store');
  const body = await answer.body();
  expect(body.subarray(0, 5).toString('latin1')).toBe('%PDF-');
  expect(body.subarray(-1024).toString('latin1')).toContain('%%EOF');
}

async function chooseOnce(page: Page) {
  await page.goto('/pricing');
  await main(page).getByRole('group', { name: 'How often you pay' }).getByRole('link', { name: 'Once' }).click();
  await expect(page).toHaveURL('/pricing?interval=once');
  const pro = main(page).getByRole('region', { name: 'Pro', exact: true });
  await expect(pro).toContainText('$399');
  await pro.getByRole('button', { name: 'Buy Pro' }).click();
  await expect(page).toHaveURL('/checkout?tier=pro&interval=once&currency=usd&seats=1');
}

/** As somebody without an account, up to the invoice. Gives the address of the order. */
async function buyAsGuest(page: Page, who: Buyer, look: Look): Promise<string> {
  await fillIn(page, who);
  expect(await update(page)).toBe(200);
  await expect(page).toHaveURL('/checkout');
  await expect(page.getByRole('textbox', { name: 'Mail address' }), 'what was typed is kept').toHaveValue(who.email);
  await expect(total(page)).toHaveText('$399.00');
  await goAndPay(page, '$399.00');
  await expect(page.getByLabel('Card number')).toHaveValue('4242 4242 4242 4242');
  await expect(page.getByRole('banner')).toContainText('Test mode');
  const order = await payAndReturn(page, 'Pay $399.00');
  await expect(main(page).getByText(who.email).first()).toBeVisible();
  await expect(main(page).getByRole('region', { name: 'Documents' })).toBeVisible({ timeout: 15_000 });
  await look(page);
  return order;
}

async function openInvoice(page: Page, who: Buyer, look: Look): Promise<string> {
  const number = await openDocument(page, 'Invoice');
  await expect(main(page).getByRole('article', { name: 'The document' })).toContainText(who.name);
  await expect(main(page).locator('.invoice-sums')).toContainText('$399.00');
  await look(page);
  const { pathname, search } = new URL(page.url());
  expect(await mailedLink(who.email, '/invoices/'), 'the same came by mail').toBe(pathname + search);
  return number;
}

const reason = 'Bought one seat too many.';

/** `staff` is an administrator's browser. */
async function refundAPart(staff: Page, who: Buyer, look: Look) {
  await staff.goto('/sign-in?next=/admin/orders');
  await sendSignInForm(staff, admin);
  await expect(staff).toHaveURL('/admin/orders');
  const search = main(staff).getByRole('search', { name: 'Find orders' });
  await search.getByRole('searchbox').fill(who.email);
  await search.getByRole('button', { name: 'Search' }).click();
  await main(staff).getByRole('link', { name: who.email }).click();
  await expect(heading(staff)).toHaveText('Pro, 1 seat');

  const path = `${new URL(staff.url()).pathname}/refund`;
  const fields = form(staff, path);
  const send = () => answered(staff, path, () => fields.locator('button[type=submit]').click());
  await main(staff).getByText('Give back up to $399.00').click();
  await fields.getByRole('textbox', { name: 'Amount' }).fill('399.01');
  await fields.getByRole('textbox', { name: 'Reason' }).fill(reason);
  expect(await send(), 'more than was paid').toBe(422);
  await expect(fields.getByRole('textbox', { name: 'Amount' })).toHaveAttribute('aria-invalid', 'true');
  await expect(fields.getByRole('textbox', { name: 'Reason' })).toHaveValue(reason);
  await look(staff);

  await fields.getByRole('textbox', { name: 'Amount' }).fill('100');
  expect(await send()).toBe(303);
  await expect(staff).toHaveURL(/\?done=refunded$/);
  await expect(async () => {
    await staff.reload();
    await expect(main(staff).locator('.admin-head .badge')).toHaveText('Partly refunded', { timeout: 500 });
    const refunds = main(staff).getByRole('region', { name: 'Refunds', exact: true });
    await expect(refunds).toContainText('$100.00', { timeout: 500 });
    await expect(refunds).toContainText(reason, { timeout: 500 });
    await expect(refunds).toContainText('Paid back', { timeout: 500 });
  }).toPass({ timeout: 15_000 });
  await expect(main(staff)).toContainText('$299.00 is left of it');
  await look(staff);
}

async function openCreditNote(page: Page, order: string, invoice: string, look: Look) {
  await page.goto(order);
  await expect(state(page)).toHaveText('Partly refunded');
  await expect(heading(page)).toHaveText('Part of the money goes back');
  await expect(main(page).locator('.bill-after')).toContainText('$100.00');
  await look(page);
  await openDocument(page, 'Credit note');
  const document = main(page).getByRole('article', { name: 'The document' });
  await expect(document, 'names what it corrects').toContainText(invoice);
  await expect(document).toContainText(reason);
  await expect(document.locator('.invoice-sums')).toContainText('$100.00');
  await look(page);
}

/** Whoever has paid as a guest has an account, and opens it by their mail. */
async function openAccount(page: Page, who: Buyer, look: Look) {
  const word = `lantern ${randomBytes(4).toString('hex')} gravel oboe`;
  await page.goto('/forgot');
  await form(page, '/forgot').locator('[name=email]').fill(who.email);
  await form(page, '/forgot').locator('button[type=submit]').click();
  await expect(page).toHaveURL('/forgot?done=sent');
  const link = await mailedLink(who.email, '/reset/');
  await page.goto(link);
  await form(page, link).locator('[name=password]').fill(word);
  await form(page, link).locator('button[type=submit]').click();
  await expect(page).toHaveURL('/sign-in?done=reset');
  await sendSignInForm(page, who.email, word);
  await expect(page).toHaveURL('/account');

  await page.goto('/account/billing');
  await expect(main(page).getByRole('region', { name: 'Orders' })).toContainText('Partly refunded');
  const documents = main(page).getByRole('region', { name: 'Invoices and credit notes' });
  await expect(documents.getByRole('rowheader')).toHaveCount(2);
  await expectPdf(page, await documents.getByRole('link', { name: /^PDF/ }).first().getAttribute('href'));
  await look(page);
}

test('from the price to the credit note', async ({ page, browser }) => {
  test.setTimeout(180_000);
  const who = buyer();
  await test.step('choose', () => chooseOnce(page));
  const order = await test.step('buy', () => buyAsGuest(page, who, closely));
  const invoice = await test.step('open the invoice', () => openInvoice(page, who, closely));
  await test.step('give a part back', async () => {
    const theirs = await browser.newContext();
    await refundAPart(await theirs.newPage(), who, closely);
    await theirs.close();
  });
  await test.step('open the credit note', () => openCreditNote(page, order, invoice, closely));
  await test.step('open the account', () => openAccount(page, who, closely));
});

/** A new account, signed in. */
async function register(page: Page): Promise<Buyer> {
  const who = buyer();
  await page.goto('/register?next=/account');
  const fields = form(page, '/register');
  await fields.locator('[name=name]').fill(who.name);
  await fields.locator('[name=email]').fill(who.email);
  await fields.locator('[name=password]').fill(`lantern ${randomBytes(4).toString('hex')} gravel oboe`);
  await fields.locator('button[type=submit]').click();
  await expect(page).toHaveURL('/account?done=registered');
  return who;
}

async function subscribe(page: Page, who: Buyer, look: Look) {
  await page.goto('/pricing');
  const pro = main(page).getByRole('region', { name: 'Pro', exact: true });
  await pro.getByRole('spinbutton', { name: 'Seats' }).fill('2');
  await pro.getByRole('button', { name: 'Buy Pro' }).click();
  await expect(page).toHaveURL('/checkout?tier=pro&interval=month&currency=usd&seats=2');
  await expect(main(page).locator('.buyer'), 'for the own address').toContainText(who.email);
  await fillIn(page, who);
  expect(await update(page)).toBe(200);
  await expect(page).toHaveURL('/checkout');
  await expect(total(page)).toHaveText('$38.00');
  await expect(main(page), 'what is paid later is said before').toContainText('for $38.00, and every month after that');
  await look(page);
  await goAndPay(page, '$38.00');
  await payAndReturn(page, 'Subscribe and pay $38.00');
  await expect(main(page).getByRole('link', { name: 'Go to your account' })).toBeVisible();
}

const subscription = '/account/billing/subscription';
const seats = (page: Page) =>
  main(page).locator('.facts > div').filter({ hasText: 'Seats' }).getByRole('definition');

async function takeAnotherSeat(page: Page, look: Look) {
  // It is made when Stripe has told of it, which may be after it has told of the payment.
  await expect(async () => {
    await page.goto(subscription);
    await expect(main(page).getByRole('heading', { name: /^Dev Forge Pro/ })).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 15_000 });
  await expect(seats(page)).toHaveText('2');
  await look(page);

  await form(page, subscription).getByRole('textbox', { name: 'Seats' }).fill('3');
  expect(await answered(page, subscription, () => press(page, 'See what it costs'))).toBe(200);
  const due = main(page).getByRole('row', { name: /^Due now/ });
  await expect(due).toBeVisible();
  await expect(main(page)).toContainText('Each later period costs $57.00');
  const sum = /\$(\d+\.\d\d)/.exec((await due.textContent()) ?? '');
  // The period has only begun: a cent less at most.
  expect(Number(sum?.[1])).toBeGreaterThanOrEqual(18.99);
  expect(Number(sum?.[1])).toBeLessThanOrEqual(19);
  await expect(seats(page), 'nothing has changed by looking').toHaveText('2');
  await look(page);
  await press(page, `Pay ${sum?.[0]} now`);
  await expect(page).toHaveURL(`${subscription}?done=changed`);
  await expect(seats(page)).toHaveText('3');

  await expect(async () => {
    await page.goto('/account/billing');
    const documents = main(page).getByRole('region', { name: 'Invoices and credit notes' });
    await expect(documents.getByRole('rowheader'), 'one for each payment').toHaveCount(2, { timeout: 500 });
  }).toPass({ timeout: 15_000 });
  await look(page);
}

async function cancelAndKeep(page: Page, look: Look) {
  await page.goto(subscription);
  await main(page).locator('details.confirm > summary').click();
  await press(page, 'Cancel at the end of the period');
  await expect(page).toHaveURL(`${subscription}?done=cancelled`);
  await expect(main(page).getByText(/^It ends on \d/)).toBeVisible();
  await expect(form(page, subscription), 'what ends is not changed').toHaveCount(0);
  await look(page);
  await press(page, 'Keep the subscription');
  await expect(page).toHaveURL(`${subscription}?done=kept`);
  await expect(main(page).getByText('The subscription goes on')).toBeVisible();
  await expect(form(page, subscription).getByRole('textbox', { name: 'Seats' })).toHaveValue('3');
}

test('a subscription is begun, grows, is cancelled and kept', async ({ page }) => {
  test.setTimeout(180_000);
  const who = await test.step('register', () => register(page));
  await test.step('subscribe', () => subscribe(page, who, closely));
  await test.step('take another seat', () => takeAnotherSeat(page, closely));
  await test.step('cancel, and keep it', () => cancelAndKeep(page, closely));
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('from the price to the credit note', async ({ page, browser }) => {
    test.setTimeout(180_000);
    const who = buyer();
    await test.step('choose', () => chooseOnce(page));
    const order = await test.step('buy', () => buyAsGuest(page, who, passingBy));
    const invoice = await test.step('open the invoice', () => openInvoice(page, who, passingBy));
    await test.step('give a part back', async () => {
      const theirs = await browser.newContext({ javaScriptEnabled: false });
      await refundAPart(await theirs.newPage(), who, passingBy);
      await theirs.close();
    });
    await test.step('open the credit note', () => openCreditNote(page, order, invoice, passingBy));
  });

  test('a subscription is begun, grows, is cancelled and kept', async ({ page }) => {
    test.setTimeout(180_000);
    const who = await test.step('register', () => register(page));
    await test.step('subscribe', () => subscribe(page, who, passingBy));
    await test.step('take another seat', () => takeAnotherSeat(page, passingBy));
    await test.step('cancel, and keep it', () => cancelAndKeep(page, passingBy));
  });
});

/** Sends the form in front of us twice at once, as an impatient press does, and gives where both are led. */
async function sendTwice(page: Page): Promise<string> {
  const sent = await form(page, '/checkout').evaluate(
    (fields) => Object.fromEntries(new FormData(fields as HTMLFormElement)) as Record<string, string>,
  );
  const send = () =>
    page.request.post(`${baseUrl}/checkout`, {
      form: { ...sent, step: 'pay' },
      headers: fromOurPage,
      maxRedirects: 0,
    });
  const answers = await Promise.all([send(), send()]);
  expect(answers.map((answer) => answer.status())).toEqual([303, 303]);
  const [first, second] = answers.map((answer) => answer.headers().location);
  expect(first).toMatch(payPage);
  expect(second, 'one order').toBe(first);
  return first ?? '';
}

test('a form with mistakes, a form sent twice, a way back and a declined card end in one order', async ({ page }) => {
  test.setTimeout(120_000);
  const who = buyer();
  await page.goto('/checkout?tier=pro&interval=once&currency=usd');
  expect(await answered(page, '/checkout', () => press(page, 'Pay $399.00')), 'nothing typed').toBe(422);
  await expect(page.locator('.error-summary')).toBeFocused();
  await expect(page.getByRole('textbox', { name: 'Mail address' })).toHaveAttribute('aria-invalid', 'true');
  await closely(page);

  await fillIn(page, who);
  const place = await sendTwice(page);
  await goAndPay(page, '$399.00');
  expect(page.url(), 'pressed once more, it is the same').toBe(place);

  await main(page).getByRole('link', { name: 'Back to the shop' }).click();
  await expect(page).toHaveURL(orderPage);
  await expect(heading(page)).toHaveText('Waiting for payment');
  await expect(state(page)).toHaveText('Waiting for payment');
  await closely(page);
  const order = new URL(page.url());

  const theirs = await wire(order.pathname + order.search);
  expect(theirs.status, 'a stranger with the link').toBe(200);
  expect(theirs.headers['referrer-policy'], 'the link is told to nobody').toBe('same-origin');
  expect(theirs.headers['cache-control']).toContain('no-store');
  const key = order.searchParams.get('key') ?? '';
  const wrong = `${key.startsWith('A') ? 'B' : 'A'}${key.slice(1)}`;
  for (const other of [wrong, key.slice(1), `${key}A`]) {
    expect((await wire(`${order.pathname}?key=${other}`)).status, 'a wrong key').toBe(404);
  }
  expect((await wire(order.pathname)).status, 'without a key').toBe(401);

  await press(page, 'Continue to payment');
  await expect(page, 'where one was').toHaveURL(place);
  const path = new URL(place).pathname;
  await page.getByLabel('Card number').fill('4000 0000 0000 0002');
  expect(await answered(page, path, () => press(page, 'Pay $399.00'))).toBe(422);
  await expect(main(page).getByRole('alert')).toHaveText('Your card was declined.');
  await page.getByRole('radio', { name: goodCard, exact: true }).check();
  await payAndReturn(page, 'Pay $399.00');

  await page.goto(place);
  await expect(heading(page), 'nobody pays twice').toHaveText('Paid');
  await expect(main(page).getByRole('button')).toHaveCount(0);
  await main(page).getByRole('link', { name: 'Continue' }).click();
  await expect(state(page)).toHaveText('Paid');
});

/** Chooses another country or number and has the sum computed anew. */
async function taxed(page: Page, country: string, taxId: string): Promise<number> {
  await page.getByRole('combobox', { name: 'Country' }).selectOption(country);
  await page.getByRole('textbox', { name: 'VAT number' }).fill(taxId);
  return update(page);
}

test('VAT is that of the buyer’s country, and owed by a company elsewhere', async ({ page }) => {
  test.setTimeout(120_000);
  const who = { ...buyer(), name: 'Atelier Buyer', country: 'DE', street: 'Hauptstr. 1', postalCode: '10115', city: 'Berlin' };
  const taxId = page.getByRole('textbox', { name: 'VAT number' });

  await page.goto('/pricing?interval=once&currency=eur');
  const pro = main(page).getByRole('region', { name: 'Pro', exact: true });
  await expect(pro, 'with tax, as the law expects').toContainText('€451.01');
  await expect(pro).toContainText('Includes 19 % VAT (Germany). €379 without.');
  await pro.getByRole('button', { name: 'Buy Pro' }).click();
  await expect(page.getByRole('combobox', { name: 'Country' })).toHaveValue('DE');
  await expect(total(page), 'as the price said').toHaveText('€451.01');

  await fillIn(page, who);
  expect(await taxed(page, 'DE', 'DE136695976')).toBe(200);
  await expect(page).toHaveURL('/checkout');
  await expect(row(page, 'VAT 19 % (Germany)'), 'a company at home pays it').toContainText('€72.01');
  await expect(total(page)).toHaveText('€451.01');

  expect(await taxed(page, 'FR', 'FR41303265045')).toBe(422);
  await expect(row(page, 'VAT 20 % (France)')).toContainText('€75.80');
  await expect(taxId, 'its check digits are wrong').toHaveAttribute('aria-invalid', 'true');
  await expect(taxId).toHaveValue('FR41303265045');
  await expect(total(page)).toHaveText('€454.80');

  // The button still says what it came to in France.
  await page.getByRole('combobox', { name: 'Country' }).selectOption('DE');
  await taxId.fill('');
  expect(await answered(page, '/checkout', () => press(page, 'Pay €454.80'))).toBe(422);
  await expect(main(page).getByRole('status')).toContainText('The sum has changed');
  await expect(total(page)).toHaveText('€451.01');

  await fillIn(page, { ...who, country: 'FR', street: '1 rue de la Paix', postalCode: '69001', city: 'Lyon' });
  expect(await taxed(page, 'FR', 'FR40303265045')).toBe(200);
  await expect(row(page, 'Reverse charge: the buyer owes the VAT')).toContainText('€0.00');
  await expect(total(page)).toHaveText('€379.00');
  await goAndPay(page, '€379.00');
  await payAndReturn(page, 'Pay €379.00');
  await expect(row(page, 'Reverse charge')).toContainText('€0.00');

  await openDocument(page, 'Invoice');
  const document = main(page).getByRole('article', { name: 'The document' });
  await expect(document).toContainText('FR40303265045');
  await expect(document).toContainText('Reverse charge: the recipient owes the VAT');
  await expect(document.locator('.invoice-sums')).toContainText('€379.00');
});
