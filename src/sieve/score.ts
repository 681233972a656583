/** What a scanner said about a message, in one of its header fields (RFC 5235), read as the administrator's settings say. */
import { limits } from '../limits.ts';
import { RegexMachine } from './match/regex/machine.ts';
import { compileRegex } from './match/regex/program.ts';
import type { HeaderView } from './message.ts';
import { lowerAscii } from './octets.ts';

/** A field, and which part of its value counts: the first group of an expression, or all of it. */
export interface ScoreField {
  /** In lower case. */
  readonly name: string;
  readonly expression: RegexMachine | null;
}

/** How a scanner tells. */
export interface ScoreSource {
  readonly status: ScoreField;
  /** A number; as many characters as the number says; or one of the texts. */
  readonly type: 'score' | 'strlen' | 'text';
  /** What the highest score is, or where it stands. */
  readonly max: number | ScoreField | null;
  /** What a text means, on the scale of the test. */
  readonly texts: ReadonlyMap<string, number>;
}

/** `Name` or `Name: expression` (POSIX extended). Throws RegexError. */
export function scoreField(setting: string): ScoreField {
  const colon = setting.indexOf(':');
  const name = lowerAscii((colon < 0 ? setting : setting.slice(0, colon)).trim());
  const pattern = colon < 0 ? '' : setting.slice(colon + 1).trimStart();
  const expression = pattern === '' ? null : new RegexMachine(compileRegex(pattern, 'exact'), true);
  return { name, expression };
}

/** The share of the highest score from 0 to 1, or the value that a text means; null if nothing was said. */
export function readScore(
  header: HeaderView,
  source: ScoreSource,
): { readonly share: number } | { readonly value: number } | null {
  const status = readField(header, source.status);
  if (status === null) return null;
  if (source.type === 'text') {
    const value = source.texts.get(status);
    return value === undefined ? null : { value };
  }
  const max = typeof source.max === 'number'
    ? source.max
    : source.max === null
    ? null
    : number(readField(header, source.max) ?? '');
  const score = source.type === 'strlen' ? status.length : number(status);
  if (score === null || max === null || max <= 0) return null;
  return { share: Math.min(1, Math.max(0, score / max)) };
}

function readField(header: HeaderView, { name, expression }: ScoreField): string | null {
  const [value] = header.fields(name).raw;
  if (value === undefined || expression === null) return value ?? null;
  const text = value.slice(0, limits.sieve_match_pattern.value);
  const slots = expression.find(text);
  const start = slots?.[2] ?? -1;
  return slots === null || start < 0 ? null : text.slice(start, slots[3]);
}

function number(text: string): number | null {
  const found = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)/.exec(text);
  return found === null ? null : Number(found[0]);
}
