/**
 * THREAD REFERENCES (RFC 5256 §3). Pure, and without recursion: a thread may be as deep as there are messages. Messages
 * are added in the order of their sequence numbers and linked at once, so that only their ids are kept, not their references.
 */

import { limits } from '../../limits.ts';
import { Forest, NONE } from './forest.ts';
import { mergeSort } from '../sort/order.ts';
import type { ReferringMessage, ThreadMessage, ThreadNode } from './message.ts';

/** Nodes looked at between two yields. */
const SLICE = 8192;

interface Node {
  readonly uid: number;
  /** Null for a dummy. */
  readonly message: ThreadMessage | null;
  /** Sequence among the messages. */
  readonly place: number;
  children: Node[];
}

/** Gathers messages; `finish` makes threads of them. */
export class ReferenceThreads {
  readonly #forest = new Forest();
  readonly #byId = new Map<string, number>();
  /** Of a node of the forest: its message, if there is one. */
  readonly #messages: (ThreadMessage | null)[] = [];
  /** Nodes of the messages, in their order. */
  readonly #order: number[] = [];
  #unknown = 0;

  /** Steps 1.A and 1.B for the message with the next higher sequence number. */
  add(message: ReferringMessage): void {
    const forest = this.#forest;
    let last = NONE;
    for (const id of message.references) {
      const node = this.#referred(id);
      if (node === NONE) continue;
      // A link that is there stays: the field may have been cut short.
      if (last !== NONE && forest.parentOf(node) === NONE) forest.adopt(node, last);
      last = node;
    }
    const own = this.#own(message);
    if (forest.parentOf(own) === last) return;
    forest.release(own);
    if (last !== NONE) forest.adopt(own, last);
  }

  /** Steps 2 to 6. Yields now and then, so that others get their turn however many messages there are. */
  *finish(): Generator<void, ThreadNode[]> {
    const roots = yield* this.#pruned();
    for (const node of roots) if (node.message === null) node.children.sort(bySentDate);
    const top = yield* mergeSort(roots, bySentDate);
    const threads = yield* mergeSubjects(top);
    // Children of dummies before the dummies, which are sorted by them; between others the order does not matter.
    const open = [...threads];
    let steps = 0;
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.children.length > 1) node.children.sort(bySentDate);
      for (const child of node.children) open.push(child);
      if (++steps % SLICE === 0) yield;
    }
    return yield* mergeSort(threads, bySentDate);
  }

  /** The node an id stands for; a dummy where no message has had it so far. NONE beyond `limits.imap_thread_unknown`. */
  #referred(id: string): number {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    if (this.#unknown >= limits.imap_thread_unknown.value) return NONE;
    this.#unknown++;
    const node = this.#newNode(null);
    this.#byId.set(id, node);
    return node;
  }

  /** The message's own node: without an id, or with that of an earlier message, one that nobody refers to. */
  #own(message: ReferringMessage): number {
    const known = message.id === null ? undefined : this.#byId.get(message.id);
    let node: number;
    if (known !== undefined && this.#messages[known] === null) {
      node = known;
      this.#unknown--;
      this.#messages[node] = plain(message);
    } else {
      node = this.#newNode(plain(message));
      if (message.id !== null && known === undefined) this.#byId.set(message.id, node);
    }
    this.#order.push(node);
    return node;
  }

  #newNode(message: ThreadMessage | null): number {
    this.#messages.push(message);
    return this.#forest.add();
  }

  /**
   * Steps 2 and 3. What is left of pruning: a message is the child of the nearest message above it; where there is none it
   * belongs to the dummy at the top, which stays if it has more than one child.
   */
  *#pruned(): Generator<void, Node[]> {
    const forest = this.#forest;
    /** By node of the forest; dummies get theirs when they are needed. */
    const nodes: (Node | undefined)[] = new Array<Node | undefined>(forest.size);
    for (const [place, at] of this.#order.entries()) {
      const message = this.#messages[at] as ThreadMessage;
      nodes[at] = { uid: message.uid, message, place, children: [] };
      if (place % SLICE === 0) yield;
    }
    // Of a dummy: the nearest message above, or the topmost dummy.
    const anchors = new Map<number, number>();
    const top: Node[] = [];
    for (const at of this.#order) {
      const node = nodes[at] as Node;
      if (node.place % SLICE === 0) yield;
      const path: number[] = [];
      let above = forest.parentOf(at);
      if (above === NONE) {
        top.push(node);
        continue;
      }
      while (this.#messages[above] === null) {
        const anchor = anchors.get(above);
        if (anchor !== undefined) {
          above = anchor;
          break;
        }
        path.push(above);
        const next = forest.parentOf(above);
        if (next === NONE) break;
        above = next;
      }
      for (const dummy of path) anchors.set(dummy, above);
      let parent = nodes[above];
      if (parent === undefined) {
        parent = dummyOver([], node.place);
        nodes[above] = parent;
        top.push(parent);
      }
      parent.children.push(node);
    }
    return top.map((node) => node.message === null && node.children.length === 1 ? first(node) : node);
  }
}

/** Step 5: threads of one base subject become one. `top` is sorted, and so are the children of its dummies. */
function* mergeSubjects(top: readonly Node[]): Generator<void, Node[]> {
  const table = new Map<string, Node>();
  for (const node of top) {
    const { subject } = head(node);
    if (subject === '') continue;
    const there = table.get(subject);
    const better = there === undefined || (there.message !== null &&
      (node.message === null || (there.message.reply && !node.message.reply)));
    if (better) table.set(subject, node);
  }
  yield;
  const threads = new Set(top);
  for (const node of top) {
    const { subject } = head(node);
    const there = subject === '' ? undefined : table.get(subject);
    if (there === undefined || there === node) continue;
    threads.delete(node);
    if (there.message === null) {
      if (node.message === null) { for (const child of node.children) there.children.push(child); }
      else there.children.push(node);
    } else if (node.message?.reply === true && !there.message.reply) {
      there.children.push(node);
    } else {
      threads.delete(there);
      const dummy = dummyOver([there, node], there.place);
      table.set(subject, dummy);
      threads.add(dummy);
    }
  }
  return [...threads];
}

function dummyOver(children: Node[], place: number): Node {
  return { uid: 0, message: null, place, children };
}

function first(node: Node): Node {
  return node.children[0] as Node;
}

/** The message itself or the first child of a dummy. Dummies stand at the top only and are never without children. */
function head(node: Node): ThreadMessage {
  return node.message ?? (first(node).message as ThreadMessage);
}

function bySentDate(a: Node, b: Node): number {
  const x = a.message === null ? first(a) : a;
  const y = b.message === null ? first(b) : b;
  return (x.message as ThreadMessage).sent - (y.message as ThreadMessage).sent || x.place - y.place;
}

/** Without the references, which are not needed any more. */
function plain({ uid, sent, subject, reply }: ThreadMessage): ThreadMessage {
  return { uid, sent, subject, reply };
}
