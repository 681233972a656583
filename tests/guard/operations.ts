/**
 * A small workload that does the same on every machine, operation by operation, with what each of them asked of the
 * kernel. No time is measured: these figures do not depend on who else uses the machine.
 */

import { BenchClient } from '../../scripts/bench/client.ts';
import { deliver, LmtpSession, Mail } from '../../scripts/bench/lmtp_client.ts';
import { sampleMessage } from '../../scripts/bench/message.ts';
import { multiappend } from '../../scripts/bench/workloads/fill.ts';
import { suspendRole } from '../harness/processes.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';
import { tracedCalls } from '../harness/syscalls.ts';
import { countInstructions } from './instructions.ts';

/** What one operation costs. */
export interface Figures {
  readonly calls: number;
  readonly syncs: number;
  /** Bytes written to files. */
  readonly written: number;
  /** User-mode instructions of the server; null where the machine cannot count them. */
  readonly instructions: number | null;
}

export interface Operation {
  readonly name: string;
  /** How many operations `run` does. */
  readonly count: number;
  run(bed: Bed): Promise<void>;
}

/** The running store and who is connected to it. */
interface Bed {
  readonly store: TestStore;
  readonly lmtp: LmtpSession;
  /** Has selected a mailbox of 1000 messages. */
  readonly reader: BenchClient;
  readonly idler: BenchClient;
}

const USERS = Array.from({ length: 20 }, (_, index) => `guard${index}`);
const READER = 'reader';
const IDLER = 'idler';
const MESSAGES = 1000;
const MAILS = Array.from({ length: 10 }, (_, index) => new Mail(sampleMessage(index)));

function mail(index: number): Buffer {
  return MAILS[index % MAILS.length]?.copy() ?? Buffer.alloc(0);
}

async function times(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index++) await work(index);
}

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'delivery, 1 session',
    count: 50,
    run: ({ lmtp }) => times(50, (index) => lmtp.deliver(mail(index), ['guard0'])),
  },
  {
    name: 'delivery, 8 sessions',
    count: 160,
    run: ({ store }) =>
      deliver({
        place: store.lmtpSocket,
        sessions: 8,
        count: 160,
        mails: MAILS,
        recipients: () => ['guard0'],
      }),
  },
  {
    name: 'delivery, 20 recipients',
    count: 10,
    run: ({ lmtp }) => times(10, (index) => lmtp.deliver(mail(index), USERS)),
  },
  {
    name: 'APPEND',
    count: 50,
    run: ({ idler }) =>
      times(50, (index) => {
        const message = sampleMessage(index);
        return idler.pipeline([
          Buffer.concat([Buffer.from(`APPEND INBOX {${message.length}+}\r\n`), message]),
        ]);
      }),
  },
  {
    name: 'STORE 1',
    count: 50,
    run: ({ reader }) =>
      times(
        50,
        (index) => reader.command(`STORE ${1 + (index >> 1)} ${index % 2 ? '-' : '+'}FLAGS (\\Flagged)`),
      ),
  },
  {
    name: 'STORE 1000',
    count: 20,
    run: ({ reader }) =>
      times(20, (index) => reader.command(`STORE 1:1000 ${index % 2 ? '-' : '+'}FLAGS.SILENT (\\Flagged)`)),
  },
  {
    name: 'FETCH 1000 envelopes',
    count: 20,
    run: ({ reader }) => times(20, () => reader.count('FETCH 1:1000 (FLAGS ENVELOPE)')),
  },
  {
    name: 'FETCH of a body',
    count: 100,
    run: ({ reader }) => times(100, (index) => reader.count(`FETCH ${1 + index} BODY.PEEK[]`)),
  },
  { name: 'SELECT', count: 100, run: ({ reader }) => times(100, () => reader.command('SELECT INBOX')) },
  { name: 'NOOP', count: 200, run: ({ reader }) => times(200, () => reader.command('NOOP')) },
  {
    name: 'IDLE notification',
    count: 20,
    run: async ({ lmtp, idler }) => {
      await idler.command('SELECT INBOX');
      await idler.idle();
      await times(20, async (index) => {
        const told = idler.told(' EXISTS\r\n');
        await lmtp.deliver(mail(index), [IDLER]);
        await told;
      });
      await idler.done();
      await idler.command('UNSELECT');
    },
  },
];

/** A store of its own, in which operations are measured one after the other. */
export class GuardedStore {
  readonly #bed: Bed;

  private constructor(bed: Bed) {
    this.#bed = bed;
  }

  static async start(): Promise<GuardedStore> {
    const store = await TestStore.start({ users: [...USERS, READER, IDLER] });
    try {
      for (const user of USERS) (await login(store, user)).close();
      const reader = await login(store, READER);
      await reader.pipeline([multiappend(0, MESSAGES)]);
      await reader.command('SELECT INBOX');
      const idler = await login(store, IDLER);
      return new GuardedStore({ store, lmtp: await LmtpSession.open(store.lmtpSocket), reader, idler });
    } catch (error) {
      await store.dispose();
      throw error;
    }
  }

  /** Does it once to warm up, once traced and once with instructions counted. */
  async measure(operation: Operation): Promise<Figures> {
    return await measure(operation, this.#bed);
  }

  async dispose(): Promise<void> {
    await this.#bed.store.dispose();
  }
}

async function login(store: TestStore, user: string): Promise<BenchClient> {
  const client = await BenchClient.open(store.ports.imap);
  await client.login(user, PASSWORD);
  return client;
}

async function measure(operation: Operation, bed: Bed): Promise<Figures> {
  await operation.run(bed);
  const root = bed.store.pid;
  // A checkpoint in the middle would be counted; it comes when it comes.
  const release = suspendRole(root, 'janitor');
  try {
    const traced = await tracedCalls(root, () => operation.run(bed), true);
    const instructions = await countInstructions(root, () => operation.run(bed));
    const sum = (numbers: Readonly<Record<string, number>>): number =>
      Object.values(numbers).reduce((total, number) => total + number, 0);
    return {
      calls: sum(traced.calls) / operation.count,
      syncs: sum(traced.syncs) / operation.count,
      written: traced.written / operation.count,
      instructions: instructions === null ? null : instructions / operation.count,
    };
  } finally {
    release();
  }
}
