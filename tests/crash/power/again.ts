/**
 * Losing the power once more: the first start on a disk as a loss of power left it is recorded itself, and the power goes at any
 * moment of it.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from './disk.ts';
import { Recorder, type Tree } from './recording.ts';
import type { Owed, State } from './reference.ts';
import type { Machine, Subject } from './states.ts';
import { straceCommand } from './trace.ts';

/** What was recorded, ready to be opened; or why it could not be. */
export type Second = { readonly subject: Subject } | { readonly wrong: string };

/**
 * Records the first start on a disk.
 * @param machine stands at the moment at which the power went
 * @param folder where the disk is put, and the trace
 * @param id unique, for the messages that are delivered then
 */
export function recordRecovery(machine: Machine, image: Image, folder: string, id: string): Second {
  const { settings, states } = machine.subject;
  const root = join(folder, 'root');
  const trace = join(folder, 'trace');
  mkdirSync(folder, { recursive: true });
  machine.put(image, root);
  const program = join(import.meta.dir, 'recoverer.ts');
  const command = [...straceCommand(trace), process.execPath, program, JSON.stringify(settings), id];
  const done = Bun.spawnSync(command, { cwd: root, stdout: 'pipe', stderr: 'pipe' });
  if (done.exitCode !== 0) return { wrong: `ended (${done.exitCode}): ${done.stderr.toString()}` };
  const recording = Recorder.record(root, readFileSync(trace), treeOf(image));
  rmSync(folder, { recursive: true, force: true });
  const all: State[] = [...states];
  const owed: Owed[] = [{ at: 0, state: machine.oldest }];
  for (const { at, text } of recording.sent) {
    if (!text.startsWith('at ')) continue;
    const hash = text.slice('at '.length);
    let state = all.findLastIndex((one) => one.hash === hash);
    // Only what came to it later is new.
    if (state === -1 && owed.length > 1) state = all.push({ lsn: Infinity, hash, rows: [] }) - 1;
    if (state < machine.oldest) return { wrong: `was at state ${state} of ${states.length} then` };
    owed.push({ at, state });
  }
  return {
    subject: { settings, recording, states: all, owed, highestLsn: machine.highestLsn, told: machine.told },
  };
}

function treeOf({ folders, files }: Image): Tree {
  const tree: [string, Tree extends ReadonlyMap<string, infer Entry> ? Entry : never][] = [];
  for (const path of folders) tree.push([path, null]);
  const first = new Map<number, string>();
  for (const { path, node, bytes, size } of files) {
    tree.push([path, { bytes, size, other: first.get(node) ?? null }]);
    if (!first.has(node)) first.set(node, path);
  }
  return new Map(tree);
}
