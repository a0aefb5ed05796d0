import { expect, expectToFitEveryWidth, open, test, useSavedSession } from '../fixtures.ts';
import { pages } from '../pages.ts';

for (const entry of pages) {
  test(`${entry.path} fits every width and has one first heading`, async ({ page, context }) => {
    if (entry.signedIn) await useSavedSession(context, entry);
    await page.setViewportSize({ width: 1280, height: 800 });
    await open(page, entry.path);

    await expect(page.locator('h1')).toHaveCount(1);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('main')).toHaveCount(1);

    await expectToFitEveryWidth(page);
  });
}

test('titles, descriptions and canonical links tell the pages apart', async ({ page, context }) => {
  const titles = new Map<string, string>();
  const descriptions = new Map<string, string>();

  for (const entry of pages) {
    // As a stranger where a stranger may: signed in, the sign-in page leads on to the account.
    if (entry.signedIn) await useSavedSession(context, entry);
    else await context.clearCookies();
    await page.goto(entry.path);
    const head = await page.evaluate(() => ({
      title: document.title.trim(),
      titles: document.head.querySelectorAll('title').length,
      language: document.documentElement.lang,
      description: document.querySelector<HTMLMetaElement>('meta[name=description]')?.content.trim() ?? '',
      canonical: [...document.querySelectorAll<HTMLLinkElement>('link[rel=canonical]')].map(
        (link) => link.getAttribute('href') ?? '',
      ),
    }));

    const plain = entry.path.split('?')[0] ?? '';
    expect(head.titles, `${entry.path} title elements`).toBe(1);
    expect(head.title, `${entry.path} title`).not.toBe('');
    expect(head.language, `${entry.path} language`).toBe('en');
    if (entry.kind === 'public') {
      expect(head.canonical, `${entry.path} canonical links`).toHaveLength(1);
      const canonical = new URL(head.canonical[0] ?? '');
      expect(canonical.pathname, `${entry.path} canonical link`).toBe(plain);
      expect(canonical.search, `${entry.path} canonical link`).toBe('');
      expect(head.description.length, `${entry.path} description`).toBeGreaterThan(20);
      if (entry.path !== plain) {
        // The same page with another choice made: it says so by its canonical link, and goes by the same name.
        expect(titles.get(head.title), `title of ${entry.path}`).toBe(plain);
        continue;
      }
    }

    // The same page asked for in another way.
    if (entry.path !== plain && titles.get(head.title) === plain) continue;
    expect(titles.get(head.title), `title of ${entry.path}, "${head.title}", is also that of`).toBeUndefined();
    titles.set(head.title, entry.path);

    if (entry.kind !== 'public') continue;
    expect(descriptions.get(head.description), `description of ${entry.path} is also that of`).toBeUndefined();
    descriptions.set(head.description, entry.path);
  }
});
