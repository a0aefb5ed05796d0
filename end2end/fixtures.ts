// What the tests have in common: a page that remembers what went wrong while it was open, axe with
// the rules we hold ourselves to, the widths a page has to fit, and the ways in and out of an account.

import fs from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, request, test as base, type BrowserContext, type Cookie, type Page } from '@playwright/test';
import { admin, adminState, baseUrl, customer, password, signedInState } from './environment.ts';
import { fromOurPage } from './wire.ts';

export type Troubles = {
  /** Console errors, uncaught exceptions, requests that failed or answered 400 and above. */
  all(): Promise<string[]>;
  /** The status a document is meant to answer, where it is not 200. */
  allowDocumentStatus(status: number): void;
};

type OurFixtures = { troubles: Troubles };

export const test = base.extend<OurFixtures>({
  troubles: async ({ page }, use) => {
    const list: string[] = [];
    const expectedStatus = new Set<number>();

    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      // The browser reports the document's own status as an error of its address.
      const ofDocument = message.location().url === page.url();
      const status = Number(/status of (\d{3})/.exec(message.text())?.[1]);
      if (ofDocument && expectedStatus.has(status)) return;
      list.push(`console: ${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => list.push(`exception: ${error.message}`));
    page.on('requestfailed', (request) => {
      // A page that is left before its icon has come calls the icon off itself.
      if (request.url().endsWith('/favicon.svg') && request.failure()?.errorText === 'net::ERR_ABORTED') return;
      list.push(`request: ${request.url()} ${request.failure()?.errorText ?? 'failed'}`);
    });
    page.on('response', (response) => {
      if (response.status() < 400) return;
      const ofDocument = response.request().isNavigationRequest();
      if (ofDocument && expectedStatus.has(response.status())) return;
      list.push(`response: ${response.url()} ${response.status()}`);
    });
    await page.addInitScript(() => {
      const violations: string[] = [];
      Object.defineProperty(window, '__violations', { value: violations });
      document.addEventListener('securitypolicyviolation', (event) => {
        violations.push(`${event.violatedDirective} blocked ${event.blockedURI || 'inline'} ${event.sample}`);
      });
    });

    await use({
      async all() {
        const violations = await page.evaluate(
          () => (window as unknown as { __violations?: string[] }).__violations ?? [],
        );
        return [...list, ...violations.map((violation) => `policy: ${violation}`)];
      },
      allowDocumentStatus(status) {
        expectedStatus.add(status);
      },
    });
  },
});

export { expect };

/** Opens a page and waits until everything it asks for has come, fonts included. */
export async function open(page: Page, path: string) {
  const response = await page.goto(path, { waitUntil: 'load' });
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  if (response === null) throw new Error(`${path} gave no document`);
  return response;
}

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Runs axe on what is shown now and expects no finding. */
export async function expectNoAxeFindings(page: Page) {
  const result = await new AxeBuilder({ page }).withTags(rules).analyze();
  const findings = result.violations.flatMap((violation) =>
    violation.nodes.map((node) => ({
      rule: violation.id,
      help: violation.help,
      target: node.target.join(' '),
      why: node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? '',
    })),
  );
  expect(findings, `axe on ${page.url()}`).toEqual([]);
}

const widths = [320, 360, 768, 1280];

/** Nothing sticks out of what is shown now, however narrow the window. Leaves the window at its widest. */
export async function expectToFitEveryWidth(page: Page) {
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
}

/** The status of the page that a form is answered with, before any redirect is followed. */
export async function answered(page: Page, path: string, act: () => Promise<void>): Promise<number> {
  const answer = page.waitForResponse(
    (response) => response.request().method() === 'POST' && new URL(response.url()).pathname === path,
  );
  await act();
  return (await answer).status();
}

/** Fills in the form on the page in front of us and sends it. */
export async function sendSignInForm(page: Page, email: string, word: string = password) {
  const form = page.getByRole('main').locator('form[action="/sign-in"]');
  await form.getByRole('textbox', { name: 'Mail address' }).fill(email);
  await form.getByLabel('Password', { exact: true }).fill(word);
  await form.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** A sign-in counts as proof of who one is for 15 minutes. The rest is for the test that uses it. */
const freshFor = 10 * 60 * 1000;

/** Gives the visitor a session that the setup project opened: the one that `entry` needs, or the customer's. Where
 *  that is too long ago for the page, somebody signs in once more, for all the tests that follow. */
export async function useSavedSession(context: BrowserContext, entry: { admin?: boolean; fresh?: boolean } = {}) {
  const file = entry.admin ? adminState : signedInState;
  if (entry.fresh && Date.now() - fs.statSync(file).mtimeMs > freshFor) {
    await saveNewSession(entry.admin ? admin : customer, file);
  }
  const state = JSON.parse(fs.readFileSync(file, 'utf8')) as { cookies: Cookie[] };
  await context.addCookies(state.cookies);
}

/** Without a browser, so that no cookie of an earlier session goes along and ends that one. */
async function saveNewSession(email: string, file: string) {
  const api = await request.newContext({ baseURL: baseUrl, extraHTTPHeaders: fromOurPage });
  const answer = await api.post('/sign-in', { form: { email, password, next: '/account' }, maxRedirects: 0 });
  expect(answer.status(), `${email} signs in`).toBe(303);
  // Others read the file meanwhile: they find the old one or the new one.
  const draft = `${file}.${process.pid}`;
  await api.storageState({ path: draft });
  fs.renameSync(draft, file);
  await api.dispose();
}

/** The cookie that carries the session, under whichever name it has here. */
export async function sessionCookie(context: BrowserContext): Promise<Cookie | undefined> {
  const cookies = await context.cookies(baseUrl);
  return cookies.find((cookie) => /^(__Host-)?session$/.test(cookie.name));
}
