/**
 * Response codes that carry data (RFC 9051 §7.1, RFC 7162 §3.1), without their brackets. Those that are a bare word are
 * written where they are used.
 */

import type { UidSet } from '../../store/uidset.ts';

/** `APPENDUID 38505 3955`, of several messages `APPENDUID 38505 3955:3957` (RFC 4315 §3). */
export function appendUid(uidvalidity: number, uids: UidSet): string {
  return `APPENDUID ${uidvalidity} ${uids}`;
}

/** `COPYUID 38505 304,319:320 3956:3958`: both sets ascend and pair up in order. */
export function copyUid(uidvalidity: number, source: UidSet, destination: UidSet): string {
  return `COPYUID ${uidvalidity} ${source} ${destination}`;
}

/** `PERMANENTFLAGS (\Deleted \Seen \*)`; `open` says that new keywords can be made. */
export function permanentFlags(flags: readonly string[], open: boolean): string {
  return `PERMANENTFLAGS (${[...flags, ...(open ? ['\\*'] : [])].join(' ')})`;
}

/** `MODIFIED 7,9`: what a conditional STORE did not touch, in the numbers the command used (RFC 7162 §3.1.3). */
export function modified(numbers: UidSet): string {
  return `MODIFIED ${numbers}`;
}
