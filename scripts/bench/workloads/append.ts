/** APPEND one after the other, each acknowledged before the next is sent, and all in one command. */

import { sampleMessage } from '../message.ts';
import { costOf, type Workload } from '../workload.ts';
import { multiappend } from './fill.ts';
import { makeInbox } from './delivery.ts';

const USER = 'appender';

export const append: Workload = {
  name: 'append',
  users: () => [USER],

  async prepare(server) {
    await makeInbox(server, USER);
  },

  async run(server, sizes, take) {
    const client = await server.login(USER);
    const commands = Array.from({ length: sizes.appended }, (_, index) => {
      const message = sampleMessage(index);
      return Buffer.concat([Buffer.from(`APPEND INBOX (\\Seen) {${message.length}+}\r\n`), message]);
    });
    const one = await costOf(server, async () => {
      for (const command of commands) await client.pipeline([command]);
    });
    take.rate('append', commands.length, one);
    const all = multiappend(0, sizes.appended);
    const several = await costOf(server, async () => void await client.pipeline([all]));
    take.rate('multiappend', sizes.appended, several);
    client.close();
  },
};
