/** Putting images of a disk into folders. */
import { linkSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image, ImageFile } from './disk.ts';

/** Files that nothing writes again once they are whole: all states that have the same share them by hard links. */
const IMMUTABLE = /^mail\/spool\/.*\/[0-9a-f]{2}\/[0-9a-f]+\.[^/]+$|\/stage\.\/|\/snapshot$/;

export class ImageWriter {
  private readonly pool = new Map<string, string>();
  /** SHA-256 of shared files by inode, so that nobody has to read them in every state. */
  readonly digests = new Map<number, string>();

  /** @param folder on the file system of the images */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** Makes a new folder hold the image. */
  write(image: Image, root: string): void {
    rmSync(root, { recursive: true, force: true });
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
      this.put(file, path);
    }
  }

  private put(file: ImageFile, path: string): void {
    if (file.sure === '' || !IMMUTABLE.test(file.path)) {
      writeFileSync(path, file.bytes, { mode: 0o600 });
      return;
    }
    let pooled = this.pool.get(file.sure);
    if (pooled === undefined) {
      this.pool.set(file.sure, pooled = join(this.folder, file.sure));
      writeFileSync(pooled, file.bytes, { mode: 0o600 });
      this.digests.set(statSync(pooled).ino, new Bun.CryptoHasher('sha256').update(file.bytes).digest('hex'));
    }
    linkSync(pooled, path);
  }
}
