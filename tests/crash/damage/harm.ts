/** Damaging files: which, and how. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from './random.ts';

/** A file of the store that can be damaged. */
export interface Victim {
  path: string;
  kind: 'index' | 'journal' | 'directory' | 'log' | 'snapshot' | 'checkpoint' | 'mark' | 'message';
  /** Userid of the owner it belongs to, or ''. */
  userid: string;
}

export const WEIGHTS: Record<Victim['kind'], number> = {
  index: 6,
  journal: 4,
  directory: 4,
  log: 4,
  snapshot: 2,
  checkpoint: 1,
  mark: 1,
  message: 4,
};

export function victims(root: string): Victim[] {
  const out: Victim[] = [];
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, name);
    if (!statSync(path).isFile()) continue;
    const userid = /\/user\/([a-z]{2,})\//.exec(name)?.[1] ?? '';
    const kind = /\/user\/.*index\.db$/.test(name)
      ? 'index'
      : /index\.db-wal$/.test(name)
      ? 'journal'
      : /directory\.db(-wal)?$/.test(name)
      ? 'directory'
      : /\.log$/.test(name)
      ? 'log'
      : /snapshot$/.test(name)
      ? 'snapshot'
      : /checkpoint(\.copy)?$/.test(name)
      ? 'checkpoint'
      : /log\/synced$/.test(name)
      ? 'mark'
      : /\/[0-9a-f]{4}\/[0-9a-f]{40}\./.test(name)
      ? 'message'
      : null;
    if (kind !== null) out.push({ path, kind, userid });
  }
  return out;
}

export const HARMS = [
  'flip a bit',
  'flip eight bits',
  'zero 512',
  'zero 4096',
  'garble 512',
  'cut short',
  'remove',
] as const;

/** Damages a file. False when its bytes are what they were. */
export function harm(path: string, how: (typeof HARMS)[number], random: Random): boolean {
  if (how === 'remove') {
    rmSync(path);
    return true;
  }
  const before = readFileSync(path);
  if (before.length === 0) return false;
  let after = Buffer.from(before);
  const at = random(after.length);
  const block = (size: number): Buffer => {
    const from = Math.floor(at / size) * size;
    return after.subarray(from, Math.min(after.length, from + size));
  };
  const flip = (): void => {
    const place = random(after.length);
    after[place] = (after[place] as number) ^ (1 << random(8));
  };
  if (how === 'flip a bit') flip();
  else if (how === 'flip eight bits') { for (let n = 0; n < 8; n++) flip(); }
  else if (how === 'zero 512') block(512).fill(0);
  else if (how === 'zero 4096') block(4096).fill(0);
  else if (how === 'garble 512') { for (const [n] of block(512).entries()) block(512)[n] = random(256); }
  else after = after.subarray(0, at);
  if (after.equals(before)) return false;
  // The file may be hard-linked: the damage is in the blocks, so all its names have it.
  writeFileSync(path, after);
  return true;
}
