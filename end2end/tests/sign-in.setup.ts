import { customer, signedInState } from '../environment.ts';
import { expect, sendSignInForm, test } from '../fixtures.ts';

// One sign-in for all the tests that only look at a page behind it. Tests that end a session or
// follow its cookie open their own.
test('the customer signs in', async ({ page, context }) => {
  await page.goto('/sign-in');
  await sendSignInForm(page, customer);
  await expect(page).toHaveURL('/account');
  await context.storageState({ path: signedInState });
});
