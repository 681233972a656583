/** Flat code in the making: labels become indices when all of it is there. */
import type { Position } from './diagnostic.ts';
import type { Label } from './extension.ts';
import { type Command, DO, END, type Instruction, JUMP, TEST, type Test } from './run.ts';
import type { CallNode } from './syntax.ts';

interface Draft {
  readonly op: Instruction['op'];
  readonly position: Position;
  readonly name: string;
  readonly test: Test | null;
  readonly command: Command | null;
  readonly yes: Label;
  readonly no: Label;
}

const NOWHERE: Label = { at: -1 };
const UNKNOWN: Position = { line: 1, column: 1 };
const END_OF_SCRIPT = { name: 'end of the script', position: UNKNOWN };

export class Emitter {
  readonly #code: Draft[] = [];

  place(label: Label): void {
    label.at = this.#code.length;
  }

  jump(label: Label): void {
    this.#code.push({
      op: JUMP,
      position: UNKNOWN,
      name: '',
      test: null,
      command: null,
      yes: label,
      no: NOWHERE,
    });
  }

  command({ position, name }: CallNode, command: Command): void {
    const next = { at: this.#code.length + 1 };
    this.#code.push({ op: DO, position, name, test: null, command, yes: next, no: NOWHERE });
  }

  test({ position, name }: CallNode, test: Test, yes: Label, no: Label): void {
    this.#code.push({ op: TEST, position, name, test, command: null, yes, no });
  }

  end({ position, name }: Pick<CallNode, 'position' | 'name'> = END_OF_SCRIPT): void {
    this.#code.push({ op: END, position, name, test: null, command: null, yes: NOWHERE, no: NOWHERE });
  }

  /** The code. Jumps to jumps go to where those end. */
  finish(): Instruction[] {
    const target = (label: Label): number => {
      let at = label.at;
      // Each jump leads forwards, or out of a loop: as many as there are instructions.
      for (let steps = 0; steps < this.#code.length && this.#code[at]?.op === JUMP; steps++) {
        at = (this.#code[at] as Draft).yes.at;
      }
      return at;
    };
    return this.#code.map(({ op, position, name, test, command, yes, no }) => ({
      op,
      position,
      name,
      test,
      command,
      yes: target(yes),
      no: target(no),
    }));
  }
}
