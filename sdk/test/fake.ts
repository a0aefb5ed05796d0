// A service of the tests' own: it says what it is told to say, and signs with a key that `jose` made.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

import { createClient, memoryStorage, type Client, type ClientOptions, type Storage } from '../src/index.js';

export const HOUR = 60 * 60 * 1000;
export const DAY = 24 * HOUR;
export const KEY = 'DF-AAAAA-BBBBB-CCCCC-DDDDD-EEEEE';
export const START = Date.parse('2026-11-20T10:00:00Z');

export interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
}

export type Handler = (asked: Asked, response: ServerResponse) => void | Promise<void>;

export interface Signer {
  kid: string;
  privateKey: CryptoKey;
  jwk: JWK & { endorsement?: unknown };
}

export async function newSigner(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' } };
}

/** A clock that the test moves. */
export class TestClock {
  time = START;
  readonly now = (): number => this.time;
}

export class FakeService {
  readonly asked: Asked[] = [];
  /** The service's own time. */
  clock = new TestClock();
  code = 'VALID';
  published: Signer[];
  tokenFor = 14 * DAY;
  /** Changes the claims before they are signed. */
  claims: Record<string, unknown> = {};
  /** Changes the answer. */
  answer: Record<string, unknown> = {};
  handlers = new Map<string, Handler>();
  /** Also while it does not listen. */
  port = 0;
  #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(readonly signer: Signer) {
    this.published = [signer];
  }

  static async start(): Promise<FakeService> {
    const service = new FakeService(await newSigner('first'));
    await service.listen(0);
    return service;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }

  async stop(): Promise<void> {
    // Stopping what has stopped is fine.
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async token(fingerprint: string, nonce: unknown, signer = this.signer): Promise<string> {
    const iat = Math.floor(this.clock.time / 1000);
    const claims: Record<string, unknown> = {
      iss: this.url,
      aud: 'devforge-editor',
      sub: 'lic_1',
      tier: 'pro',
      features: ['editor', 'fire_teams'],
      fingerprint,
      nonce,
      iat,
      exp: iat + this.tokenFor / 1000,
      ...this.claims,
    };
    return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: signer.kid }).sign(signer.privateKey);
  }

  /** A key with what `root` says of it; `more` changes the claims. */
  async endorsed(key: Signer, root: Signer, more: Record<string, unknown> = {}): Promise<Signer> {
    const iat = Math.floor(this.clock.time / 1000);
    const exp = iat + (60 * DAY) / 1000;
    const claims = { iss: this.url, aud: 'devforge-keys', sub: key.kid, x: key.jwk.x, iat, exp, ...more };
    const endorsement = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: root.kid })
      .sign(root.privateKey);
    return { ...key, jwk: { ...key.jwk, endorsement } };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const path = (request.url ?? '').split('?')[0] ?? '';
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const asked: Asked = { method: request.method ?? '', path, body, headers: request.headers };
    this.asked.push(asked);
    response.setHeader('api-version', '1');
    response.setHeader('date', new Date(this.clock.time).toUTCString());
    const handler = this.handlers.get(path) ?? ((asked, response) => this.#ordinary(asked, response));
    await handler(asked, response);
  }

  async #ordinary({ path, body }: Asked, response: ServerResponse): Promise<void> {
    const valid = this.code === 'VALID';
    const { nonce, fingerprint } = body;
    const offlineToken = valid ? { offlineToken: await this.token(String(fingerprint), nonce) } : {};
    if (path === '/.well-known/jwks.json') {
      json(response, 200, { keys: this.published.map((signer) => signer.jwk) });
    } else if (path === '/api/licenses/validate') {
      const checkedAt = new Date(this.clock.time).toISOString();
      const tier = valid ? 'pro' : 'free';
      const features = valid ? ['editor', 'fire_teams'] : ['editor'];
      const common = { valid, code: this.code, tier, features, checkedAt, nonce, expiresAt: null };
      json(response, 200, { ...common, ...offlineToken, ...this.answer });
    } else if (path === '/api/licenses/activate') {
      const answer = { activated: valid, code: this.code, downloadUrl: `${this.url}/download`, license: null, nonce };
      json(response, 200, { ...answer, ...offlineToken, ...this.answer });
    } else if (path === '/api/licenses/deactivate') {
      json(response, 200, { deactivated: true });
    } else {
      problem(response, 404, 'not_found');
    }
  }
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function problem(response: ServerResponse, status: number, code: string, headers = {}): void {
  const body = { type: `/problems/${code}`, title: code, status, detail: `It is ${code}.`, code, requestId: 'r1' };
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify(body));
}

/** A client whose waits between tries take no time. */
export function clientOf(url: string, options: Partial<ClientOptions> & { storage?: Storage } = {}): Client {
  return createClient({
    baseUrl: url,
    storage: memoryStorage(),
    fingerprint: 'machine-1',
    appVersion: '1.2.3',
    flushAfter: 0,
    wait: async () => undefined,
    ...options,
  });
}
