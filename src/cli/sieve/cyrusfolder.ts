/**
 * The Sieve scripts of a Cyrus server as they lie in its `sievedir`: a folder for each user under a letter, a folder `global`,
 * and the same again for each virtual domain. A script is a file NAME.script; a link `defaultbc` (Cyrus 2.2 and later) or
 * `default` names the active one.
 */

import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MailError, userError } from '../../errors.ts';
import { limits } from '../../limits.ts';

/** A script in a file. */
export interface FoundScript {
  readonly name: string;
  readonly file: string;
  /** Its bytes, or why they cannot be had. */
  readonly content: Buffer | MailError;
}

/** The scripts of one user, or those all users may include. */
export interface FoundScripts {
  /** As the folder is called, `^` for `.`; '' for the global ones. */
  readonly user: string;
  /** The virtual domain, '' for none. */
  readonly domain: string;
  readonly scripts: readonly FoundScript[];
  /** The name of the active one, whether or not it is there; null for none. */
  readonly active: string | null;
}

/** Ends of names that are scripts. */
const SCRIPT = /\.(?:script|sieve)$/;
/** What Cyrus hashes users and domains by: their first letter, or one of 23 capitals with `fulldirhash`. */
const HASH = /^[A-Za-z]$/;

/**
 * All scripts below a `sievedir`.
 * @throws MailError 'nonexistent' for a folder that cannot be read, 'cannot' for one that is no sievedir
 */
export function readSieveFolder(folder: string): FoundScripts[] {
  const found: FoundScripts[] = [...readDomain(folder, '')];
  for (const letter of foldersIn(join(folder, 'domain'), true).filter((name) => HASH.test(name))) {
    for (const domain of foldersIn(join(folder, 'domain', letter))) {
      found.push(...readDomain(join(folder, 'domain', letter, domain), domain));
    }
  }
  if (found.length === 0) {
    throw userError(
      'cannot',
      `${folder} has no folders of users as a sievedir has them (${folder}/d/django/NAME.script)`,
    );
  }
  return found;
}

function readDomain(folder: string, domain: string): FoundScripts[] {
  const names = foldersIn(folder);
  const users = names.filter((name) => HASH.test(name)).flatMap((letter) =>
    foldersIn(join(folder, letter)).map((user) => readUserFolder(join(folder, letter, user), user, domain))
  );
  const global = names.includes('global') ? [readUserFolder(join(folder, 'global'), '', domain)] : [];
  return [...global, ...users].filter(({ scripts, active }) => scripts.length > 0 || active !== null);
}

/** The scripts of one folder. @throws MailError 'nonexistent' for a folder that cannot be read */
export function readUserFolder(folder: string, user: string, domain: string): FoundScripts {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (thrown) {
    throw unreadable(folder, thrown);
  }
  const scripts = names.filter((name) => SCRIPT.test(name)).map((name) => {
    const file = join(folder, name);
    return { name: name.replace(SCRIPT, ''), file, content: readScript(file) };
  });
  return { user, domain, scripts, active: activeOf(folder, names) };
}

/** The script a user keeps at home (`sieveusehomedir`); null where there is none. */
export function readHomeScript(home: string, user: string): FoundScripts | null {
  const file = join(home, '.sieve');
  const content = readScript(file);
  if (content instanceof MailError && content.code === 'nonexistent') return null;
  return { user, domain: '', scripts: [{ name: 'sieve', file, content }], active: 'sieve' };
}

/** What the link says is active: `defaultbc -> NAME.bc`, `default -> NAME.script`. */
function activeOf(folder: string, names: readonly string[]): string | null {
  for (const link of ['defaultbc', 'default']) {
    if (!names.includes(link)) continue;
    try {
      return basename(readlinkSync(join(folder, link))).replace(/\.(?:bc|script|sieve)$/, '');
    } catch {
      // No link but a file somebody put there: it names nothing.
    }
  }
  return null;
}

/** A regular file and nothing a link leads to: the folder may be a user's, the reader is root. */
function readScript(file: string): Buffer | MailError {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    return unreadable(file, thrown);
  }
  try {
    const { size } = fstatSync(fd);
    if (!fstatSync(fd).isFile()) return userError('cannot', 'it is no file');
    if (size > limits.store_script_size.value) {
      return userError(
        'cannot',
        `it has ${size} bytes, and no script may have more than ${limits.store_script_size.value}`,
      );
    }
    return readFileSync(fd);
  } catch (thrown) {
    return unreadable(file, thrown);
  } finally {
    closeSync(fd);
  }
}

function foldersIn(folder: string, mayLack = false): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((
      { name },
    ) => name).sort();
  } catch (thrown) {
    if (mayLack && codeOf(thrown) === 'ENOENT') return [];
    throw unreadable(folder, thrown);
  }
}

function unreadable(path: string, thrown: unknown): MailError {
  const code = codeOf(thrown);
  return userError(
    code === 'ENOENT' ? 'nonexistent' : 'cannot',
    code === 'ELOOP'
      ? 'it is a link'
      : `${path} cannot be read: ${thrown instanceof Error ? thrown.message : thrown}`,
  );
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
