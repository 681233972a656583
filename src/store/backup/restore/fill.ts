/**
 * Message files of restored indexes: fetched from the target, each under the name its row has. Content that only the log
 * holds (it was purged before the next backup) is taken from there in a second pass.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MailError } from '../../../errors.ts';
import { CopiedDatabase, type CopiedPart } from '../../index/copied.ts';
import { stageFolder } from '../../layout.ts';
import { readPiece } from '../../log/piece.ts';
import { hashOfFile } from '../../spool/hash.ts';
import type { Spool } from '../../spool/spool.ts';
import { inTurn } from '../inturn.ts';
import type { Unsaved } from '../manifest.ts';
import { objectName, type Target } from '../target.ts';
import { fetchBytes, fetchFile } from './fetch.ts';
import type { RestorePoint } from './point.ts';

/** Files on their way at a time. */
const AT_ONCE = 8;

/** Contents remembered so that further recipients share their blocks. */
const REMEMBERED = 20_000;

export interface FilledOwner {
  readonly userid: string;
  readonly folder: string;
}

interface Wanted {
  readonly userid: string;
  readonly path: string;
  readonly part: CopiedPart;
}

export class Filling {
  files = 0;
  bytes = 0;
  /** Files that are there are read: they may be what a loss of power left. */
  verify = false;
  private readonly placed = new Map<string, string>();
  private readonly wanted = new Map<string, Wanted[]>();

  constructor(private readonly target: Target, private readonly spool: Spool) {}

  /** Makes the files an index names; those that are there from an interrupted restore stay. */
  async owner(owner: FilledOwner, indexPath: string): Promise<void> {
    const copy = new CopiedDatabase(indexPath);
    try {
      for (const page of copy.parts(0)) await inTurn(page, AT_ONCE, (part) => this.one(owner, part));
    } finally {
      copy.close();
    }
  }

  private async one({ userid, folder }: FilledOwner, part: CopiedPart): Promise<void> {
    const path = this.spool.path(part.partition, folder, part.file);
    if (!this.isThere(path, part)) {
      this.spool.remove(path);
      const shared = this.placed.get(part.hash);
      if (shared !== undefined && existsSync(shared)) this.spool.link(shared, path, part.size);
      else if (!(await this.fetch(path, part))) {
        const others = this.wanted.get(part.hash) ?? [];
        others.push({ userid, path, part });
        this.wanted.set(part.hash, others);
        return;
      }
      this.files++;
      this.bytes += part.size;
    }
    if (this.placed.size >= REMEMBERED) this.placed.clear();
    this.placed.set(part.hash, path);
  }

  private isThere(path: string, { size, hash }: CopiedPart): boolean {
    if (statSync(path, { throwIfNoEntry: false })?.size !== size) return false;
    return !this.verify || hashOfFile(path)?.hash === hash;
  }

  private async fetch(path: string, part: CopiedPart): Promise<boolean> {
    const stage = stageFolder(this.spool.partition(part.partition));
    try {
      await fetchFile(
        this.target,
        objectName(part.hash),
        part.hash,
        path,
        join(stage, `restoring.${part.hash}`),
      );
      return true;
    } catch (error) {
      const code = error instanceof MailError ? error.code : '';
      // Damage of one message shall not keep the others away.
      if (code !== 'nonexistent' && code !== 'corruption') throw error;
      return false;
    }
  }

  /** The second pass: looks into the log for what the target does not have. Returns what is not there either. */
  async fromLog(point: RestorePoint): Promise<Unsaved[]> {
    for (const { name, sha256 } of this.wanted.size === 0 ? [] : point.pieces) {
      const bytes = await fetchBytes(this.target, name, sha256);
      const found = new Map<string, Uint8Array>();
      readPiece(name, bytes, 0, (record) => {
        for (const event of record.s.flatMap(({ e }) => e)) {
          for (const { hash, source } of event.k === 'add' ? event.parts : []) {
            const body = 'blob' in source ? record.blobs[source.blob] : undefined;
            if (body !== undefined && this.wanted.has(hash)) found.set(hash, body);
          }
        }
      });
      for (const [hash, body] of found) this.write(hash, body);
    }
    return [...this.wanted.values()].flat().map(({ userid, path }) => ({
      userid,
      place: path,
      text: 'the message is not in the backup, or damaged there',
    }));
  }

  private write(hash: string, body: Uint8Array): void {
    for (const { path, part } of this.wanted.get(hash) ?? []) {
      this.spool.remove(path);
      this.spool.create(path, body);
      this.files++;
      this.bytes += part.size;
    }
    this.wanted.delete(hash);
  }
}

/** Makes the folder files are fetched into. */
export function makeStage(partition: string): void {
  mkdirSync(stageFolder(partition), { recursive: true, mode: 0o700 });
}
