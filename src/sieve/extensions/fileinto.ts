import { checkConflict, draft, mailboxName, mailboxNameWrong, messageTo, place } from '../action.ts';
import type { Extension, Modifier } from '../extension.ts';
import type { Command, Run } from '../run.ts';
import type { Text } from '../text.ts';

class Fileinto implements Command {
  readonly #mailbox: Text;
  readonly #modifiers: readonly Modifier[];

  constructor(mailbox: Text, modifiers: readonly Modifier[]) {
    this.#mailbox = mailbox;
    this.#modifiers = modifiers;
  }

  execute(run: Run): void {
    const mailbox = mailboxName(this.#mailbox.value(run));
    const { copy, target: placement } = draft(run, this.#modifiers, messageTo(run, mailbox));
    checkConflict(run, 'fileinto');
    if (!copy) run.result.implicitKeep = false;
    place(run, { kind: 'fileinto', placement }, () => `fileinto "${mailbox}"`);
  }
}

/** RFC 5228 §4.1 */
export const fileinto: Extension = {
  capability: 'fileinto',
  commands: [{
    name: 'fileinto',
    parameters: [{ name: 'mailbox', type: 'string', check: mailboxNameWrong }],
    emit: (call, compiler) =>
      compiler.command(call.node, new Fileinto(call.text('mailbox'), call.modifiers())),
  }],
};
