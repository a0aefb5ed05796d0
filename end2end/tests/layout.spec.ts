import { expect, open, test, useSavedSession } from '../fixtures.ts';
import { pages } from '../pages.ts';

const widths = [320, 360, 768, 1280];

for (const entry of pages) {
  test(`${entry.path} fits every width and has one first heading`, async ({ page, context }) => {
    if (entry.signedIn) await useSavedSession(context, entry);
    await page.setViewportSize({ width: 1280, height: 800 });
    await open(page, entry.path);

    await expect(page.locator('h1')).toHaveCount(1);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('main')).toHaveCount(1);

    for (const width of widths) {
      await page.setViewportSize({ width, height: 800 });
      const layout = await page.evaluate(() => {
        const limit = window.innerWidth;
        const scrolls = (element: Element) => {
          for (let at = element.parentElement; at; at = at.parentElement) {
            if (getComputedStyle(at).overflowX !== 'visible') return true;
          }
          return false;
        };
        return {
          limit,
          scrollWidth: document.scrollingElement?.scrollWidth ?? 0,
          // Named so that a failure says what sticks out.
          wide: [...document.body.querySelectorAll('*')]
            .filter((element) => element.getBoundingClientRect().right > limit + 0.5 && !scrolls(element))
            .slice(0, 5)
            .map((element) => `${element.tagName.toLowerCase()}.${[...element.classList].join('.')}`),
        };
      });
      expect(layout.scrollWidth, `at ${width} px, sticking out: ${layout.wide.join(', ')}`).toBeLessThanOrEqual(
        layout.limit,
      );
    }
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

    expect(head.titles, `${entry.path} title elements`).toBe(1);
    expect(head.title, `${entry.path} title`).not.toBe('');
    expect(head.language, `${entry.path} language`).toBe('en');
    expect(titles.get(head.title), `title of ${entry.path}, "${head.title}", is also that of`).toBeUndefined();
    titles.set(head.title, entry.path);

    if (entry.kind !== 'public') continue;
    expect(head.description.length, `${entry.path} description`).toBeGreaterThan(20);
    expect(descriptions.get(head.description), `description of ${entry.path} is also that of`).toBeUndefined();
    descriptions.set(head.description, entry.path);
    expect(head.canonical, `${entry.path} canonical links`).toHaveLength(1);
    const canonical = new URL(head.canonical[0] ?? '');
    expect(canonical.pathname, `${entry.path} canonical link`).toBe(entry.path);
    expect(canonical.search, `${entry.path} canonical link`).toBe('');
  }
});
