/** `:index` and `:last` (RFC 5260 §6): one of the fields that a test would look at. */
import type { Call } from './extension.ts';

export interface FieldNumber {
  /** From 1. */
  readonly index: number;
  /** Counted from the last. */
  readonly last: boolean;
}

/** Which field a call wants; null for all of them. */
export function fieldNumber(call: Call): FieldNumber | null {
  return call.has('index') ? { index: call.number('index'), last: call.has('last') } : null;
}
