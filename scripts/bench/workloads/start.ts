/** Starting, and coming back after kill -9. */

import type { RunningServer } from '../servers/server.ts';
import { deliver, Mail } from '../lmtp_client.ts';
import type { Workload } from '../workload.ts';
import { generate, makeInbox } from './delivery.ts';
import { suspendRole } from '../../../tests/harness/processes.ts';

const USER = 'starter';
/** Deliveries before the kill, so that there is something to recover. */
const DELIVERIES = 200;
/** As large as a message may be that stands in the log itself: the log grows fast, the number of files does not. */
const LOGGED = 56 * 1024;
const LINE = `${'base64text'.repeat(7)}\r\n`;
const LARGE = new Mail(
  Buffer.from(`Message-ID: <@example.net>\r\nSubject: large\r\n\r\n${LINE.repeat(LOGGED / LINE.length)}`),
);

export const start: Workload = {
  name: 'start',
  users: () => [USER],

  async prepare(server) {
    await makeInbox(server, USER);
  },

  async run(server, _sizes, take) {
    await server.stop();
    take.value('start', await server.start());
    await generate(server, USER, 8, DELIVERIES, false);
    const { greeting, selected } = await crashed(server);
    take.value('restart', greeting);
    take.value('restartSelect', selected);
  },
};

/** Recovery of a log that no checkpoint has shortened: the janitor is held while it grows. */
export const largeLog: Workload = {
  name: 'log',
  own: true,
  users: () => [USER],

  async prepare(server) {
    await makeInbox(server, USER);
  },

  async run(server, sizes, take) {
    const release = suspendRole(server.pid, 'janitor');
    try {
      await deliver({
        place: server.lmtp,
        sessions: 16,
        count: Math.ceil(sizes.logBytes / LOGGED),
        mails: [LARGE],
        recipients: () => [USER],
      });
      take.value('restartLog', (await crashed(server)).selected);
    } finally {
      release();
    }
  },
};

/** Milliseconds from kill -9 to the greeting and to the answer of the first SELECT. */
async function crashed(server: RunningServer): Promise<{ greeting: number; selected: number }> {
  const begun = performance.now();
  await server.kill();
  await server.start();
  const greeting = performance.now() - begun;
  await makeInbox(server, USER);
  return { greeting, selected: performance.now() - begun };
}
