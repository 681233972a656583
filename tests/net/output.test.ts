import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { Output } from '../../src/net/output.ts';

/** A stream that takes what it is given when told to, and keeps a copy of the bytes as they then are. */
function slowSink() {
  const taken: Buffer[] = [];
  const waiting: { bytes: Uint8Array; done: () => void }[] = [];
  return {
    sink: {
      write: (bytes: Uint8Array, done: () => void) => void waiting.push({ bytes: Buffer.from(bytes), done }),
    },
    waiting,
    taken,
    take: () => {
      const next = waiting.shift();
      if (next === undefined) return false;
      taken.push(Buffer.from(next.bytes));
      next.done();
      return true;
    },
    text: () => Buffer.concat(taken).toString('latin1'),
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('small writes of one turn leave as one', async () => {
  const { sink, waiting } = slowSink();
  const output = new Output(sink, () => {});
  output.push('a OK\r\n');
  output.push(Buffer.from('b'));
  await Promise.resolve();
  output.push('\u00ff');
  expect(waiting.length).toBe(0);
  await turn();
  expect(waiting.map(({ bytes }) => Buffer.from(bytes).toString('latin1'))).toEqual(['a OK\r\nb\u00ff']);
});

test('order and bytes survive any mixture of sizes, slow peers and reused buffers', async () => {
  let seed = 20_261_123;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 40; round++) {
    const { sink, take, text } = slowSink();
    const output = new Output(sink, () => {});
    const expected: string[] = [];
    const shared = Buffer.alloc(700_000);
    for (let write = 0; write < 30; write++) {
      const size = [random(10), random(1000), random(40_000), random(700_000)][random(4)] as number;
      const char = String.fromCharCode(65 + random(60));
      expected.push(char.repeat(size));
      if (random(2) === 0) output.push(char.repeat(size));
      else output.push(shared.fill(char, 0, size).subarray(0, size));
      shared.fill(0);
      if (random(3) === 0) take();
      if (random(4) === 0) await turn();
    }
    await turn();
    let total = 0;
    for (const part of expected) total += part.length;
    const done = output.empty();
    while (take());
    await done;
    expect(output.pending).toBe(0);
    const sent = text();
    expect(sent.length).toBe(total);
    if (sent !== expected.join('')) throw new Error(`bytes differ in round ${round}, seed 20261123`);
  }
});

test('push says when to wait, drain when to go on', async () => {
  const { sink, take } = slowSink();
  const output = new Output(sink, () => {});
  expect(output.push('x'.repeat(limits.output_high_water.value - 1))).toBe(true);
  await output.drain();
  expect(output.push('xx')).toBe(false);
  let drained = false;
  const waiting = output.drain().then(() => {
    drained = true;
  });
  await turn();
  expect(drained).toBe(false);
  take();
  await waiting;
  expect(output.pending).toBeLessThan(limits.output_high_water.value);
});

test('closing wakes whoever waits and drops the rest', async () => {
  const { sink } = slowSink();
  const output = new Output(sink, () => {});
  output.push('x'.repeat(1_000_000));
  const waiters = [output.drain(), output.empty()];
  output.close();
  await Promise.all(waiters);
  expect(output.pending).toBe(0);
  expect(output.push('y')).toBe(false);
});
