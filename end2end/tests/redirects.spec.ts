import { baseUrl, customer, password } from '../environment.ts';
import { expect, test } from '../fixtures.ts';
import { fromOurPage, wire } from '../wire.ts';

// Addresses that a browser would read as another site, or as script.
const elsewhere = [
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example/',
  '\\\\evil.example/',
  '/\t/evil.example/',
  ' //evil.example/',
  'javascript:alert(1)',
];

/** Where a browser on our site goes when it is sent to this Location. */
function destination(location: string | undefined): URL {
  expect(location, 'Location').toBeTruthy();
  return new URL(location ?? '', baseUrl);
}

test('the page named after the sign-in is never on another site', async () => {
  const shown = await wire(`/sign-in?next=${encodeURIComponent('//evil.example/')}`);
  expect(shown.status).toBe(200);
  expect(shown.text).not.toMatch(/(href|action)="\/\/evil/);

  for (const next of elsewhere) {
    const answer = await wire(`/sign-in?next=${encodeURIComponent(next)}`, {
      headers: fromOurPage,
      form: { email: customer, password, next },
    });
    expect(answer.status, next).toBe(303);
    const goes = destination(answer.headers.location);
    expect(goes.origin, next).toBe(new URL(baseUrl).origin);
    expect(goes.pathname, next).toBe('/account');
  }
});

test('the page returned to after the theme is never on another site', async () => {
  for (const return_to of elsewhere) {
    const answer = await wire('/theme', { headers: fromOurPage, form: { theme: 'dark', return_to } });
    expect(answer.status, return_to).toBe(303);
    expect(destination(answer.headers.location).origin, return_to).toBe(new URL(baseUrl).origin);
  }
  const answer = await wire('/theme', { headers: fromOurPage, form: { theme: 'dark', return_to: '/about' } });
  expect(destination(answer.headers.location).pathname).toBe('/about');
});

test('the theme is in the first HTML, and only a theme we know', async () => {
  const opening = async (cookie?: string) => {
    const answer = await wire('/', { headers: cookie === undefined ? {} : { cookie } });
    return /<html\b[^>]*>/.exec(answer.text)?.[0] ?? '';
  };
  expect(await opening()).not.toContain('data-theme');
  expect(await opening('theme=dark')).toContain('data-theme="dark"');
  expect(await opening('theme=light')).toContain('data-theme="light"');
  expect(await opening('theme=system')).not.toContain('data-theme');
  expect(await opening('theme="><script>alert(1)</script>')).not.toContain('data-theme');
});
