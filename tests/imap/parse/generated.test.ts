import { expect, test } from 'bun:test';
import { MailError } from '../../../src/errors.ts';
import { parseCommand } from '../../../src/imap/parse/parse.ts';
import { AUTHENTICATED_LIMITS } from '../../../src/imap/parse/received.ts';
import type { Random } from '../../harness/random.ts';
import { forSeeds } from '../seeds.ts';
import { Client } from './client.ts';
import { CommandGenerator } from './generate.ts';
import { generateCommand } from './generate_command.ts';

test('every way of writing a command gives its arguments back, wherever the stream is cut', () => {
  forSeeds(3000, (random) => {
    const generator = new CommandGenerator(random);
    const generated = Array.from({ length: 1 + random.below(4) }, () => generateCommand(generator));
    const text = generated.map((each, index) => `a${index} ${each.text}\r\n`).join('');
    const client = random.oneIn(2) ? new Client().send(text) : new Client().sendInPieces(text, random);
    const { commands, messages } = client.outcome;
    expect(commands.map((received) => parseCommand(received, generator.mode)))
      .toEqual(generated.map(({ command }) => command));
    expect(commands.map(({ tag }) => tag)).toEqual(generated.map((_each, index) => `a${index}`));
    expect(messages).toEqual(generated.flatMap(({ messages }) => messages));
  });
});

test('damaged commands end in a MailError or parse, and the receiver holds no more than its limits', () => {
  const bounds = { ...AUTHENTICATED_LIMITS, line: 500, literal: 300, command: 900 };
  let understood = 0;
  let refused = 0;
  forSeeds(6000, (random) => {
    const generator = new CommandGenerator(random);
    const text = Array.from(
      { length: 1 + random.below(3) },
      () => `a1 ${generateCommand(generator).text}\r\n`,
    ).join(
      '',
    );
    const client = new Client(bounds).sendInPieces(mutate(text, random), random);
    expect(client.held).toBeLessThanOrEqual(2 * bounds.line + 1000);
    for (const received of client.outcome.commands) {
      try {
        parseCommand(received, generator.mode);
        understood++;
      } catch (thrown) {
        if (!(thrown instanceof MailError)) throw thrown;
        expect(['syntax', 'user']).toContain(thrown.kind);
        expect(thrown.message).toMatch(/^[\x20-\x7e]+$/);
        refused++;
      }
    }
  });
  // The mutation is neither so weak that nothing breaks nor so strong that nothing is left.
  expect(understood).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(500);
});

test('after a damaged command that was followed exactly, the next is understood', () => {
  forSeeds(1000, (random) => {
    const generator = new CommandGenerator(random);
    // Damage without CR, LF and braces leaves the framing alone.
    const damaged = generateCommand(generator).text.replace(
      /[^\r\n{}+~0-9]/g,
      (char) => random.oneIn(8) ? random.pick([...'()"* \\xé']) : char,
    );
    const client = new Client().sendInPieces(`bad ${damaged}\r\nnext noop\r\n`, random);
    expect(client.outcome.events.at(-1)).toBe('command next');
  });
});

/** Changes, drops, repeats and inserts a few bytes. */
function mutate(text: string, random: Random): string {
  let damaged = text;
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(damaged.length + 1);
    const cut = random.below(4);
    const piece = random.pick([
      '',
      '',
      random.pick([...'(){}"*%\\[]<>~+$,: \r\n\0é']),
      '\r\n',
      '{9+}\r\n',
      '{99999}',
      ' NOT (',
      damaged.slice(at, at + random.below(30)),
    ]);
    damaged = damaged.slice(0, at) + piece + damaged.slice(at + cut);
  }
  return damaged;
}
