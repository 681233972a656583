/** The janitor's process: checkpoints, expiry, sweeping, all at low priority. */
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Store } from '../border.ts';
import { MailStore } from '../client/store.ts';
import { SocketLink } from '../client/socketlink.ts';
import { layoutOf } from '../layout.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { standBack } from '../niceness.ts';
import { Spool } from '../spool/spool.ts';
import { errorText } from '../writer/errortext.ts';
import { type CheckpointReport, runCheckpoint } from './checkpoint.ts';
import { Scrub, type ScrubReport } from './scrub.ts';
import { sweepOrphans } from './orphans.ts';
import { sweepStage } from './sweep.ts';

/** A checkpoint that nobody asked for comes after so many seconds or bytes of log: it bounds the replay after a crash. */
const CHECKPOINT_EVERY = 15;
const CHECKPOINT_BYTES = 16 * 1024 * 1024;

/** Seconds between two looks at how much was logged. */
const LOOK_EVERY = 2;

/** Seconds between two looks whether a scrub is due. */
const SCRUB_LOOK = 600;

/** Niceness: mail in and out goes first. */
const NICE = 10;

export interface RunningJanitor {
  /** The job `checkpoint` of the EVENTS schedule (`ctl_cyrusdb -c`). */
  checkpoint(): Promise<CheckpointReport>;
  /** The job `expire` (`cyr_expire`): days, or null for the configured retention. */
  expire(
    options?: { expungeDays?: number; deleteDays?: number },
  ): Promise<{ messages: number; mailboxes: number }>;
  /** Reads everything and compares it with its checksums, also when none is due. */
  scrub(): Promise<ScrubReport>;
  close(): Promise<void>;
}

/** Runs the janitor in this process. */
export async function runJanitor(settings: Settings, log: Log): Promise<RunningJanitor> {
  standBack(NICE);
  const layout = layoutOf(settings);
  const link = new SocketLink(layout.writerSocket, log);
  await link.connected();
  const store: Store = new MailStore(settings, layout, new Spool(settings.partition), link);
  const directory = new DirectoryReader(layout.directory);
  let busy: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** One job at a time, in the order asked for. */
  const queue = <Result>(job: () => Promise<Result>): Promise<Result> => {
    const result = busy.then(() => {
      directory.follow();
      return job();
    });
    busy = result.catch(() => {});
    return result;
  };
  const checkpoint = () => queue(() => runCheckpoint(settings, link, directory, log));
  let last = { lsn: 0, at: 0 };
  const timer = setInterval(() => {
    queue(async () => {
      const state = await link.ask((n) => ({ t: 'dirty', n })) as { lsn: number; bytes: number };
      const waited = (performance.now() - last.at) / 1000;
      if (closed || state.lsn === last.lsn) return; // nothing changed
      if (state.bytes < CHECKPOINT_BYTES && waited < CHECKPOINT_EVERY) return;
      const { checkpoint: reached } = await runCheckpoint(settings, link, directory, log);
      // One that was held back is tried again.
      last = { lsn: reached === 0 ? 0 : state.lsn, at: performance.now() };
    }).catch((error) => {
      if (!closed) log.warn('checkpoint failed', { error: errorText(error) });
    });
  }, LOOK_EVERY * 1000);
  sweepStage(settings, log);
  // Beside the other jobs, which must not wait for it.
  const scrub = new Scrub(settings, log, link);
  let scrubbing: Promise<ScrubReport> | null = null;
  const runScrub = (): Promise<ScrubReport> => {
    scrubbing ??= scrub.run().finally(() => scrubbing = null);
    return scrubbing;
  };
  const scrubTimer = setInterval(() => {
    if (closed || !scrub.due(Math.floor(Date.now() / 1000))) return;
    runScrub().catch((error) => log.error('scrub failed', { error: errorText(error) }));
  }, SCRUB_LOOK * 1000);

  return {
    checkpoint,
    scrub: runScrub,
    expire: (options = {}) =>
      queue(async () => {
        // Files may only be unlinked when nothing needs them to remake others (DESIGN rule 6).
        await runCheckpoint(settings, link, directory, log);
        sweepStage(settings, log);
        const done = await store.admin.expire({
          expungeDays: options.expungeDays ?? settings.expunge_retention / 86_400,
          deleteDays: options.deleteDays ?? settings.delete_retention / 86_400,
        });
        const orphans = sweepOrphans(settings, log, directory);
        log.info('expired', { messages: done.messages, mailboxes: done.mailboxes, orphans });
        return done;
      }),
    close: async () => {
      closed = true;
      clearInterval(timer);
      clearInterval(scrubTimer);
      scrub.stop();
      await busy;
      await (scrubbing as Promise<ScrubReport> | null)?.catch(() => {});
      directory.close();
      await store.close();
    },
  };
}
