/** The syntax of imapd.conf, as Cyrus's lib/libconfig.c reads it. */

import { dirname, resolve } from 'node:path';
import { asMailError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Finding } from '../finding.ts';
import { readSource, type Source } from '../source.ts';

/** One `key: value` line. */
export interface ConfLine {
  readonly file: string;
  readonly line: number;
  /** In lower case. */
  readonly key: string;
  readonly value: string;
}

export interface ConfReading {
  readonly lines: readonly ConfLine[];
  readonly problems: readonly Finding[];
  /** Every file that was read, included ones too. */
  readonly sources: readonly Source[];
}

/** Reads an imapd.conf and what it includes. Syntax errors and files that cannot be read are problems. */
export function readImapdConf(file: string): ConfReading {
  const lines: ConfLine[] = [];
  const problems: Finding[] = [];
  const sources: Source[] = [];
  const seen = new Set<string>();

  const include = (path: string) => {
    const source = readSource(path, true);
    sources.push(source);
    seen.add(resolve(path));
    for (const line of parseLines(source.text, path, problems)) {
      if (line.key !== '@include') {
        lines.push(line);
        continue;
      }
      const target = resolve(dirname(path), line.value);
      const problem = (text: string) => problems.push({ file: path, line: line.line, key: line.key, text });
      if (seen.has(target)) problem(`${target} is included twice`);
      else if (seen.size > limits.config_includes.value) problem('too many included files');
      else {
        try {
          include(target);
        } catch (thrown) {
          problem(asMailError(thrown).message);
        }
      }
    }
  };
  include(file);
  return { lines, problems, sources };
}

/** The `key: value` lines of one text; a backslash at the end continues a line. */
export function parseLines(text: string, file: string, problems: Finding[]): ConfLine[] {
  const found: ConfLine[] = [];
  let begun = '';
  let start = 0;
  text.replace(/^\uFEFF/, '').split(/\r?\n/).forEach((raw, index, all) => {
    if (begun === '') start = index + 1;
    if (raw.endsWith('\\') && index < all.length - 1) {
      begun += raw.slice(0, -1);
      return;
    }
    const whole = (begun + raw).trim();
    begun = '';
    if (whole === '' || whole.startsWith('#')) return;
    const match = /^(@?[A-Za-z0-9_-]*):\s*(.*)$/s.exec(whole);
    const key = (match?.[1] ?? '').toLowerCase();
    const value = match?.[2] ?? '';
    const problem = (text: string) => problems.push({ file, line: start, key, text });
    // Not the whole line: it may be a password whose colon was forgotten.
    if (key === '' || key === '@') {
      problem(`expected "key: value", found "${whole.split(/\s/)[0]?.slice(0, 60)}"`);
    } else if (value === '') problem('the value is missing');
    else if (key.startsWith('@') && key !== '@include') problem('unknown directive; there is @include');
    else found.push({ file, line: start, key, value });
  });
  return found;
}
