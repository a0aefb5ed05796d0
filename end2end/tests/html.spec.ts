// Every page that anybody may see, read by a checker of HTML that knows the standard rather than one browser's patience.

import { expect, test } from '@playwright/test';
import { HtmlValidate, type ConfigData } from 'html-validate';
import { pages } from '../pages.ts';
import { wire } from '../wire.ts';

/** What the project recommends, but for what is a matter of style or is asked for by something else. */
const config: ConfigData = {
  extends: ['html-validate:recommended'],
  rules: {
    // `hidden=""` and `hidden` are the same; cleaned HTML is written by a library that prefers the first.
    'attribute-empty-style': 'off',
    // `<br />` is what the Markdown parser writes, and HTML allows it.
    'void-style': 'off',
    // HTML allows any id without a space; "#1-open-a-project" is the heading's own name.
    'valid-id': ['error', { relaxed: true }],
    // Where a table scrolls, the div around it is a region; a section would do the same.
    'prefer-native-element': ['error', { exclude: ['region'] }],
    // A table that is shown as cards on a phone keeps its roles, which browsers drop with `display: block`.
    'no-redundant-role': 'off',
    // A list may have a name, and ours are told apart by it.
    'aria-label-misuse': ['error', { allowAnyNamable: true }],
    // One browser fills hidden fields anew after a reload, so that a form would be sent with a number that is used up.
    'valid-autocomplete': 'off',
    // A field for words is sent with Enter; a button beside each would be one more stop for the keyboard.
    'wcag/h32': 'off',
  },
};

/** The paths of the sitemap, whatever the origin that it names. */
async function published(): Promise<string[]> {
  const sitemap = await wire('/sitemap.xml');
  expect(sitemap.status).toBe(200);
  return [...sitemap.text.matchAll(/<loc>([^<]+)<\/loc>/g)].map((match) => new URL(match[1] ?? '').pathname);
}

test('every page is valid HTML', async () => {
  test.setTimeout(240_000);
  const checker = new HtmlValidate(config);
  const listed = pages.filter((page) => page.signedIn !== true && !page.path.startsWith('/dev/')).map((page) => page.path);
  const paths = new Set([...listed, ...(await published())]);
  expect(paths.size).toBeGreaterThan(100);
  const found: string[] = [];
  for (const path of paths) {
    const answer = await wire(path, { headers: { accept: 'text/html' } });
    expect(answer.headers['content-type'], path).toMatch(/^text\/html/);
    const report = await checker.validateString(answer.text, path);
    for (const message of report.results.flatMap((result) => result.messages)) {
      const near = (answer.text.split('\n')[message.line - 1] ?? '').slice(Math.max(0, message.column - 30), message.column + 60);
      found.push(`${path}: ${message.ruleId}: ${message.message} (${near})`);
    }
  }
  expect(found).toEqual([]);
});
