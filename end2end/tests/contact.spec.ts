import { randomBytes } from 'node:crypto';
import { answered, expect, expectNoAxeFindings, expectToFitEveryWidth, open, test } from '../fixtures.ts';
import { wire } from '../wire.ts';

// Writing to whoever runs the site, and the page that says how the site is. A network may send ten messages a day: one
// run of these sends one.

test('a message is corrected, sent, and becomes a mail', async ({ page, troubles }) => {
  troubles.allowDocumentStatus(422);
  const name = `Jo Writer ${randomBytes(4).toString('hex')}`;
  await page.goto('/contact?topic=press');
  const form = page.getByRole('main').locator('form[action="/contact"]');
  const about = form.getByRole('combobox', { name: 'About' });
  await expect(about, 'the address chose the topic').toHaveValue('press');
  const words = 'First line\n</textarea><script>alert(1)</script>';

  await form.getByRole('textbox', { name: 'Name' }).fill(name);
  await form.getByRole('textbox', { name: 'Mail address' }).fill('jo');
  await form.getByRole('textbox', { name: 'Message' }).fill(words);
  const send = () => answered(page, '/contact', () => form.getByRole('button', { name: 'Send message' }).click());
  expect(await send()).toBe(422);

  const address = form.getByRole('textbox', { name: 'Mail address' });
  await expect(address).toHaveAttribute('aria-invalid', 'true');
  await expect(address).toHaveValue('jo');
  await expect(about).toHaveValue('press');
  await expect(form.getByRole('textbox', { name: 'Message' })).toHaveValue(words);
  await expectNoAxeFindings(page);
  await expectToFitEveryWidth(page);

  await address.fill('jo@devforge.test');
  expect(await send()).toBe(303);
  await expect(page).toHaveURL('/contact?sent=1');
  await expect(page.getByRole('status').filter({ hasText: 'Your message is on its way' })).toBeVisible();
  await expect
    .poll(async () => (await wire('/dev/mail')).text, { message: 'a mail with the writer’s name' })
    .toContain(`Press: ${name}`);
  expect(await troubles.all()).toEqual([]);
});

test('the status page names every part in a word', async ({ page }) => {
  await open(page, '/status');
  const parts = page.getByRole('region', { name: 'The parts' }).getByRole('listitem');
  await expect(parts).toHaveCount(6);
  for (const part of await parts.all()) {
    await expect(part.locator('.badge')).toHaveText(/^(Working|Delayed|Not answering|Not set up)$/);
  }
  await expect(page.locator('time').first()).toHaveAttribute('datetime', /^\d{4}-\d{2}-\d{2}T/);
});

test('the mark can be taken along', async ({ page }) => {
  await open(page, '/press');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download dev-forge-mark.svg' }).click();
  expect((await download).suggestedFilename()).toBe('dev-forge-mark.svg');
});
