/** Whether an operation became dearer than what is stored of it. */

import type { Figures } from './operations.ts';

export interface Stored {
  readonly tolerance: Tolerance;
  readonly operations: Readonly<Record<string, Figures>>;
}

/** Shares by which a figure may exceed the stored one. */
export interface Tolerance {
  readonly calls: number;
  readonly written: number;
  readonly instructions: number;
  /** Syncs of an operation that is alone. */
  readonly syncs: number;
  /** Syncs of operations that share them: how many do so is a matter of time. */
  readonly sharedSyncs: number;
}

/** What is dearer, a sentence each; empty when nothing is. */
export function compare(
  name: string,
  stored: Figures | undefined,
  measured: Figures | undefined,
  tolerance: Tolerance,
): string[] {
  if (stored === undefined || measured === undefined) return [`${name}: no figures; scripts/bench/record`];
  const syncs = Number.isInteger(stored.syncs) ? tolerance.syncs : tolerance.sharedSyncs;
  const limits = [
    ['calls', tolerance.calls],
    ['written', tolerance.written],
    ['syncs', syncs],
    ['instructions', tolerance.instructions],
  ] as const;
  return limits.flatMap(([figure, share]) => {
    const before = stored[figure];
    const now = measured[figure];
    if (before === null || now === null || now <= before * (1 + share)) return [];
    const factor = before === 0 ? '' : `, ${Math.round((now / before - 1) * 100)} % more`;
    return [`${name}: ${now.toFixed(1)} ${figure} instead of ${before.toFixed(1)}${factor}`];
  });
}
