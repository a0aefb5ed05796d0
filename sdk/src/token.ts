// Offline tokens, and what is said of the keys that sign them: JWTs that the service signed with Ed25519. One algorithm,
// one kind of header; the claims are not looked at before the signature is known to be good.

import type { Verifier } from './ed25519.js';
import { isRecord } from './errors.js';
import { TOLERANCE, type Time } from './clock.js';
import { isTier, type Tier } from './types.js';

const LONGEST = 16 * 1024;
const AUDIENCE = 'devforge-editor';
/** Apart from the other, so that none of the two is ever taken for the other. */
const KEYS_AUDIENCE = 'devforge-keys';

export interface Jwk {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
  kid: string;
  /** What a key that does not change says of this one, as a token. */
  endorsement?: string;
}

/** What is inside an offline token and a machine file. */
export interface Claims {
  iss: string;
  aud: string;
  /** The license's id. */
  sub: string;
  tier: Tier;
  features: string[];
  fingerprint: string;
  nonce?: string | undefined;
  /** The license has expired and goes on covering this version, and no other. */
  version?: string | undefined;
  /** When the license ends, in seconds since 1970. */
  licenseExp?: number | undefined;
  iat: number;
  exp: number;
}

export type Read = { state: 'good'; claims: Claims } | { state: 'bad' } | { state: 'unknown_key'; kid: string };

/** What a token says, when one of these keys has signed it. Whether it is meant for us is for `judge` to say. */
export async function readToken(token: string, keys: readonly Jwk[], verify: Verifier): Promise<Read> {
  const read = await readSigned(token, keys, verify);
  if (read.state !== 'good') return read;
  const { claims } = read;
  return isClaims(claims) ? { state: 'good', claims } : { state: 'bad' };
}

/** Whether one of `trusted` says that this key, as it stands here, is the issuer's. */
export async function isEndorsed(
  key: Jwk,
  trusted: readonly Jwk[],
  issuer: string,
  now: number,
  verify: Verifier,
): Promise<boolean> {
  if (key.endorsement === undefined) return false;
  const read = await readSigned(key.endorsement, trusted, verify);
  if (read.state !== 'good' || !isRecord(read.claims)) return false;
  const { iss, aud, sub, x, exp } = read.claims;
  const same = iss === issuer && aud === KEYS_AUDIENCE && sub === key.kid && x === key.x;
  return same && typeof exp === 'number' && exp * 1000 > now;
}

type Signed = { state: 'good'; claims: unknown } | Exclude<Read, { state: 'good' }>;

async function readSigned(token: string, keys: readonly Jwk[], verify: Verifier): Promise<Signed> {
  const bad: Signed = { state: 'bad' };
  if (token.length > LONGEST) return bad;
  const [head, body, seal, ...more] = token.split('.');
  if (head === undefined || body === undefined || seal === undefined || more.length > 0) return bad;
  const header = json(head);
  const signature = decode(seal);
  if (!isRecord(header) || !signature || signature.length !== 64) return bad;
  const { alg, typ, kid, ...rest } = header;
  if (alg !== 'EdDSA' || typ !== 'JWT' || typeof kid !== 'string' || Object.keys(rest).length > 0) return bad;
  const key = keys.find((key) => key.kid === kid);
  if (!key) return { state: 'unknown_key', kid };
  const publicKey = decode(key.x);
  if (!publicKey || publicKey.length !== 32) return bad;
  if (!(await verify(publicKey, new TextEncoder().encode(`${head}.${body}`), signature))) return bad;
  return { state: 'good', claims: json(body) };
}

export interface Expected {
  issuer: string;
  fingerprint: string;
  appVersion: string;
}

/** Why a signed token does not count. */
export type Objection = 'issuer' | 'machine' | 'version' | 'expired' | 'clock';

/** Why it does not count here and now; null when it does. */
export function judge(claims: Claims, expected: Expected, time: Time): Objection | null {
  if (claims.iss !== expected.issuer || claims.aud !== AUDIENCE) return 'issuer';
  if (claims.fingerprint !== expected.fingerprint) return 'machine';
  if (claims.version !== undefined && claims.version !== expected.appVersion) return 'version';
  if (time.setBack || claims.iat * 1000 > time.now + TOLERANCE) return 'clock';
  return claims.exp * 1000 > time.now ? null : 'expired';
}

/** The keys of a JSON Web Key Set that can sign our tokens. */
export function readKeys(set: unknown): Jwk[] {
  const keys = isRecord(set) && Array.isArray(set.keys) ? set.keys : [];
  return keys.slice(0, 100).flatMap((key: unknown) => {
    if (!isRecord(key) || key.kty !== 'OKP' || key.crv !== 'Ed25519') return [];
    const { x, kid, alg, use, endorsement } = key;
    if (typeof x !== 'string' || typeof kid !== 'string') return [];
    if ((alg !== undefined && alg !== 'EdDSA') || (use !== undefined && use !== 'sig')) return [];
    const endorsed = typeof endorsement === 'string' ? { endorsement } : {};
    return [{ kty: 'OKP', crv: 'Ed25519', x, kid, ...endorsed } satisfies Jwk];
  });
}

function isClaims(value: unknown): value is Claims {
  if (!isRecord(value)) return false;
  const optional = (type: 'string' | 'number', ...names: string[]): boolean =>
    names.every((name) => value[name] === undefined || typeof value[name] === type);
  return (
    ['iss', 'aud', 'sub', 'fingerprint'].every((name) => typeof value[name] === 'string') &&
    optional('string', 'nonce', 'version') &&
    optional('number', 'licenseExp') &&
    Number.isSafeInteger(value.iat) &&
    Number.isSafeInteger(value.exp) &&
    isTier(value.tier) &&
    isTexts(value.features)
  );
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function json(part: string): unknown {
  const bytes = decode(part);
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** base64url in its one canonical form: without padding, without bits behind the last byte. */
function decode(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) return null;
  const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
  return encode(bytes) === text ? bytes : null;
}

export function encode(bytes: Uint8Array): string {
  const raw = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(raw).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
