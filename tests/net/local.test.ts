/** Streams between processes: in order, whole, and both ends know of the end. */

import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLocal, listenLocal, type LocalStream } from '../../src/net/local.ts';
import type { RawListener } from '../../src/net/rawsocket.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailstore-test-'));
let listener: RawListener | undefined;

afterEach(() => {
  listener?.stop();
  rmSync(join(folder, 'socket'), { force: true });
});

/** What an end has heard. */
class Heard {
  readonly #pieces: Buffer[] = [];
  readonly closed = Promise.withResolvers<void>();
  #wanted = Infinity;
  readonly #enough = Promise.withResolvers<void>();

  constructor(stream: LocalStream) {
    stream.handlers = {
      data: (bytes) => {
        this.#pieces.push(bytes);
        this.#look();
      },
      close: () => this.closed.resolve(),
    };
  }

  #look(): void {
    if (this.#pieces.reduce((sum, piece) => sum + piece.length, 0) >= this.#wanted) this.#enough.resolve();
  }

  async bytes(count: number): Promise<Buffer> {
    this.#wanted = count;
    this.#look();
    await this.#enough.promise;
    return Buffer.concat(this.#pieces);
  }
}

async function pair(): Promise<{ near: LocalStream; far: LocalStream; nearHears: Heard; farHears: Heard }> {
  const { promise, resolve } = Promise.withResolvers<{ far: LocalStream; farHears: Heard }>();
  listener = listenLocal(join(folder, 'socket'), (far) => resolve({ far, farHears: new Heard(far) }));
  const near = await connectLocal(join(folder, 'socket'));
  return { near, nearHears: new Heard(near), ...await promise };
}

test('50 MB in pieces of all sizes, both ways at the same time', async () => {
  const { near, far, nearHears, farHears } = await pair();
  const sent: Buffer[] = [];
  for (let size = 1, total = 0; total < 50_000_000; size = size * 3 % 999_983) {
    const piece = Buffer.alloc(size, `${size},`);
    sent.push(piece);
    total += size;
  }
  const all = Buffer.concat(sent);
  for (const piece of sent) {
    near.write(piece);
    far.write(piece);
  }
  const [one, other] = await Promise.all([nearHears.bytes(all.length), farHears.bytes(all.length)]);
  expect(one.equals(all)).toBe(true);
  expect(other.equals(all)).toBe(true);
});

test('a buffer belongs to its writer again when it is written', async () => {
  const { near, farHears } = await pair();
  const buffer = Buffer.from('first');
  near.write(buffer);
  buffer.write('other');
  expect((await farHears.bytes(5)).toString()).toBe('first');
});

test('an end leaves after what was written, and closes both', async () => {
  const { near, nearHears, farHears } = await pair();
  const large = Buffer.alloc(5_000_000, 'x');
  near.write(large);
  near.end();
  expect((await farHears.bytes(large.length)).length).toBe(large.length);
  await Promise.all([nearHears.closed.promise, farHears.closed.promise]);
  expect(near.closed).toBe(true);
});

test('whoever is cut off hears of it, and what is written behind it is nobody’s', async () => {
  const { near, far, farHears, nearHears } = await pair();
  near.destroy();
  await Promise.all([farHears.closed.promise, nearHears.closed.promise]);
  far.write(Buffer.from('late'));
  expect(far.closed).toBe(true);
});

test('where nobody listens connecting fails', async () => {
  expect(connectLocal(join(folder, 'nobody'))).rejects.toThrow();
});
