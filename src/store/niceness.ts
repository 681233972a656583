/** Work that stands back: mail in and out goes first. */

import { getPriority, setPriority } from 'node:os';

/** Makes this process at least as nice as said. One that is nicer already stays so, as only root could take that back. */
export function standBack(nice: number): void {
  if (getPriority() < nice) setPriority(nice);
}
