import { randomBytes } from 'node:crypto';
import { answered, expect, expectNoAxeFindings, expectToFitEveryWidth, open, test, useSavedSession } from '../fixtures.ts';

// Help: from the question to the answer, whether it helped, and staff who write what was missing. One run gives three of
// the answers that a network has in an hour, and leaves one article behind.

test('somebody finds an answer and says that it did not help', async ({ page, troubles }) => {
  await open(page, '/support');
  const main = page.getByRole('main');
  await main.getByRole('searchbox', { name: 'Search the help articles' }).fill('invoice');
  await main.getByRole('searchbox', { name: 'Search the help articles' }).press('Enter');
  await expect(page).toHaveURL(/\/search\?kind=article&q=invoice/);
  await page.getByRole('main').locator('a[href^="/support/articles/find-an-invoice"]').first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Find an invoice');
  await expect(main.getByRole('navigation', { name: 'Related articles' }).getByRole('link').first()).toBeVisible();

  expect(await answered(page, '/feedback', () => main.getByRole('button', { name: 'No', exact: true }).click())).toBe(200);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Thank you');
  await expectNoAxeFindings(page);
  await expectToFitEveryWidth(page);
  await main.getByRole('textbox', { name: 'What was missing?' }).fill('A picture of the page.');
  expect(await answered(page, '/feedback', () => main.getByRole('button', { name: 'Send note' }).click())).toBe(200);
  await expect(main.getByRole('textbox')).toHaveCount(0);
  await main.getByRole('link', { name: 'Back to “Find an invoice”' }).click();
  await expect(page).toHaveURL('/support/articles/find-an-invoice');
  expect(await troubles.all()).toEqual([]);
});

test('staff write an article, look at it, publish it and take it off again', async ({ page, context, troubles }) => {
  troubles.allowDocumentStatus(404);
  troubles.allowDocumentStatus(422);
  await useSavedSession(context, { admin: true });
  const title = `Temper the blade ${randomBytes(4).toString('hex')}`;
  const address = `/support/articles/${title.toLowerCase().replaceAll(' ', '-')}`;
  const main = page.getByRole('main');
  const press = (name: string) => main.getByRole('button', { name, exact: true }).click();
  await page.goto('/admin/knowledge');
  await main.getByRole('link', { name: 'New article' }).click();
  await main.getByRole('textbox', { name: 'Title' }).fill(title);
  await main.getByRole('textbox', { name: 'Article' }).fill('Heat it **slowly**.\n\n## Then cool it\n\nIn oil.');
  expect(await answered(page, '/admin/knowledge/new', () => press('Save draft'))).toBe(422);
  await expect(main.getByRole('textbox', { name: 'Title' })).toHaveValue(title);
  await expectNoAxeFindings(page);

  await main.getByRole('textbox', { name: 'Description' }).fill('How hot, and for how long.');
  await main.getByRole('combobox', { name: 'Category' }).selectOption('The editor');
  expect(await answered(page, '/admin/knowledge/new', () => press('Preview'))).toBe(200);
  await expect(main.getByRole('region', { name: 'Preview' }).getByRole('heading', { name: 'Then cool it' })).toBeVisible();
  expect(await answered(page, '/admin/knowledge/new', () => press('Save draft'))).toBe(303);
  await expectNoAxeFindings(page);
  await expectToFitEveryWidth(page);
  const article = new URL(page.url()).pathname;

  expect(await answered(page, `${article}/status`, () => press('Publish'))).toBe(303);
  await main.getByRole('link', { name: 'Open on the site' }).click();
  await expect(page).toHaveURL(address);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
  await page.goto(article);
  expect(await answered(page, `${article}/status`, () => press('Archive'))).toBe(303);
  expect((await page.goto(address))?.status()).toBe(404);
  expect(await troubles.all()).toEqual([]);
});
