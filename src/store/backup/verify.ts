/** Reading a target again: every file a manifest names is there and is what was saved, every row has its message. */
import { checkDirectory, checkIndex } from '../check/index.ts';
import type { Layout } from '../layout.ts';
import { errorText } from '../writer/errortext.ts';
import { inTurn } from './inturn.ts';
import { type Manifest, readManifest, runNames } from './manifest.ts';
import { namedBy } from './named.ts';
import { objectName, type Target } from './target.ts';
import { makeWork, removeWork } from './work.ts';

/** Messages read at a time. */
const AT_ONCE = 4;

export interface VerifyOptions {
  /** Of the messages compare only the sizes. */
  readonly quick: boolean;
  /** Only this run; all when undefined. */
  readonly run?: Manifest | undefined;
}

export interface TargetFinding {
  /** Name in the target. */
  readonly place: string;
  readonly text: string;
}

export interface VerifyReport {
  readonly runs: number;
  readonly files: number;
  readonly messages: number;
  /** Bytes that were read. */
  readonly bytes: number;
  readonly findings: readonly TargetFinding[];
}

/** Changes nothing. Uses a folder below configdirectory for one index at a time. */
export async function verifyTarget(
  target: Target,
  layout: Layout,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const findings: TargetFinding[] = [];
  const runs: Manifest[] = [];
  for (const name of options.run === undefined ? await runNames(target) : []) {
    try {
      runs.push(await readManifest(target, name));
    } catch (error) {
      findings.push({ place: name, text: errorText(error) });
    }
  }
  if (options.run !== undefined) runs.push(options.run);
  for (const { name, unsaved } of runs) {
    for (const { userid, place, text } of unsaved) {
      findings.push({ place: name, text: `was saved without ${userid} ${place}: ${text}` });
    }
  }
  const work = makeWork(layout);
  try {
    const { files, contents } = await namedBy(target, runs, work, {
      database: (path, userid, name) => {
        const found = userid === '' ? checkDirectory(path) : checkIndex(path, userid);
        for (const { severity, place, text } of found) {
          if (severity === 'damage') {
            findings.push({ place: name, text: `${userid} ${place}: ${text}`.trim() });
          }
        }
      },
      failed: (place, error) => findings.push({ place, text: errorText(error) }),
    });
    let messages = 0;
    let bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
    for (const page of contents.pages()) {
      await inTurn(page, AT_ONCE, async ({ hash, size }) => {
        const name = objectName(hash);
        const text = await problemOf(target, name, options.quick ? null : hash, size);
        if (text !== null) findings.push({ place: name, text });
        messages++;
        if (!options.quick) bytes += size;
      });
    }
    contents.close();
    return { runs: runs.length, files: files.size, messages, bytes, findings };
  } finally {
    removeWork(work);
  }
}

async function problemOf(
  target: Target,
  name: string,
  hash: string | null,
  size: number,
): Promise<string | null> {
  const actual = await target.size(name);
  if (actual === null) return 'the message is missing';
  if (actual !== size) return `has ${actual} bytes instead of ${size}`;
  if (hash === null) return null;
  const hasher = new Bun.CryptoHasher('sha256');
  try {
    for await (const block of target.read(name)) hasher.update(block);
  } catch (error) {
    return errorText(error);
  }
  return hasher.digest('hex') === hash ? null : 'does not have the bytes that were saved';
}
