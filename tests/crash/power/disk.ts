/**
 * The model of a disk: what may be on it when the power goes.
 *
 * Rules; where POSIX, ext4 and XFS differ, the one that promises least counts.
 * 1. Sure is only what a sync covered that had ended: fsync and fdatasync of a file make its data and size sure, but not its
 *    name; fsync of a folder makes the names in it sure, but neither the files' data nor the folder's own name; syncfs makes
 *    everything below the folder sure whose file system it names, as if each were a file system of its own. A sync covers what
 *    had ended when it began; one whose process was killed, or that failed, covers nothing.
 * 2. Everything else may be there or not, each change by itself, in any order: data without its name, a name without the data, a later
 *    write without an earlier one. (ext4 and XFS write names in order and, with data=ordered, data before the size; nothing here
 *    relies on it.)
 * 3. A write may be torn at every sector of 512 bytes. The size of a file may have grown without the data: then zeros stand there, or
 *    what an earlier file left on the disk.
 * 4. The names that one call changes in one folder change together: a rename never leaves both or none (journal). Names in two
 *    folders do not depend on each other.
 * 5. What is written through a memory map is never sure. The store maps files for reading only; SQLite's -shm files are
 *    made anew by whoever opens a database first and are no part of a disk here.
 */
import { type NameChange, type NodeId, type Operation, type Recording, ROOT } from './operation.ts';

export const SECTOR = 512;

/** What becomes of a write that is not sure. */
export interface WriteFate {
  /** Whether the file's size tells of it. */
  readonly size: boolean;
  /** Whether the sector that begins at this offset of the write was written. */
  readonly sector: (offset: number) => boolean;
  /** What stands in new sectors that were not written. */
  readonly stale: Buffer | null;
}

/** Decides what survives. Asked once for each change that is not sure. */
export interface Fates {
  names(operation: Operation, folder: DiskNode): boolean;
  size(operation: Operation, file: DiskNode): boolean;
  data(operation: Operation, file: DiskNode, bytes: Buffer): WriteFate;
}

/** Bytes of a file; behind them zeros up to its size (space that was allocated and not written). */
export interface Content {
  readonly bytes: Buffer;
  readonly size: number;
}

/** A file or folder of the model. */
export interface DiskNode {
  readonly id: NodeId;
  readonly path: string;
  readonly folder: boolean;
  /** What is sure: contents of a file, names in a folder. */
  content: Content;
  names: Map<string, NodeId>;
  /** Grows with what is sure. */
  version: number;
  /** What is not, in order. */
  pending: Operation[];
}

/** One file of an image. */
export interface ImageFile extends Content {
  readonly path: string;
  readonly node: NodeId;
  readonly hash: bigint;
}

/** A disk as it may look: folders in order, files by path. */
export interface Image {
  readonly folders: readonly string[];
  readonly files: readonly ImageFile[];
  /** Of names, links and contents together. */
  readonly hash: bigint;
}

interface Step {
  readonly at: number;
  readonly operation: Operation;
}

export class Disk {
  private readonly nodes = new Map<NodeId, DiskNode>();
  private readonly steps: readonly Step[];
  private readonly hashes = new Map<string, bigint>();
  private next = 0;
  /** The moment it stands at. */
  now = 0;

  /** @param omitted sites whose syncs are left out */
  constructor(recording: Recording, omitted: ReadonlySet<string> = new Set()) {
    this.nodes.set(ROOT, emptyNode(ROOT, '', true));
    const steps: Step[] = [];
    for (const operation of recording.operations) {
      const { change, begun, ended } = operation;
      const sync = change.kind === 'sync' || change.kind === 'syncall';
      if (sync && omitted.has(change.site)) continue;
      steps.push({ at: sync ? ended : begun, operation });
    }
    this.steps = steps.sort((a, b) => a.at - b.at);
  }

  /** Goes on to a moment: everything asked for before it has reached the kernel. Only forwards. */
  advance(to: number): void {
    for (
      let step = this.steps[this.next];
      step !== undefined && step.at < to;
      step = this.steps[++this.next]
    ) {
      this.apply(step.operation);
    }
    this.now = to;
  }

  private apply(operation: Operation): void {
    const { change } = operation;
    switch (change.kind) {
      case 'make':
        this.nodes.set(change.node, emptyNode(change.node, change.path, change.folder));
        return;
      case 'names':
        for (const folder of new Set(change.names.map((name) => name.folder))) {
          this.at(folder).pending.push(operation);
        }
        return;
      case 'data':
      case 'size':
        this.at(change.node).pending.push(operation);
        return;
      case 'sync':
        settle(this.at(change.node), operation.begun);
        return;
      case 'syncall':
        for (const node of this.below(change.node)) settle(node, operation.begun);
    }
  }

  private at(id: NodeId): DiskNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`the model has no node ${id}`);
    return node;
  }

  /** All nodes whose names lie below a folder, by the paths they were made under; everything for the root. */
  private *below(id: NodeId): IterableIterator<DiskNode> {
    const { path } = this.at(id);
    for (const node of this.nodes.values()) {
      if (path === '' || node.path === path || node.path.startsWith(`${path}/`)) yield node;
    }
  }

  /** The changes that are not sure. */
  get pending(): Set<Operation> {
    const all = new Set<Operation>();
    for (const { pending } of this.nodes.values()) for (const operation of pending) all.add(operation);
    return all;
  }

  /** The disk with what these fates let survive. */
  image(fates: Fates): Image {
    const folders: string[] = [];
    const files: ImageFile[] = [];
    const contents = new Map<NodeId, Content & { hash: bigint; first: string }>();
    const summary: string[] = [];
    const walk = (node: DiskNode, path: string): void => {
      const names = this.namesOf(node, fates);
      for (const name of [...names.keys()].sort()) {
        const child = this.at(names.get(name) as NodeId);
        const place = path === '' ? name : `${path}/${name}`;
        if (child.folder) {
          folders.push(place);
          summary.push(`${place}/`);
          walk(child, place);
          continue;
        }
        if (name.endsWith('-shm')) continue;
        let content = contents.get(child.id);
        if (content === undefined) {
          contents.set(child.id, content = { ...this.contentOf(child, fates), first: place });
        }
        const { bytes, size, hash, first } = content;
        files.push({ path: place, node: child.id, bytes, size, hash });
        summary.push(first === place ? `${place} ${hash}` : `${place} = ${first}`);
      }
    };
    walk(this.at(ROOT), '');
    return { folders, files, hash: Bun.hash.xxHash64(summary.join('\n')) };
  }

  private namesOf(folder: DiskNode, fates: Fates): Map<string, NodeId> {
    if (folder.pending.length === 0) return folder.names;
    const names = new Map(folder.names);
    for (const operation of folder.pending) {
      if (operation.change.kind !== 'names' || !fates.names(operation, folder)) continue;
      rename(names, operation.change.names, folder.id);
    }
    return names;
  }

  private contentOf(file: DiskNode, fates: Fates): Content & { hash: bigint } {
    if (file.pending.length > 0) {
      const content = surviving(file.content, file.pending, file, fates);
      return { ...content, hash: hashOf(content) };
    }
    const { content } = file;
    const sure = `${file.id}.${file.version}`;
    let hash = this.hashes.get(sure);
    if (hash === undefined) this.hashes.set(sure, hash = hashOf(content));
    return { ...content, hash };
  }
}

function hashOf({ bytes, size }: Content): bigint {
  return Bun.hash.xxHash64(bytes, BigInt(size));
}

const EMPTY: Content = { bytes: Buffer.alloc(0), size: 0 };

function emptyNode(id: NodeId, path: string, folder: boolean): DiskNode {
  return { id, path, folder, content: EMPTY, names: new Map(), version: 0, pending: [] };
}

function rename(names: Map<string, NodeId>, changes: readonly NameChange[], folder: NodeId): void {
  for (const { folder: where, name, node } of changes) {
    if (where !== folder) continue;
    if (node === null) names.delete(name);
    else names.set(name, node);
  }
}

/** Makes sure what had ended when a sync began. */
function settle(node: DiskNode, begun: number): void {
  const later: Operation[] = [];
  const covered: Operation[] = [];
  for (const operation of node.pending) (operation.ended < begun ? covered : later).push(operation);
  if (covered.length === 0) return;
  node.version++;
  node.pending = later;
  if (node.folder) {
    for (const { change } of covered) if (change.kind === 'names') rename(node.names, change.names, node.id);
    return;
  }
  node.content = surviving(node.content, covered, node, null);
}

/** A file's contents after these changes, as far as they survive; all of them do without fates. */
function surviving(
  before: Content,
  operations: readonly Operation[],
  file: DiskNode,
  fates: Fates | null,
): Content {
  // Room for the largest it becomes on the way.
  let most = before.bytes.length;
  for (const { change } of operations) {
    if (change.kind === 'data') most = Math.max(most, change.offset + change.bytes.length);
  }
  const room = Buffer.alloc(most);
  before.bytes.copy(room);
  let { size } = before;
  for (const operation of operations) {
    const { change } = operation;
    if (change.kind === 'size') {
      if (fates !== null && !fates.size(operation, file)) continue;
      if (change.size < Math.min(size, most)) room.fill(0, change.size, Math.min(size, most));
      size = change.size;
    } else if (change.kind === 'data') {
      const end = change.offset + change.bytes.length;
      if (fates === null) {
        change.bytes.copy(room, change.offset);
        size = Math.max(size, end);
        continue;
      }
      const fate = fates.data(operation, file, change.bytes);
      place(room, change.offset, change.bytes, size, fate);
      if (fate.size) size = Math.max(size, end);
    }
  }
  let written = Math.min(size, most);
  while (written > 0 && room[written - 1] === 0) written--;
  return { bytes: room.subarray(0, written), size };
}

/** The sectors of a write that reached the disk; sectors are counted from the beginning of the file. */
function place(room: Buffer, offset: number, bytes: Buffer, size: number, fate: WriteFate): void {
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + SECTOR - (offset + at) % SECTOR);
    if (fate.sector(at)) bytes.copy(room, offset + at, at, next);
    else if (fate.stale !== null && offset + at >= size) {
      fate.stale.copy(room, offset + at, at % fate.stale.length);
    }
    at = next;
  }
}
