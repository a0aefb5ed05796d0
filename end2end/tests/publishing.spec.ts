import { expect, test } from '../fixtures.ts';
import { wire } from '../wire.ts';

test('feeds are read by a real parser of XML', async ({ page }) => {
  await page.goto('/blog');
  for (const path of ['/feed.xml', '/changelog/feed.xml']) {
    const answer = await wire(path);
    expect(answer.status).toBe(200);
    const feed = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, 'application/xml');
      const entries = [...parsed.getElementsByTagName('entry')];
      return {
        broken: parsed.querySelector('parsererror') !== null,
        root: parsed.documentElement.namespaceURI,
        ids: entries.map((entry) => entry.querySelector('id')?.textContent ?? ''),
        contents: entries.map((entry) => entry.querySelector('content')?.textContent ?? ''),
      };
    }, answer.text);
    expect(feed.broken, path).toBe(false);
    expect(feed.root).toBe('http://www.w3.org/2005/Atom');
    expect(feed.ids.length).toBeGreaterThanOrEqual(4);
    expect(new Set(feed.ids).size).toBe(feed.ids.length);
    for (const content of feed.contents) expect(content).toMatch(/<(p|ul)>/);
  }
});

test('a reader goes from the blog to a post, its tags and the one before it', async ({ page }) => {
  await page.goto('/blog');
  await page.getByRole('heading', { level: 2 }).first().getByRole('link').click();
  await expect(page).toHaveURL(/\/blog\/[a-z-]+$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  await page.getByRole('navigation', { name: 'Older and newer' }).getByRole('link', { name: /^Older/ }).click();
  await expect(page).toHaveURL(/\/blog\/[a-z-]+$/);
  await page.getByRole('list', { name: 'Tags' }).getByRole('link').first().click();
  await expect(page).toHaveURL(/\/blog\/tags\//);
});

test('an entry of the changelog can be pointed at', async ({ page }) => {
  await page.goto('/changelog#2026-11-21-accounts');
  const entry = page.locator('[id="2026-11-21-accounts"]');
  await expect(entry).toBeInViewport();
  await entry.getByRole('heading', { level: 3 }).getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name: 'Accounts' })).toBeVisible();
});

test('the picture beside a link to a page is an image of the size that is said', async ({ page }) => {
  await page.goto('/blog/one-row-decides');
  const address = await page.locator('meta[property="og:image"]').getAttribute('content');
  expect(address).toMatch(/\/og\/blog\/one-row-decides\.png$/);
  const size = await page.evaluate(async (path) => {
    const image = new Image();
    image.src = path;
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  }, new URL(String(address)).pathname);
  expect(size).toEqual([1200, 630]);
});
