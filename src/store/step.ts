/**
 * The named steps of the write path: places where a crash leaves something half done, so that the crash machine can kill a process
 * at each of them in turn. Only test builds (`scripts/build --steps`) and the source itself have them: in a release `step` is empty.
 *
 * A store started with MAILSTORE_STEPS=FOLDER looks there at every step:
 *   FOLDER/armed.STEP     "COUNT PID MARK": at its COUNT-th pass of the step with this text the process kills itself, and process PID
 *                         before it unless that is 0; as many steps may be armed as one likes, the first process takes the file away
 *   FOLDER/reached.STEP   made at a process's first pass, so that a step which no workload reaches is found
 */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** All steps, each in the order in which it is passed. */
export const STEPS = [
  // A large message on its way in (worker).
  'stage.opened',
  'stage.written',
  'stage.synced',
  'stage.finished',
  // A batch of changes (writer).
  'batch.taken',
  'batch.decided',
  'file.written',
  'file.linked',
  'files.placed',
  'log.writing',
  'log.written',
  'log.synced',
  'log.marked',
  'batch.durable',
  'commit.owner',
  'commit.directorynext',
  'commit.directory',
  'batch.committed',
  'batch.aftercommit',
  'batch.told',
  'batch.answered',
  'rollback.owner',
  'rollback.files',
  // A new segment.
  'segment.closed',
  'segment.created',
  'segment.written',
  'segment.synced',
  'segment.named',
  // A checkpoint (janitor and writer).
  'checkpoint.synced',
  'unlink.file',
  'note.written',
  'note.synced',
  'note.renamed',
  'note.named',
  'journal.folded',
  'segment.unlinked',
  'segments.removed',
  'stage.unlinked',
  // A snapshot (janitor).
  'snapshot.copied',
  'snapshot.verified',
  'snapshot.synced',
  'snapshot.renamed',
  // A new writer.
  'recovery.tail',
  'recovery.directory',
  'recovery.section',
  'recovery.record',
  'recovery.committing',
  'recovery.gone',
  'recovery.done',
  // An index built anew.
  'rebuild.aside',
  'rebuild.copied',
  'rebuild.replayed',
  'rebuild.done',
  // directory.db made anew.
  'directory.aside',
  'directory.made',
  'directory.synced',
  'directory.done',
  // Expiry (writer) and a removed user's folders.
  'expire.slice',
  'expire.done',
  'remove.index',
  'remove.messages',
  'owner.aside',
  // Stage files of dead processes (janitor).
  'sweep.stage',
] as const;

export type Step = (typeof STEPS)[number];

declare const MAILSTORE_STEPS: boolean | undefined;

const passes = new Map<string, number>();
const reached = new Set<Step>();

/** A process that is killed here leaves the store as it is at this moment. */
export function step(name: Step): void {
  if (typeof MAILSTORE_STEPS === 'undefined' || MAILSTORE_STEPS) {
    const folder = process.env['MAILSTORE_STEPS'];
    if (folder !== undefined) pass(folder, name);
  }
}

function pass(folder: string, name: Step): void {
  if (!reached.has(name)) {
    reached.add(name);
    writeFileSync(join(folder, `reached.${name}`), '');
  }
  const path = join(folder, `armed.${name}`);
  let armed: string;
  try {
    armed = readFileSync(path, 'latin1');
  } catch {
    return; // it is not armed
  }
  const key = `${name} ${armed}`;
  const passed = (passes.get(key) ?? 0) + 1;
  passes.set(key, passed);
  const [count, other] = armed.split(' ');
  if (passed < Number(count)) return;
  try {
    unlinkSync(path);
  } catch {
    return; // another process was first
  }
  if (Number(other) > 0) process.kill(Number(other), 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
}
