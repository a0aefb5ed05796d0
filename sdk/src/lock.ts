// One after another: what reads, changes and writes the same stored thing must not overlap. And: not for ever.

export type Lock = <T>(work: () => Promise<T>) => Promise<T>;

export function createLock(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    // Whoever comes next waits for the end, not for success.
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** What comes of the work, or, when that takes longer, what `late` says or throws. The work itself goes on. */
export function inTime<T>(milliseconds: number, work: Promise<T>, late: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, milliseconds);
    void work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
