// The examples of the docs, typed into a shell as a reader would: every block of `sh` on these pages, in order, against
// the running server. An example that no longer works fails here, not in somebody's terminal.

import { spawnSync } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { baseUrl } from '../environment.ts';

/** What the blocks of a page print, one after another: a part of it each; '' for one that only sets variables. */
const pages: Record<string, string[]> = {
  'api-basics': ['"tier": "pro"', 'api-version: 1', '"/licenses/validate"|"/api/licenses/validate"', '"url"'],
  'api-authentication': ['"email"', '"email"', '', '"items":[', '{"success":true}'],
  'api-errors': ['"requestId"', '"not_found"'],
  'api-idempotency': ['"ord_', 'idempotency-replayed: true', '"idempotency_key_reused"'],
  'api-limits': ['ratelimit', '304'],
  'api-payments': ['"tier": "pro"', '"orderId"', '"code"', '[]'],
  'validate-a-license': [
    '{"success":true}',
    '"valid": true',
    '"NO_MACHINE"',
    '"activated": true',
    '"valid": true',
    '{"deactivated":true}',
  ],
  'webhooks-from-stripe': ['"success":true', '"invalid_signature"'],
  'verify-offline-tokens': ['{"success":true}', 'eyJ', '"keys"', '"sub": "lic_'],
};

/** The blocks of a page in their order. */
function blocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh[^\n]*\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
}

/** One shell for the whole page, as variables of one block are used in the next. A variable that is `null` is an
 *  answer that did not have what the example took out of it. */
function script(examples: string[]): string {
  const check = 'for name in $(compgen -v); do [ "${!name-}" != null ] || { echo "$name is null"; exit 9; }; done';
  const typed = examples.map((text, at) => `printf '\\n--- ${at}\\n'\n${text.replaceAll('http://localhost:3000', baseUrl)}\n${check}`);
  return ['set -euo pipefail', ...typed].join('\n');
}

for (const [page, expected] of Object.entries(pages)) {
  test(`the examples of /docs/${page} work`, async ({ request }) => {
    test.setTimeout(60_000);
    const answer = await request.get(`${baseUrl}/docs/${page}.md`);
    expect(answer.status()).toBe(200);
    const examples = blocks(await answer.text());
    expect(examples.length, 'one expectation for each example').toBe(expected.length);
    const shell = spawnSync('bash', ['-c', script(examples)], { encoding: 'utf8', timeout: 50_000 });
    expect(shell.status, `${shell.stdout}\n${shell.stderr}`).toBe(0);
    const printed = shell.stdout.split(/^--- \d+$/m).slice(1);
    for (const [at, wanted] of expected.entries()) {
      const ways = wanted.split('|');
      const text = (printed[at] ?? '').toLowerCase();
      expect(ways.some((way) => text.includes(way.toLowerCase())), `example ${at + 1} prints ${wanted}: ${text}`).toBe(true);
    }
  });
}

test('every page that calls the API is among them', async ({ request }) => {
  const index = await (await request.get(`${baseUrl}/docs`)).text();
  const topics = [...index.matchAll(/href="\/docs\/([a-z0-9-]+)"/g)].map((match) => match[1] ?? '');
  for (const topic of new Set(topics)) {
    if (topic === 'api') continue;
    const markdown = await (await request.get(`${baseUrl}/docs/${topic}.md`)).text();
    const calls = blocks(markdown).some((block) => block.includes('http://localhost:3000/api'));
    expect(!calls || topic in pages, `/docs/${topic} has calls that no test types`).toBe(true);
  }
});
