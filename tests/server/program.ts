/**
 * The server with small roles of its own, for tests of what is around them: the worker echoes lines, the writer
 * and the janitor only live. Started as a program: `serve SETTINGS.json` is the supervisor, `serve --role=...`
 * a role. Lines: `tls` begins STARTTLS, `hang` blocks the process, `who` names the user and process.
 */

import { readFileSync } from 'node:fs';
import { MailError } from '../../src/errors.ts';
import { makeSettings, type Settings } from '../../src/config/settings.ts';
import type { Protocol } from '../../src/net/service.ts';
import type { Connection } from '../../src/net/connection.ts';
import { openNotifier } from '../../src/server/notify.ts';
import { type RunningRole, runRole } from '../../src/server/roles/role.ts';
import { workerBody } from '../../src/server/roles/worker.ts';
import { startServer } from '../../src/server/start.ts';
import { createLog, logLevel } from '../../src/telemetry/log.ts';

function echoProtocol(): Protocol {
  const open = new Set<Connection>();
  return {
    alpn: 'imap',
    busy: 'busy\r\n',
    late: 'late\r\n',
    accept(connection, service) {
      open.add(connection);
      connection.onClose(() => open.delete(connection));
      connection.write(`hello ${service.name}\r\n`);
      let rest = '';
      connection.onData((chunk) => {
        const lines = (rest + chunk.toString('latin1')).split('\r\n');
        rest = lines.pop() as string;
        for (const line of lines) {
          if (line === 'tls') {
            connection.write('go\r\n');
            rest = '';
            void connection.startTls().catch(() => {});
            return;
          }
          if (line === 'admit') connection.admit();
          if (line === 'quit') return connection.end();
          if (line === 'hang') {
            connection.write('hanging\r\n');
            connection.flush();
            for (;;);
          }
          if (line === 'who') {
            const peer = connection.peer === undefined ? '-' : `${connection.peer.uid}`;
            connection.write(
              `pid=${process.pid} uid=${process.getuid?.()} peer=${peer} env=${
                process.env['BUN_OPTIONS'] ?? '-'
              }\r\n`,
            );
          } else connection.write(`${line}\r\n`);
        }
      });
    },
    shutdown() {
      for (const connection of open) {
        connection.write('bye\r\n');
        connection.end();
      }
      return Promise.resolve();
    },
  };
}

/** A writer that cannot start, where the test asks for it by its environment. */
const failing = (code: 'corruption' | 'unavailable') => () =>
  Promise.reject(new MailError('server', code, 'segment 3 is damaged at offset 4711'));

const idle: RunningRole = { stop: () => Promise.resolve(), job: () => Promise.resolve() };

const [, , , argument = ''] = process.argv;
const writerFails = process.env['TEST_WRITER_FAILS'] as 'corruption' | 'unavailable' | undefined;
if (argument.startsWith('--role=')) {
  process.exit(
    await runRole(
      Promise.resolve(
        argument === '--role=worker'
          ? workerBody(() =>
            Promise.resolve({
              protocols: new Map([['imap', echoProtocol()]]),
              ready: Promise.resolve(),
              close: () => Promise.resolve(),
            })
          )
          : argument === '--role=writer' && writerFails !== undefined
          ? failing(writerFails)
          : process.env['TEST_NEVER_STARTS'] !== undefined
          ? () => new Promise(() => {})
          : () => Promise.resolve(idle),
      ),
    ),
  );
}

const load = (): Settings => makeSettings(JSON.parse(readFileSync(argument, 'utf8')));
const settings = load();
const log = createLog({ level: logLevel(settings.loglevel) });
const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
process.on('SIGTERM', () => stop());
try {
  const server = await startServer({
    settings,
    load,
    command: [process.execPath, import.meta.path, 'serve'],
    log,
    notifier: openNotifier(),
    allowNetworkFilesystem: false,
    stopAsked: stopped,
    pingMs: 50,
    hungMs: 300,
    tlsWatchMs: Number(process.env['TEST_TLS_WATCH_MS'] ?? 60_000),
  });
  process.on('SIGHUP', () => server.reload());
  process.stdout.write(
    JSON.stringify({
      listeners: server.listeners,
      workers: server.supervisor.pids('worker'),
      writer: server.supervisor.pids('writer'),
    }) + '\n',
  );
  await Promise.race([stopped, server.supervisor.failed]).finally(() => server.stop());
  process.exit(0);
} catch (thrown) {
  process.stderr.write(`cannot serve: ${(thrown as Error).message}\n`);
  log.flush();
  const { code } = thrown as { code?: string };
  process.exit(code === 'config' ? 78 : code === 'corruption' ? 65 : 71);
}
