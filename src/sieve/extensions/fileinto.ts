import { act, checkConflict, draft, mailboxName, mailboxNameWrong, messageTo } from '../action.ts';
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
    const { actions } = run.result;
    // RFC 5228 §2.10.3: one copy per mailbox; what was said last counts.
    const before = actions.findIndex((action) =>
      action.kind === 'fileinto' && action.placement.mailbox === mailbox &&
      action.placement.specialUse === placement.specialUse &&
      action.placement.mailboxId === placement.mailboxId
    );
    if (before >= 0) actions[before] = { kind: 'fileinto', placement };
    else act(run, { kind: 'fileinto', placement }, () => `fileinto "${mailbox}"`);
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
