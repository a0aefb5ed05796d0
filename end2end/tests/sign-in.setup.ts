import { admin, adminState, customer, signedInState } from '../environment.ts';
import { expect, sendSignInForm, test } from '../fixtures.ts';

// One sign-in each for all the tests that only look at a page behind it. Tests that end a session or
// follow its cookie open their own.
for (const { who, address, file } of [
  { who: 'customer', address: customer, file: signedInState },
  { who: 'administrator', address: admin, file: adminState },
]) {
  test(`the ${who} signs in`, async ({ page, context }) => {
    await page.goto('/sign-in');
    await sendSignInForm(page, address);
    await expect(page).toHaveURL('/account');
    await context.storageState({ path: file });
  });
}
