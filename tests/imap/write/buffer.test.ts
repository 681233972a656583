import { expect, test } from 'bun:test';
import { ResponseBuffer } from '../../../src/imap/write/buffer.ts';
import { forSeeds } from '../seeds.ts';

test('pieces come out in order and unchanged, however they went in', () => {
  forSeeds(200, (random) => {
    const buffer = new ResponseBuffer();
    let expected = '';
    const collected: Buffer[] = [];
    for (let i = random.below(40); i > 0; i--) {
      const piece = String.fromCharCode(random.below(256)).repeat(random.pick([0, 1, 50, 3000, 70_000]));
      expected += piece;
      const bytes = Buffer.from(piece, 'latin1');
      if (random.oneIn(3)) buffer.text(piece);
      else if (random.oneIn(2)) buffer.claim(bytes.length).set(bytes);
      else {
        buffer.bytes(bytes);
        bytes.fill(0); // the caller's view is overwritten by its next read
      }
      if (random.oneIn(10)) collected.push(Buffer.from(buffer.take()));
    }
    const before = collected.reduce((sum, block) => sum + block.length, 0);
    expect(buffer.size).toBe(expected.length - before);
    collected.push(Buffer.from(buffer.take()));
    expect(buffer.size).toBe(0);
    expect(Buffer.concat(collected).toString('latin1') === expected).toBe(true);
  });
});

test('its memory serves again', () => {
  const buffer = new ResponseBuffer();
  const first = buffer.text('x'.repeat(200_000)).take();
  const second = buffer.text('y').take();
  expect(second.buffer).toBe(first.buffer);
  expect(second.toString()).toBe('y');
  expect(buffer.take().length).toBe(0);
});
