/**
 * Turns of a worker's event loop. What computes or writes for long asks for a turn between two slices of its work; however many
 * do so at once, one goes on in each turn of the loop, so that timers and connections never wait for more than one slice.
 */

import { limits } from '../limits.ts';
import type { Stage, StagedMessage } from '../store/border.ts';

const waiting: (() => void)[] = [];
let serving = false;

/** Resolves in a turn of the event loop in which nobody else who asked goes on, in the order of asking. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (serving) return;
    serving = true;
    setImmediate(serve);
  });
}

function serve(): void {
  waiting.shift()?.();
  serving = waiting.length > 0;
  if (serving) setImmediate(serve);
}

/** Makes a message of pieces of any size, `limits.delivery_turn` of them in a turn. What fails leaves nothing in the stage. */
export async function stageInTurns(stage: Stage, pieces: Iterable<Uint8Array>): Promise<StagedMessage> {
  const most = limits.delivery_turn.value;
  let room = 0;
  let size = 0;
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        if (room === 0) {
          await turn();
          room = most;
        }
        const slice = piece.subarray(at, at + room);
        stage.write(slice);
        at += slice.length;
        room -= slice.length;
        size += slice.length;
      }
    }
  } catch (thrown) {
    stage.abort();
    throw thrown;
  }
  // What finishes a message looks at all of it.
  if (size > most) await turn();
  return await stage.finish();
}
