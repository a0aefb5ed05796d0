import type { Page } from '@playwright/test';
import { baseUrl } from '../environment.ts';
import { expect, test } from '../fixtures.ts';

const html = (page: Page) => page.locator('html');

async function themeCookie(page: Page): Promise<string | undefined> {
  const cookies = await page.context().cookies(baseUrl);
  return cookies.find((cookie) => cookie.name === 'theme')?.value;
}

async function choose(page: Page, name: 'System' | 'Light' | 'Dark') {
  await page.getByRole('contentinfo').locator('form[action="/theme"]').getByRole('button', { name }).click();
}

test('the footer switches the theme, and a reload keeps it', async ({ page, colorScheme }) => {
  await page.goto('/about');
  await expect(html(page)).not.toHaveAttribute('data-theme', /.*/);
  await expect(html(page)).toHaveCSS('color-scheme', 'light dark');
  const bySystem = await groundColour(page);

  await choose(page, 'Dark');
  await expect(html(page)).toHaveAttribute('data-theme', 'dark');
  await expect(html(page)).toHaveCSS('color-scheme', 'dark');
  await expect.poll(() => themeCookie(page)).toBe('dark');
  await expect(page, 'one stays where one was').toHaveURL('/about');
  const dark = await groundColour(page);

  await page.reload();
  await expect(html(page)).toHaveAttribute('data-theme', 'dark');

  await choose(page, 'Light');
  await expect(html(page)).toHaveAttribute('data-theme', 'light');
  await expect(html(page)).toHaveCSS('color-scheme', 'light');
  await expect.poll(() => themeCookie(page)).toBe('light');
  const light = await groundColour(page);
  expect(light).not.toBe(dark);
  expect(bySystem, 'without a choice the system decides').toBe(colorScheme === 'dark' ? dark : light);

  await page.goto('/legal/privacy');
  await expect(html(page), 'the choice holds on other pages').toHaveAttribute('data-theme', 'light');

  await choose(page, 'System');
  await expect(html(page)).not.toHaveAttribute('data-theme', /.*/);
  await expect.poll(() => themeCookie(page)).toBeUndefined();
  await page.reload();
  await expect(html(page)).not.toHaveAttribute('data-theme', /.*/);
});

async function groundColour(page: Page): Promise<string> {
  return page.locator('body').evaluate((body) => {
    const own = getComputedStyle(body).backgroundColor;
    return own === 'rgba(0, 0, 0, 0)' ? getComputedStyle(document.documentElement).backgroundColor : own;
  });
}
