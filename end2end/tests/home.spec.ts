import { expect, open, test } from '../fixtures.ts';
import { wire } from '../wire.ts';

const kilobyte = 1024;
const brotli = { headers: { 'accept-encoding': 'br' } };

test('loads no wasm and at most 3 kB of script', async ({ page }) => {
  const scripts: Promise<{ url: string; bytes: number }>[] = [];
  const wasm: string[] = [];
  page.on('response', (response) => {
    const type = response.headers()['content-type'] ?? '';
    if (type.includes('wasm') || response.url().includes('.wasm')) wasm.push(response.url());
    if (type.includes('javascript')) {
      scripts.push(response.body().then((body) => ({ url: response.url(), bytes: body.length })));
    }
  });

  await open(page, '/');
  // The page is used once, so that whatever loads on the first interaction counts too.
  await page.mouse.move(200, 200);
  await page.keyboard.press('Tab');

  expect(wasm).toEqual([]);
  const loaded = await Promise.all(scripts);
  const total = loaded.reduce((sum, script) => sum + script.bytes, 0);
  expect(total, JSON.stringify(loaded)).toBeLessThanOrEqual(3 * kilobyte);
  expect(loaded.map((script) => script.url)).toEqual([expect.stringMatching(/\/assets\/site\.[^/]+\.js$/)]);

  const inline = await page
    .locator('script:not([src]):not([type="application/ld+json"])')
    .evaluateAll((elements) => elements.map((element) => element.outerHTML.slice(0, 120)));
  expect(inline, 'scripts written into the page').toEqual([]);
});

test('does not shift while it loads and is scrolled', async ({ page }) => {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.defineProperty(window, '__shifts', { value: shifts });
    new PerformanceObserver((entries) => {
      for (const entry of entries.getEntries()) {
        const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
        if (!shift.hadRecentInput) shifts.push(shift.value);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await open(page, '/');

  const total = await page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    for (let y = 0; y <= document.documentElement.scrollHeight; y += innerHeight) {
      scrollTo(0, y);
      await frame();
      await frame();
    }
    const shifts = (window as unknown as { __shifts: number[] }).__shifts;
    return shifts.reduce((sum, shift) => sum + shift, 0);
  });

  // Three digits, as every tool reports it.
  expect(Number(total.toFixed(3))).toBe(0);
});

test('is at most 14 kB of HTML and 20 kB of CSS after brotli', async () => {
  const html = await wire('/', brotli);
  expect(html.headers['content-encoding']).toBe('br');
  expect(html.raw.length, 'bytes of HTML').toBeLessThanOrEqual(14 * kilobyte);

  const sheets = [...html.text.matchAll(/<link\b[^>]*rel="stylesheet"[^>]*>/g)].map(
    ([tag]) => /href="([^"]+)"/.exec(tag)?.[1] ?? '',
  );
  expect(sheets.length, 'style sheets').toBeGreaterThan(0);
  let bytes = 0;
  for (const sheet of sheets) {
    const css = await wire(sheet, brotli);
    expect(css.headers['content-encoding'], sheet).toBe('br');
    bytes += css.raw.length;
  }
  expect(bytes, 'bytes of CSS').toBeLessThanOrEqual(20 * kilobyte);
});
