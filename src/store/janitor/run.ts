/** The janitor's process: checkpoints, expiry, sweeping, all at low priority. */
import { setPriority } from 'node:os';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Store } from '../border.ts';
import { MailStore } from '../client/store.ts';
import { SocketLink } from '../client/socketlink.ts';
import { layoutOf } from '../layout.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { Spool } from '../spool/spool.ts';
import { errorText } from '../writer/errortext.ts';
import { type CheckpointReport, runCheckpoint } from './checkpoint.ts';
import { sweepStage } from './sweep.ts';

/** Seconds between checkpoints that nobody asked for: they bound the replay after a crash and the journals. */
const CHECKPOINT_EVERY = 15;

/** Niceness: mail in and out goes first. */
const NICE = 10;

export interface RunningJanitor {
  /** The job `checkpoint` of the EVENTS schedule (`ctl_cyrusdb -c`). */
  checkpoint(): Promise<CheckpointReport>;
  /** The job `expire` (`cyr_expire`): days, or null for the configured retention. */
  expire(
    options?: { expungeDays?: number; deleteDays?: number },
  ): Promise<{ messages: number; mailboxes: number }>;
  close(): Promise<void>;
}

/** Runs the janitor in this process. */
export async function runJanitor(settings: Settings, log: Log): Promise<RunningJanitor> {
  setPriority(NICE);
  const layout = layoutOf(settings);
  const link = new SocketLink(layout.writerSocket, log);
  await link.connected();
  const store: Store = new MailStore(settings, layout, new Spool(settings.partition), link);
  const directory = new DirectoryReader(layout.directory);
  let busy: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** One job at a time, in the order asked for. */
  const queue = <Result>(job: () => Promise<Result>): Promise<Result> => {
    const result = busy.then(job);
    busy = result.catch(() => {});
    return result;
  };
  const checkpoint = () => queue(() => runCheckpoint(settings, link, directory));
  const timer = setInterval(() => {
    checkpoint().catch((error) => {
      if (!closed) log.warn('checkpoint failed', { error: errorText(error) });
    });
  }, CHECKPOINT_EVERY * 1000);
  sweepStage(settings, log);

  return {
    checkpoint,
    expire: (options = {}) =>
      queue(async () => {
        // Files may only be unlinked when nothing needs them to remake others (DESIGN rule 6).
        await runCheckpoint(settings, link, directory);
        sweepStage(settings, log);
        const done = await store.admin.expire({
          expungeDays: options.expungeDays ?? settings.expunge_retention / 86_400,
          deleteDays: options.deleteDays ?? settings.delete_retention / 86_400,
        });
        log.info('expired', { messages: done.messages, mailboxes: done.mailboxes });
        return done;
      }),
    close: async () => {
      closed = true;
      clearInterval(timer);
      await busy;
      directory.close();
      await store.close();
    },
  };
}
