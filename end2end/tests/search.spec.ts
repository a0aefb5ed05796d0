import { expect, test } from '../fixtures.ts';

// The nojs project: the search is a page and a form, whatever a script adds to it.
test('finds the privacy page', async ({ page }) => {
  await page.goto('/search');
  await page.getByRole('main').getByRole('searchbox').fill('privacy');
  await page.getByRole('main').getByRole('searchbox').press('Enter');
  await expect(page).toHaveURL('/search?q=privacy');
  await expect(page.getByRole('main').getByRole('searchbox')).toHaveValue('privacy');

  const result = page.getByRole('main').locator('a[href="/legal/privacy"]');
  await expect(result.first()).toBeVisible();
  await result.first().click();
  await expect(page).toHaveURL('/legal/privacy');
});

test('says so when nothing matches', async ({ page }) => {
  const nonsense = 'qzxvwkjhgfd';
  const response = await page.goto(`/search?q=${nonsense}`);
  expect(response?.status()).toBe(200);
  const empty = page.getByRole('main').locator('.empty');
  await expect(empty).toBeVisible();
  await expect(empty).toContainText(nonsense);
});

test('narrows to a kind, and the next search stays there', async ({ page }) => {
  await page.goto('/search?q=license');
  const main = page.getByRole('main');
  await main.getByRole('navigation', { name: 'Kinds of results' }).getByRole('link', { name: /^API reference/ }).click();
  await expect(page).toHaveURL('/search?q=license&kind=api');
  await expect(main.locator('.hit a[href^="/docs/api"]').first()).toBeVisible();
  await main.getByRole('searchbox').fill('order');
  await main.getByRole('searchbox').press('Enter');
  await expect(page).toHaveURL('/search?q=order&kind=api');
});

test('turns pages', async ({ page }) => {
  await page.goto('/search?q=license');
  const first = await page.locator('.hit a').first().getAttribute('href');
  await page.getByRole('link', { name: 'Next page' }).click();
  await expect(page).toHaveURL('/search?q=license&page=2');
  expect(await page.locator('.hit a').first().getAttribute('href')).not.toBe(first);
  await page.getByRole('link', { name: 'Previous page' }).click();
  await expect(page).toHaveURL('/search?q=license&page=1');
});

for (const query of [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' OR 1=1 --",
  'a'.repeat(5000),
  '((((((((((((((((((((',
  'title:[* TO *] AND NOT',
  '\u202e\u0000\ufffd',
  '   ',
]) {
  test(`shows ${JSON.stringify(query.slice(0, 30))} as what was typed`, async ({ page }) => {
    const response = await page.goto(`/search?q=${encodeURIComponent(query)}`);
    const status = response?.status() ?? 0;
    expect([200, 400, 414, 422], 'an answer, never a failure').toContain(status);
    const html = (await response?.text()) ?? '';
    expect(html).not.toContain('<script>alert(1)');
    expect(html).not.toContain('<img src=x');
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    if (query.startsWith('<')) await expect(page.getByRole('main').getByRole('searchbox')).toHaveValue(query);
  });
}
