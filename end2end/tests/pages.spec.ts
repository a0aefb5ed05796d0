import { expect, expectNoAxeFindings, open, test, useSavedSession } from '../fixtures.ts';
import { pages } from '../pages.ts';

for (const entry of pages) {
  test(`${entry.path} loads without trouble and has no axe finding`, async ({ page, context, troubles }) => {
    if (entry.signedIn) await useSavedSession(context, entry);
    troubles.allowDocumentStatus(entry.status);

    const response = await open(page, entry.path);

    expect(response.status()).toBe(entry.status);
    expect(new URL(page.url()).pathname, 'nobody was sent elsewhere').toBe(entry.path.split('?')[0]);
    expect(await troubles.all()).toEqual([]);
    await expectNoAxeFindings(page);
  });
}
