/** Opening the store: through the running server's writer, or directly when there is none. */
import { mkdirSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { MailError, serverError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import type { Store } from './border.ts';
import type { WriterLink } from './client/link.ts';
import { SocketLink } from './client/socketlink.ts';
import { MailStore } from './client/store.ts';
import { layoutOf } from './layout.ts';
import { tryLock } from './lock.ts';
import { Spool } from './spool/spool.ts';

/**
 * - `server`: the writer's socket, waiting for it while it restarts (workers).
 * - `direct`: this process becomes the writer; fails when another is.
 * - `either`: the server if it runs, else direct (tools).
 */
export type OpenMode = 'server' | 'direct' | 'either';

/** Makes the folders the store itself needs. The supervisor makes those with special owners. */
function makeFolders(settings: Settings): void {
  const layout = layoutOf(settings);
  for (
    const folder of [layout.configdirectory, layout.log, layout.sockets, ...Object.values(settings.partition)]
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  }
}

/** Opens the way to the writer; closing it lets go of the store. Throws a MailError that says what to do when it cannot. */
export async function openLink(settings: Settings, log: Log, mode: OpenMode): Promise<WriterLink> {
  const layout = layoutOf(settings);
  if (mode !== 'server') {
    makeFolders(settings);
    const lock = tryLock(layout.log);
    // The writer's code is loaded by who becomes one.
    if (lock !== null) return (await import('./direct.ts')).openDirect(settings, log, lock);
    if (mode === 'direct') {
      throw new MailError(
        'user',
        'inuse',
        `another process changes the store in ${layout.configdirectory}; stop it first`,
      );
    }
  }
  const link = new SocketLink(layout.writerSocket, log);
  try {
    await link.connected();
    return link;
  } catch (error) {
    await link.close();
    throw error instanceof MailError
      ? error
      : serverError(`the writer at ${layout.writerSocket} does not answer`, error);
  }
}

/** Opens the store. Throws a MailError that says what to do when it cannot. */
export async function openStore(settings: Settings, log: Log, mode: OpenMode): Promise<Store> {
  const link = await openLink(settings, log, mode);
  try {
    return new MailStore(settings, layoutOf(settings), new Spool(settings.partition), link);
  } catch (error) {
    await link.close();
    throw error;
  }
}
