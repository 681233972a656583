/** A server of lines: what a dialogue says is compared with a transcript, and answered from it. */

import { expect } from 'bun:test';
import type { Talk } from '../../../src/cli/imtest/talk.ts';

/**
 * A transcript as imtest shows one: lines begin with `S: ` or `C: `. A literal of the server is a line of its own, as
 * in the dialogue.
 */
export class Scripted implements Talk {
  readonly #lines: string[];
  /** What was shown in the place of what was sent. */
  readonly shown: string[] = [];

  constructor(transcript: string) {
    this.#lines = transcript.split('\n').filter((line) => line.trim() !== '').map((line) => line.trimStart());
  }

  send(text: string, shown: string = text): void {
    for (const line of text.split('\r\n')) {
      const expected = this.#lines.shift();
      expect(`C: ${line}`).toBe(expected ?? 'nothing more');
    }
    this.shown.push(shown);
  }

  receive(): Promise<string> {
    const line = this.#lines.shift();
    if (line?.startsWith('S: ') !== true) {
      throw new Error(`the dialogue waits where the transcript has ${line}`);
    }
    return Promise.resolve(line.slice(3));
  }

  async receiveBytes(length: number): Promise<string> {
    const [line = ''] = this.#lines;
    const text = line.slice(3, 3 + length);
    if (line.length === 3 + length) {
      this.#lines.shift();
      this.#lines.unshift('S: ');
    } else this.#lines[0] = `S: ${line.slice(3 + length)}`;
    return await Promise.resolve(text);
  }

  /** Everything was said. */
  over(): void {
    expect(this.#lines.filter((line) => line !== 'S: ')).toEqual([]);
  }
}
