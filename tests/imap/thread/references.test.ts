import { describe, expect, test } from 'bun:test';
import type { ReferringMessage, ThreadNode } from '../../../src/imap/thread/message.ts';
import { firstId, normalizeId, referenceIds } from '../../../src/mime/messageid.ts';
import { orderedSubject } from '../../../src/imap/thread/orderedsubject.ts';
import { ReferenceThreads } from '../../../src/imap/thread/references.ts';
import { thread as render } from '../../../src/imap/write/thread.ts';
import { limits } from '../../../src/limits.ts';
import { forSeeds } from '../seeds.ts';

function finish<Result>(steps: Generator<void, Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

function threads(messages: readonly ReferringMessage[]): ThreadNode[] {
  const all = new ReferenceThreads();
  for (const message of messages) all.add(message);
  return finish(all.finish());
}

const written = (nodes: readonly ThreadNode[]) => render(nodes, (uid) => uid).slice(9, -2);

interface Slow {
  message: ReferringMessage | null;
  place: number;
  parent: Slow | null;
  children: Slow[];
}

/** The slow model: the six steps of RFC 5256 §3 word by word, on a tree of objects, recursively. */
function slowly(messages: readonly ReferringMessage[]): ThreadNode[] {
  const all: Slow[] = [];
  const make = (message: ReferringMessage | null, place: number): Slow => {
    const node: Slow = { message, place, parent: null, children: [] };
    all.push(node);
    return node;
  };
  // All messages first, so that an id means the first message that has it.
  const byId = new Map<string, Slow>();
  const own = messages.map((message, place) => {
    const node = make(message, place);
    if (message.id !== null && !byId.has(message.id)) byId.set(message.id, node);
    return node;
  });
  const descends = (node: Slow | null, from: Slow): boolean =>
    node !== null && (node === from || descends(node.parent, from));
  const unlink = (node: Slow) => {
    if (node.parent !== null) node.parent.children = node.parent.children.filter((child) => child !== node);
    node.parent = null;
  };
  const link = (child: Slow, parent: Slow) => {
    if (descends(parent, child)) return;
    child.parent = parent;
    parent.children.push(child);
  };
  messages.forEach((message, index) => {
    const line = message.references.map((id) => {
      const node = byId.get(id) ?? make(null, -1);
      byId.set(id, node);
      return node;
    });
    line.forEach((node, at) => {
      const before = line[at - 1];
      if (before !== undefined && node.parent === null) link(node, before);
    });
    const node = own[index] as Slow;
    const last = line.at(-1);
    if (node.parent !== null && node.parent === last) return;
    unlink(node);
    if (last !== undefined) link(node, last);
  });
  const root: Slow = {
    message: null,
    place: -1,
    parent: null,
    children: all.filter((node) => node.parent === null),
  };
  const prune = (node: Slow) => {
    for (const child of [...node.children]) {
      prune(child);
      if (child.message !== null) continue;
      if (node === root && child.children.length > 1) continue;
      node.children.splice(node.children.indexOf(child), 1, ...child.children);
    }
  };
  prune(root);
  const key = (node: Slow): Slow => node.message === null ? node.children[0] as Slow : node;
  const compare = (a: Slow, b: Slow) =>
    (key(a).message as ReferringMessage).sent - (key(b).message as ReferringMessage).sent ||
    key(a).place - key(b).place;
  for (const node of root.children) if (node.message === null) node.children.sort(compare);
  root.children.sort(compare);
  const subject = (node: Slow) => (key(node).message as ReferringMessage).subject;
  const reply = (node: Slow) => node.message?.reply === true;
  const table = new Map<string, Slow>();
  for (const node of root.children) {
    if (subject(node) === '') continue;
    const there = table.get(subject(node));
    if (
      there === undefined ||
      (there.message !== null && (node.message === null || (reply(there) && !reply(node))))
    ) table.set(subject(node), node);
  }
  for (const node of [...root.children]) {
    if (subject(node) === '') continue;
    const there = table.get(subject(node)) as Slow;
    if (there === node) continue;
    root.children.splice(root.children.indexOf(node), 1);
    if (there.message === null && node.message === null) there.children.push(...node.children);
    else if (there.message === null || (reply(node) && !reply(there))) there.children.push(node);
    else {
      const dummy: Slow = { message: null, place: -1, parent: null, children: [there, node] };
      root.children.splice(root.children.indexOf(there), 1, dummy);
      table.set(subject(node), dummy);
    }
  }
  const sort = (node: Slow) => {
    node.children.forEach(sort);
    node.children.sort(compare);
  };
  sort(root);
  const plain = (node: Slow): ThreadNode => ({
    uid: node.message?.uid ?? 0,
    children: node.children.map(plain),
  });
  return root.children.map(plain);
}

describe('REFERENCES', () => {
  test('is the six steps of RFC 5256', () => {
    forSeeds(1500, (random) => {
      const ids = Array.from({ length: 1 + random.below(12) }, (_unused, index) => `${index}@x`);
      const messages = Array.from({ length: random.below(14) }, (_unused, index): ReferringMessage => ({
        uid: index + 1,
        sent: random.below(6),
        subject: random.pick(['', 'A', 'B', 'C', 'D', `${index}`]),
        reply: random.oneIn(2),
        id: random.oneIn(8) ? null : random.pick(ids),
        references: Array.from({ length: random.below(5) }, () => random.pick(ids)),
      }));
      expect(written(threads(messages))).toBe(written(slowly(messages)));
    });
  });

  const message = (uid: number, more: Partial<ReferringMessage> = {}): ReferringMessage => ({
    uid,
    sent: uid,
    subject: '',
    reply: false,
    id: `${uid}@x`,
    references: [],
    ...more,
  });

  test('a parent that is not there (RFC 5256 §4)', () => {
    const answers = [3, 5].map((uid) => message(uid, { references: ['gone@x'] }));
    expect(written(threads(answers))).toBe('((3)(5))');
    expect(written(threads(answers.slice(0, 1)))).toBe('(3)');
  });

  test('messages of one subject', () => {
    expect(written(threads([message(1, { subject: 'A' }), message(2, { subject: 'A', reply: true })]))).toBe(
      '(1 2)',
    );
    expect(written(threads([message(1, { subject: 'A' }), message(2, { subject: 'A' })]))).toBe('((1)(2))');
  });

  test('100,000 messages, each the answer to the next, the last one to the first', () => {
    const count = 100_000;
    const ring = Array.from(
      { length: count },
      (_unused, index) => message(index + 1, { references: [`${(index + 1) % count + 1}@x`] }),
    );
    const started = written(threads(ring));
    expect(started.startsWith('(100000 99999 99998 ')).toBe(true);
    expect(started.endsWith(' 3 2 1)')).toBe(true);
    // The same from the other end, with blocks joined in the middle: every link asks for loops in deep trees.
    const shuffled = ring.toSorted((a, b) => a.uid * 7919 % 99_991 - b.uid * 7919 % 99_991);
    expect(threads(shuffled).length).toBe(1);
  });

  test('references to messages nobody has are kept up to imap_thread_unknown', () => {
    const most = limits.imap_thread_unknown.value;
    const each = 10_000;
    const all = new ReferenceThreads();
    for (let at = 0; at < most; at += each) {
      const references = Array.from({ length: each }, (_unused, index) => `${at + index}@unknown`);
      all.add(message(at + 1, { references }));
    }
    all.add(message(most + 1, { references: ['one more@unknown'] }));
    all.add(message(most + 2, { references: ['one more@unknown'] }));
    all.add(message(most + 3, { references: ['1@x'] }));
    const top = finish(all.finish()).map(({ uid }) => uid);
    expect(top.slice(-2)).toEqual([most + 1, most + 2]);
  });
});

test('ORDEREDSUBJECT: no grandchildren, threads by the date of their first message', () => {
  const messages = [['B', 5], ['A', 4], ['B', 1], ['A', 4], ['', 0], ['A', 3]].map((
    [subject, sent],
    index,
  ) => ({
    uid: index + 1,
    subject: String(subject),
    sent: Number(sent),
    reply: false,
  }));
  expect(written(finish(orderedSubject(messages)))).toBe('(5)(3 1)(6 (2)(4))');
});

describe('the answer', () => {
  const node = (uid: number, ...children: ThreadNode[]): ThreadNode => ({ uid, children });

  test('as in RFC 5256 §4', () => {
    const tree = [node(2), node(3, node(6, node(4, node(23)), node(44, node(7, node(96)))))];
    expect(render(tree, (uid) => uid)).toBe('* THREAD (2)(3 6 (4 23)(44 7 96))\r\n');
    expect(render([node(0, node(3), node(5))], (uid) => uid + 1)).toBe('* THREAD ((4)(6))\r\n');
    expect(render([], (uid) => uid)).toBe('* THREAD\r\n');
  });
});

describe('message ids', () => {
  test('are the same however quoted (RFC 5256 §3)', () => {
    expect(normalizeId('<"01KF8JCEOCBS0045PS"@xxx.yyy.com>')).toBe(
      normalizeId('<01KF8JCEOCBS0045PS@xxx.yyy.com>'),
    );
    expect(normalizeId('<"a\\"b"@c>')).toBe('a"b@c');
    expect(normalizeId('<no-host>')).toBeNull();
    expect(normalizeId(`<${'x'.repeat(1000)}@y>`)).toBeNull();
  });

  test('the first valid one of several', () => {
    expect(firstId('message of <nobody> <a@b> <c@d>')).toBe('a@b');
    expect(firstId(null)).toBeNull();
  });

  test('the first and the newest references', () => {
    const most = limits.imap_thread_references.value;
    const ids = referenceIds(Array.from({ length: most + 7 }, (_unused, index) => `<${index}@x>`).join(' '));
    expect(ids.length).toBe(most);
    expect([ids[0], ids[1], ids.at(-1)]).toEqual(['0@x', '8@x', `${most + 6}@x`]);
  });
});
