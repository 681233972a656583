/** The link to a writer that goes away and comes back. The writer here is a script; the last test has a real one. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SocketLink } from '../../../src/store/client/socketlink.ts';
import { MailStore } from '../../../src/store/client/store.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { encodeFrame, FrameReader } from '../../../src/store/log/frame.ts';
import { Spool } from '../../../src/store/spool/spool.ts';
import type { Change } from '../../../src/store/writer/requests.ts';
import { runWriter } from '../../../src/store/writer/run.ts';
import type { FromWriter, ToWriter } from '../../../src/store/writer/wire.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { box, inbox, Lines, message, TestFolders } from '../teststore.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

const LOGIN: Change = { op: 'login', userid: 'anna' };

/** Resolves when the link has noticed that its connection is gone. */
async function noticed(): Promise<void> {
  while ((link as unknown as { socket: Socket | null }).socket !== null) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A writer that does what the test says. */
class Script {
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  readonly got: ToWriter[] = [];
  /** Called for every message; answers or not. */
  on: (message: ToWriter, answer: (message: FromWriter) => void, socket: Socket) => void = () => {};
  private waiting: { test: (message: ToWriter) => boolean; done: (message: ToWriter) => void }[] = [];

  constructor(private readonly path: string) {}

  async listen(): Promise<void> {
    const server = createServer((socket) => {
      this.sockets.add(socket);
      const reader = new FrameReader(1 << 20);
      socket.on('data', (chunk: Buffer) => {
        reader.push(chunk, ({ head }) => {
          const message = head as ToWriter;
          this.got.push(message);
          this.on(message, (answer) => void socket.write(encodeFrame(answer, [])), socket);
          for (const one of this.waiting.filter(({ test }) => test(message))) one.done(message);
        });
      });
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.path, () => resolve()));
  }

  /** The next message of this kind. */
  next(kind: ToWriter['t']): Promise<ToWriter> {
    return new Promise((done) => this.waiting.push({ test: (message) => message.t === kind, done }));
  }

  /** As a killed process: connections break, nobody listens. */
  async die(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
    rmSync(this.path, { force: true });
  }
}

let folder: string;
let script: Script;
let link: SocketLink;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-link-'));
  script = new Script(join(folder, 'writer'));
  await script.listen();
  link = new SocketLink(join(folder, 'writer'), new Lines());
  await link.connected();
});
afterEach(async () => {
  await link.close();
  await script.die();
  rmSync(folder, { recursive: true, force: true });
});

describe('a link whose writer dies', () => {
  test('rule 10: asks what became of a change, never sends it again', async () => {
    const sent = script.next('change');
    const made = link.change(LOGIN, '', []);
    const { id } = await sent as { id: string };
    const sentToo = script.next('change');
    const lost = link.change({ op: 'login', userid: 'bert' }, '', []);
    await sentToo;
    await script.die();
    script.on = (message, answer) => {
      if (message.t === 'ask') answer({ t: 'answer', n: message.n, r: { [id]: { created: true } } });
    };
    await script.listen();
    expect(await made).toEqual({ created: true });
    expect(lost).rejects.toThrow(expect.objectContaining({ code: 'unavailable' }));
    await lost.catch(() => {});
    expect(script.got.filter(({ t }) => t === 'change').length).toBe(2);
    expect(script.got.filter(({ t }) => t === 'ask')).toEqual([
      { t: 'ask', n: expect.any(Number), ids: expect.arrayContaining([id]) },
    ]);
  });

  test('a change asked for meanwhile waits for the next writer', async () => {
    await script.die();
    await noticed();
    const change = link.change(LOGIN, '', []);
    script.on = (message, answer) => {
      if (message.t === 'change') answer({ t: 'done', id: message.id, r: { created: false } });
    };
    await script.listen();
    expect(await change).toEqual({ created: false });
  });

  test('a question asked meanwhile is not lost, nor does it keep anything from being sent', async () => {
    await script.die();
    await noticed();
    const question = link.ask((n) => ({ t: 'dirty', n }));
    link.unwatch(5);
    script.on = (message, answer) => {
      if ('n' in message) answer({ t: 'answer', n: message.n, r: 'yes' });
      if (message.t === 'change') answer({ t: 'done', id: message.id, r: {} });
    };
    await script.listen();
    expect(await question).toBe('yes');
    expect(await link.change(LOGIN, '', [])).toEqual({});
  });

  test('watches again, then says that news may have been lost', async () => {
    script.on = (message, answer) => {
      if ('n' in message) answer({ t: 'answer', n: message.n, r: 0 });
    };
    const heard: unknown[] = [];
    const again = Promise.withResolvers<void>();
    link.onNews = (news) => {
      heard.push(news === null ? 'lost' : news.owner);
      if (news === null) again.resolve();
    };
    await new Promise<void>((ready) => link.watch(7, ready));
    await script.die();
    script.got.length = 0;
    await script.listen();
    await again.promise;
    expect(script.got).toEqual([{ t: 'watch', n: expect.any(Number), owners: [7] }]);
    expect(heard).toEqual(['lost']);
  });

  test('again and again: every change is answered once', async () => {
    const done = new Map<string, number>();
    let count = 0;
    script.on = (message, answer, socket) => {
      if (message.t === 'change') {
        count++;
        if (count % 3 === 0) return void socket.destroy(); // neither made nor answered
        done.set(message.id, (done.get(message.id) ?? 0) + 1);
        if (count % 3 === 1) answer({ t: 'done', id: message.id, r: {} });
        else socket.destroy(); // made, not answered
      }
      if (message.t === 'ask') {
        const known: Record<string, unknown> = {};
        for (const id of message.ids) if (done.has(id)) known[id] = {};
        answer({ t: 'answer', n: message.n, r: known });
      }
    };
    let made = 0;
    for (let n = 0; n < 12; n++) {
      const result = await link.change(LOGIN, '', []).then(() => true, () => false);
      if (result) made++;
    }
    expect(made).toBe(done.size);
    expect([...done.values()].every((times) => times === 1)).toBe(true);
  });

  test('closing refuses what still waits', async () => {
    await script.die();
    await noticed();
    const change = link.change(LOGIN, '', []);
    await link.close();
    expect(change).rejects.toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

describe('watching an owner', () => {
  test('the writer is asked once, however many mailboxes are opened behind its answer', async () => {
    script.on = (message, answer) => {
      if ('n' in message) answer({ t: 'answer', n: message.n, r: 0 });
    };
    await new Promise<void>((ready) => link.watch(7, ready));
    let told = 0;
    for (let count = 0; count < 3; count++) link.watch(7, () => told++);
    link.unwatch(7);
    link.watch(7, () => told++);
    expect(told).toBe(4);
    await link.ask((n) => ({ t: 'dirty', n }));
    expect(script.got.map(({ t }) => t)).toEqual(['watch', 'dirty']);
  });

  test('an answer to a question from before it was told to stop counts for nobody who comes later', async () => {
    const asked: number[] = [];
    script.on = (message, answer) => {
      if (message.t === 'watch') asked.push(message.n);
      if (message.t === 'dirty') {
        // Only the first question is answered before this one.
        answer({ t: 'answer', n: asked[0] ?? 0, r: 0 });
        answer({ t: 'answer', n: message.n, r: 0 });
      }
      if (message.t === 'ask') {
        for (const n of [asked[1], asked[2], message.n]) answer({ t: 'answer', n: n ?? 0, r: {} });
      }
    };
    const told: string[] = [];
    link.watch(7, () => told.push('gone'));
    link.unwatch(7);
    link.watch(7, () => told.push('second'));
    await link.ask((n) => ({ t: 'dirty', n }));
    link.watch(7, () => told.push('third'));
    expect(told).toEqual(['gone']);
    await link.ask((n) => ({ t: 'ask', n, ids: [] }));
    expect(told).toEqual(['gone', 'second', 'third']);
    link.watch(7, () => told.push('fourth'));
    expect(told.at(-1)).toBe('fourth');
  });
});

test('a request larger than a frame may be is refused without harm to the others', async () => {
  script.on = (message, answer) => {
    if (message.t === 'change') answer({ t: 'done', id: message.id, r: {} });
  };
  const huge = link.change(LOGIN, '', [Buffer.alloc((64 << 20) + 1)]);
  expect(huge).rejects.toThrow(expect.objectContaining({ code: 'toobig' }));
  expect(await link.change(LOGIN, '', [])).toEqual({});
});

test('a worker over a restart of the writer: its sessions hear what they missed', async () => {
  const folders = new TestFolders();
  const layout = layoutOf(folders.settings);
  const hooks = {
    ready: () => {},
    fatal: (error: Error) => {
      throw error;
    },
  };
  let writer = await runWriter(folders.settings, new Lines(), hooks);
  const open = async () => {
    const socket = new SocketLink(layout.writerSocket, new Lines());
    await socket.connected();
    return new MailStore(folders.settings, layout, new Spool(folders.settings.partition), socket);
  };
  const worker = await open();
  const other = await open();
  const session = worker.session({ userid: 'anna', admin: false, groups: [] });
  const elsewhere = other.session({ userid: 'anna', admin: false, groups: [] });
  await session.login();
  await session.create(box('anna', 'Work'));
  const heard: string[] = [];
  let wake = (): void => {};
  const handle = await session.select(inbox('anna'), false, (change) => {
    heard.push(`${change.kind} ${'uids' in change ? change.uids.toString() : ''}`.trim());
    wake();
  });
  const append = async (by: typeof session, n: number) => {
    const stage = by.stage(0);
    stage.write(Buffer.from(message(n)));
    return await by.append(inbox('anna'), [{ message: await stage.finish(), flags: [], internaldate: null }]);
  };
  const until = async (line: string): Promise<void> => {
    while (!heard.includes(line)) await new Promise<void>((resolve) => wake = resolve);
  };
  await append(elsewhere, 1);
  await until('exists 1');
  // The worker's connection is away while the other one's changes go on through the new writer.
  const { link: away } = worker as unknown as { link: { socket: { destroy(): void } | null } };
  await writer.close();
  away.socket?.destroy();
  writer = await runWriter(folders.settings, new Lines(), hooks);
  const direct = await open();
  const third = direct.session({ userid: 'anna', admin: false, groups: [] });
  await append(third, 2);
  const selected = await third.select(inbox('anna'), false, () => {});
  await selected.store(selected.uids(), 'add', ['\\Flagged']);
  await until('exists 2');
  while (handle.narrow(UidSet.of(2), 0, 1)[0]?.[1] !== 2) {
    await new Promise<void>((resolve) => wake = resolve);
  }
  expect((await append(session, 3)).uids.min).toBe(3);
  for (const store of [worker, other, direct]) await store.close();
  await writer.close();
  folders.remove();
});
