import { expect, test } from '../fixtures.ts';
import { pages } from '../pages.ts';
import { assets, wire } from '../wire.ts';

/** Every hashed file that the pages, and the style sheets they load, name. */
async function everyAsset(): Promise<string[]> {
  const found = new Set<string>();
  for (const page of pages.filter((page) => !page.signedIn)) {
    for (const path of assets((await wire(page.path)).text)) found.add(path);
  }
  for (const path of [...found].filter((path) => path.endsWith('.css'))) {
    for (const inner of assets((await wire(path)).text)) found.add(inner);
  }
  return [...found].sort();
}

test('assets carry a hash in their name and are cached for good', async () => {
  const paths = await everyAsset();
  expect(paths.filter((path) => path.endsWith('.css')).length, 'style sheets').toBeGreaterThan(0);
  expect(paths.filter((path) => path.endsWith('.woff2')).length, 'fonts').toBeGreaterThan(0);

  for (const path of paths) {
    expect(path).toMatch(/\.[0-9A-Za-z_-]{8,}\.[a-z0-9]+$/);
    const answer = await wire(path);
    expect(answer.status, path).toBe(200);
    expect(answer.headers['cache-control'], path).toContain('immutable');
    expect(answer.headers['cache-control'], path).toMatch(/\bpublic\b.*max-age=31536000|max-age=31536000.*\bpublic\b/);
    expect(answer.headers['content-type'], path).toBeTruthy();
    expect(answer.headers['x-content-type-options'], path).toBe('nosniff');
    expect(answer.headers['set-cookie'], path).toBeUndefined();
  }
});

test('text assets are sent as brotli, gzip or plain, as asked', async () => {
  const paths = (await everyAsset()).filter((path) => /\.(css|js|svg|wasm)$/.test(path));
  expect(paths.length).toBeGreaterThan(0);
  for (const path of paths) {
    const plain = await wire(path);
    expect(plain.headers['content-encoding'], path).toBeUndefined();
    for (const encoding of ['br', 'gzip']) {
      const answer = await wire(path, { headers: { 'accept-encoding': encoding } });
      expect(answer.status, `${path} ${encoding}`).toBe(200);
      expect(answer.headers['content-encoding'], path).toBe(encoding);
      expect(answer.headers.vary?.toLowerCase(), path).toContain('accept-encoding');
      expect(answer.headers['content-type'], path).toBe(plain.headers['content-type']);
      expect(answer.body.equals(plain.body), `${path} is the same file as ${encoding}`).toBe(true);
      expect(answer.raw.length, `${path} ${encoding}`).toBeLessThan(plain.raw.length);
    }
    const both = await wire(path, { headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } });
    expect(both.headers['content-encoding'], `${path}, all offered`).toBe('br');
  }
});

test('an asset that is not there is not cached as if it were', async () => {
  const answer = await wire('/assets/site.0000000000000000.js');
  expect(answer.status).toBe(404);
  expect(answer.headers['cache-control'] ?? '').not.toContain('immutable');
  for (const outside of ['/assets/../Cargo.toml', '/assets/%2e%2e/Cargo.toml', '/assets/..%2fCargo.toml']) {
    const answer = await wire(outside);
    expect([400, 404], outside).toContain(answer.status);
    expect(answer.text, outside).not.toContain('[package]');
  }
});

test('the files that other programs look for are there', async () => {
  const icon = await wire('/favicon.ico');
  expect(icon.status).toBe(200);
  expect(icon.headers['content-type']).toMatch(/^image\//);

  const robots = await wire('/robots.txt');
  expect(robots.status).toBe(200);
  expect(robots.headers['content-type']).toMatch(/^text\/plain/);
  expect(robots.text).toMatch(/^User-agent: \*/im);
  expect(robots.text).toMatch(/^Sitemap: https?:\/\/\S+\/sitemap\.xml$/im);

  const security = await wire('/.well-known/security.txt');
  expect(security.status).toBe(200);
  expect(security.headers['content-type']).toMatch(/^text\/plain/);
  expect(security.text).toMatch(/^Contact: (mailto:|https:)/m);
  const expires = /^Expires: (\S+)$/m.exec(security.text)?.[1] ?? '';
  expect(new Date(expires).getTime(), 'Expires lies ahead').toBeGreaterThan(Date.now());

  const openapi = await wire('/api/openapi.json');
  expect(openapi.status).toBe(200);
  expect(openapi.headers['content-type']).toMatch(/^application\/json/);
  const document = JSON.parse(openapi.text) as { openapi: string; info: { title: string }; paths: object };
  expect(document.openapi).toMatch(/^3\./);
  expect(Object.keys(document.paths).length).toBeGreaterThan(0);
});

test('every address in the sitemap answers 200 and is listed once', async () => {
  const sitemap = await wire('/sitemap.xml');
  expect(sitemap.status).toBe(200);
  expect(sitemap.headers['content-type']).toMatch(/xml/);
  const listed = [...sitemap.text.matchAll(/<loc>([^<]+)<\/loc>/g)].map((match) => new URL(match[1] ?? ''));
  expect(listed.length).toBeGreaterThan(0);
  expect(new Set(listed.map(String)).size, 'each once').toBe(listed.length);
  for (const address of listed) {
    expect((await wire(address.pathname + address.search)).status, address.pathname).toBe(200);
    expect(address.pathname, 'nothing private is listed').not.toMatch(/^\/(dev|account|sign-in)/);
  }
  const paths = listed.map((address) => address.pathname);
  expect(paths).toEqual(expect.arrayContaining(['/', '/about', '/legal/privacy']));
});
