// What time it is, on a computer whose owner sets the clock.
//
// Every answer of the service says how far this clock is off, so a clock that is plainly wrong does no harm. The latest
// time that was ever seen is remembered: a clock that falls behind it was set back, and then nothing counts that ends by
// time, until the service has said what time it is. Of what is stored, only that is believed which makes it later.

/** So much a clock may fall behind without having been set back. */
export const TOLERANCE = 10 * 60 * 1000;
const WORTH_WRITING = 60 * 1000;

export interface ClockState {
  /** The latest time seen. */
  latest: number;
  /** What has to be added to this computer's clock. */
  offset: number;
}

export interface Time {
  now: number;
  setBack: boolean;
}

export function readClock(state: ClockState, own: number): Time {
  const now = own + state.offset;
  return { now, setBack: now < state.latest - TOLERANCE };
}

/**
 * The clock as it was stored. Anybody can have written that: it never makes it earlier than this computer's own clock,
 * nor than the latest time that was signed.
 */
export function loadClock(stored: ClockState, signed: number): ClockState {
  return { latest: Math.max(stored.latest, signed), offset: Math.max(stored.offset, 0) };
}

/** The clock as the service has just set it. */
export function setClock(told: number, own: number): ClockState {
  return { latest: told, offset: told - own };
}

/** The clock after a time was seen, and whether that is worth writing down. */
export function advance(state: ClockState, seen: number): { clock: ClockState; worth: boolean } {
  const latest = Math.max(state.latest, seen);
  return { clock: { ...state, latest }, worth: latest - state.latest >= WORTH_WRITING };
}
