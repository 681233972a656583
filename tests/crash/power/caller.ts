/**
 * Each connection of a client has a loopback address of its own, by which the trace tells what was sent to it. Ports would not do: one
 * that is free again is used again, and for another service at once, and what went out to both would count for the later one.
 */

let callers = 0;

/** The next caller; 0 is never one. */
export function newCaller(): { readonly caller: number; readonly localAddress: string } {
  const caller = ++callers;
  return { caller, localAddress: `127.${1 + (caller >> 16)}.${(caller >> 8) & 255}.${caller & 255}` };
}

/** Whose address this is. */
export function callerAt(address: string): number {
  const [, second = 0, third = 0, fourth = 0] = address.split(/\./).map(Number);
  return ((second - 1) << 16) + (third << 8) + fourth;
}
