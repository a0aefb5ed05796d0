import { expect, expectNoAxeFindings, open, test } from '../fixtures.ts';

test('the header menu opens, closes with Escape, and gives the focus back', async ({ page }) => {
  await open(page, '/about');
  const header = page.getByRole('banner');
  const button = header.getByRole('button', { name: /menu/i });
  const signIn = header.getByRole('link', { name: 'Sign in' });
  await expect(button).toBeVisible();
  await expect(signIn).toBeHidden();

  await button.tap();
  await expect(signIn).toBeVisible();
  await expectNoAxeFindings(page);

  await page.keyboard.press('Escape');
  await expect(signIn).toBeHidden();

  await button.focus();
  await page.keyboard.press('Enter');
  await expect(signIn).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(signIn).toBeHidden();
  await expect(button).toBeFocused();

  await button.tap();
  await signIn.tap();
  await expect(page).toHaveURL('/sign-in');
});

for (const path of ['/', '/about', '/sign-in', '/search?q=license', '/pricing', '/checkout?tier=pro']) {
  test(`buttons and fields on ${path} are at least 44 px for a finger`, async ({ page }) => {
    await open(page, path);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('button, .button, input, select, textarea, summary')]
        .filter((element) => !element.matches('[type=checkbox], [type=radio], [type=hidden]'))
        // The drawn editor is a picture.
        .filter((element) => !element.closest('[aria-hidden=true]'))
        .filter((element) => element.checkVisibility({ visibilityProperty: true }))
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        // What is visually hidden is one pixel wide.
        .filter(({ box }) => box.width > 1 && (box.height < 44 || box.width < 44))
        .map(({ element, box }) => `${element.outerHTML.slice(0, 90)} ${box.width}×${box.height}`),
    );
    expect(small).toEqual([]);
  });
}
