/** The comparators there are. All but the first two need a `require "comparator-NAME"` (RFC 5228 §2.7.3). */
import { asciiCasemap } from './asciicasemap.ts';
import { asciiNumeric } from './asciinumeric.ts';
import type { Comparator } from './comparator.ts';
import { octet } from './octet.ts';
import { unicodeCasemap } from './unicodecasemap.ts';

export const COMPARATORS: readonly Comparator[] = [octet, asciiCasemap, asciiNumeric, unicodeCasemap];

const byName = new Map(COMPARATORS.map((comparator) => [comparator.name, comparator]));

/** A comparator by its name, or null. */
export function comparatorNamed(name: string): Comparator | null {
  return byName.get(name.toLowerCase()) ?? null;
}
