/**
 * The steps of `install` and `uninstall`. Each knows whether it is needed, so that doing everything twice is doing
 * it once, and a dry run is the same list with nothing done.
 *
 * Invariants:
 * 1. A configuration that exists is never written over, and no mail is ever removed.
 * 2. A file is complete before it has its name: a running server keeps the executable it was started from.
 */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** One thing to do. */
export interface Step {
  /** What it does, in the imperative: "write /etc/...". */
  readonly text: string;
  needed(): boolean;
  apply(): void;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A folder with mode and owner; one that exists keeps both, an administrator may have changed them. */
export function folder(path: string, mode: number, owner?: () => Account | undefined): Step {
  return {
    text: `make folder ${path}`,
    needed: () => statSync(path, { throwIfNoEntry: false }) === undefined,
    apply: () => {
      mkdirSync(path, { recursive: true });
      chmodSync(path, mode);
      const account = owner?.();
      if (account !== undefined) chownSync(path, account.uid, account.gid);
    },
  };
}

/** Writes beside the place and moves there (invariant 2). */
function place(path: string, write: (temporary: string) => void, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  write(temporary);
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A text file of ours, brought up to date. */
export function file(path: string, text: string, mode: number): Step {
  return {
    text: `write ${path}`,
    needed: () => contentOf(path) !== text,
    apply: () => place(path, (temporary) => writeFileSync(temporary, text), mode),
  };
}

/** A text file that is the administrator's once it exists (invariant 1). */
export function fileOnce(path: string, text: string, mode: number, group?: () => Account | undefined): Step {
  return {
    text: `write ${path}`,
    needed: () => lstatSync(path, { throwIfNoEntry: false }) === undefined,
    apply: () => {
      place(path, (temporary) => writeFileSync(temporary, text), mode);
      const account = group?.();
      if (account !== undefined) chownSync(path, 0, account.gid);
    },
  };
}

/** A copy of the executable. */
export function executable(path: string, source: string): Step {
  return {
    text: `copy ${source} to ${path}`,
    needed: () => {
      const there = statSync(path, { throwIfNoEntry: false });
      const here = statSync(source);
      if (there === undefined) return true;
      if (there.ino === here.ino && there.dev === here.dev) return false;
      return there.size !== here.size || !readFileSync(path).equals(readFileSync(source));
    },
    apply: () => place(path, (temporary) => copyFileSync(source, temporary), 0o755),
  };
}

/** A link named after a command. Something else of that name is left alone. */
export function link(path: string, target: string): Step {
  return {
    text: `link ${path} to ${target}`,
    needed: () => lstatSync(path, { throwIfNoEntry: false }) === undefined,
    apply: () => symlinkSync(target, path),
  };
}

/** Runs a program. `needed` decides before, so that a second run does nothing. */
export function command(argv: readonly string[], needed: () => boolean): Step {
  return {
    text: `run ${argv.join(' ')}`,
    needed,
    apply: () => {
      const done = Bun.spawnSync([...argv], { stdout: 'ignore', stderr: 'pipe' });
      if (!done.success) throw new Error(`${argv.join(' ')}: ${done.stderr.toString().trim()}`);
    },
  };
}

/** Removes one of our files. A link only if it points where ours did. */
export function remove(path: string, target?: string): Step {
  return {
    text: `remove ${path}`,
    needed: () => {
      const there = lstatSync(path, { throwIfNoEntry: false });
      if (there === undefined) return false;
      return target === undefined || (there.isSymbolicLink() && readlinkSync(path) === target);
    },
    apply: () => rmSync(path),
  };
}
