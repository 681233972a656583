/** The folders of the store: made where they are missing (mkimap's role), refused where they would lose mail. */

import { ptr } from 'bun:ffi';
import { accessSync, chmodSync, chownSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { MailError } from '../errors.ts';
import { syncFolder } from '../store/log/segment.ts';
import { cstring, libc } from '../net/libc.ts';

/** A folder with its mode. */
interface Folder {
  readonly path: string;
  readonly mode: number;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** f_type of file systems whose locks, syncs or shared memory another machine answers for (statfs(2)). */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
]);

/** The name of the network file system a path lies on, or undefined for a local one. */
export function networkFilesystem(path: string): string | undefined {
  const result = new BigInt64Array(32);
  if (libc().statfs(ptr(cstring(path)), ptr(result)) !== 0) return undefined;
  return NETWORK.get(Number(BigInt.asUintN(32, result[0] as bigint)));
}

/**
 * Folders the store needs. configdirectory can be passed through by everybody, because the way to the sockets
 * leads through it; what lies in it has modes of its own.
 */
export function storeFolders(settings: Settings): Folder[] {
  const base = settings.configdirectory;
  const folders = [
    { path: base, mode: 0o751 },
    { path: `${base}/log`, mode: 0o700 },
    { path: `${base}/user`, mode: 0o700 },
    { path: `${base}/socket`, mode: 0o755 },
    ...Object.values(settings.partition).map((path) => ({ path, mode: 0o700 })),
  ];
  for (const { listen } of settings.services) {
    if (listen.kind !== 'unix') continue;
    const path = dirname(listen.path);
    if (!folders.some((folder) => folder.path === path)) folders.push({ path, mode: 0o755 });
  }
  return folders;
}

function wrong(path: string, text: string, cause?: unknown): MailError {
  return new MailError('server', 'config', `folder ${path}: ${text}`, cause);
}

/**
 * Makes what is missing, for `owner` where given, and checks that the store may lie there. A folder that exists
 * keeps its owner and mode. Throws MailError 'config' with the folder and the remedy; answers the folders made.
 */
export function makeFolders(
  settings: Settings,
  owner: Owner | undefined,
  allowNetwork: boolean,
  kindOf: (path: string) => string | undefined = networkFilesystem,
): string[] {
  const made: string[] = [];
  for (const { path, mode } of storeFolders(settings)) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) makeFolder(path, mode, owner, made);
    else if (!stat.isDirectory()) {
      throw wrong(path, 'is not a folder; move it away or change the configuration');
    }
  }
  for (const path of [settings.configdirectory, ...Object.values(settings.partition)]) {
    const kind = kindOf(path);
    if (kind !== undefined && !allowNetwork) {
      throw wrong(
        path,
        `lies on a network file system (${kind}), which does not keep what a mail store needs; use a local disk, ` +
          'or start with --allow-network-filesystem at your own risk',
      );
    }
  }
  return made;
}

function makeFolder(path: string, mode: number, owner: Owner | undefined, made: string[]): void {
  const parent = dirname(path);
  if (statSync(parent, { throwIfNoEntry: false }) === undefined) makeFolder(parent, 0o755, undefined, made);
  try {
    mkdirSync(path);
    chmodSync(path, mode);
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
    // What will be durable in it must not go with its name.
    syncFolder(parent);
  } catch (thrown) {
    throw wrong(
      path,
      `cannot be made: ${(thrown as Error).message}; make it for the server's user, or start once as root`,
      thrown,
    );
  }
  made.push(path);
}

/** Throws MailError 'config' if this process may not write where the store lies. To be asked after the change of user. */
export function checkWritable(settings: Settings): void {
  for (
    const path of [
      settings.configdirectory,
      `${settings.configdirectory}/log`,
      ...Object.values(settings.partition),
    ]
  ) {
    try {
      accessSync(path, constants.W_OK | constants.X_OK);
    } catch (thrown) {
      const uid = process.getuid?.() ?? 0;
      throw wrong(
        path,
        `user ${uid} may not write here; give it to that user: chown -R ${uid} ${path}`,
        thrown,
      );
    }
  }
}
