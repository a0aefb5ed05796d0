import { admin, customer, password } from '../environment.ts';
import { expect, sendSignInForm, sessionCookie, test } from '../fixtures.ts';

test('a wrong password is answered at the form, the right one opens the account', async ({ page }) => {
  await page.goto('/account');
  await expect(page, 'a visitor is asked to sign in first').toHaveURL(/\/sign-in\?next=(%2F|\/)account$/);

  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await sendSignInForm(page, customer, `${password} but wrong`);
  expect((await answer).status()).toBe(422);

  const summary = page.locator('.error-summary');
  await expect(summary).toBeVisible();
  await expect(summary).toBeFocused();
  await expect(page.getByRole('textbox', { name: 'Mail address' })).toHaveValue(customer);
  await expect(page.getByLabel('Password', { exact: true })).toHaveValue('');
  expect(await page.content()).not.toContain(`${password} but wrong`);

  await sendSignInForm(page, customer);
  await expect(page, 'the page asked for at first').toHaveURL('/account');
  await expect(page.getByRole('main')).toContainText(customer);

  const sessions = page.getByRole('main').getByRole('listitem').filter({ hasText: 'Last used' });
  await expect(sessions.filter({ hasText: 'This session' }), 'the session in use is listed and marked').toHaveCount(1);

  await page.getByRole('main').getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).not.toHaveURL(/\/account/);
  await page.goto('/account');
  await expect(page, 'the session is over').toHaveURL(/\/sign-in/);
});

test('every sign-in makes a new session, and an ended one stays ended', async ({ page, context, browser }) => {
  await page.goto('/sign-in');
  await sendSignInForm(page, customer);
  await expect(page).toHaveURL('/account');
  const first = await sessionCookie(context);
  if (first === undefined) throw new Error('no session cookie after signing in');
  expect(first.sameSite).toBe('Lax');
  expect(first.httpOnly, 'no script reads it').toBe(true);
  expect(first.path).toBe('/');

  await page.getByRole('main').getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).not.toHaveURL(/\/account/);

  // Whoever knew the old cookie, or planted it, gains nothing by the next sign-in.
  await context.addCookies([first]);
  await page.goto('/sign-in');
  await sendSignInForm(page, customer);
  await expect(page).toHaveURL('/account');
  const second = await sessionCookie(context);
  expect(second?.name).toBe(first.name);
  expect(second?.value).not.toBe(first.value);

  const stranger = await browser.newContext();
  await stranger.addCookies([first]);
  const theirs = await stranger.newPage();
  await theirs.goto('/account');
  await expect(theirs).toHaveURL(/\/sign-in/);
  await stranger.close();
});

test('after signing in one lands on the page asked for', async ({ page }) => {
  await page.goto('/sign-in?next=/legal/terms');
  await sendSignInForm(page, customer);
  await expect(page).toHaveURL('/legal/terms');
});

test('a session ended from the list is signed out at its next request', async ({ page, browser }) => {
  const other = await browser.newContext();
  const theirs = await other.newPage();
  await theirs.goto('/sign-in');
  await sendSignInForm(theirs, admin);
  await expect(theirs).toHaveURL('/account');

  await page.goto('/sign-in?next=/account/security');
  await sendSignInForm(page, admin);
  await expect(page).toHaveURL('/account/security');
  await theirs.goto('/account/security');
  // Other tests sign in as well, so the one to end is found by where its own page says it is.
  const id = await theirs
    .getByRole('listitem')
    .filter({ hasText: 'This session' })
    .locator('form[action^="/account/sessions/"]')
    .getAttribute('action');
  await page.getByRole('main').locator(`form[action="${id}"]`).getByRole('button').click();
  await expect(page).toHaveURL('/account/security?done=session-ended');
  await expect(page.getByRole('main').locator(`form[action="${id}"]`)).toHaveCount(0);

  await theirs.goto('/account');
  await expect(theirs).toHaveURL(/\/sign-in/);
  await other.close();
});

test('a session is kept beyond the window only where that is asked for', async ({ page, context }) => {
  await page.goto('/sign-in');
  await sendSignInForm(page, customer);
  await expect(page).toHaveURL('/account');
  expect((await sessionCookie(context))?.expires, 'ends with the browser').toBe(-1);

  await context.clearCookies();
  await page.goto('/sign-in');
  await page.getByRole('checkbox', { name: 'Keep me signed in on this device' }).check();
  await sendSignInForm(page, customer);
  await expect(page).toHaveURL('/account');
  expect((await sessionCookie(context))?.expires, 'has a day of its own').toBeGreaterThan(Date.now() / 1000);
});

test('asking for a new password tells nobody who has an account', async ({ page }) => {
  const answers: string[] = [];
  for (const email of [`nobody-${Date.now()}@devforge.test`, customer]) {
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    const form = page.locator('form[action="/forgot"]');
    await form.getByRole('textbox', { name: 'Mail address' }).fill(email);
    await form.getByRole('button', { name: 'Send the link' }).click();
    await expect(page).toHaveURL('/forgot?done=sent');
    answers.push(await page.getByRole('main').innerText());
  }
  expect(answers[0]).toBe(answers[1]);
});

test('a registration with mistakes keeps what was typed, and says what is wrong at each field', async ({ page }) => {
  await page.goto('/register');
  const form = page.locator('form[action="/register"]');
  await form.locator('[name=name]').fill('Ada');
  await form.locator('[name=email]').fill(customer);
  await form.locator('[name=password]').fill('short');
  const answer = page.waitForResponse((response) => response.request().method() === 'POST');
  await form.getByRole('button', { name: 'Create account' }).click();
  expect((await answer).status()).toBe(422);
  await expect(page.locator('.error-summary')).toBeFocused();
  await expect(form.locator('[name=password]')).toHaveAttribute('aria-invalid', 'true');
  await expect(form.locator('[name=password]')).toHaveValue('');
  await expect(form.locator('[name=name]')).toHaveValue('Ada');
  await expect(form.locator('[name=email]')).toHaveValue(customer);
});

for (const path of ['/reset/nothing', '/email/nothing']) {
  test(`a link that is no good says so: ${path}`, async ({ page }) => {
    const response = await page.goto(path);
    expect(response?.status()).toBe(422);
    expect(response?.headers()['referrer-policy']).toBe('same-origin');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('This link is no longer good');
    expect(await page.content(), 'the token is written nowhere').not.toContain(path);
  });
}
