// Measures pages with Lighthouse's default, the slow phone, and says what it found.
//
//   node lighthouse.mjs [--floor 100] [--runs 1] http://localhost:3000/ …
//
// Ends with 1 when a score of any page is below the floor. With several runs the median of each
// figure counts, because one run on a busy machine can be far off.

import { parseArgs } from 'node:util';
import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';

const { values, positionals: urls } = parseArgs({
  allowPositionals: true,
  options: {
    floor: { type: 'string', default: '100' },
    runs: { type: 'string', default: '1' },
  },
});
const floor = Number(values.floor);
const runs = Number(values.runs);
if (urls.length === 0 || !(floor >= 0 && floor <= 100) || !Number.isInteger(runs) || runs < 1) {
  console.error('usage: node lighthouse.mjs [--floor 0..100] [--runs n] <url> …');
  process.exit(2);
}

const categories = {
  performance: 'performance',
  accessibility: 'accessibility',
  'best-practices': 'best practices',
  seo: 'seo',
};
const figures = {
  'largest-contentful-paint': ['LCP', 'ms'],
  'cumulative-layout-shift': ['CLS', ''],
  'total-blocking-time': ['TBT', 'ms'],
  'total-byte-weight': ['weight', 'bytes'],
};

const chrome = await launch({
  chromePath: process.env.CHROME_PATH ?? process.env.CHROMIUM ?? '/usr/bin/chromium',
  logLevel: 'error',
  chromeFlags: [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

let failed = false;
try {
  for (const url of urls) {
    const results = [];
    for (let run = 0; run < runs; run += 1) {
      const result = await lighthouse(url, {
        port: chrome.port,
        output: 'json',
        logLevel: 'error',
        onlyCategories: Object.keys(categories),
      });
      if (result === undefined) throw new Error(`Lighthouse gave no result for ${url}`);
      if (result.lhr.runtimeError) throw new Error(`${url}: ${result.lhr.runtimeError.message}`);
      results.push(result.lhr);
    }
    if (!report(url, results)) failed = true;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  failed = true;
} finally {
  chrome.kill();
}
process.exitCode = failed ? 1 : 0;

/** Prints one page and says whether every score reaches the floor. */
function report(url, results) {
  console.log(url);
  let reached = true;
  for (const [id, name] of Object.entries(categories)) {
    const score = Math.round(median(results.map((lhr) => (lhr.categories[id].score ?? 0) * 100)));
    const low = score < floor;
    if (low) reached = false;
    console.log(`  ${name.padEnd(15)} ${String(score).padStart(3)}${low ? `  below ${floor}` : ''}`);
    if (!low) continue;
    for (const { audit, lost } of lostPoints(results[0], id)) {
      console.log(`      ${audit.title} (${audit.displayValue ?? `−${lost}`})`);
    }
  }
  for (const [id, [name, unit]] of Object.entries(figures)) {
    const value = median(results.map((lhr) => lhr.audits[id].numericValue ?? Number.NaN));
    const shown = id === 'cumulative-layout-shift' ? value.toFixed(3) : Math.round(value);
    console.log(`  ${name.padEnd(15)} ${shown} ${unit}`.trimEnd());
  }
  return reached;
}

/** The audits that cost the first run points in a category. */
function lostPoints(lhr, category) {
  return lhr.categories[category].auditRefs
    .map((ref) => ({ audit: lhr.audits[ref.id], lost: Math.round(ref.weight * (1 - (lhr.audits[ref.id].score ?? 1))) }))
    .filter(({ audit, lost }) => lost > 0 && audit.score !== null);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
