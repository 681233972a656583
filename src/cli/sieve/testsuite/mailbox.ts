/** `test_mailbox_create`, `test_mailbox_delete`. */

import { mailboxName, mailboxNameWrong } from '../../../sieve/action.ts';
import type { CommandSpec } from '../../../sieve/extension.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import { ScriptError } from '../../../sieve/run.ts';
import { BLOCK, fail } from './fail.ts';
import { annotation, canonical, type World } from './world.ts';

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
    {
      name: 'test_imap_metadata_set',
      tags: [{ name: 'mailbox', parameter: name }],
      parameters: [{ name: 'entry', type: 'string' }, { name: 'value', type: 'string' }],
      emit(call, compiler) {
        const mailbox = call.has('mailbox') ? call.text('mailbox') : null;
        const entry = call.text('entry');
        const value = call.text('value');
        compiler.command(call.node, {
          execute(run) {
            const where = mailbox === null ? null : canonical(mailboxName(mailbox.value(run)));
            const what = fromOctets(entry.value(run));
            // RFC 5464 §3.2
            if (!/^\/(?:private|shared)(?:\/[^/*%\x00-\x1f\x7f-\uffff]+)+$/.test(what)) {
              throw new ScriptError(`"${what}" is no name of an annotation`);
            }
            world.annotations.set(annotation(where, what), fromOctets(value.value(run)));
          },
        });
      },
    },
  ];
}
