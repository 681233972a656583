/** `test_mailbox_create`, `test_mailbox_delete`. */

import { mailboxName, mailboxNameWrong } from '../../../sieve/action.ts';
import type { CommandSpec } from '../../../sieve/extension.ts';
import { BLOCK, fail } from './fail.ts';
import type { World } from './world.ts';

export function mailboxCommands(world: World): CommandSpec[] {
  const name = { name: 'mailbox', type: 'string', check: mailboxNameWrong } as const;
  return [
    {
      name: 'test_mailbox_create',
      parameters: [name],
      emit(call, compiler) {
        const mailbox = call.text('mailbox');
        compiler.command(call.node, { execute: (run) => world.create(mailboxName(mailbox.value(run))) });
      },
    },
    {
      name: 'test_mailbox_delete',
      parameters: [name],
      emit(call, compiler) {
        const { end } = compiler.state(BLOCK);
        compiler.command(call.node, {
          execute: (run) => fail(world, run, end, 'test_mailbox_delete does not exist in the language'),
        });
      },
    },
  ];
}
