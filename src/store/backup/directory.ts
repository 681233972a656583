/** A folder as a target: plain files, mode 0600, each under a temporary name until it is whole and synced. */
import { createReadStream, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomBytes } from '../../crypto.ts';
import { MailError, serverError, userError } from '../../errors.ts';
import { lockFile, syncFileSystem } from '../lock.ts';
import { errno } from '../spool/spool.ts';
import { blocksOf, type Source, type Target, type TargetEntry, type TargetLock } from './target.ts';

/** Files on their way in; a run that was interrupted leaves some. */
const INCOMING = 'incoming';

const LOCK = 'lock';

const BLOCK = 256 * 1024;

export class DirectoryTarget implements Target {
  readonly text: string;
  private readonly made = new Set<string>();

  /** @param path absolute path of the folder; made by the first `put` */
  constructor(private readonly path: string) {
    this.text = path;
  }

  size(name: string): Promise<number | null> {
    const found = statSync(join(this.path, name), { throwIfNoEntry: false });
    return Promise.resolve(found?.isFile() === true ? found.size : null);
  }

  async put(name: string, source: Source, sha256: string): Promise<void> {
    const final = join(this.path, name);
    const fresh = join(this.path, INCOMING, randomBytes(12).toString('hex'));
    const hash = new Bun.CryptoHasher('sha256');
    try {
      this.folder(join(this.path, INCOMING));
      this.folder(dirname(final));
      const file = await open(fresh, 'wx', 0o600);
      try {
        for await (const block of blocksOf(source)) {
          hash.update(block);
          for (let at = 0; at < block.length;) {
            at += (await file.write(block, at, block.length - at)).bytesWritten;
          }
        }
        if (hash.digest('hex') !== sha256) {
          const what = 'path' in source ? source.path : name;
          throw new MailError('server', 'corruption', `${what} does not have the bytes it was stored with`);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, final);
    } catch (error) {
      rmSync(fresh, { force: true });
      if (error instanceof MailError) throw error;
      if (errno(error) === 'ENOENT' && 'path' in source && !existsSync(source.path)) {
        throw userError('nonexistent', `${source.path} is gone`);
      }
      throw serverError(`${final} could not be written: ${text(error)}`, error);
    }
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    const path = join(this.path, name);
    try {
      for await (const block of createReadStream(path, { highWaterMark: BLOCK })) {
        yield block as Uint8Array;
      }
    } catch (error) {
      if (errno(error) === 'ENOENT') throw userError('nonexistent', `${path} is not there`);
      throw serverError(`${path} could not be read: ${text(error)}`, error);
    }
  }

  async *list(prefix: string): AsyncIterable<TargetEntry> {
    const top = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for (const name of this.names(top)) {
      if (!name.startsWith(prefix)) continue;
      const found = statSync(join(this.path, name), { throwIfNoEntry: false });
      if (found !== undefined) yield await Promise.resolve({ name, size: found.size });
    }
  }

  private *names(folder: string): IterableIterator<string> {
    const path = join(this.path, folder);
    if (!existsSync(path)) return;
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => a.name < b.name ? -1 : 1);
    for (const entry of entries) {
      if (entry.isDirectory()) yield* this.names(`${folder}${entry.name}/`);
      else yield folder + entry.name;
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await unlink(join(this.path, name));
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw serverError(`${name} could not be removed: ${text(error)}`, error);
    }
  }

  /** The names, too: one system call for all folders. */
  settle(): Promise<void> {
    if (existsSync(this.path)) syncFileSystem(this.path);
    return Promise.resolve();
  }

  lock(): Promise<TargetLock> {
    try {
      this.folder(this.path);
    } catch (error) {
      throw serverError(`the folder ${this.path} cannot be made or used: ${text(error)}`, error);
    }
    const lock = lockFile(join(this.path, LOCK));
    if (lock === null) {
      throw userError('inuse', `another backup or prune works on ${this.path}; wait for its end`);
    }
    // Nobody else writes now, so these are of runs that were interrupted.
    rmSync(join(this.path, INCOMING), { recursive: true, force: true });
    this.made.clear();
    return Promise.resolve({ release: () => Promise.resolve(lock.release()) });
  }

  private folder(path: string): void {
    if (this.made.has(path)) return;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    this.made.add(path);
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
