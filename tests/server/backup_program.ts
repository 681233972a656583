/**
 * A whole server whose supervisor does jobs as it is told, a line each on standard input: `backup` and `checkpoint` are run and
 * answered with what became of them, `stop` begins a backup and stops the server in the midst of it.
 */

import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { makeSettings } from '../../src/config/settings.ts';
import { openNotifier } from '../../src/server/notify.ts';
import { startServer } from '../../src/server/start.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { userName } from '../harness/processes.ts';
import { mailstoreCommand } from '../harness/server.ts';

const [, , root = ''] = process.argv;
const settings = makeSettings({
  configdirectory: join(root, 'lib'),
  partition: { default: join(root, 'spool') },
  backup_target: join(root, 'target'),
  user: userName(),
  workers: 1,
  services: [],
});
const { supervisor } = await startServer({
  settings,
  load: () => settings,
  command: [...mailstoreCommand(), 'serve'],
  log: createLog({ level: 'error' }),
  notifier: openNotifier({}),
  allowNetworkFilesystem: true,
  stopAsked: new Promise(() => {}),
});
console.log(`events ${settings.events.map(({ job }) => job).join(' ')}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'backup' || line === 'checkpoint') console.log(`${line} ${await supervisor.runJob(line)}`);
  if (line !== 'stop') continue;
  const running = supervisor.runJob('backup');
  await supervisor.stop();
  console.log(`stopped ${await running}`);
  console.log(`after ${await supervisor.runJob('backup')}`);
  process.exit(0);
}
