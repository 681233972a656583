/** A process that is the store's writer itself: tools, where no server runs. */
import type { Settings } from '../config/settings.ts';
import type { Log } from '../telemetry/log.ts';
import { DirectLink } from './client/link.ts';
import { layoutOf } from './layout.ts';
import type { StoreLock } from './lock.ts';
import { machineRestarted, rememberBoot } from './writer/boot.ts';
import { Reserve } from './writer/reserve.ts';
import { Writer } from './writer/writer.ts';

/** Recovers and opens the store; closing the link lets go of `lock`. Throws, with the lock let go, where that cannot be done. */
export function openDirect(settings: Settings, log: Log, lock: StoreLock): DirectLink {
  try {
    const layout = layoutOf(settings);
    const verifyFiles = machineRestarted(layout.log);
    const reserve = new Reserve(layout.log, log);
    reserve.look();
    const writer = Writer.open({ settings, log, verifyFiles, onFatal: () => {}, reserve });
    rememberBoot(layout.log);
    const link = new DirectLink(writer);
    const close = link.close.bind(link);
    link.close = async () => {
      await close();
      lock.release();
    };
    return link;
  } catch (error) {
    lock.release();
    throw error;
  }
}
