import type { Locator, Page } from '@playwright/test';
import { expect, expectNoAxeFindings, open, test } from '../fixtures.ts';
import { wire } from '../wire.ts';

const gallery = '/dev/gallery';
const kilobyte = 1024;

/** An island of the gallery by the name of its component. */
const island = (page: Page, name: string) => page.locator(`leptos-island[data-component^="${name}"]`).first();

/** Remembers what listens for clicks: an island is awake as soon as its buttons do. */
async function watchListeners(page: Page) {
  await page.addInitScript(() => {
    const listening = new WeakSet<EventTarget>();
    Object.defineProperty(window, '__listening', { value: listening });
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (this: EventTarget | undefined, ...rest) {
      if (rest[0] === 'click') listening.add(this ?? window);
      return add.apply(this ?? window, rest);
    };
  });
}

async function awake(button: Locator) {
  await button.scrollIntoViewIfNeeded();
  const handle = await button.elementHandle();
  await button
    .page()
    .waitForFunction(
      (element) => (window as unknown as { __listening: WeakSet<EventTarget> }).__listening.has(element as Element),
      handle,
    );
}

test('loads at most 75 kB of script and wasm', async ({ page, troubles }) => {
  const loaded = new Set<string>();
  page.on('response', (response) => {
    if (/javascript|wasm/.test(response.headers()['content-type'] ?? '')) loaded.add(new URL(response.url()).pathname);
  });
  await watchListeners(page);
  await open(page, gallery);
  await awake(island(page, 'SeatStepper').getByRole('button', { name: 'One seat more' }));

  expect([...loaded].filter((path) => path.endsWith('.wasm'))).toHaveLength(1);
  const sizes = await Promise.all(
    [...loaded].map(async (path) => {
      const answer = await wire(path, { headers: { 'accept-encoding': 'br' } });
      return { path, bytes: answer.raw.length };
    }),
  );
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(total, JSON.stringify(sizes)).toBeLessThanOrEqual(75 * kilobyte);
  expect(await troubles.all()).toEqual([]);
});

test('the copy button copies and says so', async ({ page, context, troubles }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await watchListeners(page);
  await open(page, gallery);
  const copy = island(page, 'CopyButton');
  const button = copy.getByRole('button');
  await awake(button);
  await page.evaluate(() => navigator.clipboard.writeText('something else'));

  await button.click();
  await expect(copy.getByRole('status')).toHaveText('Copied');
  const { text } = JSON.parse((await copy.getAttribute('data-props')) ?? '{}') as { text?: string };
  expect(text).toBeTruthy();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(text);
  expect(await troubles.all()).toEqual([]);
});

test('the key plate shows and hides the key', async ({ page, troubles }) => {
  await watchListeners(page);
  await open(page, gallery);
  const plate = island(page, 'KeyPlate');
  const groups = plate.locator('.key-groups');
  const hidden = (await groups.textContent()) ?? '';
  expect(hidden).toContain('•');
  const show = plate.getByRole('button', { name: 'Show' });
  await awake(show);

  await show.click();
  await expect(groups).not.toContainText('•');
  await plate.getByRole('button', { name: 'Hide' }).press('Enter');
  await expect(groups).toHaveText(hidden);
  expect(await troubles.all()).toEqual([]);
});

test('the seat stepper counts within its limits, and its sum follows', async ({ page, troubles }) => {
  await watchListeners(page);
  await open(page, gallery);
  const stepper = island(page, 'SeatStepper');
  const field = stepper.getByRole('spinbutton', { name: 'Seats' });
  const more = stepper.getByRole('button', { name: 'One seat more' });
  const fewer = stepper.getByRole('button', { name: 'One seat fewer' });
  const sum = stepper.getByRole('status');
  await awake(more);

  const limits = { least: await field.getAttribute('min'), most: await field.getAttribute('max') };
  expect(Number(limits.least)).toBeLessThan(Number(limits.most));
  await field.fill(String(limits.least));
  await field.blur();
  await expect(fewer).toBeDisabled();
  const atLeast = (await sum.textContent()) ?? '';

  await more.click();
  await expect(field).toHaveValue(String(Number(limits.least) + 1));
  await expect(sum).not.toHaveText(atLeast);
  await fewer.press('Enter');
  await expect(field).toHaveValue(String(limits.least));
  await expect(sum).toHaveText(atLeast);

  await field.fill(String(limits.most));
  await field.blur();
  await expect(more).toBeDisabled();
  await field.fill(String(Number(limits.most) + 1));
  await field.blur();
  await expect(field, 'more than can be bought becomes the most').toHaveValue(String(limits.most));
  expect(await troubles.all()).toEqual([]);
});

test('a dialog opens and closes by keyboard, and the focus returns', async ({ page }) => {
  await open(page, gallery);
  const opener = page.getByRole('main').locator('button[aria-haspopup=dialog]').first();
  const dialog = page.getByRole('dialog');

  await opener.focus();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeVisible();
  await expect(dialog).toHaveAccessibleName(/.+/);
  const keep = dialog.getByRole('button').first();
  await expect(keep, 'the safe choice has the focus').toBeFocused();
  await expectNoAxeFindings(page);

  // As many steps as there are stops, and more: what lies behind is never reached.
  for (let step = 0; step < 5; step += 1) {
    await page.keyboard.press('Tab');
    const outside = await page.evaluate(() => {
      const at = document.activeElement;
      return at !== document.body && at?.closest('dialog') === null;
    });
    expect(outside, `after ${step + 1} tabs`).toBe(false);
  }

  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(opener).toBeFocused();

  await page.keyboard.press('Space');
  await expect(dialog).toBeVisible();
  await keep.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(opener).toBeFocused();
});

test('a menu opens and closes by keyboard and by a click elsewhere', async ({ page }) => {
  await open(page, gallery);
  const opener = page.getByRole('main').locator('button[popovertarget]').first();
  const id = (await opener.getAttribute('popovertarget')) ?? '';
  const menu = page.locator(`[id="${id}"]`);
  await expect(menu).toBeHidden();

  await opener.focus();
  await page.keyboard.press('Enter');
  await expect(menu).toBeVisible();
  await expect(menu).toBeInViewport({ ratio: 1 });
  await expectNoAxeFindings(page);
  await page.keyboard.press('Tab');
  await expect(menu.locator(':focus'), 'its first entry is the next stop').toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(menu).toBeHidden();
  await expect(opener).toBeFocused();

  await opener.click();
  await expect(menu).toBeVisible();
  await page.getByRole('heading', { level: 1 }).click();
  await expect(menu).toBeHidden();
});
