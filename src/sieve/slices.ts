/** Computations that are long for large messages, in slices: between two of them others may have their turn. */

/** Each `next` is one slice; what is returned in the end is the result. */
export type Slices<T> = Generator<undefined, T>;

/** Characters or octets that one slice looks at; the slowest, tags of HTML, take some 30 ms of processor time for so many. */
export const SLICE = 256 << 10;

/** All slices, one behind the other. */
export function atOnce<T>(slices: Slices<T>): T {
  for (;;) {
    const step = slices.next();
    if (step.done === true) return step.value;
  }
}

/** The result at once where one slice does, else a promise of it, with a pause behind each slice; no pauses without `pause`. */
export function inTurns<T>(slices: Slices<T>, pause: (() => Promise<void>) | undefined): T | Promise<T> {
  if (pause === undefined) return atOnce(slices);
  const first = slices.next();
  return first.done === true ? first.value : rest(slices, pause);
}

async function rest<T>(slices: Slices<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    await pause();
    const step = slices.next();
    if (step.done === true) return step.value;
  }
}
