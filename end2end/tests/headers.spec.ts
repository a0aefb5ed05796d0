import fs from 'node:fs';
import { signedInState } from '../environment.ts';
import { expect, test } from '../fixtures.ts';
import { pages } from '../pages.ts';
import { fromOurPage, wire } from '../wire.ts';

/** The policy as a map from directive to its sources. */
function directives(policy: string): Map<string, string[]> {
  return new Map(
    policy
      .split(';')
      .map((part) => part.trim().split(/\s+/))
      .filter(([name]) => name)
      .map(([name, ...sources]) => [name ?? '', sources]),
  );
}

for (const page of pages) {
  test(`${page.path} is sent with the security headers`, async () => {
    // Without a session the account page answers a redirect, which carries them too.
    const { headers } = await wire(page.path);

    const header = headers['content-security-policy'];
    expect(typeof header, 'one policy').toBe('string');
    const text = String(header);
    expect(text).not.toContain("'unsafe-inline'");
    expect(text).not.toContain("'unsafe-eval'");
    const policy = directives(text);
    for (const [name, sources] of policy) {
      // Whole schemes let everybody in. A picture written into its address can do no harm.
      const open = sources.filter((source) => /^(\*|https?:|data:|blob:)$/.test(source));
      expect(name === 'img-src' ? open.filter((source) => source !== 'data:') : open, name).toEqual([]);
    }
    expect(policy.has('default-src')).toBe(true);
    expect(policy.get('frame-ancestors')).toEqual(["'none'"]);
    expect(policy.get('base-uri')?.length).toBe(1);
    expect(page.pays ? policy.get('form-action')?.slice(0, 1) : policy.get('form-action')).toEqual(["'self'"]);
    expect(policy.get('object-src') ?? policy.get('default-src')).toEqual(["'none'"]);

    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['referrer-policy']).toMatch(/^(strict-origin-when-cross-origin|strict-origin|same-origin|no-referrer)$/);
    expect(headers['permissions-policy']).toMatch(/camera=\(\)/);
    expect(headers['x-request-id']).toBeTruthy();
    expect(headers.server, 'what runs here is nobody’s business').toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
  });
}

test('a nonce is never used twice', async () => {
  const nonces = async () => {
    const { headers, text } = await wire('/dev/gallery');
    const inHeader = /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))?.[1];
    const inPage = new Set([...text.matchAll(/\bnonce="([^"]+)"/g)].map((match) => match[1]));
    return { inHeader, inPage };
  };
  const first = await nonces();
  const second = await nonces();
  expect(first.inHeader).toBeTruthy();
  expect(first.inHeader).not.toBe(second.inHeader);
  for (const nonce of first.inPage) expect(nonce).toBe(first.inHeader);
  for (const nonce of second.inPage) expect(nonce).toBe(second.inHeader);
});

/** The cookies of the demo customer, as a header. */
function signedIn(): { cookie: string } {
  const state = JSON.parse(fs.readFileSync(signedInState, 'utf8')) as { cookies: { name: string; value: string }[] };
  return { cookie: state.cookies.map(({ name, value }) => `${name}=${value}`).join('; ') };
}

for (const page of pages.filter((page) => page.pays)) {
  test(`a form on ${page.path} may end where one pays, and nowhere else`, async () => {
    const { url } = JSON.parse((await wire('/dev/stripe')).text) as { url: string };
    const answer = await wire(page.path, { headers: page.signedIn ? signedIn() : {} });
    expect(answer.status).toBe(200);
    const policy = directives(String(answer.headers['content-security-policy']));
    expect(policy.get('form-action')).toEqual(["'self'", new URL(url).origin]);
  });
}

test('pages of one visitor are not stored by anyone between', async () => {
  const answer = await wire('/account', { headers: signedIn() });
  expect(answer.status).toBe(200);
  expect(answer.headers['cache-control']).toMatch(/no-store|private/);
});

const foreign: Record<string, Record<string, string>> = {
  'another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  'another site that hides its origin': { origin: 'null', 'sec-fetch-site': 'cross-site' },
  'a sibling of our site': { origin: 'https://other.devforge.test', 'sec-fetch-site': 'same-site' },
  'another site, old browser': { origin: 'https://evil.example' },
  'a hidden origin, old browser': { origin: 'null' },
};

for (const path of ['/theme', '/sign-in']) {
  for (const [name, headers] of Object.entries(foreign)) {
    test(`POST ${path} from ${name} is refused`, async () => {
      const form = { theme: 'dark', return_to: '/', email: 'nobody@devforge.test', password: 'nothing' };
      const answer = await wire(path, { headers, form });
      expect(answer.status).toBe(403);
      expect(answer.headers['set-cookie']).toBeUndefined();
    });
  }
}

test('POST /theme from our own page is taken, and its cookie is ours alone', async () => {
  const answer = await wire('/theme', { headers: fromOurPage, form: { theme: 'dark', return_to: '/' } });
  expect(answer.status).toBe(303);
  const cookie = answer.headers['set-cookie']?.join('\n') ?? '';
  expect(cookie).toMatch(/^theme=dark;/m);
  expect(cookie).toMatch(/samesite=(lax|strict)/i);
  expect(cookie).toMatch(/path=\//i);
});
