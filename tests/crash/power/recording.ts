/** From system calls to operations on the store's own files, with names resolved to the nodes they meant at that moment. */
import type { Content } from './disk.ts';
import { callerAt } from './caller.ts';
import { type Change, type NodeId, type Operation, type Recording, ROOT, type Sent } from './operation.ts';
import { type Call, parseTrace, pathOfDescriptor, stringsOf, trailingNumbers } from './trace.ts';
import { type Site, siteOf } from './sites.ts';

/** How a line of the recorded program's report begins, in strace's hex. */
const REPORT = `"${[...Buffer.from('recorded ')].map((byte) => `\\x${byte.toString(16)}`).join('')}`;

/** What the program says before it obeys an order. */
const DOING = 'recorded doing ';

interface Node {
  readonly id: NodeId;
  /** Names in a folder; null for a file. */
  readonly names: Map<string, NodeId> | null;
  /** Where `write` goes on: one descriptor at a time writes a file. */
  position: number;
  size: number;
  /** Contents, kept for the calls that copy between files. */
  readonly writes: { offset: number; bytes: Buffer }[];
}

/** A file that was there before. */
export interface Found extends Content {
  /** Another name of it that stands before this one; null for its first. */
  readonly other: string | null;
}

/** What a recording begins with: files by path, folders with null. */
export type Tree = ReadonlyMap<string, Found | null>;

export class Recorder {
  readonly operations: Operation[] = [];
  readonly sent: Sent[] = [];
  private readonly nodes: Node[] = [];
  /** The last sync of each process. */
  private readonly lastSites = new Map<number, Site>();
  private end = 0;
  private doing = '';

  /** @param root folder whose contents are recorded, which was also the current folder of all processes */
  constructor(private readonly root: string, begin: Tree = new Map()) {
    this.node(true);
    for (const [path, found] of begin) this.find(path) ?? this.begin(path, found);
    this.add({ kind: 'syncall', node: ROOT, site: 'begin' }, { begun: 0, ended: 0 });
  }

  private begin(path: string, found: Found | null): void {
    const before = { begun: 0, ended: -1 };
    const other = found === null || found.other === null ? undefined : this.find(found.other);
    if (other !== undefined) return this.name([{ ...this.parentOf(path), node: other }], before);
    const node = this.make(path, found === null, before.begun, before.ended);
    if (found === null) return;
    const { bytes, size } = found;
    node.size = size;
    node.writes.push({ offset: 0, bytes });
    this.add({ kind: 'data', node: node.id, offset: 0, bytes }, before);
    if (size > bytes.length) this.add({ kind: 'size', node: node.id, size }, before);
  }

  /** Takes all calls of a trace. */
  static record(root: string, trace: Buffer, begin?: Tree): Recording {
    const recorder = new Recorder(root, begin);
    for (const call of parseTrace(trace)) {
      recorder.end = Math.max(recorder.end, call.ended);
      if (call.result !== null && call.result < 0) continue;
      recorder.take(call);
    }
    recorder.operations.sort((a, b) => a.begun - b.begun || a.ended - b.ended);
    recorder.sent.sort((a, b) => a.at - b.at);
    return { operations: recorder.operations, sent: recorder.sent, end: recorder.end + 1 };
  }

  private node(folder: boolean): Node {
    const node: Node = {
      id: this.nodes.length,
      names: folder ? new Map() : null,
      position: 0,
      size: 0,
      writes: [],
    };
    this.nodes.push(node);
    return node;
  }

  private add(change: Change, call: { begun: number; ended: number; result?: number | null }): void {
    this.operations.push({ change, begun: call.begun, ended: call.result === null ? Infinity : call.ended });
  }

  /** Path below the root: '' for the root itself; undefined for what lies elsewhere. */
  private inside(path: string): string | undefined {
    for (const prefix of [this.root, '/proc/self/cwd']) {
      if (path === prefix) return '';
      if (path.startsWith(`${prefix}/`)) return path.slice(prefix.length + 1);
    }
    const other = /^\/proc\/\d+\/cwd(?:\/(.*))?$/.exec(path);
    return other === null ? undefined : other[1] ?? '';
  }

  private find(path: string): Node | undefined {
    let at = this.nodes[ROOT];
    for (const name of path.split('/')) {
      if (name === '') continue;
      const next = at?.names?.get(name);
      if (next === undefined) return undefined;
      at = this.nodes[next];
    }
    return at;
  }

  private parentOf(path: string): { folder: Node; name: string } {
    const clean = path.replace(/\/+$/, '');
    const slash = clean.lastIndexOf('/');
    const folder = this.find(clean.slice(0, Math.max(0, slash)));
    if (folder?.names == null) throw new Error(`the recording has no folder for ${path}`);
    return { folder, name: clean.slice(slash + 1) };
  }

  private make(path: string, folder: boolean, begun: number, ended: number): Node {
    const parent = this.parentOf(path);
    const node = this.node(folder);
    this.add({ kind: 'make', node: node.id, folder, path }, { begun, ended });
    this.name([{ ...parent, node }], { begun, ended });
    return node;
  }

  private name(
    names: readonly { folder: Node; name: string; node: Node | null }[],
    call: { begun: number; ended: number; result?: number | null },
  ): void {
    for (const { folder, name, node } of names) {
      if (node === null) folder.names?.delete(name);
      else folder.names?.set(name, node.id);
    }
    const change = names.map(({ folder, name, node }) => ({
      folder: folder.id,
      name,
      node: node?.id ?? null,
    }));
    this.add({ kind: 'names', names: change }, call);
  }

  /** Paths named by strings in the arguments, also relative to a descriptor; undefined for those elsewhere. */
  private paths(call: Call): (string | undefined)[] {
    const strings = stringsOf(call.args).map((bytes) => bytes.toString('utf8'));
    const bases = [...call.args.matchAll(/(?:^|, )((?:\d+|AT_FDCWD)<[^>]*>)/g)].map(([, text]) =>
      pathOfDescriptor(text ?? '')
    );
    return strings.map((text, index) => {
      if (text.startsWith('/')) return this.inside(text);
      const base = bases[index] ?? this.root;
      return this.inside(`${base}/${text}`);
    });
  }

  private take(call: Call): void {
    switch (call.name) {
      case 'open':
      case 'openat':
      case 'creat':
        return this.open(call);
      case 'write':
      case 'writev':
      case 'pwrite64':
      case 'pwritev':
      case 'pwritev2':
      case 'sendto':
      case 'sendmsg':
        return this.write(call);
      case 'ftruncate':
      case 'truncate':
      case 'fallocate':
        return this.resize(call);
      case 'copy_file_range':
      case 'sendfile':
        return this.copy(call);
      case 'mkdir':
      case 'mkdirat': {
        const [path] = this.paths(call);
        if (path !== undefined) this.make(path, true, call.begun, call.ended);
        return;
      }
      case 'unlink':
      case 'unlinkat':
      case 'rmdir': {
        const [path] = this.paths(call);
        if (path !== undefined && call.result !== null) {
          this.name([{ ...this.parentOf(path), node: null }], call);
        }
        return;
      }
      case 'rename':
      case 'renameat':
      case 'renameat2':
      case 'link':
      case 'linkat':
        return this.move(call);
      case 'fsync':
      case 'fdatasync':
      case 'syncfs':
      case 'sync':
        return this.sync(call);
      case 'io_uring_setup':
      case 'symlink':
      case 'symlinkat':
      case 'msync':
        throw new Error(`${call.name} is not understood by this recorder`);
      case 'ioctl':
        if (call.args.includes('FICLONE')) throw new Error('FICLONE is not understood by this recorder');
        return;
      default: // sync_file_range promises nothing
    }
  }

  private open(call: Call): void {
    const [path] = this.paths(call);
    if (path === undefined || path === '' || !/O_CREAT|O_TRUNC|O_WRONLY|O_RDWR/.test(call.args)) return;
    const found = this.find(path);
    if (found === undefined) {
      if (call.args.includes('O_CREAT')) this.make(path, false, call.begun, call.ended);
      return;
    }
    if (found.names !== null) return;
    found.position = call.args.includes('O_APPEND') ? found.size : 0;
    if (!call.args.includes('O_TRUNC')) return;
    found.size = 0;
    this.add({ kind: 'size', node: found.id, size: 0 }, call);
  }

  private write(call: Call): void {
    const to = pathOfDescriptor(call.args);
    const tcp = /^TCP(?:v6)?:\[.*->(.*):(\d+)\]$/.exec(to);
    if (tcp !== null) {
      this.sent.push({ at: call.begun, caller: callerAt(tcp[1] ?? ''), bytes: call.result ?? 0, text: '' });
      return;
    }
    if (call.args.includes(REPORT)) this.report(call);
    if (call.name === 'sendto' || call.name === 'sendmsg') return;
    const path = this.inside(to);
    const node = path === undefined ? undefined : this.find(path);
    if (node === undefined || node.names !== null) return; // elsewhere, or a file without a name: it leaves nothing
    const whole = Buffer.concat(stringsOf(call.args));
    const bytes = whole.subarray(0, call.result ?? whole.length);
    const positioned = call.name.startsWith('p');
    const numbers = trailingNumbers(call.args);
    const offset = positioned ? numbers[1] ?? NaN : node.position;
    if (!Number.isInteger(offset)) throw new Error(`no offset in ${call.name}: ${call.args.slice(-200)}`);
    if (!positioned) node.position += bytes.length;
    this.put(node, offset, bytes, call);
  }

  /** Lines of the recorded program on its standard output. */
  private report(call: Call): void {
    for (const line of Buffer.concat(stringsOf(call.args)).toString('latin1').split('\n')) {
      if (!line.startsWith('recorded ')) continue;
      if (line.startsWith(DOING)) this.doing = line.slice(DOING.length);
      this.sent.push({ at: call.begun, caller: 0, bytes: 0, text: line.slice('recorded '.length) });
    }
  }

  private put(node: Node, offset: number, bytes: Buffer, call: Call): void {
    node.size = Math.max(node.size, offset + bytes.length);
    node.writes.push({ offset, bytes });
    this.add({ kind: 'data', node: node.id, offset, bytes }, call);
  }

  private resize(call: Call): void {
    const path = call.name === 'truncate' ? this.paths(call)[0] : this.inside(pathOfDescriptor(call.args));
    const node = path === undefined ? undefined : this.find(path);
    if (node === undefined) return;
    const numbers = trailingNumbers(call.args);
    let size = numbers[0] ?? 0;
    if (call.name === 'fallocate') {
      if (call.args.includes('KEEP_SIZE')) return;
      if (/PUNCH|ZERO|COLLAPSE|INSERT/.test(call.args)) throw new Error('fallocate is not understood here');
      const [offset = 0, length = 0] = numbers.slice(-2);
      size = Math.max(node.size, offset + length);
    }
    node.size = size;
    this.add({ kind: 'size', node: node.id, size }, call);
  }

  private copy(call: Call): void {
    const paths = [...call.args.matchAll(/\d+(<[^>]*>)/g)].map(([text]) =>
      this.inside(pathOfDescriptor(text))
    );
    const [from, to] = call.name === 'sendfile' ? [paths[1], paths[0]] : paths;
    const source = from === undefined ? undefined : this.find(from);
    const target = to === undefined ? undefined : this.find(to);
    if (target === undefined) return;
    if (source === undefined) throw new Error(`a copy from outside: ${call.args}`);
    // Where its process died in it, any part may have been copied: like a write that is never sure.
    const length = call.result ?? contentsOf(source).length;
    const bytes = contentsOf(source).subarray(target.position, target.position + length);
    const at = target.position;
    target.position += bytes.length;
    this.put(target, at, Buffer.from(bytes), call);
  }

  private move(call: Call): void {
    const [from, to] = this.paths(call);
    if (from === undefined || to === undefined || call.result === null) return;
    const node = this.find(from);
    if (node === undefined) throw new Error(`the recording has no ${from}`);
    const there = { ...this.parentOf(to), node };
    if (call.name.startsWith('link')) this.name([there], call);
    else this.name([{ ...this.parentOf(from), node: null }, there], call);
  }

  private sync(call: Call): void {
    if (call.result === null) return; // its process died: nobody was told that it succeeded
    const path = call.name === 'sync' ? '' : this.inside(pathOfDescriptor(call.args));
    const node = path === undefined ? undefined : this.find(path);
    if (path === undefined || node === undefined) return;
    const site = siteOf({
      call: call.name,
      path,
      node: node.id,
      before: this.operations,
      last: this.lastSites.get(call.pid),
      doing: this.doing,
    });
    this.lastSites.set(call.pid, site);
    if (call.name === 'syncfs' || call.name === 'sync') {
      this.add({ kind: 'syncall', node: node.id, site }, call);
    } else this.add({ kind: 'sync', node: node.id, site }, call);
  }
}

function contentsOf(node: Node): Buffer {
  const bytes = Buffer.alloc(node.size);
  for (const { offset, bytes: written } of node.writes) written.copy(bytes, offset);
  return bytes;
}
