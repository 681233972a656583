/** The syntax of cyrus.conf, as Cyrus's master/masterconf.c reads it. */

import type { Finding } from '../finding.ts';

export type Section = 'START' | 'SERVICES' | 'EVENTS' | 'DAEMON';

const sections: readonly string[] = ['START', 'SERVICES', 'EVENTS', 'DAEMON'];

/** One entry: a name and its `key="value"` arguments. */
export interface CyrusEntry {
  readonly section: Section;
  readonly name: string;
  readonly line: number;
  readonly arguments: ReadonlyMap<string, string>;
}

/**
 * The entries of a cyrus.conf in their order. A `#` begins a comment wherever it stands, also between quotes, as in
 * Cyrus. What does not follow the syntax is added to `problems`.
 */
export function parseCyrusConf(text: string, file: string, problems: Finding[]): CyrusEntry[] {
  const entries: CyrusEntry[] = [];
  const names = new Map<string, number>();
  let section: string | undefined;
  let opened = 0;
  text.replace(/^\uFEFF/, '').split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1;
    const problem = (key: string, text: string) => problems.push({ file, line, key, text });
    let rest = (raw.split('#')[0] ?? '').trim();
    if (rest === '') return;
    if (section === undefined) {
      const match = /^([A-Za-z]+)\s*\{\s*(\}?)$/.exec(rest);
      const name = match?.[1]?.toUpperCase() ?? '';
      if (match === null) {
        problem('', `expected a section such as SERVICES {, found "${rest.slice(0, 60)}"`);
        return;
      }
      if (!sections.includes(name)) {
        problem(match[1] ?? '', `unknown section; there are ${sections.join(', ')}`);
      }
      if (match[2] === '') [section, opened] = [name, line];
      return;
    }
    const closes = rest.endsWith('}');
    if (closes) rest = rest.slice(0, -1).trim();
    if (rest !== '') entry(section, rest, line, problem);
    if (closes) section = undefined;
  });
  if (section !== undefined) {
    problems.push({ file, line: opened, key: section, text: 'the section is not closed by }' });
  }
  return entries;

  function entry(
    section: string,
    text: string,
    line: number,
    problem: (key: string, text: string) => void,
  ): void {
    const match = /^([A-Za-z0-9_-]+)(?:\s+(.*))?$/.exec(text);
    if (match === null) {
      problem('', `expected a name and key="value" pairs, found "${text.slice(0, 60)}"`);
      return;
    }
    const name = match[1] ?? '';
    const pairs = new Map<string, string>();
    let rest = match[2] ?? '';
    while (rest !== '') {
      const pair = /^([A-Za-z0-9]+)=(?:"([^"]*)"|([^\s"]\S*|))(?:\s+|$)/.exec(rest);
      if (pair === null) {
        const what = /^[A-Za-z0-9]+="[^"]*$/.test(rest) ? 'the closing " is missing' : 'expected key="value"';
        problem(name, `${what} at "${rest.slice(0, 60)}"`);
        return;
      }
      const key = (pair[1] ?? '').toLowerCase();
      if (pairs.has(key)) problem(name, `${key} is given twice`);
      else pairs.set(key, pair[2] ?? pair[3] ?? '');
      rest = rest.slice(pair[0].length);
    }
    if (!sections.includes(section)) return;
    const before = names.get(`${section} ${name}`);
    if (before !== undefined) problem(name, `was given before, in line ${before}; every name stands once`);
    else entries.push({ section: section as Section, name, line, arguments: pairs });
    names.set(`${section} ${name}`, line);
  }
}
