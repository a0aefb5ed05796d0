import { baseUrl } from '../environment.ts';
import { expect, test } from '../fixtures.ts';
import { pages } from '../pages.ts';
import { addresses, unescape, wire, type Answer } from '../wire.ts';

// More than the site has; reached only when pages make links to ever new pages.
const most = 2000;

test('every link on the site leads somewhere', async () => {
  test.setTimeout(240_000);
  const base = new URL(baseUrl);
  const answers = new Map<string, Promise<Answer>>();
  const broken: string[] = [];

  const get = (path: string): Promise<Answer> => {
    let answer = answers.get(path);
    if (answer === undefined) {
      answer = follow(path);
      answers.set(path, answer);
    }
    return answer;
  };
  const follow = async (path: string): Promise<Answer> => {
    let at = path;
    for (let hop = 0; hop < 5; hop += 1) {
      const answer = await wire(at);
      if (answer.status < 300 || answer.status > 399) return answer;
      const next = new URL(answer.headers.location ?? '', new URL(at, base));
      if (next.host !== base.host) return answer;
      at = next.pathname + next.search;
    }
    throw new Error(`${path} redirects in a circle`);
  };

  const queue = ['/', ...pages.filter((page) => page.kind !== 'error').map((page) => page.path)];
  const seen = new Set(queue);
  const canonical = await siteOrigin();

  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const answer = await get(path);
    if (!/^text\/html/.test(answer.headers['content-type'] ?? '')) continue;

    for (const address of addresses(answer.text)) {
      if (/^(mailto|tel|data):/.test(address)) continue;
      let url: URL;
      try {
        url = new URL(address, new URL(path, base));
      } catch {
        broken.push(`${path} → ${address} is not an address`);
        continue;
      }
      if (url.origin !== base.origin && url.origin !== canonical) continue;
      const target = url.pathname + url.search;
      const reached = await get(target);
      // What is one's own asks who one is first.
      if (reached.status === 401 && /^\/(account|admin)(\/|$)/.test(target)) continue;
      if (reached.status !== 200) {
        broken.push(`${path} → ${target} answers ${reached.status}`);
        continue;
      }
      const fragment = decodeURIComponent(url.hash.slice(1));
      if (fragment !== '' && fragment !== 'top' && !hasId(reached.text, fragment)) {
        broken.push(`${path} → ${target} has no #${fragment}`);
      }
      if (!seen.has(target)) {
        seen.add(target);
        queue.push(target);
        expect(seen.size, 'pages and files reached').toBeLessThan(most);
      }
    }
  }

  expect([...new Set(broken)]).toEqual([]);
});

test('no page uses an id twice', async () => {
  for (const page of pages.filter((page) => !page.signedIn)) {
    const ids = [...(await wire(page.path)).text.matchAll(/<[a-z][^>]*?\sid="([^"]*)"/g)].map((match) => match[1]);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    expect(twice, page.path).toEqual([]);
  }
});

function hasId(html: string, id: string): boolean {
  return [...html.matchAll(/\sid="([^"]*)"/g)].some((match) => unescape(match[1] ?? '') === id);
}

/** The origin the site gives itself in canonical links; differs from where it listens behind a proxy. */
async function siteOrigin(): Promise<string> {
  const { text } = await wire('/');
  const tag = /<link\b[^>]*rel="canonical"[^>]*>/.exec(text)?.[0] ?? '';
  return new URL(/href="([^"]+)"/.exec(tag)?.[1] ?? baseUrl).origin;
}
