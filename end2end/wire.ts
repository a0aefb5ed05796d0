// Plain HTTP, byte for byte: no decompression, no redirects followed, no header added. The sizes and
// headers the tests speak of are the ones on the wire, which no browser API shows unaltered.

import http from 'node:http';
import https from 'node:https';
import zlib from 'node:zlib';
import { baseUrl } from './environment.ts';

export type Answer = {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** The body as sent, still encoded. */
  raw: Buffer;
  /** The body decoded by its Content-Encoding. */
  body: Buffer;
  text: string;
};

export type Ask = {
  method?: string;
  headers?: Record<string, string>;
  /** Sent as an HTML form. */
  form?: Record<string, string>;
};

export function wire(path: string, ask: Ask = {}): Promise<Answer> {
  // The request target goes out exactly as written, also where a URL parser would tidy it.
  const base = new URL(baseUrl);
  const body = ask.form === undefined ? undefined : new URLSearchParams(ask.form).toString();
  const headers: Record<string, string> = { ...ask.headers };
  if (body !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    headers['content-length'] = String(Buffer.byteLength(body));
  }
  const client = base.protocol === 'https:' ? https : http;
  const options = {
    host: base.hostname,
    port: base.port,
    path,
    method: ask.method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
  };
  return new Promise((resolve, reject) => {
    const request = client.request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const raw = Buffer.concat(chunks);
        try {
          const decoded = decode(raw, response.headers['content-encoding']);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            raw,
            body: decoded,
            text: decoded.toString('utf8'),
          });
        } catch (error) {
          reject(error);
        }
      });
    });
    request.setTimeout(20_000, () => request.destroy(new Error(`no answer from ${path} in 20 s`)));
    request.on('error', reject);
    request.end(body);
  });
}

/** The headers a browser sends with a form on our own pages. */
export const fromOurPage = { origin: baseUrl, 'sec-fetch-site': 'same-origin' };

function decode(raw: Buffer, encoding: string | undefined): Buffer {
  switch (encoding) {
    case undefined:
    case 'identity':
      return raw;
    case 'br':
      return zlib.brotliDecompressSync(raw);
    case 'gzip':
      return zlib.gunzipSync(raw);
    default:
      throw new Error(`content-encoding ${encoding} was not asked for`);
  }
}

/** Every address a page points to, with character references undone. */
export function addresses(html: string): string[] {
  const found: string[] = [];
  for (const [, value] of html.matchAll(/<(?:a|link|img|script|source|use|image)\b[^>]*?\s(?:href|src)="([^"]*)"/g)) {
    if (value !== undefined) found.push(unescape(value));
  }
  return found;
}

/** The address paths under /assets/ that a page or stylesheet names. */
export function assets(text: string): string[] {
  return [...new Set([...text.matchAll(/\/assets\/[A-Za-z0-9._/-]+/g)].map((match) => match[0]))];
}

export function unescape(value: string): string {
  return value
    .replace(/&quot;/g, '"')
    .replace(/&#(?:39|x27);/gi, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}
