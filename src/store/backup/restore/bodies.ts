/** The bytes of saved messages for a restore of some of them: from the target, or from the log that was saved. */
import { MailError } from '../../../errors.ts';
import { readPiece } from '../../log/piece.ts';
import { objectName, type Target } from '../target.ts';
import { fetchBytes } from './fetch.ts';
import type { RestorePoint } from './point.ts';

export class Bodies {
  /** Contents that only the log has: small ones, and few. */
  private readonly logged = new Map<string, Uint8Array>();

  constructor(private readonly target: Target, private readonly point: RestorePoint) {}

  /** Looks for contents in the log that the target does not have as files. */
  async prepare(hashes: Iterable<string>): Promise<void> {
    const wanted = new Set<string>();
    for (const hash of hashes) {
      if (!this.logged.has(hash) && await this.target.size(objectName(hash)) === null) wanted.add(hash);
    }
    for (const { name, sha256 } of wanted.size === 0 ? [] : this.point.pieces) {
      readPiece(name, await fetchBytes(this.target, name, sha256), 0, (record) => {
        for (const event of record.s.flatMap(({ e }) => e)) {
          for (const { hash, source } of event.k === 'add' ? event.parts : []) {
            const body = 'blob' in source ? record.blobs[source.blob] : undefined;
            if (body !== undefined && wanted.has(hash)) this.logged.set(hash, new Uint8Array(body));
          }
        }
      });
    }
  }

  /** The bytes of a content. Throws 'nonexistent' or 'corruption' when they are not there or not what was saved. */
  async *read(hash: string): AsyncIterable<Uint8Array> {
    const logged = this.logged.get(hash);
    if (logged !== undefined) {
      yield logged;
      return;
    }
    const hasher = new Bun.CryptoHasher('sha256');
    for await (const block of this.target.read(objectName(hash))) {
      hasher.update(block);
      yield block;
    }
    if (hasher.digest('hex') === hash) return;
    throw new MailError(
      'server',
      'corruption',
      `${objectName(hash)} in ${this.target.text} is not what was saved`,
    );
  }
}
