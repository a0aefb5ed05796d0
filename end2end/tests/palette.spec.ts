import type { Page } from '@playwright/test';
import { expect, expectNoAxeFindings, expectToFitEveryWidth, open, test } from '../fixtures.ts';
import { wire } from '../wire.ts';

const palette = (page: Page) => page.getByRole('dialog', { name: 'Search' });
const field = (page: Page) => palette(page).getByRole('combobox', { name: 'Search this site' });
const options = (page: Page) => palette(page).getByRole('option');
const chosen = (page: Page) => palette(page).getByRole('option', { selected: true });

/** Opens the palette and looks for `text`, until its hits are there. */
async function lookFor(page: Page, text: string) {
  await page.keyboard.press('Control+k');
  await field(page).fill(text);
  await expect(palette(page).getByRole('status')).toContainText('result');
}

test('opens on a page that everybody gets from the cache, and only then loads the program', async ({ page, troubles }) => {
  const wasm: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('.wasm')) wasm.push(request.url());
  });
  const response = await open(page, '/about');
  expect(response.headers()['content-security-policy']).not.toContain('nonce-');
  expect(wasm).toEqual([]);

  await page.keyboard.press('Control+k');
  await expect(field(page)).toBeFocused();
  await expect(options(page).first()).toBeVisible();
  expect(wasm).toHaveLength(1);
  expect(await troubles.all()).toEqual([]);
});

test('is fetched when the pointer comes to the search field, and opens with a click', async ({ page }) => {
  await open(page, '/about');
  const program = page.waitForRequest((request) => request.url().endsWith('.wasm'));
  await page.getByRole('banner').getByRole('search').hover();
  await program;
  await page.getByRole('banner').getByRole('searchbox').click();
  await expect(field(page)).toBeFocused();
});

test('shows hits in groups, with what was typed marked, and says how many', async ({ page }) => {
  await open(page, '/about');
  await lookFor(page, 'license');
  const docs = palette(page).getByRole('group', { name: 'Docs' });
  await expect(docs.getByRole('option').first()).toBeVisible();
  await expect(docs.locator('mark').first()).toBeVisible();
  await expect(palette(page).getByRole('option', { name: 'Activate a license' }).first()).toBeVisible();
  await expect(options(page).last()).toHaveText(/See all results for “license”/);

  await palette(page).getByRole('button', { name: 'API reference' }).click();
  await expect(palette(page).getByRole('button', { name: 'API reference' })).toHaveAttribute('aria-pressed', 'true');
  await expect(docs).toHaveCount(0);
  await expect(palette(page).getByRole('group', { name: 'API reference' })).toBeVisible();
  await expect(options(page).last()).toHaveAttribute('href', '/search?q=license&kind=api');
});

test('is led by the arrows, which wrap, and Enter opens', async ({ page }) => {
  await open(page, '/about');
  await lookFor(page, 'license');
  await expect(chosen(page)).toHaveCount(1);
  await expect(field(page)).toHaveAttribute('aria-activedescendant', 'palette-row-0');

  await page.keyboard.press('ArrowUp');
  await expect(options(page).last()).toHaveAttribute('aria-selected', 'true');
  await expect(options(page).last()).toBeInViewport();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(field(page)).toHaveAttribute('aria-activedescendant', 'palette-row-1');
  await expect(field(page), 'the keys stay in the field').toBeFocused();

  const target = (await chosen(page).getAttribute('href')) ?? '';
  expect(target).toMatch(/^\//);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(target);
  await expect(palette(page)).toBeHidden();
});

test('Enter before the answer leads to the search page', async ({ page }) => {
  await page.route('**/api/search?*', () => undefined);
  await open(page, '/about');
  await page.keyboard.press('Control+k');
  await expect(options(page).first()).toBeVisible();
  await page.keyboard.type('privacy');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/search?q=privacy');
});

test('Ctrl-Enter opens a new tab and leaves the palette open', async ({ page, context }) => {
  await open(page, '/about');
  await lookFor(page, 'privacy');
  const opened = context.waitForEvent('page');
  await page.keyboard.press('Control+Enter');
  await (await opened).close();
  await expect(page).toHaveURL('/about');
  await expect(palette(page)).toBeVisible();
});

test('closes with Escape and gives the focus back', async ({ page }) => {
  await open(page, '/sign-in');
  const email = page.getByRole('textbox', { name: 'Mail address' });
  await email.focus();
  await lookFor(page, 'license');
  await page.keyboard.press('Escape');
  await expect(palette(page)).toBeHidden();
  await expect(email).toBeFocused();

  await page.keyboard.press('Control+k');
  await expect(field(page), 'what was typed is still there').toHaveValue('license');
  await palette(page).getByRole('button', { name: /close/ }).click();
  await expect(palette(page)).toBeHidden();
});

test('keeps what was looked for, here and until it is cleared', async ({ page }) => {
  await open(page, '/about');
  await lookFor(page, 'privacy');
  await page.keyboard.press('Enter');
  await expect(page).not.toHaveURL('/about');
  await open(page, '/about');
  await page.keyboard.press('Control+k');
  const recent = palette(page).getByRole('group', { name: 'Recent searches' });
  await recent.getByRole('option', { name: 'privacy' }).click();
  await expect(field(page)).toHaveValue('privacy');
  await expect(options(page).last()).toHaveText(/See all results for “privacy”/);

  await field(page).fill('');
  await expect(recent.getByRole('option')).toHaveCount(1);
  await palette(page).getByRole('button', { name: 'Clear recent searches' }).click();
  await expect(recent).toHaveCount(0);
  expect(await page.evaluate(() => localStorage.getItem('recent-searches'))).toBeNull();
});

test('what is only typed is not kept', async ({ page }) => {
  await open(page, '/about');
  await lookFor(page, 'privacy');
  await page.keyboard.press('Escape');
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
});

test('says so when nothing matches, and shows ways on', async ({ page }) => {
  await open(page, '/about');
  await lookFor(page, 'qzxvwkjhgfd');
  await expect(palette(page).getByRole('status')).toHaveText('No result for “qzxvwkjhgfd”');
  await expect(palette(page).getByRole('option', { name: 'Write to us' })).toBeVisible();
  await expectNoAxeFindings(page);
});

test('says so when the search does not answer, and tries again', async ({ page }) => {
  await page.route('**/api/search?*', (route) => route.fulfill({ status: 503, body: '{}' }));
  await open(page, '/about');
  await page.keyboard.press('Control+k');
  await field(page).fill('license');
  await expect(palette(page).getByRole('status')).toContainText('Search does not answer');
  await expect(options(page).last()).toHaveAttribute('href', '/search?q=license');
  await page.unroute('**/api/search?*');
  await palette(page).getByRole('button', { name: 'Try again' }).click();
  await expect(palette(page).getByRole('group', { name: 'Docs' })).toBeVisible();
});

test('without its program it is a form', async ({ page }) => {
  await page.route('**/*.wasm', (route) => route.abort());
  await open(page, '/about');
  await page.keyboard.press('Control+k');
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('privacy');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/search?q=privacy');
});

test('without its loader the search page opens', async ({ page }) => {
  await page.route('**/assets/islands.*.js', (route) => route.abort());
  await open(page, '/about');
  await page.keyboard.press('Control+k');
  await expect(page).toHaveURL('/search');
});

test('markup that is typed is text', async ({ page, troubles }) => {
  await open(page, '/about');
  await page.keyboard.press('Control+k');
  await field(page).fill('<img src=x onerror=alert(1)>');
  await expect(options(page).last()).toContainText('<img src=x onerror=alert(1)>');
  await expect(palette(page).locator('img')).toHaveCount(0);
  expect(await troubles.all()).toEqual([]);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`has no axe finding in ${colorScheme}, empty or full`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await open(page, '/about');
    await page.keyboard.press('Control+k');
    await expect(options(page).first()).toBeVisible();
    await expectNoAxeFindings(page);
    await field(page).fill('license');
    await expect(palette(page).getByRole('group', { name: 'Docs' })).toBeVisible();
    await expectNoAxeFindings(page);
  });
}

test('fills a phone and fits every width', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, '/about');
  await page.getByRole('banner').getByRole('link', { name: 'Search' }).click();
  await expect(field(page)).toBeFocused();
  await field(page).fill('license');
  await expect(palette(page).getByRole('group', { name: 'Docs' })).toBeVisible();
  expect(await palette(page).boundingBox()).toEqual({ x: 0, y: 0, width: 360, height: 740 });
  await expectToFitEveryWidth(page);
});

test('works on a page that has islands of its own', async ({ page, troubles }) => {
  await open(page, '/dev/gallery');
  await page.locator('html[data-awake]').waitFor();
  await lookFor(page, 'license');
  await expect(palette(page).getByRole('group', { name: 'Docs' })).toBeVisible();
  expect(await troubles.all()).toEqual([]);
});

test('its loader is as small as it has to be to come at once', async ({ page }) => {
  const loader = page.waitForRequest(/\/assets\/islands\.[^/]+\.js$/);
  await open(page, '/about');
  await page.keyboard.press('Control+k');
  const { pathname } = new URL((await loader).url());
  const { raw } = await wire(pathname, { headers: { 'accept-encoding': 'br' } });
  expect(raw.length).toBeLessThanOrEqual(1024);
});
