/**
 * The program that is recorded: the supervisor as `mailstore serve` runs it, with the roles of the built executable (or of the source),
 * doing what is asked on standard input. A line `recorded WORD` on standard output says that something is done.
 *
 * It stands in for `mailstore serve` only because segments, which an administrator cannot make smaller than 1 MB, are to be
 * small here, and because the jobs of the schedule are wanted at once.
 */
import { closeSync, mkdirSync, openSync, truncateSync, writeSync } from 'node:fs';
import { openNotifier } from '../../../src/server/notify.ts';
import { type RunningServer, startServer } from '../../../src/server/start.ts';
import type { Settings } from '../../../src/config/settings.ts';
import { makeSecret } from '../../../src/auth/secrets/embedded.ts';
import { DirectoryTarget } from '../../../src/store/backup/directory.ts';
import { restorePoint } from '../../../src/store/backup/restore/point.ts';
import { restoreStore } from '../../../src/store/backup/restore/whole.ts';
import { runBackup } from '../../../src/store/backup/run.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import type { Store } from '../../../src/store/border.ts';
import { openStore } from '../../../src/store/open.ts';
import { reservePath } from '../../../src/store/writer/reserve.ts';
import { createLog, logLevel } from '../../../src/telemetry/log.ts';
import { mailstoreCommand } from '../../harness/server.ts';
import { readContents } from './contents.ts';
import { restoredSettings, TARGET } from './saved.ts';
import { HERE } from './workload.ts';

/**
 * One order, a line of JSON; `name` is a user, or the partition of new users where it is another one, or for `filter` a user, a
 * space, and the text of a new script, of metadata and the key of a mark, or `force` for a restore over what is there.
 */
export interface Order {
  readonly do:
    | 'start'
    | 'stop'
    | 'checkpoint'
    | 'expire'
    | 'killwriter'
    | 'killall'
    | 'adduser'
    | 'purge'
    | 'filter'
    | 'rebuild'
    | 'fromspool'
    | 'damagedirectory'
    | 'backup'
    | 'restore'
    | 'giveupreserve';
  readonly name: string;
  readonly word: string;
}

/** What a damaged directory.db and its journal begin with. */
const DAMAGE = 'damaged on purpose ';

const settings = JSON.parse(process.argv[2] ?? '') as Settings;
const log = createLog({ level: logLevel('warn') });
let server: RunningServer | undefined;

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case 'start': {
      const own = order.name === '' ? settings : { ...settings, defaultpartition: order.name };
      server = await startServer({
        settings: own,
        load: () => own,
        command: [...mailstoreCommand(), 'serve'],
        log,
        notifier: openNotifier(),
        allowNetworkFilesystem: true,
        stopAsked: new Promise(() => {}),
      });
      return;
    }
    case 'stop':
      await server?.stop();
      return;
    case 'checkpoint':
    case 'expire': {
      const error = await server?.supervisor.runJob(order.do);
      if (error !== null) throw new Error(`${order.do}: ${error}`);
      return;
    }
    case 'killwriter':
    case 'killall':
      for (const role of ['writer', 'worker', 'janitor'] as const) {
        if (role !== 'writer' && order.do === 'killwriter') continue;
        for (const pid of server?.supervisor.pids(role) ?? []) process.kill(pid, 'SIGKILL');
      }
      return;
    case 'backup':
      await runBackup(settings, new DirectoryTarget(`${HERE}/${TARGET}`), log);
      return;
    case 'restore': {
      const target = new DirectoryTarget(`${HERE}/${TARGET}`);
      const to = restoredSettings(settings, HERE);
      for (const folder of [to.configdirectory, ...Object.values(to.partition)]) {
        mkdirSync(folder, { recursive: true });
      }
      const options = { force: order.name === 'force', newUidvalidity: false };
      await restoreStore(to, target, await restorePoint(target, {}), options, log);
      process.stdout.write(`recorded restored ${readContents(to, false).hash}\n`);
      return;
    }
    case 'giveupreserve':
      // As a writer does on a disk that is nearly full; the next one finds space and takes it back.
      truncateSync(reservePath(layoutOf(settings).log), 0);
      return;
    case 'damagedirectory': {
      // One sector of each: it is there or not.
      for (const suffix of ['', '-wal']) {
        const fd = openSync(layoutOf(settings).directory + suffix, 'r+');
        writeSync(fd, Buffer.alloc(512, DAMAGE), 0, 512, 0);
        closeSync(fd);
      }
      return;
    }
    case 'adduser':
    case 'purge':
    case 'filter':
    case 'rebuild':
    case 'fromspool': {
      const store = await openStore(settings, log, 'server');
      try {
        if (order.do === 'filter') await filter(store, ...order.name.split(' ') as [string, string]);
        else if (order.do === 'purge') {
          await store.secrets.remove(order.name);
          await store.admin.purgeUser(order.name);
        } else if (order.do === 'adduser') {
          await store.secrets.set(order.name, await makeSecret('test-password', false));
        } else await store.admin.reconstruct(order.name, order.do === 'fromspool' ? 'spool' : 'log');
      } finally {
        await store.close();
      }
    }
  }
}

/** Scripts, the active one, metadata and a mark that tell of one text. */
async function filter(store: Store, userid: string, text: string): Promise<void> {
  const { scripts, metadata } = store.session({ userid, admin: false, groups: [] });
  await scripts.put('next', Buffer.from(text), { maxScripts: 5 });
  await scripts.setActive('next');
  if (scripts.get('main') !== null) await scripts.delete('main');
  await scripts.rename('next', 'main');
  await metadata.set({ owner: userid, path: '' }, new Map([['/shared/comment', Buffer.from(text)]]));
  await store.mark(userid, [{ kind: 'vacation', key: text, until: 4_000_000_000 }]);
}

let rest = '';
for await (const chunk of Bun.stdin.stream()) {
  const lines = (rest + new TextDecoder().decode(chunk)).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const order = JSON.parse(line) as Order;
    process.stdout.write(`recorded doing ${order.do}\n`);
    await obey(order);
    process.stdout.write(`recorded ${order.word}\n`);
    if (order.do === 'stop') process.exit(75);
  }
}
await server?.stop();
process.exit(0);
