import { expect, open, test } from '../fixtures.ts';

const pillars = ['/features/ai-models', '/features/extensions', '/features/teams', '/features/local-first'];

test('the overview leads to each of the four pages, and these on to the next', async ({ page }) => {
  await open(page, '/features');
  const main = page.getByRole('main');
  for (const path of pillars) await expect(main.locator(`a[href="${path}"]`)).not.toHaveCount(0);

  await main.getByRole('link', { name: 'AI models' }).click();
  for (const [index, path] of pillars.entries()) {
    await expect(page).toHaveURL(path);
    await expect(main.getByRole('heading', { level: 1 })).toBeVisible();
    const next = pillars[(index + 1) % pillars.length] ?? '';
    await main.locator(`.closing ~ .more-links a[href="${next}"]`).click();
  }
  await expect(page).toHaveURL('/features/ai-models');
});

for (const path of ['/features', ...pillars]) {
  test(`the drawings on ${path} take no focus and keep their words inside`, async ({ page }) => {
    for (const width of [320, 768, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await open(page, path);
      const drawings = page.getByRole('main').getByRole('img');
      expect(await drawings.count()).toBeGreaterThan(2);
      await expect(drawings.locator('a, button, input, [tabindex]')).toHaveCount(0);
      // Rows break their words. Code is cut at the edge, as an editor does.
      const cut = await page.locator('.d-row, .d-head, .d-title, .ed-sheet').evaluateAll((elements) =>
        elements
          .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1)
          .map((element) => element.textContent),
      );
      expect(cut, `at ${width} px`).toEqual([]);
    }
  });
}

test('the page for companies leads to the form that asks for a quote', async ({ page }) => {
  await open(page, '/enterprise');
  await page.getByRole('main').getByRole('link', { name: 'Ask for a quote' }).first().click();
  await expect(page).toHaveURL('/contact?topic=sales');
});
