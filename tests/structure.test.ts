/** The shape of the house, as far as a program can see it: imports point down, nothing goes in circles. */

import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const ROOT = join(import.meta.dir, '..');
const LONGEST_FILE = 500;

/** Rooms from the top down; a file may import from its own room and from rooms below. Rooms of one row are strangers. */
const LAYERS: readonly (readonly string[])[] = [
  ['main.ts'],
  ['cli'],
  ['server'],
  ['imap', 'pop3', 'lmtp', 'managesieve', 'smmap', 'notifyd', 'authd'],
  ['delivery'],
  ['outgoing'],
  ['auth'],
  ['store'],
  ['sieve'],
  ['mime'],
  ['net'],
  ['config'],
  ['limits.ts', 'limits', 'errors.ts', 'version.ts', 'telemetry', 'crypto.ts'],
];

/** Statements at the beginning of a line, over as many lines as they take, and imports at run time. */
const IMPORTS = [/^(?:import|export)\b[^;'`]*?'(\.[^']*)'/gm, /\bimport\('(\.[^']*)'/g];

interface Source {
  readonly path: string;
  readonly text: string;
  /** Files of the project it imports, as paths from the project's root. */
  readonly imports: readonly string[];
}

function typescriptFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort();
}

function load(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports: string[] = [];
  for (const pattern of IMPORTS) {
    for (const match of text.matchAll(pattern)) {
      imports.push(relative('.', normalize(join(dirname(path), match[1] ?? ''))));
    }
  }
  return { path, text, imports };
}

const sources = typescriptFiles('src').map(load);
const everything = [
  ...sources,
  ...typescriptFiles('tests').map(load),
  ...typescriptFiles('scripts').map(load),
];

function room(path: string): string {
  return path.split('/')[1] ?? '';
}

function layer(path: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room(path)));
}

test('every file stands in a room that has its place', () => {
  expect(sources.filter((source) => layer(source.path) < 0).map((source) => source.path)).toEqual([]);
});

/**
 * The bottom row is common ground: its files know each other, and the version comes from package.json. What
 * `install` puts in place is built into the executable as text.
 */
function mayImport(from: string, target: string): boolean {
  if (target === 'package.json') return room(from) === 'version.ts';
  if (/^(config|systemd)\//.test(target)) return from === 'src/cli/install/assets.ts';
  if (!target.startsWith('src/')) return false;
  const bottom = LAYERS.length - 1;
  return room(from) === room(target) || layer(from) < layer(target) ||
    layer(from) === bottom && layer(target) === bottom;
}

test('imports point down', () => {
  const wrong = sources.flatMap((source) =>
    source.imports.filter((target) => !mayImport(source.path, target))
      .map((target) => `${source.path} imports ${target}`)
  );
  expect(wrong).toEqual([]);
});

test('every import names an existing file with its extension', () => {
  const known = new Set(everything.map((source) => source.path));
  const missing = everything.flatMap((source) =>
    source.imports.filter((target) => target.endsWith('.ts') ? !known.has(target) : !/\.\w+$/.test(target))
      .map((target) => `${source.path} imports ${target}`)
  );
  expect(missing).toEqual([]);
});

test('no imports in circles', () => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      circles.push([...trail.slice(at), path].join(' > '));
      return;
    }
    if (done.has(path)) return;
    for (const target of byPath.get(path)?.imports ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const source of sources) visit(source.path, []);
  expect(circles).toEqual([]);
});

test(`no file over ${LONGEST_FILE} lines`, () => {
  const long = everything
    .map((source) => ({ path: source.path, lines: source.text.split('\n').length - 1 }))
    .filter((file) => file.lines > LONGEST_FILE);
  expect(long).toEqual([]);
});

test('nothing escapes the types', () => {
  const escape = /(?::\s*any\b|\bas any\b|<any\b|\bany\[\]|@ts-(?:ignore|nocheck|expect-error))/;
  const found = everything.flatMap((source) =>
    source.text.split('\n').flatMap((line, index) => {
      const code = line.replace(/'(?:[^'\\]|\\.)*'|`[^`]*`|\/(?![/*])(?:[^/\\\n]|\\.)+\//g, '');
      const isComment = /^\s*(?:\/\/|\/?\*)/.test(code) && !code.includes('@ts-');
      return !isComment && escape.test(code) ? [`${source.path}:${index + 1}: ${line.trim()}`] : [];
    })
  );
  expect(found).toEqual([]);
});

test('only the border of the store speaks SQL', () => {
  const outside = sources.filter((source) =>
    room(source.path) !== 'store' && /'bun:sqlite'/.test(source.text)
  );
  expect(outside.map((source) => source.path)).toEqual([]);
});

test('no test is left out', () => {
  const left = everything.filter((source) =>
    source.path.startsWith('tests/') &&
    /\b(?:test|it|describe)\.(?:skip|skipIf|todo|only|if)\b/.test(source.text)
  );
  expect(left.map((source) => source.path).filter((path) => path !== 'tests/structure.test.ts')).toEqual([]);
});
