// What the client takes and gives.

import type { Verifier } from './ed25519.js';
import type { components } from './generated.js';
import type { Wait } from './http.js';
import type { Storage } from './storage.js';

type Schemas = components['schemas'];

export type Tier = Schemas['Tier'];
export type LicenseCode = Schemas['LicenseCode'];
export type License = Schemas['License'];
export type Machine = Schemas['Machine'];
export type MachineCount = Schemas['MachineCount'];

/** What everybody has. The service says it with every refusal; this is what counts before it has. */
export const FREE_FEATURES: readonly string[] = [
  'editor',
  'extensions',
  'offline',
  'own_keys',
  'local_models',
  'machines',
  'help',
];

export interface ClientOptions {
  /** Where the service is, such as `https://devforge.example`. */
  baseUrl: string;
  storage: Storage;
  /** What this machine is known by: the same at every start, another on every machine; at most 256 characters. */
  fingerprint: string;
  /** The editor's version. */
  appVersion: string;
  /** What the license has to be for; `editor` without it. */
  product?: string;
  /** Who signs the tokens, where that is not `baseUrl`. */
  issuer?: string;
  /**
   * The whole published JSON Web Key Set of the day of the release. With it, no other key counts but one that the
   * service has published in this run, or that a key of this set endorses, and for machine files none. Without it, keys
   * in the storage count: whoever can write there can make themselves a license.
   */
  trustedKeys?: { keys: readonly unknown[] };
  /** What is on without a license; the features of the free tier without it. */
  freeFeatures?: readonly string[];
  /** Such as `linux` and `x64`; Node's own names where there is Node. For updates, and for a machine that describes itself. */
  platform?: string;
  arch?: string;
  /** How long `status()` may take, in milliseconds; 5 s without it. */
  timeout?: number;
  /** How long after an event everything queued is sent, in milliseconds; 0 leaves that to `flush()`. */
  flushAfter?: number;
  /** Where Ed25519 is neither in Node nor in WebCrypto. */
  verify?: Verifier;
  fetch?: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** At least 0 and below 1, for the waits between tries. Secrets are not made from it. */
  random?: () => number;
  wait?: Wait;
  /** Is told the license's status when the service, asked in the background, says something else than `status()` did. */
  onChange?: (status: LicenseState) => void;
  /** Is told what the client lives with, such as a storage that cannot be written. */
  onError?: (error: unknown) => void;
}

/** Where a status comes from. */
export type StatusSource = 'server' | 'cache' | 'offline_token' | 'machine_file' | 'none';

/** Why the service was not heard; `storage` when it was not asked because what is stored here cannot be read. */
export type Trouble =
  | 'unreachable'
  | 'timeout'
  | 'invalid_answer'
  | 'rate_limited'
  | 'server_error'
  | 'request_refused'
  | 'storage';

export type StatusCode =
  | LicenseCode
  /** There is no license key here. */
  | 'NO_LICENSE'
  /** There is a key, or what is here cannot be read; the service cannot be asked, and nothing that it signed counts. */
  | 'NOT_CONFIRMED'
  /** The same, because this computer's clock was set back. The next answer of the service puts that right. */
  | 'CLOCK_SET_BACK';

/** What the editor may do now. */
export interface LicenseState {
  /** Whether a license is good here; without one, tier and features are the free ones. */
  licensed: boolean;
  code: StatusCode;
  tier: Tier;
  features: string[];
  source: StatusSource;
  /** When the license ends; null for one that does not, and for none. */
  expiresAt: string | null;
  /** Until when it is still taken as good after its end. */
  graceUntil: string | null;
  /** Until when this holds without a connection. */
  offlineUntil: string | null;
  /** When the service was last heard on this license. */
  checkedAt: string | null;
  machines: MachineCount | null;
  trouble: Trouble | null;
}

export interface ActivateOptions {
  machineName?: string;
  /** Such as `linux-x64`. */
  platform?: string;
  signal?: AbortSignal;
}

export interface ActivationResult {
  /** Whether it has a place on this machine. */
  activated: boolean;
  /** `VALID` also where all places are taken and the license is good without one: what counts is `status.licensed`. */
  code: LicenseCode;
  downloadUrl: string;
  license: License | null;
  machine: Machine | null;
  status: LicenseState;
}

export interface MachineRequestFile {
  type: 'devforge.machine-request';
  fingerprint: string;
  machineName: string | null;
  platform: string | null;
  /** The editor's. */
  version: string;
  nonce: string;
}

/** Why a machine file was not taken. */
export type MachineFileFault =
  | 'not_a_machine_file'
  /** Changed, or signed with a key that is not known here. */
  | 'not_signed'
  | 'wrong_issuer'
  | 'wrong_machine'
  | 'wrong_version'
  /** It answers none of the requests that were made here. */
  | 'other_request'
  | 'expired'
  /** It is from the future: this computer's clock is wrong. */
  | 'clock';

export type MachineFileResult =
  | { imported: true; status: LicenseState }
  | { imported: false; fault: MachineFileFault };

export interface Update {
  latestVersion: string;
  downloadUrl: string;
  changelog: string;
  /** It mends something that endangers people: say so. */
  critical: boolean;
  sha512: string | null;
  size: number | null;
  releasedAt: string | null;
  /** The oldest version that is still served. */
  minimumVersion: string | null;
}

export type UpdateCheck =
  | { state: 'available'; update: Update }
  | { state: 'current'; latestVersion: string }
  /** Not known for the moment. */
  | { state: 'unknown'; trouble: Trouble };

export interface UsageEvent {
  /** Such as `editor.started`, at most 100 characters. */
  event: string;
  /** At most 8 kB as JSON. */
  properties?: Record<string, unknown>;
  userId?: string;
  /** When it happened; now without it. */
  timestamp?: string;
}

export type Queued = { queued: true; id: string } | { queued: false; reason: 'no_consent' | 'invalid' | 'too_large' };

export interface Flushed {
  sent: number;
  left: number;
  /** Null when nothing is left that could be sent now. */
  trouble: Trouble | 'not_there' | 'paused' | null;
}

export function isTier(value: unknown): value is Tier {
  return value === 'free' || value === 'pro' || value === 'enterprise';
}
