/** Asking the person in front of the terminal. */

import { userError } from '../errors.ts';

/** Somebody to ask. */
export interface Terminal {
  /**
   * One line of answer. What is typed is not shown where `echo` is false.
   * @throws MailError 'cannot' when the person gives up (Ctrl-C, Ctrl-D)
   */
  ask(question: string, options: { readonly echo: boolean }): Promise<string>;
  /** What is typed from here on, line by line, until Ctrl-D. */
  typed(): AsyncIterable<Uint8Array>;
}

/** The terminal on standard input; null where it is a pipe or a file. Questions go to standard error. */
export function openTerminal(): Terminal | null {
  return process.stdin.isTTY ? new ProcessTerminal() : null;
}

/** Longest line taken; more characters are not. */
const MAX_LINE = 4096;

/** What typing a line in raw mode comes to; pure, so that it can be tested without a terminal. */
export class LineEditor {
  #line: string[] = [];
  #decoder = new TextDecoder();

  /** Takes bytes as typed. Answers 'more' until the line is there or was given up; the rest of the bytes is dropped. */
  push(bytes: Uint8Array): { line: string } | 'more' | 'interrupted' {
    for (const character of this.#decoder.decode(bytes, { stream: true })) {
      switch (character) {
        case '\r':
        case '\n':
          return { line: this.#line.join('') };
        case '\x03':
          return 'interrupted';
        case '\x04':
          if (this.#line.length === 0) return 'interrupted';
          break;
        case '\b':
        case '\x7f':
          this.#line.pop();
          break;
        case '\x15':
          this.#line = [];
          break;
        default:
          if (character >= ' ' && this.#line.length < MAX_LINE) this.#line.push(character);
      }
    }
    return 'more';
  }
}

class ProcessTerminal implements Terminal {
  // Bun.stdin.stream() would get nothing more once `ask` has read from process.stdin.
  async *typed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of process.stdin) yield chunk as Buffer;
  }

  ask(question: string, { echo }: { readonly echo: boolean }): Promise<string> {
    const { stdin, stderr } = process;
    const editor = new LineEditor();
    // In raw mode nothing is echoed and no signal is made of Ctrl-C; otherwise the terminal edits the line itself.
    if (!echo) stdin.setRawMode(true);
    stderr.write(question);
    return new Promise((resolve, reject) => {
      const done = (): void => {
        stdin.off('data', onData);
        stdin.off('end', onEnd);
        stdin.pause();
        if (!echo) {
          stdin.setRawMode(false);
          stderr.write('\n');
        }
      };
      const onEnd = (): void => {
        done();
        reject(userError('cannot', 'given up, nothing was changed'));
      };
      const onData = (bytes: Buffer): void => {
        const result = editor.push(bytes);
        if (result === 'more') return;
        if (result === 'interrupted') return onEnd();
        done();
        resolve(result.line);
      };
      stdin.on('data', onData);
      stdin.on('end', onEnd);
      stdin.resume();
    });
  }
}
