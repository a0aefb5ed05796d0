import { createHmac, randomBytes } from 'node:crypto';
import type { Page } from '@playwright/test';
import { answered, expect, expectNoAxeFindings, sendSignInForm, test } from '../fixtures.ts';
import { mailedLink } from '../mail.ts';
import { wire } from '../wire.ts';

// One life of an account, from its first page to its last: once with script and a passkey, once without either.

type Traveller = {
  email: string;
  word: string;
  /** Base32, once two-factor sign-in is set up. */
  secret: string;
  recoveryCodes: string[];
};

function traveller(): Traveller {
  return {
    email: `journey-${randomBytes(6).toString('hex')}@devforge.test`,
    word: `lantern ${randomBytes(4).toString('hex')} gravel oboe`,
    secret: '',
    recoveryCodes: [],
  };
}

const main = (page: Page) => page.getByRole('main');
const form = (page: Page, action: string) => main(page).locator(`form[action="${action}"]`);
const send = (page: Page, action: string) => form(page, action).locator('button[type=submit]').click();

/** RFC 6238. `ahead` is in steps of thirty seconds: a code is good once, and one step early is early enough. */
function codeOf(secret: string, ahead: 0 | 1): string {
  const bits = [...secret]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const hash = createHmac('sha1', key).update(step).digest();
  const number = hash.readUInt32BE((hash[19] ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

async function register(page: Page, who: Traveller) {
  await page.goto('/register?next=/account');
  const fields = form(page, '/register');
  await fields.locator('[name=name]').fill('Jo Traveller');
  await fields.locator('[name=email]').fill(who.email);
  await fields.locator('[name=password]').fill(who.word);
  await send(page, '/register');
  await expect(page, 'signed in at once').toHaveURL('/account?done=registered');
  await expect(main(page)).toContainText(who.email);
}

async function registerAgain(page: Page, who: Traveller) {
  await page.goto('/register');
  const fields = form(page, '/register');
  await fields.locator('[name=name]').fill('Jo Twice');
  await fields.locator('[name=email]').fill(who.email.toUpperCase());
  await fields.locator('[name=password]').fill(who.word);
  expect(await answered(page, '/register', () => send(page, '/register'))).toBe(422);
  await expect(fields.locator('[name=email]')).toHaveAttribute('aria-invalid', 'true');
  await expect(fields.getByRole('link', { name: 'Reset the password' })).toBeVisible();
}

async function verify(page: Page, who: Traveller) {
  const link = await mailedLink(who.email, '/verify/');
  // Opening it, as programs that look into mail do, changes nothing.
  expect((await wire(link)).status).toBe(200);
  await page.goto(link);
  await send(page, link);
  await expect(page).toHaveURL('/account?done=verified');
  await page.goto(link);
  expect(await answered(page, link, () => send(page, link)), 'good once').toBe(422);
}

async function signOut(page: Page) {
  await page.goto('/account');
  await send(page, '/sign-out');
  await expect(page).toHaveURL('/');
}

async function enableTwoFactor(page: Page, who: Traveller) {
  await page.goto('/account/security');
  await send(page, '/account/security/two-factor/begin');
  await expect(page).toHaveURL('/account/security/two-factor');
  who.secret = ((await page.locator('#secret').textContent()) ?? '').replace(/\s/g, '');
  expect(who.secret).toMatch(/^[A-Z2-7]{32}$/);
  await form(page, '/account/security/two-factor').locator('[name=code]').fill(codeOf(who.secret, 0));
  await send(page, '/account/security/two-factor');
  const shown = main(page).locator('pre');
  await expect(shown).toBeVisible();
  who.recoveryCodes = ((await shown.textContent()) ?? '').match(/[0-9a-z]{5}-[0-9a-z]{5}/g) ?? [];
  expect(new Set(who.recoveryCodes).size).toBe(10);
}

async function password(page: Page, who: Traveller, next = '') {
  await page.goto(next === '' ? '/sign-in' : `/sign-in?next=${next}`);
  await sendSignInForm(page, who.email, who.word);
  await expect(page).toHaveURL(new RegExp(`/sign-in/two-factor(\\?|$)`));
}

async function code(page: Page, value: string): Promise<number> {
  // Where there are passkeys, they have a form of their own.
  const fields = form(page, '/sign-in/two-factor').filter({ has: page.locator('[name=code]') });
  await fields.locator('[name=code]').fill(value);
  return answered(page, '/sign-in/two-factor', () => fields.getByRole('button', { name: 'Sign in' }).click());
}

async function signInWithCodes(page: Page, who: Traveller) {
  await password(page, who, '/account/security');
  expect(await code(page, '000 00'), 'too short to be one').toBe(422);
  await expect(form(page, '/sign-in/two-factor').locator('[name=code]')).toHaveAttribute('aria-invalid', 'true');
  const next = codeOf(who.secret, 1);
  expect(await code(page, next)).toBe(303);
  await expect(page, 'the page asked for at first').toHaveURL('/account/security');
  await signOut(page);

  await password(page, who);
  expect(await code(page, next), 'good once').toBe(422);
  // In capitals and without its hyphen, as people type.
  const [first = '', second = ''] = who.recoveryCodes;
  expect(await code(page, first.toUpperCase().replace('-', ''))).toBe(303);
  await expect(page).toHaveURL('/account');
  await signOut(page);

  await password(page, who);
  expect(await code(page, first), 'good once').toBe(422);
  expect(await code(page, second)).toBe(303);
  await expect(page).toHaveURL('/account');
}

/** A device with a fingerprint reader, always touched at once. */
async function plugInAuthenticator(page: Page) {
  // What the address field offers by itself would race with the button that is pressed here.
  await page.addInitScript(() => {
    if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

async function usePasskey(page: Page, who: Traveller) {
  await plugInAuthenticator(page);
  await page.goto('/account/security');
  await form(page, '/account/security/passkeys').locator('[name=name]').fill('Test device');
  await send(page, '/account/security/passkeys');
  await expect(page).toHaveURL('/account/security?done=passkey-added');
  await expect(main(page)).toContainText('Test device');
  await signOut(page);

  await page.goto('/sign-in?next=/account/security');
  await send(page, '/sign-in/passkey');
  await expect(page, 'neither address nor code was asked for').toHaveURL('/account/security');
  await signOut(page);

  await password(page, who, '/account/profile');
  await expectNoAxeFindings(page);
  await form(page, '/sign-in/two-factor').getByRole('button', { name: 'Use a passkey' }).click();
  await expect(page, 'as the second step').toHaveURL('/account/profile');

  await page.goto('/account/confirm?next=/account/security');
  await expectNoAxeFindings(page);
  await form(page, '/account/confirm').getByRole('button', { name: 'Use a passkey' }).click();
  await expect(page, 'as a new proof').toHaveURL('/account/security');
}

async function confirmWithPassword(page: Page, who: Traveller) {
  await page.goto('/account/confirm?next=/account/security');
  const fields = form(page, '/account/confirm').filter({ has: page.locator('[name=password]') });
  await fields.locator('[name=password]').fill('not the one');
  expect(await answered(page, '/account/confirm', () => fields.getByRole('button', { name: 'Confirm' }).click())).toBe(422);
  await fields.locator('[name=password]').fill(who.word);
  await fields.getByRole('button', { name: 'Confirm' }).click();
  await expect(page).toHaveURL('/account/security');
}

/** `theirs` is another browser, in which the same person is signed in. */
async function endSession(page: Page, theirs: Page, who: Traveller) {
  await password(theirs, who, '/account/security');
  expect(await code(theirs, who.recoveryCodes[2] ?? '')).toBe(303);
  const current = theirs.getByRole('listitem').filter({ hasText: 'This session' });
  const action = await current.locator('form[action^="/account/sessions/"]').getAttribute('action');
  expect(action).not.toBeNull();

  await page.goto('/account/security');
  await send(page, action ?? '');
  await expect(page).toHaveURL('/account/security?done=session-ended');
  await expect(form(page, action ?? '')).toHaveCount(0);
  await theirs.goto('/account');
  await expect(theirs, 'signed out at the next request').toHaveURL(/\/sign-in\?next=/);
}

async function resetPassword(page: Page, who: Traveller) {
  await page.goto('/forgot');
  await form(page, '/forgot').locator('[name=email]').fill(who.email);
  await send(page, '/forgot');
  await expect(page).toHaveURL('/forgot?done=sent');

  const link = await mailedLink(who.email, '/reset/');
  await page.goto(link);
  const fields = form(page, link);
  await fields.locator('[name=password]').fill('password');
  expect(await answered(page, link, () => send(page, link)), 'too easy').toBe(422);
  await expect(fields.locator('[name=password]')).toHaveAttribute('aria-invalid', 'true');
  const before = who.word;
  who.word = `kettle ${randomBytes(4).toString('hex')} walnut tide`;
  await fields.locator('[name=password]').fill(who.word);
  await send(page, link);
  await expect(page).toHaveURL('/sign-in?done=reset');
  expect((await wire(link)).status, 'the link is good once').toBe(422);

  await page.goto('/account');
  await expect(page, 'signed out here as well').toHaveURL(/\/sign-in\?next=/);
  expect(await answered(page, '/sign-in', () => sendSignInForm(page, who.email, before))).toBe(422);
  await password(page, who);
  expect(await code(page, who.recoveryCodes[3] ?? '')).toBe(303);
  await expect(page).toHaveURL('/account');
}

async function leave(page: Page, who: Traveller) {
  await page.goto('/account/delete');
  await form(page, '/account/delete').locator('[name=email]').fill('somebody@devforge.test');
  expect(await answered(page, '/account/delete', () => send(page, '/account/delete'))).toBe(422);
  await form(page, '/account/delete').locator('[name=email]').fill(who.email);
  await send(page, '/account/delete');
  await expect(page).toHaveURL('/account');
  await expect(main(page)).toContainText('Your account will be deleted on');
  await expect(form(page, '/account/delete/cancel').getByRole('button')).toBeVisible();
}

test('an account from its first page to its last, with a passkey', async ({ page, browser }) => {
  test.setTimeout(180_000);
  const who = traveller();
  await test.step('register', () => register(page, who));
  await test.step('verify', () => verify(page, who));
  await test.step('turn two-factor sign-in on', () => enableTwoFactor(page, who));
  await signOut(page);
  await test.step('register once more', () => registerAgain(page, who));
  await test.step('sign in with codes', () => signInWithCodes(page, who));
  await test.step('sign in with a passkey', () => usePasskey(page, who));
  await test.step('prove it once more', () => confirmWithPassword(page, who));
  await test.step('end a session', async () => {
    const other = await browser.newContext();
    await endSession(page, await other.newPage(), who);
    await other.close();
  });
  await test.step('set a new password', () => resetPassword(page, who));
  await test.step('leave', () => leave(page, who));
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('an account from its first page to its last', async ({ page, browser }) => {
    test.setTimeout(180_000);
    const who = traveller();
    await test.step('register', () => register(page, who));
    await test.step('verify', () => verify(page, who));
    await test.step('turn two-factor sign-in on', () => enableTwoFactor(page, who));
    await test.step('no passkeys are offered', async () => {
      await page.goto('/account/security');
      await expect(form(page, '/account/security/passkeys')).toBeHidden();
    });
    await signOut(page);
    await test.step('register once more', () => registerAgain(page, who));
    await test.step('sign in with codes', () => signInWithCodes(page, who));
    await test.step('prove it once more', () => confirmWithPassword(page, who));
    await test.step('end a session', async () => {
      const other = await browser.newContext({ javaScriptEnabled: false });
      await endSession(page, await other.newPage(), who);
      await other.close();
    });
    await test.step('set a new password', () => resetPassword(page, who));
    await test.step('leave', () => leave(page, who));
  });
});
