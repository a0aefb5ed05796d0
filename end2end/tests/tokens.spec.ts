// The API's tokens as others see them: a JOSE library of theirs, our published keys, and nothing else.

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { baseUrl } from '../environment.ts';
import { expect, test } from '../fixtures.ts';

type Tokens = { token: string; refreshToken: string; expiresAt: string; user: { id: string; email: string } };

async function post(path: string, body: unknown, token?: string): Promise<Response> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  return fetch(`${baseUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

test('an access token is verified by the published keys with an ordinary JOSE library', async ({}, info) => {
  const email = `jose-${info.project.name}-${Date.now()}@example.com`;
  const registered = await post('/api/auth/register', {
    email,
    name: 'Jo Se',
    password: 'seven brisk otters juggle',
  });
  expect(registered.status).toBe(201);
  const { token, user } = (await registered.json()) as Tokens;

  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', baseUrl));
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: baseUrl, audience: 'devforge-api' });
  expect(protectedHeader.alg).toBe('EdDSA');
  expect(payload.sub).toBe(user.id);
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(15 * 60);
  expect(decodeProtectedHeader(token).kid).toBeTruthy();

  const [head, body, signature] = token.split('.');
  const forged = `${head}.${body}.${signature?.startsWith('A') ? 'B' : 'A'}${signature?.slice(1)}`;
  await expect(jwtVerify(forged, keys)).rejects.toThrow(/signature/);
  const refused = await fetch(`${baseUrl}/api/auth/me`, { headers: { authorization: `Bearer ${forged}` } });
  expect(refused.status).toBe(401);
});

test('a refresh token rotates, and all of it ends at sign-out', async ({}, info) => {
  const email = `rotate-${info.project.name}-${Date.now()}@example.com`;
  const body = { email, name: 'Ro Tate', password: 'seven brisk otters juggle' };
  const first = (await (await post('/api/auth/register', body)).json()) as Tokens;
  const second = (await (await post('/api/auth/refresh', { refreshToken: first.refreshToken })).json()) as Tokens;
  expect(second.refreshToken).not.toBe(first.refreshToken);
  const out = await post('/api/auth/logout', {}, second.token);
  expect(await out.json()).toEqual({ success: true });
  for (const token of [first.token, second.token]) {
    const me = await fetch(`${baseUrl}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(me.status, 'ended at once, before its time is up').toBe(401);
  }
  expect((await post('/api/auth/refresh', { refreshToken: second.refreshToken })).status).toBe(401);
});
