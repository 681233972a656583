/** vnd.dovecot.testsuite: the commands and tests with which a script tests scripts. */

import type { Extension } from '../../../sieve/extension.ts';
import { toOctets } from '../../../sieve/octets.ts';
import { blockCommands } from './block.ts';
import { configCommands } from './config.ts';
import { errorTest } from './error.ts';
import { mailboxCommands } from './mailbox.ts';
import { messageCommands, messageTest } from './message.ts';
import { resultCommands, resultTests } from './result.ts';
import { scriptCommands, scriptTests } from './script.ts';
import type { World } from './world.ts';

export function testsuite(world: World): Extension {
  return {
    capability: 'vnd.dovecot.testsuite',
    commands: [
      ...blockCommands(world),
      ...messageCommands(world),
      ...resultCommands(world),
      ...scriptCommands(world),
      ...mailboxCommands(world),
      ...configCommands(world),
    ],
    tests: [messageTest(world), ...resultTests(world), ...scriptTests(world), errorTest(world)],
    namespaces: [{
      name: 'tst',
      variable: ([path, ...deeper]) => {
        if (deeper.length > 0) return 'the namespace "tst" has no further names in its names';
        return { get: () => path === 'path' ? toOctets(world.folder) : '' };
      },
    }],
  };
}
