/**
 * Receiving a message: small ones stay in memory and travel to the writer inside their change; larger ones are written to
 * the partition's stage and synced before anybody speaks of them (DESIGN rule 6).
 *
 * Invariants
 * 1. No more than `store_inline_body` bytes of a message are held in memory, whatever its size; with `onDisk` none.
 * 2. After `finish` a large body is durable, file and folder, under a name of its own.
 * 3. A stage file that no change used is removed by `abort`, or by the sweep when its process is gone.
 */
import { closeSync, fsync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from '../../crypto.ts';
import { limitError, MailError, serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { type ParsedMessage, parseMessage } from '../../mime/message.ts';
import type { Stage, StagedMessage } from '../border.ts';
import { stageFolder } from '../layout.ts';
import { syncFolder } from '../log/segment.ts';
import type { MessageData } from '../writer/requests.ts';
import { errno } from './spool.ts';
import { step } from '../step.ts';

/** A received message with what a change needs of it. */
export class Received implements StagedMessage {
  private used = false;

  constructor(
    readonly data: MessageData,
    /** Structure, and the body unless it is in the stage. */
    readonly blobs: readonly Uint8Array[],
    readonly header: string,
  ) {}

  get size(): number {
    return this.data.size;
  }

  get messageId(): string | null {
    return this.data.messageId;
  }

  get sentDate(): number | null {
    return this.data.sentDate;
  }

  get held(): number {
    const { envelope, bodystructure } = this.data;
    return this.blobs.reduce(
      (sum, { length }) => sum + length,
      this.header.length + envelope.length + bodystructure.length,
    );
  }

  bytes(): Uint8Array {
    const { stage } = this.data;
    return stage === null ? this.blobs[1] as Uint8Array : Bun.mmap(stage, { shared: true });
  }

  /** The stage file belongs to the log from now on. */
  hand(): { data: MessageData; blobs: readonly Uint8Array[] } {
    if (this.used) throw serverError('a received message was used twice');
    this.used = true;
    return { data: this.data, blobs: this.blobs };
  }

  abort(): void {
    if (this.used) return;
    this.used = true;
    this.forget();
  }

  /** The writer refused it, so no record names the stage file. */
  forget(): void {
    if (this.data.stage !== null) remove(this.data.stage);
  }
}

/** True for an error that says for certain that nothing was logged: a decision against it, no failure of ours. */
export function isRefusal(error: unknown): boolean {
  return error instanceof MailError && error.kind !== 'server';
}

export class MessageStage implements Stage {
  size = 0;
  private chunks: Uint8Array[] = [];
  private fd: number | null = null;
  private path: string | null = null;
  private readonly hash = new Bun.CryptoHasher('sha256');
  private done = false;

  /**
   * @param partition folder of the partition for large bodies
   * @param limit largest size in bytes, 0 for none
   * @param onDisk keeps a small body out of memory, too
   */
  constructor(
    private readonly partition: string,
    private readonly limit: number,
    private readonly onDisk: boolean = false,
    private readonly isDiskFull: () => boolean = () => false,
  ) {}

  write(chunk: Uint8Array): void {
    if (this.done) throw serverError('the message was finished or aborted before');
    if (this.limit > 0 && this.size + chunk.length > this.limit) {
      throw limitError(`The message is larger than ${this.limit} bytes`, 'toobig');
    }
    this.size += chunk.length;
    this.hash.update(chunk);
    if (this.fd !== null) return this.writeFile(chunk);
    this.chunks.push(new Uint8Array(chunk)); // a copy: slice() of a Buffer is a view of what the caller uses again
    if (this.onDisk || this.size > limits.store_inline_body.value) this.openFile();
  }

  private openFile(): void {
    // What is left of the disk is for reading and deleting.
    if (this.isDiskFull()) throw serverError('the message could not be written: the disk is full');
    const folder = stageFolder(this.partition);
    const path = join(folder, `${process.pid}.${randomBytes(12).toString('hex')}`);
    try {
      this.fd = openSync(path, 'wx+', 0o600);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw unwritable(path, error);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      syncFolder(this.partition);
      this.fd = openSync(path, 'wx+', 0o600);
    }
    this.path = path;
    step('stage.opened');
    for (const chunk of this.chunks) this.writeFile(chunk);
    step('stage.written');
    this.chunks = [];
  }

  private writeFile(chunk: Uint8Array): void {
    try {
      for (let at = 0; at < chunk.length;) {
        at += writeSync(this.fd as number, chunk, at, chunk.length - at);
      }
    } catch (error) {
      throw unwritable(this.path ?? '', error);
    }
  }

  async finish(): Promise<StagedMessage> {
    if (this.done) throw serverError('the message was finished or aborted before');
    this.done = true;
    try {
      if (this.fd === null || this.path === null) {
        const body = Buffer.concat(this.chunks);
        this.chunks = [];
        return this.received(parseMessage(body), body, body);
      }
      const { fd, path } = this;
      await new Promise<void>((resolve, reject) => {
        fsync(fd, (error) => error ? reject(unwritable(path, error)) : resolve());
      });
      step('stage.synced');
      syncFolder(stageFolder(this.partition));
      step('stage.finished');
      closeSync(fd);
      this.fd = null;
      const mapped = Bun.mmap(path, { shared: true });
      return this.received(parseMessage(mapped), mapped, null);
    } catch (error) {
      this.discard();
      throw error instanceof MailError ? error : serverError('the message could not be stored', error);
    }
  }

  private received(parsed: ParsedMessage, bytes: Uint8Array, body: Uint8Array | null): Received {
    const data: MessageData = {
      hash: this.hash.digest('hex'),
      size: this.size,
      headerSize: parsed.headerSize,
      envelope: parsed.envelope,
      bodystructure: parsed.bodystructure,
      messageId: parsed.messageId,
      sentDate: parsed.sentDate,
      thread: parsed.thread,
      stage: body === null ? this.path : null,
    };
    const header = Buffer.from(bytes.subarray(0, parsed.headerSize)).toString('latin1');
    return new Received(data, body === null ? [parsed.structure] : [parsed.structure, body], header);
  }

  private discard(): void {
    this.chunks = [];
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
    if (this.path !== null) remove(this.path);
  }

  abort(): void {
    if (this.done) return;
    this.done = true;
    this.discard();
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
  }
}

function unwritable(path: string, error: unknown): MailError {
  const text = error instanceof Error ? error.message : String(error);
  return serverError(`the message could not be written to ${path}: ${text}`, error);
}
