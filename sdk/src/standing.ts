// What holds on this machine, from what is known here. No input or output.
//
// What always holds: only claims whose signature was verified, or what the service has said in this run, turn anything
// on; neither does so beyond its time.

import type { Check } from './answers.js';
import type { Time } from './clock.js';
import type { Stored } from './license_state.js';
import { byWord, endOf, free, licensed } from './shapes.js';
import { judge, type Claims, type Expected, type Objection } from './token.js';
import type { LicenseState, StatusSource, Trouble } from './types.js';

/** So long a good answer is not asked for again. */
export const GOOD_FOR = 24 * 60 * 60 * 1000;
/** The same for a refusal: whoever has paid meanwhile does not wait for tomorrow. */
export const REFUSED_FOR = 30 * 60 * 1000;

/** What is stored, with the tokens in it opened: null where the signature is not known to be good. */
export interface Known {
  state: Stored;
  token: Claims | null;
  file: Claims | null;
}

/** What the service has said in this run of the program. */
export interface Word {
  key: string;
  at: number;
  /** What it said, when that was good and without a token that could be verified: it counts, and for this run only. */
  unsigned: Check | null;
}

export interface Here {
  expected: Expected;
  freeFeatures: readonly string[];
  word: Word | null;
  time: Time;
}

/** What is not asked about again, because it was said not long ago; null when it is time to ask. */
export function recent(known: Known, here: Here): LicenseState | null {
  const { state, token } = known;
  const { time, expected } = here;
  const word = here.word?.key === state.key ? here.word : null;
  if (state.refused) {
    const age = time.now - (word?.at ?? state.heardAt ?? NaN);
    return age >= 0 && age < REFUSED_FOR ? atHand(known, here, null, 'cache') : null;
  }
  const good = token !== null && judge(token, expected, time) === null;
  if (!word) {
    // Of what was said before this run only the token speaks, also about how old it is: the rest anybody can write.
    const young = good && time.now - token.iat * 1000 < GOOD_FOR;
    return young ? licensed(token, state, 'offline_token', null) : null;
  }
  const age = time.now - word.at;
  if (age < 0 || age >= GOOD_FOR || time.setBack) return null;
  if (word.unsigned) return byWord(word.unsigned, 'cache', null);
  return good ? licensed(token, state, 'cache', null) : null;
}

/** What holds without asking anybody. */
export function atHand(
  known: Known,
  here: Here,
  trouble: Trouble | null,
  refusalFrom: StatusSource = 'none',
): LicenseState {
  const { state, token, file } = known;
  const { expected, freeFeatures, word, time } = here;
  const against = (claims: Claims | null): Objection | null | undefined =>
    claims ? judge(claims, expected, time) : undefined;
  // A token that is still here beside it is older.
  if (word?.unsigned && word.key === state.key && !time.setBack && time.now - word.at < GOOD_FOR) {
    return byWord(word.unsigned, 'cache', trouble);
  }
  if (token && against(token) === null) return licensed(token, state, 'offline_token', trouble);
  if (file && against(file) === null) return licensed(file, state, 'machine_file', trouble);
  if (state.refused) {
    const { code, ...more } = state.refused;
    return free(freeFeatures, code, state, trouble, { ...more, source: refusalFrom });
  }
  const late = against(token) === 'clock' || against(file) === 'clock';
  const nothing = state.key === null && state.machineFile === null;
  const code = nothing ? 'NO_LICENSE' : late ? 'CLOCK_SET_BACK' : 'NOT_CONFIRMED';
  return free(freeFeatures, code, state, trouble, { expiresAt: endOf(token ?? file ?? undefined) });
}

/** Whether somebody who was shown the one has to be shown the other. */
export function differs(one: LicenseState, other: LicenseState): boolean {
  const seen = ({ code, tier, features }: LicenseState): string => JSON.stringify([code, tier, features]);
  return seen(one) !== seen(other);
}
