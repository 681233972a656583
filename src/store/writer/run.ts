/** The writer's process: takes the lock, recovers, listens, and says when it is ready. */
import { mkdirSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { layoutOf } from '../layout.ts';
import { type StoreLock, tryLock } from '../lock.ts';
import { machineRestarted, rememberBoot } from './boot.ts';
import { errorText } from './errortext.ts';
import { Reserve } from './reserve.ts';
import { WriterServer } from './server.ts';
import { Writer } from './writer.ts';

export interface RunningWriter {
  /** Answers everything taken, closes the databases, lets go of the lock. */
  close(): Promise<void>;
}

export interface WriterHooks {
  /** The store is recovered and the socket answers. */
  ready(): void;
  /** The process must end at once; its successor recovers. */
  fatal(error: Error): void;
}

/** Milliseconds between two looks whether the old writer is gone: one that was killed is within a few, or takes its time. */
const LOCK_RETRY = 2;
const LOCK_RETRY_LATE = 20;

/** Looks before it takes its time; and before that is told. */
const LOCK_SOON = 50;
const LOCK_LATE = 100;

/** When answers of before the start are read if nobody has asked for any: behind those who waited for the start. */
const RESULTS_MS = 500;

async function waitForLock(folder: string, log: Log): Promise<StoreLock> {
  for (let waited = 0;; waited++) {
    const lock = tryLock(folder);
    if (lock !== null) return lock;
    if (waited === LOCK_LATE) log.warn('waiting for another writer to end', { folder });
    await new Promise((resolve) => setTimeout(resolve, waited < LOCK_SOON ? LOCK_RETRY : LOCK_RETRY_LATE));
  }
}

/** Runs the writer in this process. */
export async function runWriter(settings: Settings, log: Log, hooks: WriterHooks): Promise<RunningWriter> {
  const layout = layoutOf(settings);
  for (const folder of [layout.log, layout.sockets, ...Object.values(settings.partition)]) {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  }
  const lock = await waitForLock(layout.log, log);
  const started = performance.now();
  const verifyFiles = machineRestarted(layout.log);
  const reserve = new Reserve(layout.log, log);
  reserve.look();
  const writer = Writer.open({ settings, log, verifyFiles, onFatal: hooks.fatal, reserve });
  rememberBoot(layout.log);
  const server = new WriterServer(writer, log);
  server.listen(layout.writerSocket);
  const { records, applied, filesRemade, quarantined } = writer.recovery;
  log.info('store open', {
    records,
    applied,
    filesremade: filesRemade,
    quarantined,
    ms: Math.round(performance.now() - started),
  });
  writer.alarm.start();
  hooks.ready();
  const reading = setTimeout(() => writer.betweenBatches(() => writer.loadResults()), RESULTS_MS);
  return {
    close: async () => {
      clearTimeout(reading);
      try {
        await server.close();
        await writer.close();
      } catch (error) {
        log.error('closing the store failed', { error: errorText(error) });
      }
      lock.release();
    },
  };
}
