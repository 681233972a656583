/** The store as a backup sees it, running or not: who it is, and up to where its log may be read. */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { randomBytes } from '../../crypto.ts';
import type { Settings } from '../../config/settings.ts';
import { serverError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { SocketLink } from '../client/socketlink.ts';
import { layoutOf } from '../layout.ts';
import { tryLock } from '../lock.ts';
import { writeDurably } from '../log/segment.ts';
import { machineRestarted, rememberBoot } from '../writer/boot.ts';
import { Writer } from '../writer/writer.ts';

/** Attempts to reach a writer that is starting or stopping, and milliseconds between them. */
const ATTEMPTS = 120;
const PAUSE = 250;

/** A moment of the log. */
export interface Moment {
  /** Everything up to here is durable and committed. */
  readonly lsn: number;
  /** Every change of this second of the unix clock and before is at or below `lsn`. */
  readonly through: number;
  /** No change at or below `lsn` is of a later second than this. */
  readonly time: number;
}

const now = () => Math.floor(Date.now() / 1000);

/**
 * The published durable LSN (DESIGN rule 9). Asks the running writer; where there is none, this process is the writer for the
 * moment it takes to recover.
 */
export async function durableMoment(settings: Settings, log: Log): Promise<Moment> {
  const layout = layoutOf(settings);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const begun = now();
    const lock = tryLock(layout.log);
    if (lock !== null) {
      try {
        const verifyFiles = machineRestarted(layout.log);
        const writer = Writer.open({ settings, log, verifyFiles, onFatal: () => {} });
        rememberBoot(layout.log);
        const lsn = writer.durableLsn;
        await writer.close();
        return { lsn, through: begun - 1, time: now() };
      } finally {
        lock.release();
      }
    }
    if (await answers(layout.writerSocket)) {
      const link = new SocketLink(layout.writerSocket, log);
      try {
        await link.connected();
        // Whatever was submitted before this second is behind a batch that has ended by then.
        await link.ask((n) => ({ t: 'ask', n, ids: [] }));
        const { lsn } = await link.ask((n) => ({ t: 'dirty', n })) as { lsn: number };
        return { lsn, through: begun - 1, time: now() };
      } finally {
        await link.close();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw serverError(
    `the store in ${layout.configdirectory} is in use, but no writer answers; look at its log`,
  );
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  });
}

/** Path of the store's identity. */
export function identityPath(logFolder: string): string {
  return join(logFolder, 'storeid');
}

/** The random identity of the store, made when first asked for. A restored store has that of the one that was saved. */
export function storeIdentity(logFolder: string): string {
  const path = identityPath(logFolder);
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const identity = randomBytes(12).toString('hex');
  writeDurably(path, `${identity}\n`);
  return identity;
}
