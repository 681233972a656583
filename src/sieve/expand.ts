/** What `${…}` in a string means: encoded characters (RFC 5228 §2.4.2.4), then variables (RFC 5229 §3). */
import type { Run } from './run.ts';
import type { Text } from './text.ts';
import { truncated, type Variable } from './variable.ts';

const ENCODED =
  /\$\{(?:hex:([ \t\r\n]*[0-9a-f]{1,2}(?:[ \t\r\n]+[0-9a-f]{1,2})*[ \t\r\n]*)|unicode:([ \t\r\n]*[0-9a-f]+(?:[ \t\r\n]+[0-9a-f]+)*[ \t\r\n]*))\}/gi;

/** Octets with encoded characters decoded, or what is wrong with them. */
export function decodeEncoded(octets: string): { readonly text: string; readonly wrong: string | null } {
  let wrong: string | null = null;
  const text = octets.replace(ENCODED, (whole, hex?: string, unicode?: string) => {
    const numbers = (hex ?? unicode ?? '').trim().split(/[ \t\r\n]+/).map((digits) =>
      Number.parseInt(digits, 16)
    );
    if (hex !== undefined) return String.fromCharCode(...numbers);
    const bad = numbers.find((code) => code > 0x10ffff || code >= 0xd800 && code <= 0xdfff);
    if (bad === undefined) return Buffer.from(String.fromCodePoint(...numbers), 'utf8').toString('latin1');
    wrong ??= `${whole.slice(0, 40)} is no Unicode character: expected 0 to D7FF or E000 to 10FFFF`;
    return '';
  });
  return { text, wrong };
}

/** A reference that was found in a string: its name as it stands, in lower case, split at dots. */
export type Reference = readonly string[];

const REFERENCE = /\$\{((?:[a-z_][a-z0-9_]*\.)*[a-z_][a-z0-9_]*|[0-9]+)\}/gi;

/** The parts of a string: text as it is, and references. Null if there is no reference. */
export function splitReferences(octets: string): (string | Reference)[] | null {
  const parts: (string | Reference)[] = [];
  let plain = 0;
  for (const match of octets.matchAll(REFERENCE)) {
    if (match.index > plain) parts.push(octets.slice(plain, match.index));
    parts.push((match[1] as string).toLowerCase().split('.'));
    plain = match.index + match[0].length;
  }
  if (parts.length === 0) return null;
  if (plain < octets.length) parts.push(octets.slice(plain));
  return parts;
}

/** A string with variables in it. */
export class TemplateText implements Text {
  readonly constant = null;
  readonly #parts: readonly (string | Variable)[];

  constructor(parts: readonly (string | Variable)[]) {
    this.#parts = parts;
  }

  value(run: Run): string {
    let text = '';
    for (let i = 0; i < this.#parts.length; i++) {
      const part = this.#parts[i] as string | Variable;
      text += typeof part === 'string' ? part : part.get(run);
    }
    return run.allocate(truncated(text, run.limits.valueSize));
  }
}
