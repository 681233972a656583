/** The DSCP marks `qosmarking` names, as traffic class bytes: the code point in the upper six bits. */

const NAMED: Readonly<Record<string, number>> = { ef: 46 };

/**
 * The byte for IP_TOS and IPV6_TCLASS. `csN` is class N (RFC 2474 §4.2.2), `afXY` class X with drop precedence Y
 * (RFC 2597 §6), `ef` expedited forwarding (RFC 3246 §2.7); anything else is 0.
 */
export function trafficClass(mark: string): number {
  const named = NAMED[mark];
  if (named !== undefined) return named << 2;
  const selector = /^cs([0-7])$/.exec(mark);
  if (selector !== null) return (Number(selector[1]) << 3) << 2;
  const assured = /^af([1-4])([1-3])$/.exec(mark);
  if (assured !== null) return ((Number(assured[1]) << 3) | (Number(assured[2]) << 1)) << 2;
  return 0;
}
