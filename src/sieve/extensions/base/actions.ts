/** Actions of RFC 5228 §4; fileinto is an extension of its own. */
import { act, addressOf, addressWrong, checkConflict, draft, messageTo, place } from '../../action.ts';
import { listWrong } from '../../listname.ts';
import type { Dispatch } from '../../result.ts';
import type { CommandSpec, Modifier } from '../../extension.ts';
import { type Command, type Run, ScriptError } from '../../run.ts';
import type { Text } from '../../text.ts';

class Keep implements Command {
  readonly #modifiers: readonly Modifier[];

  constructor(modifiers: readonly Modifier[]) {
    this.#modifiers = modifiers;
  }

  execute(run: Run): void {
    const { target: placement } = draft(run, this.#modifiers, messageTo(run, null));
    checkConflict(run, 'keep');
    run.result.implicitKeep = false;
    place(run, { kind: 'keep', implicit: false, placement }, () => 'keep');
  }
}

/** §4.3 */
export const keep: CommandSpec = {
  name: 'keep',
  parameters: [],
  emit: (call, compiler) => compiler.command(call.node, new Keep(call.modifiers())),
};

const DISCARD: Command = {
  execute(run: Run): void {
    run.result.implicitKeep = false;
    if (!run.result.has('discard')) act(run, { kind: 'discard' }, () => 'discard');
  },
};

/** §4.4 */
export const discard: CommandSpec = {
  name: 'discard',
  parameters: [],
  emit: (call, compiler) => compiler.command(call.node, DISCARD),
};

class Redirect implements Command {
  readonly #address: Text;
  readonly #list: boolean;
  readonly #modifiers: readonly Modifier[];

  constructor(address: Text, list: boolean, modifiers: readonly Modifier[]) {
    this.#address = address;
    this.#list = list;
    this.#modifiers = modifiers;
  }

  execute(run: Run): void {
    const text = this.#address.value(run);
    const { copy, dispatch } = draft(run, this.#modifiers);
    checkConflict(run, 'redirect');
    if (!this.#list) {
      this.#to(run, addressOf(text, run.settings), dispatch);
    } else {
      // RFC 6134 §2.3; who stands on it goes through the same budget.
      for (const address of run.members(text)) this.#to(run, address, dispatch);
    }
    if (!copy) run.result.implicitKeep = false;
  }

  #to(run: Run, address: string, dispatch: Dispatch): void {
    const redirects = run.result.actions.filter((action) => action.kind === 'redirect');
    // §2.10.3: the message goes to an address once.
    if (redirects.some((action) => action.address === address)) return;
    if (redirects.length >= run.limits.redirects) {
      throw new ScriptError(`number of redirect actions exceeds policy limit (${run.limits.redirects})`);
    }
    const content = run.content(run.message.forwarded());
    act(run, { kind: 'redirect', address, content, dispatch }, () => `redirect to <${address}>`);
  }
}

/** §4.2 */
export const redirect: CommandSpec = {
  name: 'redirect',
  parameters: [{
    name: 'address',
    type: 'string',
    check: (text, settings, has) => has('list') ? null : addressWrong(text, settings),
  }],
  emit(call, compiler) {
    const address = call.text('address');
    const list = call.has('list');
    const wrong = list && address.constant !== null ? listWrong(address.constant, compiler.settings) : null;
    if (wrong !== null) return compiler.error(call.position('address'), `the redirect command: ${wrong}`);
    compiler.command(call.node, new Redirect(address, list, call.modifiers()));
  },
};
