/**
 * A bucket of an S3-compatible service as a target. There is no lock and no rename there, but an object is whole or not there,
 * and whoever asks after a write sees it.
 *
 * Invariants
 * 1. What was put is there with its size, and where the ETag does not vouch for its bytes they are read again once.
 * 2. A request that fails or hangs is tried again with growing pauses; then the whole work fails, and what was sent counts for
 *    the next run.
 * 3. The lock is an object that its owner writes again all the time. One that stands still is that of a dead process. Whoever
 *    finds that his own was taken away gives up before he puts a manifest.
 */
import { createHash, randomBytes } from '../../crypto.ts';
import { MailError, serverError, userError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { blocksOf, digestOf, type Source, type Target, type TargetEntry, type TargetLock } from './target.ts';

export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; '' for the whole bucket. */
  readonly prefix: string;
  /** Empty: Amazon's in the region. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

/** Times in milliseconds; tests have shorter ones. */
export interface S3Patience {
  /** For the answer to one request. */
  readonly request: number;
  /** Pauses before further attempts. */
  readonly pauses: readonly number[];
  /** Between two writes of a lock; one that has not changed for three of them is dead. */
  readonly beat: number;
}

const PATIENCE: S3Patience = {
  request: limits.backup_request.value * 1000,
  pauses: [500, 2000, 8000],
  beat: 10_000,
};

/** Larger files go in parts of this size, which is the smallest S3 takes. */
const PART = 5 << 20;

/** Answers that another attempt does not change. */
const FINAL = [
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'NoSuchBucket',
  'ERR_S3_INVALID_PATH',
];

const MISSING = ['NoSuchKey', 'NotFound', 'ERR_S3_FILE_NOT_FOUND', 'ENOENT', 'UnknownError404'];

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  return code === '' || text.includes(code) ? text : `${code}: ${text}`;
}

export class S3Target implements Target {
  readonly text: string;
  private readonly client: Bun.S3Client;
  private held: { lost: boolean } | null = null;
  /** Known not to be the MD5 of the bytes, as with some kinds of encryption. */
  private etagIsOther = false;

  constructor(private readonly place: S3Place, private readonly patience: S3Patience = PATIENCE) {
    const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = place;
    this.text = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.client = new Bun.S3Client({
      bucket,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === null ? {} : { sessionToken }),
      ...(region === '' ? {} : { region }),
      ...(endpoint === '' ? {} : { endpoint }),
    });
  }

  private key(name: string): string {
    return this.place.prefix === '' ? name : `${this.place.prefix}/${name}`;
  }

  /** Does something until it succeeds, a few times. */
  private async attempt<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    for (let tried = 0;; tried++) {
      try {
        return await this.within(work());
      } catch (error) {
        if (error instanceof MailError || MISSING.includes(codeOf(error))) throw error;
        const pause = this.patience.pauses[tried];
        if (pause === undefined || FINAL.includes(codeOf(error))) {
          throw serverError(`${this.text}: ${what} failed ${tried + 1} times: ${textOf(error)}`, error);
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  private async within<Result>(work: Promise<Result>): Promise<Result> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), this.patience.request);
    });
    work.catch(() => {}); // when it is late nobody waits for it any more
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async stat(name: string): Promise<{ size: number; etag: string } | null> {
    try {
      const { size, etag } = await this.attempt(
        `looking for ${name}`,
        () => this.client.stat(this.key(name)),
      );
      return { size, etag: etag.replaceAll('"', '') };
    } catch (error) {
      if (MISSING.includes(codeOf(error))) return null;
      throw error;
    }
  }

  async size(name: string): Promise<number | null> {
    return (await this.stat(name))?.size ?? null;
  }

  async put(name: string, source: Source, sha256: string): Promise<void> {
    let size: number;
    let md5: string | null = null;
    try {
      const found = await digestOf(source);
      if (found.sha256 !== sha256) {
        const what = 'path' in source ? source.path : name;
        throw new MailError('server', 'corruption', `${what} does not have the bytes it was stored with`);
      }
      ({ size } = found);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && 'path' in source) {
        throw userError('nonexistent', `${source.path} is gone`);
      }
      throw error;
    }
    if (size <= PART) {
      const blocks: Uint8Array[] = [];
      for await (const block of blocksOf(source)) blocks.push(block);
      const bytes = Buffer.concat(blocks);
      md5 = createHash('md5').update(bytes).digest('hex');
      await this.attempt(`sending ${name}`, () => this.client.write(this.key(name), bytes));
    } else await this.attempt(`sending ${name}`, () => this.sendParts(name, source));
    await this.checkSent(name, size, sha256, md5);
  }

  private async sendParts(name: string, source: Source): Promise<void> {
    const writer = this.client.file(this.key(name)).writer({ partSize: PART, queueSize: 2, retry: 2 });
    try {
      let waiting = 0;
      for await (const block of blocksOf(source)) {
        writer.write(block);
        waiting += block.length;
        // As much in memory as one part.
        if (waiting >= PART) {
          await writer.flush();
          waiting = 0;
        }
      }
      await writer.end();
    } catch (error) {
      await Promise.resolve(writer.end(error instanceof Error ? error : new Error(String(error)))).catch(
        () => {},
      );
      throw error;
    }
  }

  /** Whether what arrived is what was sent. */
  private async checkSent(name: string, size: number, sha256: string, md5: string | null): Promise<void> {
    const found = await this.stat(name);
    const wrong = async (why: string) => {
      await this.remove(name);
      return serverError(`${this.text}: ${name} did not arrive as it was sent: ${why}`);
    };
    if (found?.size !== size) throw await wrong(`${found?.size ?? 0} bytes instead of ${size}`);
    if (md5 === null || found.etag === md5 || this.etagIsOther) return;
    const hash = new Bun.CryptoHasher('sha256');
    for await (const block of this.read(name)) hash.update(block);
    if (hash.digest('hex') !== sha256) throw await wrong('other bytes');
    this.etagIsOther = true;
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    const found = await this.stat(name);
    if (found === null) throw userError('nonexistent', `${name} is not in ${this.text}`);
    // A transfer that breaks goes on where it broke.
    for (let at = 0, tried = 0; at < found.size;) {
      let failure: unknown = new Error('the transfer ended early');
      try {
        const reader = this.client.file(this.key(name)).slice(at, found.size).stream().getReader();
        for (;;) {
          const { done, value } = await this.within(reader.read());
          if (done) break;
          at += value.length;
          yield value;
        }
        if (at >= found.size) return;
      } catch (error) {
        failure = error;
      }
      const pause = this.patience.pauses[tried++];
      if (pause === undefined || FINAL.includes(codeOf(failure))) {
        throw serverError(`${this.text}: reading ${name} failed at byte ${at}: ${textOf(failure)}`, failure);
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async *list(prefix: string): AsyncIterable<TargetEntry> {
    const from = this.key('').length;
    let continuationToken: string | undefined;
    for (;;) {
      const page = await this.attempt(`listing ${prefix}`, () =>
        this.client.list({
          prefix: this.key(prefix),
          ...(continuationToken === undefined ? {} : { continuationToken }),
        }));
      for (const { key, size } of page.contents ?? []) yield { name: key.slice(from), size: size ?? 0 };
      continuationToken = page.nextContinuationToken;
      if (page.isTruncated !== true || continuationToken === undefined) return;
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await this.attempt(`removing ${name}`, () => this.client.delete(this.key(name)));
    } catch (error) {
      if (!MISSING.includes(codeOf(error))) throw error;
    }
  }

  /** Each object is durable when its request is answered; what may have gone is the lock. */
  async settle(): Promise<void> {
    if (this.held?.lost === true) {
      throw serverError(
        `${this.text}: the connection was away so long that somebody else began to work there; run it again`,
      );
    }
    return await Promise.resolve();
  }

  async lock(): Promise<TargetLock> {
    const name = `locks/${randomBytes(9).toString('hex')}`;
    let beats = 0;
    const write = () =>
      this.attempt('locking', () => this.client.write(this.key(name), `${name} ${beats++}\n`));
    await write();
    try {
      await this.othersAreDead(name);
    } catch (error) {
      await this.remove(name);
      throw error;
    }
    const held = { lost: false };
    this.held = held;
    const beat = async () => {
      if (await this.size(name) === null) held.lost = true;
      else await write();
    };
    // What fails here fails for everybody else as well, and is reported there.
    const timer = setInterval(() => void beat().catch(() => {}), this.patience.beat);
    return {
      release: async () => {
        clearInterval(timer);
        this.held = null;
        await this.remove(name);
      },
    };
  }

  /** Throws 'inuse' unless all other locks stand still, and removes those. */
  private async othersAreDead(own: string): Promise<void> {
    const before = await this.locks(own);
    if (before.size === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 3 * this.patience.beat));
    for (const [name, text] of await this.locks(own)) {
      if (before.get(name) !== text) {
        throw userError('inuse', `another backup or prune works on ${this.text}; wait for its end`);
      }
      await this.remove(name);
    }
  }

  private async locks(own: string): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for await (const { name } of this.list('locks/')) {
      if (name === own) continue;
      try {
        const blocks: Uint8Array[] = [];
        for await (const block of this.read(name)) blocks.push(block);
        found.set(name, Buffer.concat(blocks).toString('latin1'));
      } catch (error) {
        if (!(error instanceof MailError) || error.code !== 'nonexistent') throw error;
      }
    }
    return found;
  }
}
