import { randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { admin, baseUrl } from '../environment.ts';
import {
  answered,
  expect,
  expectNoAxeFindings,
  expectToFitEveryWidth,
  sendSignInForm,
  test,
} from '../fixtures.ts';
import { mailedKey, mailedLink } from '../mail.ts';

// A license from the payment to the refund, with what the editor is told on the way, and its machines as its owner
// sees them. One run of these takes one of the orders and two of the registrations that a network has in an hour.

type Check = {
  valid: boolean;
  code: string;
  tier: string;
  features: string[];
  nonce?: string;
  offlineToken?: string;
};
type Activation = Check & { activated: boolean; downloadUrl: string; license: { id: string; key: string } | null };

const main = (page: Page) => page.getByRole('main');
const form = (page: Page, action: string) => main(page).locator(`form[action="${action}"]`);
const heading = (page: Page) => page.getByRole('heading', { level: 1 });
const press = (page: Page, name: string | RegExp) => main(page).getByRole('button', { name, exact: true }).click();
const someone = () => `licensee-${randomBytes(6).toString('hex')}@devforge.test`;

async function closely(page: Page) {
  await expectNoAxeFindings(page);
  await expectToFitEveryWidth(page);
}

/** As the editor asks. */
async function ask<T>(what: 'validate' | 'activate' | 'deactivate', body: object): Promise<T> {
  const answer = await fetch(`${baseUrl}/api/licenses/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status, what).toBe(200);
  return (await answer.json()) as T;
}

async function buyOnce(page: Page, email: string) {
  await page.goto('/checkout?tier=pro&interval=once&currency=usd');
  const fields = form(page, '/checkout');
  await fields.getByRole('textbox', { name: 'Mail address' }).fill(email);
  await fields.getByRole('textbox', { name: 'Name or company' }).fill('Jo Licensee');
  await fields.getByRole('combobox', { name: 'Country' }).selectOption('US');
  await fields.getByRole('textbox', { name: 'Street and number' }).fill('1 Main Street');
  await fields.getByRole('textbox', { name: 'Postal code' }).fill('97201');
  await fields.getByRole('textbox', { name: 'Town or city' }).fill('Portland');
  await press(page, 'Pay $399.00');
  await expect(heading(page)).toHaveText('Pay $399.00');
  await press(page, 'Pay $399.00');
  await page.waitForURL(/\/checkout\/orders\/ord_/, { waitUntil: 'commit' });
  const next = main(page).getByRole('region', { name: 'What comes next' });
  await expect(next, 'the page says by itself that the license is there').toContainText('Ready', { timeout: 15_000 });
  await expect(next.getByRole('link', { name: 'Activate it' })).toHaveAttribute('href', '/activate');
}

/** From the mail to the editor's own address. */
async function activateFromMail(page: Page, email: string, key: string) {
  const link = await mailedLink(email, '/activate');
  expect(link, 'a key is in no address').toBe('/activate?app=electron');
  // As an editor does that has the key already.
  await page.goto(`${link}#key=${key}`);
  await expect(page, 'the address forgets the key').toHaveURL(link);
  const fields = form(page, '/activate');
  await expect(fields.getByRole('textbox', { name: 'License key' })).toHaveValue(key);
  await closely(page);

  await fields.getByRole('textbox', { name: 'Mail address' }).fill(someone());
  const use = () => answered(page, '/activate', () => press(page, 'Use this key'));
  expect(await use(), 'somebody else').toBe(422);
  await expect(fields.getByRole('textbox', { name: 'Mail address' })).toHaveAttribute('aria-invalid', 'true');
  await expect(fields.getByRole('textbox', { name: 'License key' }), 'what was typed is kept').toHaveValue(key);
  await closely(page);

  await fields.getByRole('textbox', { name: 'Mail address' }).fill(email);
  expect(await use()).toBe(200);
  await expect(heading(page)).toHaveText('Pro is yours to use');
  const open = main(page).getByRole('link', { name: 'Open Dev Forge' });
  await expect(open).toHaveAttribute('href', `devforge://activate#key=${key}&email=${encodeURIComponent(email)}`);
  expect(page.url() + (await page.title())).not.toContain(key);
  await closely(page);
  await main(page).getByRole('link', { name: 'Download Dev Forge' }).click();
  await expect(page).toHaveURL('/download');
  await expect(heading(page)).toHaveText('Download Dev Forge');
}

/** The token for when there is no connection, as a JOSE library reads it that knows nothing of us but our address. */
async function verifyOffline(token: string | undefined, expected: Record<string, unknown>) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', baseUrl));
  const trusted = { issuer: baseUrl, audience: 'devforge-editor', algorithms: ['EdDSA'] };
  const { payload } = await jwtVerify(token ?? '', keys, trusted);
  expect(payload).toMatchObject(expected);
  expect(payload.exp ?? 0, 'it ends by itself').toBeLessThanOrEqual((payload.iat ?? 0) + 14 * 24 * 60 * 60);

  const [head, body, signature] = (token ?? '').split('.');
  const claims = JSON.parse(Buffer.from(body ?? '', 'base64url').toString()) as Record<string, unknown>;
  const richer = Buffer.from(JSON.stringify({ ...claims, tier: 'enterprise' })).toString('base64url');
  const bent = `${signature?.startsWith('A') ? 'B' : 'A'}${signature?.slice(1)}`;
  for (const forged of [`${head}.${richer}.${signature}`, `${head}.${body}.${bent}`]) {
    await expect(jwtVerify(forged, keys, trusted), 'a changed one').rejects.toThrow(/signature/);
  }
  await expect(jwtVerify(token ?? '', keys, { ...trusted, audience: 'devforge-api' })).rejects.toThrow(/aud/);
}

/** An administrator gives all of the money back. */
async function refund(staff: Page, email: string) {
  await staff.goto('/sign-in?next=/admin/orders');
  await sendSignInForm(staff, admin);
  await expect(staff).toHaveURL('/admin/orders');
  const search = main(staff).getByRole('search', { name: 'Find orders' });
  await search.getByRole('searchbox').fill(email);
  await search.getByRole('button', { name: 'Search' }).click();
  await main(staff).getByRole('link', { name: email }).click();
  await main(staff).getByText('Give back up to $399.00').click();
  const fields = form(staff, `${new URL(staff.url()).pathname}/refund`);
  await fields.getByRole('textbox', { name: 'Reason' }).fill('It does not run on their machine.');
  await fields.locator('button[type=submit]').click();
  await expect(staff).toHaveURL(/\?done=refunded$/);
}

test('from the payment to the editor, and to the refund', async ({ page, browser }) => {
  test.setTimeout(180_000);
  const email = someone();
  const fingerprint = `fingerprint of ${email}`;
  await test.step('buy', () => buyOnce(page, email));
  const key = await test.step('read the mail', () => mailedKey(email));
  await test.step('activate', () => activateFromMail(page, email, key));

  const licenseKey = key.toLowerCase();
  await test.step('the editor activates', async () => {
    expect((await ask<Check>('validate', { licenseKey, fingerprint })).code).toBe('NO_MACHINE');
    const machine = { machineName: 'Workbench', platform: 'linux-x64' };
    const answer = await ask<Activation>('activate', { licenseKey, email, fingerprint, ...machine });
    expect(answer).toMatchObject({ activated: true, code: 'VALID', downloadUrl: `${baseUrl}/download` });
    const expected = { sub: answer.license?.id, tier: 'pro', fingerprint };
    await verifyOffline(answer.offlineToken, expected);

    const nonce = randomBytes(16).toString('hex');
    const check = await ask<Check>('validate', { licenseKey, fingerprint, nonce });
    expect(check).toMatchObject({ valid: true, code: 'VALID', tier: 'pro', nonce });
    await verifyOffline(check.offlineToken, { ...expected, nonce, features: check.features });
  });

  await test.step('the money goes back', async () => {
    const theirs = await browser.newContext();
    await refund(await theirs.newPage(), email);
    await theirs.close();
    await expect
      .poll(async () => (await ask<Check>('validate', { licenseKey, fingerprint })).code, { timeout: 15_000 })
      .toBe('REVOKED');
    const check = await ask<Check>('validate', { licenseKey, fingerprint });
    expect(check, 'the free tier goes on').toMatchObject({ valid: false, tier: 'free' });
    expect(check.offlineToken).toBeUndefined();
    const again = await ask<Activation>('activate', { licenseKey, email, fingerprint: 'another' });
    expect(again).toMatchObject({ activated: false, code: 'REVOKED', license: null });
  });

  await test.step('the page says so too', async () => {
    await page.goto('/activate');
    const fields = form(page, '/activate');
    await fields.getByRole('textbox', { name: 'License key' }).fill(key);
    await fields.getByRole('textbox', { name: 'Mail address' }).fill(email);
    expect(await answered(page, '/activate', () => press(page, 'Use this key'))).toBe(422);
    await expect(main(page)).toContainText('This key is not good any more');
    await closely(page);
  });
});

/** A new account that has shown that its address is its own. */
async function register(page: Page): Promise<string> {
  const email = someone();
  await page.goto('/register?next=/account');
  const fields = form(page, '/register');
  await fields.locator('[name=name]').fill('Jo Licensee');
  await fields.locator('[name=email]').fill(email);
  await fields.locator('[name=password]').fill(`lantern ${randomBytes(4).toString('hex')} gravel oboe`);
  await fields.locator('button[type=submit]').click();
  await expect(page).toHaveURL('/account?done=registered');
  const link = await mailedLink(email, '/verify/');
  await page.goto(link);
  await form(page, link).locator('button[type=submit]').click();
  await expect(page).toHaveURL('/account?done=verified');
  return email;
}

/** A trial, its key, and two machines of which one is taken off. */
async function tryIt(page: Page, look: (page: Page) => Promise<void>) {
  const email = await test.step('register', () => register(page));
  await page.goto('/account/licenses');
  await expect(main(page)).toContainText('No license yet');
  await look(page);
  await press(page, 'Try Pro for 14 days');
  await expect(page).toHaveURL(/\/account\/licenses\/lic_[^/?]+\?done=trial$/);
  await expect(heading(page)).toHaveText('Pro license');
  await expect(main(page)).toContainText('No machine yet');
  await look(page);

  const path = new URL(page.url()).pathname;
  const key = await mailedKey(email);
  await expect(page.locator('body'), 'hidden until it is asked for').not.toContainText(key);
  expect(await answered(page, `${path}/reveal`, () => press(page, 'Show the key'))).toBe(200);
  await expect(page.locator('#license-key')).toHaveText(key);
  await look(page);

  for (const machineName of ['Workbench', 'Old tower']) {
    const machine = { fingerprint: machineName, machineName, platform: 'darwin-arm64' };
    expect((await ask<Activation>('activate', { licenseKey: key, email, ...machine })).code).toBe('VALID');
  }
  await page.goto(path);
  const row = (name: string) => main(page).locator('.machine').filter({ has: page.getByRole('heading', { name }) });
  await expect(row('Workbench')).toContainText('macOS, arm64');
  await expect(main(page).locator('.meter')).toContainText('2 of 3 in use');
  await look(page);

  await row('Old tower').locator('summary', { hasText: 'Remove' }).click();
  await row('Old tower').getByRole('button', { name: 'Remove machine Old tower' }).click();
  await expect(page).toHaveURL(`${path}?done=removed`);
  await expect(main(page)).toContainText('The machine was removed');
  await expect(row('Old tower')).toHaveCount(0);
  expect((await ask<Check>('validate', { licenseKey: key, fingerprint: 'Old tower' })).code).toBe('NO_MACHINE');
  expect((await ask<Check>('validate', { licenseKey: key, fingerprint: 'Workbench' })).code).toBe('VALID');

  await row('Workbench').locator('summary', { hasText: 'Rename' }).click();
  await row('Workbench').getByRole('textbox', { name: 'Name of this machine' }).fill('Bench two');
  await row('Workbench').getByRole('button', { name: 'Save name' }).click();
  await expect(page).toHaveURL(`${path}?done=renamed`);
  await expect(row('Bench two')).toBeVisible();
  await look(page);

  await page.goto('/activate');
  await expect(main(page).getByRole('radio')).toBeChecked();
  await look(page);
  expect(await answered(page, '/activate', () => press(page, 'Use this license'))).toBe(200);
  const open = main(page).getByRole('link', { name: 'Open Dev Forge' });
  await expect(open).toHaveAttribute('href', `devforge://activate#key=${key}&email=${encodeURIComponent(email)}`);
  await page.goto('/account/licenses');
  await expect(main(page).getByRole('link', { name: /^Open Pro, 1 seat/ })).toHaveAttribute('href', path);
  await look(page);
}

test('a trial, its machines, and taking one off', async ({ page }) => {
  test.setTimeout(120_000);
  await tryIt(page, closely);
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('a trial, its machines, and taking one off', async ({ page }) => {
    test.setTimeout(120_000);
    await tryIt(page, async () => {});
  });
});
