/** Where everything lies below configdirectory and the partitions. No other file joins these paths. */
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';

export interface Layout {
  readonly configdirectory: string;
  readonly log: string;
  readonly directory: string;
  readonly sockets: string;
  /** The writer's own socket, for workers and tools. */
  readonly writerSocket: string;
  /** Folder of an owner's index.db. */
  readonly userFolder: (ownerFolder: string) => string;
  readonly index: (ownerFolder: string) => string;
  /** Lock of a mailbox's maildrop; its time is that of the last POP3 session. */
  readonly maildrop: (ownerFolder: string, mailbox: number) => string;
}

/** The layout of a store. */
export function layoutOf(settings: Pick<Settings, 'configdirectory'>): Layout {
  const root = settings.configdirectory;
  return {
    configdirectory: root,
    log: join(root, 'log'),
    directory: join(root, 'directory.db'),
    sockets: join(root, 'socket'),
    writerSocket: join(root, 'socket', 'writer'),
    userFolder: (ownerFolder) => join(root, 'user', ownerFolder),
    index: (ownerFolder) => join(root, 'user', ownerFolder, 'index.db'),
    maildrop: (ownerFolder, mailbox) => join(root, 'user', ownerFolder, `maildrop.${mailbox}`),
  };
}

/** Folder of stage files inside a partition; no owner folder can have this name. */
export function stageFolder(partition: string): string {
  return join(partition, 'stage.');
}
