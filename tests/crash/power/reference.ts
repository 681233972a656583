/**
 * The states a store can rightly be in: what it holds after each record of the redo log, made by applying the recorded log from its
 * beginning in a folder of its own; and from which of these states on each acknowledged change must be there.
 *
 * The states say what the store takes its own log to mean, the promises what its clients were told: each promise is compared with the
 * states here, once, so that afterwards a recovered store only has to be one of the states, none older than the last promise.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../../../src/config/settings.ts';
import { Directory } from '../../../src/store/index/directory.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import type { LogRecord } from '../../../src/store/log/record.ts';
import { readLog } from '../../../src/store/log/redo.ts';
import { Spool } from '../../../src/store/spool/spool.ts';
import { OwnerPool } from '../../../src/store/writer/owners.ts';
import { Recovery } from '../../../src/store/writer/recover.ts';
import type { OwnerRow } from '../../../src/store/index/directory.ts';
import { Lines } from '../../store/teststore.ts';
import { type Contents, readContents } from './contents.ts';
import { type Acknowledged, unkept } from './expected.ts';
import { findAll, type Found } from './found.ts';
import type { Recording } from './operation.ts';
import type { Recorded } from './workload.ts';

/** One rightful state. */
export interface State {
  /** LSN of the last record in it; 0 for the empty store. */
  readonly lsn: number;
  /** Of `readContents`. */
  readonly hash: string;
  /** Hashes of its rows, to tell what is different in a store that is in no state. */
  readonly rows: readonly number[];
}

/** A moment from which a state is owed. */
export interface Owed {
  readonly at: number;
  /** Index of the oldest state that is right from then on. */
  readonly state: number;
}

export interface Reference {
  readonly states: readonly State[];
  /** In order of time; both numbers only grow. */
  readonly owed: readonly Owed[];
  /** Acknowledged changes: how many of them are owed at the end. */
  readonly changes: number;
  /** Where promises and log differ: wrong without any loss of power. */
  readonly wrong: readonly string[];
}

export function stateOf(lsn: number, { hash, rows }: Contents): State {
  return { lsn, hash, rows: rows.map((row) => Bun.hash.xxHash32(row)) };
}

/** How a store differs from the state that is most like it. */
export function difference(contents: Contents, states: readonly State[]): string {
  const own = contents.rows.map((row) => Bun.hash.xxHash32(row));
  let nearest = { count: Infinity, text: 'there are no states' };
  for (const { lsn, rows } of states) {
    const known = new Set(rows);
    const fresh = contents.rows.filter((_, index) => !known.has(own[index] ?? 0));
    const missing = new Set(rows).difference(new Set(own)).size;
    const count = fresh.length + missing;
    if (count >= nearest.count) continue;
    const some = fresh.slice(0, 4).map((row) => row.slice(0, 300)).join('; ');
    nearest = { count, text: `${lsn} is most like it, which lacks ${some} and has ${missing} other rows` };
  }
  return nearest.text;
}

/** Makes all states. The current folder of the process becomes `folder`. */
export function makeReference(recorded: Recorded, folder: string): Reference {
  const { settings, recording } = recorded;
  const layout = layoutOf(settings);
  mkdirSync(folder, { recursive: true });
  process.chdir(folder);
  writeAll(recording, folder);
  for (const path of Object.values(settings.partition)) mkdirSync(path, { recursive: true });
  const records: LogRecord[] = [];
  readLog(layout.log, 0, (record) => records.push(record));
  const spool = new Spool(settings.partition);
  const directory = new Directory(layout.directory, true);
  const owners = new OwnerPool(layout, spool, () => 0);
  const lines = new Lines();
  const recovery = new Recovery(directory, owners, spool, lines, false, layout.log);
  const removeFolders = (owner: OwnerRow): void => {
    owners.drop(owner.id);
    owners.release(owner.id);
    rmSync(layout.userFolder(owner.folder), { recursive: true, force: true });
  };
  const states: State[] = [stateOf(0, readContents(settings, false))];
  const found: Found[] = [findAll(settings)];
  for (const record of records) {
    recovery.apply(record);
    recovery.finish(removeFolders);
    states.push(stateOf(record.l, readContents(settings, false)));
    found.push(findAll(settings, found.at(-1)));
  }
  const wrong = lines.lines.map((line) => `reference: ${line}`);
  const owed = owedStates(recorded, found, wrong);
  wrong.push(...compareBodies(recorded.acknowledged, found, settings));
  owners.closeAll();
  directory.close();
  return { states, owed, changes: recorded.acknowledged.length, wrong };
}

/** All segments that ever were, and all large bodies, also those removed later. */
function writeAll(recording: Recording, folder: string): void {
  const paths = new Map<number, string>();
  const contents = new Map<number, { offset: number; bytes: Buffer }[]>();
  for (const { change } of recording.operations) {
    if (change.kind === 'make' && !change.folder && /^state\/log\/.*\.log$|\/stage\.\//.test(change.path)) {
      paths.set(change.node, change.path);
      contents.set(change.node, []);
    }
    if (change.kind === 'data') contents.get(change.node)?.push(change);
  }
  for (const [node, path] of paths) {
    const writes = contents.get(node) ?? [];
    const bytes = Buffer.alloc(
      writes.reduce((most, one) => Math.max(most, one.offset + one.bytes.length), 0),
    );
    for (const { offset, bytes: written } of writes) written.copy(bytes, offset);
    const place = join(folder, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, bytes);
    chmodSync(place, 0o600);
  }
}

/** From which state on each promise is kept, and when it was made. */
function owedStates(recorded: Recorded, found: readonly Found[], wrong: string[]): Owed[] {
  const moments = momentsOf(recorded, wrong);
  const reached = new Map<string, number>();
  const owed: Owed[] = [];
  for (const [index, acknowledged] of recorded.acknowledged.entries()) {
    const at = moments[index];
    if (at === undefined) continue;
    // One client's changes follow each other; those of different clients do not.
    const client = acknowledged.kind === 'client'
      ? acknowledged.client
      : acknowledged.kind === 'delivered'
      ? ''
      : acknowledged.user;
    const from = client === '' ? 0 : reached.get(client) ?? 0;
    const state = found.findIndex((one, number) => number >= from && isKept(acknowledged, one));
    if (state === -1) {
      const why = acknowledged.kind === 'client'
        ? unkept(acknowledged.promise, found[found.length - 1]?.owners ?? new Map()).slice(0, 5).join('; ')
        : JSON.stringify({ ...acknowledged, sent: undefined });
      wrong.push(`acknowledged and in no state: ${client} ${why}`);
      continue;
    }
    reached.set(client, state);
    owed.push({ at, state });
  }
  owed.sort((a, b) => a.at - b.at);
  let highest = 0;
  return owed.map(({ at, state }) => ({ at, state: highest = Math.max(highest, state) }));
}

function isKept(acknowledged: Acknowledged, found: Found): boolean {
  switch (acknowledged.kind) {
    case 'client':
      return unkept(acknowledged.promise, found.owners).length === 0;
    case 'added':
      return found.secrets.has(acknowledged.user);
    case 'purged':
      return !found.secrets.has(acknowledged.user) && !found.owners.has(acknowledged.user);
    case 'filtered': {
      const texts = found.owners.get(acknowledged.user)?.texts;
      return ['script', 'metadata', 'mark'].every((kind) => texts?.has(`${kind} ${acknowledged.text}`));
    }
    case 'delivered': {
      const inbox = found.owners.get(acknowledged.user)?.folders.get('');
      return [...inbox?.messages.values() ?? []].filter(({ id }) => id === acknowledged.id).length === 1;
    }
  }
}

/** When each acknowledgement went out. */
function momentsOf({ recording, acknowledged }: Recorded, wrong: string[]): (number | undefined)[] {
  const words = new Map<string, number>();
  const streams = new Map<number, { at: number; bytes: number }[]>();
  for (const { at, caller, bytes, text } of recording.sent) {
    if (caller === 0) {
      words.set(text, at);
      continue;
    }
    const stream = streams.get(caller) ?? [];
    stream.push({ at, bytes: bytes + (stream.at(-1)?.bytes ?? 0) });
    streams.set(caller, stream);
  }
  return acknowledged.map((one) => {
    const at = one.caller === 0
      ? words.get(one.word)
      : streams.get(one.caller)?.find(({ bytes }) => bytes >= one.bytes)?.at;
    if (at === undefined) {
      wrong.push(`the recording lacks an acknowledgement: ${one.kind} ${one.caller} ${one.word}`);
    }
    return at;
  });
}

/** Delivery puts lines in front and leaves the rest alone. */
function compareBodies(
  acknowledged: readonly Acknowledged[],
  found: readonly Found[],
  settings: Settings,
): string[] {
  const wrong: string[] = [];
  const sent = new Map<string, Buffer>();
  for (const one of acknowledged) if (one.kind === 'delivered') sent.set(one.id, one.sent);
  const seen = new Set<string>();
  for (const { owners } of found) {
    for (const owner of owners.values()) {
      for (const folder of owner.folders.values()) {
        for (const { id, partition, file } of folder.messages.values()) {
          const path = join(settings.partition[partition] ?? '', owner.folder, file);
          const body = sent.get(id);
          if (body === undefined || seen.has(path)) continue;
          seen.add(path);
          const bytes = readFileSync(path);
          const end = bytes.subarray(Math.max(0, bytes.length - body.length));
          if (!end.equals(body)) wrong.push(`${path}: ${id} is not what was sent`);
        }
      }
    }
  }
  return wrong;
}
