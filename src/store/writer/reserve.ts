/**
 * The reserve: disk space the store holds back for itself, so that a full disk lets people read and delete and lets the store
 * recover. Log, journals, checkpoint and the note of a checkpoint all need a little space, also for an EXPUNGE.
 *
 * It is a file of allocated blocks in the log folder. When the file system is nearly full its blocks are given up (the file
 * becomes empty), and from then on the writer refuses what makes the store grow. When there is space again it is taken back.
 */
import { closeSync, openSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { serverError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { allocate } from '../lock.ts';
import type { Change } from './requests.ts';

/** Its size: a small part of the file system, within these bounds. */
const PART = 32;
const SMALLEST = 2 << 20;
const LARGEST = 32 << 20;

/** What can wait until there is space again. Everything else removes something, or is needed to log in and to read. */
const GROWING: ReadonlySet<Change['op']> = new Set(
  [
    'deliver',
    'append',
    'create',
    'login',
    'undelete',
    'putscript',
    'mark',
    'metadata',
    'adopt',
    'restoremailbox',
    'restoremessages',
  ] satisfies Change['op'][],
);

/** Its file. */
export function reservePath(logFolder: string): string {
  return join(logFolder, 'reserve');
}

/** Whether the reserve was given up: no process of the store writes what can wait. */
export function isDiskFull(logFolder: string): boolean {
  return statSync(reservePath(logFolder), { throwIfNoEntry: false })?.size === 0;
}

export class Reserve {
  private readonly path: string;
  private readonly size: number;
  private held: boolean;

  constructor(private readonly logFolder: string, private readonly log: Log) {
    this.path = reservePath(logFolder);
    const { blocks, bsize } = statfsSync(logFolder);
    this.size = Math.min(LARGEST, Math.max(SMALLEST, Math.floor(blocks * bsize / PART)));
    this.held = (statSync(this.path, { throwIfNoEntry: false })?.size ?? 0) > 0;
  }

  /** Throws 'unavailable' for a change that makes the store grow while the disk is full. MOVE is how many clients delete. */
  check(change: Change): void {
    if (this.held || !(GROWING.has(change.op) || change.op === 'copy' && !change.move)) return;
    throw serverError('the disk is full; what is there can be read and deleted');
  }

  /** Looks at the file system: gives the reserve up when it is nearly full, takes it back when there is space for it. True if it is held. */
  look(): boolean {
    const { bavail, bsize } = statfsSync(this.logFolder);
    const free = bavail * bsize;
    if (this.held && free < this.size / 4) {
      truncateSync(this.path, 0);
      this.held = false;
      this.log.error('disk full: nothing is taken in until there is space', { folder: this.logFolder, free });
    } else if (!this.held && free > this.size * 1.5) this.take();
    return this.held;
  }

  private take(): void {
    const fd = openSync(this.path, 'a', 0o600);
    try {
      if (!allocate(fd, this.size)) {
        truncateSync(this.path, 0);
        return;
      }
      this.held = true;
      this.log.info('disk space reserved', { bytes: this.size });
    } finally {
      closeSync(fd);
    }
  }
}
