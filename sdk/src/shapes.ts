// A license's status, from what is known.

import type { Check } from './answers.js';
import type { Stored } from './license_state.js';
import type { Claims } from './token.js';
import type { LicenseState, StatusCode, StatusSource, Trouble } from './types.js';

/** It is good, and that is signed. */
export function licensed(claims: Claims, state: Stored, source: StatusSource, trouble: Trouble | null): LicenseState {
  const byFile = source === 'machine_file';
  return {
    licensed: true,
    code: 'VALID',
    tier: claims.tier,
    features: [...claims.features],
    source,
    expiresAt: endOf(claims),
    graceUntil: byFile ? null : state.graceUntil,
    offlineUntil: iso(claims.exp * 1000),
    checkedAt: byFile ? iso(claims.iat * 1000) : iso(state.heardAt),
    machines: byFile ? null : state.machines,
    trouble,
  };
}

/** It is good: the service has just said so. */
export function byWord(check: Check, source: StatusSource, trouble: Trouble | null): LicenseState {
  const { tier, features, expiresAt, graceUntil, machines } = check;
  const checkedAt = iso(check.checkedAt);
  const common = { expiresAt, graceUntil, machines, checkedAt, offlineUntil: null, source, trouble };
  return { licensed: true, code: 'VALID', tier, features: [...features], ...common };
}

/** It is not, or there is none. */
export function free(
  freeFeatures: readonly string[],
  code: StatusCode,
  state: Stored,
  trouble: Trouble | null,
  more: Partial<LicenseState>,
): LicenseState {
  return {
    licensed: false,
    code,
    tier: 'free',
    features: [...freeFeatures],
    source: 'none',
    expiresAt: null,
    graceUntil: null,
    offlineUntil: null,
    checkedAt: iso(state.heardAt),
    machines: null,
    trouble,
    ...more,
  };
}

/** When the license ends. */
export function endOf(claims: Claims | undefined): string | null {
  return claims?.licenseExp === undefined ? null : iso(claims.licenseExp * 1000);
}

function iso(time: number | null): string | null {
  const date = new Date(time ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
