import { draft, mailboxName, mailboxNameWrong } from '../action.ts';
import type { Extension } from '../extension.ts';
import { placement } from '../result.ts';

/** vnd.cyrus.implicit_keep_target: where the message goes when it is kept implicitly; the last one said counts. */
export const implicitKeepTarget: Extension = {
  capability: 'vnd.cyrus.implicit_keep_target',
  commands: [{
    name: 'implicit_keep_target',
    parameters: [{ name: 'mailbox', type: 'string', check: mailboxNameWrong }],
    emit(call, compiler) {
      const mailbox = call.text('mailbox');
      const modifiers = call.modifiers();
      compiler.command(call.node, {
        execute(run) {
          const name = mailboxName(mailbox.value(run));
          run.result.implicitTarget = draft(run, modifiers, placement(name, [], null)).target;
          if (run.trace !== null) run.note(`implicit_keep_target "${name}"`);
        },
      });
    },
  }],
};
