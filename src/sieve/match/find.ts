/** Finding one text in another in time linear in the longer one, whatever both are. */

/** The first offset at or behind `from` where the text stands in `text`, or -1. */
export type Find = (text: string, from: number) => number;

/** Up to this length the runtime's search costs at worst so many comparisons per character. */
const SHORT = 64;

/** Makes ready to look for `needle`. */
export function finder(needle: string): Find {
  if (needle.length <= SHORT) return (text, from) => text.indexOf(needle, from);
  const borders = borderTable(needle);
  return (text, from) => knuthMorrisPratt(needle, borders, text, from);
}

/** Microseconds, about, to look for it in a kilobyte. */
export function finderWeight(needle: string): number {
  return needle.length <= SHORT ? 1 : 10;
}

/** For each prefix, the length of its longest proper prefix that is its suffix too. */
function borderTable(needle: string): Uint32Array {
  const borders = new Uint32Array(needle.length);
  let length = 0;
  for (let i = 1; i < needle.length; i++) {
    while (length > 0 && needle.charCodeAt(i) !== needle.charCodeAt(length)) {
      length = borders[length - 1] as number;
    }
    if (needle.charCodeAt(i) === needle.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}

function knuthMorrisPratt(needle: string, borders: Uint32Array, text: string, from: number): number {
  let length = 0;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    while (length > 0 && c !== needle.charCodeAt(length)) length = borders[length - 1] as number;
    if (c === needle.charCodeAt(length)) length++;
    if (length === needle.length) return i + 1 - length;
  }
  return -1;
}
