// What the tests have in common: a page that remembers what went wrong while it was open, axe with
// the rules we hold ourselves to, and the ways in and out of an account.

import fs from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type BrowserContext, type Cookie, type Page } from '@playwright/test';
import { adminState, baseUrl, password, signedInState } from './environment.ts';

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

/** Fills in the form on the page in front of us and sends it. */
export async function sendSignInForm(page: Page, email: string, word: string = password) {
  const form = page.getByRole('main').locator('form[action="/sign-in"]');
  await form.getByRole('textbox', { name: 'Mail address' }).fill(email);
  await form.getByLabel('Password', { exact: true }).fill(word);
  await form.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Gives the visitor a session that the setup project opened: the one that `entry` needs, or the customer's. */
export async function useSavedSession(context: BrowserContext, entry: { admin?: boolean } = {}) {
  const file = entry.admin ? adminState : signedInState;
  const state = JSON.parse(fs.readFileSync(file, 'utf8')) as { cookies: Cookie[] };
  await context.addCookies(state.cookies);
}

/** The cookie that carries the session, under whichever name it has here. */
export async function sessionCookie(context: BrowserContext): Promise<Cookie | undefined> {
  const cookies = await context.cookies(baseUrl);
  return cookies.find((cookie) => /^(__Host-)?session$/.test(cookie.name));
}
