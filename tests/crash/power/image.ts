/** Putting images of a disk into folders. */
import { linkSync, mkdirSync, rmSync, type Stats, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image, ImageFile } from './disk.ts';

/**
 * Files that nothing writes again once they are whole: messages (store/spool/spool.ts, partFile), large bodies in the stage and
 * snapshots. All images that have the same share them by hard links.
 */
const IMMUTABLE =
  /^(mail\/spool|other)\/(.*\/[0-9a-f]{4,}\/[0-9a-f]{40}\.[^/]+|stage\.\/[^/]+|(.*\/|directory\.)snapshot)$/;

/** So many bytes of shared files are kept before they are forgotten. */
const POOL_BYTES = 256 << 20;

interface Pooled {
  readonly path: string;
  readonly digest: string;
  readonly mtimeMs: number;
}

export class ImageWriter {
  private pool = new Map<string, Pooled>();
  private readonly byInode = new Map<number, Pooled>();
  private pooledBytes = 0;
  private count = 0;

  /** @param folder on the file system of the images */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** SHA-256 of a file's bytes where it is shared and nobody wrote to it, so that nobody has to read it in every image. */
  digestOf({ ino, mtimeMs }: Stats): string | undefined {
    const pooled = this.byInode.get(ino);
    return pooled?.mtimeMs === mtimeMs ? pooled.digest : undefined;
  }

  /** Makes a new folder hold the image. */
  write(image: Image, root: string): void {
    rmSync(root, { recursive: true, force: true });
    if (this.pooledBytes > POOL_BYTES) this.forget();
    mkdirSync(root, { recursive: true, mode: 0o755 });
    for (const path of image.folders) mkdirSync(join(root, path), { mode: 0o700 });
    const made = new Map<number, string>();
    for (const file of image.files) {
      const path = join(root, file.path);
      const other = made.get(file.node);
      if (other !== undefined) {
        linkSync(other, path);
        continue;
      }
      made.set(file.node, path);
      if (IMMUTABLE.test(file.path)) linkSync(this.shared(file), path);
      else put(file, path);
    }
  }

  private shared(file: ImageFile): string {
    // Two files with the same bytes are two files.
    const key = `${file.node} ${file.hash}`;
    const known = this.pool.get(key);
    if (known !== undefined) {
      // A torn one may have been written anew where it lay.
      if (statSync(known.path).mtimeMs === known.mtimeMs) return known.path;
      rmSync(known.path);
    }
    const path = join(this.folder, String(this.count++));
    put(file, path);
    const { ino, mtimeMs } = statSync(path);
    const pooled = { path, digest: digestOf(file), mtimeMs };
    this.pool.set(key, pooled);
    this.byInode.set(ino, pooled);
    this.pooledBytes += file.bytes.length;
    return path;
  }

  private forget(): void {
    rmSync(this.folder, { recursive: true });
    mkdirSync(this.folder);
    this.pool.clear();
    this.byInode.clear();
    this.pooledBytes = 0;
  }
}

function put({ bytes, size }: ImageFile, path: string): void {
  writeFileSync(path, bytes, { mode: 0o600 });
  if (size > bytes.length) truncateSync(path, size);
}

function digestOf({ bytes, size }: ImageFile): string {
  const hasher = new Bun.CryptoHasher('sha256').update(bytes);
  if (size > bytes.length) hasher.update(Buffer.alloc(size - bytes.length));
  return hasher.digest('hex');
}
