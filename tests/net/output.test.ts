import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { Output } from '../../src/net/output.ts';

/** A system that takes `room` bytes until there is more. */
function system(room = Infinity) {
  const calls: string[] = [];
  let left = room;
  const sink = {
    take: (bytes: Uint8Array): number => {
      const taken = Math.min(bytes.length, left);
      left -= taken;
      if (taken > 0) calls.push(Buffer.from(bytes.subarray(0, taken)).toString('latin1'));
      return taken;
    },
  };
  return {
    sink,
    calls,
    text: () => calls.join(''),
    taken: () => calls.reduce((sum, call) => sum + call.length, 0),
    makeRoom: (bytes: number) => {
      left = bytes;
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('small writes of one turn leave as one', async () => {
  const { sink, calls } = system();
  const output = new Output(sink);
  output.push('a OK\r\n');
  output.push(Buffer.from('b'));
  await Promise.resolve();
  output.push('\u00ff');
  expect(calls).toEqual([]);
  expect(output.pending).toBe(8);
  await turn();
  expect(calls).toEqual(['a OK\r\nb\u00ff']);
  expect(output.pending).toBe(0);
});

test('the head of an answer and its body leave as one', () => {
  const { sink, calls } = system();
  const output = new Output(sink);
  output.push('head ');
  output.push(Buffer.alloc(100_000, 'x'));
  output.flush();
  expect(calls.map((call) => call.length)).toEqual([100_005]);
});

test('order and bytes survive any mixture of sizes, slow peers and reused buffers', async () => {
  let seed = 20_261_123;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 40; round++) {
    const { sink, makeRoom, taken, text } = system(random(100_000));
    const output = new Output(sink);
    const expected: string[] = [];
    const shared = Buffer.alloc(700_000);
    let size = 0;
    for (let write = 0; write < 30; write++) {
      const length = [random(10), random(1000), random(40_000), random(700_000)][random(4)] as number;
      const char = String.fromCharCode(65 + random(60));
      expected.push(char.repeat(length));
      size += length;
      if (random(2) === 0) output.push(char.repeat(length));
      else output.push(shared.fill(char, 0, length).subarray(0, length));
      shared.fill(0);
      if (random(3) === 0) {
        makeRoom(random(500_000));
        output.drained();
      }
      if (random(4) === 0) await turn();
      expect(taken() + output.pending).toBe(size);
    }
    await turn();
    while (output.pending > 0) {
      makeRoom(1 + random(300_000));
      output.drained();
    }
    if (text() !== expected.join('')) throw new Error(`bytes differ in round ${round}, seed 20261123`);
  }
});

test('a system that is full is not asked again before it says so', async () => {
  const { sink, calls, makeRoom } = system(3);
  const output = new Output(sink);
  output.push('abcdef');
  await turn();
  expect(calls).toEqual(['abc']);
  makeRoom(100);
  output.push('ghi');
  await turn();
  expect(calls).toEqual(['abc']);
  output.drained();
  expect(calls).toEqual(['abc', 'defghi']);
});

test('push says when to wait, drain when to go on', async () => {
  const { sink, makeRoom } = system(0);
  const output = new Output(sink);
  expect(output.push('x'.repeat(limits.output_high_water.value - 1))).toBe(true);
  await output.drain();
  expect(output.push('xx')).toBe(false);
  let drained = false;
  const waiting = output.drain().then(() => {
    drained = true;
  });
  await turn();
  expect(drained).toBe(false);
  makeRoom(10);
  output.drained();
  await waiting;
  expect(output.pending).toBeLessThan(limits.output_high_water.value);
});

test('closing wakes whoever waits and drops the rest', async () => {
  const { sink } = system(0);
  const output = new Output(sink);
  output.push('x'.repeat(1_000_000));
  const waiting = output.drain();
  output.close();
  await waiting;
  expect(output.pending).toBe(0);
  expect(output.push('y')).toBe(false);
});
