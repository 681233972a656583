/** What the body test looks at (RFC 5173 §5), as octets of UTF-8, one string per part. Bounded by `limits.sieve_body`. */

import { limits } from '../../limits.ts';
import { bytesToOctets, toOctets } from '../octets.ts';
import { SLICE, type Slices } from '../slices.ts';
import { allParts, decodedText, type MimePart, readableText } from './part.ts';

/** §5.1 :raw */
export function rawBody(body: Uint8Array): string {
  return bytesToOctets(body.subarray(0, limits.sieve_body.value));
}

/** §5.2 :content. */
export function* contentOf(root: MimePart, types: readonly string[]): Slices<string[]> {
  const wanted = types.map((type) => type.toLowerCase());
  const out: string[] = [];
  const budget: Budget = { left: limits.sieve_body.value, slice: SLICE };
  for (const part of allParts(root)) {
    if (!wanted.some((type) => isOfType(part, type))) continue;
    switch (part.place.kind) {
      case 'multipart':
        for (const text of part.surroundings()) out.push(take(text, budget));
        break;
      case 'message':
        out.push(take(part.children[0]?.header ?? part.body, budget));
        break;
      default: {
        const text = yield* decodedText(part, budget.left);
        if (text === null) break;
        if (spend(part, budget)) yield;
        out.push(toOctets(text));
      }
    }
  }
  return out;
}

/** §5.3 :text: parts that are text, HTML without its mark-up. */
export function* textOf(root: MimePart): Slices<string[]> {
  const out: string[] = [];
  const budget: Budget = { left: limits.sieve_body.value, slice: SLICE };
  for (const part of allParts(root)) {
    const text = yield* readableText(part, budget.left);
    if (text === null) continue;
    if (spend(part, budget)) yield;
    out.push(toOctets(text));
  }
  return out;
}

interface Budget {
  left: number;
  /** Octets until a slice ends. */
  slice: number;
}

/** True each time when a slice's worth of parts was decoded. */
function spend({ place: { bodyStart, end } }: MimePart, budget: Budget): boolean {
  const size = Math.min(budget.left, end - bodyStart);
  budget.left -= size;
  budget.slice -= size;
  if (budget.slice > 0) return false;
  budget.slice = SLICE;
  return true;
}

function take(bytes: Uint8Array, budget: Budget): string {
  const taken = bytes.subarray(0, budget.left);
  budget.left -= taken.length;
  return bytesToOctets(taken);
}

/** §5.2: `type`, `type/subtype`, or '' for every type; what begins or ends with a slash or has two is none. */
function isOfType({ type: { type, subtype } }: MimePart, wanted: string): boolean {
  if (wanted === '') return true;
  const slash = wanted.indexOf('/');
  if (slash < 0) return type === wanted;
  return slash > 0 && slash < wanted.length - 1 && wanted === `${type}/${subtype}`;
}
