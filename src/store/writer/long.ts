/**
 * COPY and MOVE of very many messages, and expiry: done in steps between the batches of everybody else (DESIGN rule 15).
 *
 * Invariants
 * 1. While it is under way its owners are held: their transactions stay open and no other change reaches them. Nothing of it is
 *    visible before all of it is, and after a crash nothing of it was.
 * 2. It is one record, logged when the last step is done.
 */
import type { Spool } from '../spool/spool.ts';
import type { Context } from './context.ts';
import { placeFiles } from './placement.ts';
import type { Pending } from './queue.ts';

export class LongChange {
  private placed = 0;
  private outcome: { result: unknown } | null = null;

  constructor(
    readonly pending: Pending,
    readonly context: Context,
    private readonly steps: Generator<void, unknown>,
  ) {}

  /** The answer once all steps are done. */
  get done(): { result: unknown } | null {
    return this.outcome;
  }

  /** Does the next step with its files. Throws what the decision throws. */
  step(spool: Spool): void {
    const { done, value } = this.steps.next();
    const { planned, blobs } = this.context;
    placeFiles([{ planned: planned.slice(this.placed), blobs }], spool);
    this.placed = planned.length;
    if (done === true) this.outcome = { result: value };
  }
}
