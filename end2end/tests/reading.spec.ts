import { expect, test, useSavedSession } from '../fixtures.ts';
import { pages } from '../pages.ts';

// The nojs project: everything reads without a script.
for (const entry of pages) {
  test(`${entry.path} reads without JavaScript`, async ({ page, context }) => {
    if (entry.signedIn) await useSavedSession(context, entry);
    const response = await page.goto(entry.path);
    expect(response?.status()).toBe(entry.status);
    const main = page.getByRole('main');
    await expect(main.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('banner')).toBeVisible();
    await expect(page.getByRole('contentinfo')).toBeVisible();
    expect((await main.innerText()).length, 'characters of content').toBeGreaterThan(80);
    await expect(page.getByText(/(enable|requires|needs) javascript/i)).toHaveCount(0);
  });
}

test('the error pages give the number to ask about', async ({ page }) => {
  for (const entry of pages.filter((entry) => entry.status >= 500)) {
    const response = await page.goto(entry.path);
    const id = response?.headers()['x-request-id'] ?? '';
    expect(id).not.toBe('');
    await expect(page.getByRole('main')).toContainText(id);
    await expect(page.getByRole('main')).not.toContainText(/panicked|\.rs:\d|stack backtrace/);
  }
});
