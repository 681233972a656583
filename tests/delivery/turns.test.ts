/** What large messages cost everybody else: counted in turns of the event loop and bytes per turn, not in time. */

import { afterEach, expect, test } from 'bun:test';
import { stageInTurns, turn } from '../../src/delivery/turns.ts';
import { limits } from '../../src/limits.ts';
import type { Stage, StagedMessage } from '../../src/store/border.ts';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom | null = null;

afterEach(async () => {
  await room?.close();
  room = null;
});

/** Counts the turns of the event loop while `work` goes on. */
async function counting<T>(work: (now: () => number) => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  let ended = false;
  const count = () => {
    turns++;
    if (!ended) setImmediate(count);
  };
  setImmediate(count);
  const result = await work(() => turns);
  ended = true;
  return { result, turns };
}

/** A stage that only counts: the bytes written in each turn of the event loop. */
class CountingStage implements Stage {
  readonly perTurn = new Map<number, number>();
  readonly #now: () => number;
  readonly #real: Stage | null;
  size = 0;
  aborted = false;

  constructor(now: () => number, real: Stage | null = null) {
    this.#now = now;
    this.#real = real;
  }

  write(chunk: Uint8Array): void {
    if (this.size > 3 * limits.delivery_turn.value && this.#real === null) throw new Error('disk full');
    this.size += chunk.length;
    this.perTurn.set(this.#now(), (this.perTurn.get(this.#now()) ?? 0) + chunk.length);
    this.#real?.write(chunk);
  }

  finish(): Promise<StagedMessage> {
    if (this.#real === null) throw new Error('nothing is stored here');
    return this.#real.finish();
  }

  abort(): void {
    this.aborted = true;
    this.#real?.abort();
  }
}

test('of many who ask for a turn, one goes on in each, in the order of asking; timers have theirs between', async () => {
  const order: string[] = [];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 0);
  await counting(async (now) => {
    const last = new Map<number, string>();
    const work = async (name: string): Promise<void> => {
      for (let at = 0; at < 50; at++) {
        await turn();
        expect(last.get(now())).toBeUndefined();
        last.set(now(), name);
        order.push(name);
        // As long as timers take to be due.
        const begun = performance.now();
        while (performance.now() - begun < 1);
      }
    };
    await Promise.all([work('a'), work('b'), work('c')]);
  });
  clearInterval(timer);
  expect(order.join('')).toBe('abc'.repeat(50));
  expect(ticks).toBeGreaterThan(50);
});

test('what fails in the middle leaves nothing in the stage', async () => {
  const stage = new CountingStage(() => 0);
  await expect(stageInTurns(stage, [new Uint8Array(8 * limits.delivery_turn.value)])).rejects.toThrow(
    'disk full',
  );
  expect(stage.aborted).toBe(true);
});

test('changed copies of a large message, of many recipients at once: so many bytes are written in one turn', async () => {
  const stages: CountingStage[] = [];
  const { result: given } = await counting(async (now) => {
    const faults: { stage?: (limit: number) => Stage } = {};
    const given = room = new PostRoom({}, faults);
    faults.stage = (limit) => {
      const stage = new CountingStage(now, given.test.store.stage(limit));
      stages.push(stage);
      return stage;
    };
    const to = ['u0', 'u1', 'u2', 'u3'];
    for (const user of to) {
      await given.user(
        user,
        `require ["body", "editheader", "fileinto", "copy", "mailbox"]; if body :text :contains "nowhere" { discard; }
         addheader "X-For" "${user}"; fileinto :copy :create "INBOX/One"; addheader "X-Two" "2"; keep;`,
      );
    }
    const text = letter('', `${'x'.repeat(78)}\r\n`.repeat((4 << 20) / 80));
    const verdicts = await given.deliver(text, { to });
    expect(verdicts.every(({ error }) => error === undefined)).toBe(true);
    return given;
  });
  expect(stages.length).toBe(8);
  const perTurn = new Map<number, number>();
  for (const stage of stages) {
    for (const [at, bytes] of stage.perTurn) perTurn.set(at, (perTurn.get(at) ?? 0) + bytes);
  }
  // The count may go on before or behind who writes in a turn, so that it may have one turn and the next for the same.
  expect(Math.max(...perTurn.values())).toBeLessThanOrEqual(2 * limits.delivery_turn.value);
  expect((await given.messages('u3'))?.[0]).toStartWith('X-Two: 2\r\nX-For: u3\r\n');
  expect((await given.messages('u3', 'One'))?.[0]).toStartWith('X-For: u3\r\nReturn-Path:');
});
