/** Long computing in steps, so that other connections get their turn. */

import type { Session } from './session.ts';

/** Runs a generator to its end, breathing where it yields. Undefined when the client is gone. */
export async function inTurns<Result>(
  session: Session,
  steps: Generator<void, Result>,
): Promise<Result | undefined> {
  while (!session.closed) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (session.due) await session.breathe();
  }
  return undefined;
}
