// What is stored about the license. Only the key, and tokens that are verified at each reading, can turn anything on; the
// rest says what to show, and that it is later than the clock says, so changing it gains nothing.

import type { ClockState } from './clock.js';
import { isRecord } from './errors.js';
import type { Store } from './storage.js';
import type { LicenseCode, MachineCount } from './types.js';

const NAME = 'license';
const MOST_REQUESTS = 5;

export interface Refused {
  code: LicenseCode;
  expiresAt: string | null;
  graceUntil: string | null;
  machines: MachineCount | null;
}

export interface Stored {
  key: string | null;
  /** Its id, once a token has named it. */
  license: string | null;
  token: string | null;
  machineFile: string | null;
  /** When the service last said something about the license, whatever it was. */
  heardAt: number | null;
  /** What it said, when that was no. */
  refused: Refused | null;
  graceUntil: string | null;
  machines: MachineCount | null;
  /** Requests for machine files that are still to be answered. */
  requests: string[];
  clock: ClockState;
}

/** Throws when the storage fails: one that cannot be read is not empty. */
export async function load(store: Store): Promise<Stored> {
  const read = await store.readSure(NAME);
  const kept = isRecord(read) ? read : {};
  const clock = isRecord(kept.clock) ? kept.clock : {};
  return {
    key: text(kept.key),
    license: text(kept.license),
    token: text(kept.token),
    machineFile: text(kept.machineFile),
    heardAt: number(kept.heardAt),
    refused: refused(kept.refused),
    graceUntil: text(kept.graceUntil),
    machines: machineCount(kept.machines),
    requests: (Array.isArray(kept.requests) ? kept.requests : []).filter((item) => typeof item === 'string'),
    clock: { latest: number(clock.latest) ?? 0, offset: number(clock.offset) ?? 0 },
  };
}

export async function save(store: Store, state: Stored): Promise<void> {
  await store.write(NAME, { ...state, requests: state.requests.slice(-MOST_REQUESTS) });
}

/** Nothing of a license; what is known of the clock. */
export function blank(clock: ClockState): Stored {
  return {
    key: null,
    license: null,
    token: null,
    machineFile: null,
    heardAt: null,
    refused: null,
    graceUntil: null,
    machines: null,
    requests: [],
    clock,
  };
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function machineCount(value: unknown): MachineCount | null {
  if (!isRecord(value)) return null;
  const { used, limit } = value;
  return typeof used === 'number' && typeof limit === 'number' ? { used, limit } : null;
}

function refused(value: unknown): Refused | null {
  if (!isRecord(value) || typeof value.code !== 'string' || value.code === 'VALID') return null;
  return {
    code: value.code as LicenseCode,
    expiresAt: text(value.expiresAt),
    graceUntil: text(value.graceUntil),
    machines: machineCount(value.machines),
  };
}
