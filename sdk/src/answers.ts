// The service's answers about licenses, read as what they should be. A portal's page or half an answer is none.

import { isRecord, NetworkError } from './errors.js';
import { machineCount, text } from './license_state.js';
import { isTexts } from './token.js';
import {
  isTier,
  type ActivationResult,
  type License,
  type LicenseCode,
  type Machine,
  type MachineCount,
  type Tier,
} from './types.js';

const HEAVIEST_FILE = 64 * 1024;

/** An answer to a validation that makes sense. */
export interface Check {
  valid: boolean;
  code: LicenseCode;
  tier: Tier;
  features: string[];
  expiresAt: string | null;
  graceUntil: string | null;
  machines: MachineCount | null;
  checkedAt: number;
  offlineToken: string | null;
}

export function readCheck(body: unknown, nonce: string): Check {
  const answer = isRecord(body) ? body : {};
  const { valid, code, tier, features, checkedAt } = answer;
  const at = typeof checkedAt === 'string' ? Date.parse(checkedAt) : NaN;
  const sound =
    answer.nonce === nonce &&
    typeof code === 'string' &&
    valid === (code === 'VALID') &&
    isTier(tier) &&
    isTexts(features) &&
    Number.isFinite(at);
  if (!sound) throw new NetworkError('invalid_answer', 'The answer to the validation makes no sense.');
  return {
    valid: code === 'VALID',
    code: code as LicenseCode,
    tier,
    features,
    expiresAt: text(answer.expiresAt),
    graceUntil: text(answer.graceUntil),
    machines: machineCount(answer.machines),
    checkedAt: at,
    offlineToken: text(answer.offlineToken),
  };
}

export function readActivation(
  body: unknown,
  nonce: string,
): Omit<ActivationResult, 'status'> & { offlineToken: string | null } {
  const answer = isRecord(body) ? body : {};
  const { activated, code } = answer;
  const sound = answer.nonce === nonce && typeof code === 'string' && activated === (code === 'VALID');
  if (!sound) throw new NetworkError('invalid_answer', 'The answer to the activation makes no sense.');
  return {
    activated: code === 'VALID',
    code: code as LicenseCode,
    downloadUrl: text(answer.downloadUrl) ?? '',
    license: isRecord(answer.license) ? (answer.license as License) : null,
    machine: isRecord(answer.machine) ? (answer.machine as Machine) : null,
    offlineToken: text(answer.offlineToken),
  };
}

/** The token in a machine file; null when it is no such file. */
export function readMachineFile(file: unknown): string | null {
  let read = file;
  if (typeof file === 'string') {
    if (file.length > HEAVIEST_FILE) return null;
    try {
      read = JSON.parse(file.replace(/^\uFEFF/, ''));
    } catch {
      return null;
    }
  }
  return isRecord(read) && read.type === 'devforge.machine-file' ? text(read.token) : null;
}

export function notOurs(): NetworkError {
  return new NetworkError('invalid_answer', 'The token in the answer is not the one for this machine.');
}
