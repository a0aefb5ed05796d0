import type { Page } from '@playwright/test';
import { expect, open, test } from '../fixtures.ts';

type Stop = { name: string; ring: boolean; inView: boolean; covered: boolean };

/** What has the focus, and whether a person can see that it has. */
function focused(page: Page): Promise<Stop | null> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body || element === document.documentElement) return null;
    const hasRing = (at: Element | null | undefined) => {
      if (!at) return false;
      const style = getComputedStyle(at);
      return style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2;
    };
    // A visually hidden control shows its ring on its label or on what wraps it.
    const label = element instanceof HTMLInputElement ? element.labels?.[0] : undefined;
    const ring = [element, element.parentElement, element.nextElementSibling, label].some(hasRing);
    const box = (label ?? element).getBoundingClientRect();
    const header = document.querySelector('.site-header');
    const below = header?.getBoundingClientRect().bottom ?? 0;
    const covered = header !== null && !header.contains(element) && box.bottom <= below && !element.matches('.skip-link');
    return {
      name: `${element.tagName.toLowerCase()} ${element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 40) ?? ''}`,
      ring,
      inView: box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0,
      covered,
    };
  });
}

test('the skip link comes first and leads to the content', async ({ page }) => {
  await open(page, '/about');
  await page.keyboard.press('Tab');
  const skip = page.locator('.skip-link');
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();

  await page.keyboard.press('Enter');
  const target = (await skip.getAttribute('href')) ?? '';
  expect(target).toMatch(/^#./);
  await expect(page.locator(target)).toBeInViewport();

  // The next stop is inside the content, or past it when the content has none.
  await page.keyboard.press('Tab');
  const inHeader = await page.evaluate(() => document.activeElement?.closest('.site-header') !== null);
  expect(inHeader, 'the header is skipped').toBe(false);
});

for (const path of ['/', '/sign-in', '/docs/api']) {
  test(`every stop on ${path} shows that it has the focus`, async ({ page }) => {
    await open(page, path);
    // Of a page as long as the API reference, the first hundred tell.
    const limit = 100;
    let stops = 0;
    for (; stops < limit; stops += 1) {
      await page.keyboard.press('Tab');
      const stop = await focused(page);
      if (stop === null) break;
      expect(stop, `stop ${stops + 1} on ${path}`).toMatchObject({ ring: true, inView: true, covered: false });
    }
    expect(stops, 'stops on the page').toBeGreaterThan(5);
  });
}

const searchField = (page: Page) => page.getByRole('dialog', { name: 'Search' }).getByRole('combobox');

test('Ctrl-K opens the search, also from inside a field', async ({ page }) => {
  await open(page, '/sign-in');
  await page.getByRole('textbox', { name: 'Mail address' }).focus();
  await page.keyboard.press('Control+k');
  await expect(searchField(page)).toBeFocused();
});

test('a slash opens the search, but inside a field it is a letter', async ({ page }) => {
  await open(page, '/sign-in');
  const email = page.getByRole('textbox', { name: 'Mail address' });
  await email.focus();
  await page.keyboard.press('/');
  await expect(email).toHaveValue('/');
  await expect(page).toHaveURL('/sign-in');

  await open(page, '/about');
  await page.keyboard.press('/');
  await expect(searchField(page)).toBeFocused();
  await expect(searchField(page), 'the key itself is not typed').toHaveValue('');
});

test('the search field of the header is a form for who comes to it with Tab', async ({ page }) => {
  await open(page, '/about');
  const header = page.getByRole('banner').getByRole('searchbox');
  await header.focus();
  await page.keyboard.type('privacy');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/search?q=privacy');
});
