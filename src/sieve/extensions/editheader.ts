import { fieldNameWrong } from '../fieldname.ts';
import type { CommandSpec, Extension } from '../extension.ts';
import type { Keys } from '../keys.ts';
import { printable } from '../lexer.ts';
import { Values } from '../match/values.ts';
import { lowerAscii } from '../octets.ts';
import { type Command, type Run, ScriptError } from '../run.ts';
import type { EditheaderSettings } from '../settings.ts';
import type { Text } from '../text.ts';

/** RFC 5293 §6: what tells where mail came from, and that a machine sent it, stays. Subject is always free (§6). */
const NEVER_DELETED: ReadonlySet<string> = new Set(['received', 'auto-submitted']);

function mayAdd(name: string, settings: EditheaderSettings): boolean {
  return name === 'subject' || !settings.forbidAdd.has(name);
}

function mayDelete(name: string, settings: EditheaderSettings): boolean {
  return name === 'subject' || !NEVER_DELETED.has(name) && !settings.forbidDelete.has(name);
}

/** What is wrong with the value of a field, or null. Line ends are no fault: they become blanks. */
function valueWrong(value: string): string | null {
  return /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value)
    ? `the value "${printable(value)}" is invalid: it has control characters`
    : null;
}

function tooLarge(name: string, value: string, { maxSize }: EditheaderSettings): string | null {
  const size = name.length + value.length;
  return size > maxSize
    ? `the field '${name}' is too large: ${size} octets, expected ${maxSize} at most`
    : null;
}

class Addheader implements Command {
  readonly #name: Text;
  readonly #value: Text;
  readonly #last: boolean;

  constructor(name: Text, value: Text, last: boolean) {
    this.#name = name;
    this.#value = value;
    this.#last = last;
  }

  execute(run: Run): void {
    const name = this.#name.value(run);
    const value = this.#value.value(run);
    const settings = run.settings.editheader;
    const wrong = fieldNameWrong(name) ?? valueWrong(value) ?? tooLarge(name, value, settings);
    if (wrong !== null) throw new ScriptError(`addheader: ${wrong}`);
    if (!mayAdd(lowerAscii(name), settings)) {
      if (run.trace !== null) run.note(`addheader: '${name}' is protected`);
      return;
    }
    run.allocate(value);
    run.message.editHeader().add(name, value, this.#last);
    if (run.trace !== null) run.note(`addheader '${name}'`);
  }
}

/** RFC 5293 §4 */
const addheader: CommandSpec = {
  name: 'addheader',
  tags: [{ name: 'last' }],
  parameters: [
    { name: 'field name', type: 'string', check: fieldNameWrong },
    { name: 'value', type: 'string', check: valueWrong },
  ],
  emit(call, compiler) {
    const name = call.text('field name');
    const value = call.text('value');
    if (name.constant !== null && value.constant !== null) {
      const wrong = tooLarge(name.constant, value.constant, compiler.settings.editheader);
      if (wrong !== null) return compiler.error(call.position('value'), `addheader: ${wrong}`);
    }
    compiler.command(call.node, new Addheader(name, value, call.has('last')));
  },
};

class Deleteheader implements Command {
  readonly #name: Text;
  readonly #keys: Keys | null;
  /** From 1, or 0 for all. */
  readonly #index: number;
  readonly #last: boolean;

  constructor(name: Text, keys: Keys | null, index: number, last: boolean) {
    this.#name = name;
    this.#keys = keys;
    this.#index = index;
    this.#last = last;
  }

  execute(run: Run): void {
    const name = this.#name.value(run);
    const wrong = fieldNameWrong(name);
    if (wrong !== null) throw new ScriptError(`deleteheader: ${wrong}`);
    const lower = lowerAscii(name);
    if (!mayDelete(lower, run.settings.editheader) || run.message.isPreserved(lower)) {
      if (run.trace !== null) run.note(`deleteheader: '${name}' is protected`);
      return;
    }
    const { items } = run.message.fields(lower).values;
    if (items.length === 0) return;
    const only = this.#index === 0 ? -1 : this.#last ? items.length - this.#index : this.#index - 1;
    const goes = items.map((value, index) => {
      if (this.#index > 0 && index !== only) return false;
      return this.#keys?.match(run, new Values([value])) ?? true;
    });
    const count = goes.filter(Boolean).length;
    if (run.trace !== null) run.note(`deleteheader '${name}': ${count} of ${items.length}`);
    if (count > 0) run.message.editHeader().delete(lower, (index) => goes[index] === true);
  }
}

/** RFC 5293 §5 */
const deleteheader: CommandSpec = {
  name: 'deleteheader',
  match: true,
  tags: [{ name: 'index', parameter: { name: 'index', type: 'number' } }, { name: 'last', needs: 'index' }],
  parameters: [
    { name: 'field name', type: 'string', check: fieldNameWrong },
    { name: 'value patterns', type: 'strings', optional: true },
  ],
  emit(call, compiler) {
    const keys = call.has('value patterns') ? call.keys('value patterns') : null;
    if (keys === null && call.has('value patterns')) return;
    const index = call.has('index') ? call.number('index') : 0;
    if (call.has('index') && index === 0) {
      return compiler.error(
        call.position('index'),
        'the deleteheader command: fields count from 1 with :index',
      );
    }
    compiler.command(call.node, new Deleteheader(call.text('field name'), keys, index, call.has('last')));
  },
};

/** RFC 5293. Fields come back out of it encoded and folded, and none of them brings about another. */
export const editheader: Extension = { capability: 'editheader', commands: [addheader, deleteheader] };
